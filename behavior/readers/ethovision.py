"""EthoVision XT raw data: text of any encoding, delimiter and decimal sign, or a workbook with one sheet a track."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from behavior.events import BehaviorEvent, bouts_from_flags
from behavior.readers.poses import Poses, check_duration, make_tracks, mend_times
from behavior.readers.sheets import Sheet, load_sheets, parse_seconds
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from core.errors import InputError
from core.problems import Problem
from core.readers import Reader

__all__ = ["READER", "matches", "read"]

NAME = "ethovision"
ABOUT = "EthoVision XT raw data (text or workbook)"

_HEADER_LINES = re.compile(r"number of header lines\s*:?", re.IGNORECASE)
_POINT = re.compile(r"([XY])\s+(.+)", re.IGNORECASE)
_ZONE = re.compile(r"In zone\s*\((.*)\)", re.IGNORECASE)
_KEYPOINTS = {"center": "centre", "centre": "centre", "nose": "nose", "tail": "tail_base"}
#: To cm, by the unit that stands under the column's name.
_LENGTHS = {"cm": 1.0, "mm": 0.1, "m": 100.0, "in": 2.54, "inch": 2.54, "ft": 30.48}
_PIXELS = frozenset({"px", "pixel", "pixels"})
#: Columns that the program computes; 0 and 1 in them are no behaviour scored.
_COMPUTED = re.compile(
    r"area|areachange|elongation|direction|distance|velocity|result\b|activity|mobility|rotation|heading|turn"
    r"|acceleration|meander|in zone|trial time|recording time|[xy] ",
    re.IGNORECASE,
)


def matches(head: bytes) -> bool:
    """Whether a file starts with the number of its header lines."""
    return any(_HEADER_LINES.match(line.lstrip('"')) for line in head.decode("utf-8", errors="replace").splitlines())


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """All tracks of the file, one a sheet; zones stay as ``in_zone``, behaviours scored by hand become events.

    Positions in mm, m, in are brought to cm, and y turned to point down; the program's zero point (mostly the
    arena's middle) is not in the file, so give ``origin`` to have zones in cm.

    Raises
    ------
    InputError
        If a sheet's header, columns, units or numbers cannot be read.
    """
    tracks, events, problems, header = {}, list[BehaviorEvent](), list[Problem](), dict[str, str]()
    sheets = load_sheets(path)
    if options.sheet is not None:
        sheets = [sheet for sheet in sheets if sheet.name == options.sheet]
        if not sheets:
            raise InputError(f"no sheet is called {options.sheet!r}", file=path)
    for sheet in sheets:
        start = next((row for row, cells in enumerate(sheet.rows) if cells and _HEADER_LINES.match(cells[0])), None)
        if start is None:
            if any(any(row) for row in sheet.rows):
                problems.append(
                    Problem(
                        code="sheet_skipped",
                        file=Path(path).name,
                        where=sheet.place(0),
                        message="no line `Number of header lines`",
                        action="not read",
                    )
                )
            continue
        dataset, bouts, found, said = _read_sheet(sheet, start, options, path)
        tracks[sheet.name] = dataset
        events += bouts
        problems += found
        header = header or said
    return track_file(NAME, ABOUT, path, tracks, events=events, header=header, problems=problems)


def _read_sheet(sheet: Sheet, start: int, options: ReadOptions, path: str | Path) -> Any:
    names_row = _names_row(sheet, start)
    names, units = sheet.rows[names_row], sheet.rows[names_row + 1]
    width = max((place + 1 for place, name in enumerate(names) if name), default=0)
    said = {row[0]: row[1] for row in sheet.rows[start:names_row] if len(row) > 1 and row[0] and row[1]}
    first = names_row + 2
    end, damage = sheet.whole_rows(first, width)
    sheet = sheet.until(end)
    if end == first:
        raise InputError("the track has no rows", file=path, where=sheet.place(first))
    time = sheet.seconds(_time_column(names, sheet, names_row), first=first, name="Trial time")
    problems: list[Problem] = []
    keep = mend_times(time, path=path, place=lambda row: sheet.place(first + row), problems=problems)
    xy, points, unit, scale = _points(sheet, names, units, first, names_row)
    flags = {
        name: sheet.flags(place, first=first, name=name)[keep] for place, name in _flag_columns(sheet, names, first)
    }
    labels = _zone_labels([name for name in flags if _ZONE.match(name)])
    zones = {labels[name]: values for name, values in flags.items() if name in labels}
    scored = {name: values for name, values in flags.items() if not _ZONE.match(name)}
    poses = Poses(
        position=(xy * scale)[keep],
        points=points,
        time_s=time[keep],
        space_unit=unit,
        y_up=True,
        area=_column(sheet, names, "Area", first, keep, scale**2),
        zones=zones,
        scored=[_behavior(name) for name in scored],
        header=said,
        damage=damage,
        orientation=_column(sheet, names, "Direction", first, keep, 1.0),
        place=sheet.place(first),
    )
    dataset, found = make_tracks(poses, options, path=path, software="EthoVision")
    observation = said.get("Trial name", "") or sheet.name
    bouts = [
        bout
        for name, values in scored.items()
        for bout in bouts_from_flags(
            values == 1,
            time[keep],
            behavior=_behavior(name),
            observation=" ".join(observation.split()),
            subject=said.get("Subject name", ""),
            media=Path(said.get("Video file", "").replace("\\", "/")).name,
            category=_group(name),
        )
    ]
    problems += check_duration(parse_seconds(said.get("Trial duration", "")), dataset, path)
    return dataset, bouts, problems + found, said


def _names_row(sheet: Sheet, start: int) -> int:
    """Row of the columns' names: the last but one of the header, whose length the first line states."""
    cell = sheet.rows[start][1] if len(sheet.rows[start]) > 1 else ""
    stated = int(cell) if re.fullmatch(r"\d{1,4}", cell) else 0
    rows = range(start, min(len(sheet.rows) - 1, start + 400))
    # Some exports count lines from another start: the names themselves decide.
    by_name = [row for row in rows if any(cell.lower() == "trial time" for cell in sheet.rows[row])]
    by_name = by_name or [row for row in rows if any(cell.lower() == "recording time" for cell in sheet.rows[row])]
    if start + stated - 2 in by_name:
        return start + stated - 2
    if by_name:
        return by_name[0]
    raise InputError(
        "no row with the columns' names",
        file=sheet.file,
        where=sheet.place(start),
        found=f"{cell or 'no number'} header lines",
        expected="a row with `Trial time`",
    )


