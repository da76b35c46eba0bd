"""How alike two signatures are: scores over the proteins they share, many pairs at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["SCORES", "Score", "ordinal_ranks"]


@dataclass(frozen=True)
class Score:
    """One score.

    Parameters
    ----------
    name
        As in the tables.
    description
        One line for a reader.
    compute
        ``compute(a, b) -> (n,)`` for (n, proteins) arrays of two signatures, row by row.
    is_correlation
        Fisher's z applies to it.
    neutral
        Its value where the signatures have nothing to do with each other.
    """

    name: str
    description: str
    compute: Callable[[Matrix, Matrix], Matrix]
    is_correlation: bool = True
    neutral: float = 0.0

    def sized(self, values: Matrix, *permuted: Matrix) -> Matrix:
        """(n,) test statistic: scores' distance from neutral times the lengths of the signatures that are permuted.

        A score that does not depend on size meets a true signature again in every permutation, at any size; with its
        length the test stays exact and keeps its power.
        """
        result = values - self.neutral
        for each in permuted:
            result = result * np.linalg.norm(each, axis=1)
        return result


def ordinal_ranks(values: Matrix) -> Matrix:
    """Ranks within each row; equal values (rare in log2 fold changes) in any order.

    Examples
    --------
    >>> ordinal_ranks(np.array([[0.3, -1.0, 0.5]])).tolist()
    [[1.0, 0.0, 2.0]]
    """
    ranks = np.empty(values.shape, dtype=np.float64)
    np.put_along_axis(ranks, np.argsort(values, axis=1), np.arange(values.shape[1], dtype=float), axis=1)
    return ranks


def _cosine(a: Matrix, b: Matrix) -> Matrix:
    length = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Matrix = (a * b).sum(axis=1) / length
    return found


def _pearson(a: Matrix, b: Matrix) -> Matrix:
    return _cosine(a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True))


def _spearman(a: Matrix, b: Matrix) -> Matrix:
    return _pearson(ordinal_ranks(a), ordinal_ranks(b))


def _concordance(a: Matrix, b: Matrix) -> Matrix:
    found: Matrix = (np.sign(a) == np.sign(b)).mean(axis=1)
    return found


#: Scores by name. No p over proteins: they move together, so proteins are not independent observations.
SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score("spearman", "rank correlation of the log2 fold changes", _spearman),
        Score("pearson", "correlation of the log2 fold changes", _pearson),
        Score("cosine", "correlation about zero: a common shift of all proteins counts", _cosine),
        Score(
            "sign_concordance",
            "share of proteins that move the same way",
            _concordance,
            is_correlation=False,
            neutral=0.5,
        ),
    )
}
