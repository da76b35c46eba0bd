"""Which samples enter a model, in which order, and which sides its coefficient sets against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from core.problems import Problem
from proteomics.abundance import subject_samples
from proteomics.design_matrix import Design, build_design, coefficient_name
from proteomics.linear_model import fit_linear

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["AskedModel", "align_samples", "asked_design", "asked_model", "sample_table", "side_table", "sides_of"]


@dataclass(frozen=True, kw_only=True)
class AskedModel:
    """A model and one of its coefficients, on the samples that table and design both have.

    Parameters
    ----------
    ds
        The abundance Dataset, subjects' samples only, in the design's order.
    matrix
        Rows = samples, columns = coefficients.
    coefficient, column
        The column tested, by name and by place.
    sides
        (N,) see :func:`sides_of`.
    samples
        The table of samples that the formula was read over.
    problems
        Samples set aside.
    """

    ds: xr.Dataset
    matrix: pd.DataFrame
    coefficient: str
    column: int
    sides: npt.NDArray[np.object_]
    samples: pd.DataFrame
    problems: list[Problem]


def asked_model(
    ds: xr.Dataset, *, design: str | pd.DataFrame, coefficient: str, samples: pd.DataFrame | None = None
) -> AskedModel:
    """What every test of one coefficient begins with.

    Parameters
    ----------
    ds, design, coefficient, samples
        As in :func:`proteomics.differential.moderated_test`.

    Raises
    ------
    InputError
        If ids or names do not fit.
    RefusedError
        If columns of the design cannot be told apart.
    """
    ds = subject_samples(ds)
    table = sample_table(ds) if samples is None else samples.set_axis(samples.index.astype(str))
    built, name = asked_design(table, design, coefficient)
    ds, matrix, problems = align_samples(ds, built)
    names = [str(label) for label in matrix.columns]
    # Refuses a design that cannot tell its columns apart.
    fit_linear(np.zeros((1, len(matrix))), matrix.to_numpy(), names=names)
    return AskedModel(
        ds=ds,
        matrix=matrix,
        coefficient=name,
        column=names.index(name),
        sides=sides_of(matrix, name, built.terms),
        samples=table,
        problems=problems,
    )


def asked_design(table: pd.DataFrame, design: str | pd.DataFrame, coefficient: str) -> tuple[Design, str]:
    """The design of a formula over the table of samples, or as given, and the column meant by the coefficient."""
    if isinstance(design, str):
        built = build_design(table, design)
    else:
        built = Design(matrix=design.set_axis(design.index.astype(str)).astype(np.float64), terms={})
    return built, coefficient_name(built, coefficient)


def align_samples(ds: xr.Dataset, design: Design) -> tuple[xr.Dataset, pd.DataFrame, list[Problem]]:
    """Dataset and design on the samples that both have, in the design's order; the others are Problems.

    Raises
    ------
    InputError
        If they share no sample.
    """
    ids = ds["sample"].values.astype(str)
    matrix = design.matrix.loc[[sample for sample in design.matrix.index if sample in set(ids)]]
    problems = [
        *design.problems,
        *(
            Problem(code="missing_sample", subject=str(sample), message="not in the serum table", action="left out")
            for sample in design.matrix.index.difference(matrix.index)
        ),
    ]
    if matrix.empty:
        raise InputError(
            "no sample of the design is in the serum table",
            found=f"{', '.join(map(str, design.matrix.index[:3]))} ...",
            expected=f"ids such as {', '.join(ids[:3])}",
        )
    return ds.sel(sample=matrix.index.to_numpy()), matrix, problems


def sample_table(ds: xr.Dataset) -> pd.DataFrame:
    """The coordinates of the samples as a table."""
    import pandas as pd

    columns = {str(name): coord.values for name, coord in ds.coords.items() if coord.dims == ("sample",)}
    return pd.DataFrame(columns, index=pd.Index(ds["sample"].values.astype(str), name="sample"))


def sides_of(matrix: pd.DataFrame, name: str, terms: Mapping[str, tuple[str, ...]]) -> npt.NDArray[np.object_]:
    """Which samples the coefficient sets against which: "1", "0", "" or all "both" for a slope.

    For a category of a factor the other side is the factor's reference level: zero in all of its columns.
    """
    column = matrix[name].to_numpy()
    if not np.isin(column, (0.0, 1.0)).all() or name == "Intercept":
        return np.full(len(column), "both", dtype=object)
    siblings = next((columns for columns in terms.values() if name in columns), (name,))
    reference = ~matrix[list(siblings)].to_numpy().any(axis=1)
    if not reference.any():  # cell means: one column a group, no reference
        reference = np.zeros(len(column), dtype=bool)
    sides = np.full(len(column), "", dtype=object)
    sides[column == 1.0] = "1"
    sides[reference] = "0"
    return sides


def side_table(matrix: pd.DataFrame, sides: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Columns ``sample, side``."""
    import pandas as pd

    return pd.DataFrame({"sample": matrix.index.astype(str), "side": sides})
