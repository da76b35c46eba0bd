"""The source study on simulated people and mice: its tables written for the configs that come with the package."""

from __future__ import annotations

from pathlib import Path

from stressaxis.simulated_study import STUDY_SEED, StudyOptions, write_study

__all__ = ["simulate_source_study", "study_config"]


def study_config(*, planted: bool) -> Path:
    """The experiment file of the study, with or without planted effects."""
    import configs

    return Path(str(configs.__file__)).with_name("source-study.yaml" if planted else "source-study-null.yaml")


def simulate_source_study(folder: Path, *, planted: bool, seed: int | None = None) -> str:
    """Fill a folder with the study's tables and say how it is run.

    Parameters
    ----------
    folder
        Made if it is not there.
    planted
        False: no effect at all.
    seed
        Without one, the study's own.
    """
    write_study(folder, options=StudyOptions(planted=planted), seed=STUDY_SEED if seed is None else seed)
    config = study_config(planted=planted)
    return f"{folder}: ready; run it with: stressaxis run {config.parent.name}/{config.name} --data {folder}"
