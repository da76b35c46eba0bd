"""Records kept by hand: defeat sessions, sucrose preference, body weight, coat score: the tables and their checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COAT_REGIONS", "RECORDS", "CheckedRecords", "Column", "check_records"]

#: Body regions of the coat score, each 0 (groomed), 0.5 or 1 (unkempt), after Nollet, Le Guisquet and Belzung 2013
#: (doi:10.1002/0471141755.ph0565s61).
COAT_REGIONS = ("head", "neck", "dorsal", "ventral", "tail", "forepaws", "hindpaws")


@dataclass(frozen=True)
class Column:
    """One column of a table of records.

    Parameters
    ----------
    kind
        ``text``, ``number``, ``whole``, ``yes_no`` or ``date`` (2026-11-05, or 2026-11-05 14:30).
    low, high
        What cannot be outside; a value beyond is an error.
    usual
        What is usual; a value beyond is reported.
    needed
        Whether the table must have it.
    meaning
        In words, with the unit.
    values
        The only values there are, where they are few.
    """

    kind: str
    meaning: str
    low: float = -np.inf
    high: float = np.inf
    usual: tuple[float, float] = (-np.inf, np.inf)
    needed: bool = True
    values: tuple[float, ...] = ()


_WEIGHT = Column("number", "body weight, g", 2, 120, (12, 50), needed=False)
_DAY = Column("whole", "day of the experiment", -1000, 10_000)
_DATE = Column("date", "date of that day, and the time of day where known", needed=False)
_SUBJECT = Column("text", "the animal's id")

#: The tables and their columns. One row is one subject on one day.
RECORDS: dict[str, dict[str, Column]] = {
    "defeat": {
        "subject": _SUBJECT,
        "day": Column("whole", "day of defeat, 1 = first", 0, 1000, (1, 21)),
        "date": _DATE,
        "aggressor": Column("text", "the aggressor's id"),
        "minutes": Column("number", "physical contact, min", 0, 60, (1, 15)),
        "attacks": Column("whole", "attacks counted", 0, 1000, (1, 200), needed=False),
        "wound_grade": Column("number", "0 none, 1 scratch, 2 small bites, 3 needs care, 4 open wound", 0, 4,
                              needed=False, values=(0, 1, 2, 3, 4)),
        "stopped_early": Column("yes_no", "session ended before its time", needed=False),
        "weight_g": _WEIGHT,
    },
    "sucrose": {
        "subject": _SUBJECT,
        "day": _DAY,
        "date": _DATE,
        "sucrose_g": Column("number", "sucrose solution drunk, g (or ml)", 0, 100, (0.2, 20)),
        "water_g": Column("number", "water drunk, g (or ml)", 0, 100, (0, 20)),
        "leak": Column("yes_no", "a bottle leaked", needed=False),
    },
    "weight": {
        "subject": _SUBJECT,
        "day": _DAY,
        "date": _DATE,
        "weight_g": Column("number", "body weight, g", 2, 120, (12, 50)),
    },
    "coat": {
        "subject": _SUBJECT,
        "day": _DAY,
        "date": _DATE,
        **{
            name: Column("number", f"coat of the {name}: 0 groomed, 0.5, 1 unkempt", 0, 1, values=(0, 0.5, 1))
            for name in COAT_REGIONS
        },
    },
}  # fmt: skip

_YES = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}
_BLANK = frozenset({"", "na", "n/a", "nan", "-", "none"})


@dataclass(frozen=True)
class CheckedRecords:
    """A table of records that passed the checks.

    Parameters
    ----------
    table
        Typed columns, sorted by subject and day.
    problems
        What is unusual in it.
    """

    table: pd.DataFrame
    problems: list[Problem]


def check_records(
    table: pd.DataFrame,
    kind: str,
    *,
    columns: Mapping[str, str] | None = None,
    file: str = "",
    lines: Sequence[int] | None = None,
    unit: str = "row",
) -> CheckedRecords:
    """Check a table of hand-kept records.

    Parameters
    ----------
    table
        As read, cells as text or numbers; row 2 is the first below the header.
    kind
        A key of :data:`RECORDS`.
    columns
        Our names by the table's, where they differ: ``{"subject": "Mouse ID"}``.
    file
        For the messages.
    lines, unit
        Where each row stands in the file, and whether that is its ``row`` or its ``line``; by default rows from 2.

    Raises
    ------
    InputError
        If a column is missing, a cell is of the wrong kind or out of range, or a subject has two rows on one day.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"subject": ["007", "007"], "day": [1, 2], "weight_g": ["24.1", "8"]})
    >>> checked = check_records(rows, "weight")
    >>> checked.table["weight_g"].tolist(), [problem.where for problem in checked.problems]
    ([24.1, 8.0], ['row 3, column weight_g'])
    """
    import pandas as pd

    if kind not in RECORDS:
        raise InputError(f"no records are called {kind!r}", expected=", ".join(RECORDS))
    spec = RECORDS[kind]
    named = table.rename(columns={theirs: ours for ours, theirs in (columns or {}).items()})
    missing = [name for name, column in spec.items() if column.needed and name not in named.columns]
    if missing:
        raise InputError("columns are missing", file=file or None, where="header", expected=", ".join(missing),
                         found=", ".join(map(str, named.columns))[:200])  # fmt: skip
    places = [f"{unit} {line}" for line in (lines if lines is not None else range(2, len(named) + 2))]
    problems: list[Problem] = []
    typed = {}
    for name, column in spec.items():
        if name in named.columns:
            cells = [f"{place}, column {name}" for place in places]
            typed[name] = [_cell(cell, column, at, file) for cell, at in zip(named[name].tolist(), cells, strict=True)]
            problems += _unusual(typed[name], name, column, named, cells, file)
    checked = pd.DataFrame(typed)
    twice = checked.duplicated(["subject", "day"], keep=False)
    if twice.any():
        first = checked[twice].iloc[0]
        same = np.flatnonzero((checked["subject"] == first["subject"]) & (checked["day"] == first["day"]))[:2]
        numbers = [places[row].removeprefix(f"{unit} ") for row in same]
        where = f"{unit}s {' and '.join(numbers)}"
        raise InputError("a subject has two rows on one day", file=file or None, where=where,
                         found=f"{first['subject']}, day {first['day']:g}")  # fmt: skip
    checked = checked.sort_values(["subject", "day"], kind="stable", ignore_index=True)
    if "date" in checked:
        problems += _dates_in_order(checked, file)
    if kind == "defeat":
        problems += _defeat_order(checked, file)
    return CheckedRecords(checked, problems)


def _cell(cell: Any, column: Column, where: str, file: str) -> Any:
    """A cell as text, number or yes/no; NaN (or None for yes/no) where blank and not needed."""
    text = "" if cell is None or (isinstance(cell, float) and np.isnan(cell)) else str(cell).strip()
    place = {"file": file or None, "where": where}
    if text.lower() in _BLANK:
        if column.needed:
            raise InputError("the cell is blank", **place, expected=column.meaning)
        return None if column.kind == "yes_no" else "" if column.kind in ("text", "date") else np.nan
    if column.kind == "text":
        return text
    if column.kind == "date":
        try:
            return dt.datetime.fromisoformat(text).isoformat(sep=" ", timespec="minutes").removesuffix(" 00:00")
        except ValueError:
            expected = "a date like 2026-11-05 or 2026-11-05 14:30"
            raise InputError("not a date", **place, found=repr(text[:40]), expected=expected) from None
    if column.kind == "yes_no":
        if text.lower() not in _YES:
            raise InputError("neither yes nor no", **place, found=repr(text[:40]), expected=column.meaning)
        return _YES[text.lower()]
    try:
        value = float(text if "_" not in text else "")
    except ValueError:
        raise InputError("not a number", **place, found=repr(text[:40]), expected=column.meaning) from None
    if not column.low <= value <= column.high or (column.kind == "whole" and value != round(value)):
        expected = f"{column.meaning}, from {column.low:g} to {column.high:g}"
        raise InputError("out of range", **place, found=text[:40], expected=expected)
    if column.values and value not in column.values:
        listed = ", ".join(f"{allowed:g}" for allowed in column.values)
        raise InputError("no such grade", **place, found=text[:40], expected=f"{column.meaning}; one of {listed}")
    return value


def _unusual(
    values: list[Any], name: str, column: Column, named: pd.DataFrame, where: Sequence[str], file: str
) -> list[Problem]:
    if column.kind not in ("number", "whole"):
        return []
    low, high = column.usual
    subjects = named["subject"].tolist()
    return [
        Problem(code="record_suspect", subject=str(subjects[row]), file=file, where=where[row],
                message=f"{name} {value:g}, usually {low:g} to {high:g}", action="kept")
        for row, value in enumerate(values)
        if np.isfinite(value) and not low <= value <= high
    ]  # fmt: skip


def _dates_in_order(table: pd.DataFrame, file: str) -> list[Problem]:
    """Subjects whose dates do not rise with the days."""
    problems = []
    for subject, rows in table[table["date"] != ""].groupby("subject", sort=True):
        days, dates = rows["day"].to_numpy(), [text[:10] for text in rows["date"]]
        wrong = [row for row in range(1, len(dates)) if days[row] > days[row - 1] and dates[row] <= dates[row - 1]]
        if wrong:
            row = wrong[0]
            message = (
                f"day {days[row]:g} is dated {dates[row]}, which is not after the {dates[row - 1]} of day "
                f"{days[row - 1]:g}"
            )
            problems.append(
                Problem(code="record_suspect", subject=str(subject), file=file, message=message, action="kept")
            )
    return problems


def _defeat_order(table: pd.DataFrame, file: str) -> list[Problem]:
    """Days left out, and an aggressor met twice: each session is meant to bring a new one."""
    problems = []
    for subject, rows in table.groupby("subject", sort=True):
        skipped = sorted(set(range(int(rows["day"].min()), int(rows["day"].max()) + 1)) - set(rows["day"].astype(int)))
        again = sorted(rows["aggressor"][rows["aggressor"].duplicated()].unique())
        said = {
            "days without a session": ", ".join(map(str, skipped)),
            "aggressors met more than once": ", ".join(again),
        }
        problems += [
            Problem(code="record_suspect", subject=str(subject), file=file, message=f"{what}: {which}", action="kept")
            for what, which in said.items() if which
        ]  # fmt: skip
    return problems
