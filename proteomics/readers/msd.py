"""Meso Scale Discovery: Workbench tables (csv, xlsx), Methodical Mind text, and bare matrices of spot signals."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.readers.cells import parse_cells
from proteomics.readers.grids import Grid, head_lines, load_grids
from proteomics.readers.plate import PlateRead, plate_table
from proteomics.readers.plate_layout import well_kind, well_name
from proteomics.readers.table import SerumOptions, SerumTable

__all__ = ["SIGNALS", "WORKBENCH", "read_msd_signals", "read_workbench"]

_QUANTITIES = {"Calc. Concentration": "Calc. Concentration", "Adjusted Signal": "Adjusted Signal", "Signal": "Signal"}


def _is_workbench(cells: list[str]) -> bool:
    return {"Sample", "Assay", "Well", "Spot", "Signal"} <= set(cells)


def _matches_workbench(head: bytes) -> bool:
    return any(_is_workbench([c.strip('" ') for c in re.split("[,;\t]", line)]) for line in head_lines(head, 200))


def read_workbench(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read a Workbench table: one row a well and spot.

    Concentrations where calculated, with the Detection Range as censoring mark (``Below Fit Curve Range`` below,
    ``Above Fit Curve Range`` above range); wells of standards are those with a stated Concentration and no dilution.

    Raises
    ------
    InputError
        If a well has two rows for one assay, or lacks an assay that others have.
    """
    grid, header = _find_workbench(path)
    where = {name: at for at, name in enumerate(grid.rows[header]) if name}
    rows = []
    for at in range(header + 1, len(grid.rows)):
        if not any(grid.rows[at]):
            break
        rows.append(at)
    if not rows:
        raise InputError("the table is empty", file=path, found="a header without rows")
    keys = [(well_name(grid.cell(row, where["Well"])), grid.cell(row, where["Assay"])) for row in rows]
    bad = next((row for row, (well, _) in zip(rows, keys, strict=True) if not well), None)
    if bad is not None:
        raise InputError(
            "not a well", file=path, where=grid.place(bad, where["Well"]), found=repr(grid.cell(bad, where["Well"]))
        )
    wells, assays = list(dict.fromkeys(w for w, _ in keys)), list(dict.fromkeys(a for _, a in keys))
    row_of: dict[tuple[str, str], int] = {}
    for row, key in zip(rows, keys, strict=True):
        if key in row_of:
            raise InputError(
                f"well {key[0]} has two rows for {key[1]}",
                file=path,
                where=f"{grid.place(row_of[key])} and {grid.place(row)}",
            )
        row_of[key] = row

    def matrix(column: str) -> list[list[str]]:
        at = where.get(column, 10**6)
        return [[grid.cell(row_of[w, a], at) if (w, a) in row_of else "" for a in assays] for w in wells]

    first = {well: row for row, (well, _) in reversed(list(zip(rows, keys, strict=True)))}
    names = [grid.cell(first[well], where["Sample"]) for well in wells]
    stated = parse_cells([cell for row in matrix("Concentration") for cell in row]).values.reshape(len(wells), -1)
    cells = {name: matrix(column) for name, column in _QUANTITIES.items() if column in where}
    ranges = matrix("Detection Range")
    if "Calc. Concentration" in cells:
        cells["Calc. Concentration"] = _with_range(cells["Calc. Concentration"], ranges)
    plate = PlateRead(
        file=str(path),
        software="MSD Discovery Workbench",
        platform="MSD",
        wells=wells,
        names=names,
        analytes=assays,
        cells=cells,
        kinds=["standard" if np.isfinite(row).any() else well_kind(n) for row, n in zip(stated, names, strict=True)],
        standards=stated if np.isfinite(stated).any() else None,
        dilution=[
            float(v) for v in parse_cells([grid.cell(first[w], where.get("Dilution", 10**6)) for w in wells]).values
        ],
        plate=[_plate_name(grid, header)] * len(wells),
    )
    return plate_table(plate, options or SerumOptions(), WORKBENCH.name)


def _find_workbench(path: str | Path) -> tuple[Grid, int]:
    for grid in load_grids(path):
        for at, row in enumerate(grid.rows[:60]):
            if _is_workbench(row):
                return grid, at
    raise InputError("no header row Sample, Assay, Well, Spot, Signal", file=path)


def _with_range(cells: list[list[str]], ranges: list[list[str]]) -> list[list[str]]:
    """Concentrations with the mark of the detection range in front: outside the fitted curve they are no numbers."""
    marked = []
    for row, words in zip(cells, ranges, strict=True):
        line = []
        for cell, word in zip(row, words, strict=True):
            lowered = word.casefold()
            if "fit curve range" in lowered:
                line.append("OOR >" if lowered.startswith("above") else "OOR <")
            elif lowered.startswith(("above", "below")) and cell and cell != "NaN":
                # Beyond the detection limits but on the curve: a number, extrapolated.
                line.append(f"*{cell}")
            else:
                line.append(cell)
        marked.append(line)
    return marked


