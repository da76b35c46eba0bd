"""Tables that come beside a serum table: sample sheets, limits of assays, marker lists, standards' concentrations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.labels import duplicated, similar_id_problems
from core.problems import Problem
from proteomics.readers.cells import Mark, decimal_mark, parse_cells
from proteomics.readers.grids import Grid, load_grid, load_grids
from proteomics.readers.table import control_type, normal_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["numbered", "read_limits", "read_marker_lists", "read_sample_sheet", "read_standards", "similar_labels"]

_SAMPLE_NAMES = ("sample", "sampleid", "samplename", "label", "run", "filename", "analyticalsampleexternalid", "name")


def read_sample_sheet(path: str | Path, *, sample: str | None = None) -> pd.DataFrame:
    """A sheet that describes samples, as text, with the sample ids as index.

    Parameters
    ----------
    path
        csv, tsv or workbook.
    sample
        Column of the sample ids; by default the first column whose name says so, or else the first column.

    Returns
    -------
    DataFrame
        Controls that stand more than once are numbered (``IPC``, ``IPC #2``) as in the serum tables.

    Raises
    ------
    InputError
        If the table is empty, the column is not there, or a subject's sample stands twice.
    """
    import pandas as pd

    grid = load_grid(path)
    header, rows = _header(grid)
    names = [name or f"column {at + 1}" for at, name in enumerate(grid.rows[header])]
    if sample is not None and sample not in names:
        raise InputError(f"no column {sample!r}", file=path, where="header", expected=", ".join(names))
    wanted = [name for key in _SAMPLE_NAMES for name in names if normal_name(name) == key]
    key = sample or (wanted[0] if wanted else names[0])
    table = pd.DataFrame(
        [[grid.cell(row, at) for at in range(len(names))] for row in rows], columns=names, dtype=object
    )
    # Columns without name and content are what spreadsheets leave behind.
    table = table[[name for name in names if not name.startswith("column ") or (table[name] != "").any()]]
    ids = table[key].tolist()
    blank = next((row for row, name in zip(rows, ids, strict=True) if not name), None)
    if blank is not None:
        raise InputError("a row has no sample id", file=path, where=grid.place(blank, key))
    if twice := [name for name in duplicated(ids) if control_type(name) == "sample"]:
        raise InputError("a sample stands twice", file=path, found=", ".join(twice[:5]))
    return table.assign(**{key: numbered(ids)}).set_index(key)


def numbered(names: list[str]) -> list[str]:
    """Repeated names told apart as the readers do it.

    Examples
    --------
    >>> numbered(["IPC", "m1", "IPC"])
    ['IPC', 'm1', 'IPC #2']
    """
    count: dict[str, int] = {}
    told = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        told.append(name if count[name] == 1 else f"{name} #{count[name]}")
    return told


def similar_labels(table: pd.DataFrame, *, file: str = "") -> list[Problem]:
    """Columns whose texts differ only in case, spaces or zeros (``infected`` and ``Infected``).

    Examples
    --------
    >>> import pandas as pd
    >>> similar_labels(pd.DataFrame({"group": ["infected", "Infected", "mock"]}))[0].message
    "group 'infected', 'Infected' differ only in case, spaces or zeros"
    """
    problems: list[Problem] = []
    for name in table.columns:
        texts = [text for text in dict.fromkeys(table[name].astype(str)) if text]
        # Columns of numbers, or of as many texts as samples, are no groups.
        if len(texts) <= max(5, len(table) // 2) and not all(text.replace(".", "", 1).isdigit() for text in texts):
            found = similar_id_problems(texts, file=file, what=str(name))
            problems += [replace(each, message=each.message.replace(f"{name}s ", f"{name} ", 1)) for each in found]
    return problems


def _header(grid: Grid) -> tuple[int, list[int]]:
    filled = [at for at, row in enumerate(grid.rows) if any(row)]
    if len(filled) < 2:
        raise InputError(
            "the table is empty", file=grid.file, found=f"{len(filled)} filled rows", expected="a header and rows"
        )
    return filled[0], filled[1:]


def read_limits(path: str | Path) -> pd.DataFrame:
    """Limits of quantification of assays: ``assay, panel, version, lloq, uloq`` in the assays' own unit.

    Raises
    ------
    InputError
        If there is no column Assay, LLOQ or ULOQ, or a limit is no number.
    """
    import pandas as pd

    grid = load_grid(path)
    header, rows = _header(grid)
    where = {normal_name(name): at for at, name in enumerate(grid.rows[header])}
    missing = [name for name in ("assay", "lloq", "uloq") if name not in where]
    if missing:
        raise InputError(f"no column {missing[0]}", file=path, where="header", expected="Assay, LLOQ, ULOQ")
    numbers = {name: _numbers(grid, rows, where[name]) for name in ("lloq", "uloq")}
    texts = {
        name: [grid.cell(row, where[key]) if key in where else "" for row in rows]
        for name, key in (("assay", "assay"), ("panel", "panel"), ("version", "panelversion"))
    }
    return pd.DataFrame({**texts, **numbers})


def _numbers(grid: Grid, rows: list[int], column: int) -> np.ndarray:
    cells = [grid.cell(row, column) for row in rows]
    decimal = "." if grid.delimiter == "," else decimal_mark(cells, file=grid.file)
    parsed = parse_cells(cells, decimal=decimal)
    bad = np.flatnonzero((parsed.marks != Mark.NUMBER) & (parsed.marks != Mark.MISSING))
    if bad.size:
        at = int(bad[0])
        raise InputError("not a number", file=grid.file, where=grid.place(rows[at], column), found=repr(cells[at]))
    return parsed.values


def read_marker_lists(path: str | Path) -> pd.DataFrame:
    """Lists of proteins, one a sheet: ``list, protein, uniprot, symbol``.

    Raises
    ------
    InputError
        If no sheet has a column of protein ids.
    """
    import pandas as pd

    from proteomics.readers.protein_groups import first_accession

    rows: list[tuple[str, str, str, str]] = []
    for grid in load_grids(path):
        if not any(any(row) for row in grid.rows):
            continue
        header, body = _header(grid)
        where = {normal_name(name): at for at, name in reversed(list(enumerate(grid.rows[header])))}
        ids = next(
            (where[name] for name in ("majorityproteinids", "proteinids", "uniprotid", "uniprot") if name in where),
            None,
        )
        if ids is None:
            continue
        gene = where.get("genenames", where.get("gene", 10**6))
        for row in body:
            group = grid.cell(row, ids)
            if group:
                name = grid.sheet or Path(path).stem
                rows.append((name, group, first_accession(group), grid.cell(row, gene).split(";")[0]))
    if not rows:
        raise InputError("no column of protein ids", file=path, expected="Protein IDs or Uniprot ID")
    return pd.DataFrame(rows, columns=["list", "protein", "uniprot", "symbol"])


def read_standards(path: str | Path) -> pd.DataFrame:
    """Concentrations of the standards: first column the standard's name, then one column a spot or analyte.

    Without a header the columns are called ``spot 1`` ... as the raw signals are.

    Raises
    ------
    InputError
        If a concentration is no number or a standard stands twice.
    """
    import pandas as pd

    grid = load_grid(path)
    rows = [at for at, row in enumerate(grid.rows) if any(row)]
    head = parse_cells(grid.rows[rows[0]][1:]).marks
    names = [f"spot {k + 1}" for k in range(len(grid.rows[rows[0]]) - 1)]
    if (head == Mark.BAD).any():
        names, rows = grid.rows[rows[0]][1:], rows[1:]
    values = np.column_stack([_numbers(grid, rows, at + 1) for at in range(len(names))])
    index = [grid.cell(row, 0) for row in rows]
    if twice := duplicated(index):
        raise InputError("a standard stands twice", file=path, found=", ".join(twice[:5]))
    return pd.DataFrame(values, index=pd.Index(index, name="standard"), columns=names)
