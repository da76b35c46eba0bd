"""The variance prior when a few proteins vary far more or far less than the others.

Log variances are Winsorised, their moments matched to those of a Winsorised log F distribution, and proteins in the
upper tail get fewer prior degrees of freedom, the fewer the less they fit the others.

References
----------
.. [1] Phipson, Lee, Majewski, Alexander, Smyth, 2016, doi:10.1214/16-AOAS920.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special

from proteomics.running_line import running_line
from proteomics.tails import f_from_upper_log, f_upper_log
from proteomics.variance_prior import VariancePrior, floored, variance_prior

__all__ = ["robust_variance_prior"]

Array = npt.NDArray[np.float64]

#: Shares of the log variances Winsorised below and above.
LOWER_TAIL, UPPER_TAIL = 0.05, 0.1
#: Share of the proteins in each local line of the trend.
SPAN = 0.4
_ROOT_TOLERANCE = 1e-8


def robust_variance_prior(variance: Array, df: Array, *, covariate: Array | None = None) -> VariancePrior:
    """Estimate the prior so that outlying variances neither move it nor are squeezed by it.

    Parameters
    ----------
    variance, df, covariate
        As in :func:`proteomics.variance_prior.variance_prior`; the trend is a robust running line (span 0.4).

    Notes
    -----
    Equal to limma's ``fitFDistRobustly`` to 1e-6. The trend is the robust running line of
    :func:`proteomics.running_line.running_line`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> s2 = rng.chisquare(6, 400) / 6
    >>> s2[0] = 40.0
    >>> prior = robust_variance_prior(s2, np.full(400, 6.0))
    >>> bool(prior.df[0] < 1 < prior.df[1])
    True
    """
    usable = np.isfinite(variance) & np.isfinite(df) & (df > 1e-6)
    count = int(usable.sum())
    if count < 3:
        return variance_prior(variance, df, covariate=covariate)
    chosen = None if covariate is None else covariate[usable]
    inner = _fit(variance[usable], df[usable], chosen)
    if usable.all():
        return inner
    size = len(variance)
    prior_df, scale = np.full(size, inner.common_df), np.full(size, inner.scale[0])
    prior_df[usable] = inner.df
    if covariate is not None and chosen is not None:
        order = np.argsort(chosen, kind="stable")
        scale = np.exp(np.interp(covariate, chosen[order], np.log(inner.scale[order])))
    scale[usable] = inner.scale
    return VariancePrior(scale=scale, df=prior_df, common_df=inner.common_df)


def _fit(variance: Array, df: Array, covariate: Array | None) -> VariancePrior:
    median = float(np.median(variance))
    if median <= 0:
        raise ValueError("more than half of the residual variances are zero: values seem copied or rounded")
    variance = floored(variance, 1e-12)
    plain = variance_prior(variance, df, covariate=covariate)
    if max(LOWER_TAIL, UPPER_TAIL) < 1 / len(variance):
        return plain  # too few proteins for any to lie in a tail
    largest = float(df.max())
    variance = _to_common_df(variance, df, largest, plain)
    logs = np.log(variance)
    centre = _trimmed_mean(logs, UPPER_TAIL) if covariate is None else running_line(covariate, logs, span=SPAN)
    residual = logs - centre
    low, high = np.quantile(residual, [LOWER_TAIL, 1 - UPPER_TAIL])
    clipped = np.clip(residual, low, high)
    sample = _Moments(float(clipped.mean()), float(clipped.var(ddof=1)))
    common = _match_df(sample.variance, largest, plain.common_df)
    if common is None:
        return plain
    centre = centre + sample.mean - _winsorized_moments(largest, common).mean
    ratio = np.exp(logs - centre)
    shrunk = _df_of_outliers(ratio, largest, common)
    return VariancePrior(scale=np.broadcast_to(np.exp(centre), len(logs)), df=shrunk, common_df=common)


@dataclass(frozen=True)
class _Moments:
    mean: float
    variance: float


def _trimmed_mean(values: Array, share: float) -> float:
    cut = int(np.floor(len(values) * share))
    return float(np.sort(values)[cut : len(values) - cut].mean())


def _to_common_df(variance: Array, df: Array, largest: float, prior: VariancePrior) -> Array:
    """Variances with fewer degrees of freedom moved to the same tail area at the largest number of them."""
    fewer = np.flatnonzero(df < largest - 1e-14)
    if not fewer.size:
        return variance
    out = variance.copy()
    scale, prior_df = prior.scale[fewer], prior.common_df
    ratio, own = variance[fewer] / scale, df[fewer]
    if np.isinf(prior_df):
        upper = special.gammaincc(own / 2, own * ratio / 2)
        lower = special.gammainc(own / 2, own * ratio / 2)
        moved = np.where(
            upper < lower, special.gammainccinv(largest / 2, upper), special.gammaincinv(largest / 2, lower)
        )
        out[fewer] = moved * 2 / largest * scale
        return out
    # A lower tail of F(a, b) at f is the upper tail of F(b, a) at 1/f.
    above = f_upper_log(ratio, own, prior_df)
    below = f_upper_log(1 / ratio, prior_df, own)
    up = above < below
    moved = np.empty_like(ratio)
    moved[up] = f_from_upper_log(above[up], largest, prior_df)
    moved[~up] = 1 / f_from_upper_log(below[~up], prior_df, largest)
    out[fewer] = moved * scale
    return out


@cache
def _nodes() -> tuple[Array, Array]:
    position, weight = np.polynomial.legendre.leggauss(128)
    return (position + 1) / 2, weight / 2


def _winsorized_moments(df1: float, df2: float) -> _Moments:
    """Mean and variance of log F(df1, df2) Winsorised at its own quantiles, by Gauss quadrature over F / (1 + F)."""
    if np.isinf(df2):
        ends = 2 / df1 * special.gammaincinv(df1 / 2, np.array([LOWER_TAIL, 1 - UPPER_TAIL]))
    else:
        share = special.betaincinv(df1 / 2, df2 / 2, np.array([LOWER_TAIL, 1 - UPPER_TAIL]))
        ends = df2 / df1 * share / (1 - share)
    low, high = ends / (1 + ends)
    position, weight = _nodes()
    at = low + (high - low) * position
    f = at / (1 - at)
    mass = (high - low) * weight * np.exp(_log_density(f, df1, df2)) / (1 - at) ** 2
    tails, corners = np.array([LOWER_TAIL, UPPER_TAIL]), np.log(ends)
    mean = float(mass @ np.log(f) + tails @ corners)
    return _Moments(mean, float(mass @ (np.log(f) - mean) ** 2 + tails @ (corners - mean) ** 2))


def _log_density(f: Array, df1: float, df2: float) -> Array:
    half = df1 / 2
    if np.isinf(df2):
        return np.asarray(half * np.log(half) - special.gammaln(half) + (half - 1) * np.log(f) - half * f)
    ratio = df1 / df2
    return np.asarray(
        half * np.log(ratio)
        + (half - 1) * np.log(f)
        - (half + df2 / 2) * np.log1p(ratio * f)
        - special.betaln(half, df2 / 2)
    )


def _match_df(observed: float, df1: float, plain_df: float) -> float | None:
    """Prior df at which the Winsorised variance is the observed one, not below the plain estimate.

    None says that the plain estimate stands: it found no spread beyond sampling.
    """

    def excess(link: float) -> float:
        df2 = np.inf if link >= 1 else link / (1 - link)
        return float(np.log(observed / _winsorized_moments(df1, df2).variance))

    if excess(1.0) <= 0:
        return np.inf
    if np.isinf(plain_df):
        return None
    lowest = plain_df / (1 + plain_df)
    if excess(lowest) >= 0:
        return plain_df
    root = _brent_root(excess, lowest, 1.0)
    return root / (1 - root)


def _brent_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Brent's root finder, stopped at 1e-8 as R's ``uniroot`` is in limma.

    The last digits of a large prior df depend on where the search stops; going on would be exact and not comparable.
    """
    a, b = low, high
    at_a, at_b = function(a), function(b)
    c, at_c = a, at_a
    while True:
        before = b - a
        if abs(at_c) < abs(at_b):
            a, b, c = b, c, b
            at_a, at_b, at_c = at_b, at_c, at_b
        tolerance = 2 * np.finfo(np.float64).eps * abs(b) + _ROOT_TOLERANCE / 2
        step = (c - b) / 2
        if abs(step) <= tolerance or at_b == 0:
            return b
        if abs(before) >= tolerance and abs(at_a) > abs(at_b):
            step = _interpolated(a, b, c, at_a, at_b, at_c, before, tolerance, step)
        if abs(step) < tolerance:
            step = tolerance if step > 0 else -tolerance
        a, at_a = b, at_b
        b += step
        at_b = function(b)
        if (at_b > 0) == (at_c > 0):
            c, at_c = a, at_a


