"""The files that an experiment names: found, fingerprinted, and those that cannot be read set apart."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.problems import Problem, from_error
from stressaxis.executors import Workers
from stressaxis.faults import InputChangedError, check_unchanged, will_pass
from stressaxis.fingerprint import FileMark, FingerprintMemory, file_fingerprint

__all__ = ["InputFile", "fingerprint_files", "patient_fingerprint"]


@dataclass(frozen=True)
class InputFile:
    """A file as the experiment names it, where it is, and its content's fingerprint."""

    name: str
    path: Path
    mark: FileMark
    fingerprint: str


def fingerprint_files(
    named: Mapping[str, Path], *, memory: FingerprintMemory, workers: Workers, reread: bool = False
) -> tuple[dict[str, InputFile], list[Problem]]:
    """Fingerprint files, those known from before without reading them.

    Parameters
    ----------
    named
        Name in the experiment to path.
    memory
        Fingerprints of earlier runs; what is read now is added.
    workers
        Who reads the others.
    reread
        Read all of them; a content that changed behind an unchanged size and time is a Problem.

    Returns
    -------
    files, problems
        Name to file for those that could be read, and a Problem for each of the others.
    """
    files: dict[str, InputFile] = {}
    problems: list[Problem] = []
    waiting: dict[str, tuple[FileMark, Future[str]]] = {}
    remembered: dict[str, str | None] = {}
    for name, path in named.items():
        try:
            # The mark is taken before the file is read: a file that grows meanwhile is read again next time.
            mark = FileMark.of(path)
            known = memory.recall(path, mark)
        except InputError as error:
            problems.append(_unreadable(error, name))
            continue
        remembered[name] = known
        if known is None or reread:
            waiting[name] = (mark, workers.submit(patient_fingerprint, str(path)))
        else:
            files[name] = InputFile(name, path, mark, known)
    for name, (mark, future) in waiting.items():
        path = named[name]
        try:
            fingerprint = _result(future, path, workers)
            check_unchanged({str(path): mark})
        except InputChangedError as error:
            problems.append(_changing(error, name))
            continue
        except InputError as error:
            problems.append(_unreadable(error, name))
            continue
        if remembered[name] not in (None, fingerprint):
            problems.append(_damaged(name))
        memory.remember(path, mark, fingerprint)
        files[name] = InputFile(name, named[name], mark, fingerprint)
    return {name: files[name] for name in named if name in files}, problems


def _result(future: Future[str], path: Path, workers: Workers) -> str:
    try:
        return future.result()
    except BrokenProcessPool:
        # A worker was killed: reading on here is slower, but needs no other process.
        workers.discard()
        return patient_fingerprint(str(path))


def patient_fingerprint(path: str) -> str:
    """:func:`~stressaxis.fingerprint.file_fingerprint`, tried three times on a drive that does not answer."""
    for pause_s in (1.0, 4.0):
        try:
            return file_fingerprint(path)
        except InputError as error:
            if not will_pass(error):
                raise
        time.sleep(pause_s)
    return file_fingerprint(path)


def _damaged(name: str) -> Problem:
    message = f"{name}: its content changed although its size and time did not: a damaged disk, or a failed copy"
    return Problem(code="input_damaged", file=name, message=message, action="used as it is now; compare with a copy")


def _changing(error: InputError, name: str) -> Problem:
    return Problem(code="changed_while_read", file=name, message=str(error), action="not used; the rest went on")


def _unreadable(error: InputError, name: str) -> Problem:
    return from_error(error, file=name, action="not used; the rest went on")
