"""Does a treatment change what defeat does: the defeat x treatment interaction, and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import RefusedError
from core.problems import Problem
from integration.model_terms import complete_rows, model_terms
from integration.outcomes import Outcome, outcome_named
from integration.pingouin_results import Estimate, linear_slope
from integration.power import smallest_detectable_correlation
from integration.slope_difference import slope_difference

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from integration.cohort import Cohort

__all__ = ["TREATMENT_COLUMNS", "TreatmentOptions", "TreatmentResult", "treatment_effects"]

TREATMENT_COLUMNS = (
    "outcome", "kind", "term", "treatment", "reference", "n", "n_cells", "estimate", "se", "ci_low", "ci_high",
    "statistic", "df", "p", "effect", "effect_name", "smallest_detectable", "method", "model", "note",
)  # fmt: skip

#: Locomotion with the empty enclosure: a treatment that only sedates or excites moves these too.
_LOCOMOTION = ("velocity_no_target_cm_s", "distance_no_target_cm")


@dataclass(frozen=True, kw_only=True)
class TreatmentOptions:
    """The design of a treatment study.

    Parameters
    ----------
    reference
        Treatment that the others are compared with (vehicle or isotype).
    outcomes
        The primary one first.
    covariates
        Columns in every model beside the baseline and the cohort.
    min_cell
        Least mice in each cell of defeat x treatment.
    power
        To which the smallest detectable effect refers.
    """

    reference: str
    outcomes: tuple[str, ...] = ("target_time", "si_ratio", "velocity_drop")
    covariates: tuple[str, ...] = ()
    min_cell: int = 3
    power: float = 0.8

    def __post_init__(self) -> None:
        if not self.reference.strip():
            raise ValueError("reference is blank; name the vehicle or isotype group")
        if self.min_cell < 2:
            raise ValueError("min_cell must be 2 or more: one mouse has no spread")


@dataclass(frozen=True, kw_only=True)
class TreatmentResult:
    """``table`` with :data:`TREATMENT_COLUMNS` and ``problems``."""

    table: pd.DataFrame
    problems: list[Problem]


def treatment_effects(cohort: Cohort, *, options: TreatmentOptions) -> TreatmentResult:
    """Every treatment against the reference, in defeated and control mice.

    Per outcome and treatment three rows: ``interaction`` (primary: effect of the treatment in defeated minus that in
    control mice), ``in defeated`` and ``in control``; each role has its own model with baseline and cohort, and its own
    residual variance, for defeated mice differ more from one another than controls.
    Locomotion with the empty enclosure is the control outcome (kind ``locomotion``): a change there questions the rest.

    Where control mice were not treated there is no interaction; the row says so, and the effect in defeated mice
    cannot be told from an effect on any mouse.

    Parameters
    ----------
    cohort
        From :func:`integration.cohort.join_cohort`, with ``treatment`` in the subjects table.
    options
        The reference and what to analyse.

    Raises
    ------
    RefusedError
        If there is no treatment column, or the reference or any other treatment is missing.
    """
    import pandas as pd

    table = cohort.table[cohort.table["excluded"] == ""]
    if "treatment" not in table:
        raise RefusedError("the subjects table has no column treatment", found=f"0 of {table.shape[1]} columns",
                           expected="1")  # fmt: skip
    given = sorted(set(table.loc[table["role"] != "", "treatment"].dropna().astype(str)) - {""})
    if options.reference not in given or len(given) < 2:
        raise RefusedError("no treatment to compare", found=f"{len(given)} given: {', '.join(given) or 'none'}",
                           expected=f"{options.reference} and at least 1 other")  # fmt: skip
    wanted = [(outcome_named(name, table), "outcome") for name in options.outcomes]
    wanted += [
        (Outcome(name, name), "locomotion") for name in _LOCOMOTION if name in table and table[name].notna().any()
    ]
    rows: list[dict[str, Any]] = []
    for outcome, kind in wanted:
        terms = [*outcome.baseline, *options.covariates, *(["cohort"] if "cohort" in table else [])]
        complete = table[complete_rows(table, [outcome.column, "treatment", *terms]) & (table["role"] != "")]
        for treatment in given:
            if treatment != options.reference:
                part = complete[complete["treatment"].isin([treatment, options.reference])]
                rows += _Comparison(part, outcome, kind, treatment, terms, options).rows()
    result = pd.DataFrame(rows, columns=list(TREATMENT_COLUMNS))
    refused = result[result["note"].str.startswith("refused")]
    problems = [
        Problem(code="test_refused", where=f"{row['outcome']}, {row['treatment']}, {row['term']}", message=row["note"],
                action="no test")
        for row in refused.to_dict("records")
    ]  # fmt: skip
    return TreatmentResult(table=result, problems=problems)


@dataclass(frozen=True)
class _Comparison:
    """One treatment against the reference on one outcome."""

    table: pd.DataFrame
    outcome: Outcome
    kind: str
    treatment: str
    terms: list[str]
    options: TreatmentOptions

    def rows(self) -> list[dict[str, Any]]:
        return [
            self._row("interaction", self.table),
            *(self._row(f"in {role}", self.table[self.table["role"] == role]) for role in ("defeated", "control")),
        ]

    def _row(self, term: str, part: pd.DataFrame) -> dict[str, Any]:
        cells = self._cells(part, ("defeated", "control") if term == "interaction" else (term.removeprefix("in "),))
        row: dict[str, Any] = {
            "outcome": self.outcome.name, "kind": self.kind, "term": term, "treatment": self.treatment,
            "reference": self.options.reference, "n": len(part), "note": "",
            "n_cells": ", ".join(f"{role} {name} {n}" for (role, name), n in cells.items()),
        }  # fmt: skip
        small = [(cell, n) for cell, n in cells.items() if n < self.options.min_cell]
        if small:
            (role, name), n = small[0]
            note = f"refused: {n} {role} mice with {name}, at least {self.options.min_cell} needed"
            return row | {"method": self._method(), "note": note}
        try:
            return row | self._fit(part, interaction=term == "interaction")
        except ValueError as error:
            return row | {"method": self._method(), "note": f"refused: {error}"}

    def _cells(self, part: pd.DataFrame, roles: tuple[str, ...]) -> dict[tuple[str, str], int]:
        return {
            (role, name): int(((part["role"] == role) & (part["treatment"] == name)).sum())
            for role in roles
            for name in (self.treatment, self.options.reference)
        }

    def _method(self) -> str:
        return self.outcome.method

    def _fit(self, part: pd.DataFrame, *, interaction: bool) -> dict[str, Any]:
        if interaction:
            fits = [self._slope(part[part["role"] == role]) for role in ("defeated", "control")]
            fit = slope_difference(fits[0][0], fits[1][0], method=self._method())
            model, note = f"{fits[0][1]}, by role", fits[0][2]
        else:
            fit, model, note = self._slope(part)
        numbers = {name: value for name, value in fit.__dict__.items() if not name.startswith("effect_ci")}
        detectable = smallest_detectable_correlation(
            fit.n, n_covariates=round(fit.n - 2 - fit.df), power=self.options.power
        )
        return numbers | {"smallest_detectable": detectable, "model": model, "note": note}

    def _slope(self, part: pd.DataFrame) -> tuple[Estimate, str, str]:
        """Effect of the treatment in mice of one role, its formula, and what was left out of it."""
        treated: NDArray[np.float64] = np.array(part["treatment"] == self.treatment, dtype=np.float64)
        model = model_terms(part, self.terms)
        fit = linear_slope(part[self.outcome.column], treated, model.columns, method=self._method())
        formula = " + ".join([f"{self.outcome.column} ~ treatment", *model.terms])
        return fit, formula, "; ".join(model.notes)
