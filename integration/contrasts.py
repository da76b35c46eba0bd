"""Groups compared on behavior: control, susceptible, resilient, each pair and all together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from core.problems import Problem
from integration.model_terms import complete_rows, model_terms
from integration.pingouin_results import Estimate, analysis_of_variance, group_ancova, linear_slope, welch_t
from integration.power import smallest_detectable_difference

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from integration.cohort import Cohort

__all__ = ["COMPARISON_COLUMNS", "ComparisonOptions", "Comparisons", "compare_groups"]

COMPARISON_COLUMNS = (
    "measure", "comparison", "group_1", "group_0", "method", "n", "n_1", "n_0", "mean_1", "sd_1", "mean_0", "sd_0",
    "estimate", "se", "ci_low", "ci_high", "statistic", "df", "p", "effect", "effect_name", "effect_ci_low",
    "effect_ci_high", "smallest_detectable", "note",
)  # fmt: skip

#: Measures from which the classes are made: susceptible and resilient differ in them by construction.
_CLASS_MAKERS = frozenset(
    {"si_ratio", "log_si", "si_difference_s", "si_index", "si_target_share", "iz_target_s", "target_residual_s"}
)


_METHODS = {"_welch": "welch_t", "_overall": "welch_anova", "_adjusted": "ancova", "_overall_adjusted": "ancova"}


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions:
    """Which measures and groups are compared.

    Parameters
    ----------
    measures
        Columns of the cohort's table; those that a study lacks are left out.
    adjusted
        Measure to the columns that its adjusted comparison has in the model, beside cohort.
    min_subjects
        Least subjects per group.
    """

    measures: tuple[str, ...] = (
        "si_ratio", "log_si", "iz_target_s", "iz_no_target_s", "si_difference_s", "si_index", "corner_ratio",
        "velocity_no_target_cm_s", "velocity_target_cm_s", "velocity_drop_cm_s",
    )  # fmt: skip
    adjusted: tuple[tuple[str, tuple[str, ...]], ...] = (("iz_target_s", ("iz_no_target_s",)),)
    min_subjects: int = 3

    def __post_init__(self) -> None:
        if self.min_subjects < 2:
            raise ValueError("min_subjects must be 2 or more: one mouse has no spread")


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """Result of :func:`compare_groups`: ``table`` with :data:`COMPARISON_COLUMNS`, and ``problems``."""

    table: pd.DataFrame
    problems: list[Problem]


def compare_groups(cohort: Cohort, *, options: ComparisonOptions = ComparisonOptions()) -> Comparisons:
    """Every measure between control and defeated mice, and between control, susceptible and resilient ones.

    Per measure: Welch's t-test of each pair (difference ``group_1`` minus ``group_0``; effect Hedges' g with its
    interval), Welch's analysis of variance over control, RES and SUS, and for the measures of ``adjusted`` the
    difference given their baseline and the cohort (``ancova``; effect: adjusted difference / residual SD).

    Susceptible and resilient are made from the SI ratio: rows that compare them on it, or on the times it is made of,
    say so in ``note`` and carry no p; they describe.

    Parameters
    ----------
    cohort
        From :func:`integration.cohort.join_cohort`; excluded subjects are left out.
    options
        Measures and limits.
    """
    import pandas as pd

    table = cohort.table[cohort.table["excluded"] == ""]
    measures = [name for name in options.measures if name in table and table[name].notna().any()]
    adjusted = dict(options.adjusted)
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for measure in measures:
        valued = table[table[measure].notna()]
        for comparison, labels in _labellings(valued):
            part = _Part(valued, measure, comparison, labels, tuple(adjusted.get(measure, ())), options.min_subjects)
            rows += part.rows()
    result = pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))
    for row in result[result["note"].str.startswith("refused")].to_dict("records"):
        where = f"{row['measure']}, {row['comparison']}"
        problems.append(Problem(code="test_refused", where=where, message=row["note"], action="no test"))
    return Comparisons(table=result, problems=problems)


def _labellings(table: pd.DataFrame) -> Iterator[tuple[str, pd.Series[str]]]:
    """Ways to part the subjects: by role, and by class with the controls as third group."""
    roles = table["role"]
    if (roles == "control").any() and (roles == "defeated").any():
        yield "defeat", roles[roles != ""]
    if "class" in table:
        labels = table["class"].fillna("").where(roles != "control", "control")
        if labels.isin(["SUS", "RES"]).any():
            yield "class", labels[labels.isin(["SUS", "RES", "control"])]


def _pairs(comparison: str, labels: pd.Series[str]) -> list[tuple[str, str]]:
    if comparison == "defeat":
        return [("defeated", "control")]
    order = [name for name in ("SUS", "RES", "control") if (labels == name).any()]
    return list(combinations(order, 2))


def _circular(measure: str, names: Sequence[str]) -> str:
    if {"SUS", "RES"} <= set(names) and measure in _CLASS_MAKERS:
        return "SUS and RES are made from this measure; the difference describes and is not tested"
    return ""


@dataclass(frozen=True)
class _Part:
    """One measure under one labelling of the subjects."""

    table: pd.DataFrame
    measure: str
    comparison: str
    labels: pd.Series[str]
    baseline: tuple[str, ...]
    least: int

    def rows(self) -> list[dict[str, Any]]:
        rows = []
        for pair in _pairs(self.comparison, self.labels):
            rows.append(self._row(pair, self.table, self._welch))
            if self.baseline:
                rows.append(self._row(pair, self._complete(), self._adjusted))
        names = tuple(sorted(self.labels.unique()))
        if len(names) > 2:
            rows.append(self._row(names, self.table, self._overall))
            if self.baseline:
                rows.append(self._row(names, self._complete(), self._overall_adjusted))
        return rows

    def _complete(self) -> pd.DataFrame:
        return self.table[complete_rows(self.table, self._terms())]

    def _terms(self) -> list[str]:
        return [*self.baseline, *(["cohort"] if "cohort" in self.table else [])]

    def _row(
        self, names: tuple[str, ...], table: pd.DataFrame, method: Callable[[tuple[str, ...], pd.DataFrame], Estimate]
    ) -> dict[str, Any]:
        """One row: who was compared, the numbers, and a refusal or a warning in words."""
        sides = self.labels.reindex(table.index)
        part = table[sides.isin(names)]
        groups = {name: part.loc[sides[part.index] == name, self.measure].astype(float) for name in names}
        row: dict[str, Any] = {"measure": self.measure, "comparison": self.comparison, "n": len(part)}
        row |= _described(groups) if len(names) == 2 else {"group_1": " / ".join(names), "group_0": ""}
        row |= {"method": _METHODS[method.__name__], "note": self._refusal(groups)}
        if not row["note"]:
            try:
                row |= method(names, part).__dict__
            except ValueError as error:
                row["note"] = f"refused: {error}"
        if note := _circular(self.measure, names):
            row |= dict.fromkeys(("statistic", "df", "p"), np.nan)
            row["note"] = row["note"] or note
        return row

    def _refusal(self, groups: dict[str, pd.Series[float]]) -> str:
        for name, values in groups.items():
            if len(values) < self.least:
                return f"refused: {len(values)} subjects in {name}, at least {self.least} needed"
            if np.ptp(values.to_numpy()) == 0:
                return f"refused: all {len(values)} subjects of {name} have one value"
        return ""

    def _values(self, names: tuple[str, ...], part: pd.DataFrame) -> list[NDArray[np.float64]]:
        sides = self.labels[part.index]
        return [part.loc[sides == name, self.measure].to_numpy(dtype=np.float64) for name in names]

    def _welch(self, names: tuple[str, ...], part: pd.DataFrame) -> Estimate:
        return welch_t(*self._values(names, part))

    def _overall(self, names: tuple[str, ...], part: pd.DataFrame) -> Estimate:
        return analysis_of_variance(self._values(names, part))

    def _overall_adjusted(self, names: tuple[str, ...], part: pd.DataFrame) -> Estimate:
        columns = model_terms(part, self._terms()).columns
        columns.columns = [f"c{number}" for number in range(columns.shape[1])]
        data = columns.assign(outcome=part[self.measure], group=self.labels[part.index])
        covariates = [str(name) for name in columns]
        return group_ancova(data, outcome="outcome", group="group", covariates=covariates)

    def _adjusted(self, names: tuple[str, ...], part: pd.DataFrame) -> Estimate:
        """Difference of two groups given baseline and cohort, with the residual SD as its scale."""
        columns = model_terms(part, self._terms()).columns
        indicator: NDArray[np.float64] = np.array(self.labels[part.index] == names[0], dtype=np.float64)
        fit = linear_slope(part[self.measure], indicator, columns, method="ancova")
        scale = fit.se / np.sqrt(_unscaled_variance(indicator, columns))
        return replace(
            fit, effect=fit.estimate / scale, effect_name="difference / residual SD",
            effect_ci_low=fit.ci_low / scale, effect_ci_high=fit.ci_high / scale,
        )  # fmt: skip


def _described(groups: dict[str, pd.Series[float]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for side, (name, values) in zip(("1", "0"), groups.items(), strict=True):
        spread = values.std(ddof=1) if len(values) > 1 else np.nan
        row |= {f"group_{side}": name, f"n_{side}": len(values), f"mean_{side}": values.mean(), f"sd_{side}": spread}
    row["smallest_detectable"] = smallest_detectable_difference(row["n_1"], row["n_0"])
    return row


def _unscaled_variance(indicator: NDArray[np.float64], columns: pd.DataFrame) -> float:
    others = np.column_stack([np.ones(len(indicator)), columns.to_numpy()])
    rest = indicator - others @ np.linalg.lstsq(others, indicator, rcond=None)[0]
    return float(1 / (rest @ rest))
