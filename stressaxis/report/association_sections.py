"""Sections on the declared question: the association of serum and social behaviour, and how robust it is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stressaxis.figures.association import adjusted_values, forest, outcome_title, partial_regression
from stressaxis.figures.axis_scores import axis_rank, axis_words, is_t_helper
from stressaxis.figures.cohort_forest import cohort_forest
from stressaxis.figures.figure import Figure
from stressaxis.figures.numbers import estimate_words, number, plural
from stressaxis.report.behavior_tables import class_variants, ratio_variants
from stressaxis.report.blocks import Block, Paragraph, Section, TableBlock, figure_row
from stressaxis.report.results import Results
from stressaxis.report.statement import (
    SUBSETS,
    MainResult,
    effect_words,
    main_result,
    model_method,
    outcome_column,
    primary_rows,
)
from stressaxis.report.tables import Cell, TableView, as_text, table_view

__all__ = ["association_section", "robustness_section", "side_by_side"]


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
    social = results.table("social_interaction") is not None
    return Section("association", "Serum and social behaviour" if social else "Serum and behaviour", blocks)


def _scatter(results: Results, main: MainResult) -> Figure | None:
    """Adjusted scatter of the main marker, only if it gives back the table's own effect."""
    cohort = _with_markers(results)
    row = main.row
    if cohort is None or effect_words(str(row["effect_name"])) not in ("r", "partial r"):
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
    """Rows (whether shown in front, cells) and outcomes: T-helper scores, declared set, other scores, proteins."""
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
    place = [axis_rank(marker) for marker in first["marker"]]
    lines = []
    for _, row in first.assign(rank=rank, place=place).sort_values(["rank", "place", "p"]).iterrows():
        cells = [Cell(axis_words(row["marker"]) if row["kind"] == "axis" else str(row["symbol"] or row["marker"]))]
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
        ratios = ratio_variants(animals, cut=results.cut)
        if len(ratios) > 1:
            caption = "SI ratio of defeated mice under other zones, windows and points, against the default."
            blocks.append(TableBlock(table_view(ratios, caption=caption, link=link)))
        if any(str(name).startswith("class_") for name in animals):
            caption = "Defeated mice in each class under every rule; differ: mice whose class is not the default one."
            blocks.append(TableBlock(table_view(class_variants(animals, cut=results.cut), caption=caption, link=link)))
    main, table = main_result(results), results.table("association")
    if main is not None and table is not None:
        shown = table[table["marker"] == main.row["marker"]]
        head = [
            "animals",
            "outcome",
            "method",
            "n",
            "estimate (95 % interval)",
            "p",
            "effect",
            "smallest detectable",
            "note",
        ]
        caption = (
            f"{main.marker_title} by every outcome, method and set of animals computed, whether or not it agrees. "
            "Models: change per SD of the marker; correlations: r; censored model (values below LOD): SD of the marker "
            "per unit of the outcome, its partial r to be read beside the model's."
        )
        rows = [_robust_row(row) for _, row in shown.iterrows()]
        view = TableView(head, rows, caption, "tables/association.csv").without_blank_columns()
        blocks.append(TableBlock(view))
    blocks += [*_details(results), *_explorations(results)]
    return Section("robustness", "Robustness", blocks) if blocks else None


def _details(results: Results) -> list[Block]:
    """How far the main marker's result hangs on single mice, cohorts and sexes, and on measurement error."""
    main, table = main_result(results), results.table("association_details")
    if main is None or table is None:
        return []
    shown = table[table["marker"] == main.row["marker"]]
    shown = shown.assign(
        effect_name=shown["effect_name"].map(effect_words), method=shown["method"].str.replace("_", " ")
    )
    columns = ["check", "level", "method", "n", "estimate", "ci_low", "ci_high", "p", "effect", "effect_name", "note"]
    caption = (
        f"{main.marker_title} on the primary outcome: p by permutation, the slope without single mice and cohorts and "
        "within one sex, with wounds in the model where they are on record (a wound is a path as well as a confounder, "
        "so the main result is without), a correlation that outliers do not drive, and the correlation as it would be "
        "without error of measurement."
    )
    if shown.empty:
        return []
    return [TableBlock(table_view(shown, columns=columns, caption=caption, link="tables/association_details.csv"))]


#: Tables beside the primary association, and what stands in them.
_EXPLORATIONS = {
    "association_by_cohort": "{marker} on the primary outcome in each cohort, pooled over cohorts by random effects, "
    "and with the cohort as a random term.",
    "mediation": "Exploratory: does defeat act through {marker}? estimate: the part of its effect on the outcome that "
    "passes through the marker. Measured once, the order of cause and effect is assumed; sensitivity: the correlation "
    "by a common cause at which nothing would be left.",
    "prediction": "Exploratory: can all serum proteins together tell the outcome in cohorts not seen? estimate: share "
    "of its variance within cohorts, beyond the baseline; below 0: worse than no serum. Do these predictions tell "
    "susceptible from resilient mice? AUC: the share of pairs of one cohort in which the resilient mouse is predicted "
    "to be the more resilient one; 0.5 is chance. No-target time, of which the classes are made, separates them "
    "alone: what serum adds is the gain.",
    "prediction_weights": "Exploratory: the proteins with the largest mean weight in that prediction, with the range "
    "over the training sets, in how many of them the protein had any weight, and was among the ten largest. A protein "
    "that comes and goes with the training set is no finding.",
}

#: Tables shown of all markers, and how many rows of them.
_WHOLE = {"prediction_weights": 10}


def _explorations(results: Results) -> list[Block]:
    main = main_result(results)
    blocks: list[Block] = []
    for name, words in _EXPLORATIONS.items():
        table = results.table(name)
        if main is None or table is None:
            continue
        shown = table[table["marker"] == main.row["marker"]] if "marker" in table and name not in _WHOLE else table
        shown = shown.head(_WHOLE.get(name, len(shown)))
        if name == "association_by_cohort":
            blocks += figure_row(cohort_forest(shown, marker_title=main.marker_title))
        if len(shown):
            hidden = ["outcome", "marker", "kind", *(["symbol"] if name not in _WHOLE else ["n", "n_cohorts"])]
            shown = shown.drop(columns=hidden, errors="ignore")
            shown = shown.assign(method=shown["method"].str.replace("_", " "))
            # Read from a file, a count that some rows lack is a float.
            for count in [name for name in map(str, shown) if name.startswith("n_")]:
                shown[count] = shown[count].astype("Int64").astype(object).where(shown[count].notna(), None)
            caption = words.format(marker=main.marker_title)
            blocks.append(TableBlock(table_view(shown, caption=caption, link=f"tables/{name}.csv")))
    return blocks


def _robust_row(row: pd.Series) -> list[Cell]:
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    known = pd.notna(row["estimate"])
    effect = f"{effect_words(str(row['effect_name']))} = {number(row['effect'], 2)}" if known else "–"
    return [
        Cell(SUBSETS.get(row["subset"], str(row["subset"]))),
        Cell(outcome_title(str(row["outcome"]), unit=True)),
        Cell(str(row["method"]).replace("_", " ")),
        as_text("n", row["n"]),
        Cell(f"{estimate} ({limits})" if known else "–", "number"),
        as_text("p", row["p"]),
        Cell(effect, "number"),
        Cell(
            f"|r| = {number(row['smallest_detectable'], 2)}" if pd.notna(row["smallest_detectable"]) else "–", "number"
        ),
        Cell(str(row["note"]).replace("_", " ")),
    ]
