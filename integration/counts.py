"""Group counts from the subjects table to the analysed mice, with the reason of each loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from integration.cohort import Cohort

__all__ = ["group_counts"]


def group_counts(cohort: Cohort, *, analysed: Mapping[tuple[str, str], Iterable[str]] | None = None) -> pd.DataFrame:
    """How many subjects of each group reach each stage, and who was lost on the way.

    Stages follow one another: ``listed`` (subjects table), ``recorded`` (scored recordings), ``outcomes`` (a row in the
    outcomes table), ``not excluded``, ``serum`` (one measured bleed), then one stage per analysis. Stages for which
    the study has no table are left out. Groups are those of the subjects table, then the classes among the defeated.

    Parameters
    ----------
    cohort
        From :func:`integration.cohort.join_cohort`.
    analysed
        Subjects by (subset, outcome), as in :class:`integration.association.Association`.

    Returns
    -------
    DataFrame
        Columns ``group, stage, n, reason``; reason names the subjects lost since the stage before.

    Examples
    --------
    >>> import pandas as pd
    >>> from integration.cohort import join_cohort
    >>> cohort = join_cohort(subjects=pd.DataFrame({"subject": ["m1", "m2"], "group": "CSDS"}),
    ...                      animals=pd.DataFrame({"subject": ["m1"], "si_ratio": [0.4]}))
    >>> group_counts(cohort).values.tolist()[1]
    ['CSDS', 'recorded', 1, '1 without scored recordings: m2']
    """
    import pandas as pd

    table = cohort.table
    rows = []
    for group, members in _groups(table):
        stages = _stages(table, members, analysed or {})
        rows += [{"group": group, "stage": name, "n": n, "reason": reason} for name, n, reason in stages]
    return pd.DataFrame(rows, columns=["group", "stage", "n", "reason"])


def _groups(table: pd.DataFrame) -> list[tuple[str, pd.Index]]:
    groups = table["group"] if "group" in table else table["role"]
    labelled = groups.fillna("").astype(str).replace("", "(no group)")
    found = [(name, table.index[labelled == name]) for name in sorted(labelled.unique())]
    if "class" in table:
        classes = table["class"].fillna("").astype(str)
        found += [(name, table.index[classes == name]) for name in sorted(set(classes) - {""})]
    return found


def _stages(
    table: pd.DataFrame, members: pd.Index, analysed: Mapping[tuple[str, str], Iterable[str]]
) -> list[tuple[str, int, str]]:
    part = table.loc[members]
    remaining = part.index
    stages = [("listed", len(part), "")]
    for column, stage, lost_by in (
        ("has_behavior", "recorded", "without scored recordings"),
        ("has_outcomes", "outcomes", "without a row in the outcomes table"),
        ("excluded", "not excluded", ""),
        ("has_serum", "serum", "without a measured bleed"),
    ):
        kept = part[column] == "" if column == "excluded" else part[column].astype(bool)
        if column != "excluded" and not table[column].any():
            continue
        lost = remaining[~kept.loc[remaining]]
        remaining = remaining[kept.loc[remaining]]
        reason = _by_reason(part.loc[lost, "excluded"]) if column == "excluded" else _listed(lost, lost_by)
        stages.append((stage, len(remaining), reason))
    for (subset, outcome), subjects in analysed.items():
        chosen = set(subjects) & set(members)
        if not chosen and subset == "defeated" and not (part["role"] == "defeated").any():
            continue
        lost = remaining[[subject not in chosen for subject in remaining]]
        stages.append(
            (f"analysed: {outcome} ({subset})", len(chosen), _listed(lost, "without a value the model needs"))
        )
    return stages


def _listed(lost: Iterable[str], why: str) -> str:
    names = list(lost)
    return f"{len(names)} {why}: {', '.join(names)}" if names else ""


def _by_reason(reasons: pd.Series[str]) -> str:
    parts = []
    for reason in sorted(reasons.unique()):
        names = reasons.index[reasons == reason].tolist()
        parts.append(f"{len(names)} {reason}: {', '.join(names)}")
    return "; ".join(parts)
