"""Serum tables of every known format: one table of readers, one way in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.lazy import lazy_front
from core.readers import Reader, find_reader, load_readers

if TYPE_CHECKING:
    from proteomics.readers.table import SerumOptions, SerumTable

__all__ = ["READERS", "SerumOptions", "SerumTable", "read_serum"]

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
    "long_table.READER",
    "wide_matrix.READER",
)


__getattr__, __dir__, _ = lazy_front(
    __name__,
    {"table": ("SerumOptions", "SerumTable", "SetApart")},
    made={"READERS": lambda: load_readers(__name__, _READERS)},
)


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
        symbols, sample_columns, columns, zero, quantity, layout, replicates, contaminants.

    Returns
    -------
    SerumTable
        ``dataset`` (see :mod:`proteomics.abundance`), ``problems``, ``reader``, ``set_apart``.

    Raises
    ------
    InputError
        If no reader knows the file, or what is in it cannot be right; the place is named.
    """
    from proteomics.readers.grids import serum_head
    from proteomics.readers.named_symbols import with_symbols
    from proteomics.readers.table import SerumOptions

    chosen = SerumOptions(**options)
    if chosen.columns and format == "auto":
        format = "long-table"
    readers: list[Reader] = __getattr__("READERS")
    table: SerumTable = find_reader(path, readers, format=format, head=serum_head).read(path, chosen)
    return with_symbols(table, chosen.symbols, file=str(path)) if chosen.symbols else table
