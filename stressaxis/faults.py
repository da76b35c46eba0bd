"""What can go wrong around a task: which errors are tried again, which stop the run, and their row in the problems."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.problems import Problem, from_error
from stressaxis.fingerprint import FileMark

if TYPE_CHECKING:
    from stressaxis.engine import Task

__all__ = [
    "InputChangedError",
    "ResultsFolderError",
    "check_unchanged",
    "failure",
    "results_error",
    "will_pass",
]

_ACTION = "left out; the rest went on"

#: The folder of the results cannot take more: nothing that follows could be kept either.
_FOLDER_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

#: What network drives say when they are away for a moment.
_PASSING = {
    errno.EIO,
    errno.EAGAIN,
    errno.EBUSY,
    errno.ETIMEDOUT,
    errno.ECONNRESET,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ESTALE,
}


class InputChangedError(InputError):
    """A file vanished or changed while it was read."""


class ResultsFolderError(InputError):
    """The results folder takes nothing more: the run stops, and what is done is kept."""


def check_unchanged(marks: Mapping[str, FileMark]) -> None:
    """See that the files a task has read are still what they were when the run began.

    Parameters
    ----------
    marks
        Path to the mark that was taken before its fingerprint was.

    Raises
    ------
    InputChangedError
        If one is gone or has another size, time or place.
    """
    for path, before in marks.items():
        try:
            now = FileMark.of(path)
        except InputError as error:
            raise InputChangedError(
                "the file vanished while it was read", file=path, remedy="bring it back, then run again"
            ) from error
        if now != before:
            sizes = f"{before.size} bytes at the start, {now.size} now" if now.size != before.size else "another time"
            raise InputChangedError(
                "the file changed while it was read",
                file=path,
                found=sizes,
                remedy="wait until it is fully copied or recorded, then run again",
            )


def will_pass(error: BaseException) -> bool:
    """Whether trying again in a moment may help: a network drive that did not answer.

    Examples
    --------
    >>> will_pass(OSError(errno.EIO, "Input/output error")), will_pass(ValueError("no"))
    (True, False)
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _PASSING:
            return True
        seen = seen.__cause__
    return False


def results_error(error: BaseException, folder: Path) -> ResultsFolderError | None:
    """The error to stop the run with, if ``error`` came because the results folder takes nothing more.

    The libraries that write tracks hide the system's reason, so that after any error the folder is tried.
    """
    if isinstance(error, InputError) and not isinstance(error.__cause__, OSError):
        return None
    number = error.errno if isinstance(error, OSError) and error.errno in _FOLDER_ERRORS else _refused_by(folder)
    if number is None:
        return None
    return ResultsFolderError(
        f"the results folder takes nothing more ({os.strerror(number)})",
        file=folder,
        remedy="free space or make the folder writable, then run again; what is done is kept",
    )


def _refused_by(folder: Path) -> int | None:
    """The system's reason for refusing a small file in the folder; None if it takes one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix="tmp-") as stream:
            stream.write(bytes(1 << 20))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        return error.errno
    return None


def failure(error: BaseException, task: Task) -> Problem:
    """The row of the problems table for a task that failed."""
    facts = {"subject": task.subject, "file": task.file, "action": _ACTION}
    if isinstance(error, MemoryError):
        message = f"not enough memory for {task.id}, alone too; run it on a machine with more"
        return Problem(code="out_of_memory", message=message, **facts)
    if isinstance(error, InputChangedError):
        return Problem(code="changed_while_read", message=str(error), **facts)
    if type(error).__name__ in ("BrokenProcessPool", "KilledWorker"):
        message = "the process that worked on it died again and again (out of memory, or killed)"
        return Problem(code="worker_killed", message=message, **facts)
    return from_error(error, **facts)
