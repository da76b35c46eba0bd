"""Events on drawn tracks in which they are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
from behavior.defensive import (
    DefensiveOptions,
    Event,
    events_table,
    find_events,
    find_stretches,
    flight_counts,
    trial_events,
)
from behavior.samples import Samples, TrialPart, collect_samples
from behavior.score_options import ScoreOptions

ARENA = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))
RATE = 25.0


def path(*legs: tuple[float, float]) -> np.ndarray:
    """Moves down the middle line: (distance from the box wall in cm, speed in cm/s), resting 3 s at each end."""
    y = [np.full(int(3 * RATE), legs[0][0])]
    for goal, speed in legs[1:]:
        start = y[-1][-1]
        n = max(2, round(abs(goal - start) / speed * RATE))
        y += [np.linspace(start, goal, n + 1)[1:], np.full(int(3 * RATE), goal)]
    down = np.concatenate(y)
    return np.column_stack([np.full(len(down), 21.0), down])


def samples(xy_cm: np.ndarray, time: np.ndarray | None = None) -> Samples:
    time = np.arange(len(xy_cm)) / RATE if time is None else time
    tracks = xr.Dataset(
        {"position": (("time", "space", "keypoint", "individual"), xy_cm[:, :, None, None] * 10)},
        coords={"time": time, "space": ["x", "y"], "keypoint": ["centre"], "individual": ["subject"]},
    )
    return collect_samples([TrialPart(tracks=tracks, arena=ARENA)], start_s=0.0, options=ScoreOptions())


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def test_walk_there_and_dash_away() -> None:
    events = find_events(samples(path((35, 1), (10, 8), (35, 50))), ARENA)
    assert kinds(events) == ["approach", "flight"]
    assert events[0].peak_speed_cm_s == pytest.approx(8, rel=0.05)
    assert events[0].distance_cm == pytest.approx(35 - 14.5, abs=0.5)
    assert events[0].end_s == pytest.approx(3 + (35 - 14.5) / 8, abs=0.1)
    assert events[1].peak_speed_cm_s == pytest.approx(50, rel=0.1)


def test_slow_departure_is_a_retreat() -> None:
    assert kinds(find_events(samples(path((35, 1), (10, 8), (35, 8))), ARENA)) == ["approach", "retreat"]


def test_running_on_at_the_same_speed_is_no_flight() -> None:
    """Through the zone and out again in one run: fast, but no speed-up."""
    there = np.linspace(40, 9, int(31 / 30 * RATE))
    xy = np.column_stack([np.full(2 * len(there), 21.0), np.concatenate([there, there[::-1]])])
    rest = np.repeat(xy[:1], 50, axis=0)
    options = DefensiveOptions(min_stay_s=0.2)
    assert kinds(find_events(samples(np.vstack([rest, xy, rest])), ARENA, options=options)) == ["approach", "retreat"]


def test_short_steps_over_the_border_are_no_events() -> None:
    assert find_events(samples(path((17, 1), (13, 8), (17, 8), (13, 8), (17, 40))), ARENA) == []


def test_gap_in_sight_ends_the_way() -> None:
    xy = path((35, 1), (10, 8), (35, 50))
    entered = int(np.flatnonzero(xy[:, 1] < 14.5)[0])
    xy[entered - 10 : entered - 5] = np.nan
    assert kinds(find_events(samples(xy), ARENA)) == ["flight"]


def test_a_way_ends_where_the_mouse_turns_back() -> None:
    assert kinds(find_events(samples(path((35, 1), (10, 8), (18, 8), (16, 8), (35, 8))), ARENA)) == ["approach"]


def test_a_hole_in_the_recording_ends_the_way() -> None:
    xy = path((35, 1), (10, 8), (35, 8))
    time = np.arange(len(xy)) / RATE
    left = int(np.flatnonzero(xy[:, 1] < 14.5)[-1])
    time[left + 10 :] += 5.0
    assert kinds(find_events(samples(xy, time), ARENA)) == ["approach"]


def test_higher_thresholds_give_no_more_flights() -> None:
    xy = path((35, 1), (10, 8), (35, 50), (10, 8), (35, 27), (10, 8), (35, 18))
    counts = flight_counts(samples(xy), ARENA, options=DefensiveOptions())
    assert counts == {15.0: 3, 20.0: 2, 25.0: 2, 30.0: 1, 40.0: 1}


def test_stretched_toward_the_box_counts_and_away_from_it_does_not() -> None:
    n = 250
    centre = np.column_stack([np.full(n, 21.0), np.full(n, 22.0)])
    half = np.full(n, 3.5)
    half[100:125], half[180:205] = 4.6, 4.6
    heading = np.full(n, -1.0)
    heading[180:205] = 1.0
    offset = np.column_stack([np.zeros(n), half * heading])
    events = find_stretches(samples(centre), centre + offset, centre - offset, ARENA)
    assert [(event.kind, event.start_s, event.end_s) for event in events] == [("stretched_attend", 4.0, 5.0)]
    moving = centre + np.column_stack([np.arange(n) * 0.4 % 10, np.zeros(n)])
    assert find_stretches(samples(moving), moving + offset, moving - offset, ARENA) == []
    unknown = np.full((n, 2), np.nan)
    assert find_stretches(samples(centre), unknown, unknown, ARENA) == []


def test_events_of_a_trial_in_two_files() -> None:
    xy = path((35, 1), (10, 8), (35, 50))
    time = np.arange(len(xy)) / RATE
    whole = np.stack([xy, xy + np.array([0, -4]), xy + np.array([0, 4])], axis=2)[:, :, :, None] * 10

    def part(begin: int, end: int) -> TrialPart:
        tracks = xr.Dataset(
            {"position": (("time", "space", "keypoint", "individual"), whole[begin:end])},
            coords={
                "time": time[begin:end], "space": ["x", "y"], "keypoint": ["centre", "nose", "tail_base"],
                "individual": ["subject"],
            },
        )  # fmt: skip
        return TrialPart(tracks=tracks, arena=ARENA)

    events, observed = trial_events([part(0, 60), part(60, len(xy))])
    assert kinds(events) == ["approach", "flight"]
    assert observed == pytest.approx(len(xy) / RATE)


def test_table_counts_each_kind_in_bins() -> None:
    events = [Event("approach", 5.0, 6.0, 10.0, 8.0), Event("approach", 149.9, 150.0, 10.0, 8.0)]
    table = events_table(events, observed_s=120.0).set_index("kind")
    assert table.loc["approach", ["count", "bin_1", "bin_5"]].tolist() == [2, 1, 1]
    assert table.loc["approach", "per_min"] == 1.0
    assert table.loc["flight", "count"] == 0


def test_thresholds_must_be_positive() -> None:
    with pytest.raises(ValueError, match="flight_speed_cm_s"):
        DefensiveOptions(flight_speed_cm_s=0)
