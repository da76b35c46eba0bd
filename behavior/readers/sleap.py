"""SLEAP: analysis files by h5py alone, ``.slp`` projects through the optional sleap-io."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from behavior.readers.hdf5 import HDF5, numbers, opened, texts
from behavior.readers.poses import Poses, make_tracks
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from core.errors import InputError
from core.readers import Reader

__all__ = ["ANALYSIS", "PROJECT", "read_analysis", "read_project"]

_ANALYSIS_ABOUT = "SLEAP analysis file (HDF5)"
_PROJECT_ABOUT = "SLEAP project (.slp, needs sleap-io)"

Array = NDArray[Any]


def _has(*names: str) -> Any:
    def matches(head: bytes) -> bool:
        lines = head.decode("utf-8", errors="replace").splitlines()
        return head.startswith(HDF5) and all(f"/{name}" in lines for name in names)

    return matches


def read_analysis(path: str | Path, options: ReadOptions) -> TrackFile:
    """The tracks in px, y down, NaN where not seen; times are frame numbers unless ``fps`` is given.

    Raises
    ------
    InputError
        If arrays are missing or do not fit each other.
    """
    with opened(path) as file:
        points = texts(file, "node_names", path)
        names = texts(file, "track_names", path) if "track_names" in file else []
        stored = numbers(file, "tracks", path, ndim=4)
        scores = numbers(file, "point_scores", path, ndim=3) if "point_scores" in file else None
    position = _in_order(stored, len(points), path)
    animals = position.shape[3]
    if names and len(names) != animals:
        raise InputError(
            "names and tracks do not fit", file=path, where="/track_names", found=f"{len(names)}", expected=f"{animals}"
        )
    confidence = None
    if scores is not None and scores.shape == stored.shape[:1] + stored.shape[2:] and stored.shape[1] == 2:
        # SLEAP's scores may pass 1 a little, and are NaN where nothing was found.
        confidence = np.clip(np.nan_to_num(scores.astype(float)), 0, 1).transpose(2, 1, 0)
    return _finished(
        "sleap-analysis", _ANALYSIS_ABOUT, path, options, position, points, _animal_names(names, animals), confidence
    )


def _in_order(stored: Array, points: int, path: str | Path) -> Array:
    """As (time, space, point, animal); SLEAP stores (animals, 2, nodes, frames), others (frames, nodes, 2, animals)."""
    if stored.shape[1:3] == (2, points):
        return stored.astype(float).transpose(3, 1, 2, 0)
    if stored.shape[1:3] == (points, 2):
        return stored.astype(float).transpose(0, 2, 1, 3)
    raise InputError(
        "tracks have unexpected dimensions",
        file=path,
        where="/tracks",
        found=str(stored.shape),
        expected=f"(animals, 2, {points}, frames)",
    )


def _animal_names(names: list[str], count: int) -> list[str]:
    return names or (["subject"] if count == 1 else [f"track_{place}" for place in range(count)])


def read_project(path: str | Path, options: ReadOptions) -> TrackFile:
    """The tracks of a project's one video.

    Raises
    ------
    InputError
        If sleap-io is not installed (the message holds the install line), the file is damaged, or holds several videos.
    """
    if find_spec("sleap_io") is None:
        raise InputError(
            "a SLEAP project needs the package sleap-io",
            file=path,
            remedy="pip install sleap-io, or export an analysis file from SLEAP",
        )
    import sleap_io

    try:
        labels = sleap_io.load_slp(str(path), open_videos=False)
        videos, points = labels.videos, [node.name for node in labels.skeletons[0].nodes]
        names = [track.name for track in labels.tracks]
        if len(videos) == 1:
            values = np.asarray(labels.numpy(video=videos[0], return_confidence=True), dtype=float)
    # sleap-io lets the faults of a damaged file through as they come.
    except Exception as error:
        raise InputError(
            f"the SLEAP project is damaged ({type(error).__name__}: {str(error)[:150]})", file=path
        ) from None
    if len(videos) != 1:
        raise InputError(
            "the project does not hold one video",
            file=path,
            found=f"{len(videos)} videos",
            remedy="export an analysis file for each",
        )
    if values.ndim != 4 or values.shape[3] != 3:
        raise InputError("tracks have unexpected dimensions", file=path, found=str(values.shape))
    position = values[..., :2].transpose(0, 3, 2, 1)
    confidence = np.clip(np.nan_to_num(values[..., 2]), 0, 1).transpose(0, 2, 1)
    animals = _animal_names(names, values.shape[1])
    return _finished("sleap-project", _PROJECT_ABOUT, path, options, position, points, animals, confidence)


def _finished(
    name: str,
    about: str,
    path: str | Path,
    options: ReadOptions,
    position: Array,
    points: list[str],
    animals: list[str],
    confidence: Array | None,
) -> TrackFile:
    poses = Poses(position=position, points=points, individuals=animals, confidence=confidence)
    tracks, problems = make_tracks(poses, options, path=path, software="SLEAP")
    return track_file(name, about, path, {"": tracks}, problems=problems)


ANALYSIS = Reader(
    "sleap-analysis",
    _ANALYSIS_ABOUT,
    _has("tracks", "node_names"),
    read_analysis,
    "https://sleap.ai/develop/tutorials/analysis.html",
)
PROJECT = Reader(
    "sleap-project",
    _PROJECT_ABOUT,
    _has("frames", "instances", "pred_points", "metadata"),
    read_project,
    "https://io.sleap.ai",
)
