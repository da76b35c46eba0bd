"""A first reading of an HDF5 file in a process of its own: the C library can hang or crash on a damaged one.

``python -m behavior.readers.hdf5_trial FILE`` ends by itself if the file can be read or fails in an orderly way.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.errors import InputError

__all__ = ["try_file"]

#: Processor seconds for any file, and more for each megabyte of a large one.
CPU_S = 5
CPU_S_PER_MB = 0.2
WALL_S = 120
MEMORY_BYTES = 2 * 1024**3
_MAX_BYTES = 480 * 1024**2
_MAX_ITEMS = 3000


def try_file(path: str | Path) -> None:
    """Read the whole file elsewhere first.

    Raises
    ------
    InputError
        If the library hung or crashed over it.
    """
    command = [sys.executable, "-m", "behavior.readers.hdf5_trial", str(Path(path).resolve())]
    folder = str(Path(__file__).resolve().parents[2])
    try:
        done = subprocess.run(command, timeout=WALL_S, capture_output=True, check=False, cwd=folder)
    except subprocess.TimeoutExpired:
        raise InputError("the HDF5 file is damaged (reading it does not end)", file=path,
                         remedy="copy or export it again") from None  # fmt: skip
    if done.returncode != 0:
        raise InputError(f"the HDF5 file is damaged (reading it ends the library, status {done.returncode})", file=path,
                         remedy="copy or export it again")  # fmt: skip


def _read_everything(path: str) -> None:
    """What the readers do, and more; orderly failures are theirs to report."""
    import h5py

    with contextlib.suppress(Exception), h5py.File(path, "r", locking=False) as file:
        items: list[Any] = [file]
        for _ in range(_MAX_ITEMS):
            if not items:
                break
            with contextlib.suppress(Exception):
                _read_item(items.pop(), items, h5py)
    # The netCDF layer walks dimension scales besides; SLEAP and DeepLabCut files are none and fail at once.
    import h5netcdf

    with contextlib.suppress(Exception), h5netcdf.File(path, "r", decode_vlen_strings=True) as file:
        for variable in file.variables.values():
            with contextlib.suppress(Exception):
                dict(variable.attrs)
                _ = variable.dimensions, variable.chunks, variable.filters()
                if variable.dtype.itemsize * max(1, _count(variable.shape)) <= _MAX_BYTES:
                    _ = variable[...]
        dict(file.attrs)


def _read_item(item: Any, items: list[Any], h5py: Any) -> None:
    for name in item.attrs:
        with contextlib.suppress(Exception):
            _ = item.attrs[name]
    if isinstance(item, h5py.Group):
        items += [item[name] for name in item if isinstance(item.get(name, getlink=True), h5py.HardLink)]
    elif item.size is not None and item.size * max(item.dtype.itemsize, 1) <= _MAX_BYTES:
        _ = item[()]


def _count(shape: tuple[int, ...]) -> int:
    number = 1
    for size in shape:
        number *= size
    return number


def _limit(path: str) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        seconds = CPU_S + round(CPU_S_PER_MB * Path(path).stat().st_size / 1e6)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    _limit(sys.argv[1])
    _read_everything(sys.argv[1])