def _plate_name(grid: Grid, header: int) -> str:
    name = next((row[0] for row in grid.rows[:header] if row and row[0]), "")
    return name.removeprefix("Plate_")


def _number_row(cells: list[str]) -> int:
    """Count of columns if the row reads 1 2 3 ..., otherwise 0."""
    filled = [cell for cell in cells if cell]
    return len(filled) if len(filled) >= 2 and filled == [str(k + 1) for k in range(len(filled))] else 0


def _matches_signals(head: bytes) -> bool:
    lines = [line.split("\t") for line in head_lines(head, 200)]
    cells = [[cell.strip() for cell in line] for line in lines]
    for at, row in enumerate(cells[:-2]):
        if _number_row(row) and cells[at + 1][0] == "A" and _all_numbers(cells[at + 1][1:]):
            return True
    return False


def _all_numbers(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(re.fullmatch(r"-?\d+(\.\d+)?", cell) for cell in filled)


def read_msd_signals(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read raw signals: a matrix of wells with as many rows below each letter as there are spots in a well.

    Assays are named ``spot 1`` ...; a layout file names the samples. Several plates in one file are told apart by
    their barcode. Summary tables below the data are not read.

    Raises
    ------
    InputError
        If letters have different numbers of spots or rows of different length.
    """
    grid = load_grids(path)[0]
    plates: list[tuple[str, dict[str, list[list[str]]]]] = []
    barcode = ""
    for at, row in enumerate(grid.rows):
        first = row[0] if row else ""
        if first.startswith("Barcode1"):
            match = re.search(r"<\*?([^*<>]+)\*?>", " ".join(row))
            barcode = match[1] if match else ""
        width = _number_row(row)
        following = at + 1 < len(grid.rows) and grid.rows[at + 1][:1] == ["A"]
        if width and following and _all_numbers(grid.rows[at + 1][1:]):
            plates.append((barcode, _signal_rows(grid, at, width)))
    if not plates:
        raise InputError("no matrix of signals", file=path, expected="a row 1 2 3 ... and rows A, B, C ...")
    return plate_table(_signal_plate(grid, plates), options or SerumOptions(), SIGNALS.name)


def _signal_rows(grid: Grid, header: int, width: int) -> dict[str, list[list[str]]]:
    letters: dict[str, list[list[str]]] = {}
    letter = ""
    for at in range(header + 1, len(grid.rows)):
        row = grid.rows[at]
        first = row[0] if row else ""
        if re.fullmatch(r"[A-P]", first):
            letter = first
        elif first or not any(row):
            break
        cells = [cell for cell in row[1:] if cell]
        if len(cells) != width:
            raise InputError(
                "a row has another number of wells",
                file=grid.file,
                where=grid.place(at),
                found=str(len(cells)),
                expected=str(width),
            )
        letters.setdefault(letter, []).append(cells)
    sizes = {letter: len(rows) for letter, rows in letters.items()}
    if len(set(sizes.values())) != 1:
        raise InputError(
            "letters have different numbers of spots", file=grid.file, where=grid.place(header), found=str(sizes)
        )
    return letters


def _signal_plate(grid: Grid, plates: list[tuple[str, dict[str, list[list[str]]]]]) -> PlateRead:
    wells, of_plate, cells = [], [], []
    spots = {len(next(iter(letters.values()))) for _, letters in plates}
    if len(spots) != 1:
        raise InputError("plates have different numbers of spots", file=grid.file, found=str(sorted(spots)))
    names = [barcode or f"plate {k + 1}" for k, (barcode, _) in enumerate(plates)]
    names = [name if names.count(name) == 1 else f"{name} #{k + 1}" for k, name in enumerate(names)]
    for name, (_, letters) in zip(names, plates, strict=True):
        for letter, rows in letters.items():
            for column in range(len(rows[0])):
                wells.append(f"{letter}{column + 1}")
                of_plate.append(name)
                cells.append([row[column] for row in rows])
    problems = [
        Problem(
            code="ids_made",
            file=Path(grid.file).name,
            message="raw signals name neither samples nor assays",
            action="rows are named by well, assays by spot; give a layout",
        )
    ]
    return PlateRead(
        file=grid.file,
        software="MSD Methodical Mind" if grid.rows[0][0].startswith("FileName") else "",
        platform="MSD",
        wells=wells,
        names=list(wells),
        analytes=[f"spot {k + 1}" for k in range(spots.pop())],
        cells={"Signal": cells},
        kinds=["sample"] * len(wells),
        plate=of_plate,
        problems=problems,
    )


WORKBENCH = Reader("msd-workbench", "MSD Discovery Workbench table, csv or xlsx", _matches_workbench, read_workbench)
SIGNALS = Reader(
    "msd-signals", "MSD raw signals: Methodical Mind text or a bare matrix of spots", _matches_signals, read_msd_signals
)
