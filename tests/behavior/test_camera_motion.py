"""A camera knocked in mid-recording: found, dated, and turned back; a steady one left alone."""

import numpy as np
import pytest

from behavior.arena import ArenaOptions, build_arena
from behavior.camera_motion import SteadyView, find_camera_move
from behavior.quality import check_recording
from behavior.simulation import RenderOptions, render_trial
from behavior.tracker import track
from behavior.video import open_video

cv2 = pytest.importorskip("cv2")


def scene(seed=0, size=(240, 320)):
    noise = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    return cv2.normalize(smooth, None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)


def turned(picture, degrees, dx, dy):
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += dx, dy
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), matrix


@pytest.mark.parametrize(("degrees", "dx", "dy"), [(0, 9, -4), (1.5, -6, 5), (-1.0, 0, 3)])
def test_shift_and_turn_are_those_of_the_camera(degrees, dx, dy):
    first = scene()
    second, matrix = turned(first, degrees, dx, dy)
    move = find_camera_move([first] * 6 + [second] * 9, np.arange(15.0))
    assert (move.after_s, move.before_s) == (5.0, 6.0)
    points = np.array([[40, 40, 1], [280, 40, 1], [160, 200, 1.0]])
    assert np.abs(points @ move.back.T - points @ matrix.T).max() < 0.3


def test_a_picture_after_the_move_is_shown_in_the_first_view():
    first = scene(3)
    second, _ = turned(first, 1.0, 7, 3)
    steady = SteadyView(find_camera_move([first] * 5 + [second] * 5, np.arange(10.0)))
    assert steady.view(first, 4.0) is first
    assert steady.view(first, 4.5) is first  # Between the two samples: told by the picture itself.
    back = steady.view(second, 4.8)
    inner = (slice(30, -30), slice(30, -30))
    assert np.abs(back[inner].astype(int) - first[inner]).mean() < 2
    assert steady.moved_s == 4.8


def test_steady_camera_with_a_lamp_that_changes_is_no_move():
    first = scene(5)
    darker = cv2.convertScaleAbs(first, alpha=0.6)
    assert find_camera_move([first] * 6 + [darker] * 6, np.arange(12.0)) is None


def test_two_pictures_of_another_view_are_no_move():
    first = scene(6)
    second, _ = turned(first, 0, 12, 0)
    assert find_camera_move([first] * 10 + [second] * 2, np.arange(12.0)) is None


def test_too_few_pictures_or_changing_sizes_tell_nothing():
    first = scene(7)
    assert find_camera_move([first] * 5, np.arange(5.0)) is None
    assert find_camera_move([first] * 5 + [first[:100]] * 5, np.arange(10.0)) is None


def test_positions_after_a_knock_are_those_of_the_view_before(tmp_path):
    options = RenderOptions(window_s=40, condition="camera_bump", level="hard", arena_seed=4)
    truth = render_trial(tmp_path / "bump.mp4", options=options, seed=8)
    arena = build_arena(ArenaOptions(), corners_px=truth.corners_px)
    tracks = track(open_video(tmp_path / "bump.mp4", threads=1), arena)
    frames = truth.frames.set_index("frame").reindex(tracks["frame"].values)
    scored = frames["scored"].fillna(False).to_numpy(bool)
    centre = arena.to_cm(tracks["position"].sel(keypoint="centre").values[:, :, 0])[scored]
    error_cm = np.hypot(*(centre - frames[["centre_x_cm", "centre_y_cm"]].to_numpy()[scored]).T)
    # Untreated, half of the frames are off by more than a centimetre.
    assert np.nanmax(error_cm) < 0.5
    assert np.nanmedian(error_cm) < 0.15
    late = frames["time_s"] > tracks.attrs["camera_moved_s"]
    assert 0.2 < late.mean() < 0.8
    quality = check_recording(tracks, arena)
    assert "camera_moved" in quality.row["flags"]
    assert quality.row["camera_moved_px"] == pytest.approx(12, abs=0.5)
