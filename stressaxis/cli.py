"""The command ``stressaxis``."""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Annotated

import typer

from core.errors import StressaxisError
from stressaxis.commands import arenas, experiment, planning, recordings, serum, signatures, upkeep
from stressaxis.commands.ending import INTERRUPTED, NOT_POSSIBLE, console, told_already

__all__ = ["app", "main"]

app = typer.Typer(
    name="stressaxis",
    help="Chronic social defeat stress: from recordings and a serum table to one checked statement.\n\n"
    "Exit status: 0 all done; 1 done, but some recordings or steps failed (listed at the end and in problems.csv); "
    "2 nothing could be done; 130 interrupted.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(value: bool) -> None:
    if value:
        from stressaxis import __version__

        typer.echo(f"stressaxis {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Root of the command."""


for command in (
    experiment.run,
    experiment.watch,
    experiment.demo,
    experiment.check,
    experiment.schema,
    experiment.simulate,
    upkeep.init,
    upkeep.status,
    upkeep.clean,
    arenas.arena,
    arenas.overlay,
    arenas.score,
    recordings.track,
    recordings.tracks,
    serum.serum,
    serum.differential,
    serum.axes,
    signatures.similarity,
    signatures.reversal,
    planning.power,
    planning.randomise,
):
    app.command()(command)


def main() -> None:
    """Entry point: our own errors become one plain message and exit status 2, never a traceback."""
    # Looking for reference cycles every 700 new objects takes a tenth of a run that has nothing to do.
    gc.set_threshold(50_000, 20, 100)
    # At the end Python would look through all there is for cycles, several times, before it throws everything away.
    atexit.register(gc.freeze)
    try:
        app(standalone_mode=True)
    except StressaxisError as error:
        console().print(f"stressaxis: {error}", style="red", markup=False)
        sys.exit(NOT_POSSIBLE)
    except KeyboardInterrupt:
        _say_interrupted()
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        # Typer turns Ctrl-C into a silent exit; a log of events has told it already.
        if end.code == INTERRUPTED and not told_already():
            _say_interrupted()
        raise
    except OSError as error:
        # Disk full, no permission, a network folder gone: facts about the machine, not bugs.
        console().print(f"stressaxis: {error.filename or ''} {error.strerror}".strip(), style="red", markup=False)
        sys.exit(NOT_POSSIBLE)


def _say_interrupted() -> None:
    console().print("stressaxis: interrupted; what is done is kept, run the same command again to go on")
