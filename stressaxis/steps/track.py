"""Step: the animal's track in one recording."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stressaxis.stepfiles import write_table

if TYPE_CHECKING:
    from behavior.region import Region
    from behavior.track_options import TrackOptions

__all__ = ["LOOKS", "TRACKS", "track_recording"]

TRACKS = "tracks.nc"
LOOKS = "looks.csv"


def track_recording(
    output: Path,
    *,
    needs: Mapping[str, Path | None],
    path: str,
    region: Region,
    options: TrackOptions,
) -> None:
    """Track one recording; write ``tracks.nc`` and, of what the pictures show of their quality, ``looks.csv``.

    Parameters
    ----------
    path
        The recording.
    region
        Floor and enclosure in px.
    options
        Settings of the tracker.

    Raises
    ------
    InputError
        If the recording cannot be read.
    """
    from behavior.picture_watch import WatchedVideo
    from behavior.tracker import track
    from behavior.tracks import write_tracks
    from behavior.video import open_video
    from stressaxis.pulse import tell

    # One core a recording: threads inside a file gain nothing while every core has a recording of its own.
    video = WatchedVideo(open_video(path, threads=1), region)
    tracks = track(video, region, options=options, progress=tell)
    write_tracks(tracks, output / TRACKS)
    write_table(video.looks(), output / LOOKS)
