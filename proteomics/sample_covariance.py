"""How the samples of a model vary and vary together: weights, and one correlation within blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["SampleModel", "block_numbers", "decorrelate", "membership", "positive_roots"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SampleModel:
    """The design with weights and blocks, and its orthonormal basis once all samples are there.

    Parameters
    ----------
    design
        (N, K).
    root_weights
        Square roots of the weights, (N,) or (G, N); None for equal weights.
    blocks
        (N,) block number of each sample, or None.
    correlation
        Within blocks.
    basis, triangle
        The whitened design is ``basis @ triangle``, the basis orthonormal (N, K). Weights of single values play no
        part in it.
    inverse
        Inverse of the triangle.
    covariance
        (K, K) unscaled covariance of the coefficients of a protein measured in every sample.
    """

    design: Array
    root_weights: Array | None
    blocks: npt.NDArray[np.int64] | None
    correlation: float
    basis: Array
    triangle: Array
    inverse: Array
    covariance: Array

    @classmethod
    def build(
        cls,
        design: Array,
        weights: npt.ArrayLike | None,
        block: npt.ArrayLike | None,
        correlation: float | None,
        shape: tuple[int, int],
    ) -> SampleModel:
        """Check weights and blocks for a matrix of this shape, and whiten the design."""
        root = None if weights is None else positive_roots(weights, shape)
        blocks, rho = block_numbers(block, correlation, shape[1])
        shared = root if root is not None and root.ndim == 1 else None
        whole = design if shared is None else design * shared[:, None]
        if blocks is not None:
            whole = decorrelate(whole.T, blocks, rho).T
        basis, triangle = np.linalg.qr(whole)
        inverse = np.asarray(np.linalg.inv(triangle), dtype=np.float64)
        return cls(
            design=design,
            root_weights=root,
            blocks=blocks,
            correlation=rho,
            basis=basis,
            triangle=triangle,
            inverse=inverse,
            covariance=inverse @ inverse.T,
        )


def positive_roots(weights: npt.ArrayLike, shape: tuple[int, int]) -> Array:
    """Square roots of (N,) or (G, N) weights; NaN where a single value's weight is not above zero."""
    given = np.asarray(weights, dtype=np.float64)
    if given.shape not in {shape, shape[1:]}:
        raise ValueError(f"weights of shape {given.shape}: need ({shape[1]},) or {shape}")
    if given.ndim == 1 and not (np.isfinite(given).all() and (given > 0).all()):
        raise ValueError("sample weights must be positive numbers; leave a sample out instead of weighting it 0")
    return np.sqrt(np.where(np.isfinite(given) & (given > 0), given, np.nan))


def block_numbers(
    block: npt.ArrayLike | None, correlation: float | None, n_samples: int
) -> tuple[npt.NDArray[np.int64] | None, float]:
    """Labels as numbers from 0, and the correlation once it is possible for blocks of that size."""
    if block is None:
        if correlation is not None:
            raise ValueError("a correlation was given without blocks")
        return None, 0.0
    labels = np.asarray(block)
    if labels.shape != (n_samples,):
        raise ValueError(f"block of shape {labels.shape}: need one label for each of {n_samples} samples")
    numbers = np.unique(labels.astype(str), return_inverse=True)[1].astype(np.int64)
    if correlation is None or not np.isfinite(correlation):
        raise ValueError("blocks need the correlation within them; see block_correlation")
    largest = int(np.bincount(numbers).max())
    lowest = -1.0 if largest < 2 else -1 / (largest - 1)
    if not lowest < correlation < 1:
        raise ValueError(f"correlation {correlation:g} is not possible for blocks of {largest}: ({lowest:g}, 1)")
    return numbers, float(correlation)


def decorrelate(rows: Array, blocks: npt.NDArray[np.int64], rho: float) -> Array:
    """Rows (..., N) times the symmetric inverse root of the block correlation: within a block, a I + b 11'."""
    sizes = np.bincount(blocks).astype(np.float64)
    plain = 1 / np.sqrt(1 - rho)
    shift = (1 / np.sqrt(1 - rho + sizes * rho) - plain) / sizes
    sums = rows @ membership(blocks)
    return np.asarray(plain * rows + (sums * shift)[..., blocks])


def membership(blocks: npt.NDArray[np.int64]) -> Array:
    """(N, B) ones where the sample is in the block."""
    return np.asarray(blocks[:, None] == np.arange(blocks.max() + 1), dtype=np.float64)
