"""Head side: one decision along the track."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from behavior.headtail import along_track, head_senses, shape_evidence


def test_tail_outweighs_shape():
    """A long tail decides against a body that is thinner on its side."""
    assert shape_evidence(np.array([0.1]), np.array([0.9]))[0] < 0
    assert shape_evidence(np.array([0.1]), np.array([0.0]))[0] > 0
    assert shape_evidence(np.array([np.nan]), np.array([0.5]))[0] == 0


@given(st.integers(0, 2**31 - 1))
def test_a_turning_animal_with_one_frame_in_five_wrong(seed):
    """The right side is found though the axis flips its sense at will and many frames speak for the wrong one."""
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0, 0.15, 200))
    flip = rng.choice([1, -1], 200)
    axis = heading + np.where(flip > 0, 0, np.pi)
    evidence = flip * np.where(rng.uniform(size=200) < 0.2, -1.5, 1.5)
    assert (head_senses(axis, evidence, np.full(200, 2.0)) == flip).mean() > 0.98


def test_gaps_and_nothing_seen():
    """Frames without the animal are passed over."""
    axis = np.array([0.0, np.nan, np.nan, np.pi, 0.0])
    senses = head_senses(axis, np.array([3.0, 0, 0, -3.0, 3.0]), np.array([2, np.nan, np.nan, 2, 2]))
    assert senses[[0, 3, 4]].tolist() == [1, -1, 1]
    assert len(head_senses(np.full(3, np.nan), np.zeros(3), np.zeros(3))) == 3


def brute_force(angle, evidence, elongation):
    """Most probable of all sequences, by trying every one."""
    from itertools import product

    from behavior.headtail import SWAP_COST

    trust = np.clip(np.minimum(elongation[1:], elongation[:-1]) - 1, 0.02, 0.6) / 0.6
    keep = SWAP_COST * trust * np.cos(np.diff(angle))

    def score(path):
        path = np.array(path)
        return (path * evidence).sum() / 2 + (keep * path[1:] * path[:-1]).sum() / 2

    return np.array(max(product([1, -1], repeat=len(angle)), key=score))


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_best_of_all_sequences(seed):
    """The dynamic programme finds the same sequence as trying all of them."""
    rng = np.random.default_rng(seed)
    angle, evidence, elongation = rng.uniform(0, 7, 9), rng.normal(0, 3, 9), rng.uniform(1, 2, 9)
    assert head_senses(angle, evidence, elongation).tolist() == brute_force(angle, evidence, elongation).tolist()


def run_and_rest(n=120, *, length=50.0):
    """A mouse that walks along x, rests in the middle and walks on; times, centres, axis."""
    step = np.where((np.arange(n) >= 40) & (np.arange(n) < 80), 0.0, 4.0)
    centre = np.stack([np.cumsum(step), np.full(n, 30.0)], axis=1)
    return {"time_s": np.arange(n) / 25, "centre": centre, "angle": np.zeros(n), "length": length}


def test_an_animal_that_runs_goes_head_first():
    """A cable that looks like a tail at the head end does not turn a mouse that walks."""
    walk = run_and_rest()
    wrong = np.full(120, -3.0)
    assert (head_senses(walk["angle"], wrong, np.full(120, 2.0)) == -1).all()
    assert (head_senses(walk["angle"], along_track(wrong, **walk), np.full(120, 2.0)) == 1).all()


def test_the_same_picture_again_is_no_new_evidence():
    """Forty frames at rest with the wrong look do not outweigh the frames before and after."""
    walk = run_and_rest()
    evidence = np.where((np.arange(120) >= 36) & (np.arange(120) < 84), -3.75, 2.0)
    senses = head_senses(walk["angle"], evidence, np.full(120, 1.5))
    assert (senses == -1).sum() > 30
    assert (head_senses(walk["angle"], along_track(evidence, **walk), np.full(120, 1.5)) == 1).all()


def test_movement_does_not_depend_on_frame_rate_and_passes_over_gaps():
    """Half the frames say the same; beside frames without the animal its look counts in full."""
    walk = run_and_rest()
    every = along_track(np.zeros(120), **walk)
    half = {name: value[::2] if name != "length" else value for name, value in walk.items()}
    np.testing.assert_allclose(along_track(np.zeros(60), **half)[5:15], every[10:30:2])
    walk["centre"][50:60] = np.nan
    evidence = along_track(np.full(120, 2.0), **walk)
    assert np.isfinite(evidence).all()
    assert evidence[52] == 2.0
    assert evidence[70] == pytest.approx(2.0 * 1.5 / 25)


def test_an_animal_that_backs_off_slowly_keeps_its_head():
    """Slow steps backwards say nothing."""
    walk = run_and_rest()
    walk["centre"] = np.stack([-0.8 * np.arange(120), np.zeros(120)], axis=1)
    assert (along_track(np.full(120, 2.0), **walk) > 0).all()
