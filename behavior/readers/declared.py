"""Tables of no known program, whose columns the user declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
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

NAME = "declared"
ABOUT = "table with declared columns"

_TO_SECONDS = {"s": 1.0, "ms": 1e-3, "min": 60.0}


def matches(head: bytes) -> bool:
    """Never by itself: a table of no known program needs ``columns``."""
    return False


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """The track of a table by its declared columns, units and direction of y.

    ``columns`` names the file's columns: ``time`` (optional), ``x, y`` or ``centre_x, centre_y``, ``nose_x`` and so on,
    ``confidence``, ``area``, ``zone:NAME`` and ``behavior:NAME`` of 0 and 1. The header is the first row that holds
    them all.

    Raises
    ------
    InputError
        If the declaration lacks positions or the unit, a column is not in the file, or a cell cannot be read.
    """
    columns = dict(options.columns or {})
    points = _declared_points(columns, path)
    if options.space_unit is None:
        raise InputError("the unit of the positions is not declared", file=path, expected="space_unit='px' or 'cm'")
    sheets = [sheet for sheet in load_sheets(path) if options.sheet in (None, sheet.name)]
    sheet, header = _header(sheets, columns, path)
    place = {ours: sheet.rows[header].index(theirs) for ours, theirs in columns.items()}
    first = header + 1
    end, damage = sheet.whole_rows(first, len(sheet.rows[header]))
    sheet = sheet.until(end)
    if end == first:
        raise InputError("the track has no rows", file=path, where=sheet.place(first))

    def column(ours: str) -> np.ndarray:
        return sheet.numbers(place[ours], first=first, name=columns[ours])

    problems: list[Problem] = []
    time, frame, keep = _times(sheet, place, first, options, path, problems)
    position = np.stack([np.stack([column(x), column(y)], axis=1) for x, y in points.values()], axis=2)[..., None]
    confidence = None
    if "confidence" in place:
        values = column("confidence")
        if ((values < 0) | (values > 1)).any():
            raise InputError("confidence is not from 0 to 1", file=path, where=f"column {columns['confidence']}")
        confidence = np.repeat(values[:, None, None], len(points), axis=1)[keep]
    flags = {ours: sheet.flags(at, first=first, name=columns[ours])[keep] for ours, at in place.items() if ":" in ours}
    scored = {ours[9:]: values for ours, values in flags.items() if ours.startswith("behavior:")}
    poses = Poses(
        position=position[keep],
        points=list(points),
        time_s=time,
        frame=frame,
        space_unit=options.space_unit,
        y_up=options.y_up,
        confidence=confidence,
        area=column("area")[keep] if "area" in place else None,
        zones={ours[5:]: values for ours, values in flags.items() if ours.startswith("zone:")},
        scored=list(scored),
        damage=damage,
        place=sheet.place(end),
    )
    tracks, found = make_tracks(poses, options, path=path, software="declared table")
    if scored and tracks.attrs["time_unit"] != "seconds":
        raise InputError("behaviours need times in s", file=path, remedy="give the frame rate (fps)")
    bouts = [
        bout
        for name, values in scored.items()
        for bout in bouts_from_flags(values == 1, tracks["time"].to_numpy(), behavior=name, observation=Path(path).stem)
    ]
    return track_file(NAME, ABOUT, path, {sheet.name: tracks}, events=bouts, problems=problems + found)


def _declared_points(columns: Mapping[str, str], path: str | Path) -> dict[str, tuple[str, str]]:
    points: dict[str, tuple[str, str]] = {}
    if "x" in columns and "y" in columns:
        points["centre"] = ("x", "y")
    for ours in columns:
        match = re.fullmatch(r"(.+)_x", ours)
        if match and f"{match[1]}_y" in columns:
            points[match[1]] = (ours, f"{match[1]}_y")
    used = {name for pair in points.values() for name in pair}
    unknown = sorted(
        ours
        for ours in columns
        if ours not in used | {"time", "frame", "confidence", "area"} and not re.match(r"(zone|behavior):.", ours)
    )
    if not points or unknown:
        raise InputError(
            "the declared columns make no track",
            file=path,
            found=", ".join(unknown) or "no positions",
            expected="x, y (or centre_x, centre_y, nose_x, ...), time, zone:NAME, behavior:NAME",
        )
    return points


def _header(sheets: list[Sheet], columns: Mapping[str, str], path: str | Path) -> tuple[Sheet, int]:
    for sheet in sheets:
        for row, cells in enumerate(sheet.rows[:500]):
            if set(columns.values()) <= set(cells):
                return sheet, row
    rows = [cells for sheet in sheets for cells in sheet.rows[:500] if any(cells)]
    missing = sorted(set(columns.values()) - {cell for cells in rows for cell in cells})
    found = ", ".join(rows[0])[:150] if rows else "nothing"
    raise InputError(
        "no header row holds the declared columns",
        file=path,
        found=found,
        expected=", ".join(missing or columns.values()),
    )


def _times(
    sheet: Sheet, place: Mapping[str, int], first: int, options: ReadOptions, path: str | Path, problems: list[Problem]
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray]:
    """Times in s or None, frame numbers or None, and the rows to keep."""
    rows = np.arange(len(sheet.rows) - first)
    ours = "time" if "time" in place else "frame" if "frame" in place else None
    if ours is None:
        return None, None, rows
    name = sheet.rows[first - 1][place[ours]]
    if ours == "frame" or options.time_unit == "frames":
        frame = sheet.numbers(place[ours], first=first, name=name)
        if not (np.isfinite(frame) & (frame == np.round(frame)) & (np.abs(frame) < 1e12)).all():
            raise InputError("frame numbers must be whole", file=path, where=f"column {name}")
        return None, frame.astype(np.int64), rows
    time = sheet.seconds(place[ours], first=first, name=name) * _TO_SECONDS[options.time_unit]
    keep = mend_times(time, path=path, place=lambda row: sheet.place(first + row), problems=problems)
    return time[keep], None, keep


READER = Reader(NAME, ABOUT, matches, read)
