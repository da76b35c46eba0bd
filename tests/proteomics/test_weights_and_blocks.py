"""Sample weights, correlation within blocks, contrasts and thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, RefusedError
from proteomics.abundance import from_frame
from proteomics.array_weights import array_weights
from proteomics.block_correlation import block_correlation
from proteomics.contrasts import contrast_matrix, contrasts
from proteomics.differential import moderated_test, two_group
from proteomics.linear_model import fit_linear
from proteomics.moderated import moderate
from proteomics.treat import treat


def _read(path: Path, **options: object) -> pd.DataFrame:
    path = path if path.exists() else path.with_name(path.name + ".gz")
    return pd.read_csv(path, **options)


def _cases(shared: Path, file: str) -> list[tuple[Path, np.ndarray, np.ndarray]]:
    found = []
    for path in sorted(shared.glob(f"proteomics/*/reference/*/{file}")):
        matrix = _read(path.parents[1] / "matrix.csv", index_col=0).to_numpy(dtype=float)
        design = pd.read_csv(path.parent / "design.csv", index_col=0).to_numpy(dtype=float)
        found.append((path.parent, matrix, design))
    assert found
    return found


@pytest.mark.slow
def test_array_weights_are_limmas(shared: Path) -> None:
    """REML within 1 % (limma stops before it converges); gene by gene to rounding."""
    for case, matrix, design in _cases(shared, "array_weights.csv"):
        if case.name.startswith("10"):  # the same weights, used with blocks
            continue
        expected = pd.read_csv(case / "array_weights.csv")["weight"]
        one_pass = "genebygene" in case.name or np.isnan(matrix).any()
        found = array_weights(matrix, design, method="gene_by_gene" if one_pass else "auto")
        np.testing.assert_allclose(found, expected, rtol=1e-9 if one_pass else 0.01, err_msg=str(case))


def test_consensus_correlation_is_limmas(shared: Path) -> None:
    """Within 0.005, with and without sample weights."""
    for case, matrix, design in _cases(shared, "block.csv"):
        block = pd.read_csv(case / "block.csv", dtype=str)["block"].to_numpy()
        scalars = pd.read_csv(case / "scalars.csv", index_col=0)["value"]
        weights = None
        if (case / "array_weights.csv").exists():
            weights = pd.read_csv(case / "array_weights.csv")["weight"].to_numpy()
        found = block_correlation(matrix, design, block, weights=weights)
        assert found.consensus == pytest.approx(float(scalars["consensus_correlation"]), abs=0.005), case


def _log_likelihood(y: np.ndarray, x: np.ndarray, covariance: np.ndarray) -> float:
    """Residual log likelihood with the scale profiled out, through the full covariance matrix."""
    inverse = np.linalg.inv(covariance)
    information = x.T @ inverse @ x
    residual = y - x @ np.linalg.solve(information, x.T @ inverse @ y)
    free = len(y) - x.shape[1]
    return -0.5 * float(
        np.linalg.slogdet(covariance)[1]
        + np.linalg.slogdet(information)[1]
        + free * np.log(residual @ inverse @ residual)
    )


def test_block_correlation_is_the_maximum_of_the_full_likelihood() -> None:
    """Blocks of different sizes, gaps and weights: nowhere on a fine grid is the likelihood higher."""
    rng = np.random.default_rng(9)
    block = np.repeat(np.arange(9), [1, 2, 2, 3, 3, 4, 4, 5, 1])
    n = len(block)
    design = np.column_stack([np.ones(n), rng.normal(size=n)])
    weights = rng.uniform(0.3, 3, n)
    matrix = rng.normal(size=(12, 9))[:, block] + rng.normal(size=(12, n))
    matrix[rng.random(matrix.shape) < 0.15] = np.nan
    found = np.tanh(block_correlation(matrix, design, block, weights=weights).atanh_each)
    root = 1 / np.sqrt(weights)
    for y, rho in zip(matrix, found, strict=True):
        known = ~np.isnan(y)

        def height(value: float, y: np.ndarray = y, known: np.ndarray = known) -> float:
            same = np.where(np.eye(n) == 1, 1.0, value * (block[:, None] == block))
            covariance = (root[:, None] * same * root)[np.ix_(known, known)]
            return _log_likelihood(y[known], design[known], covariance)

        best = height(float(rho))
        assert all(height(value) <= best + 1e-9 for value in np.linspace(1 / (1 - 5) + 0.011, 0.99, 150))


def test_array_weights_are_the_maximum_of_the_full_likelihood() -> None:
    """With gaps, no weight moved by itself raises the likelihood of all proteins (no prior)."""
    rng = np.random.default_rng(2)
    design = np.column_stack([np.ones(9), np.repeat([0, 1], [4, 5])])
    matrix = rng.normal(size=(80, 9)) * np.array([1, 1, 3, 1, 1, 0.5, 1, 1, 1])
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    weights = array_weights(matrix, design, method="reml", prior_proteins=0)
    assert np.prod(weights) == pytest.approx(1)
    assert weights.argmin() == 2
    assert weights.argmax() == 5

    def height(log_variance: np.ndarray) -> float:
        total = 0.0
        for y in matrix:
            known = ~np.isnan(y)
            total += _log_likelihood(y[known], design[known], np.diag(np.exp(log_variance[known])))
        return total

    best = height(-np.log(weights))
    for sample in range(9):
        for step in (-0.02, 0.02):
            moved = -np.log(weights)
            moved[sample] += step
            assert height(moved) < best


def test_reml_weights_do_not_depend_on_the_order_of_proteins() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(60, 8))
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    design = np.ones((8, 1))
    one = array_weights(matrix, design, method="reml")
    two = array_weights(matrix[::-1], design, method="reml")
    np.testing.assert_allclose(one, two, rtol=1e-9)


def test_blocks_within_the_design_leave_nothing() -> None:
    block = np.repeat(list("abc"), 3)
    design = (block[:, None] == np.array(list("abc"))).astype(float)
    assert block_correlation(np.random.default_rng(0).normal(size=(5, 9)), design, block).consensus == 0


def test_what_cannot_be_estimated_is_refused() -> None:
    with pytest.raises(RefusedError, match="at least two blocks"):
        block_correlation(np.zeros((2, 4)), np.ones((4, 1)), list("abcd"))
    with pytest.raises(RefusedError, match="how well the samples fit"):
        array_weights(np.ones((3, 6)), np.ones((6, 1)), method="reml")
    with pytest.raises(ValueError, match="gene_by_gene"):
        array_weights(np.zeros((3, 6)), np.ones((6, 1)), method="fast")


def test_contrasts_and_treat_equal_limma(shared: Path) -> None:
    for path in sorted(shared.glob("proteomics/*/reference_three_groups/*/contrast.csv")):
        case = path.parent
        matrix = pd.read_csv(case.parent / "matrix.csv", index_col=0)
        design = pd.read_csv(case / "design.csv", index_col=0)
        expected = pd.read_csv(case / "result.csv")
        robust = "robust" in case.name
        fit = contrasts(fit_linear(matrix, design), pd.read_csv(path, index_col=0))
        result = moderate(fit, trend="trend" in case.name, robust=robust)
        for ours, theirs in ((result.t, "t"), (result.p, "P.Value"), (result.log_odds, "B")):
            np.testing.assert_allclose(ours[:, 0], expected[theirs], rtol=1e-6 if robust else 1e-9)
        if (case / "treat.csv").exists():
            _same_treat(case, result, 0)


def test_treat_of_two_groups_equals_limma(shared: Path) -> None:
    for case, matrix, design in _cases(shared, "treat.csv"):
        _same_treat(case, moderate(fit_linear(matrix, design)), 1)


def _same_treat(case: Path, result: object, column: int) -> None:
    expected = pd.read_csv(case / "treat.csv")
    found = treat(result, 0.5)
    np.testing.assert_allclose(found.t[:, column], expected["t"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.p[:, column], expected["P.Value"], rtol=1e-9)


def test_contrast_of_cell_means_is_the_treatment_coefficient() -> None:
    """With gaps, the contrast with each protein's own covariance is the test of the equivalent design."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(30, 12))
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    group = np.repeat([0, 1, 2], 4)
    sex = rng.normal(size=12)
    means = np.column_stack([group == 0, group == 1, group == 2, sex]).astype(float)
    coded = np.column_stack([np.ones(12), group == 1, group == 2, sex]).astype(float)
    weights = contrast_matrix(["CON", "RES", "SUS", "sex"], {"SUS_CON": {"SUS": 1, "CON": -1}})
    one = moderate(contrasts(fit_linear(matrix, means), weights))
    two = moderate(fit_linear(matrix, coded))
    np.testing.assert_allclose(one.t[:, 0], two.t[:, 2], rtol=1e-9)
    approximate = moderate(contrasts(fit_linear(matrix, means), weights, covariance="design"))
    assert not np.allclose(approximate.t[:, 0], two.t[:, 2], rtol=1e-3)
    with pytest.raises(InputError, match="'SUZ'"):
        contrast_matrix(["CON"], {"x": {"SUZ": 1}})


