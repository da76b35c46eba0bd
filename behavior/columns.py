"""Columns of numbers in which every missing value carries the reason why it is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "combine", "ratio"]

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Column:
    """Numbers with reasons.

    Parameters
    ----------
    values
        (N,) numbers; NaN = missing.
    reasons
        (N,) reason code of each missing number, '' elsewhere.

    Raises
    ------
    ValueError
        If a missing number has no reason, or a number that is there has one.
    """

    values: Floats
    reasons: Texts

    def __post_init__(self) -> None:
        if not np.array_equal(np.isnan(self.values), self.reasons != ""):
            raise ValueError("every missing value needs a reason, and no other value may have one")

    def where_missing(self, missing: NDArray[np.bool_], reason: str) -> Column:
        """The same column with further values set to missing, for one reason; older reasons stand."""
        values, reasons = self.values.copy(), self.reasons.copy()
        fresh = missing & ~np.isnan(values)
        values[fresh], reasons[fresh] = np.nan, reason
        return Column(values, reasons)


def combine(function: Callable[..., Floats], *columns: Column) -> Column:
    """A function of columns, value by value; missing where any of them is, for the first one's reason.

    Examples
    --------
    >>> a = Column(np.array([1.0, np.nan]), np.array(["", "trial_missing"], dtype=object))
    >>> combine(np.subtract, a, a).reasons.tolist()
    ['', 'trial_missing']
    """
    reasons = np.full(len(columns[0].values), "", dtype=object)
    for column in columns:
        reasons = np.where(reasons == "", column.reasons, reasons)
    known = reasons == ""
    values = np.full(len(reasons), np.nan)
    values[known] = function(*(column.values[known] for column in columns))
    return Column(values, reasons)


def ratio(above: Column, below: Column, *, reason: str) -> Column:
    """Quotient of two columns; missing for the given reason where the divisor is 0.

    Examples
    --------
    >>> none = np.array(["", ""], dtype=object)
    >>> above, below = Column(np.array([3.0, 1.0]), none), Column(np.array([2.0, 0.0]), none)
    >>> found = ratio(above, below, reason="zero_without_target")
    >>> found.values.tolist(), found.reasons.tolist()
    ([1.5, nan], ['', 'zero_without_target'])
    """
    return combine(np.divide, above, below.where_missing(below.values == 0, reason))
