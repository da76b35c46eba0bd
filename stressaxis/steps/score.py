"""Step: both trials of one subject, scored from their tracks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.labels import file_stem
from core.problems import Problem
from stressaxis.stepfiles import read_table, write_facts, write_problems
from stressaxis.steps.track import LOOKS, TRACKS

if TYPE_CHECKING:
    from behavior.arena import ArenaOptions
    from behavior.lens import Lens
    from behavior.quality import RecordingQuality
    from behavior.samples import TrialPart
    from behavior.score_options import ScoreOptions

__all__ = ["SCORES", "TRACKS_FOLDER", "PartPlan", "score_subject"]

SCORES = "scores.json"
TRACKS_FOLDER = "tracks"


@dataclass(frozen=True, kw_only=True)
class PartPlan:
    """One row of the trials table, as the scoring step needs it.

    Parameters
    ----------
    trial
        ``no_target`` or ``target``.
    file
        The recording as the trials table names it.
    task
        Id of the task that tracks the recording; empty if it could not be opened.
    arena, arena_name
        Sizes of the arena, and its name in the config.
    corners_px
        The four floor corners in the picture.
    start_s, end_s
        Times of the trials table; None where it gives none.
    lens
        Distortion of the picture.
    """

    trial: str
    file: str
    task: str
    arena: ArenaOptions
    arena_name: str
    corners_px: tuple[tuple[float, float], ...]
    start_s: float | None
    end_s: float | None
    lens: Lens | None = None


def score_subject(
    output: Path,
    *,
    needs: Mapping[str, Path | None],
    subject: str,
    parts: Sequence[PartPlan],
    options: ScoreOptions,
) -> None:
    """Score the trials of a subject; write the tracks and ``scores.json``.

    ``rows`` are those of the trials table, ``bins`` the time courses, ``recordings`` the quality of each recording,
    ``paths`` some places of each, by which copies are told. A trial of which a recording could not be tracked is not
    scored from the rest of it.
    """
    from behavior.quality import add_flags
    from behavior.social_interaction import score_parts
    from behavior.swapped_trials import check_enclosures
    from behavior.tracks import copy_tracks

    rows: list[dict[str, Any]] = []
    bins: list[dict[str, Any]] = []
    recordings: list[dict[str, Any]] = []
    paths: list[dict[str, Any]] = []
    problems: list[Problem] = []
    (output / TRACKS_FOLDER).mkdir()
    for trial in dict.fromkeys(part.trial for part in parts):
        planned = [part for part in parts if part.trial == trial]
        recorded = [_trial_part(part, needs) for part in planned]
        ready = [part for part in recorded if part is not None]
        for number, (part, plan) in enumerate(zip(recorded, planned, strict=True), start=1):
            place = needs.get(plan.task)
            if part is not None and place is not None:
                name = file_stem(subject, trial, *([str(number)] if len(planned) > 1 else []))
                label = _label(part, subject=subject, plan=plan)
                copy_tracks(place / TRACKS, output / TRACKS_FOLDER / f"{name}.nc", label)
        if len(ready) < len(planned):
            problems.append(_not_tracked(subject, trial, planned, needs))
            continue
        score = score_parts(ready, options=options, subject=subject, trial=trial)
        rows.append(score.row)
        bins += score.bins
        problems += score.problems
        for part, plan in zip(ready, planned, strict=True):
            start_s = score.row["start_s"] if part is ready[0] else part.start_s
            quality, places = _recording(part, plan, needs, start_s=start_s, window_s=options.window_s)
            labels = {"subject": subject, "trial": trial, "file": plan.file}
            recordings.append({**labels, **quality.row, "file": plan.file})
            paths.append({**labels, "places": places})
            problems += [replace(problem, subject=subject, file=plan.file) for problem in quality.problems]
    between = check_enclosures(recordings)
    add_flags(recordings, between)
    problems += between
    write_facts({"rows": rows, "bins": bins, "recordings": recordings, "paths": paths}, output / SCORES)
    write_problems(problems, output)


def _recording(
    part: TrialPart, plan: PartPlan, needs: Mapping[str, Path | None], *, start_s: float | None, window_s: float
) -> tuple[RecordingQuality, list[list[float]]]:
    """Quality of one recording of a trial, and places of the path in it."""
    from behavior.quality import check_recording
    from behavior.same_recording import path_places

    folder = needs[plan.task]
    assert folder is not None
    begin = 0.0 if start_s is None else start_s
    # A second trial may follow in the same file.
    end_s = begin + window_s if part.end_s is None else min(part.end_s, begin + window_s)
    looks = read_table(folder / LOOKS)
    quality = check_recording(part.tracks, part.arena, start_s=start_s, end_s=end_s, looks=looks)
    return quality, path_places(part.tracks, part.arena, start_s=start_s)


def _trial_part(part: PartPlan, needs: Mapping[str, Path | None]) -> TrialPart | None:
    from behavior.arena import build_arena
    from behavior.samples import TrialPart
    from behavior.tracks import read_tracks

    folder = needs.get(part.task)
    if folder is None:
        return None
    arena = build_arena(part.arena, corners_px=part.corners_px, lens=part.lens)
    return TrialPart(tracks=read_tracks(folder / TRACKS), arena=arena, start_s=part.start_s, end_s=part.end_s)


def _label(part: TrialPart, *, subject: str, plan: PartPlan) -> dict[str, str]:
    """What a reader of a track needs to make sense of it alone: whose it is, and the way from px to cm."""
    return {
        "subject": subject,
        "trial": plan.trial,
        "arena": plan.arena_name,
        "px_to_cm": json.dumps(part.arena.image_to_cm.params.tolist()),
        **({} if part.arena.lens is None else {"lens": json.dumps(asdict(part.arena.lens))}),
    }


def _not_tracked(subject: str, trial: str, parts: Sequence[PartPlan], needs: Mapping[str, Path | None]) -> Problem:
    missing = [part.file for part in parts if needs.get(part.task) is None]
    return Problem(
        code="trial_missing",
        subject=subject,
        file=" + ".join(missing),
        where=f"trial {trial}",
        message=f"{len(missing)} of {len(parts)} recording(s) of the trial could not be tracked",
        action="trial not scored; no ratio for this subject",
    )
