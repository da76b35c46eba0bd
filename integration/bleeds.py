"""One bleed per subject: the declared rule, and what it set aside."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.dates import parse_datetime
from core.errors import InputError
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["BLEED_RULES", "bleed_timing_problems", "choose_bleeds"]

#: Which of a subject's bleeds is analysed, in words.
BLEED_RULES: dict[str, str] = {
    "only": "one bleed per subject; a second one is an error",
    "first": "the first bleed of each subject",
    "last": "the last bleed of each subject",
    "closest_to_si": "the bleed closest in time to the SI test",
    "first_after_si": "the first bleed from the day of the SI test on",
    "last_before_si": "the last bleed up to the day of the SI test",
}

_ONE_SIDED = ("first_after_si", "last_before_si")


def choose_bleeds(
    samples: pd.DataFrame, *, rule: str = "last", test_dates: pd.Series | None = None
) -> tuple[pd.DataFrame, list[Problem]]:
    """One row per subject of a table of serum samples, and a Problem for each row that was set aside.

    Parameters
    ----------
    samples
        Columns ``sample``, ``subject`` and, where a subject has several rows, ``bleed`` (date-time or its text).
    rule
        A key of :data:`BLEED_RULES`. Equal times are decided by sample id, and the Problem says so.
    test_dates
        Date of the SI test by subject; needed by the rules that name the SI test.

    Raises
    ------
    InputError
        If a subject has several bleeds and the rule cannot choose: no bleed time, no test date, or rule ``only``.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"sample": ["a", "b"], "subject": ["m1", "m1"], "bleed": ["2026-01-02", "2026-01-09"]})
    >>> chosen, problems = choose_bleeds(table, rule="last")
    >>> chosen["sample"].tolist(), problems[-1].where
    (['b'], 'sample a')
    """
    if rule not in BLEED_RULES:
        raise ValueError(f"bleed rule {rule!r} is none of {', '.join(BLEED_RULES)}")
    ordered = samples.sort_values(["subject", "sample"], kind="stable").reset_index(drop=True)
    several = ordered["subject"].duplicated(keep=False)
    if rule in _ONE_SIDED:
        several[:] = True
    if not several.any():
        return ordered, []
    if rule == "only":
        raise _second_bleed(ordered[several])
    rank = _rank(ordered, rule, test_dates, several)
    ranked = ordered.assign(_rank=rank).sort_values(["subject", "_rank", "sample"], kind="stable")
    chosen = ranked[np.isfinite(ranked["_rank"]) | ~several.loc[ranked.index]].drop_duplicates("subject")
    problems = _set_aside(ranked, chosen, rule)
    return chosen.drop(columns="_rank").reset_index(drop=True), problems


def _times_of(samples: pd.DataFrame, *, needed: pd.Series[bool]) -> pd.Series[Any]:
    import pandas as pd

    if "bleed" not in samples:
        raise _no_time(samples[needed].iloc[0])
    times = pd.Series([_bleed_time(row) for row in samples.to_dict("records")], index=samples.index)
    times = pd.to_datetime(times)
    if (times.isna() & needed).any():
        raise _no_time(samples[times.isna() & needed].iloc[0])
    return times


def _bleed_time(row: Mapping[Hashable, Any]) -> Any:
    """Timestamp of one row's bleed, NaT where it is blank."""
    import pandas as pd

    value = row["bleed"]
    if value is None or value != value or not str(value).strip():
        return pd.NaT
    if not isinstance(value, str):
        return pd.Timestamp(value)
    try:
        return pd.Timestamp(parse_datetime(value))
    except ValueError as error:
        raise InputError(str(error), where=f"serum samples table, sample {row['sample']!r}, column bleed") from None


def _no_time(row: pd.Series) -> InputError:
    return InputError(
        "several bleeds of one subject, and no bleed time to choose by",
        where=f"serum samples table, subject {row['subject']!r}, sample {row['sample']!r}",
        expected="a date-time in column bleed",
    )


def _second_bleed(several: pd.DataFrame) -> InputError:
    first = several["subject"].iloc[0]
    return InputError(
        "a subject has more than one serum sample, and no rule says which one counts",
        where=f"serum samples table, subject {first!r}",
        found=", ".join(several.loc[several["subject"] == first, "sample"]),
        remedy=f"declare a bleed rule ({', '.join(rule for rule in BLEED_RULES if rule != 'only')})",
    )


