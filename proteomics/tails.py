"""Tail areas of t and F on the log scale, so that a tiny p value is a number and not zero."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["f_from_upper_log", "f_upper_log", "t_from_upper_log", "t_two_sided", "t_upper_log"]

Array = npt.NDArray[np.float64]

# Below this a tail area in double precision has lost digits or is zero; its logarithm is then summed directly.
_SMALLEST_AREA = 1e-280


def _incomplete_beta_log(a: npt.ArrayLike, b: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Logarithm of the regularised incomplete beta function I_x(a, b); made for the lower tail."""
    a, b, x = (np.asarray(value, dtype=np.float64) for value in np.broadcast_arrays(a, b, x))
    area = special.betainc(a, b, x)
    with np.errstate(divide="ignore"):
        value = np.array(np.log(area))
    tiny = (area < _SMALLEST_AREA) & (x > 0)
    if tiny.any():
        value[tiny] = _incomplete_beta_log_series(a[tiny], b[tiny], x[tiny])
    return np.asarray(value)


def _incomplete_beta_log_series(a: Array, b: Array, x: Array) -> Array:
    """The same by x^a (1-x)^b / (a B(a,b)) * 2F1(a+b, 1; a+1; x), whose terms are all positive."""
    total = np.ones_like(x)
    term = np.ones_like(x)
    step = 0
    while np.any(term > 1e-17 * total):
        term = term * (a + b + step) / (a + 1 + step) * x
        total = total + term
        step += 1
    return np.asarray(a * np.log(x) + b * np.log1p(-x) - np.log(a) - special.betaln(a, b) + np.log(total))


def t_two_sided(t: npt.ArrayLike, df: npt.ArrayLike) -> Array:
    """Two-sided p value of Student's t; NaN stays NaN, infinite df is the normal distribution.

    Examples
    --------
    >>> t_two_sided([2.0, 2.0], [10.0, np.inf]).round(6).tolist()
    [0.073388, 0.0455]
    """
    t = np.asarray(t, dtype=np.float64)
    df = np.asarray(df, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        p = special.betainc(df / 2, 0.5, 1 / (1 + t * t / df))
    if np.isinf(df).any():
        p = np.where(np.isinf(df), 2 * special.ndtr(-np.abs(t)), p)
    return np.asarray(p)


def t_upper_log(t: npt.ArrayLike, df: npt.ArrayLike) -> Array:
    """Logarithm of P(T > t) for t >= 0, right also where the area itself is too small for a number.

    Examples
    --------
    >>> float(t_upper_log(2.0, 10.0).round(6)), float(t_upper_log(1e9, 100.0).round(2))
    (-3.305142, -1845.29)
    """
    t, df = np.broadcast_arrays(np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64))
    return np.asarray(_incomplete_beta_log(df / 2, 0.5, 1 / (1 + t * (t / df))) - np.log(2))


def t_from_upper_log(log_area: npt.ArrayLike, df: float) -> Array:
    """The t >= 0 with ``t_upper_log(t, df) == log_area``.

    Examples
    --------
    >>> t_from_upper_log(t_upper_log([0.5, 3.0, 400.0], 8.0), 8.0).round(9).tolist()
    [0.5, 3.0, 400.0]
    """
    log_area = np.asarray(log_area, dtype=np.float64)
    area = np.exp(np.maximum(log_area, np.log(_SMALLEST_AREA)))
    t = np.maximum(-special.stdtrit(df, area), 0.0)
    tiny = log_area < np.log(_SMALLEST_AREA)
    if tiny.any():
        # Far out the tail is a power of t: start there, then Newton in log t, where the curve is almost a line.
        log_t = np.log(t[tiny]) + (np.log(_SMALLEST_AREA) - log_area[tiny]) / df
        for _ in range(50):
            value = np.exp(log_t)
            log_tail = t_upper_log(value, df)
            log_density = (
                special.gammaln((df + 1) / 2)
                - special.gammaln(df / 2)
                - 0.5 * np.log(df * np.pi)
                - (df + 1) / 2 * np.log1p(value * (value / df))
            )
            step = (log_tail - log_area[tiny]) * np.exp(log_tail - log_density - log_t)
            log_t = log_t + step
            if np.all(np.abs(step) < 1e-14):
                break
        t[tiny] = np.exp(log_t)
    return np.asarray(t)


def f_upper_log(f: npt.ArrayLike, df1: npt.ArrayLike, df2: npt.ArrayLike) -> Array:
    """Logarithm of P(F > f); infinite ``df2`` is chi-squared / df1.

    Examples
    --------
    >>> f_upper_log([4.0, 4.0], 2.0, [10.0, np.inf]).round(6).tolist()
    [-2.938933, -4.0]
    """
    f, df1, df2 = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (f, df1, df2)))
    value = np.empty(f.shape)
    finite = np.isfinite(df2)
    value[finite] = _incomplete_beta_log(
        df2[finite] / 2, df1[finite] / 2, df2[finite] / (df2[finite] + df1[finite] * f[finite])
    )
    with np.errstate(divide="ignore"):
        value[~finite] = np.log(special.gammaincc(df1[~finite] / 2, df1[~finite] * f[~finite] / 2))
    return value


def f_from_upper_log(log_area: npt.ArrayLike, df1: npt.ArrayLike, df2: npt.ArrayLike) -> Array:
    """The f with ``f_upper_log(f, df1, df2) == log_area``; both df finite.

    Examples
    --------
    >>> f_from_upper_log(f_upper_log([0.5, 9.0, 1e90], 3.0, 8.0), 3.0, 8.0).round(9).tolist()[:2]
    [0.5, 9.0]
    """
    log_area, df1, df2 = (np.array(value, dtype=np.float64) for value in np.broadcast_arrays(log_area, df1, df2))
    a, b = df2 / 2, df1 / 2
    lowest = np.log(_SMALLEST_AREA)
    share = special.betaincinv(a, b, np.exp(np.maximum(log_area, lowest)))
    tiny = log_area < lowest
    if tiny.any():
        # Far out the area is a power of the share df2 / (df2 + df1 f): Newton on the two logarithms.
        log_share = np.log(share[tiny]) + (log_area[tiny] - lowest) / a[tiny]
        for _ in range(50):
            at = np.exp(log_share)
            log_tail = _incomplete_beta_log(a[tiny], b[tiny], at)
            log_slope = (
                a[tiny] * log_share + (b[tiny] - 1) * np.log1p(-at) - special.betaln(a[tiny], b[tiny]) - log_tail
            )
            step = (log_area[tiny] - log_tail) * np.exp(-log_slope)
            log_share = log_share + step
            if np.all(np.abs(step) < 1e-14):
                break
        share[tiny] = np.exp(log_share)
    return np.asarray(df2 * (1 - share) / (df1 * share))
