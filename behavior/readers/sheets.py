"""Any exported table as rows of text cells with their place: text in any encoding and dialect, or a workbook."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.readers import HEAD_BYTES, read_head
from core.workbooks import is_workbook, read_workbook

__all__ = ["MISSING", "Sheet", "decode", "load_sheets", "parse_seconds", "read_bounded", "sniff_text", "text_sheet"]

Floats = NDArray[np.float64]

#: Cells that mean "no value" in one program or another.
MISSING = frozenset({"", "-", "nan", "na", "n/a", "none", "null", "."})

_MAX_BYTES = 256 * 1024**2
_MAX_CELLS = 8_000_000
_HEAD_ROWS = 60
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d{1,3})?")
_CLOCK = re.compile(r"([+-]?)\s*(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:[.,]\d+)?)")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook, or one text file: ragged rows of stripped cells.

    Parameters
    ----------
    file, name
        Where it comes from; ``name`` is empty for text files.
    rows
        Cells as text.
    lines
        1-based line or row of each.
    """

    file: str
    name: str
    rows: list[list[str]]
    lines: list[int]

    def place(self, row: int, column: str = "") -> str:
        """A cell's place in words: ``"row 12, column X center"``."""
        parts = [f"sheet {self.name}"] if self.name else []
        parts.append(f"row {self.lines[row]}" if row < len(self.lines) else "end of file")
        return ", ".join([*parts, f"column {column}"] if column else parts)

    def column(self, index: int, *, first: int) -> list[str]:
        """Cells of one column from a row on; ``""`` beyond the end of a short row."""
        return [row[index] if index < len(row) else "" for row in self.rows[first:]]

    def numbers(self, index: int, *, first: int, name: str, missing: frozenset[str] = MISSING) -> Floats:
        """One column as numbers, missing ones NaN; a decimal comma is a decimal sign.

        Raises
        ------
        InputError
            Naming the first cell that is neither a number nor a mark for a missing one.
        """
        cells = self.column(index, first=first)
        values = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            if _NUMBER.fullmatch(cell):
                values[row] = float(cell)
            elif _COMMA.fullmatch(cell):
                values[row] = float(cell.replace(",", "."))
            elif cell.lower() not in missing:
                raise InputError(
                    "not a number",
                    file=self.file,
                    where=self.place(first + row, name),
                    found=repr(cell[:40]),
                    expected="a number",
                )
        if np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values))[0])
            raise InputError(
                "the number is too large",
                file=self.file,
                where=self.place(first + row, name),
                found=repr(cells[row][:40]),
            )
        return values

    def flags(self, index: int, *, first: int, name: str) -> NDArray[np.int8]:
        """One column of 0 and 1, or False and True: 1, 0, and -1 where nothing is stated.

        Raises
        ------
        InputError
            Naming the first cell that is neither.
        """
        known = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1} | dict.fromkeys(MISSING, -1)
        cells = [cell.lower() for cell in self.column(index, first=first)]
        unknown = next((row for row, cell in enumerate(cells) if cell not in known), None)
        if unknown is not None:
            raise InputError(
                "neither 0 nor 1",
                file=self.file,
                where=self.place(first + unknown, name),
                found=repr(cells[unknown][:40]),
            )
        return np.array([known[cell] for cell in cells], dtype=np.int8)

    def is_flag(self, index: int, *, first: int) -> bool:
        """Whether a column holds nothing but 0, 1 and marks of missing values, and not only missing ones."""
        cells = {cell.lower() for cell in self.column(index, first=first)} - MISSING
        return bool(cells) and cells <= {"0", "1", "0.0", "1.0", "true", "false"}

    def whole_rows(self, first: int, width: int) -> tuple[int, str]:
        """Place after the last whole row from ``first`` on, and in words what is broken behind it.

        Blank rows at the end do not count. A last row that is too short is where the file breaks off.

        Raises
        ------
        InputError
            If an earlier row is shorter, or any longer, than the header.
        """
        end = len(self.rows)
        while end > first and not any(self.rows[end - 1]):
            end -= 1
        for row in range(first, end):
            cells = self.rows[row]
            if len(cells) > width and any(cells[width:]):
                raise InputError(
                    "the row has more cells than the header",
                    file=self.file,
                    where=self.place(row),
                    found=f"{len(cells)}",
                    expected=f"{width}",
                )
            if len(cells) < width and row < end - 1:
                raise InputError(
                    "the row is too short",
                    file=self.file,
                    where=self.place(row),
                    found=f"{len(cells)} cells",
                    expected=f"{width}",
                )
        if end > first and len(self.rows[end - 1]) < width:
            return end - 1, f"the file breaks off in {self.place(end - 1)}"
        return end, ""

    def until(self, end: int) -> Sheet:
        """The same sheet, cut before a row."""
        return Sheet(self.file, self.name, self.rows[:end], self.lines[:end])

    def seconds(self, index: int, *, first: int, name: str) -> Floats:
        """One column of times in s, given as numbers or as ``h:mm:ss.fff``.

        Raises
        ------
        InputError
            Naming the first cell that is no time.
        """
        cells = self.column(index, first=first)
        values = np.empty(len(cells))
        for row, cell in enumerate(cells):
            seconds = parse_seconds(cell)
            if seconds is None:
                raise InputError(
                    "not a time",
                    file=self.file,
                    where=self.place(first + row, name),
                    found=repr(cell[:40]),
                    expected="seconds, or h:mm:ss.fff",
                )
            values[row] = seconds
        return values


