"""Step: serum of people, from the files to profiles, skew, similarity and reversal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stressaxis.stepfiles import write_problems, write_table
from stressaxis.steps.serum import read_joined

if TYPE_CHECKING:
    from integration.people import PeopleOptions
    from proteomics.readers.table import SerumOptions

__all__ = ["analyse_people_serum"]


def analyse_people_serum(
    output: Path,
    *,
    needs: Mapping[str, Path | None],
    paths: Sequence[str],
    names: Sequence[str],
    format: str,
    reading: SerumOptions,
    samples: Sequence[Mapping[str, Any]],
    samples_file: str,
    questions: PeopleOptions,
    seed: int,
) -> None:
    """Read people's serum and write every table of :func:`integration.people.analyse_people`.

    Parameters
    ----------
    needs
        Nothing; for the engine.
    paths, names
        The files, and how the config names them.
    format, reading
        Reader's name or ``auto``, and what the tables leave unsaid.
    samples, samples_file
        Rows of the table of samples, and its name.
    questions
        What is asked.
    seed
        Of all resampling.

    Raises
    ------
    InputError
        If a file cannot be read, files do not fit together, or the samples do not fit the table.
    """
    import pandas as pd

    from integration.people import analyse_people
    from proteomics.quality_overview import quality_report

    whole, problems = read_joined(paths, names, format=format, reading=reading)
    quality = quality_report(whole)
    write_table(quality.samples, output / "people_sample_quality.csv")
    write_table(quality.proteins, output / "people_protein_quality.csv")
    result = analyse_people(
        whole, pd.DataFrame(list(samples)).set_index("sample"), options=questions, seed=seed, file=samples_file
    )
    for title, found in result.tables.items():
        write_table(found, output / f"{title}.csv")
    write_problems([*problems, *quality.problems, *result.problems], output)
