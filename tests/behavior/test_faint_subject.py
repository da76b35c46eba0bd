"""Mice about as bright as their floor: drawn with darker flanks and a lighter back, each within the noise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from behavior.faint_subject import EvidenceView, find_faint_subject, is_doubtful, leave_out_cluttered
from behavior.follower import COLUMNS, MERGED
from behavior.quality import QualityOptions
from behavior.region import Region
from behavior.release import find_release
from behavior.scene import learn_scene
from behavior.simulation import RenderOptions, render_trial
from behavior.tracker import track
from behavior.video import open_video
from tests.behavior.test_tracker import film

SHAPE, LEVEL = (240, 320), 40.0
FLOOR = Region(floor_px=[(10, 10), (310, 10), (310, 230), (10, 230)])


def pictures(n=60, *, empty=8, noise=2.5, contrast=4.0, light=(), seed=0):
    """(n, H, W) pictures of a mouse whose flanks are darker and whose back is lighter than the floor, and its centre."""
    rng = np.random.default_rng(seed)
    scene = LEVEL + cv2.GaussianBlur(rng.normal(0, 12, SHAPE), (0, 0), 2)
    made, truth = [], np.full((n, 2), np.nan)
    for k in range(n):
        picture = scene.copy()
        if k >= empty:
            phase = 0.09 * k
            x, y = 160 + 85 * np.cos(phase), 120 + 65 * np.sin(phase)
            angle = float(np.degrees(np.arctan2(65 * np.cos(phase), -85 * np.sin(phase))))
            for axes, level in (((26, 11), -contrast), ((19, 5), contrast)):
                cover = np.zeros(SHAPE, np.uint8)
                cv2.ellipse(
                    cover,
                    (round(x * 16), round(y * 16)),
                    (axes[0] * 16, axes[1] * 16),
                    angle,
                    0,
                    360,
                    255,
                    -1,
                    cv2.LINE_AA,
                    4,
                )
                picture += (LEVEL + level - picture) * (cover / 255)
            truth[k] = x, y
        for start, gain in light:
            picture = picture * (gain if k >= start else 1)
        made.append(np.clip(np.round(picture + rng.normal(0, noise, SHAPE)), 0, 255).astype(np.uint8))
    return np.stack(made), truth


@pytest.fixture(scope="module")
def faint():
    return pictures()


def test_a_mouse_darker_and_lighter_than_its_floor_is_followed(tmp_path, faint):
    """It differs by less than twice the noise of a pixel, and not at all in the mean over its body."""
    made, truth = faint
    tracks = track(film(tmp_path / "a.avi", list(made)), FLOOR)
    off = np.hypot(*(tracks["position"].sel(keypoint="centre").values[:, :, 0] - truth).T)
    assert np.isfinite(off[8:]).all()
    assert np.isnan(tracks["position"].values[:8]).all()
    assert np.median(off[8:]) < 2
    assert off[8:].max() < 8
    assert find_release(tracks).time_s == pytest.approx(8 / 25)
    # In grey levels of the recording, not of the pictures of evidence: so it is flagged as low.
    assert 1 < tracks.attrs["contrast_grey"] < QualityOptions().contrast_amber_grey


def test_slow_and_sudden_changes_of_light_are_taken_out(tmp_path):
    """Evidence is that of things, not of light."""
    made, truth = pictures(light=((20, 1.08), (40, 0.9)))
    tracks = track(film(tmp_path / "a.avi", list(made)), FLOOR)
    off = np.hypot(*(tracks["position"].sel(keypoint="centre").values[:, :, 0] - truth).T)
    assert np.isfinite(off[8:]).mean() > 0.98
    assert np.nanmax(off) < 8


def test_no_mouse_gives_none():
    """Noise, texture and light are no subject, nor is a mouse so faint that even its whole body is within the noise."""
    empty, _ = pictures(30, empty=30)
    assert find_faint_subject(list(empty), FLOOR, found=None) is None
    lost, _ = pictures(30, contrast=0.8)
    assert find_faint_subject(list(lost), FLOOR, found=None) is None
    # What is there in seven of thirty pictures is a hand or the like.
    for k in range(3, 10):
        cv2.ellipse(empty[k], (60 + 30 * (k - 3), 120), (26, 11), 0, 0, 360, 36, -1)
    assert find_faint_subject(list(empty), FLOOR, found=None) is None


def test_a_clear_subject_is_not_looked_for_again(faint):
    """Ordinary recordings are left as they are; a faint mouse's are doubted."""
    dark, _ = pictures(30, contrast=35.0, noise=1.5)
    scene = learn_scene(list(np.minimum(dark, 45)), FLOOR)
    assert not is_doubtful(scene)
    assert is_doubtful(learn_scene(list(faint[0][::2]), FLOOR))
    assert is_doubtful(None)


