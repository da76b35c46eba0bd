"""Contrasts: weighted sums of a model's coefficients as coefficients of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from proteomics.linear_model import LinearFit

__all__ = ["contrast_matrix", "contrasts"]

Array = npt.NDArray[np.float64]


def contrast_matrix(names: Sequence[str], wanted: Mapping[str, Mapping[str, float]]) -> Array:
    """(K, C) matrix from the weights of each contrast by coefficient name.

    Raises
    ------
    InputError
        If a coefficient is not there.

    Examples
    --------
    >>> contrast_matrix(["CON", "RES", "SUS"], {"SUS_RES": {"SUS": 1, "RES": -1}}).ravel().tolist()
    [0.0, -1.0, 1.0]
    """
    matrix = np.zeros((len(names), len(wanted)))
    for column, (contrast, weights) in enumerate(wanted.items()):
        for name, weight in weights.items():
            if name not in names:
                raise InputError(
                    f"contrast {contrast} names a coefficient that the design does not have",
                    found=repr(name),
                    expected="one of " + ", ".join(names),
                )
            matrix[list(names).index(name), column] = weight
    return matrix


def contrasts(
    fit: LinearFit, matrix: npt.ArrayLike, *, names: Sequence[str] | None = None, covariance: str = "protein"
) -> LinearFit:
    """Fit of the contrasts, to be moderated like any other.

    Parameters
    ----------
    fit
        From :func:`proteomics.linear_model.fit_linear`.
    matrix
        (K, C) or (K,) weights, see :func:`contrast_matrix`.
    names
        C names.
    covariance
        ``"protein"``: standard errors from each protein's own covariance of the coefficients. ``"design"``: from the
        correlation that they have in a protein measured in every sample; limma does this, and it is an approximation
        where values are missing.

    Notes
    -----
    A coefficient that a protein does not have makes its contrasts NaN, unless its weight is zero.

    Examples
    --------
    >>> from proteomics.linear_model import fit_linear
    >>> fit = fit_linear([[1.0, 2.0, 5.0, 6.0]], [[1, 0], [1, 0], [0, 1], [0, 1]])
    >>> contrasts(fit, [-1, 1]).coefficients.round(9).tolist()
    [[4.0]]
    """
    weights = np.asarray(matrix, dtype=np.float64)
    weights = weights[:, None] if weights.ndim == 1 else weights
    if weights.shape[0] != fit.coefficients.shape[1]:
        raise ValueError(f"contrast weights of shape {weights.shape} for {fit.coefficients.shape[1]} coefficients")
    absent = np.isnan(fit.coefficients)
    lost = (absent.astype(np.float64) @ (weights != 0)) > 0
    own = fit.covariance
    if covariance == "design":
        root = np.sqrt(np.diag(fit.design_covariance))
        correlation = fit.design_covariance / np.outer(root, root)
        own = fit.stdev_unscaled[:, :, None] * correlation * fit.stdev_unscaled[:, None, :]
    elif covariance != "protein":
        raise ValueError(f"covariance {covariance!r}: 'protein' or 'design'")
    combined = weights.T @ np.nan_to_num(own) @ weights
    combined[lost[:, :, None] | lost[:, None, :]] = np.nan
    labels = tuple(names) if names is not None else tuple(f"contrast{number}" for number in range(weights.shape[1]))
    return replace(
        fit,
        coefficients=np.where(lost, np.nan, np.nan_to_num(fit.coefficients) @ weights),
        covariance=combined,
        inseparable=(fit.inseparable.astype(np.float64) @ (weights != 0)) > 0,
        design_covariance=weights.T @ fit.design_covariance @ weights,
        names=labels,
    )
