"""The events table: pairing, bouts from flags, sums in a window, dwell by the program's own zones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behavior.events import (
    EVENT_COLUMNS,
    BehaviorEvent,
    bouts_from_flags,
    make_events,
    pair_states,
    program_dwell,
    sum_behaviors,
    validate_events,
)
from behavior.tracks import frame_durations, from_arrays


def _state(behavior, start, stop, **more):
    return BehaviorEvent(behavior=behavior, start_s=start, stop_s=stop, **more)


def test_columns_and_order():
    table = make_events(
        [_state("b", 5, 6, subject="m2"), _state("a", 1, 2, subject="m2"), _state("a", 9, 9.5, subject="m1")]
    )
    assert tuple(table.columns) == EVENT_COLUMNS
    assert table["start_s"].tolist() == [9, 1, 5]
    assert list(make_events([]).columns) == list(EVENT_COLUMNS)


def test_pairing_keeps_subjects_and_modifiers_apart():
    marks = [
        _state("s", t, t, subject=subject, modifiers=modifier)
        for t, subject, modifier in [
            (1, "a", ""),
            (2, "b", ""),
            (3, "a", ""),
            (4, "b", ""),
            (5, "a", "x"),
            (6, "a", "y"),
        ]
    ]
    events, left = pair_states([*marks, BehaviorEvent(behavior="p", start_s=2.5, stop_s=2.5, kind="point")])  # fmt: skip
    assert sorted((event.subject, event.start_s, event.stop_s) for event in events[:3] if event.kind == "state") == [
        ("a", 1, 3), ("b", 2, 4)]  # fmt: skip
    assert sorted(state.event.modifiers for state in left) == ["x", "y"] and all(
        state.missing == "stop" for state in left
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=40), st.integers(0, 10_000))
def test_bouts_hold_exactly_the_flagged_time(flags, seed):
    """The seconds of the bouts are the dwell of the flags, and bouts do not touch."""
    time = np.cumsum(np.random.default_rng(seed).uniform(0.01, 0.3, len(flags)))
    bouts = bouts_from_flags(np.array(flags), time, behavior="x")
    total = sum(bout.stop_s - bout.start_s for bout in bouts)
    assert total == pytest.approx(frame_durations(time)[np.array(flags)].sum())
    assert all(after.start_s > before.stop_s - 1e-12 for before, after in itertools.pairwise(bouts))
    assert len(bouts) == sum(now and not before for before, now in zip([False, *flags], flags, strict=False))


def test_sums_are_cut_at_the_window():
    table = make_events([_state("s", 1, 4), _state("s", 8, 12), BehaviorEvent(behavior="p", start_s=3, stop_s=3, kind="point"),
                         _state("s", 9, np.nan, subject="")])  # fmt: skip
    sums = sum_behaviors(table, start_s=2, end_s=10).set_index("behavior")
    assert sums.loc["s", ["count", "total_s", "latency_s", "open"]].tolist() == [2, 4, 6, 1]
    assert sums.loc["p", ["count", "total_s", "latency_s"]].tolist() == [1, 0, 1]
    assert sum_behaviors(make_events([])).empty


@pytest.mark.parametrize(
    ("change", "match"),
    [({"stop_s": 0.5}, "row 0 stops before it starts"), ({"kind": "event"}, "kind is event"), ({"kind": "point"}, "a point event with a duration"),
     ({"behavior": ""}, "a row without behavior"), ({"start_s": -np.inf}, "infinite times")],
)  # fmt: skip
def test_faults_are_named(change, match):
    table = make_events([_state("s", 1.0, 2.0)])
    for name, value in change.items():
        table.loc[0, name] = value
    with pytest.raises(ValueError, match=match):
        validate_events(table)
    with pytest.raises(ValueError, match="no column kind"):
        validate_events(table.drop(columns="kind"))


def test_program_dwell_in_a_window():
    tracks = from_arrays(np.zeros((4, 2, 1)), [0.0, 1.0, 1.5, 3.0], fps=1, keypoints=("centre",))
    with pytest.raises(ValueError, match="no zones"):
        program_dwell(tracks)
    tracks = tracks.assign_coords(zone=("zone", ["A"])).assign(
        in_zone=(("time", "zone"), np.array([[1], [0], [1], [-1]], np.int8))
    )
    assert program_dwell(tracks).loc[0, ["dwell_s", "stated_s"]].tolist() == [2.5, 3.0]
    assert program_dwell(tracks, start_s=0.5, end_s=2.0).loc[0, ["dwell_s", "stated_s"]].tolist() == [1.0, 1.5]
