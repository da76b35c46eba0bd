"""What the human half of a study and its mouse check show, read from the tables: one record per link of the chain."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from stressaxis.report.results import Results

__all__ = [
    "ReversalFinding",
    "SkewFinding",
    "TreatmentFinding",
    "declared_score",
    "diseases_of",
    "reversal_findings",
    "skew_findings",
    "treatment_finding",
]

THRESHOLD = 0.05
#: The variant of proteins on which drugs are ranked; the others stand beside it.
ALL = "all proteins"


@dataclass(frozen=True)
class SkewFinding:
    """Th2 skew of the study's first disease and of one other, each against the healthy."""

    first: pd.Series
    other: pd.Series

    @property
    def shown(self) -> bool:
        """Both are above the healthy; both tests must say so, so neither needs a correction for the other."""
        return all(_above(row) for row in (self.first, self.other))


@dataclass(frozen=True)
class ReversalFinding:
    """Drugs against the profile of one disease, by the declared score."""

    disease: str
    rows: pd.DataFrame
    ranking: pd.DataFrame

    @property
    def shown(self) -> pd.DataFrame:
        """Drugs that move the profile back: p over all drugs at most .05, estimate below zero; best rank first."""
        found = self.rows[(self.rows["p_max"] <= THRESHOLD) & (self.rows["estimate"] < 0)]
        order = list(self.ranking["drug"]) or list(found.sort_values("estimate")["drug"])
        return found.set_index("drug").reindex([drug for drug in order if drug in set(found["drug"])]).reset_index()


@dataclass(frozen=True)
class TreatmentFinding:
    """Effect of one treatment on the first outcome: interaction with defeat, and in defeated and control mice."""

    interaction: pd.Series
    in_defeated: pd.Series
    in_control: pd.Series

    @property
    def usable(self) -> pd.Series:
        """The interaction; where controls were not treated, the effect in defeated mice."""
        return self.interaction if pd.notna(self.interaction["p"]) else self.in_defeated

    @property
    def shown(self) -> bool:
        """The treatment changes what defeat does."""
        return bool(self.usable["p"] <= THRESHOLD)


def _above(row: pd.Series) -> bool:
    return bool(row["p"] <= THRESHOLD and row["estimate"] > 0)


def diseases_of(results: Results) -> list[str]:
    """Groups of patients in the order of the config, the one that the study is about first; empty without people."""
    groups = results.table("people_groups")
    return [] if groups is None else [str(name) for name in groups["group"].iloc[1:]]


def declared_score(results: Results) -> str:
    """The reversal score whose p counts."""
    return str(results.setting("people", "questions", "score") or "spearman")


def skew_findings(results: Results) -> list[SkewFinding]:
    """The first disease's Th2 skew beside that of each other; empty without skew scores."""
    table, diseases = results.table("people_skew"), diseases_of(results)
    if table is None:
        return []
    rows = {str(row["disease"]): row for _, row in table[table["axis"] == "th2_skew"].iterrows()}
    if not diseases or diseases[0] not in rows:
        return []
    return [SkewFinding(rows[diseases[0]], rows[name]) for name in diseases[1:] if name in rows]


def reversal_findings(results: Results) -> list[ReversalFinding]:
    """One record per disease that drugs were set against, in the order of the table."""
    table, ranking = results.table("people_reversal"), results.table("people_ranking")
    if table is None:
        return []
    found = []
    for disease, part in table.groupby("disease", sort=False):
        rows = part[(part["variant"] == ALL) & (part["score"] == declared_score(results))]
        ranks = pd.DataFrame({"drug": []}) if ranking is None else ranking
        own = ranks[(ranks["disease"] == disease) & (ranks["variant"] == ALL)] if len(ranks) else ranks
        found.append(ReversalFinding(str(disease), rows, own))
    return found


def treatment_finding(results: Results) -> TreatmentFinding | None:
    """The first treatment on the first outcome; None without treatments."""
    table = results.table("treatment")
    if table is None:
        return None
    first = table[table["kind"] == "outcome"]
    if first.empty:
        return None
    outcome, treatment = first.iloc[0][["outcome", "treatment"]]
    own = first[(first["outcome"] == outcome) & (first["treatment"] == treatment)]
    rows = {str(row["term"]): row for _, row in own.iterrows()}
    terms = ("interaction", "in defeated", "in control")
    return TreatmentFinding(*(rows[term] for term in terms)) if set(terms) <= set(rows) else None
