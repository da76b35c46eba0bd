from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.errors import RefusedError
from integration.cohort import join_cohort
from integration.meta_analysis import cohort_estimates, influence, random_effects
from integration.mixed_model import mixed_slope


def study():
    """Six cohorts of twelve mice; the same numbers were given to R."""
    rng = np.random.default_rng(77)
    n = 72
    cohort = np.arange(n) % 6
    level = 15 * rng.normal(size=6)
    base = 60 + 8 * rng.normal(size=n)
    z = rng.normal(size=n)
    target = 50 + level[cohort] + 0.4 * base - 6 * z + 12 * rng.normal(size=n)
    return pd.DataFrame(
        {"subject": [f"m{i:02d}" for i in range(n)], "cohort": [f"c{k}" for k in cohort], "role": "defeated",
         "iz_no_target_s": base, "iz_target_s": target, "z": z}
    )  # fmt: skip


def joined(table):
    return join_cohort(
        subjects=table[["subject", "cohort", "role"]], animals=table[["subject", "iz_no_target_s", "iz_target_s"]]
    )


MARKER = study().set_index("subject")["z"]


def test_mixed_model_equals_lme4():
    # lmer(iz_target_s ~ z + iz_no_target_s + (1 | cohort), d)
    found, note = mixed_slope(joined(study()), marker=MARKER)
    assert (found.estimate, found.se, found.statistic) == pytest.approx(
        (-6.86836286176, 1.50949662776, -4.55010149441), rel=1e-6
    )
    assert (found.n, found.df, note) == (72, 64, "")


def test_few_cohorts_stay_fixed():
    with pytest.raises(RefusedError, match=r"too few cohorts for a random effect; found 4, expected at least 5"):
        mixed_slope(joined(study().query("cohort in ['c0', 'c1', 'c2', 'c3']")), marker=MARKER)


def test_no_spread_between_cohorts_is_said():
    table = study()
    table["iz_target_s"] -= table.groupby("cohort")["iz_target_s"].transform("mean") - table["iz_target_s"].mean()
    found, note = mixed_slope(joined(table), marker=MARKER)
    assert note == "no spread between cohorts was found"
    assert np.isfinite(found.p)


def test_random_effects_equal_metafor():
    # rma(c(-8, -6, -11, 2, -15), sei = c(3, 2.5, 4, 3.5, 5), method = "REML", test = "knha"); predict()
    found = random_effects([-8, -6, -11, 2, -15], [3, 2.5, 4, 3.5, 5])
    numbers = [found.estimate, found.se, found.ci_low, found.ci_high, found.p, found.tau2, found.i2, found.q, found.q_p]
    assert numbers == pytest.approx(
        [-7.0520425898186, 2.6958021353465, -14.5367892330831, 0.4327040534459, 0.0590507643182, 20.8789594312856,
         64.3065619622612, 10.3431512359131, 0.0350275128431], rel=1e-7
    )  # fmt: skip
    assert (found.prediction_low, found.prediction_high) == pytest.approx((-21.7819431024, 7.6778579228), rel=1e-7)
    assert sum(found.weights) == pytest.approx(1)


def test_cohorts_and_their_pool_equal_r():
    per_cohort = cohort_estimates(joined(study()), marker=MARKER)
    # sapply over cohorts: summary(lm(iz_target_s ~ z + iz_no_target_s))$coef["z", 1:2]
    assert per_cohort["estimate"].tolist() == pytest.approx(
        [-6.38247769918, -2.79215333891, -7.41116490078, -10.2994825591, -9.17443874686, -5.58205157342]
    )
    pooled = random_effects(per_cohort["estimate"], per_cohort["se"])
    assert (pooled.estimate, pooled.se, pooled.p, pooled.tau2) == pytest.approx(
        (-7.810155592548366, 1.125791158569163, 0.000955359949933, 0), rel=1e-7
    )


@pytest.mark.slow
def test_the_interval_of_the_pool_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    held = []
    for _ in range(2000):
        v = rng.uniform(1, 4, 6)
        found = random_effects(5 + rng.normal(0, np.sqrt(v + 2)), np.sqrt(v))
        held.append(found.ci_low <= 5 <= found.ci_high)
    low, high = stats.binom.ppf([0.0005, 0.9995], 2000, 0.95) / 2000
    assert low <= np.mean(held) <= high


def test_a_small_cohort_is_listed_without_an_estimate():
    table = study()
    small = pd.concat([table[table["cohort"] != "c5"], table[table["cohort"] == "c5"].head(4)])
    found = cohort_estimates(joined(small), marker=MARKER).set_index("cohort")
    assert found.loc["c5", "note"] == "refused: 1 residual degrees of freedom, at least 3 needed"
    assert np.isnan(found.loc["c5", "estimate"])


def test_a_wild_mouse_shows_in_the_influence():
    table = study()
    marker = MARKER.copy()
    marker["m10"], table.loc[10, "iz_target_s"] = 8.0, 400.0
    found = influence(joined(table), marker=marker)
    assert found["kind"].value_counts().to_dict() == {"subject": 72, "cohort": 6, "none": 1}
    whole = found.iloc[0]["estimate"]
    subjects = found[found["kind"] == "subject"].set_index("left_out")["estimate"]
    assert (subjects - whole).abs().idxmax() == "m10"


def test_refusals():
    with pytest.raises(RefusedError, match="found 1, expected at least 2"):
        random_effects([1.0], [1.0])
    with pytest.raises(ValueError, match="above zero"):
        random_effects([1.0, 2.0], [1.0, 0.0])
