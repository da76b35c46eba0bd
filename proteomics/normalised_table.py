"""A serum table brought to one scale, with its limits, or two projects joined by their bridge samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError, RefusedError
from core.problems import Problem
from proteomics.abundance import FLAGS, validate_abundance
from proteomics.imputation import MinProbOptions, impute_low
from proteomics.normalisation import (
    Normalised,
    bridge_normalise,
    median_normalise,
    quantile_normalise,
    reference_normalise,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["NORMALISATIONS", "bridge_tables", "impute_table", "normalise_table"]

#: Name of each way and what it assumes.
NORMALISATIONS = {
    "median": "samples shifted to one median difference; most proteins must not differ",
    "quantile": "samples given one distribution; for large panels",
    "reference": "plates shifted so that their reference wells agree",
    "variance": "asinh in place of log2, offset and scale of each sample; for raw intensities of many proteins",
}


def normalise_table(ds: xr.Dataset, *, method: str, reference: Sequence[str] = ()) -> tuple[xr.Dataset, list[Problem]]:
    """The table normalised; what could not be done is a Problem.

    By ``median``, ``quantile`` and ``variance`` the subjects' samples are changed and controls stay as they are; by
    ``reference`` all rows of a plate are. Limits move with the values where the step is a shift, and are unknown
    afterwards where it is not (quantile, variance); what is below LOD stays marked.

    Parameters
    ----------
    ds
        An abundance Dataset.
    method
        One of :data:`NORMALISATIONS`.
    reference
        Sample ids of the reference wells; by default all rows of type control and calibrator.

    Raises
    ------
    InputError
        If the method is unknown.
    RefusedError
        If samples, plates or reference wells do not suffice.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]}, index=["s1", "s2"])
    >>> ds = from_frame(table, platform="beads", species="mouse", unit="log2", lod=[0.5, 0.5, 0.5])
    >>> normalise_table(ds, method="median")[0]["lod"].values[:, 0].tolist()
    [1.0, 0.0]
    """
    import pandas as pd

    if method not in NORMALISATIONS:
        raise InputError("unknown normalisation", found=method, expected=", ".join(NORMALISATIONS))
    values = _frame(ds)
    kinds = pd.Series(ds["sample_type"].values.astype(str), index=values.index)
    if method == "reference":
        wells = list(reference) or kinds.index[kinds.isin(["control", "calibrator"])].tolist()
        unknown = [name for name in wells if name not in values.index]
        if unknown:
            raise InputError("reference samples that are not in the table", found=", ".join(unknown[:5]))
        plates = pd.Series(ds["plate"].values.astype(str), index=values.index)
        done = reference_normalise(values, plate=plates, reference=wells)
        return _replaced(ds, done, list(values.index))
    subjects = values[kinds == "sample"]
    if method == "variance":
        from proteomics.variance_stabilisation import stabilise_variance

        stable = stabilise_variance(2**subjects).values
        return _replaced(ds, Normalised(values=stable, shifts=stable * np.nan), list(subjects.index))
    done = median_normalise(subjects) if method == "median" else quantile_normalise(subjects)
    if method == "quantile":
        done = Normalised(values=done.values, shifts=done.shifts * np.nan, notes=done.notes)
    return _replaced(ds, done, list(subjects.index))


def bridge_tables(first: xr.Dataset, second: xr.Dataset, *, names: tuple[str, str]) -> tuple[xr.Dataset, list[Problem]]:
    """Two projects as one table, the second shifted, protein by protein, by the samples that both measured.

    Bridge samples are the subjects' samples whose id stands in both tables; controls do not count. A bridge sample of
    the second table is kept as a control under ``ID [NAME]``, so that nobody is analysed twice. Proteins that only one
    table has are missing in the other.

    Parameters
    ----------
    first, second
        Abundance Datasets of one unit and species; the first keeps its values.
    names
        Of the two tables, for ids and messages.

    Raises
    ------
    InputError
        If unit or species differ.
    RefusedError
        If fewer than three samples are in both.
    """
    import pandas as pd
    import xarray as xr

    for what in ("unit", "species"):
        if first.attrs[what] != second.attrs[what]:
            raise InputError(f"the tables differ in {what}", found=f"{first.attrs[what]}; {second.attrs[what]}")
    shared = set(_subjects(first)) & set(_subjects(second))
    taken = set(first["sample"].values.astype(str))
    ids = second["sample"].values.astype(str)
    second = second.assign_coords(
        sample=np.array([f"{name} [{names[1]}]" if name in taken else name for name in ids], dtype=object),
        sample_type=("sample", np.where(np.isin(ids, list(shared)), "control", second["sample_type"].values)),
    )
    joined = xr.concat([first, second], dim="sample", join="outer", combine_attrs="override")
    joined = joined.assign_coords({name: first[name].reindex(protein=joined["protein"]).where(
        joined["protein"].isin(first["protein"]), second[name].reindex(protein=joined["protein"]))
        for name in ("symbol", "uniprot", "panel")})  # fmt: skip
    joined["below_lod"] = joined["below_lod"].fillna(False).astype(bool)
    joined["quality"] = joined["quality"].fillna(0).astype(np.uint16)
    values = _frame(joined)
    project = pd.Series([names[0]] * first.sizes["sample"] + [names[1]] * len(ids), index=values.index)
    origin = [*first["sample"].values.astype(str), *ids]
    # Every other sample has an owner of its own in each project, so that only the bridges tie them.
    owner = pd.Series(
        [name if name in shared else f"{of}/{name}" for of, name in zip(project, origin, strict=True)],
        index=values.index,
    )
    done = bridge_normalise(values, plate=project, subject=owner, to=names[0])
    moved = Normalised(
        values=done.values, shifts=done.shifts.loc[project.tolist()].set_axis(values.index), notes=done.notes
    )
    table, problems = _replaced(joined, moved, list(values.index))
    message = f"{len(shared)} bridge samples tie {names[1]} to {names[0]}"
    few = " (Olink asks for 8 to 16)" if len(shared) < 8 else ""
    problems.append(
        Problem(code="duplicate_sample", message=message + few, action="their second measurement is a control")
    )
    return table, problems


def impute_table(
    ds: xr.Dataset, *, seed: int, options: MinProbOptions | None = None
) -> tuple[xr.Dataset, list[Problem]]:
    """Values of the subjects that have no number drawn from the low end of their sample (MinProb), and so flagged.

    For methods that need a full table; a test takes such values for measured.

    Raises
    ------
    RefusedError
        If a sample has no value.
    """
    if seed < 0:
        raise RefusedError("the seed is negative", found=str(seed))
    values = _frame(ds)
    subjects = _subjects(ds)
    filled, made_up = impute_low(values.loc[subjects], seed=seed, options=options)
    at = np.flatnonzero(ds["sample_type"].values == "sample")
    table = ds.copy(deep=True)
    table["abundance"].values[at] = filled.to_numpy()
    table["quality"].values[at] |= np.where(made_up.to_numpy(), FLAGS["imputed"], 0).astype(np.uint16)
    number = int(made_up.to_numpy().sum())
    message = f"{number} values without a number were drawn from the low end of their sample (MinProb, seed {seed})"
    return table, [
        Problem(code="imputed_upstream", message=message, action="flagged imputed; a test takes them for measured")
    ]


def _subjects(ds: xr.Dataset) -> list[str]:
    return [str(name) for name in ds["sample"].values[ds["sample_type"].values == "sample"]]


def _frame(ds: xr.Dataset) -> pd.DataFrame:
    import pandas as pd

    index, columns = ds["sample"].values.astype(str), ds["protein"].values.astype(str)
    return pd.DataFrame(ds["abundance"].transpose("sample", "protein").values, index=index, columns=columns)


def _replaced(ds: xr.Dataset, done: Normalised, rows: list[str]) -> tuple[xr.Dataset, list[Problem]]:
    """The table with these rows' values, their limits moved along; notes as Problems."""
    at = np.flatnonzero(np.isin(ds["sample"].values.astype(str), rows))
    table = ds.copy(deep=True)
    shifts = done.shifts
    if shifts.index.tolist() != rows:
        plates = ds["plate"].values.astype(str)[at]
        shifts = shifts.loc[plates]
    moved = np.broadcast_to(shifts.to_numpy(dtype=float), (len(at), ds.sizes["protein"]))
    table["abundance"].values[at] = done.values.to_numpy()
    table["lod"].values[at] = table["lod"].values[at] + moved
    problems = [Problem(code="plate_effect", message=note, action="missing there") for note in done.notes]
    return validate_abundance(table), problems
