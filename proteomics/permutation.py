"""P values from relabelling the samples, where the samples are exchangeable.

Proteins are never permuted: they move together, and a null distribution that takes them apart is too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial, prod

import numpy as np
import numpy.typing as npt

from core.errors import RefusedError
from proteomics.linear_model import fit_linear
from proteomics.moderated import moderate

__all__ = ["PermutationResult", "permutation_test"]

Array = npt.NDArray[np.float64]

#: With fewer different labellings than this no p value can reach 0.05.
FEWEST_LABELLINGS = 20


@dataclass(frozen=True, kw_only=True)
class PermutationResult:
    """(G,) results of sample-label permutation.

    Parameters
    ----------
    t
        Moderated t of the data.
    p
        Share of labellings, the data's own among them, with a |t| at least as large in this protein.
    p_family
        The same for the largest |t| of all proteins: controls the chance of any false hit in the panel.
    labellings
        Number of different labellings that exist.
    permutations
        Number drawn.
    """

    t: Array
    p: Array
    p_family: Array
    labellings: int
    permutations: int


def permutation_test(
    matrix: npt.ArrayLike,
    label: npt.ArrayLike,
    *,
    strata: Sequence[object] | None = None,
    seed: int | np.random.Generator,
    permutations: int = 999,
) -> PermutationResult:
    """Relabel samples within strata and recompute the moderated t of every protein.

    Parameters
    ----------
    matrix
        (G, N) proteins x samples; NaN = not measured.
    label
        (N,) what is permuted: 0 and 1 for two groups, or a covariate.
    strata
        (N,) labels are exchanged only within a stratum (cohort, plate); strata enter the model as a term.
    seed
        Seed or generator.
    permutations
        Their number.

    Raises
    ------
    RefusedError
        If fewer than 20 different labellings exist.

    Notes
    -----
    Exact for independent samples that are exchangeable within strata; further covariates would break that, and a
    model with them belongs to :func:`proteomics.differential.moderated_test`. A protein that a labelling leaves
    without an estimate counts as exceeding, which errs on the careful side.

    Examples
    --------
    >>> y = np.random.default_rng(2).normal(size=(30, 12))
    >>> y[0, 6:] += 5
    >>> result = permutation_test(y, np.repeat([0, 1], 6), seed=1, permutations=199)
    >>> bool(result.p[0] < 0.05), bool(result.p_family[0] < 0.05), result.labellings
    (True, True, 924)
    """
    values = np.asarray(matrix, dtype=np.float64)
    given = np.asarray(label, dtype=np.float64)
    groups = np.zeros(len(given), dtype=np.intp)
    if strata is not None:
        groups = np.unique(np.asarray([str(stratum) for stratum in strata]), return_inverse=True)[1]
    labellings = _count_labellings(given, groups)
    if labellings < FEWEST_LABELLINGS:
        raise RefusedError(
            "too few ways to relabel the samples for a permutation test",
            found=f"{labellings}",
            expected=f"at least {FEWEST_LABELLINGS}",
            remedy="use the moderated t, or coarser strata",
        )
    terms = (groups[:, None] == np.arange(groups.max() + 1)).astype(np.float64)
    signed = _moderated_t(values, terms, given)
    observed = np.abs(signed)
    rng = np.random.default_rng(seed)
    own, family = np.ones(len(values)), np.ones(len(values))
    places = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    for _ in range(permutations):
        shuffled = given.copy()
        for place in places:
            shuffled[place] = given[rng.permutation(place)]
        size = np.abs(_moderated_t(values, terms, shuffled))
        own += ~(size < observed * (1 - 1e-10))
        family += np.nanmax(size) >= observed * (1 - 1e-10)
    known = np.isfinite(signed)
    return PermutationResult(
        t=signed,
        p=np.where(known, own / (permutations + 1), np.nan),
        p_family=np.where(known, family / (permutations + 1), np.nan),
        labellings=labellings,
        permutations=permutations,
    )


def _moderated_t(values: Array, terms: Array, label: Array) -> Array:
    design = np.column_stack([terms, label])
    return moderate(fit_linear(values, design)).t[:, -1]


def _count_labellings(label: Array, groups: npt.NDArray[np.intp]) -> int:
    """Different arrangements of the labels within strata: n! / (repeats of each label)!."""
    total = 1
    for group in np.unique(groups):
        counts = np.unique(label[groups == group], return_counts=True)[1]
        total *= factorial(int(counts.sum())) // prod(factorial(int(count)) for count in counts)
    return total
