"""The social interaction test: ratio by group, seconds without and with target, classes per cohort."""

from __future__ import annotations

import altair as alt
import pandas as pd

from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.groups import group_summary, numbers_by_group, strip_chart
from stressaxis.figures.numbers import mean_interval, percent
from stressaxis.figures.style import animal_points, colour, interval_rules, show_groups

__all__ = ["class_counts", "si_by_group", "zone_seconds"]

TRIALS = {"iz_no_target_s": "no target", "iz_target_s": "target"}


def si_by_group(animals: pd.DataFrame, *, cut: float = 1.0) -> Figure | None:
    """SI ratio of controls and of all defeated mice, classes coloured, and the cut; None without ratios."""
    if "si_ratio" not in animals or animals["si_ratio"].notna().sum() == 0:
        return None
    groups = show_groups(animals, split_classes=False)
    chart = strip_chart(
        animals,
        groups,
        value="si_ratio",
        title="SI ratio (target / no target)",
        rule=cut,
        from_zero=True,
        legend=True,
        step=150,
        height=300,
    )
    summary = group_summary(animals["si_ratio"], groups.label, groups.order)
    undefined = int(animals["si_ratio"].isna().sum())
    caption = (
        f"Social interaction ratio ({numbers_by_group(summary)}): share of observed time in the interaction zone "
        "with the target, divided by the share without. One mark per mouse; bar: mean; line: its 95 % interval; "
        f"dashed: {cut:g}, below which a defeated mouse is classed susceptible (SUS), at or above it resilient (RES). "
        "Controls are never classed."
    )
    if undefined:
        caption += f" {undefined} without a ratio are not drawn; the reasons stand under Exclusions and problems."
    return from_chart(chart, name="si_ratio", caption=caption, table="social_interaction.csv")


def zone_seconds(animals: pd.DataFrame) -> Figure | None:
    """Seconds in the interaction zone without and with target, joined per mouse; None where a trial is not there."""
    if not set(TRIALS) <= set(animals.columns):
        return None
    kept = animals.dropna(subset=list(TRIALS))
    if kept.empty:
        return None
    groups = show_groups(kept)
    wide = kept[["subject", *TRIALS]].assign(shown=groups.label, kind=groups.kind)
    long = wide.melt(["subject", "shown", "kind"], var_name="trial", value_name="seconds")
    long["trial"] = long["trial"].map(TRIALS)
    rows = []
    for (shown, trial), part in long.groupby(["shown", "trial"]):
        mean, low, high = mean_interval(part["seconds"])
        rows.append({"shown": shown, "trial": trial, "mean": mean, "low": low, "high": high})
    means = pd.DataFrame(rows)
    x = alt.X(
        "trial:N",
        sort=list(TRIALS.values()),
        title=None,
        axis=alt.Axis(labelAngle=0, ticks=False),
        scale=alt.Scale(padding=0.35),
    )
    y = alt.Y("seconds:Q", title="Time in interaction zone (s)", scale=alt.Scale(domainMin=0))
    panels = []
    for place, shown in enumerate(groups.order):
        of_group = long[long["shown"] == shown]
        base = alt.Chart(of_group).encode(x=x, y=y if place == 0 else y.title(None))
        lines = base.mark_line(strokeWidth=1, opacity=0.45).encode(
            detail="subject:N", color=colour(groups.kinds, legend=False)
        )
        points = animal_points(base, groups.kinds, size=30, legend=False).encode(
            tooltip=[
                alt.Tooltip("subject:N", title="mouse"),
                alt.Tooltip("trial:N"),
                alt.Tooltip("seconds:Q", title="seconds in zone", format=".1f"),
            ]
        )
        middle = means[means["shown"] == shown]
        mean_line = alt.Chart(middle).mark_line(strokeWidth=3, color="#111111").encode(x=x, y="mean:Q")
        n = of_group["subject"].nunique()
        panels.append(
            alt.layer(lines, points, *interval_rules(middle, x=x), mean_line).properties(
                width=150, height=260, title=f"{shown} (n = {n})"
            )
        )
    caption = (
        "Seconds in the interaction zone in the two trials, one thin line per mouse; thick: group means with 95 % "
        f"intervals. n = {len(kept)} mice with both trials. Times are the share of observed time multiplied by the "
        "scored window."
    )
    chart = alt.concat(*panels, columns=min(5, len(panels)), spacing=26).resolve_scale(y="shared")
    return from_chart(chart, name="zone_seconds", caption=caption, table="social_interaction.csv")


def class_counts(animals: pd.DataFrame, *, cut: float = 1.0) -> Figure | None:
    """Number of susceptible and resilient mice in each cohort; None where no mouse is classed."""
    if "class" not in animals:
        return None
    defeated = animals[animals["role"] == "defeated"]
    classed = defeated[defeated["class"].isin(["RES", "SUS"])]
    if classed.empty:
        return None
    table = _counts_by_cohort(classed)
    y = alt.Y("cohort:N", title="Cohort", sort=sorted(table["cohort"].unique()))
    bars = (
        alt.Chart(table)
        .mark_bar(height={"band": 0.72})
        .encode(
            y=y,
            x=alt.X("end:Q", title="Defeated mice", axis=alt.Axis(tickMinStep=1, format="d")),
            x2="start:Q",
            color=colour(["SUS", "RES"]),
            tooltip=[
                alt.Tooltip("cohort:N"),
                alt.Tooltip("kind:N", title="class"),
                alt.Tooltip("n:Q", title="mice"),
                alt.Tooltip("share:Q", format=".0%"),
            ],
        )
    )
    text = alt.Chart(table).mark_text(color="white", fontWeight="bold").encode(y=y, x="middle:Q", text="text:N")
    shares = [percent(share) for share in sorted(table[table["kind"] == "SUS"]["share"])]
    spread = shares[0] if shares[0] == shares[-1] else f"{shares[0]} to {shares[-1]}"
    caption = (
        f"Classes of {len(classed)} defeated mice by cohort (SI ratio below {cut:g} = SUS). Susceptible per "
        f"cohort: {spread}. In this test the share differs widely between cohorts, so cohort is part of every model."
    )
    chart = alt.layer(bars, text).properties(width=440, height=alt.Step(30))
    return from_chart(chart, name="class_counts", caption=caption, table="social_interaction.csv")


def _counts_by_cohort(classed: pd.DataFrame) -> pd.DataFrame:
    """``cohort, kind, n, share, text`` and where the bar of each class ends and has its middle."""
    cohort = classed["cohort"] if "cohort" in classed else pd.Series("", index=classed.index)
    cohort = cohort.replace("", "no cohort")
    rows = []
    for name in sorted(cohort.unique()):
        start, of_cohort = 0, classed.loc[cohort == name, "class"]
        for kind in ("SUS", "RES"):
            n = int((of_cohort == kind).sum())
            rows.append({"cohort": name, "kind": kind, "n": n, "share": n / len(of_cohort), "text": str(n) if n else "",
                         "start": start, "end": start + n, "middle": start + n / 2})  # fmt: skip
            start += n
    return pd.DataFrame(rows)
