"""Scores of reversal: does a drug move proteins against the disease. Negative = reversal, for every score.

Each takes (n, proteins) disease and drug signatures, row by row, so that a thousand permutations are one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from integration.protein_variants import protein_variants
from integration.signature_scores import SCORES, Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["REVERSAL_SCORES", "ReversalQuestions", "percent_reversal", "top_proteins", "weighted_connectivity"]

#: Share of proteins taken as the disease's up and down sets, a quarter each side, but not fewer than this.
SET_SHARE = 0.25
MIN_SET = 5


def top_proteins(signature: Matrix, *, share: float = SET_SHARE) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Up and down set of each row: the proteins with the highest and the lowest values, of that sign.

    Examples
    --------
    >>> up, down = top_proteins(np.array([[3.0, 1.0, -2.0, 0.5]]), share=0.25)
    >>> up.tolist(), down.tolist()
    ([[True, False, False, False]], [[False, False, True, False]])
    """
    proteins = signature.shape[1]
    size = min(max(round(share * proteins), min(MIN_SET, proteins // 4)), proteins // 2)
    order = np.argsort(signature, axis=1)
    up, down = (np.zeros(signature.shape, dtype=bool) for _ in range(2))
    np.put_along_axis(down, order[:, :size], True, axis=1)
    np.put_along_axis(up, order[:, proteins - size :], True, axis=1)
    return up & (signature > 0), down & (signature < 0)


def _running_peak(members: NDArray[np.bool_], weights: Matrix) -> Matrix:
    """Largest deviation of the weighted running sum of each row, already in the order of the drug."""
    hits = members * weights
    with np.errstate(invalid="ignore", divide="ignore"):
        rise = np.cumsum(hits, axis=1) / hits.sum(axis=1, keepdims=True)
        fall = np.cumsum(~members, axis=1) / (~members).sum(axis=1, keepdims=True)
    walk = rise - fall
    high, low = walk.max(axis=1), walk.min(axis=1)
    peak: Matrix = np.where(high >= -low, high, low)
    return np.nan_to_num(peak)


def weighted_connectivity(disease: Matrix, drug: Matrix) -> Matrix:
    """Weighted connectivity score (WTCS): mean of the enrichment of the up set and minus that of the down set.

    0 where both sets are enriched on the same side (Subramanian 2017, doi:10.1016/j.cell.2017.10.049). Not normalised:
    the normalised score divides by a reference library's mean, which a few drugs cannot supply.

    Examples
    --------
    >>> disease = np.array([[2.0, 1.0, 0.1, -0.1, -1.0, -2.0, 0.0, 0.0]])
    >>> weighted_connectivity(disease, -disease).round(2).tolist()
    [-1.0]
    """
    up, down = top_proteins(disease)
    order = np.argsort(-drug, axis=1)
    weights = np.take_along_axis(np.abs(drug), order, axis=1)
    peaks = [_running_peak(np.take_along_axis(each, order, axis=1), weights) for each in (up, down)]
    score: Matrix = np.where(np.sign(peaks[0]) == np.sign(peaks[1]), 0.0, (peaks[0] - peaks[1]) / 2)
    return score


def _extreme_sum(disease: Matrix, drug: Matrix) -> Matrix:
    """XSum: the drug's most extreme values summed over the disease's up set, minus those over its down set.

    Cheng 2014, doi:10.1186/s13073-014-0095-1. Divided by the sum of the drug's extreme values, to lie in -1 to 1.
    """
    up, down = top_proteins(disease)
    drug_up, drug_down = top_proteins(drug)
    extreme = drug * (drug_up | drug_down)
    total = np.abs(extreme).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        score: Matrix = np.nan_to_num(((up * extreme).sum(axis=1) - (down * extreme).sum(axis=1)) / total)
    return score


def _discordance(disease: Matrix, drug: Matrix) -> Matrix:
    """Share of proteins that move the same way, among the disease's up and down sets, from -1 to 1."""
    up, down = top_proteins(disease)
    listed = up | down
    with np.errstate(invalid="ignore", divide="ignore"):
        same = (listed * np.sign(disease) * np.sign(drug)).sum(axis=1) / listed.sum(axis=1)
    result: Matrix = np.nan_to_num(same)
    return result


#: Scores by name. All are low when the drug moves proteins against the disease.
REVERSAL_SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        SCORES["spearman"],
        SCORES["cosine"],
        Score("sign_balance", "top proteins moved along minus those moved back, as a share", _discordance, False),
        Score("wtcs", "weighted connectivity score", weighted_connectivity, False),
        Score("xsum", "extreme sum, scaled to -1 to 1", _extreme_sum, False),
    )
}


def percent_reversal(
    disease: Matrix, drug: Matrix, disease_se: Matrix, *, clear: float = 3.0
) -> tuple[Matrix, float, float, int]:
    """Per protein ``100 * (1 - (after - healthy) / (before - healthy))``, where the disease is clearly there.

    Parameters
    ----------
    disease, drug, disease_se
        (proteins,) log2 disease minus healthy, after minus before, and the standard error of the first.
    clear
        Proteins whose disease difference is at least so many standard errors off zero.

    Returns
    -------
    tuple
        Percent per protein (NaN where the denominator is not clear), their median, their 10 % trimmed mean, their
        number.

    Examples
    --------
    >>> values, median, trimmed, n = percent_reversal(np.array([2.0, -1.0, 0.1]), np.array([-1.0, 1.0, 1.0]),
    ...                                               np.full(3, 0.2))
    >>> values.tolist(), median, n
    ([50.0, 100.0, nan], 75.0, 2)
    """
    from scipy import stats

    usable = np.abs(disease) >= clear * disease_se
    percent = np.full(disease.shape, np.nan)
    percent[usable] = -100 * drug[usable] / disease[usable]
    known = percent[usable]
    if not known.size:
        return percent, float("nan"), float("nan"), 0
    return percent, float(np.median(known)), float(stats.trim_mean(known, 0.1)), int(known.size)


@dataclass(frozen=True, kw_only=True)
class ReversalQuestions:
    """What is asked of a reversal, from samples or from tables alike.

    Parameters
    ----------
    scores
        Names in :data:`REVERSAL_SCORES`.
    without
        Variants beside all proteins: name and the proteins left out.
    il4r_drugs
        Drugs that block IL-4R alpha: shown also without IL4, IL13, IL4R.
    min_proteins
        Least proteins that disease and drugs have in common.
    """

    scores: tuple[str, ...] = tuple(REVERSAL_SCORES)
    without: tuple[tuple[str, tuple[str, ...]], ...] = ()
    il4r_drugs: tuple[str, ...] = ()
    min_proteins: int = 10

    def __post_init__(self) -> None:
        if unknown := [name for name in self.scores if name not in REVERSAL_SCORES]:
            raise ValueError(f"unknown score {unknown[0]!r}; known: {', '.join(REVERSAL_SCORES)}")
        if self.min_proteins < 10:
            raise ValueError(
                f"min_proteins is {self.min_proteins}; it must be 10 or more: with fewer these scores jump with every "
                "protein"
            )

    def variants(self, names: Sequence[str], drugs: Iterable[str]) -> list[tuple[str, list[str]]]:
        """Name and proteins of each set that the reversal is shown on; see :func:`protein_variants`."""
        return protein_variants(
            names, drugs, without=self.without, il4r_drugs=self.il4r_drugs, min_proteins=self.min_proteins
        )
