"""Progress that tells the truth: what is done, what fails, and the time left from measured throughput."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from stressaxis.engine import Outcome, Task
from stressaxis.eventlog import EventLog

__all__ = ["RunProgress", "time_left"]


def time_left(done_weight: float, left_weight: float, elapsed_s: float) -> float | None:
    """Seconds left if work goes on as fast as so far; None while nothing is known.

    Examples
    --------
    >>> time_left(2.0, 6.0, 10.0)
    30.0
    >>> time_left(0.0, 6.0, 1.0) is None
    True
    """
    return None if done_weight <= 0 else left_weight * elapsed_s / done_weight


def _in_words(seconds: float | None) -> str:
    if seconds is None:
        return "time left: not known yet"
    if seconds < 60:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"


class RunProgress:
    """Shows a run on a terminal as a bar, elsewhere as one line now and then.

    Parameters
    ----------
    tasks
        All tasks of the run.
    title
        What is being done.
    console
        Where it is shown.
    log
        Takes the events as JSON; nothing is shown then.
    """

    #: Seconds between two lines where there is no terminal.
    LINE_EVERY_S = 15.0

    def __init__(self, tasks: Iterable[Task], *, title: str, console: Console, log: EventLog | None = None) -> None:
        self._tasks = {task.id: task for task in tasks}
        self._total_weight = sum(task.weight for task in self._tasks.values())
        self._left_weight = self._total_weight
        self._worked_weight = 0.0
        self._started = time.monotonic()
        self._last_line = self._started
        self._counts = {"done": 0, "reused": 0, "failed": 0}
        #: Of each recording at work: how much of it is done, 0 to 1, and its row.
        self._shares: dict[str, float] = {}
        self._rows: dict[str, TaskID] = {}
        self._title = title
        self._console = console
        self._log = log
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        self._bar = Progress(
            *columns, console=console, transient=True, disable=log is not None or not console.is_terminal
        )
        self._bar_id = self._bar.add_task(title, total=self._total_weight, note="")

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._bar.stop()

    def worked(self, done: Mapping[str, int]) -> None:
        """Show how far the recordings at work have come.

        Parameters
        ----------
        done
            Id of a task to its frames that are done.
        """
        for name, frames in done.items():
            task = self._tasks[name]
            if task.frames:
                # The number of frames is what the file says of itself, which may be too few.
                self._shares[name] = min(1.0, frames / task.frames)
                self._show_row(task)
        self._show()
        self._tell_now_and_then()

    def ended(self, outcome: Outcome) -> None:
        """Count a task's end and show it."""
        self._counts[outcome.state] += 1
        self._left_weight -= outcome.task.weight
        self._shares.pop(outcome.task.id, None)
        if (row := self._rows.pop(outcome.task.id, None)) is not None:
            self._bar.remove_task(row)
        if outcome.state != "reused":
            self._worked_weight += outcome.task.weight
        if self._log is not None:
            self._write(self._log, outcome)
            return
        if outcome.state == "failed" and outcome.problem is not None:
            self._console.print(f"failed: {outcome.task.id}: {outcome.problem.message}", markup=False, style="red")
        self._show()
        self._tell_now_and_then()

    def _show(self) -> None:
        completed = self._total_weight - self._left_weight + self._under_way()
        self._bar.update(self._bar_id, completed=completed, note=self._note())

    def _show_row(self, task: Task) -> None:
        share = self._shares[task.id]
        if task.id not in self._rows:
            self._rows[task.id] = self._bar.add_task(f"  {task.file or task.id}", total=1.0, note="")
        self._bar.update(self._rows[task.id], completed=share, note=f"{share:.0%}")

    def _tell_now_and_then(self) -> None:
        """Where there is no terminal, a line every few seconds: what is done, and how far each recording is."""
        now = time.monotonic()
        if (self._console.is_terminal and self._log is None) or now - self._last_line < self.LINE_EVERY_S:
            return
        self._last_line = now
        at_work = {self._tasks[name].file or name: round(share, 2) for name, share in self._shares.items()}
        if self._log is not None:
            left_s = self._left_s()
            told_s = None if left_s is None else round(left_s, 1)
            self._log.write(
                "run_progress", progress=self._progress(), stage=self._title, recordings=at_work, left_s=told_s
            )
            return
        told = "".join(f"; {name} {share:.0%}" for name, share in at_work.items())
        self._console.print(f"{self._title}: {self._note()}{told}", markup=False)

    def _under_way(self) -> float:
        """Weight of what is done of tasks that have not ended."""
        return sum(share * self._tasks[name].weight for name, share in self._shares.items())

    def _progress(self) -> float:
        if not self._total_weight:
            return 1.0
        return 1 - (self._left_weight - self._under_way()) / self._total_weight

    def _left_s(self) -> float | None:
        under_way = self._under_way()
        elapsed_s = time.monotonic() - self._started
        return time_left(self._worked_weight + under_way, self._left_weight - under_way, elapsed_s)

    def _write(self, log: EventLog, outcome: Outcome) -> None:
        left = self._left_s()
        more: dict[str, object] = {"stage": self._title, "seconds": round(outcome.seconds, 3)}
        more["left_s"] = None if left is None else round(max(0.0, left), 1)
        if outcome.problem is not None:
            more |= {"code": outcome.problem.code, "message": outcome.problem.message}
        log.write(
            f"task_{outcome.state}",
            level="error" if outcome.state == "failed" else "info",
            task=outcome.task.id,
            progress=self._progress(),
            **more,
        )

    def _note(self) -> str:
        parts = [f"{sum(self._counts.values())} of {len(self._tasks)}"]
        if self._counts["reused"]:
            parts.append(f"{self._counts['reused']} reused")
        if self._counts["failed"]:
            parts.append(f"{self._counts['failed']} failed")
        return ", ".join([*parts, _in_words(self._left_s())])
