"""Censored and detection models: the likelihood by another route, what is refused, and that they hold their level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import optimize, stats

from core.errors import RefusedError
from proteomics.abundance import from_frame
from proteomics.censored import censored_likelihood_test, censored_test
from proteomics.censored_regression import fit_censored
from proteomics.detection_model import detection_likelihood_test, detection_test
from proteomics.firth_logistic import fit_firth


def _minus_log_likelihood(parameters: np.ndarray, y: np.ndarray, side: np.ndarray, x: np.ndarray) -> float:
    mean, sigma = x @ parameters[:-1], np.exp(parameters[-1])
    parts = np.where(
        side == 0,
        stats.norm.logpdf(y, mean, sigma),
        np.where(side == -1, stats.norm.logcdf(y, mean, sigma), stats.norm.logsf(y, mean, sigma)),
    )
    return -float(parts.sum())


@pytest.fixture
def censored() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """20 rows of 30 values, low ones below 4.5 and high ones above 6.5."""
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(30), np.repeat([0, 1], 15), rng.normal(size=30)])
    y = rng.normal(5, 1, (20, 30)) + 0.5 * x[:, 1]
    side = np.where(y < 4.5, -1, np.where(y > 6.5, 1, 0))
    return np.clip(y, 4.5, 6.5), side, x


def test_maximum_by_a_general_optimiser(censored: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    y, side, x = censored
    fit = fit_censored(y, side, x)
    for row in range(len(y)):
        start = np.append(np.linalg.lstsq(x, y[row], rcond=None)[0], 0.0)
        found = optimize.minimize(
            _minus_log_likelihood, start, (y[row], side[row], x), method="BFGS", options={"gtol": 1e-7}
        )
        assert fit.log_likelihood[row] == pytest.approx(-found.fun, abs=1e-7)
        np.testing.assert_allclose(fit.coefficients[row], found.x[:-1], atol=1e-4)
        assert fit.sigma[row] == pytest.approx(np.exp(found.x[-1]), abs=1e-4)


def test_without_censoring_the_test_is_the_t_test() -> None:
    """Nothing censored: p is that of the ordinary regression, exactly; a missing value is left out."""
    rng = np.random.default_rng(1)
    y = rng.normal(5, 1, (3, 24))
    y[2, 5] = np.nan
    x = np.column_stack([np.ones(24), np.repeat([0, 1], 12)])
    test = censored_likelihood_test(y, np.zeros((3, 24)), x, 1)
    for row in range(3):
        known = np.isfinite(y[row])
        group = x[:, 1] == 1
        expected = stats.ttest_ind(y[row][known & group], y[row][known & ~group])
        assert test.p[row] == pytest.approx(expected.pvalue, rel=1e-6)
        assert test.t[row] == pytest.approx(expected.statistic, rel=1e-6)


def test_units_do_not_matter(censored: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    y, side, x = censored
    one = censored_likelihood_test(y, side, x, 1)
    two = censored_likelihood_test(100 * y - 7, side, x, 1)
    np.testing.assert_allclose(two.p, one.p, rtol=1e-5)
    np.testing.assert_allclose(two.estimate, 100 * one.estimate, rtol=1e-4)
    mirrored = censored_likelihood_test(-y, -side, x, 1)
    np.testing.assert_allclose(mirrored.p, one.p, rtol=1e-5)


def test_one_side_wholly_below_the_limit_has_a_p_and_no_size() -> None:
    rng = np.random.default_rng(7)
    x = np.column_stack([np.ones(40), np.repeat([0, 1], 20)])
    y = np.where(x[:, 1] == 1, rng.normal(8, 1, 40), 5.0)[None]
    side = np.where(x[:, 1] == 1, 0, -1)[None]
    test = censored_likelihood_test(y, side, x, 1)
    assert np.isnan(test.estimate[0])
    assert test.p[0] < 1e-6
    assert test.t[0] > 0


def _dataset(values: np.ndarray, lod: float, **samples: object) -> xr.Dataset:
    names = [f"s{number:02d}" for number in range(values.shape[1])]
    table = pd.DataFrame(values.T, index=names, columns=[f"P{row}" for row in range(len(values))])
    return from_frame(
        table,
        platform="beads",
        species="mouse",
        unit="log2 pg/mL",
        lod=np.full(len(values), lod),
        samples=pd.DataFrame(samples, index=names),
    )


def test_rows_without_enough_detected_values_say_so() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(5, 1, (4, 30))
    values[0] -= 2
    values[2] += 10
    values[3, :16] = np.nan
    ds = _dataset(values, 5.0, group=np.repeat(["CON", "SUS"], 15))
    table = censored_test(ds, design="~ group", coefficient="group").table
    assert table["note"].tolist()[:3] == ["fewer than 8 detected values per coefficient", "", ""]
    assert table.loc[0, ["logfc", "p", "q"]].isna().all()
    assert table["n_below"][2] == 0
    assert (values[1] < 5).sum() == table["n_below"][1]
    assert table.loc[1, ["n_1", "n_0"]].tolist() == [15, 15]
    detection = detection_test(ds, design="~ group", coefficient="group").table
    assert detection["note"].tolist()[0] == "fewer than 8 detected values per coefficient"
    assert detection["note"].tolist()[2] == "detected in every sample"


def test_censored_cells_without_a_limit_are_counted() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(6, 1, (1, 30))
    ds = _dataset(values, 3.0, group=np.repeat(["CON", "SUS"], 15))
    ds["abundance"].values[4, 0] = np.nan
    ds["below_lod"].values[4, 0] = True
    ds["lod"].values[4, 0] = np.nan
    row = censored_test(ds, design="~ group", coefficient="group").table.iloc[0]
    assert row["note"] == "1 censored values without a limit left out"
    assert row["n_0"] == 14


def test_confounded_designs_are_refused() -> None:
    ds = _dataset(
        np.random.default_rng(0).normal(size=(2, 20)),
        -1.0,
        group=np.repeat(["A", "B"], 10),
        plate=np.repeat(["1", "2"], 10),
    )
    for test in (censored_test, detection_test):
        with pytest.raises(RefusedError, match=r"plate\[T\.2\] follows from group\[T\.B\]"):
            test(ds, design="~ group + plate", coefficient="group")


def test_firth_of_two_groups_adds_half_to_every_cell() -> None:
    """Closed form of the saturated model: log odds of (events + 1/2) / (non-events + 1/2)."""
    x = np.column_stack([np.ones(20), np.repeat([0, 1], 10)])
    events = np.zeros((3, 20), dtype=bool)
    events[0, [0, 1, 12, 13, 14, 15]] = True
    events[1, 10:] = True
    events[2, :3] = True
    fit = fit_firth(events, x)
    for row in range(3):
        a, b = events[row, :10].sum(), events[row, 10:].sum()
        odds = np.log([(a + 0.5) / (10.5 - a), (b + 0.5) / (10.5 - b)])
        np.testing.assert_allclose(fit.coefficients[row], [odds[0], odds[1] - odds[0]], atol=1e-6)


def test_firth_is_the_maximum_of_the_penalised_likelihood() -> None:
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(25), rng.normal(size=25), rng.normal(size=25)])
    events = rng.random((4, 25)) < 0.6
    seen = rng.random((4, 25)) < 0.9

    def minus(parameters: np.ndarray, row: int) -> float:
        chance = 1 / (1 + np.exp(-x @ parameters))
        keep = seen[row]
        information = x[keep].T @ (x[keep] * (chance * (1 - chance))[keep, None])
        log = np.where(events[row], np.log(chance), np.log1p(-chance))[keep].sum()
        return -float(log + 0.5 * np.linalg.slogdet(information)[1])

    whole, null = fit_firth(events, x, seen=seen), fit_firth(events, x, seen=seen, fixed=1)
    for row in range(4):
        found = optimize.minimize(minus, np.zeros(3), (row,), method="BFGS", options={"gtol": 1e-8})
        np.testing.assert_allclose(whole.coefficients[row], found.x, atol=1e-4)
        held = optimize.minimize(lambda part, row=row: minus(np.array([part[0], 0.0, part[1]]), row), np.zeros(2))
        assert null.log_likelihood[row] == pytest.approx(-held.fun, abs=1e-6)


@pytest.mark.parametrize(("n_samples", "n_columns", "below"), [(24, 2, 0.2), (40, 2, 0.5), (48, 2, 0.6), (36, 3, 0.25)])
def test_null_p_values_are_uniform_at_the_size_of_a_mouse_study(n_samples: int, n_columns: int, below: float) -> None:
    """Share of p < 0.05 under the null within the exact 99.9 % binomial band."""
    rng = np.random.default_rng(20 + n_samples)
    x = np.column_stack([np.ones(n_samples), np.tile([0, 1], n_samples // 2)])
    x = np.column_stack([x, rng.normal(size=(n_samples, n_columns - 2))])
    y = rng.normal(size=(2500, n_samples))
    limit = stats.norm.ppf(below)
    side = np.where(y < limit, -1, 0)
    enough = (side == 0).sum(axis=1) >= 8 * n_columns
    p = censored_likelihood_test(np.maximum(y, limit)[enough], side[enough], x, 1).p
    low, high = stats.binom.ppf([0.0005, 0.9995], len(p), 0.05)
    assert low <= (p < 0.05).sum() <= high


@pytest.mark.parametrize("size", [12, 20, 24])
def test_exact_level_of_the_detection_test(size: int) -> None:
    """Over all tables of two equal groups, weighted by their binomial probability: never above 0.05."""
    x = np.column_stack([np.ones(2 * size), np.repeat([0, 1], size)])
    counts = [(a, b) for a in range(size + 1) for b in range(size + 1) if 16 <= a + b < 2 * size]
    rank = np.arange(size)
    events = np.array([np.concatenate([rank < a, rank < b]) for a, b in counts])
    p = detection_likelihood_test(events, np.ones_like(events), x, 1)[2]
    for chance in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        weight = np.array([stats.binom.pmf(a, size, chance) * stats.binom.pmf(b, size, chance) for a, b in counts])
        assert weight[p < 0.05].sum() <= 0.05 * weight.sum()


@pytest.mark.parametrize("test", [censored_test, detection_test])
def test_a_sample_left_out_is_said_once(test) -> None:  # type: ignore[no-untyped-def]
    """Neither a sample without a value of the formula nor one that the table lacks stands twice among the problems."""
    rng = np.random.default_rng(3)
    names = [f"s{number:02d}" for number in range(40)]
    values = pd.DataFrame({"Il4": rng.normal(5, 1, 40)}, index=names)
    ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL", lod=[4.8])
    samples = pd.DataFrame({"group": ["CON", "SUS"] * 21}, index=[*names, "absent", "absent too"])
    samples.loc["s03", "group"] = ""
    result = test(ds, design="~ group", coefficient="group", samples=samples)
    assert sorted(problem.subject for problem in result.problems) == ["absent", "absent too", "s03"]
    assert len(result.design) == 39 and result.coefficient == "group[T.SUS]"
