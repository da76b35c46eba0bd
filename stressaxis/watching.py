"""Runs an experiment again whenever recordings have finished arriving, until it is interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from core.errors import InputError
from stressaxis.fingerprint import FileMark
from stressaxis.run import RunOutcome, run_experiment

__all__ = ["Arrivals", "watch_experiment"]


@dataclass
class Arrivals:
    """Which files have finished arriving: those that did not change for a time and can be opened.

    Time is that of a clock which nobody sets: how old a file claims to be does not count.

    Parameters
    ----------
    settle_s
        So long must size and time of a file stay the same, in s.
    readable
        Says why a file cannot be opened; empty if it can.
    """

    settle_s: float
    readable: Callable[[Path], str]
    _seen: dict[Path, tuple[FileMark, float]] = field(default_factory=dict)
    _opened: dict[Path, tuple[FileMark, str]] = field(default_factory=dict)

    def look(self, files: Mapping[str, Path], now_s: float) -> tuple[dict[str, FileMark], dict[str, str]]:
        """Look at files once.

        Returns
        -------
        finished, waiting
            Name to mark of those that have arrived, name to reason of those that have not.
        """
        finished: dict[str, FileMark] = {}
        waiting: dict[str, str] = {}
        for name, path in files.items():
            try:
                mark = FileMark.of(path)
            except InputError:
                self._seen.pop(path, None)
                waiting[name] = "not there yet"
                continue
            known, since_s = self._seen.get(path, (None, now_s))
            if mark != known:
                self._seen[path] = (mark, now_s)
                since_s = now_s
            if now_s - since_s < self.settle_s:
                waiting[name] = "still arriving"
            elif why := self._cannot_open(path, mark):
                waiting[name] = why
            else:
                finished[name] = mark
        return finished, waiting

    def _cannot_open(self, path: Path, mark: FileMark) -> str:
        opened = self._opened.get(path)
        if opened is None or opened[0] != mark:
            opened = (mark, self.readable(path))
            self._opened[path] = opened
        return opened[1]


def watch_experiment(
    config: Path,
    *,
    data_dir: Path | None = None,
    out: Path | None = None,
    workers: int | None = None,
    settle_s: float = 60.0,
    every_s: float = 10.0,
    console: Console,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    rounds: int | None = None,
) -> RunOutcome | None:
    """Run, then look every few seconds and run again once something new has arrived or a table was edited.

    Ctrl-C while it waits ends it; during a run it stops the run with what is done kept.

    Parameters
    ----------
    config, data_dir, out, workers
        As for a run.
    settle_s
        A recording has arrived when its size and time stayed the same for so long, and it can be opened.
    every_s
        Pause between two looks.
    console
        Where it tells what it does.
    pause, clock
        How to wait, and a clock in s; for tests.
    rounds
        Look so often only.

    Returns
    -------
    RunOutcome or None
        Of the last run; None if there was none.
    """
    arrivals, last, state, told = Arrivals(settle_s, _why_not), None, None, ""
    looked = 0
    while rounds is None or looked < rounds:
        looked += 1
        try:
            recordings, others = _files(config, data_dir)
            finished, waiting = arrivals.look(recordings, clock())
            now = (finished, {name: FileMark.of(path) for name, path in others.items() if path.is_file()})
            say = _words(finished, waiting)
            if now != state and (finished or not recordings):
                console.print(say, markup=False)
                state, told = now, say
                # Marks are of before the run: what arrives meanwhile starts the next one.
                last = run_experiment(
                    config, data_dir=data_dir, out=out, workers=workers, console=console, awaited=waiting
                )
                console.print(last.summary, markup=False)
        except InputError as error:
            say = f"not run: {error}"
        if say != told:
            console.print(say, markup=False)
            told = say
        try:
            pause(every_s)
        except KeyboardInterrupt:
            console.print("stopped watching", markup=False)
            return last
    return last


def _why_not(path: Path) -> str:
    from behavior.video import probe

    try:
        probe(path)
    except InputError as error:
        return f"cannot be opened ({error.message})"
    return ""


def _files(config: Path, data_dir: Path | None) -> tuple[dict[str, Path], dict[str, Path]]:
    """The recordings of an experiment, and its other files."""
    import configs
    from configs.tables import read_tables

    experiment = configs.load(config, data_dir=data_dir)
    tables = read_tables(experiment)
    names = [] if tables.trials is None else sorted(set(tables.trials["file"]))
    others = [rows.file for rows in tables.rows.values()]
    for section in (experiment.serum, experiment.people):
        others += list(section.paths) if section is not None else []
    return (
        {name: experiment.locate(name) for name in names},
        {str(config): config} | {name: experiment.locate(name) for name in others},
    )


def _words(finished: Mapping[str, FileMark], waiting: Mapping[str, str]) -> str:
    lines = [f"{len(finished)} recordings have arrived, {len(waiting)} are awaited"]
    lines += [f"  {name}: {why}" for name, why in list(waiting.items())[:5] if why != "not there yet"]
    return "\n".join(lines)
