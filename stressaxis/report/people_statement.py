"""The human half and the mouse check in words: what is shown, what is not, each with n, estimate, interval, p."""

from __future__ import annotations

from typing import Any

import pandas as pd

from stressaxis.figures.association import outcome_title, outcome_unit
from stressaxis.figures.numbers import estimate_words, number, p_value, percent, plural
from stressaxis.report.people_findings import (
    ReversalFinding,
    SkewFinding,
    declared_score,
    diseases_of,
    reversal_findings,
    skew_findings,
    treatment_finding,
)
from stressaxis.report.results import Results

__all__ = ["SCORE_WORDS", "people_statement", "treatment_words"]

#: Reversal scores in words.
SCORE_WORDS = {
    "spearman": "rank correlation", "cosine": "cosine", "sign_balance": "sign balance",
    "wtcs": "weighted connectivity", "xsum": "extreme sum", "pearson": "correlation",
    "sign_concordance": "share that moves the same way",
}  # fmt: skip


def people_statement(results: Results) -> list[str]:
    """The chain in one sentence, then each link with its numbers; empty without people."""
    if not diseases_of(results):
        return []
    parts = [_chain(results), _profiles(results), *map(_skew, skew_findings(results)), _similarity(results)]
    parts += [_reversal(each, declared_score(results)) for each in reversal_findings(results)]
    return [text for text in (*parts, treatment_words(results)) if text]


def _chain(results: Results) -> str:
    """What is shown, then what is not."""
    skews, drugs, mice = skew_findings(results), reversal_findings(results), treatment_finding(results)
    shown: list[str] = []
    lacking: list[str] = []
    for skew in skews[:1]:
        words = f"Th2 skew shared by {skew.first['disease']} and {skew.other['disease']}"
        (shown.append(f"a {words}") if skew.shown else lacking.append(words))
    for drug in drugs[:1]:
        found = drug.shown
        if len(found):
            best = f"{found['drug'].iloc[0]}, first of {plural(len(drug.rows), 'drug')}"
            shown.append(f"reversal of the {drug.disease} profile by {best}")
        else:
            lacking.append(f"reversal of the {drug.disease} profile by any drug")
    if mice is not None:
        row = mice.usable
        less = "less" if row["estimate"] > 0 else "more"
        if mice.shown:
            shown.append(f"{less} avoidance in defeated mice under {row['treatment']}")
        else:
            lacking.append(f"effect of {row['treatment']} on what defeat does")
    said = [f"Shown: {'; '.join(shown)}."] if shown else []
    if lacking:
        listed = [f"no {each}" for each in lacking]
        words = " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
        said.append(f"{words[0].upper()}{words[1:]} is shown.")
    return " ".join(said)


def _profiles(results: Results) -> str:
    table, groups = results.table("people_signatures"), results.table("people_groups")
    if table is None or groups is None:
        return ""
    healthy = f"{groups['n'].iloc[0]} {groups['group'].iloc[0]}"
    sizes = dict(zip(groups["group"], groups["n"], strict=True))
    said = []
    for contrast, part in table.groupby("contrast", sort=False):
        disease = str(contrast).split(" - ")[0]
        said.append(f"{int((part['q'] <= 0.05).sum())} in {disease} (n = {sizes.get(disease, '?')})")
    n = table["protein"].nunique()
    return f"Against {healthy}, of {n} serum proteins differed at q ≤ 0.05: {', '.join(said)}."


def _skew(finding: SkewFinding) -> str:
    first, other = finding.first, finding.other
    numbers = "; ".join(f"{row['disease']} {_difference(row)}" for row in (first, other))
    pair = f"{first['disease']} and {other['disease']}"
    if finding.shown:
        return f"The Th2 skew (Th2 minus Th1 score) is above that of {first['reference']} in both {pair}: {numbers}."
    return f"A Th2 skew shared by {pair} is not shown (Th2 minus Th1 score against {first['reference']}: {numbers})."


def _difference(row: pd.Series) -> str:
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    return f"{estimate} SD (95 % interval {limits}, p {_compared(row['p'])}, n = {row['n_1']:.0f} and {row['n_0']:.0f})"


