"""What every track reader takes and gives: the options, and what a file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from behavior.events import BehaviorEvent, make_events
from core.errors import InputError
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["ReadOptions", "TrackFile", "event_file", "track_file"]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a file may not say itself.

    Parameters
    ----------
    fps
        Frames per second, for files that hold frame numbers only (DeepLabCut, SLEAP, ezTrack); without it the times
        of such a file stay frame numbers and the attribute ``time_unit`` says ``frames``.
    individual
        Which animal to keep, by name; without it all.
    points
        Our name of a point by the file's, one or several whose mean is taken: ``{"centre": ["Spine_1", "Spine_2"]}``.
    min_likelihood
        Pose estimates below this count as missing.
    origin
        (x, y) of the floor's top-left corner as seen, in the file's own coordinates; shifts cm to the design's origin.
    sheet
        Which sheet of a workbook; without it all.
    columns
        For tables of no known program, ours by the file's: ``{"time": "t [ms]", "centre_x": "X", "centre_y": "Y"}``;
        further points as ``nose_x`` ..., zones as ``zone:NAME``, behaviours as ``behavior:NAME``.
    time_unit
        Of a declared time column: ``s``, ``ms``, ``min`` or ``frames``.
    space_unit
        ``px`` or ``cm``, where the file does not say.
    y_up
        Whether y grows upward in a declared table.
    keypoints
        Names of the points of a bare array.
    """

    fps: float | None = None
    individual: str | None = None
    points: Mapping[str, str | Sequence[str]] | None = None
    min_likelihood: float = 0.6
    origin: tuple[float, float] | None = None
    sheet: str | None = None
    columns: Mapping[str, str] | None = None
    time_unit: str = "s"
    space_unit: str | None = None
    y_up: bool = False
    keypoints: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps must be above 0, not {self.fps}")
        if not 0 <= self.min_likelihood <= 1:
            raise ValueError(f"min_likelihood must be from 0 to 1, not {self.min_likelihood}")
        if self.time_unit not in ("s", "ms", "min", "frames"):
            raise ValueError(f"time_unit must be s, ms, min or frames, not {self.time_unit!r}")
        if self.space_unit not in (None, "px", "cm"):
            raise ValueError(f"space_unit must be px or cm, not {self.space_unit!r}")


@dataclass(frozen=True)
class TrackFile:
    """What a file of another program holds.

    Parameters
    ----------
    file, reader, description
        Name of the file, short name of the format, and the format in words.
    tracks
        Tracks by name: the sheet's name in a workbook, else ``""``; empty for a file of events.
    events
        Table of :data:`behavior.events.EVENT_COLUMNS`; empty if there are none.
    header
        What the file says of itself.
    problems
        What was set aside, assumed or looks wrong.
    """

    file: str
    reader: str
    description: str
    tracks: dict[str, xr.Dataset]
    events: pd.DataFrame
    header: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def dataset(self) -> xr.Dataset:
        """The one track of the file.

        Raises
        ------
        InputError
            If it holds none or several; the message names them.
        """
        if len(self.tracks) == 1:
            return next(iter(self.tracks.values()))
        if not self.tracks:
            raise InputError("the file holds events, no track", file=self.file, remedy="use its events table")
        raise InputError(
            "the file holds several tracks",
            file=self.file,
            found=", ".join(self.tracks),
            remedy="choose one (sheet=...)",
        )


def track_file(
    reader: str,
    description: str,
    path: str | Path,
    tracks: dict[str, xr.Dataset],
    *,
    events: Sequence[BehaviorEvent] = (),
    header: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> TrackFile:
    """A result with tracks."""
    return TrackFile(
        Path(path).name, reader, description, tracks, make_events(events), dict(header or {}), list(problems)
    )


def event_file(
    reader: str,
    description: str,
    path: str | Path,
    events: Sequence[BehaviorEvent],
    *,
    header: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> TrackFile:
    """A result with events only.

    Raises
    ------
    InputError
        If the events cannot be right.
    """
    try:
        table = make_events(events)
    except ValueError as error:
        raise InputError(str(error), file=path) from None
    return TrackFile(Path(path).name, reader, description, {}, table, dict(header or {}), list(problems))
