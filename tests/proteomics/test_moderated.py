"""Moderated statistics against R limma's stored results, and by slow independent routes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from proteomics.linear_model import fit_linear
from proteomics.moderated import f_test, moderate
from proteomics.robust_variance_prior import _brent_root, robust_variance_prior
from proteomics.running_line import running_line
from proteomics.variance_prior import natural_spline_basis, variance_prior

EXACT, ROBUST = 1e-9, 1e-6


def _read(path: Path, **options: object) -> pd.DataFrame:
    path = path if path.exists() else path.with_name(path.name + ".gz")
    return pd.read_csv(path, **options)


def _cases(root: Path) -> list[Path]:
    """Folders of lmFit + eBayes cases; contrasts and F of three groups have tests of their own."""
    folders = sorted(path.parent for path in root.glob("proteomics/*/reference/*/scalars.csv"))
    assert len(folders) >= 57
    return folders


def _apart(ours: np.ndarray, limma: pd.Series) -> float:
    """Largest relative difference; missing must agree."""
    reference = limma.to_numpy(dtype=float)
    ours = np.asarray(ours, dtype=float)
    assert (np.isnan(ours) == np.isnan(reference)).all(), f"missing differs in {limma.name}"
    known = ~np.isnan(reference) & (ours != reference)
    return float(np.max(np.abs(ours - reference)[known] / np.abs(reference[known]), initial=0.0))


def test_every_reference_case_equals_limma(shared: Path) -> None:
    """lmFit + eBayes with missing values, covariates, trend, robust, weights and blocks: limma's numbers."""
    for case in _cases(shared):
        matrix = _read(case.parent / "matrix.csv", index_col=0).to_numpy(dtype=float)
        design = _read(case / "design.csv", index_col=0)
        expected = _read(case / "result.csv")
        scalars = _read(case / "scalars.csv").set_index("name")["value"]
        options = {}
        if (case / "array_weights.csv").exists():
            options["weights"] = _read(case / "array_weights.csv")["weight"].to_numpy()
        if (case / "block.csv").exists():
            options["block"] = _read(case / "block.csv", dtype=str)["block"].to_numpy()
            options["correlation"] = float(scalars["consensus_correlation"])
        robust = "robust" in case.name
        result = moderate(fit_linear(matrix, design, **options), trend="trend" in case.name, robust=robust)
        k = design.columns.get_loc(scalars["coef"])
        found = {
            "logFC": result.fit.coefficients[:, k],
            "t": result.t[:, k],
            "P.Value": result.p[:, k],
            "B": result.log_odds[:, k],
            "df.prior": result.prior.df,
            "s2.prior": result.prior.scale,
            "df.total": result.df_total,
            "s2.post": result.s2_post,
            "sigma": result.fit.sigma,
            "stdev.unscaled": result.fit.stdev_unscaled[:, k],
        }
        for column, values in found.items():
            apart = _apart(values, expected[column])
            assert apart < (ROBUST if robust else EXACT), f"{case}: {column} differs by {apart:.1e}"


def test_overall_f_equals_limma(shared: Path) -> None:
    """Moderated F of all coefficients with the design's own correlation, as limma has it."""
    for case in _cases(shared):
        if "block" in case.name or "arrayweights" in case.name or "robust" in case.name:
            continue
        matrix = _read(case.parent / "matrix.csv", index_col=0).to_numpy(dtype=float)
        design = _read(case / "design.csv", index_col=0)
        expected = _read(case / "F.csv")
        test = f_test(moderate(fit_linear(matrix, design), trend="trend" in case.name), covariance="design")
        assert _apart(test.f, expected["F"]) < EXACT
        assert _apart(test.p, expected["F.p.value"]) < EXACT


