"""Experiment files that extend presets or each other, laid over one another key by key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configs.faults import Fault, fail, listed, raise_faults, suggestion
from configs.findings import shown
from configs.yaml_lines import Place, YamlFile, read_yaml

__all__ = ["PRESETS", "SCHEMA_VERSION", "presets", "read_extended", "version_faults"]

#: Folder of the presets that come with the package.
PRESETS = Path(__file__).parent / "presets"
SCHEMA_VERSION = 1
_MAX_EXTENDS = 8

KeyPath = tuple[str | int, ...]

#: Sections that say that there is such data; a preset only says how they would be treated.
_DATA = ("behavior", "serum", "outcomes", "people")


def presets() -> list[str]:
    """Names that `extends` may give for what comes with stressaxis.

    Examples
    --------
    >>> "presets/csds-si" in presets()
    True
    """
    return sorted(f"presets/{file.stem}" for file in PRESETS.glob("*.yaml"))


def read_extended(path: Path) -> tuple[YamlFile, list[Fault]]:
    """The file laid over those it extends, and what is wrong with their names.

    Of several, a later one lies over an earlier one; mappings are joined key by key, everything else is replaced. A
    section of data that only presets mention is left out: they say how recordings are scored, not that there are any.

    Raises
    ------
    InputError
        If a file cannot be read or is no YAML.
    """
    faults: list[Fault] = []
    tree = _laid_over(path, (), faults)
    home = str(PRESETS)
    for section in _DATA:
        written = [place.file for at, place in tree.places.items() if at[:1] == (section,)]
        if written and all(str(Path(file).parent) == home for file in written):
            del tree.data[section]
    return tree, faults


def version_faults(tree: YamlFile, file: str) -> list[Fault]:
    """The version first: keys of another version would only give a list of misleading mistakes."""
    if "schema" not in tree.data:
        return [
            Fault(
                message="the key `schema` is missing",
                file=file,
                line=1,
                expected=f"a line `schema: {SCHEMA_VERSION}`, the version of the file's layout",
            )
        ]
    found = tree.data["schema"]
    if found != SCHEMA_VERSION or isinstance(found, bool):
        place = tree.places["schema",]
        remedy = None
        if isinstance(found, int) and found > SCHEMA_VERSION:
            remedy = "this file is for a newer stressaxis: update it"
        return [
            Fault(
                message="unknown version of the file's layout",
                file=place.file,
                line=place.value_line,
                key="schema",
                found=shown(found),
                expected=str(SCHEMA_VERSION),
                remedy=remedy,
            )
        ]
    return []


def _laid_over(path: Path, trail: tuple[Path, ...], faults: list[Fault]) -> YamlFile:
    own = read_yaml(path)
    if own.data.get("extends") is None:
        return own
    names = own.data["extends"]
    data: dict[str, Any] = {}
    places: dict[KeyPath, Place] = {}
    for name in names if isinstance(names, list) else [names]:
        found = _find(name, path, own.places["extends",], trail, faults)
        if found is None:
            continue
        below = _laid_over(found, (*trail, path.resolve()), faults)
        raise_faults(version_faults(below, str(found)), file=str(found))
        _merge(data, {key: value for key, value in below.data.items() if key != "extends"}, (), places, below.places)
    places[()] = own.places[()]
    _merge(data, own.data, (), places, own.places)
    return YamlFile(data, places)


def _find(name: Any, path: Path, place: Place, trail: tuple[Path, ...], faults: list[Fault]) -> Path | None:
    known = presets()
    facts: dict[str, Any] = {"file": place.file, "line": place.value_line, "key": "extends", "found": shown(name)}
    facts["expected"] = f"one of {listed(known)}, or the path of an experiment file"
    if not isinstance(name, str) or not name.strip():
        faults.append(Fault(message="not the name of a file", **facts))
        return None
    shipped = name.removesuffix(".yaml")
    found = PRESETS.parent / f"{shipped}.yaml" if shipped in known else path.parent / name
    if not found.is_file():
        faults.append(Fault(message="no such preset or file", remedy=suggestion(shipped, known), **facts))
        return None
    if found.resolve() in (*trail, path.resolve()):
        fail(Fault(message="the file extends itself", remedy="remove the circle", **facts), file=place.file)
    if len(trail) >= _MAX_EXTENDS:
        fail(Fault(message=f"more than {_MAX_EXTENDS} files extend each other", **facts), file=place.file)
    return found


def _merge(
    data: dict[str, Any],
    top: Mapping[str, Any],
    at: KeyPath,
    places: dict[KeyPath, Place],
    top_places: Mapping[KeyPath, Place],
) -> None:
    for key, value in top.items():
        path = (*at, key)
        places[path] = top_places[path]
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            data[key] = dict(data[key])
            _merge(data[key], value, path, places, top_places)
            continue
        data[key] = value
        for inner in [known for known in places if known[: len(path)] == path and known != path]:
            del places[inner]
        places.update({inner: place for inner, place in top_places.items() if inner[: len(path)] == path})
