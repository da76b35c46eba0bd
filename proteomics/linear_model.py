"""One linear model per protein, all at once: missing values, sample weights and correlated samples included.

For protein g: y = X b + e with Var(e) = s2 W^-1/2 C W^-1/2, where W holds the weights and C has ones on the diagonal
and one common correlation between samples of the same block. Proteins measured in every sample share one QR
decomposition; the others are solved together from their own normal equations in an orthonormal basis of the design;
the few whose remaining samples cannot tell the columns apart are solved one by one with columns set aside in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import RefusedError
from proteomics.normal_equations import normal_equations, weighted_squares
from proteomics.sample_covariance import SampleModel, decorrelate

__all__ = ["LinearFit", "dependent_columns", "fit_linear"]

Array = npt.NDArray[np.float64]

# A column whose part not explained by the columns before it is shorter than this share of it is dependent (R's lm).
_DEPENDENT = 1e-7
# Normal equations worse conditioned than this lose digits; those proteins get a QR decomposition of their own.
_ILL_CONDITIONED = 1e-5
# Values per chunk: what a chunk needs stays within the processor's cache, and memory flat.
_CHUNK_VALUES = 1 << 15


@dataclass(frozen=True, kw_only=True)
class LinearFit:
    """Least-squares fits of one design to G proteins; rows are proteins, K the design's columns.

    Parameters
    ----------
    coefficients
        (G, K); NaN where the samples in which the protein was measured cannot give the coefficient.
    covariance
        (G, K, K) covariance of the coefficients divided by the residual variance; NaN as above.
    sigma
        (G,) residual standard deviation; NaN where no degree of freedom is left.
    df_residual
        (G,) residual degrees of freedom.
    average
        (G,) mean of the measured values; NaN where there is none.
    n_used
        (G,) number of measured values.
    inseparable
        (G, K) True where the coefficient was estimated only because another column had to be set aside with which
        it coincides in the samples left: the number then holds both effects.
    design_covariance
        (K, K) the same covariance for a protein measured in every sample without weights of its own.
    names
        The design's columns.
    """

    coefficients: Array
    covariance: Array
    sigma: Array
    df_residual: Array
    average: Array
    n_used: npt.NDArray[np.int64]
    inseparable: npt.NDArray[np.bool_]
    design_covariance: Array
    names: tuple[str, ...]

    @property
    def stdev_unscaled(self) -> Array:
        """(G, K) standard errors of the coefficients divided by the residual standard deviation."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2)))


