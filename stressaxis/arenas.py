"""Arenas that are found in their recordings: the task that finds them, and the experiment with what was found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stressaxis.engine import Task
from stressaxis.inputs import InputFile
from stressaxis.stepfiles import read_facts
from stressaxis.steps.arenas import FOUND

if TYPE_CHECKING:
    import pandas as pd

    from configs.schema import Experiment

__all__ = ["ARENAS_TASK", "arena_tasks", "with_found_arenas"]

#: Id of the task that finds the arenas.
ARENAS_TASK = "arenas"


def arena_tasks(
    experiment: Experiment,
    trials: pd.DataFrame | None,
    *,
    recordings: Mapping[str, InputFile],
    facts: Mapping[str, Mapping[str, Any]],
) -> list[Task]:
    """The task that finds every arena with ``find: true``; none where all corners are given.

    Parameters
    ----------
    experiment, trials
        What the experiment is.
    recordings
        Name in the trials table to the file.
    facts
        Name to what the recording says about itself, for those that could be opened.
    """
    behavior = experiment.behavior
    if behavior is None or trials is None:
        return []
    made_in = {
        name: sorted({str(file) for file in trials.loc[trials["arena"] == name, "file"]} & set(facts))
        for name, arena in behavior.arenas.items()
        if arena.find
    }
    made_in = {name: files for name, files in made_in.items() if files}
    if not made_in:
        return []
    arenas = {name: behavior.arena_options(name) for name in made_in}
    files = sorted({file for names in made_in.values() for file in names})
    return [
        Task(
            id=ARENAS_TASK,
            function="stressaxis.steps.arenas:find_arenas",
            packages=("behavior",),
            options={
                "arenas": arenas,
                "recordings": {
                    name: tuple((file, str(recordings[file].path)) for file in names) for name, names in made_in.items()
                },
            },
            key_options={"arenas": arenas, "recordings": made_in},
            inputs=tuple(recordings[file].fingerprint for file in files),
            marks={str(recordings[file].path): recordings[file].mark for file in files},
            weight=100.0 * len(files),
        )
    ]


def with_found_arenas(experiment: Experiment, folder: Path | None) -> Experiment:
    """The experiment with the corners that were found; those of arenas that were not found stay unknown.

    Parameters
    ----------
    experiment
        What the experiment is.
    folder
        Result of the task that finds arenas; None where there is none.
    """
    if folder is None or experiment.behavior is None:
        return experiment
    arenas = dict(experiment.behavior.arenas)
    for name, place in read_facts(folder / FOUND).items():
        corners = tuple((float(x), float(y)) for x, y in place["corners_px"])
        arenas[name] = arenas[name].model_copy(update={"corners_px": corners, "find": False})
    behavior = experiment.behavior.model_copy(update={"arenas": arenas})
    return experiment.model_copy(update={"behavior": behavior})
