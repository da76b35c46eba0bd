"""A file lies over what it extends: key by key, later over earlier, each mistake in the file in which it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import configs
from configs.extending import PRESETS
from core.errors import ConfigError


@pytest.mark.parametrize("name", configs.presets())
def test_every_preset_can_be_extended(study: Any, name: str) -> None:
    study.spoil("config.yaml", "name: small", f"extends: {name}")
    assert study.load().extends == (name,)


@pytest.mark.parametrize("file", sorted(PRESETS.glob("*.yaml")), ids=lambda file: file.stem)
def test_presets_hold_only_differences(study: Any, file: Path) -> None:
    """No key of a preset repeats a default."""
    import yaml

    from configs.editor_schema import json_schema, properties_of

    def compare(preset: Any, part: Any) -> None:
        for key, value in preset.items():
            below = properties_of(part).get(key, {})
            if isinstance(value, dict):
                compare(value, below)
            elif key != "schema":
                assert below.get("default", object()) != value, key

    compare(yaml.safe_load(file.read_text(encoding="utf-8")), json_schema())


def test_own_keys_lie_over_the_preset(study: Any) -> None:
    study.write(
        "base.yaml", "schema: 1\nseed: 5\nbehavior:\n  scoring: {window_s: 100, bin_s: 5}\nroles: {other: [X]}\n"
    )
    study.spoil("config.yaml", "name: small", "extends: base.yaml")
    experiment = study.load()
    assert (experiment.behavior.scoring.window_s, experiment.behavior.scoring.bin_s) == (120, 5)
    assert (experiment.seed, experiment.roles.other, experiment.roles.control) == (5, ("X",), ("CON",))


def test_of_several_the_later_holds(study: Any) -> None:
    study.write("one.yaml", "schema: 1\nseed: 1\nreport: {title: one}\n")
    study.write("two.yaml", "schema: 1\nseed: 2\n")
    study.spoil("config.yaml", "name: small", "extends: [one.yaml, two.yaml]")
    experiment = study.load()
    assert (experiment.seed, experiment.report.title) == (2, "one")


def test_lists_are_replaced_as_a_whole(study: Any) -> None:
    study.write("base.yaml", "schema: 1\nstatistics: {covariates: [a, b, c]}\n")
    study.spoil("config.yaml", "name: small", "extends: base.yaml")
    study.spoil("config.yaml", "  primary_outcome", "  covariates: [d]\n  primary_outcome")
    assert study.load().association([]).covariates == ("d",)


def test_null_switches_off_what_a_preset_sets(study: Any) -> None:
    study.spoil("config.yaml", "name: small", "extends: presets/csds-si")
    assert study.load().behavior.exclude.rules.ratio_from == 4
    study.spoil("config.yaml", "  exclude:\n", "  exclude:\n    ratio_from: null\n")
    assert study.load().behavior.exclude.rules.ratio_from is None


def test_a_mistake_in_the_extended_file_is_told_there(study: Any) -> None:
    base = study.write("base.yaml", "schema: 1\n\nsede: 5\n")
    study.spoil("config.yaml", "name: small", "extends: base.yaml\nnam: x")
    told = [(fault.file, fault.line) for fault in study.mistakes()]
    assert told == [(str(study.config), 3), (str(base), 3)]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("presets/csds-is", "line 2, extends: no such preset or file.*did you mean 'presets/csds-si'"),
        ("nothing.yaml", "no such preset or file"),
        ("[3]", "not the name of a file"),
        ("config.yaml", "extends itself"),
    ],
)
def test_what_cannot_be_extended_is_told(study: Any, written: str, said: str) -> None:
    study.spoil("config.yaml", "name: small", f"extends: {written}")
    with pytest.raises(ConfigError, match=said):
        study.load()


def test_a_misnamed_preset_hides_no_other_mistake(study: Any) -> None:
    study.spoil("config.yaml", "name: small", "extends: presets/csds-is\nnam: x")
    study.spoil("config.yaml", "roles:\n  control: [CON]\n  defeated: [DEF]\n", "")
    assert [(fault.line, fault.key) for fault in study.mistakes()] == [(2, "extends"), (3, "nam")]


def test_a_preset_says_how_not_what(study: Any) -> None:
    """The settings for recordings in a preset do not make an experiment with serum alone one with recordings."""
    study.write(
        "config.yaml",
        "schema: 1\nextends: presets/csds-si\nsubjects: s.csv\nserum: {file: a.csv, species: mouse}\n",
    )
    experiment = study.load()
    assert experiment.behavior is None
    assert experiment.roles.defeated
    assert experiment.outcome_names == ()


def test_an_extended_experiment_gives_its_data_too(study: Any) -> None:
    study.write("next.yaml", "schema: 1\nextends: config.yaml\nseed: 9\n")
    experiment = configs.load(study.folder / "next.yaml")
    assert experiment.behavior == study.load().behavior


def test_circles_are_found(study: Any) -> None:
    study.write("base.yaml", "schema: 1\nextends: config.yaml\n")
    study.spoil("config.yaml", "name: small", "extends: base.yaml")
    with pytest.raises(ConfigError, match=r"base\.yaml, line 2, extends: the file extends itself"):
        study.load()


def test_an_extended_file_of_another_version_is_refused(study: Any) -> None:
    study.write("base.yaml", "schema: 3\n")
    study.spoil("config.yaml", "name: small", "extends: base.yaml")
    with pytest.raises(ConfigError, match=r"base\.yaml, line 1, schema: unknown version"):
        study.load()


def test_the_demo_loads() -> None:
    experiment = configs.load(PRESETS.parent / "demo.yaml", data_dir="anywhere")
    assert experiment.name == "demo"
    assert experiment.locate("subjects.csv") == Path("anywhere/subjects.csv")
