"""Forest plot over cohorts: the marker's slope in each, pooled by random effects, and what a new cohort may give."""

from __future__ import annotations

import math
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from stressaxis.figures.association import outcome_title, outcome_unit
from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.numbers import estimate_words, number, p_value, percent
from stressaxis.figures.style import DECLARED, INK

__all__ = ["cohort_forest"]

_WIDTH = 320
_ROW = 28
#: Columns of text: left of the plot the name and n, right of it the numbers; px from the plot's left edge.
_NAME, _N, _NUMBERS, _WEIGHT = -178, -18, _WIDTH + 16, _WIDTH + 232


def cohort_forest(rows: pd.DataFrame, *, marker_title: str) -> Figure | None:
    """One marker's slope in each cohort and pooled; None where fewer than two cohorts were pooled.

    Parameters
    ----------
    rows
        Rows of ``association_by_cohort.csv`` of one marker: one a cohort, then the pooled ones (cohort ``all``).
    marker_title
        The marker in words.
    """
    pooled = rows[rows["method"].str.startswith("random effects") & rows["estimate"].notna()]
    cohorts = rows[rows["cohort"] != "all"]
    if pooled.empty or cohorts["estimate"].notna().sum() < 2:
        return None
    mean = pooled.iloc[0]
    lines = _lines(cohorts, mean)
    outcome = str(mean["outcome"])
    unit = outcome_unit(outcome)
    title = [
        f"Change of {outcome_title(outcome)}",
        f"({unit} per SD of the marker)" if unit else "(per SD of the marker)",
    ]
    chart = alt.layer(*_layers(lines, mean, title)).properties(width=_WIDTH, height=_ROW * (len(lines) + 1))
    return from_chart(chart, name="association_cohorts", caption=_caption(lines, mean, marker_title),
                      table="association_by_cohort.csv")  # fmt: skip


def _lines(cohorts: pd.DataFrame, mean: pd.Series) -> pd.DataFrame:
    """What is drawn in each row: cohorts from the top, then the pooled slope; all with the decimals of the pooled."""
    parts = [(str(row["cohort"]), row) for _, row in cohorts.iterrows()] + [("All cohorts", mean)]
    half = (mean["ci_high"] - mean["ci_low"]) / 2
    decimals = max(0, 1 - math.floor(math.log10(half))) if half > 0 else 2
    made = []
    for place, (name, row) in enumerate(parts):
        known = pd.notna(row["estimate"])
        words = [f"{row[name] + 0.0:.{decimals}f}".replace("-", "−") for name in ("estimate", "ci_low", "ci_high")]
        last = place == len(parts) - 1
        weight = 1.0 if last else row["weight"]
        made.append(
            {"name": name, "n_text": f"{row['n']:.0f}", "at": place + 0.5 * last, "pooled": last, "n": row["n"],
             "estimate": row["estimate"], "ci_low": row["ci_low"], "ci_high": row["ci_high"], "p": row["p"],
             "weight": weight, "numbers": f"{words[0]} ({words[1]} to {words[2]})" if known else "no estimate",
             "weight_text": percent(weight) if pd.notna(weight) else "–"}
        )  # fmt: skip
    return pd.DataFrame(made)


