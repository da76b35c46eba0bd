"""Verdict on each recording, from the problems of the run: good, look at it, not used."""

from __future__ import annotations

import re

import pandas as pd

from behavior.reasons import REASONS
from stressaxis.report.tables import TableView, table_view

__all__ = ["quality_view", "recording_lights", "recording_remarks", "whole_trial_remarks"]

#: Columns of the quality table that the report shows, and their headings.
_QUALITY = {
    "light": "light",
    "subject": "mouse",
    "trial": "trial",
    "file": "file",
    "lost_percent": "lost (%)",
    "jumps_per_min": "jumps/min",
    "frames_per_s": "frames/s",
    "late_percent": "late (%)",
    "repeated_percent": "repeated (%)",
    "area_ratio": "area, 95 %/5 %",
    "contrast_grey": "contrast (grey levels)",
    "light_change_percent": "light change (%)",
    "edge_cm": "edge width (cm)",
    "enclosure_moving_percent": "moves in enclosure (% of looks)",
    "flags": "flags",
}


def recording_remarks(trials: pd.DataFrame, problems: pd.DataFrame) -> list[pd.DataFrame]:
    """Problems that concern each row of the trials table: same subject (or none given), and its file or its trial.

    The thresholds behind them are those of the run; none is applied here a second time.
    """
    columns = ["severity", "code", "subject", "file", "where", "message"]
    if problems.empty or not set(columns) <= set(problems.columns):
        empty = pd.DataFrame(columns=columns)
        return [empty] * len(trials)
    known = _Places(problems)
    return [
        problems.iloc[known.of(str(subject), str(trial), str(file))]
        for subject, trial, file in zip(trials["subject"], trials["trial"], trials["file"], strict=True)
    ]


class _Places:
    """Where the problems of a recording stand, by subject and by file: a night's run has thousands of both."""

    def __init__(self, problems: pd.DataFrame) -> None:
        self._files = [_bare_name(str(file)) for file in problems["file"]]
        self._words = [str(where).replace("_", " ") for where in problems["where"]]
        self._of_subject: dict[str, list[int]] = {}
        self._of_nobody: dict[str, list[int]] = {}
        for place, subject in enumerate(problems["subject"]):
            if subject:
                self._of_subject.setdefault(subject, []).append(place)
            else:
                self._of_nobody.setdefault(self._files[place], []).append(place)

    def of(self, subject: str, trial: str, file: str) -> list[int]:
        """Places of the problems of one recording: the subject's own first."""
        name = _bare_name(file)
        # 'target' stands in 'no target', too.
        told = re.compile(rf"(?<!no ){re.escape(trial.replace('_', ' '))}\b")
        own = [
            place
            for place in self._of_subject.get(subject, ())
            if (name and self._files[place] == name) or told.search(self._words[place])
        ]
        return own + (self._of_nobody.get(name, []) if name else [])


def _bare_name(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1]


def whole_trial_remarks(note: str) -> list[str]:
    """Remarks of a note that concern the trial as a whole, in words; those on single columns are left out.

    Examples
    --------
    >>> whole_trial_remarks("iz_mean_bout_s: no_entry; low_rate")
    ['fewer than 4 frames a second: movement from raw positions']
    """
    parts = [part.strip() for part in note.split(";")]
    return [REASONS.get(part, part.replace("_", " ")) for part in parts if part and ":" not in part]


def recording_lights(trials: pd.DataFrame, remarks: list[pd.DataFrame]) -> pd.Series:
    """Verdict of each recording.

    ``not used``: an error or exclusion concerns it, or it has no zone time; ``look at it``: a warning concerns it, or
    its note has a remark on the whole trial; otherwise ``good``.

    Examples
    --------
    >>> trials = pd.DataFrame({"iz_s": [40.0, None], "note": ["", ""]})
    >>> recording_lights(trials, [pd.DataFrame({"severity": []})] * 2).tolist()
    ['good', 'not used']
    """
    verdicts = []
    scored = trials["iz_s"].notna() if "iz_s" in trials else [False] * len(trials)
    notes = trials["note"] if "note" in trials else [""] * len(trials)
    for own, is_scored, note in zip(remarks, scored, notes, strict=True):
        severities = set(own["severity"])
        if not is_scored or severities & {"error", "excluded"}:
            verdicts.append("not used")
        elif "warning" in severities or whole_trial_remarks(str(note)):
            verdicts.append("look at it")
        else:
            verdicts.append("good")
    return pd.Series(verdicts, index=trials.index, dtype=str)


def quality_view(recordings: pd.DataFrame) -> TableView:
    """What was measured of each recording, red and amber ones first.

    Parameters
    ----------
    recordings
        ``tables/recordings.csv``.
    """
    counts = recordings["light"].value_counts()
    order = [light for light in ("red", "amber", "green") if light in counts]
    rank = recordings["light"].map({light: place for place, light in enumerate(order)})
    table = recordings.assign(
        rank=rank,
        trial=recordings["trial"].str.replace("_", " "),
        # A column that is blank throughout is read as numbers.
        flags=recordings["flags"].astype(object).fillna("").str.replace("_", " "),
    ).sort_values(["rank", "subject", "trial"], kind="stable")
    lights = ", ".join(f"{counts[light]} {light}" for light in order)
    caption = (
        f"Quality of every recording within its trial ({lights}): red, do not trust it unseen; amber, look at it. "
        "Nothing is left out for its light. Edge width: over which the sharpest edges of the picture rise; moves in "
        "enclosure: share of the looks, one a second with the mouse away from it, in which something moved inside."
    )
    return table_view(
        table,
        columns=list(_QUALITY),
        headings=_QUALITY,
        caption=caption,
        link="tables/recordings.csv",
        filterable=True,
        folded=f"Quality of {len(table)} recordings",
    )
