"""What every track reader takes and gives: options, the result, and the one way into the tracks Dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.events import BehaviorEvent, make_events
from behavior.readers.points import arrange_points
from behavior.tracks import from_arrays
from core.errors import InputError
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Poses", "ReadOptions", "TrackFile", "event_file", "make_tracks", "mend_times", "rate_of", "track_file"]

Array = NDArray[Any]

_MAX_VALUES = 60_000_000
#: Steps that differ from the median one by at most this share of it are the same step, rounded.
_SAME_STEP = 0.25


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a file may not say itself.

    Parameters
    ----------
    fps
        Frames per second, for files that hold frame numbers only (DeepLabCut, SLEAP, ezTrack); without it the times
        of such a file stay frame numbers and the attribute ``time_unit`` says ``frames``.
    individual
        Which animal to keep, by name; without it all.
    points
        Our name of a point by the file's, one or several whose mean is taken: ``{"centre": ["Spine_1", "Spine_2"]}``.
    min_likelihood
        Pose estimates below this count as missing.
    origin
        (x, y) of the floor's top-left corner as seen, in the file's own coordinates; shifts cm to the design's origin.
    sheet
        Which sheet of a workbook; without it all.
    columns
        For tables of no known program, ours by the file's: ``{"time": "t [ms]", "centre_x": "X", "centre_y": "Y"}``;
        further points as ``nose_x`` ..., zones as ``zone:NAME``, behaviours as ``behavior:NAME``.
    time_unit
        Of a declared time column: ``s``, ``ms``, ``min`` or ``frames``.
    space_unit
        ``px`` or ``cm``, where the file does not say.
    y_up
        Whether y grows upward in a declared table.
    keypoints
        Names of the points of a bare array.
    """

    fps: float | None = None
    individual: str | None = None
    points: Mapping[str, str | Sequence[str]] | None = None
    min_likelihood: float = 0.6
    origin: tuple[float, float] | None = None
    sheet: str | None = None
    columns: Mapping[str, str] | None = None
    time_unit: str = "s"
    space_unit: str | None = None
    y_up: bool = False
    keypoints: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps must be above 0, not {self.fps}")
        if not 0 <= self.min_likelihood <= 1:
            raise ValueError(f"min_likelihood must be from 0 to 1, not {self.min_likelihood}")
        if self.time_unit not in ("s", "ms", "min", "frames"):
            raise ValueError(f"time_unit must be s, ms, min or frames, not {self.time_unit!r}")
        if self.space_unit not in (None, "px", "cm"):
            raise ValueError(f"space_unit must be px or cm, not {self.space_unit!r}")


@dataclass(frozen=True)
class TrackFile:
    """What a file of another program holds.

    Parameters
    ----------
    file, reader, description
        Name of the file, short name of the format, and the format in words.
    tracks
        Tracks by name: the sheet's name in a workbook, else ``""``; empty for a file of events.
    events
        Table of :data:`behavior.events.EVENT_COLUMNS`; empty if there are none.
    header
        What the file says of itself.
    problems
        What was set aside, assumed or looks wrong.
    """

    file: str
    reader: str
    description: str
    tracks: dict[str, xr.Dataset]
    events: pd.DataFrame
    header: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def dataset(self) -> xr.Dataset:
        """The one track of the file.

        Raises
        ------
        InputError
            If it holds none or several; the message names them.
        """
        if len(self.tracks) == 1:
            return next(iter(self.tracks.values()))
        if not self.tracks:
            raise InputError("the file holds events, no track", file=self.file, remedy="use its events table")
        raise InputError("the file holds several tracks", file=self.file, found=", ".join(self.tracks),
                         remedy="choose one (sheet=...)")  # fmt: skip


@dataclass(kw_only=True)
class Poses:
    """A track as a reader found it, in the file's own terms.

    Parameters
    ----------
    position
        (time, space, point, individual) in ``space_unit``; NaN where missing.
    time_s
        (time,) s, or None where the file has frame numbers only.
    frame
        (time,) frame numbers, or None to count from 0.
    points, individuals
        Names.
    space_unit, y_up
        ``px`` or ``cm``; whether y grows upward, as it does in calibrated exports.
    fps
        Rate that the file states; None takes it from the times.
    confidence
        (time, point, individual) or None.
    area, orientation
        (time,) or None: area in ``space_unit`` squared; degrees counter-clockwise as seen.
    zones, behaviors
        (time,) 1 inside, 0 outside, -1 not stated, by name.
    """

    position: Array
    points: Sequence[str]
    time_s: Array | None = None
    frame: Array | None = None
    individuals: Sequence[str] = ("subject",)
    space_unit: str = "px"
    y_up: bool = False
    fps: float | None = None
    confidence: Array | None = None
    area: Array | None = None
    orientation: Array | None = None
    zones: Mapping[str, Array] = field(default_factory=dict)
    behaviors: Mapping[str, Array] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    damage: str = ""
    place: str = ""


