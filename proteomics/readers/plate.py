"""A plate of wells and analytes, however its software writes it, to the abundance model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.labels import duplicated
from core.problems import Problem
from proteomics.abundance import FLAGS, from_frame
from proteomics.orthologues import resolve_name
from proteomics.readers.cells import Mark, parse_cells
from proteomics.readers.concentrations import linear_to_log2
from proteomics.readers.plate_layout import PlateLayout, WellContent, read_plate_layout, well_kind
from proteomics.readers.table import SerumOptions, SerumTable, count_controls

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["FEW_BEADS", "PlateRead", "average_replicates", "plate_table"]

#: Beads below which a median is not trusted.
FEW_BEADS = 30
_CONCENTRATIONS = ("Result", "Obs Conc", "Calc. Concentration", "Concentration")


@dataclass(frozen=True)
class PlateRead:
    """One plate as its software reports it.

    Parameters
    ----------
    file, software, platform
        Where it comes from.
    wells, names
        Well (``"A1"``; ``"A1,A2"`` where the software pools replicates) and sample name of each row.
    analytes
        Names of the columns.
    cells
        Quantity (``"Median"``, ``"Result"`` ...) to rows of text cells.
    unit
        Of the concentrations.
    kinds
        Kind of each row where the file states it, otherwise ``""``.
    counts
        (n_wells, n_analytes) beads counted; NaN where not reported.
    min_events
        Beads that the protocol asked for.
    standards
        (n_wells, n_analytes) expected concentration of the standards; NaN elsewhere.
    dilution
        (n_wells,) dilution factor as stated; NaN where it is not.
    plate
        Name of the plate of each row.
    """

    file: str
    software: str
    platform: str
    wells: list[str]
    names: list[str]
    analytes: list[str]
    cells: Mapping[str, list[list[str]]]
    unit: str = ""
    kinds: Sequence[str] = ()
    counts: NDArray[np.float64] | None = None
    min_events: float = np.nan
    standards: NDArray[np.float64] | None = None
    dilution: Sequence[float] = ()
    plate: Sequence[str] = ()
    problems: list[Problem] = field(default_factory=list)


def plate_table(plate: PlateRead, options: SerumOptions, reader: str) -> SerumTable:
    """Concentrations where the file has them, otherwise the median signal, as an abundance Dataset.

    A mark without a number (``OOR <``, ``OOR >``) is censored at the lowest or highest standard times the dilution,
    as the software that writes ``< 0.105`` does; without standards it stays without a number.

    Raises
    ------
    InputError
        If wells repeat, the quantity asked for is not in the file, or a cell is neither number nor mark.
    """
    import pandas as pd

    _check(plate)
    if options.quantity == "fit":
        from proteomics.standard_curves import fit_plate

        plate, options = fit_plate(plate), replace(options, quantity="Result")
    quantity = _quantity(plate, options)
    contents, used_layout = _contents(plate, options)
    values, marks = _parse(plate, quantity)
    problems = list(plate.problems)
    is_concentration = quantity in _CONCENTRATIONS
    unit = options.unit or ((plate.unit or "pg/mL") if is_concentration else quantity_unit(quantity))
    if is_concentration and not plate.unit and not options.unit:
        problems.append(
            Problem(
                code="unit_assumed",
                file=Path(plate.file).name,
                message="the file states no unit of concentration",
                action="pg/mL is taken",
            )
        )
    if is_concentration:
        _put_limits(plate, contents, values, marks, problems)
    limits = np.full(values.shape, np.nan)
    zero = options.zero if is_concentration else "below"
    if not is_concentration:
        # A net signal at or below zero is a well no brighter than the background.
        below = (values <= 0) & (marks == Mark.NUMBER)
        values[below], marks[below] = np.nan, Mark.BELOW
    cells = linear_to_log2(values, marks, limits, unit=unit, zero=zero, file=plate.file, problems=problems)
    quality = cells.quality | _bead_flags(plate, problems)
    kinds = [content.kind for content in contents]
    ids = _sample_ids(plate, contents)
    dataset = from_frame(
        pd.DataFrame(cells.values, index=ids, columns=plate.analytes),
        below_lod=cells.below,
        lod=cells.lod,
        quality=quality,
        samples=_sample_table(plate, contents),
        proteins=_protein_table(plate, options),
        platform=options.platform or plate.platform,
        species=options.species,
        unit=cells.unit,
        source_file=Path(plate.file).name,
        source_software=plate.software,
    )
    problems += count_controls(kinds, ids, file=plate.file)
    problems += _replicate_problems(plate, contents, used_layout)
    if options.replicates == "average":
        dataset = average_replicates(dataset)
    return SerumTable(dataset, problems, reader)


def _check(plate: PlateRead) -> None:
    if not plate.wells or not plate.analytes:
        raise InputError(
            "the plate is empty", file=plate.file, found=f"{len(plate.wells)} wells, {len(plate.analytes)} analytes"
        )
    keys = [f"{well} {of}" for well, of in zip(plate.wells, plate.plate or [""] * len(plate.wells), strict=True)]
    if twice := duplicated(keys):
        raise InputError(f"well {twice[0]} stands twice", file=plate.file, expected="each well once")


def quantity_unit(quantity: str) -> str:
    """Unit of a signal."""
    return "net MFI" if "net" in quantity.casefold() else "signal" if "signal" in quantity.casefold() else "MFI"


def _quantity(plate: PlateRead, options: SerumOptions) -> str:
    if options.quantity:
        if options.quantity not in plate.cells:
            raise InputError(
                f"the file has no quantity {options.quantity!r}", file=plate.file, expected=", ".join(plate.cells)
            )
        return options.quantity
    order = (*_CONCENTRATIONS, "Median", "FI", "Adjusted Signal", "Signal", "Net MFI")
    for name in order:
        if name in plate.cells and any(cell for row in plate.cells[name] for cell in row):
            return name
    raise InputError("no quantity that can be read", file=plate.file, found=", ".join(plate.cells))


def _contents(plate: PlateRead, options: SerumOptions) -> tuple[list[WellContent], bool]:
    layout: PlateLayout = read_plate_layout(options.layout) if options.layout else {}
    kinds = list(plate.kinds) or [""] * len(plate.wells)
    dilution = list(plate.dilution) or [np.nan] * len(plate.wells)
    contents = []
    for at, well in enumerate(plate.wells):
        # Pooled wells carry one content; the first of them names it.
        content = layout.get(well.split(",")[0])
        if content is None:
            content = WellContent(plate.names[at], kinds[at] or well_kind(plate.names[at]), dilution[at])
        elif kinds[at] and kinds[at] != "sample":
            # The software knows its own standards; a layout often leaves them blank.
            name = content.name if content.name.casefold() not in ("", "na", "n/a") else plate.names[at]
            content = WellContent(name, kinds[at], content.dilution, content.notes)
        contents.append(content)
    unread = sorted(set(layout) - {each for well in plate.wells for each in well.split(",")})
    if layout and len(unread) == len(layout):
        raise InputError("the layout and the plate have no well in common", file=str(options.layout))
    return contents, bool(layout)


def _parse(plate: PlateRead, quantity: str) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    rows = plate.cells[quantity]
    shape = (len(plate.wells), len(plate.analytes))
    parsed = parse_cells([cell for row in rows for cell in row])
    values, marks = parsed.values.reshape(shape), parsed.marks.reshape(shape)
    if (marks == Mark.BAD).any():
        row, column = (int(at) for at in np.argwhere(marks == Mark.BAD)[0])
        raise InputError(
            f"{quantity} of {plate.analytes[column]} is not a number",
            file=plate.file,
            where=f"well {plate.wells[row]}",
            found=repr(rows[row][column]),
            expected="a number or a mark such as OOR <",
        )
    values, marks = values.copy(), marks.copy()
    # An extrapolation that ends at 0 says no more than "below".
    nothing = (marks == Mark.EXTRAPOLATED) & (values <= 0)
    values[nothing], marks[nothing] = np.nan, Mark.BELOW
    return values, marks


def _put_limits(
    plate: PlateRead,
    contents: Sequence[WellContent],
    values: NDArray[np.float64],
    marks: NDArray[np.int8],
    problems: list[Problem],
) -> None:
    if plate.standards is None or not np.isfinite(plate.standards).any():
        return
    expected = np.where(plate.standards > 0, plate.standards, np.nan)
    has = np.isfinite(expected).any(axis=0)
    low = np.full(expected.shape[1], np.nan)
    high = low.copy()
    low[has], high[has] = np.nanmin(expected[:, has], axis=0), np.nanmax(expected[:, has], axis=0)
    factor = np.array([content.dilution if content.dilution > 0 else 1.0 for content in contents])[:, None]
    number = 0
    for mark, limit in ((Mark.BELOW, low), (Mark.ABOVE, high)):
        here = (marks == mark) & ~np.isfinite(values)
        values[here] = (limit * factor)[here]
        number += int((here & np.isfinite(values)).sum())
    if number:
        message = f"{number} marks without a number (OOR)"
        action = "censored at the lowest or highest standard times the dilution"
        problems.append(Problem(code="limit_assumed", file=Path(plate.file).name, message=message, action=action))


def _bead_flags(plate: PlateRead, problems: list[Problem]) -> NDArray[np.uint16]:
    shape = (len(plate.wells), len(plate.analytes))
    if plate.counts is None:
        return np.zeros(shape, np.uint16)
    few = plate.counts < FEW_BEADS
    if few.any():
        asked = (
            f"; {int((plate.counts < plate.min_events).sum())} below the {plate.min_events:g} asked for"
            if plate.min_events > 0
            else ""
        )
        message = f"{int(few.sum())} of {few.size} cells rest on fewer than {FEW_BEADS} beads{asked}"
        problems.append(Problem(code="few_beads", file=Path(plate.file).name, message=message, action="kept, flagged"))
    return np.where(few, FLAGS["few_beads"], 0).astype(np.uint16)


def _sample_ids(plate: PlateRead, contents: Sequence[WellContent]) -> list[str]:
    plates = list(plate.plate) or [""] * len(plate.wells)
    several = len(set(plates)) > 1
    names = [content.name for content in contents]
    ids = []
    for well, of, content in zip(plate.wells, plates, contents, strict=True):
        place = f"{of} {well}" if several else well
        alone = content.kind == "sample" and content.name and names.count(content.name) == 1
        ids.append(content.name if alone else f"{content.name} [{place}]".strip())
    return ids


def _sample_table(plate: PlateRead, contents: Sequence[WellContent]) -> pd.DataFrame:
    import pandas as pd

    table: dict[str, list[Any]] = {
        "sample_type": [content.kind for content in contents],
        "plate": list(plate.plate) or [""] * len(contents),
        "well": plate.wells,
        "name": [content.name for content in contents],
        "dilution": [float(content.dilution) for content in contents],
    }
    taken = {name.casefold() for name in table} | {"sample"}
    for name in dict.fromkeys(name for content in contents for name in content.notes):
        if name.casefold() not in taken:
            table[name] = [content.notes.get(name, "") for content in contents]
    return pd.DataFrame(table)


def _protein_table(plate: PlateRead, options: SerumOptions) -> pd.DataFrame:
    import pandas as pd

    species = options.species
    symbols = [(resolve_name(name, species).symbol if species else "") or name for name in plate.analytes]
    return pd.DataFrame({"symbol": symbols})


def _replicate_problems(plate: PlateRead, contents: Sequence[WellContent], layout: bool) -> list[Problem]:
    names = [content.name for content in contents if content.kind == "sample" and content.name]
    found = duplicated(names)
    if not found:
        return []
    message = f"{len(found)} sample names stand in several wells ({', '.join(found[:4])})"
    action = "kept apart by well; replicates='average' takes their mean on the log scale"
    if not layout:
        action += "; a layout file names the wells"
    return [Problem(code="duplicate_sample", file=Path(plate.file).name, message=message, action=action)]


def average_replicates(ds: xr.Dataset, *, by: str = "name") -> xr.Dataset:
    """Mean on the log scale of the subjects' rows that share a name.

    A cell is censored if more than half of its replicates are; quality flags add up and ``replicates_averaged`` is
    set. Rows of other types stay as they are.

    Parameters
    ----------
    ds
        An abundance Dataset.
    by
        Coordinate that names the sample; the averaged row takes it as its id.
    """
    import pandas as pd

    labels = ds[by].values.astype(str)
    is_sample = ds["sample_type"].values == "sample"
    named = [name for name in dict.fromkeys(labels[is_sample].tolist()) if name]
    groups: list[list[int]] = [np.flatnonzero(is_sample & (labels == name)).tolist() for name in named]
    if all(len(group) == 1 for group in groups):
        return ds
    taken = {at for group in groups for at in group}
    rest = [[at] for at in range(len(labels)) if at not in taken]
    rows = sorted(groups + rest, key=lambda group: group[0])
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in ("abundance", "below_lod", "lod", "quality")}
    for group in rows:
        block = ds.isel(sample=group)
        with np.errstate(invalid="ignore"):
            count = np.isfinite(block["abundance"].values).sum(axis=0)
            total = np.nansum(block["abundance"].values, axis=0)
            parts["abundance"].append(np.where(count, total / np.maximum(count, 1), np.nan))
        parts["below_lod"].append(block["below_lod"].values.mean(axis=0) > 0.5)
        limits = block["lod"].values
        known = np.isfinite(limits).any(axis=0)
        parts["lod"].append(np.where(known, np.nanmax(np.where(known, limits, 0.0), axis=0), np.nan))
        mark = FLAGS["replicates_averaged"] if len(group) > 1 else 0
        parts["quality"].append(np.bitwise_or.reduce(block["quality"].values, axis=0) | np.uint16(mark))
    ids = [str(labels[group[0]]) if len(group) > 1 else str(ds["sample"].values[group[0]]) for group in rows]
    samples = pd.DataFrame(
        {str(name): ds[name].values[[group[0] for group in rows]] for name in ds["sample"].coords if name != "sample"}
    )
    proteins = pd.DataFrame({str(name): ds[name].values for name in ds["protein"].coords if name != "protein"})
    return from_frame(
        pd.DataFrame(np.array(parts["abundance"]), index=ids, columns=ds["protein"].values),
        below_lod=np.array(parts["below_lod"]),
        lod=np.array(parts["lod"]),
        quality=np.array(parts["quality"]),
        samples=samples,
        proteins=proteins,
        **{name: ds.attrs[name] for name in ("platform", "species", "unit", "source_file", "source_software")},
    )
