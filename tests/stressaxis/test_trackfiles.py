"""The command ``stressaxis tracks``: what a file is, and its conversion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from behavior.readers import read_tracks_file
from tests.behavior import track_samples as made
from tests.stressaxis.conftest import Command


def test_tells_what_a_track_is(stressaxis: Command, tmp_path):
    (tmp_path / "t.txt").write_bytes(made.timeofcr2())
    said = stressaxis("tracks", tmp_path / "t.txt")
    assert said.status == 0
    assert "t.txt: TimeOFCR2 text of one trial" in said.out
    assert "40 frames, 20.000 s at 2 frames/s" in said.out and "positions in px" in said.out
    assert f"SubROI1 {made.in_zone().sum() / 2:.2f} s" in said.out and "lost in 0 of 40 frames (0.0%)" in said.out


def test_files_without_rate_say_so_and_are_not_converted_to_seconds(stressaxis: Command, tmp_path):
    (tmp_path / "d.csv").write_bytes(made.dlc_csv())
    said = stressaxis("tracks", tmp_path / "d.csv")
    assert "duration not known" in said.out and "give --fps" in said.out
    said = stressaxis("tracks", tmp_path / "d.csv", "--out", tmp_path / "o.csv")
    assert said.status == 2 and "frame numbers" in said.err and not (tmp_path / "o.csv").exists()
    said = stressaxis("tracks", tmp_path / "d.csv", "--fps", "12.5", "--out", tmp_path / "o.csv")
    assert said.status == 0 and "3.200 s at 12.5 frames/s" in said.out
    table = pd.read_csv(tmp_path / "o.csv")
    np.testing.assert_allclose(table["nose_x_px"], made.walk()[:, 0])


def test_converts_to_netcdf_and_events(stressaxis: Command, tmp_path):
    (tmp_path / "m7.csv").write_bytes(made.anymaze())
    said = stressaxis("tracks", tmp_path / "m7.csv", "--out", tmp_path / "o.nc")
    assert "o.nc: written" in said.out and "o.events.csv: 1 events written" in said.out
    back = read_tracks_file(tmp_path / "o.nc").dataset
    np.testing.assert_array_equal(back["position"], read_tracks_file(tmp_path / "m7.csv").dataset["position"])
    (tmp_path / "b.boris").write_bytes(made.boris_project())
    said = stressaxis("tracks", tmp_path / "b.boris", "--out", tmp_path / "b.csv")
    assert "s (state): 2, 2.50 s" in said.out and len(pd.read_csv(tmp_path / "b.csv")) == 3


def test_declared_columns_on_the_command_line(stressaxis: Command, tmp_path):
    (tmp_path / "x.csv").write_text(made.text(made.declared_rows(), ","))
    said = stressaxis("tracks", tmp_path / "x.csv", "--column", "time=t [ms]", "--column", "x=cx", "--column", "y=cy",
                      "--column", "zone:IZ=iz", "--time-unit", "ms", "--space-unit", "cm")  # fmt: skip
    assert "3.200 s at 12.5 frames/s" in said.out and "positions in cm" in said.out


@pytest.mark.parametrize(
    ("arguments", "match"),
    [(["--column", "x"], "--column must be NAME=VALUE"), (["--fps", "0"], "fps must be above 0"),
     (["--fps", "5", "--out", "o.mat"], "expected .nc or .csv"), (["--individual", "b"], "no animal is called 'b'")],
)  # fmt: skip
def test_mistakes_end_in_one_message(stressaxis: Command, tmp_path, arguments, match):
    (tmp_path / "d.csv").write_bytes(made.dlc_csv())
    said = stressaxis("tracks", tmp_path / "d.csv", *arguments)
    assert said.status == 2 and match in said.err
