"""What is said of every scored trial: its window, why it is refused, what needs care."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from behavior.reasons import Notes
from behavior.samples import Samples, TrialPart
from behavior.score_options import ScoreOptions
from core.problems import Problem

__all__ = ["describe_window", "refuse", "trial_problems"]


def describe_window(samples: Samples, *, options: ScoreOptions) -> dict[str, float]:
    """Recorded and observed time of the scored window, by the column names of the trials table."""
    scored, nan = samples.scored_s, float("nan")
    outside_s = float(samples.duration_s[samples.outside].sum())
    return {
        "window_s": options.window_s,
        "scored_s": scored,
        "observed_s": samples.observed_s,
        "lost_percent": 100 * (1 - samples.observed_s / scored) if scored > 0 else nan,
        "frames_per_s": samples.rate_hz,
        "gap_s": samples.gap_s,
        "outside_percent": 100 * outside_s / scored if scored > 0 else nan,
        "filled_percent": 100 * float(samples.duration_s[samples.filled].sum()) / scored if scored > 0 else nan,
    }


def refuse(samples: Samples, *, options: ScoreOptions) -> str:
    """Reason code for which a trial is not scored; '' if it is."""
    if samples.scored_s < options.refuse_below * options.window_s - 1e-6:
        return "trial_refused"
    if samples.observed_s <= 0:
        return "never_seen"
    return "mostly_unseen" if samples.observed_s < options.refuse_seen_below * samples.scored_s - 1e-6 else ""


def trial_problems(
    parts: Sequence[TrialPart], row: dict[str, Any], refusal: str, *, options: ScoreOptions, notes: Notes
) -> list[Problem]:
    """What needs care in a trial, as problems, and its codes in the note.

    Parameters
    ----------
    parts
        The trial's recordings, for their names and damage.
    row
        The row of the trials table, with `describe_window` in it.
    refusal
        What `refuse` gave.
    notes
        Receives the codes.
    """
    found = _length_problems(row, refusal, options, notes) + _sight_problems(row, refusal, options, notes)
    file, where = row["file"], f"trial {row['trial']}" if row["trial"] else ""
    problems = [
        Problem(code=code, subject=row["subject"], file=file, where=where, message=message, action=action)
        for code, message, action in found
    ]
    for part in parts:
        damage, name = part.tracks.attrs.get("damage", ""), str(part.tracks.attrs.get("source_file", ""))
        if damage:
            problem = Problem(
                code="damaged_file", subject=row["subject"], file=name, where=where, message=damage,
                action="scored up to the damage",
            )  # fmt: skip
            problems.append(problem)
    return problems


def _length_problems(
    row: dict[str, Any], refusal: str, options: ScoreOptions, notes: Notes
) -> list[tuple[str, str, str]]:
    window, scored = options.window_s, row["scored_s"]
    length = f"{scored:.2f} s of the {window:g} s window recorded ({scored / window:.1%})"
    found: list[tuple[str, str, str]] = []
    if refusal == "trial_refused":
        found.append(("trial_refused", f"{length}; at least {options.refuse_below:.0%} needed", "not scored"))
    elif scored < options.warn_below * window - 1e-6:
        found.append(("short_trial", length, "scored; times scaled from the scored time"))
        notes.add("short_trial")
    if not row["release_found"]:
        message = f"no release found; scored from the first frame ({row['start_s']:.3f} s)"
        found.append(("release_not_found", message, "set start_s in the trials table to override"))
        notes.add("release_not_found")
    if row["gap_s"] > 0:
        message = f"no frames for {row['gap_s']:.2f} s within the window"
        found.append(("frame_gaps", message, "that time counts as not recorded"))
    return found


def _sight_problems(
    row: dict[str, Any], refusal: str, options: ScoreOptions, notes: Notes
) -> list[tuple[str, str, str]]:
    lost = row["lost_percent"]
    found: list[tuple[str, str, str]] = []
    if refusal == "never_seen":
        found.append(("mostly_unseen", "the animal is never seen in the window", "not scored"))
    elif refusal == "mostly_unseen":
        message = f"animal not seen in {lost:.1f} % of the recorded time"
        found.append(("mostly_unseen", f"{message}; must be seen in {options.refuse_seen_below:.0%}", "not scored"))
    elif np.isfinite(lost) and lost > options.lost_limit_percent:
        message = f"animal not seen in {lost:.1f} % of the recorded time; limit {options.lost_limit_percent:g} %"
        found.append(("lost_frames", message, "scored on the time seen"))
        notes.add("lost_frames")
    if row["filled_percent"] > 0:
        message = (
            f"{row['filled_percent']:.2f} % of the recorded time interpolated over gaps up to {options.fill_gaps_s:g} s"
        )
        found.append(("filled_gaps", message, "counted as seen"))
        notes.add("filled_gaps")
    if row["frames_per_s"] < options.low_rate_hz:
        message = f"{row['frames_per_s']:.2f} frames a second; movement needs {options.low_rate_hz:g}"
        found.append(("sparse_frames", message, "distance, velocity and immobility from raw positions"))
    if row["outside_percent"] > 1:
        message = (
            f"tracked more than {options.wall_tolerance_cm:g} cm outside the floor in {row['outside_percent']:.1f} %"
        )
        found.append(("outside_floor", message, "that time counts as not seen; check the arena corners"))
    return found
