"""ezTrack location output: px, frame numbers from the analysed start, a True/False column per region."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from behavior.readers.poses import Poses, make_tracks
from behavior.readers.sheets import Sheet, load_sheets
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from core.errors import InputError
from core.readers import Reader

__all__ = ["READER", "matches", "read"]

NAME = "eztrack"
ABOUT = "ezTrack location output (csv)"

_SETTINGS = ("File", "FPS", "Location_Thresh", "Use_Window", "Window_Weight", "Window_Size", "Start_Frame")
_OWN = frozenset({*_SETTINGS, "", "Frame", "X", "Y", "ROI_location", "ROI_transition", "ROI_coordinates"})


def matches(head: bytes) -> bool:
    """Whether the header has ezTrack's settings beside ``Frame, X, Y``; its summaries have no ``Frame``."""
    line = head.decode("utf-8", errors="replace").split("\n", 1)[0].replace('"', "").strip()
    return {"Location_Thresh", "Frame", "X", "Y"} <= set(re.split(r"[\t;,]", line))


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """The track in px, y down; ``frame`` counts from the recording's start, times from its rate or ``fps``.

    Raises
    ------
    InputError
        If columns are missing or a number cannot be read, naming its place.
    """
    sheet = load_sheets(path)[0]
    names = sheet.rows[0]
    end, damage = sheet.whole_rows(1, len(names))
    sheet = sheet.until(end)
    if end == 1:
        raise InputError("the track has no rows", file=path)
    column = {name: place for place, name in reversed(list(enumerate(names)))}
    missing = [name for name in ("Frame", "X", "Y") if name not in column]
    if missing:
        raise InputError("columns are missing", file=path, where="header", expected=", ".join(missing))
    frame = _whole(sheet, column["Frame"], "Frame")
    start = _whole(sheet, column["Start_Frame"], "Start_Frame") if "Start_Frame" in column else np.zeros_like(frame)
    rate = None
    if "FPS" in column:
        rate = float(sheet.numbers(column["FPS"], first=1, name="FPS")[0])
        if not rate > 0:
            raise InputError("the rate is not above 0", file=path, where=sheet.place(1, "FPS"), found=f"{rate:g}")
    xy = np.stack([sheet.numbers(column[axis], first=1, name=axis) for axis in "XY"], axis=1)[..., None, None]
    zones = {
        name: sheet.flags(place, first=1, name=name)
        for name, place in column.items()
        if name not in _OWN and not name.startswith("Distance") and sheet.is_flag(place, first=1)
    }
    header = {name: sheet.rows[1][column[name]] for name in _SETTINGS if name in column}
    poses = Poses(
        position=xy,
        points=["centre"],
        frame=start + frame,
        fps=rate,
        zones=dict(reversed(zones.items())),
        header=header,
        damage=damage,
        place=sheet.place(end),
    )
    tracks, problems = make_tracks(poses, options, path=path, software="ezTrack")
    return track_file(NAME, ABOUT, path, {"": tracks}, header=header, problems=problems)


def _whole(sheet: Sheet, place: int, name: str) -> np.ndarray:
    values = sheet.numbers(place, first=1, name=name)
    wrong = ~(np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 1e12))
    if wrong.any():
        row = 1 + int(np.flatnonzero(wrong)[0])
        raise InputError("no whole number", file=sheet.file, where=sheet.place(row, name))
    return values.astype(np.int64)


READER = Reader(NAME, ABOUT, matches, read, "https://github.com/denisecailab/ezTrack")
