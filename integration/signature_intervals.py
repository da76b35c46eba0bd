"""Tables of moderated differences as they are written: with the interval and the method beside every estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["with_intervals"]


def with_intervals(table: pd.DataFrame, *, method: str = "moderated_t") -> pd.DataFrame:
    """A table of moderated statistics with ``ci_low, ci_high`` (95 %, log2) and ``method``.

    The interval is that of the moderated t: ``logfc ± t(.975, df) * se``, with the degrees of freedom that the
    moderation adds; it leaves out 0 exactly where p is below .05.

    Parameters
    ----------
    table
        Columns ``logfc, se, df`` at least.
    method
        Name of the method, in every row.

    Examples
    --------
    >>> import pandas as pd
    >>> made = with_intervals(pd.DataFrame({"logfc": [1.0], "se": [0.5], "df": [10.0]}))
    >>> made[["ci_low", "ci_high"]].round(3).iloc[0].tolist(), made["method"][0]
    ([-0.114, 2.114], 'moderated_t')
    """
    import numpy as np
    from scipy import stats

    half = stats.t.ppf(0.975, table["df"].to_numpy(dtype=np.float64)) * table["se"].to_numpy(dtype=np.float64)
    result = table.copy()
    at = list(result.columns).index("se") + 1
    result.insert(at, "ci_low", table["logfc"] - half)
    result.insert(at + 1, "ci_high", table["logfc"] + half)
    result["method"] = method
    return result
