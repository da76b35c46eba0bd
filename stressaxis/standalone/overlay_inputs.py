"""What an overlay is drawn from: tracks, zones and the start of the trial, from files or a results folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from behavior.arena import Arena
    from behavior.score_options import ScoreOptions

__all__ = ["OverlayInput", "overlay_input", "read_single_track"]


def _usual() -> ScoreOptions:
    from behavior.score_options import ScoreOptions

    return ScoreOptions()


@dataclass(frozen=True, eq=False)
class OverlayInput:
    """Tracks of one recording with what is known about their arena.

    Attributes
    ----------
    tracks
        The recording's tracks, one animal.
    arena
        Zones and calibration; None where they are not known.
    start_s
        Declared or scored start of the trial; None = at the release.
    options
        How the trial is scored.
    """

    tracks: xr.Dataset
    arena: Arena | None = None
    start_s: float | None = None
    options: ScoreOptions = field(default_factory=_usual)


def overlay_input(
    video: Path, tracks: Path, *, arena: Path | None = None, arena_name: str | None = None
) -> OverlayInput:
    """Bring together what the overlay of a recording needs.

    Parameters
    ----------
    video
        The recording.
    tracks
        File of tracks, or a results folder.
    arena, arena_name
        Experiment file or table of corners; goes before what a results folder knows.

    Raises
    ------
    InputError
        If there are no tracks of this recording, or several.
    """
    found = _from_results(video, tracks) if tracks.is_dir() else OverlayInput(read_single_track(tracks))
    if arena is None:
        return found
    from stressaxis.standalone.arena_files import read_arena

    given = read_arena(arena, name=arena_name)
    return OverlayInput(found.tracks, given.arena, found.start_s, given.scoring or found.options)


def read_single_track(path: Path) -> xr.Dataset:
    """Tracks of one animal from a file of any known program.

    Raises
    ------
    InputError
        If the file holds no track, or several animals.
    """
    from behavior.readers import read_tracks_file

    result = read_tracks_file(path)
    if len(result.tracks) != 1 or result.dataset.sizes["individual"] != 1:
        names = [str(name) for tracks in result.tracks.values() for name in tracks["individual"].values]
        raise InputError("not the track of one animal", file=path, found=", ".join(names) or "no track", expected="one")
    return result.dataset


def _from_results(video: Path, folder: Path) -> OverlayInput:
    from behavior.tracks import read_tracks

    files = sorted((folder / "tracks").glob("*.nc"))
    if not files:
        raise InputError("no tracks in this folder", file=folder, expected="a results folder with tracks/*.nc")
    named: list[tuple[Path, xr.Dataset]] = []
    for path in files:
        tracks = read_tracks(path)
        # Results may have been made where the recordings lay elsewhere.
        if Path(str(tracks.attrs.get("source_file", "")).replace("\\", "/")).name == video.name:
            named.append((path, tracks))
    if len(named) != 1:
        listed = ", ".join(path.name for path, _ in named) or f"{len(files)} tracks of other recordings"
        raise InputError(
            f"{'several tracks' if named else 'no track'} of {video.name} in the results",
            file=folder / "tracks",
            found=listed,
            expected="one",
            remedy="give one of the files with --tracks",
        )
    tracks = named[0][1]
    return OverlayInput(tracks, _results_arena(folder, tracks), _results_start(folder, tracks))


def _results_arena(folder: Path, tracks: xr.Dataset) -> Arena | None:
    """Zones of the results' own table, tied to the picture as the track's file says."""
    import numpy as np
    import pandas as pd
    from skimage.transform import ProjectiveTransform

    from behavior.arena import Arena
    from behavior.lens import Lens

    table = folder / "tables" / "arenas.csv"
    if "px_to_cm" not in tracks.attrs or not table.is_file():
        return None
    rows = pd.read_csv(table, dtype={"arena": str})
    rows = rows[rows["arena"] == str(tracks.attrs.get("arena"))]
    zones = {
        str(zone): part.sort_values("vertex")[["x_cm", "y_cm"]].to_numpy(dtype=float)
        for zone, part in rows.groupby("zone", sort=False)
    }
    if "floor" not in zones:
        return None
    transform = ProjectiveTransform(matrix=np.array(json.loads(tracks.attrs["px_to_cm"])))  # type: ignore[no-untyped-call]
    lens = Lens(**json.loads(tracks.attrs["lens"])) if "lens" in tracks.attrs else None
    return Arena(zones=zones, image_to_cm=transform, lens=lens)


def _results_start(folder: Path, tracks: xr.Dataset) -> float | None:
    """Start of the trial as it was scored."""
    import pandas as pd

    table = folder / "tables" / "trials.csv"
    if not table.is_file():
        return None
    rows = pd.read_csv(table, dtype={"subject": str})
    rows = rows[
        (rows["subject"] == str(tracks.attrs.get("subject"))) & (rows["trial"] == str(tracks.attrs.get("trial")))
    ]
    # Further recordings of a trial in parts have their start in the experiment alone.
    one = len(rows) == 1 and " + " not in str(rows["file"].iloc[0])
    return float(rows["start_s"].iloc[0]) if one and pd.notna(rows["start_s"].iloc[0]) else None