def test_f_of_two_coefficients_equals_limma(shared: Path) -> None:
    folder = shared / "proteomics/prometis_mouse_plasma/reference_three_groups"
    matrix = pd.read_csv(folder / "matrix.csv", index_col=0)
    design = pd.read_csv(folder / "13_anova_F/design.csv", index_col=0)
    expected = pd.read_csv(folder / "13_anova_F/result.csv")
    test = f_test(moderate(fit_linear(matrix, design)), [1, 2])
    assert _apart(test.f, expected["F"]) < EXACT
    assert _apart(test.p, expected["P.Value"]) < EXACT


@pytest.fixture
def noisy() -> tuple[np.ndarray, np.ndarray]:
    """40 proteins x 14 samples with gaps, a group and a covariate."""
    rng = np.random.default_rng(11)
    matrix = rng.normal(5, 1, (40, 14))
    matrix[rng.random(matrix.shape) < 0.15] = np.nan
    design = np.column_stack([np.ones(14), np.repeat([0, 1], 7), rng.normal(size=14)])
    return matrix, design


def test_least_squares_row_by_row(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    """All proteins at once give what one least-squares fit a protein gives."""
    matrix, design = noisy
    fit = fit_linear(matrix, design)
    for row, values in enumerate(matrix):
        known = ~np.isnan(values)
        solution, squares, *_ = np.linalg.lstsq(design[known], values[known], rcond=None)
        np.testing.assert_allclose(fit.coefficients[row], solution, rtol=1e-11)
        np.testing.assert_allclose(fit.sigma[row] ** 2, squares[0] / (known.sum() - 3), rtol=1e-10)


def test_blocks_and_value_weights_row_by_row(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    """Generalised least squares through the full covariance matrix of each protein gives the same."""
    matrix, design = noisy
    rng = np.random.default_rng(3)
    weights = rng.uniform(0.2, 4, matrix.shape)
    block = np.array(list("aabbbccddeefgg"))
    rho = 0.4
    fit = fit_linear(matrix, design, weights=weights, block=block, correlation=rho)
    same = np.where(np.eye(14) == 1, 1.0, rho * (block[:, None] == block))
    for row, values in enumerate(matrix):
        known = ~np.isnan(values)
        root = 1 / np.sqrt(weights[row][known])
        inverse = np.linalg.inv(root[:, None] * same[np.ix_(known, known)] * root)
        x, y = design[known], values[known]
        covariance = np.linalg.inv(x.T @ inverse @ x)
        solution = covariance @ x.T @ inverse @ y
        residual = y - x @ solution
        np.testing.assert_allclose(fit.coefficients[row], solution, rtol=1e-9)
        np.testing.assert_allclose(fit.covariance[row], covariance, rtol=1e-9)
        np.testing.assert_allclose(fit.sigma[row] ** 2, residual @ inverse @ residual / (known.sum() - 3), rtol=1e-9)


def test_protein_f_is_the_f_of_its_own_samples(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    """With missing values the F of a protein uses the covariance of the samples it was measured in."""
    matrix, design = noisy
    result = moderate(fit_linear(matrix, design))
    test = f_test(result, [1, 2])
    for row in range(5):
        known = ~np.isnan(matrix[row])
        covariance = np.linalg.inv(design[known].T @ design[known])[1:, 1:]
        effect = result.fit.coefficients[row, 1:]
        f = effect @ np.linalg.inv(covariance) @ effect / 2 / result.s2_post[row]
        np.testing.assert_allclose(test.f[row], f, rtol=1e-9)
        np.testing.assert_allclose(test.p[row], stats.f.sf(f, 2, result.df_total[row]), rtol=1e-9)


def test_order_of_samples_and_proteins_does_not_matter(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, design = noisy
    rng = np.random.default_rng(5)
    rows, columns = rng.permutation(40), rng.permutation(14)
    one = moderate(fit_linear(matrix, design), trend=True, robust=True)
    two = moderate(fit_linear(matrix[rows][:, columns], design[columns]), trend=True, robust=True)
    np.testing.assert_allclose(one.t[rows], two.t, rtol=1e-7)


def test_shift_and_scale(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    """Other units change the effect and not the test."""
    matrix, design = noisy
    one, two = (moderate(fit_linear(values, design)) for values in (matrix, 3 * matrix + 7))
    np.testing.assert_allclose(two.t[:, 1:], one.t[:, 1:], rtol=1e-9)
    np.testing.assert_allclose(two.fit.coefficients[:, 1:], 3 * one.fit.coefficients[:, 1:], rtol=1e-9)


def test_prior_is_recovered_from_simulated_variances() -> None:
    """Variances drawn from a scaled F with 8 prior df and location 0.5 give those back."""
    rng = np.random.default_rng(2)
    true = 0.5 * 8 / rng.chisquare(8, 40_000)
    prior = variance_prior(true * rng.chisquare(6, 40_000) / 6, np.full(40_000, 6.0))
    assert prior.df[0] == pytest.approx(8, rel=0.05)
    assert prior.scale[0] == pytest.approx(0.5, rel=0.02)


def test_spline_is_straight_outside_and_smooth_inside() -> None:
    x = np.linspace(-1, 3, 401)
    basis = natural_spline_basis(x, np.array([0.7, 1.3]), (0.0, 2.0))
    second = np.diff(basis, 2, axis=0)
    assert np.abs(second[(x[1:-1] < -0.01) | (x[1:-1] > 2.01)]).max() < 1e-12
    assert np.abs(np.diff(basis, 3, axis=0)).max() < 1e-5


def test_equal_variances_give_an_infinite_prior() -> None:
    rng = np.random.default_rng(4)
    matrix = rng.normal(size=(500, 8))
    variance = fit_linear(matrix, np.ones((8, 1))).sigma ** 2
    even = 1 + (variance - 1) * 0.1
    prior = variance_prior(even, np.full(500, 7.0))
    assert np.isinf(prior.df).all()
    assert prior.scale[0] == pytest.approx(even.mean())


def test_a_design_that_cannot_tell_its_columns_apart_is_refused_by_name() -> None:
    design = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]])
    from core.errors import RefusedError

    with pytest.raises(RefusedError, match=r"plate2 follows from SUS"):
        fit_linear(np.zeros((2, 6)), design, names=["Intercept", "SUS", "plate2"])
    with pytest.raises(RefusedError, match=r"3 samples for 3 coefficients"):
        fit_linear(np.zeros((2, 3)), [[1, 0, 0], [1, 1, 0], [1, 0, 1]])


def test_bad_numbers_are_errors() -> None:
    design = np.column_stack([np.ones(4), [0, 0, 1, 1]])
    with pytest.raises(ValueError, match="infinite"):
        fit_linear([[1, 2, -np.inf, 3]], design)
    with pytest.raises(ValueError, match="positive"):
        fit_linear(np.zeros((1, 4)), design, weights=[1, 1, 0, 1])
    with pytest.raises(ValueError, match=r"not possible for blocks of 2"):
        fit_linear(np.zeros((1, 4)), design, block=list("aabb"), correlation=-1.0)
    with pytest.raises(ValueError, match="without blocks"):
        fit_linear(np.zeros((1, 4)), design, correlation=0.1)


def test_value_with_zero_weight_is_as_good_as_missing(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, design = noisy
    weights = np.where(np.isnan(matrix), 0.0, 1.0)
    one = fit_linear(np.nan_to_num(matrix, nan=99.0), design, weights=weights)
    two = fit_linear(matrix, design)
    np.testing.assert_allclose(one.coefficients, two.coefficients, rtol=1e-10)
    np.testing.assert_array_equal(one.n_used, two.n_used)


#: lowess(x, y, f = 0.4, iter = 3, delta = 0.01 * diff(range(x))) of R 4.2.2, with
#: x = c(0.1, 0.5, 0.5, 0.9, 1.4, 2.2, 2.205, 3.1, 4.0, 4.0, 5.3, 7.7), y = c(1, 3, 2, 5, 4, 9, 7, 30, 9, 11, 12, 10).
R_LOWESS = [
    1.0000000000000002,
    2.5,
    2.5,
    5,
    4.0000270832247367,
    7.8182620414776505,
    7.8416386435002305,
    29.999963684150948,
    10.000000000000071,
    10.000000000000071,
    12.000000000000011,
    10.000000000000004,
]


def test_running_line_is_r_lowess() -> None:
    """Ties, points within delta of each other and an outlier, against R's numbers."""
    x = np.array([0.1, 0.5, 0.5, 0.9, 1.4, 2.2, 2.205, 3.1, 4.0, 4.0, 5.3, 7.7])
    y = np.array([1, 3, 2, 5, 4, 9, 7, 30, 9, 11, 12, 10.0])
    np.testing.assert_allclose(running_line(x, y), R_LOWESS, rtol=1e-12)
    np.testing.assert_allclose(running_line(x[::-1], y[::-1])[-2:], R_LOWESS[1::-1], rtol=1e-12)


def test_root_search_finds_the_root() -> None:
    for root in (0.2, 0.5, 0.93):
        found = _brent_root(lambda value, root=root: np.expm1(3 * (value - root)), 0.0, 1.0)
        assert abs(found - root) < 1e-8


def test_few_proteins_and_rows_without_variance_keep_the_trend() -> None:
    """Seven variances: nothing can be an outlier, the plain trend holds; a row without one is interpolated."""
    rng = np.random.default_rng(1)
    variance, average = rng.chisquare(4, 8) / 4, rng.normal(6, 2, 8)
    df = np.full(8, 4.0)
    df[3], variance[3] = 0.0, np.nan
    robust = robust_variance_prior(variance, df, covariate=average)
    plain = variance_prior(variance, df, covariate=average)
    kept = df > 0
    np.testing.assert_allclose(robust.scale[kept], plain.scale[kept])
    order = np.argsort(average[kept])
    expected = np.interp(average[3], average[kept][order], np.log(plain.scale[kept][order]))
    assert np.log(robust.scale[3]) == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), gaps=st.floats(0, 0.4), blocks=st.booleans(), weighted=st.booleans())
def test_adding_a_fitted_part_moves_the_coefficients_by_it(
    seed: int, gaps: float, blocks: bool, weighted: bool
) -> None:
    """y + X b has the coefficients of y plus b and the same residuals, whatever is missing, weighted or correlated."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(6, 15)), int(rng.integers(1, 4))
    design = np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))])
    matrix = rng.normal(size=(5, n))
    matrix[rng.random(matrix.shape) < gaps] = np.nan
    options = {}
    if blocks:
        options = {"block": np.arange(n) // 2, "correlation": float(rng.uniform(-0.5, 0.8))}
    if weighted:
        options["weights"] = rng.uniform(0.2, 3, n)
    shift = rng.normal(size=(5, k))
    one, two = fit_linear(matrix, design, **options), fit_linear(matrix + shift @ design.T, design, **options)
    whole = np.isfinite(one.coefficients).all(axis=1)
    np.testing.assert_allclose(two.coefficients[whole], (one.coefficients + shift)[whole], atol=1e-6)
    np.testing.assert_allclose(two.sigma[whole], one.sigma[whole], atol=1e-8)
    np.testing.assert_array_equal(two.df_residual, one.df_residual)
    np.testing.assert_array_equal(np.isnan(two.coefficients), np.isnan(one.coefficients))


@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize("robust", [False, True])
def test_a_protein_without_any_value_changes_nothing(
    trend: bool, robust: bool, noisy: tuple[np.ndarray, np.ndarray]
) -> None:
    matrix, design = noisy
    whole = moderate(fit_linear(matrix, design), trend=trend, robust=robust)
    with_empty = np.vstack([matrix, np.full((1, 14), np.nan)])
    more = moderate(fit_linear(with_empty, design), trend=trend, robust=robust)
    for name in ("t", "p", "log_odds", "df_total"):
        found = getattr(more, name)
        np.testing.assert_allclose(found[:-1], getattr(whole, name), rtol=1e-12)
    assert np.isnan(more.t[-1]).all()
    assert np.isnan(more.p[-1]).all()
    assert np.isnan(more.fit.average[-1])
