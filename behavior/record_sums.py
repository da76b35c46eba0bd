"""Hand-kept records summed up for each subject, and joined to the animals table as covariates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.hand_records import COAT_REGIONS
from core.errors import InputError
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "RECORD_SUMS",
    "days_between",
    "join_records",
    "sum_coat",
    "sum_defeats",
    "sum_records",
    "sum_sucrose",
    "sum_weights",
]

#: What each table is summed up to, for each subject: the columns that may serve as covariates.
RECORD_SUMS: dict[str, dict[str, str]] = {
    "defeat": {
        "defeat_sessions": "number of defeat sessions",
        "defeat_minutes": "minutes of physical contact in all",
        "defeat_attacks": "attacks counted in all",
        "defeat_attacks_per_min": "attacks per minute of the sessions in which they were counted",
        "wound_grade_max": "worst wound, 0 to 4",
        "defeats_stopped_early": "sessions that were ended early",
        "aggressors": "number of different aggressors",
        "defeat_weight_change_percent": "last weighing of the defeat sessions against the first, %",
        "last_defeat_day": "day of the last session",
        "defeat_to_test_days": "days from the last session to the social interaction test",
        "defeat_to_bleed_days": "days from the last session to the bleed that is analysed",
    },
    "sucrose": {
        "sucrose_preference_percent": "sucrose of all that was drunk, %",
        "sucrose_intake_g": "sucrose solution drunk, g (or ml)",
        "sucrose_days": "days that count",
        "sucrose_days_left_out": "days with a leak or hardly a drink",
    },
    "weight": {
        "weight_first_g": "first body weight, g",
        "weight_last_g": "last body weight, g",
        "weight_change_percent": "last body weight against the first, %",
        "weight_loss_max_percent": "largest loss from the first weighing, %",
        "weighings": "number of weighings",
    },
    "coat": {
        "coat_first": "first coat score, 0 groomed to 7 unkempt",
        "coat_last": "last coat score",
        "coat_max": "worst coat score",
        "coat_scorings": "number of scorings",
    },
}  # fmt: skip


def sum_records(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """A checked table of hand-kept records, one row per subject.

    Parameters
    ----------
    table
        As :func:`behavior.hand_records.check_records` gives it.
    kind
        A key of :data:`RECORD_SUMS`.
    """
    return {"defeat": sum_defeats, "sucrose": sum_sucrose, "weight": sum_weights, "coat": sum_coat}[kind](table)


def sum_defeats(table: pd.DataFrame) -> pd.DataFrame:
    """Defeat sessions of each subject, summed up.

    Returns
    -------
    DataFrame
        ``subject, defeat_sessions, defeat_minutes, defeat_attacks, defeat_attacks_per_min, wound_grade_max,
        defeats_stopped_early, aggressors, defeat_weight_change_percent`` (last weighing against the first),
        ``last_defeat_day`` and ``last_defeat``, the date of the last session or blank. Attacks are summed, and the rate
        taken, over the sessions in which they were counted; NaN where there is none.
    """
    import pandas as pd

    def one(rows: pd.DataFrame) -> dict[str, Any]:
        blank = pd.Series(np.nan, index=rows.index)
        dated = [text for text in rows["date"] if text] if "date" in rows else []
        attacks, wounds = rows.get("attacks", blank), rows.get("wound_grade", blank)
        early = rows["stopped_early"].dropna() if "stopped_early" in rows else pd.Series(dtype=float)
        counted = attacks.notna()
        minutes = float(rows.loc[counted, "minutes"].sum())
        return {
            "defeat_sessions": len(rows),
            "defeat_minutes": float(rows["minutes"].sum()),
            "defeat_attacks": float(attacks.sum()) if counted.any() else np.nan,
            "defeat_attacks_per_min": float(attacks.sum()) / minutes if minutes > 0 else np.nan,
            "wound_grade_max": float(wounds.max()) if wounds.notna().any() else np.nan,
            "defeats_stopped_early": float(early.astype(bool).sum()) if len(early) else np.nan,
            "aggressors": rows["aggressor"].nunique(),
            "defeat_weight_change_percent": _change_percent(rows.get("weight_g", blank)),
            "last_defeat_day": float(rows["day"].max()),
            "last_defeat": max(dated, default=""),
        }

    return _by_subject(table, one)


def sum_sucrose(table: pd.DataFrame, *, min_intake_g: float = 0.5) -> pd.DataFrame:
    """Sucrose preference of each subject: sucrose / (sucrose + water) in percent, over its days pooled.

    Days on which a bottle leaked, or on which less than ``min_intake_g`` was drunk in all, do not count.

    Returns
    -------
    DataFrame
        ``subject, sucrose_preference_percent, sucrose_intake_g, sucrose_days, sucrose_days_left_out``; NaN where no day
        counts.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"subject": ["a", "a"], "day": [1, 2], "sucrose_g": [3.0, 0.1], "water_g": [1.0, 0.1]})
    >>> sum_sucrose(rows)["sucrose_preference_percent"].tolist()
    [75.0]
    """

    def one(rows: pd.DataFrame) -> dict[str, float]:
        total = rows["sucrose_g"] + rows["water_g"]
        leaked = rows["leak"].fillna(False).astype(bool) if "leak" in rows else total.isna()
        counts = (total >= min_intake_g) & ~leaked
        sucrose, drunk = float(rows.loc[counts, "sucrose_g"].sum()), float(total[counts].sum())
        return {
            "sucrose_preference_percent": 100 * sucrose / drunk if drunk > 0 else np.nan,
            "sucrose_intake_g": sucrose if counts.any() else np.nan,
            "sucrose_days": int(counts.sum()),
            "sucrose_days_left_out": int((~counts).sum()),
        }

    return _by_subject(table, one)


def sum_weights(table: pd.DataFrame) -> pd.DataFrame:
    """Body weight of each subject: first, last, change and largest loss from the first, in percent.

    Returns
    -------
    DataFrame
        ``subject, weight_first_g, weight_last_g, weight_change_percent, weight_loss_max_percent, weighings``.
    """

    def one(rows: pd.DataFrame) -> dict[str, float]:
        weights = rows["weight_g"].to_numpy(float)
        return {
            "weight_first_g": weights[0],
            "weight_last_g": weights[-1],
            "weight_change_percent": _change_percent(rows["weight_g"]),
            "weight_loss_max_percent": max(0.0, 100 * (1 - weights.min() / weights[0])),
            "weighings": len(weights),
        }

    return _by_subject(table, one)


def sum_coat(table: pd.DataFrame) -> pd.DataFrame:
    """Coat score of each subject, the sum over the regions (0 groomed to 7 unkempt): first, last, largest.

    Returns
    -------
    DataFrame
        ``subject, coat_first, coat_last, coat_max, coat_scorings``.
    """

    def one(rows: pd.DataFrame) -> dict[str, float]:
        score = rows[list(COAT_REGIONS)].sum(axis=1, skipna=False).to_numpy(float)
        return {"coat_first": score[0], "coat_last": score[-1], "coat_max": score.max(), "coat_scorings": len(score)}

    return _by_subject(table, one)


def _by_subject(table: pd.DataFrame, one: Any) -> pd.DataFrame:
    import pandas as pd

    ordered = table.sort_values(["subject", "day"], kind="stable")
    return pd.DataFrame([{"subject": subject, **one(rows)} for subject, rows in ordered.groupby("subject", sort=True)])


def _change_percent(weights: pd.Series[Any]) -> float:
    known = weights.dropna().to_numpy(float)
    return float(100 * (known[-1] / known[0] - 1)) if len(known) > 1 else np.nan


def days_between(earlier: Mapping[str, str], later: Mapping[str, str]) -> dict[str, float]:
    """Days from one date to another for each subject; NaN where one is blank or missing.

    Where both have a time of day the days are fractions, else whole days.

    Parameters
    ----------
    earlier, later
        Subject to a date, 2026-11-05 or 2026-11-05 14:30.

    Examples
    --------
    >>> days_between({"a": "2026-11-05 10:00", "b": "2026-11-05"}, {"a": "2026-11-06 16:00", "b": "2026-11-06 16:00"})
    {'a': 1.25, 'b': 1.0}
    """
    days = {}
    for subject, start in earlier.items():
        texts = [str(value) if value is not None and value == value else "" for value in (start, later.get(subject))]
        if not all(texts):
            days[subject] = float("nan")
            continue
        timed = all(len(text) > len("2026-11-05") for text in texts)
        one, other = (dt.datetime.fromisoformat(text if timed else text[:10]) for text in texts)
        days[subject] = (other - one) / dt.timedelta(days=1)
    return days


def join_records(
    animals: pd.DataFrame, *summaries: pd.DataFrame, expected: Collection[str] | None = None
) -> tuple[pd.DataFrame, list[Problem]]:
    """Summaries joined to the animals table as covariates; keys are checked both ways.

    Parameters
    ----------
    animals
        With a column ``subject``, ids as text.
    *summaries
        From the ``sum_`` functions.
    expected
        Subjects of whom it is told if a record is missing; None: all.

    Returns
    -------
    table, problems
        All animals, NaN where a record is missing; records of unknown subjects are left out and reported.

    Raises
    ------
    InputError
        If a column would be there twice, or a subject occurs twice in the animals table.
    """
    problems: list[Problem] = []
    joined = animals.copy()
    if joined["subject"].duplicated().any():
        twice = sorted(joined["subject"][joined["subject"].duplicated()].unique())
        raise InputError("a subject occurs twice in the animals table", found=", ".join(map(str, twice[:5])))
    known = set(joined["subject"].astype(str))
    for summary in summaries:
        again = sorted((set(summary.columns) & set(joined.columns)) - {"subject"})
        if again:
            raise InputError("a column would be there twice", found=", ".join(again))
        what = summary.columns[1] if len(summary.columns) > 1 else "records"
        unknown = sorted(set(summary["subject"].astype(str)) - known)
        wanted = known if expected is None else known & set(expected)
        without = sorted(wanted - set(summary["subject"].astype(str)))
        message = f"{what} of a subject that is not in the animals table"
        problems += [
            Problem(code="unknown_subject", subject=name, message=message, action="left out") for name in unknown
        ]
        problems += [Problem(code="record_suspect", subject=name, message=f"no {what}", action="left blank")
                     for name in without]  # fmt: skip
        joined = joined.merge(summary, on="subject", how="left", validate="one_to_one")
    return joined, problems
