"""How much each sample is to be trusted: weights from how well it fits, all proteins together.

Sample i has variance s2_g exp(phi_i) in protein g, the phi adding up to zero; its weight is exp(-phi_i). The phi are
estimated by residual maximum likelihood over all proteins, with a few proteins' worth of prior for equal weights.

References
----------
.. [1] Ritchie et al., 2006, doi:10.1186/1471-2105-7-261.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import RefusedError
from proteomics.linear_model import fit_linear

__all__ = ["array_weights"]

Array = npt.NDArray[np.float64]

#: Proteins' worth of evidence for equal weights.
PRIOR_PROTEINS = 10.0
_CONVERGED = 1e-10
_MOST_ITERATIONS = 200


def array_weights(
    matrix: npt.ArrayLike,
    design: npt.ArrayLike,
    *,
    method: str = "auto",
    prior_proteins: float = PRIOR_PROTEINS,
) -> Array:
    """Weight of each sample, their product being 1.

    Parameters
    ----------
    matrix
        (G, N) proteins x samples; a protein enters with the samples in which it was measured, if they can give all
        coefficients and leave two residual degrees of freedom.
    design
        (N, K) of full column rank.
    method
        ``"reml"``: the maximum of the residual likelihood of all proteins, whatever is missing. ``"gene_by_gene"``:
        one corrective pass over the proteins in their order (Ritchie 2006), an approximation that depends on that
        order. ``"auto"``: as limma, REML for complete data and gene by gene where values are missing.
    prior_proteins
        Larger pulls the weights towards 1.

    Returns
    -------
    (N,) ndarray

    Raises
    ------
    RefusedError
        If no protein can be used.
    ValueError
        If the method is unknown, or the iterations do not converge.

    Notes
    -----
    REML is iterated until the step is below 1e-10; limma's ``arrayWeights`` seeks the same maximum and stops earlier.
    Gene by gene equals limma's to rounding. The differences are shown in docs/validation.

    Examples
    --------
    >>> y = np.random.default_rng(3).normal(size=(200, 6))
    >>> y[:, 2] *= 3
    >>> int(array_weights(y, np.ones((6, 1))).argmin())
    2
    """
    values = np.asarray(matrix, dtype=np.float64)
    columns = np.asarray(design, dtype=np.float64)
    if method not in ("auto", "reml", "gene_by_gene"):
        raise ValueError(f"method {method!r}: 'auto', 'reml' or 'gene_by_gene'")
    if method == "gene_by_gene" or (method == "auto" and np.isnan(values).any()):
        return _gene_by_gene(values, columns, prior_proteins)
    groups = _groups(values, columns)
    n_samples = columns.shape[0]
    log_variance = np.zeros(n_samples)
    for _ in range(_MOST_ITERATIONS):
        weight = np.exp(-log_variance)
        score = prior_proteins * (weight - 1)
        information = np.diag(prior_proteins * weight)
        for group in groups:
            group.add(weight, score, information)
        step = _centred_solution(information, score)
        longest = float(np.abs(step).max())
        log_variance += step * min(1.0, 2.0 / longest) if longest > 0 else step
        if longest < _CONVERGED:
            return np.asarray(np.exp(-log_variance))
    raise ValueError(f"array weights did not converge in {_MOST_ITERATIONS} iterations")


def _centred_solution(information: Array, score: Array) -> Array:
    """Newton step among log variances that add up to zero."""
    size = len(score)
    bordered = np.ones((size + 1, size + 1))
    bordered[:size, :size] = information
    bordered[size, size] = 0.0
    return np.asarray(np.linalg.solve(bordered, np.append(score, 0.0))[:size])


@dataclass(frozen=True)
class _Group:
    """Proteins that are worked on together: all complete ones, or a batch of incomplete ones."""

    values: Array  # missing as 0
    measured: npt.NDArray[np.bool_] | None  # None: complete
    design: Array

    def add(self, weight: Array, score: Array, information: Array) -> None:
        """Add twice the score and the expected information of these proteins."""
        if self.measured is None:
            self._add_complete(weight, score, information)
        else:
            self._add_incomplete(self.measured, weight, score, information)

    def _add_complete(self, weight: Array, score: Array, information: Array) -> None:
        root = np.sqrt(weight)
        basis = np.linalg.qr(self.design * root[:, None])[0]
        white = self.values * root
        residual = white - (white @ basis) @ basis.T
        free = len(weight) - basis.shape[1]
        variance = np.einsum("gn,gn->g", residual, residual) / free
        projection = np.eye(len(weight)) - basis @ basis.T
        kept = np.diag(projection)
        count = len(self.values)
        score += (residual**2 / variance[:, None]).sum(axis=0) - count * kept
        information += count * (projection**2 - np.outer(kept, kept) / free)

    def _add_incomplete(self, measured: npt.NDArray[np.bool_], weight: Array, score: Array, information: Array) -> None:
        used = measured.astype(np.float64)
        pairs = (self.design[:, :, None] * self.design[:, None, :]).reshape(len(weight), -1)
        n_columns = self.design.shape[1]
        gram = ((used * weight) @ pairs).reshape(-1, n_columns, n_columns)
        # rows of basis[g] are sqrt(w_i) x_i L^-T with gram = L L': an orthonormal basis of protein g's design.
        lower = np.linalg.cholesky(gram)
        shared = np.sqrt(weight)[:, None] * self.design
        basis = np.linalg.solve(lower, np.broadcast_to(shared.T, (len(gram), n_columns, len(weight))))
        basis *= used[:, None, :]
        white = self.values * np.sqrt(weight)
        residual = white - np.einsum("gkn,gk->gn", basis, np.einsum("gkn,gn->gk", basis, white))
        free = used.sum(axis=1) - n_columns
        variance = np.einsum("gn,gn->g", residual, residual) / free
        kept = used - np.einsum("gkn,gkn->gn", basis, basis)
        score += (residual**2 / variance[:, None] - kept).sum(axis=0)
        # (I - H)^2 elementwise = I (1 - 2h) + H^2, and H^2 is a sum over pairs of basis vectors.
        information += np.diag((kept - (used - kept)).sum(axis=0))
        products = np.einsum("gkn,gln->gkln", basis, basis).reshape(-1, len(weight))
        information += products.T @ products - (kept / free[:, None]).T @ kept


def _groups(values: Array, columns: Array) -> list[_Group]:
    """Usable proteins: complete ones as one group, incomplete ones in batches that fit in memory."""
    n_samples, n_columns = columns.shape
    usable = _usable(values, columns)
    measured = np.isfinite(values)
    complete = measured.all(axis=1)
    groups = [_Group(values[usable & complete], None, columns)]
    incomplete = np.flatnonzero(usable & ~complete)
    batch = max(1, 2_000_000 // (n_samples * n_columns**2))
    for start in range(0, len(incomplete), batch):
        rows = incomplete[start : start + batch]
        groups.append(_Group(np.where(measured[rows], values[rows], 0.0), measured[rows], columns))
    return [group for group in groups if len(group.values)]


def _usable(values: Array, columns: Array, *, every_coefficient: bool = True) -> npt.NDArray[np.bool_]:
    """Proteins with all coefficients, two residual degrees of freedom and some variance to share out."""
    fit = fit_linear(values, columns)
    with np.errstate(invalid="ignore"):
        varies = fit.sigma > 1e-7 * (1e-8 + np.abs(fit.average))
    usable = (fit.df_residual >= 2) & varies
    if every_coefficient:
        usable &= np.isfinite(fit.coefficients).all(axis=1)
    if not usable.any():
        raise RefusedError(
            "no protein can tell how well the samples fit",
            found=f"0 of {len(usable)} proteins, at most {int(fit.df_residual.max(initial=0))} residual df",
            expected="a protein measured in at least two more samples than there are coefficients",
        )
    return np.asarray(usable)


def _gene_by_gene(values: Array, columns: Array, prior_proteins: float) -> Array:
    """One pass over the proteins in their order, the weights being corrected after each."""
    log_variance = np.zeros(columns.shape[0])
    information = prior_proteins * np.eye(columns.shape[0])
    coefficients = np.isfinite(fit_linear(values, columns).coefficients)
    for g in np.flatnonzero(_usable(values, columns, every_coefficient=False)):
        row = values[g]
        seen = np.isfinite(row)
        root = np.exp(-log_variance[seen] / 2)
        basis = np.linalg.qr(columns[seen][:, coefficients[g]] * root[:, None])[0]
        white = row[seen] * root
        residual = white - basis @ (basis.T @ white)
        free = seen.sum() - basis.shape[1]
        kept = 1 - np.einsum("nk,nk->n", basis, basis)
        information[np.ix_(seen, seen)] += np.diag(kept) - np.outer(kept, kept) / free
        score = np.zeros_like(log_variance)
        score[seen] = residual**2 * free / (residual @ residual) - kept
        log_variance = log_variance + _centred_solution(information, score)
    return np.asarray(np.exp(-log_variance))
