"""The one place that calls pingouin for tests: its columns become ours, unrounded, with n counted beforehand.

pingouin rounds confidence intervals to two decimals through a process-global option, names its p column in four ways,
meets bad input with an empty AssertionError and drops incomplete subjects without a word. Here inputs are checked
first, missing values are refused (the caller selects subjects and counts them), and the options are put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Estimate",
    "analysis_of_variance",
    "correlation",
    "group_ancova",
    "linear_slope",
    "partial_correlation",
    "unrounded",
    "welch_t",
]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One estimate with everything that must be printed with it; NaN where a method has no such number.

    Parameters
    ----------
    method
        Name of the method, as in the tables.
    n
        Subjects that entered.
    estimate, se, ci_low, ci_high
        In the unit of the method (a correlation, a slope, a difference of means), with its 95 % interval.
    statistic, df, p
        Test statistic (t, F), residual degrees of freedom, two-sided p.
    effect, effect_name, effect_ci_low, effect_ci_high
        Standardised effect.
    """

    method: str
    n: int
    estimate: float = np.nan
    se: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    statistic: float = np.nan
    df: float = np.nan
    p: float = np.nan
    effect: float = np.nan
    effect_name: str = ""
    effect_ci_low: float = np.nan
    effect_ci_high: float = np.nan


@contextmanager
def unrounded() -> Iterator[Any]:
    """pingouin with its rounding off; the options are as before afterwards.

    Examples
    --------
    >>> import pingouin
    >>> before = dict(pingouin.options)
    >>> with unrounded() as pg:
    ...     pg.options["round.column.CI95"] is None
    True
    >>> dict(pingouin.options) == before
    True
    """
    import pingouin

    before = dict(pingouin.options)
    pingouin.options.update({"round": None, "round.column.CI95": None, "round.column.BF10": None})
    try:
        yield pingouin
    finally:
        pingouin.options.clear()
        pingouin.options.update(before)


