"""Tracks written for other programs: netCDF as ``movement`` lays it out, and NWB with the extension ndx-pose."""

from __future__ import annotations

import datetime as dt
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.tracks import tracks_table, validate_tracks
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["movement_form", "plain_table", "write_movement", "write_nwb"]

_INSTALL = "pip install pynwb ndx-pose"


def plain_table(tracks: xr.Dataset, *, individual: str | None = None) -> pd.DataFrame:
    """One animal's track as the table of ``stressaxis track``, its columns named for the unit that they are in.

    Parameters
    ----------
    tracks
        A tracks Dataset with times in s.
    individual
        Which animal; by default the only one.

    Raises
    ------
    InputError
        If times are frame numbers, or it is not clear which animal is meant.

    Examples
    --------
    >>> from behavior.tracks import from_arrays
    >>> tracks = from_arrays(np.zeros((2, 2, 1)), [0.0, 0.5], fps=2, keypoints=("centre",), space_unit="cm")
    >>> plain_table(tracks).columns.tolist()[:4]
    ['frame', 'time_s', 'x_cm', 'y_cm']
    """
    _one_animal(tracks, individual, None)
    table = tracks_table(tracks, individual=individual)
    unit = tracks.attrs["space_unit"]
    return table.rename(columns=lambda name: f"{name.removesuffix('_px')}_{unit}" if name.endswith("_px") else name)


def movement_form(tracks: xr.Dataset, *, plural_dims: bool = False) -> xr.Dataset:
    """Position and confidence with the dims and attributes of the ``movement`` package.

    Parameters
    ----------
    tracks
        A tracks Dataset.
    plural_dims
        ``keypoints``, ``individuals`` as movement had them before 0.17.

    Examples
    --------
    >>> from behavior.tracks import from_arrays
    >>> tracks = from_arrays(np.zeros((2, 2, 1)), [0.0, 0.5], fps=2, keypoints=("nose",))
    >>> movement_form(tracks, plural_dims=True)["position"].dims
    ('time', 'space', 'keypoints', 'individuals')
    """
    validate_tracks(tracks)
    seconds = tracks.attrs.get("time_unit", "seconds") == "seconds"
    out = tracks[["position", "confidence"]].drop_attrs()
    out.attrs = {
        "ds_type": "poses",
        "time_unit": "seconds" if seconds else "frames",
        "source_software": str(tracks.attrs.get("source_software", "")),
        "source_file": str(tracks.attrs.get("source_file", "")),
        "space_unit": tracks.attrs["space_unit"],
    }
    if seconds:
        out.attrs["fps"] = float(tracks.attrs["fps"])
    return out.rename({"keypoint": "keypoints", "individual": "individuals"}) if plural_dims else out


def write_movement(tracks: xr.Dataset, path: str | Path, *, plural_dims: bool = False) -> None:
    """Write netCDF that ``movement`` works on after ``xarray.open_dataset``.

    Raises
    ------
    ValueError
        If it is not a tracks Dataset.
    """
    movement_form(tracks, plural_dims=plural_dims).to_netcdf(path, engine="h5netcdf")


def write_nwb(
    tracks: xr.Dataset,
    path: str | Path,
    *,
    session_start: dt.datetime,
    subject: str,
    individual: str | None = None,
    species: str = "Mus musculus",
    sex: str = "U",
    age: str | None = None,
    description: str = "tracked recording",
) -> None:
    """Write one animal's track as NWB (Neurodata Without Borders) with the extension ndx-pose.

    Parameters
    ----------
    tracks
        A tracks Dataset with times in s.
    session_start
        When the recording began, with its time zone: NWB demands it, and no track holds it.
    subject
        The animal's id.
    individual
        Which animal of the tracks; by default the only one.
    species, sex, age
        Of the animal; ``sex`` M, F or U; ``age`` as ISO 8601 duration (``P8W``).
    description
        Of the session.

    Raises
    ------
    InputError
        If pynwb or ndx-pose is not installed (the message holds the install line), the time zone is missing, times
        are frame numbers, or it is not clear which animal is meant.
    """
    if find_spec("pynwb") is None or find_spec("ndx_pose") is None:
        raise InputError("NWB needs the packages pynwb and ndx-pose", file=path, remedy=_INSTALL)
    from pynwb import NWBHDF5IO, NWBFile
    from pynwb.file import Subject

    one = _one_animal(tracks, individual, path)
    if session_start.tzinfo is None:
        raise InputError("the start of the session has no time zone", file=path, found=session_start.isoformat())
    session = NWBFile(
        session_description=description,
        identifier=f"{subject} {tracks.attrs.get('source_file', '')}".strip(),
        session_start_time=session_start,
    )
    session.subject = Subject(subject_id=subject, species=species, sex=sex, age=age)
    module = session.create_processing_module(name="behavior", description="position of the animal in each frame")
    for container in _pose_containers(one):
        module.add(container)
    with NWBHDF5IO(str(path), "w") as stream:
        stream.write(session)


def _one_animal(tracks: xr.Dataset, individual: str | None, path: str | Path | None) -> xr.Dataset:
    validate_tracks(tracks)
    names = [str(name) for name in tracks["individual"].to_numpy()]
    if tracks.attrs.get("time_unit", "seconds") != "seconds":
        raise InputError(
            "the times of these tracks are frame numbers", file=path, remedy="read the file with its rate (fps)"
        )
    if individual is None and len(names) > 1:
        raise InputError("the tracks hold several animals", file=path, found=", ".join(names), remedy="choose one")
    if individual is not None and individual not in names:
        raise InputError(f"no animal is called {individual!r}", file=path, expected=f"one of {', '.join(names)}")
    return tracks.sel(individual=individual or names[0])


def _pose_containers(one: xr.Dataset) -> list[Any]:
    from ndx_pose import PoseEstimation, PoseEstimationSeries, Skeleton, Skeletons

    names = [str(name) for name in one["keypoint"].to_numpy()]
    unit = "pixels" if one.attrs["space_unit"] == "px" else "centimeters"
    time = one["time"].to_numpy()
    skeleton = Skeleton(name="subject", nodes=names, edges=np.zeros((0, 2), dtype="uint8"))
    series = [
        PoseEstimationSeries(
            name=name,
            data=one["position"].sel(keypoint=name).transpose("time", "space").to_numpy(),
            unit=unit,
            confidence=one["confidence"].sel(keypoint=name).to_numpy(),
            timestamps=time,
            confidence_definition="0 not seen to 1 sure",
            reference_frame="(0, 0) is the top left corner of the picture; x to the right, y down"
            if unit == "pixels"
            else "(0, 0) is the floor's top left corner as seen; x to the right, y down",
        )
        for name in names
    ]
    pose = PoseEstimation(
        name="PoseEstimation",
        pose_estimation_series=series,
        description="estimated positions of body points",
        scorer=str(one.attrs.get("source_software", "")) or None,
        source_software=str(one.attrs.get("source_software", "")),
        skeleton=skeleton,
    )
    return [Skeletons(skeletons=[skeleton]), pose]
