"""Drug signatures from files of any known kind: one table a drug, a matrix with one drug a column, or sets of genes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError
from core.readers import read_head
from integration.enrichment import DrugSets, drug_sets
from integration.readers import gct, gctx, read_signature
from integration.readers.gmt import read_gmt
from integration.signatures import Signature, build_signature

__all__ = ["DrugFiles", "read_drugs"]

_MATRICES = (gctx.READER, gct.READER)


@dataclass(frozen=True)
class DrugFiles:
    """Drugs with log2 fold changes (``signatures``), and those known only as ``sets``."""

    signatures: list[Signature] = field(default_factory=list)
    sets: list[DrugSets] = field(default_factory=list)


def read_drugs(place: Path, *, material: str | None = None, species: str | None = None) -> DrugFiles:
    """All drugs of a folder, or of one file.

    A folder's files are read in the order of their names; hidden ones are left alone. A signature table (also a ranked
    list) is one drug, named as the table says or as its file; a GCT or GCTX matrix has one drug a column; a GMT file
    has sets ``NAME_up`` and ``NAME_down``.

    Raises
    ------
    InputError
        If there is no file, one cannot be read, or two drugs have one name.
    """
    paths = _files(place)
    found = DrugFiles()
    for path in paths:
        part = _read(path, material, species)
        found.signatures.extend(part.signatures)
        found.sets.extend(part.sets)
    names = [each.name for each in found.signatures] + [each.name for each in found.sets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError("two drugs have one name", file=place, found=", ".join(twice))
    return found


def _files(place: Path) -> Sequence[Path]:
    if not place.exists():
        raise InputError("not found", file=place, remedy="check the path and its spelling")
    if place.is_file():
        return [place]
    paths = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise InputError("the folder holds no file", file=place, expected="one table a drug, GCT, GCTX or GMT files")
    return paths


def _read(path: Path, material: str | None, species: str | None) -> DrugFiles:
    head = read_head(path)
    for reader in _MATRICES:
        if reader.matches(head):
            return DrugFiles(_columns(reader.read(path), path, material, species))
    if _is_gmt(path):
        return DrugFiles(sets=drug_sets(read_gmt(path), file=str(path)))
    return DrugFiles([read_signature(path, material=material, species=species)])


def _is_gmt(path: Path) -> bool:
    """By name: a table of two columns and a set of one gene look the same."""
    return path.suffix.casefold() == ".gmt"


def _columns(matrix: gct.GeneMatrix, path: Path, material: str | None, species: str | None) -> list[Signature]:
    import pandas as pd

    symbols = gct.gene_symbols(matrix)
    return [
        build_signature(
            pd.DataFrame({"symbol": symbols, "logfc": matrix.values[name].to_numpy()}), name=str(name),
            material=material or "", species=species or "human", file=path.name,
        )
        for name in matrix.values
    ]  # fmt: skip
