"""Luminex xPONENT (MAGPIX, LX100/200, FLEXMAP, INTELLIFLEX in this form): a preamble, then named blocks of wells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.readers.cells import parse_cells
from proteomics.readers.grids import Grid, head_lines, load_grid
from proteomics.readers.plate import PlateRead, plate_table
from proteomics.readers.table import SerumOptions, SerumTable, normal_name
from proteomics.standard_curves import clean_series

__all__ = ["READER", "read_xponent", "read_xponent_plate"]

_LOCATION = re.compile(r"\d+\(\d+,([A-P]\d+)\)$")
_SPLIT = (re.compile(r"\d+\(\d+$"), re.compile(r"[A-P]\d+\)$"))
#: Blocks that hold one row a well and must agree about the wells.
_WELL_BLOCKS = ("Median", "Net MFI", "Count", "Result")
#: Columns at the end that are no analytes.
_NOT_ANALYTES = {"totalevents", "notes", ""}


def _matches(head: bytes) -> bool:
    lines = [line.replace('"', "") for line in head_lines(head, 200)]
    return any(line.startswith("Program,") for line in lines[:3]) or any(line.startswith("DataType:") for line in lines)


@dataclass(frozen=True)
class _Block:
    name: str
    rows: list[int]


def read_xponent(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read an xPONENT export: concentrations (Result) where it has them, otherwise the median signal.

    Total Events is no analyte; bead counts below 30 are flagged; ``< 0.105`` and ``> 3450`` are censoring marks.

    Raises
    ------
    InputError
        If a block lost its name, blocks disagree about the wells, or a cell is no number; the well is named.
    """
    return plate_table(read_xponent_plate(path), options or SerumOptions(), READER.name)


def read_xponent_plate(path: str | Path) -> PlateRead:
    """The plate as reported: all blocks with one row a well, bead counts, standards."""
    grid = load_grid(path)
    blocks = _blocks(grid)
    if "Median" not in blocks and "Result" not in blocks:
        raise InputError("no block Median or Result", file=path, found=", ".join(blocks) or "no DataType: rows")
    first = blocks.get("Median", blocks.get("Result"))
    assert first is not None
    wells, names, analytes, _ = _well_block(grid, first)
    cells: dict[str, list[list[str]]] = {}
    for name in _WELL_BLOCKS:
        if name in blocks:
            cells[name] = _same_wells(grid, blocks[name], wells, names, analytes)
    counts = parse_cells([cell for row in cells.pop("Count", []) for cell in row]).values
    expected = _standards(grid, blocks, names, analytes)
    standards, problems = _without_broken(str(path), names, analytes, expected)
    return PlateRead(
        file=str(path),
        software=" ".join(cell for cell in grid.rows[0][1:4] if cell),
        platform="Luminex",
        wells=wells,
        names=names,
        analytes=analytes,
        cells=cells,
        unit=_unit(grid, blocks, len(analytes)),
        counts=counts.reshape(len(wells), len(analytes)) if counts.size else None,
        min_events=_min_events(grid),
        standards=standards,
        problems=problems,
        dilution=_dilution(grid, blocks, wells),
        plate=[_preamble(grid, "Batch")] * len(wells),
    )


def _blocks(grid: Grid) -> dict[str, _Block]:
    starts = [at for at, row in enumerate(grid.rows) if row and normal_name(row[0]) == "datatype"]
    blocks: dict[str, _Block] = {}
    for start, end in zip(starts, [*starts[1:], len(grid.rows)], strict=False):
        name = grid.cell(start, 1)
        if not name:
            raise InputError(
                "a block has no name; cells seem to be shifted",
                file=grid.file,
                where=grid.place(start, 1),
                expected="DataType:, Median (or Net MFI, Count ...)",
                remedy="export the plate again",
            )
        rows = [at for at in range(start + 1, end) if any(grid.rows[at])]
        blocks.setdefault(name, _Block(name, rows))
    return blocks


def _joined(cells: list[str]) -> list[str]:
    # Where the comma of "1(1,A1)" was not quoted, the location stands in two cells.
    if len(cells) > 1 and _SPLIT[0].match(cells[0]) and _SPLIT[1].match(cells[1]):
        return [f"{cells[0]},{cells[1]}", *cells[2:]]
    return cells