def _similarity(results: Results) -> str:
    table, closer = results.table("people_similarity"), results.table("people_similarity_difference")
    if table is None:
        return ""
    rows = table[table["score"] == "spearman"]
    first = rows["contrast_a"].iloc[0]
    said = []
    for row in rows[rows["contrast_a"] == first].to_dict("records"):
        estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
        numbers = f"95 % interval {limits}, p {_compared(row['p'])}, n = {row['n_b']:.0f}"
        said.append(f"with {row['contrast_b']} {estimate} ({numbers})")
    top = rows.iloc[0]
    text = (
        f"Rank correlation of the profile {first} (n = {top['n_a']:.0f} and {top['n_0']:.0f}) over "
        f"{top['n_proteins']:.0f} proteins, shared controls taken out: {'; '.join(said)}."
    )
    if closer is not None:
        row = closer[closer["score"] == "spearman"].iloc[0]
        estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
        if row["ci_low"] > 0 or row["ci_high"] < 0:
            closer_to, than_to = ("closer_to", "than_to") if row["estimate"] > 0 else ("than_to", "closer_to")
            text += f" {row['disease']} is closer to {row[closer_to]} than to {row[than_to]}: "
        else:
            text += f" That it is closer to {row['closer_to']} than to {row['than_to']} is not shown: "
        text += f"difference {estimate} (95 % interval {limits}, n = {row['n']:.0f})."
    return text


def _reversal(finding: ReversalFinding, score: str) -> str:
    n = plural(len(finding.rows), "drug")
    shown = finding.shown
    if shown.empty:
        least = finding.rows["p_max"].min()
        return (
            f"No reversal of the {finding.disease} profile is shown for any of {n} (smallest p over all drugs "
            f"{_compared(least)}). A rank is given to every drug, also where none does anything."
        )
    said = [_drug_words(row, score) for row in shown.to_dict("records")]
    text = f"Against the {finding.disease} profile, of {n} {'; '.join(said)}."
    if not shown["n_shared"].any():
        text += (
            f" What the drug does was measured in other patients than those with {finding.disease}: that it moves the "
            "profile back is no evidence that it helps them."
        )
    if len(finding.ranking):
        top = finding.ranking.iloc[0]
        text += (
            f" By the consensus of {top['n_scores']:.0f} scores {top['drug']} ranks first (mean rank "
            f"{number(top['mean_rank'], 2)}, 95 % of bootstraps {number(top['ci_low'], 2)} to "
            f"{number(top['ci_high'], 2)}; first in {percent(float(top['share_first']))})."
        )
    return text


def _drug_words(row: dict[Any, Any], score: str) -> str:
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    shared = "; patients in both signatures parted" if float(str(row["n_shared"])) else ""
    return (
        f"{row['drug']} moves it back ({SCORE_WORDS[score]} {estimate}, 95 % interval {limits}, p over all drugs "
        f"{_compared(row['p_max'])}, n = {row['n_pairs']:.0f} treated, {row['n_case']:.0f} with the disease and "
        f"{row['n_control']:.0f} healthy{shared})"
    )


def treatment_words(results: Results) -> str:
    """The mouse check: the interaction, and the effect in each role; empty without treatments."""
    finding = treatment_finding(results)
    if finding is None:
        return ""
    row = finding.usable
    outcome, unit = outcome_title(str(row["outcome"])), outcome_unit(str(row["outcome"]))
    parts = "; ".join(
        f"{term} {_effect(part, unit)}"
        for term, part in (("in defeated mice", finding.in_defeated), ("in control mice", finding.in_control))
        if pd.notna(part["p"])
    )
    compared = f"{row['treatment']} against {row['reference']}"
    if row is finding.in_defeated:
        return f"Mice, {compared}, {outcome}: {parts}. Controls were not treated, so there is no interaction to test."
    if not finding.shown:
        return (
            f"An effect of {row['treatment']} on what defeat does is not shown in mice ({outcome}, {compared}: "
            f"interaction {_effect(row, unit)}; {parts}; n = {row['n']:.0f})."
        )
    less = "less" if row["estimate"] > 0 else "more"
    return (
        f"Defeated mice avoided the target {less} under {row['treatment']} ({outcome}, {compared}): interaction with "
        f"defeat {_effect(row, unit)}; {parts}; n = {row['n']:.0f}."
    )


def _effect(row: pd.Series, unit: str) -> str:
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    return f"{estimate} {unit}".rstrip() + f" (95 % interval {limits}, p {_compared(row['p'])})"


def _compared(value: object) -> str:
    words = p_value(value)
    return words if words.startswith("<") else f"= {words}"
