"""The main result in words: what was asked, what was found, how sure, and what this study could not have seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from stressaxis.figures.association import outcome_title, outcome_unit
from stressaxis.figures.numbers import estimate_words, number, p_value, plural
from stressaxis.report.people_statement import people_statement, treatment_words
from stressaxis.report.results import Results

__all__ = [
    "SUBSETS",
    "MainResult",
    "declared_proteins",
    "effect_words",
    "main_result",
    "model_method",
    "outcome_column",
    "primary_rows",
    "statement",
]

#: Names under which an outcome may stand in the config and in the table.
_COLUMNS = {"target_time": "iz_target_s", "velocity_drop": "velocity_drop_cm_s"}
THRESHOLD = 0.05
#: Sets of animals in which associations are computed.
SUBSETS = {"defeated": "defeated mice", "all": "all mice"}


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
    others = ("spearman", "pearson", "bicor", "interaction", "censored")
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


def effect_words(name: str) -> str:
    """Name of an effect size in words.

    Examples
    --------
    >>> effect_words("partial_r"), effect_words("hedges_g")
    ('partial r', 'Hedges g')
    """
    return name.replace("_", " ").replace("hedges", "Hedges").replace("cohen", "Cohen")


def statement(results: Results) -> list[str]:
    """Paragraphs: the main result, the declared set, the groups; each with n, estimate, interval, p."""
    main = main_result(results)
    paragraphs = people_statement(results)
    treated = not paragraphs and treatment_words(results)
    paragraphs += [_no_score(results), _only_pooled(results, main)]
    if main is not None:
        paragraphs += [_association_words(main), _pooled_words(results, main)]
    elif results.table("association") is not None:
        paragraphs.append(f"The declared question could not be answered: {_refusal(results) or 'nothing was tested'}.")
    elif not any(paragraphs) and not treated:
        paragraphs.append("No association was tested in this run: it has no serum and behaviour of the same animals.")
    paragraphs += [_set_words(results, main), treated or "", _class_words(results)]
    return [text for text in paragraphs if text]


def _no_score(results: Results) -> str:
    """Why there is no Th2 score, where there is none."""
    scores = results.table("axis_scores")
    if scores is None:
        return ""
    th2 = scores[scores["axis"].str.casefold() == "th2"]
    if th2.empty or th2["score"].notna().any():
        return ""
    return f"There is no Th2 score: {th2['note'].iloc[0]}."


def _only_pooled(results: Results, main: MainResult | None) -> str:
    """A warning where the question was not answered within defeated mice and only the pooled result is left."""
    if main is None or main.row["subset"] == "defeated" or primary_rows(results) is None:
        return ""
    return (
        f"Within defeated mice the question could not be answered ({_refusal(results) or 'nothing was tested'}). The "
        "result that follows pools control and defeated mice; even with the group in the model it says nothing certain "
        "on susceptibility."
    )


def _refusal(results: Results) -> str:
    """The reason that the table gives for testing nothing in defeated mice, or else in all."""
    for subset in SUBSETS:
        rows = primary_rows(results, subset=subset)
        if rows is not None and rows["estimate"].isna().all():
            return str(rows["note"].iloc[0]).removeprefix("refused: ")
    return ""


def _association_words(main: MainResult) -> str:
    row = main.row
    n = int(row["n"])
    q, over = row["q_set"], "in the declared set"
    if _missing(q):
        q, over = row["q_panel"], "over the axis scores" if row["kind"] == "axis" else "over the panel"
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    unit = outcome_unit(str(row["outcome"]))
    q_words = "" if _missing(q) else f", {_equals(f'q {over}', q)}"
    amount = f"{estimate} {unit}".rstrip()
    t_words = "" if _missing(row.get("statistic")) else f"t = {number(row['statistic'])}, "
    facts = f"{amount} per SD (95 % interval {limits}, {t_words}{_equals('p', row['p'])}{q_words}, n = {n})"
    effect = effect_words(str(row["effect_name"])) or "effect"
    further = "" if _missing(row["effect"]) else f" Standardised effect: {effect} = {number(row['effect'], 2)}."
    if not _missing(row["smallest_detectable"]):
        least = number(row["smallest_detectable"], 2)
        further += f" The smallest effect that a study of {n} animals detects with 80 % power is |{effect}| = {least}."
    animals = "defeated mice" if row["subset"] == "defeated" else "all animals"
    marker, outcome = main.marker_title, main.outcome_title
    if (float(row["p"]) if _missing(q) else float(q)) <= THRESHOLD:
        direction = "less" if float(row["estimate"]) < 0 else "more"
        direction = direction if unit == "s" else {"less": "a lower", "more": "a higher"}[direction]
        return f"Among {animals}, a higher {marker} went with {direction} {outcome}: {facts}.{further}"
    return (
        f"An association of {marker} with {outcome} was not shown among {animals}: {facts}.{further} "
        "Not shown is not absent: effects smaller than that would mostly be missed."
    )


def _pooled_words(results: Results, main: MainResult) -> str:
    """What the plain correlation would have said, where it says what the adjusted model does not, and whose it is."""
    table = results.table("association")
    row = main.row
    if table is None or not float(row["p"]) > THRESHOLD:
        return ""
    same = (table["subset"] == row["subset"]) & (table["outcome"] == row["outcome"])
    plain = table[same & (table["marker"] == row["marker"]) & (table["method"] == "spearman")]
    if plain.empty or not float(plain["p"].iloc[0]) <= THRESHOLD:
        return ""
    found = plain.iloc[0]
    note = str(found["note"])
    said = f"Pooled over all of them without adjustment the rank correlation is {number(found['estimate'], 3)} "
    said += f"({_equals('p', found['p'])}), which is no finding"
    term, mark, given = note.partition("it goes with ")[2].partition(": given ")
    if not mark:
        return f"{said}: {note.partition(';')[0]}."
    return f"{said}: it is a difference between levels of {term}; given {given.partition(';')[0].replace('-', '−')}."


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
    if passed.empty and len(in_set) == 1:
        return ""
    if passed.empty:
        return f"Of the {total} of the declared set that were tested, none reached q ≤ {THRESHOLD:g}."
    names = ", ".join(str(symbol or marker) for symbol, marker in zip(passed["symbol"], passed["marker"], strict=True))
    return f"Of the {total} of the declared set that were tested, {len(passed)} reached q ≤ {THRESHOLD:g}: {names}."


def _class_words(results: Results) -> str:
    animals = results.table("social_interaction")
    if animals is None or "class" not in animals or "role" not in animals:
        return ""
    defeated = animals[animals["role"] == "defeated"]
    n_sus, n_res = int((defeated["class"] == "SUS").sum()), int((defeated["class"] == "RES").sum())
    unclassed = len(defeated) - n_sus - n_res
    if not len(defeated):
        return ""
    of_all = plural(len(defeated), "defeated mouse", "defeated mice")
    words = f"Of {of_all}, {n_sus} were susceptible (SI ratio below {results.cut:g}) and {n_res} resilient"
    return words + (f"; {unclassed} could not be classed." if unclassed else ".")


def _equals(name: str, value: object) -> str:
    words = p_value(value)
    return f"{name} {words}" if words.startswith("<") else f"{name} = {words}"


def _missing(value: object) -> bool:
    try:
        return math.isnan(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return True
