"""Mixed models of repeated bleeds against the classical tests that they are in balanced designs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.errors import InputError, RefusedError
from proteomics.abundance import from_frame
from proteomics.repeated_measures import random_intercept_test, repeated_measures_test


@pytest.fixture
def bleeds() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """12 proteins, 10 mice in two groups, each bled three times."""
    rng = np.random.default_rng(5)
    mouse, time = np.repeat(np.arange(10), 3), np.tile([0, 1, 2], 10)
    group = mouse % 2
    y = rng.normal(size=(12, 10))[:, mouse] + rng.normal(size=(12, 30))
    return y, mouse, time, group


def test_between_animals_it_is_the_t_test_of_the_animals_means(
    bleeds: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    y, mouse, _, group = bleeds
    test = random_intercept_test(y, np.column_stack([np.ones(30), group]), mouse, 1)
    means = y.reshape(12, 10, 3).mean(axis=2)
    expected = stats.ttest_ind(means[:, 1::2], means[:, ::2], axis=1)
    inside = np.abs(test.correlation) < 0.98
    np.testing.assert_allclose(test.t[inside], expected.statistic[inside], rtol=1e-5)
    np.testing.assert_allclose(test.df[inside], 8, rtol=1e-4)


def test_within_animals_it_is_the_paired_t_test(
    bleeds: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    y, mouse, time, _ = bleeds
    two = time < 2
    test = random_intercept_test(y[:, two], np.column_stack([np.ones(20), time[two]]), mouse[two], 1)
    expected = stats.ttest_rel(y[:, time == 1], y[:, time == 0], axis=1)
    np.testing.assert_allclose(test.t, expected.statistic, rtol=1e-4)
    np.testing.assert_allclose(test.df, 9, rtol=1e-3)


def test_unbalanced_agrees_with_statsmodels(
    bleeds: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """With gaps, estimate and standard error are those of an independent REML program."""
    import warnings

    import statsmodels.api as sm

    y, mouse, time, group = bleeds
    y = y.copy()
    y[np.random.default_rng(1).random(y.shape) < 0.15] = np.nan
    x = np.column_stack([np.ones(30), group, time])
    test = random_intercept_test(y, x, mouse, 1)
    compared = 0
    for row in np.flatnonzero(test.correlation > 0.05):
        known = np.isfinite(y[row])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                fit = sm.MixedLM(y[row, known], x[known], groups=mouse[known]).fit(reml=True, method="lbfgs")
            except np.linalg.LinAlgError:  # that program does not get through every row
                continue
        assert test.estimate[row] == pytest.approx(fit.fe_params[1], abs=1e-3)
        assert test.se[row] == pytest.approx(fit.bse_fe[1], rel=1e-2)
        compared += 1
    assert compared >= 4


@pytest.mark.parametrize("within", [False, True])
def test_null_p_values_hold_the_level(within: bool) -> None:
    """8 mice, 1 to 4 bleeds each: not above the exact 99.9 % band; below it between so few unequal animals."""
    rng = np.random.default_rng(3)
    mouse = np.repeat(np.arange(8), [1, 2, 3, 4, 2, 3, 4, 2])
    x = np.column_stack([np.ones(21), rng.normal(size=21) if within else mouse % 2])
    y = 0.7 * rng.normal(size=(1500, 8))[:, mouse] + rng.normal(size=(1500, 21))
    p = random_intercept_test(y, x, mouse, 1).p
    low, high = stats.binom.ppf([0.0005, 0.9995], len(p), 0.05)
    assert (low if within else 0.5 * low) <= (p < 0.05).sum() <= high


def test_labels_notes_and_refusals() -> None:
    rng = np.random.default_rng(2)
    names = [f"s{i:02d}" for i in range(16)]
    values = pd.DataFrame(rng.normal(size=(16, 3)), index=names, columns=["a", "b", "c"])
    values.loc[names[2:], "b"] = np.nan
    table = pd.DataFrame(
        {"mouse": np.repeat([f"m{i}" for i in range(8)], 2), "group": np.repeat(["CON", "SUS"], 8)}, index=names
    )
    ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL")
    found = repeated_measures_test(ds, design="~ group", coefficient="group", block="mouse", samples=table).table
    assert found["note"].tolist() == ["", "not measured in enough samples for this model", ""]
    assert found["n_1"].tolist() == [8, 0, 8]
    with pytest.raises(InputError, match="no column 'animal'"):
        repeated_measures_test(ds, design="~ group", coefficient="group", block="animal", samples=table)
    single = table.assign(mouse=names)
    with pytest.raises(RefusedError, match="at least two blocks"):
        repeated_measures_test(ds, design="~ group", coefficient="group", block="mouse", samples=single)
