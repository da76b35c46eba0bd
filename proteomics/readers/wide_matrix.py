"""A plain matrix of samples and proteins, with its unit: the format to write when a platform has none of its own.

Definition
----------
A text file (comma, semicolon or tab; UTF-8) or the first sheet of a workbook::

    # unit: pg/mL
    # species: mouse
    # platform: Bio-Plex Pro 23-plex
    sample,plate,Il4,Il5,Il13
    LOD,,1.9,0.8,4.2
    m001,P1,12.1,<0.8,55.0
    m002,P1,n.d.,3.1,OOR >

- Optional first lines ``# key: value``; known keys are unit, species, platform, software. Instead of ``# unit`` every
  protein may carry it, ``IL-4 (pg/mL)``, or the caller gives it. Other lines that begin with ``#`` are comments.
- Samples in rows: one column of sample ids (``sample``, ``id`` ...), columns that describe the sample (known names
  such as group, sex, plate; any column without a number; any column the caller names), all other columns are proteins.
  Proteins in rows: the first column is called protein, gene, analyte, assay ...; uniprot, symbol, panel, LOD may
  follow.
- A row (or column) ``LOD`` holds the limits of detection.
- Units ``NPX`` and ``log2 ...`` stay as they are, ``log10 ...`` is converted, every other unit is linear and becomes
  log2.
- Cells: number; blank, NA, NaN = missing; ``<12.3`` = censored at 12.3; ``OOR <``, ``n.d.``, ``<LOD`` = censored at the
  LOD (NaN if there is none); ``>12.3``, ``OOR >`` = above range, flagged; ``*12.3`` = extrapolated, flagged; ``***``,
  ``#NUM!`` = no result. A number below the LOD stays as measured and is marked. 0 on a linear scale is censored.
  Any other text in a protein column is an error that names the cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.labels import duplicated
from core.problems import Problem
from core.readers import Reader
from proteomics.readers.cells import Mark, decimal_mark, parse_cells
from proteomics.readers.concentrations import linear_to_log2
from proteomics.readers.grids import Grid, head_lines, load_grids
from proteomics.readers.table import SerumOptions, SerumTable, control_type, count_controls, normal_name

__all__ = ["READER", "read_wide_matrix"]

_IDS = ("sample", "sampleid", "samplename", "samples", "samplenumber", "id")
_OTHER_IDS = ("name", "well", "subject", "mouse", "animal", "mouseid", "animalid", "subjectid")
_PROTEIN_IDS = (
    "protein",
    "proteinid",
    "proteins",
    "gene",
    "genes",
    "symbol",
    "analyte",
    "analytes",
    "cytokine",
    "cytokines",
    "assay",
    "datamatrix",
    "marker",
    "uniprot",
    "target",
    "row",
    "feature",
)
_PROTEIN_NOTES = ("uniprot", "uniprotid", "symbol", "gene", "genesymbol", "panel", "description", "proteinname", "lod")
_SAMPLE_NOTES = {
    "subject",
    "subjectid",
    "group",
    "sex",
    "gender",
    "strain",
    "age",
    "ageband",
    "cage",
    "cohort",
    "plate",
    "plateid",
    "well",
    "batch",
    "treatment",
    "time",
    "timepoint",
    "day",
    "visit",
    "sampletype",
    "type",
    "condition",
    "diagnosis",
    "diagnosticgroup",
    "bleed",
    "bleedtime",
    "dilution",
    "index",
    "replicate",
    "weight",
    "bodyweight",
    "bmi",
    "site",
    "run",
    "date",
    "genotype",
    "status",
    "stimulation",
    "name",
    "individualid",
    "rownames",
    "location",
    "welllocation",
    "position",
    "wellid",
}
_TYPES = ("sampletype", "type")
_WELLS = ("well", "wellid", "location", "welllocation", "position")
_LIMIT_ROWS = ("lod", "limitofdetection", "detectionlimit", "mindc", "lld", "mdd")
_KEYS = ("unit", "species", "platform", "software")
_UNIT_IN_NAME = re.compile(r"\s*[\(\[]\s*([pnμu]?g/m[lL]|U/m[lL]|mU/L|pM|nM|MFI|NPX)\s*[\)\]]\s*$")


def _matches(head: bytes) -> bool:
    if b"\x00" in head[:1024] and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return False
    lines = [line for line in head_lines(head, 40) if line.strip() and not line.lstrip('"').startswith("#")]
    # A file of comments alone is an empty matrix, and the message should say so.
    return not lines or any(mark in lines[0] for mark in "\t;,")


@dataclass
class _Matrix:
    """Cells with samples in rows, whichever way the file has them."""

    cells: list[list[str]]
    places: list[list[tuple[int, int]]]
    samples: list[str]
    proteins: list[str]
    sample_notes: dict[str, list[str]]
    protein_notes: dict[str, list[str]]
    limits: list[str]


def read_wide_matrix(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read a plain matrix as defined in this module's description.

    Raises
    ------
    InputError
        If the unit is neither stated nor clear from the values, a sample or protein stands twice, a cell of a protein
        is neither a number nor a known mark, or the table is empty; file, row and column are named.
    """
    options = options or SerumOptions()
    grid = next((each for each in load_grids(path) if sum(map(any, each.rows)) > 1), None)
    if grid is None:
        raise InputError("the table is empty", file=path, found="no row of values", expected="a header and rows")
    stated, header = _preamble(grid)
    problems: list[Problem] = []
    if _is_proteins_in_rows(grid, header, options):
        matrix = _proteins_in_rows(grid, header, problems)
    else:
        matrix = _samples_in_rows(grid, header, options, problems)
    if not matrix.samples or not matrix.proteins:
        raise InputError(
            "the table is empty", file=path, found=f"{len(matrix.samples)} samples, {len(matrix.proteins)} proteins"
        )
    return _assemble(grid, matrix, stated, options, problems)


