"""One run at a time in a results folder."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from core.errors import InputError

__all__ = ["only_run"]

_LOCK = "lock"


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    InputError
        If another run holds the folder, or it cannot be written to.
    """
    stream = _opened(folder)
    with stream:
        try:
            yield
        finally:
            # Removed while it is still held, so that nobody else's is.
            if sys.platform != "win32":
                with suppress(OSError):
                    (folder / _LOCK).unlink(missing_ok=True)


def _opened(folder: Path) -> IO[bytes]:
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stream = open(folder / _LOCK, "a+b")  # noqa: SIM115 - held open for the whole run
        except OSError as error:
            raise InputError(
                f"the results folder cannot be written to ({error.strerror})",
                file=folder,
                remedy="choose another --out, or make the folder writable",
            ) from error
        if not _take(stream.fileno()):
            stream.close()
            raise InputError(
                "another run is working on this results folder",
                file=folder.parent,
                remedy="wait for it, or give this run another --out",
            )
        if _still_there(stream.fileno(), folder / _LOCK):
            return stream
        # The run before removed the file between our opening and taking it.
        stream.close()


def _still_there(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _take(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network drives know no locks; results are published whole there too, so that two runs do no harm.
        return error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
    return True