def make_tracks(
    poses: Poses, options: ReadOptions, *, path: str | Path, software: str
) -> tuple[xr.Dataset, list[Problem]]:
    """The tracks Dataset of what a reader found: times, units, direction of y, names of points brought to ours.

    Raises
    ------
    InputError
        If it cannot be a track: no frames, times that fall, unknown names asked for, values out of range.
    """
    file = Path(path).name
    problems: list[Problem] = []
    _check_size(poses, path)
    time, frame, rate, time_unit = _times(poses, options, path, problems)
    position = poses.position.astype(float)
    # Half a position is none.
    position[np.broadcast_to(np.isnan(position).any(axis=1, keepdims=True), position.shape)] = np.nan
    if poses.y_up:
        position[:, 1] *= -1
    position = _shift(position, poses, options, file, problems)
    kept = _kept_individuals(poses, options, path)
    position = position[..., kept]
    arranged = arrange_points(poses.points, options.points, file=str(path))
    position = np.stack([position[:, :, places].mean(axis=2) for _, places in arranged], axis=2)
    confidence = None
    if poses.confidence is not None:
        confidence = np.nan_to_num(np.clip(poses.confidence.astype(float), 0, 1))[..., kept]
        confidence = np.stack([confidence[:, places].min(axis=1) for _, places in arranged], axis=1)
    try:
        tracks = from_arrays(
            position, time, fps=rate, confidence=confidence, area=poses.area, orientation=poses.orientation,
            frame=frame, keypoints=tuple(name for name, _ in arranged),
            individuals=tuple(poses.individuals[place] for place in kept),
            note=(~np.isfinite(position[:, :, 0]).all(axis=1)).astype(np.int8),
            source_file=file, source_software=software, space_unit=poses.space_unit, damage=poses.damage,
            attrs={"time_unit": time_unit, **_attributes(poses, arranged, options)},
        )  # fmt: skip
    except ValueError as error:
        raise InputError(str(error), file=path, where=poses.place or None) from None
    tracks["area"].attrs["units"] = f"{poses.space_unit}2"
    if poses.zones:
        flags = np.stack([np.asarray(values, np.int8) for values in poses.zones.values()], axis=1)
        tracks = tracks.assign_coords(zone=("zone", list(poses.zones)))
        tracks["in_zone"] = (("time", "zone"), flags, _FLAGS)
    if poses.damage:
        problems.append(Problem(code="damaged_file", file=file, where=poses.place, message=poses.damage,
                                action="the rows before the damage are used"))  # fmt: skip
    return tracks, problems


_FLAGS = {"flag_values": np.array([-1, 0, 1], np.int8), "flag_meanings": "not_stated outside inside"}


def _attributes(poses: Poses, arranged: list[tuple[str, list[int]]], options: ReadOptions) -> dict[str, str]:
    theirs = {name: [poses.points[place] for place in places] for name, places in arranged}
    attrs = {"points_in_file": json.dumps(theirs), "header": json.dumps(dict(poses.header))}
    if poses.space_unit == "cm" or poses.y_up:
        attrs["origin"] = "floor top-left corner" if options.origin is not None else "as in the file"
    return attrs


def _check_size(poses: Poses, path: str | Path) -> None:
    if poses.position.shape[0] == 0:
        raise InputError("the track has no frames", file=path, where=poses.place or None)
    if poses.position.size > _MAX_VALUES:
        raise InputError("the track is too large", file=path, found=f"{poses.position.size} values",
                         expected=f"at most {_MAX_VALUES}")  # fmt: skip
    if np.isinf(poses.position).any():
        raise InputError("infinite positions", file=path, where=poses.place or None)


