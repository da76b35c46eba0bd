"""Serum tables of every known format: one table of readers, one way in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.lazy import lazy_front
from core.readers import Reader

if TYPE_CHECKING:
    from proteomics.readers.table import SerumOptions, SerumTable

__all__ = ["READERS", "SerumOptions", "SerumTable", "read_serum"]

_get, __dir__, _ = lazy_front(__name__, {"table": ("SerumOptions", "SerumTable", "SetApart")})

#: Where the readers stand, in the order in which they are asked whether they know a file.
_READERS = (
    "refused.REFUSED",
    "olink_wide.READER",
    "olink_long.READER",
    "xponent.READER",
    "intelliflex.READER",
    "bioplex_xml.READER",
    "bioplex.READER",
    "msd.WORKBENCH",
    "msd.SIGNALS",
    "somascan.READER",
    "maxquant.READER",
    "diann.MATRIX",
    "diann.REPORT",
    "spectronaut.READER",
    "fragpipe.FRAGPIPE",
    "fragpipe.ALPHAPEPT",
    "prostar.READER",
    "wide_matrix.READER",
)


def _readers() -> list[Reader]:
    import importlib

    from core.readers import register

    table: list[Reader] = []
    for place in _READERS:
        module, name = place.split(".")
        found = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        for reader in found if isinstance(found, tuple) else (found,):
            register(table, reader)
    return table


def __getattr__(name: str) -> Any:
    if name == "READERS":
        if "READERS" not in globals():
            globals()["READERS"] = _readers()
        return globals()["READERS"]
    return _get(name)


def read_serum(path: str | Path, *, format: str = "auto", **options: Any) -> SerumTable:
    """Read a serum table of any known format.

    Parameters
    ----------
    path
        The file; recognised by its content, not its name.
    format
        Name of a reader (``"olink-long"``), or ``"auto"``.
    **options
        Fields of :class:`proteomics.readers.table.SerumOptions`: species, unit, platform, orientation, lod,
        sample_columns, zero, quantity, layout, replicates.

    Returns
    -------
    SerumTable
        ``dataset`` (see :mod:`proteomics.abundance`), ``problems``, ``reader``, ``set_apart``.

    Raises
    ------
    InputError
        If no reader knows the file, or what is in it cannot be right; the place is named.
    """
    from proteomics.readers.table import SerumOptions

    chosen = SerumOptions(**options)
    table: SerumTable = _find(path, format).read(path, chosen)
    return table


def _find(path: str | Path, format: str) -> Reader:
    from proteomics.readers.grids import serum_head

    readers: list[Reader] = __getattr__("READERS")
    if format != "auto":
        named = [reader for reader in readers if reader.name == format]
        if not named:
            raise InputError(f"no reader is called {format!r}", expected=", ".join(reader.name for reader in readers))
        return named[0]
    head = serum_head(path)
    for reader in readers:
        if reader.matches(head):
            return reader
    known = "; ".join(f"{reader.name} ({reader.description})" for reader in readers)
    raise InputError("format not recognised", file=path, expected=f"one of: {known}")
