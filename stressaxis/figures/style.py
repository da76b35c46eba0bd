"""One look for every figure: colours, marks, fonts, the order of groups."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

__all__ = [
    "COLOURS",
    "CONFIG",
    "DECLARED",
    "FONT",
    "INK",
    "KINDS",
    "MARKS",
    "Groups",
    "animal_points",
    "colour",
    "interval_rules",
    "mark",
    "show_groups",
]

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

#: Kinds of animals in the order in which they are drawn.
KINDS = ("control", "RES", "SUS", "defeated", "other")
#: Colour-blind-safe (after Okabe and Ito): grey, blue, orange, reddish purple, bluish green.
COLOURS = {"control": "#777777", "RES": "#0072B2", "SUS": "#E07B00", "defeated": "#B5659A", "other": "#009E73"}
#: The mark repeats the colour, for prints in grey.
MARKS = {"control": "circle", "RES": "square", "SUS": "triangle-up", "defeated": "diamond", "other": "cross"}

#: The declared set, wherever proteins are drawn; no kind of animal has this colour.
DECLARED = "#AA3377"
INK = "#222222"


class Groups:
    """Which group label and kind each animal is drawn under, and the order of the labels.

    Parameters
    ----------
    label, kind
        One entry per row of the table the groups were made from.
    """

    def __init__(self, label: pd.Series, kind: pd.Series) -> None:
        self.label = label
        self.kind = kind
        rank = {name: place for place, name in enumerate(KINDS)}
        pairs = sorted(set(zip(kind, label, strict=True)), key=lambda pair: (rank[pair[0]], str(pair[1])))
        self.order = list(dict.fromkeys(str(name) for _, name in pairs))
        self.kinds = [kind_name for kind_name in KINDS if kind_name in set(kind)]


def show_groups(animals: pd.DataFrame, *, split_classes: bool = True) -> Groups:
    """Labels and kinds for drawing: controls by their group, defeated mice by class.

    Parameters
    ----------
    animals
        Table with any of ``group, role, class, treatment``; text columns.
    split_classes
        With False all defeated mice stand under one label; the kind (colour) is the class still.

    Examples
    --------
    >>> table = pd.DataFrame({"group": ["con", "def", "def"], "role": ["control", "defeated", "defeated"],
    ...                       "class": ["", "SUS", ""]})
    >>> show_groups(table).label.tolist()
    ['con', 'SUS', 'no class']
    """
    group, role, klass, treatment = (_text(animals, name) for name in ("group", "role", "class", "treatment"))
    kind = pd.Series(
        np.select(
            [role == "control", klass.isin(["RES", "SUS"]), role == "defeated"], ["control", klass, "defeated"], "other"
        ),
        index=animals.index,
    )
    named = group.where(group != "", role.where(role != "", "all"))
    label = named
    if split_classes and klass.isin(["RES", "SUS"]).any():
        several = named[(role == "defeated") & (named != "")].nunique() > 1
        classed = klass + (" (" + named + ")" if several else "")
        unclassed = "no class" + (" (" + named + ")" if several else "")
        label = named.where(role != "defeated", classed.where(klass.isin(["RES", "SUS"]), unclassed))
    if treatment[treatment != ""].nunique() > 1:
        label = label + ", " + treatment.where(treatment != "", "untreated")
    return Groups(label, kind)


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        return pd.Series("", index=table.index, dtype=str)
    return table[name].fillna("").astype(str)


def colour(kinds: list[str], *, legend: bool = True, title: str | None = None) -> alt.Color:
    """Colour encoding of the column ``kind``."""
    scale = alt.Scale(domain=kinds, range=[COLOURS[kind] for kind in kinds])
    shown = alt.Legend(title=title, orient="top", symbolStrokeWidth=1.5, symbolOpacity=1) if legend else None
    return alt.Color("kind:N", scale=scale, legend=shown)


def mark(kinds: list[str], *, legend: bool = True, title: str | None = None) -> alt.Shape:
    """Mark encoding of the column ``kind``; with the same legend as :func:`colour`."""
    scale = alt.Scale(domain=kinds, range=[MARKS[kind] for kind in kinds])
    shown = alt.Legend(title=title, orient="top", symbolStrokeWidth=1.5, symbolOpacity=1) if legend else None
    return alt.Shape("kind:N", scale=scale, legend=shown)


#: Value parameter of every chart that shows single animals; the page's search box sets it.
_CHOSEN = "chosen"


def animal_points(base: alt.Chart, kinds: list[str], *, size: int = 46, legend: bool = True) -> Any:
    """One mark per animal, coloured and shaped by ``kind``; the animal named by the page's search box stands out.

    The chart's data must have the columns ``subject`` and ``kind``.
    """
    chosen = f"datum.subject === {_CHOSEN}"
    return (
        base.mark_point(filled=True, opacity=0.85, strokeWidth=1)
        .encode(
            color=colour(kinds, legend=legend),
            shape=mark(kinds, legend=legend),
            size=alt.condition(chosen, alt.value(5 * size), alt.value(size)),
            stroke=alt.condition(chosen, alt.value("#000000"), alt.value("#ffffff")),
        )
        .add_params(alt.param(name=_CHOSEN, value=""))
    )


def interval_rules(summary: pd.DataFrame, **encoding: Any) -> list[Any]:
    """Rules from ``low`` to ``high`` for the rows that have an interval; no layer at all where none has.

    An empty layer would make Vega complain of an axis without extent.
    """
    known = summary.dropna(subset=["low", "high"])
    if known.empty:
        return []
    rule = alt.Chart(known).mark_rule(strokeWidth=2, color="#111111", clip=True)
    return [rule.encode(y=alt.Y("low:Q"), y2="high:Q", **encoding)]


#: Vega-Lite configuration of all figures: fonts, grid, paddings. Put into the finished definition: through Altair's
#: ``configure_…`` each would copy the whole chart with its data.
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "padding": 6,
    "view": {"stroke": None, "continuousHeight": 240},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": "#eeeeee",
        "domainColor": "#888888",
        "tickColor": "#888888",
        "labelLimit": 260,
        "titlePadding": 8,
    },
    "header": {"labelFontSize": 13, "titleFontSize": 13, "labelColor": INK, "labelFontWeight": "bold"},
    "legend": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 300,
        "labelColor": INK,
    },
    "title": {"fontSize": 14, "anchor": "start", "color": INK},
    "text": {"fontSize": 12, "color": INK},
}
