"""Which cells of a plain matrix are sample ids, descriptions and values, whichever way round it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.labels import duplicated
from core.problems import Problem
from proteomics.orthologues import is_protein_name
from proteomics.readers.cells import Mark, parse_cells
from proteomics.readers.grids import Grid
from proteomics.readers.table import SerumOptions, control_type, normal_name

__all__ = ["Matrix", "matrix_cells"]

_IDS = ("sample", "sampleid", "samplename", "samples", "samplenumber", "id")
_OTHER_IDS = frozenset(["name", "well", "subject", "mouse", "animal", "mouseid", "animalid", "subjectid"])
_PROTEIN_IDS = {
    "protein", "proteinid", "proteins", "gene", "genes", "symbol", "analyte", "analytes", "cytokine",
    "cytokines", "assay", "datamatrix", "marker", "uniprot", "target", "row", "feature",
}  # fmt: skip
_PROTEIN_NOTES = frozenset(
    ["uniprot", "uniprotid", "symbol", "gene", "genesymbol", "panel", "description", "proteinname", "lod"]
)
_SAMPLE_NOTES = {
    "subject", "subjectid", "group", "sex", "gender", "strain", "age", "ageband", "cage", "cohort", "plate",
    "plateid", "well", "batch", "treatment", "time", "timepoint", "day", "visit", "sampletype", "type",
    "condition", "diagnosis", "diagnosticgroup", "bleed", "bleedtime", "dilution", "index", "replicate",
    "weight", "bodyweight", "bmi", "site", "run", "date", "genotype", "status", "stimulation", "name",
    "individualid", "rownames", "location", "welllocation", "position", "wellid",
}  # fmt: skip
_WELLS = ("well", "wellid", "location", "welllocation", "position")
_LIMIT_ROWS = frozenset(["lod", "limitofdetection", "detectionlimit", "mindc", "lld", "mdd"])


@dataclass
class Matrix:
    """Cells with samples in rows, whichever way the file has them."""

    cells: list[list[str]]
    places: list[list[tuple[int, int]]]
    samples: list[str]
    proteins: list[str]
    sample_notes: dict[str, list[str]]
    protein_notes: dict[str, list[str]]
    limits: list[str]


def matrix_cells(grid: Grid, header: int, options: SerumOptions, problems: list[Problem]) -> Matrix:
    """Cells with samples in rows.

    Raises
    ------
    InputError
        If a sample or protein stands twice or a column or row has values but no name.
    """
    if _is_proteins_in_rows(grid, header, options):
        return _proteins_in_rows(grid, header, problems)
    return _samples_in_rows(grid, header, options, problems)


def _is_proteins_in_rows(grid: Grid, header: int, options: SerumOptions) -> bool:
    if options.orientation != "auto":
        return options.orientation == "proteins_in_rows"
    if normal_name(next((cell for cell in grid.rows[header] if cell), "")) in _PROTEIN_IDS:
        return True
    # A first column called "ID" says nothing; what stands in it and in the header does.
    first = [grid.cell(row, 0) for row in range(header + 1, min(len(grid.rows), header + 60)) if grid.rows[row]]
    return _protein_share(first) > 0.5 > 0.2 > _protein_share(grid.rows[header][1:])


def _protein_share(names: list[str]) -> float:
    filled = [name for name in names if name]
    return sum(map(is_protein_name, filled)) / len(filled) if filled else 0.0


def _body(grid: Grid, header: int) -> list[int]:
    rows = [index for index in range(header + 1, len(grid.rows)) if any(grid.rows[index])]
    width = max((index + 1 for index, cell in enumerate(grid.rows[header]) if cell), default=0)
    for index in rows:
        if any(grid.rows[index][width:]):
            raise InputError(
                "row has more cells than the header",
                file=grid.file,
                where=grid.place(index),
                expected=f"{width} cells",
                remedy="check for a separator inside a value",
            )
    return rows


def _samples_in_rows(grid: Grid, header: int, options: SerumOptions, problems: list[Problem]) -> Matrix:
    names = [cell.strip() for cell in grid.rows[header]]
    while names and not names[-1]:
        names.pop()
    rows = _body(grid, header)
    limit_rows = [row for row in rows if normal_name(grid.cell(row, 0)) in _LIMIT_ROWS]
    rows = [row for row in rows if row not in limit_rows]
    columns = {column: [grid.cell(row, column) for row in rows] for column in range(len(names))}
    ids = _id_column(names, columns, options)
    notes, proteins = _split_columns(grid, header, names, columns, ids, options)
    if ids is None:
        samples = [f"row {grid.lines[row]}" for row in rows]
        problems.append(
            Problem(
                code="ids_made",
                file=Path(grid.file).name,
                message="no column of sample ids",
                action="samples are named by their row in the file",
            )
        )
    else:
        wells = next((columns[at] for at, name in enumerate(names) if normal_name(name) in _WELLS and at != ids), None)
        samples = _checked_ids(grid, rows, ids, wells, problems)
    limits = [grid.cell(limit_rows[0], column) if limit_rows else "" for column in proteins]
    return Matrix(
        [[columns[column][at] for column in proteins] for at in range(len(rows))],
        [[(row, column) for column in proteins] for row in rows],
        samples,
        [names[column] for column in proteins],
        {names[column]: columns[column] for column in notes},
        {},
        limits,
    )


def _id_column(names: list[str], columns: dict[int, list[str]], options: SerumOptions) -> int | None:
    by_name = [normal_name(name) for name in names]
    for wanted in (_IDS, _OTHER_IDS):
        for column, name in enumerate(by_name):
            if name in wanted and names[column] not in options.sample_columns:
                return column
    first = columns.get(0, [])
    marks = parse_cells(first).marks if first else np.array([])
    is_text = bool(first) and bool((marks == Mark.BAD).any())
    if (by_name and by_name[0] == "") or (is_text and len(set(first)) == len(first) and all(first)):
        return 0
    return None


def _split_columns(
    grid: Grid, header: int, names: list[str], columns: dict[int, list[str]], ids: int | None, options: SerumOptions
) -> tuple[list[int], list[int]]:
    notes: list[int] = []
    proteins: list[int] = []
    for column, name in enumerate(names):
        if column == ids:
            continue
        cells = columns[column]
        if not name:
            if any(cells):
                raise InputError("a column has values but no name", file=grid.file, where=grid.place(header, column))
            continue
        marks = parse_cells(cells).marks
        all_text = (
            bool(len(marks))
            and bool((marks == Mark.BAD).any())
            and bool(np.isin(marks, (Mark.BAD, Mark.MISSING)).all())
        )
        # Decimal commas look bad to the parser until the mark is known.
        all_text = all_text and not any(re.match(r"[<>*]?\s*[+-]?\d+,\d+$", cell) for cell in cells)
        is_note = normal_name(name) in _SAMPLE_NOTES or name in options.sample_columns or all_text
        (notes if is_note else proteins).append(column)
    return notes, proteins


def _checked_ids(
    grid: Grid, rows: list[int], column: int, wells: list[str] | None, problems: list[Problem]
) -> list[str]:
    named = [grid.cell(row, column) for row in rows]
    if wells and all(wells) and not duplicated(wells) and duplicated(named):
        return _by_well(grid, rows, named, wells, column, problems)
    seen: dict[str, int] = {}
    count: dict[str, int] = {}
    samples = []
    for row in rows:
        name = grid.cell(row, column)
        if not name:
            raise InputError("a row has no sample id", file=grid.file, where=grid.place(row, column))
        if name in seen and control_type(name) == "sample":
            raise InputError(
                f"sample {name!r} stands twice",
                file=grid.file,
                where=f"{grid.place(row)} and {grid.place(seen[name])}",
                expected="each sample once",
                remedy="give the second measurement its own id",
            )
        seen.setdefault(name, row)
        count[name] = count.get(name, 0) + 1
        samples.append(name if count[name] == 1 else f"{name} #{count[name]}")
    return samples


def _by_well(
    grid: Grid, rows: list[int], named: list[str], wells: list[str], column: int, problems: list[Problem]
) -> list[str]:
    """Ids of a plate's table: the well tells repeated names apart."""
    if "" in named:
        raise InputError("a row has no sample id", file=grid.file, where=grid.place(rows[named.index("")], column))
    again = duplicated(named)
    message = f"{len(again)} sample ids stand in several wells ({', '.join(again[:4])})"
    problems.append(
        Problem(code="duplicate_sample", file=Path(grid.file).name, message=message, action="kept apart by well")
    )
    return [f"{name} [{well}]" if name in again else name for name, well in zip(named, wells, strict=True)]


