"""Columns of a linear model from a table: factors coded, redundant terms left out and said, confounding found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["FACTORS", "ModelTerms", "coincide", "complete_rows", "model_terms", "same_partition"]

#: Columns that are labels even where they look like numbers.
FACTORS = frozenset({"cohort", "plate", "sex", "strain", "treatment", "group", "role", "cage", "block", "batch"})

#: A column is redundant when less than this share of its length is left after regression on the columns before it.
_REDUNDANT = 1e-8


@dataclass(frozen=True)
class ModelTerms:
    """Model columns without intercept, of full rank together with it.

    Parameters
    ----------
    columns
        (n, k) float columns, named ``term`` or ``term[level]``.
    terms
        Names of the terms that are in the model.
    notes
        What was left out or is the same as another term, in words.
    """

    columns: pd.DataFrame
    terms: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def of(self, term: str) -> pd.DataFrame:
        """The columns of one term."""
        own = [name for name in self.columns.columns if name == term or name.startswith(f"{term}[")]
        return self.columns[own]


def same_partition(first: Sequence[object], second: Sequence[object]) -> bool:
    """Whether two labellings part the subjects in the same way.

    Examples
    --------
    >>> same_partition(["a", "a", "b"], [2, 2, 1]), same_partition(["a", "a", "b"], [1, 2, 3])
    (True, False)
    """
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len(set(first)) == len(set(second))


def coincide(group: Sequence[object], nuisance: Sequence[object]) -> bool:
    """Whether each level of the nuisance holds one group only, so that their effects cannot be told apart.

    Examples
    --------
    >>> coincide(["CON", "CON", "SD", "SD"], ["p1", "p1", "p2", "p3"])
    True
    >>> coincide(["CON", "SD", "SD"], ["p1", "p1", "p2"])
    False
    """
    pairs = set(zip(nuisance, group, strict=True))
    return len(set(group)) > 1 and len(pairs) == len(set(nuisance))


def complete_rows(table: pd.DataFrame, names: Sequence[str]) -> pd.Series[bool]:
    """Rows in which none of the columns is missing or blank; a column blank throughout is not asked for.

    Raises
    ------
    KeyError
        If a column is not in the table.
    """
    import pandas as pd

    complete = pd.Series(True, index=table.index)
    for name in names:
        filled = table[name].notna() & (table[name].astype(str).str.strip() != "")
        if filled.any() or table[name].dtype.kind == "f":
            complete &= filled
    return complete


def model_terms(table: pd.DataFrame, names: Sequence[str]) -> ModelTerms:
    """Code the named columns of a table as model columns, in order; later terms yield to earlier ones.

    Text and the :data:`FACTORS` become indicators of each level but the first in sorted order; numbers stay as they
    are. A factor with one level is not in the model. Columns that lie in the span of those before them are left out:
    that changes no other term's estimate, and a note says so when a whole term goes.

    Parameters
    ----------
    table
        Complete rows.
    names
        Columns, most important first; a name given twice counts once.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"age": [1.0, 2, 3, 5], "cohort": list("aabb"), "plate": list("xxyy")})
    >>> built = model_terms(table, ["age", "cohort", "plate"])
    >>> built.columns.columns.tolist(), built.notes
    (['age', 'cohort[b]'], ('plate and cohort are the same partition; cohort stays in the model',))
    """
    import pandas as pd

    names = list(dict.fromkeys(names))
    basis: list[NDArray[np.float64]] = [np.full(len(table), 1 / np.sqrt(max(len(table), 1)))]
    kept: dict[str, NDArray[np.float64]] = {}
    terms: list[str] = []
    notes: list[str] = []
    for name in names:
        coded = _coded(table[name], name)
        own = {label: column for label, column in coded.items() if _extend(basis, column)}
        kept |= own
        if own:
            terms.append(name)
        elif coded:
            notes.append(_why_redundant(table, name, terms))
    return ModelTerms(pd.DataFrame(kept, index=table.index, dtype=np.float64), tuple(terms), tuple(notes))


def _coded(column: pd.Series, name: str) -> dict[str, NDArray[np.float64]]:
    """Columns by label; empty where the column does not vary."""
    if name not in FACTORS and column.dtype.kind in "fiu":
        values = column.to_numpy(dtype=np.float64)
        return {name: values} if np.ptp(values) > 0 else {}
    labels = column.astype(str).to_numpy()
    levels = sorted(set(labels))
    return {f"{name}[{level}]": (labels == level).astype(np.float64) for level in levels[1:]}


def _extend(basis: list[NDArray[np.float64]], column: NDArray[np.float64]) -> bool:
    """Add a column's own direction to an orthonormal basis, if it has one."""
    rest = column - column.mean()
    whole = float(np.linalg.norm(rest))
    for _ in range(2):  # twice: once leaves rounding errors that look like a direction
        for direction in basis:
            rest -= (direction @ rest) * direction
    length = float(np.linalg.norm(rest))
    if length <= _REDUNDANT * whole:
        return False
    basis.append(rest / length)
    return True


def _why_redundant(table: pd.DataFrame, name: str, terms: Sequence[str]) -> str:
    for other in terms:
        if other in FACTORS and same_partition(list(table[name]), list(table[other])):
            return f"{name} and {other} are the same partition; {other} stays in the model"
    return f"{name} is contained in {' + '.join(terms)} and is left out of the model"
