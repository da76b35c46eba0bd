from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import RefusedError
from integration.cohort import join_cohort
from integration.prediction import PredictionOptions, predict_from_serum

QUICK = PredictionOptions(n_permutations=39)


def study(seed=1, *, signal=0.0, cohorts=4, per_cohort=12, markers=20, level=20.0):
    rng = np.random.default_rng(seed)
    n = cohorts * per_cohort
    cohort = np.arange(n) % cohorts
    values = rng.normal(size=(n, markers)) + rng.normal(size=(cohorts, markers))[cohort]
    own = values - np.array([values[cohort == k].mean(axis=0) for k in range(cohorts)])[cohort]
    base = rng.normal(60, 8, n)
    target = (
        level * rng.normal(size=cohorts)[cohort] + 0.4 * base + signal * own[:, :4].sum(axis=1) + rng.normal(0, 8, n)
    )
    table = pd.DataFrame(
        {"subject": [f"m{i:02d}" for i in range(n)], "cohort": [f"c{k}" for k in cohort], "role": "defeated",
         "iz_no_target_s": base, "iz_target_s": target}
    )  # fmt: skip
    joined = join_cohort(subjects=table[["subject", "cohort", "role"]],
                         animals=table[["subject", "iz_no_target_s", "iz_target_s"]])  # fmt: skip
    return joined, pd.DataFrame(values, table["subject"], [f"P{i}" for i in range(markers)])


def test_a_true_signal_is_predicted_in_unseen_cohorts():
    cohort, markers = study(signal=6.0)
    found = predict_from_serum(cohort, markers=markers, options=QUICK)
    assert found.r2 > 0.4
    assert found.p == pytest.approx(1 / 40)
    assert found.slope == pytest.approx(1, abs=0.5)
    top = found.weights.sort_values("mean_weight", ascending=False).head(4)
    assert set(top["marker"]) == {"P0", "P1", "P2", "P3"}
    assert (top["same_sign"] == 1).all()
    assert found.label == "exploratory"


def test_without_signal_serum_is_no_better_than_nothing():
    cohort, markers = study(seed=5)
    found = predict_from_serum(cohort, markers=markers, options=QUICK)
    assert found.r2 < 0.1
    assert found.p > 0.05


def test_levels_of_cohorts_are_no_signal():
    """Markers that only tell the cohort predict nothing, though they correlate with the outcome over all mice."""
    cohort, markers = study(seed=6, level=60.0)
    means = cohort.table["iz_target_s"].groupby(cohort.table["cohort"]).transform("mean")
    markers["P0"] = means + np.random.default_rng(1).normal(0, 1, len(markers))
    assert abs(np.corrcoef(markers["P0"], cohort.table["iz_target_s"])[0, 1]) > 0.7
    found = predict_from_serum(cohort, markers=markers, options=QUICK)
    assert found.r2 < 0.1
    assert found.p > 0.05


def test_training_never_sees_the_cohort_that_is_predicted():
    """Other outcomes in one cohort change every prediction but those of that cohort."""
    cohort, markers = study(signal=6.0)
    first = predict_from_serum(cohort, markers=markers, options=QUICK).predicted
    of_c0 = cohort.table["cohort"] == "c0"
    cohort.table.loc[of_c0, "iz_target_s"] = np.random.default_rng(2).normal(70, 30, int(of_c0.sum()))
    second = predict_from_serum(cohort, markers=markers, options=QUICK).predicted
    own = first["cohort"] == "c0"
    np.testing.assert_allclose(first.loc[own, "predicted"], second.loc[own, "predicted"])
    assert not np.isclose(first.loc[~own, "predicted"], second.loc[~own, "predicted"]).any()


def test_small_studies_are_refused_with_their_numbers():
    cohort, markers = study(cohorts=2, per_cohort=15)
    with pytest.raises(RefusedError, match="30 mice of 2 cohorts, expected 40 mice of 3 cohorts"):
        predict_from_serum(cohort, markers=markers)
    cohort, markers = study()
    markers.iloc[0] = np.nan
    markers.iloc[1, :] = np.nan
    markers.iloc[0, 0] = markers.iloc[1, 1] = 1.0
    with pytest.raises(RefusedError, match="no marker has a value in every mouse"):
        predict_from_serum(cohort, markers=markers[["P0", "P1"]])
    with pytest.raises(ValueError, match="min_cohorts"):
        PredictionOptions(min_cohorts=2)


@pytest.mark.slow
def test_permutation_p_is_level_under_the_null():
    """1,000 studies without signal; exact band of level 0.001."""
    from tests.integration.calibration import band

    runs, hits = 1000, 0
    for seed in range(runs):
        cohort, markers = study(seed=10_000 + seed, markers=10)
        hits += predict_from_serum(cohort, markers=markers, options=QUICK, seed=seed).p <= 0.05
    low, high = band(runs)
    assert low <= hits / runs <= high
