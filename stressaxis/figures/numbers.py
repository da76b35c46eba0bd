"""Numbers as a reader wants them: sensible digits, a true minus sign, nothing where there is nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "count",
    "estimate_words",
    "interval",
    "mean_interval",
    "number",
    "p_value",
    "percent",
    "plural",
    "swarm_offsets",
]

MISSING = "–"


def number(value: Any, digits: int = 3) -> str:
    """A number with so many significant digits, never in powers of ten between 1e-4 and 1e6.

    Examples
    --------
    >>> number(-0.04567), number(61.26), number(1234.5), number(float("nan")), number(0.0), number(7)
    ('−0.0457', '61.3', '1234', '–', '0', '7')
    """
    try:
        real = float(value)
    except (TypeError, ValueError):
        return str(value)
    if not math.isfinite(real):
        return MISSING if math.isnan(real) else ("∞" if real > 0 else "−∞")
    if real == 0 or (isinstance(value, int | np.integer) and not isinstance(value, bool)):
        return f"{real:.0f}".replace("-", "−")
    size = abs(real)
    if size < 1e-4 or size >= 1e6:
        return f"{real:.{digits - 1}e}".replace("-", "−")
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{real:.{decimals}f}".replace("-", "−")


def p_value(p: Any) -> str:
    """A probability: ``< 0.001`` or two digits.

    Examples
    --------
    >>> p_value(0.0004), p_value(0.0312), p_value(0.4567), p_value(None)
    ('< 0.001', '0.031', '0.46', '–')
    """
    try:
        real = float(p)
    except (TypeError, ValueError):
        return MISSING
    if math.isnan(real):
        return MISSING
    if real < 0.001:
        return "< 0.001"
    return f"{real:.3f}" if real < 0.0995 else f"{real:.2f}"


def interval(low: Any, high: Any, digits: int = 3) -> str:
    """Two ends of an interval, in words that survive minus signs.

    Examples
    --------
    >>> interval(-10.21, -2.04)
    '−10.2 to −2.04'
    """
    return f"{number(low, digits)} to {number(high, digits)}"


def estimate_words(estimate: Any, low: Any, high: Any) -> tuple[str, str]:
    """An estimate and its interval with the same decimals: two digits of the interval's half-width.

    Examples
    --------
    >>> estimate_words(-6.92, -14.6, 0.762)
    ('−6.9', '−14.6 to 0.8')
    >>> estimate_words(-0.1703, -0.362, 0.0215)
    ('−0.17', '−0.36 to 0.02')
    """
    values = [float(value) for value in (estimate, low, high)]
    half = (values[2] - values[1]) / 2
    if not (all(math.isfinite(value) for value in values) and half > 0):
        return number(estimate), interval(low, high)
    decimals = max(0, 1 - math.floor(math.log10(half)))
    # Adding 0.0 turns a rounded -0.0 into 0.0.
    words = [f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−") for value in values]
    return words[0], f"{words[1]} to {words[2]}"


def percent(share: float) -> str:
    """A share in percent.

    Examples
    --------
    >>> percent(0.834)
    '83 %'
    """
    return f"{100 * share:.0f} %"


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    Examples
    --------
    >>> plural(1, "mouse", "mice"), plural(3, "mouse", "mice")
    ('1 mouse', '3 mice')
    """
    return f"{n} {one if n == 1 else (many or one + 's')}"


def count(n: Any) -> str:
    """A count, or a dash where it is not known.

    Examples
    --------
    >>> count(12.0), count(float("nan"))
    ('12', '–')
    """
    try:
        real = float(n)
    except (TypeError, ValueError):
        return MISSING
    return MISSING if math.isnan(real) else f"{real:.0f}"


def mean_interval(values: Any) -> tuple[float, float, float]:
    """Mean and its 95 % interval by Student's t; NaN ends under three values, whose interval says nothing.

    Examples
    --------
    >>> [round(x, 3) for x in mean_interval([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    from scipy.special import stdtrit

    kept = np.asarray(values, dtype=float)
    kept = kept[np.isfinite(kept)]
    if kept.size == 0:
        return math.nan, math.nan, math.nan
    mean = float(kept.mean())
    if kept.size < 3:
        return mean, math.nan, math.nan
    half = float(stdtrit(kept.size - 1, 0.975) * kept.std(ddof=1) / math.sqrt(kept.size))
    return mean, mean - half, mean + half


def swarm_offsets(values: Any, *, bins: int = 24, step: float = 0.24) -> np.ndarray:
    """Sideways offsets in [-1, 1] that keep near-equal values apart; the same for the same values.

    Values are put into equal bins between the smallest and the largest; within a bin they stand beside each other, from
    the middle outwards.

    Examples
    --------
    >>> swarm_offsets([1.0, 1.0, 1.0, 5.0]).tolist()
    [0.0, 0.24, -0.24, 0.0]
    """
    data = np.asarray(values, dtype=float)
    offsets = np.zeros(data.size)
    finite = np.isfinite(data)
    if not finite.any():
        return offsets
    low, high = data[finite].min(), data[finite].max()
    width = (high - low) / bins or 1.0
    seen: dict[int, int] = {}
    for place in np.flatnonzero(finite):
        cell = int((data[place] - low) / width)
        nth = seen.get(cell, 0)
        seen[cell] = nth + 1
        offsets[place] = 0.0 if nth == 0 else ((nth + 1) // 2) * step * (1 if nth % 2 else -1)
    crowd = np.abs(offsets).max()
    return offsets / crowd if crowd > 1 else offsets
