"""Predictions against classes: the AUC against scikit-learn, cohorts' levels, planted and absent differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from core.errors import RefusedError
from integration.class_separation import class_separation, pair_auc
from integration.cohort import join_cohort
from integration.explorations import PREDICTION_COLUMNS, _separation
from integration.prediction import PredictionOptions, _permuted, _told_of, predict_from_serum
from tests.integration.calibration import band

QUICK = PredictionOptions(n_permutations=19, n_bootstrap=200, mixings=(0.0,))


def mice(seed=1, *, cohorts=3, each=14):
    """Scores, classes and cohorts; within a cohort the classes overlap."""
    rng = np.random.default_rng(seed)
    n = cohorts * each
    groups = np.array([f"c{k % cohorts}" for k in range(n)], dtype=object)
    classes = np.where(np.arange(n) // cohorts % 5 < 2, "SUS", "RES").astype(object)
    return rng.normal(size=n) + 0.8 * (classes == "RES"), classes, groups


def separated(serum, classes, cohorts, *, baseline=None, permutations=99, seed=5, **options):
    rng = np.random.default_rng(seed)
    moved = np.repeat(serum[:, None], permutations, axis=1)
    for level in set(cohorts):
        moved[cohorts == level] = rng.permuted(moved[cohorts == level], axis=0)
    baseline = np.zeros(len(serum)) if baseline is None else baseline
    return class_separation(baseline, serum, moved, classes=classes, cohorts=cohorts, rng=rng, **options)


def study(seed, *, signal, cohorts=4, each=14, markers=6, no_target_in_serum=0.0):
    """Mice classed by their ratio; serum tells target time beyond no-target time with a slope of ``signal``."""
    rng = np.random.default_rng(seed)
    n = cohorts * each
    cohort = np.arange(n) % cohorts
    values = rng.normal(size=(n, markers))
    empty = rng.normal(60, 10, n)
    values[:, 1] += no_target_in_serum * (empty - 60) / 10
    target = 36 + 5 * rng.normal(size=cohorts)[cohort] + 0.4 * empty + signal * values[:, 0] + rng.normal(0, 10, n)
    names = [f"m{i:02d}" for i in range(n)]
    subjects = pd.DataFrame({"subject": names, "cohort": [f"c{k}" for k in cohort], "role": "defeated"})
    animals = pd.DataFrame({"subject": names, "iz_no_target_s": empty, "iz_target_s": target,
                            "si_ratio": target / empty,
                            "class": np.where(target / empty < 1, "SUS", "RES")})  # fmt: skip
    serum = pd.DataFrame(values, pd.Index(names, name="subject"), [f"P{i}" for i in range(markers)])
    return join_cohort(subjects=subjects, animals=animals), serum


def test_in_one_cohort_the_auc_is_that_of_scikit_learn_and_scipy():
    scores, classes, _ = mice(each=40)
    scores = np.round(scores, 1)
    assert len(set(scores)) < len(scores)
    one = np.full(len(scores), "c", dtype=object)
    found = pair_auc(scores[:, None], classes=classes, cohorts=one)[0]
    assert found == pytest.approx(roc_auc_score(classes == "RES", scores), abs=1e-12)
    u = mannwhitneyu(scores[classes == "RES"], scores[classes == "SUS"]).statistic
    assert found == pytest.approx(u / ((classes == "RES").sum() * (classes == "SUS").sum()), abs=1e-12)


def test_over_cohorts_it_is_scikit_learns_auc_of_each_weighted_by_pairs():
    scores, classes, cohorts = mice()
    each = [
        ((classes[own] == "SUS").sum() * (classes[own] == "RES").sum(),
         roc_auc_score(classes[own] == "RES", scores[own]))
        for own in (cohorts == level for level in sorted(set(cohorts)))
    ]  # fmt: skip
    weights, aucs = zip(*each, strict=True)
    found = separated(scores, classes, cohorts)
    assert found.auc == pytest.approx(np.average(aucs, weights=weights), abs=1e-12)
    assert found.n_pairs == sum(weights) and found.n_cohorts == 3
    assert (found.n_susceptible, found.n_resilient) == ((classes == "SUS").sum(), (classes == "RES").sum())


def test_a_shift_of_a_cohort_changes_nothing():
    scores, classes, cohorts = mice()
    shift = np.select([cohorts == "c0", cohorts == "c1"], [50.0, -20.0], 0.0)
    plain, shifted = separated(scores, classes, cohorts), separated(scores, classes, cohorts, baseline=shift)
    assert shifted == plain
    assert roc_auc_score(classes == "RES", scores + shift) != pytest.approx(plain.auc, abs=0.02)


def test_without_a_baseline_the_baseline_alone_is_chance():
    scores, classes, cohorts = mice()
    found = separated(scores, classes, cohorts)
    assert (found.baseline_auc, found.baseline_low, found.baseline_high) == (0.5, 0.5, 0.5)
    assert found.gain == pytest.approx(found.auc - 0.5)
    assert found.auc_low < found.auc < found.auc_high
    assert found.gain_low == pytest.approx(found.auc_low - 0.5)


def test_the_interval_is_about_that_of_hanley_and_mcneil():
    """Standard error of one AUC by their formula, which knows no bootstrap."""
    scores, classes, _ = mice(seed=4, cohorts=1, each=150)
    one = np.full(len(scores), "c", dtype=object)
    found = separated(scores, classes, one)
    a, low, high = found.auc, (classes == "SUS").sum(), (classes == "RES").sum()
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    se = np.sqrt((a * (1 - a) + (low - 1) * (q1 - a * a) + (high - 1) * (q2 - a * a)) / (low * high))
    assert found.auc_high - found.auc_low == pytest.approx(2 * 1.96 * se, rel=0.15)


def test_too_few_of_a_class_are_refused_with_their_numbers():
    scores, classes, cohorts = mice()
    classes[cohorts == "c1"] = "RES"
    classes[np.flatnonzero((cohorts == "c2") & (classes == "SUS"))[:3]] = ""
    with pytest.raises(RefusedError, match="9 susceptible and 16 resilient in 2 cohorts with both classes") as error:
        separated(scores, classes, cohorts, min_per_class=10)
    assert "expected 10 of each" in str(error.value)
    found = separated(scores, classes, cohorts)
    assert found.n_unpaired == 14 and found.n_cohorts == 2 and found.n_susceptible == 9


def test_what_serum_knows_of_target_time_separates_the_classes():
    cohort, serum = study(1, signal=12.0, each=16)
    found = predict_from_serum(cohort, markers=serum, options=QUICK)
    told = found.separation
    assert told is not None and found.separation_refused == ""
    assert told.auc > 0.75 and told.gain > 0.1 and told.gain_low > 0 and told.p == pytest.approx(1 / 20)
    assert told.n_susceptible + told.n_resilient == 64
    # The baseline alone: mice with a long no-target time have the smaller ratio.
    order = pair_auc(-cohort.table[["iz_no_target_s"]].to_numpy(),
                     classes=cohort.table["class"].to_numpy(dtype=object),
                     cohorts=cohort.table["cohort"].to_numpy(dtype=object))[0]  # fmt: skip
    assert told.baseline_auc == pytest.approx(order, abs=1e-12) and order > 0.55


def test_the_classes_change_no_number_of_the_continuous_prediction():
    cohort, serum = study(2, signal=6.0)
    first = predict_from_serum(cohort, markers=serum, options=QUICK)
    cohort.table["class"] = ""
    second = predict_from_serum(cohort, markers=serum, options=QUICK)
    assert (first.r2, first.r2_low, first.p) == (second.r2, second.r2_low, second.p)
    assert second.separation is None
    assert "found 0 susceptible and 0 resilient in 0 cohorts with both classes, expected 8 of each" in (
        second.separation_refused
    )


def test_an_outcome_without_a_resilient_side_is_refused():
    cohort, serum = study(2, signal=6.0)
    cohort.table["sucrose_percent"] = cohort.table["iz_target_s"]
    options = PredictionOptions(outcome="sucrose_percent", n_permutations=19, n_bootstrap=200, mixings=(0.0,))
    assert "found sucrose_percent" in predict_from_serum(cohort, markers=serum, options=options).separation_refused


@pytest.mark.parametrize("no_target_in_serum", [0.0, 1.5])
def test_p_is_spread_evenly_where_serum_knows_nothing(no_target_in_serum):
    """Also where serum tells no-target time, which says nothing new of the class."""
    p = []
    for seed in range(24):
        cohort, serum = study(500 + seed, signal=0.0, markers=4, no_target_in_serum=no_target_in_serum)
        told = predict_from_serum(cohort, markers=serum, options=QUICK, seed=seed).separation
        assert told is not None
        p.append(told.p)
    # Mean of 24 even p: 0.525 with a standard error of 0.059.
    assert 0.525 - 3.3 * 0.059 < np.mean(p) < 0.525 + 3.3 * 0.059
    assert sum(each <= 0.05 for each in p) <= 5


@pytest.mark.slow
def test_p_is_not_below_its_level_under_the_null():
    """1,000 studies; equal AUCs count against the finding, so p may be too large, and is not too small."""
    p = []
    for seed in range(1000):
        cohort, serum = study(700_000 + seed, signal=0.0)
        told = predict_from_serum(cohort, markers=serum, options=QUICK, seed=5000 + seed).separation
        p += [] if told is None else [told.p]
    share = np.mean(np.array(p) <= 0.05)
    print(f"p <= .05 in {share:.3f} of {len(p)}, mean p {np.mean(p):.3f}")
    assert len(p) > 950
    assert 0.01 < share <= band(len(p))[1]


def test_serum_goes_with_the_outcome_that_it_was_given():
    """A permuted outcome keeps its mouse's class: found by the residuals that the permuted outcomes hold."""
    rng = np.random.default_rng(4)
    y, empty = rng.normal(size=12), rng.normal(size=(12, 1))
    labels = np.array(["a", "b", "c"] * 4, dtype=object)
    whole, order = _permuted(y, empty, labels, 5, rng)
    rest = y - empty[:, 0] * (empty[:, 0] @ y) / (empty[:, 0] @ empty[:, 0])
    moved = whole - empty * (empty[:, 0] @ y) / (empty[:, 0] @ empty[:, 0])
    np.testing.assert_allclose(whole[:, 0], y)
    assert (labels[order] == labels[:, None]).all() and (order[:, 1:] != order[:, :1]).any()
    np.testing.assert_allclose(_told_of(order, moved), np.repeat(rest[:, None], 6, axis=1))


