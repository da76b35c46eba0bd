"""What may be wrong with a recording: flags like traffic lights, which never delete anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.kinematics import runs_without_gaps
from behavior.picture_quality import picture_measures
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from behavior.arena import Arena

__all__ = ["LIGHTS", "QualityOptions", "RecordingQuality", "add_flags", "check_recording", "check_trial_rows"]

Floats = NDArray[np.float64]

#: Traffic lights from good to bad: nothing to see; look at it; do not trust it unseen.
LIGHTS = ("green", "amber", "red")
#: Flags that make a recording red whatever the numbers: its trial, or whose it is, is in doubt.
RED_FLAGS = frozenset({"trials_swapped", "same_recording"})
#: A mouse that moves by this much, cm, before and after does not stand still in between.
MOVES_CM = 0.15
#: Edges up to this wide, px, are those of a picture with few pixels, not of one out of focus.
LEAST_BLUR_PX = 4.0


@dataclass(frozen=True, kw_only=True)
class QualityOptions:
    """From where a recording is amber (look at it) or red (do not trust it unseen).

    Parameters
    ----------
    lost_amber_percent, lost_red_percent
        Share of the frames without the subject.
    jump_speed_cm_s
        A step faster than this, and longer than 3 cm, is a jump: no mouse runs so fast.
    jumps_amber, jumps_red
        Number of jumps per minute.
    late_amber_percent
        Share of the frames that last more than half as long again as the usual frame.
    area_amber
        Ratio of the 95th to the 5th percentile of the silhouette's area.
    contrast_amber_grey
        Difference between floor and subject, grey levels of 256: below it the silhouette is uncertain.
    enclosure_amber_percent
        Share of the time in which the point lies inside the enclosure, where the subject cannot be.
    light_amber_percent
        Change of the floor's brightness within the trial, as a share of it.
    blur_amber_cm
        Length over which the sharpest edges of the picture rise, where it is also 4 px or more.
    mended_amber_percent
        Share of the frames whose timestamp was missing, repeated or falling.
    repeated_amber_percent
        Share of the frames of a moving mouse that show the picture before once more.
    rate_amber_percent
        Difference between the frame rate that the file states and that of its timestamps.
    """

    lost_amber_percent: float = 2.0
    lost_red_percent: float = 10.0
    jump_speed_cm_s: float = 200.0
    jumps_amber: float = 0.5
    jumps_red: float = 4.0
    late_amber_percent: float = 5.0
    area_amber: float = 5.0
    contrast_amber_grey: float = 25.0
    enclosure_amber_percent: float = 5.0
    light_amber_percent: float = 25.0
    blur_amber_cm: float = 0.6
    mended_amber_percent: float = 1.0
    repeated_amber_percent: float = 5.0
    rate_amber_percent: float = 5.0

    def __post_init__(self) -> None:
        for low, high in (("lost_amber_percent", "lost_red_percent"), ("jumps_amber", "jumps_red")):
            if not 0 <= getattr(self, low) <= getattr(self, high):
                raise ValueError(f"{low} must be 0 or more and not above {high}")
        for name in (
            "jump_speed_cm_s",
            "late_amber_percent",
            "area_amber",
            "contrast_amber_grey",
            "enclosure_amber_percent",
            "light_amber_percent",
            "blur_amber_cm",
            "mended_amber_percent",
            "repeated_amber_percent",
            "rate_amber_percent",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")


@dataclass(frozen=True)
class RecordingQuality:
    """One row of the quality table.

    Parameters
    ----------
    row
        ``file, frames, frames_per_s, duration_s, lost_percent, longest_lost_s, jumps_per_min, late_percent,
        longest_frame_s, stated_frames_per_s, mean_frames_per_s, mended_percent, repeated_percent, area_ratio,
        contrast_grey``, those of :func:`behavior.picture_quality.picture_measures`, ``camera_moved_px,
        camera_moved_s, light`` and ``flags``, what made the light amber or red.
    problems
        The same flags as problems.
    """

    row: dict[str, Any]
    problems: list[Problem]


def check_recording(
    tracks: xr.Dataset,
    arena: Arena,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    looks: pd.DataFrame | None = None,
    options: QualityOptions | None = None,
) -> RecordingQuality:
    """Lost frames, jumps, changes of size, light, focus and trouble with the frame rate of one recording.

    Parameters
    ----------
    tracks
        Tracks of one recording.
    arena
        Its arena, for the scale.
    start_s, end_s
        The part that counts, usually from the release to the end of the window; None = from the first frame, to the
        last.
    looks
        What the pictures showed while they were tracked (:class:`behavior.picture_watch.WatchedVideo`); without it,
        nothing is said of light, focus and enclosure.
    options
        Limits.

    Examples
    --------
    >>> import xarray as xr
    >>> from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
    >>> arena = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))
    >>> position = np.full((100, 2, 1, 1), 200.0)
    >>> position[40:50] = np.nan
    >>> tracks = xr.Dataset({"position": (("time", "space", "keypoint", "individual"), position)},
    ...                     coords={"time": np.arange(100) / 10, "keypoint": ["centre"]})
    >>> quality = check_recording(tracks, arena)
    >>> quality.row["lost_percent"], quality.row["light"], quality.row["flags"]
    (10.0, 'amber', 'lost_frames')
    """
    options = options or QualityOptions()
    whole = np.asarray(tracks["time"].values, dtype=float)
    end = np.inf if end_s is None else end_s
    within = (whole >= (-np.inf if start_s is None else start_s - 1e-6)) & (whole < end)
    time = whole[within]
    centre = tracks["position"].sel(keypoint="centre").isel(individual=0).transpose("time", "space").values[within]
    in_cm = tracks.attrs.get("space_unit", "px") == "cm"
    row: dict[str, Any] = {"file": str(tracks.attrs.get("source_file", "")), "frames": len(time)}
    row |= _frame_times(time)
    row |= _losses(time, centre, row["longest_frame_s"])
    centre_cm = centre.astype(float) if in_cm else arena.to_cm(centre)
    row["jumps_per_min"] = _jumps(centre_cm, time, options.jump_speed_cm_s)
    stated = float(tracks.attrs.get("fps", float("nan")))
    row["stated_frames_per_s"] = stated
    row["mean_frames_per_s"] = (len(whole) - 1) / float(whole[-1] - whole[0]) if len(whole) > 1 else float("nan")
    row["mended_percent"] = 100 * float(tracks.attrs.get("timestamps_mended", 0)) / max(len(whole), 1)
    row["repeated_percent"] = _repeated(centre_cm)
    row["area_ratio"] = _area_ratio(tracks, within)
    row["contrast_grey"] = float(tracks.attrs.get("contrast_grey", float("nan")))
    row |= picture_measures(looks, tracks, arena, start_s=start_s, end_s=end)
    row["camera_moved_px"] = float(tracks.attrs.get("camera_moved_px", 0.0))
    row["camera_moved_s"] = float(tracks.attrs.get("camera_moved_s", float("nan")))
    flags = _flags(row, options)
    row["light"] = max((light for light, _, _ in flags), key=LIGHTS.index, default="green")
    row["flags"] = "; ".join(code for _, code, _ in flags)
    problems = [
        Problem(code=code, file=row["file"], message=message, action="kept; look at the track")
        for _, code, message in flags
    ]
    return RecordingQuality(row, problems)


def _frame_times(time: Floats) -> dict[str, float]:
    steps = np.diff(time)
    if len(steps) == 0:
        return dict.fromkeys(("frames_per_s", "duration_s", "late_percent", "longest_frame_s"), float("nan"))
    usual = float(np.median(steps))
    return {
        "frames_per_s": 1 / usual if usual > 0 else float("nan"),
        "duration_s": float(time[-1] - time[0] + usual),
        "late_percent": 100 * float(np.mean(steps > 1.5 * usual)),
        "longest_frame_s": float(steps.max()),
    }


def _losses(time: Floats, centre: Floats, last_s: float) -> dict[str, float]:
    if len(time) == 0:
        return {"lost_percent": 100.0, "longest_lost_s": 0.0}
    lost: NDArray[np.bool_] = np.isnan(centre[:, 0]) | np.isnan(centre[:, 1])
    steps = np.append(np.diff(time), np.median(np.diff(time)) if len(time) > 1 else last_s)
    run = runs_without_gaps(lost, np.ones(len(lost), dtype=bool))
    longest = np.bincount(run[lost], weights=steps[lost]).max() if lost.any() else 0.0
    return {"lost_percent": 100 * float(lost.mean()), "longest_lost_s": float(longest)}


def _jumps(centre_cm: Floats, time: Floats, speed_cm_s: float) -> float:
    """Jumps per minute between frames in which the subject is seen, lost frames between them or not."""
    seen = np.isfinite(centre_cm).all(axis=1)
    if seen.sum() < 2:
        return 0.0
    length, step = np.hypot(*np.diff(centre_cm[seen], axis=0).T), np.diff(time[seen])
    minutes = (time[-1] - time[0]) / 60
    return float(np.sum((length > 3.0) & (length > speed_cm_s * step)) / minutes)


def _repeated(centre_cm: Floats) -> float:
    """Percent of the frames between two movements that show the picture before: to the last digit the same place."""
    step = np.hypot(*np.diff(centre_cm, axis=0).T) if len(centre_cm) > 3 else np.empty(0)
    if len(step) < 3:
        return 0.0
    before, here, after = step[:-2], step[1:-1], step[2:]
    # A repeated picture stands between two steps; where several follow each other the first and last are counted.
    moving = (np.maximum(before, after) > MOVES_CM) & (np.minimum(before, after) > 0) & np.isfinite(here)
    alone = moving & (here == 0)
    walking = np.isfinite(here) & (np.maximum(np.maximum(before, here), after) > MOVES_CM)
    return 100 * float(alone.sum()) / max(int(walking.sum()), 1) if walking.sum() >= 30 else 0.0


def _area_ratio(tracks: xr.Dataset, within: NDArray[np.bool_]) -> float:
    if "area" not in tracks:
        return float("nan")
    area = tracks["area"].isel(individual=0).values[within].astype(float)
    area = area[np.isfinite(area) & (area > 0)]
    if len(area) == 0:
        return float("nan")
    low, high = np.percentile(area, [5, 95])
    return float(high / low)


def _flags(row: Mapping[str, Any], options: QualityOptions) -> list[tuple[str, str, str]]:
    """(light, code, message) of all that is out of its limits."""
    return [*_track_flags(row, options), *_rate_flags(row, options), *_picture_flags(row, options)]


def _track_flags(row: Mapping[str, Any], options: QualityOptions) -> list[tuple[str, str, str]]:
    flags = []
    if not row["lost_percent"] <= options.lost_amber_percent:
        light = "red" if row["lost_percent"] > options.lost_red_percent else "amber"
        longest = f"longest stretch {row['longest_lost_s']:.2f} s"
        flags.append(
            (light, "lost_frames", f"subject not seen in {row['lost_percent']:.1f} % of the frames; {longest}")
        )
    if row["jumps_per_min"] > options.jumps_amber:
        light = "red" if row["jumps_per_min"] > options.jumps_red else "amber"
        message = f"{row['jumps_per_min']:.1f} jumps a minute faster than {options.jump_speed_cm_s:g} cm/s"
        flags.append((light, "position_jumps", message))
    if row["area_ratio"] > options.area_amber:
        flags.append(("amber", "area_changes", f"the silhouette's area varies {row['area_ratio']:.1f}-fold"))
    return flags


def _rate_flags(row: Mapping[str, Any], options: QualityOptions) -> list[tuple[str, str, str]]:
    flags = []
    if row["late_percent"] > options.late_amber_percent:
        message = (
            f"{row['late_percent']:.1f} % of the frames are late, the longest lasts {row['longest_frame_s']:.2f} s"
        )
        flags.append(("amber", "uneven_frames", message))
    if row["mended_percent"] > options.mended_amber_percent:
        message = (
            f"{row['mended_percent']:.1f} % of the timestamps were missing, repeated or falling and were put right"
        )
        flags.append(("amber", "timestamps_mended", message))
    if row["repeated_percent"] > options.repeated_amber_percent:
        message = (
            f"{row['repeated_percent']:.1f} % of the frames of the moving mouse show the picture before once more: "
            "fewer pictures a second were taken than the file holds"
        )
        flags.append(("amber", "repeated_frames", message))
    stated, found = row["stated_frames_per_s"], row["frames_per_s"]
    # Where frames were dropped the file states the mean of what is left.
    off = min(abs(found - stated), abs(row["mean_frames_per_s"] - stated))
    if off > options.rate_amber_percent / 100 * stated:
        message = f"the file states {stated:.2f} frames a second, its timestamps have {found:.2f}"
        flags.append(("amber", "frame_rate_differs", message))
    return flags


def _picture_flags(row: Mapping[str, Any], options: QualityOptions) -> list[tuple[str, str, str]]:
    flags = []
    if row["contrast_grey"] < options.contrast_amber_grey:
        message = f"the subject stands out from the floor by {row['contrast_grey']:.0f} of 256 grey levels"
        flags.append(("amber", "low_contrast", message))
    if row["light_change_percent"] > options.light_amber_percent:
        message = f"the brightness of the floor changes by {row['light_change_percent']:.0f} % during the trial"
        flags.append(("amber", "light_changes", message))
    if row["edge_cm"] > options.blur_amber_cm and row["edge_px"] >= LEAST_BLUR_PX:
        message = f"the sharpest edges of the picture are {row['edge_cm']:.2f} cm ({row['edge_px']:.1f} px) wide"
        flags.append(("amber", "out_of_focus", message))
    if row["camera_moved_px"] > 0:
        message = (
            f"the camera moved by {row['camera_moved_px']:.1f} px at {row['camera_moved_s']:.1f} s; "
            "later positions are turned back to the view before"
        )
        flags.append(("amber", "camera_moved", message))
    return flags


def add_flags(rows: Iterable[dict[str, Any]], problems: Iterable[Problem]) -> None:
    """Put problems found later (between recordings) into the rows of the quality table that they concern.

    Parameters
    ----------
    rows
        Rows with ``subject, trial, file, light, flags``; changed in place.
    problems
        A problem concerns the rows of its subject, and where it names a file or a trial, of these only.

    Examples
    --------
    >>> row = {"subject": "a", "trial": "target", "file": "x.mp4", "light": "green", "flags": ""}
    >>> add_flags([row], [Problem(code="trials_swapped", subject="a", message="")])
    >>> row["light"], row["flags"]
    ('red', 'trials_swapped')
    """
    of_subject: dict[str, list[tuple[Problem, set[str]]]] = defaultdict(list)
    for problem in problems:
        of_subject[problem.subject].append((problem, {_base_name(name) for name in problem.file.split(" + ")}))
    for row in rows:
        file, flags = _base_name(str(row["file"])), str(row["flags"]).split("; ") if row["flags"] else []
        trials = ("", f"trial {row['trial']}", "trials no_target and target")
        for problem, files in of_subject[row["subject"]]:
            if problem.where in trials and (files == {""} or file in files) and problem.code not in flags:
                flags.append(problem.code)
                light = "red" if problem.code in RED_FLAGS else "amber"
                row["light"] = max(str(row["light"]), light, key=LIGHTS.index)
        row["flags"] = "; ".join(flags)


def _base_name(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1]


def check_trial_rows(trials: pd.DataFrame, *, options: QualityOptions | None = None) -> list[Problem]:
    """Scored trials in which the point lies inside the enclosure: the target may have been taken for the subject.

    Parameters
    ----------
    trials
        Trials table with ``subject, trial, file, enclosure_percent``.
    """
    options = options or QualityOptions()
    problems = []
    for row in trials.to_dict("records"):
        if row["enclosure_percent"] > options.enclosure_amber_percent:
            message = f"tracked inside the enclosure for {row['enclosure_percent']:.1f} % of the time"
            problems.append(
                Problem(
                    code="inside_enclosure",
                    subject=str(row["subject"]),
                    file=str(row["file"]),
                    where=f"trial {row['trial']}",
                    message=message,
                    action="counted as interaction zone; look whether the target was tracked, or the box is misplaced",
                )
            )
    return problems
