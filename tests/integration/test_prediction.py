from __future__ import annotations

from dataclasses import replace

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
    assert found.r2_low < found.r2 < found.r2_high and found.r2_low > 0


def test_weights_say_in_how_many_training_sets_a_marker_counts():
    cohort, markers = study(signal=6.0)
    sparse = predict_from_serum(cohort, markers=markers, options=replace(QUICK, mixings=(1.0,)))
    table = sparse.weights.set_index("marker")
    assert (table["training_sets"] == 4).all() and (table.loc[["P0", "P1", "P2", "P3"], "with_weight"] == 4).all()
    assert (table["with_weight"] < 4).any()
    assert sparse.tuning["with_weight"].sum() == table["with_weight"].sum()
    assert (sparse.tuning["n"] == 36).all() and set(sparse.tuning["mixing"]) == {1.0}
    everywhere = predict_from_serum(cohort, markers=markers, options=replace(QUICK, mixings=(0.0,)))
    assert (everywhere.weights["with_weight"] == 4).all()
    assert everywhere.weights["among_largest"].sum() == 4 * 10


def test_a_sparse_signal_is_found_by_the_sparse_model_and_a_spread_one_by_ridge():
    cohort, markers = study(signal=12.0, markers=40, per_cohort=20)
    assert (predict_from_serum(cohort, markers=markers, options=QUICK).tuning["mixing"] > 0).all()
    table = cohort.table
    rng = np.random.default_rng(3)
    shared = pd.Series(rng.normal(size=len(table)), table.index)
    markers = markers * 0.5 + np.outer(shared, np.ones(40))
    table["iz_target_s"] = 0.4 * table["iz_no_target_s"] + 10 * shared + rng.normal(0, 8, len(table))
    assert (predict_from_serum(cohort, markers=markers, options=QUICK).tuning["mixing"] == 0).all()


def test_the_unit_of_the_outcome_does_not_matter():
    cohort, markers = study(signal=3.0)
    seconds = predict_from_serum(cohort, markers=markers, options=QUICK)
    cohort.table[["iz_target_s", "iz_no_target_s"]] *= 1000
    milliseconds = predict_from_serum(cohort, markers=markers, options=QUICK)
    assert milliseconds.r2 == pytest.approx(seconds.r2, rel=1e-6)
    assert milliseconds.p == seconds.p
    pd.testing.assert_frame_equal(milliseconds.tuning, seconds.tuning)


def test_nested_choice_and_prediction_are_those_of_scikit_learn():
    """The whole of it done again with ElasticNet and Ridge of scikit-learn, fold by fold."""
    from sklearn.linear_model import ElasticNet, LinearRegression, Ridge

    cohort, markers = study(signal=4.0, markers=15)
    found = predict_from_serum(cohort, markers=markers, options=QUICK)
    table = cohort.table
    group = table["cohort"].to_numpy()
    x, y, base = (
        frame - frame.groupby(group).transform("mean")
        for frame in (markers.loc[table.index], table[["iz_target_s"]], table[["iz_no_target_s"]])
    )
    x, y, base = x.to_numpy(), y.to_numpy()[:, 0], base.to_numpy()
    for out in sorted(set(group)):
        train = group != out
        line = LinearRegression(fit_intercept=False).fit(base[train], y[train])
        rest = y[train] - line.predict(base[train])
        sd, scale = rest.std(), x[train].std(axis=0)
        inside, rest = x[train] / scale, rest / sd
        top = np.abs(inside.T @ rest).max() / len(rest) / 0.5
        models = [(0.0, k, Ridge(alpha=k * 15, fit_intercept=False)) for k in QUICK.penalties]
        models += [(0.5, k, ElasticNet(alpha=k * top, l1_ratio=0.5, fit_intercept=False, tol=1e-10))
                   for k in QUICK.strengths]  # fmt: skip
        errors = [
            sum(
                ((rest[own] - model.fit(inside[~own], rest[~own]).predict(inside[own])) ** 2).sum()
                for own in (group[train] == level for level in sorted(set(group[train])))
            )
            for _, _, model in models
        ]
        mixing, strength, model = models[int(np.argmin(errors))]
        row = found.tuning.set_index("left_out").loc[out]
        assert (row["mixing"], row["strength"]) == (mixing, strength)
        told = found.predicted.set_index("subject").loc[table.index[~train], "predicted"]
        expected = sd * model.fit(inside, rest).predict(x[~train] / scale)
        np.testing.assert_allclose(told, expected, atol=1e-4)


def test_without_signal_serum_is_no_better_than_nothing():
    found = []
    for seed in (5, 6, 7, 8):
        cohort, markers = study(seed=seed)
        found.append(predict_from_serum(cohort, markers=markers, options=QUICK))
    assert max(each.r2 for each in found) < 0.1
    assert sum(each.p <= 0.05 for each in found) <= 1
    assert all(each.r2_low < 0 for each in found)


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
    with pytest.raises(ValueError, match="mixings"):
        PredictionOptions(mixings=(1.5,))
    with pytest.raises(ValueError, match="strengths"):
        PredictionOptions(strengths=(1.0,))


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
