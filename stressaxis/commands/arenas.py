"""Commands on one recording and its arena: find it, draw the track over it, score one mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["arena"]


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
    from stressaxis.arena_picture import show_arena

    typer.echo(show_arena(video, size_cm=size_cm, shape=shape, out=out, corners=corners))
