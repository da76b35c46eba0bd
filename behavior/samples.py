"""The scored window of a trial as plain arrays: frame times, durations, positions in cm, gap-free runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from behavior.arena import Arena
from behavior.kinematics import fill_short_gaps, runs_without_gaps
from behavior.release import Release, find_release
from behavior.score_options import ScoreOptions
from behavior.tracks import frame_durations
from core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Samples", "TrialPart", "collect_samples", "trial_start"]

Floats = NDArray[np.float64]

# Times written with milliseconds must still find the frame they mean.
TIME_TOLERANCE_S = 1e-3


@dataclass(frozen=True, kw_only=True)
class TrialPart:
    """One stretch of one recording that belongs to a trial.

    Parameters
    ----------
    tracks
        The recording's tracks.
    arena
        Its arena.
    start_s, end_s
        Where the part begins and ends in the recording, in s; None = at the release (first part) or first frame
        (further parts), and at the end of the window or the recording.
    """

    tracks: xr.Dataset
    arena: Arena
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Frames of the scored window; time zero is the first of them.

    Parameters
    ----------
    time_s, duration_s
        (N,) start and duration of each frame; holes in the recording are left out of the durations.
    centre_cm
        (N, 2) centre in cm, NaN where not seen.
    zone_points_cm
        (N, 2) arrays of the points that count for zones, on the floor.
    observed
        (N,) whether the point that counts is seen.
    run
        (N,) gap-free run of the centre; -1 = not seen.
    outside
        (N,) whether the centre was tracked outside the floor.
    rate_hz
        1 / median step between frames.
    gap_s
        Time inside the window of which there is no frame.
    filled
        (N,) whether a point that counts was interpolated over a short gap.
    extra_cm
        Further points asked for by name, (N, 2) in cm, NaN where not known.
    """

    time_s: Floats
    duration_s: Floats
    centre_cm: Floats
    zone_points_cm: tuple[Floats, ...]
    observed: NDArray[np.bool_]
    run: NDArray[np.int64]
    outside: NDArray[np.bool_]
    rate_hz: float
    gap_s: float
    filled: NDArray[np.bool_]
    extra_cm: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def scored_s(self) -> float:
        """Recorded time in the window."""
        return float(self.duration_s.sum())

    @property
    def observed_s(self) -> float:
        """Recorded time in which the animal is seen."""
        return float(self.duration_s[self.observed].sum())


def trial_start(part: TrialPart, *, options: ScoreOptions) -> Release:
    """Where a trial's first part begins: the declared start, else the release.

    A declared start counts as found. It is moved to the first frame at or after it.
    """
    if part.start_s is None:
        return find_release(part.tracks, hold_s=options.release_hold_s)
    time = np.asarray(part.tracks["time"].values, dtype=float)
    after = time[time >= part.start_s - TIME_TOLERANCE_S]
    if len(after) == 0:
        last = f"{time[-1]:.3f} s" if len(time) else "no frame"
        raise InputError(
            "the trial's start lies after the end of the recording",
            file=part.tracks.attrs.get("source_file") or None,
            found=f"start_s {part.start_s:g}, last frame {last}",
            remedy="correct start_s in the trials table",
        )
    return Release(float(after[0]), True)


def collect_samples(
    parts: Sequence[TrialPart], *, start_s: float, options: ScoreOptions, extra: Sequence[str] = ()
) -> Samples:
    """Frames of all parts within the window, their times counted on from part to part.

    Parameters
    ----------
    parts
        Stretches in order; time between them does not count.
    start_s
        Where the first part begins, as `trial_start` gives it.
    options
        Window, point and tolerances.
    extra
        Names of further points to bring along, where the tracks have them.

    Raises
    ------
    InputError
        If tracks have several individuals, or lack the point that is asked for.
    """
    pieces: list[_Piece] = []
    passed = 0.0
    for number, part in enumerate(parts):
        begin = start_s if number == 0 else part.start_s
        piece = _piece(part, begin, passed, options, extra)
        pieces.append(piece)
        if len(piece.time_s):
            passed = float(piece.time_s[-1] + piece.whole_s[-1])
    return _joined(pieces, options, extra)


@dataclass(frozen=True)
class _Piece:
    time_s: Floats
    whole_s: Floats  # until the next frame, holes included
    usual_s: float
    points: dict[str, Floats]
    filled: NDArray[np.bool_]


