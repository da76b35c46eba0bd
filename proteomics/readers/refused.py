"""Files that look like serum tables and are none: each is refused by name, with what to bring instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from core.errors import InputError
from core.readers import Reader
from proteomics.readers.grids import head_lines
from proteomics.readers.table import SerumOptions, normal_name

__all__ = ["REFUSED"]


def _first(head: bytes) -> list[str]:
    first = next((line for line in head_lines(head, 5) if line.strip()), "")
    return [normal_name(cell) for cell in re.split("[\t;,]", first)]


def _is_counts(head: bytes) -> bool:
    names = set(_first(head))
    return "count" in names and bool({"forwardbarcode", "reversebarcode", "barcode"} & names)


def _is_r_data(head: bytes) -> bool:
    # R packs its files with gzip (unpacked before this), bzip2 or xz; no table of samples comes in the last two.
    packed = (b"BZh", b"\xfd7zXZ")
    return head.startswith((b"RDX", b"RDA", b"X\n\x00\x00", b"A\n2\n", b"A\n3\n", *packed))


def _is_limits(head: bytes) -> bool:
    names = set(_first(head))
    return {"lloq", "uloq"} <= names and not {"sampleid", "sample", "npx"} & names


def _is_results(head: bytes) -> bool:
    names = set(_first(head))
    if any(name.endswith("calcon") for name in names):
        return True
    has_p = bool({"pvalue", "pval", "adjpval", "padj", "fdr", "qvalue"} & names)
    return (
        has_p
        and not {"sampleid", "sample", "proteinids", "protein.group", "rfilename", "precursorid"} & names
        and bool({"logfc", "mean", "estimate", "statistic", "t", "foldchange", "log2fc"} & names)
    )


def _is_layout(head: bytes) -> bool:
    rows = [re.split("[\t;,]", line) for line in head_lines(head, 12) if line.strip()]
    rows = [[cell.strip('" ') for cell in row] for row in rows]
    for at, row in enumerate(rows[:-2]):
        numbers = [cell.removesuffix(".0") for cell in row[1:] if cell]
        if len(numbers) >= 6 and numbers == [str(k + 1) for k in range(len(numbers))] and not row[0]:
            letters = [line[0] for line in rows[at + 1 : at + 9]]
            texts = [cell for line in rows[at + 1 : at + 9] for cell in line[1:] if cell]
            return letters[:2] == ["A", "B"] and any(not re.fullmatch(r"-?\d+(\.\d+)?", cell) for cell in texts)
    return False


def _reader(
    name: str, description: str, matches: Callable[[bytes], bool], message: str, found: str, remedy: str
) -> Reader:
    def read(path: str | Path, options: SerumOptions | None = None) -> NoReturn:
        raise InputError(message, file=path, found=found, expected="a table of samples and proteins", remedy=remedy)

    return Reader(name, f"refused: {description}", matches, read)


REFUSED = (
    _reader(
        "refused-counts",
        "sequencing counts of Olink Explore",
        _is_counts,
        "these are sequencing counts, not NPX",
        "counts for each pair of barcodes",
        "export NPX from the vendor's software; counts are not normalised",
    ),
    _reader(
        "refused-r-data",
        "R data files",
        _is_r_data,
        "this is an R data file (or packed by bzip2 or xz), which is not read",
        "R's own binary format",
        "save the table in R with write.csv",
    ),
    _reader(
        "refused-limits",
        "limits of quantification without samples",
        _is_limits,
        "these are limits of assays, not samples",
        "LLOQ and ULOQ columns",
        "give it to read_limits, and its values as the option lod",
    ),
    _reader(
        "refused-results",
        "results of a test",
        _is_results,
        "this is a table of results worked out by others, not of samples",
        "p values or fitted concentrations beside their readings",
        "bring the table of the single samples",
    ),
    _reader(
        "refused-layout",
        "plate layouts",
        _is_layout,
        "this is a plate layout, not a measurement",
        "a grid of sample names",
        "give it as the option layout, beside the plate's own file",
    ),
)
