"""The JSON Schema says what the loader says, and explains every key; the manual page is made from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import configs
from configs.editor_schema import keys_at, paths_of_key
from configs.extending import PRESETS
from configs.reference import reference_markdown

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "config.md"


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = configs.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def files() -> list[Path]:
    return [*sorted(PRESETS.glob("*.yaml")), *sorted(PRESETS.parent.glob("*.yaml"))]


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_shipped_files_are_valid(validator: Any, file: Path) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8")))] == []


def test_what_loads_is_valid(study: Any, validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(study.config.read_text()))] == []
    assert list(validator.iter_errors(configs.resolved(study.load()))) == []


@pytest.mark.parametrize(
    "text",
    [
        "schema: 2",
        "schema: 1\nsed: 1",
        "schema: 1\nserum: {species: rat}",
        "name: x",
        "schema: 1\nbehavior: {scoring: {window: 1}}",
    ],
)
def test_what_is_wrong_is_not(validator: Any, text: str) -> None:
    assert list(validator.iter_errors(yaml.safe_load(text)))


def test_every_key_is_explained() -> None:
    def walk(part: Any, path: str) -> Iterator[str]:
        if isinstance(part, dict):
            for name, inner in part.get("properties", {}).items():
                if not inner.get("description") and "$ref" not in inner:
                    yield f"{path}.{name}"
            for name, inner in part.items():
                yield from walk(inner, f"{path}.{name}")
        elif isinstance(part, list):
            for number, inner in enumerate(part):
                yield from walk(inner, f"{path}[{number}]")

    assert list(walk(configs.json_schema(), "")) == []


def test_only_the_version_is_required() -> None:
    def required(part: Any) -> Iterator[list[str]]:
        if isinstance(part, dict):
            if isinstance(part.get("required"), list):
                yield part["required"]
            for inner in part.values():
                yield from required(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from required(inner)

    assert list(required(configs.json_schema())) == [["schema"]]


def test_keys_are_found_where_they_belong() -> None:
    assert "enclosure_wall" in keys_at(("behavior", "arenas", "any"))
    assert keys_at(("no", "such")) == []
    assert paths_of_key("enclosure_wall") == ["behavior.geometry", "behavior.arenas.NAME"]
    assert paths_of_key("no_such_key") == []


def test_the_manual_page_is_up_to_date() -> None:
    assert MANUAL.read_text(encoding="utf-8") == reference_markdown(), (
        "run: python -m configs.reference > docs/config.md"
    )


def test_examples_of_the_manual_page_load(tmp_path: Path) -> None:
    blocks = [block.split("```")[0] for block in reference_markdown().split("```yaml\n")[1:]]
    experiments = [block for block in blocks if "subjects:" in block]
    assert len(experiments) == 2
    for number, block in enumerate(experiments):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        assert configs.load(path).subjects is not None
