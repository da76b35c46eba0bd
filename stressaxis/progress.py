"""Progress that tells the truth: what is done, what fails, and the time left from measured throughput."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

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
        tasks = list(tasks)
        self._total_weight = sum(task.weight for task in tasks)
        self._left_weight = self._total_weight
        self._worked_weight = 0.0
        self._started = time.monotonic()
        self._last_line = self._started
        self._counts = {"done": 0, "reused": 0, "failed": 0}
        self._all = len(tasks)
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

    def ended(self, outcome: Outcome) -> None:
        """Count a task's end and show it."""
        self._counts[outcome.state] += 1
        self._left_weight -= outcome.task.weight
        if outcome.state != "reused":
            self._worked_weight += outcome.task.weight
        if self._log is not None:
            self._write(self._log, outcome)
            return
        if outcome.state == "failed" and outcome.problem is not None:
            self._console.print(f"failed: {outcome.task.id}: {outcome.problem.message}", markup=False, style="red")
        self._bar.update(self._bar_id, completed=self._total_weight - self._left_weight, note=self._note())
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line >= self.LINE_EVERY_S:
            self._last_line = now
            self._console.print(f"{self._title}: {self._note()}", markup=False)

    def _write(self, log: EventLog, outcome: Outcome) -> None:
        left = time_left(self._worked_weight, self._left_weight, time.monotonic() - self._started)
        more: dict[str, object] = {"stage": self._title, "seconds": round(outcome.seconds, 3)}
        more["left_s"] = None if left is None else round(left, 1)
        if outcome.problem is not None:
            more |= {"code": outcome.problem.code, "message": outcome.problem.message}
        log.write(
            f"task_{outcome.state}",
            level="error" if outcome.state == "failed" else "info",
            task=outcome.task.id,
            progress=1 - self._left_weight / self._total_weight if self._total_weight else 1.0,
            **more,
        )

    def _note(self) -> str:
        ended = sum(self._counts.values())
        left = time_left(self._worked_weight, self._left_weight, time.monotonic() - self._started)
        parts = [f"{ended} of {self._all}"]
        if self._counts["reused"]:
            parts.append(f"{self._counts['reused']} reused")
        if self._counts["failed"]:
            parts.append(f"{self._counts['failed']} failed")
        return ", ".join([*parts, _in_words(left)])