def parse_seconds(text: str) -> float | None:
    """Seconds of ``12.5``, ``12,5``, ``0:01:39.990`` or ``+ 00:20:00.130``; None if it is no time.

    Examples
    --------
    >>> parse_seconds("0:01:39.990"), parse_seconds("+ 00:20:00.130"), parse_seconds("12,5"), parse_seconds("-")
    (99.99, 1200.13, 12.5, None)
    """
    text = text.strip()
    if _NUMBER.fullmatch(text) or _COMMA.fullmatch(text):
        value = float(text.replace(",", "."))
        return value if np.isfinite(value) else None
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return None
    sign, hours, minutes, seconds = clock.groups()
    value = int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
    value = round(value, 9)
    return -value if sign == "-" else value


def decode(raw: bytes, *, file: str | Path = "") -> str:
    """Text of an export: UTF-8, UTF-16 with or without mark, else Windows or Latin-1 letters.

    Raises
    ------
    InputError
        If it is binary, or UTF-16 that breaks off.

    Examples
    --------
    >>> decode("cm²".encode("utf-16-le") * 20)[:3], decode("cm²;Größe".encode("latin-1"))
    ('cm²', 'cm²;Größe')
    """
    encoding = _encoding(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            where = f"byte {error.start}"
            raise InputError(f"broken {encoding} text", file=file, where=where, remedy="export it again") from None
        text = raw.decode("cp1252", errors="replace")
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputError("the file holds binary data", file=file, where=f"line {line}", expected="a text table")
    return text


def _encoding(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    start = raw[:4096]
    half = max(len(start) // 2, 1)
    even, odd = start[::2].count(0) / half, start[1::2].count(0) / half
    # Western text in UTF-16 has a zero in every second byte.
    if odd > 0.6 and even < 0.1:
        return "utf-16-le"
    if even > 0.6 and odd < 0.1:
        return "utf-16-be"
    return "utf-8-sig"


def load_sheets(path: str | Path) -> list[Sheet]:
    """All sheets of a workbook, or the one table of a text file.

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    """
    if is_workbook(read_head(path)):
        book = read_workbook(path)
        return [Sheet(str(path), name, rows, list(range(1, len(rows) + 1))) for name, rows in book.items()]
    return [text_sheet(read_bounded(path), file=str(path))]


def read_bounded(path: str | Path) -> str:
    """Decoded text of a file of bounded size.

    Raises
    ------
    InputError
        If it is too large or no text.
    """
    size = Path(path).stat().st_size
    if size > _MAX_BYTES:
        raise InputError(
            "file is too large to be read as a whole",
            file=path,
            found=f"{size} bytes",
            expected=f"at most {_MAX_BYTES} bytes",
        )
    return decode(Path(path).read_bytes(), file=path)


def text_sheet(text: str, *, file: str, delimiter: str | None = None) -> Sheet:
    """A text table as a sheet; the delimiter is the one that splits most lines most.

    Raises
    ------
    InputError
        If it is empty, broken or too large.
    """
    delimiter = delimiter or _delimiter(text, file)
    if text.count(delimiter) > _MAX_CELLS:
        raise InputError("the table has too many cells", file=file, expected=f"at most {_MAX_CELLS}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for cells in reader:
            rows.append([cell.strip() for cell in cells])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"broken table ({error})", file=file, where=f"line {reader.line_num}") from None
    return Sheet(file, "", rows, lines)


def _delimiter(text: str, file: str) -> str:
    lines = [line for line in text[:HEAD_BYTES].splitlines()[:200] if line.strip()]
    if not lines:
        raise InputError("the table is empty", file=file, found="only blank lines")
    # The median over the later lines: headers of key and value have few cells, decimal commas sit inside cells.
    later = lines[len(lines) // 2 :]
    counts = {mark: sorted(line.count(mark) for line in later)[len(later) // 2] for mark in "\t;,"}
    for mark in "\t;":
        if counts[mark] >= 1 and counts[mark] * 3 >= counts[","]:
            return mark
    return "," if counts[","] else max("\t;,", key=lambda mark: max(line.count(mark) for line in lines))


def sniff_text(path: str | Path) -> str:
    """What a reader recognises a table by: the first rows of all sheets, tab-separated, or the first text.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = file.write_bytes("cm;b".encode("utf-16"))
    >>> sniff_text(file)
    'cm;b'
    """
    head = read_head(path)
    if is_workbook(head):
        book = read_workbook(path, first_rows=_HEAD_ROWS)
        return "\n".join("\t".join(row) for rows in book.values() for row in rows)[:HEAD_BYTES]
    return head.decode(_encoding(head), errors="replace")
