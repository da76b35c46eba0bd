"""Luminex INTELLIFLEX csv: one row a well, groups of columns ``R20: RP1 MEDIAN`` for each bead region and reporter."""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import InputError
from core.readers import Reader
from proteomics.readers.cells import parse_cells
from proteomics.readers.grids import Grid, head_lines, load_grid
from proteomics.readers.plate import PlateRead, plate_table
from proteomics.readers.plate_layout import well_kind, well_name
from proteomics.readers.table import SerumOptions, SerumTable

__all__ = ["READER", "read_intelliflex"]

_COLUMN = re.compile(r"(R\d+): (RP\d) (.+)$")
_KINDS = {"S": "standard", "B": "blank", "C": "control", "U": "sample"}


def _matches(head: bytes) -> bool:
    first = next((line for line in head_lines(head, 5) if line.strip()), "")
    return "WELL LOCATION" in first and ": RP1 " in first


def read_intelliflex(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read the median signal of every analyte; a second reporter becomes analytes ``NAME (RP2)``.

    Raises
    ------
    InputError
        If a row names another analyte for a region than the first row, or a cell is no number.
    """
    grid = load_grid(path)
    header = grid.rows[0]
    where = {name: at for at, name in enumerate(header)}
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for at, name in enumerate(header):
        if match := _COLUMN.match(name):
            groups.setdefault((match[1], match[2]), {})[match[3]] = at
    groups = {key: columns for key, columns in groups.items() if {"ANALYTE NAME", "MEDIAN"} <= set(columns)}
    end = next((at for at, row in enumerate(grid.rows) if row and row[0].startswith("--")), len(grid.rows))
    rows = [at for at in range(1, end) if any(grid.rows[at])]
    if not groups or not rows:
        raise InputError(
            "no analyte or no well", file=path, expected="columns 'R20: RP1 ANALYTE NAME', 'R20: RP1 MEDIAN'"
        )
    # Regions whose columns are all blank were not used.
    groups = {key: c for key, c in groups.items() if any(grid.cell(row, c["MEDIAN"]) for row in rows)}
    analytes = [_analyte(grid, rows, key, columns) for key, columns in groups.items()]
    counts = [grid.cell(row, c["COUNT"]) if "COUNT" in c else "" for row in rows for c in groups.values()]
    cells = {
        "Median": [[grid.cell(row, c["MEDIAN"]) for c in groups.values()] for row in rows],
        "Net MFI": [[grid.cell(row, c.get("NET MEDIAN", 10**6)) for c in groups.values()] for row in rows],
    }

    def column(name: str) -> list[str]:
        return [grid.cell(row, where[name]) if name in where else "" for row in rows]

    location = grid.column("WELL LOCATION")
    wells = [well_name(grid.cell(row, location)) for row in rows]
    if "" in wells:
        at = rows[wells.index("")]
        raise InputError(
            "not a well",
            file=path,
            where=grid.place(at, "WELL LOCATION"),
            found=repr(grid.cell(at, location)),
        )
    types, names = column("WELL TYPE"), column("SAMPLE ID")
    plate = PlateRead(
        file=str(path),
        software=f"INTELLIFLEX {column('SOFTWARE VERSION')[0]}".strip(),
        platform="Luminex",
        wells=wells,
        names=names,
        analytes=analytes,
        cells=cells,
        kinds=[_kind(kind, name) for kind, name in zip(types, names, strict=True)],
        counts=parse_cells(counts).values.reshape(len(rows), len(groups)),
        dilution=[
            float(value) for value in parse_cells([text.removeprefix("1:") for text in column("DILUTION")]).values
        ],
        plate=column("PLATE NAME"),
    )
    return plate_table(plate, options or SerumOptions(), READER.name)


def _kind(stated: str, name: str) -> str:
    kind = _KINDS.get(stated[:1].upper(), "sample")
    return well_kind(name) if kind == "sample" else kind


def _analyte(grid: Grid, rows: list[int], key: tuple[str, str], columns: dict[str, int]) -> str:
    names = {grid.cell(row, columns["ANALYTE NAME"]) for row in rows} - {"", "NaN"}
    if len(names) > 1:
        first = next(grid.cell(row, columns["ANALYTE NAME"]) for row in rows)
        row = next(row for row in rows if grid.cell(row, columns["ANALYTE NAME"]) not in (first, "", "NaN"))
        raise InputError(
            f"bead region {key[0]} has two analytes",
            file=grid.file,
            where=grid.place(row),
            found=", ".join(sorted(names)),
        )
    name = names.pop() if names else key[0]
    return name if key[1] == "RP1" else f"{name} ({key[1]})"


READER = Reader("intelliflex", "Luminex INTELLIFLEX csv, one row a well", _matches, read_intelliflex)
