"""Commands on single recordings and track files, without an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["track", "tracks"]


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
    from stressaxis.standalone.single import track_recording

    summary = track_recording(
        video, out=out, config=arena, arena_name=arena_name, independent_frames=independent_frames
    )
    typer.echo(summary)


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
    from stressaxis.standalone.pairs import parse_pairs
    from stressaxis.standalone.trackfiles import show_file

    columns = parse_pairs(column, option="--column") if column else None
    typer.echo(
        show_file(
            file, out=out, fps=fps, individual=individual, sheet=sheet, origin=origin, min_likelihood=min_likelihood,
            columns=columns, time_unit=time_unit, space_unit=space_unit, y_up=y_up,
        )
    )  # fmt: skip
