"""Sections on the human half of a study and on the treatments of its mice."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from stressaxis.figures.association import outcome_title
from stressaxis.figures.people import drug_forest, profile_scatter, skew_strip, treatment_strip
from stressaxis.figures.volcano import volcano
from stressaxis.report.blocks import Block, Paragraph, Section, TableBlock, figure_row
from stressaxis.report.people_findings import ALL, declared_score, diseases_of, reversal_findings
from stressaxis.report.people_statement import SCORE_WORDS
from stressaxis.report.results import Results
from stressaxis.report.statement import effect_words, outcome_column
from stressaxis.report.tables import table_view

__all__ = ["drugs_section", "profiles_section", "similarity_section", "skew_section", "treatment_section"]


def _th2(results: Results) -> list[str]:
    """Th2 proteins that the people's panel has, from the axes of the profiles."""
    axes = results.table("people_axes")
    if axes is None:
        return []
    rows = axes[axes["axis"] == "Th2"]
    return [] if rows.empty else [name.strip() for name in str(rows["members"].iloc[0]).split(",")]


def profiles_section(results: Results) -> Section | None:
    """Serum profile of each disease against the healthy; None without people."""
    table = results.table("people_signatures")
    if table is None:
        return None
    blocks: list[Block] = []
    groups = results.table("people_groups")
    if groups is not None:
        caption = "People by group; some are treated later, and measured again."
        blocks.append(TableBlock(table_view(groups, caption=caption)))
    declared = _th2(results)
    drawn = []
    for contrast, part in table.groupby("contrast", sort=False):
        name = str(contrast).replace(" - ", "_vs_")
        figure = volcano(part, contrast=name, declared=declared)
        if figure is not None:
            said = figure.caption.replace("the set declared before scoring", "Th2 proteins")
            drawn.append(replace(figure, table="people_signatures.csv", caption=said))
    blocks += figure_row(*drawn)
    columns = ["contrast", "symbol", "logfc", "se", "p", "q", "n_1", "n_0"]
    first = table[table["q"] <= 0.05].sort_values(["contrast", "p"])
    if first.empty:
        blocks.append(Paragraph("No protein differs at q ≤ 0.05 in any disease.", "note"))
    else:
        blocks.append(TableBlock(table_view(
            first, columns=columns, caption="Proteins with q ≤ 0.05, covariates held constant.", filterable=True,
            link="tables/people_signatures.csv", folded=f"All {len(first)} proteins with q ≤ 0.05",
        )))  # fmt: skip
    return Section("people-profiles", "Serum profiles of people", blocks)


def skew_section(results: Results) -> Section | None:
    """Th2 skew of each disease; None without scores."""
    scores, skew = results.table("people_axis_scores"), results.table("people_skew")
    if scores is None or skew is None:
        return None
    skew = skew.assign(effect_name=skew["effect_name"].map(effect_words))
    groups = results.table("people_groups")
    order = [] if groups is None else [str(name) for name in groups["group"]]
    blocks = figure_row(skew_strip(scores, order))
    caption = (
        "Scores of each disease against the healthy (SD of the healthy), covariates held constant. th2_skew is Th2 "
        "minus "
        "Th1. Compare an axis between diseases, not axes within one."
    )
    columns = ["disease", "axis", "estimate", "ci_low", "ci_high", "p", "effect", "effect_name", "n_1", "n_0", "note"]
    blocks.append(TableBlock(table_view(skew, columns=columns, caption=caption, link="tables/people_skew.csv")))
    return Section("people-skew", "Th2 skew by disease", blocks)


def similarity_section(results: Results) -> Section | None:
    """How alike the profiles are, shared controls taken out; None where fewer than two were compared."""
    table, quadrants = results.table("people_similarity"), results.table("people_quadrants")
    if table is None:
        return None
    rows = table[table["score"] == "spearman"]
    blocks: list[Block] = []
    if quadrants is not None:
        drawn = []
        for (a, b), part in quadrants.groupby(["contrast_a", "contrast_b"], sort=False):
            own = rows[(rows["contrast_a"] == a) & (rows["contrast_b"] == b)]
            drawn.append(profile_scatter(part, own.iloc[0] if len(own) else None, _th2(results)))
        blocks += figure_row(*drawn)
    caption = (
        "Similarity of profiles over all proteins: as measured, what shared controls alone give, and the estimate "
        "with the "
        "controls parted between both. p: sample labels permuted, each disease against the controls. "
        "Other scores stand in the file."
    )
    columns = ["contrast_a", "contrast_b", "score", "n_proteins", "observed", "null_line", "estimate", "ci_low",
               "ci_high", "p", "n_a", "n_b", "n_0"]  # fmt: skip
    headings = {
        "observed": "as measured",
        "null_line": "shared controls alone",
        "contrast_a": "profile",
        "contrast_b": "with",
    }
    shown = rows.assign(score=rows["score"].map(lambda name: SCORE_WORDS.get(name, name)))
    blocks.append(TableBlock(table_view(shown, columns=columns, caption=caption, headings=headings,
                                        link="tables/people_similarity.csv")))  # fmt: skip
    closer = results.table("people_similarity_difference")
    if closer is not None:
        shown = closer.assign(score=closer["score"].map(lambda name: SCORE_WORDS.get(name, name)))
        columns = ["disease", "closer_to", "than_to", "score", "first", "second", "estimate", "ci_low", "ci_high", "n"]
        said = "Is a disease closer to one than to another: difference of the two similarities, from the same people."
        blocks.append(TableBlock(table_view(shown, columns=columns, caption=said,
                                            link="tables/people_similarity_difference.csv")))  # fmt: skip
    return Section("people-similarity", "How alike the profiles are", blocks)


