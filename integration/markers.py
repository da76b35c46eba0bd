"""Which markers enter an analysis, standardised once over the analysed mice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

    from integration.cohort import Cohort

__all__ = ["Markers", "select_markers"]


@dataclass(frozen=True, kw_only=True)
class Markers:
    """Markers of one analysis.

    Parameters
    ----------
    z
        Rows = analysed subjects, columns = markers; mean 0 and SD 1 over all analysed subjects that have a value.
    info
        Index ``marker``; ``symbol, uniprot, kind, detected_share, n_values, mean, sd, in_set, note``. Mean and SD
        (log2) are those used to standardise, so that a slope per SD can be turned into one per doubling.
    problems
        Markers that were dropped, members of the declared set that are not there.
    """

    z: pd.DataFrame
    info: pd.DataFrame
    problems: list[Problem]


def select_markers(
    cohort: Cohort, subjects: Sequence[str], *, declared_set: Sequence[str] = (), min_detected: float = 0.5
) -> Markers:
    """Markers with enough values above detection, standardised once over the given subjects.

    The rule is applied before any outcome is looked at: a protein stays if it is measured above its LOD in at least
    ``min_detected`` of these subjects, all groups pooled. Values below LOD stay as measured. Where a table states no
    LOD, every value counts as detected. Axis scores count as detected where they exist.

    Parameters
    ----------
    cohort
        The joined cohort.
    subjects
        The analysed subjects.
    declared_set
        Symbols or assay ids of the declared set; case does not matter. Where several assays measure one symbol, the
        one detected most often is the set's member (equal: the first id); the others stay in the panel.
    min_detected
        Least share of detected values.

    Returns
    -------
    Markers
    """
    values = cohort.markers.loc[list(subjects)]
    detected = values.notna() & ~cohort.below_lod.loc[list(subjects)]
    info = cohort.marker_info[["symbol", "uniprot", "kind"]].copy()
    info["detected_share"] = detected.mean(axis=0) if len(values) else np.nan
    info["n_values"] = values.notna().sum(axis=0)
    info["mean"], info["sd"] = values.mean(axis=0), values.std(axis=0, ddof=1)
    rare = info["detected_share"] < min_detected
    # Rounding leaves a spread of about 1e-16 of the mean in a constant column.
    flat = ~(info["sd"] > 1e-12 * (1 + info["mean"].abs()))
    problems = _dropped(info[rare], info[flat & ~rare], min_detected, len(values))
    kept = info[~rare & ~flat].copy()
    kept["in_set"], kept["note"], missing = _set_members(kept, info, declared_set)
    z = (values[kept.index] - kept["mean"]) / kept["sd"]
    return Markers(z=z, info=kept, problems=problems + missing)


def _dropped(rare: pd.DataFrame, flat: pd.DataFrame, least: float, n: int) -> list[Problem]:
    problems = [
        Problem(
            code="few_detected",
            where=f"marker {marker}",
            message=f"{row['symbol'] or marker}: detected in {row['detected_share']:.0%} of {n} analysed samples, "
            f"at least {least:.0%} needed",
            action="left out of the associations",
        )
        for marker, row in rare.iterrows()
    ]
    return problems + [
        Problem(
            code="constant_marker",
            where=f"marker {marker}",
            message=f"{row['symbol'] or marker}: {row['n_values']} values that do not differ",
            action="left out of the associations",
        )
        for marker, row in flat.iterrows()
    ]


def _set_members(
    kept: pd.DataFrame, panel: pd.DataFrame, declared: Sequence[str]
) -> tuple[list[bool], list[str], list[Problem]]:
    """Membership and note of each kept marker, and a Problem for each declared member that is not among them."""
    by_rank = kept[kept["kind"] == "protein"].sort_values("detected_share", ascending=False, kind="stable")
    member_of: dict[str, str] = {}
    problems = []
    for name in dict.fromkeys(declared):
        found = [marker for marker in by_rank.index if _names(marker, by_rank.loc[marker, "symbol"], name)]
        if found:
            member_of |= dict.fromkeys(found[1:], f"further assay of {name}; {found[0]} is the set's member")
            member_of[found[0]] = ""
            continue
        on_panel = any(_names(marker, symbol, name) for marker, symbol in panel["symbol"].items())
        problems.append(
            Problem(
                code="set_member_missing",
                where=f"declared set, {name}",
                message=f"{name} is {'not detected often enough' if on_panel else 'not on this panel'}",
                action="the set is corrected for the members that are measured",
            )
        )
    in_set = [member_of.get(marker) == "" for marker in kept.index]
    return in_set, [member_of.get(marker, "") for marker in kept.index], problems


def _names(marker: object, symbol: object, name: str) -> bool:
    return name.casefold() in (str(marker).casefold(), str(symbol).casefold())
