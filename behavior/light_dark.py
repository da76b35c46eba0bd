"""Light/dark box, also where the camera cannot see into the dark part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.assay import AssayScore, States, score_assay
from behavior.calibration import Arena
from behavior.kinematics import Movement
from behavior.reasons import Notes
from behavior.samples import Samples
from behavior.score_options import ScoreOptions
from behavior.trial_measures import in_zone
from behavior.zones import find_stays

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["LIGHT_DARK_OPTIONS", "score_light_dark"]

#: A light/dark test lasts ten minutes unless it is said otherwise.
LIGHT_DARK_OPTIONS = ScoreOptions(window_s=600.0, bin_s=60.0, lost_limit_percent=100.0)


def score_light_dark(
    tracks: xr.Dataset,
    arena: Arena,
    *,
    unseen_is_dark: bool = True,
    start_s: float | None = None,
    end_s: float | None = None,
    options: ScoreOptions = LIGHT_DARK_OPTIONS,
) -> AssayScore:
    """Scores a light/dark box.

    States are ``light`` and ``dark``. Added are ``transitions``, how often the mouse changes sides for at least the
    minimum stay, and ``dark_unseen_s``, how much of the dark time the mouse was not seen.

    Parameters
    ----------
    tracks
        Tracks of the recording.
    arena
        `behavior.templates.light_dark_box`, placed.
    unseen_is_dark
        A mouse that is not seen is in the dark part, which has a lid. Movement is measured where it is seen.
    start_s, end_s
        Where the test begins and ends in the recording; None = at the release, and with the window.
    options
        Scoring options.
    """

    def covered(samples: Samples) -> Samples:
        return replace(samples, observed=np.ones_like(samples.observed)) if unseen_is_dark else samples

    def states(samples: Samples) -> States:
        light = in_zone(samples, arena, "light")
        return {"light": light, "dark": samples.observed & ~light}

    def added(samples: Samples, movement: Movement, states: States, notes: Notes) -> dict[str, Any]:
        unseen: NDArray[np.bool_] = states["dark"] & (samples.run < 0)
        stays = [
            find_stays(
                states[name], samples.observed, samples.time_s, samples.duration_s,
                min_stay_s=options.min_stay_s,
            )
            for name in ("light", "dark")
        ]  # fmt: skip
        sides = np.repeat([0, 1], [len(stay) for stay in stays])
        order = np.argsort(np.concatenate([stay.start_s for stay in stays]), kind="stable")
        return {
            "transitions": int(np.count_nonzero(np.diff(sides[order]))),
            "dark_unseen_s": float(samples.duration_s[unseen].sum()),
        }

    return score_assay(
        tracks,
        arena,
        states_of=states,
        added=added,
        names=("light", "dark"),
        added_names=("transitions", "dark_unseen_s"),
        start_s=start_s,
        end_s=end_s,
        options=options,
        prepare=covered,
    )
