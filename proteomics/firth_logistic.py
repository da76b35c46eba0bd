"""Logistic regression with Firth's penalty, many at once: finite and nearly unbiased however few the events.

References
----------
.. [1] Firth, 1993, doi:10.1093/biomet/80.1.27.
.. [2] Heinze, Schemper, 2002, doi:10.1002/sim.1047 (penalised likelihood ratio).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["FirthFit", "fit_firth"]

Array = npt.NDArray[np.float64]

_MOST_STEPS = 100
_CONVERGED = 1e-8
_LONGEST = 5.0


@dataclass(frozen=True, kw_only=True)
class FirthFit:
    """R regressions: (R, K) coefficients (log odds), (R, K, K) covariance, (R,) penalised log likelihood."""

    coefficients: Array
    covariance: Array
    log_likelihood: Array


def fit_firth(
    events: npt.ArrayLike,
    design: npt.ArrayLike,
    *,
    seen: npt.ArrayLike | None = None,
    fixed: int | None = None,
) -> FirthFit:
    """Maximise the log likelihood plus half the log determinant of the information.

    Parameters
    ----------
    events
        (R, N) True where it happened.
    design
        (N, K) of full column rank among the samples of each row.
    seen
        (R, N) False where the value is missing.
    fixed
        Column whose coefficient is held at zero; the penalty stays that of the whole design, as the penalised
        likelihood ratio needs it.

    Raises
    ------
    ValueError
        If the iterations do not converge.

    Notes
    -----
    Checked against the closed form of two groups, which adds half an event and half a non-event to each.

    Examples
    --------
    >>> x = [[1, 0], [1, 0], [1, 0], [1, 1], [1, 1], [1, 1]]
    >>> fit = fit_firth([[False, False, False, True, True, True]], x)
    >>> fit.coefficients.round(4).tolist()
    [[-1.9459, 3.8918]]
    """
    happened = np.asarray(events, dtype=np.float64)
    columns = np.asarray(design, dtype=np.float64)
    mask = np.ones_like(happened) if seen is None else np.asarray(seen, dtype=np.float64)
    free = np.array([k for k in range(columns.shape[1]) if k != fixed], dtype=np.intp)
    coefficients = np.zeros((len(happened), columns.shape[1]))
    height, gradient, information = _evaluate(coefficients, happened, mask, columns)
    active = np.arange(len(happened))
    for _ in range(_MOST_STEPS):
        block = information[np.ix_(active, free, free)]
        step = np.asarray(np.linalg.solve(block, gradient[np.ix_(active, free)][:, :, None])[:, :, 0], dtype=np.float64)
        step *= np.minimum(1.0, _LONGEST / np.maximum(np.abs(step).max(axis=1, initial=0.0), _LONGEST))[:, None]
        done = np.abs(step).max(axis=1, initial=0.0) < _CONVERGED
        _climb(active, step, free, coefficients, (happened, mask, columns), (height, gradient, information))
        active = active[~done]
        if not active.size:
            return FirthFit(
                coefficients=coefficients,
                covariance=np.asarray(np.linalg.inv(information), dtype=np.float64),
                log_likelihood=height,
            )
    raise ValueError(f"{active.size} penalised logistic regressions did not converge in {_MOST_STEPS} steps")


def _climb(
    active: npt.NDArray[np.intp],
    step: Array,
    free: npt.NDArray[np.intp],
    coefficients: Array,
    data: tuple[Array, Array, Array],
    state: tuple[Array, Array, Array],
) -> None:
    """Take the steps, each halved until the penalised likelihood does not fall."""
    happened, mask, columns = data
    waiting, moved = active, step.copy()
    for _ in range(30):
        proposed = coefficients[waiting]
        proposed[:, free] += moved
        values = _evaluate(proposed, happened[waiting], mask[waiting], columns)
        good = values[0] >= state[0][waiting] - 1e-10
        rows = waiting[good]
        coefficients[rows] = proposed[good]
        for whole, part in zip(state, values, strict=True):
            whole[rows] = part[good]
        waiting, moved = waiting[~good], moved[~good] / 2
        if not waiting.size:
            return


def _evaluate(coefficients: Array, happened: Array, mask: Array, columns: Array) -> tuple[Array, Array, Array]:
    """Penalised log likelihood, its modified score, and the information."""
    linear = coefficients @ columns.T
    chance = special.expit(linear)
    weight = mask * chance * (1 - chance)
    pairs = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
    information = (weight @ pairs).reshape(-1, columns.shape[1], columns.shape[1])
    inverse = np.linalg.inv(information)
    leverage = weight * np.einsum("nk,rkl,nl->rn", columns, inverse, columns, optimize=True)
    gradient = (mask * (happened - chance) + leverage * (0.5 - chance)) @ columns
    plain = (mask * np.where(happened > 0, special.log_expit(linear), special.log_expit(-linear))).sum(axis=1)
    return plain + 0.5 * np.linalg.slogdet(information)[1], gradient, information
