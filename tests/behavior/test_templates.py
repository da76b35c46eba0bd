"""Layouts cover their floors without overlap, and lie where their reference points say."""

from __future__ import annotations

import numpy as np
import pytest

from behavior.polygons import contains, polygon_area
from behavior.templates import (
    elevated_plus_maze,
    light_dark_box,
    open_field_box,
    place_layout,
    three_chambers,
    two_target_box,
    zero_maze,
)
from core.errors import InputError

TILED = {
    "plus": (elevated_plus_maze(), ["open_1", "open_2", "closed_1", "closed_2", "middle"]),
    "plus turned": (elevated_plus_maze(open_arms="vertical"), ["open_1", "open_2", "closed_1", "closed_2", "middle"]),
    "zero": (zero_maze(), ["open_1", "open_2", "closed_1", "closed_2"]),
    "zero turned": (zero_maze(open_from_deg=10), ["open_1", "open_2", "closed_1", "closed_2"]),
    "light/dark": (light_dark_box(dark_side="right"), ["light", "dark"]),
    "light/dark top": (light_dark_box(dark_side="top"), ["light", "dark"]),
    "chambers": (three_chambers(), ["chamber_1", "middle", "chamber_2"]),
    "grid": (open_field_box(grid=4), [f"cell_{row}_{column}" for row in range(1, 5) for column in range(1, 5)]),
}


@pytest.mark.parametrize("name", TILED)
def test_zones_tile_the_floor(name: str) -> None:
    layout, zones = TILED[name]
    low, high = layout.zones["floor"].min(axis=0) - 2, layout.zones["floor"].max(axis=0) + 2
    points = np.random.default_rng(0).uniform(low, high, (20_000, 2))
    count = sum(contains(layout.zones[zone], points).astype(int) for zone in zones)
    np.testing.assert_array_equal(count, contains(layout.zones["floor"], points).astype(int))


def test_sizes_are_those_asked_for() -> None:
    field = open_field_box(width_cm=40, height_cm=40, centre_share=0.5, wall_cm=5)
    assert polygon_area(field.zones["centre"]) == 400
    assert polygon_area(field.zones["inner"]) == 900
    assert polygon_area(field.zones["corner_3"]) == 25
    assert polygon_area(elevated_plus_maze().zones["open_1"]) == 175
    assert polygon_area(zero_maze().zones["open_1"]) == pytest.approx(np.pi * (25**2 - 20**2) / 4, rel=1e-3)
    assert polygon_area(light_dark_box(dark_share=1 / 3).zones["dark"]) == pytest.approx(42 * 21 / 3)
    box = two_target_box()
    assert polygon_area(box.zones["target_1"]) == polygon_area(box.zones["target_2"]) == 26 * 14.5
    assert box.zones["target_2"].max(axis=0)[0] == 42


def test_open_arms_lie_where_they_are_said_to() -> None:
    assert np.ptp(elevated_plus_maze(open_arms="horizontal").zones["open_1"], axis=0).tolist() == [35, 5]
    assert np.ptp(elevated_plus_maze(open_arms="vertical").zones["open_1"], axis=0).tolist() == [5, 35]
    top = np.array([[25.0, 2.5]])
    ring = zero_maze(open_from_deg=45)
    assert contains(ring.zones["open_1"], top).all()
    assert not contains(ring.zones["floor"], [(25.0, 25.0)]).any()


@pytest.mark.parametrize("layout", [elevated_plus_maze(), zero_maze()])
def test_maze_is_found_by_its_ends_even_turned(layout) -> None:
    angle = np.deg2rad(12)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    arena = place_layout(layout, reference_px=layout.reference_cm @ turn * 6 + 40)
    points = layout.zones["open_1"]
    np.testing.assert_allclose(arena.to_px(points), points @ turn * 6 + 40, atol=1e-6)


def test_ring_holds_points_at_both_edges() -> None:
    ring = zero_maze()
    arena = place_layout(ring, reference_px=ring.reference_cm * 5)
    moved = arena.on_floor([(25.0, -1.0), (25.0, 6.0), (25.0, 20.0)], tolerance_cm=2.0)
    assert contains(ring.zones["floor"], moved).tolist() == [True, True, False]


@pytest.mark.parametrize(
    "make",
    [
        lambda: open_field_box(centre_share=1.0),
        lambda: open_field_box(width_cm=-1),
        lambda: elevated_plus_maze(open_arms="diagonal"),
        lambda: zero_maze(lane_width_cm=30),
        lambda: light_dark_box(dark_share=1),
        lambda: two_target_box(walls=("left", "left")),
        lambda: two_target_box(walls=("left", "top"), zone_margin_cm=16),
        lambda: three_chambers(zone_cm=50),
    ],
)
def test_impossible_layouts_are_refused(make) -> None:
    with pytest.raises(ValueError, match=r"must|overlap|smaller"):
        make()


def test_reference_points_on_a_line_are_refused() -> None:
    with pytest.raises(InputError, match="reference points"):
        place_layout(elevated_plus_maze(), reference_px=[(0, 0), (1, 1), (2, 2), (3, 3)])
    with pytest.raises(InputError, match="reference points"):
        place_layout(elevated_plus_maze(), reference_px=[(0, 0), (1, 1), (2, np.nan), (3, 0)])
