"""The commands on one recording and its arena: ``arena``, ``overlay``, ``score``."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import yaml

from behavior.arena import ArenaOptions, build_arena
from behavior.simulation import RenderOptions, Truth, render_trial
from behavior.social_interaction import score_trial
from behavior.tracker import track
from behavior.tracks import from_arrays, read_tracks, write_tracks
from behavior.video import open_video
from core.errors import InputError
from stressaxis.standalone.arena_files import read_arena, write_corners
from stressaxis.standalone.overlay import count_seconds
from stressaxis.standalone.overlay_inputs import overlay_input
from stressaxis.standalone.single_mouse import _tracks
from tests.stressaxis.conftest import Command

CORNERS = [(10.0, 20.0), (110.0, 21.0), (111.0, 122.0), (9.0, 121.0)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """A short simulated trial whose camera drops frames: time steps are uneven."""
    path = tmp_path_factory.mktemp("recording") / "m1.mp4"
    options = RenderOptions(window_s=4.0, condition="dropped_frames", level="hard", arena_seed=3, target=True)
    return path, render_trial(path, options=options, seed=3)


def test_arena_says_what_it_found_and_what_to_write(
    stressaxis: Command, recording: tuple[Path, Truth], tmp_path: Path
) -> None:
    path, truth = recording
    said = stressaxis("arena", path, "--out", tmp_path / "found.png", "--corners", tmp_path / "corners.csv")
    assert said.status == 0
    assert "floor of 42 x 42 cm: found" in said.out and "enclosure: at the top wall" in said.out
    lines = yaml.safe_load(said.out.split("for the experiment file:\n")[1])
    px_per_cm = np.hypot(*(truth.corners_px[1] - truth.corners_px[0])) / 42
    off = np.hypot(*(np.array(lines["behavior"]["arenas"]["box"]["corners_px"]) - truth.corners_px).T)
    assert off.max() / px_per_cm < 0.5
    given = read_arena(tmp_path / "corners.csv")
    np.testing.assert_allclose(given.corners_px, lines["behavior"]["arenas"]["box"]["corners_px"], atol=0.06)
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


def test_arena_refuses_where_the_size_cannot_be_right(
    stressaxis: Command, recording: tuple[Path, Truth], tmp_path: Path
) -> None:
    said = stressaxis("arena", recording[0], "--size-cm", 80, 40, "--out", tmp_path / "found.png")
    assert said.status == 2
    assert "not found" in said.err and "corners_px" in said.err
    assert (tmp_path / "found.png").exists()
    assert "above 0 cm" in stressaxis("arena", recording[0], "--size-cm", 0, 40).err


def test_a_table_of_corners_comes_back_as_it_was(tmp_path: Path) -> None:
    options = ArenaOptions(width_cm=40, height_cm=38, enclosure_wall="left", enclosure_centre_cm=17.5)
    write_corners(tmp_path / "a.csv", options, CORNERS)
    given = read_arena(tmp_path / "a.csv")
    assert given.options == options
    assert given.corners_px == tuple(CORNERS)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda text: text.replace("top left", "left top"), "four corners"),
        (lambda text: text.replace("110.00", "wide"), "column x_px"),
        (lambda text: text.replace("42.0", "-1"), "above 0 cm"),
        (lambda text: text.replace("110.00", "-300"), "in order"),
    ],
)
def test_a_wrong_table_of_corners_is_refused(tmp_path: Path, change, match: str) -> None:
    write_corners(tmp_path / "a.csv", ArenaOptions(), CORNERS)
    (tmp_path / "a.csv").write_text(change((tmp_path / "a.csv").read_text()))
    with pytest.raises(InputError, match=match):
        read_arena(tmp_path / "a.csv")


@pytest.fixture(scope="module")
def tracked(recording: tuple[Path, Truth]) -> tuple[Path, Path]:
    """Its track and its arena, as files."""
    path, truth = recording
    arena, tracks = path.with_name("arena.csv"), path.with_name("m1.nc")
    write_corners(arena, ArenaOptions(), truth.corners_px.tolist())
    write_tracks(track(open_video(path), read_arena(arena).arena), tracks)
    return tracks, arena


def _times(path: Path) -> list[float]:
    """Times of the decoded frames, read by PyAV alone."""
    with av.open(str(path)) as file:
        return [float(frame.pts * frame.time_base) for frame in file.decode(video=0)]


def test_overlay_has_every_frame_at_its_own_time(
    stressaxis: Command, recording: tuple[Path, Truth], tracked: tuple[Path, Path], tmp_path: Path
) -> None:
    path, _ = recording
    out = tmp_path / "o.mp4"
    said = stressaxis("overlay", path, "--tracks", tracked[0], "--arena", tracked[1], "--out", out)
    assert said.status == 0 and "at their own times; zones and seconds drawn" in said.out
    source = np.array(_times(path))
    steps = np.diff(source)
    assert steps.max() > 1.5 * steps.min()  # else this shows nothing
    np.testing.assert_allclose(np.array(_times(out)) - _times(out)[0], source - source[0], atol=1e-4)
    with av.open(str(out)) as file:
        assert file.streams.video[0].codec_context.name == "h264"


def test_counters_end_at_the_seconds_that_are_scored(tmp_path: Path) -> None:
    write_corners(tmp_path / "arena.csv", ArenaOptions(), [(0, 0), (420, 0), (420, 420), (0, 420)])
    given = overlay_input(Path("a.mp4"), _walk(tmp_path, "a.nc", 60.0), arena=tmp_path / "arena.csv")
    counters = count_seconds(given)
    assert counters is not None and given.arena is not None
    row = score_trial(given.tracks, given.arena).row
    halfway, last = counters.at(29.9), counters.at(149.9)
    assert halfway is not None and last is not None
    assert halfway["interaction"] == pytest.approx(30.0)
    assert last["interaction"] == pytest.approx(row["iz_raw_s"]) == 60.0
    assert last["corners"] == row["corner_raw_s"] == 0.0
    assert counters.at(counters.start_s - 0.5) is None


def test_overlay_draws_the_animal_where_it_is_and_part_of_a_recording(
    stressaxis: Command, recording: tuple[Path, Truth], tracked: tuple[Path, Path], tmp_path: Path
) -> None:
    path, truth = recording
    out = tmp_path / "o.mp4"
    said = stressaxis(
        "overlay", path, "--tracks", tracked[0], "--out", out, "--start-s", truth.release_s, "--end-s", truth.release_s + 1
    )  # fmt: skip
    assert "no zones: the arena is not known" in said.out
    kept = truth.frames[truth.frames["time_s"].between(truth.release_s - 1e-6, truth.release_s + 1 - 1e-6)]
    with av.open(str(out)) as file:
        pictures = [frame.to_ndarray(format="bgr24").astype(int) for frame in file.decode(video=0)]
    assert len(pictures) == len(kept)
    x, y = kept[["centre_x_px", "centre_y_px"]].to_numpy()[-1].round().astype(int)
    blue, green, red = pictures[-1][y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3).mean(axis=0)
    assert red > blue + 60 and green > blue + 40  # the yellow dot


@pytest.mark.parametrize(
    ("arguments", "match"),
    [(["--out", "o.avi"], "ends in .mp4"), (["--out", "o.mp4", "--start-s", "900"], "no frame lies in the part")],
)
def test_overlays_that_cannot_be_made_leave_no_file(
    stressaxis: Command,
    recording: tuple[Path, Truth],
    tracked: tuple[Path, Path],
    tmp_path: Path,
    arguments,
    match: str,
) -> None:
    arguments[1] = tmp_path / str(arguments[1])
    said = stressaxis("overlay", recording[0], "--tracks", tracked[0], *arguments)
    assert said.status == 2 and match in said.err
    assert not list(tmp_path.iterdir())


def test_tracks_of_another_recording_are_refused(
    stressaxis: Command, recording: tuple[Path, Truth], tracked: tuple[Path, Path], tmp_path: Path
) -> None:
    other = read_tracks(tracked[0])
    write_tracks(other.assign_coords(time=other["time"] + 500), tmp_path / "other.nc")
    said = stressaxis("overlay", recording[0], "--tracks", tmp_path / "other.nc", "--out", tmp_path / "o.mp4")
    assert said.status == 2 and "not of this recording" in said.err
    assert not (tmp_path / "o.mp4").exists()


def _walk(tmp_path: Path, name: str, near_s: float) -> Path:
    """150 s at 10 frames/s: so many seconds at the box, then far from it; 10 px a cm, corners at 0 and 420 px."""
    time = np.arange(1500) / 10
    position = np.full((1500, 2, 1), 210.0)
    position[:, 1, 0] = np.where(time < near_s, 100.0, 350.0)
    tracks = from_arrays(position=position, time_s=time, fps=10.0, keypoints=["centre"], source_file=name)
    write_tracks(tracks, tmp_path / name)
    return tmp_path / name


def test_score_of_one_mouse_from_two_tracks(stressaxis: Command, tmp_path: Path) -> None:
    write_corners(tmp_path / "arena.csv", ArenaOptions(), [(0, 0), (420, 0), (420, 420), (0, 420)])
    files = _walk(tmp_path, "without.nc", 50.0), _walk(tmp_path, "with.nc", 80.0)
    said = stressaxis("score", *files, "--arena", tmp_path / "arena.csv", "--out", tmp_path / "scores.csv")
    assert said.status == 0 and "si_ratio" in said.out
    table = pd.read_csv(tmp_path / "scores.csv").set_index("measure")
    assert table.loc["si_ratio", "both"] == pytest.approx(1.6)
    assert float(table.loc["iz_s", "no_target"]) == pytest.approx(50) and float(table.loc["iz_s", "target"]) == 80
    assert table.loc["iz_nose_s", "note"] == "no_nose"


def test_a_mouse_never_at_the_empty_box_has_no_ratio_and_says_why(stressaxis: Command, tmp_path: Path) -> None:
    write_corners(tmp_path / "arena.csv", ArenaOptions(), [(0, 0), (420, 0), (420, 420), (0, 420)])
    files = _walk(tmp_path, "without.nc", 0.0), _walk(tmp_path, "with.nc", 80.0)
    stressaxis("score", *files, "--arena", tmp_path / "arena.csv", "--out", tmp_path / "scores.csv")
    table = pd.read_csv(tmp_path / "scores.csv").set_index("measure")
    assert pd.isna(table.loc["si_ratio", "both"]) and table.loc["si_ratio", "note"] == "zero_without_target"
    same = stressaxis("score", files[0], files[0], "--arena", tmp_path / "arena.csv")
    assert same.status == 2 and "same file" in same.err


def test_a_recording_is_tracked_before_it_is_scored(recording: tuple[Path, Truth], tracked: tuple[Path, Path]) -> None:
    given = read_arena(tracked[1])
    found = _tracks(recording[0], given)
    np.testing.assert_array_equal(found["position"].values, read_tracks(tracked[0])["position"].values)


def test_a_results_folder_knows_the_track_the_zones_and_the_start(tmp_path: Path) -> None:
    arena = build_arena(ArenaOptions(), corners_px=[(0, 0), (420, 0), (420, 420), (0, 420)])
    results = tmp_path / "results"
    for name in ("tracks", "tables"):
        (results / name).mkdir(parents=True)
    for subject in ("m1", "m2"):
        tracks = read_tracks(_walk(tmp_path, f"{subject}.nc", 60.0))
        ties = {"subject": subject, "trial": "target", "arena": "box", "source_file": f"{subject}.mp4"}
        ties["px_to_cm"] = json.dumps(arena.image_to_cm.params.tolist())
        write_tracks(tracks.assign_attrs(ties), results / "tracks" / f"{subject}_target.nc")
    rows = [
        {"arena": "box", "zone": zone, "vertex": number, "x_cm": x, "y_cm": y}
        for zone, corners in arena.zones.items()
        for number, (x, y) in enumerate(corners.tolist())
    ]
    pd.DataFrame(rows).to_csv(results / "tables" / "arenas.csv", index=False)
    trial = {"trial": "target", "file": "m1.mp4"}
    starts = pd.DataFrame([{"subject": "m1", "start_s": 2.5, **trial}, {"subject": "m2", "start_s": 7.0, **trial}])
    starts.to_csv(results / "tables" / "trials.csv", index=False)
    given = overlay_input(Path("elsewhere/m2.mp4"), results)
    assert given.tracks.attrs["subject"] == "m2" and given.start_s == 7.0 and given.arena is not None
    np.testing.assert_allclose(given.arena.zones["interaction"], arena.zones["interaction"])
    np.testing.assert_allclose(given.arena.to_cm([(210, 100)]), [(21, 10)])
    counters = count_seconds(given)
    assert counters is not None and counters.start_s == 7.0
    with pytest.raises(InputError, match=r"no track of m3\.mp4"):
        overlay_input(Path("m3.mp4"), results)
