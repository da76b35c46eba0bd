from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from integration.power import smallest_detectable_correlation, smallest_detectable_difference


@pytest.mark.parametrize(("n", "k"), [(12, 0), (24, 3), (60, 5)])
def test_power_at_the_smallest_detectable_correlation_is_80_percent(n, k):
    """Power of the t-test by drawing data, for a marker that varies from study to study."""
    r = smallest_detectable_correlation(n, n_covariates=k)
    rng = np.random.default_rng(4)
    df = n - k - 2
    x = rng.normal(size=(40_000, n - k))
    y = r * x + math.sqrt(1 - r * r) * rng.normal(size=x.shape)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    found = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    hits = np.abs(found * np.sqrt(df / (1 - found**2))) > stats.t.ppf(0.975, df)
    assert hits.mean() == pytest.approx(0.8, abs=0.02)


def test_power_at_the_smallest_detectable_difference_is_80_percent():
    d = smallest_detectable_difference(24, 8)
    rng = np.random.default_rng(5)
    a, b = rng.normal(d, 1, (40_000, 24)), rng.normal(0, 1, (40_000, 8))
    assert (stats.ttest_ind(a, b, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.01)


def test_too_few_subjects_detect_nothing():
    assert math.isnan(smallest_detectable_correlation(6, n_covariates=2))
    assert math.isnan(smallest_detectable_difference(1, 10))
