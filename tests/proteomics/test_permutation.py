"""Sample-label permutation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from core.errors import RefusedError
from proteomics.linear_model import fit_linear
from proteomics.moderated import moderate
from proteomics.permutation import permutation_test


def test_p_is_the_share_of_all_relabellings() -> None:
    """Against every one of the 70 ways to split 8 samples into 4 and 4."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=(20, 8))
    label = np.repeat([0.0, 1.0], 4)
    sizes = []
    for chosen in combinations(range(8), 4):
        design = np.column_stack([np.ones(8), np.isin(np.arange(8), chosen)])
        sizes.append(np.abs(moderate(fit_linear(y, design)).t[:, 1]))
    observed = np.abs(moderate(fit_linear(y, np.column_stack([np.ones(8), label]))).t[:, 1])
    exact = (np.array(sizes) >= observed - 1e-9).mean(axis=0)
    found = permutation_test(y, label, seed=1, permutations=1999)
    assert found.labellings == 70
    assert np.abs(found.p - exact).max() < 4 * np.sqrt(0.25 / 2000)
    family = (np.array(sizes).max(axis=1)[:, None] >= observed - 1e-9).mean(axis=0)
    assert np.abs(found.p_family - family).max() < 4 * np.sqrt(0.25 / 2000)


def test_labels_stay_within_strata_and_plate_effects_do_not_matter() -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(size=(15, 16))
    plate = np.repeat(["1", "2"], 8)
    label = np.tile(np.repeat([0.0, 1.0], 4), 2)
    one = permutation_test(y, label, strata=plate, seed=5, permutations=199)
    two = permutation_test(y + 9 * (plate == "2"), label, strata=plate, seed=5, permutations=199)
    np.testing.assert_allclose(one.p, two.p)
    assert one.labellings == 70 * 70


def test_same_seed_same_result_and_missing_values_are_carried() -> None:
    rng = np.random.default_rng(6)
    y = rng.normal(size=(10, 12))
    y[0, :6] = np.nan
    y[1, 0] = np.nan
    label = np.repeat([0.0, 1.0], 6)
    one, two = (permutation_test(y, label, seed=8, permutations=99) for _ in range(2))
    np.testing.assert_array_equal(one.p, two.p)
    assert np.isnan(one.p[0])
    assert np.isfinite(one.p[1:]).all()


def test_too_few_labellings_are_refused() -> None:
    with pytest.raises(RefusedError, match="found 6"):
        permutation_test(np.zeros((2, 4)), [0, 0, 1, 1], seed=1)


def test_correlated_proteins_keep_the_level() -> None:
    """Proteins that share one factor: any hit in the panel at p_family < 0.1 in about a tenth of null panels."""
    rng = np.random.default_rng(10)
    label = np.repeat([0.0, 1.0], 6)
    hits = 0
    for _ in range(60):
        y = rng.normal(size=(10, 12)) + 2 * rng.normal(size=12)
        hits += permutation_test(y, label, seed=rng, permutations=39).p_family.min() <= 0.1
    assert stats.binomtest(hits, 60, 0.1).pvalue > 0.001
