"""Split-half reliability against a simulation with known reliability and against a hand calculation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from behavior.reliability import half_scores, split_half


def make_bins(share: np.ndarray, subjects: list[str], seen: float = 10.0) -> pd.DataFrame:
    """Bins from the share of time in the zone, (subjects, trials, bins)."""
    rows = [
        {
            "subject": subjects[i], "trial": ("no_target", "target")[j], "bin": k + 1, "scored_s": 10.0, "observed_s": seen,
            "iz_raw_s": share[i, j, k] * seen, "corner_raw_s": 1.0 + 0.1 * i, "distance_cm": 50.0 + i,
            "immobile_raw_s": 0.5, "enclosure_distance_cm": 12.0 - i / 10,
        }
        for i, j, k in np.ndindex(*share.shape)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def animals(subjects: list[str], **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"subject": subjects, "role": "defeated", "cohort": "A", "excluded": ""} | columns)


def test_half_scores_by_hand() -> None:
    share = np.zeros((1, 2, 3))
    share[0, 0], share[0, 1] = (0.2, 0.4, 0.4), (0.5, 0.1, 0.7)
    table = half_scores(make_bins(share, ["a"])).loc["a"]
    assert table.loc["odd", "iz_share_no_target"] == pytest.approx(0.3)
    assert table.loc["odd", "iz_share_target"] == pytest.approx(0.6)
    assert table.loc["odd", "si_ratio"] == pytest.approx(2.0)
    assert table.loc["even", "si_ratio"] == pytest.approx(0.25)
    assert table.loc["odd", "enclosure_distance_cm_target"] == pytest.approx(12.0)


def test_reliability_is_that_of_the_simulation() -> None:
    """Share of a bin = mouse + bin noise: the mean of 14 bins has reliability v / (v + noise variance / 14)."""
    rng = np.random.default_rng(5)
    n, bins = 1500, 14
    share = rng.normal(0.5, 0.05, (n, 2, 1)) + rng.normal(0, 0.15, (n, 2, bins))
    subjects = [f"m{i}" for i in range(n)]
    table = split_half(make_bins(share, subjects), animals=animals(subjects)).set_index(["score", "subset"])
    expected = 0.05**2 / (0.05**2 + 0.15**2 / bins)
    assert table.loc[("iz_share_target", "all"), "n"] == n
    assert table.loc[("iz_share_target", "all"), "reliability"] == pytest.approx(expected, abs=0.03)


def test_the_interval_holds_the_true_reliability_as_often_as_it_says() -> None:
    """One hundred and twenty studies of 20 mice with known reliability; the formula of Fisher and Spearman-Brown by hand."""
    rng = np.random.default_rng(8)
    n, bins, held = 20, 14, 0
    expected = 0.08**2 / (0.08**2 + 0.15**2 / bins)
    subjects = [f"m{i}" for i in range(n)]
    for _ in range(120):
        share = rng.normal(0.5, 0.08, (n, 2, 1)) + rng.normal(0, 0.15, (n, 2, bins))
        table = split_half(make_bins(share, subjects), animals=animals(subjects)).set_index(["score", "subset"])
        row = table.loc[("iz_share_target", "all")]
        held += bool(row["ci_low"] <= expected <= row["ci_high"])
    assert 0.88 <= held / 120 <= 0.995
    half = 1.96 / math.sqrt(17)
    low, high = (math.tanh(math.atanh(row["r"]) + side * half) for side in (-1, 1))
    assert row["ci_low"] == pytest.approx(max(0.0, 2 * low / (1 + low)), abs=1e-4)
    assert row["ci_high"] == pytest.approx(2 * high / (1 + high), abs=1e-4)
    assert "Fisher z" in row["method"]


def test_subsets_excluded_mice_and_empty_denominators() -> None:
    rng = np.random.default_rng(6)
    share = rng.uniform(0.1, 0.9, (8, 2, 6))
    share[0, 0] = 0.0
    subjects = [f"m{i}" for i in range(8)]
    listed = animals(subjects, cohort=["A"] * 4 + ["B"] * 4, excluded=["", "bite wound"] + [""] * 6)
    table = split_half(make_bins(share, subjects), animals=listed).set_index(["score", "subset"])
    assert table.loc[("iz_share_target", "all"), "n"] == 7
    assert table.loc[("si_ratio", "all"), "n"] == 6
    assert set(table.index.get_level_values("subset")) == {"all", "role defeated", "cohort A", "cohort B"}
    few = table.loc[("si_ratio", "cohort A")]
    assert (few["n"], few["note"]) == (2, "fewer than three mice")
    assert math.isnan(few["reliability"])
    constant = table.loc[("immobile_share_target", "all")]
    assert constant["note"] == "all mice have the same value"


def test_halves_that_oppose_each_other_have_no_reliability() -> None:
    share = np.zeros((5, 2, 2))
    share[:, :, 0], share[:, :, 1] = np.linspace(0.1, 0.9, 5)[:, None], np.linspace(0.9, 0.1, 5)[:, None]
    subjects = list("abcde")
    row = split_half(make_bins(share, subjects), animals=animals(subjects)).set_index(["score", "subset"])
    assert row.loc[("iz_share_target", "all"), "r"] == pytest.approx(-1)
    assert math.isnan(row.loc[("iz_share_target", "all"), "reliability"])


def test_no_bins_and_one_trial_only() -> None:
    assert len(split_half(pd.DataFrame({"subject": []}), animals=animals(["a"]))) == 0
    share = np.random.default_rng(0).uniform(0.1, 0.9, (4, 1, 6))
    subjects = list("abcd")
    table = split_half(make_bins(share, subjects), animals=animals(subjects)).set_index(["score", "subset"])
    assert table.loc[("si_ratio", "all"), "n"] == 0
