"""What set tests need of the data: each protein's effect along the contrast, and its residual effects.

The samples are rotated so that the first axis carries the contrast alone and the others carry residuals alone; under
the null all are alike, so that rotating them at random gives the null distribution with all correlations kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from core.errors import InputError, RefusedError
from proteomics.linear_model import fit_linear
from proteomics.moderated import STDEV_BOUNDS, effect_variance, posterior_variance
from proteomics.robust_variance_prior import robust_variance_prior
from proteomics.tails import t_two_sided
from proteomics.variance_prior import VariancePrior, variance_prior

__all__ = ["SetEffects", "null_share", "set_effects", "set_members", "t_as_normal"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SetEffects:
    """Effects of the proteins that were measured in every sample.

    Parameters
    ----------
    proteins
        (G,) their ids.
    incomplete
        Ids left out because a value is missing.
    along
        (G,) effect along the contrast; divided by a standard deviation it is t.
    residual
        (G, D) residual effects; their mean square is the residual variance.
    prior
        Of the residual variances.
    unscaled
        Standard error of the contrast divided by the residual standard deviation.
    """

    proteins: tuple[str, ...]
    incomplete: tuple[str, ...]
    along: Array
    residual: Array
    prior: VariancePrior
    unscaled: float

    @property
    def variance(self) -> Array:
        """(G,) residual variances."""
        return np.asarray(np.mean(self.residual**2, axis=1))

    @property
    def posterior(self) -> Array:
        """(G,) squeezed residual variances."""
        df = np.full(len(self.along), float(self.residual.shape[1]))
        return posterior_variance(self.variance, df, self.prior)

    @property
    def df_total(self) -> float:
        """Degrees of freedom of the moderated t, without a robust prior's exceptions."""
        df = self.residual.shape[1]
        return float(min(df + self.prior.common_df, len(self.along) * df))

    @property
    def t(self) -> Array:
        """(G,) moderated t."""
        return np.asarray(self.along / np.sqrt(self.posterior))

    def noise_share(self) -> Array:
        """(G,) factors that shrink each effect by how likely and how far it exceeds noise."""
        df = np.full(len(self.along), self.df_total)
        p = t_two_sided(self.t, df)
        different = 1 - null_share(p)
        if different <= 0:
            return np.ones(len(self.along))
        typical = float(np.median(self.prior.scale))
        bounds = (STDEV_BOUNDS[0] ** 2 / typical, STDEV_BOUNDS[1] ** 2 / typical)
        unit = np.full(len(self.along), self.unscaled)
        extra = effect_variance(self.t, unit, df, bounds, proportion=different)
        extra = 1 / typical if np.isnan(extra) else extra
        ratio = 1 + extra / self.unscaled**2
        t2 = self.t**2
        kernel = (1 + df) / 2 * np.log((t2 + df) / (t2 / ratio + df))
        log_odds = np.log(different / (1 - different)) - np.log(ratio) / 2 + kernel
        likely = special.expit(log_odds)
        return np.asarray(np.sqrt(self.unscaled**2 / (self.unscaled**2 + extra * likely)))


