"""The commands on one recording and its arena: ``arena``, ``overlay``, ``score``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from behavior.arena import ArenaOptions
from behavior.simulation import RenderOptions, Truth, render_trial
from core.errors import InputError
from stressaxis.arena_files import read_arena, write_corners
from tests.stressaxis.conftest import Command

CORNERS = [(10.0, 20.0), (110.0, 21.0), (111.0, 122.0), (9.0, 121.0)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """A short simulated trial whose camera drops frames: time steps are uneven."""
    path = tmp_path_factory.mktemp("recording") / "m1.mp4"
    options = RenderOptions(window_s=4.0, condition="dropped_frames", level="hard", arena_seed=3, target=True)
    return path, render_trial(path, options=options, seed=3)


def test_arena_says_what_it_found_and_what_to_write(
    stressaxis: Command, recording: tuple[Path, Truth], tmp_path: Path
) -> None:
    path, truth = recording
    said = stressaxis("arena", path, "--out", tmp_path / "found.png", "--corners", tmp_path / "corners.csv")
    assert said.status == 0
    assert "floor of 42 x 42 cm: found" in said.out and "enclosure: at the top wall" in said.out
    lines = yaml.safe_load(said.out.split("for the experiment file:\n")[1])
    px_per_cm = np.hypot(*(truth.corners_px[1] - truth.corners_px[0])) / 42
    off = np.hypot(*(np.array(lines["behavior"]["arenas"]["box"]["corners_px"]) - truth.corners_px).T)
    assert off.max() / px_per_cm < 0.5
    given = read_arena(tmp_path / "corners.csv")
    np.testing.assert_allclose(given.corners_px, lines["behavior"]["arenas"]["box"]["corners_px"], atol=0.06)
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


def test_arena_refuses_where_the_size_cannot_be_right(
    stressaxis: Command, recording: tuple[Path, Truth], tmp_path: Path
) -> None:
    said = stressaxis("arena", recording[0], "--size-cm", 80, 40, "--out", tmp_path / "found.png")
    assert said.status == 2
    assert "not found" in said.err and "corners_px" in said.err
    assert (tmp_path / "found.png").exists()
    assert "above 0 cm" in stressaxis("arena", recording[0], "--size-cm", 0, 40).err


def test_a_table_of_corners_comes_back_as_it_was(tmp_path: Path) -> None:
    options = ArenaOptions(width_cm=40, height_cm=38, enclosure_wall="left", enclosure_centre_cm=17.5)
    write_corners(tmp_path / "a.csv", options, CORNERS)
    given = read_arena(tmp_path / "a.csv")
    assert given.options == options
    assert given.corners_px == tuple(CORNERS)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda text: text.replace("top left", "left top"), "four corners"),
        (lambda text: text.replace("110.00", "wide"), "column x_px"),
        (lambda text: text.replace("42.0", "-1"), "above 0 cm"),
        (lambda text: text.replace("110.00", "-300"), "in order"),
    ],
)
def test_a_wrong_table_of_corners_is_refused(tmp_path: Path, change, match: str) -> None:
    write_corners(tmp_path / "a.csv", ArenaOptions(), CORNERS)
    (tmp_path / "a.csv").write_text(change((tmp_path / "a.csv").read_text()))
    with pytest.raises(InputError, match=match):
        read_arena(tmp_path / "a.csv")
