"""Elevated plus and zero maze: open and closed parts by how much of the body is in them, head dips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.assay import AssayScore, States, score_assay
from behavior.calibration import Arena
from behavior.kinematics import Movement
from behavior.polygons import contains, nearest_point
from behavior.reasons import Notes
from behavior.samples import Samples
from behavior.score_options import ScoreOptions
from behavior.zones import find_stays

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MAZE_OPTIONS", "MazeOptions", "body_share", "score_elevated_maze"]

Floats = NDArray[np.float64]

#: A maze lasts five minutes unless it is said otherwise; a mouse that dips or rears is seen beyond the arm's edge.
MAZE_OPTIONS = ScoreOptions(window_s=300.0, bin_s=60.0, wall_tolerance_cm=5.0)


@dataclass(frozen=True, kw_only=True)
class MazeOptions:
    """How a mouse is told to be in an arm.

    Parameters
    ----------
    body_share
        Least share of the body's axis, from nose to tail base, that lies in the part.
    dip_cm
        A head dip is the nose further than this beyond the edge of an open part or of the middle.
    dip_min_s
        Shortest dip that counts.
    """

    body_share: float = 0.8
    dip_cm: float = 0.5
    dip_min_s: float = 0.2

    def __post_init__(self) -> None:
        if not 0.5 < self.body_share <= 1:
            raise ValueError(f"body_share must be above 0.5 and at most 1, not {self.body_share}")
        if not self.dip_cm >= 0 or not self.dip_min_s >= 0:
            raise ValueError("dip_cm and dip_min_s must be 0 or more")


def body_share(samples: Samples, arena: Arena, zones: list[str]) -> Floats:
    """Share of the body's axis that lies in any of the zones, frame by frame.

    The axis runs from the nose over the centre to the tail base and is cut into 20 equal pieces. Of a point beyond the
    floor's edge the nearest point of the floor counts, as when the mouse leans over. Where nose or tail base are not
    known, the centre alone decides: 0 or 1. NaN where the centre is not known.
    """
    nose, tail = (samples.extra_cm.get(name, np.full_like(samples.centre_cm, np.nan)) for name in ("nose", "tail_base"))
    centre = samples.centre_cm

    def inside(points: Floats) -> NDArray[np.bool_]:
        on_floor = arena.on_floor(points, tolerance_cm=np.inf)
        found = np.zeros(len(points), dtype=bool)
        for name in zones:
            found |= contains(arena.zones[name], on_floor)
        return found

    known = np.isfinite(centre.sum(axis=1))
    share = np.where(known, inside(centre).astype(float), np.nan)
    whole = np.flatnonzero(known & np.isfinite(nose.sum(axis=1) + tail.sum(axis=1)))
    if len(whole):
        pieces = [inside(point) for point in _along_body(nose[whole], centre[whole], tail[whole])]
        share[whole] = np.mean(pieces, axis=0)
    return share


def _along_body(nose: Floats, centre: Floats, tail: Floats) -> Iterator[Floats]:
    """The middles of 20 equal pieces of the way from the nose over the centre to the tail base."""
    first, second = np.hypot(*(centre - nose).T), np.hypot(*(tail - centre).T)
    for place in (np.arange(20) + 0.5) / 20:
        along = place * (first + second)
        before = (along / np.maximum(first, 1e-9))[:, None]
        after = ((along - first) / np.maximum(second, 1e-9))[:, None]
        yield np.where(before <= 1, nose + before * (centre - nose), centre + after * (tail - centre))


def score_elevated_maze(
    tracks: xr.Dataset,
    arena: Arena,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    options: ScoreOptions = MAZE_OPTIONS,
    maze: MazeOptions | None = None,
) -> AssayScore:
    """Scores a plus or a zero maze.

    States are ``open`` and ``closed``: at least ``body_share`` of the body in parts of that kind; and ``between``, in
    neither (the middle of a plus maze, the borders of a zero maze). Added are ``open_entries_percent`` of all entries
    into open and closed parts, ``open_time_percent`` of the time in them, and ``head_dips`` and ``head_dips_s``.

    Parameters
    ----------
    tracks
        Tracks of the recording; with ``nose`` and ``tail_base``, else the centre alone decides and there are no dips.
    arena
        `behavior.templates.elevated_plus_maze` or `zero_maze`, placed.
    start_s, end_s
        Where the test begins and ends in the recording; None = at the release, and with the window.
    options, maze
        Scoring options.
    """
    maze = maze or MazeOptions()
    parts = {kind: [name for name in arena.zones if name.startswith(f"{kind}_")] for kind in ("open", "closed")}

    def states(samples: Samples) -> States:
        inside = {
            kind: samples.observed & (np.nan_to_num(body_share(samples, arena, names)) >= maze.body_share - 1e-9)
            for kind, names in parts.items()
        }
        return inside | {"between": samples.observed & ~inside["open"] & ~inside["closed"]}

    def added(samples: Samples, movement: Movement, states: States, notes: Notes) -> dict[str, Any]:
        return _percentages(samples, states, options, notes) | _head_dips(samples, arena, parts["closed"], maze, notes)

    return score_assay(
        tracks,
        arena,
        states_of=states,
        added=added,
        names=("open", "closed", "between"),
        added_names=("open_entries_percent", "open_time_percent", "head_dips", "head_dips_s"),
        start_s=start_s,
        end_s=end_s,
        options=options,
        extra=("nose", "tail_base"),
    )


def _percentages(samples: Samples, states: States, options: ScoreOptions, notes: Notes) -> dict[str, float]:
    seconds = {kind: float(samples.duration_s[states[kind]].sum()) for kind in ("open", "closed")}
    entries = {
        kind: len(
            find_stays(
                states[kind], samples.observed, samples.time_s, samples.duration_s,
                min_stay_s=options.min_stay_s, min_absence_s=options.min_absence_s, bridge_s=options.bridge_s,
            )
        )
        for kind in ("open", "closed")
    }  # fmt: skip
    found = {}
    for name, values in (("open_entries_percent", entries), ("open_time_percent", seconds)):
        both = values["open"] + values["closed"]
        found[name] = 100 * values["open"] / both if both > 0 else float("nan")
        if both == 0:
            notes.add("no_entry", name)
    return found


def _head_dips(samples: Samples, arena: Arena, closed: list[str], maze: MazeOptions, notes: Notes) -> dict[str, float]:
    nose = samples.extra_cm["nose"]
    if not np.isfinite(nose).any():
        notes.add("not_measured", "head_dips", "head_dips_s")
        return {"head_dips": float("nan"), "head_dips_s": float("nan")}
    foot, distance = nearest_point(arena.zones["floor"], nose)
    beyond = ~contains(arena.zones["floor"], nose) & (np.nan_to_num(distance) > maze.dip_cm) & (samples.run >= 0)
    # Seen over the wall of a closed part, the nose is not dipping.
    over_closed = np.zeros(len(nose), dtype=bool)
    for name in closed:
        _, away = nearest_point(arena.zones[name], foot)
        over_closed |= np.nan_to_num(away, nan=np.inf) < 1e-6
    dips = find_stays(
        beyond & ~over_closed, samples.run >= 0, samples.time_s, samples.duration_s, min_stay_s=maze.dip_min_s
    )
    return {"head_dips": len(dips), "head_dips_s": float(dips.duration_s.sum())}
