"""All that is wrong or odd with an experiment and shows in its tables alone, before hours are spent."""

from __future__ import annotations

import filecmp
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from configs.faults import ExperimentError, did_you_mean
from configs.schema import Experiment
from configs.table_rows import id_suggestion
from configs.tables import Tables, read_tables
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check", "check_tables"]


def check(experiment: Experiment) -> list[Problem]:
    """Everything that can be seen before a run and needs the tables only.

    Returns
    -------
    list of Problem
        Severity ``error``: the run could not use it (mistakes in tables, files that are missing or empty);
        ``excluded`` and ``warning``: the run would go on without it, or a number would need care.
    """
    try:
        tables = read_tables(experiment)
    except ExperimentError as error:
        return [
            *(
                Problem(code="mistake", file=fault.file, where=fault.where, message=fault.text())
                for fault in error.faults
            ),
            *_serum_files(experiment),
        ]
    return [*_serum_files(experiment), *check_tables(experiment, tables)]


def check_tables(experiment: Experiment, tables: Tables) -> list[Problem]:
    """What is odd between tables that are right in themselves."""
    return [
        *tables.problems,
        *_recordings(experiment, tables),
        *_copies(experiment, tables),
        *_trials_missing(tables),
        *_serum_and_recordings(tables),
        *_roles(experiment, tables),
        *_coincidences(tables),
        *_order(tables),
    ]


# ---- files ------------------------------------------------------------------------------------------------------


def _serum_files(experiment: Experiment) -> list[Problem]:
    found = []
    for name, section in (("serum", experiment.serum), ("people", experiment.people)):
        if section is None:
            continue
        place = experiment.places.get((name, "file")) or experiment.places.get((name, "files"))
        where = f"{place.file}, line {place.line}" if place is not None else ""
        found += [problem for file in section.paths if (problem := _absent(experiment.locate(file), file, where))]
    return found


def _recordings(experiment: Experiment, tables: Tables) -> list[Problem]:
    if tables.trials is None:
        return []
    rows, found = tables.rows["trials"], dict[str, Problem | None]()
    for number, name in enumerate(tables.trials["file"]):
        if name not in found:
            where = f"{rows.file}, {rows.unit} {rows.lines[number]}"
            found[name] = _absent(experiment.locate(name), name, where, subject=tables.trials["subject"].iloc[number])
    return [problem for problem in found.values() if problem]


def _copies(experiment: Experiment, tables: Tables) -> list[Problem]:
    """Recordings with the same content under two names; only files of the same size are read."""
    from behavior.trial_list import check_copies

    if tables.trials is None:
        return []
    paths = {name: experiment.locate(name) for name in dict.fromkeys(tables.trials["file"])}
    by_size: dict[int, list[str]] = defaultdict(list)
    for name, path in paths.items():
        if path.is_file() and path.stat().st_size > 0:
            by_size[path.stat().st_size].append(name)
    contents: dict[str, str] = {}
    for names in by_size.values():
        for number, name in enumerate(names):
            alike = (other for other in names[:number] if filecmp.cmp(paths[other], paths[name], shallow=False))
            contents[name] = next(alike, name)
    return check_copies(tables.trials, contents=contents)


def _absent(path: Path, name: str, where: str, *, subject: str = "") -> Problem | None:
    """A Problem if a file is missing, empty or a folder."""
    facts = {"subject": subject, "file": name, "where": where}
    if path.is_dir():
        return Problem(code="cannot_read", message="this is a folder, not a file", **facts)
    if not path.exists():
        near = did_you_mean(path.name, [file.name for file in path.parent.iterdir()]) if path.parent.is_dir() else ""
        hint = f"; did you mean {near!r}?" if near else "" if path.parent.is_dir() else f"; no folder {path.parent}"
        return Problem(code="cannot_read", message=f"file not found{hint}", **facts)
    if path.stat().st_size == 0:
        return Problem(code="cannot_read", message="the file is empty (0 bytes)", **facts)
    return None


# ---- who has what -----------------------------------------------------------------------------------------------


def _trials_missing(tables: Tables) -> Iterator[Problem]:
    if tables.trials is None:
        return
    for subject, trials in tables.trials.groupby("subject", sort=True):
        missing = sorted({"no_target", "target"} - set(trials["trial"]))
        if missing:
            yield Problem(
                code="trial_missing",
                subject=str(subject),
                file=tables.rows["trials"].file,
                message=f"no {missing[0]} trial is listed",
                action="no ratio for this subject",
            )


def _serum_and_recordings(tables: Tables) -> Iterator[Problem]:
    """Subjects that one of the tables at hand lacks; a table that was not given is not missed."""
    listed = tables.subjects["subject"].tolist()
    sampled = None if tables.serum_samples is None else set(_samples(tables)["subject"])
    recorded = None if tables.trials is None else set(tables.trials["subject"])
    measured = None if tables.outcomes is None else set(tables.outcomes["subject"])
    for subject in sorted((sampled or set()) - set(listed)):
        near = id_suggestion(subject, listed)
        yield Problem(
            code="unknown_subject",
            subject=subject,
            file=tables.rows["serum_samples"].file,
            message="not in the subjects table" + (f"; {near}" if near else ""),
            action="its samples are left out",
        )
    for subject in listed:
        has = [group is not None and subject in group for group in (recorded, sampled, measured)]
        given = [group is not None for group in (recorded, sampled, measured)]
        if any(given) and not any(has):
            yield Problem(code="subject_without_data", subject=subject, message="in the subjects table only")
        elif recorded is not None and sampled is not None and has[0] != has[1]:
            code = "recording_without_serum" if has[0] else "serum_without_recording"
            yield Problem(
                code=code, subject=subject, message="in one of the two tables only", action="not in the joint analysis"
            )


