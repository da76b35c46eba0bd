"""Matrices of the Broad Institute's GCT format, versions 1.2 and 1.3: genes in rows, samples or drugs in columns.

Version 1.2: ``#1.2``, a line with the numbers of rows and columns, a header ``NAME, Description, ...``, the rows.
Version 1.3: ``#1.3``, a line with the numbers of rows, columns, row descriptions and column descriptions, a header
``id, row descriptions, column ids``, the lines of column descriptions, the rows. Cells are separated by tabs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.labels import duplicated
from core.readers import Reader

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "GeneMatrix", "gene_symbols", "read_gct"]

#: Row descriptions that hold the gene symbol, the usual one first.
SYMBOLS = ("pr_gene_symbol", "gene_symbol", "genesymbol", "symbol")


@dataclass(frozen=True, kw_only=True)
class GeneMatrix:
    """A matrix with its descriptions.

    Parameters
    ----------
    values
        Rows = row ids, columns = column ids; NaN = missing.
    rows, columns
        Descriptions by id, as text.
    """

    values: pd.DataFrame
    rows: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)


def gene_symbols(matrix: GeneMatrix) -> list[str]:
    """Symbol of each row: the description that holds it, or else the row's id."""
    for name in SYMBOLS:
        for key, cells in matrix.rows.items():
            if key.casefold() == name:
                return [cell or str(row) for cell, row in zip(cells, matrix.values.index, strict=True)]
    return [str(row) for row in matrix.values.index]


def _matches(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf").startswith((b"#1.2", b"#1.3"))


def read_gct(path: str | Path) -> GeneMatrix:
    """Read a GCT file of version 1.2 or 1.3.

    Raises
    ------
    InputError
        If counts and content differ, an id stands twice, or a value is not a number; the line is named.
    """
    import pandas as pd

    from core.texttables import read_text

    lines = [line.split("\t") for line in read_text(path).splitlines()]
    version = lines[0][0].strip()
    if version not in ("#1.2", "#1.3"):
        raise InputError("this is no GCT file", file=path, where="line 1", found=version[:40], expected="#1.2 or #1.3")
    counts = _counts(path, lines, 4 if version == "#1.3" else 2)
    n_rows, n_columns = counts[:2]
    n_row_texts, n_column_lines = counts[2:] if version == "#1.3" else (1, 0)
    header = [cell.strip() for cell in lines[2]]
    first = 1 + n_row_texts
    if len(header) != first + n_columns:
        raise InputError("the header has another number of cells than line 2 says", file=path, where="line 3",
                         found=f"{len(header)} cells", expected=str(first + n_columns))  # fmt: skip
    body = [(number, cells) for number, cells in enumerate(lines[3:], start=4) if any(cell.strip() for cell in cells)]
    if len(body) != n_column_lines + n_rows:
        raise InputError("the file has another number of lines than line 2 says", file=path, where="line 2",
                         found=f"{len(body)} below the header", expected=str(n_column_lines + n_rows),
                         remedy="the file is cut off, or was edited: export it again")  # fmt: skip
    for number, cells in body:
        if len(cells) != len(header):
            raise InputError("row and header differ in length", file=path, where=f"line {number}",
                             found=f"{len(cells)} cells", expected=str(len(header)))  # fmt: skip
    data = body[n_column_lines:]
    ids, names = [cells[0].strip() for _, cells in data], header[first:]
    for what, labels in (("row", ids), ("column", names)):
        if twice := duplicated(labels):
            raise InputError(f"a {what} id stands twice", file=path, found=", ".join(twice[:5]))
    numbers = [[_number(cell, path, line, name) for cell, name in zip(cells[first:], names, strict=True)]
               for line, cells in data]  # fmt: skip
    values = pd.DataFrame(np.array(numbers, dtype=np.float64).reshape(len(ids), len(names)), ids, names)
    rows = {header[k]: [cells[k].strip() for _, cells in data] for k in range(1, first)}
    columns = {cells[0].strip(): [cell.strip() for cell in cells[first:]] for _, cells in body[:n_column_lines]}
    return GeneMatrix(values=values, rows=rows, columns=columns)


def _counts(path: str | Path, lines: list[list[str]], wanted: int) -> list[int]:
    cells = [cell.strip() for cell in (lines[1] if len(lines) > 2 else []) if cell.strip()]
    if len(cells) != wanted or not all(cell.isdigit() for cell in cells):
        raise InputError("line 2 does not hold the numbers of rows and columns", file=path, where="line 2",
                         found=" ".join(cells)[:60] or "nothing", expected=f"{wanted} whole numbers")  # fmt: skip
    return [int(cell) for cell in cells]


def _number(cell: str, path: str | Path, line: int, column: str) -> float:
    text = cell.strip()
    if text.casefold() in ("", "na", "nan"):
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        value = float("inf")
    if not np.isfinite(value):
        raise InputError("not a finite number", file=path, where=f"line {line}, column {column}", found=repr(text))
    return value


READER = Reader("gct", "GCT matrix of genes by drugs or samples (1.2, 1.3)", _matches, read_gct,
                "https://clue.io/connectopedia/gct_format")  # fmt: skip
