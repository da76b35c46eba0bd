from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from integration.planning import AssociationDesign, TrialDesign, association_power, trial_power


def exact_power(r, n, k, alpha=0.05):
    """Power of the t-test of a partial correlation, marker random: noncentral t averaged over the marker's spread."""
    df = n - k - 2
    w = stats.chi2.ppf((np.arange(400) + 0.5) / 400, n - 1 - k)
    return np.nanmean(stats.nct.sf(stats.t.ppf(1 - alpha / 2, df), df, r / np.sqrt(1 - r * r) * np.sqrt(w)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "r"),
    [
        ({"n": 30, "correlation": 0.5, "n_cohorts": 1}, 0.5),
        ({"n": 40, "correlation": 0.45, "n_cohorts": 4}, 0.45),
        ({"n": 60, "correlation": 0.5, "n_cohorts": 3, "reliability": 0.6}, 0.5 * np.sqrt(0.6)),
        ({"n": 48, "correlation": 0.6, "reliability": 0.7, "marker_reliability": 0.8}, 0.6 * np.sqrt(0.56)),
    ],
)
def test_power_equals_the_closed_form_within_five_points(design, r):
    found = association_power(AssociationDesign(**design), runs=2000, seed=11)
    expected = exact_power(r, design["n"], design.get("n_cohorts", 2) - 1)
    assert found.power == pytest.approx(expected, abs=0.05)
    assert found.ci_low <= found.power <= found.ci_high


@pytest.mark.parametrize(
    ("design", "d", "spread"),
    [
        ({"n_per_arm": 64, "effect": 0.0, "effect_at_mean": 0.5}, 0.5, 0.0),
        # top 30 %: mean of the truncated normal is .348 / .3 = 1.159, its variance 1 + .524 * 1.159 - 1.159^2
        ({"n_per_arm": 40, "effect": 0.5, "enrichment": 0.3}, 0.5 * 1.159, 0.25 * (1 + 0.5244 * 1.159 - 1.159**2)),
    ],
)
def test_trial_power_equals_the_closed_form(design, d, spread):
    n = design["n_per_arm"]
    v1, v0 = (1 + spread) / n, 1 / n
    df = (v1 + v0) ** 2 / (v1**2 / (n - 1) + v0**2 / (n - 1))
    expected = stats.nct.sf(stats.t.ppf(0.975, df), df, d / np.sqrt(v1 + v0))
    assert trial_power(TrialDesign(**design), runs=4000, seed=3).power == pytest.approx(expected, abs=0.03)


def test_enrichment_helps_only_as_far_as_the_score_is_reliable():
    def power(**more):
        return trial_power(TrialDesign(n_per_arm=40, effect=0.5, **more), runs=2000, seed=1).power

    assert power(enrichment=0.3) > power(enrichment=0.3, score_reliability=0.4) > power(enrichment=1.0)
    assert power(enrichment=1.0) == pytest.approx(0.05, abs=0.02)


@pytest.mark.slow
def test_multiplicity_costs_power_and_true_companions_give_some_back():
    alone = association_power(AssociationDesign(n=40, correlation=0.5), runs=800, seed=5)
    among = association_power(AssociationDesign(n=40, correlation=0.5, n_markers=10), runs=800, seed=5)
    company = association_power(AssociationDesign(n=40, correlation=0.4, n_markers=4, n_true=4), runs=800, seed=5)
    assert among.power_set < alone.power - 0.1
    assert company.any_in_set > company.power_set


@pytest.mark.slow
def test_values_below_detection_cost_power():
    full = association_power(AssociationDesign(n=40, correlation=0.45), runs=1000, seed=7)
    cut = association_power(AssociationDesign(n=40, correlation=0.45, below_detection=0.5), runs=1000, seed=7)
    assert cut.power < full.power - 0.05


def test_without_an_effect_the_level_is_kept():
    found = association_power(AssociationDesign(n=30, correlation=0.0, n_cohorts=3), runs=2000, seed=2)
    low, high = stats.binom.ppf([0.0005, 0.9995], 2000, 0.05) / 2000
    assert low <= found.power <= high


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: AssociationDesign(n=5, correlation=0.5, n_cohorts=3), "leave nothing to test"),
        (lambda: AssociationDesign(n=30, correlation=1.0), "between -1 and 1"),
        (lambda: AssociationDesign(n=30, correlation=0.8, n_markers=2, n_true=3), "n_true"),
        (lambda: AssociationDesign(n=30, correlation=0.2, reliability=0), "reliability is 0"),
        (lambda: TrialDesign(n_per_arm=3, effect=1, dropout=0.5), "three patients"),
        (lambda: TrialDesign(n_per_arm=30, effect=1, enrichment=0), "enrichment"),
    ],
)
def test_impossible_designs_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()
