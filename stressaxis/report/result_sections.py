"""Sections on what was done, counts, the association, robustness, and everything set aside."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stressaxis.figures.association import adjusted_values, forest, outcome_title, partial_regression
from stressaxis.figures.axis_scores import is_t_helper
from stressaxis.figures.figure import Figure
from stressaxis.figures.numbers import estimate_words, plural
from stressaxis.report.behavior_sections import class_variants, ratio_variants
from stressaxis.report.blocks import Block, Facts, Paragraph, Section, TableBlock, figure_row
from stressaxis.report.results import Results
from stressaxis.report.statement import (
    MainResult,
    declared_proteins,
    main_result,
    model_method,
    outcome_column,
    primary_rows,
)
from stressaxis.report.tables import Cell, TableView, as_text, table_view

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
    before = results.provenance.get("declared_before") or []
    if before:
        blocks.append(
            Paragraph(
                f"This results folder was scored before under {plural(len(before), 'other declaration')} "
                f"({', '.join(str(name)[:12] for name in before)}). "
                "The declaration above was therefore not made before any result of these data was seen.",
                "note",
            )
        )
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
    return (
        {True: "yes", False: "no", None: "not set"}.get(value, str(value))
        if isinstance(value, bool | None)
        else str(value)
    )


_STAGES = {
    "listed": "in the subjects table",
    "recorded": "both trials recorded and scored",
    "outcomes": "in the outcomes table",
    "not excluded": "not excluded",
    "serum": "with a serum sample",
}


def counts_section(results: Results) -> Section | None:
    """Counts from start to analysed, with reasons; None without the table."""
    counts = results.table("group_counts")
    if counts is None:
        return None
    groups, stages = list(dict.fromkeys(counts["group"])), list(dict.fromkeys(counts["stage"]))
    known = {(group, stage): n for group, stage, n in zip(counts["group"], counts["stage"], counts["n"], strict=True)}
    rows = [
        [Cell(_stage_words(stage)), *(as_text("n", known.get((group, stage))) for group in groups)] for stage in stages
    ]
    link = "tables/group_counts.csv"
    view = TableView(
        ["", *groups], rows, "Animals at each stage, by group; classes are counted among the defeated.", link
    )
    blocks: list[Block] = [TableBlock(view)]
    reasons = counts[counts["reason"] != ""][["group", "stage", "reason"]].drop_duplicates()
    if not reasons.empty:
        reasons = reasons.assign(stage=reasons["stage"].map(_stage_words))
        blocks.append(TableBlock(table_view(reasons, caption="Who was lost at which stage, and why.", link=link)))
    return Section("counts", "Animals from start to analysis", blocks)


def _stage_words(stage: str) -> str:
    """A stage of the counts in words.

    Examples
    --------
    >>> _stage_words("analysed: si_ratio (defeated)"), _stage_words("serum")
    ('analysed: SI ratio, defeated mice', 'with a serum sample')
    """
    if stage.startswith("analysed: ") and stage.endswith(")"):
        outcome, _, subset = stage.removeprefix("analysed: ").removesuffix(")").partition(" (")
        return f"analysed: {outcome_title(outcome)}, {SUBSETS.get(subset, subset)}"
    return _STAGES.get(stage, stage)


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
    shown = rows[rows["marker"].map(is_t_helper) & (rows["kind"] == "axis") | rows["in_set"]]
    blocks += figure_row(scatter, forest(shown, subset=subset, outcome=str(main.row["outcome"])))
    if scatter is None:
        blocks.append(
            Paragraph(
                "The adjusted scatter is not drawn: the stored tables do not hold every value that the model was "
                "fitted to.",
                "note",
            )
        )
    for name in [subset, *(other for other in SUBSETS if other != subset)]:
        blocks += _outcome_tables(results, name, first=name == subset)
    return Section("association", "Serum and social behaviour", blocks)


def _scatter(results: Results, main: MainResult) -> Figure | None:
    """Adjusted scatter of the main marker, only if it gives back the table's own effect."""
    cohort = _with_markers(results)
    row = main.row
    if cohort is None or str(row["effect_name"]) not in ("r", "partial r", "partial_r"):
        return None
    table = cohort[cohort["role"] == "defeated"] if row["subset"] == "defeated" else cohort[cohort["role"] != ""]
    if "excluded" in table:
        table = table[table["excluded"] == ""]
    found = adjusted_values(
        table,
        outcome=outcome_column(str(row["outcome"])),
        marker=str(row["marker"]),
        covariates=_model_terms(str(row.get("model", ""))),
    )
    if found is None or len(found.table) != int(row["n"]) or abs(found.partial_r - float(row["effect"])) > 0.002:
        return None
    return partial_regression(found, row, marker_title=main.marker_title)


def _model_terms(model: str) -> tuple[str, ...]:
    """Terms beside the marker, from the model as written in the table.

    Examples
    --------
    >>> _model_terms("iz_target_s ~ marker + iz_no_target_s + cohort")
    ('iz_no_target_s', 'cohort')
    """
    terms = [term.strip() for term in model.partition("~")[2].split("+")]
    return tuple(term for term in terms if term and term != "marker")


def _with_markers(results: Results) -> pd.DataFrame | None:
    """The cohort's table with axis scores, and with protein values where the run stored them, by subject."""
    cohort, scores, markers = results.table("cohort"), results.table("axis_scores"), results.table("markers")
    if cohort is None or "role" not in cohort:
        return None
    if markers is not None:
        cohort = cohort.merge(
            markers[["subject", *(name for name in markers if name not in cohort)]], on="subject", how="left"
        )
    if scores is not None and "subject" in scores:
        wide = scores.pivot_table(index="subject", columns="axis", values="score")
        cohort = cohort.merge(wide[[name for name in wide if name not in cohort]], on="subject", how="left")
    return cohort


