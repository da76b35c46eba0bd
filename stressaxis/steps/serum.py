"""Step: serum tables read, joined and looked over for quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.problems import Problem
from stressaxis.stepfiles import write_problems, write_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from proteomics.readers.table import SerumOptions

__all__ = [
    "ABUNDANCE",
    "PLATE_QUALITY",
    "PROTEIN_QUALITY",
    "SAMPLE_QUALITY",
    "read_abundance",
    "read_joined",
    "read_serum_files",
]

ABUNDANCE = "abundance.nc"
PROTEIN_QUALITY = "protein_quality.csv"
PLATE_QUALITY = "plate_quality.csv"
SAMPLE_QUALITY = "serum_quality.csv"


def read_serum_files(
    output: Path,
    *,
    needs: Mapping[str, Path | None],
    paths: Sequence[str],
    names: Sequence[str],
    format: str,
    reading: SerumOptions,
    samples: Sequence[Mapping[str, Any]],
) -> None:
    """Read the serum files and write ``abundance.nc`` and the quality tables.

    Parameters
    ----------
    paths, names
        The files, and how the config names them.
    format
        Reader's name or ``auto``.
    reading
        What the tables leave unsaid.
    samples
        Rows of the serum samples table; its plates count where the vendor's file names none.

    Raises
    ------
    InputError
        If a file cannot be read, or files do not fit together.
    """
    from proteomics.quality_overview import quality_report

    joined, problems = read_joined(paths, names, format=format, reading=reading)
    dataset = _with_sample_table(joined, samples)
    quality = quality_report(dataset)
    write_table(_with_subject(quality.samples, samples), output / SAMPLE_QUALITY)
    write_table(quality.proteins, output / PROTEIN_QUALITY)
    write_table(quality.plates, output / PLATE_QUALITY)
    dataset.to_netcdf(output / ABUNDANCE, engine="h5netcdf")
    write_problems([*problems, *quality.problems], output)


def read_joined(
    paths: Sequence[str], names: Sequence[str], *, format: str, reading: SerumOptions
) -> tuple[xr.Dataset, list[Problem]]:
    """The serum files as one abundance Dataset, and what their readers report, under the names of the config.

    Raises
    ------
    InputError
        If a file cannot be read, or files do not fit together.
    """
    from proteomics.readers import read_serum

    problems: list[Problem] = []
    parts = []
    for path, name in zip(paths, names, strict=True):
        table = read_serum(path, format=format, **vars(reading))
        problems += [replace(problem, file=name) for problem in table.problems]
        parts.append(table.dataset)
    return _joined(parts, names), problems


def read_abundance(folder: Path) -> xr.Dataset:
    """The abundance Dataset that this step wrote."""
    import xarray as xr

    with xr.open_dataset(folder / ABUNDANCE, engine="h5netcdf") as stored:
        return stored.load()


def _with_subject(quality: pd.DataFrame, samples: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The table of samples with whose each is; without a table of samples a sample's id is its subject's."""
    owner = {row["sample"]: row["subject"] for row in samples}
    subjects = [owner.get(sample, "") if samples else sample for sample in quality["sample"]]
    quality.insert(1, "subject", subjects)
    return quality


def _joined(parts: Sequence[xr.Dataset], names: Sequence[str]) -> xr.Dataset:
    """Plates of one platform under one another; a protein that one file lacks is missing there."""
    import xarray as xr

    if len(parts) == 1:
        return parts[0]
    for what in ("unit", "platform", "species"):
        found = [str(part.attrs.get(what, "")) for part in parts]
        if len(set(found)) > 1:
            listed = "; ".join(f"{name}: {value or 'not stated'}" for name, value in zip(names, found, strict=True))
            raise InputError(
                f"the serum files differ in {what}", found=listed, remedy="analyse them as two experiments"
            )
    return xr.concat(parts, dim="sample", join="outer", combine_attrs="drop_conflicts")


def _with_sample_table(dataset: xr.Dataset, samples: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    import pandas as pd

    from proteomics.abundance import set_samples

    if not samples:
        return dataset
    table = pd.DataFrame(list(samples)).set_index("sample")
    wanted = [name for name in ("subject", "plate") if name in table]
    chosen = table[wanted].copy()
    if "plate" in chosen:
        own = pd.Series(dataset["plate"].values.astype(str), index=dataset["sample"].values.astype(str))
        stated = chosen["plate"].reindex(own.index).fillna("").astype(str)
        chosen = chosen.reindex(own.index)
        chosen["plate"] = stated.where(stated != "", own)
    return set_samples(dataset, chosen)
