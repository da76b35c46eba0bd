"""SomaScan ADAT: a header, then a table whose column descriptions stand rotated above it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.abundance import FLAGS, from_frame
from proteomics.readers.cells import Mark, parse_cells
from proteomics.readers.grids import Grid, load_grid
from proteomics.readers.table import SerumOptions, SerumTable, SetApart, control_type, count_controls

__all__ = ["READER", "read_somascan"]


def _matches(head: bytes) -> bool:
    return head[:200].lstrip(b"\xef\xbb\xbf").startswith((b"^HEADER", b"!Checksum", b"!AdatId")) or b"^COL_DATA" in head


def read_somascan(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read an ADAT: log2 RFU, key = SeqId (one protein may have several).

    Calibrator, buffer and QC rows keep their type; ``RowCheck`` and ``ColCheck`` flags go into ``quality``; analytes
    that are no proteins of the sample's species (spuriomers, controls) are set apart.

    Raises
    ------
    InputError
        If the table is missing or cut, a row is too short, or an RFU is no positive number.
    """
    import pandas as pd

    options = options or SerumOptions()
    grid = load_grid(path)
    columns, rows, width, names = _parts(grid)
    seq = columns["SeqId"]
    keep = [at for at, kind in enumerate(columns.get("Type", ["Protein"] * len(seq))) if kind == "Protein"]
    apart = tuple(SetApart(seq[at], "control assay") for at in range(len(seq)) if at not in set(keep))
    values = _rfu(grid, rows, width, len(seq), seq)[:, keep]
    notes = {name: [grid.cell(row, at) for row in rows] for at, name in enumerate(names) if name}
    stated = notes.get("SampleType", [""] * len(rows))
    ids = _sample_ids(grid, rows, notes, stated)
    types = [control_type(name, kind) for name, kind in zip(ids, stated, strict=True)]
    quality = np.zeros(values.shape, np.uint16)
    row_flag = np.array([cell == "FLAG" for cell in notes.get("RowCheck", [""] * len(rows))])
    column_flag = np.array([columns.get("ColCheck", [""] * len(seq))[at] == "FLAG" for at in keep])
    quality[row_flag] |= FLAGS["qc_warning"]
    quality[:, column_flag] |= FLAGS["assay_warning"]
    species = options.species or _species({columns.get("Organism", [""] * len(seq))[at].casefold() for at in keep})
    filled = {name: column for name, column in notes.items() if any(column) and name not in ("SampleType", "PlateId")}
    dataset = from_frame(
        pd.DataFrame(np.log2(values), index=ids, columns=[seq[at] for at in keep]),
        quality=quality,
        samples=pd.DataFrame({"sample_type": types, "plate": notes.get("PlateId", [""] * len(rows)), **filled}),
        proteins=pd.DataFrame(
            {
                "uniprot": [columns["UniProt"][at] for at in keep],
                "symbol": [columns["EntrezGeneSymbol"][at].split(" ")[0] or columns["Target"][at] for at in keep],
                "target": [columns["Target"][at] for at in keep],
            }
        ),
        platform=options.platform or "SomaScan",
        species=species,
        unit="log2 RFU",
        source_file=Path(path).name,
        source_software="ADAT",
    )
    problems = count_controls(types, ids, file=str(path))
    problems += _findings(Path(path).name, len(apart), int(row_flag.sum()), int(column_flag.sum()))
    return SerumTable(dataset, problems, READER.name, apart)


def _species(organisms: set[str]) -> str:
    """Species of the analytes; viral and other proteins stand beside the human ones on a human panel."""
    return next((name for name in ("human", "mouse") if name in organisms), "")


