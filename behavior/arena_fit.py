"""How well corners and lens fit an arena, in cm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from behavior.calibration import Arena, fit_transform
from core.problems import Problem

__all__ = ["check_middles", "edge_middles_cm", "lens_shift_cm", "misfit_cm"]

Points = NDArray[np.float64]


def misfit_cm(arena: Arena, points_px: ArrayLike, points_cm: ArrayLike) -> Points:
    """How far points of the picture come out from where they lie on the floor, (N,) cm.

    Examples
    --------
    >>> from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
    >>> arena = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))
    >>> misfit_cm(arena, [(210, 5)], [(21, 0)]).round(9).tolist()
    [0.5]
    """
    off = arena.to_cm(points_px) - np.asarray(points_cm, dtype=float).reshape(-1, 2)
    distance: Points = np.hypot(off[:, 0], off[:, 1])
    return distance


def edge_middles_cm(arena: Arena) -> Points:
    """Middles of the floor's top, right, bottom and left edge, (4, 2) cm."""
    floor = arena.zones["floor"]
    (left, top), (right, bottom) = floor.min(axis=0), floor.max(axis=0)
    x, y = (left + right) / 2, (top + bottom) / 2
    return np.array([(x, top), (right, y), (x, bottom), (left, y)])


def check_middles(
    arena: Arena, middles_px: ArrayLike, *, where: str = "", warn_above_cm: float = 0.5
) -> tuple[float, list[Problem]]:
    """How well corners and lens fit, by the middles of the floor's edges, of which the corners know nothing.

    Parameters
    ----------
    middles_px
        (4, 2) middles of the top, right, bottom and left edge in px.
    where
        Which arena, for the message.
    warn_above_cm
        Misfit from which there is a warning.

    Returns
    -------
    misfit, problems
        The largest misfit in cm (NaN where a middle cannot be seen through the lens).
    """
    misfits = misfit_cm(arena, middles_px, edge_middles_cm(arena))
    worst = float(misfits.max())
    if worst <= warn_above_cm:
        return worst, []
    edge = ("top", "right", "bottom", "left")[int(np.argmax(np.nan_to_num(misfits, nan=np.inf)))]
    because = "the corners or the middle are misplaced, or the lens bends the picture"
    if arena.lens is not None:
        because = "corners, middle and lens do not fit together"
    message = f"the middle of the {edge} edge comes out {worst:.1f} cm from its place: {because}"
    action = "used; check the corners, and give the lens if walls look bent"
    return worst, [Problem(code="arena_unsure", where=where, message=message, action=action)]


def lens_shift_cm(arena: Arena) -> float:
    """How far positions on the floor would be off at most if the lens were left out; 0 without a lens.

    Looked at on a grid over the floor, the corners (which are given) fixed.
    """
    if arena.lens is None:
        return 0.0
    floor = arena.zones["floor"]
    low, high = floor.min(axis=0), floor.max(axis=0)
    grid = np.stack(np.meshgrid(*(np.linspace(low[k], high[k], 41) for k in (0, 1))), axis=-1).reshape(-1, 2)
    box = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    plain = Arena(arena.zones, fit_transform(arena.to_px(box), box))
    return float(np.nanmax(misfit_cm(plain, arena.to_px(grid), grid)))
