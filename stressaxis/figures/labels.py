"""Text beside points without overlaps: a small greedy placement, the same for the same points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Placed", "place_labels"]

#: Directions tried in this order, then again farther out.
_DIRECTIONS = [(1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1)]
_LETTER_PX, _LINE_PX = 7.2, 14.0


class Placed(NamedTuple):
    """Middle of a label in px."""

    x: float
    y: float


def place_labels(
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    *,
    obstacles: np.ndarray,
    size: tuple[float, float],
) -> list[Placed | None]:
    """Middle of each label, in the order of importance given; None where nothing near the point is free.

    Parameters
    ----------
    points
        Where the labelled points are, px, y down.
    texts
        The labels.
    obstacles
        (n, 2) all points of the chart, which labels do not cover.
    size
        Width and height of the chart in px; labels stay inside.

    Examples
    --------
    >>> place_labels([(50, 50)], ["Il4"], obstacles=np.array([[50.0, 50.0]]), size=(100, 100))
    [Placed(x=68.8, y=50.0)]
    """
    taken: list[tuple[float, float, float, float]] = []
    placed: list[Placed | None] = []
    for (x, y), text in zip(points, texts, strict=True):
        half_width, half_height = len(text) * _LETTER_PX / 2, _LINE_PX / 2
        spot = None
        for reach in (8.0, 18.0, 30.0, 46.0):
            for dx, dy in _DIRECTIONS:
                middle = Placed(x + dx * (reach + half_width), y + dy * (reach + half_height))
                box = (middle.x - half_width, middle.y - half_height, middle.x + half_width, middle.y + half_height)
                if _free(box, taken, obstacles, size):
                    spot = middle
                    break
            if spot is not None:
                taken.append(box)
                break
        placed.append(spot)
    return placed


def _free(
    box: tuple[float, float, float, float],
    taken: list[tuple[float, float, float, float]],
    obstacles: np.ndarray,
    size: tuple[float, float],
) -> bool:
    left, top, right, bottom = box
    if left < 0 or top < 0 or right > size[0] or bottom > size[1]:
        return False
    if any(left < r and right > lo and top < b and bottom > t for lo, t, r, b in taken):
        return False
    x, y = obstacles[:, 0], obstacles[:, 1]
    return not bool(((x > left - 3) & (x < right + 3) & (y > top - 3) & (y < bottom + 3)).any())
