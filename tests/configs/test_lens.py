"""The lens of an arena in the experiment file."""

from __future__ import annotations

from typing import Any

import pytest

import configs
from behavior.lens import Lens
from configs.declaration import resolved

PLAIN = "box: {floor_px: [73, 49, 497, 473]}"
LENS = "{k1: -0.21, focal_px: 520, centre_px: [320, 240]}"


def test_a_lens_and_its_check_are_read_and_written_out(study: Any) -> None:
    study.spoil("config.yaml", PLAIN, f"box: {{floor_px: [73, 49, 497, 473], lens: {LENS}}}")
    experiment = study.load()
    assert experiment.behavior.arenas["box"].lens == Lens(k1=-0.21, focal_px=520.0, centre_px=(320.0, 240.0))
    assert experiment.behavior.arena_options("box") == experiment.behavior.geometry
    plain = resolved(experiment)
    assert plain["behavior"]["arenas"]["box"]["lens"]["k1"] == -0.21
    # What is written out is the same experiment.
    import yaml

    study.write("again.yaml", yaml.safe_dump(plain))
    again = configs.load(study.folder / "again.yaml")
    assert again.behavior.arenas["box"].lens == experiment.behavior.arenas["box"].lens
    assert resolved(again)["behavior"] == plain["behavior"]


@pytest.mark.parametrize(
    ("lens", "said"),
    [
        ("{k1: -0.21}", "focal_px"),
        ("{k1: -0.21, focal_px: 0, centre_px: [320, 240]}", "focal_px must be above 0"),
        ("{k1: -0.21, focal_px: 520, center_px: [320, 240]}", "did you mean 'centre_px'?"),
        ("{k1: wide, focal_px: 520, centre_px: [320, 240]}", "not a number"),
    ],
)
def test_mistakes_in_it_are_told(study: Any, lens: str, said: str) -> None:
    study.spoil("config.yaml", PLAIN, f"box: {{floor_px: [73, 49, 497, 473], lens: {lens}}}")
    assert said in "\n".join(fault.text() for fault in study.mistakes())


def test_a_floor_that_is_looked_for_has_no_lens(study: Any) -> None:
    study.spoil("config.yaml", PLAIN, f"box: {{find: true, lens: {LENS}}}")
    (fault,) = study.mistakes()
    assert "lens together with find: true" in fault.message