def drugs_section(results: Results) -> Section | None:
    """Drugs ranked against each profile, with and without proteins that could mislead; None without drugs."""
    found, table = reversal_findings(results), results.table("people_reversal")
    if not found or table is None:
        return None
    score = declared_score(results)
    words = SCORE_WORDS.get(score, score)
    blocks: list[Block] = figure_row(*(drug_forest(each.rows, disease=each.disease, score=words) for each in found))
    ranking = results.table("people_ranking")
    if ranking is not None:
        columns = ["disease", "variant", "drug", "mean_rank", "ci_low", "ci_high", "share_first"]
        caption = (
            f"Consensus rank over {int(ranking['n_scores'].iloc[0])} scores, with its 95 % range over bootstraps "
            "of patients "
            "and controls. Ranks exist also where no drug does anything."
        )
        blocks.append(TableBlock(table_view(ranking[ranking["variant"] == ALL], columns=columns, caption=caption,
                                            link="tables/people_ranking.csv")))  # fmt: skip
    rows = table[table["score"] == score]
    columns = ["disease", "drug", "variant", "n_proteins", "n_pairs", "n_shared", "observed", "estimate", "ci_low",
               "ci_high", "p", "p_max", "note"]  # fmt: skip
    caption = (
        f"Reversal by the declared score ({words}), also without proteins of sample handling and, for an antibody "
        "to IL-4R "
        "alpha, without IL4, IL13, IL4R, which it raises or masks itself. p_max: over all drugs."
    )
    blocks.append(TableBlock(table_view(rows, columns=columns, caption=caption, link="tables/people_reversal.csv",
                                        headings={"p_max": "p over all drugs"})))  # fmt: skip
    blocks += _protein_tables(results)
    return Section("people-drugs", "Drugs that move a profile back", blocks)


def _protein_tables(results: Results) -> list[Block]:
    """Which proteins the best-ranked drug of each profile moves back, and which it moves along."""
    proteins = results.table("people_reversal_proteins")
    if proteins is None:
        return []
    blocks: list[Block] = []
    for each in reversal_findings(results):
        drug = each.ranking["drug"].iloc[0] if len(each.ranking) else each.rows.sort_values("estimate")["drug"].iloc[0]
        part = proteins[(proteins["disease"] == each.disease) & (proteins["drug"] == drug)].sort_values("contribution")
        ends = pd.concat([part.head(15), part.tail(5)])
        caption = (
            f"{drug} against the {each.disease} profile: the 15 proteins that add most to the reversal and the 5 "
            "that work "
            "against it. Direction only where both changes are clear (|t| of 3 or more)."
        )
        columns = ["protein", "disease_logfc", "disease_t", "drug_logfc", "drug_t", "contribution", "percent_reversal",
                   "direction"]  # fmt: skip
        blocks.append(TableBlock(table_view(ends, columns=columns, caption=caption,
                                            link="tables/people_reversal_proteins.csv",
                                            folded=f"Proteins moved by {drug} ({each.disease})")))  # fmt: skip
    return blocks


def treatment_section(results: Results) -> Section | None:
    """The mouse check: treatments beside defeat; None without."""
    table, cohort = results.table("treatment"), results.table("cohort")
    if table is None:
        return None
    first = str(table["outcome"].iloc[0])
    title = outcome_title(first, unit=True)
    blocks: list[Block] = []
    if cohort is not None:
        blocks += figure_row(treatment_strip(cohort, column=outcome_column(first), title=title))
    columns = ["outcome", "kind", "term", "treatment", "reference", "n", "estimate", "ci_low", "ci_high", "p", "effect",
               "effect_name", "smallest_detectable", "note"]  # fmt: skip
    titles = [outcome_title(str(name), unit=True) for name in table["outcome"]]
    shown = table.assign(outcome=titles, effect_name=table["effect_name"].map(effect_words))
    caption = (
        "Treatment against the reference: its effect in defeated and in control mice, and their difference "
        "(interaction: "
        "the primary result). Locomotion without target is the control outcome: a change there questions the rest."
    )
    blocks.append(TableBlock(table_view(shown, columns=columns, caption=caption, link="tables/treatment.csv")))
    return Section("treatment", "Mouse check: treatment and defeat" if diseases_of(results) else "Treatment", blocks)
