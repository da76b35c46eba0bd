"""Defeat -> marker -> avoidance: how much of the effect passes through the marker. Exploratory.

Marker and behavior are measured once, so the order of cause and effect is assumed, not shown; a common cause of marker
and behavior gives the same numbers. The sensitivity column says how strong it would have to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError
from integration.model_terms import complete_rows, model_terms
from integration.outcomes import outcome_named

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from integration.cohort import Cohort

    Vector = NDArray[np.float64]

__all__ = ["Mediation", "mediate"]


@dataclass(frozen=True, kw_only=True)
class Mediation:
    """Paths and their product.

    Parameters
    ----------
    n
        Mice.
    a, a_p, b, b_p
        Defeat on marker (SD); marker on outcome given defeat; their p.
    direct, total
        Defeat on outcome given the marker, and without it.
    indirect, ci_low, ci_high
        ``a * b`` and its bias-corrected bootstrap interval.
    p
        The larger of ``a_p`` and ``b_p``: both paths must be there (joint significance).
    share
        Indirect over total.
    sensitivity
        Correlation of the residuals of marker and outcome at which the indirect effect would be 0 (Imai 2010,
        doi:10.1037/a0020761): small = fragile.
    label
        Always "exploratory".
    """

    n: int
    a: float
    a_p: float
    b: float
    b_p: float
    direct: float
    total: float
    indirect: float
    ci_low: float
    ci_high: float
    p: float
    share: float
    sensitivity: float
    label: str = "exploratory"


def mediate(
    cohort: Cohort,
    *,
    marker: pd.Series[float],
    outcome: str = "target_time",
    covariates: Sequence[str] = ("cohort", "plate"),
    n_bootstrap: int = 2000,
    seed: int | np.random.Generator = 0,
    min_subjects: int = 20,
) -> Mediation:
    """Mediation of defeat's effect on an outcome through one marker, in control and defeated mice together.

    Parameters
    ----------
    cohort
        From :func:`integration.cohort.join_cohort`.
    marker
        Standardised marker by subject.
    outcome
        As in :class:`integration.association.AssociationOptions`; its baseline is in both models.
    covariates
        Columns in both models, where the study has them.
    n_bootstrap
        Bootstraps of mice within role.
    seed
        Of the bootstrap.
    min_subjects
        Least mice.

    Raises
    ------
    RefusedError
        If mice or residual degrees of freedom are too few, or role cannot be told from the covariates.

    Notes
    -----
    Direct, total and indirect effect equal ``pingouin.mediation_analysis``, which is not called because it resamples
    mice without regard to their group and reports marker on outcome without defeat in the model.
    """
    from scipy import stats

    chosen = outcome_named(outcome, cohort.table)
    terms = [*chosen.baseline, *(name for name in covariates if name in cohort.table)]
    table = cohort.table[(cohort.table["excluded"] == "") & (cohort.table["role"] != "")]
    table = table[complete_rows(table, [chosen.column, *terms])]
    table = table[marker.reindex(table.index).notna()]
    if len(table) < min_subjects or table["role"].nunique() < 2:
        raise RefusedError("too few mice for a mediation analysis", found=f"{len(table)} mice of "
                           f"{table['role'].nunique()} roles", expected=f"{min_subjects} mice of 2 roles")  # fmt: skip
    others = model_terms(table, terms).columns.to_numpy(dtype=np.float64)
    others = np.column_stack([np.ones(len(table)), others - others.mean(axis=0)])
    x: Vector = np.array(table["role"] == "defeated", dtype=np.float64)
    m: Vector = np.array(marker[table.index], dtype=np.float64)
    y: Vector = np.array(table[chosen.column], dtype=np.float64)
    full = np.column_stack([x, m, others])
    if np.linalg.matrix_rank(full) < full.shape[1] or len(x) - full.shape[1] < 3:
        rank = np.linalg.matrix_rank(full)
        raise RefusedError("role and marker cannot be told from the covariates, or too few mice are left",
                           found=f"{len(x)} mice, {full.shape[1]} model columns of rank {rank}",
                           expected="full rank and 3 mice more than columns")  # fmt: skip
    (a,), (a_se,), rest_m = _fit(m, np.column_stack([x, others]), 1)
    (direct, b), (_, b_se), _ = _fit(y, full, 2)
    (total,), _, rest_total = _fit(y, np.column_stack([x, others]), 1)
    drawn = _bootstrap(x, m, y, others, n_bootstrap, np.random.default_rng(seed))
    low, high = _bias_corrected(drawn, a * b)
    p_a = 2 * stats.t.sf(abs(a / a_se), len(x) - full.shape[1] + 1)
    p_b = 2 * stats.t.sf(abs(b / b_se), len(x) - full.shape[1])
    return Mediation(
        n=len(x), a=a, a_p=float(p_a), b=b, b_p=float(p_b), direct=direct, total=total, indirect=a * b, ci_low=low,
        ci_high=high, p=float(max(p_a, p_b)), share=a * b / total if total else float("nan"),
        sensitivity=float(rest_m @ rest_total / np.sqrt((rest_m @ rest_m) * (rest_total @ rest_total))),
    )  # fmt: skip


def _fit(y: Vector, design: Vector, wanted: int) -> tuple[list[float], list[float], Vector]:
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ (design.T @ y)
    rest = y - design @ coefficients
    variance = float(rest @ rest) / (len(y) - design.shape[1])
    se = np.sqrt(variance * np.diag(inverse))
    return coefficients[:wanted].tolist(), se[:wanted].tolist(), rest


def _bootstrap(x: Vector, m: Vector, y: Vector, others: Vector, count: int, rng: np.random.Generator) -> Vector:
    """Indirect effects of resampled mice, each role as large as it is."""
    places = [np.flatnonzero(x == role) for role in (0, 1)]
    rows = np.array([np.concatenate([rng.choice(each, len(each)) for each in places]) for _ in range(count)])
    first = _coefficients(np.column_stack([x, others])[rows], m[rows])
    second = _coefficients(np.column_stack([x, m, others])[rows], y[rows])
    drawn: Vector = first[:, 0] * second[:, 1]
    return drawn


def _coefficients(design: Vector, y: Vector) -> Vector:
    """(draws, columns) least-squares coefficients of draws at once; a level that a draw lost is no reason to stop."""
    turned = design.swapaxes(1, 2)
    found: Vector = (np.linalg.pinv(turned @ design) @ (turned @ y[:, :, None]))[:, :, 0]
    return found


def _bias_corrected(drawn: Vector, found: float) -> tuple[float, float]:
    from scipy import stats

    below = np.clip((drawn < found).mean(), 1 / len(drawn), 1 - 1 / len(drawn))
    shift = 2 * stats.norm.ppf(below)
    low, high = np.quantile(drawn, stats.norm.cdf(shift + stats.norm.ppf([0.025, 0.975])))
    return float(low), float(high)
