"""Markers and social behaviour: the adjusted scatter of one marker, and all markers of the declared set with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.numbers import estimate_words, p_value
from stressaxis.figures.style import DECLARED, animal_points, show_groups

__all__ = ["OUTCOMES", "Adjusted", "adjusted_values", "forest", "outcome_title", "outcome_unit", "partial_regression"]

#: Outcomes in words, and their units.
OUTCOMES = {
    "iz_target_s": ("time in the interaction zone with target", "s"),
    "target_time": ("time in the interaction zone with target", "s"),
    "si_ratio": ("SI ratio", ""),
    "log_si": ("log SI ratio", ""),
    "velocity_drop_cm_s": ("velocity drop", "cm/s"),
    "velocity_drop": ("velocity drop", "cm/s"),
    "si_difference_s": ("target minus no-target time", "s"),
    "target_residual_s": ("target time given no-target time", "s"),
    "corner_ratio": ("corner ratio", ""),
}


def outcome_title(outcome: str, *, unit: bool = False) -> str:
    """An outcome in words, if wished with its unit; its column name where it has no words.

    Examples
    --------
    >>> outcome_title("velocity_drop", unit=True), outcome_title("sucrose_percent")
    ('velocity drop (cm/s)', 'sucrose percent')
    """
    words, measured_in = OUTCOMES.get(outcome, (outcome.replace("_", " "), ""))
    return f"{words} ({measured_in})" if unit and measured_in else words


def outcome_unit(outcome: str) -> str:
    """Unit of an outcome; empty for a ratio or where none is known."""
    return OUTCOMES.get(outcome, ("", ""))[1]


@dataclass(frozen=True)
class Adjusted:
    """Outcome and marker (in SD) of each animal with the covariates' part taken out, and the slope between them."""

    table: pd.DataFrame
    slope: float
    covariates: tuple[str, ...]


def adjusted_values(
    cohort: pd.DataFrame, *, outcome: str, marker: str, numeric: tuple[str, ...], categories: tuple[str, ...]
) -> Adjusted | None:
    """Added-variable values: residuals of outcome and of marker on the covariates, with their means put back.

    The slope of the one on the other is the marker's coefficient in the full model (Frisch-Waugh-Lovell). The marker is
    standardised over the animals used. None with fewer than four complete animals or a constant marker.

    Examples
    --------
    >>> table = pd.DataFrame({"subject": list("abcde"), "y": [1.0, 2, 3, 4, 6], "m": [2.0, 4, 6, 8, 12], "c": [1.0, 5, 2, 3, 1]})
    >>> found = adjusted_values(table, outcome="y", marker="m", numeric=("c",), categories=())
    >>> round(found.slope / table["m"].std(), 6)
    0.5
    """
    needed = [outcome, marker, *numeric]
    if not {*needed, "subject"} <= set(cohort.columns):
        return None
    used = cohort.dropna(subset=needed)
    categories = tuple(name for name in categories if name in used and used[name].nunique() > 1)
    spread = float(used[marker].std()) if len(used) > 1 else 0.0
    if len(used) < 4 or not spread > 0:
        return None
    z = ((used[marker] - used[marker].mean()) / spread).to_numpy(dtype=float)
    y = used[outcome].to_numpy(dtype=float)
    dummies = [pd.get_dummies(used[name], drop_first=True, dtype=float).to_numpy() for name in categories]
    columns = [np.ones((len(used), 1)), *(used[[name]].to_numpy(dtype=float) for name in numeric), *dummies]
    design = np.hstack(columns)
    y_left, z_left = (values - design @ np.linalg.lstsq(design, values, rcond=None)[0] for values in (y, z))
    if float(z_left @ z_left) < 1e-12:
        return None
    table = used.assign(marker_value=z_left, outcome_value=y_left + y.mean()).reset_index(drop=True)
    return Adjusted(table, float(z_left @ y_left / (z_left @ z_left)), (*numeric, *categories))