def set_effects(
    matrix: npt.ArrayLike,
    design: npt.ArrayLike,
    contrast: int | Sequence[float],
    *,
    proteins: Sequence[str],
    trend: bool = False,
    robust: bool = False,
) -> SetEffects:
    """Rotate the samples of proteins that have every value.

    Parameters
    ----------
    matrix
        (G, N) proteins x samples. Proteins with a missing value are left out and listed.
    design
        (N, K).
    contrast
        Number of a coefficient, or K weights.
    proteins
        (G,) ids.
    trend, robust
        As in :func:`proteomics.moderated.moderate`.

    Raises
    ------
    RefusedError
        If fewer than three proteins are complete or the design is no design.
    """
    values = np.asarray(matrix, dtype=np.float64)
    columns = np.asarray(design, dtype=np.float64)
    complete = np.isfinite(values).all(axis=1)
    if complete.sum() < 3:
        raise RefusedError(
            "a set test needs proteins measured in every sample",
            found=f"{int(complete.sum())} of {len(values)}",
            expected="at least 3",
            remedy="leave out the samples that lack most values, or the proteins of a failed panel",
        )
    fit_linear(values[complete][:1], columns)  # refuses a design that cannot tell its columns apart
    last = _contrast_last(columns, contrast)
    basis, triangle = np.linalg.qr(last, mode="complete")
    count = columns.shape[1]
    effects = values[complete] @ basis[:, count - 1 :]
    along = effects[:, 0] * np.sign(triangle[count - 1, count - 1])
    residual = effects[:, 1:]
    variance = np.mean(residual**2, axis=1)
    df = np.full(len(variance), float(residual.shape[1]))
    covariate = values[complete].mean(axis=1) if trend else None
    prior = (robust_variance_prior if robust else variance_prior)(variance, df, covariate=covariate)
    return SetEffects(
        proteins=tuple(np.asarray(proteins, dtype=object)[complete]),
        incomplete=tuple(np.asarray(proteins, dtype=object)[~complete]),
        along=along,
        residual=residual,
        prior=prior,
        unscaled=float(1 / abs(triangle[count - 1, count - 1])),
    )


def _contrast_last(columns: Array, contrast: int | Sequence[float]) -> Array:
    """The same model with a last coefficient that is the contrast."""
    if isinstance(contrast, (int, np.integer)):
        weights = np.zeros(columns.shape[1])
        weights[contrast] = 1.0
    else:
        weights = np.asarray(contrast, dtype=np.float64)
    if weights.shape != (columns.shape[1],) or not weights.any():
        raise ValueError(f"contrast of {weights.size} weights for {columns.shape[1]} coefficients")
    others = np.linalg.svd(weights[None, :])[2][1:].T
    return np.asarray(columns @ np.column_stack([others, weights / (weights @ weights)]))


def null_share(p: Array) -> float:
    """Share of proteins without a difference: mean of the ratios p / expected p, the larger p counting more.

    Examples
    --------
    >>> round(null_share(np.arange(1, 101) / 100), 2), round(null_share(np.full(100, 1e-9)), 2)
    (1.0, 0.0)
    """
    size = len(p)
    rank = np.arange(1, size + 1)
    ratio = np.minimum(np.sort(p) * size / rank, 1.0)
    return float((rank * ratio).sum() * 2 / (size * (size + 1)))


def set_members(effects: SetEffects, sets: Mapping[str, Sequence[str]]) -> dict[str, npt.NDArray[np.intp]]:
    """Rows of each set's members among the complete proteins.

    Raises
    ------
    InputError
        If a set holds a protein twice, or none of its members is among the proteins.
    """
    place = {protein: row for row, protein in enumerate(effects.proteins)}
    found = {}
    for name, members in sets.items():
        if len(set(members)) < len(members):
            raise InputError(f"set {name} holds a protein twice")
        rows = [place[protein] for protein in members if protein in place]
        if not rows:
            raise InputError(f"set {name} has no member that was measured in every sample")
        found[name] = np.array(rows, dtype=np.intp)
    return found


def t_as_normal(t: npt.ArrayLike, df: npt.ArrayLike) -> Array:
    """Normal deviate of nearly the same tail area, by Bailey's transformation (1980, doi:10.2307/2346903).

    Examples
    --------
    >>> t_as_normal([2.228, -2.228], 10.0).round(3).tolist()
    [1.96, -1.96]
    """
    t = np.asarray(t, dtype=np.float64)
    df = np.asarray(df, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        z = (df + 1 / 8) / (df + 9 / 8) * np.sqrt((df + 19 / 12) * np.log1p(t * t / (df + 1 / 12)))
    return np.where(np.isinf(df), t, np.sign(t) * z)
