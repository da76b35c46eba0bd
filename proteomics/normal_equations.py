"""Normal equations of many proteins at once, each with its own missing values and weights.

Within a block of m measured samples the inverse covariance is (I - c 11') / (1 - rho), c = rho / (1 - rho + m rho).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from proteomics.sample_covariance import SampleModel, membership

__all__ = ["RightHandSide", "normal_equations", "weighted_squares"]

Array = npt.NDArray[np.float64]


class RightHandSide:
    """The right-hand side X' V^-1 y of the normal equations for rows of a chunk."""

    def __init__(self, scale: Array, columns: Array, model: SampleModel, sums: Array | None, damp: Array | None):
        self.scale, self.columns, self.model, self.sums, self.damp = scale, columns, model, sums, damp

    def __call__(self, values: Array, rows: npt.NDArray[np.int64]) -> Array:
        """(rows, K) right-hand sides for values with missing ones as 0."""
        weighted = values * self.scale[rows]
        right = (weighted * self.scale[rows]) @ self.columns
        if self.sums is None or self.damp is None or self.model.blocks is None:
            return np.asarray(right)
        block_sums = weighted @ membership(self.model.blocks)
        right -= np.einsum("gb,gbk->gk", self.damp[rows] * block_sums, self.sums[rows])
        return np.asarray(right / (1 - self.model.correlation))


def normal_equations(scale: Array, columns: Array, model: SampleModel) -> tuple[Array, RightHandSide]:
    """X' V^-1 X of every row, and the right-hand sides to go with it; ``scale`` is the root weight, 0 where missing."""
    n_columns = columns.shape[1]
    pairs = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
    gram = ((scale * scale) @ pairs).reshape(-1, n_columns, n_columns)
    if model.blocks is None:
        return gram, RightHandSide(scale, columns, model, None, None)
    rho = model.correlation
    member = membership(model.blocks)
    damp = rho / (1 - rho + ((scale > 0) @ member) * rho)
    sums = np.stack([scale @ (member * columns[:, [k]]) for k in range(n_columns)], axis=2)
    gram = (gram - np.einsum("gb,gbk,gbl->gkl", damp, sums, sums, optimize=True)) / (1 - rho)
    return gram, RightHandSide(scale, columns, model, sums, damp)


def weighted_squares(residual: Array, scale: Array, model: SampleModel) -> Array:
    """r' V^-1 r of every row."""
    weighted = residual * scale
    squares = np.einsum("gn,gn->g", weighted, weighted)
    if model.blocks is None:
        return np.asarray(squares)
    rho = model.correlation
    member = membership(model.blocks)
    damp = rho / (1 - rho + ((scale > 0) @ member) * rho)
    return np.asarray((squares - np.einsum("gb,gb->g", damp, (weighted @ member) ** 2)) / (1 - rho))
