"""Olink NPX Manager and NPX Signature in wide form: samples in rows, a header block above, footers below (csv, xlsx).

Layout: rows ``Panel, Assay, Uniprot ID, OlinkID`` (and ``Unit``), a blank row, the samples, a blank row, footers
(``LOD``, ``Max LOD``, ``Plate LOD``, ``Missing Data freq.``, ``Normalization`` ...). Several panels stand side by side;
Plate ID and QC columns stand at the right, one a panel. Rows of the csv are ragged, so they are read cell by cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.abundance import FLAGS
from proteomics.readers.cells import Mark, decimal_mark, parse_cell
from proteomics.readers.grids import Grid, head_lines, load_grid
from proteomics.readers.table import (
    SerumOptions,
    SerumTable,
    SetApart,
    control_type,
    count_controls,
    normal_name,
    species_of_panel,
)

__all__ = ["READER", "read_olink_wide"]

_HEADERS = ("panel", "assay", "uniprotid", "uniprot", "olinkid", "unit", "panellotnr", "lotnr")
_LOD_FOOTERS = ("lod", "maxlod", "platelod", "platespecificlod", "lodnpx")
_FOOTERS = (
    *_LOD_FOOTERS,
    "missingdatafreq",
    "missingfreq",
    "normalization",
    "lloq",
    "uloq",
    "lowestquantifiablelevel",
    "highestquantifiablelevel",
    "assaywarning",
    "plateloq",
    "intracv",
    "intercv",
)
_CONTROL_ASSAYS = ("incctrl", "detctrl", "extctrl", "ampctrl", "incubationctrl", "detectionctrl", "extensionctrl")
_WARNINGS = {
    "warning": "qc_warning",
    "warn": "qc_warning",
    "fail": "qc_fail",
    "failed": "qc_fail",
    "excluded": "qc_fail",
}


def _matches(head: bytes) -> bool:
    first = [normal_name(line.replace(";", "\t").replace(",", "\t").split("\t")[0]) for line in head_lines(head, 12)]
    return "panel" in first and "assay" in first[first.index("panel") :]


@dataclass
class _Block:
    """Where the parts of the sheet stand."""

    header: dict[str, int]
    samples: list[int]
    footers: dict[str, list[int]]
    kind: str
    assays: list[int] = field(default_factory=list)
    controls: list[int] = field(default_factory=list)
    plates: list[int] = field(default_factory=list)
    warnings: list[int] = field(default_factory=list)


def read_olink_wide(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read wide NPX; keys, flags and rules as for the long form.

    Several ``Plate LOD`` rows apply to the samples of the plate that stands in their Plate ID column; otherwise the
    LOD row applies to all. Files of quantified values (Target 48, Flex: pg/mL) are turned into log2.

    Raises
    ------
    InputError
        If a header row is missing, a value is no number, or there are no samples; the cell is named.
    """
    options = options or SerumOptions()
    grid = load_grid(path)
    block = _find_parts(grid)
    decimal = "." if grid.delimiter == "," else _sniff_decimal(grid, block)
    keys = _keys(grid, block)
    linear = "quantified" in block.kind
    values, marks = _numbers(grid, block.samples, block, decimal)
    plates = _plate_matrix(grid, block)
    lod = _limits(grid, block, plates, decimal)
    values, lod = _censored(grid, block, values, marks, lod, decimal)
    unit, values, lod = _scale(grid, block, values, lod, options, linear=linear)
    below = (marks == Mark.BELOW) | (values < lod)
    quality = _quality(grid, block, marks)
    return _assemble(grid, block, keys, values, below, lod, quality, plates, unit, options)


