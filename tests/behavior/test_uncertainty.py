"""Interval of the SI ratio: coverage on simulated mice with a known long-run ratio, and edges."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from behavior.reasons import parse_note
from behavior.uncertainty import BootstrapOptions, ratio_uncertainty

EDGES = np.arange(0, 151, 10.0)


def visits(rng: np.random.Generator, mean_in: float, mean_out: float) -> np.ndarray:
    """Seconds in the zone per 10-s bin of an alternating renewal process with irregular stays, long under way."""
    time, inside = -300.0 * rng.random() - 100.0, rng.random() < mean_in / (mean_in + mean_out)
    seconds = np.zeros(15)
    while time < 150:
        mean = mean_in if inside else mean_out
        until = time + rng.gamma(0.7, mean / 0.7)
        if inside and until > 0:
            seconds += np.clip(np.minimum(EDGES[1:], until) - np.maximum(EDGES[:-1], max(time, 0)), 0, None)
        time, inside = until, not inside
    return seconds


def bins_of(mice: dict[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    rows = [
        {"subject": name, "trial": trial, "bin": k + 1, "start_s": 10.0 * k, "observed_s": 10.0, "iz_raw_s": value}
        for name, pair in mice.items()
        for trial, seconds in zip(("no_target", "target"), pair, strict=True)
        for k, value in enumerate(seconds)
    ]
    return pd.DataFrame(rows)


def coverage(without: tuple[float, float], target: tuple[float, float], n: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    mice = {f"m{i}": (visits(rng, *without), visits(rng, *target)) for i in range(n)}
    true = (target[0] / sum(target)) / (without[0] / sum(without))
    table = ratio_uncertainty(bins_of(mice), seed=seed, options=BootstrapOptions(draws=500)).dropna()
    return float(((table["si_ci_low"] <= true) & (true <= table["si_ci_high"])).mean())


def test_interval_holds_the_long_run_ratio_about_as_often_as_it_says() -> None:
    assert 0.90 <= coverage((5, 8), (9, 6), n=200, seed=11) <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    ("without", "target"),
    [((5, 8), (5, 8)), ((5, 8), (9, 6)), ((5, 8), (3, 15)), ((12, 15), (12, 15)), ((8, 12), (2, 25))],
)
def test_coverage_over_the_range_of_mice(without: tuple[float, float], target: tuple[float, float]) -> None:
    assert 0.91 <= coverage(without, target, n=1000, seed=12) <= 0.985


def test_probability_follows_the_ratio() -> None:
    rng = np.random.default_rng(3)
    mice = {
        "avoids": (visits(rng, 6, 6), visits(rng, 1, 20)),
        "seeks": (visits(rng, 5, 10), visits(rng, 20, 4)),
    }
    table = ratio_uncertainty(bins_of(mice), seed=1).set_index("subject")
    assert table.loc["avoids", "p_susceptible"] > 0.95
    assert table.loc["seeks", "p_susceptible"] < 0.05


def test_a_mouse_s_numbers_depend_on_no_other_mouse_and_on_no_order() -> None:
    rng = np.random.default_rng(4)
    mice = {name: (visits(rng, 5, 8), visits(rng, 5, 8)) for name in "abc"}
    together = ratio_uncertainty(bins_of(mice).sample(frac=1, random_state=1), seed=7)
    alone = ratio_uncertainty(bins_of({"b": mice["b"]}), seed=7)
    pd.testing.assert_frame_equal(together[together["subject"] == "b"].reset_index(drop=True), alone)


def test_zeros_and_missing_trials() -> None:
    rng = np.random.default_rng(5)
    mice = {"no zone": (np.zeros(15), visits(rng, 5, 8)), "no target": (visits(rng, 5, 8), np.zeros(15))}
    bins = bins_of(mice)
    bins = pd.concat([bins, bins_of({"half": mice["no zone"]}).query("trial == 'target'")])
    table = ratio_uncertainty(bins, seed=1).set_index("subject")
    assert list(table.index) == ["no target", "no zone"]
    assert math.isnan(table.loc["no zone", "p_susceptible"])
    assert "si_ci_low" in parse_note(table.loc["no zone", "note"])["zero_without_target"]
    assert table.loc["no target", "p_susceptible"] > 0.9
    assert parse_note(table.loc["no target", "note"])["zero_with_target"] == ("si_ci_low", "si_ci_high")


def test_no_ratio_is_drawn_that_a_trial_could_not_show() -> None:
    once = np.zeros(15)
    once[7] = 4.0
    table = ratio_uncertainty(bins_of({"hardly ever": (once, np.full(15, 5.0))}), seed=1)
    # A quarter of a second of 150 s is the least time in the zone that is told from none.
    assert 10 < table["si_ci_high"].item() <= 150 / 0.25


@pytest.mark.parametrize("changed", [{"block_s": 0.0}, {"draws": 10}, {"level": 1.0}])
def test_settings_out_of_range_are_refused(changed: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed))):
        BootstrapOptions(**changed)
