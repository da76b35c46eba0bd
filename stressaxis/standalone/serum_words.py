"""What a serum table holds, in words for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from core.problems import Problem
    from proteomics.quality_overview import QualityReport
    from proteomics.readers import SerumTable

__all__ = ["describe_serum", "quality_of", "remarks"]

_LISTED = 8
#: Values of a table above which its quality is not worked out by the way.
_MOST_CELLS = 5_000_000


def quality_of(ds: xr.Dataset) -> QualityReport | None:
    """The quality of a table; None where it is too large for a look by the way."""
    from proteomics.quality_overview import quality_report

    return quality_report(ds) if ds["abundance"].size <= _MOST_CELLS else None


def describe_serum(table: SerumTable, *, file: str, quality: QualityReport | None) -> str:
    """What a serum table holds: format, samples, proteins, limits, flags, plates, handling, axes, remarks."""
    ds = table.dataset
    lines = [f"{file}: {table.reader} ({_description(table.reader)})", *_identity(ds)]
    lines += [*_rows(ds), *_proteins(table), *_values(ds), *_flags(ds), *_plates(ds)]
    lines += [*_handling(quality), *_axes(ds)]
    # What the reader has told of its own accord is not told again.
    told = {problem.code for problem in table.problems}
    found = [] if quality is None else [each for each in quality.problems if each.code not in told]
    return "\n".join([*lines, *remarks([*table.problems, *found])])


def _handling(quality: QualityReport | None) -> list[str]:
    if quality is None:
        return [f"quality of samples and serum handling: not worked out for more than {_MOST_CELLS:,} values"]
    handling = quality.handling
    if handling is None:
        return ["serum handling: the species is not stated"]
    lines = ["serum handling (mean z against all samples; usable as covariates):"]
    for label, symbols in handling.members.items():
        if symbols:
            scores = quality.samples[label].to_numpy(dtype=float)
            top = int(np.nanargmax(scores))
            sample = quality.samples["sample"].iloc[top]
            lines.append(f"  {label}: from {', '.join(symbols)}; highest {scores[top]:.1f} ({sample})")
        else:
            lines.append(f"  {label}: no score: {handling.refused[label]}")
    return lines


def remarks(problems: Sequence[Problem]) -> list[str]:
    """One line a remark; what concerns several samples or places is said once, with all of them.

    Examples
    --------
    >>> from core.problems import Problem
    >>> remarks([Problem(code="qc_warning", subject=name, message="marked", action="kept") for name in ("m1", "m2")])
    ['warning: marked (2: m1, m2); kept']
    """
    places: dict[tuple[str, str, str], list[str]] = {}
    for problem in problems:
        place = ", ".join(part for part in (problem.subject, problem.where) if part)
        places.setdefault((problem.severity, problem.message, problem.action), []).append(place)
    lines = []
    for (severity, message, action), found in places.items():
        named = [place for place in found if place]
        where = f" ({f'{len(named)}: ' if len(named) > 1 else ''}{_listed(named)})" if named else ""
        lines.append(f"{severity}: {message}{where}{f'; {action}' if action else ''}")
    return lines


def _description(name: str) -> str:
    from proteomics.readers import READERS

    return next((reader.description for reader in READERS if reader.name == name), "no description")


def _listed(names: Sequence[str], most: int = _LISTED) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _counted(values: Sequence[str]) -> str:
    return _listed([f"{name or '(not stated)'} {number}" for name, number in Counter(values).items()])


def _identity(ds: xr.Dataset) -> list[str]:
    about = ds.attrs
    software = f", written by {about['source_software']}" if about.get("source_software") else ""
    species = about["species"] or "not stated (give --species)"
    lines = [f"platform: {about['platform']}{software}; species: {species}; unit: {about['unit']}"]
    panels = [str(panel) for panel in ds["panel"].values if panel]
    return [*lines, f"panel: {_counted(panels)} proteins"] if panels else lines


def _rows(ds: xr.Dataset) -> list[str]:
    kinds, names = ds["sample_type"].values.tolist(), ds["sample"].values.astype(str)
    lines = [f"samples: {kinds.count('sample')}"]
    for kind in dict.fromkeys(kind for kind in kinds if kind != "sample"):
        these = names[[each == kind for each in kinds]].tolist()
        lines.append(f"rows of type {kind}: {len(these)} ({_listed(these)})")
    known = [str(name) for name, column in ds.coords.items() if column.dims == ("sample",)]
    columns = [name for name in known if name not in ("sample", "sample_type", "plate")]
    return [*lines, f"columns about the samples: {', '.join(columns)}"] if columns else lines


def _proteins(table: SerumTable) -> list[str]:
    lines = [f"proteins: {table.dataset.sizes['protein']}"]
    if table.set_apart:
        lines.append(f"set apart, not among them: {_counted([each.kind for each in table.set_apart])}")
    return lines


def _values(ds: xr.Dataset) -> list[str]:
    from proteomics.abundance import detected_share, has_lod, subject_samples

    ds = subject_samples(ds)
    cells = ds["abundance"].size
    if not cells:
        return ["values: none, since no row is a subject's sample"]
    below, missing = ds["below_lod"].values, np.isnan(ds["abundance"].values) & ~ds["below_lod"].values
    known = has_lod(ds)
    limits = f"known for {int(known.sum())} of {known.size} proteins" if known.any() else "not in the table"
    detected = int((detected_share(ds) >= 0.5).sum())
    return [
        f"values of the samples: {cells}; below LOD {int(below.sum())} ({below.mean():.1%}), "
        f"without a number {int(missing.sum())} ({missing.mean():.1%})",
        f"limit of detection: {limits}; {detected} of {known.size} proteins detected in at least half of the samples",
    ]


def _flags(ds: xr.Dataset) -> list[str]:
    from proteomics.abundance import FLAGS, subject_samples

    quality = subject_samples(ds)["quality"].values
    said = []
    for name, bit in FLAGS.items():
        marked = (quality & bit) > 0
        if marked.any():
            said.append(f"{name} {int(marked.sum())} values in {int(marked.any(axis=1).sum())} samples")
    return [f"flags: {'; '.join(said) or 'none'}"]


def _plates(ds: xr.Dataset) -> list[str]:
    from proteomics.abundance import subject_samples

    plates = subject_samples(ds)["plate"].values.tolist()
    if not any(plates):
        return ["plates: not stated"]
    return [f"plates: {len(set(plates))}; samples on each: {_counted(plates)}"]


def _axes(ds: xr.Dataset) -> list[str]:
    from proteomics.abundance import detected_share
    from proteomics.axes import MIN_MEMBERS, panel_coverage
    from proteomics.serum_handling import HANDLING

    species = str(ds.attrs["species"])
    if not species:
        return ["axes: the species is not stated; with --species mouse or human they are looked up"]
    share = dict(zip(ds["protein"].values.astype(str), detected_share(ds), strict=True))
    core = panel_coverage(ds, species).query("role == 'core'")
    core = core[~core["axis"].isin(HANDLING.values())]
    lines = [f"axes in {species} (at least {MIN_MEMBERS} core members detected in half of the samples are needed):"]
    for axis, members in core.groupby("axis", sort=False):
        there = members[members["status"] == "on panel"]
        seen = [max(share[each] for each in proteins.split(", ")) >= 0.5 for proteins in there["protein"]]
        detected = there.loc[seen, "symbol"].tolist()
        verdict = "measured on" if len(detected) >= MIN_MEMBERS else "no score; detected"
        lines.append(
            f"  {axis}: {len(there)} of {len(members)} core members on the panel, {len(detected)} detected; "
            f"{verdict}: {', '.join(detected) or 'none'}"
        )
    return lines
