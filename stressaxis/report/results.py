"""A results folder as read back: tables, problems, provenance, tracks. Nothing else of a run is known here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import InputError

__all__ = ["Results", "read_report_table", "read_results"]

#: Columns that are text whatever stands in them: ids stay '007', an empty cell is an empty text.
TEXT = frozenset(
    {
        "action", "arena", "axis", "bleed", "cage", "check", "class", "code", "cohort", "comparison", "contrast",
        "contrast_a", "contrast_b", "direction", "disease", "drug", "effect_name", "excluded", "file", "group",
        "group_0", "group_1", "kind", "leading_edge", "level", "marker", "measure", "message", "method", "model",
        "note", "outcome", "outlier", "panel", "plate", "point", "protein", "quadrant", "reason", "reference", "role",
        "sample", "severity", "sex", "species", "stage", "status", "strain", "subject", "subset", "symbol", "term",
        "treated_later", "treatment", "trial", "uniprot", "unit", "variant", "well", "where", "zone",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Results:
    """Content of a results folder.

    Parameters
    ----------
    folder
        Where it stands; tracks are read from it when they are drawn.
    tables
        Table name without ``.csv`` to table.
    problems
        ``problems.csv``; empty table where there is none.
    provenance
        ``provenance.json``.
    """

    folder: Path
    tables: dict[str, pd.DataFrame]
    problems: pd.DataFrame
    provenance: dict[str, Any]

    def table(self, name: str) -> pd.DataFrame | None:
        """A table that is there and has rows; otherwise None."""
        found = self.tables.get(name)
        return None if found is None or found.empty else found

    def contrasts(self) -> dict[str, pd.DataFrame]:
        """Contrast name to differential table."""
        prefix = "differential"
        return {
            name.removeprefix(prefix).lstrip("_") or "differential": table
            for name, table in sorted(self.tables.items())
            if name.startswith(prefix) and not table.empty
        }

    def declared(self, key: str, default: Any = None) -> Any:
        """What was declared before scoring (``primary_outcome``, ``th2_set``, …)."""
        return (self.provenance.get("declared") or {}).get(key, default)

    @property
    def cut(self) -> float:
        """The SI ratio below which a defeated mouse was classed susceptible."""
        return float((self.declared("classes") or {}).get("cut", 1.0))

    def setting(self, *keys: str) -> Any:
        """A value of the resolved config by its path of keys; None where it is not set."""
        found: Any = self.provenance.get("config") or {}
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found


def read_results(folder: str | Path) -> Results:
    """Read the tables, problems and provenance of a results folder.

    Raises
    ------
    InputError
        If the folder or its ``provenance.json`` is missing, or a file in it cannot be read.
    """
    folder = Path(folder)
    place = folder / "provenance.json"
    if not place.is_file():
        raise InputError(
            "not a results folder",
            file=folder,
            found="no provenance.json",
            expected="a folder written by `stressaxis run`",
            remedy="give the folder named results/NAME",
        )
    try:
        provenance = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            "provenance.json is not valid JSON", file=place, found=str(error), remedy="run again"
        ) from error
    tables = {path.stem: read_report_table(path) for path in sorted((folder / "tables").glob("*.csv"))}
    problems_file = folder / "problems.csv"
    problems = read_report_table(problems_file) if problems_file.is_file() else pd.DataFrame()
    return Results(folder, tables, problems, provenance)


def read_report_table(path: Path) -> pd.DataFrame:
    """A CSV table of the results folder, ids and other labels as text, '' where a label is missing.

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    """
    try:
        names = pd.read_csv(path, nrows=0, encoding="utf-8").columns
        text = {name: str for name in names if name in TEXT or str(name).startswith("class_")}
        # 'NA' and 'None' are possible ids and gene names; only an empty cell is missing.
        table = pd.read_csv(
            path,
            encoding="utf-8",
            dtype=text,
            keep_default_na=False,
            na_values={n: ["", "nan", "NaN"] for n in names if n not in text},
        )
    except (ValueError, OSError) as error:
        raise InputError("the table cannot be read", file=path, found=str(error), remedy="run again") from error
    if "in_set" in table:
        table["in_set"] = table["in_set"].astype(str).str.casefold().isin(["true", "1", "1.0"])
    return table