def _proteins_in_rows(grid: Grid, header: int, problems: list[Problem]) -> Matrix:
    names = [cell.strip() for cell in grid.rows[header]]
    while names and not names[-1]:
        names.pop()
    rows = _body(grid, header)
    key = next(column for column, name in enumerate(names) if name or column == 0)
    notes = [c for c, name in enumerate(names) if c != key and normal_name(name) in _PROTEIN_NOTES]
    samples = [column for column in range(len(names)) if column != key and column not in notes]
    proteins = [grid.cell(row, key) for row in rows]
    for row, name in zip(rows, proteins, strict=True):
        if not name:
            raise InputError("a row has no protein id", file=grid.file, where=grid.place(row, key))
    limits = next((c for c in notes if normal_name(names[c]) == "lod"), None)
    first_rows, replicates = _replicate_rows(grid, rows, proteins, problems)
    n_rep = len(replicates)
    labels = [names[c] if n_rep == 1 else f"{names[c]} #{k + 1}" for c in samples for k in range(n_rep)]
    if "" in labels:
        raise InputError("a column has values but no name", file=grid.file, where=grid.place(header))
    places = [[(rows[at], column) for at in replicate] for column in samples for replicate in replicates]
    extra: dict[str, list[str]] = {
        names[column]: [grid.cell(rows[at], column) for at in first_rows] for column in notes if column != limits
    }
    if n_rep > 1:
        condition = [names[c] for c in samples for _ in range(n_rep)]
    return Matrix(
        [[grid.cell(row, column) for row, column in line] for line in places],
        places,
        labels,
        [proteins[at] for at in first_rows],
        {"condition": condition} if n_rep > 1 else {},
        extra,
        ["" if limits is None else grid.cell(rows[at], limits) for at in first_rows],
    )


def _replicate_rows(
    grid: Grid, rows: list[int], proteins: list[str], problems: list[Problem]
) -> tuple[list[int], list[list[int]]]:
    """Rows of each replicate, where every protein has the same number of rows; refused otherwise."""
    where: dict[str, list[int]] = {}
    for at, name in enumerate(proteins):
        where.setdefault(name, []).append(at)
    sizes = {len(each) for each in where.values()}
    if len(sizes) > 1:
        name = next(name for name, each in where.items() if len(each) > 1)
        places = " and ".join(grid.place(rows[at]) for at in where[name][:2])
        raise InputError(f"protein {name!r} stands twice", file=grid.file, where=places, expected="each protein once")
    size = sizes.pop() if sizes else 1
    if size > 1:
        problems.append(
            Problem(
                code="duplicate_sample",
                file=Path(grid.file).name,
                message=f"every protein has {size} rows and nothing names them",
                action="taken as replicates, paired across proteins by their order",
            )
        )
    first = [each[0] for each in where.values()]
    return first, [[each[k] for each in where.values()] for k in range(size)]
