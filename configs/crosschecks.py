"""Mistakes that show only when several keys of an experiment file are seen together."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from pydantic_core import PydanticCustomError

from behavior.arena import ArenaOptions
from configs.columns import SUBJECTS
from configs.faults import Fault, listed, suggestion
from configs.options import build_options, explain_refusal
from configs.record_tables import record_columns
from configs.schema import ArenaCalibration, Experiment, Statistics
from integration.association import AssociationOptions

__all__ = ["cross_faults"]

Path = tuple[str | int, ...]
Finding = tuple[Path, dict[str, Any]]


def cross_faults(experiment: Experiment, *, mistaken: Collection[Path] = ()) -> list[Fault]:
    """All mistakes between keys, with their lines.

    Parameters
    ----------
    experiment
        As far as it could be read.
    mistaken
        Paths of keys that were left out of it because they are mistaken; sections that lack them are not blamed.
    """
    found = [
        *_content(experiment),
        *_roles(experiment),
        *_arenas(experiment),
        *_serum_files(experiment),
        *_people_files(experiment),
        *_declared_set(experiment),
        *_outcome_names(experiment),
        *_primary_outcome(experiment),
        *_date_format(experiment),
    ]
    return [
        _placed(experiment, path, **facts)
        for path, facts in found
        if not any(wrong[: len(path)] == path for wrong in mistaken)
    ]


def _placed(experiment: Experiment, path: Path, **facts: Any) -> Fault:
    known = experiment.places
    while path and path not in known:
        path = path[:-1]
    place = known[path]
    return Fault(file=place.file, line=place.line if path else None, key=".".join(map(str, path)), **facts)


def _finding(*path: str | int, message: str, **facts: str | None) -> Finding:
    return path, {"message": message, **facts}


def _content(experiment: Experiment) -> Iterator[Finding]:
    sections = (experiment.behavior, experiment.serum, experiment.outcomes, experiment.people)
    if all(section is None for section in sections):
        expected = "at least one of the sections behavior, serum, outcomes, people"
        yield _finding(message="the experiment has no data", expected=expected)
    if experiment.subjects is None:
        expected = "the name of the table of subjects, like `subjects: subjects.csv`"
        yield _finding(message="the key `subjects` is missing", expected=expected)
    # Without recordings nobody is classed, and a study of mice that are all alike has neither role.
    roles = experiment.roles
    if not roles.control and not roles.defeated and (experiment.behavior is not None or not roles.other):
        expected = "`roles:` with `control: [GROUP]` and `defeated: [GROUP]`, named as in the subjects table"
        yield _finding("roles", message="no group has a role", expected=expected)


def _roles(experiment: Experiment) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for role in ("control", "defeated", "other"):
        for group in getattr(experiment.roles, role):
            if seen.setdefault(group, role) != role:
                found = f"it in {seen[group]} and in {role}"
                message = f"group {group!r} has two roles"
                yield _finding("roles", role, message=message, found=found, expected="one role a group")


def _arenas(experiment: Experiment) -> Iterator[Finding]:
    if experiment.behavior is None:
        return
    for name, arena in experiment.behavior.arenas.items():
        path: Path = ("behavior", "arenas", name)
        ways = (arena.corners_px is not None) + (arena.floor_px is not None) + arena.find
        if ways != 1:
            number = ("no calibration", "", "two calibrations", "three calibrations")[ways]
            expected = (
                "either corners_px (four corners) or floor_px (left, top, right, bottom), in pixels, or find: true"
            )
            yield _finding(*path, message=f"arena {name!r} has {number}", expected=expected)
        elif not arena.find:
            yield from _calibration(arena, path)
        elif arena.lens is not None or arena.middles_px is not None:
            key = "lens" if arena.lens is not None else "middles_px"
            expected = "corners_px (four corners) with it; the floor is looked for by straight edges"
            yield _finding(*path, key, message=f"{key} together with find: true", expected=expected)
        yield from _arena_sizes(experiment, name, path)


def _calibration(arena: ArenaCalibration, path: Path) -> Iterator[Finding]:
    if arena.floor_px is not None:
        left, top, right, bottom = arena.floor_px
        if left >= right or top >= bottom:
            found = listed(f"{value:g}" for value in arena.floor_px)
            expected = "left, top, right, bottom, with left < right and top < bottom"
            yield _finding(*path, "floor_px", message="not a rectangle", found=found, expected=expected)
    elif not _clockwise(arena.floor_corners_px):
        found = listed(f"[{x:g}, {y:g}]" for x, y in arena.floor_corners_px)
        expected = "top left, top right, bottom right, bottom left, as seen"
        yield _finding(*path, "corners_px", message="the corners are not in order", found=found, expected=expected)


def _clockwise(corners: Sequence[tuple[float, float]]) -> bool:
    """Each corner turns right (as seen, y down), and the second lies to the right of the first."""
    turns = []
    for number in range(4):
        (ax, ay), (bx, by), (cx, cy) = (corners[(number + step) % 4] for step in range(3))
        turns.append((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
    return all(turn > 0 for turn in turns) and corners[0][0] < corners[1][0]


def _arena_sizes(experiment: Experiment, name: str, path: Path) -> Iterator[Finding]:
    """What an arena changes must fit together with the common geometry."""
    assert experiment.behavior is not None
    common, own = asdict(experiment.behavior.geometry), experiment.behavior.arenas[name].changes()
    try:
        build_options(ArenaOptions, own, over=common)
    except PydanticCustomError as error:
        for key, said in (error.context or {})["refused"].items():
            yield _finding(*path, key, **explain_refusal(said))


def _serum_files(experiment: Experiment) -> Iterator[Finding]:
    serum = experiment.serum
    if serum is not None and (serum.file is None) == (serum.files is None):
        message = "two keys for the serum files" if serum.file else "no serum file is named"
        yield _finding("serum", message=message, expected="either `file: NAME` or `files: [NAME, NAME]`")


def _people_files(experiment: Experiment) -> Iterator[Finding]:
    people = experiment.people
    if people is not None and (people.file is None) == (people.files is None):
        message = "two keys for the files of people's serum" if people.file else "no file of people's serum is named"
        yield _finding("people", message=message, expected="either `file: NAME` or `files: [NAME, NAME]`")


def _declared_set(experiment: Experiment) -> Iterator[Finding]:
    declared = experiment.statistics.th2_set
    if (declared.axis is None) == (not declared.proteins):
        message = "the declared set is both an axis and a list" if declared.axis else "the declared set is empty"
        expected = "either `axis: Th2` or `proteins: [Il4, Il5, Il13]`"
        yield _finding("statistics", "th2_set", message=message, expected=expected)


def _outcome_names(experiment: Experiment) -> Iterator[Finding]:
    """Declared outcomes have names of their own, for they stand beside the subjects' columns and our outcomes."""
    taken = {column.name: "a column of the subjects table" for column in SUBJECTS}
    taken |= dict.fromkeys(("role", "excluded", "sample", "plate", "bleed"), "a column of the results")
    taken |= dict.fromkeys(AssociationOptions().outcomes, "an outcome of the recordings")
    taken |= dict.fromkeys(record_columns(experiment), "a column of the hand-kept records")
    for name in experiment.outcomes.columns if experiment.outcomes is not None else ():
        if name in taken:
            message = f"the name {name!r} is that of {taken[name]}"
            yield _finding("outcomes", "columns", name, message=message, remedy="give the outcome another name")


def _primary_outcome(experiment: Experiment) -> Iterator[Finding]:
    chosen = experiment.statistics.primary_outcome
    allowed = experiment.model_copy(update={"statistics": Statistics()}).outcome_names
    if allowed and chosen is not None and chosen not in allowed:
        yield _finding(
            "statistics",
            "primary_outcome",
            message="the primary outcome is not among the outcomes of this experiment",
            found=repr(chosen),
            expected=f"one of {listed(allowed)}",
            remedy=suggestion(chosen, allowed),
        )


def _date_format(experiment: Experiment) -> Iterator[Finding]:
    written = experiment.date_format
    if written is None:
        return
    days = [dt.datetime(2026, 3, 27), dt.datetime(1999, 12, 4)]
    try:
        good = all(dt.datetime.strptime(day.strftime(written), written).date() == day.date() for day in days)
    except (ValueError, re.error):  # strptime makes a regular expression of it, and some make none
        good = False
    if not good:
        expected = "day %d, month %m (or %b), year %Y with what stands between them, like '%d/%m/%Y'"
        message = "this format does not give back a day"
        yield _finding("date_format", message=message, found=repr(written), expected=expected)
