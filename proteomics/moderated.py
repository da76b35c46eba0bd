"""Moderated t, F and log odds: residual variances squeezed towards what all proteins together say.

References
----------
.. [1] Smyth, 2004, doi:10.2202/1544-6115.1027.
.. [2] Phipson et al., 2016, doi:10.1214/16-AOAS920 (robust).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from proteomics.linear_model import LinearFit
from proteomics.robust_variance_prior import robust_variance_prior
from proteomics.tails import f_upper_log, t_from_upper_log, t_two_sided, t_upper_log
from proteomics.variance_prior import VariancePrior, variance_prior

__all__ = ["FTest", "ModeratedFit", "effect_variance", "f_test", "moderate", "posterior_variance"]

Array = npt.NDArray[np.float64]

#: Share of proteins assumed to differ, in the log odds only; p values do not depend on it.
PROPORTION = 0.01
#: Bounds of the standard deviation of true differences, in the log odds only.
STDEV_BOUNDS = (0.1, 4.0)
# Above this many degrees of freedom the prior is as good as certain, and t as good as normal.
_MANY_DF = 1e6


@dataclass(frozen=True, kw_only=True)
class ModeratedFit:
    """Moderated statistics of G proteins and K coefficients.

    Parameters
    ----------
    fit
        The least-squares fits.
    prior
        Prior variance and its degrees of freedom.
    s2_post
        (G,) posterior residual variances.
    df_total
        (G,) degrees of freedom of t.
    t
        (G, K) coefficient / (unscaled standard deviation x posterior standard deviation).
    """

    fit: LinearFit
    prior: VariancePrior
    s2_post: Array
    df_total: Array
    t: Array

    @cached_property
    def p(self) -> Array:
        """(G, K) two-sided p values."""
        return t_two_sided(self.t, self.df_total[:, None])

    @property
    def se(self) -> Array:
        """(G, K) moderated standard errors."""
        return np.asarray(self.fit.stdev_unscaled * np.sqrt(self.s2_post)[:, None])

    @cached_property
    def effect_variance(self) -> Array:
        """(K,) variance of true differences in units of the residual variance, from the largest t values."""
        typical = float(np.nanmedian(self.prior.scale))
        bounds = (STDEV_BOUNDS[0] ** 2 / typical, STDEV_BOUNDS[1] ** 2 / typical)
        unscaled = self.fit.stdev_unscaled
        found = [effect_variance(self.t[:, k], unscaled[:, k], self.df_total, bounds) for k in range(unscaled.shape[1])]
        return np.array([1 / typical if np.isnan(value) else value for value in found])

    @cached_property
    def log_odds(self) -> Array:
        """(G, K) log odds (base e) that the coefficient is not zero; limma's B."""
        variance = self.fit.stdev_unscaled**2
        ratio = (variance + self.effect_variance) / variance
        t2 = self.t**2
        df = self.df_total[:, None]
        with np.errstate(invalid="ignore", over="ignore"):
            kernel = (1 + df) / 2 * np.log((t2 + df) / (t2 / ratio + df))
        normal = (self.prior.df > _MANY_DF)[:, None]
        kernel = np.where(normal, t2 * (1 - 1 / ratio) / 2, kernel)
        return np.asarray(np.log(PROPORTION / (1 - PROPORTION)) - np.log(ratio) / 2 + kernel)


def moderate(fit: LinearFit, *, trend: bool = False, robust: bool = False) -> ModeratedFit:
    """Squeeze the residual variances and test every coefficient.

    Parameters
    ----------
    fit
        From :func:`proteomics.linear_model.fit_linear` or :func:`proteomics.contrasts.contrasts`.
    trend
        Prior variance as a smooth curve over the average abundance.
    robust
        Proteins that vary far more than the others keep more of their own variance.

    Notes
    -----
    Proteins without a residual degree of freedom are tested with the prior variance alone. Equal to limma's
    ``eBayes`` to 1e-9 (robust: 1e-6).

    Examples
    --------
    >>> from proteomics.linear_model import fit_linear
    >>> y = np.random.default_rng(0).normal(size=(200, 8))
    >>> result = moderate(fit_linear(y, np.column_stack([np.ones(8), np.repeat([0, 1], 4)])))
    >>> result.p.shape, bool(result.df_total[0] > 6)
    ((200, 2), True)
    """
    with np.errstate(invalid="ignore"):
        variance = np.where(fit.df_residual > 0, fit.sigma**2, np.nan)
    covariate = fit.average if trend else None
    estimate = robust_variance_prior if robust else variance_prior
    prior = estimate(variance, fit.df_residual, covariate=covariate)
    s2_post = posterior_variance(variance, fit.df_residual, prior)
    df_total = np.minimum(fit.df_residual + prior.df, fit.df_residual.sum())
    t = fit.coefficients / fit.stdev_unscaled / np.sqrt(s2_post)[:, None]
    return ModeratedFit(fit=fit, prior=prior, s2_post=s2_post, df_total=df_total, t=t)


