"""The tracks Dataset: where each animal was in each frame of a recording, laid out as the ``movement`` package does."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import xarray as xr

    Array = npt.NDArray[Any]

__all__ = [
    "KEYPOINTS",
    "NOTES",
    "copy_tracks",
    "frame_durations",
    "from_arrays",
    "read_tracks",
    "tracks_table",
    "validate_tracks",
    "write_tracks",
]

FORMAT_VERSION = 1
KEYPOINTS = ("centre", "nose", "tail_base")

#: Why a frame has no position: code and meaning.
NOTES: dict[int, str] = {
    0: "seen",
    1: "not_found",
    2: "merged",
    3: "size",
    4: "not_read",
}

_DIMS: dict[str, tuple[str, ...]] = {
    "position": ("time", "space", "keypoint", "individual"),
    "confidence": ("time", "keypoint", "individual"),
    "area": ("time", "individual"),
    "orientation": ("time", "individual"),
    "note": ("time", "individual"),
    "frame": ("time",),
    "other_area": ("time",),
}
_REQUIRED = ("position", "confidence")


def from_arrays(
    position: Array,
    time_s: Array,
    *,
    fps: float,
    confidence: Array | None = None,
    area: Array | None = None,
    orientation: Array | None = None,
    note: Array | None = None,
    frame: Array | None = None,
    other_area: Array | None = None,
    keypoints: tuple[str, ...] = KEYPOINTS,
    individuals: tuple[str, ...] = ("subject",),
    source_file: str = "",
    source_software: str = "stressaxis",
    space_unit: str = "px",
    damage: str = "",
    attrs: dict[str, Any] | None = None,
) -> xr.Dataset:
    """A tracks Dataset; every reader and the tracker end here.

    Parameters
    ----------
    position
        (time, space, keypoint, individual), or (time, space, keypoint) of one individual; NaN where unknown.
    time_s
        (time,) seconds since the first frame of the recording.
    fps
        Rate that the recording claims, frames per second.
    confidence
        (time, keypoint, individual) from 0 to 1; by default 1 where the position is known and 0 elsewhere.
    area, orientation
        (time, individual) px² of the body without tail and degrees counter-clockwise as seen, 0 to the right.
    note
        (time, individual) codes of :data:`NOTES`; by default 0 where the first keypoint is known, 1 elsewhere.
    frame
        (time,) 0-based number in decoded order; by default 0, 1, 2, ...
    other_area
        (time,) area that moves on the floor outside the enclosure and is not the subject; by default 0.
    keypoints, individuals
        Names along those dimensions.
    source_file, source_software, space_unit, damage
        Where it comes from (name only, any folder is cut off), the program, ``px`` or ``cm``, and where the file broke.
    attrs
        Further attributes.

    Raises
    ------
    ValueError
        If shapes disagree or a value is out of range; see :func:`validate_tracks`.

    Examples
    --------
    >>> tracks = from_arrays(np.zeros((3, 2, 1)), np.arange(3) / 25, fps=25, keypoints=("centre",))
    >>> dict(tracks.sizes)
    {'time': 3, 'space': 2, 'keypoint': 1, 'individual': 1}
    """
    import xarray as xr

    position = np.asarray(position, dtype=float)
    if position.ndim == 3:
        position = position[..., np.newaxis]
    n, given = len(np.asarray(time_s)), {"area": area, "orientation": orientation, "note": note}
    seen: Array = np.asarray(np.isfinite(position).all(axis=1))
    rows = {name: None if value is None else np.asarray(value).reshape(n, -1) for name, value in given.items()}
    confidence = seen.astype(float) if confidence is None else np.asarray(confidence, dtype=float)
    if confidence.ndim == 2:
        confidence = confidence[..., np.newaxis]
    per_animal = (n, len(individuals))
    values: dict[str, Any] = {
        "position": position,
        "confidence": confidence,
        "area": np.full(per_animal, np.nan) if rows["area"] is None else rows["area"].astype(float),
        "orientation": np.full(per_animal, np.nan)
        if rows["orientation"] is None
        else rows["orientation"].astype(float),
        "note": (~seen[:, 0]).astype(np.int8) if rows["note"] is None else rows["note"].astype(np.int8),
        "frame": np.arange(n) if frame is None else np.asarray(frame, dtype=np.int64),
        "other_area": np.zeros(n) if other_area is None else np.asarray(other_area, dtype=float),
    }
    tracks = xr.Dataset(
        {name: (_DIMS[name], value) for name, value in values.items()},
        coords={
            "time": ("time", np.asarray(time_s, dtype=float)),
            "space": ("space", ["x", "y"]),
            "keypoint": ("keypoint", list(keypoints)),
            "individual": ("individual", list(individuals)),
        },
        attrs={
            "ds_type": "poses",
            "fps": float(fps),
            "time_unit": "seconds",
            "source_file": str(source_file).replace("\\", "/").rsplit("/", 1)[-1],
            "source_software": source_software,
            "format_version": FORMAT_VERSION,
            "space_unit": space_unit,
            "damage": damage,
            **(attrs or {}),
        },
    )
    tracks["note"].attrs = {"flag_values": np.array(list(NOTES), np.int8), "flag_meanings": " ".join(NOTES.values())}
    tracks["orientation"].attrs = {"units": "degree", "long_name": "counter-clockwise as seen, 0 to the right"}
    validate_tracks(tracks)
    return tracks


def validate_tracks(tracks: xr.Dataset) -> None:
    """Check that a Dataset is a tracks Dataset.

    Raises
    ------
    ValueError
        With all faults in one message.

    Examples
    --------
    >>> import xarray as xr
    >>> validate_tracks(xr.Dataset())
    Traceback (most recent call last):
    ...
    ValueError: not a tracks Dataset: no position; no confidence; no coordinate time; no coordinate space; ...
    """
    faults = [f"no {name}" for name in _REQUIRED if name not in tracks]
    faults += [f"no coordinate {name}" for name in _DIMS["position"] if name not in tracks.coords]
    faults += [
        f"{name} has dims {tracks[name].dims}, not {dims}"
        for name, dims in _DIMS.items()
        if name in tracks and tracks[name].dims != dims
    ]
    if "time" in tracks.coords:
        time = tracks["time"].to_numpy()
        if not np.isfinite(time).all() or (np.diff(time) <= 0).any():
            faults.append("times are not finite and rising")
    if "space" in tracks.coords and list(tracks["space"].to_numpy()) != ["x", "y"]:
        faults.append("space is not x, y")
    if "confidence" in tracks:
        confidence = tracks["confidence"].to_numpy()
        if ((confidence < 0) | (confidence > 1)).any():
            faults.append("confidence outside 0 to 1")
    if "position" in tracks and np.isinf(tracks["position"].to_numpy()).any():
        faults.append("infinite positions")
    if tracks.attrs.get("space_unit") not in ("px", "cm"):
        faults.append(f"space_unit is {tracks.attrs.get('space_unit')!r}, not px or cm")
    if not tracks.attrs.get("fps", 0) > 0:
        faults.append("fps is missing or not above 0")
    if faults:
        raise ValueError(f"not a tracks Dataset: {'; '.join(faults)}")


def write_tracks(tracks: xr.Dataset, path: str | Path) -> None:
    """Write netCDF-4; the same tracks give the same bytes.

    Raises
    ------
    ValueError
        If it is not a tracks Dataset.
    """
    validate_tracks(tracks)
    packed = {"zlib": True, "complevel": 4, "shuffle": True}
    encoding = {name: dict(packed) for name in tracks.data_vars if tracks[name].dtype.kind in "fiu"}
    tracks.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def copy_tracks(source: str | Path, target: str | Path, attrs: Mapping[str, str]) -> None:
    """Copy what :func:`write_tracks` wrote and say more of it, a tenth of the work of writing it again.

    Parameters
    ----------
    source, target
        The file, and where its copy goes.
    attrs
        Attributes that the copy has beside those of the source.
    """
    import h5netcdf

    shutil.copyfile(source, target)
    with h5netcdf.File(target, "a") as copied:
        copied.attrs.update(attrs)


def read_tracks(path: str | Path) -> xr.Dataset:
    """Read what :func:`write_tracks` wrote, into memory.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another kind or of a newer version.
    """
    import xarray as xr

    if not Path(path).is_file():
        raise InputError("the tracks file does not exist", file=path, remedy="check the path")
    remedy = "track the recording again"
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            tracks = opened.load()
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise InputError(f"cannot be read as a tracks file ({error})", file=path, remedy=remedy) from error
    version = tracks.attrs.get("format_version")
    if version != FORMAT_VERSION:
        raise InputError(
            "tracks of another version", file=path, found=str(version), expected=str(FORMAT_VERSION), remedy=remedy
        )
    try:
        validate_tracks(tracks)
    except ValueError as error:
        raise InputError(str(error), file=path, remedy=remedy) from error
    return tracks


def tracks_table(tracks: xr.Dataset, *, individual: str | None = None) -> pd.DataFrame:
    """Tracks of one individual as the table that ``stressaxis track`` writes.

    Parameters
    ----------
    tracks
        Tracks in px.
    individual
        Whose; by default the first.

    Returns
    -------
    DataFrame
        Columns ``frame, time_s, x_px, y_px, nose_x_px, nose_y_px, tail_base_x_px, tail_base_y_px, area_px, confidence,
        note``; x, y are those of the centre; note is empty where the animal is seen.

    Examples
    --------
    >>> tracks = from_arrays(np.ones((1, 2, 3)), [0.0], fps=25)
    >>> tracks_table(tracks)[["frame", "x_px", "nose_y_px", "note"]].to_dict("list")
    {'frame': [0], 'x_px': [1.0], 'nose_y_px': [1.0], 'note': ['']}
    """
    import pandas as pd

    one = tracks.isel(individual=0) if individual is None else tracks.sel(individual=individual)
    keypoints = [str(name) for name in tracks["keypoint"].to_numpy()]
    columns: dict[str, Any] = {"frame": one["frame"].to_numpy(), "time_s": one["time"].to_numpy()}
    for keypoint, prefix in (("centre", ""), ("nose", "nose_"), ("tail_base", "tail_base_")):
        for axis in ("x", "y"):
            known = keypoint in keypoints
            values = one["position"].sel(space=axis, keypoint=keypoint).to_numpy() if known else np.nan
            columns[f"{prefix}{axis}_px"] = values
    first = "centre" if "centre" in keypoints else keypoints[0]
    columns["area_px"] = one["area"].to_numpy()
    columns["confidence"] = one["confidence"].sel(keypoint=first).to_numpy()
    columns["note"] = [NOTES.get(int(code), str(code)) if code else "" for code in one["note"].to_numpy()]
    return pd.DataFrame(columns)


def frame_durations(time: Array | xr.DataArray) -> npt.NDArray[np.float64]:
    """Seconds that each frame stands for: to the next frame; the last one the median step.

    Parameters
    ----------
    time
        (n,) rising times in s.

    Returns
    -------
    (n,) ndarray
        For a single frame NaN: it says nothing of how long it lasts.

    Examples
    --------
    >>> frame_durations(np.array([0.0, 0.25, 0.5, 1.0])).tolist()
    [0.25, 0.25, 0.5, 0.25]
    """
    steps = np.diff(np.asarray(time, dtype=float))
    last = float(np.median(steps)) if len(steps) else np.nan
    return np.append(steps, last)[: np.size(time)]