def _piece(
    part: TrialPart, begin_s: float | None, passed_s: float, options: ScoreOptions, extra: Sequence[str]
) -> _Piece:
    if part.tracks.attrs.get("time_unit", "seconds") != "seconds":
        raise InputError(
            "the times of the tracks are frame numbers",
            file=str(part.tracks.attrs.get("source_file", "")) or None,
            expected="seconds",
            remedy="read the file with its frame rate (fps)",
        )
    time = np.asarray(part.tracks["time"].values, dtype=float)
    # A single frame says nothing of how long it lasts; it counts for no time.
    whole = np.nan_to_num(frame_durations(time))
    usual = float(whole[-1]) if len(whole) else 0.0
    begin = time[0] if begin_s is None and len(time) else (begin_s or 0.0)
    end = np.inf if part.end_s is None else part.end_s
    within = np.flatnonzero((time >= begin - TIME_TOLERANCE_S) & (time < end - 1e-6))
    if len(within):
        begin = time[within[0]]
    shifted = time[within] - begin + passed_s
    inside = shifted < options.window_s - 1e-6
    within, shifted = within[inside], shifted[inside]
    stop = min(options.window_s, end - begin + passed_s)
    whole = np.minimum(shifted + whole[within], stop) - shifted
    points, filled = _points_cm(part, time, options, extra)
    return _Piece(shifted, whole, usual, {name: xy[within] for name, xy in points.items()}, filled[within])


def _points_cm(
    part: TrialPart, time: Floats, options: ScoreOptions, extra: Sequence[str]
) -> tuple[dict[str, Floats], NDArray[np.bool_]]:
    position = part.tracks["position"]
    file = part.tracks.attrs.get("source_file") or None
    if position.sizes["individual"] != 1:
        names = ", ".join(str(name) for name in part.tracks["individual"].values)
        remedy = "select the subject's track"
        raise InputError("the tracks hold more than one animal", file=file, found=names, expected="one", remedy=remedy)
    needed = ["centre"] if options.point == "centre" else ["centre", "nose"]
    known = [str(name) for name in part.tracks["keypoint"].values]
    points = {}
    for name in dict.fromkeys([*needed, *extra]):
        if name in known:
            xy = position.isel(individual=0).sel(keypoint=name).transpose("time", "space").values.astype(float)
        elif name in needed:
            raise InputError(f"the tracks have no point {name!r}", file=file, found=", ".join(known))
        else:
            xy = np.full((position.sizes["time"], 2), np.nan)
        xy[~_known(xy)] = np.nan
        points[name] = xy if part.tracks.attrs.get("space_unit", "px") == "cm" else part.arena.to_cm(xy)
    filled = np.zeros(len(time), dtype=bool)
    for name in needed:
        points[name], made_up = fill_short_gaps(points[name], time, longest_s=options.fill_gaps_s)
        filled |= made_up
        points[f"{name} on floor"] = part.arena.on_floor(points[name], tolerance_cm=options.wall_tolerance_cm)
    return points, filled


def _joined(pieces: list[_Piece], options: ScoreOptions, extra: Sequence[str]) -> Samples:
    time = np.concatenate([piece.time_s for piece in pieces])
    whole = np.concatenate([piece.whole_s for piece in pieces])
    usual = np.concatenate([np.full(len(piece.time_s), piece.usual_s) for piece in pieces])
    part = np.concatenate([np.full(len(piece.time_s), number) for number, piece in enumerate(pieces)])
    points = {name: np.concatenate([piece.points[name] for piece in pieces]) for name in pieces[0].points}
    hole = whole > np.maximum(options.max_frame_s, 4 * usual)
    duration = np.where(hole, usual, whole)
    outside = _known(points["centre"]) & ~_known(points["centre on floor"])
    centre = np.where(outside[:, None], np.nan, points["centre"])
    joined = np.ones(len(time), dtype=bool)
    joined[1:] = ~hole[:-1] & (np.diff(part) == 0)
    seen = _known(centre)
    names = {"centre": ["centre"], "nose": ["nose"], "nose_or_centre": ["nose", "centre"]}[options.point]
    zone_points = tuple(points[f"{name} on floor"] for name in names)
    observed = _known(zone_points[-1])
    return Samples(
        time_s=time,
        duration_s=duration,
        centre_cm=centre,
        zone_points_cm=zone_points,
        observed=observed,
        run=runs_without_gaps(seen, joined),
        outside=outside,
        rate_hz=float(1 / np.median(usual)) if len(usual) and np.median(usual) > 0 else float("nan"),
        gap_s=float((whole - duration).sum()),
        filled=np.concatenate([piece.filled for piece in pieces]),
        extra_cm={name: points[name] for name in extra},
    )


def _known(xy: Floats) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.isfinite(xy[:, 0]) & np.isfinite(xy[:, 1])
    return known
