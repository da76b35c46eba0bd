"""A small experiment on recordings composited from real mouse pixels, whose truth is exact, run as any other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from stressaxis.run import run_experiment

CONFIG = """
schema: 1
name: composited
extends: presets/csds-si
subjects: subjects.csv
roles: {control: [control], defeated: [defeated]}
behavior:
  trials: trials.csv
  arenas:
"""


def write_experiment(folder: Path, recordings: Path) -> Path:
    """Config and tables from the stated corners of floor and box, as a user would write them."""
    arenas = pd.read_csv(recordings / "arena.csv")
    lines = []
    trials = []
    for row in arenas.to_dict("records"):
        subject, trial = row["trial"].split("_", 1)
        trials.append({"subject": subject, "trial": trial, "file": f"{row['trial']}.mp4", "arena": subject})
        if trial == "target":
            corners = [[row[f"floor_x{i}"], row[f"floor_y{i}"]] for i in range(4)]
            lines.append(f"    {subject}: {{corners_px: {corners}, enclosure_wall: {row['wall']}}}")
    (folder / "experiment.yaml").write_text(CONFIG + "\n".join(lines) + "\n")
    pd.DataFrame(trials).to_csv(folder / "trials.csv", index=False)
    subjects = sorted({row["subject"] for row in trials})
    pd.DataFrame({"subject": subjects, "group": "defeated"}).to_csv(folder / "subjects.csv", index=False)
    for row in trials:
        (folder / row["file"]).symlink_to(recordings / row["file"])
    return folder / "experiment.yaml"


@pytest.mark.slow
def test_composited_experiment_agrees_with_its_truth(shared: Path, tmp_path: Path) -> None:
    recordings = shared / "video" / "composited_si"
    config = write_experiment(tmp_path, recordings)
    outcome = run_experiment(config, out=tmp_path / "results", console=Console(quiet=True))
    assert outcome.failures == []
    found = pd.read_csv(tmp_path / "results" / "tables" / "trials.csv")
    truth = pd.read_csv(recordings / "truth_trials.csv").drop(columns="file")
    trials = truth.merge(found, on=["subject", "trial"], suffixes=("_true", ""))
    assert len(trials) == 4
    assert ((trials["start_s"] - trials["release_s"]).abs() <= 0.2).all()
    assert ((trials["iz_s"] - trials["iz_s_true"]).abs() <= 0.5).all()
    assert ((trials["corner_s"] - trials["corner_s_true"]).abs() <= 0.5).all()
    assert (trials["lost_percent"] < 0.5).all()
    animals = pd.read_csv(tmp_path / "results" / "tables" / "social_interaction.csv")
    ratios = pd.read_csv(recordings / "truth_si.csv").merge(animals, on="subject", suffixes=("_true", ""))
    assert ((ratios["si_ratio"] / ratios["si_ratio_true"] - 1).abs() <= 0.01).all()
    assert (ratios["class"] == ratios["class_true"]).all()
    quality = pd.read_csv(tmp_path / "results" / "tables" / "recordings.csv")
    moving = quality.set_index(["subject", "trial"])["enclosure_moving_percent"]
    assert (moving.xs("no_target", level="trial") <= 1).all()
    assert (moving.xs("target", level="trial") >= 80).all()
    assert (quality["light"] == "green").all(), quality[["file", "flags"]]
    swapped_and_copied(config, tmp_path)


def swapped_and_copied(config: Path, folder: Path) -> None:
    """The same recordings with the trials of one mouse exchanged, and one of them under a second name."""
    trials = pd.read_csv(folder / "trials.csv")
    swap = {"m01_no_target.mp4": "m01_target.mp4", "m01_target.mp4": "m01_no_target.mp4", "m06_target.mp4": "copy.mp4"}
    (folder / "copy.mp4").write_bytes((folder / "m06_no_target.mp4").read_bytes())
    trials.assign(file=trials["file"].replace(swap)).to_csv(folder / "trials.csv", index=False)
    run_experiment(config, out=folder / "results", console=Console(quiet=True))
    problems = pd.read_csv(folder / "results" / "problems.csv")
    found = problems[["code", "subject"]].value_counts().to_dict()
    assert found[("trials_swapped", "m01")] == 1
    assert (
        found[("same_file_twice", "m06")] == found[("same_recording", "m06")] == found[("enclosure_empty", "m06")] == 1
    )
    quality = pd.read_csv(folder / "results" / "tables" / "recordings.csv").set_index(["subject", "trial"])
    assert (quality.loc["m01", "light"] == "red").all()
    assert "trials_swapped" in quality.loc[("m01", "target"), "flags"]
    page = (folder / "results" / "report.html").read_text("utf-8")
    assert "the recordings with and without target seem exchanged" in page
