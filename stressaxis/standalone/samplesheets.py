"""The table of samples that stands beside a serum table: ids in the first column, and which of them the table has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Matched", "SampleSheet", "match_samples", "read_sheet"]

_MISSING = ("", "NA", "N/A", "NaN", "nan", "<NA>")
_LISTED = 12


@dataclass(frozen=True, kw_only=True)
class SampleSheet:
    """What is said of each sample.

    Parameters
    ----------
    table
        Index = sample id as text; a column whose filled cells are all numbers is numeric (not with labels such as
        ``07``), every other one text. A blank cell or NA is missing.
    texts
        The same as text, as written: labels of blocks, where ``007`` is not ``7``.
    file
        Where it was read from.
    """

    table: pd.DataFrame
    texts: pd.DataFrame
    file: str


def read_sheet(path: Path) -> SampleSheet:
    """Read a table of samples (csv, tsv or workbook); the first column holds the ids.

    Raises
    ------
    InputError
        If it is empty, an id is blank or a sample stands twice.
    """
    from proteomics.readers.companions import read_sample_sheet
    from proteomics.readers.grids import load_grid

    header = next(row for row in load_grid(path).rows if any(row))
    if not header[0]:
        raise InputError("the first column has no name", file=path, where="header", expected="the column of sample ids")
    texts = read_sample_sheet(path, sample=header[0])
    texts.index.name = "sample"
    texts = texts.where(~texts.isin(_MISSING), "")
    return SampleSheet(table=texts.apply(_as_numbers), texts=texts, file=str(path))


def _as_numbers(column: pd.Series[str]) -> pd.Series[float] | pd.Series[str]:
    import numpy as np
    import pandas as pd

    filled = column[column != ""]
    numbers = pd.to_numeric(filled, errors="coerce")
    # 07 is a label: as a number it would be a size, and the same as 7.
    labels = filled.str.match(r"0\d")
    if filled.empty or labels.any() or not np.isfinite(numbers).all():
        return column
    return numbers.astype(float).reindex(column.index)


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Samples that serum table and sheet both have, in the sheet's order, and words on the others."""

    both: list[str]
    lines: list[str]


def match_samples(ds: xr.Dataset, sheet: SampleSheet, *, file: Path, common_only: bool = False) -> Matched:
    """Compare the subjects' samples of a table with those of a sheet.

    Parameters
    ----------
    ds
        The serum table; its controls, standards and blanks are not expected in the sheet.
    sheet
        See :func:`read_sheet`.
    file
        The serum table's file, for messages.
    common_only
        Go on with the samples that both have.

    Raises
    ------
    InputError
        If they share no sample; or, unless ``common_only``, if one has samples that the other lacks. The message counts
        and lists them.
    """
    from proteomics.readers.table import control_type

    kinds = dict(zip(ds["sample"].values.astype(str), ds["sample_type"].values, strict=True))
    measured = [name for name, kind in kinds.items() if kind == "sample"]
    listed = [str(name) for name in sheet.table.index]
    both = [name for name in listed if kinds.get(name) == "sample"]
    controls = [name for name in listed if kinds.get(name, "sample") != "sample"]
    away = [name for name in listed if name not in kinds]
    # Plate controls are often listed and not exported.
    own = [name for name in away if control_type(name) != "sample"]
    absent = [name for name in away if name not in own]
    unlisted = sorted(set(measured) - set(listed), key=measured.index)
    sheet_name = Path(sheet.file).name
    faults = [
        *_fault(absent, f"of {len(listed)} samples of {sheet_name} are not in {file.name}"),
        *_fault(controls, f"of {len(listed)} samples of {sheet_name} are controls, standards or blanks in {file.name}"),
        *_fault(own, f"of {len(listed)} samples of {sheet_name} are plate controls by name, and not in {file.name}"),
        *_fault(unlisted, f"of {len(measured)} samples of {file.name} are not in {sheet_name}"),
    ]
    if not both:
        raise InputError("the table of samples and the serum table share no sample", file=sheet.file,
                         found=f"ids such as {_names(listed, 4)}", expected=f"ids such as {_names(measured, 4)}",
                         remedy=_other_column(sheet, measured))  # fmt: skip
    # The plate's own controls in a sheet are no disagreement.
    if (absent or unlisted) and not common_only:
        remedy = f"correct the ids, or give --common-only to go on with the {len(both)} samples in both"
        raise InputError("; ".join(faults), file=sheet.file, remedy=remedy)
    return Matched(both=both, lines=[f"left out: {fault}" for fault in faults])


def _fault(names: Sequence[str], what: str) -> list[str]:
    return [f"{len(names)} {what}: {_names(names, _LISTED)}"] if names else []


def _names(names: Iterable[str], most: int) -> str:
    given = list(names)
    more = f" and {len(given) - most} more" if len(given) > most else ""
    return ", ".join(given[:most]) + more


def _other_column(sheet: SampleSheet, measured: Sequence[str]) -> str:
    wanted = set(measured)
    fitting = [str(name) for name in sheet.texts if wanted & set(sheet.texts[name])]
    if fitting:
        return f"the ids stand in column {fitting[0]}: make it the first column"
    return "name the samples in the first column as the serum table does"
