"""Markers partly below their limit of detection against an outcome: the censored model, all markers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = ["CENSORED_METHOD", "censored_slopes"]

CENSORED_METHOD = "censored_model"


def censored_slopes(
    limits: pd.DataFrame, sides: pd.DataFrame, outcome: ArrayLike, columns: pd.DataFrame
) -> pd.DataFrame:
    """Slope of each marker on the outcome given the other columns, values beyond a limit entering as censored.

    The marker is what is censored, so it stands on the left of the model; its test is of the same partial association
    as the slope of the outcome on the marker, and without a censored value it has the same t.

    Parameters
    ----------
    limits
        Subjects x markers: values, with the limit in place of a censored one; NaN = no value.
    sides
        Same shape: -1 below the limit, 0 measured, 1 above the range.
    outcome
        (subjects,).
    columns
        (subjects, k) the model's other columns without intercept.

    Returns
    -------
    DataFrame
        Index = marker; ``n, n_censored, estimate`` (marker units per unit of the outcome), ``se, ci_low, ci_high,
        statistic, df, p, effect`` (partial r: t / sqrt(t^2 + df)) and ``note``, which says why a marker has no test.

    Notes
    -----
    :func:`proteomics.censored.censored_likelihood_test`; at least 8 detected values for each coefficient.

    Examples
    --------
    >>> import pandas as pd
    >>> y = np.arange(30.0)
    >>> values = pd.DataFrame({"Il4": 0.1 * y + np.sin(7 * y)})
    >>> found = censored_slopes(values.clip(lower=0.5), -(values < 0.5).astype(int), y, pd.DataFrame(index=range(30)))
    >>> found.loc["Il4", ["n_censored", "estimate"]].round(2).tolist(), bool(found.loc["Il4", "p"] < 0.001)
    ([5.0, 0.1], True)
    """
    import pandas as pd
    from scipy import stats

    from proteomics.censored import DETECTED_PER_COEFFICIENT, censored_likelihood_test

    y = np.asarray(outcome, dtype=np.float64)
    spread = float(y.std())
    others = columns.to_numpy(dtype=np.float64)
    others = (others - others.mean(axis=0)) / others.std(axis=0) if others.shape[1] else others
    # The outcome in SD: what counts as a runaway coefficient is told from its variance.
    design = np.column_stack([np.ones(len(y)), (y - y.mean()) / spread, others])
    values, side = limits.to_numpy(dtype=np.float64).T, sides.to_numpy(dtype=np.int64).T
    known = np.isfinite(values)
    detected, needed = (known & (side == 0)).sum(axis=1), DETECTED_PER_COEFFICIENT * design.shape[1]
    note = np.array(
        ["" if n >= needed else f"refused: {n} detected values, at least {needed} needed" for n in detected],
        dtype=object,
    )
    for k in np.flatnonzero(note == ""):
        if np.linalg.matrix_rank(design[known[k]]) < design.shape[1]:
            note[k] = f"refused: the model's {design.shape[1]} terms cannot be told apart in {known[k].sum()} subjects"
    table = pd.DataFrame(np.nan, index=limits.columns, columns=["estimate", "statistic", "df", "p"])
    use = note == ""
    if use.any():
        test = censored_likelihood_test(values[use], side[use], design, 1)
        table.loc[use] = np.column_stack([test.estimate / spread, test.t, test.df, test.p])
        note[use] = np.where(np.isnan(test.estimate), "the slope has no finite estimate; the test stands", "")
    se = table["estimate"] / table["statistic"]
    half = stats.t.ppf(0.975, table["df"]) * se.abs()
    return table.assign(
        n=known.sum(axis=1), n_censored=(known & (side != 0)).sum(axis=1), se=se.abs(),
        ci_low=table["estimate"] - half, ci_high=table["estimate"] + half,
        effect=table["statistic"] / np.sqrt(table["statistic"] ** 2 + table["df"]), note=note,
    )  # fmt: skip
