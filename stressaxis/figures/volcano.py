"""Serum proteins between two groups: log2 fold change against evidence."""

from __future__ import annotations

from collections.abc import Collection

import altair as alt
import numpy as np
import pandas as pd

from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.labels import place_labels
from stressaxis.figures.numbers import number, plural
from stressaxis.figures.style import DECLARED

__all__ = ["contrast_name", "volcano"]

WIDTH, HEIGHT = 420, 330
DECLARED_SET, OTHERS = "declared set", "other, q ≤ 0.05"
KINDS = {
    DECLARED_SET: (DECLARED, "diamond"),
    OTHERS: ("#333333", "circle"),
    "other": ("#aeaeae", "circle"),
}


_SLOPES = {"per_target_s": "second of target time, given no-target time"}


def contrast_name(contrast: str) -> str:
    """A contrast in words.

    Examples
    --------
    >>> contrast_name("SUS_vs_RES")
    'SUS against RES'
    >>> contrast_name("per_target_s")
    'per second of target time, given no-target time'
    """
    if contrast.startswith("per_"):
        return f"per {_SLOPES.get(contrast, contrast.removeprefix('per_').replace('_', ' '))}"
    return contrast.replace("_vs_", " against ").replace("_minus_", " against ").replace("_", " ")


def volcano(table: pd.DataFrame, *, contrast: str, declared: Collection[str], threshold: float = 0.05) -> Figure | None:
    """Volcano plot of one contrast; None where no protein has a p value.

    Parameters
    ----------
    table
        Columns ``symbol, logfc, p, q, n_1, n_0`` (and ``protein``).
    contrast
        Its name, part of the file name.
    declared
        Symbols of the declared set, which are marked and labelled.
    threshold
        False-discovery rate at which proteins are coloured and the line is drawn.
    """
    data = table.dropna(subset=["logfc", "p"]).reset_index(drop=True)
    if data.empty:
        return None
    wanted = {name.casefold() for name in declared}
    in_set = data["symbol"].str.casefold().isin(wanted) | data["protein"].str.casefold().isin(wanted)
    significant = data["q"] <= threshold
    tiny = np.finfo(float).tiny
    data = data.assign(
        name=data["symbol"].where(data["symbol"] != "", data["protein"]),
        evidence=-np.log10(data["p"].clip(lower=tiny)),
        set=np.select([in_set, significant], list(KINDS)[:2], list(KINDS)[2]),
    )[["name", "protein", "logfc", "p", "q", "evidence", "set"]]
    reach = float(data["logfc"].abs().max() or 1.0) * 1.08
    top = float(data["evidence"].max()) * 1.12 or 1.0
    x = alt.X(
        "logfc:Q",
        title=f"log2 {'change' if contrast.startswith('per_') else 'fold change'} {_bracketed(contrast)}",
        scale=alt.Scale(domain=[-reach, reach], nice=False),
    )
    y = alt.Y("evidence:Q", title="−log10 p", scale=alt.Scale(domain=[0, top], nice=False))
    kinds = [kind for kind in KINDS if (data["set"] == kind).any()]
    points = (
        alt.Chart(data)
        .mark_point(filled=True, opacity=0.85)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "set:N",
                scale=alt.Scale(domain=kinds, range=[KINDS[k][0] for k in kinds]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            shape=alt.Shape(
                "set:N",
                scale=alt.Scale(domain=kinds, range=[KINDS[k][1] for k in kinds]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            size=alt.condition(f"datum.set === '{DECLARED_SET}'", alt.value(85), alt.value(42)),
            tooltip=[
                alt.Tooltip("name:N", title="protein"),
                alt.Tooltip("protein:N", title="assay"),
                alt.Tooltip("logfc:Q", title="log2 FC", format=".3f"),
                alt.Tooltip("p:Q", format=".3g"),
                alt.Tooltip("q:Q", format=".3g"),
            ],
        )
    )
    zero = alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(color="#bbbbbb").encode(x="at:Q")
    layers = [zero, *_threshold(data, threshold), points, *_labels(data, x, y, reach, top)]
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    return from_chart(
        chart,
        name=f"volcano_{contrast}",
        caption=_caption(data, table, contrast, threshold),
        table=f"differential_{contrast}.csv",
    )


def _threshold(data: pd.DataFrame, threshold: float) -> list[alt.Chart]:
    """A line between the proteins that pass and those that do not."""
    level = threshold_level(data, threshold)
    if level is None:
        return []
    at = pd.DataFrame({"at": [level], "text": [f"q ≤ {threshold:g}"]})
    line = alt.Chart(at).mark_rule(strokeDash=[5, 4], color="#666666").encode(y="at:Q")
    text = (
        alt.Chart(at)
        .mark_text(align="right", dy=-6, color="#666666", fontSize=11)
        .encode(y="at:Q", text="text:N", x=alt.value(WIDTH))
    )
    return [line, text]


def threshold_level(data: pd.DataFrame, threshold: float) -> float | None:
    """Evidence (-log10 p) halfway between the last protein with q under the threshold and the next; None if none has.

    Examples
    --------
    >>> threshold_level(pd.DataFrame({"evidence": [3.0, 2.0, 1.0], "q": [0.01, 0.04, 0.3]}), 0.05)
    1.5
    """
    passed = data.loc[data["q"] <= threshold, "evidence"]
    if passed.empty:
        return None
    below = data.loc[(data["q"] > threshold) & (data["evidence"] < passed.min()), "evidence"]
    return float((passed.min() + (below.max() if len(below) else 0.0)) / 2)


def _labels(data: pd.DataFrame, x: alt.X, y: alt.Y, reach: float, top: float) -> list[alt.Chart]:
    """Names of the declared set and of the twelve strongest others, with a thin line where they stand apart."""
    declared = data[data["set"] == DECLARED_SET].sort_values("evidence", ascending=False)
    others = data[data["set"] == OTHERS].sort_values("evidence", ascending=False).head(12)
    named = pd.concat([declared, others]).head(40)
    if named.empty:
        return []
    px = np.column_stack([(data["logfc"] + reach) / (2 * reach) * WIDTH, HEIGHT * (1 - data["evidence"] / top)])
    spots = place_labels(
        [(float(px[i, 0]), float(px[i, 1])) for i in named.index],
        list(named["name"]),
        obstacles=np.vstack([px, _line_points(data, top)]),
        size=(WIDTH, HEIGHT),
    )
    rows = []
    for place, spot in zip(named.index.to_list(), spots, strict=True):
        if spot is not None:
            row = data.loc[int(place)]
            rows.append(
                {
                    "logfc": row["logfc"],
                    "evidence": row["evidence"],
                    "name": row["name"],
                    "apart": bool(np.hypot(*(px[place] - np.array(spot))) > 34),
                    "to_x": spot.x / WIDTH * 2 * reach - reach,
                    "to_y": (1 - spot.y / HEIGHT) * top,
                }
            )
    if not rows:
        return []
    base = alt.Chart(pd.DataFrame(rows))
    apart = base.transform_filter("datum.apart")
    lines = apart.mark_rule(strokeWidth=0.7, color="#8a8a8a").encode(x=x, y=y, x2="to_x:Q", y2="to_y:Q")
    halo = base.mark_text(fontSize=12, stroke="white", strokeWidth=3, strokeJoin="round").encode(
        x="to_x:Q", y="to_y:Q", text="name:N"
    )
    text = base.mark_text(fontSize=12).encode(x="to_x:Q", y="to_y:Q", text="name:N")
    return [lines, halo, text]


def _line_points(data: pd.DataFrame, top: float, threshold: float = 0.05) -> np.ndarray:
    """The threshold line as points that labels keep clear of, with its own text at the right end."""
    level = threshold_level(data, threshold)
    if level is None:
        return np.empty((0, 2))
    y = HEIGHT * (1 - level / top)
    along = np.column_stack([np.arange(0.0, WIDTH, 4), np.full(-(-WIDTH // 4), y)])
    text = np.column_stack([np.arange(WIDTH - 45.0, WIDTH, 5), np.full(9, y - 8)])
    return np.vstack([along, text])


def _caption(data: pd.DataFrame, table: pd.DataFrame, contrast: str, threshold: float) -> str:
    n_1, n_0 = int(table["n_1"].max()), int(table["n_0"].max())
    n = f"n = {n_1}" if n_0 == 0 else f"n = {n_1} against {n_0}"
    passed = int((data["q"] <= threshold).sum())
    found = (
        f"{plural(passed, 'protein')} with q ≤ {threshold:g}"
        if passed
        else f"no protein with q ≤ {threshold:g}, so no line is drawn"
    )
    line = ", above the dashed line" if passed else ""
    strongest = data.sort_values("p", kind="stable").iloc[0]
    return (
        f"Serum proteins, {contrast_name(contrast)} ({n}; {len(data)} proteins): "
        f"moderated t statistics. {found[0].upper()}{found[1:]}{line} "
        f"(Benjamini-Hochberg over the panel). Strongest: {strongest['name']}, log2 "
        f"{'change' if n_0 == 0 else 'fold change'} {number(strongest['logfc'])}, "
        f"q = {number(strongest['q'], 2)}. Diamonds: the set declared before scoring."
    )


def _bracketed(contrast: str) -> str:
    name = contrast_name(contrast)
    return name if contrast.startswith("per_") else f"({name})"
