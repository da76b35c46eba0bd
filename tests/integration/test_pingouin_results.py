from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from integration.pingouin_results import (
    analysis_of_variance,
    correlation,
    group_ancova,
    linear_slope,
    partial_correlation,
    unrounded,
    welch_t,
)  # fmt: skip

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=30), RNG.normal(size=30)
NONE = pd.DataFrame(index=range(30))


def test_options_are_restored_even_after_an_error():
    before = dict(pingouin.options)
    with pytest.raises(RuntimeError), unrounded():
        raise RuntimeError
    assert dict(pingouin.options) == before


def test_intervals_are_not_rounded():
    found = correlation(X, Y)
    z, half = np.arctanh(found.estimate), stats.norm.ppf(0.975) / np.sqrt(27)
    assert (found.ci_low, found.ci_high) == pytest.approx((np.tanh(z - half), np.tanh(z + half)), rel=1e-12)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_partial_correlation_without_terms_is_the_plain_one(method):
    plain, partial = correlation(X, Y, method=method), partial_correlation(X, Y, NONE, method=method)
    assert (partial.estimate, partial.p) == (plain.estimate, plain.p)
    assert partial.method == f"partial_{method}"


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_partial_correlation_equals_that_of_pingouin_and_of_residuals(method):
    terms = pd.DataFrame({"age": RNG.gamma(2.0, size=30), "b": np.repeat([0.0, 1.0], 15)})
    x, y = X + terms["age"].to_numpy(), Y - 1000 * terms["b"].to_numpy()
    found = partial_correlation(x, y, terms, method=method)
    row = pingouin.partial_corr(terms.assign(x=x, y=y), x="x", y="y", covar=["age", "b"], method=method).iloc[0]
    assert (found.n, found.df) == (row["n"], 26)
    assert (found.estimate, found.p) == pytest.approx((row["r"], row["p_val"]), rel=1e-10)
    ranked = (lambda v: stats.rankdata(v, axis=0)) if method == "spearman" else np.asarray
    design = np.column_stack([np.ones(30), ranked(terms)])
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (ranked(x), ranked(y))]
    assert found.estimate == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-10)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_correlation_has_no_interval_and_no_warning(sign):
    found = correlation(X, sign * X, method="spearman")
    assert (found.estimate, found.p) == (sign, 0)
    assert np.isnan([found.ci_low, found.ci_high]).all()


def test_bicor_resists_one_wild_mouse():
    x = np.append(np.arange(20.0), 19.0)
    y = np.append(np.arange(20.0), -500.0)
    assert correlation(x, y, method="bicor").estimate > 0.9 > correlation(x, y).estimate


def test_slope_without_covariates_equals_linregress():
    found, expected = linear_slope(Y, X, NONE), stats.linregress(X, Y)
    assert (found.estimate, found.se, found.p) == pytest.approx((expected.slope, expected.stderr, expected.pvalue))


def test_badly_scaled_covariates_change_nothing():
    terms = pd.DataFrame({"day": RNG.normal(size=30), "cell": RNG.normal(size=30)})
    plain = linear_slope(Y, X, terms)
    scaled = linear_slope(Y, X, terms.assign(day=2e7 + 1e-3 * terms["day"], cell=1e9 * terms["cell"]))
    assert (scaled.estimate, scaled.se, scaled.p) == pytest.approx((plain.estimate, plain.se, plain.p), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: correlation([1, 2, np.nan], [1, 2, 3]), "missing or infinite"),
        (lambda: correlation([1, 1, 1], [1, 2, 3]), "all alike"),
        (lambda: correlation([1, 2, 3], [1, 2]), "differ in length"),
        (lambda: welch_t([1.0], [1.0, 2.0]), "too few"),
        (lambda: analysis_of_variance([[1.0, 2.0], [3.0, 3.0]]), "all alike"),
        (lambda: linear_slope([1, 2, 4], [1, 2, 3], pd.DataFrame({"a": [1.0, 0, 0]})), "nothing is left to test"),
        (lambda: linear_slope(Y, X, pd.DataFrame({"a": 2 * X + 1})), "in the span"),
        (lambda: group_ancova(pd.DataFrame({"y": [1.0, np.nan], "g": list("ab")}), outcome="y", group="g",
                              covariates=[]), "missing values"),
    ],
)  # fmt: skip
def test_input_is_checked_before_pingouin_sees_it(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_classical_and_welch_anova_differ_only_in_name_and_method():
    groups = [RNG.normal(size=8), RNG.normal(size=12), RNG.normal(1, 3, size=9)]
    classical = analysis_of_variance(groups, welch=False)
    expected = stats.f_oneway(*groups)
    assert (classical.statistic, classical.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert classical.df == 26
    welch = analysis_of_variance(groups)
    assert welch.df < 26
    # R: oneway.test, by its formula
    w = np.array([len(g) / g.var(ddof=1) for g in groups])
    m = np.array([g.mean() for g in groups])
    centre = (w * m).sum() / w.sum()
    lam = sum((1 - wi / w.sum()) ** 2 / (len(g) - 1) for wi, g in zip(w, groups, strict=True))
    f = (w * (m - centre) ** 2).sum() / 2 / (1 + 2 * (3 - 2) / (3**2 - 1) * lam)
    assert welch.statistic == pytest.approx(f)
    assert welch.df == pytest.approx((3**2 - 1) / (3 * lam))
