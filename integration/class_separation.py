"""Do predictions tell susceptible from resilient mice: AUC over pairs of mice of one cohort, interval, permutation p.

No second model: the continuous prediction is put into the order of the class rule. A model of the classes would throw
away how far each mouse is from the cut, and with it power.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Texts = NDArray[np.object_]

__all__ = ["ClassSeparation", "class_separation", "pair_auc"]


@dataclass(frozen=True, kw_only=True)
class ClassSeparation:
    """Result of :func:`class_separation`; intervals are 95 %.

    Parameters
    ----------
    n_susceptible, n_resilient, n_cohorts, n_pairs
        Mice of cohorts that have both classes, these cohorts, and pairs of mice within them.
    n_unpaired
        Classed mice whose cohort has one class only; they are in no pair.
    auc, auc_low, auc_high
        With serum and baseline: share of pairs in which the resilient mouse has the higher score; a tie counts half.
    baseline_auc, baseline_low, baseline_high
        With the baseline alone.
    gain, gain_low, gain_high
        The first minus the second.
    p
        Share of permutations with a gain at least as high.
    """

    n_susceptible: int
    n_resilient: int
    n_cohorts: int
    n_pairs: int
    n_unpaired: int
    auc: float
    auc_low: float
    auc_high: float
    baseline_auc: float
    baseline_low: float
    baseline_high: float
    gain: float
    gain_low: float
    gain_high: float
    p: float


def pair_auc(scores: Matrix, *, classes: Texts, cohorts: Texts) -> Matrix:
    """Share of susceptible-resilient pairs of one cohort in which the resilient mouse scores higher; a tie is half.

    Parameters
    ----------
    scores
        (mice, columns).
    classes
        ``SUS``, ``RES``; mice of any other class are in no pair.
    cohorts
        Cohort of each mouse; pairs across cohorts are not counted, so levels of cohorts do not matter.

    Returns
    -------
    numpy.ndarray
        One AUC a column (Mann-Whitney U over pairs); NaN without a pair.

    Examples
    --------
    >>> classes, cohorts = np.array(["SUS", "RES", "RES", "SUS"], object), np.array(["a", "a", "b", "b"], object)
    >>> pair_auc(np.array([[1.0], [2.0], [-50.0], [-50.0]]), classes=classes, cohorts=cohorts).tolist()
    [0.75]
    """
    won, pairs = np.zeros(scores.shape[1]), 0
    for level in sorted(set(cohorts)):
        kernel = _kernel(scores, classes, cohorts == level)
        won += kernel.sum(axis=(0, 1))
        pairs += kernel.shape[0] * kernel.shape[1]
    result: Matrix = won / pairs if pairs else np.full(scores.shape[1], np.nan)
    return result


def class_separation(
    by_baseline: Matrix,
    by_serum: Matrix,
    exchanged: Matrix,
    *,
    classes: Texts,
    cohorts: Texts,
    min_per_class: int = 8,
    n_bootstrap: int = 2000,
    rng: np.random.Generator,
) -> ClassSeparation:
    """How well scores of mice in unseen cohorts separate the classes, with serum and without.

    Parameters
    ----------
    by_baseline
        (mice,) score from the baseline alone, of a model that has not seen the mouse's cohort; high = resilient.
    by_serum
        (mice,) what serum adds to it.
    exchanged
        (mice, permutations) what serum adds in each permutation: serum of another mouse of the cohort, models of the
        permuted outcome.
    classes, cohorts
        As in :func:`pair_auc`.
    min_per_class
        Least susceptible and resilient mice, counted in cohorts that have both.
    n_bootstrap, rng
        For the intervals: mice drawn anew within cohort, the models and scores stay as they are.

    Raises
    ------
    RefusedError
        With fewer mice of a class than ``min_per_class``.

    Notes
    -----
    AUC as Mann-Whitney U over pairs (Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747), pairs within cohort
    only, each pair of equal weight.
    """
    classed = np.isin(classes, ["SUS", "RES"])
    both = [level for level in sorted(set(cohorts[classed])) if len(set(classes[classed & (cohorts == level)])) == 2]
    paired = classed & np.isin(cohorts, both)
    n_sus, n_res = (int((classes[paired] == name).sum()) for name in ("SUS", "RES"))
    if min(n_sus, n_res) < min_per_class:
        raise RefusedError(
            "too few mice of a class to say how well they are separated (pairs within a cohort are counted)",
            found=f"{n_sus} susceptible and {n_res} resilient in {len(both)} cohorts with both classes",
            expected=f"{min_per_class} of each",
        )
    own, groups = classes[paired], cohorts[paired]
    scores = np.column_stack([by_baseline + by_serum, by_baseline])[paired]
    auc, alone = pair_auc(scores, classes=own, cohorts=groups).tolist()
    null = pair_auc((by_baseline[:, None] + exchanged)[paired], classes=own, cohorts=groups)
    drawn = _drawn_aucs(scores, own, groups, n_bootstrap, rng)
    drawn = np.column_stack([drawn, drawn[:, 0] - drawn[:, 1]])
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0).tolist()
    return ClassSeparation(
        n_susceptible=n_sus, n_resilient=n_res, n_cohorts=len(both), n_unpaired=int((classed & ~paired).sum()),
        n_pairs=sum(int((own[groups == level] == "SUS").sum() * (own[groups == level] == "RES").sum())
                    for level in both),
        auc=auc, auc_low=low[0], auc_high=high[0], baseline_auc=alone, baseline_low=low[1], baseline_high=high[1],
        gain=auc - alone, gain_low=low[2], gain_high=high[2],
        p=float((np.sum(null >= auc - 1e-12) + 1) / (len(null) + 1)),
    )  # fmt: skip


def _kernel(scores: Matrix, classes: Texts, own: NDArray[np.bool_]) -> Matrix:
    """(susceptible, resilient, columns): 1 where the resilient mouse scores higher, 0.5 at a tie."""
    low, high = scores[own & (classes == "SUS")][:, None], scores[own & (classes == "RES")][None]
    # Scores that differ by rounding alone are a tie: without a baseline they are zero, and not all the same zero.
    close = 1e-9 * max(float(np.abs(scores).max(initial=0.0)), 1e-300)
    result: Matrix = np.where(np.abs(high - low) <= close, 0.5, (high > low).astype(np.float64))
    return result


def _drawn_aucs(scores: Matrix, classes: Texts, cohorts: Texts, count: int, rng: np.random.Generator) -> Matrix:
    """(draws, columns): AUC with mice drawn anew within cohort; NaN for a draw without a pair."""
    won, pairs = np.zeros((count, scores.shape[1])), np.zeros(count)
    for level in sorted(set(cohorts)):
        own = cohorts == level
        times = rng.multinomial(int(own.sum()), np.full(int(own.sum()), 1 / own.sum()), size=count)
        low, high = (times[:, classes[own] == name].astype(np.float64) for name in ("SUS", "RES"))
        kernel = _kernel(scores, classes, own)
        for column in range(scores.shape[1]):
            won[:, column] += ((low @ kernel[:, :, column]) * high).sum(axis=1)
        pairs += low.sum(axis=1) * high.sum(axis=1)
    result: Matrix = np.full(won.shape, np.nan)
    np.divide(won, pairs[:, None], out=result, where=pairs[:, None] > 0)
    return result
