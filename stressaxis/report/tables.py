"""Tables as the report prints them: columns in words, digits for reading, a link to the full file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from stressaxis.figures.numbers import count, number, p_value, percent

__all__ = ["HEADINGS", "Cell", "TableView", "as_text", "table_view"]

#: Headings of columns; others show their own name with the underscores as spaces.
HEADINGS = {
    "subject": "mouse",
    "n_1": "n₁",
    "n_0": "n₀",
    "logfc": "log2 FC",
    "se": "SE",
    "ci_low": "95 % low",
    "ci_high": "95 % high",
    "si_ratio": "SI ratio",
    "q_set": "q (set)",
    "q_panel": "q (panel)",
    "iz_no_target_s": "zone, no target (s)",
    "iz_target_s": "zone, target (s)",
    "lost_percent": "lost (%)",
    "start_s": "release (s)",
    "scored_s": "scored (s)",
    "iz_s": "in zone (s)",
    "iz_entries": "entries",
    "iz_latency_s": "latency (s)",
    "velocity_cm_s": "velocity (cm/s)",
    "distance_cm": "distance (cm)",
    "smallest_detectable": "smallest detectable",
    "detected_share": "detected in",
    "uniprot": "UniProt",
    "df": "df",
    "p": "p",
    "q": "q",
    "effect_name": "kind of effect",
}

_COUNTS = frozenset({"n", "n_1", "n_0", "n_members", "iz_entries", "corner_entries", "n_detected", "n_proteins"})
_CHANCES = frozenset({"p", "p_max", "q", "q_set", "q_panel", "p_value", "a_p", "b_p", "heterogeneity_p"})
_SHARES = frozenset({"share_first", "detected_share", "missing_share", "below_lod_share"})


@dataclass(frozen=True)
class Cell:
    """One cell: its text, and classes for the style sheet."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class TableView:
    """A table ready to print.

    Parameters
    ----------
    head
        Headings.
    rows
        Cells.
    caption
        What it shows, and of how many.
    link
        File of the results folder with all columns, unrounded.
    filterable
        A search box stands above it.
    folded
        Shown behind a line to click.
    spans
        Upper headings with the number of columns under each.
    """

    head: list[str]
    rows: list[list[Cell]]
    caption: str
    link: str = ""
    filterable: bool = False
    folded: str = ""
    spans: tuple[tuple[str, int], ...] = ()

    def without_blank_columns(self) -> TableView:
        """The same without columns in which nothing stands."""
        kept = [place for place in range(len(self.head)) if any(row[place].text not in ("", "–") for row in self.rows)]
        rows = [[row[place] for place in kept] for row in self.rows]
        return replace(self, head=[self.head[place] for place in kept], rows=rows)

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers, so that its heading stands above them."""
        return [
            any(kind.startswith("number") for kind in {row[place].kind for row in self.rows})
            for place in range(len(self.head))
        ]


def as_text(column: str, value: Any) -> Cell:
    """One value under its column, for reading.

    Examples
    --------
    >>> [as_text(name, value).text for name, value in {"p": 0.03123, "n": 12.0, "detected_share": 0.834}.items()]
    ['0.031', '12', '83 %']
    >>> as_text("b_p", 1.06e-5).text
    '< 0.001'
    """
    if isinstance(value, str):
        return Cell(value)
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return Cell("yes" if value else "no")
    if value is None or (isinstance(value, float) and value != value):
        return Cell("–", "number none")
    if column in _CHANCES:
        return Cell(p_value(value), "number strong" if float(value) <= 0.05 else "number")
    if column in _COUNTS:
        return Cell(count(value), "number")
    if column in _SHARES:
        return Cell(percent(float(value)), "number")
    return Cell(number(value), "number")


def table_view(
    table: pd.DataFrame,
    *,
    caption: str,
    columns: Sequence[str] | None = None,
    headings: Mapping[str, str] | None = None,
    link: str = "",
    filterable: bool = False,
    folded: str = "",
    spans: tuple[tuple[str, int], ...] = (),
) -> TableView:
    """Columns of a table that are there, in the order asked for; columns empty throughout are left out."""
    named = {**HEADINGS, **(headings or {})}
    shown = [name for name in (columns or list(table.columns)) if name in table.columns and not _blank(table[name])]
    rows = [
        [as_text(name, value) for name, value in zip(shown, row, strict=True)]
        for row in table[shown].itertuples(index=False, name=None)
    ]
    head = [named.get(name, name.replace("_", " ")) for name in shown]
    return TableView(head, rows, caption, link, filterable, folded, spans)


def _blank(column: pd.Series) -> bool:
    return bool((column.isna() | (column.astype(str) == "")).all())
