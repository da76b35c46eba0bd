"""A run's events as JSON, one object a line on standard error, for schedulers and log collectors."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TextIO

__all__ = ["EventLog"]


class EventLog:
    """Writes events; every line has ``time`` (UTC), ``level``, ``event``, ``task`` and ``progress``.

    Parameters
    ----------
    stream
        Where to; by default standard error.

    Examples
    --------
    >>> import io
    >>> lines = io.StringIO()
    >>> EventLog(lines).write("task_done", task="track a.mp4", progress=0.5)
    >>> sorted(json.loads(lines.getvalue()))
    ['event', 'level', 'progress', 'task', 'time']
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def write(
        self, event: str, *, level: str = "info", task: str = "", progress: float | None = None, **more: object
    ) -> None:
        """Write one event.

        Parameters
        ----------
        event
            What happened (``run_started``, ``task_done``, ``task_reused``, ``task_failed``, ``run_progress`` now and
            then with the share done of each recording at work, ``report_written``, ``run_finished``, ``run_stopped``).
        level
            ``info``, ``warning`` or ``error``.
        task
            Id of the task.
        progress
            Share of the work that has ended, 0 to 1; None where that is not known.
        more
            Further facts.
        """
        row = {
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "event": event,
            "task": task,
            "progress": None if progress is None else round(progress, 4),
            **more,
        }
        print(json.dumps(row, ensure_ascii=False, default=str), file=self._stream or sys.stderr, flush=True)
