"""Sample-level tables and the table of their samples, for commands that need no experiment file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.labels import duplicated, similar_id_problems
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["SampleTable", "Values", "model_columns", "parse_contrast", "read_samples", "read_values"]


@dataclass(frozen=True, kw_only=True)
class SampleTable:
    """What is known of each sample.

    Parameters
    ----------
    table
        Index = sample id; every cell text; column ``group``, and ``subject, drug, time`` where the file has them.
    file
        Where it was read from.
    problems
        Ids that are nearly the same.
    """

    table: pd.DataFrame
    file: str
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Values:
    """Levels of proteins: rows = samples, columns = gene symbols, log2; NaN = not measured."""

    frame: pd.DataFrame
    species: str
    problems: list[Problem]

    def dataset(self) -> xr.Dataset:
        """The same as an abundance Dataset."""
        from proteomics.abundance import from_frame

        return from_frame(self.frame, platform="several", species=self.species, unit="log2")


def read_samples(path: Path, *, needed: Sequence[str] = ("group",)) -> SampleTable:
    """The table of samples: one row a sample, columns ``sample, group`` and others.

    Raises
    ------
    InputError
        If a needed column is missing, or a sample id is blank or stands twice; lines are named.
    """
    import pandas as pd

    from core.texttables import read_text_table

    text = read_text_table(path)
    names = [name.strip().casefold() for name in text.columns]
    for name in ("sample", *needed):
        if name not in names:
            raise InputError(f"no column {name}", file=path, where="header", found=", ".join(text.columns))
    table = pd.DataFrame(text.rows, columns=names, dtype=str)
    for line, sample in zip(text.lines, table["sample"], strict=True):
        if not sample:
            raise InputError("a sample id is blank", file=path, where=f"line {line}")
    if twice := duplicated(table["sample"]):
        line = text.lines[int((table["sample"] == twice[0]).to_numpy().nonzero()[0][1])]
        raise InputError("a sample stands twice", file=path, where=f"line {line}", found=twice[0])
    problems = similar_id_problems(table["sample"], file=path.name, what="sample")
    return SampleTable(table=table.set_index("sample"), file=str(path), problems=problems)


def read_values(paths: Iterable[Path], *, species: str = "", unit: str = "") -> Values:
    """Levels from one or several tables of any known format, samples under one another.

    A protein that several assays measure stays once: the assay detected in the larger share of samples. A sample that
    stands in two tables must have the same values in both.

    Raises
    ------
    InputError
        If a table cannot be read, or a sample has other values in another table.
    """
    import pandas as pd

    from integration.symbol_levels import symbol_levels
    from proteomics.readers import read_serum

    frames: list[pd.DataFrame] = []
    problems: list[Problem] = []
    found = species
    for path in paths:
        given = {name: value for name, value in (("species", species), ("unit", unit)) if value}
        table = read_serum(path, **given)
        found = found or str(table.dataset.attrs.get("species", ""))
        frame, told = symbol_levels(table.dataset, file=path.name)
        problems += [*table.problems, *told]
        for before in frames:
            frame = _without_repeated(frame, before, path)
        frames.append(frame)
    if not frames:
        raise InputError("no sample-level table was given")
    return Values(frame=pd.concat(frames), species=found, problems=problems)


def _without_repeated(frame: pd.DataFrame, before: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Rows that an earlier table does not have already."""
    import numpy as np

    both = frame.index.intersection(before.index)
    columns = frame.columns.intersection(before.columns)
    for sample in both:
        one, other = (each.loc[sample, columns].to_numpy(dtype=float) for each in (before, frame))
        if not np.allclose(one, other, equal_nan=True):
            raise InputError("a sample stands in two tables with other values", file=path, where=f"sample {sample}",
                             remedy="give samples of different measurements different ids")  # fmt: skip
    return frame.loc[~frame.index.isin(both)]


def parse_contrast(text: str, groups: Iterable[str], *, file: str = "") -> tuple[str, str]:
    """Case and reference of ``"AD-HC"``, ``"AD - HC"`` or ``"AD vs HC"``, where the groups' own names may have hyphens.

    Raises
    ------
    InputError
        If it is no pair of known groups, or more than one.

    Examples
    --------
    >>> parse_contrast("post-trauma - HC", ["post-trauma", "HC", "AD"])
    ('post-trauma', 'HC')
    """
    known = sorted({group for group in groups if group})
    wanted = "".join(text.split())
    found = [
        (case, reference)
        for case in known
        for reference in known
        if case != reference and any("".join(f"{case}{mark}{reference}".split()) == wanted for mark in ("-", ":", "vs"))
    ]
    if len(found) != 1:
        raise InputError(f"contrast {text!r} is {'no' if not found else 'not one'} pair of groups", file=file or None,
                         found=text, expected=f"CASE-REFERENCE, two of: {', '.join(known)}")  # fmt: skip
    return found[0]


def model_columns(samples: SampleTable, names: Sequence[str], chosen: pd.Index) -> pd.DataFrame | None:
    """Covariates as numeric model columns of the chosen samples; None without any.

    A column of numbers is a number, every other one a category.

    Raises
    ------
    InputError
        If there is no such column, or a chosen sample has no value in it.
    """
    import pandas as pd

    from integration.model_terms import model_terms

    if not names:
        return None
    part = samples.table.loc[chosen]
    columns = {}
    for name in names:
        if name.casefold() not in part:
            raise InputError(f"no column {name}", file=samples.file, found=", ".join(samples.table.columns))
        cells = part[name.casefold()]
        if (blank := cells[cells == ""]).size:
            raise InputError(f"no value of {name}", file=samples.file, where=f"sample {blank.index[0]}",
                             remedy="fill it in, or leave the sample or the covariate out")  # fmt: skip
        numbers = pd.to_numeric(cells, errors="coerce")
        columns[name] = numbers if numbers.notna().all() else cells
    built = model_terms(pd.DataFrame(columns), list(names)).columns
    return built if built.shape[1] else None
