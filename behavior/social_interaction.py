"""The social interaction test: one trial scored from its tracks, and the two trials of each mouse brought together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from behavior.animal_scores import AnimalScores, score_animals
from behavior.arena import Arena
from behavior.classes import ClassOptions
from behavior.reasons import Notes
from behavior.samples import TrialPart, collect_samples, trial_start
from behavior.score_options import ExclusionOptions, ScoreOptions
from behavior.trial_checks import describe_window, refuse, trial_problems
from behavior.trial_measures import MEASURES, measure_trial
from core.problems import Problem

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "TRIAL_COLUMNS",
    "AnimalScores",
    "ClassOptions",
    "ExclusionOptions",
    "ScoreOptions",
    "TrialPart",
    "TrialScore",
    "score_animals",
    "score_parts",
    "score_trial",
]

#: Columns of the trials table.
TRIAL_COLUMNS = (
    "subject",
    "trial",
    "file",
    "point",
    "start_s",
    "release_found",
    "window_s",
    "scored_s",
    "observed_s",
    "lost_percent",
    *MEASURES,
    "frames_per_s",
    "gap_s",
    "outside_percent",
    "filled_percent",
    "note",
)


@dataclass(frozen=True)
class TrialScore:
    """One row of the trials table.

    Parameters
    ----------
    row
        Values by the names of `TRIAL_COLUMNS`.
    problems
        What needs care or was refused.
    bins
        The trial's time course, one row per bin (`behavior.trial_measures.measure_trial`), with subject and trial.
    """

    row: dict[str, Any]
    problems: list[Problem]
    bins: list[dict[str, Any]]


def score_trial(
    tracks: xr.Dataset,
    arena: Arena,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    options: ScoreOptions | None = None,
    subject: str = "",
    trial: str = "",
) -> TrialScore:
    """Scores a trial that lies in one recording.

    Parameters
    ----------
    tracks
        Tracks in px or cm (attr ``space_unit``), with one individual.
    arena
        Zones and calibration of the recording.
    start_s, end_s
        Where the trial begins and ends in the recording, in s; None = at the release, and with the window.
    options
        Scoring options.
    subject, trial
        Ids for the row and the problems.

    Raises
    ------
    InputError
        If the tracks lack the point that counts, hold several animals, or end before ``start_s``.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
    >>> arena = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))
    >>> position = np.full((1500, 2, 1, 1), 210.0)
    >>> position[:300, 1] = 100.0
    >>> tracks = xr.Dataset({"position": (("time", "space", "keypoint", "individual"), position)},
    ...                     coords={"time": np.arange(1500) / 10, "keypoint": ["centre"]})
    >>> row = score_trial(tracks, arena).row
    >>> round(row["iz_s"], 6), row["iz_entries"], round(row["distance_cm"], 6)
    (30.0, 1, 11.0)
    """
    part = TrialPart(tracks=tracks, arena=arena, start_s=start_s, end_s=end_s)
    return score_parts([part], options=options, subject=subject, trial=trial)


def score_parts(
    parts: Sequence[TrialPart], *, options: ScoreOptions | None = None, subject: str = "", trial: str = ""
) -> TrialScore:
    """Scores a trial whose recording may lie in several files, in the order given.

    Raises
    ------
    InputError
        As `score_trial`.
    ValueError
        If there is no part.
    """
    if not parts:
        raise ValueError("a trial needs at least one recording")
    options = options or ScoreOptions()
    release = trial_start(parts[0], options=options)
    samples = collect_samples(parts, start_s=release.time_s, options=options, extra=("nose",))
    row: dict[str, Any] = dict.fromkeys(TRIAL_COLUMNS, float("nan"))
    row |= describe_window(samples, options=options)
    row |= {
        "subject": subject,
        "trial": trial,
        "file": " + ".join(str(part.tracks.attrs.get("source_file", "")) for part in parts),
        "point": options.point,
        "start_s": release.time_s,
        "release_found": release.found,
    }
    notes, bins = Notes(), list[dict[str, Any]]()
    refusal = refuse(samples, options=options)
    if refusal:
        notes.add(refusal, *MEASURES)
        row["iz_latency_censored"] = None
    else:
        measures, bins = measure_trial(samples, parts[0].arena, options=options, notes=notes)
        row |= measures
    problems = trial_problems(parts, row, refusal, options=options, notes=notes)
    row["note"] = str(notes)
    return TrialScore(row, problems, [{"subject": subject, "trial": trial, **line} for line in bins])
