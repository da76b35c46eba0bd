"""What the assays other than the social interaction test share: one window scored by states such as zones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.calibration import Arena
from behavior.kinematics import Movement, immobile_frames
from behavior.reasons import Notes
from behavior.samples import Samples, TrialPart, collect_samples, trial_start
from behavior.score_options import ScoreOptions
from behavior.trial_checks import describe_window, refuse, trial_problems
from behavior.trial_measures import movement_measures, trial_movements
from behavior.zones import dwell, find_stays, first_stay
from core.problems import Problem

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["AssayScore", "score_assay"]

Bools = NDArray[np.bool_]
States = Mapping[str, Bools]

STATE_MEASURES = ("s", "share", "entries", "latency_s", "latency_censored", "distance_cm")
MOVEMENT = ("distance_cm", "distance_raw_cm", "velocity_cm_s", "immobile_s", "immobile_percent")


@dataclass(frozen=True)
class AssayScore:
    """One recording of an assay, scored.

    Parameters
    ----------
    row
        ``file, start_s, release_found, window_s, scored_s, observed_s, lost_percent, frames_per_s, gap_s,
        outside_percent``, movement, and for each state ``<state>_s`` (share of observed time, scaled to the window),
        ``_share, _entries, _latency_s, _latency_censored, _distance_cm``; then what the assay adds; ``note``.
    bins
        Time course: ``bin, start_s, observed_s, distance_cm`` and ``<state>_s`` per bin.
    problems
        What needs care, or was refused.
    """

    row: dict[str, Any]
    bins: list[dict[str, Any]]
    problems: list[Problem]


def score_assay(
    tracks: xr.Dataset,
    arena: Arena,
    *,
    states_of: Callable[[Samples], States],
    added: Callable[[Samples, Movement, States, Notes], dict[str, Any]] | None = None,
    names: Sequence[str],
    added_names: Sequence[str] = (),
    start_s: float | None = None,
    end_s: float | None = None,
    options: ScoreOptions | None = None,
    extra: Sequence[str] = (),
    prepare: Callable[[Samples], Samples] | None = None,
) -> AssayScore:
    """Scores one recording by the states that an assay defines.

    Parameters
    ----------
    tracks, arena
        The recording and where its zones lie.
    states_of
        Gives for each state whether the animal is in it, frame by frame; False where it is not seen.
    added
        Gives further values of the assay; it notes the reason of those that are NaN.
    names, added_names
        The states and the further values, which fill the row of a refused recording too.
    start_s, end_s
        Where the assay begins and ends in the recording; None = at the release, and with the window.
    options
        Scoring options; their window is the length of the assay.
    extra
        Further points that the states need, where the tracks have them.
    prepare
        Changes the samples after their losses were counted (what is not seen may still be known).
    """
    options = options or ScoreOptions()
    part = TrialPart(tracks=tracks, arena=arena, start_s=start_s, end_s=end_s)
    release = trial_start(part, options=options)
    samples = collect_samples([part], start_s=release.time_s, options=options, extra=extra)
    row: dict[str, Any] = {"subject": "", "trial": "", "file": str(tracks.attrs.get("source_file", ""))}
    row |= {"start_s": release.time_s, "release_found": release.found}
    row |= describe_window(samples, options=options)
    samples = samples if prepare is None else prepare(samples)
    notes, bins = Notes(), list[dict[str, Any]]()
    refusal = refuse(samples, options=options)
    measured = [*MOVEMENT, *(f"{name}_{what}" for name in names for what in STATE_MEASURES), *added_names]
    row |= dict.fromkeys(measured, float("nan"))
    if refusal:
        notes.add(refusal, *measured)
    else:
        smooth, raw = trial_movements(samples, options=options, notes=notes)
        immobile = immobile_frames(
            smooth.speed_cm_s, samples.duration_s, samples.run,
            below_cm_s=options.immobile_speed_cm_s, min_s=options.immobile_min_s,
        )  # fmt: skip
        row |= movement_measures(samples, smooth, raw, immobile, options=options, notes=notes)
        states = states_of(samples)
        for name in names:
            row |= _state_measures(samples, smooth, name, states[name], options)
        if added is not None:
            row |= added(samples, smooth, states, notes)
        bins = _time_course(samples, smooth, {name: states[name] for name in names}, options)
    problems = trial_problems([part], row, refusal, options=options, notes=notes)
    row["note"] = str(notes)
    return AssayScore(row, bins, problems)


def _state_measures(
    samples: Samples, movement: Movement, name: str, inside: Bools, options: ScoreOptions
) -> dict[str, Any]:
    stays = find_stays(
        inside, samples.observed, samples.time_s, samples.duration_s,
        min_stay_s=options.min_stay_s, min_absence_s=options.min_absence_s, bridge_s=options.bridge_s,
    )  # fmt: skip
    latency, censored = first_stay(stays, scored_s=samples.scored_s)
    share = dwell(inside, samples.duration_s) / samples.observed_s
    values = (
        share * options.window_s,
        share,
        len(stays),
        latency,
        censored,
        float(movement.step_cm[inside].sum()),
    )
    return {f"{name}_{what}": value for what, value in zip(STATE_MEASURES, values, strict=True)}


def _time_course(samples: Samples, movement: Movement, states: States, options: ScoreOptions) -> list[dict[str, Any]]:
    """Seconds and path by bin; each frame counts for the bin in which it begins."""
    number = np.floor((samples.time_s + 1e-6) / options.bin_s).astype(int)
    size = int(np.ceil(options.window_s / options.bin_s - 1e-9))

    def total(values: NDArray[Any]) -> list[float]:
        summed: list[float] = np.bincount(number, weights=values, minlength=size).astype(float).tolist()
        return summed

    columns = {"observed_s": total(samples.duration_s * samples.observed), "distance_cm": total(movement.step_cm)}
    columns |= {f"{name}_s": total(samples.duration_s * inside) for name, inside in states.items()}
    return [
        {"bin": place + 1, "start_s": place * options.bin_s} | {name: values[place] for name, values in columns.items()}
        for place in range(size)
    ]