def _preamble(grid: Grid) -> tuple[dict[str, str], int]:
    stated: dict[str, str] = {}
    for index, row in enumerate(grid.rows):
        text = next((cell for cell in row if cell), "")
        if not text:
            continue
        if not text.startswith("#"):
            return stated, index
        key, _, value = text.lstrip("# ").partition(":")
        if normal_name(key) in _KEYS and value.strip():
            stated[normal_name(key)] = value.strip()
    raise InputError("the table is empty", file=grid.file, found="only comments", expected="a header and rows")


def _is_proteins_in_rows(grid: Grid, header: int, options: SerumOptions) -> bool:
    if options.orientation != "auto":
        return options.orientation == "proteins_in_rows"
    return normal_name(next((cell for cell in grid.rows[header] if cell), "")) in _PROTEIN_IDS


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


def _samples_in_rows(grid: Grid, header: int, options: SerumOptions, problems: list[Problem]) -> _Matrix:
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
    return _Matrix(
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


def _proteins_in_rows(grid: Grid, header: int, problems: list[Problem]) -> _Matrix:
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
    return _Matrix(
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


def _assemble(
    grid: Grid, matrix: _Matrix, stated: dict[str, str], options: SerumOptions, problems: list[Problem]
) -> SerumTable:
    import pandas as pd

    from proteomics.abundance import from_frame

    file = Path(grid.file).name
    proteins, in_names = _units_in_names(matrix.proteins)
    _refuse_twice(grid, proteins)
    flat = [cell for row in matrix.cells for cell in row]
    decimal = "." if grid.delimiter == "," else decimal_mark(flat, file=grid.file)
    parsed = parse_cells(flat, decimal=decimal)
    shape = (len(matrix.samples), len(proteins))
    values, marks = parsed.values.reshape(shape), parsed.marks.reshape(shape)
    bad = np.argwhere(marks == Mark.BAD)
    if bad.size:
        row, column = (int(index) for index in bad[0])
        raise InputError(
            f"the value of {proteins[column]} is not a number",
            file=grid.file,
            where=grid.place(*matrix.places[row][column]),
            found=repr(matrix.cells[row][column]),
            expected="a number, a blank, or a mark such as <12.3, n.d., OOR <",
            remedy="correct the cell, or name the column in sample_columns if it describes the sample",
        )
    limits = _limits(grid, matrix, proteins, options, decimal)
    unit = options.unit or stated.get("unit", "") or in_names
    cells = linear_to_log2(values, marks, limits, unit=unit, zero=options.zero, file=grid.file, problems=problems)
    types = _sample_types(matrix)
    renamed = {name: "plate" if normal_name(name) in ("plate", "plateid") else name for name in matrix.sample_notes}
    notes = {renamed[name]: column for name, column in matrix.sample_notes.items() if normal_name(name) not in _TYPES}
    samples = pd.DataFrame({"sample_type": types, **notes})
    species = options.species or stated.get("species", "").casefold()
    dataset = from_frame(
        pd.DataFrame(cells.values, index=matrix.samples, columns=proteins),
        below_lod=cells.below,
        lod=cells.lod,
        quality=cells.quality,
        samples=samples,
        proteins=_protein_table(proteins, matrix.protein_notes, species),
        platform=options.platform or stated.get("platform", "matrix"),
        species=species,
        unit=cells.unit,
        source_file=file,
        source_software=stated.get("software", ""),
    )
    problems += count_controls(types, matrix.samples, file=grid.file)
    return SerumTable(dataset, problems, READER.name)


def _sample_types(matrix: _Matrix) -> list[str]:
    stated = [column for name, column in matrix.sample_notes.items() if normal_name(name) in _TYPES]
    kinds = stated[0] if stated else [""] * len(matrix.samples)
    return [control_type(name, kind) for name, kind in zip(matrix.samples, kinds, strict=True)]


def _units_in_names(names: list[str]) -> tuple[list[str], str]:
    found = [_UNIT_IN_NAME.search(name) for name in names]
    units = {match[1] for match in found if match}
    if len(units) != 1 or not all(found):
        return names, ""
    return [_UNIT_IN_NAME.sub("", name) for name in names], units.pop()


def _refuse_twice(grid: Grid, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            "a protein stands twice",
            file=grid.file,
            where="header",
            found=", ".join(twice[:5]),
            expected="each protein once",
        )


def _limits(grid: Grid, matrix: _Matrix, proteins: list[str], options: SerumOptions, decimal: str) -> np.ndarray:
    limits = parse_cells([cell.lstrip("<≤ ") for cell in matrix.limits], decimal=decimal)
    if (limits.marks == Mark.BAD).any():
        at = int(np.argmax(limits.marks == Mark.BAD))
        raise InputError(f"the LOD of {proteins[at]} is not a number", file=grid.file, found=repr(matrix.limits[at]))
    values = limits.values.copy()
    unknown = [name for name in options.lod if name not in proteins]
    if unknown:
        raise InputError("lod names proteins that are not in the table", file=grid.file, found=", ".join(unknown[:5]))
    for name, limit in options.lod.items():
        values[proteins.index(name)] = float(limit)
    return values


def _protein_table(proteins: list[str], notes: dict[str, list[str]], species: str):  # type: ignore[no-untyped-def]
    import pandas as pd

    from proteomics.orthologues import resolve_name

    by_name = {normal_name(name): column for name, column in notes.items()}
    given = next((by_name[name] for name in ("symbol", "gene", "genesymbol") if name in by_name), None)
    symbols = given or [
        (resolve_name(name, species).symbol if species in ("mouse", "human") else "") or name for name in proteins
    ]
    uniprot = by_name.get("uniprot", by_name.get("uniprotid", [""] * len(proteins)))
    return pd.DataFrame({"uniprot": uniprot, "symbol": symbols, "panel": by_name.get("panel", [""] * len(proteins))})


READER = Reader(
    "wide-matrix",
    "plain matrix of samples and proteins with a stated unit, csv, tsv or xlsx",
    _matches,
    read_wide_matrix,
)
