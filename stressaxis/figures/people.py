"""Figures of the human half: Th2 skew by group, two profiles against each other, drugs, and the mouse check."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.groups import group_summary, numbers_by_group, strip_chart
from stressaxis.figures.numbers import number, swarm_offsets
from stressaxis.figures.style import COLOURS, DECLARED, interval_rules, show_groups

__all__ = ["drug_forest", "profile_scatter", "skew_strip", "treatment_strip"]

_QUADRANTS = {
    "shared up": "#B5659A", "shared down": "#0072B2", "opposite": "#E07B00", "": "#c4c4c4",
}  # fmt: skip


def skew_strip(scores: pd.DataFrame, order: Sequence[str]) -> Figure | None:
    """Th2 skew of every person by group, healthy first; None without scores."""
    data = scores[(scores["axis"] == "th2_skew") & scores["score"].notna()]
    if data.empty:
        return None
    data = data[["subject", "group", "score"]].assign(offset=0.0)
    for _, part in data.groupby("group"):
        data.loc[part.index, "offset"] = swarm_offsets(part["score"]) - 0.45
    sort = [name for name in order if name in set(data["group"])]
    colours = [COLOURS["control"], *(["#B5659A", "#E07B00", "#0072B2", "#009E73"] * 5)[: len(sort) - 1]]
    x = alt.X("group:N", sort=sort, title=None, axis=alt.Axis(labelAngle=0, ticks=False))
    sideways = alt.Scale(domain=[-1.5, 1.5])
    points = (
        alt.Chart(data)
        .mark_point(filled=True, opacity=0.8, size=44)
        .encode(
            x=x,
            xOffset=alt.XOffset("offset:Q", scale=sideways),
            y=alt.Y("score:Q", title="Th2 skew (Th2 − Th1, SD of healthy)"),
            color=alt.Color("group:N", scale=alt.Scale(domain=sort, range=colours), legend=None),
            tooltip=[alt.Tooltip("subject:N", title="person"), "group:N", alt.Tooltip("score:Q", format=".2f")],
        )
    )
    summary = group_summary(data["score"], data["group"], sort).dropna(subset="mean").assign(offset=1.05)
    summary = summary.rename(columns={"shown": "group"})
    beside = alt.XOffset("offset:Q", scale=sideways)
    tick = alt.Chart(summary).mark_tick(orient="horizontal", size=16, thickness=2.5, color="#111111")
    zero = alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(strokeDash=[5, 4], color="#666666").encode(y="at:Q")
    layers = [zero, points, *interval_rules(summary, x=x, xOffset=beside), tick.encode(x=x, xOffset=beside, y="mean:Q")]
    caption = (
        f"Th2 skew of every person ({numbers_by_group(summary.rename(columns={'group': 'shown'}))}): mean z score "
        "of the "
        "Th2 proteins minus that of the Th1 proteins, in SD of the healthy. Bar: mean; line: its 95 % interval."
    )
    chart = alt.layer(*layers).properties(width=92 * len(sort), height=260)
    return from_chart(chart, name="people_skew", caption=caption, table="people_axis_scores.csv")


def profile_scatter(quadrants: pd.DataFrame, similarity: pd.Series | None, declared: Sequence[str]) -> Figure | None:
    """Log2 fold changes of two profiles, proteins with q below the limit in both coloured by quadrant."""
    data = quadrants.dropna(subset=["logfc_a", "logfc_b"])
    if data.empty:
        return None
    a, b = data["contrast_a"].iloc[0], data["contrast_b"].iloc[0]
    data = data[["symbol", "logfc_a", "logfc_b", "q_a", "q_b", "quadrant"]].assign(
        quadrant=data["quadrant"].fillna(""), th2=data["symbol"].isin(list(declared))
    )
    kinds = [kind for kind in _QUADRANTS if kind and (data["quadrant"] == kind).any()]
    base = alt.Chart(data)
    x = alt.X("logfc_a:Q", title=f"log2 fold change, {a}")
    y = alt.Y("logfc_b:Q", title=f"log2 fold change, {b}")
    tooltip = ["symbol:N", *(alt.Tooltip(f"{name}:Q", format=".3g") for name in ("logfc_a", "q_a", "logfc_b", "q_b"))]
    dots = base.transform_filter("datum.quadrant === ''").mark_point(filled=True, size=30, color="#c4c4c4", opacity=0.7)
    named = base.transform_filter("datum.quadrant !== ''").mark_point(filled=True, size=60, opacity=0.9)
    rings = base.transform_filter("datum.th2").mark_point(size=110, strokeWidth=1.6, color=DECLARED)
    cross = [
        alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(color="#bbbbbb").encode(**{axis: "at:Q"})
        for axis in ("x", "y")
    ]
    layers = [*cross, dots.encode(x=x, y=y, tooltip=tooltip)]
    if kinds:
        colour = alt.Color(
            "quadrant:N",
            scale=alt.Scale(domain=kinds, range=[_QUADRANTS[kind] for kind in kinds]),
            legend=alt.Legend(title="q below the limit in both", orient="top"),
        )
        layers.append(named.encode(x=x, y=y, color=colour, tooltip=tooltip))
    if data["th2"].any():
        layers.append(rings.encode(x=x, y=y, tooltip=tooltip))
    counts = ", ".join(
        f"{(data['quadrant'] == kind).sum()} {kind}" for kind in ("shared up", "shared down", "opposite")
    )
    caption = (
        f"Profiles {a} and {b}, {len(data)} proteins; with q below the limit in both: {counts}. Rings: Th2 proteins."
    )
    if similarity is not None:
        caption += (
            f" As drawn, with all controls in both, the rank correlation is {number(similarity['observed'], 2)}; "
            "unrelated "
            f"diseases with the same controls would give {number(similarity['null_line'], 2)}, and with the "
            "controls parted "
            f"between both it is {number(similarity['estimate'], 2)}."
        )
    chart = alt.layer(*layers).properties(width=380, height=330)
    name = f"people_profiles_{a.split(' - ')[0]}_{b.split(' - ')[0]}"
    return from_chart(chart, name=name, caption=caption, table="people_quadrants.csv")


def drug_forest(rows: pd.DataFrame, *, disease: str, score: str) -> Figure | None:
    """Reversal of one profile by each drug: estimate with interval, and the observed score where patients are "
    "shared."""
    data = rows.dropna(subset=["estimate"])
    if data.empty:
        return None
    data = data.sort_values("estimate")[
        ["drug", "estimate", "ci_low", "ci_high", "observed", "p", "p_max", "n_pairs", "n_shared"]
    ]
    data = data.assign(name=[f"{drug} (n = {n:.0f})" for drug, n in zip(data["drug"], data["n_pairs"], strict=True)])
    base = alt.Chart(data).encode(y=alt.Y("name:N", sort=list(data["name"]), title=None))
    x = alt.X("estimate:Q", title=[f"Reversal of the {disease} profile", f"({score}; below 0: moved back)"])
    lines = base.mark_rule(strokeWidth=2, color="#555555").encode(x=alt.X("ci_low:Q"), x2="ci_high:Q")
    points = base.mark_point(size=95, strokeWidth=2).encode(
        x=x,
        color=alt.value(DECLARED),
        fill=alt.condition("datum.p_max <= 0.05 && datum.estimate < 0", alt.value(DECLARED), alt.value("#ffffff")),
        tooltip=["drug:N", *(alt.Tooltip(f"{name}:Q", format=".3g") for name in
                             ("estimate", "ci_low", "ci_high", "observed", "p", "p_max", "n_pairs", "n_shared"))],
    )  # fmt: skip
    zero = alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(strokeDash=[5, 4], color="#666666").encode(x="at:Q")
    layers = [zero, lines, points]
    shared = data["n_shared"] > 0
    if shared.any():
        crosses = base.transform_filter("datum.n_shared > 0").mark_point(shape="cross", size=60, color="#777777")
        layers.append(crosses.encode(x="observed:Q"))
    caption = (
        f"Each drug against the {disease} profile: {score} of the changes before to after treatment with the "
        "disease's, "
        "with its 95 % interval. Filled: moved back with p ≤ 0.05 over all drugs."
    )
    if shared.any():
        caption += (
            " Crosses: the score as measured where the patients before treatment are the disease's own cases; "
            "regression "
            "to the mean draws it to the left, so it is no estimate."
        )
    chart = alt.layer(*layers).properties(width=330, height=alt.Step(34))
    return from_chart(chart, name=f"people_drugs_{disease}", caption=caption, table="people_reversal.csv")


def treatment_strip(cohort: pd.DataFrame, *, column: str, title: str) -> Figure | None:
    """The outcome of every mouse by group and treatment; None where the table lacks it."""
    if column not in cohort or "treatment" not in cohort or cohort[column].notna().sum() == 0:
        return None
    groups = show_groups(cohort)
    summary = group_summary(cohort[column], groups.label, groups.order)
    counts = numbers_by_group(summary)
    caption = f"{title} of every mouse by group and treatment ({counts}). Bar: mean; line: its 95 % interval."
    chart = strip_chart(cohort, groups, value=column, title=title, step=118, height=250)
    return from_chart(chart, name="treatment", caption=caption, table="treatment.csv")
