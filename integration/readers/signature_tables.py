"""Layouts of differential-abundance tables, known by their headers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.texttables import sniff_delimiter

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LAYOUTS", "Layout", "layout_of", "table_of"]

_TEXT = ("protein", "symbol", "uniprot")
_NUMBERS = ("logfc", "se", "t", "df", "p", "q", "n_1", "n_0", "average")


@dataclass(frozen=True)
class Layout:
    """One program's columns.

    Parameters
    ----------
    name, description, reference
        For the list of formats.
    columns
        Our name to the file's; names in ``needed`` must be there.
    needed
        The file's columns by which it is known.
    headless
        The file has no header (ranked lists).
    """

    name: str
    description: str
    columns: Mapping[str, str]
    needed: frozenset[str]
    reference: str = ""
    headless: bool = False

    def matches(self, head: bytes) -> bool:
        """Whether the first line of a file has the needed columns."""
        cells = _cells(head.decode("utf-8-sig", "replace"))
        if self.headless:
            return len(cells) == 2 and _is_number(cells[1])
        return self.needed <= set(cells)


LAYOUTS: tuple[Layout, ...] = (
    Layout("stressaxis", "signature table of stressaxis", {name: name for name in (*_TEXT, *_NUMBERS)},
           frozenset({"symbol", "logfc"})),
    Layout("deseq2", "results of DESeq2",
           {"symbol": "gene_id", "logfc": "log2FoldChange", "se": "lfcSE", "t": "stat", "p": "pvalue", "q": "padj",
            "average": "baseMean"},
           frozenset({"log2FoldChange", "pvalue", "gene_id"}), "doi:10.1186/s13059-014-0550-8"),
    Layout("limma", "topTable of limma",
           {"symbol": "ID", "logfc": "logFC", "t": "t", "p": "P.Value", "q": "adj.P.Val", "average": "AveExpr"},
           frozenset({"logFC", "P.Value", "ID"}), "doi:10.1093/nar/gkv007"),
    Layout("limma-rownames", "topTable of limma written with row names",
           {"symbol": "", "logfc": "logFC", "t": "t", "p": "P.Value", "q": "adj.P.Val", "average": "AveExpr"},
           frozenset({"", "logFC", "P.Value"}), "doi:10.1093/nar/gkv007"),
    Layout("edger", "topTags of edgeR",
           {"symbol": "genes", "logfc": "logFC", "p": "PValue", "q": "FDR", "average": "logCPM"},
           frozenset({"logFC", "PValue", "genes"}), "doi:10.1093/bioinformatics/btp616"),
    Layout("rnk", "ranked list: symbol and score, no header", {"symbol": "0", "logfc": "1"}, frozenset(),
           headless=True),
)  # fmt: skip


def _cells(text: str) -> list[str]:
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    return [cell.strip() for cell in next(csv.reader([first], delimiter=sniff_delimiter(first)), [])]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def layout_of(text: str, *, columns: Mapping[str, str] | None = None, file: str = "") -> Layout:
    """The layout of a table, or the one that the user declares.

    Raises
    ------
    InputError
        If no layout fits or a declared column is not there.
    """
    cells = _cells(text)
    if columns is not None:
        missing = [name for name in columns.values() if name not in cells]
        unknown = [name for name in columns if name not in (*_TEXT, *_NUMBERS)]
        if missing or unknown:
            what = f"no column {missing[0]!r}" if missing else f"{unknown[0]!r} is no column of a signature"
            raise InputError(what, file=file, where="header", found=", ".join(cells))
        return Layout("declared", "columns declared by the user", columns, frozenset(columns.values()))
    for layout in LAYOUTS:
        if layout.matches(text[:65536].encode()):
            return layout
    known = "; ".join(
        f"{layout.description}: {', '.join(sorted(layout.needed)) or 'two columns'}" for layout in LAYOUTS
    )
    raise InputError(
        "this is no signature table that is known", file=file, where="header", found=", ".join(cells)[:200],
        expected=known, remedy="declare which of its columns are symbol and logfc",
    )  # fmt: skip


def table_of(text: str, layout: Layout, *, file: str = "") -> pd.DataFrame:
    """Columns under our names, numbers as numbers; ``NA`` and blank are missing.

    Raises
    ------
    InputError
        If a number is not one (the line is named) or a row has another number of cells.
    """
    import pandas as pd

    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sniff_delimiter(first))
    rows, lines = [], []
    for cells in reader:
        if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            rows.append(cells)
            lines.append(reader.line_num)
    header = ["0", "1"] if layout.headless else [cell.strip() for cell in rows.pop(0)]
    lines = lines if layout.headless else lines[1:]
    for cells, line in zip(rows, lines, strict=True):
        if len(cells) != len(header):
            raise InputError("row and header differ in length", file=file, where=f"line {line}",
                             found=f"{len(cells)} cells", expected=f"{len(header)}")  # fmt: skip
    raw = pd.DataFrame(rows, columns=header, index=lines, dtype=str)
    result = pd.DataFrame(index=raw.index)
    for ours, theirs in layout.columns.items():
        if theirs in raw:
            result[ours] = raw[theirs].str.strip() if ours in _TEXT else _numbers(raw[theirs], theirs, file)
    return result.reset_index(drop=True)


def _numbers(column: pd.Series[str], name: str, file: str) -> pd.Series[float]:
    import pandas as pd

    text = column.str.strip()
    missing = text.str.casefold().isin(["", "na", "nan"])
    numbers = pd.to_numeric(text.where(~missing), errors="coerce")
    bad = (numbers.isna() & ~missing) | np.isinf(numbers)
    if bad.any():
        row = int(bad.to_numpy().argmax())
        line = column.index[row]
        raise InputError(
            "not a finite number", file=file, where=f"line {line}, column {name}", found=repr(column.iloc[row])
        )
    return numbers.astype(np.float64)
