"""What is done in a results folder and what a run would redo, in words; and its store freed of what nothing reaches."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from stressaxis.ledger import Ledger
from stressaxis.lock import only_run
from stressaxis.plan import check_names
from stressaxis.run import LEDGER, results_folder
from stressaxis.store import Store
from stressaxis.survey import Survey, TaskStatus, survey_results

if TYPE_CHECKING:
    from configs.schema import Experiment
    from configs.tables import Tables

__all__ = ["Cleaned", "clean_results", "recording_status", "run_status"]

_STEPS = {"probe": "opened", "track": "tracked", "score": "scored"}
_SHOWN = 5


def run_status(config: Path, *, data_dir: Path | None = None, out: Path | None = None) -> str:
    """What of an experiment is done and what a run would do, with the reasons; no recording is read.

    Raises
    ------
    ConfigError
        If the experiment file or a table is wrong.
    """
    experiment, tables = _read(config, data_dir)
    results = results_folder(experiment, out)
    survey = survey_results(experiment, tables, results)
    lines = [f"experiment {experiment.name}, results in {results}"]
    if tables.trials is not None:
        lines.append(_recordings_line(survey, tables.trials["file"].nunique()))
    lines += _steps(survey)
    lines += [f"cannot be found: {name} ({reason})" for name, reason in survey.missing.items()]
    lines += _grouped("not opened yet", survey.unread)
    lines += _grouped("to do", _due(survey))
    lines += _grouped("failed the last time, will be tried again", _failed(survey))
    todo = survey.counts()["due"] + survey.counts()["failed"] + len(survey.unread)
    if not todo and not survey.missing:
        lines.append("all is done; a run would redo nothing")
    return "\n".join(lines)


def recording_status(config: Path, recording: str, *, data_dir: Path | None = None, out: Path | None = None) -> str:
    """Whether one recording would be redone, step by step, and why.

    Parameters
    ----------
    config
        Experiment file.
    recording
        A file of the trials table, its name without folder, or without ending.
    data_dir, out
        As for a run.

    Raises
    ------
    InputError
        If no recording of the experiment is called so.
    """
    experiment, tables = _read(config, data_dir)
    name = _recording(tables, recording)
    assert tables.trials is not None
    survey = survey_results(experiment, tables, results_folder(experiment, out), read=[name])
    if name in survey.missing:
        return f"{name}: {survey.missing[name]}; it cannot be used, and what rests on it is done without it"
    subjects = sorted(set(tables.trials.loc[tables.trials["file"] == name, "subject"]))
    mine = [s for s in survey.tasks.values() if s.task.file == name or s.task.subject in subjects]
    mine += [survey.tasks[last] for last in ("animals", "association", "statistics") if last in survey.tasks]
    known = {status.task.function.split(":")[0].rsplit(".", 1)[-1] for status in mine if status.task.file == name}
    lines = [f"{name} (subject {', '.join(subjects)})"]
    lines += [f"  {status.task.id}: {_told(status)}" for status in mine]
    if "track" not in known:
        lines.append("  it has not been opened yet; it will be opened, tracked and scored")
    others = [other for other in survey.unread if other != name]
    if others:
        lines.append(f"  {len(others)} other recordings are new or were touched; what rests on them is redone too")
    return "\n".join(lines)


@dataclass(frozen=True)
class Cleaned:
    """What was, or would be, removed: keys of results to their bytes, and how many stay."""

    removed: dict[str, int]
    kept: int
    kept_for: tuple[str, ...]
    dry: bool

    def text(self, *, most: int = 20) -> str:
        """The same for people."""
        verb = "would be removed" if self.dry else "removed"
        lines = [f"  {key}  {size:,} bytes" for key, size in list(self.removed.items())[:most]]
        if len(self.removed) > most:
            lines.append(f"  and {len(self.removed) - most} more")
        total = sum(self.removed.values())
        lines.append(f"{len(self.removed)} results {verb}, {total:,} bytes; {self.kept} stay")
        if self.kept_for:
            named = ", ".join(self.kept_for[:_SHOWN]) + (", ..." if len(self.kept_for) > _SHOWN else "")
            lines.append(f"kept all results of the last run, because these cannot be compared now: {named}")
        return "\n".join(lines)


def clean_results(config: Path, *, data_dir: Path | None = None, out: Path | None = None, dry: bool = False) -> Cleaned:
    """Remove from the store what the experiment as it stands does not reach.

    While a recording is missing, new or touched, all results of the last run stay: the drive may only be unplugged.

    Raises
    ------
    InputError
        If a run is working on the folder, or there is none.
    """
    experiment, tables = _read(config, data_dir)
    results = results_folder(experiment, out)
    if not (results / ".work").is_dir():
        raise InputError("no results here", file=results, remedy="name the folder with --out")
    with only_run(results / ".work"):
        store = Store(results / ".work" / "store")
        survey = survey_results(experiment, tables, results)
        reached = {status.key for status in survey.tasks.values()}
        unsure = (*survey.missing, *survey.unread)
        if unsure or any(status.state != "done" for status in survey.tasks.values()):
            reached |= _last_run(Ledger(results / ".work" / LEDGER))
        removed = {key: store.size(key) for key in store.all_keys() if key not in reached}
        kept = len(store.all_keys()) - len(removed)
        if not dry:
            for key in removed:
                store.remove(key)
            store.sweep()
    return Cleaned(removed, kept, tuple(unsure), dry)


def _last_run(ledger: Ledger) -> set[str]:
    entries = [ledger.entry(name) for name in ledger.names()]
    return {entry.key for entry in entries if entry is not None}


def _read(config: Path, data_dir: Path | None) -> tuple[Experiment, Tables]:
    import configs
    from configs.tables import read_tables

    experiment = configs.load(config, data_dir=data_dir)
    check_names(experiment)
    return experiment, read_tables(experiment)


def _recording(tables: Tables, asked: str) -> str:
    names = [] if tables.trials is None else sorted(set(tables.trials["file"]))
    wanted = Path(asked)
    called = (
        [name for name in names if name == asked],
        [name for name in names if Path(name).name == wanted.name],
        [name for name in names if Path(name).stem == asked],
    )
    found: list[str] = next(filter(None, called), [])
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError("several recordings are called so", found=", ".join(found[:_SHOWN]))
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0.6)
    raise InputError(
        "no recording of the experiment is called so",
        found=repr(asked),
        remedy=f"did you mean {near[0]!r}?" if near else "write it as in the trials table",
    )


def _recordings_line(survey: Survey, number: int) -> str:
    states: dict[str, list[str]] = defaultdict(list)
    for status in survey.tasks.values():
        if status.task.file:
            states[status.task.file].append(status.state)
    done = sum("due" not in all_ and "failed" not in all_ and len(all_) > 1 for all_ in states.values())
    failed = sum("failed" in all_ for all_ in states.values())
    rest = number - done - failed - len(survey.missing)
    return f"{number} recordings: {done} done, {rest} to do, {failed} failed, {len(survey.missing)} cannot be found"


def _steps(survey: Survey) -> Iterator[str]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"done": 0, "due": 0, "failed": 0})
    for status in survey.tasks.values():
        step = status.task.function.split(":")[0].rsplit(".", 1)[-1]
        counts[_STEPS.get(step, step)][status.state] += 1
    for step, number in counts.items():
        failed = f", {number['failed']} failed" if number["failed"] else ""
        yield f"  {step}: {number['done']} done, {number['due']} to do{failed}"


def _due(survey: Survey) -> dict[str, str]:
    return {name: "; ".join(s.reasons) for name, s in survey.tasks.items() if s.state == "due"}


def _failed(survey: Survey) -> dict[str, str]:
    return {name: "; ".join(s.reasons) for name, s in survey.tasks.items() if s.state == "failed"}


def _grouped(title: str, reasons: dict[str, str]) -> Iterator[str]:
    """Reason by reason with those it holds for, so that one changed key is told once."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for name, reason in reasons.items():
        by_reason[reason].append(name)
    if by_reason:
        yield f"{title}:"
    for reason, names in by_reason.items():
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"  {', '.join(names[:_SHOWN])}{more}: {reason}"


def _told(status: TaskStatus) -> str:
    if status.state == "done":
        return "done, will be reused"
    if status.state == "failed":
        return f"failed the last time, will be tried again: {status.reasons[0]}"
    return f"will be done: {'; '.join(status.reasons)}"
