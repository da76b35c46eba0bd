"""What may be wrong with a recording or with the list of recordings: flags, which never delete anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.kinematics import runs_without_gaps
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from behavior.arena import Arena

__all__ = ["QualityOptions", "RecordingQuality", "check_recording", "check_trial_list", "check_trial_rows"]

Floats = NDArray[np.float64]


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
        longest_frame_s, area_ratio, contrast_grey, camera_moved_px, camera_moved_s, light`` and ``flags``, what
        made the light amber or red.
    problems
        The same flags as problems.
    """

    row: dict[str, Any]
    problems: list[Problem]


def check_recording(
    tracks: xr.Dataset, arena: Arena, *, start_s: float | None = None, options: QualityOptions | None = None
) -> RecordingQuality:
    """Lost frames, jumps, changes of size and trouble with the frame rate of one recording.

    Parameters
    ----------
    tracks
        Tracks of one recording.
    arena
        Its arena, for the scale.
    start_s
        From where on, usually the release; None = from the first frame.
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
    within = whole >= (-np.inf if start_s is None else start_s - 1e-6)
    time = whole[within]
    centre = tracks["position"].sel(keypoint="centre").isel(individual=0).transpose("time", "space").values[within]
    in_cm = tracks.attrs.get("space_unit", "px") == "cm"
    row: dict[str, Any] = {"file": str(tracks.attrs.get("source_file", "")), "frames": len(time)}
    row |= _frame_times(time)
    row |= _losses(time, centre, row["longest_frame_s"])
    row["jumps_per_min"] = _jumps(centre if in_cm else arena.to_cm(centre), time, options.jump_speed_cm_s)
    row["area_ratio"] = _area_ratio(tracks, within)
    row["contrast_grey"] = float(tracks.attrs.get("contrast_grey", float("nan")))
    row["camera_moved_px"] = float(tracks.attrs.get("camera_moved_px", 0.0))
    row["camera_moved_s"] = float(tracks.attrs.get("camera_moved_s", float("nan")))
    flags = _flags(row, options)
    worst = {"red": 2, "amber": 1}
    row["light"] = max((light for light, _, _ in flags), key=lambda light: worst[light], default="green")
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
    if row["late_percent"] > options.late_amber_percent:
        message = (
            f"{row['late_percent']:.1f} % of the frames are late, the longest lasts {row['longest_frame_s']:.2f} s"
        )
        flags.append(("amber", "uneven_frames", message))
    if row["area_ratio"] > options.area_amber:
        flags.append(("amber", "area_changes", f"the silhouette's area varies {row['area_ratio']:.1f}-fold"))
    if row["contrast_grey"] < options.contrast_amber_grey:
        message = f"the subject stands out from the floor by {row['contrast_grey']:.0f} of 256 grey levels"
        flags.append(("amber", "low_contrast", message))
    if row["camera_moved_px"] > 0:
        message = (
            f"the camera moved by {row['camera_moved_px']:.1f} px at {row['camera_moved_s']:.1f} s; "
            "later positions are turned back to the view before"
        )
        flags.append(("amber", "camera_moved", message))
    return flags


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


def check_trial_list(trials: pd.DataFrame, *, contents: Mapping[str, str] | None = None) -> list[Problem]:
    """Trials in the wrong order, and recordings that stand for more than one trial.

    Parameters
    ----------
    trials
        ``subject, trial, file`` and, where known, ``start_s, end_s``: the trials table of the experiment. With a column
        ``recorded`` (times of recording that sort) the order of trials in different files is checked too.
    contents
        File to a fingerprint of its bytes: finds copies under another name.

    Examples
    --------
    >>> import pandas as pd
    >>> listed = pd.DataFrame({"subject": ["a", "a"], "trial": ["no_target", "target"], "file": ["x.mp4", "x.mp4"]})
    >>> [problem.code for problem in check_trial_list(listed)]
    ['same_file_twice']
    """
    rows = [
        {"start_s": float("nan"), "end_s": float("nan"), "recorded": None} | row for row in trials.to_dict("records")
    ]
    return _shared_recordings(rows, contents or {}) + _wrong_order(rows)


def _shared_recordings(rows: list[dict[Any, Any]], contents: Mapping[str, str]) -> list[Problem]:
    same: dict[str, list[dict[Any, Any]]] = {}
    for row in rows:
        same.setdefault(contents.get(row["file"], f"name {row['file']}"), []).append(row)
    return [
        _shared(earlier, row)
        for listed in same.values()
        for place, row in enumerate(listed)
        for earlier in listed[:place]
        if _overlap(earlier, row)
    ]


def _shared(earlier: Mapping[Any, Any], row: Mapping[Any, Any]) -> Problem:
    copy = "" if earlier["file"] == row["file"] else f", the same bytes as {earlier['file']}"
    first = f"subject {earlier['subject']!r} trial {earlier['trial']}"
    return Problem(
        code="same_file_twice",
        subject=str(row["subject"]),
        file=str(row["file"]),
        where=f"trial {row['trial']}",
        message=f"this recording{copy} also stands for {first}, and the times overlap",
        action="both are scored; correct the trials table",
    )


def _overlap(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two stretches of a recording share time; open ends reach to the next start, or to the end."""
    starts = [0.0 if np.isnan(row["start_s"]) else float(row["start_s"]) for row in (one, other)]
    ends = [np.inf if np.isnan(row["end_s"]) else float(row["end_s"]) for row in (one, other)]
    first = 0 if starts[0] <= starts[1] else 1
    later = 1 - first
    if np.isinf(ends[first]) and starts[later] > starts[first]:
        return False
    return bool(starts[later] < ends[first])


def _wrong_order(rows: list[dict[Any, Any]]) -> list[Problem]:
    problems = []
    for subject in dict.fromkeys(row["subject"] for row in rows):
        without = [row for row in rows if row["subject"] == subject and row["trial"] == "no_target"]
        target = [row for row in rows if row["subject"] == subject and row["trial"] == "target"]
        if without and target and _before(target[0], without[0]):
            problems.append(
                Problem(
                    code="trial_order",
                    subject=str(subject),
                    file=str(target[0]["file"]),
                    message="the target trial was recorded before the no-target trial",
                    action="scored as listed; check that the two are not swapped",
                )
            )
    return problems


def _before(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    if one["file"] == other["file"]:
        return bool(one["start_s"] < other["start_s"])
    recorded = one["recorded"], other["recorded"]
    known = all(value is not None and value == value and value != "" for value in recorded)
    return bool(known and recorded[0] < recorded[1])