def _rank(samples: pd.DataFrame, rule: str, test_dates: pd.Series | None, needed: pd.Series) -> NDArray[np.float64]:
    """Lowest = used; infinite = on the wrong side of the SI test."""
    import pandas as pd

    times = _times_of(samples, needed=needed)
    seconds = np.array((times - pd.Timestamp("1970-01-01")).dt.total_seconds(), dtype=np.float64)
    if rule in ("first", "last"):
        return seconds if rule == "first" else -seconds
    dates = pd.to_datetime(samples["subject"].map({} if test_dates is None else test_dates.to_dict()))
    if (dates.isna() & needed).any():
        missing = samples.loc[dates.isna() & needed, "subject"].iloc[0]
        raise InputError(
            f"the bleed rule {rule} needs the date of the SI test",
            where=f"subjects table, subject {missing!r}",
            expected="a date in column si_date",
        )
    gap = np.array((times - dates).abs().dt.total_seconds(), dtype=np.float64)
    days = (times.dt.normalize() - dates.dt.normalize()).dt.days.to_numpy()
    ranks: dict[str, NDArray[np.float64]] = {
        "closest_to_si": gap,
        "first_after_si": np.where(days >= 0, seconds, np.inf),
        "last_before_si": np.where(days <= 0, -seconds, np.inf),
    }
    return ranks[rule]


def _set_aside(ranked: pd.DataFrame, chosen: pd.DataFrame, rule: str) -> list[Problem]:
    problems = []
    kept = chosen.set_index("subject")
    for row in ranked[~ranked["sample"].isin(chosen["sample"])].to_dict("records"):
        message = f"not chosen by the rule: {BLEED_RULES[rule]}"
        action = "left out; this subject has no other bleed that fits the rule"
        if row["subject"] in kept.index:
            used = kept.loc[row["subject"]]
            message += " (same time: the first sample id is used)" if row["_rank"] == used["_rank"] else ""
            action = f"sample {used['sample']} is used"
        problems.append(
            Problem(
                code="unused_bleed",
                subject=row["subject"],
                where=f"sample {row['sample']}",
                message=message,
                action=action,
            )
        )
    return problems


def bleed_timing_problems(
    samples: pd.DataFrame, *, declared: str, test_dates: pd.Series, dates_known: bool = True
) -> list[Problem]:
    """Bleeds that lie on the other side of the SI test than declared, or whose date is not known.

    A bleed on the day of the test itself is compared by the clock only if both have one; else it passes.

    Parameters
    ----------
    samples
        Chosen bleeds: ``sample``, ``subject``, ``bleed``.
    declared
        ``"before_test"`` or ``"after_test"``.
    test_dates
        Date of the SI test by subject.
    dates_known
        Whether the subjects table has test dates at all.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"sample": ["a"], "subject": ["m1"], "bleed": pd.to_datetime(["2026-01-02"])})
    >>> [p.code for p in bleed_timing_problems(table, declared="after_test",
    ...                                        test_dates=pd.Series({"m1": pd.Timestamp("2026-01-05")}))]
    ['bleed_timing']
    """
    import pandas as pd

    if declared not in ("before_test", "after_test"):
        raise ValueError(f"bleed_timing {declared!r} is neither 'before_test' nor 'after_test'")
    if "bleed" not in samples or not dates_known:
        what = "bleed times" if "bleed" not in samples else "SI test dates"
        return [Problem(code="bleed_timing", message=f"declared {declared}, but there are no {what}: not checked")]
    problems = []
    tests: dict[Any, Any] = pd.to_datetime(test_dates).to_dict()
    for row in samples.to_dict("records"):
        bleed, test = _bleed_time(row), tests.get(row["subject"])
        if pd.isna(bleed) or pd.isna(test):
            message = f"declared {declared}; bleed or test date of this subject is not known"
        elif (test == test.normalize() and bleed.normalize() == test) or (bleed < test) == (declared == "before_test"):
            continue
        else:
            message = f"declared {declared}, but bled {bleed} and tested {test}"
        problems.append(
            Problem(
                code="bleed_timing",
                subject=row["subject"],
                where=f"sample {row['sample']}",
                message=message,
                action="kept, flagged",
            )
        )
    return problems
