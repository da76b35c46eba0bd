"""Occupancy maps hold all the observed time, in the right place."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
from behavior.occupancy import map_occupancy
from behavior.samples import TrialPart, collect_samples
from behavior.score_options import ScoreOptions

ARENA = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))


def samples(xy_cm: np.ndarray, time: np.ndarray):
    tracks = xr.Dataset(
        {"position": (("time", "space", "keypoint", "individual"), xy_cm[:, :, None, None] * 10)},
        coords={"time": time, "space": ["x", "y"], "keypoint": ["centre"], "individual": ["subject"]},
    )
    return collect_samples([TrialPart(tracks=tracks, arena=ARENA)], start_s=float(time[0]), options=ScoreOptions())


def test_time_is_conserved_with_and_without_blur() -> None:
    rng = np.random.default_rng(0)
    xy = rng.uniform(-1, 43, (2000, 2))
    xy[rng.random(2000) < 0.1] = np.nan
    found = samples(xy, np.cumsum(rng.uniform(0.01, 0.1, 2000)))
    seen = found.duration_s[found.run >= 0].sum()
    for blur in (0.0, 2.0):
        made = map_occupancy(found, ARENA, cell_cm=2.0, smooth_cm=blur)
        assert made.seconds.shape == (21, 21)
        assert made.seconds.sum() == pytest.approx(seen)
        assert made.share.sum() == pytest.approx(1)


def test_cells_agree_with_a_histogram() -> None:
    rng = np.random.default_rng(1)
    xy = rng.uniform(0, 42, (500, 2))
    found = samples(xy, np.arange(500) / 10)
    made = map_occupancy(found, ARENA, cell_cm=5.0)
    expected, _, _ = np.histogram2d(xy[:, 1], xy[:, 0], bins=[made.y_cm, made.x_cm], weights=found.duration_s)
    np.testing.assert_allclose(made.seconds, expected)
    assert made.x_cm[-1] == 45


def test_nothing_observed_has_no_share() -> None:
    found = samples(np.full((20, 2), np.nan), np.arange(20) / 10)
    assert np.isnan(map_occupancy(found, ARENA).share).all()


@pytest.mark.parametrize("changed", [{"cell_cm": 0.0}, {"smooth_cm": -1.0}])
def test_impossible_grids_are_refused(changed: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="cell_cm"):
        map_occupancy(samples(np.full((20, 2), 5.0), np.arange(20) / 10), ARENA, **changed)
