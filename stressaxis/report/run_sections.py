"""Sections on the run itself: what was declared and done, counts from start to analysis, everything set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from stressaxis.figures.association import outcome_title
from stressaxis.figures.numbers import number, plural
from stressaxis.report.blocks import Block, Facts, Paragraph, Section, TableBlock
from stressaxis.report.results import Results
from stressaxis.report.statement import SUBSETS, declared_proteins
from stressaxis.report.tables import Cell, TableView, as_text, table_view

__all__ = ["counts_section", "done_section", "problems_section"]

_PARTS = {
    "trials": "recordings of the social interaction test",
    "axis_scores": "serum axis scores",
    "association": "associations of serum and behaviour",
}


def done_section(results: Results) -> Section:
    """What was declared before scoring, what the run consisted of, what it lacks."""
    declared = results.provenance.get("declared") or {}
    rows = [("Experiment", str(results.provenance.get("name", "")))]
    if declared.get("primary_outcome"):
        rows.append(("Primary outcome", outcome_title(str(declared["primary_outcome"]))))
    proteins = declared_proteins(results)
    if proteins:
        rows.append(("Declared Th2 set", ", ".join(proteins)))
    rows.append(("Exclusions declared", exclusion_words(declared.get("exclusions"))))
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
    if results.contrasts() == {} and results.table("people_signatures") is None:
        absent.append("protein differences between groups")
    if absent:
        blocks.append(Paragraph(f"Not in this run: {'; '.join(absent)}.", "note"))
    return Section("done", "What was declared and done", blocks)


def exclusion_words(declared: object) -> str:
    """Declared exclusions in words; rules that are off are left out.

    Examples
    --------
    >>> exclusion_words({"ratio_from": 4.0, "zero_zone_time": True, "subjects": {"m1": "wound"}})
    'SI ratio of 4 or more; 0 s in the interaction zone in either trial; m1 (wound)'
    >>> exclusion_words({})
    'none'
    """
    if not isinstance(declared, dict):
        return str(declared) if declared else "none"
    words = []
    if declared.get("ratio_from") is not None:
        words.append(f"SI ratio of {number(float(declared['ratio_from'])).rstrip('0').rstrip('.')} or more")
    if declared.get("zero_zone_time"):
        words.append("0 s in the interaction zone in either trial")
    if declared.get("lost_above_percent") is not None:
        words.append(f"mouse not seen for more than {declared['lost_above_percent']:g} % of the recorded time")
    subjects = declared.get("subjects") or {}
    if isinstance(subjects, dict):
        words += [f"{name} ({reason})" if reason else str(name) for name, reason in subjects.items()]
    else:
        words += [str(name) for name in subjects]
    return "; ".join(words) or "none"


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
    classed = {"SUS", "RES"} & set(groups)
    caption = "Animals at each stage, by group" + ("; classes are counted among the defeated." if classed else ".")
    view = TableView(["", *groups], rows, caption, link)
    blocks: list[Block] = [TableBlock(view)]
    reasons = counts[counts["reason"] != ""][["group", "stage", "reason"]].drop_duplicates()
    if not reasons.empty:
        reasons = reasons.assign(
            stage=reasons["stage"].map(_stage_words), reason=reasons["reason"].str.replace("_", " ")
        )
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
    counted = severity_words(problems["severity"])
    view = table_view(
        table,
        columns=["severity", "code", "subject", "file", "where", "message", "action"],
        filterable=True,
        link="problems.csv",
        caption=f"Every exclusion, failure and warning of the run, with what was done about it ({counted}).",
    )
    return Section("problems", "Exclusions and problems", [TableBlock(view)])


def severity_words(severity: Iterable[str]) -> str:
    """Counts of problems by kind, in words.

    Examples
    --------
    >>> severity_words(["warning", "error", "warning", "excluded"])
    '1 error, 1 exclusion or refusal, 2 warnings'
    """
    counts = Counter(severity)
    return ", ".join(plural(counts[name], *words) for name, words in _SEVERITIES.items() if counts[name])


_SEVERITIES = {
    "error": ("error", "errors"),
    "excluded": ("exclusion or refusal", "exclusions and refusals"),
    "warning": ("warning", "warnings"),
    "info": ("remark", "remarks"),
}