def _layers(lines: pd.DataFrame, mean: pd.Series, title: list[str]) -> list[Any]:
    bottom = float(lines["at"].max())
    rows = alt.Scale(domain=[-1.35, bottom + 0.65], nice=False, zero=False, reverse=True)
    y = alt.Y("at:Q", axis=None, scale=rows)
    known = lines[lines["estimate"].notna() & ~lines["pooled"]]
    base = alt.Chart(known).encode(y=y)
    x = alt.X("estimate:Q", title=title, axis=alt.Axis(tickCount=6, labelOverlap="greedy", grid=False))
    tips = ["name:N", *(alt.Tooltip(f"{name}:Q", format=".3g") for name in ("estimate", "ci_low", "ci_high", "p", "n"))]
    ends = pd.DataFrame({"at": [-0.6], "to": [bottom + 0.65]})
    upright = alt.Chart(ends.assign(zero=0.0, mean=mean["estimate"])).encode(y=y, y2="to:Q")
    layers = [
        upright.mark_rule(color="#666666", strokeWidth=1).encode(x="zero:Q"),
        upright.mark_rule(color=DECLARED, strokeWidth=1, strokeDash=[3, 3], opacity=0.8).encode(x="mean:Q"),
        base.mark_rule(strokeWidth=1.8, color="#444444").encode(x=alt.X("ci_low:Q"), x2="ci_high:Q"),
        base.mark_square(color=INK, opacity=1).encode(
            x=x, size=alt.Size("weight:Q", scale=alt.Scale(domain=[0, 1], range=[25, 420]), legend=None), tooltip=tips
        ),
        *_diamond(mean, bottom, y),
        alt.Chart(pd.DataFrame({"at": [bottom - 0.75], "left": [0.0]})).mark_rule(color="#bbbbbb").encode(
            y=y, x=alt.value(_NAME), x2=alt.value(_WEIGHT)
        ),
    ]  # fmt: skip
    heads = pd.DataFrame(
        [{"at": -1.0, "pooled": True, "name": "Cohort", "n_text": "n", "numbers": "Slope (95 % interval)",
          "weight_text": "Weight"}]
    )  # fmt: skip
    text = pd.concat([lines, heads], ignore_index=True)
    columns: tuple[tuple[str, int, Literal["left", "right"]], ...] = (
        ("name", _NAME, "left"), ("n_text", _N, "right"), ("numbers", _NUMBERS, "left"),
        ("weight_text", _WEIGHT, "right"),
    )  # fmt: skip
    for bold, part in text.groupby("pooled"):
        for column, place, align in columns:
            limit = _N - _NAME - 34 if column == "name" else 0
            layers.append(
                alt.Chart(part)
                .mark_text(align=align, fontWeight="bold" if bold else "normal", color=INK, limit=limit)
                .encode(y=y, x=alt.value(place), text=f"{column}:N")
            )  # fmt: skip
    return layers


def _diamond(mean: pd.Series, at: float, y: alt.Y) -> list[Any]:
    """The pooled slope as a diamond as wide as its interval, over the interval of a new cohort's slope."""
    layers: list[Any] = []
    if np.isfinite(mean["new_cohort_low"]):
        new = pd.DataFrame({"at": [at], "low": [mean["new_cohort_low"]], "high": [mean["new_cohort_high"]]})
        layers.append(
            alt.Chart(new).mark_rule(strokeWidth=3.5, color=DECLARED, opacity=0.4).encode(y=y, x="low:Q", x2="high:Q")
        )
    corners = pd.DataFrame(
        {"x": [mean["ci_low"], mean["estimate"], mean["ci_high"]], "at": [at, at - 0.3, at], "low": [at, at + 0.3, at]}
    )
    layers.append(
        alt.Chart(corners).mark_area(color=DECLARED, opacity=1, interpolate="linear").encode(x="x:Q", y=y, y2="low:Q")
    )
    return layers


def _caption(lines: pd.DataFrame, mean: pd.Series, marker_title: str) -> str:
    estimate, limits = estimate_words(mean["estimate"], mean["ci_low"], mean["ci_high"])
    chance = p_value(mean["p"])
    several = int(lines["estimate"].notna().sum()) - 1
    left_out = len(lines) - 1 - several
    words = (
        f"{marker_title} and {outcome_title(str(mean['outcome']))} of defeated mice in each cohort: slope per SD of "
        f"the marker with its 95 % interval, squares by weight. Diamond: pooled over {several} cohorts by random "
        f"effects (REML, Hartung-Knapp), {estimate} ({limits}), "
        f"p {chance if chance.startswith('<') else f'= {chance}'}, n = {mean['n']:.0f}; "
        f"I² = {number(mean['effect'], 2)} %"
    )
    if pd.notna(mean["heterogeneity_p"]):
        words += f", heterogeneity p = {p_value(mean['heterogeneity_p'])}".replace("= <", "<")
    words += "."
    if np.isfinite(mean["new_cohort_low"]):
        words += " Pale line: where 95 % of the slopes in new cohorts would lie."
    if left_out:
        words += f" {left_out} cohort{'s' if left_out > 1 else ''} without an estimate; the table says why."
    return words