def test_what_moves_in_the_enclosure_stays_there(faint):
    """A target beside the enclosure's edge does not show on the floor."""
    made, _ = faint
    made = made[:9].copy()
    made[8] = made[0]
    region = Region(floor_px=FLOOR.floor_px, enclosure_px=[(100, 10), (200, 10), (200, 80), (100, 80)])
    made[0, 20:80, 110:190] = 200
    view = EvidenceView(list(made), region, length_px=50.0)
    # Smoothed over some 4 px, the target would reach as far onto the floor.
    assert view.view(made[0])[82:, 100:200].min() > 180
    assert EvidenceView(list(made), FLOOR, length_px=50.0).view(made[0])[82:, 100:200].min() < 100


def test_where_much_else_changed_the_subject_is_not_told():
    """Moved bedding twice as large as the subject, or more: NaN with a reason; less, and nothing seen, stay."""
    rows = np.ones((5, COLUMNS), np.float32)
    rows[:, 0], rows[:, 13], rows[4, 2:] = 0, 1000.0, np.nan
    rows[:, 1] = 0, 1900, 2100, 9000, 9000
    leave_out_cluttered(rows)
    assert np.isnan(rows[:, 3]).tolist() == [False, False, True, True, True]
    assert rows[:, 0].tolist() == [0, 0, MERGED, MERGED, 0]
    assert rows[2:4, 2].tolist() == [0, 0]
    nothing = np.full((2, COLUMNS), np.nan, np.float32)
    leave_out_cluttered(nothing)
    assert np.isnan(nothing).all()


def test_pictures_of_any_size_keep_their_size():
    """Halved pictures of odd sizes come back as large as they were."""
    made, _ = pictures(10)
    made = made[:, :237, :315]
    view = EvidenceView(list(made), Region(), length_px=100.0)
    assert view.view(made[0]).shape == (237, 315)
    assert view.view(made[0]).dtype == np.uint8


def test_a_simulated_black_mouse_on_a_black_floor_with_bedding(tmp_path):
    """The hard level of the simulated condition: nearly all of it was lost, or the hand was taken for the mouse."""
    options = RenderOptions(condition="black_on_dark", level="hard", window_s=20, target=True, arena_seed=75)
    truth = render_trial(tmp_path / "a.mp4", options=options, seed=3)
    region = Region(floor_px=truth.corners_px, enclosure_px=truth.enclosure_px)
    tracks = track(open_video(tmp_path / "a.mp4", threads=1), region)
    free = truth.frames["scored"].to_numpy(bool)
    points = truth.frames[["centre_x_px", "centre_y_px"]].to_numpy()
    off = np.hypot(*(tracks["position"].sel(keypoint="centre").values[:, :, 0] - points).T)[free]
    assert np.isfinite(off).mean() > 0.995
    assert np.median(off) < 3
    assert np.nanmax(off) < 20
    assert find_release(tracks).time_s == pytest.approx(truth.release_s, abs=0.2)
