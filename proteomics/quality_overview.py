"""Everything that is known of the quality of one serum table, and a Problem for all that needs care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.problems import Problem
from proteomics.abundance import subject_samples
from proteomics.quality import (
    QualityOptions,
    order_effects,
    plate_detection,
    plate_effects,
    protein_quality,
    sample_quality,
)
from proteomics.replicates import replicate_problems
from proteomics.sample_swaps import swap_problems
from proteomics.serum_handling import HandlingReport, handling_report

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["MOST_COMPARED", "QualityReport", "quality_report"]

#: Most samples whose profiles are compared pair by pair (memory grows with the square).
MOST_COMPARED = 2000
#: Columns about samples that hold the order in which they were run.
_ORDER = ("run_order", "run order", "injection_order", "injection order")


@dataclass(frozen=True)
class QualityReport:
    """What is known of samples, proteins and plates of one table.

    Parameters
    ----------
    samples
        See :func:`proteomics.quality.sample_quality`; with ``platelet_z, haemolysis_z, delay_z``.
    proteins
        See :func:`proteomics.quality.protein_quality`.
    plates
        See :func:`proteomics.quality.plate_detection`.
    problems
        One for each thing that needs care.
    handling
        See :func:`proteomics.serum_handling.handling_report`; None where the species is not stated.
    """

    samples: pd.DataFrame
    proteins: pd.DataFrame
    plates: pd.DataFrame
    problems: list[Problem]
    handling: HandlingReport | None = None


def quality_report(ds: xr.Dataset, *, options: QualityOptions | None = None) -> QualityReport:
    """All quality tables of an abundance Dataset, and a Problem for everything that needs care.

    Profiles that repeat another's are looked for, sex-linked proteins are set against a column ``sex`` and values
    against a column ``run_order`` where the samples have one, repeats of one sample are compared where a column
    ``name`` tells them. Everything flags, nothing deletes.

    Parameters
    ----------
    ds
        An abundance Dataset.
    options
        Limits beyond which something is flagged.
    """
    options = options or QualityOptions()
    samples, proteins = sample_quality(ds, options=options), protein_quality(ds, options=options)
    file, species = str(ds.attrs.get("source_file", "")), str(ds.attrs.get("species", ""))
    problems = [_outlier_problem(row, file) for row in samples[samples["outlier"] != ""].itertuples()]
    problems += _protein_problems(proteins, options, file)
    problems += _plate_problems(ds, options, file) + _order_problems(ds, options, file)
    if "name" in ds.coords and ds["name"].dims == ("sample",):
        # Standards and blanks of one name are a series, not repeats.
        problems += replicate_problems(ds.isel(sample=~np.isin(ds["sample_type"].values, ["standard", "blank"])))
    problems += _swaps(ds, species, file)
    handling = handling_report(ds, species=species, outlier_z=options.outlier_z) if species else None
    if handling is not None:
        samples = samples.merge(handling.scores, on="sample", how="left", validate="one_to_one")
        problems += handling.problems
    else:
        samples = samples.assign(platelet_z=np.nan, haemolysis_z=np.nan, delay_z=np.nan)
    return QualityReport(samples, proteins, plate_detection(ds), problems, handling)


def _outlier_problem(row: Any, file: str) -> Problem:
    return Problem(
        code="sample_outlier",
        file=file,
        where=f"sample {row.sample}",
        message=f"far from the others in {row.outlier}: "
        f"median z {row.median_z:.1f}, spread z {row.iqr_z:.1f}, component z {row.pc_z:.1f}",
        action="kept, flagged",
    )


def _protein_problems(proteins: pd.DataFrame, options: QualityOptions, file: str) -> list[Problem]:
    problems = []
    few = int((proteins["few_detected"] & proteins["lod_known"]).sum())
    if few:
        message = f"{few} of {len(proteins)} proteins lie above LOD in less than {options.min_detected:.0%} of samples"
        problems.append(Problem(code="few_detected", file=file, message=message, action="kept, flagged"))
    floors = proteins[proteins["floor"]]
    if len(floors):
        highest = floors["floor_share"].max()
        message = f"in {len(floors)} proteins the lowest value repeats, in up to {highest:.0%} of samples"
        problems.append(Problem(code="constant_floor", file=file, message=message, action="kept, flagged"))
    return problems


def _plate_problems(ds: xr.Dataset, options: QualityOptions, file: str) -> list[Problem]:
    effects = plate_effects(ds)
    moved = int((effects["q"] < 0.05).sum()) if len(effects) else 0
    if moved <= options.plate_share * max(1, len(effects)):
        return []
    share = effects["eta2"].median()
    message = (
        f"{moved} of {len(effects)} proteins differ between plates (q < 0.05; median share of variance {share:.0%})"
    )
    return [Problem(code="plate_effect", file=file, message=message, action="kept; put plate in the model")]


def _order_problems(ds: xr.Dataset, options: QualityOptions, file: str) -> list[Problem]:
    import pandas as pd

    column = next((name for name in _ORDER if name in ds.coords and ds[name].dims == ("sample",)), None)
    if column is None:
        return []
    effects = order_effects(ds, pd.to_numeric(pd.Series(ds[column].values), errors="coerce").to_numpy(dtype=float))
    moved = int((effects["q"] < 0.05).sum()) if len(effects) else 0
    if moved <= options.plate_share * max(1, len(effects)):
        return []
    message = f"{moved} of {len(effects)} proteins rise or fall with {column} (q < 0.05)"
    return [Problem(code="order_effect", file=file, message=message, action=f"kept; put {column} in the model")]


def _swaps(ds: xr.Dataset, species: str, file: str) -> list[Problem]:
    part = subject_samples(ds)
    if part.sizes["sample"] > MOST_COMPARED:
        message = f"profiles are compared pair by pair for up to {MOST_COMPARED} samples; here {part.sizes['sample']}"
        return [Problem(code="swap_suspect", file=file, message=message, action="repeated profiles not looked for")]
    has_sex = "sex" in part.coords and part["sex"].dims == ("sample",)
    sex = dict(zip(part["sample"].values, map(str, part["sex"].values), strict=True)) if has_sex else None
    return swap_problems(ds, species=species, sex=sex)
