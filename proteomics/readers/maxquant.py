"""MaxQuant proteinGroups.txt, as written by MaxQuant, by Perseus, or with names changed by R."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.readers.cells import Mark, decimal_mark, parse_cells
from proteomics.readers.grids import Grid, head_lines, load_grid
from proteomics.readers.protein_groups import ProteinGroups, first_accession, group_kind, group_table
from proteomics.readers.table import SerumOptions, SerumTable, normal_name

__all__ = ["READER", "read_matrix", "read_maxquant"]

#: Quantities in order of preference, and how their columns begin.
_QUANTITIES = (
    ("LFQ intensity", re.compile(r"LFQ[ ._](?:intensity[ ._])?(.+)$", re.IGNORECASE)),
    ("iBAQ", re.compile(r"iBAQ[ ._](.+)$", re.IGNORECASE)),
    ("Intensity", re.compile(r"Intensity[ ._](.+)$", re.IGNORECASE)),
)
_FLAGS = (("decoy", "reverse"), ("contaminant", "potentialcontaminant"), ("only by site", "onlyidentifiedbysite"))


def _matches(head: bytes) -> bool:
    first = next((line for line in head_lines(head, 3) if line.strip()), "")
    cells = [cell.strip('" ') for cell in re.split("\t|,|;", first)]
    has_ids = bool({"proteinids", "majorityproteinids"} & {normal_name(cell) for cell in cells})
    return has_ids and any(pattern.match(cell) for cell in cells for _, pattern in _QUANTITIES)


def read_maxquant(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read proteinGroups: LFQ intensities where there are any, otherwise intensities.

    Reverse, contaminant and only-by-site groups are set apart by the ``+`` columns, or by the prefixes ``REV__`` and
    ``CON__`` of the first member where a table has no such columns.

    Raises
    ------
    InputError
        If the quantity asked for is not there, or a value is no number (row and column are named).
    """
    options = options or SerumOptions()
    grid = load_grid(path)
    header = grid.rows[0]
    found = {name: _columns(header, pattern) for name, pattern in _QUANTITIES}
    names = [name for name, columns in found.items() if columns]
    quantity = options.quantity or (names[0] if names else "")
    if quantity not in names:
        raise InputError(
            f"no columns of {quantity or 'a quantity'}",
            file=path,
            where="header",
            expected=", ".join(names) or "LFQ intensity or Intensity",
        )
    columns = found[quantity]
    rows = [at for at in range(1, len(grid.rows)) if any(grid.rows[at])]
    where = {normal_name(name): at for at, name in reversed(list(enumerate(header)))}
    ids_at = where.get("proteinids", where.get("majorityproteinids", -1))
    ids = [grid.cell(row, ids_at) for row in rows]
    if "" in ids:
        raise InputError("a row has no protein id", file=path, where=grid.place(rows[ids.index("")]))
    headers = [grid.cell(row, where.get("fastaheaders", 10**6)) for row in rows]
    by_member = options.contaminants == "first member"
    kinds = [_kind(grid, row, where, group, by_member) for row, group in zip(rows, ids, strict=True)]
    groups = ProteinGroups(
        file=str(path),
        software="MaxQuant",
        quantity=quantity,
        ids=ids,
        genes=[grid.cell(row, where.get("genenames", 10**6)) or _gene(h) for row, h in zip(rows, headers, strict=True)],
        names=headers,
        runs=[name for _, name in columns],
        values=read_matrix(grid, rows, [at for at, _ in columns]),
        kinds=kinds,
    )
    table = group_table(groups, options, READER.name)
    return replace(table, problems=[*table.problems, *_own_proteins(ids, kinds, str(path))])


def _columns(header: list[str], pattern: re.Pattern[str]) -> list[tuple[int, str]]:
    return [(at, match[1].strip()) for at, name in enumerate(header) if (match := pattern.match(name))]


def _kind(grid: Grid, row: int, where: dict[str, int], group: str, by_member: bool) -> str:
    flags = [kind for kind, column in _FLAGS if column in where and grid.cell(row, where[column]) == "+"]
    if by_member:
        flags = [kind for kind in flags if kind != "contaminant"]
    return " + ".join(dict.fromkeys([*flags, group_kind(group)] if group_kind(group) else flags))


def _own_proteins(ids: list[str], kinds: list[str], file: str) -> list[Problem]:
    own = [group for group, kind in zip(ids, kinds, strict=True) if "contaminant" in kind and not group_kind(group)]
    if not own:
        return []
    shown = ", ".join(first_accession(group) for group in own[:5])
    message = f"{len(own)} of the groups marked as contaminant begin with an id of the organism itself ({shown})"
    action = "set apart as marked; contaminants='first member' keeps them"
    return [Problem(code="control_protein", file=Path(file).name, message=message, action=action)]


def _gene(header: str) -> str:
    """Gene of the first fasta header (``GN=ALB``), for tables without gene names."""
    match = re.search(r"\bGN=(\S+)", header.split(";>")[0])
    return match[1] if match else ""


def read_matrix(grid: Grid, rows: list[int], columns: list[int]) -> np.ndarray:
    """(n_rows, n_columns) numbers of a grid, NaN where blank.

    Raises
    ------
    InputError
        If a cell is neither a number nor blank; row and column are named.
    """
    cells = [grid.cell(row, column) for row in rows for column in columns]
    decimal = "." if grid.delimiter == "," else decimal_mark(cells, file=grid.file)
    parsed = parse_cells(cells, decimal=decimal)
    bad = np.flatnonzero((parsed.marks != Mark.NUMBER) & (parsed.marks != Mark.MISSING))
    if bad.size:
        row, column = divmod(int(bad[0]), len(columns))
        raise InputError(
            "an intensity is not a number",
            file=grid.file,
            where=grid.place(rows[row], columns[column]),
            found=repr(cells[bad[0]]),
            expected="a number or a blank",
        )
    return parsed.values.reshape(len(rows), len(columns))


READER = Reader(
    "maxquant", "MaxQuant proteinGroups, also from Perseus or R", _matches, read_maxquant, "MaxQuant 2 output tables"
)
