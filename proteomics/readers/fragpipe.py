"""FragPipe combined_protein.tsv and AlphaPept results_proteins.csv."""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import InputError
from core.readers import Reader
from proteomics.readers.grids import Grid, head_lines, load_grid
from proteomics.readers.maxquant import read_matrix
from proteomics.readers.protein_groups import ProteinGroups, group_table
from proteomics.readers.table import SerumOptions, SerumTable

__all__ = ["ALPHAPEPT", "FRAGPIPE", "read_alphapept", "read_fragpipe"]

#: Quantities in order of preference; longer endings first where one ends another.
_QUANTITIES = ("MaxLFQ Intensity", "Razor Intensity", "Intensity")
_OTHERS = ("MaxLFQ Unique Intensity", "MaxLFQ Total Intensity", "Unique Intensity", "Total Intensity")
_COLUMN = re.compile(rf"(.+?) ({'|'.join([*_OTHERS, *_QUANTITIES])})$")


def _first_cells(head: bytes, mark: str) -> list[str]:
    first = next((line for line in head_lines(head, 3) if line.strip()), "")
    return [cell.strip('" ') for cell in first.split(mark)]


def _matches_fragpipe(head: bytes) -> bool:
    cells = _first_cells(head, "\t")
    return {"Protein", "Protein ID"} <= set(cells) and any(_COLUMN.match(cell) for cell in cells)


def _matches_alphapept(head: bytes) -> bool:
    cells = _first_cells(head, ",")
    return len(cells) > 1 and not cells[0] and any(cell.endswith("_LFQ") for cell in cells)


def read_fragpipe(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read combined_protein.tsv: MaxLFQ intensities where there are any, then razor, then plain intensities.

    Raises
    ------
    InputError
        If the quantity asked for is not there or a value is no number.
    """
    options = options or SerumOptions()
    grid = load_grid(path)
    header = grid.rows[0]
    found: dict[str, list[tuple[int, str]]] = {}
    for at, name in enumerate(header):
        if match := _COLUMN.match(name):
            found.setdefault(match[2], []).append((at, match[1]))
    order = [name for name in (*_QUANTITIES, *_OTHERS) if name in found]
    quantity = options.quantity or next(iter(order), "")
    if quantity not in found:
        expected = ", ".join(order) or "MaxLFQ Intensity or Intensity"
        raise InputError(f"no columns of {quantity or 'intensities'}", file=path, where="header", expected=expected)
    rows = [at for at in range(1, len(grid.rows)) if any(grid.rows[at])]
    where = {name: at for at, name in enumerate(header)}
    gene = where.get("Gene", where.get("Gene Names", 10**6))
    groups = ProteinGroups(
        file=str(path),
        software="FragPipe",
        quantity=quantity,
        ids=[grid.cell(row, grid.column("Protein")) for row in rows],
        genes=[grid.cell(row, gene).replace(" ", ";") for row in rows],
        names=[grid.cell(row, where.get("Entry Name", 10**6)) for row in rows],
        runs=[name for _, name in found[quantity]],
        values=read_matrix(grid, rows, [at for at, _ in found[quantity]]),
    )
    return group_table(groups, options, FRAGPIPE.name)


def read_alphapept(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read results_proteins.csv: the ``_LFQ`` columns.

    Raises
    ------
    InputError
        If a value is no number.
    """
    grid = load_grid(path)
    columns = [at for at, name in enumerate(grid.rows[0]) if name.endswith("_LFQ")]
    rows = [at for at in range(1, len(grid.rows)) if any(grid.rows[at])]
    ids = [grid.cell(row, 0).replace(",", ";") for row in rows]
    groups = ProteinGroups(
        file=str(path),
        software="AlphaPept",
        quantity="LFQ intensity",
        ids=ids,
        genes=[_entry(name) for name in ids],
        names=ids,
        runs=[_run(grid, at) for at in columns],
        values=read_matrix(grid, rows, columns),
    )
    return group_table(groups, options or SerumOptions(), ALPHAPEPT.name)


def _run(grid: Grid, column: int) -> str:
    return grid.rows[0][column].removesuffix("_LFQ")


def _entry(name: str) -> str:
    """Gene part of an entry name (``RL4`` of ``sp|P36578|RL4_HUMAN``); it is often, not always, the gene's symbol."""
    match = re.search(r"\|[^|]+\|([^_|;]+)_", name)
    return match[1] if match else ""


FRAGPIPE = Reader(
    "fragpipe", "FragPipe combined_protein.tsv", _matches_fragpipe, read_fragpipe, "FragPipe output documentation"
)
ALPHAPEPT = Reader("alphapept", "AlphaPept results_proteins.csv", _matches_alphapept, read_alphapept)
