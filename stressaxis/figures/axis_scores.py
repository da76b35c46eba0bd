"""T-helper axis scores of serum by group."""

from __future__ import annotations

import altair as alt
import pandas as pd

from stressaxis.figures.figure import Figure, from_chart
from stressaxis.figures.groups import group_summary, numbers_by_group, strip_chart
from stressaxis.figures.style import show_groups

__all__ = ["axis_order", "axis_rank", "axis_scores", "axis_words", "is_t_helper"]

_FIRST = ("th2", "th1", "th2_skew", "th17", "th17_th22")


def axis_order(names: list[str]) -> list[str]:
    """Th2, Th1, Th17 and the skew first, others after them by name.

    Examples
    --------
    >>> axis_order(["vascular", "Th1", "Th2"])
    ['Th2', 'Th1', 'vascular']
    """
    return sorted(names, key=lambda name: (axis_rank(name), name))


def axis_rank(axis: str) -> int:
    """Place of an axis in figures and tables: the main T-helper axes first."""
    return _FIRST.index(axis.casefold()) if axis.casefold() in _FIRST else len(_FIRST)


def is_t_helper(axis: str) -> bool:
    """Whether an axis is one of the T-helper axes or made of them.

    Examples
    --------
    >>> is_t_helper("Th2"), is_t_helper("th2_skew"), is_t_helper("vascular"), is_t_helper("Th2_without_il4ra_targets")
    (True, True, False, True)
    """
    return axis[:2].casefold() == "th" and axis[2:3].isdigit()


def axis_words(axis: str) -> str:
    """An axis in words.

    Examples
    --------
    >>> axis_words("th2_skew"), axis_words("Th17_Th22"), axis_words("general_inflammation")
    ('Th2 minus Th1', 'Th17/Th22', 'general inflammation')
    """
    if axis == "th2_skew":
        return "Th2 minus Th1"
    return axis.replace("_Th", "/Th").replace("_", " ")


def axis_scores(scores: pd.DataFrame, animals: pd.DataFrame, *, limit: int = 6) -> Figure | None:
    """One panel per axis, the animals by group; None where no score has a subject.

    Parameters
    ----------
    scores
        Columns ``subject, axis, score, n_members``.
    animals
        Columns ``subject`` and any of ``group, role, class, treatment``.
    limit
        Number of axes drawn; the table has them all.
    """
    joined = scores.dropna(subset="score").merge(animals, on="subject", how="inner", suffixes=("", "_animal"))
    if joined.empty:
        return None
    groups = show_groups(joined)
    names = [name for name in joined["axis"].unique() if is_t_helper(name)] or list(joined["axis"].unique())
    order = axis_order(names)[:limit]
    panels = []
    for axis in order:
        rows = joined["axis"] == axis
        of_axis = joined[rows].reset_index(drop=True)
        panel = strip_chart(
            of_axis,
            show_groups(of_axis),
            value="score",
            title=f"{axis_words(axis)} (mean z)",
            rule=0,
            height=230,
        )
        panels.append(panel)
    first = joined[joined["axis"] == order[0]]
    summary = group_summary(first["score"], groups.label[first.index], groups.order)
    members = joined.groupby("axis")["n_members"].max() if "n_members" in joined else pd.Series(dtype=float)
    carried = ", ".join(
        f"{axis_words(axis)}: {int(members[axis])}" for axis in order if axis in members and pd.notna(members[axis])
    )
    caption = (
        f"Axis scores of serum by group ({numbers_by_group(summary)} for {order[0]}): mean of the members' z scores, "
        "0 and 1 being mean and SD of the reference group. One mark per animal; bar: mean; line: its 95 % interval."
        + (f" Proteins that carry each score: {carried}." if carried else "")
    )
    chart = alt.concat(*panels, columns=3, spacing={"row": 26, "column": 34})
    return from_chart(chart, name="axis_scores", caption=caption, table="axis_scores.csv")
