"""Difference of two slopes from separate models, each with its own residual variance."""

from __future__ import annotations

import numpy as np

from integration.pingouin_results import Estimate

__all__ = ["slope_difference"]


def slope_difference(first: Estimate, second: Estimate, *, method: str) -> Estimate:
    """First minus second slope, of independent groups.

    One model with a common variance misses its level where groups differ in size and spread, as control and defeated
    mice do (docs/validation/integration.md).

    Parameters
    ----------
    first, second
        Slopes with standard errors and residual degrees of freedom, of different subjects.
    method
        Name in the result.

    Notes
    -----
    t with Satterthwaite's degrees of freedom (Welch 1947, doi:10.2307/2332510).

    Examples
    --------
    >>> a = Estimate(method="", n=20, estimate=2.0, se=0.3, df=17)
    >>> b = Estimate(method="", n=10, estimate=1.0, se=0.4, df=7)
    >>> found = slope_difference(a, b, method="interaction")
    >>> round(found.se, 6), round(found.df, 1)
    (0.5, 15.1)
    """
    from scipy import stats

    variance = first.se**2 + second.se**2
    df = variance**2 / (first.se**4 / first.df + second.se**4 / second.df)
    estimate, se = first.estimate - second.estimate, float(np.sqrt(variance))
    t, half = estimate / se, float(stats.t.ppf(0.975, df)) * se
    return Estimate(
        method=method, n=first.n + second.n, estimate=estimate, se=se, ci_low=estimate - half,
        ci_high=estimate + half, statistic=t, df=df, p=float(2 * stats.t.sf(abs(t), df)),
        effect=t / np.sqrt(t**2 + df), effect_name="partial_r",
    )  # fmt: skip
