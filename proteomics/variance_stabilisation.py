"""Variance-stabilising normalisation of raw intensities: near the background a log is too steep.

Intensities have an additive and a multiplicative error. Every sample gets an offset and a scale, and the inverse
hyperbolic sine takes the place of the logarithm: the same as log2 for large values, finite and calm near zero.

References
----------
.. [1] Huber et al., 2002, doi:10.1093/bioinformatics/18.suppl_1.S96.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import optimize

from core.errors import RefusedError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Stabilised", "stabilise_variance"]

Array = npt.NDArray[np.float64]

#: Fewest proteins, and fewest values in a sample, from which offset and scale are taken.
FEWEST_VALUES = 20
_ROUNDS = 7


@dataclass(frozen=True, kw_only=True)
class Stabilised:
    """Stabilised values (log2-like), and ``offset`` and ``scale`` of each sample: asinh(offset + scale x intensity)."""

    values: pd.DataFrame
    parameters: pd.DataFrame


def stabilise_variance(intensities: pd.DataFrame, *, kept: float = 0.9) -> Stabilised:
    """Fit offsets and scales by maximum likelihood, with the most variable proteins left out of the fit.

    Parameters
    ----------
    intensities
        Rows = samples, columns = proteins, linear scale (not log2), NaN = not measured; values below zero allowed.
    kept
        Share of proteins, those of least residual spread, that the fit uses in the end: most must not differ.

    Raises
    ------
    RefusedError
        If there are fewer than two samples, or a sample has fewer than 20 values.

    Notes
    -----
    A difference of 1 is a factor of 2 where intensities are far above the background.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> true = rng.lognormal(8, 2, 200)
    >>> table = pd.DataFrame([true * 1.0 + rng.normal(0, 20, 200), true * 4.0 + 100 + rng.normal(0, 20, 200)])
    >>> result = stabilise_variance(table)
    >>> bool(abs((result.values.iloc[1] - result.values.iloc[0]).median()) < 0.1)
    True
    """
    import pandas as pd

    matrix = intensities.to_numpy(dtype=np.float64)
    known = np.isfinite(matrix) & (np.isfinite(matrix).sum(axis=0) >= 2)
    count = known.sum(axis=1)
    short = [f"{name} {n}" for name, n in zip(intensities.index, count.tolist(), strict=True) if n < FEWEST_VALUES]
    if len(matrix) < 2 or len(short):
        raise RefusedError(
            "too few values for a variance-stabilising normalisation",
            found=f"{len(matrix)} samples" + (f"; few values in {', '.join(short[:5])}" if short else ""),
            expected=f"at least 2 samples with {FEWEST_VALUES} values each",
        )
    unit = float(np.median(np.abs(matrix[known])))
    filled = np.where(np.isfinite(matrix), matrix, 0.0) / unit
    parameters = np.zeros(2 * len(matrix))
    chosen = np.ones(matrix.shape[1], dtype=bool)
    # Far beyond any data: they keep the first steps of the search from overflowing.
    bounds = [(-1e8, 1e8)] * len(matrix) + [(-30.0, 30.0)] * len(matrix)
    for _ in range(_ROUNDS):
        used = known & chosen
        fit = optimize.minimize(
            _loss, parameters, (filled, used), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}
        )
        before, parameters = parameters, fit.x
        spread = _spread(parameters, filled, known)
        chosen = spread <= np.nanquantile(spread, kept)
        if np.abs(parameters - before).max() < 1e-6:
            break
    offset, scale = parameters[: len(matrix)], np.exp(parameters[len(matrix) :])
    stable = np.arcsinh(offset[:, None] + scale[:, None] * matrix / unit) / np.log(2) - np.log2(2 * scale.mean() / unit)
    table = pd.DataFrame({"offset": offset, "scale": scale / unit}, index=intensities.index)
    return Stabilised(
        values=pd.DataFrame(stable, index=intensities.index, columns=intensities.columns), parameters=table
    )


def _loss(parameters: Array, y: Array, used: npt.NDArray[np.bool_]) -> tuple[float, Array]:
    """Minus the profile log likelihood and its gradient by offsets and log scales."""
    size = len(y)
    scale = np.exp(parameters[size:])
    z = parameters[:size, None] + scale[:, None] * y
    root = np.sqrt(1 + z * z)
    h = np.where(used, np.arcsinh(z), 0.0)
    count = used.sum(axis=0)
    mean = h.sum(axis=0) / np.maximum(count, 1)
    residual = np.where(used, h - mean, 0.0)
    squares = float((residual**2).sum())
    total = used.sum()
    height = -0.5 * total * np.log(squares) + (used.sum(axis=1) * parameters[size:]).sum()
    height -= np.where(used, np.log(root), 0.0).sum()
    slope = np.where(used, -total / squares * residual / root - z / root**2, 0.0)
    by_offset = slope.sum(axis=1)
    by_scale = (slope * scale[:, None] * y).sum(axis=1) + used.sum(axis=1)
    return -float(height), -np.concatenate([by_offset, by_scale])


def _spread(parameters: Array, y: Array, known: npt.NDArray[np.bool_]) -> Array:
    """Residual variance of each protein; NaN where it is not measured twice."""
    size = len(y)
    h = np.arcsinh(parameters[:size, None] + np.exp(parameters[size:])[:, None] * y)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, h, 0.0).sum(axis=0) / count
        return np.asarray((np.where(known, h - mean, 0.0) ** 2).sum(axis=0) / (count - 1))
