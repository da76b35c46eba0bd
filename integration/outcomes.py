"""Outcomes of an analysis: which column each is, and the baseline that belongs into its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import RefusedError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OUTCOMES", "Outcome", "outcome_named"]


@dataclass(frozen=True)
class Outcome:
    """One dependent variable and its proper model.

    Parameters
    ----------
    name
        Name in the config and the tables.
    column
        Its column in the cohort's table.
    baseline
        Columns that enter its model as covariates because they are the same measure without the target.
    method
        Name of the model in the tables.
    label
        Words for a figure's axis, with the unit.
    """

    name: str
    column: str
    baseline: tuple[str, ...] = ()
    method: str = "linear_model"
    label: str = ""


#: Outcomes of the social interaction test. Target time given no-target time is the primary one: it carries the
#: avoidance, and dividing by the loosely related no-target time adds noise rather than removing a baseline. The ratio
#: has no-target time within itself, so its model has none beside it; nor has the velocity drop.
OUTCOMES: dict[str, Outcome] = {
    outcome.name: outcome
    for outcome in (
        Outcome("target_time", "iz_target_s", ("iz_no_target_s",), "ancova", "Time near the target (s)"),
        Outcome("si_ratio", "si_ratio", label="SI ratio"),
        Outcome("velocity_drop", "velocity_drop_cm_s", label="Velocity drop with target (cm/s)"),
    )
}


def outcome_named(name: str, table: pd.DataFrame) -> Outcome:
    """The outcome of a name: one of :data:`OUTCOMES`, or else any numeric column of the cohort's table.

    Raises
    ------
    RefusedError
        If the table has no such column, or it holds text.

    Examples
    --------
    >>> import pandas as pd
    >>> outcome_named("sucrose_percent", pd.DataFrame({"sucrose_percent": [70.0, 82.0]})).baseline
    ()
    """
    outcome = OUTCOMES.get(name, Outcome(name, name, label=name))
    for column in (outcome.column, *outcome.baseline):
        if column not in table:
            raise RefusedError(
                f"outcome {name} needs column {column}, which no table of this study has",
                found=f"0 of {table.shape[1]} columns",
                expected=f"one of {', '.join(OUTCOMES)} with recordings, or a column of the outcomes table",
            )
        if table[column].dtype.kind not in "fiub":
            raise RefusedError(
                f"outcome {name} is not numeric", where=f"column {column}", found=_not_numbers(table[column]),
                expected="numbers, or empty cells",
            )  # fmt: skip
    return outcome


def _not_numbers(column: pd.Series[Any]) -> str:
    """How many cells are no numbers, and the first of them."""
    import pandas as pd

    given = column[column.notna() & (column.astype(str).str.strip() != "")]
    wrong = given[pd.to_numeric(given, errors="coerce").isna()]
    if wrong.empty:
        return f"{len(given)} values of kind {column.dtype}"
    return f"{len(wrong)} of {len(given)} values are no numbers, the first {str(wrong.iloc[0])!r}"