def fit_linear(
    matrix: npt.ArrayLike,
    design: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    weights: npt.ArrayLike | None = None,
    block: npt.ArrayLike | None = None,
    correlation: float | None = None,
) -> LinearFit:
    """Fit the design to every protein by (generalised) least squares.

    Parameters
    ----------
    matrix
        (G, N) values, proteins x samples; NaN = not measured.
    design
        (N, K) of full column rank.
    names
        The design's columns, for messages.
    weights
        (N,) one a sample or (G, N) one a value: inverse relative variances. A value whose weight is NaN, zero or
        below is left out.
    block
        (N,) labels: samples of one block share ``correlation``.
    correlation
        The common correlation within blocks; required with ``block``.

    Raises
    ------
    RefusedError
        If columns of the design cannot be told apart, or there are no more samples than columns.
    ValueError
        If shapes disagree, a value is infinite, or the correlation lies outside what the blocks allow.

    Notes
    -----
    Equal to limma's ``lmFit`` (``lm.series``, ``gls.series``) to 1e-9, missing values and weights included.

    Examples
    --------
    >>> fit = fit_linear([[1.0, 2.0, 4.0, 5.0], [1.0, np.nan, 4.0, np.nan]], [[1, 0], [1, 0], [1, 1], [1, 1]])
    >>> fit.coefficients.round(6).tolist(), fit.df_residual.tolist()
    ([[1.5, 3.0], [1.0, 3.0]], [2.0, 0.0])
    """
    values, columns, labels = _checked(matrix, design, names)
    model = SampleModel.build(columns, weights, block, correlation, values.shape)
    size = (values.shape[0], columns.shape[1])
    out = _Parts.empty(*size)
    step = max(1, _CHUNK_VALUES // max(1, values.shape[1]))
    for start in range(0, size[0], step):
        rows = slice(start, min(start + step, size[0]))
        _fit_chunk(values[rows], model, out, rows)
    return LinearFit(
        coefficients=out.coefficients,
        covariance=out.covariance,
        sigma=out.sigma,
        df_residual=out.df_residual,
        average=out.average,
        n_used=out.n_used,
        inseparable=out.inseparable,
        design_covariance=model.covariance,
        names=labels,
    )


def dependent_columns(design: Array) -> npt.NDArray[np.bool_]:
    """Columns that the columns before them give, by R's rule (share left < 1e-7).

    Examples
    --------
    >>> dependent_columns(np.array([[1.0, 0, 0], [1, 0, 0], [1, 1, 1]])).tolist()
    [False, False, True]
    """
    basis = np.empty((design.shape[0], 0))
    dependent = np.zeros(design.shape[1], dtype=bool)
    for column in range(design.shape[1]):
        rest = design[:, column].astype(np.float64)
        length = np.linalg.norm(rest)
        for _ in range(2):  # once more, because the first pass leaves rounding of the size of what is being judged
            rest = rest - basis @ (basis.T @ rest)
        left = np.linalg.norm(rest)
        dependent[column] = length == 0 or left < _DEPENDENT * length
        if not dependent[column]:
            basis = np.column_stack([basis, rest / left])
    return dependent


def _checked(
    matrix: npt.ArrayLike, design: npt.ArrayLike, names: Sequence[str] | None
) -> tuple[Array, Array, tuple[str, ...]]:
    values = np.asarray(matrix, dtype=np.float64)
    columns = np.asarray(design, dtype=np.float64)
    if values.ndim != 2 or columns.ndim != 2 or values.shape[1] != columns.shape[0]:
        raise ValueError(f"matrix {values.shape} and design {columns.shape}: need (G, N) and (N, K)")
    if not np.isfinite(columns).all():
        raise ValueError("the design holds missing or infinite values")
    labels = tuple(names) if names is not None else tuple(f"x{number}" for number in range(columns.shape[1]))
    if len(labels) != columns.shape[1]:
        raise ValueError(f"{len(labels)} names for {columns.shape[1]} design columns")
    dependent = dependent_columns(columns)
    if dependent.any():
        raise RefusedError(
            "the design cannot tell its columns apart",
            found="; ".join(_explain_dependent(columns, labels, int(c)) for c in np.flatnonzero(dependent)),
            expected="columns of which none follows from the others",
            remedy="leave one of the coinciding terms out, or collect samples in which they differ",
        )
    if columns.shape[0] <= columns.shape[1]:
        raise RefusedError(
            "too few samples for this design",
            found=f"{columns.shape[0]} samples for {columns.shape[1]} coefficients",
            expected="more samples than coefficients",
        )
    return values, columns, labels


def _explain_dependent(columns: Array, labels: tuple[str, ...], column: int) -> str:
    before = columns[:, :column]
    if not columns[:, column].any():
        return f"{labels[column]} is zero in every sample"
    share = np.linalg.lstsq(before, columns[:, column], rcond=None)[0]
    parts = [labels[i] for i in np.flatnonzero(np.abs(share) > 1e-6)]
    return f"{labels[column]} follows from {', '.join(parts)}"


@dataclass(frozen=True)
class _Parts:
    """The result under construction."""

    coefficients: Array
    covariance: Array
    sigma: Array
    df_residual: Array
    average: Array
    n_used: npt.NDArray[np.int64]
    inseparable: npt.NDArray[np.bool_]

    @classmethod
    def empty(cls, n_proteins: int, n_columns: int) -> _Parts:
        return cls(
            np.full((n_proteins, n_columns), np.nan),
            np.full((n_proteins, n_columns, n_columns), np.nan),
            np.full(n_proteins, np.nan),
            np.zeros(n_proteins),
            np.full(n_proteins, np.nan),
            np.zeros(n_proteins, dtype=np.int64),
            np.zeros((n_proteins, n_columns), dtype=bool),
        )


def _fit_chunk(values: Array, model: SampleModel, out: _Parts, rows: slice) -> None:
    with np.errstate(invalid="ignore"):
        sums = values.sum(axis=1)
    if np.isinf(sums).any() or (np.isnan(sums).any() and np.isinf(values).any()):
        raise ValueError("the matrix holds infinite values; log2 of zero is a missing or censored value")
    own_weights = model.root_weights is not None and model.root_weights.ndim == 2
    complete = np.zeros(len(values), dtype=bool) if own_weights else ~np.isnan(sums)
    where = np.arange(rows.start, rows.stop)
    if complete.all():
        _fit_complete(values, sums, model, out, rows)
        return
    if complete.any():
        _fit_complete(values[complete], sums[complete], model, out, where[complete])
    left = ~complete
    root = model.root_weights[rows][left] if own_weights and model.root_weights is not None else model.root_weights
    _fit_incomplete(values[left], root, model, out, where[left])


def _fit_complete(
    values: Array, sums: Array, model: SampleModel, out: _Parts, where: slice | npt.NDArray[np.int64]
) -> None:
    n_samples, n_columns = model.design.shape
    out.average[where] = sums / n_samples
    out.n_used[where] = n_samples
    white = values if model.root_weights is None else values * model.root_weights
    if model.blocks is not None:
        white = decorrelate(white, model.blocks, model.correlation)
    effects = white @ model.basis
    residuals = white - effects @ model.basis.T
    out.coefficients[where] = effects @ model.inverse.T
    out.covariance[where] = model.covariance
    out.df_residual[where] = n_samples - n_columns
    out.sigma[where] = np.sqrt(np.einsum("gn,gn->g", residuals, residuals) / (n_samples - n_columns))


def _fit_incomplete(
    values: Array, root: Array | None, model: SampleModel, out: _Parts, where: npt.NDArray[np.int64]
) -> None:
    """Normal equations of many proteins at once, in the basis in which a complete protein has the identity."""
    n_columns = model.design.shape[1]
    measured = ~np.isnan(values)
    filled = np.where(measured, values, 0.0)
    with np.errstate(invalid="ignore"):
        out.average[where] = filled.sum(axis=1) / measured.sum(axis=1)
    if root is not None and root.ndim == 2:
        measured = measured & ~np.isnan(root)
        filled = np.where(measured, filled, 0.0)
    used = measured.sum(axis=1)
    out.n_used[where] = used
    scale = measured.astype(np.float64) if root is None else np.where(measured, root, 0.0)
    columns = np.asarray(np.linalg.solve(model.triangle.T, model.design.T).T, dtype=np.float64)
    gram, product = normal_equations(scale, columns, model)
    eigen = np.linalg.eigvalsh(gram)
    sound = (eigen[:, 0] > _ILL_CONDITIONED * eigen[:, -1]) & (used > n_columns)
    good = np.flatnonzero(sound)
    if good.size:
        inverse = np.linalg.inv(gram[good])
        solution = np.zeros((good.size, n_columns))
        residual = filled[good]
        for _ in range(2):  # the second pass removes the rounding of the first
            step = np.einsum("gkl,gl->gk", inverse, product(residual, good))
            solution += step
            residual = filled[good] - (solution @ columns.T) * measured[good]
        back = model.inverse
        target = where[good]
        out.coefficients[target] = solution @ back.T
        out.covariance[target] = back @ inverse @ back.T
        out.df_residual[target] = used[good] - n_columns
        out.sigma[target] = np.sqrt(weighted_squares(residual, scale[good], model) / (used[good] - n_columns))
    for row in np.flatnonzero(~sound):
        weight = None if root is None else (root[row] if root.ndim == 2 else root)
        _fit_alone(values[row], measured[row], weight, model, out, int(where[row]))


def _fit_alone(
    values: Array,
    measured: npt.NDArray[np.bool_],
    root: Array | None,
    model: SampleModel,
    out: _Parts,
    row: int,
) -> None:
    """One protein whose measured samples may not tell all columns apart: later columns give way to earlier ones."""
    if not measured.any():
        return
    y = values[measured]
    x = model.design[measured]
    if root is not None:
        y, x = y * root[measured], x * root[measured, None]
    if model.blocks is not None:
        blocks = np.unique(model.blocks[measured], return_inverse=True)[1]
        y, x = decorrelate(y, blocks, model.correlation), decorrelate(x.T, blocks, model.correlation).T
    dependent = dependent_columns(x)
    kept = np.flatnonzero(~dependent)
    basis, triangle = np.linalg.qr(x[:, kept])
    effects = basis.T @ y
    out.coefficients[row, kept] = np.linalg.solve(triangle, effects)
    inverse = np.linalg.inv(triangle)
    out.covariance[row][np.ix_(kept, kept)] = inverse @ inverse.T
    out.df_residual[row] = len(y) - kept.size
    if dependent.any():
        shares = np.linalg.solve(triangle, basis.T @ x[:, dependent])
        out.inseparable[row, kept] = (np.abs(shares) > _DEPENDENT).any(axis=1)
    if out.df_residual[row] > 0:
        residual = y - basis @ effects
        out.sigma[row] = np.sqrt(residual @ residual / out.df_residual[row])