def _interpolated(
    a: float, b: float, c: float, at_a: float, at_b: float, at_c: float, before: float, tolerance: float, step: float
) -> float:
    """Secant or inverse quadratic step where it is safe, otherwise the bisection given."""
    ratio = at_b / at_a
    if a == c:
        p, q = (c - b) * ratio, 1 - ratio
    else:
        s, r = at_b / at_c, at_a / at_c
        p = ratio * ((c - b) * r * (r - s) - (b - a) * (s - 1))
        q = (r - 1) * (s - 1) * (ratio - 1)
    p, q = (p, -q) if p > 0 else (-p, q)
    if p < 0.75 * (c - b) * q - abs(tolerance * q) / 2 and p < abs(before * q / 2):
        return p / q
    return step


def _df_of_outliers(ratio: Array, df1: float, common: float) -> Array:
    """Prior df of each protein: less where more variances lie so high than the F distribution allows."""
    count = len(ratio)
    log_tail = f_upper_log(ratio, df1, common)
    # Mid-ranks: tied variances are equally outlying.
    ordered = np.sort(ratio)
    rank = (np.searchsorted(ordered, ratio, "left") + np.searchsorted(ordered, ratio, "right") + 1) / 2
    log_fits = np.minimum(log_tail - np.log((count - rank + 0.5) / count), 0.0)
    if not (log_fits < 0).any():
        return np.full(count, common)
    order = np.argsort(log_tail, kind="stable")
    fits = np.exp(log_fits)
    if np.isinf(common):
        df = np.where(log_fits < 0, fits * count * df1, np.inf)
        df[order] = np.maximum.accumulate(df[order])
        return np.asarray(df)
    # df at which the most extreme variance would be the median of its distribution: log tail is nearly linear in df.
    smallest = float(log_tail.min())
    at_most = np.log(0.5) / smallest * common
    at_most *= np.log(0.5) / float(f_upper_log(ratio.max(), df1, at_most))
    df = fits * common - np.expm1(log_fits) * at_most
    # df may not fall as the tail area grows; the head is levelled at the smallest running mean.
    sorted_df = df[order]
    running = np.cumsum(sorted_df) / np.arange(1, count + 1)
    head = int(running.argmin())
    sorted_df[: head + 1] = running[head]
    df[order] = np.maximum.accumulate(sorted_df)
    return np.asarray(df)
