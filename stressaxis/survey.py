"""What a run would do, found without doing it: what is done, what would be redone, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from stressaxis.arenas import arena_tasks, with_found_arenas
from stressaxis.differences import differences
from stressaxis.engine import Task, task_key
from stressaxis.fingerprint import FileMark, FingerprintMemory, file_fingerprint
from stressaxis.inputs import InputFile
from stressaxis.ledger import Ledger
from stressaxis.plan import plan_run
from stressaxis.run import LEDGER, MEMORY, probe_tasks
from stressaxis.stepfiles import read_facts
from stressaxis.steps.probe import FACTS
from stressaxis.store import Store

if TYPE_CHECKING:
    from configs.schema import Experiment
    from configs.tables import Tables

__all__ = ["Survey", "TaskStatus", "survey_results"]


@dataclass(frozen=True)
class TaskStatus:
    """One task of a run that has not been started.

    Parameters
    ----------
    task
        The task.
    key
        Of its result.
    state
        ``done``, ``due`` (it would be worked on) or ``failed`` (it failed the last time and would be tried again).
    reasons
        Why it is due: what has changed since its last result.
    """

    task: Task
    key: str
    state: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survey:
    """What a run would do.

    Parameters
    ----------
    tasks
        Task id to status, in the order of a run.
    unread
        Recordings that are new or were touched, so that their content is not known: name to reason.
    missing
        Files that cannot be found: name to reason.
    """

    tasks: dict[str, TaskStatus]
    unread: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many tasks are ``done``, ``due``, ``failed``."""
        states = [status.state for status in self.tasks.values()]
        return {state: states.count(state) for state in ("done", "due", "failed")}


def survey_results(experiment: Experiment, tables: Tables, results: Path, *, read: Iterable[str] = ()) -> Survey:
    """Compare an experiment with what its results folder holds.

    Files are not read: those that were touched since their fingerprint was taken count as unread, but for ``read``.

    Parameters
    ----------
    experiment, tables
        What the experiment is.
    results
        The results folder.
    read
        Names of recordings whose content is compared.
    """
    store, ledger = Store(results / ".work" / "store"), Ledger(results / ".work" / LEDGER)
    memory = FingerprintMemory(results / ".work" / MEMORY)
    survey = Survey({})
    trials = tables.trials
    names = [] if trials is None else sorted(set(trials["file"]))
    recordings = _known_files(experiment, names, memory, survey, set(read))
    sections = [section for section in (experiment.serum, experiment.people) if section is not None]
    serum, people = (
        list(_known_files(experiment, section.paths, memory, survey, set(section.paths)).values())
        if section is not None
        else []
        for section in (experiment.serum, experiment.people)
    )
    lacking = any(name in survey.missing for section in sections for name in section.paths)
    for status in _judged(probe_tasks(recordings), {}, store, ledger):
        survey.tasks[status.task.id] = status
    facts = {
        status.task.file: read_facts(store.path(status.key) / FACTS)
        for status in survey.tasks.values()
        if status.state == "done"
    }
    seeking = arena_tasks(experiment, trials, recordings=recordings, facts=facts)
    sought = list(_judged(seeking, survey.tasks, store, ledger))
    survey.tasks.update({status.task.id: status for status in sought})
    places = [store.path(status.key) for status in sought if status.state == "done"]
    plan = plan_run(
        with_found_arenas(experiment, next(iter(places), None)),
        tables,
        recordings=recordings,
        facts=facts,
        serum_files=[] if lacking else serum,
        people_files=[] if lacking else people,
    )
    for status in _judged(plan.tasks, survey.tasks, store, ledger):
        survey.tasks[status.task.id] = status
    return survey


def _known_files(
    experiment: Experiment, names: Iterable[str], memory: FingerprintMemory, survey: Survey, read: set[str]
) -> dict[str, InputFile]:
    files: dict[str, InputFile] = {}
    for name in names:
        path = experiment.locate(name)
        try:
            mark = FileMark.of(path)
            fingerprint = memory.recall(path, mark)
            if fingerprint is None and name in read:
                fingerprint = file_fingerprint(path)
        except InputError as error:
            survey.missing[name] = error.message
            continue
        if fingerprint is None:
            known = memory.knows(path)
            survey.unread[name] = "touched since the last run; its content is not compared yet" if known else "new"
            continue
        files[name] = InputFile(name, path, mark, fingerprint)
    return files


def _judged(
    tasks: Iterable[Task], before: Mapping[str, TaskStatus], store: Store, ledger: Ledger
) -> Iterator[TaskStatus]:
    """The tasks with their keys and states; a task that failed counts as failing again for those that need it."""
    judged = dict(before)
    for task in tasks:
        needs = {need: _result_key(judged[need]) for need in task.needs}
        key = task_key(task, needs)
        status = _judge(task, key, needs, store, ledger)
        judged[task.id] = status
        yield status


def _result_key(status: TaskStatus) -> str:
    return "failed" if status.state == "failed" else status.key


def _judge(task: Task, key: str, needs: Mapping[str, str], store: Store, ledger: Ledger) -> TaskStatus:
    if store.holds(key):
        return TaskStatus(task, key, "done")
    last = ledger.entry(task.id) or _same_work(task, ledger)
    if last is None:
        return TaskStatus(task, key, "due", ("not done yet",))
    if last.key == key and last.state == "failed":
        return TaskStatus(task, key, "failed", (last.reason,))
    if last.key == key:
        return TaskStatus(task, key, "due", ("its result is no longer in the store",))
    return TaskStatus(task, key, "due", tuple(differences(task, needs, last)))


def _same_work(task: Task, ledger: Ledger) -> Any:
    """The entry of a task that had another name because its floor lay elsewhere in the picture."""
    if not task.file:
        return None
    start = task.id.rsplit(" ", 1)[0] + " "
    for name in ledger.names():
        if name.startswith(start):
            entry = ledger.entry(name)
            if entry is not None and (entry.function, entry.file) == (task.function, task.file):
                return entry
    return None
