"""Is a marker detected more often on one side? Logistic models of detection for markers mostly below the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import stats

from proteomics.censored import DETECTED_PER_COEFFICIENT, FEW
from proteomics.firth_logistic import fit_firth
from proteomics.model_samples import asked_model, side_table
from proteomics.signature import CoefficientResult, false_discovery_q

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["detection_likelihood_test", "detection_test"]

Array = npt.NDArray[np.float64]


def detection_test(
    ds: xr.Dataset, *, design: str | pd.DataFrame, coefficient: str, samples: pd.DataFrame | None = None
) -> CoefficientResult:
    """Test one coefficient of a Firth-penalised logistic model of "above LOD" in every protein.

    Parameters
    ----------
    ds, design, coefficient, samples
        As in :func:`proteomics.differential.moderated_test`. A missing value is neither detected nor undetected.

    Returns
    -------
    CoefficientResult
        ``table`` with ``protein, symbol, uniprot, log_odds, se, p, q, n_1, n_0, detected_1, detected_0, note``; log
        odds with base e, ``p`` from the penalised likelihood ratio. Rows with fewer than 8 detected values per
        coefficient, or detected everywhere, are NaN, with that reason.

    Notes
    -----
    The test holds its level at the size of a mouse study and is conservative where few samples are undetected, there
    being few possible tables (docs/validation).

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> group = np.repeat(["CON", "SUS"], 20)
    >>> values = pd.DataFrame({"Il4": np.r_[np.zeros(14), np.full(6, 9.0), np.zeros(4), np.full(16, 9.0)]},
    ...                       index=[f"s{i:02d}" for i in range(40)])
    >>> ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL", lod=[5.0],
    ...                 samples=pd.DataFrame({"group": group}))
    >>> table = detection_test(ds, design="~ group", coefficient="group").table
    >>> table[["detected_1", "detected_0"]].values.tolist(), bool(table["p"][0] < 0.01)
    ([[16, 6]], True)
    """
    asked = asked_model(ds, design=design, coefficient=coefficient, samples=samples)
    ds, columns = asked.ds, asked.matrix.to_numpy()
    below = ds["below_lod"].transpose("protein", "sample").values
    seen = np.isfinite(ds["abundance"].transpose("protein", "sample").values) | below
    detected = seen & ~below
    note = _reasons(detected, seen, columns)
    usable = note == ""
    parts = {label: np.full(len(seen), np.nan) for label in ("log_odds", "se", "p")}
    if usable.any():
        found = detection_likelihood_test(detected[usable], seen[usable], columns, asked.column)
        for label, numbers in zip(parts, found, strict=True):
            parts[label][usable] = numbers
    return CoefficientResult(
        table=_table(ds, parts, seen, detected, asked.sides, note),
        design=asked.matrix,
        coefficient=asked.coefficient,
        sides=side_table(asked.matrix, asked.sides),
        problems=asked.problems,
    )


def detection_likelihood_test(
    detected: npt.ArrayLike, seen: npt.ArrayLike, design: npt.ArrayLike, column: int
) -> tuple[Array, Array, Array]:
    """Log odds, standard error and p of one coefficient in every row.

    The penalised likelihood ratio L of n samples and k coefficients is read as t^2 = (n - k) (exp(L / n) - 1) on
    n - k degrees of freedom, as in a normal model: against chi-squared its exact level reaches .060 for two groups of
    24, so it is .046.

    Parameters
    ----------
    detected, seen
        (R, N) above LOD; measured or known to be below.
    design
        (N, K).
    column
        The coefficient tested.

    Examples
    --------
    >>> x = np.column_stack([np.ones(24), np.repeat([0, 1], 12)])
    >>> above = (np.arange(24) >= 8)[None]
    >>> log_odds, _, p = detection_likelihood_test(above, np.ones((1, 24), bool), x, 1)
    >>> log_odds.round(3).tolist(), bool(p[0] < 0.01)
    ([3.855], True)
    """
    above, known, columns = np.asarray(detected, dtype=bool), np.asarray(seen, dtype=bool), np.asarray(design)
    whole = fit_firth(above, columns, seen=known)
    null = fit_firth(above, columns, seen=known, fixed=column)
    ratio = np.maximum(2 * (whole.log_likelihood - null.log_likelihood), 0.0)
    count = known.sum(axis=1)
    free = count - columns.shape[1]
    p = stats.f.sf(free * np.expm1(ratio / count), 1, free)
    return whole.coefficients[:, column], np.sqrt(whole.covariance[:, column, column]), np.asarray(p)


def _reasons(detected: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_], columns: Array) -> npt.NDArray[np.object_]:
    note = np.full(len(seen), "", dtype=object)
    note[(detected == seen).all(axis=1)] = "detected in every sample"
    note[detected.sum(axis=1) < DETECTED_PER_COEFFICIENT * columns.shape[1]] = FEW
    for row in np.flatnonzero((note == "") & ~seen.all(axis=1)):
        if np.linalg.matrix_rank(columns[seen[row]]) < columns.shape[1]:
            note[row] = "not measured in enough samples for this coefficient"
    return note


def _table(
    ds: xr.Dataset,
    parts: dict[str, Array],
    seen: npt.NDArray[np.bool_],
    detected: npt.NDArray[np.bool_],
    sides: npt.NDArray[np.object_],
    note: npt.NDArray[np.object_],
) -> pd.DataFrame:
    import pandas as pd

    one, other = (
        (np.ones(len(sides), bool), np.zeros(len(sides), bool))
        if (sides == "both").all()
        else (
            sides == "1",
            sides == "0",
        )
    )
    return pd.DataFrame(
        {
            "protein": ds["protein"].values,
            "symbol": ds["symbol"].values,
            "uniprot": ds["uniprot"].values,
            **parts,
            "q": false_discovery_q(parts["p"]),
            "n_1": seen[:, one].sum(axis=1),
            "n_0": seen[:, other].sum(axis=1),
            "detected_1": detected[:, one].sum(axis=1),
            "detected_0": detected[:, other].sum(axis=1),
            "note": note,
        }
    )