def _outcome_tables(results: Results, subset: str, *, first: bool) -> list[Block]:
    """All outcomes side by side: axes and the declared set in sight, the panel folded away."""
    lines, outcomes = side_by_side(results, subset)
    if not lines:
        return []
    words = SUBSETS[subset]
    spans = (("", 1), *((outcome_title(name, unit=True), 3) for name in outcomes))
    head = ["marker", *(["per SD (95 % interval)", "p", "q"] * len(outcomes))]
    declared = [cells for in_front, cells in lines if in_front]
    panel = [cells for in_front, cells in lines if not in_front]
    caption = f"{words[0].upper()}{words[1:]}: change of each outcome per SD of the marker, in the unit of the outcome."
    views = [
        TableView(
            head,
            declared,
            f"{caption} T-helper scores and the declared set; q within the declared set, for scores over all axis "
            "scores.",
            "tables/association.csv",
            folded="" if first else f"The same in {words}",
            spans=spans,
        ),
        TableView(
            head,
            panel,
            f"{caption} q over all detected proteins, for scores over all axis scores.",
            "tables/association.csv",
            filterable=len(panel) > 12,
            folded=f"The other {plural(len(panel), 'marker')} in {words}",
            spans=spans,
        ),
    ]
    return [TableBlock(view) for view in views if view.rows]


def side_by_side(results: Results, subset: str) -> tuple[list[tuple[bool, list[Cell]]], list[str]]:
    """Rows (whether axis or declared, cells) and outcomes; axes first, then the declared set, then others, each by "
    "p."""
    table = results.table("association")
    rows = None if table is None else table[table["subset"] == subset]
    if rows is None or rows.empty:
        return [], []
    outcomes = list(dict.fromkeys(rows["outcome"]))
    by_outcome = {name: rows[rows["outcome"] == name] for name in outcomes}
    models = {name: of[of["method"] == model_method(of)].drop_duplicates("marker") for name, of in by_outcome.items()}
    first = models[outcomes[0]]
    in_front = (first["kind"] == "axis") & first["marker"].map(is_t_helper)
    rank = np.select([in_front, first["in_set"], first["kind"] == "axis"], [0, 1, 2], 3)
    lines = []
    for _, row in first.assign(rank=rank).sort_values(["rank", "p"]).iterrows():
        cells = [Cell(str(row["symbol"] or row["marker"]))]
        for name in outcomes:
            found = models[name][models[name]["marker"] == row["marker"]]
            cells += _entries(found.iloc[0] if len(found) else None)
        lines.append((bool(row["rank"] < 2), cells))
    return lines, outcomes


def _entries(row: pd.Series | None) -> list[Cell]:
    if row is None or pd.isna(row["estimate"]):
        note = "" if row is None else str(row.get("note", ""))
        return [Cell(note or "–"), as_text("p", None), as_text("q", None)]
    q = row["q_set"] if pd.notna(row["q_set"]) else row["q_panel"]
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    return [Cell(f"{estimate} ({limits})", "number"), as_text("p", row["p"]), as_text("q", q)]


def robustness_section(results: Results) -> Section | None:
    """The same questions asked otherwise: other zones and windows, other class rules, other methods, all mice."""
    blocks: list[Block] = []
    animals = results.table("social_interaction")
    link = "tables/social_interaction.csv"
    if animals is not None and "class" in animals:
        ratios = ratio_variants(animals)
        if len(ratios) > 1:
            caption = "SI ratio of defeated mice under other zones, windows and points, against the default."
            blocks.append(TableBlock(table_view(ratios, caption=caption, link=link)))
        if any(str(name).startswith("class_") for name in animals):
            caption = "Defeated mice in each class under every rule; differ: mice whose class is not the default one."
            blocks.append(TableBlock(table_view(class_variants(animals), caption=caption, link=link)))
    main, table = main_result(results), results.table("association")
    if main is not None and table is not None:
        rows = table[table["marker"] == main.row["marker"]]
        columns = [
            "subset",
            "outcome",
            "method",
            "n",
            "estimate",
            "ci_low",
            "ci_high",
            "p",
            "effect",
            "effect_name",
            "smallest_detectable",
            "note",
        ]
        shown = rows.assign(
            outcome=[outcome_title(name, unit=True) for name in rows["outcome"]],
            method=rows["method"].str.replace("_", " "),
            effect_name=rows["effect_name"].where(rows["method"].isin(["ancova", "linear_model", "interaction"]), ""),
        )
        caption = f"{main.marker_title} by every outcome, method and set of animals computed, whether or not it agrees."
        blocks.append(TableBlock(table_view(shown, columns=columns, caption=caption, link="tables/association.csv")))
    return Section("robustness", "Robustness", blocks) if blocks else None


def problems_section(results: Results) -> Section:
    """All exclusions, failures and warnings, none left out."""
    problems = results.problems
    if problems.empty:
        return Section(
            "problems", "Exclusions and problems", [Paragraph("Nothing was excluded, failed or needed a warning.")]
        )
    rank = {"error": 0, "excluded": 1, "warning": 2, "info": 3}
    table = problems.assign(rank=problems["severity"].map(rank).fillna(4))
    table = table.sort_values(["rank", "code", "subject"]).drop(columns="rank")
    table = table.assign(code=table["code"].str.replace("_", " "))
    counted = ", ".join(f"{n} {name}" for name, n in problems["severity"].value_counts(sort=False).items())
    view = table_view(
        table,
        columns=["severity", "code", "subject", "file", "where", "message", "action"],
        filterable=True,
        link="problems.csv",
        caption=f"Every exclusion, failure and warning of the run, with what was done about it ({counted}).",
    )
    return Section("problems", "Exclusions and problems", [TableBlock(view)])
