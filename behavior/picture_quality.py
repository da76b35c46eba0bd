"""Light, focus and movement inside the enclosure of one trial, from what was seen while its recording was tracked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.picture_watch import LOOKS_BACK
from behavior.polygons import contains, nearest_point

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from behavior.arena import Arena

__all__ = ["PICTURE_MEASURES", "moving_share", "picture_measures", "usable_looks"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PICTURE_MEASURES = ("light_change_percent", "edge_px", "edge_cm", "enclosure_looks", "enclosure_moving_percent")

#: Nearer than this to the enclosure the subject, its shadow or its mirror image may move in it.
CLEAR_CM = 6.0
#: Share of the enclosure that must have changed within two seconds: a small part of a mouse in it.
MOVING_PERCENT = 2.0


def picture_measures(
    looks: pd.DataFrame | None, tracks: xr.Dataset, arena: Arena, *, start_s: float | None = None, end_s: float = np.inf
) -> dict[str, float]:
    """Numbers on the pictures of a trial; NaN where they were not looked at.

    Parameters
    ----------
    looks
        As :meth:`behavior.picture_watch.PictureWatch.table` gives them; None for tracks without pictures.
    tracks
        The recording's tracks.
    arena
        Its arena.
    start_s, end_s
        The trial in the recording.

    Returns
    -------
    dict
        ``light_change_percent``, from the 5th to the 95th percentile of the floor's brightness, of its median;
        ``edge_px`` and ``edge_cm``, over which the sharpest edges rise; ``enclosure_looks``, pairs of looks with the
        subject away from the enclosure; ``enclosure_moving_percent``, share of these in which something moved in it.
    """
    nothing = dict.fromkeys(PICTURE_MEASURES, float("nan")) | {"enclosure_looks": 0}
    if looks is None or looks.empty:
        return nothing
    time = looks["time_s"].to_numpy(float)
    within = (time >= (-np.inf if start_s is None else start_s) - 1e-6) & (time < end_s)
    if not within.any():
        return nothing
    light = looks["light_grey"].to_numpy(float)[within]
    low, middle, high = np.percentile(light, [5, 50, 95])
    edges = looks["edge_px"].to_numpy(float)[within]
    edge_px = float(np.median(edges[np.isfinite(edges)])) if np.isfinite(edges).any() else float("nan")
    change = looks["enclosure_change_percent"].to_numpy(float)
    usable = usable_looks(time, within, tracks, arena) & np.isfinite(change)
    moving = 100 * float(np.mean(change[usable] >= MOVING_PERCENT)) if usable.any() else float("nan")
    return {
        "light_change_percent": 100 * float(high - low) / max(float(middle), 1.0),
        "edge_px": edge_px,
        "edge_cm": edge_px / _px_per_cm(arena),
        "enclosure_looks": int(usable.sum()),
        "enclosure_moving_percent": moving,
    }


def usable_looks(time: Floats, within: Bools, tracks: xr.Dataset, arena: Arena) -> Bools:
    """Looks of which both pictures show the subject alone on the floor and away from the enclosure.

    Parameters
    ----------
    time, within
        (N,) times of the looks, and whether they belong to the trial.
    """
    frames = np.asarray(tracks["time"].values, dtype=float)
    if len(frames) == 0 or "enclosure" not in arena.zones:
        return np.zeros(len(time), dtype=bool)
    at = np.clip(np.searchsorted(frames, time - 1e-6), 0, len(frames) - 1)
    centre = tracks["position"].sel(keypoint="centre").isel(individual=0).transpose("time", "space").values[at]
    xy = centre.astype(float)
    if tracks.attrs.get("space_unit", "px") != "cm":
        xy = arena.to_cm(xy)
    seen = np.isfinite(xy).all(axis=1)
    away = np.zeros(len(time), dtype=bool)
    if seen.any():
        box = arena.zones["enclosure"]
        _, distance = nearest_point(box, xy[seen])
        away[seen] = (distance >= CLEAR_CM) & ~contains(box, xy[seen])
    if "other_area" in tracks and "area" in tracks:
        usual = np.nanmedian(tracks["area"].values) if np.isfinite(tracks["area"].values).any() else np.inf
        away &= ~(np.nan_to_num(tracks["other_area"].values.astype(float))[at] > 0.2 * usual)
    good = away & within
    before = np.zeros(len(good), dtype=bool)
    before[LOOKS_BACK:] = good[:-LOOKS_BACK]
    return good & before


def moving_share(parts: Sequence[dict[str, Any]]) -> tuple[float, int]:
    """Percent of the looks at the recordings of a trial in which something moved in the enclosure, and their number.

    Examples
    --------
    >>> moving_share([{"enclosure_looks": 10, "enclosure_moving_percent": 50.0},
    ...                {"enclosure_looks": 30, "enclosure_moving_percent": 10.0}])
    (20.0, 40)
    """
    looks = sum(int(part["enclosure_looks"]) for part in parts)
    if looks == 0:
        return float("nan"), 0
    moved = sum(part["enclosure_looks"] * part["enclosure_moving_percent"] for part in parts if part["enclosure_looks"])
    return float(moved) / looks, looks


def _px_per_cm(arena: Arena) -> float:
    """Pixels to a centimetre in the middle of the floor."""
    middle = np.mean(arena.zones["floor"], axis=0)
    near = arena.to_px(middle + np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]))
    return float(np.sqrt(np.hypot(*(near[1] - near[0])) * np.hypot(*(near[2] - near[0]))))
