"""One number for a set of proteins in each sample: mean z, first principal component, singscore, ssGSEA, GSVA.

Mean z and the principal component compare each protein with the reference samples. The other three rank the proteins
within each sample, so they depend on what else is on the panel: their values are compared between samples of one
panel, never across panels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["METHODS", "Levels", "ScoreMethod", "SetScore"]

Array = npt.NDArray[np.float64]

#: Exponent of the ranks in ssGSEA.
_ALPHA = 0.25
#: Bandwidth of GSVA's kernel: SD of the protein divided by this.
_BANDWIDTHS_PER_SD = 4.0


@dataclass(frozen=True, kw_only=True)
class Levels:
    """What scores are made from.

    Parameters
    ----------
    values
        (N, P) samples x proteins, log2; NaN = not measured.
    z
        (N, P) the same, centred and scaled by the reference samples; NaN also where a protein has no spread there.
    """

    values: Array
    z: Array

    @cached_property
    def measured(self) -> npt.NDArray[np.bool_]:
        """(N, P) where there is a number."""
        return np.isfinite(self.values)

    @cached_property
    def lowest_ranks(self) -> Array:
        """(N, P) ranks within each sample, the lowest protein 1, ties the lowest rank; NaN = not measured."""
        return _ranks(self.values, "min")

    @cached_property
    def mean_ranks(self) -> Array:
        """(N, P) the same, ties the mean rank."""
        return _ranks(self.values, "average")

    @cached_property
    def cumulative(self) -> Array:
        """(N, P) share of the samples that lie below, smoothed by a Gaussian kernel for each protein."""
        return _kernel_share(self.values)


@dataclass(frozen=True, kw_only=True)
class SetScore:
    """Scores of one set.

    Parameters
    ----------
    score
        (N,) NaN where there is none.
    count
        (N,) members measured in the sample.
    reason
        Why a sample with enough members has none.
    variance_share
        Of the first principal component; NaN for other methods.
    """

    score: Array
    count: npt.NDArray[np.int64]
    reason: str = ""
    variance_share: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class ScoreMethod:
    """A way to score a set.

    Parameters
    ----------
    description
        One line.
    score
        ``score(levels, columns, signs) -> SetScore`` of the members at ``columns``, each with its direction.
    ranks
        Proteins are ranked within a sample, so others beside the members are needed.
    skew
        Th2 minus Th1 is defined by it.
    reference
        Where it is described (DOI).
    """

    description: str
    score: Callable[[Levels, npt.NDArray[np.intp], Array], SetScore]
    ranks: bool = False
    skew: bool = False
    reference: str = ""


def _ranks(values: Array, ties: str) -> Array:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, method=ties, axis=1, nan_policy="omit"), dtype=np.float64)


def _kernel_share(values: Array) -> Array:
    from scipy.special import ndtr

    share = np.full(values.shape, np.nan)
    for column in range(values.shape[1]):
        known = np.isfinite(values[:, column])
        one = values[known, column]
        if one.size < 2:
            continue
        width = one.std(ddof=1) / _BANDWIDTHS_PER_SD
        # A protein without spread tells the samples nothing: each lies in the middle.
        steps = (one[:, None] - one[None, :]) / width if width > 0 else np.zeros((one.size, one.size))
        share[known, column] = ndtr(steps).mean(axis=1)
    return share


def mean_z(levels: Levels, columns: npt.NDArray[np.intp], signs: Array) -> SetScore:
    """Mean of the members' z, each taken with its direction."""
    z = levels.z[:, columns] * signs
    count = np.isfinite(z).sum(axis=1)
    with np.errstate(invalid="ignore"):
        score = np.where(count > 0, np.nansum(z, axis=1) / np.maximum(count, 1), np.nan)
    return SetScore(score=score, count=count)


def first_component(levels: Levels, columns: npt.NDArray[np.intp], signs: Array) -> SetScore:
    """First principal component of the members' z over all samples that have all members.

    Loadings of unit length from the covariance of z; zero is the mean of the reference samples. The sign is that of
    the correlation with the members' mean z.
    """
    z = levels.z[:, columns]
    count = np.isfinite(z).sum(axis=1)
    whole = count == len(columns)
    empty = np.full(len(z), np.nan)
    reason = f"the first principal component needs all {len(columns)} members"
    if whole.sum() < 3:
        return SetScore(score=empty, count=count, reason=f"{reason} in at least 3 samples")
    variances, loadings = np.linalg.eigh(np.cov(z[whole], rowvar=False))
    first = loadings[:, -1]
    first = first if first @ signs >= 0 else -first
    total = float(variances.sum())
    share = float(variances[-1] / total) if total > 0 else float("nan")
    return SetScore(score=np.where(whole, z @ first, np.nan), count=count, reason=reason, variance_share=share)


