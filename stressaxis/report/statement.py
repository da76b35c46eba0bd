"""The main result in words: what was asked, what was found, how sure, and what this study could not have seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from stressaxis.figures.association import outcome_title, outcome_unit
from stressaxis.figures.numbers import estimate_words, number, p_value, plural
from stressaxis.report.results import Results

__all__ = [
    "MainResult",
    "declared_proteins",
    "main_result",
    "model_method",
    "outcome_column",
    "primary_rows",
    "statement",
]

#: Names under which an outcome may stand in the config and in the table.
_COLUMNS = {"target_time": "iz_target_s", "velocity_drop": "velocity_drop_cm_s"}
THRESHOLD = 0.05


@dataclass(frozen=True)
class MainResult:
    """The row of ``association.csv`` that answers the declared question, with its marker in words."""

    row: pd.Series
    marker_title: str
    outcome_title: str


def outcome_column(outcome: str) -> str:
    """The column of the animals table that an outcome's name stands for.

    Examples
    --------
    >>> outcome_column("target_time"), outcome_column("si_ratio")
    ('iz_target_s', 'si_ratio')
    """
    return _COLUMNS.get(outcome, outcome)


def declared_proteins(results: Results) -> list[str]:
    """Symbols of the declared set, as declared, or the used members of the declared axis, or what the table marks."""
    declared = results.declared("th2_set")
    if isinstance(declared, dict):
        declared = declared.get("proteins") or declared.get("axis")
    if isinstance(declared, list | tuple) and declared:
        return [str(name) for name in declared]
    members = results.table("axis_members")
    if members is not None:
        axis = str(declared or "Th2").casefold()
        used = members[(members["axis"].str.casefold() == axis) & (members["status"] == "used")]
        return [str(name) for name in used["symbol"]]
    return []


def primary_rows(results: Results, *, subset: str = "defeated") -> pd.DataFrame | None:
    """Rows of the declared outcome in one subset, by the first method of the table (the model), NaN estimates kept."""
    table = results.table("association")
    if table is None:
        return None
    wanted = outcome_column(str(results.declared("primary_outcome") or "target_time"))
    rows = table[(table["subset"] == subset) & (table["outcome"].map(outcome_column) == wanted)]
    if rows.empty:
        return None
    return rows[rows["method"] == model_method(rows)]


def model_method(rows: pd.DataFrame) -> str:
    """The method that stands for an outcome: a linear model before a correlation.

    Examples
    --------
    >>> model_method(pd.DataFrame({"method": ["spearman", "ancova"]}))
    'ancova'
    """
    methods = list(dict.fromkeys(rows["method"]))
    others = ("spearman", "pearson", "bicor", "interaction")
    models = [name for name in methods if not any(other in name for other in others)]
    return str((models or methods)[0])


def main_result(results: Results) -> MainResult | None:
    """The Th2 score's row, or without one the strongest row of the declared set; None where nothing was tested."""
    for subset in ("defeated", "all"):
        rows = primary_rows(results, subset=subset)
        rows = None if rows is None else rows.dropna(subset=["estimate", "p"])
        if rows is None or rows.empty:
            continue
        axes = rows[(rows["kind"] == "axis") & (rows["marker"].str.casefold() == "th2")]
        if not axes.empty:
            return _named(axes.iloc[0], "Th2 score")
        in_set = rows[rows["in_set"]]
        if not in_set.empty:
            row = in_set.sort_values("p", kind="stable").iloc[0]
            return _named(row, str(row["symbol"] or row["marker"]))
    return None


def _named(row: pd.Series, marker: str) -> MainResult:
    return MainResult(row, marker, outcome_title(str(row["outcome"])))


def statement(results: Results) -> list[str]:
    """Paragraphs: the main result, the declared set, the groups; each with n, estimate, interval, p."""
    main = main_result(results)
    paragraphs = [_association_words(main)] if main is not None else []
    set_words = _set_words(results, main)
    if set_words:
        paragraphs.append(set_words)
    paragraphs.extend(_class_words(results))
    if not paragraphs:
        paragraphs.append(
            "No association was tested in this run: it has behaviour or serum alone. What was measured stands below."
        )
    return paragraphs


def _association_words(main: MainResult) -> str:
    row = main.row
    q = row["q_set"] if not _missing(row["q_set"]) else row["q_panel"]
    over = (
        "in the declared set"
        if not _missing(row["q_set"])
        else "over the axis scores"
        if row["kind"] == "axis"
        else "over the panel"
    )
    q_name = f"q {over}"
    shown = (float(row["p"]) if _missing(q) else float(q)) <= THRESHOLD
    animals = "defeated mice" if row["subset"] == "defeated" else "animals"
    direction = "lower" if float(row["estimate"]) < 0 else "higher"
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    unit = outcome_unit(str(row["outcome"]))
    facts = (
        f"{estimate}{' ' + unit if unit else ''} per SD (95 % interval {limits}, "
        f"{_equals('p', row['p'])}" + ("" if _missing(q) else f", {_equals(q_name, q)}") + f", n = {int(row['n'])})"
    )
    effect = (
        "" if _missing(row["effect"]) else f" Standardised effect: {row['effect_name']} = {number(row['effect'], 2)}."
    )
    least = ""
    if not _missing(row["smallest_detectable"]):
        least = (
            f" The smallest effect that a study of {int(row['n'])} animals detects with 80 % power is "
            f"|{row['effect_name'] or 'effect'}| = {number(row['smallest_detectable'], 2)}."
        )
    if shown:
        head = f"Among {animals}, a higher {main.marker_title} went with {direction} {main.outcome_title}: {facts}."
        return head + effect + least
    head = f"An association of {main.marker_title} with {main.outcome_title} was not shown among {animals}: {facts}."
    return head + effect + least + " Not shown is not absent: effects smaller than that would mostly be missed."


def _set_words(results: Results, main: MainResult | None) -> str:
    if main is None:
        return ""
    rows = primary_rows(results, subset=str(main.row["subset"]))
    assert rows is not None  # the main result came from them
    in_set = rows[(rows["kind"] != "axis") & rows["in_set"]].dropna(subset="p")
    if in_set.empty:
        return ""
    passed = in_set[in_set["q_set"] <= THRESHOLD].sort_values("p")
    total = plural(len(in_set), "protein")
    if passed.empty:
        return f"Of the {total} of the declared set that were tested, none reached q ≤ {THRESHOLD:g}."
    names = ", ".join(str(symbol or marker) for symbol, marker in zip(passed["symbol"], passed["marker"], strict=True))
    return f"Of the {total} of the declared set that were tested, {len(passed)} reached q ≤ {THRESHOLD:g}: {names}."


def _class_words(results: Results) -> list[str]:
    animals = results.table("social_interaction")
    if animals is None or "class" not in animals or "role" not in animals:
        return []
    defeated = animals[animals["role"] == "defeated"]
    n_sus, n_res = int((defeated["class"] == "SUS").sum()), int((defeated["class"] == "RES").sum())
    unclassed = len(defeated) - n_sus - n_res
    if not len(defeated):
        return []
    of_all = plural(len(defeated), "defeated mouse", "defeated mice")
    words = f"Of {of_all}, {n_sus} were susceptible (SI ratio below 1) and {n_res} resilient"
    return [words + (f"; {unclassed} could not be classed." if unclassed else ".")]


def _equals(name: str, value: object) -> str:
    words = p_value(value)
    return f"{name} {words}" if words.startswith("<") else f"{name} = {words}"


def _missing(value: object) -> bool:
    try:
        return math.isnan(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return True
