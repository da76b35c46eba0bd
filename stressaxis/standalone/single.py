"""One recording tracked from the command line, without an experiment."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stressaxis.atomic import write_text
from stressaxis.system_libraries import check_system_libraries

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
        Experiment file or table of corners, whose arena restricts the search; without it, the whole picture.
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

    from behavior.region import as_region
    from behavior.track_options import TrackOptions
    from behavior.tracker import track
    from behavior.tracks import tracks_table
    from behavior.video import open_video
    from stressaxis.standalone.arena_files import read_arena

    region, options = None, TrackOptions()
    if config is not None:
        given = read_arena(config, name=arena_name)
        region, options = as_region(given.arena), given.tracking or options
    if independent_frames:
        options = replace(options, independent_frames=True)
    tracks = track(open_video(video), region, options=options)
    table = tracks_table(tracks)
    write_text(out, table.to_csv(index=False, lineterminator="\n"))
    seen = np.isfinite(table["x_px"].to_numpy())
    summary = f"{out}: {len(table)} frames, animal found in {int(seen.sum())} ({seen.mean():.1%})"
    damage = tracks.attrs.get("damage", "")
    return f"{summary}\nthe recording is damaged: {damage}" if damage else summary
