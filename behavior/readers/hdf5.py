"""HDF5 files of other programs, opened within bounds: plain arrays of numbers and fixed texts, nothing unpickled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, StressaxisError

__all__ = ["HDF5", "list_names", "numbers", "opened", "texts"]

Array = NDArray[Any]

HDF5 = b"\x89HDF\r\n\x1a\n"
_MAX_VALUES = 60_000_000
_MAX_NAMES = 2000


@contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """The open file; whatever the library finds broken becomes one plain error.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except StressaxisError:
        raise
    # h5py gives each fault of a damaged file another built-in class, down to AttributeError and UnicodeDecodeError.
    except Exception as error:
        text = str(error).split("\n")[0][:200]
        raise InputError(
            f"the HDF5 file is damaged ({type(error).__name__}: {text})", file=path, remedy="copy or export it again"
        ) from None


def list_names(path: str | Path) -> list[str]:
    """Names in the file to the second level, as ``/group/dataset``.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    import h5py

    names: list[str] = []
    with opened(path) as file:
        for name in file:
            names.append(f"/{name}")
            item = file.get(name, getlink=True)
            # Links to other files are not followed.
            if isinstance(item, h5py.HardLink) and isinstance(file[name], h5py.Group):
                names += [f"/{name}/{inner}" for inner in file[name]]
            if len(names) > _MAX_NAMES:
                break
    return names[:_MAX_NAMES]


def _dataset(group: Any, name: str, path: str | Path) -> Any:
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink) or not isinstance(group[name], h5py.Dataset):
        raise InputError("a part of the file is missing", file=path, where=f"{group.name}/{name}", expected="an array")
    found = group[name]
    if found.size is None or found.size > _MAX_VALUES or found.size * max(found.dtype.itemsize, 1) > 8 * _MAX_VALUES:
        raise InputError("an array of the file is too large", file=path, where=found.name, found=str(found.shape))
    if found.external is not None or found.is_virtual:
        raise InputError("an array lies in another file", file=path, where=found.name)
    return found


def numbers(group: Any, name: str, path: str | Path, *, ndim: int) -> Array:
    """An array of numbers.

    Raises
    ------
    InputError
        If it is missing, too large, of another type or number of dimensions.
    """
    found = _dataset(group, name, path)
    if found.dtype.kind not in "fiu" or found.ndim != ndim:
        raise InputError(
            "not an array of numbers",
            file=path,
            where=found.name,
            found=f"{found.dtype}, {found.ndim} dimensions",
            expected=f"numbers, {ndim} dimensions",
        )
    return np.asarray(found[()])


def texts(group: Any, name: str, path: str | Path) -> list[str]:
    """A list of names, stored as fixed or variable texts; nothing pickled is opened.

    Raises
    ------
    InputError
        If it is missing or no list of texts.
    """
    import h5py

    found = _dataset(group, name, path)
    fixed = found.dtype.kind == "S"
    if found.ndim != 1 or not (fixed or h5py.check_string_dtype(found.dtype) is not None):
        raise InputError(
            "names are not stored as text (perhaps pickled, which is not opened)",
            file=path,
            where=found.name,
            found=str(found.dtype),
            remedy="export the track as csv",
        )
    return [value.decode("utf-8", errors="replace") for value in found[()]]
