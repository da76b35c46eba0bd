"""One recording tracked from the command line, without an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from stressaxis.atomic import write_text
from stressaxis.system_libraries import check_system_libraries

if TYPE_CHECKING:
    from behavior.region import Region

__all__ = ["track_recording"]


def track_recording(
    video: Path,
    *,
    out: Path,
    config: Path | None = None,
    arena_name: str | None = None,
    independent_frames: bool = False,
) -> str:
    """Track one recording, write the table of positions, and say in words what was found.

    Parameters
    ----------
    video
        The recording.
    out
        CSV file to write: ``frame, time_s, x_px, y_px, nose_x_px, ..., area_px, confidence, note``.
    config
        Experiment file whose arena restricts the search; without it the whole picture is searched.
    arena_name
        Which of its arenas.
    independent_frames
        The frames are stills that do not follow one another.

    Raises
    ------
    InputError
        If the recording, the config or the arena cannot be used.
    """
    check_system_libraries()
    from dataclasses import replace

    from behavior.tracker import TrackOptions, track
    from behavior.tracks import tracks_table
    from behavior.video import open_video

    region, options = None, TrackOptions()
    if config is not None:
        region, options = _from_config(config, arena_name)
    if independent_frames:
        options = replace(options, independent_frames=True)
    tracks = track(open_video(video), region, options=options)
    table = tracks_table(tracks)
    write_text(out, table.to_csv(index=False, lineterminator="\n"))
    seen = np.isfinite(table["x_px"].to_numpy())
    summary = f"{out}: {len(table)} frames, animal found in {int(seen.sum())} ({seen.mean():.1%})"
    damage = tracks.attrs.get("damage", "")
    return f"{summary}\nthe recording is damaged: {damage}" if damage else summary


def _from_config(config: Path, arena_name: str | None) -> tuple[Region, Any]:
    import configs
    from behavior.arena import build_arena
    from behavior.region import Region

    behavior = configs.load(config).behavior
    if behavior is None:
        raise InputError("the experiment has no arenas", file=config, expected="a section `behavior` with `arenas`")
    known = list(behavior.arenas)
    if arena_name is None and len(known) > 1:
        raise InputError(
            "the experiment has several arenas", file=config, expected=f"--arena-name {' or '.join(known)}"
        )
    name = known[0] if arena_name is None else arena_name
    if name not in behavior.arenas:
        raise InputError(f"no arena is called {name!r}", file=config, expected=f"one of {', '.join(known)}")
    arena = build_arena(behavior.arena_options(name), corners_px=behavior.arenas[name].floor_corners_px)
    return Region(floor_px=arena.floor_px, enclosure_px=arena.enclosure_px), behavior.tracking
