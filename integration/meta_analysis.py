"""One estimate from several cohorts: random effects, and how much it hangs on each cohort and each mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import RefusedError
from integration.model_terms import complete_rows, model_terms
from integration.outcomes import Outcome, outcome_named
from integration.pingouin_results import linear_slope

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from integration.cohort import Cohort

    Vector = NDArray[np.float64]

__all__ = ["MetaAnalysis", "cohort_estimates", "influence", "random_effects"]


@dataclass(frozen=True, kw_only=True)
class MetaAnalysis:
    """Pooled estimate of several cohorts.

    Parameters
    ----------
    k
        Cohorts.
    estimate, se, ci_low, ci_high, p
        With Hartung and Knapp's standard error and t on k - 1.
    tau2
        Variance between cohorts (restricted maximum likelihood).
    i2
        Share of the variance that lies between cohorts, in percent.
    q, q_p
        Cochran's test of heterogeneity.
    prediction_low, prediction_high
        95 % interval of the effect in a new cohort; NaN with two cohorts.
    weights
        Share of each cohort.
    """

    k: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p: float
    tau2: float
    i2: float
    q: float
    q_p: float
    prediction_low: float
    prediction_high: float
    weights: tuple[float, ...]


def random_effects(estimates: ArrayLike, standard_errors: ArrayLike) -> MetaAnalysis:
    """Random-effects meta-analysis by REML with the Hartung-Knapp interval.

    Parameters
    ----------
    estimates, standard_errors
        (k,) of the cohorts.

    Raises
    ------
    RefusedError
        With fewer than two cohorts.
    ValueError
        If a value is missing or a standard error is not above zero.

    Notes
    -----
    Equal to metafor's ``rma(yi, sei = sei, method = "REML", test = "knha")``. With few cohorts the interval is wide,
    as it should be: Hartung & Knapp 2001, doi:10.1002/sim.1009.

    Examples
    --------
    >>> pooled = random_effects([-8.0, -6.0, -11.0], [3.0, 2.5, 4.0])
    >>> pooled.k, round(pooled.estimate, 2), round(pooled.tau2, 2)
    (3, -7.6, 0.0)
    """
    from scipy import stats

    y, se = np.asarray(estimates, dtype=np.float64), np.asarray(standard_errors, dtype=np.float64)
    if y.shape != se.shape or not (np.isfinite(y).all() and np.isfinite(se).all() and (se > 0).all()):
        raise ValueError("estimates and standard errors must be finite, of one length, standard errors above zero")
    k = len(y)
    if k < 2:
        raise RefusedError("a meta-analysis needs two cohorts", found=str(k), expected="at least 2")
    tau2 = _reml(y, se**2)
    w = 1 / (se**2 + tau2)
    mean = float((w * y).sum() / w.sum())
    hk = float((w * (y - mean) ** 2).sum() / ((k - 1) * w.sum()))
    error = float(np.sqrt(hk))
    t = float(stats.t.ppf(0.975, k - 1))
    fixed = 1 / se**2
    q = float((fixed * (y - (fixed * y).sum() / fixed.sum()) ** 2).sum())
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    half = t * np.sqrt(hk + tau2) if k > 2 else np.nan
    return MetaAnalysis(
        k=k, estimate=mean, se=error, ci_low=mean - t * error, ci_high=mean + t * error,
        p=float(2 * stats.t.sf(abs(mean / error), k - 1)) if error > 0 else float("nan"),
        tau2=tau2, i2=float(100 * tau2 / (tau2 + typical)), q=q, q_p=float(stats.chi2.sf(q, k - 1)),
        prediction_low=float(mean - half), prediction_high=float(mean + half), weights=tuple((w / w.sum()).tolist()),
    )  # fmt: skip


def _reml(y: Vector, v: Vector) -> float:
    """Between-cohort variance that maximises the restricted likelihood."""
    from scipy import optimize

    def deviance(tau2: float) -> float:
        w = 1 / (v + tau2)
        mean = (w * y).sum() / w.sum()
        return float(np.log(v + tau2).sum() + np.log(w.sum()) + (w * (y - mean) ** 2).sum())

    top = float(10 * (np.var(y) + v.max()) + 1e-12)
    found = optimize.minimize_scalar(deviance, bounds=(0, top), method="bounded", options={"xatol": 1e-10 * top})
    best = float(found.x)
    if deviance(0.0) <= deviance(best):
        return 0.0
    # Fisher scoring to full precision from where the bounded search stops.
    for _ in range(100):
        w = 1 / (v + best)
        mean = (w * y).sum() / w.sum()
        slope = float((w**2 * ((y - mean) ** 2)).sum() - w.sum() + (w**2).sum() / w.sum())
        curve = float((w**2).sum() - 2 * (w**3).sum() / w.sum() + ((w**2).sum() / w.sum()) ** 2)
        step = slope / curve
        best = max(best + step, 0.0)
        if abs(step) < 1e-14 * (1 + best):
            break
    return best


def cohort_estimates(
    cohort: Cohort, *, marker: pd.Series[float], outcome: str = "target_time", covariates: Sequence[str] = (),
    role: str = "defeated", min_df: int = 3,
) -> pd.DataFrame:  # fmt: skip
    """The marker's slope within each cohort, for a forest plot and a meta-analysis.

    Parameters
    ----------
    cohort
        From :func:`integration.cohort.join_cohort`.
    marker
        Standardised marker by subject (``markers.z`` of :class:`integration.association.Association`).
    outcome, covariates
        As in :class:`integration.association.AssociationOptions`.
    role
        Mice analysed.
    min_df
        Cohorts with fewer residual degrees of freedom are listed without an estimate.

    Returns
    -------
    DataFrame
        ``cohort, n, estimate, se, ci_low, ci_high, p, note``.
    """
    import pandas as pd

    table, chosen, terms = _analysed(cohort, marker, outcome, covariates, role)
    rows: list[dict[str, Any]] = []
    for name, part in table.groupby("cohort", sort=True):
        model = model_terms(part, terms)
        df = len(part) - model.columns.shape[1] - 2
        row: dict[str, Any] = {"cohort": name, "n": len(part), "note": ""}
        if df < min_df or marker[part.index].nunique() < 2 or part[chosen.column].nunique() < 2:
            row["note"] = f"refused: {df} residual degrees of freedom, at least {min_df} needed"
        else:
            fit = linear_slope(part[chosen.column], marker[part.index], model.columns)
            row |= {key: getattr(fit, key) for key in ("estimate", "se", "ci_low", "ci_high", "p")}
        rows.append(row)
    return pd.DataFrame(rows, columns=["cohort", "n", "estimate", "se", "ci_low", "ci_high", "p", "note"])


def influence(
    cohort: Cohort, *, marker: pd.Series[float], outcome: str = "target_time", covariates: Sequence[str] = (),
    role: str = "defeated",
) -> pd.DataFrame:  # fmt: skip
    """The pooled slope without each cohort and without each mouse.

    Returns
    -------
    DataFrame
        ``kind`` (``none``, ``cohort``, ``subject``), ``left_out, n, estimate, ci_low, ci_high, p``; the first
        row has all mice.
    """
    import pandas as pd

    table, chosen, terms = _analysed(cohort, marker, outcome, covariates, role)
    terms = [*terms, "cohort"]
    subsets = [("none", "", table)]
    subsets += [("cohort", str(name), table[table["cohort"] != name]) for name in sorted(table["cohort"].unique())]
    subsets += [("subject", str(name), table.drop(index=name)) for name in table.index]
    rows = []
    for kind, name, part in subsets:
        row: dict[str, Any] = {"kind": kind, "left_out": name, "n": len(part)}
        try:
            fit = linear_slope(part[chosen.column], marker[part.index], model_terms(part, terms).columns)
            row |= {key: getattr(fit, key) for key in ("estimate", "ci_low", "ci_high", "p")}
        except ValueError:
            row |= dict.fromkeys(("estimate", "ci_low", "ci_high", "p"), np.nan)
        rows.append(row)
    return pd.DataFrame(rows, columns=["kind", "left_out", "n", "estimate", "ci_low", "ci_high", "p"])


def _analysed(
    cohort: Cohort, marker: pd.Series[float], outcome: str, covariates: Sequence[str], role: str
) -> tuple[pd.DataFrame, Outcome, list[str]]:
    chosen = outcome_named(outcome, cohort.table)
    table = cohort.table[(cohort.table["excluded"] == "") & (cohort.table["role"] == role)]
    terms = [*chosen.baseline, *covariates]
    table = table[complete_rows(table, [chosen.column, *terms, "cohort"])]
    return table[marker.reindex(table.index).notna()], chosen, terms
