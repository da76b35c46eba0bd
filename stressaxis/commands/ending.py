"""How commands speak and end: the console, the exit statuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console

from core.errors import StressaxisError
from stressaxis.eventlog import EventLog

__all__ = ["DONE", "INTERRUPTED", "NOT_POSSIBLE", "SOME_FAILED", "console", "finish", "telling_why", "told_already"]

#: Exit statuses, as documented in the help: all went well; some items failed; nothing could be done.
DONE, SOME_FAILED, NOT_POSSIBLE, INTERRUPTED = 0, 1, 2, 130


def console() -> Console:
    """Where messages and progress go: standard error, so that standard output stays clean for results."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def finish(outcome: Any) -> None:
    """Say what came out and leave with the fitting status."""
    typer.echo(outcome.summary)
    raise typer.Exit(SOME_FAILED if outcome.failures else DONE)


#: Why this process ended, where a log of events has said so.
_TOLD: list[str] = []


def told_already() -> bool:
    """Whether a log of events has said why this process ends."""
    return bool(_TOLD)


@contextmanager
def telling_why(log: EventLog | None) -> Iterator[None]:
    """With a log of events, the reason why a run stopped is one of them, in place of the message for people."""
    try:
        yield
    except (StressaxisError, OSError, KeyboardInterrupt) as error:
        if log is None:
            raise
        interrupted = isinstance(error, KeyboardInterrupt)
        message = "interrupted; what is done is kept" if interrupted else str(error)
        log.write("run_stopped", level="error", message=message)
        _TOLD.append(message)
        raise typer.Exit(INTERRUPTED if interrupted else NOT_POSSIBLE) from error
