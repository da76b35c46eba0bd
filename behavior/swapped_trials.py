"""Recordings with and without target that were exchanged: told by what moves inside the enclosure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from behavior.picture_quality import moving_share
from core.problems import Problem

__all__ = ["check_enclosures"]

#: Share of the looks, percent, from which something lives in the enclosure, and up to which nothing does; a target
#: mouse moves in half of them and more, an empty enclosure in none. Between the two nothing is said.
MOVES_FROM, STILL_TO = 15.0, 3.0
#: Fewer looks than this say nothing.
LEAST_LOOKS = 15


def check_enclosures(recordings: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Whether the enclosure of each of a subject's trials is as the trial's name says, empty or occupied.

    Parameters
    ----------
    recordings
        Rows of the quality table of one subject: ``subject, trial, file, enclosure_looks, enclosure_moving_percent``.

    Returns
    -------
    list of Problem
        ``trials_swapped``: something moves in the enclosure without target, and nothing in that with target;
        ``enclosure_occupied``, ``enclosure_empty``: only one of the two trials is not what its name says.

    Examples
    --------
    >>> row = {"subject": "a", "file": "", "enclosure_looks": 60}
    >>> swapped = [{**row, "trial": "no_target", "enclosure_moving_percent": 80.0},
    ...            {**row, "trial": "target", "enclosure_moving_percent": 0.0}]
    >>> [problem.code for problem in check_enclosures(swapped)]
    ['trials_swapped']
    """
    found = {trial: _trial(recordings, trial) for trial in ("no_target", "target")}
    occupied = found["no_target"] if found["no_target"] and found["no_target"]["percent"] >= MOVES_FROM else None
    empty = found["target"] if found["target"] and found["target"]["percent"] <= STILL_TO else None
    if occupied and empty:
        message = (
            "the recordings with and without target seem exchanged: something moves inside the enclosure in "
            f"{occupied['percent']:.0f} % of the looks at {occupied['file']} (no_target), and in "
            f"{empty['percent']:.0f} % of those at {empty['file']} (target)"
        )
        action = "scored as listed; look at both recordings and correct the trials table"
        where = "trials no_target and target"
        return [
            Problem(code="trials_swapped", subject=occupied["subject"], where=where, message=message, action=action)
        ]
    problems = []
    if occupied:
        message = (
            f"something moves inside the enclosure in {occupied['percent']:.0f} % of the looks; it should be empty"
        )
        problems.append(_problem("enclosure_occupied", occupied, "no_target", message))
    if empty:
        message = (
            f"nothing moves inside the enclosure (in {empty['percent']:.0f} % of the looks); a target mouse should"
        )
        problems.append(_problem("enclosure_empty", empty, "target", message))
    return problems


def _trial(recordings: Sequence[Mapping[str, Any]], trial: str) -> dict[str, Any] | None:
    """What was seen of the enclosure in all recordings of a trial; None where that is too little."""
    parts = [dict(row) for row in recordings if row["trial"] == trial]
    percent, looks = moving_share(parts)
    if looks < LEAST_LOOKS:
        return None
    files = " + ".join(dict.fromkeys(str(row["file"]) for row in parts))
    return {"subject": str(parts[0]["subject"]), "file": files, "percent": percent}


def _problem(code: str, trial: Mapping[str, Any], name: str, message: str) -> Problem:
    return Problem(
        code=code,
        subject=trial["subject"],
        where=f"trial {name}",
        message=message,
        action="scored as listed; look at the recording",
    )