def partial_regression(adjusted: Adjusted, row: pd.Series, *, marker_title: str) -> Figure:
    """Scatter of adjusted values with the fitted line; ``row`` is the association's row, for the caption."""
    data = adjusted.table
    groups = show_groups(data)
    points = data[["subject", "marker_value", "outcome_value"]].assign(kind=groups.kind, shown=groups.label)
    low, high = float(points["marker_value"].min()), float(points["marker_value"].max())
    middle = float(points["outcome_value"].mean())
    line = pd.DataFrame({"marker_value": [low, high], "outcome_value": [middle + adjusted.slope * low, middle + adjusted.slope * high]})  # fmt: skip
    given = ", ".join(_COVARIATES.get(name, name.replace("_", " ")) for name in adjusted.covariates) or "nothing"
    title = outcome_title(row["outcome"], unit=True)
    x = alt.X("marker_value:Q", title=f"{marker_title} (SD), given {given}", scale=alt.Scale(zero=False, padding=12))
    y = alt.Y("outcome_value:Q", title=[f"{title[0].upper()}{title[1:]},", f"given {given}"], scale=alt.Scale(zero=False, padding=12))  # fmt: skip
    marks = animal_points(alt.Chart(points), groups.kinds, size=64).encode(
        x=x, y=y,
        tooltip=[alt.Tooltip("subject:N", title="mouse"), alt.Tooltip("shown:N", title="group"), alt.Tooltip("marker_value:Q", title="marker (SD)", format=".2f"), alt.Tooltip("outcome_value:Q", title="outcome", format=".3~g")],
    )  # fmt: skip
    fitted = alt.Chart(line).mark_line(color="#111111", strokeWidth=2).encode(x="marker_value:Q", y="outcome_value:Q")
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    caption = (
        f"{marker_title} and {outcome_title(row['outcome'])} in {len(points)} mice, both with the part explained by {given} taken out (added-variable "
        f"plot); the line's slope is the model's coefficient, {estimate} per SD (95 % interval {limits}; "
        f"p {_equals(row['p'])}). One mark per mouse."
    )
    chart = alt.layer(fitted, marks).properties(width=430, height=340)
    return from_chart(chart, name="association", caption=caption, table="association.csv")


_COVARIATES = {"iz_no_target_s": "no-target time", "cohort": "cohort", "plate": "plate"}


def forest(rows: pd.DataFrame, *, subset: str, outcome: str, threshold: float = 0.05) -> Figure | None:
    """Estimates and 95 % intervals, one row per marker, axes first, then the declared set by estimate; None if empty.

    Parameters
    ----------
    rows
        Rows of ``association.csv`` of one subset, outcome and method: axes and declared proteins.
    subset, outcome
        For the titles.
    threshold
        ``q_set`` (for axes without one, ``q_panel``) at which a row is drawn filled.
    """
    data = rows.dropna(subset=["estimate", "ci_low", "ci_high"]).copy()
    if data.empty:
        return None
    data["name"] = data["symbol"].where(data["symbol"] != "", data["marker"])
    data["kind"] = np.where(data["kind"] == "axis", "axis score", "protein")
    data["q"] = data["q_set"].fillna(data["q_panel"])
    data = data.sort_values(["kind", "estimate"]).drop_duplicates("name")
    data["p_text"] = [f"p {_equals(p)}" for p in data["p"]]
    data["q_text"] = [f"q {_equals(q)}" for q in data["q"]]
    columns = ["name", "kind", "estimate", "ci_low", "ci_high", "p", "q", "n", "p_text", "q_text"]
    y = alt.Y("name:N", sort=list(data["name"]), title=None)
    base = alt.Chart(data[columns]).encode(y=y)
    title = outcome_title(outcome)
    per = f"{outcome_unit(outcome)} per SD" if outcome_unit(outcome) else "per SD"
    x = alt.X("estimate:Q", title=f"Change of {title} ({per} of the marker)", axis=alt.Axis(labelOverlap="greedy", tickCount=8))
    lines = base.mark_rule(strokeWidth=2, color="#555555").encode(x=alt.X("ci_low:Q"), x2="ci_high:Q")
    points = base.mark_point(size=90, strokeWidth=2, filled=False).encode(
        x=x,
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=["axis score", "protein"], range=["diamond", "circle"]), legend=alt.Legend(title=None, orient="top")),
        color=alt.value(DECLARED),
        fill=alt.condition(f"datum.q <= {threshold}", alt.value(DECLARED), alt.value("#ffffff")),
        tooltip=[alt.Tooltip("name:N", title="marker"), alt.Tooltip("estimate:Q", format=".3g"), alt.Tooltip("ci_low:Q", format=".3g"), alt.Tooltip("ci_high:Q", format=".3g"), alt.Tooltip("p:Q", format=".3g"), alt.Tooltip("q:Q", format=".3g"), alt.Tooltip("n:Q")],
    )  # fmt: skip
    zero = alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(strokeDash=[5, 4], color="#666666").encode(x="at:Q")
    values = [
        base.mark_text(align="left", fontSize=11.5, color="#333333").encode(text=f"{name}:N", x=alt.value(place))
        for name, place in (("p_text", 448), ("q_text", 512))
    ]
    n = sorted(set(data["n"].dropna().astype(int)))
    n_words = str(n[0]) if len(n) == 1 else f"{n[0]} to {n[-1]}" if n else "not given"
    caption = (
        f"Association of each marker with {title} ({_SUBSETS.get(subset, subset)}, n = {n_words}): coefficient per SD of the "
        "marker with its 95 % interval. Axis scores are diamonds, single proteins of the declared set circles; filled: "
        f"q ≤ {threshold:g} within the declared set (axis scores without one: over the panel)."
    )
    chart = alt.layer(zero, lines, points, *values).properties(width=440, height=alt.Step(26))
    return from_chart(chart, name="association_forest", caption=caption, table="association.csv")


_SUBSETS = {"defeated": "defeated mice only", "all": "all mice, group in the model"}


def _equals(value: float) -> str:
    words = p_value(value)
    return words if words.startswith("<") else f"= {words}"
