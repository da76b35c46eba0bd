"""The signature table: one row a protein, from a moderated fit and one of its coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.problems import Problem
from proteomics.moderated import ModeratedFit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SIGNATURE_COLUMNS", "CoefficientResult", "SignatureResult", "false_discovery_q", "signature_table"]

SIGNATURE_COLUMNS = (
    "protein", "symbol", "uniprot", "logfc", "se", "t", "df", "p", "q", "n_1", "n_0", "average", "B", "note",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CoefficientResult:
    """One coefficient of one model, tested in every protein: moderated, censored, of detection, of repeated measures.

    Parameters
    ----------
    table
        One row a protein in the order of the input; the test says which columns.
    design
        Rows = samples analysed, columns = coefficients.
    coefficient
        The column of the design that the table is about.
    sides
        Columns ``sample, side``: ``"1"`` and ``"0"`` for a comparison of two sides, ``"both"`` for a slope, ``""`` for
        samples that only inform the variance or other coefficients.
    problems
        Samples set aside and warnings.
    """

    table: pd.DataFrame
    design: pd.DataFrame
    coefficient: str
    sides: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SignatureResult(CoefficientResult):
    """A signature of moderated statistics with what is needed to judge and reuse it.

    Parameters
    ----------
    table, design, coefficient, sides, problems
        As in :class:`CoefficientResult`; the table has the columns `SIGNATURE_COLUMNS`.
    moderated
        Everything fitted, all coefficients.
    correlation
        Correlation within blocks that was used; None without blocks.
    weights
        (N,) sample weights that were used; None without.
    """

    moderated: ModeratedFit
    correlation: float | None = None
    weights: npt.NDArray[np.float64] | None = None


def false_discovery_q(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Benjamini-Hochberg q values over the p values that exist; NaN stays NaN and does not count.

    Examples
    --------
    >>> false_discovery_q([0.01, np.nan, 0.02]).tolist()
    [0.02, nan, 0.02]
    """
    from scipy.stats import false_discovery_control

    p = np.asarray(p, dtype=np.float64)
    q = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if known.any():
        q[known] = false_discovery_control(p[known])
    return q


def signature_table(
    result: ModeratedFit,
    coefficient: int,
    *,
    proteins: Sequence[str],
    symbols: Sequence[str] | None = None,
    uniprots: Sequence[str] | None = None,
    n_1: npt.ArrayLike | None = None,
    n_0: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Signature of one coefficient.

    Parameters
    ----------
    result
        From :func:`proteomics.moderated.moderate`.
    coefficient
        Its column number.
    proteins, symbols, uniprots
        (G,) labels; symbols default to the protein ids.
    n_1, n_0
        (G,) measured samples on either side. For a slope ``n_1`` is the number used and ``n_0`` is 0, the defaults.

    Returns
    -------
    DataFrame
        ``logfc`` and ``se`` in the unit of the values (log2) per unit of the coefficient; ``se = logfc / t`` is the
        moderated standard error; ``df`` that of t; ``average`` the mean measured value; ``B`` the log odds (base e).
        ``note`` says why a row has no estimate, or that its estimate holds a second effect.

    Examples
    --------
    >>> from proteomics.linear_model import fit_linear
    >>> from proteomics.moderated import moderate
    >>> y = [[1.0, 2.0, 4.0, 5.0], [1.0, 2.0, np.nan, np.nan]]
    >>> result = moderate(fit_linear(y, [[1, 0], [1, 0], [1, 1], [1, 1]]))
    >>> signature_table(result, 1, proteins=["Il4", "Il5"])[["protein", "logfc", "note"]].values.tolist()
    [['Il4', 3.0, ''], ['Il5', nan, 'not measured in enough samples for this coefficient']]
    """
    import pandas as pd

    fit = result.fit
    size = len(fit.sigma)
    estimable = np.isfinite(fit.coefficients[:, coefficient])
    note = np.full(size, "", dtype=object)
    note[fit.inseparable[:, coefficient]] = "measured samples cannot tell this effect from another term; it holds both"
    note[estimable & (fit.df_residual == 0)] = "no residual degree of freedom; variance from the other proteins"
    note[~estimable] = "not measured in enough samples for this coefficient"
    p = result.p[:, coefficient]
    columns = {
        "protein": np.asarray(proteins, dtype=object),
        "symbol": np.asarray(proteins if symbols is None else symbols, dtype=object),
        "uniprot": np.full(size, "", dtype=object) if uniprots is None else np.asarray(uniprots, dtype=object),
        "logfc": fit.coefficients[:, coefficient],
        "se": result.se[:, coefficient],
        "t": result.t[:, coefficient],
        "df": result.df_total,
        "p": p,
        "q": false_discovery_q(p),
        "n_1": np.asarray(fit.n_used if n_1 is None else n_1),
        "n_0": np.zeros(size, dtype=np.int64) if n_0 is None else np.asarray(n_0),
        "average": fit.average,
        "B": result.log_odds[:, coefficient],
        "note": note,
    }
    return pd.DataFrame(columns, columns=list(SIGNATURE_COLUMNS))
