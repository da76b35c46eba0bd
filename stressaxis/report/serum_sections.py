"""Sections on serum: quality of samples and proteins, differences between groups, axis scores."""

from __future__ import annotations

import pandas as pd

from stressaxis.figures.axis_scores import axis_order, axis_scores
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
        blocks.append(_folded(proteins, "tables/protein_quality.csv", "All {} proteins", "Every protein with its quality flags."))
    if samples is not None:
        flagged = _flagged(samples)
        if flagged is None:
            pass
        elif flagged.empty:
            blocks.append(Paragraph(f"None of {plural(len(samples), 'sample')} carries a flag."))
        else:
            caption = f"{plural(len(flagged), 'sample')} of {len(samples)} with a flag; flags mark, they remove nothing."
            blocks.append(TableBlock(table_view(flagged, caption=caption, filterable=len(flagged) > 12)))
        blocks.append(_folded(samples, "tables/serum_quality.csv", "All {} samples", "Every sample with its quality flags."))
    return Section("serum", "Serum quality", blocks)


def _flagged(samples: pd.DataFrame) -> pd.DataFrame | None:
    """Rows in which a flag or note column says something; None where the table has no such column."""
    names = [name for name in samples.columns if name in ("flag", "flags", "note", "quality", "qc")]
    if not names:
        return None
    text = samples[names].fillna("").astype(str).agg("".join, axis=1)
    return samples[text != ""]


def _folded(table: pd.DataFrame, link: str, title: str, caption: str) -> TableBlock:
    return TableBlock(table_view(table, caption=caption, link=link, filterable=True, folded=title.format(len(table))))


def proteins_section(results: Results) -> Section | None:
    """Differences between groups, protein by protein; None without a contrast."""
    contrasts = results.contrasts()
    if not contrasts:
        return None
    declared = declared_proteins(results)
    blocks: list[Block] = []
    for name, table in list(contrasts.items())[:DRAWN]:
        blocks += figure_row(volcano(table, contrast=name, declared=declared))
    for name, table in contrasts.items():
        columns = ["symbol", "protein", "logfc", "se", "t", "df", "p", "q", "n_1", "n_0"]
        view = table_view(
            table.sort_values("p"), columns=columns, link=f"tables/differential_{name}.csv", filterable=True,
            caption=f"{contrast_name(name)}: all proteins, strongest first.", folded=f"Table: {contrast_name(name)} ({len(table)} proteins)",
        )  # fmt: skip
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
        blocks += figure_row(axis_scores(_with_subject(scores, results), animals))
    if scores is not None:
        refused = scores[scores["score"].isna()].groupby("axis")["note"].first() if "note" in scores else pd.Series(dtype=str)
        blocks += [Paragraph(f"{axis}: no score. {note}", "note") for axis, note in refused.items() if scores.loc[scores["axis"] == axis, "score"].isna().all()]  # fmt: skip
    if members is not None:
        view = table_view(_members(members), caption="Members of each axis on this panel, with the share of samples in which each was detected.", link="tables/axis_members.csv")  # fmt: skip
        blocks.append(TableBlock(view))
    return Section("axes", "T-helper axes", blocks)


def _with_subject(scores: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Scores with their subject: their own column, or through the cohort's sample."""
    if "subject" in scores:
        return scores
    cohort = results.table("cohort")
    if cohort is not None and {"sample", "subject"} <= set(cohort.columns):
        return scores.merge(cohort[["sample", "subject"]], on="sample")
    return scores.assign(subject=scores["sample"])


def _members(members: pd.DataFrame) -> pd.DataFrame:
    """One row per axis: who carries it, who does not and why."""
    rows = []
    for axis in axis_order(list(members["axis"].unique())):
        of_axis = members[members["axis"] == axis]
        row = {"axis": axis}
        for status in ["used", *sorted(set(of_axis["status"]) - {"used"})]:
            names = [
                str(symbol) + (f" ({percent(share)})" if status in ("used", "not detected") and share == share else "")
                for symbol, share in zip(of_axis.loc[of_axis["status"] == status, "symbol"], of_axis.loc[of_axis["status"] == status].get("detected_share", pd.Series(dtype=float)), strict=False)
            ]  # fmt: skip
            row[status] = ", ".join(names)
        rows.append(row)
    return pd.DataFrame(rows).fillna("")
