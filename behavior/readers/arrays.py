"""Bare NumPy arrays of poses (SLEAP's and DeepOF's ``.npy``): no names, no units, so both must be declared."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from behavior.readers.poses import Poses, make_tracks
from behavior.readers.trackfile import ReadOptions, TrackFile, track_file
from core.errors import InputError
from core.readers import Reader

__all__ = ["READER", "matches", "read"]

NAME = "numpy"
ABOUT = "bare array (frames, animals, points, 2) as .npy, with space_unit declared"

_MAX_BYTES = 480 * 1024**2


def matches(head: bytes) -> bool:
    """Whether it is a NumPy file."""
    return head.startswith(b"\x93NUMPY")


def read(path: str | Path, options: ReadOptions) -> TrackFile:
    """The array as tracks, once ``space_unit`` says what its numbers are; pickled objects are never opened.

    Raises
    ------
    InputError
        If it is pickled, damaged, of other dimensions, or its unit is not declared.
    """
    values = _load(path)
    if values.ndim != 4 or values.shape[3] != 2 or values.dtype.kind not in "fiu":
        raise InputError(
            "not an array of poses",
            file=path,
            found=f"{values.dtype}, {values.shape}",
            expected="numbers, (frames, animals, points, 2)",
        )
    values = values.astype(float)
    if options.space_unit is None:
        known = values[np.isfinite(values)]
        spread = f"values from {known.min():.4g} to {known.max():.4g}" if known.size else "no values"
        raise InputError(
            "a bare array does not say its unit",
            file=path,
            found=spread,
            remedy="declare it (space_unit='px' or 'cm'), or use the file that it was made from",
        )
    _, animals, points, _ = values.shape
    names = list(options.keypoints or [f"point_{place}" for place in range(points)])
    if len(names) != points:
        raise InputError("names and points do not fit", file=path, found=f"{len(names)} names", expected=f"{points}")
    individuals = ["subject"] if animals == 1 else [f"animal_{place}" for place in range(animals)]
    poses = Poses(
        position=values.transpose(0, 3, 2, 1),
        points=names,
        individuals=individuals,
        space_unit=options.space_unit,
        y_up=options.y_up,
    )
    tracks, problems = make_tracks(poses, options, path=path, software="NumPy array")
    return track_file(NAME, ABOUT, path, {"": tracks}, problems=problems)


def _load(path: str | Path) -> np.ndarray:
    if Path(path).stat().st_size > _MAX_BYTES:
        raise InputError("the array is too large", file=path, expected=f"at most {_MAX_BYTES} bytes")
    try:
        # Mapped, so that a header that lies about the shape fails instead of filling the memory.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    # A damaged header is parsed as Python text and may fail in any of the parser's ways.
    except Exception as error:
        raise InputError(
            f"the array cannot be opened safely ({str(error)[:150]})",
            file=path,
            remedy="save it again as a plain array of numbers",
        ) from None


READER = Reader(NAME, ABOUT, matches, read, "numpy.lib.format; deepof")
