"""How the blood was handled, read from the serum itself: clotting, haemolysis, delay before spinning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.problems import Problem
from proteomics.abundance import subject_samples

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["HANDLING", "HandlingReport", "handling_report", "handling_scores"]

#: Name of each score and the axis of ``axes.tsv`` that carries it; all may serve as covariates.
HANDLING = {
    "platelet_z": "preanalytical_platelet",
    "haemolysis_z": "preanalytical_erythrocyte",
    "delay_z": "preanalytical_delay",
}
_WORDS = {"platelet_z": "platelets or clotting", "haemolysis_z": "haemolysis", "delay_z": "delayed processing"}


@dataclass(frozen=True, kw_only=True)
class HandlingReport:
    """Scores of every subject's sample and what they rest on.

    Parameters
    ----------
    scores
        ``sample, platelet_z, haemolysis_z, delay_z``; NaN where there is no score.
    members
        Score to the symbols that carry it; empty where there is none.
    refused
        Score to the reason why there is none.
    problems
        One for each sample that stands out.
    """

    scores: pd.DataFrame
    members: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]
    problems: list[Problem]


def handling_scores(ds: xr.Dataset, *, species: str, min_members: int = 3) -> pd.DataFrame:
    """Scores of platelet content, haemolysis and delayed processing: covariates or flags, not biology.

    Mean z of the detected core members against all subjects' samples. In serum the platelet score measures clotting
    in the tube; in plasma it is the quality of the bleed.

    Returns
    -------
    DataFrame
        ``sample, platelet_z, haemolysis_z, delay_z``; NaN where the panel has fewer than ``min_members`` of them.
    """
    return handling_report(ds, species=species, min_members=min_members).scores


def handling_report(ds: xr.Dataset, *, species: str, min_members: int = 3, outlier_z: float = 3.5) -> HandlingReport:
    """The scores, the proteins that carry them, and the samples that stand out.

    A sample stands out when its score lies more than ``outlier_z`` modified z above the median of all samples.

    Parameters
    ----------
    ds
        An abundance Dataset.
    species
        ``"mouse"`` or ``"human"``.
    min_members
        Fewest detected members of a score.
    outlier_z
        Modified z of a score from which on its sample is flagged.

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> level = [1.0, 1.1, 0.9, 1.2, 0.8, 9.0]
    >>> table = pd.DataFrame({"Hba-a1": level, "Car1": level, "Cat": level}, index=[f"m{i}" for i in range(6)])
    >>> ds = from_frame(table, platform="ms", species="mouse", unit="log2")
    >>> report = handling_report(ds, species="mouse")
    >>> report.members["haemolysis_z"], [each.where for each in report.problems]
    (('Hba-a1', 'Car1', 'Cat'), ['sample m5'])
    """
    import pandas as pd

    from proteomics.axes import axis_scores
    from proteomics.quality import robust_z

    names = subject_samples(ds)["sample"].values
    if len(names) < 2:
        empty = pd.DataFrame({"sample": names, **{label: np.full(len(names), np.nan) for label in HANDLING}})
        nothing: Mapping[str, tuple[str, ...]] = dict.fromkeys(HANDLING, ())
        why = dict.fromkeys(HANDLING, "fewer than two samples")
        return HandlingReport(scores=empty, members=nothing, refused=why, problems=[])
    found = axis_scores(ds, species=species, reference=None, axes=list(HANDLING.values()), min_members=min_members)
    wide = found.table.pivot(index="sample", columns="axis", values="score")
    scores = pd.DataFrame(
        {"sample": names, **{k: wide[axis].reindex(names).to_numpy() for k, axis in HANDLING.items()}}
    )
    members, refused, problems = {}, {}, []
    for label, axis in HANDLING.items():
        rows = found.members[found.members["axis"] == axis]
        used = tuple(rows.loc[rows["status"] == "used", "symbol"])
        scored = bool(scores[label].notna().any())
        members[label] = used if scored else ()
        if not scored:
            refused[label] = str(found.table.loc[found.table["axis"] == axis, "note"].iloc[0])
        far = np.flatnonzero(robust_z(scores[label]) > outlier_z)
        problems += [_problem(label, str(names[at]), float(scores[label].iloc[at]), used, ds) for at in far]
    return HandlingReport(scores=scores, members=members, refused=refused, problems=problems)


def _problem(label: str, sample: str, score: float, used: tuple[str, ...], ds: xr.Dataset) -> Problem:
    return Problem(
        code="handling",
        file=str(ds.attrs.get("source_file", "")),
        where=f"sample {sample}",
        message=f"{_WORDS[label]}: {label} is {score:.1f}, far above the other samples ({', '.join(used)})",
        action=f"kept, flagged; {label} may serve as a covariate",
    )
