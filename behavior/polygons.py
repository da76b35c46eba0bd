"""Polygons in the plane: which points lie inside, how far away the border is, what part another polygon cuts off."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["as_polygon", "clip", "contains", "nearest_point", "polygon_area"]

Points = NDArray[np.float64]


def as_polygon(vertices: ArrayLike) -> Points:
    """Vertices as a checked array, without a repeated last vertex.

    Parameters
    ----------
    vertices
        (N, 2) x and y of the corners in order around the polygon, N >= 3.

    Raises
    ------
    ValueError
        If there are fewer than three vertices, a coordinate is not finite, or the area is zero.

    Examples
    --------
    >>> as_polygon([(0, 0), (1, 0), (1, 1), (0, 0)]).shape
    (3, 2)
    """
    polygon = np.array(vertices, dtype=float)
    if polygon.ndim != 2 or polygon.shape[1] != 2:
        raise ValueError(f"a polygon is a list of x, y pairs; found an array of shape {polygon.shape}")
    if len(polygon) > 1 and np.array_equal(polygon[0], polygon[-1]):
        polygon = polygon[:-1]
    if len(polygon) < 3 or not np.isfinite(polygon).all():
        raise ValueError(f"a polygon needs at least three finite corners; found {polygon.tolist()}")
    if polygon_area(polygon) == 0.0:
        raise ValueError(f"a polygon must enclose an area; found {polygon.tolist()}")
    return polygon


def polygon_area(polygon: Points) -> float:
    """Area enclosed, in squared units of the coordinates (shoelace formula).

    Examples
    --------
    >>> polygon_area(np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 3.0), (0.0, 3.0)]))
    6.0
    """
    x, y = polygon.T
    return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


def contains(polygon: Points, points: ArrayLike) -> NDArray[np.bool_]:
    """Whether each point lies in a polygon; exact at the border, by a half-open rule.

    A point counts as inside if a ray from it towards +x crosses the border an odd number of times; an edge holds its
    end of smaller y and not the one of larger y. For an upright rectangle that is ``x0 <= x < x1`` and
    ``y0 <= y < y1``. Polygons that share an edge therefore share no point and leave none out between them.

    Parameters
    ----------
    polygon
        (N, 2) corners in order, either way round; need not be convex.
    points
        (M, 2) points. A point with a NaN coordinate is in no polygon.

    Returns
    -------
    (M,) bool ndarray

    Examples
    --------
    >>> square = np.array([(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)])
    >>> contains(square, [(0, 0), (8.999, 5), (9, 5), (5, 9), (np.nan, 1)]).tolist()
    [True, True, False, False, False]
    """
    xy = np.asarray(points, dtype=float).reshape(-1, 2)
    x, y = xy[:, 0], xy[:, 1]
    inside = np.zeros(len(xy), dtype=bool)
    for first, second in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        # Both polygons beside a shared edge must do the same arithmetic on it, so its lower end always comes first.
        (x0, y0), (x1, y1) = (first, second) if first[1] <= second[1] else (second, first)
        if y0 == y1:
            continue
        spans = (y0 <= y) & (y < y1)
        if x0 == x1:
            inside ^= spans & (x < x0)
        else:
            inside ^= spans & ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0) > 0)
    return inside


def nearest_point(polygon: Points, points: ArrayLike) -> tuple[Points, NDArray[np.float64]]:
    """The nearest point of the border, and its distance.

    Parameters
    ----------
    polygon
        (N, 2) corners.
    points
        (M, 2) points; NaN gives NaN.

    Returns
    -------
    nearest : (M, 2) ndarray
    distance : (M,) ndarray
        Distance to the border, positive inside as well as outside.

    Examples
    --------
    >>> square = np.array([(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)])
    >>> nearest, distance = nearest_point(square, [(7.0, 8.0)])
    >>> nearest.tolist(), distance.tolist()
    ([[4.0, 4.0]], [5.0])
    """
    xy = np.asarray(points, dtype=float).reshape(-1, 2)
    nearest = np.full_like(xy, np.nan)
    least = np.full(len(xy), np.inf)
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        edge = end - start
        length2 = float(edge @ edge)
        along = np.clip((xy - start) @ edge / length2, 0.0, 1.0) if length2 > 0 else np.zeros(len(xy))
        foot = start + along[:, None] * edge
        distance2 = np.sum((xy - foot) ** 2, axis=1)
        closer = distance2 < least
        nearest[closer], least[closer] = foot[closer], distance2[closer]
    least[np.isinf(least)] = np.nan
    return nearest, np.sqrt(least)


def clip(polygon: Points, convex: Points) -> Points:
    """The part of a polygon that lies in a convex polygon (Sutherland and Hodgman 1974, doi:10.1145/360767.360802).

    Parameters
    ----------
    polygon
        (N, 2) corners of what is cut; if it is not convex, the parts stay joined along the cut.
    convex
        (K, 2) corners of the convex polygon that cuts.

    Returns
    -------
    (L, 2) ndarray
        Corners of the part inside; L = 0 if nothing lies inside.

    Examples
    --------
    >>> square = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)])
    >>> polygon_area(clip(square + 1, square))
    1.0
    """
    x, y = convex.T
    turning = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    border = convex if turning > 0 else convex[::-1]
    kept = [np.asarray(corner, dtype=float) for corner in polygon]
    for start, end in zip(border, np.roll(border, -1, axis=0), strict=True):
        kept = _cut_by_line(kept, start, end)
    return np.array(kept, dtype=float).reshape(-1, 2)


def _cut_by_line(corners: list[Points], start: Points, end: Points) -> list[Points]:
    """The corners of what lies left of the line from start to end (in a frame with y up)."""
    edge = end - start
    side = [float(edge[0] * (corner[1] - start[1]) - edge[1] * (corner[0] - start[0])) for corner in corners]
    kept = []
    for index, corner in enumerate(corners):
        before, s0, s1 = corners[index - 1], side[index - 1], side[index]
        if (s0 < 0) != (s1 < 0):
            kept.append(before + (corner - before) * (s0 / (s0 - s1)))
        if s1 >= 0:
            kept.append(corner)
    return kept
