"""From an experiment and its tables to the tasks of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.problems import Problem, from_error
from stressaxis.engine import Task
from stressaxis.inputs import InputFile
from stressaxis.regions import RegionMemory
from stressaxis.steps.score import PartPlan
from stressaxis.steps.statistics import LIBRARIES, StatisticsPlan

if TYPE_CHECKING:
    import pandas as pd

    from behavior.region import Region
    from configs.schema import Experiment
    from configs.tables import Tables

__all__ = ["Plan", "check_names", "declared_symbols", "plan_run"]

_BEHAVIOR = ("behavior",)


@dataclass(frozen=True)
class Plan:
    """The tasks of a run, and what was seen to be wrong before any of them.

    Parameters
    ----------
    tasks
        In the order in which they are best started.
    problems
        Recordings that cannot be used, zones cut by the picture.
    """

    tasks: list[Task]
    problems: list[Problem]


def plan_run(
    experiment: Experiment,
    tables: Tables,
    *,
    recordings: Mapping[str, InputFile],
    facts: Mapping[str, Mapping[str, Any]],
    serum_files: Sequence[InputFile],
    people_files: Sequence[InputFile] = (),
    regions: RegionMemory | None = None,
) -> Plan:
    """Plan what must be worked on.

    Parameters
    ----------
    experiment, tables
        What the experiment is.
    recordings
        Name in the trials table to the file, for those that could be read.
    facts
        Name in the trials table to what the recording says about itself, for those that could be opened.
    serum_files
        The serum files in the order of the config; empty without serum.
    people_files
        The same of people's serum.
    regions
        Where arenas lie in the picture, as known from earlier runs; what is new is added.
    """
    tasks: list[Task] = []
    problems: list[Problem] = []
    subjects = _records(tables.subjects)
    # Long and needed by little: begun last, they would keep one worker busy while the others wait.
    if people_files and experiment.people is not None:
        tasks.append(_people(experiment, tables, people_files))
    if serum_files and experiment.serum is not None:
        tasks.append(_serum(experiment, tables, serum_files))
    if experiment.behavior is not None and tables.trials is not None:
        known = regions or RegionMemory(experiment.behavior)
        tracks, scores, problems = _recorded(experiment, tables.trials, recordings, facts, known)
        problems += _listed(tables.trials, recordings)
        tasks += [*tracks, *scores, _animals(experiment, subjects, [task.id for task in scores])]
    with_records = _records(tables.subjects_with_records)
    tasks += _statistics(experiment, tables, with_records, [task.id for task in tasks])
    return Plan(tasks, problems)


def _records(frame: pd.DataFrame | None) -> tuple[dict[str, Any], ...]:
    if frame is None:
        return ()
    return tuple({str(name): value for name, value in row.items()} for row in frame.to_dict("records"))


def _recorded(
    experiment: Experiment,
    trials: pd.DataFrame,
    recordings: Mapping[str, InputFile],
    facts: Mapping[str, Mapping[str, Any]],
    regions: RegionMemory,
) -> tuple[list[Task], list[Task], list[Problem]]:
    """One tracking task for each recording and region, one scoring task for each subject."""
    tracks: dict[str, Task] = {}
    parts: dict[str, list[PartPlan]] = {}
    problems: list[Problem] = []
    for row in _records(trials.sort_values(["subject", "trial", "start_s"], kind="stable")):
        task: Task | None = None
        if row["file"] in facts:
            try:
                region, mark, found = regions.region(row["arena"], facts[row["file"]], row["file"])
                problems += [replace(problem, file=row["file"]) for problem in found]
                task = _track(experiment, recordings[row["file"]], region, mark, facts[row["file"]])
            except InputError as error:
                problems.append(
                    from_error(
                        error, subject=row["subject"], file=row["file"], action="trial not tracked; the rest went on"
                    )
                )
        if task is not None:
            tracks.setdefault(task.id, task)
        parts.setdefault(row["subject"], []).append(_part(experiment, row, "" if task is None else task.id))
    scores = [_score(experiment, subject, planned) for subject, planned in parts.items()]
    return list(tracks.values()), scores, problems


def _listed(trials: pd.DataFrame, recordings: Mapping[str, InputFile]) -> list[Problem]:
    """Copies among the recordings, and trials in the wrong order."""
    from behavior.trial_list import check_copies, check_order

    contents = {name: file.fingerprint for name, file in recordings.items()}
    return [*check_copies(trials, contents=contents), *check_order(trials)]


def _track(experiment: Experiment, file: InputFile, region: Region, mark: str, facts: Mapping[str, Any]) -> Task:
    assert experiment.behavior is not None
    options = {"region": region, "options": experiment.behavior.tracking}
    key = {**options, "name": file.path.name}
    frames = facts["n_frames"] or (facts["duration_s"] or 60.0) * (facts["fps"] or 25.0)
    return Task(
        id=f"track {file.name} {mark}",
        function="stressaxis.steps.track:track_recording",
        packages=_BEHAVIOR,
        options={**options, "path": str(file.path)},
        key_options=key,
        marks={str(file.path): file.mark},
        inputs=(file.fingerprint,),
        # Scaling down makes the cost of a frame depend less on the size of the picture than the picture does.
        weight=float(frames) * (1 + facts["width"] * facts["height"] / 300_000),
        frames=float(frames),
        file=file.name,
    )


def _part(experiment: Experiment, row: Mapping[str, Any], task: str) -> PartPlan:
    assert experiment.behavior is not None
    return PartPlan(
        trial=row["trial"],
        file=row["file"],
        task=task,
        arena=experiment.behavior.arena_options(row["arena"]),
        arena_name=row["arena"],
        # A recording without corners has no task; nothing is scored from it.
        corners_px=experiment.behavior.arenas[row["arena"]].floor_corners_px if task else (),
        lens=experiment.behavior.arenas[row["arena"]].lens,
        start_s=None if row["start_s"] != row["start_s"] else float(row["start_s"]),
        end_s=None if row["end_s"] != row["end_s"] else float(row["end_s"]),
    )


def _score(experiment: Experiment, subject: str, parts: Sequence[PartPlan]) -> Task:
    assert experiment.behavior is not None
    return Task(
        id=f"score {subject}",
        function="stressaxis.steps.score:score_subject",
        packages=_BEHAVIOR,
        options={"subject": subject, "parts": tuple(parts), "options": experiment.behavior.scoring},
        needs=tuple(sorted({part.task for part in parts if part.task})),
        weight=50.0,
        subject=subject,
    )


def _roles(experiment: Experiment) -> dict[str, tuple[str, ...]]:
    return {"control": experiment.roles.control, "defeated": experiment.roles.defeated}


def _animals(experiment: Experiment, subjects: Sequence[Mapping[str, Any]], needs: Sequence[str]) -> Task:
    behavior = experiment.behavior
    assert behavior is not None
    return Task(
        id="animals",
        function="stressaxis.steps.animals:bring_animals_together",
        packages=_BEHAVIOR,
        options={
            "subjects": tuple(subjects),
            "roles": _roles(experiment),
            "arenas": {name: behavior.arena_options(name) for name in behavior.arenas},
            "excluded": {row["subject"]: row["exclude"] for row in subjects if row.get("exclude")},
            "exclude": behavior.exclude.rules,
            "classes": behavior.classes,
            "seed": experiment.seed,
        },
        needs=tuple(needs),
        weight=200.0,
    )


def _serum(experiment: Experiment, tables: Tables, files: Sequence[InputFile]) -> Task:
    assert experiment.serum is not None
    options = {
        "names": tuple(file.name for file in files),
        "format": experiment.serum.format,
        "reading": experiment.serum.reading,
        "samples": _records(tables.serum_samples),
    }
    return Task(
        id="serum",
        function="stressaxis.steps.serum:read_serum_files",
        packages=("proteomics",),
        options={**options, "paths": tuple(str(file.path) for file in files)},
        key_options=options,
        inputs=tuple(file.fingerprint for file in files),
        marks={str(file.path): file.mark for file in files},
        weight=1000.0,
    )


def _people(experiment: Experiment, tables: Tables, files: Sequence[InputFile]) -> Task:
    people = experiment.people
    assert people is not None
    options = {
        "names": tuple(file.name for file in files),
        "format": people.format,
        "reading": people.reading,
        "samples": _records(tables.people_samples),
        "samples_file": people.samples.file,
        "questions": people.questions,
        "seed": experiment.seed,
    }
    return Task(
        id="people",
        function="stressaxis.steps.people:analyse_people_serum",
        packages=("integration",),
        options={**options, "paths": tuple(str(file.path) for file in files)},
        key_options=options,
        inputs=tuple(file.fingerprint for file in files),
        marks={str(file.path): file.mark for file in files},
        weight=5000.0,
    )


def declared_symbols(experiment: Experiment) -> tuple[str, ...]:
    """Gene symbols of the declared Th2 set in the experiment's species."""
    from proteomics.axes import axis_members

    declared = experiment.statistics.th2_set
    if declared.proteins is not None:
        return tuple(declared.proteins)
    if experiment.serum is None:
        return ()
    members = axis_members(experiment.serum.species)
    return tuple(
        member.symbol for member in members if member.axis == declared.axis and member.role == "core" and member.symbol
    )


