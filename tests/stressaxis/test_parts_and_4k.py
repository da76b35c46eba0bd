"""Real mouse pixels as a 4K recording, and as trials recorded over several files, through a whole small run."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from stressaxis.run import run_experiment

WINDOW_S, END_S = 12.0, 17.0
#: Scale and place of the picture within 3840 x 2160.
SCALE, OFFSET = 4, (800, 40)

CONFIG = """
schema: 1
name: parts
extends: presets/csds-si
subjects: subjects.csv
roles: {{control: [control], defeated: [defeated]}}
behavior:
  trials: trials.csv
  scoring: {{window_s: {window}}}
  arenas:
    box: {{corners_px: {box}}}
    large: {{corners_px: {large}}}
"""


def pictures(path: Path) -> list[np.ndarray]:
    """Every second luma picture of the first seconds."""
    found = []
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if frame.time >= END_S:
                break
            if number % 2 == 0:
                found.append(frame.reformat(format="gray").to_ndarray())
    return found


def write(path: Path, frames: list[np.ndarray], codec: str = "libx264") -> None:
    formats = {"mjpeg": "yuvj420p"}
    options = {"libx264": {"preset": "ultrafast", "crf": "16", "g": "60"}, "mjpeg": {"qmin": "2", "qmax": "2"}}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=15, options=options.get(codec, {"qmin": "2", "qmax": "2"}))
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = formats.get(codec, "yuv420p")
        for tick, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = tick, Fraction(1, 15)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def as_4k(picture: np.ndarray) -> np.ndarray:
    large = np.full((2160, 3840), 120, np.uint8)
    x, y = OFFSET
    height, width = (SCALE * side for side in picture.shape)
    large[y : y + height, x : x + width] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
    return large


def true_zone_s(file: Path, release_s: float) -> float:
    truth = pd.read_csv(file)
    within = (truth["time_s"] >= release_s - 1e-3) & (truth["time_s"] < release_s + WINDOW_S - 1e-3)
    return float(truth.loc[within, "in_iz"].sum() / 30)


@pytest.mark.slow
def test_4k_and_trials_in_parts_score_as_the_recording_they_come_from(shared: Path, tmp_path: Path) -> None:
    recordings = shared / "video" / "composited_si"
    corners = np.array([(73.0, 49.0), (497.0, 49.0), (497.0, 473.0), (73.0, 473.0)])
    large = (corners + 0.5) * SCALE - 0.5 + OFFSET
    rows = []
    for trial in ("no_target", "target"):
        frames = pictures(recordings / f"m01_{trial}.mp4")
        write(tmp_path / f"whole_{trial}.mp4", frames)
        write(tmp_path / f"large_{trial}.mp4", [as_4k(picture) for picture in frames])
        # The camera began new files after 7 and after 12 s, the last time by another program.
        for number, (part, ending, codec) in enumerate(
            ((slice(0, 105), "mp4", "libx264"), (slice(105, 180), "mkv", "mpeg4"), (slice(180, None), "avi", "mjpeg")),
            1,
        ):
            write(tmp_path / f"part{number}_{trial}.{ending}", frames[part], codec)
            rows.append(("parts", trial, f"part{number}_{trial}.{ending}", "box"))
        rows += [("whole", trial, f"whole_{trial}.mp4", "box"), ("large", trial, f"large_{trial}.mp4", "large")]
    pd.DataFrame(rows, columns=["subject", "trial", "file", "arena"]).to_csv(tmp_path / "trials.csv", index=False)
    subjects = pd.DataFrame({"subject": ["whole", "large", "parts"], "group": "defeated"})
    subjects.to_csv(tmp_path / "subjects.csv", index=False)
    text = CONFIG.format(window=WINDOW_S, box=corners.tolist(), large=large.tolist())
    (tmp_path / "experiment.yaml").write_text(text)

    outcome = run_experiment(tmp_path / "experiment.yaml", out=tmp_path / "out", console=Console(quiet=True))
    assert outcome.failures == []
    compare_with_truth(tmp_path / "out", recordings)


def compare_with_truth(results: Path, recordings: Path) -> None:
    """All three mice are one: zone seconds and release of the pasted truth, and the same path."""
    trials = pd.read_csv(results / "tables" / "trials.csv").set_index(["subject", "trial"])
    truth = pd.read_csv(recordings / "truth_trials.csv").set_index(["subject", "trial"]).loc["m01"]
    for trial in ("no_target", "target"):
        seconds = true_zone_s(recordings / f"m01_{trial}.csv.gz", truth.loc[trial, "release_s"])
        found = trials.xs(trial, level="trial")
        assert ((found["iz_s"] - seconds).abs() <= 0.25).all(), found["iz_s"]
        assert ((found["start_s"] - truth.loc[trial, "release_s"]).abs() <= 0.2).all()
        assert ((found["scored_s"] - WINDOW_S).abs() <= 0.1).all()
        assert (found["lost_percent"] < 1).all()
        distance = found["distance_cm"] / found.loc["whole", "distance_cm"]
        assert distance["large"] == pytest.approx(1, abs=0.02)
        # What the mouse walks while one file ends and the next begins is not known.
        assert 0.88 <= distance["parts"] <= 1.01
    assert trials.loc[("parts", "target"), "file"] == "part1_target.mp4 + part2_target.mkv + part3_target.avi"
    quality = pd.read_csv(results / "tables" / "recordings.csv")
    assert len(quality) == len(list((results / "tracks").glob("*.nc"))) == 10
    assert (quality["light"] == "green").all(), quality[["file", "flags"]]
    problems = pd.read_csv(results / "problems.csv")
    assert (problems["code"] == "trial_in_parts").sum() == 2
    assert "part2_target.mkv" in (results / "report.html").read_text("utf-8")