def _times(
    poses: Poses, options: ReadOptions, path: str | Path, problems: list[Problem]
) -> tuple[Array, Array, float, str]:
    """Times, frame numbers, rate, and whether the times are seconds or frames."""
    n = poses.position.shape[0]
    frame = np.arange(n) if poses.frame is None else np.asarray(poses.frame)
    if poses.time_s is not None:
        time = np.asarray(poses.time_s, dtype=float)
        return time, frame, poses.fps or options.fps or rate_of(time, path), "seconds"
    steps = np.diff(frame)
    if (steps <= 0).any():
        row = int(np.flatnonzero(steps <= 0)[0]) + 1
        raise InputError("frame numbers do not rise", file=path, where=f"frame {row + 1} of the file",
                         found=f"{frame[row]} after {frame[row - 1]}")  # fmt: skip
    rate = options.fps or poses.fps
    if rate is not None:
        return frame / rate, frame, rate, "seconds"
    problems.append(
        Problem(code="rate_unknown", file=Path(path).name, message=f"{n} frames; the file holds no frame rate",
                action="times are frame numbers; give the rate (fps) to have seconds")
    )  # fmt: skip
    return frame.astype(float), frame, 1.0, "frames"


def rate_of(time_s: Array, path: str | Path) -> float:
    """Frames per second, from the mean of the steps that agree with the median one but for rounding.

    Steps over lost frames are at least twice the median one and do not count; the median alone would carry the rounding
    of times to whole milliseconds, or to 10 ms.

    Raises
    ------
    InputError
        If there is only one frame.

    Examples
    --------
    >>> round(rate_of(np.array([0.0, 0.066, 0.133, 0.2, 0.266, 0.333, 0.4]), "a.txt"), 6)
    15.0
    """
    steps = np.diff(time_s)
    if not len(steps):
        raise InputError("a single frame has no rate", file=path, remedy="give the frame rate (fps)")
    usual = np.median(steps)
    return float(1 / steps[np.abs(steps - usual) <= _SAME_STEP * usual].mean())


def mend_times(
    time_s: Array, *, path: str | Path, place: Any, problems: list[Problem], code: str = "timestamps_mended"
) -> NDArray[np.intp]:
    """Rows to keep so that times rise: of rows with the same time the first, the others reported.

    Parameters
    ----------
    time_s
        (n,) times in file order.
    path, place
        The file, and ``place(row)`` to name a row of it.
    problems
        Where a repeated time is reported.
    code
        Of that problem.

    Raises
    ------
    InputError
        If a time falls, naming the row.
    """
    steps = np.diff(time_s)
    if (steps < 0).any():
        row = int(np.flatnonzero(steps < 0)[0]) + 1
        raise InputError("the time falls", file=path, where=place(row),
                         found=f"{time_s[row]:g} s after {time_s[row - 1]:g} s")  # fmt: skip
    keep = np.flatnonzero(np.concatenate([[True], steps > 0]))
    if len(keep) < len(time_s):
        count = len(time_s) - len(keep)
        first = int(np.flatnonzero(steps <= 0)[0]) + 1
        problems.append(Problem(code=code, file=Path(path).name, where=place(first),
                                message=f"{count} rows repeat the time before",
                                action="the first row of each time is kept"))  # fmt: skip
    return keep


def _shift(position: Array, poses: Poses, options: ReadOptions, file: str, problems: list[Problem]) -> Array:
    if options.origin is not None:
        x, y = options.origin
        shift = np.array([x, -y if poses.y_up else y])
        return np.asarray(position - shift[None, :, None, None])
    if poses.space_unit == "cm" or poses.y_up:
        problems.append(
            Problem(code="origin_unknown", file=file,
                    message=f"positions in {poses.space_unit} from the program's own zero point, which the file does not place",
                    action="y turned to point down; give the floor's top-left corner (origin) to use zones in cm")
        )  # fmt: skip
    return position


def _kept_individuals(poses: Poses, options: ReadOptions, path: str | Path) -> list[int]:
    names = list(poses.individuals)
    if len(set(names)) < len(names):
        raise InputError("two animals have the same name", file=path, found=", ".join(names))
    if options.individual is None:
        return list(range(len(names)))
    if options.individual not in names:
        raise InputError(
            f"no animal is called {options.individual!r}", file=path, expected=f"one of {', '.join(names)}"
        )
    return [names.index(options.individual)]


def track_file(
    reader: str,
    description: str,
    path: str | Path,
    tracks: dict[str, xr.Dataset],
    *,
    events: Sequence[BehaviorEvent] = (),
    header: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> TrackFile:
    """A result with tracks."""
    return TrackFile(
        Path(path).name, reader, description, tracks, make_events(events), dict(header or {}), list(problems)
    )


def event_file(
    reader: str,
    description: str,
    path: str | Path,
    events: Sequence[BehaviorEvent],
    *,
    header: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> TrackFile:
    """A result with events only.

    Raises
    ------
    InputError
        If the events cannot be right.
    """
    try:
        table = make_events(events)
    except ValueError as error:
        raise InputError(str(error), file=path) from None
    return TrackFile(Path(path).name, reader, description, {}, table, dict(header or {}), list(problems))
