"""The JSON Schema of the experiment file, for editors that complete keys and show help; and what it says of a key."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from configs.schema import Experiment

__all__ = [
    "alternatives",
    "description_at",
    "example_at",
    "json_schema",
    "keys_at",
    "paths_of_key",
    "properties_of",
]


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an experiment file.

    Only ``schema`` is required in it: everything else may stand in the preset that the file extends.

    Examples
    --------
    >>> json_schema()["required"]
    ['schema']
    """
    return copy.deepcopy(_schema())


@cache
def _schema() -> dict[str, Any]:
    made = Experiment.model_json_schema(by_alias=True)
    _drop_required(made)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "stressaxis experiment"
    made["required"] = ["schema"]
    return made


def _drop_required(part: Any) -> None:
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict):
            part.pop("required", None)
        for inner in part.values():
            _drop_required(inner)
    elif isinstance(part, list):
        for inner in part:
            _drop_required(inner)


def alternatives(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A part of the schema with what it refers to, and each of its alternatives."""
    if "$ref" in part:
        yield from alternatives(_schema()["$defs"][part["$ref"].rsplit("/", 1)[-1]])
        return
    yield part
    for inner in [*part.get("anyOf", ()), *part.get("allOf", ()), *part.get("oneOf", ())]:
        yield from alternatives(inner)


def properties_of(part: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Keys that may stand in a part of the schema, each with its own part."""
    return {name: inner for one in alternatives(part) for name, inner in one.get("properties", {}).items()}


def _below(part: Mapping[str, Any], step: str | int) -> Mapping[str, Any]:
    for one in alternatives(part):
        if step in one.get("properties", {}):
            return dict(one["properties"][step])
        if isinstance(step, str) and isinstance(one.get("additionalProperties"), Mapping):
            return dict(one["additionalProperties"])
        if isinstance(step, int) and isinstance(one.get("items"), Mapping):
            return dict(one["items"])
    return {}


def _part_at(path: tuple[str | int, ...]) -> Mapping[str, Any]:
    part: Mapping[str, Any] = _schema()
    for step in path:
        part = _below(part, step)
    return part


def description_at(path: tuple[str | int, ...]) -> str:
    """The help of a key, as one line.

    Examples
    --------
    >>> description_at(("seed",))
    'Seed of every random step.'
    """
    return " ".join(str(next((one["description"] for one in _described(path)), "")).split())


def _described(path: tuple[str | int, ...]) -> Iterator[Mapping[str, Any]]:
    part = _part_at(path)
    return (one for one in [part, *alternatives(part)] if one.get("description"))


def example_at(path: tuple[str | int, ...]) -> str:
    """An example of a key's value as it would stand in the file, or an empty text.

    Examples
    --------
    >>> example_at(("behavior", "arenas", "box", "floor_px"))
    '[73, 49, 497, 473]'
    """
    examples = _part_at(path).get("examples")
    return json.dumps(examples[0], ensure_ascii=False).replace('"', "") if examples else ""


def keys_at(path: tuple[str | int, ...]) -> list[str]:
    """Keys that are allowed in the section at ``path``.

    Examples
    --------
    >>> keys_at(("roles",))
    ['control', 'defeated', 'other']
    """
    return list(properties_of(_part_at(path)))


def paths_of_key(key: str) -> list[str]:
    """Sections in which a key may stand, dotted; for a key that was written in the wrong one.

    Examples
    --------
    >>> paths_of_key("trial_names")
    ['behavior']
    """
    return [".".join(path) for path, part in _sections(_schema(), ()) if key in properties_of(part)]


def _sections(part: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    yield path, part
    for name, inner in properties_of(part).items():
        if properties_of(inner):
            yield from _sections(inner, (*path, name))
        for one in alternatives(inner):
            entry = one.get("additionalProperties")
            if isinstance(entry, Mapping) and properties_of(entry):
                yield from _sections(entry, (*path, name, "NAME"))
