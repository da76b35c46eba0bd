"""Settings of scoring, with the field's usual defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["ExclusionOptions", "ScoreOptions"]


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """How a trial is scored.

    Parameters
    ----------
    window_s
        Scored time from the release.
    point
        Point that counts for zones: ``centre`` of the body, ``nose``, or ``nose_or_centre``: either of them inside.
    reach_cm
        The point counts as inside the interaction zone this far beyond its border, too.
    fill_gaps_s
        Positions missing for at most this long are interpolated on a line and flagged; 0 = never, 0.5 at most.
    min_stay_s
        A visit to a zone shorter than this is no entry.
    min_absence_s
        An absence shorter than this does not end a visit; 0 = every absence does.
    bridge_s
        The animal unseen for less than this, inside before and after, stays inside.
    immobile_speed_cm_s, immobile_min_s
        Immobile: slower than this for at least so long.
    smooth_s
        Window of the centred average of positions, for distance and speed.
    low_rate_hz
        Below this frame rate movement is measured on raw positions and flagged.
    release_hold_s
        How long the subject must be alone on the floor for the release.
    wall_tolerance_cm
        A point at most so far beyond the floor's edge counts as at the edge; further out it counts as not seen.
    max_frame_s
        A frame that lasts longer than this and than four usual frames stands before a hole in the recording; the hole
        counts as not recorded.
    warn_below, refuse_below
        Share of the window that must be recorded: below the first a warning, below the second no score.
    refuse_seen_below
        Share of the recorded time in which the animal must be seen; below it no score: what is left says too little
        about the rest.
    lost_limit_percent
        A trial in which the animal is not seen for more of the recorded time than this is flagged.
    bin_s
        Length of the bins of time courses.

    Raises
    ------
    ValueError
        If a setting is outside its range.
    """

    window_s: float = 150.0
    point: Literal["centre", "nose", "nose_or_centre"] = "centre"
    reach_cm: float = 0.0
    fill_gaps_s: float = 0.0
    min_stay_s: float = 0.5
    min_absence_s: float = 0.0
    bridge_s: float = 0.5
    immobile_speed_cm_s: float = 2.0
    immobile_min_s: float = 1.0
    smooth_s: float = 0.5
    low_rate_hz: float = 4.0
    release_hold_s: float = 1.0
    wall_tolerance_cm: float = 3.0
    max_frame_s: float = 1.0
    warn_below: float = 0.98
    refuse_below: float = 0.80
    refuse_seen_below: float = 0.50
    lost_limit_percent: float = 10.0
    bin_s: float = 10.0

    def __post_init__(self) -> None:
        if self.point not in ("centre", "nose", "nose_or_centre"):
            raise ValueError(f"point must be centre, nose or nose_or_centre; found {self.point!r}")
        for name in ("window_s", "bin_s", "max_frame_s", "immobile_speed_cm_s"):
            _check_range(name, getattr(self, name), above=0.0)
        for name in ("min_stay_s", "min_absence_s", "bridge_s", "immobile_min_s", "smooth_s", "low_rate_hz"):
            _check_range(name, getattr(self, name))
        for name in ("release_hold_s", "wall_tolerance_cm", "reach_cm"):
            _check_range(name, getattr(self, name))
        _check_range("fill_gaps_s", self.fill_gaps_s, most=0.5)
        _check_range("lost_limit_percent", self.lost_limit_percent, most=100.0)
        _check_range("refuse_below", self.refuse_below, most=1.0)
        _check_range("warn_below", self.warn_below, most=1.0)
        _check_range("refuse_seen_below", self.refuse_seen_below, most=1.0)
        if self.refuse_below > self.warn_below:
            raise ValueError(f"refuse_below ({self.refuse_below}) must not be above warn_below ({self.warn_below})")


@dataclass(frozen=True, kw_only=True)
class ExclusionOptions:
    """Which animals are set aside by their own scores; nothing is unless it is asked for here.

    An excluded animal keeps its numbers in the table, with the reason in the column ``excluded``; it gets no class, and
    where it is a control it does not count for cut-offs and slopes.

    Parameters
    ----------
    zero_zone_time
        0 s in the interaction zone in either trial.
    ratio_from
        SI ratio of this or more (papers use 4); null = off.
    lost_above_percent
        Not seen for more of the recorded time than this, in either trial; null = off.
    """

    zero_zone_time: bool = False
    ratio_from: float | None = None
    lost_above_percent: float | None = None

    def __post_init__(self) -> None:
        if self.ratio_from is not None:
            _check_range("ratio_from", self.ratio_from, above=0.0)
        if self.lost_above_percent is not None:
            _check_range("lost_above_percent", self.lost_above_percent, most=100.0)


def _check_range(name: str, value: float, *, above: float | None = None, most: float = math.inf) -> None:
    if not math.isfinite(value) or value < 0 or value > most or (above is not None and value <= above):
        wanted = f"above {above:g}" if above is not None else "0 or more"
        limit = f" and at most {most:g}" if math.isfinite(most) else ""
        raise ValueError(f"{name} must be {wanted}{limit}; found {value}")