def _findings(file: str, n_apart: int, n_rows: int, n_columns: int) -> list[Problem]:
    found = []
    if n_apart:
        message = f"{n_apart} analytes are no proteins of the sample"
        found.append(Problem(code="control_protein", file=file, message=message, action="set apart"))
    if n_rows or n_columns:
        message = f"RowCheck flags {n_rows} samples, ColCheck {n_columns} analytes"
        found.append(Problem(code="qc_warning", file=file, message=message, action="kept, flagged in quality"))
    message, action = "an ADAT has no LOD", "all values count as detected"
    return [*found, Problem(code="lod_unknown", file=file, message=message, action=action)]


def _parts(grid: Grid) -> tuple[dict[str, list[str]], list[int], int, list[str]]:
    """Column descriptions, rows of samples, first column of values, names of the sample columns."""
    begin = next((at for at, row in enumerate(grid.rows) if row and row[0] == "^TABLE_BEGIN"), None)
    if begin is None:
        raise InputError("no ^TABLE_BEGIN", file=grid.file, expected="a whole ADAT", remedy="the file seems to be cut")
    at = begin + 1
    columns: dict[str, list[str]] = {}
    place = -1
    while at < len(grid.rows) and not (grid.rows[at] and grid.rows[at][0]):
        filled = next((k for k, cell in enumerate(grid.rows[at]) if cell), None)
        if filled is not None:
            place = filled if place < 0 else place
            if not grid.cell(at, place):
                raise InputError("a line that describes the analytes is cut or shifted", file=grid.file,
                                 where=grid.place(at), expected=f"its name in column {place + 1}")  # fmt: skip
            columns[grid.rows[at][place]] = grid.rows[at][place + 1 :]
        at += 1
    missing = [name for name in ("SeqId", "UniProt", "Target", "EntrezGeneSymbol") if name not in columns]
    if missing or at >= len(grid.rows):
        raise InputError(
            "the table of the ADAT is cut", file=grid.file, found=f"no {', '.join(missing) or 'row of samples'}"
        )
    size = len(columns["SeqId"])
    columns = {name: (cells + [""] * size)[:size] for name, cells in columns.items()}
    names = grid.rows[at][: place + 1]
    rows = [k for k in range(at + 1, len(grid.rows)) if any(grid.rows[k])]
    if not rows:
        raise InputError("the table is empty", file=grid.file, found="no row of samples")
    return columns, rows, place + 1, names


def _rfu(grid: Grid, rows: list[int], width: int, size: int, seq: list[str]) -> np.ndarray:
    cells = []
    for row in rows:
        here = grid.rows[row][width : width + size]
        if len(here) < size:
            raise InputError(
                "a row of samples is cut",
                file=grid.file,
                where=grid.place(row),
                found=f"{len(here)} values",
                expected=str(size),
            )
        cells += here
    parsed = parse_cells(cells)
    bad = np.flatnonzero((parsed.marks != Mark.NUMBER) & (parsed.marks != Mark.MISSING) | (parsed.values <= 0))
    if bad.size:
        row, column = divmod(int(bad[0]), size)
        raise InputError(
            "an RFU is not a positive number",
            file=grid.file,
            where=f"{grid.place(rows[row])}, SeqId {seq[column]}",
            found=repr(cells[bad[0]]),
        )
    return parsed.values.reshape(len(rows), size)


def _sample_ids(grid: Grid, rows: list[int], notes: dict[str, list[str]], stated: list[str]) -> list[str]:
    names = notes.get("SampleId") or notes.get("ExtIdentifier") or [""] * len(rows)
    count: dict[str, int] = {}
    ids = []
    for at, name in enumerate(names):
        name = name or f"row {grid.lines[rows[at]]}"
        count[name] = count.get(name, 0) + 1
        if count[name] > 1 and control_type(name, stated[at]) == "sample":
            raise InputError(f"sample {name!r} stands twice", file=grid.file, where=grid.place(rows[at]))
        ids.append(name if count[name] == 1 else f"{name} #{count[name]}")
    return ids


READER = Reader("somascan", "SomaScan ADAT", _matches, read_somascan, "SomaLogic ADAT file specification")
