"""Tables of moderated differences as they are written: with the interval and the method beside every estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from integration.pingouin_results import linear_slope

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["axis_intervals", "half_width", "with_intervals"]


def half_width(table: pd.DataFrame) -> NDArray[np.float64]:
    """Half of the 95 % interval of each log2 fold change from ``se`` and ``df``; NaN where a table has none."""
    from scipy import stats

    df, se = (table[name].to_numpy(dtype=np.float64) for name in ("df", "se"))
    found: NDArray[np.float64] = stats.t.ppf(0.975, df) * se
    return found


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
    half = half_width(table)
    result = table.copy()
    at = list(result.columns).index("se") + 1
    result.insert(at, "ci_low", table["logfc"] - half)
    result.insert(at + 1, "ci_high", table["logfc"] + half)
    result["method"] = method
    return result


def axis_intervals(
    axes: pd.DataFrame, levels: pd.DataFrame, *, is_case: NDArray[np.bool_], columns: pd.DataFrame,
    species: str = "human",
) -> pd.DataFrame:  # fmt: skip
    """Mean log2 fold change of each axis with the interval that its samples give.

    The mean over the members, each with its direction, is taken in every sample and fitted as one measure: its
    difference between the groups is the mean log2 fold change itself, and its residuals hold how members move together.

    Parameters
    ----------
    axes
        Of :func:`integration.signatures.axis_logfc`, from the same samples and covariates.
    levels
        Samples x symbols, log2.
    is_case, columns
        (samples,) and the model's covariates by sample.
    species
        Whose members.

    Returns
    -------
    DataFrame
        ``axes`` with ``se, ci_low, ci_high, method`` filled in; an axis with a member that is not measured in every
        sample keeps none, with that reason.
    """
    from proteomics.axes import axis_members

    direction = {(each.axis, each.symbol): each.direction for each in axis_members(species)}
    members = {row["axis"]: [name for name in str(row["members"]).split(", ") if name] for _, row in axes.iterrows()}
    score = {
        axis: (levels[names] * [direction[axis, name] for name in names]).mean(axis=1, skipna=False)
        for axis, names in members.items()
        if names
    }
    if {"Th2", "Th1"} <= set(score):
        score["Th2 - Th1"] = score["Th2"] - score["Th1"]
    result = axes.copy()
    for at in result.index[result["axis_logfc"].notna()]:
        values = score[result.at[at, "axis"]]
        if values.isna().any():
            result.at[at, "note"] = f"no interval: {int(values.isna().sum())} samples lack a member"
            continue
        fit = linear_slope(values.to_numpy(dtype=np.float64), is_case.astype(np.float64), columns)
        result.loc[at, ["se", "ci_low", "ci_high"]] = [fit.se, fit.ci_low, fit.ci_high]
        result.at[at, "method"] = "linear model of the members' mean"
    return result
