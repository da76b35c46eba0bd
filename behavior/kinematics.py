"""Movement from positions over uneven frame times: smoothed path, distance, speed, immobility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Movement",
    "fill_short_gaps",
    "immobile_frames",
    "measure_movement",
    "runs_without_gaps",
    "smooth_positions",
]

Floats = NDArray[np.float64]


def runs_without_gaps(observed: NDArray[np.bool_], joined: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of the gap-free run that each frame belongs to; -1 where the animal is not seen.

    Parameters
    ----------
    observed
        (N,) whether the animal is seen.
    joined
        (N,) whether a frame follows the one before without a hole in the recording; the first value is not used.

    Examples
    --------
    >>> seen = np.array([True, True, False, True, True])
    >>> runs_without_gaps(seen, np.array([True, True, True, True, False])).tolist()
    [0, 0, -1, 1, 2]
    """
    begins = observed.copy()
    begins[1:] &= ~(observed[:-1] & joined[1:])
    return np.where(observed, np.cumsum(begins) - 1, -1)


def smooth_positions(xy: Floats, time_s: Floats, run: NDArray[np.int64], *, window_s: float) -> Floats:
    """Positions averaged over a centred window, weighted by time, within runs without gaps.

    Each sample stands for the time nearer to it than to its neighbours in the run; the average at a frame is that of
    these stretches over the window around it. At the ends of a run the window is cut.

    Parameters
    ----------
    xy
        (N, 2) positions.
    time_s
        (N,) times, increasing within each run.
    run
        (N,) run of each sample; -1 = none (stays NaN).
    window_s
        Full length of the window; 0 returns the positions unchanged.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [3.0, 0.0], [6.0, 0.0], [3.0, 0.0]])
    >>> smooth_positions(xy, np.arange(4.0), np.zeros(4, dtype=int), window_s=3.0)[:, 0].tolist()
    [1.5, 3.0, 4.0, 4.5]
    """
    if window_s <= 0:
        return xy.copy()
    smooth = np.full_like(xy, np.nan)
    seen = np.flatnonzero(run >= 0)
    for part in np.split(seen, np.flatnonzero(np.diff(run[seen])) + 1):
        if len(part) > 1:
            smooth[part] = _smooth_run(xy[part], time_s[part], window_s)
        else:
            smooth[part] = xy[part]
    return smooth


def _smooth_run(xy: Floats, time_s: Floats, window_s: float) -> Floats:
    middle = (time_s[1:] + time_s[:-1]) / 2
    edge = np.concatenate([[2 * time_s[0] - middle[0]], middle, [2 * time_s[-1] - middle[-1]]])
    origin = xy[0]
    # The running integral of the position; small numbers keep its rounding far below the pixel noise.
    integral = np.vstack([np.zeros(2), np.cumsum((xy - origin) * np.diff(edge)[:, None], axis=0)])
    low = np.maximum(time_s - window_s / 2, edge[0])
    high = np.minimum(time_s + window_s / 2, edge[-1])
    total = np.column_stack(
        [np.interp(high, edge, integral[:, axis]) - np.interp(low, edge, integral[:, axis]) for axis in (0, 1)]
    )
    smooth: Floats = origin + total / (high - low)[:, None]
    return smooth


def fill_short_gaps(xy: Floats, time_s: Floats, *, longest_s: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Positions missing for a short time, put on the line between the known ones before and after.

    Parameters
    ----------
    xy
        (N, 2) positions, NaN where missing.
    time_s
        (N,) rising times.
    longest_s
        Longest time from the known position before to the one after that is bridged; 0 = none.

    Returns
    -------
    filled : (N, 2) ndarray
    made_up : (N,) bool ndarray
        Which positions were interpolated.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [np.nan, np.nan], [4.0, 2.0]])
    >>> fill_short_gaps(xy, np.array([0.0, 0.1, 0.4]), longest_s=0.5)[0].tolist()
    [[0.0, 0.0], [1.0, 0.5], [4.0, 2.0]]
    """
    filled = xy.copy()
    known = np.flatnonzero(np.isfinite(xy[:, 0]) & np.isfinite(xy[:, 1]))
    made_up = np.zeros(len(xy), dtype=bool)
    if longest_s <= 0 or len(known) < 2:
        return filled, made_up
    missing = np.setdiff1d(np.arange(known[0], known[-1]), known)
    after = np.searchsorted(known, missing)
    span = time_s[known[after]] - time_s[known[after - 1]]
    made_up[missing[span <= longest_s + 1e-9]] = True
    for axis in (0, 1):
        filled[made_up, axis] = np.interp(time_s[made_up], time_s[known], xy[known, axis])
    return filled, made_up


@dataclass(frozen=True)
class Movement:
    """Movement frame by frame.

    Parameters
    ----------
    step_cm
        (N,) path from each frame to the next of its run; 0 at the end of a run and where the animal is not seen.
    speed_cm_s
        (N,) that step over its time; the last frame of a run has the speed of the step before; NaN where the animal is
        not seen or the run is a single frame.
    """

    step_cm: Floats
    speed_cm_s: Floats

    @property
    def distance_cm(self) -> float:
        """Length of the path."""
        return float(self.step_cm.sum())


def measure_movement(xy: Floats, time_s: Floats, run: NDArray[np.int64]) -> Movement:
    """Steps and speeds along a path; what happens in a gap is not counted.

    Parameters
    ----------
    xy
        (N, 2) positions in cm, raw or smoothed.
    time_s
        (N,) times in s.
    run
        (N,) run of each frame, -1 = not seen.

    Examples
    --------
    >>> path = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0]])
    >>> movement = measure_movement(path, np.array([0.0, 0.5, 1.0]), np.zeros(3, dtype=int))
    >>> movement.distance_cm, movement.speed_cm_s.tolist()
    (5.0, [10.0, 0.0, 0.0])
    """
    step = np.zeros(len(xy))
    speed = np.full(len(xy), np.nan)
    if len(xy) < 2:
        return Movement(step, speed)
    linked = (run[1:] >= 0) & (run[1:] == run[:-1])
    length = np.hypot(*np.diff(xy, axis=0).T)
    step[:-1][linked] = length[linked]
    speed[:-1][linked] = length[linked] / np.diff(time_s)[linked]
    ends = np.flatnonzero(linked & ~np.append(linked[1:], False)) + 1
    speed[ends] = speed[ends - 1]
    return Movement(step, speed)


def immobile_frames(
    speed_cm_s: Floats, duration_s: Floats, run: NDArray[np.int64], *, below_cm_s: float = 2.0, min_s: float = 1.0
) -> NDArray[np.bool_]:
    """Frames within bouts of immobility: slower than ``below_cm_s`` for at least ``min_s`` without a gap.

    Examples
    --------
    >>> speed = np.array([5.0, 1.0, 1.0, 5.0, 1.0, 5.0])
    >>> immobile_frames(speed, np.full(6, 0.5), np.zeros(6, dtype=int)).tolist()
    [False, True, True, False, False, False]
    """
    slow = (run >= 0) & (np.nan_to_num(speed_cm_s, nan=np.inf) < below_cm_s)
    if not slow.any():
        return slow
    begins = slow.copy()
    begins[1:] &= ~(slow[:-1] & (run[1:] == run[:-1]))
    bout = np.cumsum(begins) - 1
    seconds = np.bincount(bout[slow], weights=duration_s[slow])
    result = slow.copy()
    result[slow] = seconds[bout[slow]] >= min_s - 1e-9
    return result
