"""Serum tables from the command line: read, changed if asked to, said in words, written anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from stressaxis.atomic import write_text
from stressaxis.standalone.serum_words import describe_serum, quality_of
from stressaxis.standalone.serum_writing import ENDINGS, convert_serum

if TYPE_CHECKING:
    from proteomics.readers import SerumTable

__all__ = ["Change", "read_serum_file", "show_serum"]


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

    if out is not None and out.suffix.lower() not in ENDINGS:
        raise InputError("unknown kind of file to write", file=out, found=out.suffix or "no ending",
                         expected=" or ".join(ENDINGS))  # fmt: skip
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
