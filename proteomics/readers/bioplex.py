"""Bio-Plex Manager tables (.xls, .xlsx, csv): analytes one under another, or side by side in blocks of one quantity."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import InputError
from core.readers import Reader
from proteomics.readers.cells import parse_cells
from proteomics.readers.grids import Grid, head_lines, load_grid
from proteomics.readers.plate import PlateRead, plate_table
from proteomics.readers.plate_layout import well_name
from proteomics.readers.table import SerumOptions, SerumTable

__all__ = ["READER", "bioplex_kind", "read_bioplex", "read_bioplex_plate"]

_KINDS = {"B": "blank", "S": "standard", "C": "control", "X": "sample", "N": "sample", "U": "sample"}


def bioplex_kind(label: str) -> str:
    """Kind of a row from its type.

    Examples
    --------
    >>> [bioplex_kind(label) for label in ("B", "S11", "C2", "X80", "N3")]
    ['blank', 'standard', 'control', 'sample', 'sample']
    """
    return _KINDS.get(label[:1].upper(), "sample")


def _matches(head: bytes) -> bool:
    for line in head_lines(head, 60):
        cells = [cell.strip('" ') for cell in line.replace(";", "\t").replace(",", "\t").split("\t")]
        if {"Type", "Well", "Description"} <= set(cells):
            return True
    return False


def read_bioplex(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read a Bio-Plex Manager table.

    ``OOR <`` and ``OOR >`` are censored at the lowest or highest standard (times the dilution), ``*12.3`` is kept as
    extrapolated, ``***`` is no result. Wells in pairs (``H1,H2``) are one row: the software pooled the replicates.
    Footers that explain the marks are not data.

    Raises
    ------
    InputError
        If the analytes list different wells, a well stands twice or a cell is neither number nor mark.
    """
    return plate_table(read_bioplex_plate(path), options or SerumOptions(), READER.name)


def read_bioplex_plate(path: str | Path) -> PlateRead:
    """The plate as reported, with every quantity."""
    grid = load_grid(path)
    headers = [at for at, row in enumerate(grid.rows) if {"Type", "Well", "Description"} <= set(row)]
    if not headers:
        raise InputError("no header row Type, Well, Description", file=path)
    stacked = "Analyte" in grid.rows[headers[0]]
    blocks = [_block_rows(grid, at) for at in headers]
    return _stacked(grid, headers, blocks) if stacked else _side_by_side(grid, headers, blocks)


def _block_rows(grid: Grid, header: int) -> list[int]:
    well = grid.rows[header].index("Well")
    rows = []
    for at in range(header + 1, len(grid.rows)):
        if not _wells(grid.cell(at, well)):
            break
        rows.append(at)
    return rows


def _wells(text: str) -> str:
    parts = [well_name(part) for part in text.split(",")]
    return ",".join(parts) if parts and all(parts) else ""


