"""Serum tables from the command line: what a file is, and the same as a tidy table or AnnData."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from stressaxis.atomic import write_bytes, write_text

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from core.problems import Problem
    from proteomics.quality_overview import QualityReport
    from proteomics.readers import SerumTable

__all__ = [
    "Change",
    "convert_serum",
    "describe_serum",
    "parse_limits",
    "quality_of",
    "read_serum_file",
    "remarks",
    "show_serum",
    "tidy_table",
]

_LISTED = 8
_ENDINGS = (".csv", ".h5ad")
#: Values of a table above which its quality is not worked out by the way.
_MOST_CELLS = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is done to a table before it is written; nothing by default.

    Parameters
    ----------
    bridge
        Table of a second project, joined by the samples that both measured.
    normalise, reference
        As in :func:`proteomics.normalised_table.normalise_table`.
    impute, seed
        Fill values without a number (MinProb).
    """

    bridge: Path | None = None
    normalise: str = ""
    reference: tuple[str, ...] = ()
    impute: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.reference and self.normalise != "reference":
            raise InputError("--reference-sample belongs to --normalise reference", remedy="give both")

    @property
    def asked(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.bridge or self.normalise or self.impute)


def show_serum(
    path: Path,
    *,
    out: Path | None = None,
    samples: Path | None = None,
    change: Change | None = None,
    format: str = "auto",
    **options: Any,
) -> str:
    """Read a serum table, write it anew if asked to, and say in words what it is.

    Parameters
    ----------
    path
        The file.
    out
        ``.csv`` (tidy: one row a sample and protein) or ``.h5ad`` (AnnData) to write.
    samples
        Table of the samples; its columns are added by the ids in its first column.
    change
        What is done to the values; the file that is written holds the result.
    format
        Name of a reader, or ``auto``.
    **options
        Fields of :class:`proteomics.readers.table.SerumOptions`.

    Raises
    ------
    InputError
        If a file or an option cannot be used.
    """
    from proteomics.abundance import set_samples
    from stressaxis.standalone.samplesheets import match_samples, read_sheet

    if out is not None and out.suffix.lower() not in _ENDINGS:
        raise InputError("unknown kind of file to write", file=out, found=out.suffix or "no ending",
                         expected=" or ".join(_ENDINGS))  # fmt: skip
    if change is not None and change.asked and out is None:
        raise InputError("the values are to be changed, but nothing is written", expected="--out FILE.csv or FILE.h5ad")
    table = read_serum_file(path, format=format, **options)
    if change is not None:
        table = _changed(table, change, path, format, options)
    lines = []
    if samples is not None:
        sheet = read_sheet(samples)
        matched = match_samples(table.dataset, sheet, file=path, common_only=True)
        taken = sheet.table.drop(columns=[name for name in sheet.table if name in ("sample", "sample_type")])
        table = replace(table, dataset=set_samples(table.dataset, taken.loc[matched.both]))
        lines = matched.lines
    quality = quality_of(table.dataset)
    said = "\n".join([describe_serum(table, file=path.name, quality=quality), *lines])
    if out is None:
        return said
    said = f"{said}\n{convert_serum(table.dataset, out)}"
    if quality is None:
        return said
    beside = out.with_suffix(".quality.csv")
    write_text(beside, quality.samples.to_csv(index=False, lineterminator="\n"))
    return f"{said}\n{beside}: level, spread, flags and serum handling of each sample"


def _changed(table: SerumTable, change: Change, path: Path, format: str, options: Mapping[str, Any]) -> SerumTable:
    """The table bridged, normalised and imputed, in this order, and what each step says."""
    from proteomics.normalised_table import bridge_tables, impute_table, normalise_table

    ds, problems = table.dataset, list(table.problems)
    if change.bridge is not None:
        second = read_serum_file(change.bridge, format=format, **options)
        ds, told = bridge_tables(ds, second.dataset, names=(path.name, change.bridge.name))
        problems += [*second.problems, *told]
    if change.normalise:
        ds, told = normalise_table(ds, method=change.normalise, reference=change.reference)
        problems += told
    if change.impute:
        ds, told = impute_table(ds, seed=change.seed)
        problems += told
    return replace(table, dataset=ds, problems=problems)


