"""Bringing samples and plates to one scale; each step says what it assumes and changes nothing else.

All work on (N, G) tables of log2 values, rows = samples, columns = proteins, and leave missing values missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import RefusedError
from proteomics.linear_model import fit_linear

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Normalised",
    "adjust_batches",
    "bridge_normalise",
    "median_normalise",
    "quantile_normalise",
    "reference_normalise",
]

Array = npt.NDArray[np.float64]

#: Fewest values from which a shift is taken.
FEWEST_VALUES = 3


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """A normalised table.

    Parameters
    ----------
    values
        Same shape and labels as given.
    shifts
        What was added: one row a sample or a plate, one column a protein or the one column ``shift``.
    notes
        What could not be done as asked, in words.
    """

    values: pd.DataFrame
    shifts: pd.DataFrame
    notes: tuple[str, ...] = ()


def median_normalise(values: pd.DataFrame, *, proteins: Sequence[str] | None = None) -> Normalised:
    """Shift every sample so that its median difference to the typical sample is zero.

    The typical sample is each protein's median over the samples; a sample's shift is the median, over its measured
    proteins, of typical minus own. Differences and not the sample's median are used, so that a sample in which the
    low proteins are missing is not pushed down. Assumes that most proteins do not differ: on a small immune panel
    they may, so name there the ``proteins`` that should not.

    Parameters
    ----------
    values
        Rows = samples, columns = proteins, log2.
    proteins
        Columns that shifts are taken from; all by default.

    Raises
    ------
    RefusedError
        If a sample has fewer than three of those proteins.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]}, index=["s1", "s2"])
    >>> median_normalise(table).values.to_numpy().tolist()
    [[1.5, 3.5, 5.5], [1.5, 3.5, 5.5]]
    """
    import pandas as pd

    basis = values if proteins is None else values[list(proteins)]
    differences = (basis.median(axis=0) - basis).to_numpy()
    count = np.isfinite(differences).sum(axis=1)
    if (count < FEWEST_VALUES).any():
        raise _too_few(values, count)
    shift = np.nanmedian(differences, axis=1)
    shifts = pd.DataFrame({"shift": shift}, index=values.index)
    return Normalised(values=values.add(shift, axis=0), shifts=shifts)


def quantile_normalise(values: pd.DataFrame) -> Normalised:
    """Give every sample the same distribution: the mean of the samples' sorted values.

    Where values are missing, a sample's quantiles are interpolated over the proteins that it has. Tied values get the
    mean of what their ranks would give. Assumes that samples differ in scale but not in how many proteins are high;
    seldom true of a panel of tens of proteins.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [5.0, 4.0], "b": [2.0, 1.0], "c": [3.0, 6.0]}, index=["s1", "s2"])
    >>> quantile_normalise(table).values.to_numpy().tolist()
    [[5.5, 1.5, 3.5], [3.5, 1.5, 5.5]]
    """
    import pandas as pd
    from scipy.stats import rankdata

    matrix = values.to_numpy(dtype=np.float64)
    size = matrix.shape[1]
    grid = np.linspace(0, 1, size)
    known = np.isfinite(matrix)
    _refuse_sparse(values, known)
    sorted_rows = [np.sort(row[mask]) for row, mask in zip(matrix, known, strict=True)]
    mean = np.mean([np.interp(grid, np.linspace(0, 1, len(row)), row) for row in sorted_rows], axis=0)
    out = np.full_like(matrix, np.nan)
    for number, mask in enumerate(known):
        rank = rankdata(matrix[number, mask])
        out[number, mask] = np.interp((rank - 1) / (len(rank) - 1), grid, mean)
    result = pd.DataFrame(out, index=values.index, columns=values.columns)
    return Normalised(values=result, shifts=result - values)


def _refuse_sparse(values: pd.DataFrame, known: npt.NDArray[np.bool_]) -> None:
    count = known.sum(axis=1)
    if (count < FEWEST_VALUES).any():
        raise _too_few(values, count)


def _too_few(values: pd.DataFrame, count: npt.NDArray[np.int_]) -> RefusedError:
    short = [f"{name} {n}" for name, n in zip(values.index, count.tolist(), strict=True) if n < FEWEST_VALUES]
    return RefusedError(
        "samples with too few values to normalise by", found=", ".join(short[:5]), expected=f"at least {FEWEST_VALUES}"
    )


def reference_normalise(values: pd.DataFrame, *, plate: pd.Series[Any], reference: Sequence[str]) -> Normalised:
    """Shift every protein of every plate so that the reference samples' medians agree.

    Reference samples are pools or controls that run on every plate. The level kept is the median over the plates'
    medians.

    Parameters
    ----------
    values
        Rows = samples, columns = proteins, log2.
    plate
        By sample id.
    reference
        Sample ids of the reference wells.

    Raises
    ------
    RefusedError
        If a plate has no reference sample.

    Notes
    -----
    A protein without a reference value on some plate cannot be brought to the others there: it becomes NaN on that
    plate, and a note says so.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [1.0, 1.5, 3.0, 3.5]}, index=["pool1", "s1", "pool2", "s2"])
    >>> plate = pd.Series(["1", "1", "2", "2"], index=table.index)
    >>> reference_normalise(table, plate=plate, reference=["pool1", "pool2"]).values["a"].tolist()
    [2.0, 2.5, 2.0, 2.5]
    """
    plates = _by_sample(values, plate)
    wells = values.index.isin(list(reference))
    lacking = sorted(set(plates) - set(plates[wells]))
    if lacking:
        raise RefusedError("plates without a reference sample", found=f"{len(lacking)} of {len(set(plates))} plates: "
                           f"{', '.join(lacking)}", expected="at least 1 on each")  # fmt: skip
    level = values[wells].groupby(plates[wells]).median()
    return _shift_plates(values, plates, level.median(axis=0) - level)


def bridge_normalise(values: pd.DataFrame, *, plate: pd.Series[Any], subject: pd.Series[Any], to: str) -> Normalised:
    """Shift every protein of every plate by its median difference in the samples that both plates measured.

    Olink's bridge normalisation: the bridge samples are those whose ``subject`` stands on plate (or project) ``to``
    and on the other one; the shift is the median over them of ``to`` minus the other.

    Parameters
    ----------
    values
        Rows = samples, columns = proteins, log2.
    plate, subject
        By sample id; ``subject`` tells which wells hold the same material.
    to
        The plate that keeps its values.

    Raises
    ------
    RefusedError
        If a plate shares fewer than three samples with ``to``; Olink asks for 8 to 16.

    Notes
    -----
    A protein measured in fewer than three bridge samples becomes NaN on that plate, and a note says so.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [1.0, 2.0, 3.0, 2.0, 3.0, 4.2]}, index=list("abcdef"))
    >>> plate = pd.Series(["1", "1", "1", "2", "2", "2"], index=table.index)
    >>> subject = pd.Series(["x", "y", "z", "x", "y", "z"], index=table.index)
    >>> bridge_normalise(table, plate=plate, subject=subject, to="1").values["a"].tolist()
    [1.0, 2.0, 3.0, 1.0, 2.0, 3.2]
    """
    import pandas as pd

    plates, subjects = _by_sample(values, plate), _by_sample(values, subject)
    if to not in set(plates):
        raise RefusedError(f"no sample on plate {to!r}", found=f"0 of {len(plates)} samples",
                           expected=", ".join(sorted(set(plates))))  # fmt: skip
    kept = values[(plates == to).to_numpy()].groupby(subjects[plates == to]).mean()
    rows = {to: pd.Series(0.0, index=values.columns)}
    for other in sorted(set(plates) - {to}):
        moved = values[(plates == other).to_numpy()].groupby(subjects[plates == other]).mean()
        shared = kept.index.intersection(moved.index)
        if len(shared) < FEWEST_VALUES:
            raise RefusedError(
                f"plate {other} shares too few samples with {to}", found=str(len(shared)), expected="at least 3"
            )
        difference = kept.loc[shared] - moved.loc[shared]
        rows[other] = difference.median(axis=0).where(difference.notna().sum(axis=0) >= FEWEST_VALUES)
    return _shift_plates(values, plates, pd.DataFrame(rows).T)


def adjust_batches(values: pd.DataFrame, *, batch: pd.Series[Any], design: pd.DataFrame | None = None) -> Normalised:
    """Remove the mean difference between batches, the design's own effects being kept.

    Batch effects (adding up to zero) are estimated together with the design's by least squares, protein by protein,
    and subtracted. For pictures and scores; a test belongs in one model with the batch in it, which knows what
    the estimate cost.

    Parameters
    ----------
    values
        Rows = samples, columns = proteins, log2.
    batch
        By sample id.
    design
        Rows = sample ids: what must be kept (group, covariates), with intercept; only an intercept by default.

    Raises
    ------
    RefusedError
        If batch and design cannot be told apart.

    Notes
    -----
    Equal to limma's ``removeBatchEffect``. In a protein that was not measured in every batch the batches that it has
    are brought together; a note lists such proteins.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [1.0, 2.0, 5.0, 6.0]}, index=list("wxyz"))
    >>> batch = pd.Series(["1", "1", "2", "2"], index=table.index)
    >>> adjust_batches(table, batch=batch).values["a"].round(9).tolist()
    [3.0, 4.0, 3.0, 4.0]
    """
    import pandas as pd

    batches = _by_sample(values, batch)
    kept = pd.DataFrame({"Intercept": 1.0}, index=values.index) if design is None else design.loc[values.index]
    levels = sorted(set(batches))
    coded = np.column_stack([(batches == level).to_numpy() * 1.0 - (batches == levels[-1]) for level in levels[:-1]])
    names = [*map(str, kept.columns), *(f"batch {level}" for level in levels[:-1])]
    fit = fit_linear(values.to_numpy().T, np.column_stack([kept.to_numpy(dtype=np.float64), coded]), names=names)
    found = fit.coefficients[:, kept.shape[1] :]
    shifts = pd.DataFrame(-(np.nan_to_num(found) @ coded.T).T, index=values.index, columns=values.columns)
    partly = [str(name) for name in values.columns[np.flatnonzero(np.isnan(found).any(axis=1))]]
    notes = (f"not measured in every batch, adjusted in part: {', '.join(partly)}",) if partly else ()
    return Normalised(values=values + shifts, shifts=shifts, notes=notes)


def _by_sample(values: pd.DataFrame, given: pd.Series[Any]) -> pd.Series[Any]:
    aligned = given.reindex(values.index)
    if aligned.isna().any():
        missing = values.index[aligned.isna()]
        raise RefusedError("samples without a plate, batch or subject", found=f"{len(missing)} of {len(values)}: "
                           f"{', '.join(map(str, missing[:5]))}", expected="none")  # fmt: skip
    return aligned.astype(str)


def _shift_plates(values: pd.DataFrame, plates: pd.Series[Any], shifts: pd.DataFrame) -> Normalised:
    moved = values + shifts.loc[plates].to_numpy()
    notes = tuple(
        f"{protein} cannot be brought to the other plates on {', '.join(map(str, shifts.index[lost]))}"
        for protein, lost in shifts.isna().items()
        if lost.any()
    )
    return Normalised(values=moved, shifts=shifts, notes=notes)
