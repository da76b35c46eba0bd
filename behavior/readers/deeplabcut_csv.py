"""DeepLabCut tracks as csv: three header rows, or four with a row of animals."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from behavior.readers.deeplabcut_table import Column, poses_of
from behavior.readers.poses import make_tracks
from behavior.readers.sheets import read_bounded, text_sheet
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from core.errors import InputError
from core.readers import Reader
from core.workbooks import is_workbook

__all__ = ["READER", "matches", "read"]

NAME = "deeplabcut-csv"
ABOUT = "DeepLabCut track (csv, 3 or 4 header rows)"

_ROWS = {"scorer", "individuals", "bodyparts", "coords"}


def matches(head: bytes) -> bool:
    """Whether the header rows are named as DeepLabCut names them."""
    lines = head.decode("utf-8", errors="replace").splitlines()[:4]
    first = [re.split(r"[\t;,]", line, maxsplit=1)[0].strip('" ') for line in lines]
    return "bodyparts" in first and "coords" in first


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """The track in px, y down; times are frame numbers unless ``fps`` is given.

    Raises
    ------
    InputError
        If the header rows, a cell or the frame numbers cannot be right.
    """
    text = read_bounded(path)
    lines = text.splitlines()
    if is_workbook(text[:4].encode("latin-1", errors="replace")):
        raise InputError("a workbook", file=path, remedy="save it as csv")
    delimiter = max(",;\t", key=lines[0].count)
    rows = _header(lines[:5], delimiter)
    columns = _columns(rows, path)
    first = len(rows)
    width = len(columns) + 1
    counts = [line.count(delimiter) + 1 for line in lines]
    end, damage = _end(lines, counts, first, width, path)
    values = _values(lines[first:end], delimiter, width, first, path)
    frame = _frames(values[:, 0], lines, first, path)
    header = (
        {"scorer": re.sub(r"\.\d+$", "", rows["scorer"][1])} if "scorer" in rows and len(rows["scorer"]) > 1 else {}
    )
    poses, masked = poses_of(columns, values[:, 1:], frame, options, path=path, header=header)
    poses.damage, poses.place = damage, f"line {end + 1}" if damage else ""
    tracks, problems = make_tracks(poses, options, path=path, software="DeepLabCut")
    return track_file(NAME, ABOUT, path, {"": tracks}, header=header, problems=masked + problems)


def _header(lines: list[str], delimiter: str) -> dict[str, list[str]]:
    """Header rows by their names; matched by name, since a re-save alters the scorer's cells."""
    rows: dict[str, list[str]] = {}
    for cells in csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=delimiter):
        if not cells or cells[0].strip() not in _ROWS:
            break
        rows[cells[0].strip()] = [cell.strip() for cell in cells]
    return rows


def _columns(rows: dict[str, list[str]], path: str | Path) -> list[Column]:
    if "bodyparts" not in rows or "coords" not in rows:
        raise InputError(
            "a header row is missing",
            file=path,
            found=", ".join(rows) or "none",
            expected="rows scorer, bodyparts, coords",
        )
    width = len(rows["coords"])
    short = [name for name, cells in rows.items() if len(cells) != width]
    if short or width < 3:
        raise InputError(
            "header rows differ in length", file=path, where="header", found=", ".join(short) or "no columns"
        )
    unknown = sorted(set(rows["coords"][1:]) - {"x", "y", "likelihood"})
    if unknown:
        remedy = "give the two-dimensional track"
        raise InputError(
            "unknown coordinates",
            file=path,
            where="row coords",
            found=", ".join(unknown)[:100],
            expected="x, y, likelihood",
            remedy=remedy,
        )
    animals = rows.get("individuals", [""] * width)
    return list(zip(animals[1:], rows["bodyparts"][1:], rows["coords"][1:], strict=True))


def _end(lines: list[str], counts: list[int], first: int, width: int, path: str | Path) -> tuple[int, str]:
    end = len(lines)
    while end > first and not lines[end - 1].strip():
        end -= 1
    for row in range(first, end):
        if counts[row] != width:
            if row == end - 1 and counts[row] < width:
                return row, f"the file breaks off in line {row + 1}"
            raise InputError(
                "the row is not as long as the header",
                file=path,
                where=f"line {row + 1}",
                found=f"{counts[row]} cells",
                expected=f"{width}",
            )
    return end, ""


def _values(lines: list[str], delimiter: str, width: int, first: int, path: str | Path) -> NDArray[np.float64]:
    import pandas as pd

    if not lines:
        raise InputError("the track has no frames", file=path, where=f"line {first + 1}")
    text = "\n".join(lines)
    try:
        table = pd.read_csv(
            io.StringIO(text),
            header=None,
            sep=delimiter,
            low_memory=False,
            skip_blank_lines=False,
            names=list(range(width)),
            index_col=False,
            decimal="," if delimiter == ";" else ".",
        )
    except (ValueError, OverflowError) as error:
        raise InputError(f"broken table ({str(error)[:150]})", file=path) from None
    if all(kind.kind in "fi" for kind in table.dtypes):
        values = table.to_numpy(float)
        if not np.isinf(values).any():
            return values
    # Slow, but it names the cell.
    sheet = text_sheet(text, file=str(path), delimiter=delimiter)
    sheet = type(sheet)(sheet.file, "", sheet.rows, [line + first for line in sheet.lines])
    if "/" in lines[0].split(delimiter)[0] or "\\" in lines[0].split(delimiter)[0]:
        raise InputError(
            "hand labels of stills, not a track",
            file=path,
            where=f"line {first + 1}",
            found=lines[0].split(delimiter)[0][:60],
        )
    columns: list[Any] = [sheet.numbers(place, first=0, name=f"{place + 1}") for place in range(width)]
    return np.stack(columns, axis=1)


def _frames(numbers: NDArray[np.float64], lines: list[str], first: int, path: str | Path) -> NDArray[np.int64]:
    wrong = ~(np.isfinite(numbers) & (numbers == np.round(numbers)) & (np.abs(numbers) < 1e12))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError("no frame number", file=path, where=f"line {first + row + 1}", found=lines[first + row][:20])
    return numbers.astype(np.int64)


READER = Reader(
    NAME, ABOUT, matches, read, "https://deeplabcut.github.io/DeepLabCut/docs/standardDeepLabCut_UserGuide.html"
)
