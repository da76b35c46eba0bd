"""Commands on one recording and its arena: find it, draw the track over it, score one mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["arena", "overlay", "score"]


def arena(
    video: Annotated[Path, typer.Argument(help="Recording.", metavar="VIDEO")],
    size_cm: Annotated[
        tuple[float, float] | None,
        typer.Option("--size-cm", help="Width and height of the floor as seen, in cm (usually 42 42)."),
    ] = None,
    shape: Annotated[Literal["rectangle", "circle"], typer.Option("--shape", help="Shape of the floor.")] = "rectangle",
    out: Annotated[Path | None, typer.Option("--out", help="PNG file to write: what was found.")] = None,
    corners: Annotated[
        Path | None, typer.Option("--corners", help="CSV file to write: the corners, for --arena of other commands.")
    ] = None,
) -> None:
    """Find the arena in a recording: floor corners, enclosure, how sure, and the lines for the experiment file."""
    from stressaxis.standalone.arena_picture import show_arena

    typer.echo(show_arena(video, size_cm=size_cm, shape=shape, out=out, corners=corners))


def overlay(
    video: Annotated[Path, typer.Argument(help="Recording.", metavar="VIDEO")],
    tracks: Annotated[Path, typer.Option("--tracks", help="File of tracks, or a results folder.")],
    out: Annotated[Path, typer.Option("--out", help="MP4 file to write.")],
    arena: Annotated[
        Path | None,
        typer.Option("--arena", help="Experiment file or table of corners; a results folder knows its own arena."),
    ] = None,
    arena_name: Annotated[str | None, typer.Option("--arena-name", help="Which arena, if there are several.")] = None,
    start_s: Annotated[
        float | None, typer.Option("--start-s", help="Write from this time of the recording on.")
    ] = None,
    end_s: Annotated[float | None, typer.Option("--end-s", help="Write up to this time of the recording.")] = None,
) -> None:
    """Write the recording with track, zones and the seconds counted in them drawn over it."""
    from stressaxis.standalone.overlay import write_overlay

    typer.echo(
        write_overlay(
            video, tracks=tracks, out=out, arena=arena, arena_name=arena_name, start_s=start_s, end_s=end_s
        )
    )  # fmt: skip


def score(
    no_target: Annotated[Path, typer.Argument(help="Recording or tracks without target.", metavar="NO_TARGET")],
    target: Annotated[Path, typer.Argument(help="Recording or tracks with target.", metavar="TARGET")],
    arena: Annotated[Path, typer.Option("--arena", help="Experiment file or table of corners of the arena.")],
    arena_name: Annotated[str | None, typer.Option("--arena-name", help="Which arena, if there are several.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write.")] = None,
) -> None:
    """Score the social interaction test of one mouse from its two recordings or tracks."""
    from stressaxis.standalone.single_mouse import score_mouse

    typer.echo(score_mouse(no_target, target, arena=arena, arena_name=arena_name, out=out))
