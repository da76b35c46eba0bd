"""Spectronaut long reports: rows of fragments, precursors or peptides that repeat the protein group's quantity."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.problems import Problem
from core.readers import Reader
from proteomics.readers.diann import pivot_groups
from proteomics.readers.grids import head_lines
from proteomics.readers.long_columns import read_long_columns
from proteomics.readers.protein_groups import group_table
from proteomics.readers.table import SerumOptions, SerumTable, normal_name

__all__ = ["READER", "read_spectronaut"]

_Q_LIMIT = 0.01


def _matches(head: bytes) -> bool:
    first = next((line for line in head_lines(head, 3) if line.strip()), "")
    names = {cell.strip('" ') for cell in first.replace(";", "\t").split("\t")}
    return "R.FileName" in names and bool(names & {"PG.ProteinGroups", "PG.ProteinAccessions"})


def read_spectronaut(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read PG.Quantity of rows with PG.Qvalue at most 0.01; decimal commas are recognised in the numbers only.

    Raises
    ------
    InputError
        If there is no PG.Quantity, or rows of one run and group disagree about it.
    """
    options = options or SerumOptions()
    roles = {
        "sample": ("rfilename",),
        "group": ("pgproteingroups", "pgproteinaccessions"),
        "genes": ("pggenes",),
        "names": ("pgproteinnames", "pgorganisms"),
        "value": (normal_name(options.quantity or "PG.Quantity"), "pgibaq"),
        "q": ("pgqvalue",),
        "decoy": ("egisdecoy",),
        "imputed": ("egisimputed",),
    }
    columns = read_long_columns(path, roles, numbers=("value", "q"), not_sample=set(), keep_extra=False)
    ok = np.ones(columns.n_rows, bool)
    if "q" in columns.numbers:
        ok &= columns.numbers["q"] <= _Q_LIMIT
    if "decoy" in columns.codes:
        ok &= np.array([label.casefold() != "true" for label in columns.labels["decoy"]])[columns.codes["decoy"]]
    problems = []
    if (~ok).any():
        message = f"{int((~ok).sum())} of {columns.n_rows} rows are decoys or have PG.Qvalue above 0.01"
        problems.append(Problem(code="not_identified", file=Path(path).name, message=message, action="left out"))
    table = group_table(pivot_groups(columns, ok, software="Spectronaut"), options, READER.name)
    return SerumTable(table.dataset, [*problems, *table.problems], READER.name, table.set_apart)


READER = Reader(
    "spectronaut", "Spectronaut long report", _matches, read_spectronaut, "Spectronaut manual, report columns"
)