def _columns(*, least: int = 3, **columns: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """Finite float columns of one length, with at least ``least`` values and not constant."""
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    sizes = {array.shape for array in arrays.values()}
    if len(sizes) > 1:
        raise ValueError(f"columns differ in length: {sorted(sizes)}")
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has missing or infinite values; select complete subjects first")
        if array.size < least or np.ptp(array) == 0:
            raise ValueError(
                f"{name}: {array.size} values, all alike or too few; at least {least} that differ are needed"
            )
    return arrays


def correlation(x: ArrayLike, y: ArrayLike, *, method: str = "pearson") -> Estimate:
    """Pearson, Spearman or biweight (``"bicor"``) correlation, with Fisher's 95 % interval.

    Parameters
    ----------
    x, y
        (n,) finite values.
    method
        ``"pearson"``, ``"spearman"`` or ``"bicor"``.

    Notes
    -----
    For Spearman the Fisher interval is somewhat narrow where |r| is large; the p is that of t on n - 2.

    Examples
    --------
    >>> result = correlation([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5], method="spearman")
    >>> result.n, round(result.estimate, 4), round(result.ci_low, 4)
    (6, 0.8286, 0.0519)
    """
    from scipy.stats import pearsonr, spearmanr

    data = _columns(x=x, y=y)
    df = len(data["x"]) - 2
    if method in ("pearson", "spearman"):
        # What pingouin calls, without the power and the Bayes factor that it adds.
        r, p = (pearsonr if method == "pearson" else spearmanr)(data["x"], data["y"])
        return _correlation_estimate(method, float(r), float(p), df=df)
    # A perfect correlation makes pingouin divide by zero on the way to an interval that does not exist.
    with unrounded() as pg, np.errstate(divide="ignore", invalid="ignore"):
        row = pg.corr(data["x"], data["y"], method=method).iloc[0]
    return _correlation_estimate(method, float(row["r"]), float(row["p_val"]), df=df)


def _correlation_estimate(method: str, r: float, p: float, *, df: int, n: int | None = None) -> Estimate:
    # What rounding leaves of a perfect correlation is one.
    r = float(np.sign(r)) if abs(r) > 1 - 1e-15 else r
    with unrounded() as pg:
        # corr and partial_corr round their intervals to six decimals whatever the options say.
        low, high = np.nan, np.nan
        if df > 1 and abs(r) < 1:
            low, high = pg.compute_esci(stat=r, nx=df + 2, ny=df + 2, eftype="r", decimals=15)
    statistic = np.inf * np.sign(r) if abs(r) >= 1 else r * np.sqrt(df / (1 - r**2))
    return Estimate(
        method=method, n=df + 2 if n is None else n, estimate=r, ci_low=float(low), ci_high=float(high),
        statistic=float(statistic), df=df, p=p, effect=r, effect_name="r",
    )  # fmt: skip


def partial_correlation(x: ArrayLike, y: ArrayLike, terms: pd.DataFrame, *, method: str = "pearson") -> Estimate:
    """Correlation of two columns given the columns of a model matrix; Spearman: of their ranks.

    Parameters
    ----------
    x, y
        (n,) finite values.
    terms
        (n, k) model columns without intercept, of full rank (:func:`integration.model_terms.model_terms`); with
        k = 0 it is the plain correlation.
    method
        ``"pearson"`` or ``"spearman"``.

    Notes
    -----
    Equal to the correlation of the residuals after regression on the terms; df = n - k - 2.
    """
    import pandas as pd
    from scipy.stats import rankdata

    name = f"partial_{method}"
    if not terms.shape[1]:
        plain = correlation(x, y, method=method)
        return Estimate(**{**plain.__dict__, "method": name})
    columns = np.column_stack([*_columns(x=x, y=y).values(), terms.to_numpy(dtype=np.float64)])
    data = pd.DataFrame(rankdata(columns, axis=0) if method == "spearman" else columns)
    # partial_corr would check every covariate by itself, ten times the work of the correlation.
    with unrounded() as pg:
        r = float(pg.pcorr(data).iloc[0, 1])
    df = len(data) - terms.shape[1] - 2
    return _correlation_estimate(name, r, _p_of_correlation(r, df), df=df, n=len(data))


def _p_of_correlation(r: float, df: int) -> float:
    from scipy.stats import t

    return 0.0 if np.isclose(r**2, 1) else float(2 * t.sf(abs(r) * np.sqrt(df / (1 - r**2)), df))


def linear_slope(y: ArrayLike, x: ArrayLike, terms: pd.DataFrame, *, method: str = "linear_model") -> Estimate:
    """Slope of y on x in a linear model with further columns; effect = partial correlation of x and y.

    Parameters
    ----------
    y
        (n,) outcome.
    x
        (n,) the column whose slope is wanted.
    terms
        (n, k) further model columns without intercept, of full rank together with x.
    method
        Name in the result.

    Raises
    ------
    ValueError
        If values are missing, or x lies in the span of the other columns, or no residual degree of freedom is left.

    Notes
    -----
    ``pingouin.linear_regression``; the tests compare it with statsmodels and R's ``lm``.

    Examples
    --------
    >>> import pandas as pd
    >>> slope = linear_slope([1.0, 2.1, 2.9, 4.2, 5.1], [0, 1, 2, 3, 4], pd.DataFrame(index=range(5)))
    >>> round(slope.estimate, 3), int(slope.df)
    (1.03, 3)
    """
    data = _columns(y=y, x=x)
    # Scaling the other columns keeps pingouin's rank test honest and changes nothing of x's slope.
    others = terms.to_numpy(dtype=np.float64)
    others = (others - others.mean(axis=0)) / others.std(axis=0) if others.shape[1] else others
    design = np.column_stack([data["x"], others])
    df = len(data["y"]) - design.shape[1] - 1
    if df < 1:
        raise ValueError(f"{len(data['y'])} subjects for {design.shape[1] + 1} model columns: nothing is left to test")
    if np.linalg.matrix_rank(np.column_stack([np.ones(len(design)), design])) <= design.shape[1]:
        raise ValueError("the column whose slope is wanted lies in the span of the other model columns")
    with unrounded() as pg:
        fit = pg.linear_regression(design, data["y"], as_dataframe=False)
    t = float(fit["T"][1])
    return Estimate(
        method=method, n=len(data["y"]), estimate=float(fit["coef"][1]), se=float(fit["se"][1]),
        ci_low=float(fit["CI2.5"][1]), ci_high=float(fit["CI97.5"][1]), statistic=t, df=df, p=float(fit["pval"][1]),
        effect=t / np.sqrt(t**2 + df), effect_name="partial_r",
    )  # fmt: skip


def welch_t(group_1: ArrayLike, group_0: ArrayLike) -> Estimate:
    """Difference of two means by Welch's t-test, with Hedges' g and its interval.

    ``correction=True`` is passed explicitly: pingouin's own default is Student's test where sizes are equal.

    Examples
    --------
    >>> result = welch_t([1.0, 2, 3, 4], [2.0, 4, 6, 8])
    >>> round(result.estimate, 2), round(result.df, 2)
    (-2.5, 4.41)
    """
    a, b = _columns(least=2, group_1=group_1)["group_1"], _columns(least=2, group_0=group_0)["group_0"]
    with unrounded() as pg:
        row = pg.ttest(a, b, correction=True).iloc[0]
        g = float(pg.compute_effsize(a, b, eftype="hedges"))
        low, high = pg.compute_esci(stat=g, nx=a.size, ny=b.size, eftype="hedges", decimals=12)
    difference, t = float(a.mean() - b.mean()), float(row["T"])
    ci_low, ci_high = (float(end) for end in row["CI95"])
    return Estimate(
        method="welch_t", n=a.size + b.size, estimate=difference, se=difference / t if t else np.nan,
        ci_low=ci_low, ci_high=ci_high, statistic=t, df=float(row["dof"]), p=float(row["p_val"]),
        effect=g, effect_name="hedges_g", effect_ci_low=float(low), effect_ci_high=float(high),
    )  # fmt: skip


def analysis_of_variance(groups: Sequence[ArrayLike], *, welch: bool = True) -> Estimate:
    """One-way analysis of variance over two or more groups: Welch's (unequal variances) or the classical one.

    Parameters
    ----------
    groups
        Values of each group, at least two different ones in each.
    welch
        Welch's F; else the classical F.

    Returns
    -------
    Estimate
        ``statistic`` F, ``df`` of the denominator, effect eta squared.
    """
    import pandas as pd

    arrays = [_columns(least=2, group=group)["group"] for group in groups]
    labels = np.repeat([f"g{number}" for number in range(len(arrays))], [array.size for array in arrays])
    data = pd.DataFrame({"value": np.concatenate(arrays), "group": labels})
    with unrounded() as pg:
        run = pg.welch_anova if welch else pg.anova
        row = run(data, dv="value", between="group").iloc[0]
    return Estimate(
        method="welch_anova" if welch else "anova", n=len(data), statistic=float(row["F"]), df=float(row["ddof2"]),
        p=float(row["p_unc"]), effect=float(row["np2"]), effect_name="eta_squared",
    )  # fmt: skip


def group_ancova(data: pd.DataFrame, *, outcome: str, group: str, covariates: Sequence[str]) -> Estimate:
    """F-test of a group factor given numeric covariates (type II sums of squares).

    Parameters
    ----------
    data
        Complete rows.
    outcome, group, covariates
        Column names; covariates are numeric model columns.

    Returns
    -------
    Estimate
        ``statistic`` F, ``df`` residual, effect partial eta squared.

    Raises
    ------
    ValueError
        If values are missing, or the covariates determine the group.
    """
    import pandas as pd

    used = data[[outcome, group, *covariates]]
    if used.isna().any(axis=None):
        raise ValueError("missing values; select complete subjects first")
    levels = pd.get_dummies(used[group], drop_first=True, dtype=float)
    full = np.column_stack([np.ones(len(used)), used[list(covariates)], levels])
    if np.linalg.matrix_rank(full) < full.shape[1]:
        raise ValueError(f"{group} lies in the span of the covariates")
    with unrounded() as pg:
        table = pg.ancova(used, dv=outcome, between=group, covar=list(covariates)).set_index("Source")
    return Estimate(
        method="ancova", n=len(used), statistic=float(table.loc[group, "F"]), df=float(table.loc["Residual", "DF"]),
        p=float(table.loc[group, "p_unc"]), effect=float(table.loc[group, "np2"]), effect_name="partial_eta_squared",
    )  # fmt: skip