def read_serum_file(path: Path, *, format: str = "auto", **options: Any) -> SerumTable:
    """A serum table; an option that is out of range is an error of the file's reading.

    Raises
    ------
    InputError
        If no reader knows the file, or an option cannot be used.
    """
    from proteomics.readers import read_serum

    try:
        return read_serum(path, format=format, **options)
    except ValueError as error:
        raise InputError(str(error), file=path) from None


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


def tidy_table(ds: xr.Dataset) -> pd.DataFrame:
    """One row a sample and protein.

    Returns
    -------
    DataFrame
        ``sample``, the columns about samples, ``protein, uniprot, symbol, panel`` and other columns about proteins,
        ``abundance`` (log2, NaN = not measured), ``unit``, ``below_lod``, ``lod``, ``quality`` (names of flags).

    Examples
    --------
    >>> import pandas as pd
    >>> from proteomics.abundance import from_frame
    >>> ds = from_frame(pd.DataFrame({"Il4": [1.0, 3.0]}, index=["m1", "m2"]), platform="beads", species="mouse",
    ...                 unit="log2 pg/mL", lod=[2.0])
    >>> tidy_table(ds)[["sample", "protein", "abundance", "below_lod"]].values.tolist()
    [['m1', 'Il4', 1.0, True], ['m2', 'Il4', 3.0, False]]
    """
    import pandas as pd

    from proteomics.abundance import FLAGS

    n_samples, n_proteins = ds.sizes["sample"], ds.sizes["protein"]
    columns: dict[str, Any] = {}
    spread = {
        "sample": np.repeat(np.arange(n_samples), n_proteins),
        "protein": np.tile(np.arange(n_proteins), n_samples),
    }
    for dim, rows in spread.items():
        names = [dim, *(str(name) for name, column in ds.coords.items() if column.dims == (dim,) and name != dim)]
        for name in names:
            # The same word may describe samples and proteins in a vendor's table.
            columns[name if name not in columns else f"{dim}_{name}"] = ds[name].values[rows]
    quality = ds["quality"].values.ravel()
    words = {int(code): ";".join(name for name, bit in FLAGS.items() if code & bit) for code in np.unique(quality)}
    return pd.DataFrame(
        {
            **columns,
            "abundance": ds["abundance"].values.ravel(),
            "unit": ds.attrs["unit"],
            "below_lod": ds["below_lod"].values.ravel(),
            "lod": ds["lod"].values.ravel(),
            "quality": [words[int(code)] for code in quality],
        }
    )


def convert_serum(ds: xr.Dataset, out: Path) -> str:
    """Write a tidy csv or an AnnData h5ad, and say what was written.

    Raises
    ------
    InputError
        If the name's ending is unknown, or AnnData is asked for and not installed.
    """
    kind = out.suffix.lower()
    if kind == ".csv":
        write_text(out, tidy_table(ds).to_csv(index=False, lineterminator="\n"))
        return f"{out}: {ds['abundance'].size} rows written, one a sample and protein, controls included"
    if kind != ".h5ad":
        raise InputError("unknown kind of file to write", file=out, found=kind or "no ending",
                         expected=" or ".join(_ENDINGS))  # fmt: skip
    from proteomics.anndata_form import to_anndata

    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "table.h5ad"
        to_anndata(ds).write_h5ad(whole)
        write_bytes(out, whole.read_bytes())
    return f"{out}: written (AnnData: {ds.sizes['sample']} samples x {ds.sizes['protein']} proteins)"


def parse_limits(pairs: Mapping[str, str]) -> dict[str, float]:
    """``{"Il4": "1.5"}`` as numbers.

    Raises
    ------
    InputError
        If a limit is no finite number.

    Examples
    --------
    >>> parse_limits({"Il4": "1.5"})
    {'Il4': 1.5}
    """
    found = {}
    for name, text in pairs.items():
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = np.nan
        if not np.isfinite(found[name]):
            raise InputError("--lod must be PROTEIN=NUMBER", found=f"{name}={text}")
    return found
