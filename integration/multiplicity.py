"""Two q values for every p: within the declared set, and over the whole panel; never one silently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

__all__ = ["add_q_values", "benjamini_hochberg"]


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """q values over the p that exist; NaN stays NaN and does not count.

    Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, float("nan"), 0.03]).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    from scipy import stats

    values = np.asarray(p, dtype=np.float64)
    q = np.full(values.shape, np.nan)
    known = np.isfinite(values)
    if known.any():
        q[known] = stats.false_discovery_control(values[known], method="bh")
    return q


def add_q_values(table: pd.DataFrame, *, family: Sequence[str]) -> pd.DataFrame:
    """The table with ``q_set`` and ``q_panel``.

    Both are computed within each family (one subset, outcome, method and kind of marker). ``q_set``: over the members
    of the declared set alone (``in_set``), NaN for others. ``q_panel``: over all markers of the family, the set
    included. Neither waits for the other. Axis scores are a family of their own: they are sums of the proteins and
    would count them twice.

    Parameters
    ----------
    table
        With columns ``p``, ``in_set`` and those of ``family``.
    family
        Columns that name the family.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"method": "ancova", "p": [0.01, 0.02, 0.9], "in_set": [True, False, True]})
    >>> add_q_values(rows, family=["method"])[["q_set", "q_panel"]].values.round(3).tolist()
    [[0.02, 0.03], [nan, 0.03], [0.9, 0.9]]
    """
    table = table.assign(q_set=np.nan, q_panel=np.nan)
    for _, part in table.groupby(list(family), sort=False):
        table.loc[part.index, "q_panel"] = benjamini_hochberg(part["p"])
        members = part.index[part["in_set"].astype(bool)]
        table.loc[members, "q_set"] = benjamini_hochberg(part.loc[members, "p"])
    return table
