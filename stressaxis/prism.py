"""Tables for GraphPad Prism: one column per group, one value per animal, as its column data tables want them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MEASURES", "column_table", "grouped_table", "prism_tables", "write_prism_tables"]

#: Measures of the animals table that get a file each.
MEASURES = (
    "si_ratio",
    "log_si",
    "iz_no_target_s",
    "iz_target_s",
    "si_difference_s",
    "si_index",
    "target_residual_s",
    "corner_no_target_s",
    "corner_target_s",
    "corner_ratio",
    "velocity_no_target_cm_s",
    "velocity_target_cm_s",
    "velocity_drop_cm_s",
    "distance_no_target_cm",
    "distance_target_cm",
)


def column_table(values: pd.Series, groups: pd.Series, *, order: list[str] | None = None) -> pd.DataFrame:
    """Values side by side under their group, filled from the top; groups in the order given, else sorted.

    Missing values and animals without a group are left out; shorter columns end in empty cells.

    Examples
    --------
    >>> import pandas as pd
    >>> column_table(pd.Series([1.0, 2.0, 3.0]), pd.Series(["b", "a", "b"])).to_dict("list")
    {'a': [2.0, nan], 'b': [1.0, 3.0]}
    """
    import pandas as pd

    known = values.notna() & (groups != "")
    names = order if order is not None else sorted(groups[known].unique())
    columns = {name: values[known & (groups == name)].reset_index(drop=True) for name in names}
    columns = {name: column for name, column in columns.items() if len(column)}
    return pd.DataFrame(columns)


def grouped_table(first: pd.Series, second: pd.Series, groups: pd.Series, *, names: tuple[str, str]) -> pd.DataFrame:
    """Paired values: for each group two columns beside each other, one row per animal, for paired tests.

    Examples
    --------
    >>> import pandas as pd
    >>> table = grouped_table(pd.Series([1.0, 2.0]), pd.Series([3.0, 4.0]), pd.Series(["a", "a"]), names=("NT", "T"))
    >>> table.to_dict("list")
    {'a, NT': [1.0, 2.0], 'a, T': [3.0, 4.0]}
    """
    import pandas as pd

    known = first.notna() & second.notna() & (groups != "")
    columns = {}
    for name in sorted(groups[known].unique()):
        for title, values in zip(names, (first, second), strict=True):
            columns[f"{name}, {title}"] = values[known & (groups == name)].reset_index(drop=True)
    return pd.DataFrame(columns)


def prism_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """File stem to table, from the tables of a run.

    Each measure comes twice: by group, and (``..._by_class``) by control, RES and SUS; axis scores likewise;
    ``zone_seconds_paired`` has no target and target beside each other. Excluded animals are left out.

    Parameters
    ----------
    tables
        Any of ``social_interaction``, ``axis_scores`` (with ``subject``), ``cohort``, by name.
    """
    found: dict[str, pd.DataFrame] = {}
    animals = tables.get("social_interaction")
    labelled = animals if animals is not None else tables.get("cohort")
    if labelled is None or labelled.empty or "subject" not in labelled:
        return found
    labelled = labelled[_text(labelled, "excluded") == ""]
    group = _text(labelled, "group").where(lambda name: name != "", _text(labelled, "role"))
    classes = _classes(labelled, group)
    for name in (column for column in MEASURES if column in labelled):
        found |= _both(name, labelled[name], group, classes)
    if {"iz_no_target_s", "iz_target_s"} <= set(labelled.columns):
        found["zone_seconds_paired"] = grouped_table(
            labelled["iz_no_target_s"], labelled["iz_target_s"], classes, names=("no target (s)", "target (s)")
        )
    scores = tables.get("axis_scores")
    if scores is not None and "subject" in scores:
        for axis, of_axis in scores.groupby("axis", sort=True):
            values = labelled["subject"].map(of_axis.drop_duplicates("subject").set_index("subject")["score"])
            found |= _both(f"axis_{_stem(str(axis))}", values, group, classes)
    return {name: table for name, table in found.items() if not table.empty}


def _both(name: str, values: pd.Series, group: pd.Series, classes: pd.Series) -> dict[str, pd.DataFrame]:
    order = [label for label in classes.unique() if label not in ("RES", "SUS")]
    by_class = column_table(values, classes, order=[*sorted(order), "RES", "SUS"])
    return {name: column_table(values, group)} | (
        {f"{name}_by_class": by_class} if classes.isin(["RES", "SUS"]).any() else {}
    )


def _classes(table: pd.DataFrame, group: pd.Series) -> pd.Series:
    """Class where there is one; otherwise the group, but for defeated animals without class, which are left out."""
    classes, role = _text(table, "class"), _text(table, "role")
    if not classes.isin(["RES", "SUS"]).any():
        return group
    return classes.where(role == "defeated", group)


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    return table[name].fillna("").astype(str) if name in table else pd.Series("", index=table.index, dtype=str)


def _stem(name: str) -> str:
    return re.sub(r"[^\w-]", "_", name)


def write_prism_tables(results: str | Path) -> list[Path]:
    """Write :func:`prism_tables` of a results folder into its ``tables/prism``; files no longer made are removed.

    CSV in full precision, point as decimal sign, no index column.

    Returns
    -------
    list of Path
        The files, sorted by name.
    """
    from stressaxis.atomic import write_text
    from stressaxis.report.results import read_report_table

    folder = Path(results) / "tables"
    needed = {name: folder / f"{name}.csv" for name in ("social_interaction", "axis_scores", "cohort")}
    tables = {name: read_report_table(path) for name, path in needed.items() if path.is_file()}
    made = {f"{name}.csv": table for name, table in sorted(prism_tables(tables).items())}
    for name, table in made.items():
        write_text(folder / "prism" / name, table.to_csv(index=False, lineterminator="\n"))
    for old in (folder / "prism").glob("*.csv"):
        if old.name not in made:
            old.unlink()
    return [folder / "prism" / name for name in made]
