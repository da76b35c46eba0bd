"""Time zero of a trial: the first frame from which the subject is alone on the floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Release", "find_release"]


@dataclass(frozen=True)
class Release:
    """When the trial begins.

    Parameters
    ----------
    time_s
        Time in the recording of the first frame of the trial.
    found
        False if no frame met the rule; ``time_s`` is then that of the first frame of the recording.
    """

    time_s: float
    found: bool


def find_release(tracks: xr.Dataset, *, hold_s: float = 1.0, other_share: float = 0.2) -> Release:
    """The first frame from which, for a while, the subject is in view and nothing else moves on the floor.

    Parameters
    ----------
    tracks
        Tracks with dims time, space, keypoint, individual; optional ``other_area(time)`` in px², what moves on the
        floor outside the enclosure and is not the subject (a hand, a second animal), and ``area(time, individual)``.
        Without these, being in view is enough.
    hold_s
        How long that must last, in s.
    other_share
        What moves counts as something else from this share of the subject's median area; less is noise.

    Examples
    --------
    >>> import xarray as xr
    >>> position = np.full((50, 2, 1, 1), 7.0)
    >>> position[:10] = np.nan
    >>> tracks = xr.Dataset({"position": (("time", "space", "keypoint", "individual"), position)},
    ...                     coords={"time": np.arange(50) / 10, "keypoint": ["centre"]})
    >>> find_release(tracks)
    Release(time_s=1.0, found=True)
    """
    time = np.asarray(tracks["time"].values, dtype=float)
    if len(time) == 0:
        return Release(0.0, False)
    calm = _seen(tracks) & ~_other_moves(tracks, other_share)
    # The calm time from each frame on ends at the next frame that is not calm, or at the end of the recording.
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    disturbed = np.append(np.flatnonzero(~calm), len(time))
    next_disturbed = disturbed[np.searchsorted(disturbed, np.arange(len(time)))]
    until = np.append(time, time[-1] + step)[next_disturbed]
    released = np.flatnonzero(calm & (until - time >= hold_s - 1e-6))
    if len(released) == 0:
        return Release(float(time[0]), False)
    return Release(float(time[released[0]]), True)


def _seen(tracks: xr.Dataset) -> NDArray[np.bool_]:
    centre = tracks["position"].sel(keypoint="centre") if "centre" in tracks["keypoint"] else tracks["position"]
    xy: NDArray[np.float64] = centre.transpose("time", ...).values
    seen: NDArray[np.bool_] = ~np.isnan(xy.reshape(len(xy), -1).sum(axis=1))
    return seen


def _other_moves(tracks: xr.Dataset, share: float) -> NDArray[np.bool_]:
    moves: NDArray[np.bool_] = np.zeros(tracks.sizes["time"], dtype=bool)
    if "other_area" in tracks and "area" in tracks:
        other: NDArray[np.float64] = np.nan_to_num(tracks["other_area"].values.astype(float))
        area: NDArray[np.float64] = tracks["area"].values.astype(float)
        least = share * float(np.nanmedian(area)) if np.isfinite(area).any() else 0.0
        moves = (other > 0) & (other >= least)
    return moves
