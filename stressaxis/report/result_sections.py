"""Sections on what was done, counts, the association, robustness, and everything set aside."""

from __future__ import annotations

import pandas as pd

from stressaxis.figures.association import adjusted_values, forest, outcome_title, partial_regression
from stressaxis.figures.numbers import interval, number, p_value
from stressaxis.report.behavior_sections import class_variants
from stressaxis.report.blocks import Block, Facts, Paragraph, Section, TableBlock, figure_row
from stressaxis.report.results import Results
from stressaxis.report.statement import MainResult, declared_proteins, main_result, model_method, outcome_column, primary_rows
from stressaxis.report.tables import table_view

__all__ = ["association_section", "counts_section", "done_section", "problems_section", "robustness_section"]

_PARTS = {
    "trials": "recordings of the social interaction test",
    "axis_scores": "serum axis scores",
    "association": "associations of serum and behaviour",
}
SUBSETS = {"defeated": "defeated mice", "all": "all mice"}


def done_section(results: Results) -> Section:
    """What was declared before scoring, what the run consisted of, what it lacks."""
    declared = results.provenance.get("declared") or {}
    rows = [("Experiment", str(results.provenance.get("name", "")))]
    if declared.get("primary_outcome"):
        rows.append(("Primary outcome", outcome_title(str(declared["primary_outcome"]))))
    proteins = declared_proteins(results)
    if proteins:
        rows.append(("Declared Th2 set", ", ".join(proteins)))
    rows.append(("Exclusions declared", _exclusions(declared.get("exclusions"))))
    if declared.get("fingerprint"):
        rows.append(("Fingerprint of the declaration", str(declared["fingerprint"])))
    blocks: list[Block] = [Facts(rows)]
    absent = [words for name, words in _PARTS.items() if results.table(name) is None]
    if results.contrasts() == {}:
        absent.append("protein differences between groups")
    if absent:
        blocks.append(Paragraph(f"Not in this run: {'; '.join(absent)}.", "note"))
    return Section("done", "What was declared and done", blocks)


def _exclusions(declared: object) -> str:
    if not declared:
        return "none"
    if isinstance(declared, dict):
        return "; ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in declared.items())
    if isinstance(declared, list | tuple):
        return "; ".join(_plain(value) for value in declared)
    return str(declared)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}{f' ({text})' if text else ''}" for key, text in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "none"
    return {True: "yes", False: "no", None: "not set"}.get(value, str(value)) if isinstance(value, bool | None) else str(value)


def counts_section(results: Results) -> Section | None:
    """Counts from start to analysed, with reasons; None without the table."""
    counts = results.table("group_counts")
    if counts is None:
        return None
    stages = list(dict.fromkeys(counts["stage"]))
    wide = counts.pivot_table(index="group", columns="stage", values="n", aggfunc="sum", sort=False).reindex(columns=stages)
    wide.loc["all"] = wide.sum()
    table = wide.reset_index().rename_axis(None, axis=1)
    for stage in stages:
        table[stage] = table[stage].astype("Int64")
    reasons = counts[counts["reason"] != ""][["group", "stage", "reason"]].drop_duplicates()
    blocks: list[Block] = [TableBlock(_counted(table))]
    if not reasons.empty:
        blocks.append(TableBlock(table_view(reasons, caption="Why the counts fall.", link="tables/group_counts.csv")))
    return Section("counts", "Animals from start to analysis", blocks)


def _counted(table: pd.DataFrame):  # type: ignore[no-untyped-def]
    return table_view(
        table.astype(object).where(table.notna(), None), caption="Number of animals at each stage.", link="tables/group_counts.csv"
    )


def association_section(results: Results) -> Section | None:
    """The declared question: adjusted scatter, all markers with intervals, three outcomes side by side."""
    main = main_result(results)
    if main is None:
        return None
    subset = str(main.row["subset"])
    rows = primary_rows(results, subset=subset)
    assert rows is not None  # the main result came from them
    blocks: list[Block] = []
    scatter = _scatter(results, main)
    shown = rows[(rows["kind"] == "axis") | rows["in_set"]]
    blocks += figure_row(scatter, forest(shown, subset=subset, outcome=str(main.row["outcome"])))
    if scatter is None:
        blocks.append(
            Paragraph("The adjusted scatter is not drawn: the cohort table does not give back the model's estimate (its markers or covariates are not all in it).", "note")
        )  # fmt: skip
    for name, words in SUBSETS.items():
        table = side_by_side(results, name)
        if table is not None:
            caption = (
                f"{words[0].upper()}{words[1:]}: each marker against each outcome; change per SD of the marker (95 % interval), "
                "p, q in the declared set. Estimates are in the unit of the outcome."
            )
            view = table_view(
                table, caption=caption, link="tables/association.csv", filterable=len(table) > 12,
                folded="" if name == subset else f"The same in {words}",
            )  # fmt: skip
            blocks.append(TableBlock(view))
    return Section("association", "Serum and social behaviour", blocks)


