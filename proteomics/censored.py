"""Group differences and slopes of markers that are partly below the limit of detection: censored (Tobit) models.

A value below the limit says no more than that; it is neither missing nor half the limit. The model is a normal
regression in which such a value contributes the probability of lying below the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import stats

from proteomics.abundance import FLAGS
from proteomics.censored_regression import fit_censored
from proteomics.model_samples import asked_model, side_table
from proteomics.signature import CoefficientResult, false_discovery_q

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["DETECTED_PER_COEFFICIENT", "CensoredTest", "censored_likelihood_test", "censored_test"]

Array = npt.NDArray[np.float64]

#: Fewest detected values for each coefficient of the design.
DETECTED_PER_COEFFICIENT = 8

FEW = "fewer than 8 detected values per coefficient"
_RUNAWAY = 1e3


@dataclass(frozen=True, kw_only=True)
class CensoredTest:
    """(R,) estimates of one coefficient: estimate, t, df and p; NaN estimate where it runs away."""

    estimate: Array
    t: Array
    df: Array
    p: Array


def censored_likelihood_test(
    values: npt.ArrayLike, side: npt.ArrayLike, design: npt.ArrayLike, column: int
) -> CensoredTest:
    """Likelihood ratio of one coefficient, turned into the t that it is in a small sample.

    Without censoring the likelihood ratio L of n values and k coefficients is n log(1 + t^2 / (n - k)); so
    t^2 = (m - k) (exp(L / m) - 1) with m = n, on m - k degrees of freedom, is the exact test. With censoring m is the
    mean of the number of values and the number of detected ones. Against chi-squared the plain ratio rejects .07 to
    .08 where .05 is promised at n = 24 with three coefficients; this holds its level (table in docs/validation).

    Parameters
    ----------
    values, side, design
        As in :func:`proteomics.censored_regression.fit_censored`.
    column
        The coefficient tested.

    Notes
    -----
    Where one side lies wholly below the limit, the difference has no finite estimate; the test remains.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0, 1.5, 2.2, 3.1, 3.0, 2.8, 3.6]])
    >>> x = np.column_stack([np.ones(8), np.repeat([0, 1], 4)])
    >>> test = censored_likelihood_test(y, np.zeros((1, 8)), x, 1)
    >>> test.t.round(6).tolist(), test.df.tolist()
    ([4.55691], [6.0])
    """
    given, signs = np.asarray(values, dtype=np.float64), np.asarray(side)
    columns = np.asarray(design, dtype=np.float64)
    whole = fit_censored(given, signs, columns)
    null = fit_censored(given, signs, np.delete(columns, column, axis=1))
    ratio = np.maximum(2 * (whole.log_likelihood - null.log_likelihood), 0.0)
    seen = np.isfinite(given)
    effective = (seen.sum(axis=1) + (seen & (signs == 0)).sum(axis=1)) / 2
    df = effective - columns.shape[1]
    estimate = whole.coefficients[:, column]
    t = np.sign(estimate) * np.sqrt(df * np.expm1(ratio / effective))
    # A coefficient that runs away leaves the likelihood flat in its direction: its curvature is all but gone.
    runaway = whole.covariance[:, column, column] > _RUNAWAY * whole.sigma**2
    return CensoredTest(
        estimate=np.where(runaway, np.nan, estimate), t=t, df=df, p=np.asarray(2 * stats.t.sf(np.abs(t), df))
    )


def censored_test(
    ds: xr.Dataset, *, design: str | pd.DataFrame, coefficient: str, samples: pd.DataFrame | None = None
) -> CoefficientResult:
    """Test one coefficient of a censored normal model in every protein.

    A value flagged below LOD is censored at its LOD (at the value itself where no LOD is stated); one flagged above
    the range is censored from the other side; a censored cell without any limit is left out and counted in ``note``.
    Each protein keeps its own variance: there is no moderation here.

    Parameters
    ----------
    ds, design, coefficient, samples
        As in :func:`proteomics.differential.moderated_test`; the design needs an intercept.

    Returns
    -------
    CoefficientResult
        ``table`` with ``protein, symbol, uniprot, logfc, se, t, df, p, q, n_1, n_0, n_below, note``; ``n_1`` and
        ``n_0`` count values measured or censored, ``n_below`` the censored ones; ``se = logfc / t``. Rows with fewer
        than 8 detected values per coefficient are NaN, with that reason.

    Raises
    ------
    RefusedError
        If columns of the design cannot be told apart.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> rng = np.random.default_rng(0)
    >>> group = np.repeat(["CON", "SUS"], 20)
    >>> values = pd.DataFrame({"Il4": rng.normal(5, 1, 40) + (group == "SUS")}, index=[f"s{i:02d}" for i in range(40)])
    >>> ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL", lod=[4.8],
    ...                 samples=pd.DataFrame({"group": group}))
    >>> row = censored_test(ds, design="~ group", coefficient="group").table.iloc[0]
    >>> int(row["n_below"]), bool(0.3 < row["logfc"] < 1.7)
    (10, True)
    """
    asked = asked_model(ds, design=design, coefficient=coefficient, samples=samples)
    columns = asked.matrix.to_numpy()
    values, side = censored_values(asked.ds)
    detected = np.isfinite(values) & (side == 0)
    enough = detected.sum(axis=1) >= DETECTED_PER_COEFFICIENT * columns.shape[1]
    note = np.where(enough, "", FEW).astype(object)
    for row in np.flatnonzero(enough):
        if np.linalg.matrix_rank(columns[np.isfinite(values[row])]) < columns.shape[1]:
            note[row] = "not measured in enough samples for this coefficient"
        elif np.ptp(values[row][detected[row]]) == 0:
            note[row] = "all detected values are the same"
    usable = note == ""
    parts = {label: np.full(len(values), np.nan) for label in ("logfc", "se", "t", "df", "p")}
    if usable.any():
        test = censored_likelihood_test(values[usable], side[usable], columns, asked.column)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (test.estimate, test.estimate / test.t, test.t, test.df, test.p)
        for label, numbers in zip(parts, found, strict=True):
            parts[label][usable] = numbers
        runaway = np.flatnonzero(usable)[np.isnan(test.estimate)]
        note[runaway] = "one side is wholly censored: the size of the difference has no estimate"
    return CoefficientResult(
        table=_table(asked.ds, parts, np.isfinite(values), side != 0, asked.sides, note),
        design=asked.matrix,
        coefficient=asked.coefficient,
        sides=side_table(asked.matrix, asked.sides),
        problems=asked.problems,
    )


def censored_values(ds: xr.Dataset) -> tuple[Array, npt.NDArray[np.int64]]:
    """(G, N) values with limits in place of censored ones, and the side of each: -1 below, 0 measured, 1 above."""
    value, lod, below, quality = (
        ds[name].transpose("protein", "sample").values for name in ("abundance", "lod", "below_lod", "quality")
    )
    above = (quality & FLAGS["above_range"]) > 0
    side = np.where(below, -1, np.where(above, 1, 0))
    return np.where(below & np.isfinite(lod), lod, value), side


def _table(
    ds: xr.Dataset,
    parts: dict[str, Array],
    known: npt.NDArray[np.bool_],
    censored: npt.NDArray[np.bool_],
    sides: npt.NDArray[np.object_],
    note: npt.NDArray[np.object_],
) -> pd.DataFrame:
    import pandas as pd

    unlimited = (censored & ~known).sum(axis=1)
    note = np.array(
        [
            "; ".join(
                part for part in (text, f"{count} censored values without a limit left out" if count else "") if part
            )
            for text, count in zip(note, unlimited, strict=True)
        ],
        dtype=object,
    )
    both = (sides == "both").all()
    return pd.DataFrame(
        {
            "protein": ds["protein"].values,
            "symbol": ds["symbol"].values,
            "uniprot": ds["uniprot"].values,
            **parts,
            "q": false_discovery_q(parts["p"]),
            "n_1": known.sum(axis=1) if both else known[:, sides == "1"].sum(axis=1),
            "n_0": 0 if both else known[:, sides == "0"].sum(axis=1),
            "n_below": (censored & known).sum(axis=1),
            "note": note,
        }
    )
