"""Zones of the arena on every wall, calibration of straight and tilted cameras, what is refused."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from behavior.arena import ArenaOptions, build_arena, check_arena, corners_from_rectangle
from behavior.polygons import contains, polygon_area
from core.errors import InputError

SQUARE = corners_from_rectangle(100, 50, 520, 470)
WALLS = ("top", "right", "bottom", "left")


def bounds(polygon: np.ndarray) -> list[float]:
    return [*polygon.min(axis=0).tolist(), *polygon.max(axis=0).tolist()]


def test_default_zones_are_those_of_the_field() -> None:
    arena = build_arena(ArenaOptions(), corners_px=SQUARE)
    assert bounds(arena.zones["floor"]) == [0, 0, 42, 42]
    assert bounds(arena.zones["enclosure"]) == [16, 0, 26, 6.5]
    assert bounds(arena.zones["interaction"]) == [8, 0, 34, 14.5]
    assert bounds(arena.zones["interaction_narrow"]) == [10, 0, 32, 12.5]
    assert bounds(arena.zones["interaction_wide"]) == [6, 0, 36, 16.5]
    assert bounds(arena.zones["corner_1"]) == [33, 33, 42, 42]
    assert bounds(arena.zones["corner_2"]) == [0, 33, 9, 42]
    assert arena.corner_zones == ["corner_1", "corner_2"]
    assert arena.points["box_wall"] == (21, 0)


@pytest.mark.parametrize(
    ("wall", "zone", "corners", "point"),
    [
        ("bottom", [8, 27.5, 34, 42], [[0, 0, 9, 9], [33, 0, 42, 9]], (21, 42)),
        ("left", [0, 8, 14.5, 34], [[33, 0, 42, 9], [33, 33, 42, 42]], (0, 21)),
        ("right", [27.5, 8, 42, 34], [[0, 0, 9, 9], [0, 33, 9, 42]], (42, 21)),
    ],
)
def test_zones_follow_the_wall_of_the_box(wall, zone, corners, point) -> None:
    arena = build_arena(ArenaOptions(enclosure_wall=wall), corners_px=SQUARE)
    assert bounds(arena.zones["interaction"]) == zone
    assert [bounds(arena.zones[name]) for name in arena.corner_zones] == corners
    assert arena.points["box_wall"] == point


@pytest.mark.parametrize("wall", WALLS)
def test_all_four_corners(wall: str) -> None:
    arena = build_arena(ArenaOptions(enclosure_wall=wall, corners="all"), corners_px=SQUARE)
    places = [bounds(arena.zones[name])[:2] for name in arena.corner_zones]
    assert places == [[0, 0], [33, 0], [33, 33], [0, 33]]


def test_zone_is_cut_at_the_side_wall_when_the_box_is_near_it() -> None:
    arena = build_arena(ArenaOptions(enclosure_centre_cm=6), corners_px=SQUARE)
    assert bounds(arena.zones["interaction"]) == [0, 0, 19, 14.5]


@pytest.mark.parametrize("wall", WALLS)
def test_rounded_and_semicircular_zones_have_their_area(wall: str) -> None:
    rounded = build_arena(ArenaOptions(enclosure_wall=wall, zone_shape="rounded"), corners_px=SQUARE)
    full = 26 * 14.5
    cut = 2 * (64 - np.pi * 64 / 4)
    assert polygon_area(rounded.zones["interaction"]) == pytest.approx(full - cut, abs=0.1)
    assert cut / full == pytest.approx(0.07, abs=0.005)
    half_disc = build_arena(ArenaOptions(enclosure_wall=wall, zone_shape="semicircle"), corners_px=SQUARE)
    assert polygon_area(half_disc.zones["interaction"]) == pytest.approx(np.pi * 14.5**2 / 2, rel=0.001)


def test_rounded_zone_is_every_point_within_the_margin_of_the_box() -> None:
    arena = build_arena(ArenaOptions(zone_shape="rounded"), corners_px=SQUARE)
    points = np.random.default_rng(0).uniform(0, 42, (5000, 2))
    beside = np.maximum(np.abs(points[:, 0] - 21) - 5, 0)
    below = np.maximum(points[:, 1] - 6.5, 0)
    distance = np.hypot(beside, below)
    clear = np.abs(distance - 8) > 0.02
    np.testing.assert_array_equal(contains(arena.zones["interaction"], points)[clear], (distance < 8)[clear])


def test_round_floor_has_no_corners_and_cuts_the_zone() -> None:
    arena = build_arena(ArenaOptions(shape="circle"), corners_px=SQUARE)
    assert arena.corner_zones == []
    assert polygon_area(arena.zones["floor"]) == pytest.approx(np.pi * 21**2, rel=0.001)
    assert np.hypot(*(arena.zones["interaction"] - 21).T).max() <= 21.0001


def test_straight_camera_is_a_scale_and_a_shift() -> None:
    arena = build_arena(ArenaOptions(), corners_px=SQUARE)
    np.testing.assert_allclose(arena.to_cm([(100, 50), (310, 260)]), [(0, 0), (21, 21)], atol=1e-9)
    np.testing.assert_allclose(arena.floor_px, SQUARE, atol=1e-9)
    np.testing.assert_allclose(bounds(arena.enclosure_px), [260, 50, 360, 115], atol=1e-9)


def test_tilted_camera_is_undone() -> None:
    """Corners of a floor seen through a pinhole camera that looks at it askew; other floor points must come right."""

    def camera(xy_cm: np.ndarray) -> np.ndarray:
        tilt = np.deg2rad(20)
        x, y = (xy_cm - 21).T
        depth = 100 + y * np.sin(tilt)
        return np.column_stack([320 + 900 * x / depth, 240 + 900 * y * np.cos(tilt) / depth])

    arena = build_arena(ArenaOptions(), corners_px=camera(np.array([(0, 0), (42, 0), (42, 42), (0, 42)])))
    points = np.random.default_rng(1).uniform(0, 42, (50, 2))
    np.testing.assert_allclose(arena.to_cm(camera(points)), points, atol=1e-8)
    np.testing.assert_allclose(arena.to_px(points), camera(points), atol=1e-8)


def test_missing_points_stay_missing() -> None:
    arena = build_arena(ArenaOptions(), corners_px=SQUARE)
    assert np.isnan(arena.to_cm([(np.nan, np.nan), (100, 50)])).tolist() == [[True, True], [False, False]]


def test_points_beyond_the_wall_count_at_the_wall_up_to_the_tolerance() -> None:
    arena = build_arena(ArenaOptions(corners="all"), corners_px=SQUARE)
    moved = arena.on_floor([(21, -2), (42, 42), (44, 5), (21, -3.5), (5, 5)], tolerance_cm=3)
    assert contains(arena.zones["interaction"], moved).tolist() == [True, False, False, False, False]
    assert contains(arena.zones["corner_3"], moved).tolist() == [False, True, False, False, False]
    assert contains(arena.zones["corner_2"], moved).tolist() == [False, False, True, False, False]
    assert np.isnan(moved[3]).all()
    np.testing.assert_array_equal(moved[4], (5, 5))


def test_arena_survives_the_way_to_another_process() -> None:
    arena = build_arena(ArenaOptions(enclosure_wall="left"), corners_px=SQUARE)
    again = pickle.loads(pickle.dumps(arena))
    np.testing.assert_array_equal(again.zones["interaction"], arena.zones["interaction"])
    np.testing.assert_array_equal(again.to_cm([(200, 100)]), arena.to_cm([(200, 100)]))


@pytest.mark.parametrize(
    "corners",
    [
        SQUARE[::-1],  # anticlockwise
        np.roll(SQUARE, 1, axis=0),  # begins at another corner
        SQUARE[[0, 2, 1, 3]],  # crossed
        [(0, 0), (10, 0), (20, 0), (30, 0)],  # on one line
        [(0, 0), (10, 0), (10, 10)],
        [(0, 0), (10, 0), (10, 10), (0, np.nan)],
    ],
)
def test_corners_that_are_not_four_in_order_are_refused(corners) -> None:
    with pytest.raises(InputError, match="arena corners"):
        build_arena(ArenaOptions(), corners_px=corners)


@pytest.mark.parametrize(
    "changed",
    [
        {"width_cm": 0},
        {"enclosure_wall": "north"},
        {"zone_shape": "star"},
        {"corners": "two"},
        {"zone_margin_cm": -1},
        {"enclosure_centre_cm": 2},
        {"enclosure_depth_cm": 50},
        {"corner_size_cm": 22},
        {"shape": "octagon"},
    ],
)
def test_impossible_arenas_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must be|does not fit|overlap"):
        replace(ArenaOptions(), **changed)


def test_zone_outside_the_picture_is_refused_and_slightly_outside_warned_of() -> None:
    arena = build_arena(ArenaOptions(), corners_px=SQUARE)
    assert check_arena(arena, 640, 480) == []
    with pytest.raises(InputError, match=r"a\.mp4: zone '.*' lies .* outside the picture.*x 0 to 399"):
        check_arena(arena, 400, 480, file="a.mp4")
    problems = check_arena(arena, 519, 480)
    assert {problem.code for problem in problems} == {"zone_cut_by_picture"}
    assert "floor" in problems[0].message
