"""Robust locally weighted straight lines through scattered points.

References
----------
.. [1] Cleveland, 1979, doi:10.1080/01621459.1979.10481038.
.. [2] Cleveland, 1981, doi:10.2307/2683591 (the program, whose thresholds are kept so that results agree with R).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["running_line"]

Array = npt.NDArray[np.float64]


def running_line(x: Array, y: Array, *, span: float = 0.4, rounds: int = 3, delta: float | None = None) -> Array:
    """Fitted value at every x.

    Parameters
    ----------
    x, y
        (N,) points, in any order.
    span
        Share of the points that enter each local line.
    rounds
        Rounds of giving less weight to points far from the line.
    delta
        Points closer than this to the last line are interpolated; 1 % of the range of x by default.

    Notes
    -----
    Equal to R's ``lowess``.

    Examples
    --------
    >>> x = np.arange(10.0)
    >>> bool(np.allclose(running_line(x, 2 * x + 1), 2 * x + 1))
    True
    """
    order = np.argsort(x, kind="stable")
    ordered, values = np.asarray(x, dtype=np.float64)[order], np.asarray(y, dtype=np.float64)[order]
    size = len(ordered)
    if size < 2:
        return values.copy()
    near = max(2, min(size, int(span * size + 1e-7)))
    gap = 0.01 * float(ordered[-1] - ordered[0]) if delta is None else delta
    trust = np.ones(size)
    for number in range(rounds + 1):
        fitted = _one_round(ordered, values, trust, near, gap)
        if number == rounds:
            break
        residual = np.abs(values - fitted)
        scale = 6 * float(np.median(residual))
        if scale <= max(1e-7 * residual.mean(), 1e-12 * float(np.abs(values).max())):
            break  # most points lie on the line: what is left is rounding
        trust = np.where(residual <= 0.001 * scale, 1.0, (1 - (residual / scale) ** 2) ** 2)
        trust[residual > 0.999 * scale] = 0.0
    out = np.empty(size)
    out[order] = fitted
    return out


def _one_round(x: Array, y: Array, trust: Array, near: int, gap: float) -> Array:
    """Lines at points at least ``gap`` apart, straight interpolation between them."""
    size = len(x)
    fitted = np.empty(size)
    width = float(x[-1] - x[0])
    left, last, at = 0, -1, 0
    while True:
        while left + near < size and x[at] - x[left] > x[left + near] - x[at]:
            left += 1
        found = _line_at(x, y, trust, float(x[at]), left, near, width)
        fitted[at] = y[at] if found is None else found
        if last < at - 1:
            share = (x[last + 1 : at] - x[last]) / (x[at] - x[last])
            fitted[last + 1 : at] = share * fitted[at] + (1 - share) * fitted[last]
        last = at
        # Ties with the last point share its value; the next line stands at the furthest point within the gap.
        reach = int(np.searchsorted(x, x[last] + gap, side="right"))
        ties = int(np.searchsorted(x, x[last], side="right"))
        if reach > last + 1 and ties > last + 1:
            fitted[last + 1 : ties] = fitted[last]
            last = ties - 1
        at = max(last + 1, reach - 1)
        if last >= size - 1:
            return fitted


def _line_at(x: Array, y: Array, trust: Array, at: float, left: int, near: int, width: float) -> float | None:
    """Weighted line through the nearest points, read at ``at``; None where no point has weight."""
    radius = max(at - x[left], x[left + near - 1] - at)
    # Points right of the window enter if they tie with its edge.
    right = int(np.searchsorted(x, at + 0.999 * radius, side="right"))
    right = max(right, left + 1)
    window = x[left:right]
    distance = np.abs(window - at)
    weight = np.where(distance <= 0.001 * radius, 1.0, (1 - (distance / radius) ** 3) ** 3 if radius > 0 else 1.0)
    weight = np.where(distance <= 0.999 * radius, weight, 0.0) * trust[left:right]
    total = weight.sum()
    if total <= 0:
        return None
    weight = weight / total
    if radius > 0:
        centre = float(weight @ window)
        spread = float(weight @ (window - centre) ** 2)
        if np.sqrt(spread) > 0.001 * width:
            weight = weight * ((at - centre) / spread * (window - centre) + 1)
    return float(weight @ y[left:right])
