"""What may be wrong with the list of recordings: the wrong order, one recording for several trials, copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_copies", "check_order", "check_trial_list"]


def check_trial_list(trials: pd.DataFrame, *, contents: Mapping[str, str] | None = None) -> list[Problem]:
    """Trials in the wrong order, and recordings that stand for more than one trial.

    Parameters
    ----------
    trials
        ``subject, trial, file`` and, where known, ``start_s, end_s``: the trials table of the experiment. With a column
        ``recorded`` (times of recording that sort) the order of trials in different files is checked too.
    contents
        File to a fingerprint of its bytes: finds copies under another name.

    Examples
    --------
    >>> import pandas as pd
    >>> listed = pd.DataFrame({"subject": ["a", "a"], "trial": ["no_target", "target"], "file": ["x.mp4", "x.mp4"]})
    >>> [problem.code for problem in check_trial_list(listed)]
    ['same_file_twice']
    """
    rows = _rows(trials)
    return [_shared(*pair) for pair in _shared_recordings(rows, contents or {})] + _wrong_order(rows)


def check_copies(trials: pd.DataFrame, *, contents: Mapping[str, str]) -> list[Problem]:
    """Recordings with the same bytes under two names, each standing for a trial of its own.

    Parameters
    ----------
    trials, contents
        As :func:`check_trial_list` takes them.
    """
    pairs = _shared_recordings(_rows(trials), contents)
    return [_shared(earlier, row) for earlier, row in pairs if earlier["file"] != row["file"]]


def check_order(trials: pd.DataFrame) -> list[Problem]:
    """Subjects whose target trial was recorded before the other; see :func:`check_trial_list`."""
    return _wrong_order(_rows(trials))


def _rows(trials: pd.DataFrame) -> list[dict[Any, Any]]:
    blank = {"start_s": float("nan"), "end_s": float("nan"), "recorded": None}
    return [blank | row for row in trials.to_dict("records")]


def _shared_recordings(
    rows: list[dict[Any, Any]], contents: Mapping[str, str]
) -> Iterator[tuple[dict[Any, Any], dict[Any, Any]]]:
    """Pairs of rows, in the order of the list, that stand for the same stretch of one recording."""
    same: dict[str, list[dict[Any, Any]]] = {}
    for row in rows:
        same.setdefault(contents.get(row["file"], f"name {row['file']}"), []).append(row)
    for listed in same.values():
        for place, row in enumerate(listed):
            yield from ((earlier, row) for earlier in listed[:place] if _overlap(earlier, row))


def _shared(earlier: Mapping[Any, Any], row: Mapping[Any, Any]) -> Problem:
    copy = "" if earlier["file"] == row["file"] else f", the same bytes as {earlier['file']}"
    first = f"subject {earlier['subject']!r} trial {earlier['trial']}"
    return Problem(
        code="same_file_twice",
        subject=str(row["subject"]),
        file=str(row["file"]),
        where=f"trial {row['trial']}",
        message=f"this recording{copy} also stands for {first}, and the times overlap",
        action="both are scored; correct the trials table",
    )


def _overlap(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two stretches of a recording share time; open ends reach to the next start, or to the end."""
    starts = [0.0 if np.isnan(row["start_s"]) else float(row["start_s"]) for row in (one, other)]
    ends = [np.inf if np.isnan(row["end_s"]) else float(row["end_s"]) for row in (one, other)]
    first = 0 if starts[0] <= starts[1] else 1
    later = 1 - first
    if np.isinf(ends[first]) and starts[later] > starts[first]:
        return False
    return bool(starts[later] < ends[first])


def _wrong_order(rows: list[dict[Any, Any]]) -> list[Problem]:
    first: dict[Any, dict[Any, dict[Any, Any]]] = {}
    for row in rows:
        first.setdefault(row["subject"], {}).setdefault(row["trial"], row)
    return [
        Problem(
            code="trial_order",
            subject=str(subject),
            file=str(trials["target"]["file"]),
            message="the target trial was recorded before the no-target trial",
            action="scored as listed; check that the two are not swapped",
        )
        for subject, trials in first.items()
        if "target" in trials and "no_target" in trials and _before(trials["target"], trials["no_target"])
    ]


def _before(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    if one["file"] == other["file"]:
        return bool(one["start_s"] < other["start_s"])
    recorded = one["recorded"], other["recorded"]
    known = all(value is not None and value == value and value != "" for value in recorded)
    return bool(known and recorded[0] < recorded[1])
