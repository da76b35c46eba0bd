"""Contrasts between groups as fixed weights on samples: one matrix product gives every protein, every permutation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Labels = NDArray[np.object_]

__all__ = ["ContrastMap", "contrast_map", "noise_correlation", "permuted_rows", "shared_null_correlation"]


@dataclass(frozen=True)
class ContrastMap:
    """Least-squares contrasts as weights.

    Parameters
    ----------
    weights
        (n_contrasts, n_samples): ``weights @ values`` are the log2 differences, covariates held constant.
    nuisance
        (n_samples, q) orthonormal basis of intercept and covariates.
    basis
        (n_samples, columns) orthonormal basis of the whole model.
    """

    weights: Matrix
    nuisance: Matrix
    basis: Matrix

    def residuals(self, values: Matrix) -> Matrix:
        """What the whole model leaves of the values."""
        rest: Matrix = values - self.basis @ (self.basis.T @ values)
        return rest

    def left_out_changes(self, values: Matrix) -> Matrix:
        """(n_samples, n_contrasts, n_proteins): change of the contrasts when one sample is left out of the model.

        By the leverage formula of least squares, without fitting again; a sample that alone carries a model column has
        no such change (NaN).
        """
        leverage = (self.basis**2).sum(axis=1)
        scale = np.where(leverage < 1 - 1e-9, 1 / np.maximum(1 - leverage, 1e-300), np.nan)
        changes: Matrix = -self.weights.T[:, :, None] * (self.residuals(values) * scale[:, None])[:, None, :]
        return changes


def contrast_map(
    groups: Sequence[object] | Labels, contrasts: Sequence[tuple[object, object]], covariates: Matrix | None = None
) -> ContrastMap:
    """Weights of several contrasts in one model with all groups.

    Parameters
    ----------
    groups
        (n_samples,) labels.
    contrasts
        Pairs (case, reference).
    covariates
        (n_samples, k) further model columns without intercept.

    Raises
    ------
    RefusedError
        If a group has no sample or the covariates determine a contrast.

    Examples
    --------
    >>> contrast_map(["a", "a", "c", "c"], [("a", "c")]).weights.round(12).tolist()
    [[0.5, 0.5, -0.5, -0.5]]
    """
    labels = np.asarray(groups, dtype=object)
    levels = sorted({str(label) for label in labels})
    wanted = {str(name) for pair in contrasts for name in pair}
    if missing := sorted(wanted - set(levels)):
        raise RefusedError(f"no sample of group {missing[0]}", found=f"0 of {len(labels)} samples; groups: "
                           f"{', '.join(levels)}", expected="1 or more")  # fmt: skip
    text = np.array([str(label) for label in labels], dtype=object)
    indicators = np.column_stack([text == level for level in levels]).astype(np.float64)
    others = np.empty((len(text), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    others = _standardised(others)
    design = np.column_stack([indicators, others])
    left, size, right = np.linalg.svd(design, full_matrices=False)
    if size[-1] <= 1e-10 * size[0]:
        rank = int((size > 1e-10 * size[0]).sum())
        raise RefusedError("group and covariates cannot be told apart",
                           found=f"{design.shape[1]} model columns of rank {rank}",
                           expected="columns that do not determine one another")  # fmt: skip
    if len(text) <= design.shape[1]:
        raise RefusedError("no residual degree of freedom is left", found=f"{len(text)} samples",
                           expected=f"more than {design.shape[1]}")  # fmt: skip
    inverse = (right.T / size) @ left.T
    rows = [inverse[levels.index(str(case))] - inverse[levels.index(str(reference))] for case, reference in contrasts]
    basis, _ = np.linalg.qr(np.column_stack([np.ones(len(text)), others]))
    return ContrastMap(np.array(rows), basis, left)


def _standardised(columns: Matrix) -> Matrix:
    # Equal scale keeps the test of rank honest; the contrasts do not depend on it.
    centred = columns - columns.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    scaled: Matrix = centred / np.where(spread > 0, spread, 1)
    return scaled


def noise_correlation(weights: Matrix) -> float:
    """Correlation of two contrasts' estimates when no group differs at all: that of their weights.

    Examples
    --------
    >>> built = contrast_map(["m"] * 25 + ["a"] * 30 + ["h"] * 32, [("m", "h"), ("a", "h")])
    >>> round(noise_correlation(built.weights), 3)
    0.461
    """
    first, second = weights
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))


def shared_null_correlation(
    n_1: int, n_2: int, n_0: int, *, n_0_second: int | None = None, shared: int | None = None
) -> float:
    """The same from group sizes alone, where only tables exist.

    Parameters
    ----------
    n_1, n_2
        Cases of the two contrasts.
    n_0, n_0_second
        Controls of the first and of the second contrast (default: the same number).
    shared
        Controls that are in both (default: all of the first).

    Notes
    -----
    ``(1/n0) / sqrt((1/n1 + 1/n0)(1/n2 + 1/n0))`` with all controls shared.

    Examples
    --------
    >>> [round(shared_null_correlation(*n), 2) for n in ((25, 30, 32), (25, 21, 32), (6, 28, 38))]
    [0.46, 0.42, 0.24]
    """
    m_0 = n_0 if n_0_second is None else n_0_second
    common = min(n_0, m_0) if shared is None else shared
    if min(n_1, n_2, n_0, m_0) < 1 or not 0 <= common <= min(n_0, m_0):
        raise ValueError(f"sizes {n_1}, {n_2}, {n_0}, {m_0} with {common} shared do not fit")
    return float(common / (n_0 * m_0) / np.sqrt((1 / n_1 + 1 / n_0) * (1 / n_2 + 1 / m_0)))


def permuted_rows(
    n: int, count: int, rng: np.random.Generator, *, strata: Sequence[object] | Labels | None = None
) -> NDArray[np.int64]:
    """(count, n) permutations of sample positions, within strata (plate, cohort) where these are given.

    Examples
    --------
    >>> order = permuted_rows(4, 3, np.random.default_rng(0), strata=["a", "a", "b", "b"])
    >>> bool((np.sort(order[:, :2]) == [0, 1]).all())
    True
    """
    order = np.tile(np.arange(n), (count, 1))
    labels = np.zeros(n, dtype=object) if strata is None else np.array([str(each) for each in strata], dtype=object)
    for level in sorted(set(labels), key=str):
        places = np.flatnonzero(labels == level)
        order[:, places] = rng.permuted(order[:, places], axis=1)
    return order
