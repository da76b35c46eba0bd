"""Technical replicates: their coefficient of variation within and between plates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["replicate_cv", "replicate_problems"]


def replicate_cv(ds: xr.Dataset, *, by: str = "name", across_plates: bool = False) -> pd.DataFrame:
    """Coefficient of variation of repeated measurements of one sample, for each protein.

    The SD of the log2 values is pooled over all samples that stand more than once (sum of squares over degrees of
    freedom) and turned into the CV of a log-normal quantity: ``100 * sqrt(exp((sd ln 2)^2) - 1)``. Censored and missing
    values are left out: a value below LOD has no spread to speak of.

    Parameters
    ----------
    ds
        An abundance Dataset; all kinds of rows take part, so that the plate's own controls do.
    by
        Coordinate that names the sample.
    across_plates
        Compare the plates' means of one sample (between plates) instead of the repeats on one plate.

    Returns
    -------
    DataFrame
        ``protein, n_samples, df, cv_percent``; NaN where no sample has two values.

    Raises
    ------
    KeyError
        If there is no such coordinate.
    """
    import pandas as pd

    values = np.where(ds["below_lod"].values, np.nan, ds["abundance"].values)
    names, plates = ds[by].values.astype(str), ds["plate"].values.astype(str)
    groups = _groups(values, names, plates, across_plates=across_plates)
    squares = np.zeros(values.shape[1])
    df = np.zeros(values.shape[1], np.int64)
    n_samples = np.zeros(values.shape[1], np.int64)
    for block in groups:
        count = np.isfinite(block).sum(axis=0)
        mean = np.nansum(block, axis=0) / np.maximum(count, 1)
        squares += np.where(count >= 2, np.nansum((block - mean) ** 2, axis=0), 0.0)
        df += np.maximum(count - 1, 0)
        n_samples += count >= 2
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(df > 0, squares / np.maximum(df, 1), np.nan)
    cv = 100 * np.sqrt(np.expm1(variance * np.log(2) ** 2))
    return pd.DataFrame({"protein": ds["protein"].values, "n_samples": n_samples, "df": df, "cv_percent": cv})


def _groups(
    values: NDArray[np.float64], names: NDArray[np.str_], plates: NDArray[np.str_], *, across_plates: bool
) -> list[NDArray[np.float64]]:
    groups = []
    for name in sorted(set(names) - {""}):
        rows = names == name
        blocks = [values[rows & (plates == plate)] for plate in sorted(set(plates[rows]))]
        if across_plates:
            groups.append(np.array([_column_means(block) for block in blocks]))
        else:
            groups += blocks
    return [group for group in groups if len(group) >= 2]


def _column_means(block: NDArray[np.float64]) -> NDArray[np.float64]:
    count = np.isfinite(block).sum(axis=0)
    mean: NDArray[np.float64] = np.where(count, np.nansum(block, axis=0) / np.maximum(count, 1), np.nan)
    return mean


def replicate_problems(ds: xr.Dataset, *, by: str = "name", limit_percent: float = 20.0) -> list[Problem]:
    """A Problem where the median CV within plates is above the limit, or many proteins are."""
    table = replicate_cv(ds, by=by)
    known = table.dropna(subset="cv_percent")
    above = int((known["cv_percent"] > limit_percent).sum())
    if known.empty or above * 4 <= len(known):
        return []
    median = known["cv_percent"].median()
    message = f"{above} of {len(known)} proteins have a CV of repeats above {limit_percent:g} % (median {median:.0f} %)"
    file = str(ds.attrs.get("source_file", ""))
    return [Problem(code="replicate_spread", file=file, message=message, action="kept, flagged")]
