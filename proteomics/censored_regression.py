"""Normal regression with values known only to lie below or above a limit, many regressions at once.

In the parameters beta / sigma and 1 / sigma the likelihood is concave, so that Newton's method finds its one maximum.

References
----------
.. [1] Tobin, 1958, doi:10.2307/1907382.
.. [2] Olsen, 1978, doi:10.2307/1913082 (concavity).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["CensoredFit", "fit_censored"]

Array = npt.NDArray[np.float64]

_MOST_STEPS = 60
_CONVERGED = 1e-9
_LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True, kw_only=True)
class CensoredFit:
    """R regressions on one design of K columns.

    Parameters
    ----------
    coefficients
        (R, K); may run away (large numbers) where the limits allow any value in one direction.
    sigma
        (R,) standard deviation.
    log_likelihood
        (R,) at the maximum.
    covariance
        (R, K, K) of the coefficients, from the curvature.
    effective_n
        (R,) how many uncensored values would tell as much about sigma.
    """

    coefficients: Array
    sigma: Array
    log_likelihood: Array
    covariance: Array
    effective_n: Array


def fit_censored(values: npt.ArrayLike, side: npt.ArrayLike, design: npt.ArrayLike) -> CensoredFit:
    """Maximum likelihood of each row.

    Parameters
    ----------
    values
        (R, N) measured values, or the limit where a value is censored; NaN = missing.
    side
        (R, N) 0 = measured, -1 = below ``values``, 1 = above ``values``.
    design
        (N, K).

    Notes
    -----
    Every row needs at least two different measured values.

    Examples
    --------
    >>> fit = fit_censored([[1.0, 2.0, 3.0, 4.0]], [[0, 0, 0, 0]], [[1], [1], [1], [1]])
    >>> fit.coefficients.round(6).tolist(), fit.sigma.round(6).tolist()
    ([[2.5]], [1.118034])
    """
    given = np.asarray(values, dtype=np.float64)
    signs = np.asarray(side)
    columns = np.asarray(design, dtype=np.float64)
    seen = np.isfinite(given)
    measured = seen & (signs == 0)
    count = measured.sum(axis=1)
    centre = np.where(measured, given, 0.0).sum(axis=1) / count
    shifted = np.where(seen, given - centre[:, None], 0.0)
    spread = np.sqrt(np.where(measured, shifted**2, 0.0).sum(axis=1) / count)
    if not (spread > 0).all():
        raise ValueError("a censored regression needs at least two different measured values in every row")
    problem = _Problem(shifted / spread[:, None], np.where(seen, signs, 2), columns)
    parameters, height = _newton(problem)
    curvature = problem.derivatives(parameters)[1]
    inverse = np.linalg.inv(curvature + 1e-12 * np.eye(curvature.shape[1]))
    theta = parameters[:, -1]
    sigma = spread / theta
    delta = parameters[:, :-1]
    # beta = delta / theta: delta method for its covariance.
    jacobian = (
        np.concatenate(
            [
                np.broadcast_to(np.eye(delta.shape[1]), (len(delta), *(delta.shape[1],) * 2)),
                -(delta / theta[:, None])[:, :, None],
            ],
            axis=2,
        )
        * sigma[:, None, None]
    )
    coefficients = delta * sigma[:, None] + _constant(columns) * centre[:, None]
    return CensoredFit(
        coefficients=coefficients,
        sigma=sigma,
        log_likelihood=height - count * np.log(spread),
        covariance=jacobian @ inverse @ jacobian.transpose(0, 2, 1),
        effective_n=theta**2 / (2 * inverse[:, -1, -1]),
    )


def _constant(columns: Array) -> Array:
    """Coefficients that give 1 in every sample: what a shift of all values adds to."""
    solution = np.linalg.lstsq(columns, np.ones(len(columns)), rcond=None)[0]
    if not np.allclose(columns @ solution, 1.0):
        raise ValueError("the design needs an intercept, or columns that add up to one")
    return np.asarray(solution)


class _Problem:
    """Log likelihood of all rows with gradient and curvature in (beta / sigma, 1 / sigma)."""

    def __init__(self, values: Array, side: npt.NDArray[np.int64], columns: Array):
        self.values, self.columns = values, columns
        self.measured, self.below, self.above = side == 0, side == -1, side == 1
        self.censored = self.below | self.above
        self.sign = np.where(self.above, -1.0, 1.0)
        self.count = self.measured.sum(axis=1)

    def rows(self, chosen: npt.NDArray[np.intp]) -> _Problem:
        """The same for some of the rows."""
        part = object.__new__(_Problem)
        part.columns = self.columns
        for name in ("values", "measured", "below", "above", "censored", "sign", "count"):
            setattr(part, name, getattr(self, name)[chosen])
        return part

    def height(self, parameters: Array) -> Array:
        """(R,) log likelihood; minus infinity outside sigma > 0."""
        theta = parameters[:, -1]
        z = theta[:, None] * self.values - parameters[:, :-1] @ self.columns.T
        with np.errstate(divide="ignore", invalid="ignore"):
            total = self.count * (np.log(theta) - _LOG_ROOT_2PI)
        total = total - 0.5 * np.where(self.measured, z * z, 0.0).sum(axis=1)
        total = total + np.where(self.censored, special.log_ndtr(self.sign * z), 0.0).sum(axis=1)
        return np.where(theta > 0, total, -np.inf)

    def derivatives(self, parameters: Array) -> tuple[Array, Array]:
        """(R, K+1) gradient and (R, K+1, K+1) negative second derivatives."""
        theta = parameters[:, -1]
        z = theta[:, None] * self.values - parameters[:, :-1] @ self.columns.T
        signed = self.sign * z
        mills = np.exp(-0.5 * signed * signed - _LOG_ROOT_2PI - special.log_ndtr(signed))
        slope = np.where(self.measured, -z, np.where(self.censored, self.sign * mills, 0.0))
        weight = np.where(self.measured, 1.0, np.where(self.censored, mills * (signed + mills), 0.0))
        gradient = np.column_stack([-(slope @ self.columns), (slope * self.values).sum(axis=1) + self.count / theta])
        k = self.columns.shape[1]
        pairs = (self.columns[:, :, None] * self.columns[:, None, :]).reshape(len(self.columns), -1)
        curvature = np.empty((len(theta), k + 1, k + 1))
        curvature[:, :k, :k] = (weight @ pairs).reshape(-1, k, k)
        curvature[:, :k, k] = curvature[:, k, :k] = -((weight * self.values) @ self.columns)
        curvature[:, k, k] = (weight * self.values**2).sum(axis=1) + self.count / theta**2
        return gradient, curvature


def _newton(problem: _Problem) -> tuple[Array, Array]:
    """Parameters and log likelihood at the maximum of each row; steps are halved while they do not climb."""
    size, k = len(problem.values), problem.columns.shape[1]
    parameters = np.zeros((size, k + 1))
    parameters[:, -1] = 1.0
    height = problem.height(parameters)
    active = np.arange(size)
    for _ in range(_MOST_STEPS):
        part = problem.rows(active)
        current = parameters[active]
        gradient, curvature = part.derivatives(current)
        # Where a coefficient runs away its curvature vanishes: a trace of the identity keeps the step finite.
        step = np.linalg.solve(curvature + 1e-10 * np.eye(k + 1), gradient[:, :, None])[:, :, 0]
        gain = (step * gradient).sum(axis=1)
        length = np.ones(len(active))
        proposed = current + step
        new = part.height(proposed)
        for _ in range(40):
            short = ~(new >= height[active] + 1e-4 * length * gain - 1e-12)
            if not short.any():
                break
            length[short] /= 2
            proposed[short] = current[short] + length[short, None] * step[short]
            new[short] = part.rows(np.flatnonzero(short)).height(proposed[short])
        better = new >= height[active]
        parameters[active] = np.where(better[:, None], proposed, current)
        height[active] = np.where(better, new, height[active])
        active = active[(gain > _CONVERGED) & better]
        if not active.size:
            break
    return parameters, height
