"""All that is wrong with an experiment before hours are spent, and what its serum panel can measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.problems import Problem, from_error
from stressaxis.plan import check_names
from stressaxis.system_libraries import check_system_libraries

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from configs.schema import Experiment

__all__ = ["CheckReport", "check_experiment"]

_ORDER = ("error", "excluded", "warning", "info")
_HEADINGS = {
    "error": "Errors: the run cannot use these",
    "excluded": "Left out: the run goes on without these",
    "warning": "Warnings: these need care",
    "info": "To know",
}


@dataclass(frozen=True)
class CheckReport:
    """What a check found, as text, and whether a run would have something to work on."""

    text: str
    can_run: bool


def check_experiment(config: Path, *, data_dir: Path | None = None) -> CheckReport:
    """Check tables, recordings, arenas and serum without tracking anything.

    Raises
    ------
    ConfigError
        If the experiment file itself is wrong.
    """
    import configs
    from configs.checks import check
    from configs.faults import ExperimentError
    from configs.tables import read_tables

    check_system_libraries()
    experiment = configs.load(config, data_dir=data_dir)
    check_names(experiment)
    problems = check(experiment)
    lines = [f"experiment {experiment.name} ({config})"]
    try:
        trials = read_tables(experiment).trials
    except ExperimentError:
        trials = None
    if trials is not None:
        opened, found = _recordings(experiment, trials)
        problems += found
        lines.append(f"recordings: {opened} of {trials['file'].nunique()} can be opened")
    text, found = _arenas(experiment)
    problems += found
    lines += text
    if experiment.serum is not None:
        text, found = _serum(experiment)
        problems += found
        lines += text
    lines += _listed(problems)
    return CheckReport("\n".join(lines), not any(problem.severity == "error" for problem in problems))


def _recordings(experiment: Experiment, trials: pd.DataFrame) -> tuple[int, list[Problem]]:
    """Open every recording once and see whether the zones lie in its picture."""
    from behavior.arena import check_arena
    from behavior.video import probe

    assert experiment.behavior is not None
    opened, problems = 0, []
    for file, rows in trials.groupby("file", sort=True):
        path = experiment.locate(str(file))
        if not path.is_file() or not path.stat().st_size:
            continue  # told by the check of the tables
        subject = str(rows["subject"].iloc[0])
        try:
            info = probe(path)
            opened += 1
            for name in sorted(set(rows["arena"])):
                if experiment.behavior.arenas[name].find:
                    continue  # where its zones lie is known after the run
                problems += check_arena(experiment.behavior.arena(name), info.width, info.height, file=str(file))
        except InputError as error:
            problems.append(from_error(error, subject=subject, file=str(file), action="this trial cannot be scored"))
    return opened, problems


def _arenas(experiment: Experiment) -> tuple[list[str], list[Problem]]:
    """What the lens corrects, and how well the middles of the floor's edges fit, of arenas that state them."""
    from behavior.arena_fit import check_middles, lens_shift_cm

    lines: list[str] = []
    problems: list[Problem] = []
    behavior = experiment.behavior
    if behavior is None:
        return lines, problems
    for name, place in behavior.arenas.items():
        if place.find or (place.lens is None and place.middles_px is None):
            continue
        try:
            arena = behavior.arena(name)
        except InputError:
            continue  # told for each of its recordings
        told = []
        if place.lens is not None:
            told.append(f"without the lens positions would be up to {lens_shift_cm(arena):.2f} cm off")
        if place.middles_px is not None:
            misfit, found = check_middles(arena, place.middles_px, where=f"arena {name}")
            told.append(f"misfit {misfit:.2f} cm at the middles of the floor's edges")
            problems += found
        lines.append(f"arena {name}: {'; '.join(told)}")
    return lines, problems


def _serum(experiment: Experiment) -> tuple[list[str], list[Problem]]:
    """What each serum file holds, and which members of each axis its panel can measure."""
    from proteomics.readers import read_serum

    assert experiment.serum is not None
    lines: list[str] = []
    problems: list[Problem] = []
    datasets: list[xr.Dataset] = []
    for name in experiment.serum.paths:
        path = experiment.locate(name)
        if not path.is_file() or not path.stat().st_size:
            continue
        try:
            table = read_serum(path, format=experiment.serum.format, **vars(experiment.serum.reading))
        except InputError as error:
            problems.append(from_error(error, file=name, action="no serum analysis"))
            continue
        problems += table.problems
        datasets.append(table.dataset)
        kinds = table.dataset["sample_type"].to_series().value_counts()
        counted = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        lines.append(f"serum {name}: {table.reader}, {table.dataset.sizes['protein']} proteins; rows: {counted}")
    if datasets:
        lines += _coverage(datasets[0], experiment.serum.species)
    return lines, problems


def _coverage(dataset: xr.Dataset, species: str) -> list[str]:
    from proteomics.axes import panel_coverage

    core = panel_coverage(dataset, species).query("role == 'core'")
    lines = ["axes that this panel can measure (core members; at least 3 must be detected for a score):"]
    for axis, members in core.groupby("axis", sort=False):
        there = members.loc[members["status"] == "on panel", "symbol"].tolist()
        verdict = "" if len(there) >= 3 else "; too few: no score"
        lines.append(f"  {axis}: {len(there)} of {len(members)} ({', '.join(there) or 'none'}){verdict}")
    return lines


def _listed(problems: list[Problem]) -> list[str]:
    lines = []
    for severity in _ORDER:
        found = [problem for problem in problems if problem.severity == severity]
        if found:
            lines.append(f"{_HEADINGS[severity]} ({len(found)})")
            lines += [f"  - {_one_line(problem)}" for problem in found]
    return lines or ["nothing wrong was found"]


def _one_line(problem: Problem) -> str:
    place = ", ".join(part for part in (problem.file, problem.where, problem.subject) if part)
    told = problem.message if (place and place in problem.message) or not place else f"{place}: {problem.message}"
    return f"{told} ({problem.action})" if problem.action else told
