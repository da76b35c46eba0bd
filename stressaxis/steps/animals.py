"""Step: all scored trials brought together, one row per animal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stressaxis.stepfiles import read_facts, write_problems, write_table
from stressaxis.steps.score import SCORES

if TYPE_CHECKING:
    import pandas as pd

    from behavior.arena import ArenaOptions
    from behavior.classes import ClassOptions
    from behavior.score_options import ExclusionOptions

__all__ = ["ANIMALS", "ARENAS", "RECORDINGS", "RELIABILITY", "TIME_COURSE", "TRIALS", "bring_animals_together"]

TRIALS = "trials.csv"
ANIMALS = "social_interaction.csv"
TIME_COURSE = "time_course.csv"
ARENAS = "arenas.csv"
RECORDINGS = "recordings.csv"
RELIABILITY = "reliability.csv"


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
    seed: int,
) -> None:
    """Write the tables of trials, animals, time courses, recordings, reliability and zones.

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
    seed
        Of the bootstrap interval of each SI ratio.
    """
    import pandas as pd

    from behavior.quality import add_flags, check_trial_rows
    from behavior.same_recording import check_same_paths
    from behavior.social_interaction import TRIAL_COLUMNS, score_animals

    scored: dict[str, list[dict[str, Any]]] = {"rows": [], "bins": [], "recordings": [], "paths": []}
    for place in needs.values():
        if place is not None:
            for what, rows in read_facts(place / SCORES).items():
                scored[what] += rows
    trials = _sorted(pd.DataFrame(scored["rows"], columns=list(TRIAL_COLUMNS)))
    scores = score_animals(
        trials,
        subjects=pd.DataFrame(list(subjects)),
        roles=roles,
        exclude=exclude,
        classes=classes,
        excluded=excluded,
    )
    animals = scores.table
    by_name = ("subject", "trial", "file")
    paths = sorted(scored["paths"], key=lambda row: tuple(str(row[name]) for name in by_name))
    between = [*check_trial_rows(trials), *check_same_paths(paths)]
    add_flags(scored["recordings"], between)
    write_table(trials, output / TRIALS)
    if scored["bins"]:
        bins = _sorted(pd.DataFrame(scored["bins"]))
        write_table(bins, output / TIME_COURSE)
        animals = _with_uncertainty(animals, bins, seed=seed, cut=classes.cut)
        write_table(_reliability(bins, animals), output / RELIABILITY)
        write_table(_sorted(pd.DataFrame(scored["recordings"])), output / RECORDINGS)
    write_table(animals, output / ANIMALS)
    write_table(_zones(arenas), output / ARENAS)
    write_problems([*scores.problems, *between], output)


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["subject", "trial"], kind="stable")


def _with_uncertainty(animals: pd.DataFrame, bins: pd.DataFrame, *, seed: int, cut: float) -> pd.DataFrame:
    """The animals table with the interval of each SI ratio behind it, and for defeated mice P(susceptible)."""
    from behavior.uncertainty import ratio_uncertainty

    interval = ratio_uncertainty(bins, seed=seed, cut=cut).set_index("subject").drop(columns="note")
    interval = interval.reindex(animals["subject"]).set_axis(animals.index)
    # Controls are never classed, so there is no chance of their being susceptible either.
    interval["p_susceptible"] = interval["p_susceptible"].where(animals["role"] == "defeated")
    place = list(animals.columns).index("si_ratio") + 1
    for offset, name in enumerate(interval.columns):
        animals.insert(place + offset, name, interval[name])
    return animals


def _reliability(bins: pd.DataFrame, animals: pd.DataFrame) -> pd.DataFrame:
    from behavior.reliability import split_half

    return split_half(bins, animals=animals)


def _zones(arenas: Mapping[str, ArenaOptions]) -> pd.DataFrame:
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