def check_names(experiment: Experiment) -> None:
    """Names in the config that only the science packages know: axes and serum formats.

    Raises
    ------
    ConfigError
        With the line of the key and the names there are.
    """
    from configs.loading import refuse
    from proteomics.axes import axis_names
    from proteomics.readers import READERS

    axis, known = experiment.statistics.th2_set.axis, axis_names()
    if axis is not None and axis not in known:
        refuse(experiment, "statistics", "th2_set", "axis", message="unknown axis", found=repr(axis),
               expected=f"one of {', '.join(known)}")  # fmt: skip
    formats = ["auto", *(reader.name for reader in READERS)]
    for name, section in (("serum", experiment.serum), ("people", experiment.people)):
        if section is not None and section.format not in formats:
            refuse(experiment, name, "format", message="unknown format", found=repr(section.format),
                   expected=f"one of {', '.join(formats)}")  # fmt: skip


def _statistics(
    experiment: Experiment, tables: Tables, subjects: Sequence[Mapping[str, Any]], before: Sequence[str]
) -> list[Task]:
    """The two steps of the statistics, which take the same; the longer first."""
    from integration.cohort import CohortOptions

    serum = experiment.serum
    plan = StatisticsPlan(
        roles=_roles(experiment),
        species="" if serum is None else serum.species,
        joining=CohortOptions() if serum is None else serum.bleed,
        association=experiment.association(declared_symbols(experiment)),
        moderation=experiment.statistics.moderation,
        treatment=experiment.statistics.treatment,
        seed=experiment.seed,
        class_cut=1.0 if experiment.behavior is None else experiment.behavior.classes.cut,
    )
    options = {
        "plan": plan,
        "subjects": tuple(subjects),
        "samples": None if tables.serum_samples is None else _records(tables.serum_samples),
        "outcomes": None if tables.outcomes is None else _records(tables.outcomes),
    }
    return [
        Task(
            id=name,
            function="stressaxis.steps.statistics:analyse_cohort",
            packages=("integration",),
            options={**options, "part": part},
            needs=tuple(need for need in ("animals", "serum") if need in before),
            weight=weight,
            libraries=LIBRARIES,
        )
        for name, part, weight in (
            ("association", "associations", 1100.0),
            ("statistics", "groups", 400.0),
        )
    ]
