"""Competitive set test: do a set's proteins differ more than the rest, their correlation taken into account?

References
----------
.. [1] Wu, Smyth, 2012, doi:10.1093/nar/gks461.
.. [2] Barry, Nobel, Wright, 2008, doi:10.1214/07-AOAS146 (rank sums of correlated proteins).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from core.errors import RefusedError
from proteomics.set_effects import SetEffects, set_members
from proteomics.signature import false_discovery_q
from proteomics.tails import t_upper_log

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["camera", "camera_of_statistics"]

Array = npt.NDArray[np.float64]


def camera(
    effects: SetEffects,
    sets: Mapping[str, Sequence[str]],
    *,
    correlation: float | None = None,
    ranks: bool = False,
) -> pd.DataFrame:
    """Test each set against the other proteins.

    Parameters
    ----------
    effects
        From :func:`proteomics.set_effects.set_effects`.
    sets
        Set name -> protein ids.
    correlation
        Mean correlation between the proteins of a set; estimated from the residuals by default. A preset value such
        as limma's 0.01 is made for genome-wide data and too small for cytokine panels.
    ranks
        Compare ranks of t instead of t.

    Returns
    -------
    DataFrame
        ``set, n_proteins, correlation, direction, p, q``.

    Raises
    ------
    RefusedError
        If a set leaves fewer than two proteins to compare with.

    Notes
    -----
    Equal to limma's ``camera`` to 1e-6. A targeted panel is chosen to be immune, so its other proteins are an odd
    background: prefer a self-contained test there (:mod:`proteomics.roast`).

    Examples
    --------
    >>> from proteomics.set_effects import set_effects
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=(40, 12))
    >>> y[:8, 6:] += 1.5
    >>> names = [f"p{row}" for row in range(40)]
    >>> effects = set_effects(y, np.column_stack([np.ones(12), np.repeat([0, 1], 6)]), 1, proteins=names)
    >>> camera(effects, {"first": names[:8]})[["direction", "n_proteins"]].values.tolist()
    [['up', 8]]
    """
    direction = effects.residual / np.sqrt(np.maximum(effects.variance, 1e-8))[:, None]
    direction = direction / np.sqrt(effects.residual.shape[1])
    statistic = effects.t if ranks else _exactly_normal(effects.t, effects.df_total)
    size = len(statistic)
    df = float(min(effects.residual.shape[1], size - 2)) if correlation is None else (np.inf if ranks else size - 2.0)
    rows = []
    for name, members in set_members(effects, sets).items():
        count = len(members)
        if size - count < 2:
            raise RefusedError(f"set {name} leaves too few other proteins to compare with", found=str(size - count),
                               expected="at least 2")  # fmt: skip
        own = correlation
        if own is None:
            own = _mean_correlation(direction[members]) if count > 1 else np.nan
        used = 0.0 if np.isnan(own) else max(0.0, own) if correlation is None else own
        test = _rank_sum if ranks else _mean_difference
        rows.append((name, count, own, *test(statistic, members, used, df)))
    return _table(rows)


def camera_of_statistics(
    statistics: Mapping[str, float],
    sets: Mapping[str, Sequence[str]],
    *,
    correlation: float = 0.01,
    ranks: bool = False,
) -> pd.DataFrame:
    """The same from ready statistics (protein -> t) at a preset correlation, when the data are not at hand.

    Examples
    --------
    >>> table = camera_of_statistics({"a": 3.0, "b": 2.5, "c": 0.1, "d": -0.3, "e": 0.2}, {"s": ["a", "b"]})
    >>> table["direction"].tolist()
    ['up']
    """
    known = {protein: value for protein, value in statistics.items() if np.isfinite(value)}
    values = np.fromiter(known.values(), dtype=np.float64)
    place = {protein: row for row, protein in enumerate(known)}
    test = _rank_sum if ranks else _mean_difference
    rows = []
    for name, given in sets.items():
        members = np.array([place[protein] for protein in given if protein in place], dtype=np.intp)
        if not members.size or values.size - members.size < 2:
            raise RefusedError(f"set {name} has no member, or leaves too few proteins to compare with",
                               found=f"{members.size} members, {values.size - members.size} others",
                               expected="at least 1 and 2")  # fmt: skip
        df = np.inf if ranks else values.size - 2.0
        rows.append((name, members.size, correlation, *test(values, members, correlation, df)))
    return _table(rows)


def _exactly_normal(t: Array, df: float) -> Array:
    """Normal deviates of exactly the same tail areas."""
    return np.asarray(-np.sign(t) * special.ndtri_exp(t_upper_log(np.abs(t), df)))


def _mean_correlation(direction: Array) -> float:
    """Mean correlation of the members' residuals, from how long the sum of their unit vectors is."""
    count = len(direction)
    inflation = count * float((direction.mean(axis=0) ** 2).sum())
    return (inflation - 1) / (count - 1)


def _mean_difference(
    statistic: Array, members: npt.NDArray[np.intp], correlation: float, df: float
) -> tuple[str, float]:
    size, count = len(statistic), len(members)
    rest = size - count
    inflation = 1 + (count - 1) * correlation
    shift = size / rest * (statistic[members].mean() - statistic.mean())
    pooled = ((size - 1) * statistic.var(ddof=1) - shift**2 * count * rest / size) / (size - 2)
    t = shift / np.sqrt(pooled * (inflation / count + 1 / rest))
    upper, lower = float(stats.t.sf(t, df)), float(stats.t.cdf(t, df))
    return ("up" if upper < lower else "down"), 2 * min(upper, lower)


def _rank_sum(statistic: Array, members: npt.NDArray[np.intp], correlation: float, df: float) -> tuple[str, float]:
    """Rank sum whose variance holds the correlation of the members (arcsine formulas for normal variables)."""
    size, count = len(statistic), len(members)
    rest = size - count
    rank = stats.rankdata(statistic)
    u = count * rest + count * (count + 1) / 2 - rank[members].sum()
    if correlation == 0 or count == 1:
        variance = count * rest * (size + 1) / 12
    else:
        variance = (
            count
            * rest
            / (2 * np.pi)
            * (
                np.arcsin(1.0)
                + np.arcsin(0.5) * (rest - 1)
                + np.arcsin(correlation / 2) * (count - 1) * (rest - 1)
                + np.arcsin((correlation + 1) / 2) * (count - 1)
            )
        )
    _, ties = np.unique(rank, return_counts=True)
    variance *= 1 - float((ties * (ties + 1.0) * (ties - 1.0)).sum()) / (size * (size + 1.0) * (size - 1.0))
    centre, spread = count * rest / 2, np.sqrt(variance)
    down = float(stats.t.sf((u - 0.5 - centre) / spread, df))
    up = float(stats.t.cdf((u + 0.5 - centre) / spread, df))
    return ("up" if up < down else "down"), min(1.0, 2 * min(up, down))


def _table(rows: list[tuple[str, int, float, str, float]]) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(rows, columns=["set", "n_proteins", "correlation", "direction", "p"])
    table["q"] = false_discovery_q(table["p"].to_numpy())
    return table
