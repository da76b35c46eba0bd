"""The scaled inverse chi-squared prior of the residual variances, estimated from all proteins together.

Residual variances s2 with d degrees of freedom are taken as s0^2 F(d, d0): d0 is the worth of the prior in degrees of
freedom and s0^2 its location, one for all proteins or a smooth curve over the average abundance (trend).
Robust estimation, for when a few proteins vary far more or less than the others, is in `robust_variance_prior`.

References
----------
.. [1] Smyth, 2004, doi:10.2202/1544-6115.1027, section 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["VariancePrior", "inverse_trigamma", "natural_spline_basis", "variance_prior"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class VariancePrior:
    """Prior of the residual variances.

    Parameters
    ----------
    scale
        (G,) prior variance of each protein; the same number in all rows unless it follows a trend.
    df
        (G,) degrees of freedom that the prior is worth; the same in all rows unless robust; may be infinite.
    common_df
        The df before outlying proteins were given less.
    """

    scale: Array
    df: Array
    common_df: float


def variance_prior(variance: Array, df: Array, *, covariate: Array | None = None) -> VariancePrior:
    """Estimate the prior from the mean and variance of log s2, which is a shifted log F.

    Parameters
    ----------
    variance
        (G,) residual variances; NaN allowed.
    df
        (G,) their degrees of freedom; rows with 0 are not used, and get the prior.
    covariate
        (G,) usually the average abundance; gives a natural cubic spline instead of one location.

    Raises
    ------
    ValueError
        If no protein has a residual variance, or the covariate is missing where a variance is not.

    Examples
    --------
    >>> prior = variance_prior(np.array([1.0, 2.0, 3.0, 0.2]), np.full(4, 3.0))
    >>> float(prior.df[0].round(3)), float(prior.scale[0].round(3))
    (5.017, 1.224)
    """
    usable = np.isfinite(variance) & np.isfinite(df) & (df > 1e-15) & (variance > -1e-15)
    count = int(usable.sum())
    if count == 0:
        raise ValueError("no protein has a residual variance: more samples than coefficients are needed")
    size = len(variance)
    if count == 1:
        return VariancePrior(scale=np.broadcast_to(variance[usable], size), df=np.zeros(size), common_df=0.0)
    if covariate is not None and not np.isfinite(covariate[usable]).all():
        raise ValueError("the covariate of the variance trend is missing for a protein that has a variance")
    kept, d = floored(variance[usable]), df[usable]
    half = d / 2
    excess = np.log(kept) - special.digamma(half) + np.log(half)
    if covariate is None:
        location = np.full(size, excess.mean())
        spread = excess.var(ddof=1)
    else:
        location, spread = _spline_trend(covariate, excess, usable)
    spread -= special.polygamma(1, half).mean()
    if spread <= 0:
        # All the spread is sampling: the variances are equal (or lie on the curve), and the prior outweighs the data.
        scale = np.full(size, kept.mean()) if covariate is None else np.exp(location)
        return VariancePrior(scale=scale, df=np.full(size, np.inf), common_df=np.inf)
    prior_df = 2 * inverse_trigamma(spread)
    scale = np.exp(location + special.digamma(prior_df / 2) - np.log(prior_df / 2))
    return VariancePrior(scale=scale, df=np.full(size, prior_df), common_df=prior_df)


def floored(variance: Array, share: float = 1e-5) -> Array:
    """Variances lifted to a small share of their median: an exact zero has no logarithm."""
    lowest = share * float(np.median(variance))
    return np.maximum(np.maximum(variance, 0.0), lowest if lowest > 0 else np.finfo(np.float64).tiny)


def inverse_trigamma(value: float) -> float:
    """The x > 0 whose trigamma is ``value``; Newton on 1/trigamma, which is convex and nearly linear.

    Examples
    --------
    >>> round(inverse_trigamma(float(special.polygamma(1, 3.5))), 12)
    3.5
    """
    if value > 1e7:
        return float(1 / np.sqrt(value))
    if value < 1e-6:  # to first order; the difference to the exact value is below one in two million
        return 1 / value
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, x))
        x += step
        if -step / x < 1e-12:
            break
    return x


def natural_spline_basis(x: Array, interior: Array, boundary: tuple[float, float]) -> Array:
    """(N, number of interior knots + 2) natural cubic splines, straight lines outside the boundary knots.

    Examples
    --------
    >>> natural_spline_basis(np.array([0.0, 1.0, 2.0]), np.array([1.0]), (0.0, 2.0)).shape
    (3, 3)
    """
    low, high = boundary
    width = high - low
    u = (x - low) / width
    knots = np.concatenate([[0.0], (interior - low) / width, [1.0]])

    def truncated(knot: float) -> Array:
        above: Array = np.maximum(u - knot, 0.0) ** 3
        return np.asarray((above - np.maximum(u - 1.0, 0.0) ** 3) / (1.0 - knot))

    last = truncated(knots[-2])
    return np.column_stack([np.ones_like(u), u, *(truncated(knot) - last for knot in knots[:-2])])


def _spline_trend(covariate: Array, excess: Array, usable: npt.NDArray[np.bool_]) -> tuple[Array, float]:
    """Fitted location of every protein, and the variance around it."""
    x = covariate[usable]
    count = len(x)
    columns = min(1 + (count >= 3) + (count >= 6) + (count >= 30), len(np.unique(x)))
    if columns < 2:
        return np.full(len(covariate), excess.mean()), float(excess.var(ddof=1))
    interior = np.quantile(x, np.linspace(0, 1, columns)[1:-1])
    boundary = (float(x.min()), float(x.max()))
    basis = natural_spline_basis(x, interior, boundary)
    solution, _, rank, _ = np.linalg.lstsq(basis, excess, rcond=None)
    residual = excess - basis @ solution
    location = np.full(len(covariate), np.nan)
    known = np.isfinite(covariate)
    location[known] = natural_spline_basis(covariate[known], interior, boundary) @ solution
    return location, float(residual @ residual / (count - rank))