def _well_block(grid: Grid, block: _Block) -> tuple[list[str], list[str], list[str], list[list[str]]]:
    if not block.rows or normal_name(grid.cell(block.rows[0], 0)) != "location":
        where = grid.place(block.rows[0]) if block.rows else ""
        raise InputError(f"block {block.name} has no row Location, Sample, ...", file=grid.file, where=where)
    header = grid.rows[block.rows[0]]
    columns = [at for at in range(2, len(header)) if normal_name(header[at]) not in _NOT_ANALYTES]
    wells, names, cells = [], [], []
    for row in block.rows[1:]:
        line = _joined(grid.rows[row])
        match = _LOCATION.match(line[0])
        if not match:
            if line[0].startswith("--"):
                break
            raise InputError(
                f"block {block.name}: not a well",
                file=grid.file,
                where=grid.place(row),
                found=repr(line[0]),
                expected="1(1,A1)",
            )
        wells.append(match[1])
        names.append(line[1] if len(line) > 1 else "")
        cells.append([line[at] if at < len(line) else "" for at in columns])
    return wells, names, [header[at] for at in columns], cells


def _same_wells(grid: Grid, block: _Block, wells: list[str], names: list[str], analytes: list[str]) -> list[list[str]]:
    here, _, columns, cells = _well_block(grid, block)
    if here != wells:
        missing = [well for well in wells if well not in here] or [well for well in here if well not in wells]
        raise InputError(
            f"block {block.name} has other wells than the first block",
            file=grid.file,
            where=grid.place(block.rows[0]),
            found=f"no row for well {', '.join(missing[:6])}" if missing else "another order",
            expected=f"the same {len(wells)} wells",
            remedy="export the plate again; rows were lost",
        )
    if columns != analytes:
        other = sorted(set(columns) ^ set(analytes))
        raise InputError(
            f"block {block.name} has other analytes",
            file=grid.file,
            where=grid.place(block.rows[0]),
            found=", ".join(other[:6]),
        )
    return cells


def _preamble(grid: Grid, key: str) -> str:
    return next(
        (grid.cell(at, 1) for at in range(min(80, len(grid.rows))) if grid.rows[at] and grid.rows[at][0] == key), ""
    )


def _min_events(grid: Grid) -> float:
    for row in grid.rows[:100]:
        if row and row[0] == "Samples" and "Min Events" in row:
            at = row.index("Min Events") + 1
            value = parse_cells([row[at] if at < len(row) else ""]).values[0]
            return float(value)
    return float("nan")


def _unit(grid: Grid, blocks: dict[str, _Block], n: int) -> str:
    if "Units" not in blocks:
        return ""
    row = next((row for row in blocks["Units"].rows if normal_name(grid.cell(row, 0)) == "units"), None)
    units = {cell for cell in grid.rows[row][1 : n + 1] if cell} if row is not None else set()
    return units.pop() if len(units) == 1 else ""


def _standards(grid: Grid, blocks: dict[str, _Block], names: list[str], analytes: list[str]) -> np.ndarray | None:
    block = blocks.get("Standard Expected Concentration")
    if block is None or not block.rows:
        return None
    header = grid.rows[block.rows[0]]
    where = [header.index(name) if name in header else -1 for name in analytes]
    expected = np.full((len(names), len(analytes)), np.nan)
    for row in block.rows[1:]:
        texts = [grid.cell(row, at) if at > 0 else "" for at in where]
        for index, name in enumerate(names):
            if name == grid.cell(row, 0):
                expected[index] = parse_cells(texts).values
    return expected


def _without_broken(
    file: str, names: list[str], analytes: list[str], expected: np.ndarray | None
) -> tuple[np.ndarray | None, list[Problem]]:
    """Standards' concentrations without those that lost their decimal point, and what was left out."""
    if expected is None:
        return None, []
    cleaned = expected.copy()
    broken = []
    for at, analyte in enumerate(analytes):
        cleaned[:, at], names_left_out = clean_series(names, expected[:, at])
        broken += [f"{name} of {analyte}" for name in names_left_out]
    if not broken:
        return cleaned, []
    message = f"{len(broken)} expected concentrations break their dilution series ({', '.join(broken[:4])})"
    action = "left out; a decimal point seems to be lost"
    return cleaned, [Problem(code="poor_fit", file=Path(file).name, message=message, action=action)]


def _dilution(grid: Grid, blocks: dict[str, _Block], wells: list[str]) -> list[float]:
    block = blocks.get("Dilution Factor")
    factors: dict[str, float] = {}
    for row in block.rows[1:] if block else []:
        line = _joined(grid.rows[row])
        match = _LOCATION.match(line[0])
        if match and len(line) > 2:
            factors[match[1]] = float(parse_cells([line[2]]).values[0])
    return [factors.get(well, float("nan")) for well in wells]


READER = Reader(
    "xponent",
    "Luminex xPONENT csv",
    _matches,
    read_xponent,
    "Luminex xPONENT 4.x user manual, csv export",
)
