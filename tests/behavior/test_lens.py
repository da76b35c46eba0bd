"""The lens against OpenCV's own projection, and what it does to an arena."""

from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behavior.arena import ArenaOptions, build_arena, check_arena, corners_from_rectangle
from behavior.arena_fit import check_middles, edge_middles_cm, lens_shift_cm, misfit_cm
from behavior.lens import Lens
from behavior.region import as_region
from core.errors import InputError

FOCAL, AXIS = 420.0, (310.0, 250.0)
LENSES = [(-0.25, 0.0), (-0.3, 0.08), (0.15, 0.0), (0.0, 0.0), (-0.1, 0.02)]


def seen_by_opencv(points_cm: np.ndarray, k1: float, k2: float, tilt_deg: float = 0.0) -> np.ndarray:
    """Where a camera 45 cm above the middle of a 42 cm floor sees its points: OpenCV's projection, not ours."""
    matrix = np.array([(FOCAL, 0, AXIS[0]), (0, FOCAL, AXIS[1]), (0, 0, 1)])
    rotation = np.radians([tilt_deg, 0.0, 0.0])
    world = np.column_stack([points_cm - 21.0, np.zeros(len(points_cm))])
    seen, _ = cv2.projectPoints(world, rotation, np.array([0.0, 0.0, 45.0]), matrix, np.array([k1, k2, 0.0, 0.0]))
    return seen[:, 0]


def floor_grid(steps: int = 15) -> np.ndarray:
    return np.stack(np.meshgrid(*[np.linspace(0, 42, steps)] * 2), axis=-1).reshape(-1, 2)


CORNERS = np.array([(0.0, 0.0), (42.0, 0.0), (42.0, 42.0), (0.0, 42.0)])


@pytest.mark.parametrize("tilt_deg", [0.0, 12.0])
@pytest.mark.parametrize(("k1", "k2"), LENSES)
def test_positions_come_out_where_opencv_projected_them_from(k1: float, k2: float, tilt_deg: float) -> None:
    lens = Lens(k1=k1, k2=k2, focal_px=FOCAL, centre_px=AXIS)
    corners = seen_by_opencv(CORNERS, k1, k2, tilt_deg)
    arena = build_arena(ArenaOptions(), corners_px=corners, lens=lens)
    grid = floor_grid()
    seen = seen_by_opencv(grid, k1, k2, tilt_deg)
    assert misfit_cm(arena, seen, grid).max() < 1e-3
    np.testing.assert_allclose(arena.to_px(grid), seen, atol=1e-2)
    # What the lens is worth: without it the same corners leave a misfit, which is told.
    plain = build_arena(ArenaOptions(), corners_px=corners)
    off = misfit_cm(plain, seen, grid).max()
    assert lens_shift_cm(arena) == pytest.approx(off, rel=0.05, abs=1e-6)
    assert off == pytest.approx(0, abs=1e-6) if (k1, k2) == (0, 0) else off > 0.2


@settings(max_examples=60, deadline=None)
@given(
    k1=st.floats(-0.35, 0.3), k2=st.floats(0, 0.1),
    points=st.lists(st.tuples(st.floats(0, 620), st.floats(0, 500)), min_size=1, max_size=8),
)  # fmt: skip
def test_straight_undoes_bent_or_says_that_it_cannot(k1: float, k2: float, points: list[tuple[float, float]]) -> None:
    lens = Lens(k1=k1, k2=k2, focal_px=FOCAL, centre_px=AXIS)
    straight = lens.straight(points)
    known = np.isfinite(straight).all(axis=1)
    assert np.hypot(*(lens.bent(straight[known]) - np.array(points)[known]).T).max(initial=0) <= 0.01


def test_lost_positions_stay_lost_and_what_no_lens_can_show_is_nan() -> None:
    lens = Lens(k1=-0.3, focal_px=FOCAL, centre_px=AXIS)
    found = lens.straight([(np.nan, 100), (310, 250), (5000, 250), (310, 900)])
    assert np.isnan(found[[0, 2, 3]]).all()
    assert found[1].tolist() == [310, 250]
    assert lens.straight(np.empty((0, 2))).shape == (0, 2)


def test_a_barrel_makes_a_mouse_at_the_wall_one_at_the_wall() -> None:
    """The interaction zone's edge moves by what the lens bends: without it the mouse would count as outside."""
    k1, k2 = -0.25, 0.0
    corners = seen_by_opencv(CORNERS, k1, k2)
    arena = build_arena(ArenaOptions(), corners_px=corners, lens=Lens(k1=k1, focal_px=FOCAL, centre_px=AXIS))
    plain = build_arena(ArenaOptions(), corners_px=corners)
    wall = seen_by_opencv(np.array([(21.0, 0.1), (0.1, 21.0)]), k1, k2)
    assert arena.on_floor(arena.to_cm(wall), tolerance_cm=0.0).tolist() == pytest.approx(
        np.array([(21, 0.1), (0.1, 21)]), abs=1e-3
    )
    assert (plain.to_cm(wall).min(axis=1) < -0.5).all()


def test_outlines_in_the_picture_follow_the_bent_walls() -> None:
    k1 = -0.25
    arena = build_arena(ArenaOptions(), corners_px=seen_by_opencv(CORNERS, k1, 0.0),
                        lens=Lens(k1=k1, focal_px=FOCAL, centre_px=AXIS))  # fmt: skip
    top = seen_by_opencv(np.array([(21.0, 0.0)]), k1, 0.0)[0]
    assert np.hypot(*(arena.floor_px - top).T).min() < 0.01
    assert len(arena.floor_px) == 64
    assert as_region(arena).enclosure_px.shape == (64, 2)
    assert check_arena(arena, 640, 500) == []
    again = pickle.loads(pickle.dumps(arena))
    np.testing.assert_array_equal(again.to_cm([top]), arena.to_cm([top]))


def test_middles_of_the_edges_show_a_lens_that_was_left_out() -> None:
    k1 = -0.25
    corners, middles = (seen_by_opencv(points, k1, 0.0) for points in (CORNERS, edge_middles_cm(
        build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420)))))  # fmt: skip
    plain = build_arena(ArenaOptions(), corners_px=corners)
    misfit, problems = check_middles(plain, middles, where="arena box")
    assert misfit > 1
    assert (problems[0].code, problems[0].where) == ("arena_unsure", "arena box")
    assert "the lens bends the picture" in problems[0].message
    good = build_arena(ArenaOptions(), corners_px=corners, lens=Lens(k1=k1, focal_px=FOCAL, centre_px=AXIS))
    assert check_middles(good, middles) == (pytest.approx(0, abs=1e-3), [])
    wrong = build_arena(ArenaOptions(), corners_px=corners, lens=Lens(k1=0.2, focal_px=FOCAL, centre_px=AXIS))
    _, problems = check_middles(wrong, middles)
    assert "do not fit together" in problems[0].message


def test_coefficients_of_another_picture_are_refused() -> None:
    # A focal length in px of a quarter of the picture: the corners lie where the picture folds over.
    lens = Lens(k1=-0.3, focal_px=100.0, centre_px=AXIS)
    with pytest.raises(InputError, match="no floor can be seen at the arena corners through this lens"):
        build_arena(ArenaOptions(), corners_px=corners_from_rectangle(70, 50, 500, 470), lens=lens)
    with pytest.raises(ValueError, match="focal_px must be above 0"):
        Lens(k1=-0.3, focal_px=0.0, centre_px=AXIS)
    with pytest.raises(ValueError, match="finite"):
        Lens(k1=float("nan"), focal_px=400.0, centre_px=AXIS)
