"""Commands on a whole experiment."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stressaxis.commands.ending import DONE, NOT_POSSIBLE, console, finish

__all__ = ["check", "demo", "run", "schema", "simulate"]


class Study(StrEnum):
    """Simulated experiments."""

    demo = "demo"
    source = "source"
    source_null = "source-null"


Config = Annotated[Path, typer.Argument(help="Experiment file (YAML).", metavar="CONFIG")]
DataDir = Annotated[Path | None, typer.Option("--data", help="Folder that paths in the experiment start from.")]
Out = Annotated[Path | None, typer.Option("--out", help="Results folder; without it results/NAME.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; without it one per core.")]


def run(config: Config, data: DataDir = None, out: Out = None, workers: Workers = None) -> None:
    """Run an experiment: track, score, join with serum, test, report. Run again, only what changed is redone."""
    from stressaxis.run import run_experiment

    finish(run_experiment(config, data_dir=data, out=out, workers=workers, console=console()))


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
