"""Markers and social behaviour: the adjusted scatter of one marker, and all markers with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from stressaxis.figures.axis_scores import axis_rank, axis_words
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
    """Outcome and marker of each animal with the covariates' part taken out; slope and partial r between them."""

    table: pd.DataFrame
    slope: float
    partial_r: float
    covariates: tuple[str, ...]


def adjusted_values(cohort: pd.DataFrame, *, outcome: str, marker: str, covariates: tuple[str, ...]) -> Adjusted | None:
    """Added-variable values: residuals of outcome and of marker on the covariates, the outcome's mean put back.

    The slope of the one on the other is the marker's coefficient in the full model (Frisch-Waugh-Lovell), in outcome
    units per unit of the marker. Text columns enter as categories. None where a column is missing, fewer than four
    animals are complete, or the marker does not vary beyond the covariates.

    Examples
    --------
    >>> table = pd.DataFrame({"subject": list("abcde"), "y": [1.0, 2, 3, 4, 6], "c": [1.0, 5, 2, 3, 1]})
    >>> table["m"] = 2 * table["y"]
    >>> found = adjusted_values(table, outcome="y", marker="m", covariates=("c",))
    >>> round(found.slope, 6), round(found.partial_r, 6)
    (0.5, 1.0)
    """
    needed = [outcome, marker, *covariates]
    if not {*needed, "subject"} <= set(cohort.columns):
        return None
    used = cohort.dropna(subset=needed)
    if len(used) < 4:
        return None
    design = np.hstack([np.ones((len(used), 1)), *(_coded(used[name], name) for name in covariates)])
    values = [used[name].to_numpy(dtype=float) for name in (outcome, marker)]
    y, x = (column - design @ np.linalg.lstsq(design, column, rcond=None)[0] for column in values)
    if not (float(x @ x) > 1e-12 * float(values[1] @ values[1]) and float(y @ y) > 0):
        return None
    table = used.assign(marker_value=x, outcome_value=y + values[0].mean()).reset_index(drop=True)
    slope = float(x @ y / (x @ x))
    return Adjusted(table, slope, slope * float(np.sqrt(x @ x / (y @ y))), covariates)


def _coded(column: pd.Series, name: str) -> np.ndarray:
    if column.dtype.kind in "fi" and name not in _LABELS:
        return column.to_numpy(dtype=float)[:, None]
    return pd.get_dummies(column.astype(str), drop_first=True, dtype=float).to_numpy()


#: Columns that are labels even where they look like numbers.
_LABELS = frozenset({"cohort", "plate", "sex", "strain", "treatment", "group", "role", "cage"})


def partial_regression(adjusted: Adjusted, row: pd.Series, *, marker_title: str) -> Figure:
    """Scatter of adjusted values with the fitted line; ``row`` is the association's row that it belongs to.

    The marker's axis is in the SD of the analysis: the table's estimate is per SD, the slope per unit.
    """
    data = adjusted.table
    groups = show_groups(data)
    per_sd = float(row["estimate"]) / adjusted.slope
    points = data[["subject", "marker_value", "outcome_value"]].assign(kind=groups.kind, shown=groups.label)
    points["marker_value"] /= per_sd
    ends = np.array([points["marker_value"].min(), points["marker_value"].max()])
    line = pd.DataFrame(
        {"marker_value": ends, "outcome_value": points["outcome_value"].mean() + float(row["estimate"]) * ends}
    )
    given = _listed([_COVARIATES.get(name, name.replace("_", " ")) for name in adjusted.covariates])
    title = outcome_title(row["outcome"], unit=True)
    title = title[0].upper() + title[1:]
    x = alt.X(
        "marker_value:Q",
        title=f"{marker_title} (SD)" + (f", given {given}" if given else ""),
        scale=alt.Scale(zero=False, padding=12),
    )
    y = alt.Y(
        "outcome_value:Q",
        title=[f"{title},", f"given {given}"] if given else title,
        scale=alt.Scale(zero=False, padding=12),
    )
    marks = animal_points(alt.Chart(points), groups.kinds, size=64).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("subject:N", title="mouse"),
            alt.Tooltip("shown:N", title="group"),
            alt.Tooltip("marker_value:Q", title="marker (SD)", format=".2f"),
            alt.Tooltip("outcome_value:Q", title="outcome", format=".3~g"),
        ],
    )
    fitted = alt.Chart(line).mark_line(color="#111111", strokeWidth=2).encode(x="marker_value:Q", y="outcome_value:Q")
    estimate, limits = estimate_words(row["estimate"], row["ci_low"], row["ci_high"])
    taken_out = f", both with the part explained by {given} taken out (added-variable plot)" if given else ""
    caption = (
        f"{marker_title} and {outcome_title(row['outcome'])} in {len(points)} mice{taken_out}; the line's slope is "
        f"the model's coefficient, {estimate} per SD (95 % interval {limits}; p {_equals(row['p'])}). One mark per "
        "mouse."
    )
    chart = alt.layer(fitted, marks).properties(width=400, height=330)
    return from_chart(chart, name="association", caption=caption, table="association.csv")


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