def _samples(tables: Tables) -> pd.DataFrame:
    """Serum samples that are a subject's."""
    assert tables.serum_samples is not None
    samples = tables.serum_samples
    kinds = samples["type"].str.casefold() if "type" in samples else samples["subject"].map(lambda _: "")
    return samples[kinds.isin(["", "sample"]) & (samples["subject"] != "")]


def _roles(experiment: Experiment, tables: Tables) -> Iterator[Problem]:
    for role in ("control", "defeated"):
        groups = getattr(experiment.roles, role)
        if groups and not (tables.subjects["role"] == role).any():
            yield Problem(
                code="role_without_subjects",
                file=tables.rows["subjects"].file,
                where="column group",
                message=f"no subject is in a group of role {role} ({', '.join(groups)})",
            )


# ---- groups that coincide with something else -------------------------------------------------------------------


def _coincidences(tables: Tables) -> Iterator[Problem]:
    role = _role_by_subject(tables)
    if tables.serum_samples is not None and "plate" in tables.serum_samples:
        samples = _samples(tables)
        yield from _coincide("group_is_plate", "plate", zip(samples["subject"], samples["plate"], strict=True), role)
    if tables.trials is not None:
        trials = tables.trials
        yield from _coincide("group_is_arena", "arena", zip(trials["subject"], trials["arena"], strict=True), role)
    if "cohort" in tables.subjects:
        cohorts = zip(tables.subjects["subject"], tables.subjects["cohort"], strict=True)
        yield from _coincide("group_is_cohort", "cohort", cohorts, role)


def _role_by_subject(tables: Tables) -> dict[str, str]:
    subjects = tables.subjects
    return {subject: role for subject, role in zip(subjects["subject"], subjects["role"], strict=True) if role}


def _coincide(code: str, what: str, places: Iterable[tuple[str, str]], role: Mapping[str, str]) -> Iterator[Problem]:
    """A Problem if every plate (arena, cohort) holds one role only, and there are several of both."""
    roles: dict[str, set[str]] = defaultdict(set)
    subjects: dict[str, set[str]] = defaultdict(set)
    for subject, place in places:
        if place and subject in role:
            roles[place].add(role[subject])
            subjects[place].add(subject)
    several = len(roles) > 1 and len(set().union(*roles.values())) > 1
    if several and all(len(one) == 1 for one in roles.values()) and max(map(len, subjects.values())) > 1:
        told = "; ".join(f"{what} {place}: {next(iter(roles[place]))}" for place in sorted(roles))
        yield Problem(
            code=code,
            message=f"control and defeated subjects share no {what} ({told})",
            action=f"effects of group and {what} cannot be told apart",
        )


def _order(tables: Tables) -> Iterator[Problem]:
    """Trials in the wrong order, and groups recorded one after the other."""
    if tables.trials is None:
        return
    first_trial: dict[str, str] = {}
    for subject, trials in tables.trials.groupby("subject", sort=True):
        if order := _recorded_order(trials):
            first_trial[str(subject)] = order[0]
            if order[0] == "target" and "no_target" in order:
                yield Problem(
                    code="trial_order",
                    subject=str(subject),
                    message="the target trial was recorded before the no-target trial",
                )
    role = _role_by_subject(tables)
    yield from _coincide("group_is_order", "first trial", first_trial.items(), role)
    if "recorded" in tables.trials:
        yield from _one_after_the_other(tables.trials, role)


def _recorded_order(trials: pd.DataFrame) -> list[str]:
    """Trials of a subject by time of recording or, in one file, by start; empty where that is not known."""
    if "recorded" in trials and (trials["recorded"].str.len() > len("2026-11-05")).all():
        by = trials.sort_values("recorded", kind="stable")
        return by["trial"].tolist() if trials["recorded"].is_unique else []
    if trials["file"].nunique() == 1 and trials["start_s"].notna().all() and len(trials) > 1:
        return trials.sort_values("start_s", kind="stable")["trial"].tolist()
    return []


def _one_after_the_other(trials: pd.DataFrame, role: Mapping[str, str]) -> Iterator[Problem]:
    times: dict[str, list[str]] = defaultdict(list)
    for subject, recorded in zip(trials["subject"], trials["recorded"], strict=True):
        if recorded and subject in role:
            times[role[subject]].append(recorded)
    if len(times) == 2:
        (one, early), (other, late) = sorted(times.items(), key=lambda item: min(item[1]))
        if max(early) < min(late) and min(len(early), len(late)) > 1:
            yield Problem(
                code="group_is_order",
                message=f"{one} subjects (to {max(early)}) were recorded before the {other} ones (from {min(late)})",
                action="effects of group and order cannot be told apart",
            )
