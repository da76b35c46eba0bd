"""Readers of signature tables and of gene sets: found by content, through one table."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

from core.errors import InputError
from core.readers import Reader, read_head, register
from integration.readers.signature_tables import LAYOUTS, layout_of, table_of
from integration.signature_facts import facts_of
from integration.signatures import Signature, build_signature

__all__ = ["READERS", "read_signature"]

#: Layouts of signature tables, the more particular first.
READERS: list[Reader] = []
for _layout in LAYOUTS:
    register(READERS, Reader(_layout.name, _layout.description, _layout.matches, table_of, _layout.reference))

_MAX_BYTES = 512 * 1024**2


def read_signature(
    path: str | Path,
    *,
    name: str | None = None,
    columns: dict[str, str] | None = None,
    n_1: int | None = None,
    n_0: int | None = None,
    samples_1: Iterable[str] | None = None,
    samples_0: Iterable[str] | None = None,
    material: str | None = None,
    species: str | None = None,
) -> Signature:
    """A signature from a delimited table (also gzipped) of stressaxis, limma, edgeR, DESeq2, or a ranked list (RNK).

    Parameters
    ----------
    path
        The file.
    name
        Of the contrast; by default the file's name.
    columns
        Our column name to the file's, for tables of another layout (``{"symbol": "Gene", "logfc": "log2FC"}``).
    n_1, n_0, samples_1, samples_0, material, species
        What the table does not say (:mod:`integration.signature_facts`); see
        :class:`integration.signatures.Signature`. Without any, the species is human.

    Raises
    ------
    InputError
        If the file cannot be read, no layout fits, or a number is not one.
    """
    path = Path(path)
    text = _text(path)
    layout = layout_of(text, columns=columns, file=str(path))
    table = table_of(text, layout, file=str(path))
    stated = facts_of(text, file=str(path))
    sides = {"samples_1": samples_1, "samples_0": samples_0}
    return build_signature(
        table, name=name or stated.get("contrast") or path.name.split(".")[0], n_1=n_1, n_0=n_0,
        **{key: stated.get(key) if given is None else given for key, given in sides.items()},
        material=stated.get("material", "") if material is None else material,
        species=stated.get("species", "human") if species is None else species, file=path.name,
    )  # fmt: skip


def _text(path: Path) -> str:
    from core.texttables import decode_text, read_text

    if not read_head(path).startswith(b"\x1f\x8b"):
        return read_text(path)
    try:
        with gzip.open(path) as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"the gzip file is damaged ({error})", file=path) from None
    if len(raw) > _MAX_BYTES:
        raise InputError("the unpacked file is too large", file=path, expected=f"at most {_MAX_BYTES} bytes")
    return decode_text(raw, file=path)
