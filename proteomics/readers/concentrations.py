"""Concentrations, or log values, with censoring marks to the cells of the abundance model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.problems import Problem
from proteomics.abundance import FLAGS
from proteomics.readers.cells import Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LogCells", "constant_floor", "is_log_unit", "linear_to_log2"]

#: A share of one protein's values at its lowest value from which on the value is no measurement.
_FLOOR_SHARE = 0.05


@dataclass(frozen=True)
class LogCells:
    """log2 values, censoring, limits, flags and unit, as :func:`proteomics.abundance.from_frame` takes them."""

    values: NDArray[np.float64]
    below: NDArray[np.bool_]
    lod: NDArray[np.float64]
    quality: NDArray[np.uint16]
    unit: str


def is_log_unit(unit: str) -> bool:
    """Whether values in this unit are logarithms already.

    Examples
    --------
    >>> [is_log_unit(unit) for unit in ("NPX", "log2 pg/mL", "pg/mL", "log10 RFU")]
    [True, True, False, True]
    """
    word = unit.strip().casefold()
    return word == "npx" or word.startswith(("log2", "log10", "ln ", "log_2")) or word == "ln"


def linear_to_log2(
    values: NDArray[np.float64],
    marks: NDArray[np.int8],
    limits: NDArray[np.float64],
    *,
    unit: str,
    zero: str = "auto",
    file: str,
    problems: list[Problem],
) -> LogCells:
    """Turn parsed cells into log2 cells.

    Parameters
    ----------
    values, marks
        (n_samples, n_proteins) numbers or limits, and :class:`Mark`.
    limits
        (n_proteins,) or (n_samples, n_proteins) limits of detection in the same unit; NaN where not known.
    unit
        As stated; an empty one is taken from the range of the values where that is clear.
    zero
        What 0 on a linear scale is: ``"below"`` (also ``"auto"``), ``"missing"``, or ``"value"`` (an error).

    Raises
    ------
    InputError
        If the scale is unclear or a value cannot be on it.
    """
    values, marks = values.copy(), marks.copy()
    limits = np.array(np.broadcast_to(limits, values.shape))
    if not unit:
        unit = _unit_from_range(values, file, problems)
    log = is_log_unit(unit)
    if not log:
        _mark_zeros(values, marks, zero, file, problems)
    below = marks == Mark.BELOW
    limits = np.where(below & np.isfinite(values), values, limits)
    unknown = below & ~np.isfinite(limits)
    values = np.where(below & ~np.isfinite(values), limits, values)
    with np.errstate(divide="ignore", invalid="ignore"):
        if not log:
            values, limits = np.log2(values), np.where(limits > 0, np.log2(limits), np.nan)
            unit = f"log2 {unit}"
        elif unit.strip().casefold().startswith(("log10", "ln")):
            factor = np.log2(10) if unit.strip().casefold().startswith("log10") else 1 / np.log(2)
            values, limits = values * factor, limits * factor
            unit = "log2 " + unit.strip().split(" ", 1)[-1] if " " in unit.strip() else "log2"
        below |= values < limits
    quality = np.zeros(values.shape, np.uint16)
    for mark, flag in ((Mark.ABOVE, "above_range"), (Mark.EXTRAPOLATED, "extrapolated"), (Mark.NO_RESULT, "no_result")):
        quality[marks == mark] |= FLAGS[flag]
    problems += _mark_problems(marks, unknown, limits, below, file)
    if not log:
        problems += constant_floor(values, file)
    return LogCells(values, below, limits, quality, "NPX" if unit.strip().casefold() == "npx" else unit)


def _unit_from_range(values: NDArray[np.float64], file: str, problems: list[Problem]) -> str:
    low, high = (float(np.nanmin(values)), float(np.nanmax(values))) if np.isfinite(values).any() else (0.0, 0.0)
    if low < 0:
        unit, words = "log2", "negative values: logarithms, taken as log2"
    elif high > 64:
        unit, words = "unit not stated", "values from 0 up: linear, log2 is taken"
    else:
        raise InputError(
            "the table does not state its unit, and its values may be linear or logarithms",
            file=file,
            found=f"values from {low:g} to {high:g}",
            expected="a first line '# unit: pg/mL', '# unit: NPX' or '# unit: log2', or the option unit",
            remedy="state the unit",
        )
    message = f"no unit stated; values from {low:g} to {high:g}"
    problems.append(Problem(code="unit_assumed", file=Path(file).name, message=message, action=words))
    return unit


def _mark_zeros(
    values: NDArray[np.float64], marks: NDArray[np.int8], zero: str, file: str, problems: list[Problem]
) -> None:
    negative = values < 0
    if negative.any():
        row, column = (int(index) for index in np.argwhere(negative)[0])
        raise InputError(
            "a concentration is negative",
            file=file,
            where=f"sample {row + 1}, protein {column + 1} of the table",
            found=f"{values[row, column]:g}",
            expected="0 or more, or a unit that is logarithmic",
        )
    zeros = (values == 0) & (marks == Mark.NUMBER)
    n_zero = int(zeros.sum())
    if not n_zero:
        return
    if zero == "value":
        raise InputError(
            "0 has no logarithm", file=file, found=f"{n_zero} zeros", remedy="set zero to below or missing"
        )
    marks[zeros] = Mark.MISSING if zero == "missing" else Mark.BELOW
    values[zeros] = np.nan
    action = "taken as missing" if zero == "missing" else "taken as below detection"
    problems.append(Problem(code="limit_assumed", file=Path(file).name, message=f"{n_zero} cells are 0", action=action))


def _mark_problems(
    marks: NDArray[np.int8],
    unknown: NDArray[np.bool_],
    limits: NDArray[np.float64],
    below: NDArray[np.bool_],
    file: str,
) -> list[Problem]:
    name = Path(file).name
    found = []
    counts = (
        (
            Mark.ABOVE,
            "above_range",
            "above the range of the curve (OOR >, > NUMBER)",
            "kept at the limit where it is stated, otherwise missing; flagged",
        ),
        (Mark.EXTRAPOLATED, "extrapolated", "extrapolated beyond the standards (*NUMBER)", "kept, flagged"),
        (Mark.NO_RESULT, "no_result", "without a result (***, #NUM! ...)", "missing, flagged"),
    )
    for mark, code, words, action in counts:
        number = int((marks == mark).sum())
        if number:
            message = f"{number} {'cell is' if number == 1 else 'cells are'} {words}"
            found.append(Problem(code=code, file=name, message=message, action=action))
    if unknown.any():
        message = f"{int(unknown.sum())} censored cells of proteins without a stated limit"
        found.append(Problem(code="limit_assumed", file=name, message=message, action="censored, without a number"))
    if not np.isfinite(limits).any() and not below.any():
        message = "the table has no LOD and no censoring marks"
        found.append(Problem(code="lod_unknown", file=name, message=message, action="all values count as detected"))
    return found


def constant_floor(values: NDArray[np.float64], file: str = "") -> list[Problem]:
    """A Problem where the lowest value of proteins repeats as no measurement does.

    A protein has a floor if at least 5 % of its values, and at least 3, equal its lowest value.

    Examples
    --------
    >>> column = np.array([[0.001]] * 4 + [[1.2], [2.3], [0.7]])
    >>> constant_floor(np.log2(column))[0].code
    'constant_floor'
    """
    cells = proteins = 0
    for column in values.T:
        column = column[np.isfinite(column)]
        if not column.size:
            continue
        low = int((column == column.min()).sum())
        if low >= 3 and low >= _FLOOR_SHARE * column.size:
            cells, proteins = cells + low, proteins + 1
    if not proteins:
        return []
    share = 100 * cells / max(1, int(np.isfinite(values).sum()))
    return [
        Problem(
            code="constant_floor",
            file=Path(file).name if file else "",
            message=f"in {proteins} proteins the lowest value repeats; {cells} cells, {share:.1f} % of all",
            action="kept; if these stand for 'not detected', give lod or write n.d. in the cells",
        )
    ]
