"""How commands speak and end: the console, the exit statuses."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console

__all__ = ["DONE", "INTERRUPTED", "NOT_POSSIBLE", "SOME_FAILED", "console", "finish"]

#: Exit statuses, as documented in the help: all went well; some items failed; nothing could be done.
DONE, SOME_FAILED, NOT_POSSIBLE, INTERRUPTED = 0, 1, 2, 130


def console() -> Console:
    """Where messages and progress go: standard error, so that standard output stays clean for results."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def finish(outcome: Any) -> None:
    """Say what came out and leave with the fitting status."""
    typer.echo(outcome.summary)
    raise typer.Exit(SOME_FAILED if outcome.failures else DONE)
