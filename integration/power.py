"""What a study of this size can see: smallest detectable effects, printed beside every estimate."""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["smallest_detectable_correlation", "smallest_detectable_difference"]


@lru_cache(maxsize=4096)
def smallest_detectable_correlation(n: int, *, n_covariates: int = 0, power: float = 0.8, alpha: float = 0.05) -> float:
    """The (partial) correlation that a two-sided test finds with the given power.

    A slope in a linear model is tested exactly as a partial correlation, with one subject less for each other column
    of the model.

    Parameters
    ----------
    n
        Subjects analysed.
    n_covariates
        Columns of the model beside the marker and the intercept.
    power, alpha
        Wanted power and level of the two-sided test.

    Returns
    -------
    float
        |r|; NaN where the subjects do not suffice for any test (``n - n_covariates`` below 5).

    Notes
    -----
    ``pingouin.power_corr``. Against the exact power under a bivariate normal (noncentral t, averaged over the
    marker's own variation) it is at most .003 too large from n = 20 on and .012 at n = 8.

    Examples
    --------
    >>> [round(smallest_detectable_correlation(n), 2) for n in (20, 30, 40, 60)]
    [0.58, 0.49, 0.43, 0.35]
    """
    import pingouin

    if n - n_covariates < 5:
        return math.nan
    return float(pingouin.power_corr(n=n - n_covariates, power=power, alpha=alpha))


@lru_cache(maxsize=4096)
def smallest_detectable_difference(n_1: int, n_0: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """The standardised difference (Cohen's d) between two groups that a two-sided t-test finds with the given power.

    Examples
    --------
    >>> [round(smallest_detectable_difference(n, n), 2) for n in (10, 15)]
    [1.32, 1.06]
    """
    import pingouin

    if min(n_1, n_0) < 2:
        return math.nan
    return float(pingouin.power_ttest2n(nx=n_1, ny=n_0, power=power, alpha=alpha))
