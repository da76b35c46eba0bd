"""Commands on a whole experiment."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stressaxis.commands.ending import DONE, NOT_POSSIBLE, console, finish, telling_why

__all__ = ["check", "demo", "run", "schema", "simulate", "watch"]


class Study(StrEnum):
    """Simulated experiments."""

    demo = "demo"
    source = "source"
    source_null = "source-null"


Config = Annotated[Path, typer.Argument(help="Experiment file (YAML).", metavar="CONFIG")]
DataDir = Annotated[Path | None, typer.Option("--data", help="Folder that paths in the experiment start from.")]
Out = Annotated[Path | None, typer.Option("--out", help="Results folder; without it results/NAME.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; without it one per core.")]


class Log(StrEnum):
    """How progress is told."""

    text = "text"
    json = "json"


def run(
    config: Config,
    data: DataDir = None,
    out: Out = None,
    workers: Workers = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Workers of a running Dask scheduler: tcp://host:port.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every input again and compare its content with the run before.")
    ] = False,
    log: Annotated[
        Log,
        typer.Option("--log", help="json: one object a line on standard error: time, level, event, task, progress."),
    ] = Log.text,
) -> None:
    """Run an experiment: track, score, join with serum, test, report. Run again, only what changed is redone.

    Exit status: 0 all done; 1 done, but some recordings or steps failed (see problems.csv); 2 nothing could be done
    (a mistake in the experiment file, a results folder that takes nothing more); 130 interrupted, what is done is kept.
    """
    from stressaxis.eventlog import EventLog
    from stressaxis.run import run_experiment

    events = EventLog() if log is Log.json else None
    with telling_why(events):
        outcome = run_experiment(
            config,
            data_dir=data,
            out=out,
            workers=workers,
            scheduler=scheduler,
            console=console(),
            log=events,
            verify=verify,
        )
    finish(outcome)


def watch(
    config: Config,
    data: DataDir = None,
    out: Out = None,
    workers: Workers = None,
    settle_s: Annotated[
        float, typer.Option("--settle-s", min=0, help="A recording has arrived when unchanged for so long, s.")
    ] = 60.0,
    every_s: Annotated[float, typer.Option("--every-s", min=0.1, help="Pause between two looks, s.")] = 10.0,
) -> None:
    """Run again whenever recordings have finished arriving or a table was edited; Ctrl-C ends it."""
    from stressaxis.watching import watch_experiment

    watch_experiment(
        config, data_dir=data, out=out, workers=workers, settle_s=settle_s, every_s=every_s, console=console()
    )


def demo(
    out: Annotated[Path, typer.Option("--out", help="Results folder; recordings go to its subfolder data.")] = Path(
        "results/demo"
    ),
    workers: Workers = None,
    small: Annotated[bool, typer.Option("--small", help="A few mice and short trials, to see that all works.")] = False,
) -> None:
    """Render a simulated experiment (32 mice, 64 recordings, a serum table) and run it to a report."""
    from stressaxis.demo import run_demo

    finish(run_demo(out, small=small, workers=workers, console=console()))


def check(config: Config, data: DataDir = None) -> None:
    """Tell all that is wrong with an experiment, and what its serum panel can measure, before hours are spent."""
    from stressaxis.check import check_experiment

    report = check_experiment(config, data_dir=data)
    typer.echo(report.text)
    raise typer.Exit(DONE if report.can_run else NOT_POSSIBLE)


def schema() -> None:
    """Print the JSON Schema of the experiment file, for editors that check and complete YAML."""
    import json

    from configs import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to fill; made if it is not there.")],
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The same seed gives the same files; demo 0, source 20261106.")
    ] = None,
    small: Annotated[bool, typer.Option("--small", help="A few mice and short trials.")] = False,
    study: Annotated[
        Study, typer.Option("--study", help="demo: mice with recordings; source: people, drugs, mice; source-null.")
    ] = Study.demo,
    workers: Workers = None,
) -> None:
    """Make a simulated experiment with known truth: recordings, tables and the config that runs them."""
    if study is not Study.demo:
        from stressaxis.source_study import simulate_source_study

        typer.echo(simulate_source_study(folder, planted=study is Study.source, seed=seed))
        return
    from stressaxis.demo import simulate_demo

    simulate_demo(folder, seed=seed or 0, small=small, workers=workers, console=console())
    typer.echo(f"{folder}: ready; run it with: stressaxis run {folder / 'experiment.yaml'}")
