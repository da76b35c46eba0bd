"""Olink NPX in long form, one row a sample and assay: csv (comma, semicolon, tab) and Parquet.

Both vocabularies are known: the older (``Panel_Version, QC_Warning, LOD, Sample_Type``) and the newer one of
Explore HT, Reveal and NPX Map (``SampleType, AssayType, AssayQC, SampleQC, Block, PlateLOD, MaxLOD``); only SampleID,
a value (NPX, or Quantified_value with Unit) and one of OlinkID, UniProt or Assay must be there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.problems import Problem
from core.readers import Reader
from proteomics.abundance import FLAGS
from proteomics.readers.grids import head_lines
from proteomics.readers.long_columns import LongColumns, read_long_columns
from proteomics.readers.table import (
    SerumOptions,
    SerumTable,
    SetApart,
    control_type,
    count_controls,
    normal_name,
    species_of_panel,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["READER", "read_olink_long"]

_COLUMNS = {
    "sample": ("sampleid",),
    "sample_type": ("sampletype",),
    "well": ("wellid", "well"),
    "plate": ("plateid",),
    "index": ("index",),
    "olink_id": ("olinkid",),
    "uniprot": ("uniprot", "uniprotid"),
    "gene": ("geneid", "genesymbol", "genename"),
    "assay": ("assay", "assayname"),
    "assay_type": ("assaytype",),
    "panel": ("panel",),
    "sample_qc": ("qcwarning", "sampleqc", "sampleqcwarning", "qcstatus"),
    "assay_qc": ("assaywarning", "assayqc", "assayqcwarning"),
    "value": ("npx", "quantifiedvalue", "quant"),
    "lod": ("lod", "lodnpx", "npxlod", "platelod", "platelodnpx", "maxlod", "maxlodnpx"),
    "unit": ("unit",),
}
#: Columns about the assay or the run; all others that are unknown describe the sample.
_NOT_SAMPLE = {
    "missingfreq",
    "panelversion",
    "panellotnr",
    "normalization",
    "count",
    "extnpx",
    "pcnormalizednpx",
    "block",
    "exploreversion",
    "dataanalysisrefid",
    "intracv",
    "intercv",
    "lodcount",
    "lodmethod",
    "lloq",
    "uloq",
    "platelod",
    "maxlod",
    "processingstartdate",
    "analyzerid",
    "platelodnpx",
    "maxlodnpx",
    "platelqc",
    "wellqc",
}
_CONTROL_ASSAYS = (
    "incctrl",
    "detctrl",
    "extctrl",
    "ampctrl",
    "incubationc",
    "extensionc",
    "amplificationc",
    "detectionc",
)
_FLAG_OF_QC = {"warning": "qc_warning", "warn": "qc_warning", "manualwarn": "qc_warning", "fail": "qc_fail"}
_FLAG_OF_QC |= {"excluded": "qc_fail", "failed": "qc_fail", "exclude": "qc_fail"}


def _matches(head: bytes) -> bool:
    lines = head_lines(head)
    if head.startswith(b"PAR1\n"):
        lines = lines[1:]
    for line in lines[:1]:
        names = {normal_name(name) for name in line.replace(";", ",").replace("\t", ",").split(",")}
        has_value = bool(names & set(_COLUMNS["value"]))
        has_assay = bool(names & {"olinkid", "uniprot", "uniprotid", "assay"})
        return "sampleid" in names and has_value and has_assay
    return False


def read_olink_long(path: str | Path, options: SerumOptions | None = None) -> SerumTable:
    """Read long NPX.

    The key of a protein is the OlinkID, or else panel:UniProt:assay; never the gene alone. Values below LOD stay as
    measured and are marked. LOD is compared row by row. Control assays are set apart; control samples stay with
    their ``sample_type``. Sample and assay warnings become ``quality`` flags. A sample id measured more than once is
    kept apart by Index, plate or well; if nothing tells the measurements apart, the file is refused.

    Raises
    ------
    InputError
        If a value is no number (file, row and column are named), a row is broken, or nothing is left.
    """
    options = options or SerumOptions()
    columns = read_long_columns(path, _COLUMNS, numbers=("value", "lod"), not_sample=_NOT_SAMPLE)
    _check_columns(columns)
    protein, keys = _protein_keys(columns)
    apart = _control_assays(columns, protein, keys)
    problems: list[Problem] = []
    sample, names = _sample_keys(columns, protein, problems)
    return _assemble(columns, sample, names, protein, keys, apart, options, problems)


def _check_columns(columns: LongColumns) -> None:
    if not columns.n_rows:
        raise InputError("the table is empty", file=columns.file, found="a header without rows", expected="NPX rows")
    if not {"olink_id", "uniprot", "assay"} & set(columns.codes):
        raise InputError(
            "nothing names the assay", file=columns.file, where="header", expected="OlinkID, UniProt or Assay"
        )
    for name in ("sample", "olink_id"):
        blank = columns.first_blank(name)
        if blank is not None:
            raise InputError("blank cell", file=columns.file, where=columns.place(blank, name), expected="an id")


def _protein_keys(columns: LongColumns) -> tuple[np.ndarray, list[str]]:
    if "olink_id" in columns.codes:
        keys = columns.labels["olink_id"]
        for name in ("uniprot", "assay"):
            _refuse_two_names(columns, name)
        return columns.codes["olink_id"], list(keys)
    parts = [name for name in ("panel", "uniprot", "assay") if name in columns.codes]
    combined, first = columns.combine(parts)
    return combined, [":".join(columns.text(part, row) for part in parts) for row in first]


def _refuse_two_names(columns: LongColumns, name: str) -> None:
    if name not in columns.codes:
        return
    ids, codes = columns.codes["olink_id"], columns.codes[name]
    first = np.full(len(columns.labels["olink_id"]), -1, np.int64)
    first[ids[::-1]] = codes[::-1]
    other = np.flatnonzero(first[ids] != codes)
    if other.size:
        row = int(other[0])
        raise InputError(
            f"OlinkID {columns.text('olink_id', row)} stands for two assays",
            file=columns.file,
            where=columns.place(row, name),
            found=f"{columns.labels[name][first[ids[row]]]!r} and {columns.text(name, row)!r}",
        )


def _control_assays(columns: LongColumns, protein: np.ndarray, keys: list[str]) -> dict[int, str]:
    apart = {}
    for code, row in enumerate(columns.first_rows(protein, len(keys))):
        stated = normal_name(columns.text("assay_type", row))
        assay = normal_name(columns.text("assay", row))
        by_name = assay.startswith(_CONTROL_ASSAYS)
        if stated not in ("", "assay", "na") or by_name:
            apart[code] = "control assay"
    return apart


def _sample_keys(columns: LongColumns, protein: np.ndarray, problems: list[Problem]) -> tuple[np.ndarray, list[str]]:
    """Code of the measured sample for each row; ids that stand for several measurements are split."""
    sample = columns.codes["sample"]
    names = list(columns.labels["sample"])
    repeated = columns.repeated(sample, protein)
    if repeated is None:
        return sample, names
    for part in ("index", "plate", "well"):
        if part not in columns.codes:
            continue
        combined, first = columns.combine(["sample", part])
        if columns.repeated(combined, protein) is None:
            return combined, _numbered([names[sample[row]] for row in first], problems, columns, part)
    row, earlier = repeated
    raise InputError(
        f"sample {columns.text('sample', row)!r} has two values for one assay",
        file=columns.file,
        where=f"{columns.place(row)} and {columns.place(earlier)}",
        expected="one value for each sample and assay, or an Index, PlateID or WellID that tells them apart",
        remedy="remove the repeated rows or give the second measurement its own SampleID",
    )


def _numbered(names: list[str], problems: list[Problem], columns: LongColumns, part: str) -> list[str]:
    count: dict[str, int] = {}
    numbered = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        numbered.append(name if count[name] == 1 else f"{name} #{count[name]}")
    for name, times in count.items():
        if times > 1 and control_type(name) == "sample":
            problems.append(
                Problem(
                    code="duplicate_sample",
                    file=Path(columns.file).name,
                    where=f"sample {name}",
                    message=f"{times} measurements carry this id; column {columns.names[part]} tells them apart",
                    action=f"kept apart as {name!r} to '{name} #{times}'",
                )
            )
    return numbered


def _assemble(
    columns: LongColumns,
    sample: np.ndarray,
    names: list[str],
    protein: np.ndarray,
    keys: list[str],
    apart: dict[int, str],
    options: SerumOptions,
    problems: list[Problem],
) -> SerumTable:
    import pandas as pd

    from proteomics.abundance import from_frame

    keep = np.array([code for code in range(len(keys)) if code not in apart], dtype=np.int64)
    if not keep.size:
        raise InputError("no assay is left", file=columns.file, found=f"{len(keys)} control assays")
    place = np.full(len(keys), -1, np.int32)
    place[keep] = np.arange(keep.size)
    inside: slice | np.ndarray = np.flatnonzero(place[protein] >= 0) if apart else slice(None)
    # A file of 50 million rows fits into memory once, not twice: in place, and each column let go when it is placed.
    cell = sample[inside].astype(np.int64)
    cell *= keep.size
    cell += place[protein[inside]]
    shape = (len(names), keep.size)
    has_lod = "lod" in columns.numbers
    unit, logged = _unit(columns, options)
    matrix = _scatter(cell, logged(columns.numbers.pop("value"))[inside], shape, np.nan)
    limits = _scatter(cell, logged(columns.numbers.pop("lod"))[inside], shape, np.nan) if has_lod else None
    quality = _scatter(cell, _flags(columns)[inside], shape, 0)
    if limits is not None:
        limits[np.isinf(limits)] = np.nan
    infinite = np.isinf(matrix)
    matrix[infinite] = np.nan
    quality[infinite] |= FLAGS["no_result"]
    del cell, infinite
    first_p = columns.first_rows(protein, len(keys))[keep]
    first_s = columns.first_rows(sample, len(names))
    proteins = _protein_table(columns, first_p)
    samples = _sample_table(columns, sample, first_s, names)
    columns.codes.clear()
    dataset = from_frame(
        pd.DataFrame(matrix, index=names, columns=[keys[code] for code in keep]),
        lod=limits,
        quality=quality,
        samples=samples,
        proteins=proteins,
        platform=options.platform or "Olink",
        species=options.species or species_of_panel(" ".join(proteins["panel"].unique())),
        unit=unit,
        source_file=Path(columns.file).name,
        source_software="Olink NPX long",
    )
    problems += count_controls(samples["sample_type"].tolist(), names, file=columns.file)
    problems += _warnings(columns, dataset, apart, has_lod=has_lod)
    return SerumTable(dataset, problems, READER.name, tuple(SetApart(keys[code], kind) for code, kind in apart.items()))


def _protein_table(columns: LongColumns, rows: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    symbol = "gene" if "gene" in columns.codes else "assay"
    roles = {"uniprot": "uniprot", "symbol": symbol, "panel": "panel"}
    return pd.DataFrame({name: [columns.text(role, row) for row in rows] for name, role in roles.items()})


def _scatter(cell: np.ndarray, values: np.ndarray, shape: tuple[int, int], fill: float) -> np.ndarray:
    matrix = np.full(shape[0] * shape[1], fill, values.dtype)
    matrix[cell] = values
    return matrix.reshape(shape)


def _unit(columns: LongColumns, options: SerumOptions) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    """The unit on the log2 scale, and what turns a column into it."""
    if normal_name(columns.names["value"]) == "npx":
        return "NPX", lambda values: values
    stated = options.unit or (columns.text("unit", 0) if "unit" in columns.codes else "")
    return f"log2 {stated or 'quantified value'}", _log2


def _log2(values: np.ndarray) -> np.ndarray:
    # 0 stays infinite here and is marked as no result; a limit of 0 is none.
    with np.errstate(divide="ignore", invalid="ignore"):
        logged: np.ndarray = np.log2(values)
    return logged


def _flags(columns: LongColumns) -> np.ndarray:
    flags = np.zeros(columns.n_rows, np.uint16)
    for name, renamed in (("sample_qc", {}), ("assay_qc", {"qc_warning": "assay_warning"})):
        if name not in columns.codes:
            continue
        bits = [_FLAG_OF_QC.get(normal_name(label), "") for label in columns.labels[name]]
        of_label = np.array([FLAGS[renamed.get(bit, bit)] if bit else 0 for bit in bits], np.uint16)
        flags |= of_label[columns.codes[name]]
    return flags


def _sample_table(columns: LongColumns, sample: np.ndarray, first: np.ndarray, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    stated = [columns.text("sample_type", row) for row in first]
    originals = [columns.text("sample", row) for row in first]
    table: dict[str, list[str] | None] = {
        "sample_type": [control_type(name, kind) for name, kind in zip(originals, stated, strict=True)],
        "plate": columns.joined("plate", sample, len(names)),
    }
    if "well" in columns.codes:
        table["well"] = columns.joined("well", sample, len(names))
    for name in columns.extra:
        table[name] = columns.constant_text(name, sample, len(names), first)
    return pd.DataFrame({name: column for name, column in table.items() if column is not None})


def _warnings(columns: LongColumns, dataset: xr.Dataset, apart: dict[int, str], *, has_lod: bool) -> list[Problem]:
    file = Path(columns.file).name
    problems = []
    if apart:
        message = f"{len(apart)} control assays are no proteins of the sample"
        problems.append(Problem(code="control_protein", file=file, message=message, action="set apart"))
    if not has_lod:
        message = "the table has no LOD column"
        problems.append(Problem(code="lod_unknown", file=file, message=message, action="all values count as detected"))
    warned = (dataset["quality"].values & (FLAGS["qc_warning"] | FLAGS["qc_fail"])).astype(bool).any(axis=1)
    problems += [
        Problem(
            code="qc_warning",
            file=file,
            where=f"sample {name}",
            message="the vendor's quality control marks this sample in at least one panel",
            action="kept, flagged in quality",
        )
        for name in dataset["sample"].values[warned & (dataset["sample_type"].values == "sample")]
    ]
    return problems


READER = Reader(
    "olink-long",
    "Olink NPX, one row a sample and assay, csv or Parquet",
    _matches,
    read_olink_long,
    "OlinkAnalyze read_NPX; NPX Map and NPX Explore user guides",
)
