"""Matrices of the GCTX format: the content of a GCT file in an HDF5 file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError
from core.labels import duplicated
from core.readers import Reader, read_head
from integration.readers.gct import GeneMatrix

__all__ = ["READER", "read_gctx"]

_MATRIX, _ROW, _COLUMN = "0/DATA/0/matrix", "0/META/ROW", "0/META/COL"
#: Larger matrices are libraries, not a study's drugs: they are cut down before they are read.
MAX_VALUES = 200_000_000


def _matches(head: bytes) -> bool:
    return head.startswith(b"\x89HDF\r\n\x1a\n")


def read_gctx(path: str | Path) -> GeneMatrix:
    """Read a GCTX file whole.

    Raises
    ------
    InputError
        If it is no GCTX file, its parts do not fit together, or it is too large to be read whole.
    """
    import h5py
    import pandas as pd

    read_head(path)
    try:
        with h5py.File(path, "r") as file:
            missing = [name for name in (_MATRIX, f"{_ROW}/id", f"{_COLUMN}/id") if name not in file]
            if missing:
                raise InputError("this HDF5 file is no GCTX file", file=path, where=missing[0], found="nothing there")
            if file[_MATRIX].size > MAX_VALUES:
                raise InputError("the matrix is too large to be read whole", file=path, found=f"{file[_MATRIX].shape}",
                                 expected=f"at most {MAX_VALUES} values",
                                 remedy="cut it down to the drugs in question first")  # fmt: skip
            values = np.asarray(file[_MATRIX], dtype=np.float64).T
            rows, columns = (_texts(file[place]) for place in (_ROW, _COLUMN))
    except OSError as error:
        raise InputError(f"the HDF5 file is damaged ({error})", file=path) from None
    shape = (len(rows["id"]), len(columns["id"]))
    if values.shape != shape:
        raise InputError("matrix and ids differ in number", file=path, found=f"{values.shape}", expected=f"{shape}")
    for what, labels in (("row", rows["id"]), ("column", columns["id"])):
        if twice := duplicated(labels):
            raise InputError(f"a {what} id stands twice", file=path, found=", ".join(twice[:5]))
    frame = pd.DataFrame(values, rows.pop("id"), columns.pop("id")).replace([np.inf, -np.inf], np.nan)
    return GeneMatrix(values=frame, rows=rows, columns=columns)


def _texts(group: Any) -> dict[str, list[str]]:
    """Every description of rows or columns, as text."""
    return {
        name: [
            each.decode("utf-8", "replace").strip() if isinstance(each, bytes) else str(each) for each in group[name]
        ]
        for name in group
    }


READER = Reader("gctx", "GCTX matrix of genes by drugs or samples (HDF5)", _matches, read_gctx,
                "https://clue.io/connectopedia/gctx_format")  # fmt: skip
