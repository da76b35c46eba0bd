"""Set tests against R limma's stored results, and their behaviour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.errors import InputError, RefusedError
from proteomics.camera import camera, camera_of_statistics
from proteomics.linear_model import fit_linear
from proteomics.moderated import moderate
from proteomics.roast import fry, roast
from proteomics.romer import romer
from proteomics.set_effects import SetEffects, null_share, set_effects, t_as_normal

EXACT = 1e-6
ROTATIONS = 9999


@pytest.fixture(scope="module")
def reference(shared: Path) -> tuple[Path, SetEffects, dict[str, list[str]]]:
    folder = shared / "proteomics/prometis_mouse_plasma/reference_gene_sets"
    matrix = pd.read_csv(folder / "matrix.csv", index_col=0)
    design = pd.read_csv(folder / "design.csv", index_col=0)
    sets = pd.read_csv(folder / "sets.csv").groupby("set", sort=False)["id"].apply(list).to_dict()
    effects = set_effects(matrix, design, 1, proteins=list(matrix.index))
    return folder, effects, sets


def _same(found: pd.DataFrame, expected: pd.DataFrame, columns: dict[str, str]) -> None:
    assert found["set"].tolist() == expected["set"].tolist()
    assert found["direction"].str.capitalize().tolist() == expected["Direction"].tolist()
    for ours, theirs in columns.items():
        np.testing.assert_allclose(found[ours], expected[theirs], rtol=EXACT, err_msg=ours)


def test_camera_equals_limma(reference: tuple[Path, SetEffects, dict[str, list[str]]]) -> None:
    """Preset correlation, estimated correlation, ranks and ready statistics."""
    folder, effects, sets = reference
    columns = {"p": "PValue", "q": "FDR", "n_proteins": "NGenes"}
    preset = camera(effects, sets, correlation=0.01)
    _same(preset, pd.read_csv(folder / "camera_default_cor0.01.csv"), columns)
    _same(
        camera(effects, sets),
        pd.read_csv(folder / "camera_estimated_cor.csv"),
        {**columns, "correlation": "Correlation"},
    )
    _same(camera(effects, sets, correlation=0.01, ranks=True), pd.read_csv(folder / "camera_ranks.csv"), columns)
    ready = camera_of_statistics(dict(zip(effects.proteins, effects.t, strict=True)), sets)
    _same(ready, pd.read_csv(folder / "cameraPR_moderated_t.csv"), columns)


def test_fry_equals_limma(reference: tuple[Path, SetEffects, dict[str, list[str]]]) -> None:
    folder, effects, sets = reference
    columns = {"p": "PValue", "q": "FDR", "p_mixed": "PValue.Mixed", "q_mixed": "FDR.Mixed"}
    _same(fry(effects, sets), pd.read_csv(folder / "fry_default.csv"), columns)
    _same(fry(effects, sets, standardize=False), pd.read_csv(folder / "fry_standardize_none.csv"), columns)


def _within_error(found: pd.Series, expected: pd.Series, rotations: int) -> None:
    """Two Monte-Carlo estimates differ by less than four standard errors of their difference."""
    p = (found.to_numpy() + expected.to_numpy()) / 2
    error = np.sqrt(p * (1 - p) * (1 / rotations + 1 / ROTATIONS)) + 1 / ROTATIONS
    assert (np.abs(found.to_numpy() - expected.to_numpy()) < 4 * error).all()


@pytest.mark.parametrize("statistic", ["mean", "msq"])
def test_roast_agrees_with_limma(statistic: str, reference: tuple[Path, SetEffects, dict[str, list[str]]]) -> None:
    folder, effects, sets = reference
    expected = pd.read_csv(folder / f"mroast_{statistic}_nrot9999_seed20240607.csv")
    found = roast(effects, sets, seed=20240607, rotations=4999, statistic=statistic)
    np.testing.assert_allclose(found["share_up"], expected["PropUp"])
    np.testing.assert_allclose(found["share_down"], expected["PropDown"])
    assert found["direction"].str.capitalize().tolist() == expected["Direction"].tolist()
    _within_error(found["p"], expected["PValue"], 4999)
    _within_error(found["p_mixed"], expected["PValue.Mixed"], 4999)


def test_romer_agrees_with_limma(reference: tuple[Path, SetEffects, dict[str, list[str]]]) -> None:
    folder, effects, sets = reference
    expected = pd.read_csv(folder / "romer_nrot9999_seed20240607.csv")
    found = romer(effects, sets, seed=20240607, rotations=3999)
    for ours, theirs in {"p_up": "Up", "p_down": "Down", "p_mixed": "Mixed"}.items():
        _within_error(found[ours], expected[theirs], 3999)


@pytest.fixture
def correlated() -> tuple[np.ndarray, np.ndarray, list[str], dict[str, list[str]]]:
    """60 proteins that move together in the first ten, no difference between the groups."""
    rng = np.random.default_rng(6)
    matrix = rng.normal(size=(60, 16))
    matrix[:10] += 1.5 * rng.normal(size=16)
    design = np.column_stack([np.ones(16), np.repeat([0, 1], 8), rng.normal(size=16)])
    names = [f"p{row}" for row in range(60)]
    return matrix, design, names, {"together": names[:10], "rest": names[10:30]}


def test_effects_reproduce_the_moderated_t(
    correlated: tuple[np.ndarray, np.ndarray, list[str], dict[str, list[str]]],
) -> None:
    """The rotation keeps the model: t of the contrast is the moderated t of the linear model."""
    matrix, design, names, _ = correlated
    result = moderate(fit_linear(matrix, design))
    np.testing.assert_allclose(set_effects(matrix, design, 1, proteins=names).t, result.t[:, 1], rtol=1e-9)
    weights = set_effects(matrix, design, [0, -2, 0], proteins=names)
    np.testing.assert_allclose(weights.t, -result.t[:, 1], rtol=1e-9)


def test_fry_of_one_mean_is_a_t_test_of_the_mean(
    correlated: tuple[np.ndarray, np.ndarray, list[str], dict[str, list[str]]],
) -> None:
    """Without standardisation the directional p is that of an ordinary regression of the members' mean."""
    matrix, design, names, sets = correlated
    found = fry(set_effects(matrix, design, 1, proteins=names), sets, standardize=False)
    y = matrix[:10].mean(axis=0)
    solution, squares, *_ = np.linalg.lstsq(design, y, rcond=None)
    se = np.sqrt(squares[0] / 13 * np.linalg.inv(design.T @ design)[1, 1])
    assert found["p"][0] == pytest.approx(2 * stats.t.sf(abs(solution[1] / se), 13), rel=1e-9)