def _find_parts(grid: Grid) -> _Block:
    first = [normal_name(row[0]) if row else "" for row in grid.rows]
    header = {}
    for index, name in enumerate(first[:20]):
        if name in _HEADERS and name not in header:
            header["uniprot" if name == "uniprotid" else name] = index
    for name in ("panel", "assay"):
        if name not in header:
            raise InputError(
                f"no row {name} in the header",
                file=grid.file,
                where="first rows",
                expected="Panel, Assay, Uniprot ID, OlinkID",
            )
    kind = " ".join(first[: header["panel"]])
    if "ctdata" in kind or "counts" in kind:
        raise InputError(
            "these are Ct values or counts, not NPX",
            file=grid.file,
            where=grid.place(0),
            remedy="export NPX or quantified values",
        )
    start = max(header.values()) + 1
    samples: list[int] = []
    footers: dict[str, list[int]] = {}
    for index in range(start, len(grid.rows)):
        name = first[index]
        if name == "panel":
            raise InputError(
                "a second header block begins here",
                file=grid.file,
                where=grid.place(index),
                expected="one block a file",
                remedy="export the panels side by side or as separate files",
            )
        if name in _FOOTERS:
            footers.setdefault(name, []).append(index)
        elif grid.rows[index] and grid.rows[index][0] and not footers:
            samples.append(index)
        elif any(grid.rows[index]) and not footers:
            raise InputError("a row of values has no sample id", file=grid.file, where=grid.place(index))
    if not samples:
        raise InputError("the table is empty", file=grid.file, found="a header without samples")
    block = _Block(header, samples, footers, kind)
    _find_columns(grid, block)
    return block


def _find_columns(grid: Grid, block: _Block) -> None:
    for column, assay in enumerate(grid.rows[block.header["assay"]]):
        name = normal_name(assay)
        if column == 0 or not name:
            continue
        if name in ("plateid", "plate"):
            block.plates.append(column)
        elif name in ("qcwarning", "sampleqc", "qcstatus"):
            block.warnings.append(column)
        elif name.startswith("qcdeviation") or name in ("wellid", "well", "assaywarning"):
            continue
        elif name.startswith(_CONTROL_ASSAYS):
            block.controls.append(column)
        else:
            block.assays.append(column)
    if not block.assays:
        raise InputError("no assay in the header", file=grid.file, where=grid.place(block.header["assay"]))


def _header(grid: Grid, block: _Block, name: str, column: int) -> str:
    return grid.cell(block.header[name], column) if name in block.header else ""


def _keys(grid: Grid, block: _Block) -> list[str]:
    keys = []
    for column in block.assays:
        olink_id = _header(grid, block, "olinkid", column)
        parts = (
            _header(grid, block, "panel", column),
            _header(grid, block, "uniprot", column),
            grid.cell(block.header["assay"], column),
        )
        keys.append(olink_id or ":".join(part for part in parts if part))
    return keys


def _sniff_decimal(grid: Grid, block: _Block) -> str:
    cells = [grid.cell(row, column) for row in block.samples[:50] for column in block.assays]
    return decimal_mark(cells, file=grid.file)


def _numbers(grid: Grid, rows: list[int], block: _Block, decimal: str) -> tuple[np.ndarray, np.ndarray]:
    values = np.full((len(rows), len(block.assays)), np.nan)
    marks = np.full(values.shape, Mark.MISSING, np.int8)
    for i, row in enumerate(rows):
        for j, column in enumerate(block.assays):
            text = grid.cell(row, column)
            values[i, j], marks[i, j] = parse_cell(text, decimal=decimal)
            if marks[i, j] == Mark.BAD:
                assay = grid.cell(block.header["assay"], column)
                raise InputError(
                    f"the value of {assay} is not a number",
                    file=grid.file,
                    where=grid.place(row, column),
                    found=repr(text),
                    expected="a number",
                    remedy="correct the cell",
                )
    return values, marks


def _plate_matrix(grid: Grid, block: _Block) -> np.ndarray:
    """(n_samples, n_panels) plate names; one empty column where the file has none."""
    columns = block.plates or [10**6]
    return np.array([[grid.cell(row, column) for column in columns] for row in block.samples], dtype=object)


