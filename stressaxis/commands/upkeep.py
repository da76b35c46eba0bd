"""Commands before and after runs: a new experiment from a folder, what is done and why, what can go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stressaxis.commands.experiment import Config, DataDir, Out

__all__ = ["clean", "init", "status"]


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings; subfolders are searched.", metavar="FOLDER")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; without it into FOLDER.")] = None,
) -> None:
    """Write the experiment file and its tables for a folder of recordings; nothing is overwritten."""
    from stressaxis.scaffold import make_scaffold

    typer.echo(make_scaffold(folder, out=out).text)


def status(
    config: Config,
    recording: Annotated[
        str, typer.Argument(help="A recording: why it will or will not be redone.", metavar="[RECORDING]")
    ] = "",
    data: DataDir = None,
    out: Out = None,
) -> None:
    """Tell what is done and what a run would redo; with a recording, why: the changed key, file or version."""
    from stressaxis.status import recording_status, run_status

    if recording:
        typer.echo(recording_status(config, recording, data_dir=data, out=out))
    else:
        typer.echo(run_status(config, data_dir=data, out=out))


def clean(
    config: Config,
    data: DataDir = None,
    out: Out = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List only, remove nothing.")] = False,
) -> None:
    """Remove stored results that the experiment as it stands does not reach; tables, tracks and report stay."""
    from stressaxis.status import clean_results

    typer.echo(clean_results(config, data_dir=data, out=out, dry=dry_run).text())