def test_rows_have_n_effect_interval_and_method():
    cohort, serum = study(3, signal=12.0)
    found = predict_from_serum(cohort, markers=serum, options=QUICK)
    rows = pd.DataFrame(list(_separation(found)))
    assert set(rows) <= set(PREDICTION_COLUMNS)
    assert rows["effect_name"].tolist() == ["AUC, serum and baseline", "AUC, baseline alone", "AUC gained by serum"]
    assert (rows["n"] == rows["n_susceptible"] + rows["n_resilient"]).all() and (rows["n_pairs"] > 0).all()
    assert rows["ci_low"].notna().all() and (rows["ci_low"] < rows["estimate"]).all()
    assert rows["method"].str.contains("Mann-Whitney").all() and rows["note"].str.contains("bootstrap").all()
    assert rows["p"].notna().tolist() == [False, False, True]
    assert rows["estimate"].iloc[2] == pytest.approx(rows["estimate"].iloc[0] - rows["estimate"].iloc[1])
    cohort.table["class"] = "RES"
    refused = list(_separation(predict_from_serum(cohort, markers=serum, options=QUICK)))
    assert len(refused) == 1 and refused[0]["note"].startswith("refused: too few mice of a class")
    assert refused[0]["n"] == 56 and "estimate" not in refused[0]