def _limits(grid: Grid, block: _Block, plates: np.ndarray, decimal: str) -> np.ndarray:
    lod = np.full((len(block.samples), len(block.assays)), np.nan)
    # A plate's own limit is nearer to the sample than the highest of all plates.
    for name in ("maxlod", "lod", "lodnpx", "platespecificlod", "platelod"):
        for row in block.footers.get(name, []):
            limits, _ = _numbers(grid, [row], block, decimal)
            panels = [_header(grid, block, "panel", column) for column in block.assays]
            for at, plate_column in enumerate(block.plates or [10**6]):
                plate = grid.cell(row, plate_column)
                panel = _header(grid, block, "panel", plate_column)
                here = np.array([len(block.plates) < 2 or panel in ("", each) for each in panels])
                of_plate = (plates[:, at] == plate) if plate else np.ones(len(block.samples), bool)
                cells = np.ix_(of_plate, here)
                lod[cells] = np.where(np.isfinite(limits[:, here]), limits[:, here], lod[cells])
    return lod


def _censored(
    grid: Grid, block: _Block, values: np.ndarray, marks: np.ndarray, lod: np.ndarray, decimal: str
) -> tuple[np.ndarray, np.ndarray]:
    """Values and limits with marked cells at their limit: the number in the cell, else the quantification limit that
    ``<LOQ`` and ``>ULOQ`` name, else the LOD; without any of them no number."""
    lowest = _footer(grid, block, ("lloq", "lowestquantifiablelevel", "plateloq"), decimal)
    highest = _footer(grid, block, ("uloq", "highestquantifiablelevel"), decimal)
    values, lod = values.copy(), lod.copy()
    for i, j in np.argwhere((marks == Mark.BELOW) | (marks == Mark.ABOVE)):
        if marks[i, j] == Mark.ABOVE:
            values[i, j] = values[i, j] if np.isfinite(values[i, j]) else highest[j]
            continue
        named = "loq" in grid.cell(block.samples[i], block.assays[j]).casefold()
        limit = lowest[j] if named and np.isfinite(lowest[j]) else lod[i, j]
        values[i, j] = lod[i, j] = values[i, j] if np.isfinite(values[i, j]) else limit
    return values, lod


def _footer(grid: Grid, block: _Block, names: Sequence[str], decimal: str) -> np.ndarray:
    """(n_assays,) of the first of these footer rows that the file has; NaN without."""
    rows = [row for name in names for row in block.footers.get(name, [])]
    return _numbers(grid, rows[:1], block, decimal)[0][0] if rows else np.full(len(block.assays), np.nan)


def _scale(
    grid: Grid, block: _Block, values: np.ndarray, lod: np.ndarray, options: SerumOptions, *, linear: bool
) -> tuple[str, np.ndarray, np.ndarray]:
    if not linear:
        return "NPX", values, lod
    stated = {_header(grid, block, "unit", column) for column in block.assays} - {""}
    if len(stated) > 1:
        raise InputError("assays with different units", file=grid.file, found=", ".join(sorted(stated)))
    unit = options.unit or (stated.pop() if stated else "quantified value")
    with np.errstate(divide="ignore", invalid="ignore"):
        logged = [np.where(array > 0, np.log2(array), np.nan) for array in (values, lod)]
    return f"log2 {unit}", logged[0], logged[1]


def _quality(grid: Grid, block: _Block, marks: np.ndarray) -> np.ndarray:
    quality = np.zeros(marks.shape, np.uint16)
    panels = np.array([_header(grid, block, "panel", column) for column in block.assays], dtype=object)
    for column in block.warnings:
        panel = _header(grid, block, "panel", column)
        here = panels == panel if panel and len(block.warnings) > 1 else np.ones(len(panels), bool)
        for i, row in enumerate(block.samples):
            flag = _WARNINGS.get(normal_name(grid.cell(row, column)))
            if flag:
                quality[i, here] |= np.uint16(FLAGS[flag])
    quality[marks == Mark.ABOVE] |= FLAGS["above_range"]
    quality[marks == Mark.NO_RESULT] |= FLAGS["no_result"]
    return quality