def test_labelled_weights_and_blocks(shared: Path) -> None:
    """Array weights, then consensus, then the model: the order that the reference takes."""
    folder = shared / "proteomics/olink_mouse_dbs_t1d/reference"
    matrix = pd.read_csv(folder / "matrix.csv", index_col=0)
    samples = pd.read_csv(folder / "samples.csv", dtype={"sample": str}).set_index("sample")
    ds = from_frame(matrix.T, platform="Olink NPX", species="mouse", unit="NPX")
    expected = pd.read_csv(folder / "10_block_arrayweights/result.csv")
    result = two_group(
        ds,
        group=samples["status"],
        case="infected",
        reference="not_infected",
        weights="array",
        block=samples["subject"],
    )
    np.testing.assert_allclose(result.table["logfc"], expected["logFC"], atol=0.002)
    np.testing.assert_allclose(result.table["t"], expected["t"], atol=0.02)
    assert result.correlation == pytest.approx(0.0168, abs=0.005)
    given = moderated_test(
        ds,
        design="~ C(status, contr.treatment('not_infected'))",
        samples=samples,
        coefficient="C(status, contr.treatment('not_infected'))",
        weights=pd.Series(pd.read_csv(folder / "10_block_arrayweights/array_weights.csv", index_col=0)["weight"]),
        block="subject",
        correlation=float(
            pd.read_csv(folder / "10_block_arrayweights/scalars.csv", index_col=0)["value"]["consensus_correlation"]
        ),
    )
    np.testing.assert_allclose(given.table["t"], expected["t"], rtol=1e-9)
    with pytest.raises(InputError, match="no column 'mouse'"):
        moderated_test(ds, design="~ status", samples=samples, coefficient="status", block="mouse")
