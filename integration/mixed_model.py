"""Cohort as a random effect, where there are enough cohorts to estimate their spread."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError
from integration.model_terms import complete_rows, model_terms
from integration.outcomes import outcome_named
from integration.pingouin_results import Estimate

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from integration.cohort import Cohort

__all__ = ["MIN_COHORTS", "mixed_slope"]

#: Fewer levels than this cannot tell the spread between cohorts; they stay fixed effects.
MIN_COHORTS = 5


def mixed_slope(
    cohort: Cohort,
    *,
    marker: pd.Series[float],
    outcome: str = "target_time",
    covariates: Sequence[str] = (),
    role: str = "defeated",
) -> tuple[Estimate, str]:
    """Slope of the outcome on a marker with the cohorts' own levels drawn from a normal distribution (REML).

    Parameters
    ----------
    cohort
        From :func:`integration.cohort.join_cohort`.
    marker
        Standardised marker by subject.
    outcome, covariates
        As in :class:`integration.association.AssociationOptions`; plate belongs into ``covariates``.
    role
        Mice analysed.

    Returns
    -------
    tuple
        The estimate (t on ``n`` minus fixed columns minus cohorts + 1 degrees of freedom), and a note that is blank
        unless the fit did not converge or found no spread between cohorts.

    Raises
    ------
    RefusedError
        With fewer than :data:`MIN_COHORTS` cohorts.

    Notes
    -----
    Variances from statsmodels' ``MixedLM``, slope and standard error by generalised least squares with them; equal to
    lme4's ``lmer`` to 1e-6.
    """
    import statsmodels.api as sm
    from scipy import stats
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    chosen = outcome_named(outcome, cohort.table)
    terms = [*chosen.baseline, *covariates]
    table = cohort.table[(cohort.table["excluded"] == "") & (cohort.table["role"] == role)]
    table = table[complete_rows(table, [chosen.column, *terms, "cohort"])]
    table = table[marker.reindex(table.index).notna()]
    levels = table["cohort"].nunique()
    if levels < MIN_COHORTS:
        raise RefusedError("too few cohorts for a random effect", found=str(levels), expected=f"at least {MIN_COHORTS}",
                           remedy="keep cohort as a fixed effect")  # fmt: skip
    columns = model_terms(table, terms).columns
    others = (columns - columns.mean()) / columns.std()
    design = np.column_stack([np.ones(len(table)), marker[table.index], others])
    df = len(table) - design.shape[1] - levels + 1
    if df < 1 or np.linalg.matrix_rank(design) < design.shape[1]:
        raise RefusedError("the marker cannot be told from the other terms, or too few mice are left",
                           found=f"{df} residual degrees of freedom, {design.shape[1]} columns of rank "
                           f"{np.linalg.matrix_rank(design)}", expected="at least 1, and full rank")  # fmt: skip
    y = table[chosen.column].to_numpy(dtype=np.float64)
    spread = y.std(ddof=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # In units of its own spread the optimiser's tolerances mean the same for seconds and for ratios.
        model = sm.MixedLM(y / spread, design, groups=table["cohort"].astype(str).to_numpy())
        fit = model.fit(reml=True, method=["bfgs", "powell"], gtol=1e-10)
    between = float(np.asarray(fit.cov_re).squeeze())
    note = "" if fit.converged else "the fit did not converge"
    if between < 1e-6 * float(fit.scale):
        note = note or "no spread between cohorts was found"
    elif not note and any(issubclass(each.category, ConvergenceWarning) for each in caught):
        note = str(caught[-1].message)
    estimate, se = _generalised_slope(y, design, table["cohort"].astype(str).tolist(), between / float(fit.scale))
    t = estimate / se
    half = float(stats.t.ppf(0.975, df)) * se
    result = Estimate(
        method="mixed_model", n=len(table), estimate=estimate, se=se, ci_low=estimate - half, ci_high=estimate + half,
        statistic=t, df=df, p=float(2 * stats.t.sf(abs(t), df)), effect=t / np.sqrt(t**2 + df), effect_name="partial_r",
    )  # fmt: skip
    return result, note


def _generalised_slope(
    y: NDArray[np.float64], design: NDArray[np.float64], cohorts: list[str], ratio: float
) -> tuple[float, float]:
    """Second coefficient and its standard error when cohorts have ``ratio`` times the variance within them."""
    # Subtracting this share of each cohort's mean makes the errors independent and of equal variance.
    share = {name: 1 - 1 / np.sqrt(1 + cohorts.count(name) * ratio) for name in set(cohorts)}
    labels = np.array(cohorts, dtype=object)

    def whitened(values: NDArray[np.float64]) -> NDArray[np.float64]:
        result = values.copy()
        for name, part in share.items():
            own = labels == name
            result[own] -= part * values[own].mean(axis=0)
        return result

    x, response = whitened(design), whitened(y)
    inverse = np.linalg.inv(x.T @ x)
    coefficients = inverse @ x.T @ response
    rest = response - x @ coefficients
    variance = float(rest @ rest) / (len(y) - design.shape[1])
    return float(coefficients[1]), float(np.sqrt(variance * inverse[1, 1]))
