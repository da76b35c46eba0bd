"""What a reader recognises a file by: its first text, the names inside an HDF5 file, or its first bytes."""

from __future__ import annotations

from pathlib import Path

from behavior.readers.hdf5 import HDF5, list_names
from behavior.readers.sheets import sniff_text
from core.readers import HEAD_BYTES, read_head

__all__ = ["track_head"]

_BINARY = (b"\x93NUMPY",)


def track_head(path: str | Path) -> bytes:
    """The head that the readers' ``matches`` sees.

    A text file or workbook gives its first rows as UTF-8, an HDF5 file its signature and the names in it, one a line.

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    head = read_head(path)
    if head.startswith(HDF5):
        return HDF5 + b"\n" + "\n".join(list_names(path)).encode()
    if head.startswith(_BINARY):
        return head
    return sniff_text(path).encode("utf-8", errors="replace")[: 2 * HEAD_BYTES]
