"""Variance-stabilising normalisation on intensities with a known error model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from core.errors import RefusedError
from proteomics.variance_stabilisation import _loss, stabilise_variance


@pytest.fixture
def intensities() -> tuple[pd.DataFrame, np.ndarray]:
    """8 samples x 400 proteins: offset + gain x truth x exp(noise) + background noise; 30 proteins differ 4-fold."""
    rng = np.random.default_rng(2)
    truth = rng.lognormal(6, 2, 400)
    gain, offset = np.exp(rng.normal(0, 0.7, 8)), rng.uniform(0, 200, 8)
    level = np.tile(truth, (8, 1))
    level[4:, :30] *= 4
    y = offset[:, None] + gain[:, None] * level * np.exp(rng.normal(0, 0.15, level.shape))
    y += rng.normal(0, 30, level.shape) * gain[:, None]
    return pd.DataFrame(y, index=[f"s{i}" for i in range(8)]), gain


def test_samples_are_brought_together_and_differences_are_log2(intensities: tuple[pd.DataFrame, np.ndarray]) -> None:
    table, gain = intensities
    result = stabilise_variance(table)
    assert np.corrcoef(np.log(result.parameters["scale"]), -np.log(gain))[0, 1] > 0.99
    centre = result.values.iloc[:, 30:].median(axis=1)
    assert np.ptp(centre) < 0.15
    high = table.iloc[:, :30].mean() > 3000
    change = (result.values.iloc[4:, :30].mean() - result.values.iloc[:4, :30].mean())[high]
    assert change.mean() == pytest.approx(2, abs=0.15)


def test_spread_no_longer_follows_the_level(intensities: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Against log2, whose spread rises towards the background."""
    table, gain = intensities
    same = table.iloc[:, 30:]
    stable = stabilise_variance(table).values.iloc[:, 30:]
    plain = np.log2(np.maximum(same.div(gain, axis=0), 1))
    level = same.median()
    assert abs(stats.spearmanr(level, stable.std()).statistic) < 0.3
    assert stats.spearmanr(level, plain.std()).statistic < -0.6


def test_gradient_is_right_and_missing_values_stay(intensities: tuple[pd.DataFrame, np.ndarray]) -> None:
    table, _ = intensities
    rng = np.random.default_rng(1)
    y = table.to_numpy()[:3, :50] / 500
    used = rng.random(y.shape) < 0.8
    start = rng.normal(0, 0.3, 6)
    numeric = optimize.approx_fprime(start, lambda part: _loss(part, y, used)[0], 1e-6)
    np.testing.assert_allclose(_loss(start, y, used)[1], numeric, rtol=1e-3, atol=1e-3)
    gaps = table.mask(rng.random(table.shape) < 0.1)
    assert stabilise_variance(gaps).values.isna().equals(gaps.isna())


def test_too_few_values_are_refused(intensities: tuple[pd.DataFrame, np.ndarray]) -> None:
    table, _ = intensities
    with pytest.raises(RefusedError, match="few values in s0"):
        stabilise_variance(table.iloc[:, :10])
    with pytest.raises(RefusedError, match="found 1 samples"):
        stabilise_variance(table.iloc[:1])
