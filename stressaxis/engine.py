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

from core.errors import InputError, StressaxisError
from core.problems import Problem
from stressaxis import pulse
from stressaxis.executors import Workers
from stressaxis.faults import (
    InputChangedError,
    ResultsFolderError,
    check_unchanged,
    failure,
    results_error,
    will_pass,
)
from stressaxis.fingerprint import FileMark, code_fingerprint, code_parts, digest
from stressaxis.ledger import Entry, Ledger
from stressaxis.memory import limited_memory
from stressaxis.store import Store

__all__ = ["Outcome", "Task", "run_tasks", "task_key"]

#: So often may a task's process die while it is the only one at work, before the task counts as failed.
_CRASHES_ALONE = 2

#: So often is a file read that its drive does not give, and the pause before the second time; each further is 4 x that.
_TRIES, _PAUSE_S = 3, 1.0

#: Pause between two looks at how far the workers have come.
_LOOK_EVERY_S = 0.5

#: What Dask says when its scheduler is gone, by name because Dask is not needed for anything else here.
_LOST_CLUSTER = ("CommClosedError", "FutureCancelledError", "CancelledError")


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
    marks
        Path of each file it reads to the mark taken before its fingerprint was; a result made from a file that
        changed meanwhile is not kept.
    weight
        Expected work in any unit, for the time left.
    frames
        How many frames it looks at, if it tells how far it has come; 0 otherwise.
    libraries
        Modules that the function loads as it works; a worker that waits loads them beforehand.
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
    marks: Mapping[str, FileMark] = field(default_factory=dict)
    weight: float = 1.0
    frames: float = 0.0
    libraries: tuple[str, ...] = ()
    subject: str = ""
    file: str = ""

    @property
    def deciding(self) -> Mapping[str, Any]:
        """What of the options decides the result."""
        return self.options if self.key_options is None else self.key_options


@dataclass(frozen=True)
class Outcome:
    """How a task ended: ``done``, ``reused`` or ``failed``; a problem may come with one that is done, too."""

    task: Task
    state: str
    key: str
    seconds: float = 0.0
    problem: Problem | None = None


def task_key(task: Task, needs: Mapping[str, str]) -> str:
    """Key of a task's result: digest of what it is made from.

    Parameters
    ----------
    task
        The task.
    needs
        Id of each task it needs to the key of that result, ``failed`` where there is none.

    Examples
    --------
    >>> task = Task(id="a", function="stressaxis.steps.probe:probe_recording", inputs=("f1",))
    >>> len(task_key(task, {}))
    40
    """
    module = task.function.split(":")[0]
    return digest([task.function, code_fingerprint(module, task.packages), task.deciding, task.inputs, dict(needs)])


