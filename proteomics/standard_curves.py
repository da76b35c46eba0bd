"""Standard curves of immunoassays: weighted four- and five-parameter logistic fits, and what they can quantify."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError, RefusedError
from core.problems import Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from proteomics.readers.plate import PlateRead

__all__ = ["Curve", "CurveOptions", "clean_series", "fit_curve", "fit_plate"]

_MODELS = {"4PL": 4, "5PL": 5}
#: Signals that a curve is fitted to, in order of preference.
_SIGNALS = ("Net MFI", "FI", "FI - Bkgd", "Median", "Adjusted Signal", "Signal")
_WEIGHTS = ("1/y2", "1/y", "none")


@dataclass(frozen=True, kw_only=True)
class CurveOptions:
    """How standards are fitted.

    Parameters
    ----------
    model
        ``"5PL"`` or ``"4PL"`` (the five-parameter curve with its asymmetry fixed at 1).
    weights
        ``"1/y2"``: constant relative error, as vendors' weighted fits have it; ``"1/y"``; ``"none"``.
    recovery_low, recovery_high
        A standard is given back when its fitted concentration is within these bounds of the true one.
    """

    model: str = "5PL"
    weights: str = "1/y2"
    recovery_low: float = 0.7
    recovery_high: float = 1.3

    def __post_init__(self) -> None:
        if self.model not in _MODELS:
            raise ValueError(f"model is {self.model!r}; allowed: {', '.join(_MODELS)}")
        if self.weights not in _WEIGHTS:
            raise ValueError(f"weights is {self.weights!r}; allowed: {', '.join(_WEIGHTS)}")
        if not 0 < self.recovery_low < 1 < self.recovery_high:
            raise ValueError("recovery_low must lie between 0 and 1, recovery_high above 1")


@dataclass(frozen=True)
class Curve:
    """A fitted curve ``y = a + b / (1 + (x / c) ** d) ** g`` with d below 0 and a the response to nothing.

    Parameters
    ----------
    a, b, c, d, g
        Its parameters.
    lloq, uloq
        Lowest and highest standard between which all standards are given back within the recovery bounds; NaN where
        none is.
    recovery
        For each level of the standards (ascending): its concentration, and fitted over true concentration.
    """

    a: float
    b: float
    c: float
    d: float
    g: float
    lloq: float
    uloq: float
    recovery: tuple[tuple[float, float], ...]

    def response(self, concentration: ArrayLike) -> NDArray[np.float64]:
        """Signal at a concentration."""
        x = np.asarray(concentration, dtype=float)
        with np.errstate(divide="ignore", over="ignore"):
            power = np.where(x > 0, np.exp(self.d * (np.log(np.maximum(x, 1e-300)) - np.log(self.c))), np.inf)
            signal: NDArray[np.float64] = self.a + self.b / (1 + power) ** self.g
        return signal

    def concentration(self, signal: ArrayLike) -> NDArray[np.float64]:
        """Concentration that gives a signal; 0 at or below the lower asymptote, inf at or above the upper one."""
        y = np.asarray(signal, dtype=float)
        share = (y - self.a) / self.b
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inner = np.where((share > 0) & (share < 1), share, 0.5) ** (-1 / self.g) - 1
            x = self.c * inner ** (1 / self.d)
        x = np.where(share <= 0, 0.0, np.where(share >= 1, np.inf, x))
        return np.where(np.isfinite(y), x, np.nan)


def fit_curve(concentration: ArrayLike, signal: ArrayLike, *, options: CurveOptions | None = None) -> Curve:
    """Fit standards by weighted least squares.

    Parameters
    ----------
    concentration, signal
        (n,) known concentrations and signals of the wells; concentrations that are not above 0 are left out.

    Returns
    -------
    Curve
        Fitted on the logarithm of the concentration from several starts; the best is kept.

    Raises
    ------
    RefusedError
        If fewer levels than parameters are there, or the signal does not rise with the concentration.

    Examples
    --------
    >>> x = 4.0 ** np.arange(-3, 5)
    >>> curve = fit_curve(x, 10 + 9990 / (1 + (x / 20) ** -1.1))
    >>> float(curve.concentration(100.0).round(4)), curve.lloq, curve.uloq
    (0.2788, 0.015625, 256.0)
    """
    options = options or CurveOptions()
    x, y = np.asarray(concentration, dtype=float), np.asarray(signal, dtype=float)
    use = np.isfinite(x) & np.isfinite(y) & (x > 0)
    x, y = x[use], y[use]
    levels = np.unique(x)
    needed = _MODELS[options.model]
    if levels.size <= needed:
        raise RefusedError("too few levels of the standard", found=str(levels.size), expected=f"more than {needed}")
    mean = np.array([y[x == level].mean() for level in levels])
    if not mean[-1] > mean[0]:
        raise RefusedError("the standards' signal does not rise with their concentration",
                           found=f"{mean[0]:g} at the lowest, {mean[-1]:g} at the highest")  # fmt: skip
    theta = _least_squares(np.log(x), y, _weights(y, mean, options), mean, needed)
    g = float(np.exp(theta[4])) if needed == 5 else 1.0
    curve = Curve(theta[0], theta[1], float(np.exp(theta[2])), -float(np.exp(theta[3])), g, np.nan, np.nan, ())
    return _with_range(curve, levels, mean, options)


def _weights(y: NDArray[np.float64], mean: NDArray[np.float64], options: CurveOptions) -> NDArray[np.float64]:
    # Net signals may be 0 or negative; below this floor the relative error is no longer constant.
    size = np.maximum(np.abs(y), 1e-5 * mean.max())
    weights: NDArray[np.float64] = {"1/y2": 1 / size, "1/y": 1 / np.sqrt(size), "none": np.ones_like(y)}[
        options.weights
    ]
    return weights


def _least_squares(
    log_x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    mean: NDArray[np.float64],
    n_parameters: int,
) -> list[float]:
    """Parameters a, b, log c, log -d (, log g) of the best of several starts."""
    from scipy import optimize

    def parts(theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
        slope, g = float(np.exp(theta[3])), float(np.exp(theta[4])) if n_parameters == 5 else 1.0
        inner = np.exp(np.clip(-slope * (log_x - theta[2]), -700, 700))
        return inner, np.exp(-g * np.log1p(inner)), slope, g

    def residuals(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        _, share, _, _ = parts(theta)
        left: NDArray[np.float64] = (theta[0] + theta[1] * share - y) * weight
        return left

    def jacobian(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        inner, share, slope, g = parts(theta)
        common = theta[1] * share * g * inner / (1 + inner) * slope
        columns = [
            np.ones_like(y),
            share,
            -common,
            common * (log_x - theta[2]),
            -theta[1] * share * g * np.log1p(inner),
        ]
        matrix: NDArray[np.float64] = np.column_stack(columns[:n_parameters]) * weight[:, None]
        return matrix

    # An asymmetry beyond a factor of 20 only stands for a curve that the standards do not show.
    bounds = ([-np.inf] * 4 + [-3.0], [np.inf] * 4 + [3.0])
    bounds = (bounds[0][:n_parameters], bounds[1][:n_parameters])
    best = None
    for slope in (0.5, 0.9, 1.6):
        for log_g in (-0.7, 0.0, 0.7) if n_parameters == 5 else (0.0,):
            start = [mean[0] * 0.5, 1.2 * mean[-1], float(np.median(log_x)), np.log(slope), log_g][:n_parameters]
            scale = np.maximum(np.abs(start), 0.1)
            fit = optimize.least_squares(residuals, start, jac=jacobian, bounds=bounds, x_scale=scale, max_nfev=2000)
            if best is None or fit.cost < best.cost:
                best = fit
    assert best is not None
    return [float(value) for value in best.x]


def _with_range(curve: Curve, levels: NDArray[np.float64], mean: NDArray[np.float64], options: CurveOptions) -> Curve:
    recovery = curve.concentration(mean) / levels
    good = (recovery >= options.recovery_low) & (recovery <= options.recovery_high)
    start, length = _longest_run(good)
    low, high = (levels[start], levels[start + length - 1]) if length else (np.nan, np.nan)
    pairs = tuple((float(level), float(share)) for level, share in zip(levels, recovery, strict=True))
    return replace(curve, lloq=float(low), uloq=float(high), recovery=pairs)


def _longest_run(good: NDArray[np.bool_]) -> tuple[int, int]:
    best, at = (0, 0), 0
    for k, ok in enumerate([*good.tolist(), False]):
        if not ok:
            best = max(best, (at, k - at), key=lambda run: run[1])
            at = k + 1
    return best


def clean_series(names: Sequence[str], expected: ArrayLike) -> tuple[NDArray[np.float64], list[str]]:
    """Expected concentrations of one analyte without those that break the dilution series.

    Standards are diluted by one factor from each number to the next. A value more than half a step away from the
    series is damage (``215625`` for ``215.625``, its decimal point lost) and is left out, never mended.

    Parameters
    ----------
    names, expected
        (n,) names of the standards, numbered, and their concentrations.

    Returns
    -------
    ndarray, list of str
        Concentrations with NaN where one is left out, and the names of those.

    Examples
    --------
    >>> values, broken = clean_series([f"Standard{k}" for k in (1, 2, 3, 4)], [80, 40, 20000, 10])
    >>> values.tolist(), broken
    ([80.0, 40.0, nan, 10.0], ['Standard3'])
    """
    values = np.array(expected, dtype=float)
    numbers = np.array([float(m[1]) if (m := re.search(r"(\d+)$", name)) else np.nan for name in names])
    use = np.isfinite(values) & (values > 0) & np.isfinite(numbers)
    order = np.unique(numbers[use])
    if order.size < 4:
        return values, []
    level = np.array([np.median(np.log(values[use & (numbers == k)])) for k in order])
    step = float(np.median(np.diff(level) / np.diff(order)))
    if step == 0:
        return values, []
    offset = level - step * order
    away = np.abs(offset - np.median(offset)) > 0.5 * abs(step)
    # Where many are away there is no series to break.
    if not away.any() or away.sum() > order.size // 3:
        return values, []
    broken = np.isin(numbers, order[away])
    return np.where(broken, np.nan, values), sorted({name for name, bad in zip(names, broken, strict=True) if bad})


def fit_plate(plate: PlateRead, *, options: CurveOptions | None = None) -> PlateRead:
    """Work out concentrations of a plate from its own standards.

    Net signals are used where the plate reports them, otherwise the median. Each analyte's concentration is the
    curve's times the dilution; a signal outside the asymptotes becomes ``OOR <`` or ``OOR >``; a concentration
    outside LLOQ to ULOQ is marked as extrapolated.

    Returns
    -------
    PlateRead
        The plate with the quantity ``Result`` and the problems of the fits. Analytes that cannot be fitted have no
        concentration.

    Raises
    ------
    InputError
        If the plate holds no standards with known concentrations.
    """
    from proteomics.readers.cells import parse_cells

    options = options or CurveOptions()
    if plate.standards is None or not np.isfinite(plate.standards).any():
        raise InputError("the plate has no standards of known concentration", file=plate.file)
    quantity = next((name for name in _SIGNALS if name in plate.cells), "")
    if not quantity:
        raise InputError("the plate has no signals to fit", file=plate.file, found=", ".join(plate.cells))
    shape = (len(plate.wells), len(plate.analytes))
    signal = parse_cells([cell for row in plate.cells[quantity] for cell in row]).values.reshape(shape)
    dilution = np.array([d if d > 0 else 1.0 for d in plate.dilution or [1.0] * shape[0]])
    cells = [[""] * shape[1] for _ in range(shape[0])]
    problems = list(plate.problems)
    file = Path(plate.file).name
    for at, name in enumerate(plate.analytes):
        try:
            curve = fit_curve(plate.standards[:, at], signal[:, at], options=options)
        except RefusedError as error:
            problems.append(
                Problem(code="poor_fit", file=file, where=name, message=str(error), action="no concentrations")
            )
            continue
        if not np.isfinite(curve.lloq):
            message, action = "no standard is given back within the bounds", "all concentrations marked as extrapolated"
            problems.append(Problem(code="poor_fit", file=file, where=name, message=message, action=action))
        for row in range(shape[0]):
            cells[row][at] = _cell(float(curve.concentration(signal[row, at])), curve, dilution[row])
    return replace(plate, cells={**plate.cells, "Result": cells}, problems=problems)


def _cell(concentration: float, curve: Curve, dilution: float) -> str:
    if np.isnan(concentration):
        return ""
    if concentration == 0:
        return "OOR <"
    if np.isinf(concentration):
        return "OOR >"
    inside = curve.lloq <= concentration <= curve.uloq
    return f"{'' if inside else '*'}{float(concentration * dilution)!r}"
