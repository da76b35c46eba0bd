"""A plain long table, one row a sample (or well) and protein: Belysa and other curve programs, or our own tidy csv.

The columns are known by their usual names, or declared with the option ``columns`` (role to name). Roles:

- ``sample`` and, on plates, ``well``: one of them must be there; the well is the key where there is one.
- ``protein``: assay, analyte ...
- ``value``: concentration, NPX or another level; on plates ``signal`` (MFI) beside it or in its place.
- A first line ``# unit: pg/mL`` or the header ``conc (pg/mL)`` states the unit, as the column ``unit`` does.
- ``plate, type, dilution, expected`` (concentration of standards), ``count`` (beads), ``lod, unit, uniprot, symbol,
  panel``; ``below_lod`` and ``quality`` as the command ``serum --out tidy.csv`` writes them.

Any other column describes the sample where it says the same on all rows of a sample, and is left out otherwise. Cells
are read as in :mod:`proteomics.readers.wide_matrix`: ``<12.3``, ``OOR <``, ``n.d.``, ``***`` are marks, not numbers. A
pair of sample and protein without a row is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.abundance import FLAGS, from_frame
from proteomics.readers.cells import Mark, ParsedCells, decimal_mark, parse_cells
from proteomics.readers.concentrations import linear_to_log2
from proteomics.readers.grids import Grid, head_lines, load_grids
from proteomics.readers.plate import PlateRead, plate_table
from proteomics.readers.plate_layout import well_kind, well_name
from proteomics.readers.table import SerumOptions, SerumTable, control_type, count_controls, normal_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["READER", "ROLES", "read_long_table"]

#: Role to the names it goes by, without case and punctuation.
ROLES: dict[str, tuple[str, ...]] = {
    "sample": ("sample", "sampleid", "samplename", "id", "subject", "subjectid", "mouse", "mouseid", "animal", "tube"),
    "well": ("well", "wellid", "wellposition", "location", "welllocation"),
    "protein": ("protein", "analyte", "analytename", "assay", "assayname", "marker", "biomarker", "cytokine", "target"),
    "value": (
        "value", "abundance", "concentration", "conc", "calcconc", "calcconcentration", "calculatedconcentration",
        "calculatedconc", "obsconc", "observedconcentration", "meanconc", "level", "intensity", "result", "npx",
    ),
    "signal": ("mfi", "medianfi", "fi", "median", "medianmfi", "signal", "fluorescence"),
    "plate": ("plate", "plateid", "platename"),
    "type": ("type", "sampletype", "welltype"),
    "dilution": ("dilution", "dilutionfactor", "df"),
    "expected": ("expected", "expectedconcentration", "expectedconc", "expconc", "standardconcentration"),
    "count": ("count", "beadcount", "beads", "eventcount", "events"),
    "lod": ("lod", "lloq", "limitofdetection", "mindc"),
    "unit": ("unit", "units"),
    "uniprot": ("uniprot", "uniprotid"),
    "symbol": ("symbol", "gene", "genesymbol"),
    "panel": ("panel",),
    "below_lod": ("belowlod",),
    "quality": ("quality",),
}  # fmt: skip
_UNIT = re.compile(r"[\(\[]\s*([pnμu]?g/m[lL]|U/m[lL]|mU/L|pM|nM)\s*[\)\]]\s*$")
_HEADER_ROWS = 40


@dataclass(frozen=True)
class _Long:
    """The table's rows, its header and which column plays which role."""

    grid: Grid
    header: int
    rows: list[int]
    where: dict[str, int]

    def texts(self, role: str) -> list[str]:
        column = self.where.get(role)
        return [""] * len(self.rows) if column is None else [self.grid.cell(row, column) for row in self.rows]

    def place(self, at: int, role: str) -> str:
        return self.grid.place(self.rows[at], self.where.get(role))


def _roles(row: Sequence[str], declared: dict[str, str] | None = None) -> dict[str, int]:
    """Role to column; a declared name goes before a usual one."""
    names = [normal_name(_UNIT.sub("", cell)) for cell in row]
    found: dict[str, int] = {}
    for role, known in ROLES.items():
        wanted = (normal_name(_UNIT.sub("", declared[role])),) if declared and role in declared else known
        at = next((names.index(name) for name in wanted if name in names), None)
        if at is not None and (at not in found.values()):
            found[role] = at
    return found


