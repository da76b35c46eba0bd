"""DIA-NN: pg_matrix (wide) and main report (long, tsv or Parquet)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.readers.grids import head_lines, load_grid
from proteomics.readers.long_columns import LongColumns, read_long_columns
from proteomics.readers.maxquant import read_matrix
from proteomics.readers.protein_groups import ProteinGroups, group_table, run_name
from proteomics.readers.table import SerumOptions, SerumTable, normal_name

__all__ = ["MATRIX", "REPORT", "pivot_groups", "read_diann_matrix", "read_diann_report"]

_ANNOTATIONS = {
    "Protein.Group",
    "Protein.Ids",
    "Protein.Names",
    "Genes",
    "First.Protein.Description",
    "N.Sequences",
    "N.Proteotypic.Sequences",
}
#: Quantities of the long report in order of preference.
_QUANTITIES = ("PG.MaxLFQ", "PG.Normalised", "PG.Quantity", "Genes.MaxLFQ", "Genes.MaxLFQ.Unique")
_Q_LIMIT = 0.01


def _header(head: bytes) -> set[str]:
    lines = head_lines(head, 3)
    first = lines[1] if lines and lines[0] == "PAR1" else next((line for line in lines if line.strip()), "")
    return {cell.strip('" ') for cell in first.split("\t")}


def _matches_matrix(head: bytes) -> bool:
    names = _header(head)
    return "Protein.Group" in names and "Genes" in names and "Precursor.Id" not in names


def _matches_report(head: bytes) -> bool:
    names = _header(head)
    return {"Protein.Group", "Precursor.Id"} <= names and bool(names & {"File.Name", "Run"})


def read_diann_matrix(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read report.pg_matrix.tsv; columns that are no annotation are runs, named by file without folder and ending.

    Raises
    ------
    InputError
        If a value is no number or a group or run stands twice.
    """
    grid = load_grid(path)
    header = grid.rows[0]
    columns = [at for at, name in enumerate(header) if name and name not in _ANNOTATIONS]
    where = {name: at for at, name in enumerate(header)}
    rows = [at for at in range(1, len(grid.rows)) if any(grid.rows[at])]
    groups = ProteinGroups(
        file=str(path),
        software="DIA-NN",
        quantity="PG.MaxLFQ",
        ids=[grid.cell(row, grid.column("Protein.Group")) for row in rows],
        genes=[grid.cell(row, grid.column("Genes")) for row in rows],
        names=[grid.cell(row, where.get("Protein.Names", 10**6)) for row in rows],
        runs=[run_name(header[at]) for at in columns],
        values=read_matrix(grid, rows, columns),
    )
    return group_table(groups, options or SerumOptions(), MATRIX.name)


def read_diann_report(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read the main report: one value for each run and protein group, of rows with Q.Value and PG.Q.Value at most 0.01.

    Raises
    ------
    InputError
        If the quantity asked for is not there, or rows of one run and group disagree about it.
    """
    options = options or SerumOptions()
    quantities = (options.quantity,) if options.quantity else _QUANTITIES
    roles = {
        "sample": ("run", "filename"),
        "group": ("proteingroup",),
        "genes": ("genes",),
        "names": ("proteinnames",),
        "value": tuple(normal_name(name) for name in quantities),
        "q": ("qvalue",),
        "group_q": ("pgqvalue",),
    }
    columns = read_long_columns(path, roles, numbers=("value", "q", "group_q"), not_sample=set(), keep_extra=False)
    ok = np.ones(columns.n_rows, bool)
    for role in ("q", "group_q"):
        if role in columns.numbers:
            ok &= columns.numbers[role] <= _Q_LIMIT
    problems = _filtered(columns, ok, path, "Q.Value or PG.Q.Value above 0.01")
    groups = pivot_groups(columns, ok, software="DIA-NN")
    table = group_table(groups, options, REPORT.name)
    return SerumTable(table.dataset, [*problems, *table.problems], REPORT.name, table.set_apart)


def _filtered(columns: LongColumns, ok: np.ndarray, path: str | Path, why: str) -> list[Problem]:
    dropped = int((~ok).sum())
    if not dropped:
        return []
    message = f"{dropped} of {columns.n_rows} rows have {why}"
    return [Problem(code="not_identified", file=Path(path).name, message=message, action="left out")]


def pivot_groups(columns: LongColumns, ok: np.ndarray, *, software: str) -> ProteinGroups:
    """One value a run and group from rows that repeat it.

    Raises
    ------
    InputError
        If rows of one run and group have different values.
    """
    runs = [run_name(label) for label in columns.labels["sample"]]
    labels = columns.labels["group"]
    # Rows without a group (a precursor that fits none) hold nothing to assign.
    ok = ok & np.isfinite(columns.numbers["value"]) & (np.array(labels, dtype=object) != "")[columns.codes["group"]]
    if not ok.any():
        raise InputError(
            "no row is left", file=columns.file, found=f"{columns.n_rows} rows, none identified with a value"
        )
    rows = np.flatnonzero(ok)
    run, group, value = columns.codes["sample"][rows], columns.codes["group"][rows], columns.numbers["value"][rows]
    matrix = np.full((len(labels), len(runs)), np.nan)
    matrix[group[::-1], run[::-1]] = value[::-1]
    other = np.flatnonzero(~np.isclose(matrix[group, run], value, rtol=1e-6))
    if other.size:
        row = int(rows[other[0]])
        raise InputError(
            f"rows of one run and protein group disagree about {columns.names['value']}",
            file=columns.file,
            where=columns.place(row, "value"),
            found=f"{value[other[0]]:g} and {matrix[group[other[0]], run[other[0]]]:g}",
        )
    present = np.isfinite(matrix).any(axis=1)
    first = columns.first_rows(columns.codes["group"], len(labels))
    keep = [at for at in range(len(labels)) if present[at]]
    return ProteinGroups(
        file=columns.file,
        software=software,
        quantity=columns.names["value"],
        ids=[labels[at] for at in keep],
        genes=[columns.text("genes", first[at]) for at in keep],
        names=[columns.text("names", first[at]) for at in keep],
        runs=runs,
        values=matrix[keep],
    )


MATRIX = Reader("diann-matrix", "DIA-NN protein group matrix", _matches_matrix, read_diann_matrix, "DIA-NN README")
REPORT = Reader(
    "diann-report", "DIA-NN main report, tsv or Parquet", _matches_report, read_diann_report, "DIA-NN README"
)
