"""Open field: centre against periphery, thigmotaxis, locomotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.assay import AssayScore, States, score_assay
from behavior.calibration import Arena
from behavior.kinematics import Movement
from behavior.polygons import nearest_point
from behavior.reasons import Notes
from behavior.samples import Samples
from behavior.score_options import ScoreOptions
from behavior.trial_measures import in_zone

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["OPEN_FIELD_OPTIONS", "score_open_field"]

#: An open field lasts ten minutes unless it is said otherwise.
OPEN_FIELD_OPTIONS = ScoreOptions(window_s=600.0, bin_s=60.0)


def score_open_field(
    tracks: xr.Dataset,
    arena: Arena,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    options: ScoreOptions = OPEN_FIELD_OPTIONS,
) -> AssayScore:
    """Scores an open field recording.

    States are ``centre``; ``periphery``, the floor outside it; ``wall``, the band along the walls (thigmotaxis);
    ``corner``. Added are ``wall_distance_cm``, the mean distance to the nearest wall, and ``centre_distance_share``,
    the share of the path that lies in the centre.

    Parameters
    ----------
    tracks
        Tracks of the recording.
    arena
        `behavior.templates.open_field_box`, placed.
    start_s, end_s
        Where the test begins and ends in the recording; None = at the release, and with the window.
    options
        Scoring options.

    Examples
    --------
    >>> import xarray as xr
    >>> from behavior.templates import open_field_box, place_layout
    >>> arena = place_layout(open_field_box(), reference_px=[(0, 0), (420, 0), (420, 420), (0, 420)])
    >>> position = np.full((6000, 2, 1, 1), 210.0)
    >>> position[:1500] = 10.0
    >>> tracks = xr.Dataset({"position": (("time", "space", "keypoint", "individual"), position)},
    ...                     coords={"time": np.arange(6000) / 10, "keypoint": ["centre"]})
    >>> row = score_open_field(tracks, arena).row
    >>> [round(row[name], 6) for name in ("centre_s", "wall_s", "corner_s", "centre_latency_s", "wall_distance_cm")]
    [450.0, 150.0, 150.0, 150.0, 16.0]
    """

    def states(samples: Samples) -> States:
        centre, inner = in_zone(samples, arena, "centre"), in_zone(samples, arena, "inner")
        return {
            "centre": centre,
            "periphery": samples.observed & ~centre,
            "wall": samples.observed & ~inner,
            "corner": in_zone(samples, arena, *arena.corner_zones),
        }

    def added(samples: Samples, movement: Movement, states: States, notes: Notes) -> dict[str, Any]:
        seen = samples.run >= 0
        _, distance = nearest_point(arena.zones["floor"], samples.centre_cm[seen])
        found = {"wall_distance_cm": float(np.average(distance, weights=samples.duration_s[seen]))}
        path = movement.distance_cm
        found["centre_distance_share"] = float(movement.step_cm[states["centre"]].sum()) / path if path > 0 else np.nan
        if path == 0:
            notes.add("no_movement", "centre_distance_share")
        return found

    return score_assay(
        tracks,
        arena,
        states_of=states,
        added=added,
        names=("centre", "periphery", "wall", "corner"),
        added_names=("wall_distance_cm", "centre_distance_share"),
        start_s=start_s,
        end_s=end_s,
        options=options,
    )
