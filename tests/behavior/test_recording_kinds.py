"""One simulated trial in the files that laboratories have: the same track whatever the codec, size or arrangement."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from behavior.region import Region
from behavior.simulation import RenderOptions, render_trial
from behavior.track_options import TrackOptions
from behavior.tracker import track
from behavior.video import open_video


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Pictures, times in s, truth and own track of a short trial."""
    path = tmp_path_factory.mktemp("kinds") / "trial.mp4"
    truth = render_trial(path, options=RenderOptions(window_s=8, arena_seed=21), seed=5)
    frames = [(frame.time_s, frame.luma.copy()) for frame in open_video(path, threads=1).frames(deblock=True)]
    return frames, truth, track(open_video(path, threads=1), region_of(truth))


def write(path, frames, *, codec, pix_fmt="yuv420p", options=None):
    """Pictures at their times, in steps of a millisecond."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=15, options=options or {})
        stream.height, stream.width = frames[0][1].shape
        stream.pix_fmt = pix_fmt
        stream.bit_rate = 4_000_000
        if codec not in ("mpeg2video", "mpeg4", "wmv2"):
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for k, (time_s, picture) in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=pix_fmt)
            by_count = codec in ("mpeg2video", "mpeg4", "wmv2")
            frame.pts, frame.time_base = (k, Fraction(1, 15)) if by_count else (round(1000 * time_s), Fraction(1, 1000))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def faults(centre, plain, truth, *, kept=slice(None)):
    """What is wrong with the scored frames: without a centre, far from the truth, or from the plain file's track."""
    scored = truth.frames["scored"].to_numpy(bool)[kept][: len(centre)]
    true = truth.frames[["centre_x_px", "centre_y_px"]].to_numpy()[kept][: len(centre)]
    own = centre_of(plain)[kept][: len(centre)]
    error, moved = (np.hypot(*(centre - other).T)[scored] for other in (true, own))
    checks = {
        "frames without a centre": np.isfinite(error).all(),
        f"median {np.median(error):.2f} px from the truth": np.median(error) < 2.0,
        f"median {np.median(moved):.2f} px from the plain track": np.median(moved) < 0.5,
        f"up to {moved.max():.2f} px from the plain track": moved.max() < 3.0,
    }
    return [what for what, holds in checks.items() if not holds]


def centre_of(tracks):
    return tracks["position"].sel(keypoint="centre").values[:, :, 0]


def region_of(truth, *, scale=1.0, shift=(0.0, 0.0)):
    return Region(
        floor_px=(truth.corners_px + 0.5) * scale - 0.5 + shift,
        enclosure_px=(truth.enclosure_px + 0.5) * scale - 0.5 + shift,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options"),
    [
        ("a.mpg", "mpeg2video", "yuv420p", None),
        ("a.avi", "mjpeg", "yuvj420p", None),
        ("a.avi", "mpeg4", "yuv420p", None),
        ("a.wmv", "wmv2", "yuv420p", None),
        ("a.mov", "libx264", "yuv420p", {"x264-params": "interlaced=1:tff=1"}),
        ("a.mkv", "libx264", "gray", None),
        ("a.mkv", "libx265", "yuv420p", {"x265-params": "log-level=error"}),
    ],
)
def test_codecs_do_not_move_the_track(tmp_path, trial, name, codec, pix_fmt, options):
    frames, truth, plain = trial
    path = write(tmp_path / name, frames, codec=codec, pix_fmt=pix_fmt, options=options)
    tracks = track(open_video(path, threads=1), region_of(truth))
    assert faults(centre_of(tracks), plain, truth) == []


@pytest.mark.slow
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_size_of_the_picture_does_not_matter(tmp_path, trial, scale):
    frames, truth, plain = trial
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = [(time_s, cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how)) for time_s, picture in frames]
    path = write(tmp_path / "a.mp4", sized, codec="libx264", options={"preset": "ultrafast"})
    tracks = track(open_video(path, threads=1), region_of(truth, scale=scale))
    assert faults((centre_of(tracks) + 0.5) / scale - 0.5, plain, truth) == []


@pytest.mark.slow
def test_two_arenas_in_one_picture_are_tracked_apart(tmp_path, trial):
    """Left the trial itself, right its mirror image 20 frames later."""
    frames, truth, plain = trial
    later = 20
    pairs = [
        (time_s, np.hstack([picture, frames[max(k - later, 0)][1][:, ::-1]]))
        for k, (time_s, picture) in enumerate(frames)
    ]
    path = write(tmp_path / "a.mp4", pairs, codec="libx264", options={"preset": "ultrafast"})
    width = frames[0][1].shape[1]
    left = track(open_video(path, threads=1), region_of(truth))
    assert faults(centre_of(left), plain, truth) == []

    mirrored = Region(
        floor_px=(2 * width - 1, 0) + truth.corners_px * (-1, 1),
        enclosure_px=(2 * width - 1, 0) + truth.enclosure_px * (-1, 1),
    )
    right = track(open_video(path, threads=1), mirrored)
    centre = centre_of(right)[later:]
    assert faults(np.column_stack([2 * width - 1 - centre[:, 0], centre[:, 1]]), plain, truth) == []


def test_variable_frame_rate_keeps_real_times(tmp_path, trial):
    """Every third frame dropped by the camera: positions stay with their times."""
    frames, truth, plain = trial
    kept = [k for k in range(len(frames)) if k % 3 != 1]
    path = write(tmp_path / "a.mp4", [frames[k] for k in kept], codec="libx264")
    tracks = track(open_video(path, threads=1), region_of(truth))
    time_s = tracks["time"].values
    assert time_s == pytest.approx([frames[k][0] for k in kept], abs=0.002)
    assert faults(centre_of(tracks), plain, truth, kept=kept) == []
    assert {round(b - a, 2) for a, b in pairwise(time_s)} == {0.07, 0.13}


@pytest.mark.slow
def test_part_of_a_recording_is_tracked_as_in_the_whole(trial, tmp_path):
    """One file that holds two trials: times and frame numbers stay those of the file."""
    frames, truth, plain = trial
    path = write(tmp_path / "a.mp4", frames, codec="libx264")
    part = track(open_video(path, threads=1), region_of(truth), options=TrackOptions(start_s=5.0, end_s=9.0))
    within = ((plain["time"] >= 5.0) & (plain["time"] < 9.0)).values
    assert part["frame"].values.tolist() == plain["frame"].values[within].tolist()
    assert faults(centre_of(part), plain, truth, kept=within) == []
