"""Several bleeds of one animal: a mixed model of each protein by itself, with a random intercept per animal.

:func:`proteomics.differential.moderated_test` with ``block`` takes one correlation for all proteins and squeezes
variances; here every protein has its own correlation, variance and degrees of freedom.

References
----------
.. [1] Satterthwaite, 1946, doi:10.2307/3002019.
.. [2] Fai, Cornelius, 1996, doi:10.1080/00949659608811740 (degrees of freedom of a contrast).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from proteomics.block_correlation import block_correlation
from proteomics.linear_model import dependent_columns
from proteomics.model_samples import asked_model, side_table
from proteomics.signature import CoefficientResult, false_discovery_q
from proteomics.tails import t_two_sided

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["RandomInterceptTest", "random_intercept_test", "repeated_measures_test"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RandomInterceptTest:
    """(G,) estimate, standard error, t, its degrees of freedom, p, and correlation within blocks."""

    estimate: Array
    se: Array
    t: Array
    df: Array
    p: Array
    correlation: Array


def random_intercept_test(
    matrix: npt.ArrayLike, design: npt.ArrayLike, block: npt.ArrayLike, column: int
) -> RandomInterceptTest:
    """Test one coefficient in every protein by REML with Satterthwaite's degrees of freedom.

    Parameters
    ----------
    matrix
        (G, N) proteins x samples; NaN = not measured.
    design
        (N, K).
    block
        (N,) labels.
    column
        The coefficient tested.

    Notes
    -----
    Samples of one block may also be less alike than others (negative correlation): holding it at zero would make the
    test of a within-animal effect conservative. In a balanced design t and df are those of the classical analysis of
    variance with its strata; between a handful of animals bled unequally often the test is conservative
    (docs/validation). Proteins that cannot tell the correlation or the coefficient are NaN.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> mouse = np.repeat(np.arange(8), 2)
    >>> y = rng.normal(size=(1, 8))[:, mouse] + rng.normal(size=(1, 16))
    >>> x = np.column_stack([np.ones(16), np.repeat([0, 1], 8)])
    >>> random_intercept_test(y, x, mouse, 1).df.round(3).tolist()  # mice less groups
    [6.0]
    """
    values, columns = np.asarray(matrix, dtype=np.float64), np.asarray(design, dtype=np.float64)
    labels = np.unique(np.asarray(block).astype(str), return_inverse=True)[1]
    rho = np.tanh(block_correlation(values, columns, labels).atanh_each)
    found = np.full((len(values), 3), np.nan)
    for row in np.flatnonzero(np.isfinite(rho)):
        known = np.isfinite(values[row])
        x = columns[known]
        if not dependent_columns(x).any():
            found[row] = _one(values[row, known], x, labels[known], float(rho[row]), column)
    estimate, se, df = found.T
    t = estimate / se
    return RandomInterceptTest(estimate=estimate, se=se, t=t, df=df, p=t_two_sided(t, df), correlation=rho)


def _one(y: Array, x: Array, labels: npt.NDArray[np.intp], rho: float, column: int) -> tuple[float, float, float]:
    """Estimate, standard error and degrees of freedom in one protein."""
    same = (labels[:, None] == labels).astype(np.float64)
    np.fill_diagonal(same, 0.0)
    correlation = np.eye(len(y)) + rho * same
    solved = np.linalg.solve(correlation, np.column_stack([x, y, same, np.eye(len(y))]))
    k, n = x.shape[1], len(y)
    inverse = solved[:, k + 1 + n :]
    bread = np.linalg.inv(x.T @ solved[:, :k])
    estimate = bread @ (x.T @ solved[:, k])
    residual = y - x @ estimate
    variance = float(residual @ inverse @ residual) / (n - k)
    # Residual projection P (times the variance), and the derivatives of V by variance and by correlation through it.
    projection = inverse - solved[:, :k] @ bread @ solved[:, :k].T
    by_variance, by_rho = projection @ correlation / variance, projection @ same
    information = 0.5 * np.array(
        [
            [np.sum(by_variance * by_variance.T), np.sum(by_variance * by_rho.T)],
            [np.sum(by_rho * by_variance.T), np.sum(by_rho * by_rho.T)],
        ]
    )
    change = bread @ (solved[:, :k].T @ same @ solved[:, :k]) @ bread
    gradient = np.array([bread[column, column], variance * change[column, column]])
    own = variance * bread[column, column]
    df = 2 * own**2 / float(gradient @ np.linalg.solve(information, gradient))
    return float(estimate[column]), float(np.sqrt(own)), df


def repeated_measures_test(
    ds: xr.Dataset,
    *,
    design: str | pd.DataFrame,
    coefficient: str,
    block: pd.Series[Any] | str,
    samples: pd.DataFrame | None = None,
) -> CoefficientResult:
    """Mixed model with a random intercept per animal, protein by protein.

    Parameters
    ----------
    ds, design, coefficient, samples
        As in :func:`proteomics.differential.moderated_test`.
    block
        The animal of each sample: a column of ``samples``, or labels by sample id.

    Returns
    -------
    CoefficientResult
        ``table`` with ``protein, symbol, uniprot, logfc, se, t, df, p, q, n_1, n_0, correlation, note``.

    Raises
    ------
    InputError
        If the column is not there or a sample has no animal.
    RefusedError
        If no animal was bled twice, or columns of the design cannot be told apart.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> rng = np.random.default_rng(2)
    >>> mouse = np.repeat([f"m{i}" for i in range(8)], 2)
    >>> values = pd.DataFrame({"Il4": rng.normal(size=16)}, index=[f"s{i:02d}" for i in range(16)])
    >>> ds = from_frame(values, platform="beads", species="mouse", unit="log2 pg/mL",
    ...                 samples=pd.DataFrame({"mouse": mouse, "time": ["before", "after"] * 8}))
    >>> row = repeated_measures_test(ds, design="~ time", coefficient="time", block="mouse").table.iloc[0]
    >>> float(row["df"].round(3)), int(row["n_1"])
    (7.0, 8)
    """
    import pandas as pd

    asked = asked_model(ds, design=design, coefficient=coefficient, samples=samples)
    ds, matrix, sides, table = asked.ds, asked.matrix, asked.sides, asked.samples
    if isinstance(block, str) and block not in table.columns:
        raise InputError(f"the table of samples has no column {block!r}", expected=", ".join(map(str, table.columns)))
    labels = table[block] if isinstance(block, str) else block.set_axis(block.index.astype(str))
    labels = labels.reindex(matrix.index)
    if labels.isna().any():
        raise InputError("samples without an animal", found=", ".join(map(str, matrix.index[labels.isna()][:5])))
    values = ds["abundance"].transpose("protein", "sample").values
    test = random_intercept_test(values, matrix.to_numpy(), labels.to_numpy(), asked.column)
    known = np.isfinite(values)
    slope = bool((sides == "both").all())
    result = pd.DataFrame(
        {
            "protein": ds["protein"].values,
            "symbol": ds["symbol"].values,
            "uniprot": ds["uniprot"].values,
            "logfc": test.estimate,
            "se": test.se,
            "t": test.t,
            "df": test.df,
            "p": test.p,
            "q": false_discovery_q(test.p),
            "n_1": known.sum(axis=1) if slope else known[:, sides == "1"].sum(axis=1),
            "n_0": 0 if slope else known[:, sides == "0"].sum(axis=1),
            "correlation": test.correlation,
            "note": np.where(np.isfinite(test.p), "", "not measured in enough samples for this model"),
        }
    )
    return CoefficientResult(
        table=result,
        design=matrix,
        coefficient=asked.coefficient,
        sides=side_table(matrix, sides),
        problems=asked.problems,
    )
