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
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.readers.cells import Mark, decimal_mark, parse_cells
from proteomics.readers.concentrations import linear_to_log2
from proteomics.readers.grids import Grid, head_lines, load_grids
from proteomics.readers.matrix_shape import Matrix, matrix_cells
from proteomics.readers.table import SerumOptions, SerumTable, control_type, count_controls, normal_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read_wide_matrix"]

_TYPES = ("sampletype", "type")
_KEYS = ("unit", "species", "platform", "software")
_UNIT_IN_NAME = re.compile(r"\s*[\(\[]\s*([pnμu]?g/m[lL]|U/m[lL]|mU/L|pM|nM|MFI|NPX)\s*[\)\]]\s*$")


def _matches(head: bytes) -> bool:
    if b"\x00" in head[:1024] and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return False
    lines = [line for line in head_lines(head, 40) if line.strip() and not line.lstrip('"').startswith("#")]
    # A file of comments alone is an empty matrix, and the message should say so.
    return not lines or any(mark in lines[0] for mark in "\t;,")


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
    matrix = matrix_cells(grid, header, options, problems)
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


def _assemble(
    grid: Grid, matrix: Matrix, stated: dict[str, str], options: SerumOptions, problems: list[Problem]
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


def _sample_types(matrix: Matrix) -> list[str]:
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


def _limits(grid: Grid, matrix: Matrix, proteins: list[str], options: SerumOptions, decimal: str) -> np.ndarray:
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


def _protein_table(proteins: list[str], notes: dict[str, list[str]], species: str) -> pd.DataFrame:
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
