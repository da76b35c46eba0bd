"""What `init` writes is accepted by `check`, but for what people have to fill in; nothing is overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from tests.stressaxis.conftest import Command


def test_init_then_check_then_nothing_is_overwritten(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    folder = tmp_path / "new"
    shutil.copytree(tiny / "videos", folder / "videos")
    (folder / "videos" / "setup.mp4").write_bytes(b"no video")
    said = stressaxis("init", folder)
    assert said.status == 0, said.text
    assert "videos/setup.mp4: its name says neither trial" in said.out
    assert "to fill in:" in said.out
    trials = pd.read_csv(folder / "trials.csv", dtype=str)
    truth = pd.read_csv(tiny / "trials.csv", dtype=str)
    assert (
        trials[["subject", "trial", "file"]].to_numpy().tolist()
        == truth[["subject", "trial", "file"]].to_numpy().tolist()
    )
    for name in ("serum_samples", "plate_layout", "defeat_sessions", "sucrose", "weights", "coat"):
        assert (folder / f"{name}.csv").exists()

    said = stressaxis("check", folder / "experiment.yaml")
    complaints = [line for line in said.text.splitlines() if line.lstrip().startswith("- ")] or said.text.splitlines()
    assert all("group" in line or "corners" in line or "calibration" in line for line in complaints), said.text

    subjects = pd.read_csv(folder / "subjects.csv", dtype=str)
    subjects["group"] = ["control", "control", "defeated", "defeated"]
    subjects.to_csv(folder / "subjects.csv", index=False)
    config = (folder / "experiment.yaml").read_text()
    if "corners_px:\n" in config:
        config = config.replace("corners_px:\n", "floor_px: [90, 30, 390, 325]\n")
        (folder / "experiment.yaml").write_text(config)
    said = stressaxis("check", folder / "experiment.yaml")
    assert said.status == 0, said.text

    filled_records(folder)
    said = stressaxis("check", folder / "experiment.yaml")
    assert said.status == 0, said.text
    (folder / "experiment.yaml").write_text(config)

    again = stressaxis("init", folder)
    assert "already there and left alone: subjects.csv" in again.out
    assert pd.read_csv(folder / "subjects.csv", dtype=str)["group"].notna().all()
    assert (folder / "experiment.yaml").read_text() == config


def filled_records(folder: Path) -> None:
    """One row in each table of records, and the lines that name them without their #."""
    subject = pd.read_csv(folder / "subjects.csv", dtype=str)["subject"].iloc[-1]
    rows = {
        "defeat_sessions": f"{subject},1,2026-11-01,r1,10,20,1,no,25",
        "sucrose": f"{subject},1,,3,1,no",
        "weights": f"{subject},1,,25.1",
        "coat": f"{subject},1,,0,0,0.5,0,0,1,0",
    }
    for name, row in rows.items():
        with (folder / f"{name}.csv").open("a") as table:
            table.write(row + "\n")
    lines = (folder / "experiment.yaml").read_text().splitlines()
    start = lines.index("# records:")
    lines[start:] = [line.removeprefix("# ").removeprefix("#") for line in lines[start:]]
    (folder / "experiment.yaml").write_text("\n".join(lines) + "\n")


def test_a_folder_without_a_pattern_is_refused_with_a_remedy(tmp_path: Path, stressaxis: Command) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    said = stressaxis("init", tmp_path)
    assert said.status == 2
    assert "trials.csv" in said.err
    assert not (tmp_path / "subjects.csv").exists()
