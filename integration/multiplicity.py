"""Two q values for every p: within the declared set, and over the whole panel; never one silently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_q_values"]


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

    Notes
    -----
    Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"method": "ancova", "p": [0.01, 0.02, 0.9], "in_set": [True, False, True]})
    >>> add_q_values(rows, family=["method"])[["q_set", "q_panel"]].values.round(3).tolist()
    [[0.02, 0.03], [nan, 0.03], [0.9, 0.9]]
    """
    from proteomics.signature import false_discovery_q

    table = table.assign(q_set=np.nan, q_panel=np.nan)
    for _, part in table.groupby(list(family), sort=False):
        table.loc[part.index, "q_panel"] = false_discovery_q(part["p"])
        members = part.index[part["in_set"].astype(bool)]
        table.loc[members, "q_set"] = false_discovery_q(part.loc[members, "p"])
    return table
