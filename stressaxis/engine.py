"""Runs tasks through an executor: what is done is reused, what fails is reported, the rest goes on.

A task is a top-level function that gets an output folder, its options and the results of the tasks it needs, and
writes files. Nothing but keys crosses the process border on the way back.
"""

from __future__ import annotations

import importlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import StressaxisError
from core.problems import Problem, from_error
from stressaxis.executors import Workers
from stressaxis.fingerprint import code_fingerprint, digest
from stressaxis.store import Store

__all__ = ["Outcome", "Task", "run_tasks"]

#: So often may a task's process die while it is the only one at work, before the task counts as failed.
_CRASHES_ALONE = 2


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Parameters
    ----------
    id
        Unique name, sorted and shown to people (``"track m01 target"``).
    function
        ``"module:name"`` of ``name(output, *, needs, **options)``; ``needs`` maps task ids to result folders (None
        where that task failed).
    packages
        The science packages that the function calls; their sources are part of the result's key.
    options
        Keyword arguments: paths, frozen dataclasses, numbers, text.
    inputs
        Fingerprints of the files it reads. Paths in ``options`` are not part of the key, fingerprints are.
    key_options
        What of the options decides the result, where that is not all of them.
    needs
        Ids of the tasks whose results it reads.
    weight
        Expected work in any unit, for the time left.
    subject, file
        Whom a failure concerns.
    """

    id: str
    function: str
    packages: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    key_options: Mapping[str, Any] | None = None
    needs: tuple[str, ...] = ()
    weight: float = 1.0
    subject: str = ""
    file: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a task ended: ``done``, ``reused`` or ``failed``."""

    task: Task
    state: str
    key: str
    seconds: float = 0.0
    problem: Problem | None = None


def run_tasks(
    tasks: Iterable[Task],
    *,
    store: Store,
    workers: Workers,
    on_end: Callable[[Outcome], None] = lambda outcome: None,
) -> dict[str, Outcome]:
    """Run tasks in the order their needs allow, at most two per worker in flight.

    Parameters
    ----------
    tasks
        All tasks of the run; needs must name other tasks among them.
    store
        Where results are and go.
    workers
        Who works on them: a process pool's workers or a cluster's.
    on_end
        Called in this process as each task ends, for progress.

    Returns
    -------
    dict
        Task id to outcome, in the order of the tasks given.

    Raises
    ------
    ValueError
        If ids repeat or a need is not among the tasks.
    """
    run = _Run(list(tasks), store, workers, on_end)
    return run.finish()


