"""Cells of the laboratory's tables: read as text with their lines, then turned into numbers and dates, or refused."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from configs.columns import Kind
from core.dates import parse_date, parse_datetime
from core.errors import InputError
from core.readers import read_head
from core.texttables import TextTable, read_text, read_text_table, sniff_delimiter

__all__ = ["MISSING", "CellError", "Cells", "parse_cell", "read_cells"]

#: What counts as an empty cell where a number or a date is expected.
MISSING = ("", "NA", "N/A", "NaN", "nan", "na", "n/a")

_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?$")
_SPREADSHEET = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_MAX_ROWS = 1_000_000


class CellError(ValueError):
    """A cell that is not what its column holds: what is wrong, what is expected, what to do."""

    def __init__(self, message: str, *, expected: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.remedy = remedy


class Cells:
    """A table as text.

    Parameters
    ----------
    table
        Its cells and lines.
    decimal_comma
        Whether 1,5 is a number in it: so in files whose cells are not separated by commas.
    unit
        ``"line"`` of a text file or ``"row"`` of a spreadsheet.
    """

    def __init__(self, table: TextTable, *, decimal_comma: bool, unit: str) -> None:
        self.table = table
        self.decimal_comma = decimal_comma
        self.unit = unit


def read_cells(path: Path) -> Cells:
    """A CSV or TSV file, or the first sheet of a spreadsheet (recognised by content).

    Raises
    ------
    InputError
        If it is missing, empty, not UTF-8, damaged, or names a column twice.
    """
    head = read_head(path)
    if head.startswith(_SPREADSHEET):
        return Cells(_spreadsheet(path), decimal_comma=False, unit="row")
    first = next((line for line in read_text(path).splitlines() if line.strip()), "")
    delimiter = sniff_delimiter(first)
    return Cells(read_text_table(path, delimiter=delimiter), decimal_comma=delimiter != ",", unit="line")


def _spreadsheet(path: Path) -> TextTable:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            sheet = book.get_sheet_by_index(0)
            rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise InputError(
            f"not a readable spreadsheet ({error})", file=path, remedy="save it again, or as CSV"
        ) from None
    texts = [[_cell_text(cell) for cell in row] for row in rows[:_MAX_ROWS]]
    filled = [(number, row) for number, row in enumerate(texts, start=1) if any(row)]
    if not filled:
        raise InputError("the table is empty", file=path, found="no header", expected="a header row and rows")
    header = filled[0][1]
    while header and not header[-1]:
        header.pop()
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputError("a column name occurs twice", file=path, where="header", found=", ".join(twice))
    for number, row in filled[1:]:
        if any(row[len(header) :]):
            raise InputError(
                "a cell outside the columns of the header",
                file=path,
                where=f"row {number}",
                found=repr(next(cell for cell in row[len(header) :] if cell)),
            )
    body = [row[: len(header)] for _, row in filled[1:]]
    return TextTable(header, body, [number for number, _ in filled[1:]], str(path))


def _cell_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        midnight = cell.time() == dt.time()
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return str(cell).strip()


def parse_cell(text: str, kind: Kind, *, date_format: str | None = None, decimal_comma: bool = False) -> Any:
    """The value of a cell: text as it is, a float (NaN where empty), or a date as ISO text (empty where empty).

    Raises
    ------
    CellError
        If the text is none of its kind, or a date that can be read two ways.

    Examples
    --------
    >>> parse_cell("007", "id"), parse_cell("1.5", "number"), parse_cell("25/11/2026", "date")
    ('007', 1.5, '2026-11-25')
    >>> parse_cell("1,5", "number", decimal_comma=True)
    1.5
    """
    if kind in ("id", "text"):
        return text
    if text in MISSING:
        return float("nan") if kind == "number" else ""
    return _number(text, decimal_comma) if kind == "number" else _day(text, kind, date_format)


def _number(text: str, decimal_comma: bool) -> float:
    pointed = text.replace(",", ".") if decimal_comma and text.count(",") == 1 and "." not in text else text
    if re.fullmatch(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?", pointed, re.ASCII):
        value = float(pointed)
        if abs(value) < float("inf"):
            return value
    expected, remedy = "a number with a decimal point, or nothing", None
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        remedy = f"write {text.replace(',', '.')}"
    elif clock := re.fullmatch(r"(?:(\d+):)?(\d{1,2}):(\d{2}(?:\.\d+)?)", text):
        seconds = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
        remedy = f"write the seconds: {seconds:g}"
    elif unit := re.fullmatch(r"([-+]?\d+(?:\.\d+)?)\s*[a-zA-Z%µ°]+", text):
        remedy = f"write {unit[1]} and put the unit into the column's name"
    raise CellError("not a number", expected=expected, remedy=remedy)


def _day(text: str, kind: Kind, date_format: str | None) -> str:
    # A date written as 2026-11-05 (so also every date cell of a spreadsheet) can be read one way only.
    declared = None if _ISO.match(text) else date_format
    expected = "a date like 2026-11-05" + (" or 2026-11-05 14:30" if kind == "datetime" else "")
    try:
        if kind == "date" and " " not in text and "T" not in text:
            return parse_date(text, date_format=declared).isoformat()
        moment = parse_datetime(text, date_format=declared)
    except ValueError as error:
        if declared is not None:
            raise CellError("not a date in the declared date_format", expected=f"the format {declared!r}") from None
        raise CellError(
            str(error).split("; ")[0],
            expected=expected,
            remedy=f"write it so, or declare `date_format: '{_likely_format(text)}'` in the experiment file",
        ) from None
    if kind == "date" or (":" not in text and moment.time() == dt.time()):
        return moment.date().isoformat()
    return moment.isoformat(sep=" ", timespec="minutes")


def _likely_format(text: str) -> str:
    """The format for :meth:`strptime` of a date with these separators, the day first."""
    mark = re.search(r"\d\s*([/.\-])", text)
    return "%d{0}%m{0}%Y".format(mark[1] if mark else "/")
