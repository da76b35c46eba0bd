"""The one way from what a reader found to the tracks Dataset: times, units, direction of y, names of points."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.readers.points import arrange_points
from behavior.readers.trackfile import ReadOptions
from behavior.tracks import from_arrays
from core.errors import InputError
from core.problems import Problem

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Poses", "check_duration", "make_tracks", "mend_times", "rate_of"]

Array = NDArray[Any]

_MAX_VALUES = 60_000_000
#: Steps that differ from the median one by at most this share of it are the same step, rounded.
_SAME_STEP = 0.25


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
    zones
        (time,) 1 inside, 0 outside, -1 not stated, by name.
    scored
        Behaviours that the program marks frame by frame; one never seen gives no event, but was looked for.
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
    scored: Sequence[str] = ()
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
            position,
            time,
            fps=rate,
            confidence=confidence,
            area=poses.area,
            orientation=poses.orientation,
            frame=frame,
            keypoints=tuple(name for name, _ in arranged),
            individuals=tuple(poses.individuals[place] for place in kept),
            note=(~np.isfinite(position[:, :, 0]).all(axis=1)).astype(np.int8),
            source_file=file,
            source_software=software,
            space_unit=poses.space_unit,
            damage=poses.damage,
            attrs={"time_unit": time_unit, **_attributes(poses, arranged, options)},
        )
    except ValueError as error:
        raise InputError(str(error), file=path, where=poses.place or None) from None
    tracks["area"].attrs["units"] = f"{poses.space_unit}2"
    if poses.zones:
        flags = np.stack([np.asarray(values, np.int8) for values in poses.zones.values()], axis=1)
        tracks = tracks.assign_coords(zone=("zone", list(poses.zones)))
        tracks["in_zone"] = (("time", "zone"), flags, _FLAGS)
    if poses.damage:
        problems.append(
            Problem(
                code="damaged_file",
                file=file,
                where=poses.place,
                message=poses.damage,
                action="the rows before the damage are used",
            )
        )
    return tracks, problems


_FLAGS = {"flag_values": np.array([-1, 0, 1], np.int8), "flag_meanings": "not_stated outside inside"}


def _attributes(poses: Poses, arranged: list[tuple[str, list[int]]], options: ReadOptions) -> dict[str, str]:
    theirs = {name: [poses.points[place] for place in places] for name, places in arranged}
    attrs = {"points_in_file": json.dumps(theirs), "header": json.dumps(dict(poses.header))}
    if poses.scored:
        attrs["behaviors_scored"] = json.dumps(sorted(poses.scored))
    if poses.space_unit == "cm" or poses.y_up:
        attrs["origin"] = "floor top-left corner" if options.origin is not None else "as in the file"
    return attrs


def _check_size(poses: Poses, path: str | Path) -> None:
    if poses.position.shape[0] == 0:
        raise InputError("the track has no frames", file=path, where=poses.place or None)
    if poses.position.size > _MAX_VALUES:
        raise InputError(
            "the track is too large",
            file=path,
            found=f"{poses.position.size} values",
            expected=f"at most {_MAX_VALUES}",
        )
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
        raise InputError(
            "frame numbers do not rise",
            file=path,
            where=f"frame {row + 1} of the file",
            found=f"{frame[row]} after {frame[row - 1]}",
        )
    rate = options.fps or poses.fps
    if rate is not None:
        return frame / rate, frame, rate, "seconds"
    problems.append(
        Problem(
            code="rate_unknown",
            file=Path(path).name,
            message=f"{n} frames; the file holds no frame rate",
            action="times are frame numbers; give the rate (fps) to have seconds",
        )
    )
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
        raise InputError(
            "the time falls", file=path, where=place(row), found=f"{time_s[row]:g} s after {time_s[row - 1]:g} s"
        )
    keep = np.flatnonzero(np.concatenate([[True], steps > 0]))
    if len(keep) < len(time_s):
        count = len(time_s) - len(keep)
        first = int(np.flatnonzero(steps <= 0)[0]) + 1
        problems.append(
            Problem(
                code=code,
                file=Path(path).name,
                where=place(first),
                message=f"{count} rows repeat the time before",
                action="the first row of each time is kept",
            )
        )
    return keep


def check_duration(stated_s: float | None, tracks: xr.Dataset, path: str | Path) -> list[Problem]:
    """A problem if the file states another duration than its rows have, by more than 1 s and 1 %."""
    time = tracks["time"].to_numpy()
    present = float(time[-1] - time[0] + 1 / tracks.attrs["fps"])
    if stated_s is None or abs(stated_s - present) <= max(1.0, 0.01 * stated_s):
        return []
    message = f"the header says {stated_s:g} s, the rows {present:g} s"
    return [Problem(code="duration_differs", file=Path(path).name, message=message, action="the rows are used")]


def _shift(position: Array, poses: Poses, options: ReadOptions, file: str, problems: list[Problem]) -> Array:
    if options.origin is not None:
        x, y = options.origin
        shift = np.array([x, -y if poses.y_up else y])
        return np.asarray(position - shift[None, :, None, None])
    if poses.space_unit == "cm" or poses.y_up:
        problems.append(
            Problem(
                code="origin_unknown",
                file=file,
                message=f"positions in {poses.space_unit} from the program's own zero point, which is not in the file",
                action="y turned to point down; give the floor's top-left corner (origin) to use zones in cm",
            )
        )
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
