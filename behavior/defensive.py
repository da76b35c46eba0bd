"""Approaches to the enclosure, flights, retreats and stretched-attend postures: definitions, not validated.

The events follow Henriques-Alves and Queiroz 2016 (doi:10.3389/fnbeh.2015.00364), who found that recurrent flights and
stretched-attend postures mark mice that the ratio misses. No hand-scored events were at hand to check the thresholds
against; each is a setting, and `flight_counts` shows what another one would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from behavior.arena import Arena
from behavior.kinematics import measure_movement, smooth_positions
from behavior.polygons import contains, nearest_point
from behavior.samples import Samples, TrialPart, collect_samples, trial_start
from behavior.score_options import ScoreOptions
from behavior.trial_measures import in_zone
from behavior.zones import find_stays

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DefensiveOptions",
    "Event",
    "events_table",
    "find_events",
    "find_stretches",
    "flight_counts",
    "trial_events",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class DefensiveOptions:
    """Thresholds of the events.

    Parameters
    ----------
    smooth_s
        Window of the centred average of positions.
    min_stay_s
        Shortest visit to the interaction zone that counts.
    approach_cm
        An approach comes nearer to the box by at least this before it ends in the zone; a retreat or flight goes
        away by at least this.
    around_s
        Time before and after leaving the zone in which a flight's speed is looked for.
    flight_speed_cm_s
        Least peak speed of a flight.
    speed_up
        A flight's peak is at least so many times the mean speed of the second before the mouse sped up, that is before
        it last exceeded half the peak.
    stretch
        Body length, nose to tail base, of a stretched posture, as a multiple of the animal's own median.
    stretch_speed_cm_s, stretch_min_s
        A stretched posture is slower than this and lasts at least so long.
    stretch_angle_deg
        Largest angle between the body axis and the way to the box.
    """

    smooth_s: float = 0.2
    min_stay_s: float = 0.5
    approach_cm: float = 6.0
    around_s: float = 1.0
    flight_speed_cm_s: float = 25.0
    speed_up: float = 2.0
    stretch: float = 1.2
    stretch_speed_cm_s: float = 5.0
    stretch_min_s: float = 0.3
    stretch_angle_deg: float = 45.0

    def __post_init__(self) -> None:
        for name in ("approach_cm", "around_s", "flight_speed_cm_s", "stretch", "stretch_speed_cm_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")


@dataclass(frozen=True)
class Event:
    """One event.

    Parameters
    ----------
    kind
        ``approach``, ``flight``, ``retreat`` or ``stretched_attend``.
    start_s, end_s
        From where to where, in s of the scored window.
    peak_speed_cm_s
        Highest speed in it.
    distance_cm
        How much nearer to the box it led, or how much further away; 0 for a posture.
    """

    kind: str
    start_s: float
    end_s: float
    peak_speed_cm_s: float
    distance_cm: float


def trial_events(
    parts: Sequence[TrialPart], *, options: DefensiveOptions | None = None, scoring: ScoreOptions | None = None
) -> tuple[list[Event], float]:
    """All events of a trial, in order of time, and the observed time in s.

    Stretched-attend postures need the points ``nose`` and ``tail_base``; without them there are none.

    Parameters
    ----------
    parts
        The trial's recordings, as for `behavior.social_interaction.score_parts`.
    options
        Thresholds.
    scoring
        Window and release.
    """
    scoring = scoring or ScoreOptions()
    start = trial_start(parts[0], options=scoring).time_s
    samples = collect_samples(parts, start_s=start, options=scoring, extra=("nose", "tail_base"))
    arena = parts[0].arena
    ends = samples.extra_cm["nose"], samples.extra_cm["tail_base"]
    events = find_events(samples, arena, options=options) + find_stretches(samples, *ends, arena, options=options)
    return sorted(events, key=lambda event: (event.start_s, event.kind)), samples.observed_s


def find_events(samples: Samples, arena: Arena, *, options: DefensiveOptions | None = None) -> list[Event]:
    """Approaches, flights and retreats of a trial, in order of time.

    Each visit to the interaction zone is looked at from both ends. The way to it begins where the distance to the box
    was last largest, without turning back by more than 1 cm; if it came nearer by ``approach_cm``, that is an approach.
    The way from it ends likewise; if it went ``approach_cm`` away, it is a flight where the peak speed around leaving
    reaches ``flight_speed_cm_s`` and ``speed_up`` times the mean speed before the mouse sped up, else a retreat. Visits
    cut by a gap or by the window have no such way at that end.
    """
    options = options or DefensiveOptions()
    path = smooth_positions(samples.centre_cm, samples.time_s, samples.run, window_s=options.smooth_s)
    speed = measure_movement(path, samples.time_s, samples.run).speed_cm_s
    distance = _box_distance(path, arena)
    inside = in_zone(samples, arena, "interaction")
    stays = find_stays(inside, samples.observed, samples.time_s, samples.duration_s, min_stay_s=options.min_stay_s)
    events = []
    for start, end in zip(stays.start_s, stays.end_s, strict=True):
        entered = int(np.searchsorted(samples.time_s, start - 1e-6))
        left = int(np.searchsorted(samples.time_s, end - 1e-6)) - 1
        begin = _turn(distance, samples.run, entered, -1)
        nearer = distance[begin] - distance[entered]
        if nearer >= options.approach_cm:
            peak = float(np.max(speed[begin : entered + 1]))
            events.append(Event("approach", float(samples.time_s[begin]), float(start), peak, float(nearer)))
        stop = _turn(distance, samples.run, left, 1)
        if distance[stop] - distance[left] >= options.approach_cm:
            events.append(_departure(samples, speed, distance, left, stop, options))
    return sorted(events, key=lambda event: (event.start_s, event.kind))


def _box_distance(path: Floats, arena: Arena) -> Floats:
    _, distance = nearest_point(arena.zones["enclosure"], path)
    distance[contains(arena.zones["enclosure"], path)] = 0.0
    return distance


def _turn(distance: Floats, run: NDArray[np.int64], start: int, step: int) -> int:
    """Frame of the largest distance on the way from ``start``, until it falls by more than 1 cm or the run ends."""
    best, place = start, start + step
    while 0 <= place < len(distance) and run[place] == run[start] and run[place] >= 0:
        if distance[place] > distance[best]:
            best = place
        elif distance[place] < distance[best] - 1.0:
            break
        place += step
    return best


def _departure(
    samples: Samples, speed: Floats, distance: Floats, left: int, stop: int, options: DefensiveOptions
) -> Event:
    time = samples.time_s
    moment = time[left]
    around = (np.abs(time - moment) <= options.around_s) & (samples.run == samples.run[left])
    fastest = int(np.flatnonzero(around)[np.argmax(speed[around])])
    peak = float(speed[fastest])
    onset = fastest
    while onset > 0 and samples.run[onset - 1] == samples.run[left] and speed[onset - 1] >= peak / 2:
        onset -= 1
    before = (time >= time[onset] - 1.0) & (time < time[onset]) & (samples.run == samples.run[left])
    calm = float(np.mean(speed[before])) if before.any() else 0.0
    flees = peak >= options.flight_speed_cm_s and peak >= options.speed_up * calm
    away = float(distance[stop] - distance[left])
    return Event("flight" if flees else "retreat", float(moment), float(time[stop]), peak, away)


def flight_counts(
    samples: Samples, arena: Arena, *, speeds_cm_s: Sequence[float] = (15, 20, 25, 30, 40), options: DefensiveOptions
) -> dict[float, int]:
    """Number of flights for each threshold of speed: how much the count depends on it."""
    from dataclasses import replace

    return {
        float(limit): sum(
            event.kind == "flight"
            for event in find_events(samples, arena, options=replace(options, flight_speed_cm_s=float(limit)))
        )
        for limit in speeds_cm_s
    }


def find_stretches(
    samples: Samples, nose_cm: Floats, tail_base_cm: Floats, arena: Arena, *, options: DefensiveOptions | None = None
) -> list[Event]:
    """Stretched-attend postures: elongated, slow, head toward the box.

    Parameters
    ----------
    samples
        The scored window.
    nose_cm, tail_base_cm
        (N, 2) the body's ends in the same frames, NaN where not known: such frames have no posture.
    arena
        Its enclosure is what the mouse attends to.
    """
    options = options or DefensiveOptions()
    path = smooth_positions(samples.centre_cm, samples.time_s, samples.run, window_s=options.smooth_s)
    speed = measure_movement(path, samples.time_s, samples.run).speed_cm_s
    axis = nose_cm - tail_base_cm
    length = np.hypot(*axis.T)
    if not np.isfinite(length).any():
        return []
    box, _ = nearest_point(arena.zones["enclosure"], nose_cm)
    way = box - nose_cm
    with np.errstate(invalid="ignore"):
        cosine = np.sum(axis * way, axis=1) / (length * np.hypot(*way.T))
        stretched = length > options.stretch * np.nanmedian(length)
        toward = (cosine > np.cos(np.deg2rad(options.stretch_angle_deg))) | (np.hypot(*way.T) < 0.1)
        posture = stretched & toward & (speed < options.stretch_speed_cm_s) & (samples.run >= 0)
    stays = find_stays(
        posture, samples.run >= 0, samples.time_s, samples.duration_s, min_stay_s=options.stretch_min_s, bridge_s=0.0
    )
    return [
        Event("stretched_attend", float(start), float(end), _peak(speed, samples.time_s, start, end), 0.0)
        for start, end in zip(stays.start_s, stays.end_s, strict=True)
    ]


def _peak(speed: Floats, time: Floats, start: float, end: float) -> float:
    return float(np.nanmax(speed[(time >= start - 1e-6) & (time < end - 1e-6)]))


def events_table(
    events: Sequence[Event], *, observed_s: float, bin_s: float = 30.0, window_s: float = 150.0
) -> pd.DataFrame:
    """Number of events of each kind, their rate per minute observed, and their course in bins.

    Returns
    -------
    DataFrame
        ``kind, count, per_min`` and ``bin_1`` … with the counts by the time at which events begin.

    Examples
    --------
    >>> events_table([Event("flight", 31.0, 33.0, 40.0, 12.0)], observed_s=150.0)["per_min"].tolist()
    [0.0, 0.4, 0.0, 0.0]
    """
    import pandas as pd

    kinds = ("approach", "flight", "retreat", "stretched_attend")
    bins = int(np.ceil(window_s / bin_s - 1e-9))
    rows = []
    for kind in kinds:
        starts = np.array([event.start_s for event in events if event.kind == kind])
        course = np.bincount(np.minimum(starts // bin_s, bins - 1).astype(int), minlength=bins)
        rate = len(starts) / observed_s * 60 if observed_s > 0 else float("nan")
        rows.append(
            {"kind": kind, "count": len(starts), "per_min": rate}
            | {f"bin_{i + 1}": int(n) for i, n in enumerate(course)}
        )
    return pd.DataFrame(rows)
