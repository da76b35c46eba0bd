"""Floors drawn at known corners are found; where there is no floor, nothing is claimed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from behavior.arena import ArenaOptions
from behavior.arena_finding import MIN_CONFIDENCE, camera_shift_px, empty_scene, find_arena, joint_scene
from behavior.enclosure_finding import find_enclosure
from behavior.floor_outline import camera_misfit_cm
from core.errors import InputError

SIZE = (360, 480)
UPRIGHT = np.array([(120.4, 60.7), (362.1, 60.2), (362.8, 302.3), (120.9, 302.6)])


def seen_from_aside(tilt_deg: float) -> np.ndarray:
    """Corners of a square of 42 cm, 100 cm away from a camera that is tilted."""
    tilt = np.deg2rad(tilt_deg)
    square = np.array([(-21, -21), (21, -21), (21, 21), (-21, 21)], float)
    depth = 100 - square[:, 1] * np.sin(tilt)
    return np.column_stack([square[:, 0] / depth, square[:, 1] * np.cos(tilt) / depth]) * 500 + (239.5, 179.5)


TILTED = seen_from_aside(20)


def draw(
    corners: np.ndarray, *, floor: float, wall: float, rim: bool = True, mesh: str | None = None, seed: int = 0
) -> np.ndarray:
    """A floor within walls, shaded, noisy, four times finer than the picture so that edges lie between px."""
    rng = np.random.default_rng(seed)
    height, width = SIZE
    fine = np.full((4 * height, 4 * width), 30.0, np.float32)
    middle = corners.mean(axis=0)
    for scale, level in ((1.35, wall * 1.2), (1.3, wall), (1.0, floor)) if rim else ((1.0, floor),):
        outline = ((middle + scale * (corners - middle)) + 0.5) * 4 - 0.5
        cv2.fillPoly(fine, [np.round(outline * 16).astype(np.int32)], level, cv2.LINE_AA, 4)
    if mesh is not None:
        _draw_mesh(fine, corners, mesh)
    picture = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    shade = 1 + 0.2 * np.linspace(-1, 1, width)[np.newaxis] * np.linspace(0, 1, height)[:, np.newaxis]
    return np.clip(picture * shade + rng.normal(0, 1.5, SIZE), 0, 255).astype(np.uint8)


def _draw_mesh(fine: np.ndarray, corners: np.ndarray, wall: str) -> None:
    box = {"top": (16, 0, 26, 6.5), "left": (0, 16, 6.5, 26), "bottom": (16, 35.5, 26, 42), "right": (35.5, 16, 42, 26)}
    x0, y0, x1, y1 = box[wall]
    square = np.array([(0, 0), (42, 0), (42, 42), (0, 42)], np.float32)
    way = cv2.getPerspectiveTransform(square, ((corners + 0.5) * 4 - 0.5).astype(np.float32))
    lines = [((x, y0), (x, y1)) for x in np.linspace(x0, x1, round(x1 - x0) + 1)]
    lines += [((x0, y), (x1, y)) for y in np.linspace(y0, y1, round(y1 - y0) + 1)]
    for line in lines:
        ends = cv2.perspectiveTransform(np.array([line], np.float32), way)[0]
        cv2.line(fine, *(tuple(int(v) for v in end) for end in ends), 25.0, 4)


def worst_cm(found: np.ndarray | None, truth: np.ndarray) -> float:
    assert found is not None
    px_per_cm = np.hypot(*(truth - np.roll(truth, 1, axis=0)).T).mean() / 42
    return float(np.hypot(*(found - truth).T).max() / px_per_cm)


@pytest.mark.parametrize(
    ("corners", "floor", "wall"),
    [(UPRIGHT, 170, 120), (TILTED, 35, 90), (UPRIGHT, 90, 82)],
    ids=["bright", "dark", "faint"],
)
def test_corners_are_found_on_bright_dark_and_faint_floors(corners: np.ndarray, floor: float, wall: float) -> None:
    found = find_arena(draw(corners, floor=floor, wall=wall), enclosure="none")
    assert worst_cm(found.corners_px, corners) < 0.15
    assert found.confidence > 0.7
    assert found.misfit_cm < 0.3


@pytest.mark.parametrize("wall", ["top", "left"])
def test_enclosure_is_found_at_its_wall(wall: str) -> None:
    found = find_arena(draw(TILTED, floor=170, wall=120, mesh=wall))
    assert worst_cm(found.corners_px, TILTED) < 0.3
    assert found.enclosure is not None
    assert found.enclosure.wall == wall
    assert found.enclosure.centre_cm == pytest.approx(21.0, abs=0.4)


@pytest.mark.slow
def test_no_enclosure_is_claimed_on_an_empty_floor() -> None:
    picture = draw(UPRIGHT, floor=170, wall=120)
    found = find_enclosure(picture, UPRIGHT)
    assert found.polygon_px is None
    assert "no enclosure" in " ".join(find_arena(picture).notes)


def test_a_round_enclosure_is_found_anywhere() -> None:
    picture = draw(UPRIGHT, floor=170, wall=120)
    for radius in (4, 8, 12, 16, 20, 24):
        cv2.circle(picture, (300, 150), radius, 30, 1)
    found = find_enclosure(picture, UPRIGHT, shape="circle", enclosure_width_cm=9.0)
    assert found.polygon_px is not None
    assert np.hypot(*(found.polygon_px.mean(axis=0) - (300, 150))) < 3


@pytest.mark.slow
def test_a_rectangular_floor_of_other_proportions() -> None:
    corners = np.array([(100, 110), (400, 110), (400, 260), (100, 260)], float)
    options = ArenaOptions(width_cm=60, height_cm=30)
    found = find_arena(draw(corners, floor=150, wall=90), options, enclosure="none")
    assert worst_cm(found.corners_px, corners) < 0.2


@pytest.mark.slow
def test_a_round_floor_gives_the_square_around_it() -> None:
    fine = np.full((4 * SIZE[0], 4 * SIZE[1]), 40.0, np.float32)
    cv2.circle(fine, (4 * 240 + 2, 4 * 170 + 2), 4 * 130, 150.0, -1, cv2.LINE_AA)
    picture = cv2.resize(fine, SIZE[::-1], interpolation=cv2.INTER_AREA) + np.random.default_rng(1).normal(0, 2, SIZE)
    found = find_arena(np.clip(picture, 0, 255).astype(np.uint8), ArenaOptions(shape="circle"), enclosure="none")
    assert found.corners_px is not None
    np.testing.assert_allclose(found.corners_px, [(110, 40), (370, 40), (370, 300), (110, 300)], atol=1.0)


@pytest.mark.parametrize("kind", ["blank", "noise", "one edge", "three sides"])
def test_without_four_sides_nothing_is_claimed(kind: str) -> None:
    rng = np.random.default_rng(3)
    picture = np.clip(rng.normal(120, 40 if kind == "noise" else 1.5, SIZE), 0, 255).astype(np.uint8)
    if kind == "one edge":
        picture[:, 200:] //= 2
    if kind == "three sides":
        picture = draw(UPRIGHT + np.array([0, 130]), floor=170, wall=120)
    found = find_arena(picture)
    assert found.corners_px is None
    assert found.confidence < MIN_CONFIDENCE
    with pytest.raises(InputError, match="corners_px"):
        found.require_corners(file="a.mp4")


def test_a_floor_of_other_proportions_than_stated_is_not_claimed() -> None:
    """42 x 42 cm are looked for, the floor is 42 x 36."""
    corners = np.array([(120, 80), (360, 80), (360, 286), (120, 286)], float)
    assert find_arena(draw(corners, floor=170, wall=120, rim=False)).corners_px is None


def test_misfit_is_nothing_for_any_camera_and_grows_with_a_wrong_size() -> None:
    seen = seen_from_aside(25)[np.newaxis]
    sizes = [camera_misfit_cm(seen, width_cm=42, height_cm=h, picture=(480, 360))[0] for h in (42, 46, 54)]
    assert sizes[0] < 0.1
    assert sizes[0] < sizes[1] < sizes[2]


def test_the_joint_scene_is_the_same_whatever_the_light_and_refuses_other_sizes() -> None:
    scene = draw(UPRIGHT, floor=120, wall=80)
    darker = (scene * 0.7).astype(np.uint8)
    joint = joint_scene([scene, darker, scene])
    assert abs(joint.astype(float) - scene).mean() < 2
    with pytest.raises(InputError, match="different sizes"):
        joint_scene([scene, scene[:-2]])


def test_a_moved_camera_is_measured() -> None:
    one, other = draw(UPRIGHT, floor=170, wall=120), draw(UPRIGHT + np.array([4, 3]), floor=170, wall=120, seed=5)
    assert camera_shift_px(one, other) == pytest.approx(5.0, abs=0.7)


@pytest.mark.slow
def test_corners_of_the_composited_recordings_within_half_a_centimetre(shared: Path) -> None:
    import pandas as pd

    from behavior.video import open_video

    folder = shared / "video" / "composited_si"
    for row in pd.read_csv(folder / "arena.csv").to_dict("records"):
        corners = np.array([[row[f"floor_x{k}"], row[f"floor_y{k}"]] for k in range(4)])
        scene = empty_scene(open_video(folder / f"{row['trial']}.mp4"))
        found = find_arena(scene.picture, shift_px=scene.shift_px)
        assert worst_cm(found.corners_px, corners) < 0.5
        assert found.enclosure is not None
        assert found.enclosure.wall == row["wall"]


@pytest.mark.slow
def test_a_knocked_camera_makes_the_corners_unsure() -> None:
    picture = draw(UPRIGHT, floor=170, wall=120)
    steady, knocked = (find_arena(picture, enclosure="none", shift_px=shift) for shift in (0.5, 9.0))
    assert steady.corners_px is not None
    assert knocked.confidence == pytest.approx(steady.confidence / 2)
    assert "knocked" in " ".join(knocked.notes)