def _time_column(names: list[str], sheet: Sheet, row: int) -> int:
    lower = [name.lower() for name in names]
    for name in ("trial time", "recording time"):
        if name in lower:
            return lower.index(name)
    raise InputError("no time column", file=sheet.file, where=sheet.place(row))


def _points(sheet: Sheet, names: list[str], units: list[str], first: int, row: int) -> Any:
    """Positions (time, space, point, 1), names, unit and the factor to it."""
    found: dict[str, dict[str, int]] = {}
    for place, name in enumerate(names):
        match = _POINT.fullmatch(name)
        if match:
            found.setdefault(match[2], {})[match[1].lower()] = place
    found = {name: axes for name, axes in found.items() if len(axes) == 2}
    if not found:
        raise InputError(
            "no columns of positions", file=sheet.file, where=sheet.place(row), expected="X center, Y center"
        )
    stated = {units[place].lower() if place < len(units) else "" for axes in found.values() for place in axes.values()}
    unit = stated.pop() if len(stated) == 1 else ", ".join(sorted(stated))
    if unit not in _LENGTHS and unit not in _PIXELS:
        raise InputError(
            "unknown unit of positions",
            file=sheet.file,
            where=sheet.place(row + 1),
            found=repr(unit),
            expected="cm, mm, m, in or pixels",
        )
    columns = [
        np.stack([sheet.numbers(axes[axis], first=first, name=names[axes[axis]]) for axis in "xy"], axis=1)
        for axes in found.values()
    ]
    points = [_KEYPOINTS.get(name.lower().removesuffix("-point").removesuffix("-base"), name) for name in found]
    return np.stack(columns, axis=2)[..., None], points, "px" if unit in _PIXELS else "cm", _LENGTHS.get(unit, 1.0)


def _flag_columns(sheet: Sheet, names: list[str], first: int) -> list[tuple[int, str]]:
    """Zones, and behaviours scored by hand: columns of 0 and 1 that the program does not compute."""
    places = [place for place, name in enumerate(names) if _ZONE.match(name)]
    places += [
        place
        for place, name in enumerate(names)
        if name and not _COMPUTED.match(name) and sheet.is_flag(place, first=first)
    ]
    seen = dict[str, int]()
    for place in places:
        if names[place] in seen:
            raise InputError("a column occurs twice", file=sheet.file, where=sheet.place(first - 2, names[place]))
        seen[names[place]] = place
    return [(place, name) for name, place in seen.items()]


def _zone_labels(names: list[str]) -> dict[str, str]:
    """Zone names without the point, where that leaves them different."""
    inner = {name: str(_ZONE.match(name)[1]) for name in names}  # type: ignore[index]
    short = {name: text.rpartition(" / ")[0] or text for name, text in inner.items()}
    return short if len(set(short.values())) == len(short) else inner


def _behavior(name: str) -> str:
    return re.sub(r"\s*\(.*\)$", "", name)


def _group(name: str) -> str:
    match = re.search(r"\((.*)\)$", name)
    return match[1] if match else ""


def _column(sheet: Sheet, names: list[str], name: str, first: int, keep: Any, scale: float) -> Any:
    if name not in names:
        return None
    return sheet.numbers(names.index(name), first=first, name=name)[keep] * scale


READER = Reader(NAME, ABOUT, matches, read, "EthoVision XT 14 raw data export; no public description of the format")