def test_estimated_correlation_is_the_mean_pairwise_one(
    correlated: tuple[np.ndarray, np.ndarray, list[str], dict[str, list[str]]],
) -> None:
    matrix, design, names, sets = correlated
    effects = set_effects(matrix, design, 1, proteins=names)
    residual = matrix - (design @ np.linalg.lstsq(design, matrix.T, rcond=None)[0]).T
    unit = residual / np.sqrt((residual**2).sum(axis=1))[:, None]
    pairs = (unit @ unit.T)[:10, :10]
    expected = (pairs.sum() - 10) / 90
    assert camera(effects, sets)["correlation"][0] == pytest.approx(expected, rel=1e-9)


def test_rotations_are_reproducible(
    correlated: tuple[np.ndarray, np.ndarray, list[str], dict[str, list[str]]],
) -> None:
    matrix, design, names, sets = correlated
    effects = set_effects(matrix, design, 1, proteins=names)
    one, two, other = (roast(effects, sets, seed=seed, rotations=200) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)


def test_incomplete_proteins_are_listed_and_wrong_sets_refused(
    correlated: tuple[np.ndarray, np.ndarray, list[str], dict[str, list[str]]],
) -> None:
    matrix, design, names, _ = correlated
    matrix[3, 2] = np.nan
    effects = set_effects(matrix, design, 1, proteins=names)
    assert effects.incomplete == ("p3",)
    assert camera(effects, {"s": names[:5]})["n_proteins"].tolist() == [4]
    with pytest.raises(InputError, match="set s has no member"):
        fry(effects, {"s": ["p3"]})
    with pytest.raises(InputError, match="twice"):
        fry(effects, {"s": ["p1", "p1"]})
    with pytest.raises(RefusedError, match="leaves too few other proteins to compare with; found"):
        camera(effects, {"s": list(effects.proteins)[:-1]})
    with pytest.raises(RefusedError, match="measured in every sample"):
        set_effects(np.full((4, 6), np.nan), np.ones((6, 1)), 0, proteins=names[:4])


def test_normal_deviates_keep_the_tail_area() -> None:
    """Bailey's transformation is right to 0.01 in the deviate at 5 degrees of freedom."""
    t = np.linspace(-5, 5, 21)
    exact = stats.norm.ppf(stats.t.cdf(t, 5))
    np.testing.assert_allclose(t_as_normal(t, 5.0), exact, atol=0.01)
    np.testing.assert_allclose(t_as_normal(t, np.inf), t)


def test_null_share_of_a_mixture() -> None:
    rng = np.random.default_rng(0)
    p = np.concatenate([rng.uniform(size=8000), rng.beta(0.05, 10, 2000)])
    assert null_share(p) == pytest.approx(0.8, abs=0.05)


def test_negative_correlation_is_shown_but_not_used() -> None:
    """Proteins that oppose each other: the p is that of independent ones, the estimate stands in the table."""
    rng = np.random.default_rng(8)
    matrix = rng.normal(size=(40, 14))
    matrix[1] = -matrix[0] + 0.3 * rng.normal(size=14)
    design = np.column_stack([np.ones(14), np.repeat([0, 1], 7)])
    names = [f"p{row}" for row in range(40)]
    effects = set_effects(matrix, design, 1, proteins=names)
    free = camera(effects, {"opposed": names[:2]})
    assert free["correlation"][0] < -0.5
    t = -np.sign(effects.t) * stats.norm.ppf(stats.t.sf(np.abs(effects.t), effects.df_total))
    pooled = stats.ttest_ind(t[:2], t[2:])
    expected = 2 * stats.t.sf(abs(pooled.statistic), min(12, 38))
    assert free["p"][0] == pytest.approx(expected, rel=1e-6)
