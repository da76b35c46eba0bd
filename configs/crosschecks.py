"""Mistakes that show only when several keys of an experiment file are seen together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from behavior.arena import ArenaOptions
from configs.faults import Fault, did_you_mean, listed
from configs.options import build_options
from configs.schema import Experiment

__all__ = ["BEHAVIOR_OUTCOMES", "cross_faults"]

#: Outcomes that the recordings give, by the name under which the config knows them.
BEHAVIOR_OUTCOMES = ("target_time", "si_ratio", "velocity_drop")

Path = tuple[str | int, ...]


def cross_faults(experiment: Experiment) -> list[Fault]:
    """All mistakes between keys, with their lines."""
    found = [
        *_content(experiment),
        *_roles(experiment),
        *_arenas(experiment),
        *_either_or(experiment),
        *_primary_outcome(experiment),
        *_date_format(experiment),
    ]
    return [_placed(experiment, path, **facts) for path, facts in found]


def _placed(experiment: Experiment, path: Path, **facts: Any) -> Fault:
    known = experiment.places
    while path and path not in known:
        path = path[:-1]
    place = known[path]
    dotted = ".".join(str(step) for step in path)
    return Fault(file=place.file, line=place.line if path else None, key=dotted, **facts)


Finding = tuple[Path, dict[str, Any]]


def _content(experiment: Experiment) -> Iterator[Finding]:
    if experiment.behavior is None and experiment.serum is None and experiment.outcomes is None:
        yield (
            (),
            {
                "message": "the experiment has no data",
                "expected": "at least one of the sections behavior, serum, outcomes",
            },
        )
    if experiment.subjects is None:
        yield (
            (),
            {
                "message": "the key `subjects` is missing",
                "expected": "the name of the table of subjects, like `subjects: subjects.csv`",
            },
        )
    if not experiment.roles.control and not experiment.roles.defeated:
        yield (
            ("roles",),
            {
                "message": "no group has a role",
                "expected": "`roles:` with `control: [GROUP]` and `defeated: [GROUP]`, named as in the subjects table",
            },
        )


def _roles(experiment: Experiment) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for role in ("control", "defeated", "other"):
        for group in getattr(experiment.roles, role):
            if seen.get(group, role) != role:
                yield (
                    ("roles", role),
                    {
                        "message": f"group {group!r} has two roles",
                        "found": f"it in {seen[group]} and in {role}",
                        "expected": "one role a group",
                    },
                )
            seen[group] = role


def _arenas(experiment: Experiment) -> Iterator[Finding]:
    if experiment.behavior is None:
        return
    for name, arena in experiment.behavior.arenas.items():
        path: Path = ("behavior", "arenas", name)
        if (arena.corners_px is None) == (arena.floor_px is None):
            both = arena.corners_px is not None
            yield (
                path,
                {
                    "message": f"arena {name!r} has {'two calibrations' if both else 'no calibration'}",
                    "expected": "either corners_px (four corners) or floor_px (left, top, right, bottom), in pixels",
                },
            )
            continue
        if arena.floor_px is not None:
            left, top, right, bottom = arena.floor_px
            if left >= right or top >= bottom:
                yield (
                    (*path, "floor_px"),
                    {
                        "message": "not a rectangle",
                        "found": listed(f"{value:g}" for value in arena.floor_px),
                        "expected": "left, top, right, bottom, with left < right and top < bottom",
                    },
                )
                continue
        elif not _clockwise(arena.floor_corners_px):
            yield (
                (*path, "corners_px"),
                {
                    "message": "the corners are not in order",
                    "found": listed(f"[{x:g}, {y:g}]" for x, y in arena.floor_corners_px),
                    "expected": "top left, top right, bottom right, bottom left, as seen",
                },
            )
            continue
        yield from _arena_sizes(experiment, name, path)


def _clockwise(corners: Sequence[tuple[float, float]]) -> bool:
    """Each corner turns right (as seen, y down), and the first is the one at the upper left of the second."""
    turns = []
    for number in range(4):
        (ax, ay), (bx, by), (cx, cy) = (corners[(number + step) % 4] for step in range(3))
        turns.append((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
    return all(turn > 0 for turn in turns) and corners[0][0] < corners[1][0]


def _arena_sizes(experiment: Experiment, name: str, path: Path) -> Iterator[Finding]:
    from dataclasses import asdict

    assert experiment.behavior is not None
    common, own = asdict(experiment.behavior.geometry), experiment.behavior.arenas[name].changes()
    try:
        build_options(ArenaOptions, own, over=common)
    except PydanticCustomError as error:
        refused = (error.context or {})["refused"]
        for key, said in refused.items():
            yield (*path, key), {"message": str(said)}


def _either_or(experiment: Experiment) -> Iterator[Finding]:
    serum = experiment.serum
    if serum is not None and (serum.file is None) == (serum.files is None):
        yield (
            ("serum",),
            {
                "message": "two keys for the serum files" if serum.file else "no serum file is named",
                "expected": "either `file: NAME` or `files: [NAME, NAME]`",
            },
        )
    declared = experiment.statistics.th2_set
    if (declared.axis is None) == (not declared.proteins):
        yield (
            ("statistics", "th2_set"),
            {
                "message": "the declared set is both an axis and a list"
                if declared.axis
                else "the declared set is empty",
                "expected": "either `axis: Th2` or `proteins: [Il4, Il5, Il13]`",
            },
        )


def _primary_outcome(experiment: Experiment) -> Iterator[Finding]:
    allowed = list(BEHAVIOR_OUTCOMES) if experiment.behavior is not None else []
    allowed += list(experiment.outcomes.columns) if experiment.outcomes is not None else []
    chosen = experiment.statistics.primary_outcome
    if allowed and chosen not in allowed:
        near = did_you_mean(chosen, allowed)
        yield (
            ("statistics", "primary_outcome"),
            {
                "message": "the primary outcome is not among the outcomes of this experiment",
                "found": repr(chosen),
                "expected": f"one of {listed(allowed)}",
                "remedy": f"did you mean {near!r}?" if near else None,
            },
        )


def _date_format(experiment: Experiment) -> Iterator[Finding]:
    written = experiment.date_format
    if written is None:
        return
    days = [dt.datetime(2026, 3, 27), dt.datetime(1999, 12, 4)]
    try:
        good = all(dt.datetime.strptime(day.strftime(written), written).date() == day.date() for day in days)
    except ValueError:
        good = False
    if not good:
        yield (
            ("date_format",),
            {
                "message": "this format does not give back a day",
                "found": repr(written),
                "expected": "day %d, month %m (or %b), year %Y with what stands between them, like '%d/%m/%Y'",
            },
        )