def _assemble(
    grid: Grid,
    block: _Block,
    keys: list[str],
    values: np.ndarray,
    below: np.ndarray,
    lod: np.ndarray,
    quality: np.ndarray,
    plates: np.ndarray,
    unit: str,
    options: SerumOptions,
) -> SerumTable:
    import pandas as pd

    from proteomics.abundance import from_frame

    file = Path(grid.file).name
    problems: list[Problem] = []
    originals = [grid.rows[row][0] for row in block.samples]
    types = [control_type(name) for name in originals]
    names = _unique_samples(originals, types, grid, block)
    panels = [_header(grid, block, "panel", column) for column in block.assays]
    proteins = pd.DataFrame(
        {
            "uniprot": [_header(grid, block, "uniprot", column) for column in block.assays],
            "symbol": [grid.cell(block.header["assay"], column) for column in block.assays],
            "panel": panels,
        }
    )
    plate = [" + ".join(dict.fromkeys(name for name in row if name)) for row in plates]
    dataset = from_frame(
        pd.DataFrame(values, index=names, columns=keys),
        below_lod=below,
        lod=lod,
        quality=quality,
        samples=pd.DataFrame({"sample_type": types, "plate": plate}),
        proteins=proteins,
        platform=options.platform or "Olink",
        species=options.species or species_of_panel(" ".join(panels)),
        unit=unit,
        source_file=file,
        source_software=next((cell for cell in grid.rows[0][1:] if cell), "Olink NPX wide"),
    )
    problems += count_controls(types, originals, file=grid.file)
    if not any(name in block.footers for name in _LOD_FOOTERS):
        problems.append(
            Problem(
                code="lod_unknown", file=file, message="the table has no LOD row", action="all values count as detected"
            )
        )
    if block.controls:
        message = f"{len(block.controls)} control assays are no proteins of the sample"
        problems.append(Problem(code="control_protein", file=file, message=message, action="set apart"))
    problems += _warned_samples(quality, names, types, file)
    apart = tuple(SetApart(grid.cell(block.header["assay"], column), "control assay") for column in block.controls)
    return SerumTable(dataset, problems, READER.name, apart)


def _warned_samples(quality: np.ndarray, names: list[str], types: list[str], file: str) -> list[Problem]:
    warned = np.any(quality & (FLAGS["qc_warning"] | FLAGS["qc_fail"]), axis=1).tolist()
    message = "the vendor's quality control marks this sample in at least one panel"
    return [
        Problem(
            code="qc_warning", file=file, where=f"sample {name}", message=message, action="kept, flagged in quality"
        )
        for name, kind, flag in zip(names, types, warned, strict=True)
        if flag and kind == "sample"
    ]


def _unique_samples(originals: list[str], types: list[str], grid: Grid, block: _Block) -> list[str]:
    count: dict[str, int] = {}
    names = []
    for at, name in enumerate(originals):
        count[name] = count.get(name, 0) + 1
        if count[name] > 1 and types[at] == "sample":
            earlier = block.samples[originals.index(name)]
            raise InputError(
                f"sample {name!r} stands twice",
                file=grid.file,
                where=f"{grid.place(block.samples[at])} and {grid.place(earlier)}",
                expected="each sample once",
                remedy="give the second measurement its own name",
            )
        names.append(name if count[name] == 1 else f"{name} #{count[name]}")
    return names


READER = Reader(
    "olink-wide",
    "Olink NPX Manager or NPX Signature, samples in rows, csv or xlsx",
    _matches,
    read_olink_wide,
    "OlinkAnalyze read_NPX; NPX Signature user guide",
)
