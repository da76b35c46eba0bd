"""A bent picture through the steps of a run: scores, stored tracks and what `check` says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from behavior.arena import ArenaOptions
from behavior.lens import Lens
from behavior.score_options import ScoreOptions
from behavior.tracks import from_arrays, read_tracks, write_tracks
from stressaxis.report.paths import _straight
from stressaxis.stepfiles import read_facts, write_table
from stressaxis.steps.score import SCORES, PartPlan, score_subject
from stressaxis.steps.track import LOOKS, TRACKS
from tests.behavior.test_lens import AXIS, CORNERS, FOCAL, seen_by_opencv
from tests.stressaxis.conftest import Command

LENS = Lens(k1=-0.25, focal_px=FOCAL, centre_px=AXIS)


def place_of(second: float) -> tuple[float, float]:
    """20 s just inside the interaction zone, 20 s just outside, 20 s in the far corner."""
    return [(8.4, 7.0), (7.4, 7.0), (40.0, 40.0)][int(second // 20)]


@pytest.fixture
def needs(tmp_path: Path) -> dict[str, Path]:
    time = np.arange(900) / 15
    cm = np.array([place_of(second) for second in time]) + np.random.default_rng(0).uniform(-0.2, 0.2, (900, 2))
    seen = seen_by_opencv(cm, LENS.k1, 0.0)
    folders = {}
    for trial in ("no_target", "target"):
        folders[trial] = tmp_path / trial
        folders[trial].mkdir()
        tracks = from_arrays(seen[:, :, np.newaxis], time, fps=15, keypoints=("centre",), source_file=f"{trial}.mp4")
        write_tracks(tracks, folders[trial] / TRACKS)
        write_table(pd.DataFrame(columns=["time_s", "light_grey", "edge_px", "enclosure_change_percent"]),
                    folders[trial] / LOOKS)  # fmt: skip
    return folders


def scored(needs: dict[str, Path], output: Path, lens: Lens | None) -> tuple[list[float], xr.Dataset]:
    output.mkdir()
    corners = tuple(map(tuple, seen_by_opencv(CORNERS, LENS.k1, 0.0).tolist()))
    parts = [
        PartPlan(trial=trial, file=f"{trial}.mp4", task=trial, arena=ArenaOptions(), arena_name="box",
                 corners_px=corners, start_s=0.0, end_s=None, lens=lens)
        for trial in needs
    ]  # fmt: skip
    score_subject(output, needs=needs, subject="m1", parts=parts, options=ScoreOptions(window_s=60.0))
    rows = read_facts(output / SCORES)["rows"]
    return [row["iz_s"] for row in rows], read_tracks(sorted((output / "tracks").glob("*.nc"))[0])


def test_zone_seconds_are_those_of_the_straight_floor(needs: dict[str, Path], tmp_path: Path) -> None:
    seconds, tracks = scored(needs, tmp_path / "with", LENS)
    assert seconds == pytest.approx([20.0, 20.0])
    assert Lens(**json.loads(tracks.attrs["lens"])) == LENS
    xy = tracks["position"].values[:, :, 0, 0]
    np.testing.assert_allclose(_straight(xy, json.loads(tracks.attrs["lens"])), LENS.straight(xy))
    # The same corners without the lens put the mouse on the wrong side of the zone's edge.
    seconds, tracks = scored(needs, tmp_path / "without", None)
    assert abs(seconds[0] - 20) > 15
    assert "lens" not in tracks.attrs


def test_check_says_what_the_lens_is_worth_and_how_well_it_fits(tiny: Path, stressaxis: Command) -> None:
    import yaml

    config = tiny / "experiment.yaml"
    told = yaml.safe_load(config.read_text())
    name, arena = next(iter(told["behavior"]["arenas"].items()))
    corners = np.array(arena.get("corners_px") or [[0, 0]] * 4, dtype=float)
    middles = ((corners + np.roll(corners, -1, axis=0)) / 2).tolist()
    told["behavior"]["arenas"][name]["middles_px"] = middles
    config.write_text(yaml.safe_dump(told))
    said = stressaxis("check", config)
    assert f"arena {name}: misfit 0.0" in said.out, said.text
    axis = corners.mean(axis=0).tolist()
    told["behavior"]["arenas"][name]["lens"] = {"k1": -0.2, "focal_px": 400.0, "centre_px": axis}
    config.write_text(yaml.safe_dump(told))
    said = stressaxis("check", config)
    assert f"arena {name}: without the lens positions would be up to" in said.out, said.text
    assert "corners, middle and lens do not fit together" in said.text
