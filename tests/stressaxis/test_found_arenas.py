"""Arenas with ``find: true``: found once for all recordings of an arena, said how surely, never guessed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from behavior.arena import ArenaOptions
from behavior.tracks import read_tracks
from core.errors import ConfigError, InputError
from stressaxis.stepfiles import read_facts, read_problems
from stressaxis.steps.arenas import FOUND, TABLE, find_arenas
from tests.stressaxis.conftest import Command


def _seek(folder: Path) -> dict[str, list[list[float]]]:
    """Take the corners out of the experiment file; give them back as the truth."""
    config = yaml.safe_load((folder / "experiment.yaml").read_text())
    for section in ("serum", "statistics"):
        config.pop(section)
    truth = {name: arena.pop("corners_px") for name, arena in config["behavior"]["arenas"].items()}
    for arena in config["behavior"]["arenas"].values():
        arena["find"] = True
    (folder / "experiment.yaml").write_text(yaml.safe_dump(config))
    return truth


@pytest.mark.slow
def test_a_run_finds_its_arenas_once_for_both_trials(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    truth = _seek(tiny)
    said = stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "r")
    assert said.status == 0, said.text
    table = pd.read_csv(tmp_path / "r" / "tables" / TABLE).set_index("arena")
    for name, corners in truth.items():
        row = table.loc[name]
        found = np.array([[row[f"corner_{k}_x_px"], row[f"corner_{k}_y_px"]] for k in (1, 2, 3, 4)])
        px_per_cm = np.hypot(*np.subtract(corners[1], corners[0])) / 42
        assert np.hypot(*(found - corners).T).max() / px_per_cm < 0.5
        assert row["confidence"] > 0.5 and row["misfit_cm"] < 0.5
    ties: dict[str, set[str]] = {}
    for path in (tmp_path / "r" / "tracks").glob("*.nc"):
        attrs = read_tracks(path).attrs
        ties.setdefault(attrs["arena"], set()).add(attrs["px_to_cm"])
    assert set(ties) == set(truth) and all(len(ways) == 1 for ways in ties.values())
    provenance = json.loads((tmp_path / "r" / "provenance.json").read_text())
    assert all(arena["find"] is True for arena in provenance["config"]["behavior"]["arenas"].values())
    again = stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "r")
    assert again.status == 0
    counts = json.loads((tmp_path / "r" / "provenance.json").read_text())["tasks"]
    assert counts["done"] == 0 and counts["failed"] == 0


def test_an_arena_in_which_nothing_is_seen_is_reported_and_has_no_corners(tmp_path: Path) -> None:
    from fractions import Fraction

    from behavior.simulation.recording_file import VideoWriter

    path, rng = tmp_path / "blank.mp4", np.random.default_rng(0)
    with VideoWriter(path, container=".mp4", codec="libx264", options={}, size=(160, 120), fps=Fraction(10)) as writer:
        for tick in range(30):
            writer.write(np.clip(rng.normal(120, 2, (180, 160)), 0, 255).astype(np.uint8), tick)
    out = tmp_path / "out"
    out.mkdir()
    files = (("blank.mp4", str(path)), ("gone.mp4", str(tmp_path / "gone.mp4")))
    find_arenas(out, needs={}, arenas={"box": ArenaOptions()}, recordings={"box": files})
    assert read_facts(out / FOUND) == {}
    problems = {problem.code: problem for problem in read_problems(out)}
    assert set(problems) == {"arena_not_found", "cannot_read"}
    assert problems["arena_not_found"].severity == "error" and "corners_px" in problems["arena_not_found"].action
    assert not pd.read_csv(out / TABLE).loc[0, "found"]


def test_corners_and_find_together_are_refused_and_unknown_corners_are_no_number(tiny: Path) -> None:
    import configs

    _seek(tiny)
    experiment = configs.load(tiny / "experiment.yaml")
    assert experiment.behavior is not None
    name, arena = next(iter(experiment.behavior.arenas.items()))
    with pytest.raises(InputError, match="corners are not known"):
        _ = arena.floor_corners_px
    config = yaml.safe_load((tiny / "experiment.yaml").read_text())
    config["behavior"]["arenas"][name]["floor_px"] = [0, 0, 100, 100]
    (tiny / "experiment.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match="two calibrations"):
        configs.load(tiny / "experiment.yaml")
