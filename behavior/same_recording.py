"""One recording under two names: copies that were encoded, cut or wrapped anew show the same path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.problems import Problem

if TYPE_CHECKING:
    import xarray as xr

    from behavior.arena import Arena

__all__ = ["check_same_paths", "path_places"]

#: Places that stand for a path, spread over this much time from its start.
PLACES, SPAN_S = 40, 60.0
#: Two paths are one where nearly all places agree to this, cm; no two mice walk alike.
ALIKE_CM, ALIKE_SHARE = 0.5, 0.9
#: A mouse that sits in its corner is alike to others; a path must spread over this much, cm.
SPREAD_CM = 3.0


def path_places(tracks: xr.Dataset, arena: Arena, *, start_s: float | None = None) -> list[list[float]]:
    """Where the subject was at even times of the first minute, in cm; NaN where not seen.

    Parameters
    ----------
    tracks, arena
        Of the recording.
    start_s
        Time zero; None = the first frame.

    Returns
    -------
    list
        40 places x, y.
    """
    time = np.asarray(tracks["time"].values, dtype=float)
    if len(time) == 0:
        return [[float("nan")] * 2] * PLACES
    begin = time[0] if start_s is None else start_s
    wanted = begin + np.arange(PLACES) * SPAN_S / PLACES
    at = np.clip(np.searchsorted(time, wanted - 1e-3), 0, len(time) - 1)
    centre = tracks["position"].sel(keypoint="centre").isel(individual=0).transpose("time", "space").values[at]
    xy = centre.astype(float) if tracks.attrs.get("space_unit", "px") == "cm" else arena.to_cm(centre)
    xy[wanted > time[-1] + 1] = np.nan
    rounded: list[list[float]] = np.round(xy, 2).tolist()
    return rounded


def check_same_paths(recordings: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Recordings in which the mouse walks the same path: one of them is a copy of the other.

    Parameters
    ----------
    recordings
        ``subject, trial, file`` and ``places`` of :func:`path_places`, all of an experiment.

    Examples
    --------
    >>> walk = [[float(step % 30), float(step)] for step in range(40)]
    >>> rows = [{"subject": name, "trial": "target", "file": f"{name}.mp4", "places": walk} for name in "ab"]
    >>> [(problem.code, problem.subject) for problem in check_same_paths(rows)]
    [('same_recording', 'b')]
    """
    if not recordings:
        return []
    places = np.array([row["places"] for row in recordings], dtype=float)
    problems = []
    for number in range(1, len(recordings)):
        row = recordings[number]
        for earlier in np.flatnonzero(_alike(places[number], places[:number])):
            other = recordings[int(earlier)]
            if other["file"] == row["file"]:
                continue
            message = (
                f"the mouse walks the same path as in {other['file']}, which is {other['trial']} of subject "
                f"{other['subject']!r}: one recording is a copy of the other"
            )
            action = "both are scored; correct the trials table"
            where = f"trial {row['trial']}"
            problems.append(
                Problem(code="same_recording", subject=str(row["subject"]), file=str(row["file"]), where=where,
                        message=message, action=action)
            )  # fmt: skip
    return problems


def _alike(places: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,) whether each of the other paths is this one."""
    known = np.isfinite(places).all(axis=1)
    if known.sum() < PLACES // 2 or np.hypot(*places[known].std(axis=0)) < SPREAD_CM:
        return np.zeros(len(others), dtype=bool)
    away = others[:, known] - places[known]
    # Squares and not lengths: every recording is held against every other. NaN is not near.
    squares = away[:, :, 0] ** 2 + away[:, :, 1] ** 2
    both = np.isfinite(squares).sum(axis=1)
    near = (squares <= ALIKE_CM**2).sum(axis=1)
    alike: NDArray[np.bool_] = (both >= PLACES // 2) & (near >= ALIKE_SHARE * both)
    return alike
