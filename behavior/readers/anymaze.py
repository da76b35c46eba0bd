"""ANY-maze tracks: one row a sample, pixels, uneven steps, zones as ``In NAME``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from behavior.events import bouts_from_flags
from behavior.readers.poses import Poses, make_tracks, mend_times
from behavior.readers.sheets import Sheet, load_sheets
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from core.errors import InputError
from core.problems import Problem
from core.readers import Reader

__all__ = ["READER", "matches", "read"]

NAME = "anymaze"
ABOUT = "ANY-maze track of one test (csv)"

_POINT = re.compile(r"(.+?)\s+(?:position|posn)\.?\s+([XY])", re.IGNORECASE)
_NAMES = {"centre": "centre", "center": "centre", "head": "head", "tail": "tail_base", "nose": "nose"}


def matches(head: bytes) -> bool:
    """Whether the header names ``Time`` and positions the way ANY-maze does."""
    line = head.decode("utf-8", errors="replace").split("\n", 1)[0].replace('"', "").strip()
    cells = re.split(r"[\t;,]", line)
    return cells[0].strip().lower() == "time" and any(_POINT.fullmatch(cell.strip()) for cell in cells)


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """The track in px, y down; zones stay as ``in_zone``, other columns of 0 and 1 become events.

    Raises
    ------
    InputError
        If a time or a number cannot be read, naming its place.
    """
    sheet = load_sheets(path)[0]
    names = sheet.rows[0]
    width = max(place + 1 for place, name in enumerate(names) if name)
    end, damage = sheet.whole_rows(1, width)
    sheet = sheet.until(end)
    problems: list[Problem] = []
    time = sheet.seconds(0, first=1, name="Time")
    if not len(time):
        raise InputError("the track has no rows", file=path)
    keep = mend_times(time, path=path, place=lambda row: sheet.place(1 + row), problems=problems)
    position, points = _points(sheet)
    zones = {
        name[3:].strip(): sheet.flags(place, first=1, name=name)[keep]
        for place, name in enumerate(names)
        if name.lower().startswith("in ")
    }
    scored = {
        name: sheet.flags(place, first=1, name=name)[keep]
        for place, name in enumerate(names[:width])
        if place
        and name
        and not name.lower().startswith("in ")
        and not _POINT.fullmatch(name)
        and sheet.is_flag(place, first=1)
    }
    poses = Poses(
        position=position[keep],
        points=points,
        time_s=time[keep],
        zones=zones,
        damage=damage,
        scored=list(scored),
        place=sheet.place(end),
    )
    tracks, found = make_tracks(poses, options, path=path, software="ANY-maze")
    bouts = [
        bout
        for name, values in scored.items()
        for bout in bouts_from_flags(values == 1, time[keep], behavior=name, observation=Path(path).stem)
    ]
    return track_file(NAME, ABOUT, path, {"": tracks}, events=bouts, problems=problems + found)


def _points(sheet: Sheet) -> tuple[np.ndarray, list[str]]:
    found: dict[str, dict[str, int]] = {}
    for place, name in enumerate(sheet.rows[0]):
        match = _POINT.fullmatch(name)
        if match:
            found.setdefault(_NAMES.get(match[1].lower(), match[1]), {})[match[2].lower()] = place
    whole = {name: axes for name, axes in found.items() if len(axes) == 2}
    if not whole:
        raise InputError("a position without its X or Y column", file=sheet.file, where="header")
    columns = [
        np.stack([sheet.numbers(axes[axis], first=1, name=sheet.rows[0][axes[axis]]) for axis in "xy"], axis=1)
        for axes in whole.values()
    ]
    return np.stack(columns, axis=2)[..., None], list(whole)


READER = Reader(NAME, ABOUT, matches, read, "ANY-maze per-test export")
