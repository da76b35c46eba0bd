"""Filling in missing low values: offered for methods that need a full table, never the default.

A test on filled-in values takes them for measured: use a censored or a detection model for markers mostly below LOD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MinProbOptions", "impute_low"]


@dataclass(frozen=True, kw_only=True)
class MinProbOptions:
    """Where the imputed values lie.

    Parameters
    ----------
    quantile
        Of a sample's measured values: the centre of its imputed ones.
    width
        Their standard deviation as a share of the median standard deviation of the proteins.
    """

    quantile: float = 0.01
    width: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.quantile <= 1:
            raise ValueError(f"quantile {self.quantile}: between 0 and 1")
        if not self.width >= 0:
            raise ValueError(f"width {self.width}: 0 or above")


def impute_low(
    values: pd.DataFrame, *, seed: int | np.random.Generator, options: MinProbOptions | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw missing values from a low normal distribution of each sample (MinProb).

    Parameters
    ----------
    values
        Rows = samples, columns = proteins, log2; NaN is filled.
    seed
        Seed or generator.
    options
        See :class:`MinProbOptions`.

    Returns
    -------
    tuple of DataFrame
        The filled table, and True where a value was made up: carry it as the quality flag ``imputed``.

    Raises
    ------
    RefusedError
        If a sample has no value, or no protein has two.

    References
    ----------
    .. [1] Lazar et al., 2016, doi:10.1021/acs.jproteome.5b00981.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [5.0, 6.0, 5.5], "b": [8.0, np.nan, 9.0]}, index=["s1", "s2", "s3"])
    >>> filled, made_up = impute_low(table, seed=1)
    >>> bool(filled.notna().all().all()), made_up["b"].tolist()
    (True, [False, True, False])
    """
    import pandas as pd

    options = MinProbOptions() if options is None else options
    matrix = values.to_numpy(dtype=np.float64)
    known = np.isfinite(matrix)
    if not known.any(axis=1).all():
        empty = values.index[~known.any(axis=1)]
        raise RefusedError("samples without any value", found=f"{len(empty)} of {len(values)}: "
                           f"{', '.join(map(str, empty[:5]))}", expected="at least 1 value in each")  # fmt: skip
    several = known.sum(axis=0) >= 2
    if not several.any():
        raise RefusedError("no protein has two values: the width of the distribution is not known",
                           found=f"0 of {values.shape[1]} proteins", expected="at least 1")  # fmt: skip
    spread = float(np.median(np.nanstd(matrix[:, several], axis=0, ddof=1)))
    centre = np.nanquantile(matrix, options.quantile, axis=1)
    # One draw a cell, missing or not: what a cell gets does not depend on which others are missing.
    drawn = np.random.default_rng(seed).normal(size=matrix.shape) * spread * options.width + centre[:, None]
    filled = pd.DataFrame(np.where(known, matrix, drawn), index=values.index, columns=values.columns)
    return filled, pd.DataFrame(~known, index=values.index, columns=values.columns)
