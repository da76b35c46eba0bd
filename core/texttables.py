"""CSV and TSV tables as text cells, with the line of every row, for readers that must name the place."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.readers import read_head

__all__ = ["MAX_BYTES", "TextTable", "decode_text", "read_text", "read_text_table", "sniff_delimiter"]

#: Tables above this size are not read whole into memory as text.
MAX_BYTES = 512 * 1024**2


@dataclass(frozen=True)
class TextTable:
    """Header and rows of a delimited text file, every cell as text.

    Parameters
    ----------
    columns
        Header cells, stripped.
    rows
        One list of cells a row, padded to the header's length.
    lines
        Line number in the file (1-based) of each row.
    file
        Where it was read from.
    """

    columns: list[str]
    rows: list[list[str]]
    lines: list[int]
    file: str


def decode_text(raw: bytes, *, file: str | Path) -> str:
    """Text of a file in UTF-8 (with or without mark) or UTF-16 with mark.

    Raises
    ------
    InputError
        If it is in another encoding; the message names line and byte.

    Examples
    --------
    >>> decode_text("Ärm".encode("utf-8-sig"), file="a.csv")
    'Ärm'
    """
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            "the file is not UTF-8 text",
            file=file,
            where=f"line {line}",
            found=f"byte 0x{raw[error.start]:02x} (a letter in Latin-1 or another old encoding, or no text at all)",
            expected="UTF-8",
            remedy="save it again with encoding UTF-8",
        ) from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputError("the file holds binary data", file=file, where=f"line {line}", expected="a text table")
    return text


def read_text(path: str | Path, *, max_bytes: int = MAX_BYTES) -> str:
    """The decoded text of a file of bounded size.

    Raises
    ------
    InputError
        If it is missing, empty, too large or not UTF-8/UTF-16.
    """
    path = Path(path)
    read_head(path)
    size = path.stat().st_size
    if size > max_bytes:
        raise InputError("file is too large to be read as a whole", file=path, found=f"{size} bytes",
                         expected=f"at most {max_bytes} bytes")  # fmt: skip
    return decode_text(path.read_bytes(), file=path)


def sniff_delimiter(line: str) -> str:
    """The delimiter of a header line: the one of tab, semicolon, comma that splits it most.

    Examples
    --------
    >>> sniff_delimiter("SampleID;NPX;Assay, long")
    ';'
    """
    counts = {mark: len(next(csv.reader([line], delimiter=mark), [])) for mark in ("\t", ";", ",")}
    return max(counts, key=lambda mark: counts[mark])


def read_text_table(path: str | Path, *, delimiter: str | None = None) -> TextTable:
    """Read a delimited table whose first filled line is the header.

    Rows that are wholly empty are skipped; short rows are padded; longer rows are an error unless the excess is empty.

    Raises
    ------
    InputError
        If there is no header, a column name twice, or a row longer than the header.
    """
    text = read_text(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = delimiter or sniff_delimiter(first)
    # A cell beyond csv's own limit is damage, not data.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = [cell.strip() for cell in cells]
                while columns and not columns[-1]:
                    columns.pop()
                continue
            rows.append(_fit(cells, columns, path, reader.line_num))
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"broken table ({error})", file=path, where=f"line {reader.line_num}") from None
    if not columns:
        raise InputError("the table is empty", file=path, found="no header", expected="a header line and rows")
    twice = sorted({name for name in columns if columns.count(name) > 1 and name})
    if twice:
        raise InputError("a column name occurs twice", file=path, where="header", found=", ".join(twice))
    return TextTable(columns, rows, lines, str(path))


def _fit(cells: list[str], columns: list[str], path: str | Path, line: int) -> list[str]:
    excess = cells[len(columns) :]
    if any(cell.strip() for cell in excess):
        raise InputError(
            "row has more cells than the header",
            file=path,
            where=f"line {line}",
            found=f"{len(cells)} cells",
            expected=f"{len(columns)}",
            remedy="check for a separator inside a value",
        )
    return [cell.strip() for cell in cells[: len(columns)]] + [""] * (len(columns) - len(cells))
