"""Time in the interaction zone over the course of the trials."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.numbers import mean_interval
from stressaxis.figures.style import colour, show_groups

__all__ = ["zone_time_course"]


def zone_time_course(bins: pd.DataFrame, animals: pd.DataFrame) -> Figure | None:
    """Share of each bin spent in the interaction zone, mean and 95 % interval by group; None without bins.

    Parameters
    ----------
    bins
        Columns ``subject, trial, start_s, observed_s, iz_raw_s``.
    animals
        Columns ``subject`` and any of ``group, role, class``.
    """
    if not {"subject", "trial", "start_s", "observed_s", "iz_raw_s"} <= set(bins.columns):
        return None
    seen = bins[bins["observed_s"] > 0].merge(animals, on="subject", how="inner", suffixes=("", "_animal"))
    if seen.empty:
        return None
    groups = show_groups(seen)
    table = seen.assign(shown=groups.label, kind=groups.kind, share=seen["iz_raw_s"] / seen["observed_s"])
    width = float(table["start_s"].drop_duplicates().sort_values().diff().median() or 0.0)
    rows = []
    for (shown, kind, trial, _), part in table.groupby(["shown", "kind", "trial", "start_s"]):
        middle = float(part["start_s"].iloc[0]) + width / 2
        mean, low, high = mean_interval(part["share"])
        rows.append(
            {
                "shown": shown,
                "kind": kind,
                "trial": trial,
                "at": middle,
                "mean": mean,
                "low": max(0.0, low),
                "high": min(1.0, high),
                "n": len(part),
            }
        )
    means = pd.DataFrame(rows)
    panels = []
    for trial, title in (("no_target", "No target"), ("target", "Target")):
        of_trial = means[means["trial"] == trial]
        x = alt.X("at:Q", title="Time from release (s)")
        y = alt.Y(
            "mean:Q", title="Time in zone (%)", axis=alt.Axis(format="%"), scale=alt.Scale(domainMin=0, nice=True)
        )
        tip = [
            alt.Tooltip("shown:N", title="group"),
            alt.Tooltip("at:Q", title="s", format=".0f"),
            alt.Tooltip("mean:Q", format=".0%"),
            alt.Tooltip("n:Q"),
        ]
        look: dict[str, Any] = {"x": x, "color": colour(groups.kinds), "detail": "shown:N"}
        band = alt.Chart(of_trial.dropna(subset=["low", "high"])).mark_area(opacity=0.16)
        line = alt.Chart(of_trial).mark_line(strokeWidth=2.2).encode(y=y, tooltip=tip, **look)
        layers = [band.encode(y=alt.Y("low:Q"), y2="high:Q", **look)] if of_trial["low"].notna().any() else []
        panels.append(alt.layer(*layers, line).properties(width=380, height=210, title=title))
    n = table.groupby("shown")["subject"].nunique()
    counts = ", ".join(f"{n[name]} {name}" for name in groups.order if name in n)
    caption = (
        f"Time in the interaction zone over the trials in bins of {width:g} s (n = {counts}): mean share of the "
        "observed time, bands: its 95 % interval over mice, from three mice on."
    )
    chart = alt.concat(*panels, columns=2, spacing=30)
    return from_chart(chart, name="time_course", caption=caption, table="time_course.csv")
