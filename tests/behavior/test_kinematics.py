"""Smoothing, distance, speed and immobility against closed forms and a brute-force average."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behavior.kinematics import fill_short_gaps, immobile_frames, measure_movement, runs_without_gaps, smooth_positions


def one_run(n: int) -> np.ndarray:
    return np.zeros(n, dtype=np.int64)


def brute_average(xy: np.ndarray, time: np.ndarray, window: float) -> np.ndarray:
    """Each sample holds from halfway to its left to halfway to its right neighbour; averaged on a fine grid."""
    middle = (time[1:] + time[:-1]) / 2
    low, high = 2 * time[0] - middle[0], 2 * time[-1] - middle[-1]
    result = np.empty_like(xy)
    for place, moment in enumerate(time):
        grid = np.linspace(max(moment - window / 2, low), min(moment + window / 2, high), 20_001)
        grid = (grid[1:] + grid[:-1]) / 2
        result[place] = xy[np.searchsorted(middle, grid)].mean(axis=0)
    return result


def test_smoothing_is_the_time_weighted_mean_over_uneven_frames() -> None:
    rng = np.random.default_rng(2)
    time = np.cumsum(rng.uniform(0.02, 0.3, 60))
    xy = rng.uniform(0, 42, (60, 2))
    np.testing.assert_allclose(
        smooth_positions(xy, time, one_run(60), window_s=0.5), brute_average(xy, time, 0.5), atol=0.02
    )


def test_odd_number_of_even_frames_is_a_plain_running_mean() -> None:
    rng = np.random.default_rng(3)
    xy = rng.normal(size=(100, 2))
    smooth = smooth_positions(xy, np.arange(100) / 30, one_run(100), window_s=7 / 30)
    for place in range(100):
        np.testing.assert_allclose(smooth[place], xy[max(0, place - 3) : place + 4].mean(axis=0), atol=1e-9)


def test_gaps_separate_what_is_averaged_and_added() -> None:
    xy = np.column_stack([[0.0, 1.0, 2.0, np.nan, 30.0, 31.0], np.zeros(6)])
    seen = np.isfinite(xy[:, 0])
    run = runs_without_gaps(seen, np.ones(6, dtype=bool))
    smooth = smooth_positions(xy, np.arange(6.0), run, window_s=3.0)
    assert smooth[:, 0].tolist() == pytest.approx([0.5, 1.0, 1.5, np.nan, 30.5, 30.5], nan_ok=True)
    assert measure_movement(xy, np.arange(6.0), run).distance_cm == pytest.approx(3.0)


def test_only_short_gaps_between_known_positions_are_filled() -> None:
    time = np.arange(20) / 10
    xy = np.column_stack([2.0 * time, 5 - time])
    holed = xy.copy()
    holed[[0, 4, 5, 10, 11, 12, 13, 14, 19]] = np.nan
    filled, made_up = fill_short_gaps(holed, time, longest_s=0.5)
    assert np.flatnonzero(made_up).tolist() == [4, 5]
    np.testing.assert_allclose(filled[made_up], xy[made_up])
    assert np.isnan(filled[[0, 10, 14, 19]]).all()
    assert not fill_short_gaps(holed, time, longest_s=0.0)[1].any()


def test_straight_walk_keeps_its_speed_away_from_its_ends() -> None:
    time = np.arange(300) / 30
    xy = np.column_stack([7.0 * time, 2.0 * time])
    movement = measure_movement(smooth_positions(xy, time, one_run(300), window_s=0.5), time, one_run(300))
    np.testing.assert_allclose(movement.speed_cm_s[10:-10], np.hypot(7, 2), rtol=1e-9)


def test_a_single_seen_frame_has_no_speed() -> None:
    movement = measure_movement(np.array([[1.0, 1.0]]), np.array([0.0]), one_run(1))
    assert np.isnan(movement.speed_cm_s).all()
    assert movement.distance_cm == 0.0
    assert not immobile_frames(movement.speed_cm_s, np.array([0.1]), one_run(1)).any()


def test_jitter_at_rest_is_removed_by_smoothing() -> None:
    """Noise of 0.05 cm at 15 frames/s reads as about 1 cm/s on the raw path."""
    rng = np.random.default_rng(4)
    time = np.arange(2250) / 15
    xy = 20 + rng.normal(0, 0.05, (2250, 2))
    raw = measure_movement(xy, time, one_run(2250)).distance_cm / 150
    smooth = (
        measure_movement(smooth_positions(xy, time, one_run(2250), window_s=0.5), time, one_run(2250)).distance_cm / 150
    )
    assert 0.7 < raw < 1.5
    assert smooth < raw / 4


def test_immobility_needs_its_minimum_without_a_gap() -> None:
    speed, duration = np.full(6, 0.5), np.full(6, 0.25)
    assert immobile_frames(speed, duration, one_run(6)).all()
    assert not immobile_frames(speed, duration, np.array([0, 0, 0, 1, 1, 1])).any()
    assert immobile_frames(speed, duration, np.array([0, 0, 0, 0, 1, 1])).tolist() == [True] * 4 + [False] * 2


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_distance_scales_with_the_unit_and_does_not_turn_with_the_frame(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    xy, time = rng.uniform(0, 42, (80, 2)), np.cumsum(rng.uniform(0.02, 0.1, 80))
    run = runs_without_gaps(rng.random(80) > 0.1, np.ones(80, dtype=bool))
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def distance(positions: np.ndarray) -> float:
        return measure_movement(smooth_positions(positions, time, run, window_s=0.5), time, run).distance_cm

    assert distance(xy @ turn * scale + 5) == pytest.approx(distance(xy) * scale, rel=1e-6)