def _scatter(results: Results, main: MainResult):  # type: ignore[no-untyped-def]
    """Adjusted scatter of the main marker, only if its slope is the table's estimate."""
    cohort = results.table("cohort")
    if cohort is None:
        return None
    row = main.row
    table = cohort[cohort["role"] == "defeated"] if row["subset"] == "defeated" and "role" in cohort else cohort
    if "excluded" in table:
        table = table[table["excluded"].fillna("") == ""]
    outcome = outcome_column(str(row["outcome"]))
    numeric = ("iz_no_target_s",) if outcome == "iz_target_s" else ()
    extra = tuple(str(name) for name in results.setting("statistics", "covariates") or [])
    group = ("group",) if row["subset"] == "all" else ()
    tried = [("cohort", *extra, "plate", *group), ("cohort", *extra, *group), ("cohort", "plate", *group), ("cohort",), ()]
    for categories in dict.fromkeys(tried):
        found = adjusted_values(table, outcome=outcome, marker=str(row["marker"]), numeric=numeric, categories=categories)
        if found is not None and abs(found.slope - float(row["estimate"])) <= 0.01 * abs(float(row["estimate"])):
            return partial_regression(found, row, marker_title=main.marker_title)
    return None


def side_by_side(results: Results, subset: str) -> pd.DataFrame | None:
    """Markers down, outcomes across: axes and the declared set first, then the others by p of the first outcome."""
    table = results.table("association")
    if table is None:
        return None
    rows = table[table["subset"] == subset]
    if rows.empty:
        return None
    outcomes = list(dict.fromkeys(rows["outcome"]))
    rows = pd.concat([of[of["method"] == model_method(of)] for of in (rows[rows["outcome"] == name] for name in outcomes)])
    protein = rows["kind"] != "axis"
    rank = protein.astype(int) + (protein & ~rows["in_set"]).astype(int)
    first = rows.assign(rank=rank)[rows["outcome"] == outcomes[0]].sort_values(["rank", "p"])
    lines = []
    for marker in first["marker"]:
        of_marker = rows[rows["marker"] == marker].drop_duplicates("outcome").set_index("outcome")
        head = of_marker.iloc[0]
        line = {"marker": str(head["symbol"] or marker), "in": "axis" if head["kind"] == "axis" else "set" if head["in_set"] else "panel"}  # fmt: skip
        for outcome in outcomes:
            line |= _entries(outcome, of_marker.loc[outcome] if outcome in of_marker.index else None)
        lines.append(line)
    return pd.DataFrame(lines)


def _entries(outcome: str, row: pd.Series | None) -> dict[str, str]:
    title = outcome_title(outcome)
    if row is None or row["estimate"] != row["estimate"]:
        note = "" if row is None else str(row.get("note", ""))
        return {title: note or "–", f"p, q: {outcome.replace('_', ' ')}": "–"}
    q = row["q_set"] if row["q_set"] == row["q_set"] else row["q_panel"]
    estimate = f"{number(row['estimate'])} ({interval(row['ci_low'], row['ci_high'])})"
    return {title: estimate, f"p, q: {outcome.replace('_', ' ')}": f"{p_value(row['p'])}, {p_value(q)}"}


def robustness_section(results: Results) -> Section | None:
    """The same questions asked otherwise: other class rules, other methods, all mice."""
    blocks: list[Block] = []
    animals = results.table("social_interaction")
    if animals is not None and "class" in animals and any(name.startswith("class_") for name in animals):
        view = table_view(
            class_variants(animals), caption="Defeated mice in each class under every rule; differ: mice whose class is not that of the default rule.",
            link="tables/social_interaction.csv", headings={"rule": "rule"},
        )  # fmt: skip
        blocks.append(TableBlock(view))
    main = main_result(results)
    table = results.table("association")
    if main is not None and table is not None:
        rows = table[table["marker"] == main.row["marker"]]
        columns = ["subset", "outcome", "method", "n", "estimate", "ci_low", "ci_high", "p", "effect", "effect_name", "smallest_detectable", "note"]  # fmt: skip
        shown = rows.assign(outcome=[outcome_title(name) for name in rows["outcome"]])
        caption = f"{main.marker_title} by every outcome, method and set of animals that was computed, whether or not it agrees."
        blocks.append(TableBlock(table_view(shown, columns=columns, caption=caption, link="tables/association.csv")))
    for name in ("robustness", "reliability"):
        further = results.table(name)
        if further is not None:
            blocks.append(TableBlock(table_view(further, caption=f"{name.capitalize()} of the measures.", link=f"tables/{name}.csv", filterable=len(further) > 12)))  # fmt: skip
    return Section("robustness", "Robustness", blocks) if blocks else None


def problems_section(results: Results) -> Section:
    """All exclusions, failures and warnings, none left out."""
    problems = results.problems
    if problems.empty:
        return Section("problems", "Exclusions and problems", [Paragraph("Nothing was excluded, failed or needed a warning.")])
    rank = {"error": 0, "excluded": 1, "warning": 2, "info": 3}
    table = problems.assign(rank=problems["severity"].map(rank).fillna(4))
    table = table.sort_values(["rank", "code", "subject"]).drop(columns="rank")
    table = table.assign(code=table["code"].str.replace("_", " "))
    counted = ", ".join(f"{n} {name}" for name, n in problems["severity"].value_counts(sort=False).items())
    view = table_view(
        table, columns=["severity", "code", "subject", "file", "where", "message", "action"], filterable=True, link="problems.csv",
        caption=f"Every exclusion, failure and warning of the run, with what was done about it ({counted}).",
    )  # fmt: skip
    return Section("problems", "Exclusions and problems", [TableBlock(view)])
