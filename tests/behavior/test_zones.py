"""Dwell, stays, entries and latency against a plain loop and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from behavior.zones import dwell, find_stays, first_stay


def stays_of(inside: list[int], seen: list[int] | None = None, step: float = 0.25, **options: float):
    zone = np.array(inside, dtype=bool)
    observed = np.ones(len(zone), dtype=bool) if seen is None else np.array(seen, dtype=bool)
    time = np.arange(len(zone)) * step
    return find_stays(zone & observed, observed, time, np.full(len(zone), step), **options)


def test_dwell_weighs_frames_by_their_own_duration() -> None:
    assert dwell(np.array([True, False, True]), np.array([0.56, 0.11, 0.12])) == pytest.approx(0.68)


def test_short_visits_are_no_entries() -> None:
    stays = stays_of([1, 0, 1, 1, 0, 0, 1, 1, 1])
    assert stays.start_s.tolist() == [0.5, 1.5]
    assert stays.duration_s.tolist() == [0.5, 0.75]


def test_an_animal_that_begins_inside_enters_at_time_zero() -> None:
    stays = stays_of([1, 1, 1, 0])
    assert first_stay(stays, scored_s=1.0) == (0.0, False)


def test_never_entering_is_censored_at_the_end() -> None:
    assert first_stay(stays_of([0, 0, 1, 0]), scored_s=1.0) == (1.0, True)
    assert len(stays_of([0, 0, 0])) == 0


def test_short_absences_can_be_bridged_on_request_only() -> None:
    inside = [1, 1, 0, 1, 1]
    assert len(stays_of(inside)) == 2
    assert stays_of(inside, min_absence_s=0.5).duration_s.tolist() == [1.0]
    assert len(stays_of(inside, min_absence_s=0.25)) == 2


def test_lost_frames_end_a_stay_only_when_long() -> None:
    inside = [1, 1, 1, 1, 1, 1, 1]
    short = stays_of(inside, [1, 1, 1, 0, 1, 1, 1])
    assert (len(short), short.duration_s.tolist()) == (1, [1.5])
    assert len(stays_of(inside, [1, 1, 0, 0, 0, 1, 1])) == 2


def test_a_hole_without_frames_counts_like_lost_frames() -> None:
    time = np.array([0.0, 0.25, 0.5, 3.0, 3.25, 3.5])
    seen = np.ones(6, dtype=bool)
    stays = find_stays(seen, seen, time, np.full(6, 0.25))
    assert stays.start_s.tolist() == [0.0, 3.0]


def plain_runs(inside: list[bool], step: float, least: float) -> list[tuple[float, float]]:
    runs, start = [], None
    for place, value in enumerate([*inside, False]):
        if value and start is None:
            start = place
        if not value and start is not None:
            if (place - start) * step >= least - 1e-9:
                runs.append((start * step, (place - start) * step))
            start = None
    return runs


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_without_lost_frames_stays_are_the_runs_of_a_plain_loop(inside: list[bool], least: float) -> None:
    stays = stays_of([int(value) for value in inside], min_stay_s=least)
    expected = np.array(plain_runs(inside, 0.25, least)).reshape(-1, 2)
    np.testing.assert_allclose(np.column_stack([stays.start_s, stays.duration_s]), expected, atol=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60), st.integers(2, 5))
def test_a_finer_frame_rate_changes_no_stay(states: list[tuple[bool, bool]], factor: int) -> None:
    inside, seen = ([int(state[axis]) for state in states] for axis in (0, 1))
    coarse = stays_of(inside, seen)
    fine = stays_of(list(np.repeat(inside, factor)), list(np.repeat(seen, factor)), step=0.25 / factor)
    np.testing.assert_allclose(fine.start_s, coarse.start_s, atol=1e-9)
    np.testing.assert_allclose(fine.duration_s, coarse.duration_s, atol=1e-9)
