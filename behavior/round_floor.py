"""The outline of a round floor in a still picture, and the corners of the square around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    Image = NDArray[Any]

__all__ = ["RoundOutline", "find_round_floor"]

Points = NDArray[np.float64]
Floats = NDArray[np.float64]

#: Directions in which the edge is looked for.
RAYS = 180


@dataclass(frozen=True, eq=False)
class RoundOutline:
    """An ellipse that may be a round floor.

    Attributes
    ----------
    corners_px
        (4, 2) corners of the square around the floor, as a camera without turn would see it.
    share
        Share of the directions in which the edge lies on the ellipse.
    scatter_px
        Standard deviation of those places about it.
    axis_ratio
        Short to long axis, 1 straight from above.
    """

    corners_px: Points
    share: float
    scatter_px: float
    axis_ratio: float


def find_round_floor(picture: Image) -> RoundOutline | None:
    """The ellipse on which brightness steps in most directions.

    Rays go out from the middle of the picture and then from that of the ellipse found; on each the steepest steps are
    candidates, and the ellipse on which most of them lie is taken.

    Parameters
    ----------
    picture
        (H, W) grey levels.

    Returns
    -------
    RoundOutline or None
        None where no ellipse is supported.
    """
    height, width = picture.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    for _ in range(3):
        found = _ellipse(_steps(picture, middle), tolerance=max(1.5, 0.01 * min(height, width)))
        if found is None:
            return None
        middle, shape, share, scatter = found
    centre = middle
    # Seen from aside without turn, a circle's picture is its shape matrix's symmetric root.
    values, vectors = np.linalg.eigh(shape)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    corners = centre + np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float) @ root.T
    return RoundOutline(corners, share, scatter, float(np.sqrt(values.min() / values.max())))


def _steps(picture: Image, middle: Points) -> list[Points]:
    """For each direction the (K, 2) places of its steepest steps."""
    import cv2

    height, width = picture.shape
    angle = np.arange(RAYS) * 2 * np.pi / RAYS
    reach = 0.75 * float(np.hypot(height, width))
    radius = np.arange(0.12 * min(height, width), reach, 0.5)
    x = middle[0] + np.outer(np.cos(angle), radius)
    y = middle[1] + np.outer(np.sin(angle), radius)
    smooth = cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), max(1.0, 0.006 * min(height, width)))
    lines = cv2.remap(smooth, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    lines = cv2.blur(cv2.copyMakeBorder(lines, 2, 2, 0, 0, cv2.BORDER_WRAP), (1, 5))[2:-2]
    slope = np.abs(np.gradient(lines, axis=1))
    slope[(x < 2) | (y < 2) | (x > width - 3) | (y > height - 3)] = 0
    found = []
    for number in range(RAYS):
        left, places = slope[number].copy(), []
        for _ in range(3):
            at = int(left.argmax())
            if left[at] <= 0:
                break
            places.append((x[number, at], y[number, at]))
            left[max(0, at - 8) : at + 9] = 0
        found.append(np.array(places, float).reshape(-1, 2))
    return found


def _ellipse(steps: list[Points], *, tolerance: float) -> tuple[Points, Floats, float, float] | None:
    """Centre, shape matrix, share of directions and scatter of the ellipse on which most directions have a step."""
    import cv2

    rng = np.random.default_rng(0)
    filled = [number for number, places in enumerate(steps) if len(places)]
    if len(filled) < RAYS // 2:
        return None
    best: tuple[float, Points] | None = None
    for _ in range(600):
        chosen = rng.choice(filled, 6, replace=False)
        points = np.array([steps[k][min(int(rng.integers(0, 3)), len(steps[k]) - 1)] for k in chosen])
        fitted = _usable(cv2.fitEllipseDirect(points.astype(np.float32)))
        if fitted is None:
            continue
        near, _ = _on_ellipse(steps, *fitted, tolerance)
        if best is None or len(near) > best[0]:
            best = len(near), near
    if best is None or best[0] < RAYS // 3:
        return None
    near = best[1]
    result = None
    for _ in range(4):
        fitted = _usable(cv2.fitEllipseDirect(near.astype(np.float32)))
        if fitted is None:
            return None
        near, distance = _on_ellipse(steps, *fitted, tolerance)
        if len(near) < RAYS // 3:
            return None
        result = *fitted, len(near) / RAYS, float(np.std(distance))
    return result


def _usable(box: Any) -> tuple[Points, Floats] | None:
    """Centre and shape matrix of a fitted ellipse that is not too flat to be a floor seen from above."""
    (x, y), (first, second), turn = box
    if not np.isfinite([x, y, first, second]).all() or min(first, second) < 0.6 * max(first, second):
        return None
    turn = np.deg2rad(turn)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.array([x, y]), axes @ np.diag([(first / 2) ** 2, (second / 2) ** 2]) @ axes.T


def _on_ellipse(steps: list[Points], centre: Points, shape: Floats, tolerance: float) -> tuple[Points, Floats]:
    """The step nearest the ellipse in each direction that has one within the tolerance, and its distance."""
    root = np.linalg.cholesky(np.linalg.inv(shape)).T
    size = float(np.sqrt(np.sqrt(np.linalg.det(shape))))
    near, distances = [], []
    for places in steps:
        if not len(places):
            continue
        away = (np.hypot(*((places - centre) @ root.T).T) - 1) * size
        at = int(np.abs(away).argmin())
        if abs(away[at]) < tolerance:
            near.append(places[at])
            distances.append(away[at])
    return np.array(near).reshape(-1, 2), np.array(distances)
