"""Time in zones: dwell by true frame durations, stays, entries, latency, bouts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stays", "dwell", "find_stays", "first_stay"]

Floats = NDArray[np.float64]

ROUNDING_S = 1e-9


@dataclass(frozen=True)
class Stays:
    """Visits to a zone, in order.

    Parameters
    ----------
    start_s, end_s
        (N,) times of entering and leaving.
    duration_s
        (N,) observed seconds inside.
    """

    start_s: Floats
    end_s: Floats
    duration_s: Floats

    def __len__(self) -> int:
        return len(self.start_s)


def dwell(inside: NDArray[np.bool_], duration_s: Floats) -> float:
    """Seconds inside: the sum of the durations of the frames inside.

    Parameters
    ----------
    inside
        (N,) whether the point is in the zone in each frame.
    duration_s
        (N,) how long each frame lasts.

    Examples
    --------
    >>> dwell(np.array([True, False, True]), np.array([0.5, 0.1, 0.25]))
    0.75
    """
    return float(duration_s[inside].sum())


def find_stays(
    inside: NDArray[np.bool_],
    observed: NDArray[np.bool_],
    time_s: Floats,
    duration_s: Floats,
    *,
    min_stay_s: float = 0.5,
    min_absence_s: float = 0.0,
    bridge_s: float = 0.5,
) -> Stays:
    """Stays in a zone that last long enough to count, so that flicker at the border does not.

    A stay is a run of observed frames inside. Absences shorter than ``min_absence_s`` do not end it; nor do stretches
    shorter than ``bridge_s`` in which the animal is not seen, if it is inside before and after. Stays with fewer
    than ``min_stay_s`` observed seconds inside are then left out. An animal that is inside in the first frame enters
    with it.

    Parameters
    ----------
    inside, observed
        (N,) whether the point is in the zone, and whether it is seen at all, in each frame.
    time_s, duration_s
        (N,) start and duration of each frame; increasing, frames do not overlap.

    Examples
    --------
    >>> inside = np.array([0, 1, 1, 1, 0, 1, 0, 0], dtype=bool)
    >>> time = np.arange(8) * 0.25
    >>> stays = find_stays(inside, np.ones(8, dtype=bool), time, np.full(8, 0.25))
    >>> stays.start_s.tolist(), stays.end_s.tolist(), stays.duration_s.tolist()
    ([0.25], [1.0], [0.75])
    """
    index = np.flatnonzero(inside & observed)
    if len(index) == 0:
        none = np.zeros(0)
        return Stays(none, none, none)
    # Between two frames inside, time passes outside (seen) or unseen: lost frames, or no frames at all.
    outside_before = np.concatenate([[0.0], np.cumsum(np.where(observed & ~inside, duration_s, 0.0))])
    absent = np.diff(outside_before[index])
    apart = time_s[index[1:]] - (time_s[index[:-1]] + duration_s[index[:-1]])
    unseen = apart - absent
    # A stay of exactly the minimum counts, and an absence of exactly the limit ends one, whatever the rounding of sums.
    long_unseen = unseen >= max(bridge_s - ROUNDING_S, ROUNDING_S)
    left = long_unseen | ((absent > 0) & (absent >= min_absence_s - ROUNDING_S))
    first = np.concatenate([[0], np.flatnonzero(left) + 1])
    last = np.concatenate([first[1:] - 1, [len(index) - 1]])
    seconds = np.add.reduceat(duration_s[index], first)
    counts = seconds >= min_stay_s - ROUNDING_S
    start = time_s[index[first]]
    end = time_s[index[last]] + duration_s[index[last]]
    return Stays(start[counts], end[counts], seconds[counts])


def first_stay(stays: Stays, *, scored_s: float) -> tuple[float, bool]:
    """Latency of the first stay, and whether it is censored: never entered, so the latency is the time scored.

    Examples
    --------
    >>> first_stay(Stays(np.array([]), np.array([]), np.array([])), scored_s=150.0)
    (150.0, True)
    """
    if len(stays) == 0:
        return scored_s, True
    return float(stays.start_s[0]), False