def _is_header(where: dict[str, int]) -> bool:
    return bool({"sample", "well"} & set(where)) and "protein" in where and bool({"value", "signal"} & set(where))


def _matches(head: bytes) -> bool:
    if b"\x00" in head[:1024] and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return False
    for line in head_lines(head, _HEADER_ROWS):
        cells = re.split("[\t;,]", line)
        if len(cells) >= 3 and _is_header(_roles([cell.strip('" ') for cell in cells])):
            return True
    return False


def read_long_table(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read a plain long table as defined in this module's description.

    Raises
    ------
    InputError
        If a column is not found, a sample and protein stand twice, a value is neither number nor mark, or units
        differ; file, row and column are named.
    """
    options = options or SerumOptions()
    table = _find(path, options)
    problems: list[Problem] = []
    # Our own tidy table has wells, too, but its censoring is worked out already.
    if "well" in table.where and "below_lod" not in table.where:
        return _plate(table, options)
    return _samples(table, options, problems)


def _find(path: str | Path, options: SerumOptions) -> _Long:
    declared = dict(options.columns)
    unknown = sorted(set(declared) - set(ROLES))
    if unknown:
        raise InputError(
            "columns names what no column is for", file=path, found=", ".join(unknown), expected=", ".join(ROLES)
        )
    grids = load_grids(path)
    for grid in grids:
        for at, row in enumerate(grid.rows[:_HEADER_ROWS]):
            where = _roles(row, declared)
            if _is_header(where):
                _all_declared(grid, at, declared, where)
                rows = [line for line in range(at + 1, len(grid.rows)) if any(grid.rows[line])]
                if not rows:
                    raise InputError("the table is empty", file=path, found="a header without rows")
                return _Long(grid, at, rows, where)
    first = next((row for grid in grids for row in grid.rows if any(row)), [])
    cells = {normal_name(cell) for grid in grids for row in grid.rows[:_HEADER_ROWS] for cell in row}
    absent = [f"{name!r} ({role})" for role, name in declared.items() if normal_name(name) not in cells]
    if absent:
        raise InputError("declared columns are not in the table", file=path, found=", ".join(first[:8]),
                         expected=", ".join(absent))  # fmt: skip
    raise InputError(
        "no header with a sample (or well), a protein and a value",
        file=path,
        found=", ".join(first[:8]),
        expected="columns such as sample, analyte, concentration",
        remedy="declare them: columns {sample: ..., protein: ..., value: ...}",
    )


def _all_declared(grid: Grid, header: int, declared: dict[str, str], where: dict[str, int]) -> None:
    for role, name in declared.items():
        if role not in where:
            raise InputError(
                f"no column {name!r} for {role}", file=grid.file, where=grid.place(header),
                expected=f"one of {', '.join(filter(None, grid.rows[header]))}",
            )  # fmt: skip


def _numbers(table: _Long, role: str) -> ParsedCells:
    """Parsed cells of a column; any other text is an error that names the cell."""
    texts = table.texts(role)
    decimal = "." if table.grid.delimiter == "," else decimal_mark(texts, file=table.grid.file)
    parsed = parse_cells(texts, decimal=decimal)
    if (parsed.marks == Mark.BAD).any():
        at = int(np.argmax(parsed.marks == Mark.BAD))
        raise InputError(
            f"{role} is not a number", file=table.grid.file, where=table.place(at, role), found=repr(texts[at]),
            expected="a number, a blank, or a mark such as <12.3, n.d., OOR <",
        )  # fmt: skip
    return parsed


def _codes(table: _Long, roles: Sequence[str]) -> tuple[NDArray[np.int64], list[tuple[str, ...]]]:
    """Place of each row in the list of distinct keys, in order of appearance."""
    keys: dict[tuple[str, ...], int] = {}
    codes = [keys.setdefault(key, len(keys)) for key in zip(*(table.texts(role) for role in roles), strict=True)]
    return np.array(codes, dtype=np.int64), list(keys)


@dataclass(frozen=True)
class _Pairs:
    """Which row of the file holds which cell of the table of rows (samples or wells) and proteins."""

    rows: list[tuple[str, ...]]
    proteins: list[str]
    row_of: NDArray[np.int64]
    protein_of: NDArray[np.int64]

    def spread(self, values: NDArray, blank: object) -> NDArray:  # type: ignore[type-arg]
        table = np.full((len(self.rows), len(self.proteins)), blank, dtype=values.dtype)
        table[self.row_of, self.protein_of] = values
        return table

    def first(self, texts: Sequence[str], *, of: str) -> list[str]:
        """The first text that is not blank, for each row or each protein."""
        codes, size = (self.row_of, len(self.rows)) if of == "row" else (self.protein_of, len(self.proteins))
        found = [""] * size
        for code, text in zip(codes, texts, strict=True):
            found[code] = found[code] or text
        return found


def _pairs(table: _Long, key: Sequence[str]) -> _Pairs:
    for role in ("protein", key[-1]):
        blank = [at for at, text in enumerate(table.texts(role)) if not text]
        if blank:
            raise InputError(f"a row has no {role}", file=table.grid.file, where=table.place(blank[0], role))
    row_of, rows = _codes(table, key)
    protein_of, proteins = _codes(table, ["protein"])
    seen: dict[tuple[int, int], int] = {}
    for at, pair in enumerate(zip(row_of.tolist(), protein_of.tolist(), strict=True)):
        if pair in seen:
            raise InputError(
                f"{key[-1]} {rows[pair[0]][-1]!r} and protein {proteins[pair[1]][0]!r} stand twice",
                file=table.grid.file,
                where=f"{table.grid.place(table.rows[seen[pair]])} and {table.grid.place(table.rows[at])}",
                expected="one row for each",
                remedy="" if key[-1] == "well" else "give repeats a column of wells or ids of their own",
            )
        seen[pair] = at
    return _Pairs(rows, [name for (name,) in proteins], row_of, protein_of)


def _unit(table: _Long, options: SerumOptions) -> str:
    if options.unit:
        return options.unit
    stated = sorted({text for text in table.texts("unit") if text})
    if len(stated) > 1:
        raise InputError(
            "the rows state different units", file=table.grid.file, found=", ".join(stated[:4]), expected="one unit"
        )
    for row in table.grid.rows[: table.header]:
        key, _, value = next((cell for cell in row if cell), "").lstrip("# ").partition(":")
        if normal_name(key) == "unit" and value.strip():
            stated = stated or [value.strip()]
    in_header = _UNIT.search(table.grid.rows[table.header][table.where["value"]]) if "value" in table.where else None
    return stated[0] if stated else in_header[1] if in_header else ""


def _samples(table: _Long, options: SerumOptions, problems: list[Problem]) -> SerumTable:
    import pandas as pd

    from proteomics.orthologues import resolve_name

    role = "value" if "value" in table.where else "signal"
    pairs = _pairs(table, ["plate", "sample"])
    parsed, limits = _numbers(table, role), _numbers(table, "lod")
    stated = np.array([text.casefold() == "true" for text in table.texts("below_lod")])
    marks = np.where(stated & (parsed.marks == Mark.MISSING), np.int8(Mark.BELOW), parsed.marks)
    unit = _unit(table, options) or ("MFI" if role == "signal" else "")
    log = unit.strip().casefold().startswith("log2") or unit.strip().casefold() == "npx"
    cells = linear_to_log2(
        pairs.spread(parsed.values, np.nan), pairs.spread(marks, np.int8(Mark.MISSING)),
        pairs.spread(limits.values, np.nan), unit=unit, zero=options.zero, file=table.grid.file, problems=problems,
    )  # fmt: skip
    below = cells.below | (pairs.spread(stated, False) if log else False)
    flags = np.array([_flags(table, at, text) for at, text in enumerate(table.texts("quality"))], dtype=np.uint16)
    ids = _ids(pairs.rows)
    types = [
        control_type(name[-1], kind)
        for name, kind in zip(pairs.rows, pairs.first(table.texts("type"), of="row"), strict=True)
    ]
    symbols = [
        given or (resolve_name(name, options.species).symbol if options.species else "") or name
        for name, given in zip(pairs.proteins, pairs.first(table.texts("symbol"), of="protein"), strict=True)
    ]
    about = {name: pairs.first(table.texts(name), of="protein") for name in ("uniprot", "panel")}
    dataset = from_frame(
        pd.DataFrame(cells.values, index=ids, columns=pairs.proteins),
        below_lod=below,
        lod=cells.lod,
        quality=cells.quality | pairs.spread(flags, np.uint16(0)),
        samples=pd.DataFrame(
            {"sample_type": types, "plate": [key[0] for key in pairs.rows], **_notes(table, pairs, problems)}
        ),
        proteins=pd.DataFrame({"uniprot": about["uniprot"], "symbol": symbols, "panel": about["panel"]}),
        platform=options.platform or "long table",
        species=options.species,
        unit=cells.unit,
        source_file=Path(table.grid.file).name,
    )
    problems += count_controls(types, ids, file=table.grid.file)
    return SerumTable(dataset, problems, READER.name)


def _ids(rows: Sequence[tuple[str, ...]]) -> list[str]:
    names = [key[-1] for key in rows]
    return [name if names.count(name) == 1 else f"{name} [{key[0]}]" for name, key in zip(names, rows, strict=True)]


def _flags(table: _Long, at: int, text: str) -> int:
    flags = 0
    for name in filter(None, (part.strip() for part in text.split(";"))):
        if name not in FLAGS:
            raise InputError(
                "an unknown quality flag", file=table.grid.file, where=table.place(at, "quality"), found=repr(name),
                expected=", ".join(FLAGS), remedy="rename the column if it is the vendor's own",
            )  # fmt: skip
        flags |= FLAGS[name]
    return flags


def _notes(table: _Long, pairs: _Pairs, problems: list[Problem]) -> dict[str, list[str]]:
    """Columns that say the same on all rows of a sample; the others are named in a Problem."""
    used = {column for role, column in table.where.items() if role not in ("well", "dilution", "count", "expected")}
    notes: dict[str, list[str]] = {}
    left_out = []
    for column, name in enumerate(table.grid.rows[table.header]):
        if not name or column in used or name in ("sample", "sample_type", "plate", "protein"):
            continue
        texts = [table.grid.cell(row, column) for row in table.rows]
        first = pairs.first(texts, of="row")
        if all(text in ("", first[code]) for text, code in zip(texts, pairs.row_of, strict=True)):
            notes[name] = first
        else:
            left_out.append(name)
    if left_out:
        message = f"columns that differ within a sample: {', '.join(left_out[:6])}"
        problems.append(
            Problem(
                code="column_left_out", file=Path(table.grid.file).name, message=message, action="left out of the table"
            )
        )
    return notes


def _plate(table: _Long, options: SerumOptions) -> SerumTable:
    """Wells with signals, beads, standards and concentrations: read as the plates of other software are."""
    pairs = _pairs(table, ["plate", "well"])
    wells = [well_name(key[-1]) for key in pairs.rows]
    if "" in wells:
        at = int(np.argmax(pairs.row_of == wells.index("")))
        raise InputError("not a well", file=table.grid.file, where=table.place(at, "well"),
                         found=repr(table.texts("well")[at]))  # fmt: skip
    names = pairs.first(table.texts("sample"), of="row")
    stated = pairs.first(table.texts("type"), of="row")
    kinds = [control_type(name, kind) if kind else well_kind(name) for name, kind in zip(names, stated, strict=True)]
    cells = {}
    for role, quantity in (("value", "Concentration"), ("signal", "Median")):
        if role in table.where:
            _numbers(table, role)
            decimal = "." if table.grid.delimiter == "," else decimal_mark(table.texts(role), file=table.grid.file)
            texts = [text.replace(",", ".") if decimal == "," else text for text in table.texts(role)]
            cells[quantity] = pairs.spread(np.array(texts, dtype=object), "").tolist()
    expected = pairs.spread(_numbers(table, "expected").values, np.nan)
    counts = pairs.spread(_numbers(table, "count").values, np.nan) if "count" in table.where else None
    dilutions = pairs.first([text.removeprefix("1:") for text in table.texts("dilution")], of="row")
    plate = PlateRead(
        file=table.grid.file,
        software="",
        platform=options.platform or "long table of wells",
        wells=wells,
        names=names,
        analytes=pairs.proteins,
        cells=cells,
        unit=_unit(table, options),
        kinds=kinds,
        counts=counts,
        standards=np.where(np.array([kind == "standard" for kind in kinds])[:, None], expected, np.nan),
        dilution=[float(value) for value in parse_cells(dilutions).values],
        plate=[key[0] for key in pairs.rows],
    )
    return plate_table(plate, options, READER.name)


READER = Reader(
    "long-table",
    "plain long table, one row a sample (or well) and protein, csv, tsv or xlsx",
    _matches,
    read_long_table,
)