def singscore(levels: Levels, columns: npt.NDArray[np.intp], signs: Array) -> SetScore:
    """Mean rank of the members within the sample, between -0.5 (all lowest) and 0.5 (all highest).

    Members that go down enter with the sign reversed.
    """
    size = levels.measured.sum(axis=1)

    def one(members: npt.NDArray[np.intp]) -> Array:
        ranks = levels.lowest_ranks[:, members]
        count = np.isfinite(ranks).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((np.nansum(ranks, axis=1) / count - (count + 1) / 2) / (size - count) - 0.5)

    return _up_and_down(levels, columns, signs, one)


def single_sample_gsea(levels: Levels, columns: npt.NDArray[np.intp], signs: Array) -> SetScore:
    """Sum over the ranked proteins of the difference between the members' and the others' running sums.

    Steps of members are weighted by rank to the power of 0.25. Scores are not divided by their range over samples and
    sets, which would make one axis depend on which others were asked for.
    """

    def one(members: npt.NDArray[np.intp]) -> Array:
        return np.array([_rank_walk(row, members) for row in levels.mean_ranks])

    return _up_and_down(levels, columns, signs, one)


def _rank_walk(ranks: Array, members: npt.NDArray[np.intp]) -> float:
    known = np.isfinite(ranks)
    whole = np.floor(ranks[known])
    inside = np.isin(np.flatnonzero(known), members)
    size, count = inside.size, int(inside.sum())
    if not 0 < count < size:
        return float("nan")
    order = np.argsort(-whole, kind="stable")
    inside, weight = inside[order], whole[order] ** _ALPHA
    left = np.arange(size, 0, -1)
    return float((weight * left)[inside].sum() / weight[inside].sum() - left[~inside].sum() / (size - count))


def variation_analysis(levels: Levels, columns: npt.NDArray[np.intp], signs: Array) -> SetScore:
    """GSVA: each protein's place among the samples, ranked within the sample; highest plus lowest point of the walk."""

    def one(members: npt.NDArray[np.intp]) -> Array:
        return np.array([_deviation_walk(row, members) for row in levels.cumulative])

    return _up_and_down(levels, columns, signs, one)


def _deviation_walk(place: Array, members: npt.NDArray[np.intp]) -> float:
    known = np.isfinite(place)
    inside = np.isin(np.flatnonzero(known), members)
    size, count = inside.size, int(inside.sum())
    if not 0 < count < size:
        return float("nan")
    inside = inside[np.argsort(-place[known], kind="stable")]
    # The most extreme proteins at either end weigh most.
    weight = np.where(inside, np.abs(np.arange(size, 0, -1) - size / 2), 0.0)
    if weight.sum() == 0:
        return float("nan")
    walk = np.cumsum(weight / weight.sum() - ~inside / (size - count))
    return float(max(walk.max(), 0.0) + min(walk.min(), 0.0))


def _up_and_down(
    levels: Levels, columns: npt.NDArray[np.intp], signs: Array, one: Callable[[npt.NDArray[np.intp]], Array]
) -> SetScore:
    """Score of the members that go up less that of those that go down; no member on a side counts as none."""
    count = levels.measured[:, columns].sum(axis=1)
    total = np.zeros(len(levels.values))
    for sign in (1.0, -1.0):
        members = columns[signs == sign]
        if members.size:
            total += sign * one(members)
    # Without as many others as members a rank among them says nothing.
    background = levels.measured.sum(axis=1) - count
    score = np.where((count > 0) & (background >= count), total, np.nan)
    return SetScore(score=score, count=count, reason="fewer other proteins than members to rank them among")


#: Name on the command line -> how it scores.
METHODS: dict[str, ScoreMethod] = {
    "mean-z": ScoreMethod(description="mean z against the reference samples", score=mean_z, skew=True),
    "pc1": ScoreMethod(description="first principal component of z, sign of mean z", score=first_component),
    "singscore": ScoreMethod(
        description="mean rank within the sample",
        score=singscore,
        ranks=True,
        reference="doi:10.1186/s12859-018-2435-4",
    ),
    "ssgsea": ScoreMethod(
        description="single-sample gene set enrichment, not divided by its range",
        score=single_sample_gsea,
        ranks=True,
        reference="doi:10.1038/nature08460",
    ),
    "gsva": ScoreMethod(
        description="gene set variation analysis, Gaussian kernel",
        score=variation_analysis,
        ranks=True,
        reference="doi:10.1186/1471-2105-14-7",
    ),
}
