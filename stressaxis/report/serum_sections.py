"""Sections on serum: quality of samples and proteins, differences between groups, axis scores."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stressaxis.figures.axis_scores import axis_order, axis_scores, axis_words, is_t_helper
from stressaxis.figures.numbers import percent, plural
from stressaxis.figures.quality import protein_detection
from stressaxis.figures.volcano import contrast_name, volcano
from stressaxis.report.blocks import Block, Paragraph, Section, TableBlock, figure_row
from stressaxis.report.results import Results
from stressaxis.report.statement import declared_proteins
from stressaxis.report.tables import table_view

__all__ = ["axes_section", "proteins_section", "serum_quality_section"]

#: Volcano plots drawn; further contrasts are tables only.
DRAWN = 4


def serum_quality_section(results: Results) -> Section | None:
    """Samples and proteins as measured; None without either table."""
    samples, proteins = results.table("serum_quality"), results.table("protein_quality")
    if samples is None and proteins is None:
        return None
    blocks: list[Block] = []
    if proteins is not None:
        blocks += figure_row(protein_detection(proteins))
        blocks.append(
            _folded(proteins, "tables/protein_quality.csv", "All {} proteins", "Every protein with its quality flags.")
        )
    if samples is not None:
        flagged = _flagged(samples)
        if flagged is None:
            pass
        elif flagged.empty:
            blocks.append(Paragraph(f"None of {plural(len(samples), 'sample')} carries a flag."))
        else:
            caption = (
                f"{plural(len(flagged), 'sample')} of {len(samples)} with a flag; flags mark, they remove nothing."
            )
            blocks.append(TableBlock(table_view(flagged, caption=caption, filterable=len(flagged) > 12)))
        blocks.append(
            _folded(samples, "tables/serum_quality.csv", "All {} samples", "Every sample with its quality flags.")
        )
    return Section("serum", "Serum quality", blocks)


def _flagged(samples: pd.DataFrame) -> pd.DataFrame | None:
    """Samples far from the others or with a warning of the vendor; None where the table tells neither."""
    marks = []
    if "outlier" in samples:
        marks.append(samples["outlier"] != "")
    if "qc_warnings" in samples:
        marks.append(samples["qc_warnings"] > 0)
    return samples[np.logical_or.reduce(marks)] if marks else None


def _folded(table: pd.DataFrame, link: str, title: str, caption: str) -> TableBlock:
    return TableBlock(table_view(table, caption=caption, link=link, filterable=True, folded=title.format(len(table))))


def proteins_section(results: Results) -> Section | None:
    """Differences between groups, protein by protein; None without a contrast."""
    contrasts = results.contrasts()
    if not contrasts:
        return None
    declared = declared_proteins(results)
    drawn = [volcano(table, contrast=name, declared=declared) for name, table in list(contrasts.items())[:DRAWN]]
    blocks: list[Block] = figure_row(*drawn)
    for name, table in contrasts.items():
        columns = ["symbol", "protein", "logfc", "se", "t", "df", "p", "q", "n_1", "n_0"]
        view = table_view(
            table.sort_values("p"),
            columns=columns,
            link=f"tables/differential_{name}.csv",
            filterable=True,
            caption=f"{contrast_name(name)}: all proteins, strongest first.",
            folded=f"Table: {contrast_name(name)} ({len(table)} proteins)",
        )
        blocks.append(TableBlock(view))
    return Section("proteins", "Serum proteins by group", blocks)


def axes_section(results: Results) -> Section | None:
    """T-helper axis scores and the proteins that carry them; None without scores or members."""
    scores, members = results.table("axis_scores"), results.table("axis_members")
    if scores is None and members is None:
        return None
    blocks: list[Block] = []
    animals = results.table("social_interaction")
    if animals is None:
        animals = results.table("cohort")
    if scores is not None and animals is not None:
        kept = animals[animals["excluded"] == ""] if "excluded" in animals else animals
        blocks += figure_row(axis_scores(_with_subject(scores, results), kept))
    if members is not None:
        blocks += _member_tables(members, scores)
    return Section("axes", "T-helper axes", blocks)


def _with_subject(scores: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Scores with their subject: their own column, or through the cohort's sample."""
    if "subject" in scores:
        return scores
    cohort = results.table("cohort")
    if cohort is not None and {"sample", "subject"} <= set(cohort.columns):
        return scores.merge(cohort[["sample", "subject"]], on="sample")
    return scores.assign(subject=scores["sample"])


def _member_tables(members: pd.DataFrame, scores: pd.DataFrame | None) -> list[Block]:
    """Who carries each axis and who does not: the T-helper axes in sight, the others folded away."""
    table = _members(members[members["status"] != "extended"], _scored(scores))
    helper = table.pop("helper").to_numpy(dtype=bool)
    caption = (
        "Core members of each axis: those that carry its score, with the share of samples in which they were detected, "
        "and those that do not, with the reason."
    )
    link = "tables/axis_members.csv"
    views = [
        table_view(table[helper], caption=caption, link=link),
        table_view(table[~helper], caption=caption, link=link, folded=f"Further axes ({int((~helper).sum())})"),
    ]
    return [TableBlock(view) for view in views if view.rows]


def _scored(scores: pd.DataFrame | None) -> dict[str, str]:
    """For each axis whether it has a score."""
    if scores is None:
        return {}
    known = scores.groupby("axis")["score"].apply(lambda values: bool(values.notna().any()))
    return {str(axis): "yes" if has else "refused: too few members" for axis, has in known.items()}


def _members(members: pd.DataFrame, scored: dict[str, str]) -> pd.DataFrame:
    """One row per axis: who carries it, who does not and why."""
    rows = []
    statuses = ["used", *sorted(set(members["status"]) - {"used"})]
    for axis in axis_order(list(members["axis"].unique())):
        of_axis = members[members["axis"] == axis]
        row = {"helper": is_t_helper(axis), "axis": axis_words(axis), "score": scored.get(axis, "")}
        for status in statuses:
            chosen = of_axis[of_axis["status"] == status]
            row[status] = ", ".join(
                _member(symbol, share) for symbol, share in zip(chosen["symbol"], chosen["detected_share"], strict=True)
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _member(symbol: str, share: float) -> str:
    return f"{symbol} ({percent(share)})" if share == share else symbol
