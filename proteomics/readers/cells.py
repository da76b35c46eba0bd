"""What stands in a cell of a concentration table: a number, a censoring mark, a blank, or an error."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Mark", "ParsedCells", "decimal_mark", "parse_cell", "parse_cells"]


class Mark(IntEnum):
    """The meaning of a cell."""

    NUMBER = 0
    MISSING = 1
    BELOW = 2
    ABOVE = 3
    EXTRAPOLATED = 4
    NO_RESULT = 5
    BAD = 6


_MISSING = {"", "na", "n/a", "#n/a", "nan", "-", "--", "null", "none", "."}
_BELOW = re.compile(
    r"(?:oor|out of range)?\s*<\s*(?:lod|lloq|loq|lld|mdd|dl|ll)?$|(?:oor|out of range) *(?:low|below)$"
    r"|(?:blod|blq|bloq|bql|bdl|nd|n\.d\.?|not detected|below (?:lod|fit curve range|detection(?: limit)?|range))$"
)
_ABOVE = re.compile(
    r"(?:oor|out of range)?\s*>\s*(?:uloq|uld|ul)?$|(?:oor|out of range) *(?:high|above)$"
    r"|above (?:fit curve range|uloq|range)$|aloq$"
)
_NO_RESULT = re.compile(r"\*{2,}$|#(?:num|div/0|value|ref|name\??|null)!?$|no result$|not reported$")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$")


@dataclass(frozen=True)
class ParsedCells:
    """Numbers and marks of a row of cells.

    Parameters
    ----------
    values
        (n,) float; for BELOW and ABOVE the limit that stood in the cell, NaN where none did.
    marks
        (n,) of :class:`Mark`.
    """

    values: NDArray[np.float64]
    marks: NDArray[np.int8]


def parse_cell(text: str, *, decimal: str = ".") -> tuple[float, Mark]:
    """Value and meaning of one cell.

    Examples
    --------
    >>> [parse_cell(text)[1].name for text in ("12.3", "", "OOR <", "*4.5", "***", "high")]
    ['NUMBER', 'MISSING', 'BELOW', 'EXTRAPOLATED', 'NO_RESULT', 'BAD']
    >>> parse_cell("< 0.105"), parse_cell("8,5", decimal=",")
    ((0.105, <Mark.BELOW: 2>), (8.5, <Mark.NUMBER: 0>))
    """
    text = text.strip()
    word = text.casefold()
    if word in _MISSING:
        return math.nan, Mark.MISSING
    number = _number(text, decimal)
    if number is not None:
        return number, Mark.NUMBER
    if _BELOW.match(word):
        return math.nan, Mark.BELOW
    if _ABOVE.match(word):
        return math.nan, Mark.ABOVE
    if _NO_RESULT.match(word):
        return math.nan, Mark.NO_RESULT
    kinds = {"<": Mark.BELOW, ">": Mark.ABOVE, "*": Mark.EXTRAPOLATED, "≤": Mark.BELOW, "≥": Mark.ABOVE}
    number = _number(text[1:].strip().removeprefix("=").strip(), decimal)
    if text[0] in kinds and number is not None:
        return number, kinds[text[0]]
    return math.nan, Mark.BAD


def _number(text: str, decimal: str) -> float | None:
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    if not _NUMBER.match(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def parse_cells(cells: Sequence[str], *, decimal: str = ".") -> ParsedCells:
    """Values and marks of many cells."""
    values = np.full(len(cells), np.nan)
    marks = np.full(len(cells), Mark.BAD, np.int8)
    for index, cell in enumerate(cells):
        values[index], marks[index] = parse_cell(cell, decimal=decimal)
    return ParsedCells(values, marks)


_COMMA_NUMBER = re.compile(r"[<>*]?\s*[+-]?\d+,\d+(?:[eE][+-]?\d+)?$")
_POINT_NUMBER = re.compile(r"[<>*]?\s*[+-]?\d+\.\d+(?:[eE][+-]?\d+)?$")


def decimal_mark(cells: Sequence[str], *, file: str = "", what: str = "the table") -> str:
    """``","`` if the numbers among the cells are written with decimal commas, otherwise ``"."``.

    Raises
    ------
    InputError
        If some have a comma and some a point, which may be thousands separators.

    Examples
    --------
    >>> decimal_mark(["12,5", "3", "x"]), decimal_mark(["12.5", "a,b"])
    (',', '.')
    """
    commas = next((cell for cell in cells if _COMMA_NUMBER.match(cell)), None)
    if commas is None:
        return "."
    points = next((cell for cell in cells if _POINT_NUMBER.match(cell)), None)
    if points is not None:
        raise InputError(
            f"{what} writes some numbers with a decimal comma and some with a point",
            file=file or None,
            found=f"{commas!r} and {points!r}",
            expected="one of the two, without thousands separators",
            remedy="export it again with one decimal mark",
        )
    return ","