def run_tasks(
    tasks: Iterable[Task],
    *,
    store: Store,
    workers: Workers,
    on_end: Callable[[Outcome], None] = lambda outcome: None,
    on_work: Callable[[Mapping[str, int]], None] = lambda done: None,
    ledger: Ledger | None = None,
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
    on_work
        Called twice a second while tasks are worked on: id of each task that has told something to its frames done.
    ledger
        Notes what each result was made from; the caller saves it.

    Returns
    -------
    dict
        Task id to outcome, in the order of the tasks given.

    Raises
    ------
    ValueError
        If ids repeat or a need is not among the tasks.
    ResultsFolderError
        If the store takes nothing more.
    InputError
        If the cluster is lost.
    """
    run = _Run(list(tasks), store, workers, on_end, on_work, ledger)
    return run.finish()


class _Run:
    """State of one run: what waits, what is in flight, what has ended."""

    def __init__(
        self,
        tasks: list[Task],
        store: Store,
        workers: Workers,
        on_end: Callable[[Outcome], None],
        on_work: Callable[[Mapping[str, int]], None],
        ledger: Ledger | None,
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
        self.on_end, self.on_work = on_end, on_work
        self.ledger = ledger
        self.damaged: set[str] = set()
        self.outcomes: dict[str, Outcome] = {}
        self.flying: dict[Future[float], tuple[Task, str]] = {}
        self.crashes: dict[str, int] = {}
        self.suspects: deque[tuple[Task, str]] = deque()
        self.alone = ""
        self.preparing = 0
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
        while self.ready and len(self.flying) < self.limit and not self.suspects:
            task = self.tasks[self.ready.pop()]
            key = task_key(task, self._need_keys(task))
            found = self.store.look(key)
            if found == "whole":
                self._end(Outcome(task, "reused", key))
                continue
            if found == "damaged":
                self.damaged.add(task.id)
            if not self._submit(task, key):
                break
        if self.flying and not self.ready and not self.workers.remote:
            self._prepare_idle_workers()

    def _prepare_idle_workers(self) -> None:
        """While nothing else can start, as many workers as there are such tasks to come load what these will need."""
        idle = self.workers.count - len(self.flying)
        if self.preparing >= idle:
            return
        coming = [task for name, task in self.tasks.items() if task.libraries and self.open_needs[name]]
        modules = list(dict.fromkeys(module for task in coming for module in task.libraries))
        # Not every worker of a large machine: a process with all of that takes hundreds of MB.
        while self.preparing < min(idle, len(coming)):
            self.preparing += 1
            self.workers.prepare(modules)

    def _need_keys(self, task: Task) -> dict[str, str]:
        return {need: self._result_key(need) for need in task.needs}

    def _result_key(self, need: str) -> str:
        outcome = self.outcomes[need]
        return "failed" if outcome.state == "failed" else outcome.key

    def _submit(self, task: Task, key: str) -> bool:
        """Give a task to a worker; False if the pool turned out to be broken."""
        needs = {need: self._result_folder(need) for need in task.needs}
        memory = self.workers.memory_for(alone=self.alone == task.id)
        arguments = (str(self.store.folder), key, task.function, needs, dict(task.options), dict(task.marks))
        try:
            future = self.workers.submit(_perform, *arguments, memory)
        except BrokenProcessPool:
            self._suspect(task, key)
            self._rebuild()
            return False
        self.flying[future] = (task, key)
        return True

    def _result_folder(self, need: str) -> str | None:
        outcome = self.outcomes[need]
        return None if outcome.state == "failed" else str(self.store.path(outcome.key))

    def _collect(self) -> None:
        pause_s = _LOOK_EVERY_S if self.workers.listens else None
        ended, _ = wait(self.flying, timeout=pause_s, return_when=FIRST_COMPLETED)
        self._listen()
        broken = False
        for future in ended:
            task, key = self.flying.pop(future)
            error = future.exception()
            if error is None:
                self._end(Outcome(task, "done", key, future.result(), self._mended(task)))
            elif isinstance(error, BrokenProcessPool):
                broken = True
                self._suspect(task, key)
            elif isinstance(error, MemoryError):
                self._suspect(task, key, error)
            elif isinstance(error, ResultsFolderError):
                raise error
            elif type(error).__name__ in _LOST_CLUSTER:
                remedy = "see whether the cluster runs, then run again; what is done is kept"
                raise InputError(f"the cluster was lost ({type(error).__name__}: {error})", remedy=remedy) from error
            else:
                self._end(Outcome(task, "failed", key, problem=failure(error, task)))
        if broken:
            self._rebuild()

    def _listen(self) -> None:
        ids = {key: task.id for task, key in self.flying.values()}
        self.on_work({ids[key]: done for key, done in self.workers.heard().items() if key in ids})

    def _mended(self, task: Task) -> Problem | None:
        if task.id not in self.damaged:
            return None
        message = f"the stored result of {task.id} was not what had been written (a damaged disk, or edited by hand)"
        return Problem(
            code="result_damaged", subject=task.subject, file=task.file, message=message, action="made again"
        )

    def _rebuild(self) -> None:
        for task, key in self.flying.values():
            self._suspect(task, key)
        self.flying.clear()
        self.workers.discard()

    def _suspect(self, task: Task, key: str, error: MemoryError | None = None) -> None:
        # A crash while several were in flight accuses none of them: only one when alone counts.
        crashes = self.crashes.get(task.id, 0) + (self.alone == task.id)
        self.crashes[task.id] = crashes
        if crashes < _CRASHES_ALONE:
            self.suspects.append((task, key))
            return
        self._end(Outcome(task, "failed", key, problem=failure(error or BrokenProcessPool(), task)))

    def _end(self, outcome: Outcome) -> None:
        self.outcomes[outcome.task.id] = outcome
        state = "failed" if outcome.state == "failed" else "done"
        if self.ledger is not None and not (state == "done" and self.ledger.knows(outcome.task.id, state, outcome.key)):
            self.ledger.enter(outcome.task.id, _entry(outcome, self._need_keys(outcome.task)))
        # The last is taken first; of those that become ready together, the first given is to start first.
        for follower in reversed(self.followers[outcome.task.id]):
            self.open_needs[follower] -= 1
            if not self.open_needs[follower]:
                self.ready.append(follower)
        self.on_end(outcome)


def _entry(outcome: Outcome, needs: Mapping[str, str]) -> Entry:
    task = outcome.task
    failed = outcome.state == "failed"
    return Entry(
        state="failed" if failed else "done",
        key=outcome.key,
        function=task.function,
        file=task.file,
        subject=task.subject,
        options=task.deciding,
        inputs=task.inputs,
        needs=needs,
        code=code_parts(task.function.split(":")[0], task.packages),
        reason=outcome.problem.message if failed and outcome.problem is not None else "",
    )


def _perform(
    folder: str,
    key: str,
    function: str,
    needs: dict[str, str | None],
    options: dict[str, Any],
    marks: dict[str, FileMark],
    memory_bytes: int | None = None,
) -> float:
    """Work on one task in a worker; returns the seconds it took."""
    started = time.monotonic()
    pulse.begin(key)
    module, name = function.split(":")
    work = getattr(importlib.import_module(module), name)
    places = {need: None if place is None else Path(place) for need, place in needs.items()}
    for attempt in range(1, _TRIES + 1):
        try:
            with Store(folder).writing(key) as output:
                with limited_memory(memory_bytes):
                    work(output, needs=places, **options)
                check_unchanged(marks)
            break
        except Exception as error:
            if attempt == _TRIES or not will_pass(error):
                told = _explained(error, folder=Path(folder), function=function, marks=marks)
                # An error that is its own cause sends those that follow the chain of causes round for ever.
                raise told from (None if told is error else error)
        time.sleep(_PAUSE_S * 4 ** (attempt - 1))
    return time.monotonic() - started


def _explained(error: Exception, *, folder: Path, function: str, marks: Mapping[str, FileMark]) -> Exception:
    """The error that says best why a task failed: its own, or what happened around it."""
    if stop := results_error(error, folder):
        return stop
    if isinstance(error, MemoryError) or "Insufficient memory" in str(error):
        return MemoryError(str(error))
    try:
        check_unchanged(marks)
    except InputChangedError as changed:
        return changed
    if not isinstance(error, StressaxisError):
        error.add_note(f"in {function}")
    return error
