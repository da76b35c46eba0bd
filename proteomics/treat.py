"""Test against a threshold: is the difference larger than a stated size, not merely other than zero?

References
----------
.. [1] McCarthy, Smyth, 2009, doi:10.1093/bioinformatics/btp053.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from proteomics.moderated import ModeratedFit
from proteomics.tails import t_two_sided

__all__ = ["TreatResult", "treat"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TreatResult:
    """(G, K) t beyond the threshold (0 inside it) and p values, and the threshold in log2."""

    t: Array
    p: Array
    threshold: float


def treat(result: ModeratedFit, threshold: float) -> TreatResult:
    """Moderated test of |coefficient| > threshold.

    The p value is the largest over all true effects within the threshold: half the two tails beyond
    (|b| - threshold) / se and (|b| + threshold) / se.

    Parameters
    ----------
    result
        From :func:`proteomics.moderated.moderate`.
    threshold
        log2 fold change, 0 or above; 0 gives the moderated t itself.

    Raises
    ------
    ValueError
        If the threshold is negative.

    Notes
    -----
    Equal to limma's ``treat``; rows without an estimate stay NaN where that version of limma stops.

    Examples
    --------
    >>> from proteomics.linear_model import fit_linear
    >>> from proteomics.moderated import moderate
    >>> y = np.random.default_rng(0).normal(size=(50, 8))
    >>> plain = moderate(fit_linear(y, np.column_stack([np.ones(8), np.repeat([0, 1], 4)])))
    >>> bool((treat(plain, 0.5).p >= plain.p).all())
    True
    """
    if not threshold >= 0:
        raise ValueError(f"threshold {threshold}: a size, 0 or above")
    size = np.abs(result.fit.coefficients)
    se = result.se
    beyond, across = (size - threshold) / se, (size + threshold) / se
    df = result.df_total[:, None]
    tail = t_two_sided(beyond, df) / 2
    p = np.where(beyond >= 0, tail, 1 - tail) + t_two_sided(across, df) / 2
    t = np.sign(result.fit.coefficients) * np.maximum(beyond, 0.0)
    return TreatResult(t=t, p=p, threshold=float(threshold))
