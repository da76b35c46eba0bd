"""Step: all scored trials brought together, one row per animal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.problems import Problem
from stressaxis.stepfiles import read_facts, write_problems, write_table
from stressaxis.steps.score import SCORES

if TYPE_CHECKING:
    from behavior.arena import ArenaOptions
    from behavior.classes import ClassOptions
    from behavior.score_options import ExclusionOptions

__all__ = ["ANIMALS", "ARENAS", "TIME_COURSE", "TRIALS", "bring_animals_together"]

TRIALS = "trials.csv"
ANIMALS = "social_interaction.csv"
TIME_COURSE = "time_course.csv"
ARENAS = "arenas.csv"


def bring_animals_together(
    output: Path,
    *,
    needs: Mapping[str, Path | None],
    subjects: Sequence[Mapping[str, Any]],
    roles: Mapping[str, Sequence[str]],
    arenas: Mapping[str, ArenaOptions],
    excluded: Mapping[str, str],
    exclude: ExclusionOptions,
    classes: ClassOptions,
) -> None:
    """Write the trials table, the animals table, time courses and the arenas' zones.

    Parameters
    ----------
    needs
        Results of the scoring tasks.
    subjects
        Rows of the subjects table.
    roles
        Groups by role.
    arenas
        Sizes of each arena.
    excluded
        Subject to reason, as declared.
    exclude, classes
        Rules of exclusion and classes.
    """
    import pandas as pd

    from behavior.social_interaction import TRIAL_COLUMNS, score_animals

    rows: list[dict[str, Any]] = []
    bins: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for place in needs.values():
        if place is not None:
            facts = read_facts(place / SCORES)
            rows += facts["rows"]
            bins += facts["bins"]
    trials = pd.DataFrame(rows, columns=list(TRIAL_COLUMNS)).sort_values(["subject", "trial"], kind="stable")
    scores = score_animals(
        trials,
        subjects=pd.DataFrame(list(subjects)),
        roles=roles,
        exclude=exclude,
        classes=classes,
        excluded=excluded,
    )
    problems += scores.problems
    write_table(trials, output / TRIALS)
    write_table(scores.table, output / ANIMALS)
    if bins:
        write_table(pd.DataFrame(bins).sort_values(["subject", "trial"], kind="stable"), output / TIME_COURSE)
    write_table(_zones(arenas), output / ARENAS)
    write_problems(problems, output)


def _zones(arenas: Mapping[str, ArenaOptions]) -> Any:
    """Corners of every zone of every arena, in cm."""
    import pandas as pd

    from behavior.arena import build_arena, corners_from_rectangle

    rows = [
        {"arena": name, "zone": zone, "vertex": vertex, "x_cm": x, "y_cm": y}
        for name, options in sorted(arenas.items())
        # Zones are defined in cm; any calibration gives the same.
        for zone, corners in build_arena(options, corners_px=corners_from_rectangle(0, 0, 1, 1)).zones.items()
        for vertex, (x, y) in enumerate(corners.tolist())
    ]
    return pd.DataFrame(rows)
