"""The composited recordings of the social interaction test, described as an experiment."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import configs

CONFIG = """\
schema: 1
name: composited
roles: {{control: [none], defeated: [all]}}
subjects: {tables}/subjects.csv
behavior:
  trials: {tables}/trials.csv
  arenas:
    top: {{corners_px: {top}, enclosure_wall: top}}
    left: {{corners_px: {left}, enclosure_wall: left}}
"""


def test_composited_recordings_are_described_by_a_short_file(shared: Path, tmp_path: Path) -> None:
    folder = shared / "video" / "composited_si"
    with open(folder / "arena.csv", encoding="utf-8") as stream:
        arenas = {row["trial"]: row for row in csv.DictReader(stream)}
    corners = {
        row["wall"]: [[float(row[f"floor_{axis}{corner}"]) for axis in "xy"] for corner in range(4)]
        for row in arenas.values()
    }
    wall = {trial.split("_")[0]: row["wall"] for trial, row in arenas.items()}
    (tmp_path / "subjects.csv").write_text("subject,group\nm01,all\nm06,all\n", encoding="utf-8")
    rows = [f"{m},{trial},{m}_{trial}.mp4,{wall[m]}" for m in ("m01", "m06") for trial in ("no_target", "target")]
    (tmp_path / "trials.csv").write_text("subject,trial,file,arena\n" + "\n".join(rows) + "\n", encoding="utf-8")
    config = tmp_path / "composited.yaml"
    config.write_text(CONFIG.format(tables=tmp_path.as_posix(), **corners), encoding="utf-8")
    experiment = configs.load(config, data_dir=folder)
    assert experiment.behavior is not None
    assert experiment.behavior.arena_options("left").enclosure_wall == "left"
    assert experiment.behavior.arenas["top"].floor_corners_px == tuple(tuple(corner) for corner in corners["top"])
    problems = configs.check(experiment)
    assert [problem.code for problem in problems] == ["role_without_subjects"]


@pytest.mark.parametrize("name", ["m01_target.mp4", "m06_no_target.mp4"])
def test_recordings_are_located_in_the_data_folder(shared: Path, tmp_path: Path, name: str) -> None:
    config = tmp_path / "x.yaml"
    config.write_text(
        "schema: 1\nroles: {control: a}\nsubjects: s.csv\noutcomes: {file: o.csv, columns: [x]}\n", encoding="utf-8"
    )
    assert configs.load(config, data_dir=shared / "video" / "composited_si").locate(name).stat().st_size > 0
