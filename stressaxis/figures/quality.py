"""Quality of recordings and of serum at a glance."""

from __future__ import annotations

import altair as alt
import pandas as pd

from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.numbers import plural

__all__ = ["LIGHTS", "lost_frames", "protein_detection"]

#: Verdicts in the order drawn: colour and mark.
LIGHTS = {"good": ("#009E73", "circle"), "look at it": ("#E69F00", "triangle-up"), "not used": ("#C0392B", "cross")}


def lost_frames(trials: pd.DataFrame, light: pd.Series) -> Figure | None:
    """Share of the scored window in which the mouse was not seen, each recording; None without the column.

    Parameters
    ----------
    trials
        Columns ``subject, trial, lost_percent, scored_s``.
    light
        Verdict of each row, a key of :data:`LIGHTS`.
    """
    data = trials.assign(light=light).dropna(subset="lost_percent")
    if data.empty:
        return None
    data = data.sort_values(["lost_percent", "subject", "trial"], ascending=False).reset_index(drop=True)
    data = data.assign(place=range(1, len(data) + 1), trial=data["trial"].str.replace("_", " "))
    kinds = [name for name in LIGHTS if name in set(light)]
    key = alt.Legend(title=None, orient="top")
    chart = (
        alt.Chart(data[["subject", "trial", "lost_percent", "scored_s", "light", "place"]])
        .mark_point(filled=True, size=46, opacity=0.9)
        .encode(
            x=alt.X(
                "place:Q",
                title="Recordings, most lost first",
                axis=alt.Axis(tickMinStep=1, format="d"),
                scale=alt.Scale(domain=[0, len(data) + 1], nice=False),
            ),
            y=alt.Y(
                "lost_percent:Q",
                title="Lost (% of scored time)",
                scale=alt.Scale(domain=[0, max(5.0, 1.1 * float(data["lost_percent"].max()))]),
            ),
            color=alt.Color("light:N", scale=alt.Scale(domain=kinds, range=[LIGHTS[k][0] for k in kinds]), legend=key),
            shape=alt.Shape("light:N", scale=alt.Scale(domain=kinds, range=[LIGHTS[k][1] for k in kinds]), legend=key),
            tooltip=[
                alt.Tooltip("subject:N", title="mouse"),
                alt.Tooltip("trial:N"),
                alt.Tooltip("lost_percent:Q", title="lost (%)", format=".2f"),
                alt.Tooltip("scored_s:Q", title="scored (s)", format=".1f"),
                alt.Tooltip("light:N", title="verdict"),
            ],
        )
        .properties(width=640, height=180)
    )
    counts = ", ".join(f"{(light == name).sum()} {name}" for name in kinds)
    caption = (
        f"Share of the scored time in which the mouse was not seen, {plural(len(data), 'recording')} ({counts}). "
        "Good: scored without a remark; look at it: scored, with a warning listed below; not used: not scored or "
        "set aside."
    )
    return from_chart(chart, name="lost_frames", caption=caption, table="trials.csv")


def protein_detection(proteins: pd.DataFrame, *, limit: int = 60) -> Figure | None:
    """Share of samples in which each protein was above its limit of detection; None without the column."""
    if "detected_share" not in proteins:
        return None
    data = proteins.dropna(subset="detected_share").copy()
    if data.empty:
        return None
    data["name"] = data["symbol"].where(data["symbol"] != "", data["protein"])
    data = data.sort_values(["detected_share", "name"], ascending=[False, True]).reset_index(drop=True)
    data["enough"] = (data["detected_share"] >= 0.5).map({True: "detected in at least half", False: "in fewer"})
    enough = int((data["detected_share"] >= 0.5).sum())
    colours = alt.Color(
        "enough:N",
        title=None,
        scale=alt.Scale(domain=["detected in at least half", "in fewer"], range=["#5b7f95", "#d9b38c"]),
        legend=alt.Legend(orient="top"),
    )
    tip = [alt.Tooltip("name:N", title="protein"), alt.Tooltip("detected_share:Q", title="detected in", format=".0%")]
    y = alt.Y("detected_share:Q", title="Samples above LOD", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(data[["name", "detected_share", "enough"]])
    if len(data) <= limit:
        x = alt.X("name:N", sort=list(data["name"]), title=None, axis=alt.Axis(labelAngle=-60))
        chart = base.mark_bar().encode(x=x, y=y, color=colours, tooltip=tip).properties(width=alt.Step(16), height=170)
    else:
        bins = alt.X(
            "detected_share:Q",
            bin=alt.Bin(step=0.1, extent=[0, 1]),
            title="Samples above LOD",
            axis=alt.Axis(format="%"),
        )
        chart = (
            base.mark_bar()
            .encode(x=bins, y=alt.Y("count():Q", title="Proteins"), color=colours)
            .properties(width=520, height=170)
        )
    caption = (
        f"Detection of {plural(len(data), 'protein')}: share of samples above the limit of detection. {enough} were "
        "detected in at least half of the samples; the others are kept in the tables and flagged."
    )
    return from_chart(chart, name="protein_detection", caption=caption, table="protein_quality.csv")
