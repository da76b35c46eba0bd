"""DeepLabCut tracks as HDF5, read as plain arrays; a pandas table with pickled parts is refused, never opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from behavior.readers.deeplabcut_table import Column, poses_of
from behavior.readers.hdf5 import HDF5, list_names, numbers, opened, texts
from behavior.readers.poses import make_tracks
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from core.errors import InputError
from core.readers import Reader

__all__ = ["READER", "matches", "read"]

NAME = "deeplabcut-h5"
ABOUT = "DeepLabCut track (HDF5)"

_MAX_BLOCKS = 20


def matches(head: bytes) -> bool:
    """Whether the file holds a pandas table: a group with blocks of values, or a table."""
    lines = head.decode("utf-8", errors="replace").splitlines()
    return head.startswith(HDF5) and any(line.endswith(("/block0_values", "/table", "/_i_table")) for line in lines)


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """The track in px, y down; times are frame numbers unless ``fps`` is given.

    Raises
    ------
    InputError
        If parts are pickled, missing, or do not fit each other.
    """
    names = list_names(path)
    keys = sorted({name.split("/")[1] for name in names if name.endswith(("/block0_values", "/table"))})
    if len(keys) != 1:
        raise InputError("the file does not hold one table", file=path, found=", ".join(keys) or "none")
    if f"/{keys[0]}/block0_values" not in names:
        raise InputError(
            "the names in this table are pickled, which is not opened for safety",
            file=path,
            where=f"/{keys[0]}/table",
            remedy="export the track as csv: deeplabcut.analyze_videos(..., save_as_csv=True) or "
            "deeplabcut.analyze_videos_converth5_to_csv(FOLDER)",
        )
    with opened(path) as file:
        columns, values, frame, scorer = _table(file[keys[0]], path)
    header = {"scorer": scorer}
    poses, masked = poses_of(columns, values, frame, options, path=path, header=header)
    tracks, problems = make_tracks(poses, options, path=path, software="DeepLabCut")
    return track_file(NAME, ABOUT, path, {"": tracks}, header=header, problems=masked + problems)


def _table(group: Any, path: str | Path) -> tuple[list[Column], NDArray[np.float64], NDArray[np.int64], str]:
    columns: list[Column] = []
    blocks: list[NDArray[np.float64]] = []
    scorers: set[str] = set()
    for block in range(_MAX_BLOCKS):
        if f"block{block}_values" not in group:
            break
        values = numbers(group, f"block{block}_values", path, ndim=2)
        found = _names(group, f"block{block}_items", path)
        if len(found) != values.shape[1]:
            raise InputError(
                "names and values do not fit",
                file=path,
                where=f"{group.name}/block{block}_values",
                found=f"{values.shape[1]} columns",
                expected=f"{len(found)}",
            )
        scorers |= {name[0] for name in found}
        columns += [(name[1] if len(name) == 4 else "", name[-2], name[-1]) for name in found]
        blocks.append(values.astype(float))
    unknown = sorted({axis for _, _, axis in columns} - {"x", "y", "likelihood"})
    if unknown:
        raise InputError(
            "unknown coordinates",
            file=path,
            where=group.name,
            found=", ".join(unknown)[:100],
            expected="x, y, likelihood",
        )
    frame = numbers(group, "axis1", path, ndim=1)
    if frame.dtype.kind not in "iu" or any(len(values) != len(frame) for values in blocks):
        raise InputError(
            "rows are not numbered by frame", file=path, where=f"{group.name}/axis1", remedy="export the track as csv"
        )
    return columns, np.concatenate(blocks, axis=1), frame.astype(np.int64), " ".join(sorted(scorers))


def _names(group: Any, stem: str, path: str | Path) -> list[tuple[str, ...]]:
    """Names of a block's columns, level by level."""
    levels: list[list[str]] = []
    for level in range(5):
        if f"{stem}_level{level}" not in group:
            break
        known = texts(group, f"{stem}_level{level}", path)
        codes = numbers(group, f"{stem}_label{level}", path, ndim=1)
        if len(codes) and (codes.min() < 0 or codes.max() >= len(known)):
            raise InputError("a column without a name", file=path, where=f"{group.name}/{stem}_label{level}")
        levels.append([known[int(code)] for code in codes])
    if len(levels) not in (3, 4) or len({len(level) for level in levels}) > 1:
        raise InputError(
            "column names are not those of a DeepLabCut table",
            file=path,
            where=group.name,
            found=f"{len(levels)} levels",
            expected="3 or 4",
        )
    return list(zip(*levels, strict=True))


READER = Reader(NAME, ABOUT, matches, read, "pandas fixed-format tables in PyTables")
