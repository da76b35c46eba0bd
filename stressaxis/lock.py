"""One run at a time in a results folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import InputError

__all__ = ["only_run"]


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    InputError
        If another run holds the folder, or it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = open(folder / "lock", "a+b")  # noqa: SIM115 - held open for the whole run
    except OSError as error:
        raise InputError(
            f"the results folder cannot be written to ({error.strerror})", file=folder, remedy="choose another --out"
        ) from error
    with stream:
        if not _take(stream.fileno()):
            raise InputError(
                "another run is working on this results folder",
                file=folder.parent,
                remedy="wait for it, or give this run another --out",
            )
        yield


def _take(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
