"""What is true of a simulated recording: places per frame, release, seconds in the zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from behavior.simulation.box_geometry import BoxGeometry
from behavior.simulation.scenery import zone_corners_cm

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Truth", "in_corner", "in_zone", "si_ratio", "summarise_truth"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Truth:
    """Truth of one recording.

    Attributes
    ----------
    frames
        One row per frame of the file: ``frame, time_s, state, centre_x_px, centre_y_px, centre_x_cm, centre_y_cm,
        nose_x_px, nose_y_px, tail_base_x_px, tail_base_y_px, heading_deg, area_px, in_zone, in_corner, scored``.
        ``state`` is "absent", "held" (in the hand) or "free". The centre is the centroid of the drawn body without
        the tail, pixel centres at whole numbers; cm are where the floor is seen at that pixel, from the top-left floor
        corner. ``heading_deg`` is the direction from tail base to nose in the picture, counter-clockwise as seen.
    release_s
        First frame with the mouse free and no hand over the floor.
    window_s
        Length of the scored window from release.
    iz_s, corner_s
        Seconds of the window with the centre in the interaction zone and in the two corner zones: sum of frame
        durations, the last one cut at the end of the window.
    corners_px, enclosure_px
        Floor corners and foot of the enclosure as seen: top-left, top-right, bottom-right, bottom-left, (4, 2).
    condition, level
        Named condition of the recording.
    """

    frames: pd.DataFrame
    release_s: float
    window_s: float
    iz_s: float
    corner_s: float
    corners_px: Array
    enclosure_px: Array
    condition: str = "clean"
    level: str = "realistic"


def in_zone(points_cm: Array, geometry: BoxGeometry) -> NDArray[np.bool_]:
    """Whether floor points (..., 2) lie in the interaction zone; NaN lies nowhere."""
    corners = zone_corners_cm(geometry)
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    x, y = points_cm[..., 0], points_cm[..., 1]
    return np.asarray((x >= x0) & (x < x1) & (y >= y0) & (y < y1))


def in_corner(points_cm: Array, geometry: BoxGeometry) -> NDArray[np.bool_]:
    """Whether floor points (..., 2) lie in one of the two corner zones at the wall opposite the enclosure."""
    side, size = geometry.side_cm, geometry.corner_size_cm
    x, y = points_cm[..., 0], points_cm[..., 1]
    wall = geometry.enclosure_wall
    along, away = (x, y) if wall in ("top", "bottom") else (y, x)
    away = away if wall in ("top", "left") else side - away
    return np.asarray((away >= side - size) & ((along < size) | (along >= side - size)))


def summarise_truth(time_s: Array, within: NDArray[np.bool_], *, release_s: float, window_s: float) -> float:
    """Seconds of the window ``[release_s, release_s + window_s)`` in which ``within`` holds.

    Each frame lasts until the next one (the last as long as the median frame) and is cut at the end of the window.

    Examples
    --------
    >>> within = np.array([True, True, False, True])
    >>> summarise_truth(np.array([0.0, 0.5, 1.0, 1.5]), within, release_s=0.5, window_s=1.2)
    0.7
    """
    step = np.diff(time_s)
    ends = np.append(time_s[1:], time_s[-1] + (np.median(step) if step.size else 0.0))
    ends = np.minimum(ends, release_s + window_s)
    inside = within & (time_s >= release_s - 1e-9) & (time_s < release_s + window_s - 1e-9)
    return round(float(np.sum((ends - time_s)[inside])), 9)


def si_ratio(no_target: Truth, target: Truth) -> float:
    """True social interaction ratio of an animal; NaN where it never was in the zone of the empty enclosure."""
    return target.iz_s / no_target.iz_s if no_target.iz_s > 0 else float("nan")
