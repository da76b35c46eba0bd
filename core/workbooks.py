"""Spreadsheets (.xlsx, .xls) as rows of text cells, read within bounds that a hostile or damaged file cannot pass."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.readers import read_head

__all__ = ["MAX_CELLS", "MAX_UNPACKED_BYTES", "is_workbook", "read_workbook"]

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

#: Bounds of what is unpacked: a bomb of zeros, a cell at XFD1048576 or one long text repeated stop here.
MAX_UNPACKED_BYTES = 300 * 1024**2
MAX_CELLS = 8_000_000
_MAX_TEXT_BYTES = 400 * 1024**2

_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']\$?([A-Za-z]{1,9})\$?([0-9]{1,12})["']""")
_SHARED = re.compile(rb"<(?:\w+:)?si\b")


def is_workbook(head: bytes) -> bool:
    """Whether a file starts as a spreadsheet does."""
    return head.startswith((_ZIP, _OLE))


def read_workbook(path: str | Path, *, first_rows: int | None = None) -> dict[str, list[list[str]]]:
    """All sheets of a workbook: name to rows of text cells; row 1 of the sheet is the first row.

    Parameters
    ----------
    path
        The .xlsx or .xls file.
    first_rows
        Only so many rows of each sheet; by default all.

    Raises
    ------
    InputError
        If it is missing, damaged, no spreadsheet, or larger than the bounds.
    """
    import python_calamine as calamine

    head = read_head(path)
    packed = _checked_archive(Path(path)) if head.startswith(_ZIP) else _bounded_bytes(Path(path))
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(packed))
        sheets = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=first_rows)
            for name in book.sheet_names
        }
    # calamine's own error classes share no base that can be named, and a Rust panic derives from BaseException.
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise InputError(
            f"the workbook cannot be opened ({error})", file=path, remedy="open it in a spreadsheet and save it again"
        ) from None
    return {name: [[_cell_text(cell) for cell in row] for row in rows] for name, rows in sheets.items()}


def _bounded_bytes(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MAX_UNPACKED_BYTES:
        raise InputError(
            "the workbook is too large", file=path, found=f"{size} bytes", expected=f"at most {MAX_UNPACKED_BYTES}"
        )
    return path.read_bytes()


def _checked_archive(path: Path) -> bytes:
    """The workbook packed anew from parts whose true size was seen, since a zip's own table can lie about it."""
    checked, total = io.BytesIO(), 0
    try:
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(checked, "w", zipfile.ZIP_STORED) as copy:
            names = [item.filename for item in archive.infolist()]
            if "xl/workbook.xml" not in names:
                raise InputError(
                    "this is no .xlsx workbook", file=path, found=_kind(names), remedy="save it as .xlsx or as text"
                )
            declared = sum(item.file_size for item in archive.infolist())
            if declared > MAX_UNPACKED_BYTES or len(names) > 5000:
                raise InputError(
                    "the workbook is too large",
                    file=path,
                    found=f"{declared} bytes unpacked",
                    expected=f"at most {MAX_UNPACKED_BYTES}",
                )
            parts = {}
            for item in archive.infolist():
                # zipfile reads no more than the declared size, and a wrong one fails the checksum.
                parts[item.filename] = archive.read(item)
                total += len(parts[item.filename])
            _check_cells(parts, path)
            for name, part in parts.items():
                copy.writestr(name, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise InputError(
            f"the workbook cannot be opened ({error})", file=path, remedy="copy it again, or open and save it"
        ) from None
    return checked.getvalue()


def _kind(names: list[str]) -> str:
    if "xl/workbook.bin" in names:
        return "an .xlsb workbook"
    return "an OpenDocument file" if "content.xml" in names else "another kind of zip archive"


def _check_cells(parts: dict[str, bytes], path: Path) -> None:
    """The reader allocates the whole rectangle that the cells span, and a copy of each text: count both first."""
    spanned = texts = 0
    for name, part in parts.items():
        if not name.startswith("xl/worksheets/"):
            continue
        cells = _CELL.findall(part)
        columns = max(map(_number, {column for column, _ in cells}), default=1)
        rows = max(map(int, {row for _, row in cells}), default=1)
        spanned += columns * rows
        texts += part.count(b'="s"') + part.count(b"='s'")
        if spanned > MAX_CELLS:
            raise InputError(
                "the sheet spans too many cells",
                file=path,
                where=name,
                found=f"{columns} columns x {rows} rows",
                expected=f"at most {MAX_CELLS} cells",
                remedy="delete what stands far outside the table",
            )
    shared = parts.get("xl/sharedStrings.xml", b"")
    longest = max((len(text) for text in _SHARED.split(shared)), default=0)
    if longest * texts > _MAX_TEXT_BYTES:
        found = f"texts of up to {longest} letters, {texts} cells with text"
        raise InputError("the workbook holds too much text", file=path, found=found)


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _cell_text(cell: Any) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, (dt.datetime, dt.date, dt.time)):
        return cell.isoformat()
    return str(cell).strip()
