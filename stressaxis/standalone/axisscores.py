"""Immune axis scores of one serum table: the command ``axes``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from stressaxis.atomic import write_text
from stressaxis.figures.numbers import number, plural
from stressaxis.standalone.differential import read_scaled
from stressaxis.standalone.samplesheets import match_samples, read_sheet
from stressaxis.standalone.serum_words import remarks

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from proteomics.axes import AxisScores

__all__ = ["score_file"]


def score_file(
    path: Path,
    *,
    out: Path,
    species: str = "",
    samples: Path | None = None,
    reference: str = "",
    group_column: str = "group",
    method: str = "mean-z",
    scale: str = "",
    common_only: bool = False,
    format: str = "auto",
    **options: Any,
) -> str:
    """Score the axes in every sample, write the scores, and say in words what carries them.

    Parameters
    ----------
    path
        Serum table of any known format.
    out
        CSV of the scores; ``NAME.members.csv`` and, by mean z with groups, ``NAME.groups.csv`` stand beside it.
    species
        ``"mouse"`` or ``"human"``; overrides what the table says.
    samples
        Table of the samples, ids in its first column.
    reference
        Group that mean z and the first component are taken against; without it, all samples.
    group_column
        Column of the groups.
    method
        One of :data:`proteomics.set_scores.METHODS`.
    scale, common_only, format, **options
        As in :func:`stressaxis.standalone.differential.differential_table`.

    Raises
    ------
    InputError
        If the species is not known, the group is not there, or files and ids do not fit.
    RefusedError
        If the reference group has fewer than two samples.
    """
    from proteomics.axes import axis_scores
    from proteomics.set_scores import METHODS

    if out.suffix.lower() != ".csv":
        raise InputError("the scores are written as .csv", file=out, found=out.suffix or "no ending")
    if method not in METHODS:
        raise InputError("unknown method", found=method, expected=", ".join(METHODS))
    given = {"species": species, **options} if species else options
    ds, told = read_scaled(path, scale=scale, format=format, **given)
    kind = str(ds.attrs["species"])
    if not kind:
        raise InputError("the species is not stated", file=path, expected="--species mouse or --species human")
    ds, group, lines = _grouped(ds, path, samples, group_column, common_only)
    chosen = _reference(group, reference, path if samples is None else samples, group_column)
    scores = axis_scores(ds, species=kind, reference=chosen, method=method)
    table, groups = scores.table, None
    if chosen is not None and METHODS[method].skew:
        table, groups = _with_intervals(ds, scores, kind, chosen, group)
    written = {"": table, ".members": scores.members, **({} if groups is None else {".groups": groups})}
    names = []
    for ending, each in written.items():
        place = out.with_suffix(f"{ending}.csv")
        write_text(place, each.to_csv(index=False, lineterminator="\n"))
        names.append(place.name)
    said = _words(path, scores, method, reference, chosen, table)
    if groups is not None:
        said += _skew_words(groups, reference)
    known = {"axis_refused", *(each.code for each in told)}
    problems = [each for each in scores.problems if each.code not in known]
    return "\n".join([*said, *lines, *remarks([*told, *problems]), f"{out}: written, with {', '.join(names[1:])}"])


def _grouped(
    ds: xr.Dataset, path: Path, samples: Path | None, column: str, common_only: bool
) -> tuple[xr.Dataset, pd.Series[str] | None, list[str]]:
    """The samples to score, their groups if known, and words on those left out."""
    import pandas as pd

    if samples is None:
        if column not in ds.coords or ds[column].dims != ("sample",):
            return ds, None, []
        return ds, pd.Series(ds[column].values.astype(str), index=ds["sample"].values), []
    sheet = read_sheet(samples)
    matched = match_samples(ds, sheet, file=path, common_only=common_only)
    part = ds.sel(sample=np.array(matched.both, dtype=object))
    group = sheet.texts.loc[matched.both, column] if column in sheet.texts else None
    return part, group, matched.lines


def _reference(group: pd.Series[str] | None, reference: str, file: Path, column: str) -> list[str] | None:
    import difflib

    if not reference:
        return None
    if group is None:
        raise InputError(f"no column {column!r} tells the groups", file=file,
                         remedy="give --samples with that column, or --group-column NAME")  # fmt: skip
    chosen = [str(name) for name in group.index[group == reference]]
    if not chosen:
        known = sorted(set(group) - {""})
        folded = {name.casefold(): name for name in known}
        near = [folded[each] for each in difflib.get_close_matches(reference.casefold(), folded, n=1)]
        raise InputError(f"no sample is of group {reference}", file=file, where=f"column {column}",
                         expected=f"one of {', '.join(known) or 'none'}",
                         remedy=f"did you mean {near[0]}" if near else None)  # fmt: skip
    return chosen


def _with_intervals(
    ds: xr.Dataset, scores: AxisScores, species: str, reference: list[str], group: pd.Series[str] | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Scores with ``low`` and ``high`` of the skew, and the skew of each group."""
    from proteomics.axis_table import SKEW
    from proteomics.skew_interval import group_skew, sample_skew

    single = sample_skew(ds, scores, species=species, reference=reference).set_index("sample")
    table = scores.table.copy()
    rows = table["axis"] == SKEW
    for side in ("low", "high"):
        table[side] = np.where(rows, single[side].reindex(table["sample"]).to_numpy(), np.nan)
    table = table[["sample", "axis", "score", "low", "high", "n_members", "note"]]
    if group is None:
        return table, None
    return table, group_skew(ds, scores, species=species, reference=reference, group=group)


def _words(
    path: Path, scores: AxisScores, method: str, reference: str, chosen: list[str] | None, table: pd.DataFrame
) -> list[str]:
    from proteomics.set_scores import METHODS

    samples = table["sample"].nunique()
    lines = [f"{path.name}: {plural(samples, 'sample')}, {method} ({METHODS[method].description})"]
    if not METHODS[method].ranks:
        against = f"the {len(chosen)} samples of group {reference}" if chosen is not None else (
            f"all {samples} samples, since no --reference was given")  # fmt: skip
        lines.append(f"z against mean and SD of {against}")
    for axis, part in table.groupby("axis", sort=False):
        used = scores.members[(scores.members["axis"] == axis) & (scores.members["status"] == "used")]["symbol"]
        known = int(part["score"].notna().sum())
        carried = f" from {', '.join(used)}" if len(used) else ""
        if known == len(part):
            share = scores.variance_share.get(str(axis))
            more = f"; {share:.0%} of their variance" if share is not None else ""
            lines.append(f"  {axis}: scored{carried}{more}")
        else:
            why = part.loc[part["score"].isna(), "note"].value_counts()
            some = f"scored in {known} of {len(part)} samples{carried}" if known else "no score"
            lines.append(f"  {axis}: {some}: {why.index[0]}")
    return lines


def _skew_words(groups: pd.DataFrame, reference: str) -> list[str]:
    lines = []
    for row in groups.to_dict("records"):
        if row["note"]:
            lines.append(f"Th2 skew of {row['group']}: none; {row['note']}")
        else:
            lines.append(
                f"Th2 skew of {row['group']} (n = {row['n']}) against {reference} (n = {row['n_reference']}): "
                f"{number(row['th2_skew'])}, 95 % interval {number(row['low'])} to {number(row['high'])}"
            )
    return lines