class _Run:
    """State of one run: what waits, what is in flight, what has ended."""

    def __init__(
        self,
        tasks: list[Task],
        store: Store,
        workers: Workers,
        on_end: Callable[[Outcome], None],
    ) -> None:
        self.tasks = {task.id: task for task in tasks}
        if len(self.tasks) != len(tasks):
            raise ValueError("two tasks have the same id")
        unknown = {need for task in tasks for need in task.needs} - set(self.tasks)
        if unknown:
            raise ValueError(f"tasks need {sorted(unknown)}, which are not among the tasks")
        self.store = store
        self.workers = workers
        self.limit = 2 * workers.count
        self.on_end = on_end
        self.outcomes: dict[str, Outcome] = {}
        self.flying: dict[Future[float], tuple[Task, str]] = {}
        self.crashes: dict[str, int] = {}
        self.suspects: deque[tuple[Task, str]] = deque()
        self.alone = ""
        self.open_needs = {task.id: len(set(task.needs)) for task in tasks}
        self.followers: dict[str, list[str]] = {task.id: [] for task in tasks}
        for task in tasks:
            for need in set(task.needs):
                self.followers[need].append(task.id)
        self.ready = [task.id for task in tasks if not task.needs]

    def finish(self) -> dict[str, Outcome]:
        self.ready.reverse()
        while len(self.outcomes) < len(self.tasks):
            self._start_what_can_start()
            if self.flying:
                self._collect()
            elif not self.ready and not self.suspects and len(self.outcomes) < len(self.tasks):
                raise ValueError("tasks need each other in a circle")
        return {name: self.outcomes[name] for name in self.tasks}

    def _start_what_can_start(self) -> None:
        if self.suspects:
            # After a crash what was in flight is tried one at a time, so that only the guilty task is lost.
            if not self.flying:
                task, key = self.suspects.popleft()
                self.alone = task.id
                self._submit(task, key)
            return
        self.alone = ""
        while self.ready and len(self.flying) < self.limit:
            task = self.tasks[self.ready.pop()]
            key = self._key(task)
            if self.store.has(key):
                self._end(Outcome(task, "reused", key))
            else:
                self._submit(task, key)

    def _key(self, task: Task) -> str:
        module = task.function.split(":")[0]
        needs = {need: self._result_key(need) for need in task.needs}
        options = task.options if task.key_options is None else task.key_options
        return digest([task.function, code_fingerprint(module, task.packages), options, task.inputs, needs])

    def _result_key(self, need: str) -> str:
        outcome = self.outcomes[need]
        return "failed" if outcome.state == "failed" else outcome.key

    def _submit(self, task: Task, key: str) -> None:
        needs = {need: self._result_folder(need) for need in task.needs}
        future = self.workers.submit(_perform, str(self.store.folder), key, task.function, needs, dict(task.options))
        self.flying[future] = (task, key)

    def _result_folder(self, need: str) -> str | None:
        outcome = self.outcomes[need]
        return None if outcome.state == "failed" else str(self.store.path(outcome.key))

    def _collect(self) -> None:
        ended, _ = wait(self.flying, return_when=FIRST_COMPLETED)
        broken = False
        for future in ended:
            task, key = self.flying.pop(future)
            error = future.exception()
            if error is None:
                self._end(Outcome(task, "done", key, future.result()))
            elif isinstance(error, BrokenProcessPool):
                broken = True
                self._suspect(task, key)
            else:
                problem = from_error(error, subject=task.subject, file=task.file, action="left out; the rest went on")
                self._end(Outcome(task, "failed", key, problem=problem))
        if broken:
            self._rebuild()

    def _rebuild(self) -> None:
        for task, key in self.flying.values():
            self._suspect(task, key)
        self.flying.clear()
        self.workers.discard()

    def _suspect(self, task: Task, key: str) -> None:
        # A crash while several were in flight accuses none of them: only one when alone counts.
        crashes = self.crashes.get(task.id, 0) + (self.alone == task.id)
        self.crashes[task.id] = crashes
        if crashes < _CRASHES_ALONE:
            self.suspects.append((task, key))
            return
        problem = Problem(
            code="worker_killed",
            subject=task.subject,
            file=task.file,
            message=f"the process that worked on it alone died {crashes} times (out of memory, or killed)",
            action="left out; the rest went on",
        )
        self._end(Outcome(task, "failed", key, problem=problem))

    def _end(self, outcome: Outcome) -> None:
        self.outcomes[outcome.task.id] = outcome
        for follower in self.followers[outcome.task.id]:
            self.open_needs[follower] -= 1
            if not self.open_needs[follower]:
                self.ready.append(follower)
        self.on_end(outcome)


def _perform(folder: str, key: str, function: str, needs: dict[str, str | None], options: dict[str, Any]) -> float:
    """Work on one task in a worker; returns the seconds it took."""
    started = time.monotonic()
    module, name = function.split(":")
    work = getattr(importlib.import_module(module), name)
    places = {need: None if place is None else Path(place) for need, place in needs.items()}
    with Store(folder).writing(key) as output:
        try:
            work(output, needs=places, **options)
        except StressaxisError:
            raise
        except Exception as error:
            error.add_note(f"in {function}")
            raise
    return time.monotonic() - started