_COVARIATES = {"iz_no_target_s": "no-target time", "cohort": "cohort", "group": "group", "plate": "plate"}


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
    data = _forest_rows(rows)
    if data.empty:
        return None
    y = alt.Y("name:N", sort=list(data["name"]), title=None)
    base = alt.Chart(data).encode(y=y)
    title = outcome_title(outcome)
    per = f"{outcome_unit(outcome)} per SD" if outcome_unit(outcome) else "per SD"
    x = alt.X(
        "estimate:Q",
        title=[f"Change of {title}", f"({per} of the marker)"],
        axis=alt.Axis(labelOverlap="greedy", tickCount=6),
    )
    lines = base.mark_rule(strokeWidth=2, color="#555555").encode(x=alt.X("ci_low:Q"), x2="ci_high:Q")
    points = base.mark_point(size=90, strokeWidth=2, filled=False).encode(
        x=x,
        shape=alt.Shape(
            "kind:N",
            scale=alt.Scale(domain=["axis score", "protein"], range=["diamond", "circle"]),
            legend=alt.Legend(title=None, orient="top"),
        ),
        color=alt.value(DECLARED),
        fill=alt.condition(f"datum.q <= {threshold}", alt.value(DECLARED), alt.value("#ffffff")),
        tooltip=[
            alt.Tooltip("name:N", title="marker"),
            alt.Tooltip("estimate:Q", format=".3g"),
            alt.Tooltip("ci_low:Q", format=".3g"),
            alt.Tooltip("ci_high:Q", format=".3g"),
            alt.Tooltip("p:Q", format=".3g"),
            alt.Tooltip("q:Q", format=".3g"),
            alt.Tooltip("n:Q"),
        ],
    )
    zero = alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(strokeDash=[5, 4], color="#666666").encode(x="at:Q")
    values = [
        base.mark_text(align="left", fontSize=11.5, color="#333333").encode(text=f"{name}:N", x=alt.value(place))
        for name, place in (("p_text", 310), ("q_text", 374))
    ]
    n = sorted(set(data["n"].dropna().astype(int)))
    n_words = str(n[0]) if len(n) == 1 else f"{n[0]} to {n[-1]}" if n else "not given"
    caption = (
        f"Association of each marker with {title} ({_SUBSETS.get(subset, subset)}, n = {n_words}): coefficient per "
        "SD of the marker with its 95 % interval. Axis scores are diamonds, single proteins of the declared set "
        f"circles; filled: q ≤ {threshold:g} within the declared set (axis scores: over all axis scores)."
    )
    chart = alt.layer(zero, lines, points, *values).properties(width=300, height=alt.Step(26))
    return from_chart(chart, name="association_forest", caption=caption, table="association.csv")


def _forest_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with an interval, named and in the order in which they are drawn."""
    data = rows.dropna(subset=["estimate", "ci_low", "ci_high"]).copy()
    named = data["symbol"].where(data["symbol"] != "", data["marker"])
    is_axis = data["kind"] == "axis"
    data["name"] = [axis_words(name) if axis else name for name, axis in zip(named, is_axis, strict=True)]
    data["kind"] = np.where(is_axis, "axis score", "protein")
    data["q"] = data["q_set"].fillna(data["q_panel"])
    data["rank"] = [axis_rank(name) if axis else 99 for name, axis in zip(data["marker"], is_axis, strict=True)]
    data = data.sort_values(["rank", "estimate"]).drop_duplicates("name")
    data["p_text"] = [f"p {_equals(p)}" for p in data["p"]]
    data["q_text"] = [f"q {_equals(q)}" for q in data["q"]]
    return data[["name", "kind", "estimate", "ci_low", "ci_high", "p", "q", "n", "p_text", "q_text"]]


_SUBSETS = {"defeated": "defeated mice only", "all": "all mice, group in the model"}


def _equals(value: float) -> str:
    words = p_value(value)
    return words if words.startswith("<") else f"= {words}"
