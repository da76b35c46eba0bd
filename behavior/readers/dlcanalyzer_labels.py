"""Human labels in DLCAnalyzer's layout: one bout a row, ``from`` and ``to`` in s, several raters per recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from behavior.events import BehaviorEvent
from behavior.readers.sheets import MISSING, Sheet, load_sheets, parse_seconds
from behavior.readers.trackfile import ReadOptions, TrackFile, event_file
from core.errors import InputError
from core.problems import Problem
from core.readers import Reader

__all__ = ["READER", "matches", "read"]

NAME = "dlcanalyzer-labels"
ABOUT = "human labels as DLCAnalyzer reads them (from, to, type)"

_NEEDED = ("from", "to", "type")


def matches(head: bytes) -> bool:
    """Whether the header has the columns ``file, Experimenter, from, to, type``."""
    line = head.decode("utf-8", errors="replace").split("\n", 1)[0].replace('"', "").strip().lower()
    cells = max((line.split(mark) for mark in "\t;,"), key=len)
    return {"from", "to", "type", "experimenter"} <= set(cells)


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """All bouts; ``observation`` is the labelled recording (ID), ``observer`` the rater, ``media`` the label file.

    A row without end is kept as a bout without stop; one without a type as well is left out; both are reported.

    Raises
    ------
    InputError
        If a time cannot be read, naming its place.
    """
    sheet = load_sheets(path)[0]
    place = {name.lower(): at for at, name in enumerate(sheet.rows[0])}
    missing = [name for name in _NEEDED if name not in place]
    if missing:
        raise InputError(
            "columns are missing",
            file=path,
            where="header",
            found=", ".join(sheet.rows[0])[:100],
            expected=", ".join(missing),
        )
    width = max(place.values()) + 1
    end, damage = sheet.whole_rows(1, width)
    problems: list[Problem] = []
    if damage:
        problems.append(
            Problem(
                code="damaged_file", file=Path(path).name, message=damage, action="the rows before the damage are used"
            )
        )
    events = []
    for row in range(1, end):
        event, problem = _event(sheet, row, place)
        events += [event] if event else []
        problems += [problem] if problem else []
    return event_file(NAME, ABOUT, path, events, problems=problems)


def _event(sheet: Sheet, row: int, place: dict[str, int]) -> tuple[BehaviorEvent | None, Problem | None]:
    cells = sheet.rows[row]
    said = {name: cells[at] if at < len(cells) else "" for name, at in place.items()}
    start, stop = (_time(said[name], sheet, row, name) for name in ("from", "to"))
    behavior = "" if said["type"].lower() in MISSING else said["type"]
    where, file = sheet.place(row), Path(sheet.file).name
    event = BehaviorEvent(
        behavior=behavior,
        start_s=start,
        stop_s=stop,
        observation=said.get("id", ""),
        observer=said.get("experimenter", ""),
        media=said.get("file", ""),
    )
    if not behavior:
        message = f"a row without type, from {said['from'][:20]} to {said['to'][:20]}"
        return None, Problem(code="open_event", file=file, where=where, message=message, action="left out")
    if stop < start:
        raise InputError("a bout ends before it starts", file=sheet.file, where=where, found=f"{start:g} to {stop:g} s")
    if np.isnan(start) or np.isnan(stop):
        message = f"{behavior} from {said['from'][:20]} to {said['to'][:20]}"
        return event, Problem(
            code="open_event", file=file, where=where, message=message, action="kept; its seconds do not count"
        )
    return event, None


def _time(text: str, sheet: Sheet, row: int, name: str) -> float:
    seconds = parse_seconds(text)
    if seconds is None and text.lower() not in MISSING:
        raise InputError(
            "not a time", file=sheet.file, where=sheet.place(row, name), found=repr(text[:40]), expected="seconds"
        )
    return np.nan if seconds is None else seconds


READER = Reader(NAME, ABOUT, matches, read, "https://github.com/ETHZ-INS/DLCAnalyzer")