def posterior_variance(variance: Array, df: Array, prior: VariancePrior) -> Array:
    """Weighted mean of own and prior variance, the weights being their degrees of freedom."""
    own = np.where(df > 0, variance, 0.0)
    with np.errstate(invalid="ignore"):
        post = (df * own + prior.df * prior.scale) / (df + prior.df)
    return np.where(np.isinf(prior.df), prior.scale, post)


def effect_variance(
    t: Array, unscaled: Array, df: Array, bounds: tuple[float, float], *, proportion: float = PROPORTION
) -> float:
    """Matches the largest t values to their expected quantiles in a mixture of null and real differences.

    Smyth 2004, section 6.3: the r-th largest |t| of the whole is set against the quantile that it would have if a
    share of the proteins differed; the surplus in spread over the null is the variance sought.
    """
    known = np.flatnonzero(np.isfinite(t))
    count = len(known)
    target = int(np.ceil(proportion / 2 * count))
    if target < 1:
        return np.nan
    share = max(target / count, proportion)
    most = float(df[known].max())
    size, own_df = np.abs(t[known]), df[known]
    if (own_df < most).any():
        log_tail = t_upper_log(size, own_df)
        top = np.argsort(log_tail, kind="stable")[:target]
        # Different df: the same tail area, read at the largest df.
        largest = np.where(own_df[top] < most, t_from_upper_log(log_tail[top], most), size[top])
    else:
        top = np.argsort(-size, kind="stable")[:target]
        largest = size[top]
    null_area = t_two_sided(largest, most)
    wanted = ((np.arange(1, target + 1) - 0.5) / count - (1 - share) * null_area) / share
    variance = np.zeros(target)
    above = wanted > null_area
    if above.any():
        quantile = t_from_upper_log(np.log(wanted[above] / 2), most)
        variance[above] = unscaled[known[top]][above] ** 2 * ((largest[above] / quantile) ** 2 - 1)
    return float(np.clip(variance, *bounds).mean())


@dataclass(frozen=True, kw_only=True)
class FTest:
    """Moderated F of several coefficients together: (G,) statistic and p value, their degrees of freedom."""

    f: Array
    p: Array
    df1: int
    df2: Array


def f_test(result: ModeratedFit, coefficients: Sequence[int] | None = None, *, covariance: str = "protein") -> FTest:
    """Test that several coefficients are all zero.

    Parameters
    ----------
    result
        From :func:`moderate`.
    coefficients
        Their column numbers; all by default.
    covariance
        ``"protein"``: each protein's own covariance of the coefficients. ``"design"``: that of a protein measured in
        every sample for all, which is what limma does and which is an approximation where values are missing.

    Examples
    --------
    >>> from proteomics.linear_model import fit_linear
    >>> y = np.random.default_rng(0).normal(size=(50, 9))
    >>> x = np.column_stack([np.ones(9), np.repeat([0, 1, 0], 3), np.repeat([0, 0, 1], 3)])
    >>> f_test(moderate(fit_linear(y, x)), [1, 2]).df1
    2
    """
    chosen = np.arange(result.t.shape[1]) if coefficients is None else np.asarray(coefficients, dtype=np.intp)
    t = result.t[:, chosen]
    if covariance == "design":
        matrix = result.fit.design_covariance[np.ix_(chosen, chosen)][None]
    elif covariance == "protein":
        matrix = result.fit.covariance[:, chosen[:, None], chosen]
    else:
        raise ValueError(f"covariance {covariance!r}: 'protein' or 'design'")
    known = np.isfinite(t).all(axis=1)
    matrix = matrix[known] if len(matrix) == len(t) else matrix
    root = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
    values, vectors = np.linalg.eigh(matrix / (root[:, :, None] * root[:, None, :]))
    # Contrasts that coincide add no degree of freedom; the design's rank is the same for every protein.
    independent = values > 1e-8 * values[:, -1:]
    df1 = int(independent.sum(axis=1).min(initial=chosen.size))
    along = (t[known][:, None, :] @ vectors)[:, 0]
    f = np.full(len(t), np.nan)
    f[known] = np.where(independent, along**2 / np.where(independent, values, 1.0), 0.0).sum(axis=1) / df1
    p = np.full(len(t), np.nan)
    p[known] = np.exp(f_upper_log(f[known], df1, result.df_total[known]))
    return FTest(f=f, p=p, df1=df1, df2=result.df_total)
