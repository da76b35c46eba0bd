"""The command ``stressaxis``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from core.errors import StressaxisError

__all__ = ["app", "main"]

#: Exit statuses, as documented in the help: all went well; some items failed; nothing could be done.
DONE, SOME_FAILED, NOT_POSSIBLE, INTERRUPTED = 0, 1, 2, 130

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

Config = Annotated[Path, typer.Argument(help="Experiment file (YAML).", metavar="CONFIG")]
DataDir = Annotated[Path | None, typer.Option("--data", help="Folder that paths in the experiment start from.")]
Out = Annotated[Path | None, typer.Option("--out", help="Results folder; without it results/NAME.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; without it one per core.")]


def _console() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


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


@app.command()
def run(config: Config, data: DataDir = None, out: Out = None, workers: Workers = None) -> None:
    """Run an experiment: track, score, join with serum, test, report. Run again, only what changed is redone."""
    from stressaxis.run import run_experiment

    _finish(run_experiment(config, data_dir=data, out=out, workers=workers, console=_console()))


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Results folder; recordings go to its subfolder data.")] = Path(
        "results/demo"
    ),
    workers: Workers = None,
    small: Annotated[bool, typer.Option("--small", help="A few mice and short trials, to see that all works.")] = False,
) -> None:
    """Render a simulated experiment (32 mice, 64 recordings, a serum table) and run it to a report."""
    from stressaxis.demo import run_demo

    _finish(run_demo(out, small=small, workers=workers, console=_console()))


@app.command()
def check(config: Config, data: DataDir = None) -> None:
    """Tell all that is wrong with an experiment, and what its serum panel can measure, before hours are spent."""
    from stressaxis.check import check_experiment

    report = check_experiment(config, data_dir=data)
    typer.echo(report.text)
    raise typer.Exit(DONE if report.can_run else NOT_POSSIBLE)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the experiment file, for editors that check and complete YAML."""
    import json

    from configs import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to fill; made if it is not there.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed: the same seed gives the same files.")] = 0,
    small: Annotated[bool, typer.Option("--small", help="A few mice and short trials.")] = False,
    workers: Workers = None,
) -> None:
    """Render a simulated experiment with known truth: recordings, tables and the config that runs them."""
    from stressaxis.demo import simulate_demo

    simulate_demo(folder, seed=seed, small=small, workers=workers, console=_console())
    typer.echo(f"{folder}: ready; run it with: stressaxis run {folder / 'experiment.yaml'}")


@app.command()
def track(
    video: Annotated[Path, typer.Argument(help="Recording.", metavar="VIDEO")],
    out: Annotated[Path, typer.Option("--out", help="CSV file to write (frame, time_s, x_px, y_px, ...).")],
    arena: Annotated[
        Path | None, typer.Option("--arena", help="Experiment file whose arena is used; without it the whole picture.")
    ] = None,
    arena_name: Annotated[str | None, typer.Option("--arena-name", help="Which arena, if there are several.")] = None,
    independent_frames: Annotated[
        bool, typer.Option("--independent-frames", help="The frames are stills that do not follow one another.")
    ] = False,
) -> None:
    """Track the animal in one recording and write its position in every frame."""
    from stressaxis.single import track_recording

    summary = track_recording(
        video, out=out, config=arena, arena_name=arena_name, independent_frames=independent_frames
    )
    typer.echo(summary)


@app.command()
def tracks(
    file: Annotated[Path, typer.Argument(help="Tracks or events of another program.", metavar="FILE")],
    out: Annotated[Path | None, typer.Option("--out", help="Convert: .nc or .csv file to write.")] = None,
    fps: Annotated[float | None, typer.Option("--fps", help="Frames per second, if the file does not say.")] = None,
    individual: Annotated[str | None, typer.Option("--individual", help="Which animal, if there are several.")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Which sheet of a workbook.")] = None,
    origin: Annotated[
        tuple[float, float] | None,
        typer.Option("--origin", help="X Y of the floor's top-left corner in the file's own coordinates."),
    ] = None,
    min_likelihood: Annotated[
        float, typer.Option("--min-likelihood", help="Pose estimates below this count as missing.")
    ] = 0.6,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="x=NAME, y=NAME, time=NAME, zone:IZ=NAME: columns of a table.")
    ] = None,
    time_unit: Annotated[str, typer.Option("--time-unit", help="Of a declared time column: s, ms, min, frames.")] = "s",
    space_unit: Annotated[str | None, typer.Option("--space-unit", help="px or cm, if the file does not say.")] = None,
    y_up: Annotated[bool, typer.Option("--y-up", help="In a declared table y grows upward.")] = False,
) -> None:
    """Tell what a track or event file is: program, duration, units, lost frames; with --out, convert it."""
    from stressaxis.trackfiles import parse_pairs, show_file

    columns = parse_pairs(column, option="--column") if column else None
    typer.echo(
        show_file(
            file, out=out, fps=fps, individual=individual, sheet=sheet, origin=origin, min_likelihood=min_likelihood,
            columns=columns, time_unit=time_unit, space_unit=space_unit, y_up=y_up,
        )
    )  # fmt: skip


def _finish(outcome: Any) -> None:
    """Say what came out and leave with the fitting status."""
    typer.echo(outcome.summary)
    raise typer.Exit(SOME_FAILED if outcome.failures else DONE)


def main() -> None:
    """Entry point: our own errors become one plain message and exit status 2, never a traceback."""
    try:
        app(standalone_mode=True)
    except StressaxisError as error:
        _console().print(f"stressaxis: {error}", style="red", markup=False)
        sys.exit(NOT_POSSIBLE)
    except KeyboardInterrupt:
        _console().print("stressaxis: interrupted; what is done is kept, run the same command again to go on")
        sys.exit(INTERRUPTED)
    except OSError as error:
        # Disk full, no permission, a network folder gone: facts about the machine, not bugs.
        _console().print(f"stressaxis: {error.filename or ''} {error.strerror}".strip(), style="red", markup=False)
        sys.exit(NOT_POSSIBLE)
