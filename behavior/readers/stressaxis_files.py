"""Our own files: tracks as netCDF (also those that ``movement`` writes) and the table of ``stressaxis track``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from behavior.readers.hdf5 import HDF5, opened
from behavior.readers.poses import Poses, make_tracks, mend_times
from behavior.readers.sheets import load_sheets
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from behavior.tracks import NOTES, read_tracks
from core.errors import InputError
from core.problems import Problem
from core.readers import Reader

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["NETCDF", "TABLE"]

_NETCDF = "tracks as stressaxis or movement write them (netCDF)"
_TABLE = "table of `stressaxis track` (csv)"
_HEADERS = {("frame", "time_s", f"x_{unit}", f"y_{unit}") for unit in ("px", "cm")}
_PREFIXES = {"centre": "", "nose": "nose_", "tail_base": "tail_base_"}
_MAX_VALUES = 60_000_000


def _matches_netcdf(head: bytes) -> bool:
    lines = head.decode("utf-8", errors="replace").splitlines()
    return head.startswith(HDF5) and {"/position", "/time", "/space"} <= set(lines)


def _read_netcdf(path: str | Path, options: ReadOptions) -> TrackFile:
    """Tracks of a netCDF file.

    Raises
    ------
    InputError
        If it is damaged or of another version.
    """
    with opened(path) as file:
        ours = "format_version" in file.attrs
        for name in file:
            if getattr(file[name], "size", 0) and file[name].size > _MAX_VALUES:
                raise InputError("an array of the file is too large", file=path, where=f"/{name}")
    # The netCDF layer lets through faults of damaged files that h5py itself opens without complaint.
    try:
        tracks = read_tracks(path) if ours else None
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"the netCDF file is damaged ({type(error).__name__})", file=path) from None
    if tracks is not None:
        return track_file("stressaxis-netcdf", _NETCDF, path, {"": _chosen(tracks, options, path)})
    found, problems = _from_movement(path, options)
    return track_file("stressaxis-netcdf", _NETCDF, path, {"": found}, problems=problems)


def _chosen(tracks: xr.Dataset, options: ReadOptions, path: str | Path) -> xr.Dataset:
    if options.individual is None:
        return tracks
    names = [str(name) for name in tracks["individual"].to_numpy()]
    if options.individual not in names:
        raise InputError(
            f"no animal is called {options.individual!r}", file=path, expected=f"one of {', '.join(names)}"
        )
    return tracks.sel(individual=[options.individual])


def _from_movement(path: str | Path, options: ReadOptions) -> tuple[xr.Dataset, list[Problem]]:
    """Poses of the movement package, whose older versions name the dims in the plural."""
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="h5netcdf") as file:
            data = file.load()
        data = data.rename({f"{name}s": name for name in ("keypoint", "individual") if f"{name}s" in data.dims})
        dims = ("time", "space", "keypoint", "individual")
        position = data["position"].transpose(*dims).to_numpy().astype(float)
        axes = [str(name) for name in data["space"].to_numpy()]
        points, animals = ([str(name) for name in data[name].to_numpy()] for name in ("keypoint", "individual"))
        confidence = data["confidence"].transpose("time", *dims[2:]).to_numpy() if "confidence" in data else None
        time, unit, fps = data["time"].to_numpy().astype(float), data.attrs.get("time_unit"), data.attrs.get("fps")
    except Exception as error:
        raise InputError(f"cannot be read as poses ({type(error).__name__}: {str(error)[:100]})", file=path) from None
    if axes != ["x", "y"]:
        raise InputError("not two-dimensional", file=path, found=", ".join(axes), expected="x, y")
    if confidence is not None and np.isnan(confidence).all():
        confidence = None
    in_frames = unit != "seconds"
    if in_frames and not np.isfinite(time).all():
        raise InputError("frame numbers are missing", file=path, where="time")
    problems: list[Problem] = []
    keep = mend_times(time, path=path, place=lambda row: f"frame {row}", problems=problems)
    poses = Poses(
        position=position[keep],
        points=points,
        individuals=animals,
        confidence=None if confidence is None else confidence[keep],
        time_s=None if in_frames else time[keep],
        frame=np.round(time[keep]).astype(np.int64) if in_frames else None,
        fps=float(fps) if isinstance(fps, (int, float, np.number)) and fps > 0 else None,
    )
    software = str(data.attrs.get("source_software", "movement"))
    tracks, found = make_tracks(poses, options, path=path, software=software)
    return tracks, problems + found


def _matches_table(head: bytes) -> bool:
    line = head.decode("utf-8", errors="replace").split("\n", 1)[0].strip()
    return tuple(line.split(",")[:4]) in _HEADERS


def _read_table(path: str | Path, options: ReadOptions) -> TrackFile:
    """Tracks of the table, in the unit that its columns are named for.

    Raises
    ------
    InputError
        If a number or note cannot be read, naming its place.
    """
    sheet = load_sheets(path)[0]
    names = sheet.rows[0]
    end, damage = sheet.whole_rows(1, len(names))
    sheet = sheet.until(end)
    if end == 1:
        raise InputError("the track has no rows", file=path)
    place = {name: at for at, name in enumerate(names)}
    if not {"frame", "time_s"} <= place.keys() or not {"x_px", "x_cm"} & place.keys():
        raise InputError("columns are missing", file=path, where="header", expected="frame, time_s, x_px, y_px, ...")
    unit = "px" if "x_px" in place else "cm"
    points = [
        point for point, prefix in _PREFIXES.items() if {f"{prefix}x_{unit}", f"{prefix}y_{unit}"} <= place.keys()
    ]
    if not points:
        raise InputError("columns are missing", file=path, where="header", expected=f"x_{unit}, y_{unit}")
    column = {name: sheet.numbers(at, first=1, name=name) for name, at in place.items() if name != "note"}
    position = np.stack(
        [np.stack([column[f"{_PREFIXES[point]}{axis}_{unit}"] for axis in "xy"], axis=1) for point in points], axis=2
    )
    problems: list[Problem] = []
    keep = mend_times(column["time_s"], path=path, place=lambda row: sheet.place(1 + row), problems=problems)
    confidence = column.get("confidence")
    if confidence is not None:
        if ((confidence < 0) | (confidence > 1)).any():
            raise InputError("confidence is not from 0 to 1", file=path, where="column confidence")
        seen = np.isfinite(position).all(axis=1)
        confidence = np.where(seen, np.nan_to_num(confidence)[:, None], 0.0)[keep][..., None]
    frame = column["frame"]
    if not (np.isfinite(frame) & (np.abs(frame) < 1e12)).all():
        raise InputError("a frame without number", file=path, where="column frame")
    poses = Poses(
        position=position[keep][..., None],
        points=points,
        time_s=column["time_s"][keep],
        damage=damage,
        frame=frame[keep].astype(np.int64),
        confidence=confidence,
        space_unit=unit,
        place=sheet.place(end),
        area=column[f"area_{unit}"][keep] if f"area_{unit}" in column else None,
    )
    tracks, found = make_tracks(poses, options, path=path, software="stressaxis")
    if "note" in place:
        codes = {meaning: code for code, meaning in NOTES.items()} | {"": 0}
        notes = sheet.column(place["note"], first=1)
        unknown = next((row for row, note in enumerate(notes) if note not in codes), None)
        if unknown is not None:
            raise InputError(
                "unknown note", file=path, where=sheet.place(1 + unknown, "note"), found=notes[unknown][:40]
            )
        tracks["note"].values[:, 0] = np.array([codes[note] for note in notes], np.int8)[keep]
    return track_file("stressaxis-table", _TABLE, path, {"": tracks}, problems=problems + found)


NETCDF = Reader(
    "stressaxis-netcdf",
    _NETCDF,
    _matches_netcdf,
    _read_netcdf,
    "behavior.tracks; https://movement.neuroinformatics.dev",
)
TABLE = Reader("stressaxis-table", _TABLE, _matches_table, _read_table, "behavior.tracks.tracks_table")
