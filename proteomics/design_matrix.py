"""From a table of samples and a formula to a design matrix whose columns can be asked for by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.labels import duplicated
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Design", "build_design", "coefficient_name"]


@dataclass(frozen=True, kw_only=True)
class Design:
    """A design matrix with its origin.

    Parameters
    ----------
    matrix
        Rows = samples that have every value the formula needs, columns = coefficients.
    terms
        Term of the formula -> its columns.
    problems
        Samples set aside, and why.
    """

    matrix: pd.DataFrame
    terms: Mapping[str, tuple[str, ...]]
    problems: list[Problem] = field(default_factory=list)


def build_design(samples: pd.DataFrame, formula: str) -> Design:
    """Design matrix of a one-sided formula, as formulaic reads it.

    Text columns are categories (first level in alphabetical order is the reference), numbers are numbers;
    ``C(plate)`` makes categories of numbers. A sample with a missing or blank value in a column that the formula
    names is set aside with a Problem.

    Parameters
    ----------
    samples
        Index = sample ids; one column a variable.
    formula
        Such as ``"~ group + age"``.

    Raises
    ------
    InputError
        If the formula cannot be read, names an unknown column, has a left side, or no sample is complete.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"group": ["CON", "SUS", "SUS", ""], "age": [8, 9, 8, 8]}, index=["a", "b", "c", "d"])
    >>> design = build_design(table, "~ group + age")
    >>> design.matrix.columns.tolist(), design.matrix.index.tolist(), design.problems[0].subject
    (['Intercept', 'group[T.SUS]', 'age'], ['a', 'b', 'c'], 'd')
    """
    import formulaic
    from formulaic.errors import FormulaicError

    if twice := duplicated(samples.index.astype(str)):
        raise InputError("sample ids in the table of samples are not unique", found=", ".join(twice[:5]))
    samples = samples.set_axis(samples.index.astype(str))
    try:
        read = formulaic.Formula(formula)
    except FormulaicError as error:
        raise InputError(
            "the formula cannot be read", found=repr(formula), expected="such as '~ group + age'"
        ) from error
    if not isinstance(read, formulaic.SimpleFormula):
        raise InputError("the formula has a left side", found=repr(formula), expected="'~' and what stands after it")
    needed = [str(name) for name in sorted(read.required_variables)]
    _check_columns(needed, samples, formula)
    missing = _missing(samples[needed]) if needed else np.zeros((len(samples), 0), dtype=bool)
    problems = [
        Problem(
            code="not_analysed",
            subject=str(sample),
            message=f"no value for {', '.join(np.array(needed)[row])}",
            action="sample left out of the model",
        )
        for sample, row in zip(samples.index, missing, strict=True)
        if row.any()
    ]
    complete = samples.iloc[np.flatnonzero(~missing.any(axis=1))]
    if complete.empty:
        raise InputError("no sample has a value for every variable of the formula", found=repr(formula))
    try:
        matrix = formulaic.model_matrix(read, complete, na_action="raise", context={})
    except (FormulaicError, ValueError, TypeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError("the formula does not fit the table of samples", found=f"{formula!r}: {first}") from error
    spec = matrix.model_spec
    names = [str(name) for name in spec.column_names]
    terms = {str(term): tuple(names[i] for i in places) for term, places in spec.term_indices.items()}
    plain = matrix.astype(np.float64)
    plain.columns = names
    return Design(matrix=plain, terms=terms, problems=problems)


def _check_columns(needed: list[str], samples: pd.DataFrame, formula: str) -> None:
    unknown = [name for name in needed if name not in samples.columns]
    if not unknown:
        return
    known = [str(name) for name in samples.columns]
    near = difflib.get_close_matches(unknown[0], known, n=1)
    raise InputError(
        f"the formula names {', '.join(unknown)}, which the table of samples does not have",
        found=repr(formula),
        expected="one of " + ", ".join(known),
        remedy=f"did you mean {near[0]}" if near else None,
    )


def _missing(table: pd.DataFrame) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    blank = table.apply(lambda column: column.isna() | (column.astype(str).str.strip() == ""))
    return np.asarray(blank.to_numpy(dtype=bool))


def coefficient_name(design: Design, wanted: str) -> str:
    """The design column meant: its exact name, or a term that has one column.

    Raises
    ------
    InputError
        If it is neither; the message lists the columns.

    Examples
    --------
    >>> import pandas as pd
    >>> design = build_design(pd.DataFrame({"group": ["CON", "SUS"]}, index=["a", "b"]), "~ group")
    >>> coefficient_name(design, "group")
    'group[T.SUS]'
    """
    names = [str(name) for name in design.matrix.columns]
    if wanted in names:
        return wanted
    columns = design.terms.get(wanted, ())
    if len(columns) == 1:
        return columns[0]
    if columns:
        raise InputError(f"{wanted} has several coefficients", found=wanted, expected="one of " + ", ".join(columns))
    near = difflib.get_close_matches(wanted, [*names, *design.terms], n=1)
    raise InputError(
        f"the design has no coefficient {wanted!r}",
        expected="one of " + ", ".join(names),
        remedy=f"did you mean {near[0]}" if near else None,
    )
