"""Points in polygons against scikit-image and exact fractions; distances and cuts against brute force."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask
from skimage.measure import points_in_poly

from behavior.polygons import as_polygon, clip, contains, nearest_point, polygon_area

SQUARE = np.array([(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)])


def star(seed: int, corners: int = 9) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(2, 10, corners)
    return np.column_stack([20 + radius * np.cos(angle), 20 + radius * np.sin(angle)])


@pytest.mark.parametrize("seed", range(5))
def test_random_points_agree_with_scikit_image(seed: int) -> None:
    polygon = star(seed)
    points = np.random.default_rng(seed + 100).uniform(8, 32, (20_000, 2))
    inside = contains(polygon, points)
    assert 0 < inside.mean() < 1
    np.testing.assert_array_equal(inside, points_in_poly(points, polygon))


def test_border_is_half_open() -> None:
    points = [(0, 0), (0, 5), (5, 0), (9, 5), (5, 9), (9, 9), (0, 9), (9, 0)]
    assert contains(SQUARE, points).tolist() == [True, True, True, False, False, False, False, False]


def exact(polygon: list[tuple[int, int]], point: tuple[Fraction, Fraction]) -> bool:
    """The crossing rule in exact arithmetic."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * Fraction(x1 - x0, y1 - y0):
            inside = not inside
    return inside


grid = st.integers(-8, 8)


@given(
    st.lists(st.tuples(grid, grid), min_size=3, max_size=7, unique=True),
    st.lists(st.tuples(grid, grid), min_size=1, max_size=20),
)
def test_points_on_edges_and_corners_follow_the_rule_exactly(polygon, points) -> None:
    if polygon_area(np.array(polygon, dtype=float)) == 0:
        return
    found = contains(np.array(polygon, dtype=float), np.array(points, dtype=float) / 2)
    expected = [exact(polygon, (Fraction(x, 2), Fraction(y, 2))) for x, y in points]
    assert found.tolist() == expected


@given(st.integers(0, 1000))
def test_polygons_that_share_an_edge_share_no_point_and_leave_none_out(seed: int) -> None:
    """A quadrilateral cut along its diagonal, with points on the diagonal as floats allow."""
    rng = np.random.default_rng(seed)
    a, b, c, d = np.array([(0, 0), (10, 0), (10, 10), (0, 10)]) + rng.uniform(-3, 3, (4, 2))
    along = rng.uniform(0, 1, (200, 1))
    points = np.vstack([a + along * (c - a), rng.uniform(-4, 14, (200, 2))])
    count = contains(np.array([a, b, c]), points).astype(int) + contains(np.array([a, c, d]), points)
    whole = contains(np.array([a, b, c, d]), points)
    np.testing.assert_array_equal(count, whole)


def test_either_way_round_is_the_same_and_nan_is_nowhere() -> None:
    points = np.random.default_rng(0).uniform(8, 32, (500, 2))
    polygon = star(3)
    np.testing.assert_array_equal(contains(polygon, points), contains(polygon[::-1], points))
    assert not contains(polygon, [(np.nan, 20.0), (20.0, np.nan)]).any()


def test_a_long_track_is_fast() -> None:
    """100,000 points in far less than a second (a generous limit: the machine may be busy)."""
    import time

    points = np.random.default_rng(0).uniform(0, 42, (100_000, 2))
    begun = time.perf_counter()
    contains(SQUARE, points)
    assert time.perf_counter() - begun < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_nearest_point_agrees_with_a_dense_border(seed: int) -> None:
    polygon = star(seed)
    points = np.random.default_rng(seed).uniform(5, 35, (50, 2))
    part = np.linspace(0, 1, 2001)[:, None]
    border = np.vstack([a + part * (b - a) for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True)])
    brute = np.linalg.norm(points[:, None] - border, axis=2).min(axis=1)
    nearest, distance = nearest_point(polygon, points)
    np.testing.assert_allclose(distance, brute, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(points - nearest, axis=1), distance, atol=1e-12)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_clip_agrees_with_masks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.arange(7) * 2 * np.pi / 7 + rng.uniform(0, 1)
    convex = rng.uniform(10, 30, 2) + rng.uniform(3, 12) * np.column_stack([np.cos(angle), np.sin(angle)])
    angle = np.arange(5) * 2 * np.pi / 5 + rng.uniform(0, 1)
    other = rng.uniform(10, 30, 2) + rng.uniform(3, 12) * np.column_stack([np.cos(angle), np.sin(angle)])
    cut = clip(other, convex)
    masks = [polygon2mask((800, 800), polygon * 20 - 0.5) for polygon in (other, convex)]
    area = (masks[0] & masks[1]).sum() / 400
    assert (polygon_area(cut) if len(cut) else 0.0) == pytest.approx(area, abs=0.8)


@pytest.mark.parametrize(
    ("vertices", "match"),
    [
        ([(0, 0), (1, 1)], "three"),
        ([(0, 0), (1, 1), (2, 2)], "area"),
        ([(0, 0), (1, 0), (np.nan, 1)], "finite"),
        ([1, 2, 3], "pairs"),
    ],
)
def test_what_is_no_polygon_is_refused(vertices, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        as_polygon(vertices)
