"""Plate layout files: which sample stands in which well. The well is the key, never the name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError
from proteomics.readers.grids import Grid, load_grid
from proteomics.readers.table import normal_name

__all__ = ["PlateLayout", "WellContent", "read_plate_layout", "well_kind", "well_name"]

_WELL = re.compile(r"([A-Pa-p])0*([1-9]\d?)$")
_KINDS = (
    # "B12" and "S3" may be mice; only the bare letters are plate software's.
    ("blank", re.compile(r"(?:background|blank|bkgd?|buffer)[ _-]?\d*$|b$", re.IGNORECASE)),
    ("standard", re.compile(r"(?:.*[ _-])?(?:standard|std)[ _-]?\d*$|s$|(?:.*\s)?1/\d+$", re.IGNORECASE)),
    (
        "control",
        re.compile(r"(?:(?:neg|pos|p|n)[a-z]*[. _-]*)?(?:control|ctrl|qc)[ _.-]?\d*(?:\.\d+)?$", re.IGNORECASE),
    ),
)
_DILUTION = re.compile(r"(.*\S)\s+1\s*[:/]\s*(\d+(?:\.\d+)?)$")


@dataclass(frozen=True)
class WellContent:
    """What a well holds.

    Parameters
    ----------
    name
        Sample name.
    kind
        ``"sample"``, ``"standard"``, ``"blank"`` or ``"control"``.
    dilution
        Factor by which the sample was diluted; NaN where it is not stated.
    notes
        Further columns of the layout.
    """

    name: str
    kind: str
    dilution: float = float("nan")
    notes: dict[str, str] = field(default_factory=dict)


#: Well (``"A1"``) to content.
PlateLayout = dict[str, WellContent]


def well_name(text: str) -> str:
    """A well in the writing ``A1``; ``""`` if the text is none.

    Examples
    --------
    >>> well_name("a01"), well_name("H12"), well_name("Q1")
    ('A1', 'H12', '')
    """
    match = _WELL.match(text.strip())
    if not match or int(match[2]) > 24:
        return ""
    return f"{match[1].upper()}{int(match[2])}"


def well_kind(name: str) -> str:
    """Kind of a well from its name, by the habits of plate software.

    Examples
    --------
    >>> [well_kind(name) for name in ("B", "Background0", "Standard1", "1/50", "Control2", "Unknown13", "C12")]
    ['blank', 'blank', 'standard', 'standard', 'control', 'sample', 'sample']
    """
    for kind, pattern in _KINDS:
        if pattern.match(name.strip()):
            return kind
    return "sample"


def read_plate_layout(path: str | Path) -> PlateLayout:
    """Read a plate layout: a grid of the plate, or a list with a column Well.

    Grid: first row ``1 2 3 ...``, first column ``A B C ...``, sample names in the cells; blank cells are empty wells;
    a dilution may follow the name (``M12 1:50``). List: columns ``Well`` and ``Sample`` (or Name), and optionally
    ``Dilution``, ``Type`` and others, one row a well.

    Raises
    ------
    InputError
        If it is neither, or a well stands twice.
    """
    grid = load_grid(path)
    for index, row in enumerate(grid.rows[:20]):
        names = [normal_name(cell) for cell in row]
        if any(name in ("well", "wellid", "welllocation", "position") for name in names):
            return _from_list(grid, index, names)
        numbers = [cell.removesuffix(".0") for cell in row[1:] if cell]
        if len(numbers) >= 2 and numbers == [str(k) for k in range(1, len(numbers) + 1)]:
            return _from_grid(grid, index)
    raise InputError(
        "not a plate layout",
        file=path,
        expected="a grid with 1 2 3 ... above and A B C ... at the left, or a column Well",
    )


def _from_grid(grid: Grid, header: int) -> PlateLayout:
    layout: PlateLayout = {}
    columns = {at: cell.removesuffix(".0") for at, cell in enumerate(grid.rows[header]) if at and cell}
    for index in range(header + 1, len(grid.rows)):
        letter = grid.cell(index, 0)
        if not any(grid.rows[index]):
            continue
        if not re.fullmatch(r"[A-Pa-p]", letter):
            raise InputError(
                "a row of the plate has no letter", file=grid.file, where=grid.place(index, 0), found=repr(letter)
            )
        for at, number in columns.items():
            text = grid.cell(index, at)
            if not text:
                continue
            well = f"{letter.upper()}{number}"
            if well in layout:
                raise InputError(f"well {well} stands twice", file=grid.file, where=grid.place(index))
            match = _DILUTION.match(text)
            name, dilution = (match[1], float(match[2])) if match else (text, float("nan"))
            layout[well] = WellContent(name, well_kind(name), dilution)
    return layout


def _from_list(grid: Grid, header: int, names: list[str]) -> PlateLayout:
    where = {name: at for at, name in reversed(list(enumerate(names))) if name}
    well_at = next(where[name] for name in ("well", "wellid", "welllocation", "position") if name in where)
    name_at = next((where[name] for name in ("sample", "samplename", "sampleid", "name", "id") if name in where), None)
    if name_at is None:
        raise InputError("the layout has no column Sample", file=grid.file, where=grid.place(header))
    layout: PlateLayout = {}
    for index in range(header + 1, len(grid.rows)):
        if not any(grid.rows[index]):
            continue
        well, name = well_name(grid.cell(index, well_at)), grid.cell(index, name_at)
        if not well:
            raise InputError(
                "not a well",
                file=grid.file,
                where=grid.place(index, well_at),
                found=repr(grid.cell(index, well_at)),
                expected="A1 to P24",
            )
        if well in layout:
            raise InputError(f"well {well} stands twice", file=grid.file, where=grid.place(index))
        if not name:
            continue
        kind = normal_name(grid.cell(index, where["type"])) if "type" in where else ""
        dilution = grid.cell(index, where["dilution"]) if "dilution" in where else ""
        notes = {
            grid.rows[header][at]: grid.cell(index, at)
            for key, at in where.items()
            if at not in (well_at, name_at) and key not in ("type", "dilution")
        }
        layout[well] = WellContent(
            name,
            kind if kind in ("sample", "standard", "blank", "control") else well_kind(name),
            _factor(dilution),
            notes,
        )
    return layout


def _factor(text: str) -> float:
    match = re.match(r"(?:1\s*[:/]\s*)?(\d+(?:\.\d+)?)$", text)
    return float(match[1]) if match else float("nan")
