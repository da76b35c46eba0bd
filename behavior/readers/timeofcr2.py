"""TimeOFCR2 text: a padded header, then one row a frame in px with the program's own regions."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from behavior.events import bouts_from_flags
from behavior.readers.poses import Poses, check_duration, make_tracks
from behavior.readers.sheets import parse_seconds, read_bounded, text_sheet
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from core.errors import InputError
from core.readers import Reader

__all__ = ["READER", "matches", "read"]

NAME = "timeofcr2"
ABOUT = "TimeOFCR2 text of one trial"

_FLAG = re.compile(r"(.+?)\s*\(0 or ?1\)", re.IGNORECASE)


def matches(head: bytes) -> bool:
    """Whether the file begins with the program's name."""
    return head.lstrip().startswith(b"TimeOF")


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """The track in px, y down, at the header's rate; regions stay as ``in_zone``, Immobile and Rearing become events.

    Raises
    ------
    InputError
        If the header has no rate, the table is missing, or a number cannot be read.
    """
    sheet = text_sheet(read_bounded(path), file=str(path), delimiter="\t")
    row = next(
        (place for place, cells in enumerate(sheet.rows) if [c.lower() for c in cells[:3]] == ["slice", "x", "y"]), None
    )
    if row is None:
        raise InputError("no row `Slice X Y`", file=path, where=sheet.place(len(sheet.rows)))
    header = {cells[0].strip(" :"): cells[1] for cells in sheet.rows[:row] if len(cells) > 1 and cells[0]}
    rate = _rate(header, options, path)
    names = sheet.rows[row]
    width = max(place + 1 for place, name in enumerate(names) if name)
    end, damage = sheet.whole_rows(row + 1, width)
    sheet = sheet.until(end)
    first = row + 1
    slices = sheet.numbers(0, first=first, name="Slice")
    if not len(slices) or not (np.isfinite(slices).all() and (slices == np.round(slices)).all()):
        raise InputError("slices must be whole numbers", file=path, where=sheet.place(first, "Slice"))
    flags = {name: sheet.flags(place, first=first, name=name) for name, place in _flag_columns(names)}
    position = np.stack([sheet.numbers(place, first=first, name=names[place]) for place in (1, 2)], axis=1)[
        ..., None, None
    ]
    area = sheet.numbers(names.index("AREA"), first=first, name="AREA") if "AREA" in names else None
    zones = {name: values for name, values in flags.items() if name not in _BEHAVIORS}
    poses = Poses(
        position=position,
        points=["centre"],
        frame=slices.astype(np.int64) - 1,
        fps=rate,
        area=area,
        zones=zones,
        scored=[name.lower() for name in _BEHAVIORS & flags.keys()],
        header=header,
        damage=damage,
        place=sheet.place(end),
    )
    tracks, problems = make_tracks(poses, options, path=path, software="TimeOFCR2")
    bouts = [
        bout
        for name in _BEHAVIORS & flags.keys()
        for bout in bouts_from_flags(
            flags[name] == 1,
            tracks["time"].to_numpy(),
            behavior=name.lower(),
            subject=header.get("Animal ID", ""),
            observation=Path(path).stem,
        )
    ]
    stated = next((parse_seconds(value) for name, value in header.items() if name.lower().startswith("duration")), None)
    problems += check_duration(stated, tracks, path)
    return track_file(NAME, ABOUT, path, {"": tracks}, events=bouts, header=header, problems=problems)


_BEHAVIORS = frozenset({"Immobile", "Rearing"})


def _rate(header: dict[str, str], options: ReadOptions, path: str | Path) -> float:
    stated = next((value for name, value in header.items() if name.lower().startswith("rate")), "")
    rate = options.fps or parse_seconds(stated)
    if rate is None or not rate > 0:
        raise InputError(
            "the header states no rate",
            file=path,
            where="rate(frame/sec)",
            found=repr(stated),
            expected="frames per second",
            remedy="give the frame rate (fps)",
        )
    return rate


def _flag_columns(names: list[str]) -> list[tuple[str, int]]:
    """Regions and states; of two columns with one name the first."""
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        match = _FLAG.fullmatch(name)
        if match or name.startswith("SubROI"):
            found.setdefault(match[1] if match else name, place)
    return list(found.items())


READER = Reader(NAME, ABOUT, matches, read, "TimeOFCR2 (ImageJ) text; no public description of the format")