def _stacked(grid: Grid, headers: list[int], blocks: list[list[int]]) -> PlateRead:
    names = [name for name in grid.rows[headers[0]] if name]
    where = {name: grid.rows[headers[0]].index(name) for name in names}
    first = blocks[0]
    keys = [(grid.cell(row, where["Type"]), _wells(grid.cell(row, where["Well"]))) for row in first]
    analytes: list[str] = []
    quantities = [name for name in ("Obs Conc", "FI", "FI - Bkgd") if name in where]
    cells: dict[str, list[list[str]]] = {name: [[] for _ in first] for name in quantities}
    expected = np.full((len(first), len(blocks)), np.nan)
    for at, (header, rows) in enumerate(zip(headers, blocks, strict=True)):
        if [name for name in grid.rows[header] if name] != names:
            raise InputError("an analyte has other columns than the first", file=grid.file, where=grid.place(header))
        here = [(grid.cell(row, where["Type"]), _wells(grid.cell(row, where["Well"]))) for row in rows]
        if here != keys:
            other = next((key for key in keys if key not in here), None) or next(iter(here), ("", ""))
            raise InputError(
                "analytes list different wells",
                file=grid.file,
                where=grid.place(header),
                found=f"{len(here)} rows, {other[0]} {other[1]} differs",
                expected=f"{len(keys)} rows as for the first",
            )
        analytes.append(grid.cell(rows[0], where["Analyte"]))
        for name in quantities:
            for k, row in enumerate(rows):
                cells[name][k].append(grid.cell(row, where[name]))
        if "Exp Conc" in where:
            expected[:, at] = parse_cells([grid.cell(row, where["Exp Conc"]) for row in rows]).values
    dilution = (
        [float(value) for value in parse_cells([grid.cell(row, where["Dilution"]) for row in first]).values]
        if "Dilution" in where
        else []
    )
    return PlateRead(
        file=grid.file,
        software=_software(grid),
        platform="Bio-Plex",
        wells=[well for _, well in keys],
        names=[_name(grid, row, where, label) for row, (label, _) in zip(first, keys, strict=True)],
        analytes=analytes,
        cells=cells,
        kinds=[bioplex_kind(label) for label, _ in keys],
        standards=expected,
        dilution=dilution,
        plate=[_plate(grid)] * len(first),
    )


def _name(grid: Grid, row: int, where: dict[str, int], label: str) -> str:
    return grid.cell(row, where["Description"]) or label


def _side_by_side(grid: Grid, headers: list[int], blocks: list[list[int]]) -> PlateRead:
    cells: dict[str, list[list[str]]] = {}
    first = blocks[0]
    header = grid.rows[headers[0]]
    columns = [at for at, name in enumerate(header) if name and name not in ("Type", "Well", "Description", "Dilution")]
    if not columns:
        raise InputError("the header names no measured quantity", file=grid.file, where=grid.place(headers[0]),
                         expected="FI, Obs Conc ... beside Type, Well, Description")  # fmt: skip
    analytes = [grid.cell(headers[0] - 1, at) for at in columns]
    if not all(analytes):
        raise InputError("a column has no analyte above it", file=grid.file, where=grid.place(headers[0] - 1))
    where = {name: header.index(name) for name in ("Type", "Well", "Description")}
    wells = [_wells(grid.cell(row, where["Well"])) for row in first]
    for start, rows in zip(headers, blocks, strict=True):
        quantity = grid.cell(start, columns[0])
        here = [_wells(grid.cell(row, where["Well"])) for row in rows]
        if here != wells or [grid.cell(start - 1, at) for at in columns] != analytes:
            raise InputError(
                f"block {quantity} has other wells or analytes than the first", file=grid.file, where=grid.place(start)
            )
        cells[quantity] = [[grid.cell(row, at) for at in columns] for row in rows]
    labels = [grid.cell(row, where["Type"]) for row in first]
    beads = cells.pop("Bead Count", None)
    counts = None if beads is None else parse_cells([cell for row in beads for cell in row]).values
    return PlateRead(
        file=grid.file,
        software=_software(grid),
        platform="Bio-Plex",
        wells=wells,
        names=[_name(grid, row, where, label) for row, label in zip(first, labels, strict=True)],
        analytes=analytes,
        cells=cells,
        kinds=[bioplex_kind(label) for label in labels],
        counts=None if counts is None else counts.reshape(len(wells), len(analytes)),
        plate=[_plate(grid)] * len(wells),
    )


def _software(grid: Grid) -> str:
    return "Bio-Plex Manager" if any(row and row[0].startswith("File Name:") for row in grid.rows[:5]) else ""


def _plate(grid: Grid) -> str:
    line = next((row[0] for row in grid.rows[:20] if row and row[0].startswith("Plate ID:")), "")
    return line.removeprefix("Plate ID:").strip()


READER = Reader(
    "bioplex", "Bio-Plex Manager table, xls, xlsx or csv", _matches, read_bioplex, "Bio-Plex Manager 6 user guide"
)
