"""What is declared has one fingerprint, which changes with the declaration and with nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

import configs


def fingerprint(study: Any) -> str:
    value: str = configs.declared(study.load())["fingerprint"]
    return value


def test_the_declaration_is_plain_data(study: Any) -> None:
    told = configs.declared(study.load())
    assert json.loads(json.dumps(told)) == told
    assert told["primary_outcome"] == "si_ratio"
    assert told["th2_set"] == {"proteins": ["Il4", "Il5"]}
    assert told["exclusions"] == {
        "zero_zone_time": False, "ratio_from": None, "lost_above_percent": None, "subjects": {"m02": "bite wound"}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("si_ratio", "target_time"),
        ("[Il4, Il5]", "[Il5, Il4, Il13]"),
        ("[Il4, Il5]", "Th2"),
        ("{m02: bite wound}", "{m02: jumped out}"),
        ("    subjects: {m02", "    zero_zone_time: true\n    subjects: {m02"),
        ("  primary_outcome", "  covariates: [cage]\n  primary_outcome"),
        ("species: mouse", "species: mouse\n  bleed: {bleed_rule: first}"),
    ],
)
def test_a_changed_declaration_changes_it(study: Any, old: str, new: str) -> None:
    before = fingerprint(study)
    study.spoil("config.yaml", old, new)
    assert fingerprint(study) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: small", "name: other  # a comment"),
        ("seed: 0", "seed: 7"),
        ("window_s: 120", "window_s: 120.0"),
        ("{m02: bite wound}", "\n      m02: 'bite wound'"),
        ("[Il4, Il5]", "{proteins: [Il4, Il5]}"),
    ],
)
def test_nothing_else_does(study: Any, old: str, new: str) -> None:
    study.spoil("config.yaml", "name: small", "seed: 0\nname: small")
    before = fingerprint(study)
    study.spoil("config.yaml", old, new)
    assert fingerprint(study) == before


def test_the_members_of_an_axis_are_part_of_it(study: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    study.spoil("config.yaml", "[Il4, Il5]", "Th2")
    before = fingerprint(study)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "axes.tsv").write_text("another list", encoding="utf-8")
    monkeypatch.setattr("configs.declaration.files", lambda package: tmp_path)
    assert fingerprint(study) != before


def test_the_resolved_file_is_the_same_experiment(study: Any) -> None:
    study.spoil("config.yaml", "name: small", "name: small\nextends: presets/csds-si")
    study.spoil("config.yaml", "473]}", "473], enclosure_wall: left}")
    experiment = study.load()
    plain = configs.resolved(experiment)
    study.write("again.yaml", yaml.safe_dump(plain))
    again = configs.load(study.folder / "again.yaml")
    assert configs.resolved(again) == plain
    assert configs.declared(again) == configs.declared(experiment)
    assert again.behavior is not None
    assert again.behavior.arena_options("box") == experiment.behavior.arena_options("box")


def test_the_resolved_file_names_no_folder_of_this_machine(study: Any) -> None:
    assert str(study.folder) not in json.dumps(configs.resolved(study.load()))
