"""Where arenas lie is worked out once and remembered as it was, with what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from behavior import calibration
from configs.schema import Behavior
from core.errors import InputError
from stressaxis.regions import RegionMemory

FACTS = {"width": 640, "height": 480}


def behavior(*, right_px: float = 400.0, margin_cm: float = 8.0) -> Behavior:
    corners = [(20, 20), (right_px, 25), (right_px, 400), (22, 398)]
    section = {
        "trials": "trials.csv",
        "geometry": {"zone_margin_cm": margin_cm},
        "arenas": {"box": {"corners_px": corners}},
    }
    return Behavior.model_validate(section)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each arena that is fitted."""
    made: list[int] = []
    fit = calibration.fit_transform

    def counted(*given: object) -> object:
        made.append(1)
        return fit(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(calibration, "fit_transform", counted)
    return made


def test_a_region_is_worked_out_once_and_remembered_exactly(tmp_path: Path, fits: list[int]) -> None:
    file = tmp_path / "regions.json"
    first = RegionMemory(behavior(), file)
    region, mark, problems = first.region("box", FACTS, "a.mp4")
    assert first.region("box", FACTS, "b.mp4") == (region, mark, problems)
    assert len(fits) == 1
    first.save()
    again, same_mark, same_problems = RegionMemory(behavior(), file).region("box", FACTS, "c.mp4")
    assert len(fits) == 1
    assert region.floor_px is not None and again.floor_px is not None
    assert np.array_equal(again.floor_px, region.floor_px) and again.floor_px.dtype == float
    assert np.array_equal(again.enclosure_px, region.enclosure_px)  # type: ignore[arg-type]
    assert (same_mark, same_problems) == (mark, problems)


def test_what_is_wrong_in_every_recording_is_told_again(tmp_path: Path, fits: list[int]) -> None:
    file, cut = tmp_path / "regions.json", behavior(right_px=641.0)
    memory = RegionMemory(cut, file)
    _, _, problems = memory.region("box", FACTS, "a.mp4")
    assert {problem.code for problem in problems} == {"zone_cut_by_picture"}
    memory.save()
    assert RegionMemory(cut, file).region("box", FACTS, "a.mp4")[2] == problems
    assert len(fits) == 1


def test_another_arena_or_picture_is_worked_out_anew(tmp_path: Path, fits: list[int]) -> None:
    file = tmp_path / "regions.json"
    memory = RegionMemory(behavior(), file)
    memory.region("box", FACTS, "a.mp4")
    memory.save()
    moved, _, _ = RegionMemory(behavior(right_px=410.0), file).region("box", FACTS, "a.mp4")
    assert moved.floor_px is not None and moved.floor_px[:, 0].max() == pytest.approx(410)
    RegionMemory(behavior(margin_cm=6.0), file).region("box", FACTS, "a.mp4")
    RegionMemory(behavior(), file).region("box", FACTS | {"width": 641}, "a.mp4")
    assert len(fits) == 4


def test_an_arena_outside_the_picture_is_refused_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        memory = RegionMemory(behavior(right_px=900.0), tmp_path / "regions.json")
        with pytest.raises(InputError, match="outside the picture"):
            memory.region("box", FACTS, "a.mp4")
        memory.save()


def moved(text: str) -> str:
    """The memory with a corner that is not where it was written."""
    rows = json.loads(text)
    for row in rows.values():
        row["region"]["floor_px"][0][0] += 1
    return json.dumps(rows)


@pytest.mark.parametrize("spoil", [lambda text: text[:40], lambda text: "[]", lambda text: "7", moved])
def test_a_damaged_memory_is_an_empty_one(tmp_path: Path, fits: list[int], spoil: object) -> None:
    file = tmp_path / "regions.json"
    memory = RegionMemory(behavior(), file)
    region, _, _ = memory.region("box", FACTS, "a.mp4")
    memory.save()
    file.write_text(spoil(file.read_text()))  # type: ignore[operator]
    again, _, _ = RegionMemory(behavior(), file).region("box", FACTS, "a.mp4")
    assert np.array_equal(again.floor_px, region.floor_px)  # type: ignore[arg-type]
    assert len(fits) == 2


def test_what_is_no_longer_used_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "regions.json"
    for right_px in (400.0, 410.0):
        memory = RegionMemory(behavior(right_px=right_px), file)
        memory.region("box", FACTS, "a.mp4")
        memory.save()
    assert len(json.loads(file.read_text())) == 1
