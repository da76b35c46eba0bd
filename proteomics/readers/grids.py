"""Any table file as rows of text cells with their place: csv, tsv, gzip, .xlsx, .xls; Parquet by its schema."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.readers import HEAD_BYTES, read_head
from core.texttables import MAX_BYTES, decode_text, read_text, sniff_delimiter
from core.workbooks import is_workbook, read_workbook

__all__ = ["Grid", "head_lines", "load_grid", "load_grids", "open_text", "serum_head"]

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
#: Rows of each sheet by which a workbook is recognised.
_HEAD_ROWS = 80


@dataclass(frozen=True)
class Grid:
    """One sheet, or one text file: ragged rows of stripped cells.

    Parameters
    ----------
    file, sheet
        Where it comes from; ``sheet`` is empty for text files.
    rows
        Cells as text; blank rows stay as empty lists or lists of ``""``.
    lines
        1-based line (text) or row (sheet) of each row.
    delimiter
        Of a text file; a tab for a sheet.
    """

    file: str
    sheet: str
    rows: list[list[str]]
    lines: list[int]
    delimiter: str = "\t"

    def place(self, row: int, column: str | int | None = None) -> str:
        """A cell's place in words: ``"row 12, column NPX"``."""
        parts = [f"sheet {self.sheet}"] if self.sheet else []
        parts.append(f"row {self.lines[row]}" if row < len(self.lines) else "end of file")
        if column is not None:
            parts.append(f"column {_letter(column) if isinstance(column, int) else column}")
        return ", ".join(parts)

    def column(self, name: str, *, header: int = 0) -> int:
        """Place of a column by its exact name.

        Raises
        ------
        InputError
            If the header has no such column.
        """
        if header >= len(self.rows) or name not in self.rows[header]:
            found = ", ".join(self.rows[header][:6]) if header < len(self.rows) else "nothing"
            raise InputError(f"no column {name!r}", file=self.file, where="header", found=found)
        return self.rows[header].index(name)

    def cell(self, row: int, column: int) -> str:
        """The cell, or ``""`` beyond the end of a ragged row."""
        cells = self.rows[row]
        return cells[column] if column < len(cells) else ""


def _letter(column: int) -> str:
    name = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def open_text(path: str | Path) -> str:
    """Decoded text of a plain or gzipped file of bounded size.

    Raises
    ------
    InputError
        If it is missing, empty, too large, damaged or not UTF-8/UTF-16.
    """
    if not read_head(path).startswith(_GZIP):
        return read_text(path)
    try:
        with gzip.open(path, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"the gzip file is damaged ({error})", file=path) from None
    if len(raw) > MAX_BYTES:
        raise InputError("file is too large to be read as a whole", file=path, expected=f"at most {MAX_BYTES} bytes")
    return decode_text(raw, file=path)


def load_grids(path: str | Path) -> list[Grid]:
    """All sheets of a workbook, or the one table of a text file.

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    """
    head = read_head(path)
    if is_workbook(head):
        return _workbook(Path(path))
    return [_text_grid(open_text(path), str(path))]


def load_grid(path: str | Path) -> Grid:
    """The first sheet that is not empty."""
    grids = load_grids(path)
    filled = [grid for grid in grids if any(any(cell for cell in row) for row in grid.rows)]
    if not filled:
        raise InputError("the table is empty", file=path, found="no filled cell")
    return filled[0]


def _text_grid(text: str, file: str) -> Grid:
    delimiter = _delimiter(text, file)
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            rows.append([cell.strip() for cell in cells])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"broken table ({error})", file=file, where=f"row {reader.line_num}") from None
    return Grid(file, "", rows, lines, delimiter)


def _delimiter(text: str, file: str) -> str:
    """The mark that splits most of the first lines most; lists inside cells (``P1;P2``) do not mislead it."""
    lines = [line for line in text[: 4 * HEAD_BYTES].splitlines()[:80] if line.strip()]
    if not lines:
        raise InputError("the table is empty", file=file, found="only blank lines")
    lines = [line for line in lines if not line.lstrip('"').startswith("#")] or lines
    counts = {mark: sorted(line.count(mark) for line in lines)[len(lines) // 2] for mark in "\t;,"}
    in_header = {mark: number for mark, number in counts.items() if mark in lines[0]}
    candidates = in_header if any(in_header.values()) else counts
    best = max(candidates, key=lambda mark: candidates[mark])
    # In a table of few rows most lines may be a preamble without any mark.
    return best if candidates[best] else sniff_delimiter(max(lines, key=lambda line: max(map(line.count, "\t;,"))))


def _workbook(path: Path, *, first_rows: int | None = None) -> list[Grid]:
    return [
        Grid(str(path), name, rows, list(range(1, len(rows) + 1)))
        for name, rows in read_workbook(path, first_rows=first_rows).items()
    ]


def serum_head(path: str | Path) -> bytes:
    """What the readers recognise a file by: its first text, whatever the container.

    A workbook gives the first rows of every sheet as tab-separated text, a Parquet file its column names, a gzip
    file its unpacked start.

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    head = read_head(path)
    if head.startswith(_PARQUET):
        return b"PAR1\n" + "\t".join(_parquet_columns(path)).encode()
    if is_workbook(head):
        grids = _workbook(Path(path), first_rows=_HEAD_ROWS)
        text = "\n".join("\t".join(row) for grid in grids for row in grid.rows)
        return text.encode()[: 4 * HEAD_BYTES]
    if head.startswith(_GZIP):
        try:
            with gzip.open(path, "rb") as stream:
                return stream.read(HEAD_BYTES)
        except (OSError, EOFError) as error:
            raise InputError(f"the gzip file is damaged ({error})", file=path) from None
    return head


def _parquet_columns(path: str | Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"the Parquet file cannot be opened ({error})", file=path) from None


def head_lines(head: bytes, limit: int = 80) -> list[str]:
    """First lines of a head as text; bytes that are no UTF-8 come through as replacement marks."""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return head.decode(encoding, errors="replace").splitlines()[:limit]
