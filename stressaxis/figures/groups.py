"""Measures by group: every animal, the mean and its 95 % interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.numbers import mean_interval, swarm_offsets
from stressaxis.figures.style import Groups, animal_points, interval_rules, show_groups

__all__ = ["MEASURES", "group_measures", "group_summary", "numbers_by_group", "strip_chart"]

#: Measures drawn by group, with axis titles.
MEASURES: Mapping[str, str] = {
    "iz_target_s": "Interaction zone, target (s)",
    "corner_target_s": "Corners, target (s)",
    "corner_ratio": "Corner ratio (target / no target)",
    "velocity_no_target_cm_s": "Velocity, no target (cm/s)",
    "velocity_target_cm_s": "Velocity, target (cm/s)",
    "velocity_drop_cm_s": "Velocity drop (cm/s)",
}

_SIDEWAYS = [-1.5, 1.5]


def group_summary(values: pd.Series, label: pd.Series, order: Sequence[str]) -> pd.DataFrame:
    """n, mean and 95 % interval of the finite values under each label; no interval from fewer than three.

    Examples
    --------
    >>> group_summary(pd.Series([1.0, 3.0]), pd.Series(["a", "a"]), ["a"])[["n", "mean"]].values.tolist()
    [[2.0, 2.0]]
    """
    rows = []
    for name in order:
        of_group = values[label == name].dropna()
        mean, low, high = mean_interval(of_group)
        rows.append({"shown": name, "n": len(of_group), "mean": mean, "low": low, "high": high})
    return pd.DataFrame(rows)


def numbers_by_group(summary: pd.DataFrame) -> str:
    """``n = 8 control, 10 RES``: the counts of a summary in words."""
    return "n = " + ", ".join(f"{n} {name}" for name, n in zip(summary["shown"], summary["n"], strict=True))


def strip_chart(
    animals: pd.DataFrame,
    groups: Groups,
    *,
    value: str,
    title: str,
    rule: float | None = None,
    from_zero: bool = False,
    legend: bool = False,
    step: int = 74,
    height: int = 220,
) -> Any:
    """Animals side by side under their group, the mean as a bar and its 95 % interval as a line."""
    data = animals[["subject"]].assign(value=animals[value], shown=groups.label, kind=groups.kind).dropna()
    data["offset"] = 0.0
    for _, part in data.groupby("shown"):
        data.loc[part.index, "offset"] = swarm_offsets(part["value"]) - 0.45
    order = [name for name in groups.order if name in set(data["shown"])]
    x = alt.X(
        "shown:N",
        sort=order,
        title=None,
        axis=alt.Axis(labelAngle=0, labelLimit=step - 4, ticks=False),
        scale=alt.Scale(paddingInner=0.1, paddingOuter=0.1),
    )
    y = alt.Y(
        "value:Q",
        title=title,
        scale=alt.Scale(domainMin=0, nice=True) if from_zero else alt.Scale(zero=False, nice=True),
    )
    points = animal_points(alt.Chart(data), groups.kinds, legend=legend).encode(
        x=x,
        y=y,
        xOffset=alt.XOffset("offset:Q", scale=alt.Scale(domain=_SIDEWAYS)),
        tooltip=[
            alt.Tooltip("subject:N", title="mouse"),
            alt.Tooltip("shown:N", title="group"),
            alt.Tooltip("value:Q", title=title, format=".3~f"),
        ],
    )
    # The mean and its interval stand to the right of the animals, so that neither hides the other.
    summary = group_summary(data["value"], data["shown"], order).dropna(subset="mean").assign(offset=1.05)
    beside = alt.XOffset("offset:Q", scale=alt.Scale(domain=_SIDEWAYS))
    tick = alt.Chart(summary).mark_tick(orient="horizontal", size=step * 0.2, thickness=2.5, color="#111111")
    bar = tick.encode(x=x, xOffset=beside, y=alt.Y("mean:Q"))
    layers = [points, *interval_rules(summary, x=x, xOffset=beside), bar]
    if rule is not None:
        level = (
            alt.Chart(pd.DataFrame({"at": [rule]}))
            .mark_rule(strokeDash=[5, 4], color="#666666")
            .encode(y=alt.Y("at:Q"))
        )
        layers.insert(0, level)
    return alt.layer(*layers).properties(width=step * max(1, len(order)), height=height)


def group_measures(animals: pd.DataFrame) -> Figure | None:
    """The measures of :data:`MEASURES` that the table has, one small panel each; None where there is none."""
    if "role" not in animals:
        return None
    groups = show_groups(animals)
    present = [name for name in MEASURES if name in animals and animals[name].notna().any()]
    if not present:
        return None
    step = 74 if len(groups.order) <= 3 else 62
    panels = [
        strip_chart(
            animals,
            groups,
            value=name,
            title=MEASURES[name],
            step=step,
            height=190,
            rule=1 if name == "corner_ratio" else 0 if name == "velocity_drop_cm_s" else None,
        )
        for name in present
    ]
    columns = max(1, min(3, 960 // (step * len(groups.order) + 70)))
    summary = group_summary(animals[present[0]], groups.label, groups.order)
    caption = (
        f"Behaviour by group ({numbers_by_group(summary)} for the first panel). One mark per mouse; bar: mean; line: "
        "its 95 % interval (Student's t; from three mice on). Velocity drop = velocity without minus with target. "
        "SUS and RES are defined by the SI ratio, so their difference in interaction-zone time is built in and is "
        "no finding."
    )
    chart = alt.concat(*panels, columns=columns, spacing={"row": 26, "column": 34})
    return from_chart(chart, name="group_measures", caption=caption, table="social_interaction.csv")
