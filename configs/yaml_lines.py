"""YAML read safely, with the line of every key and value kept.

Plain YAML turns ``no`` into false, ``007`` into 7 and ``12:30`` into 750. Here a scalar is a number, ``true``,
``false`` or ``null`` only where it is written so beyond doubt (the rules of YAML 1.2), and numbers remember how they
were written, so that an id or a group named 007 or 1 stays that text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from configs.faults import Fault, fail, raise_faults
from core.texttables import read_text

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Place", "WrittenFloat", "WrittenInt", "YamlFile", "read_yaml"]

#: An experiment file is written by hand; one larger than this is something else.
MAX_BYTES = 1024**2
#: Levels of nesting; the schema has five.
MAX_DEPTH = 20

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


class WrittenInt(int):
    """A whole number that knows how it was written."""

    text: str


class WrittenFloat(float):
    """A number that knows how it was written."""

    text: str


@dataclass(frozen=True)
class Place:
    """Where a key and its value stand: file, and lines counted from 1."""

    file: str
    line: int
    value_line: int


@dataclass(frozen=True)
class YamlFile:
    """What a YAML file holds, and the place of each of its keys and items.

    Parameters
    ----------
    data
        Mappings as dict with text keys, sequences as list, scalars.
    places
        Path of keys (and item numbers) to its :class:`Place`; the empty path is the whole file.
    """

    data: dict[str, Any]
    places: dict[tuple[str | int, ...], Place] = field(repr=False)


class _Loader(yaml.SafeLoader):
    """PyYAML's parser, used up to the node tree only: no object is ever constructed from a tag."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 (PyYAML's own class attribute)
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("anchors and aliases (& and *) are not used here", event)
        if self.depth >= MAX_DEPTH:
            raise _refusal(f"nested more than {MAX_DEPTH} levels deep", event)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _refusal(problem: str, event: yaml.Event) -> yaml.MarkedYAMLError:
    mark = event.start_mark
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark if isinstance(mark, yaml.Mark) else None)


for _name, _pattern, _first in (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,17})$", "-+0123456789"),
    (
        "float",
        r"[-+]?(?=.*[.eE])(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?$",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), list(_first))


def read_yaml(path: str | Path) -> YamlFile:
    """Read a YAML file whose top level is a mapping.

    Raises
    ------
    InputError
        If the file is missing, empty, too large or not UTF-8.
    ConfigError
        If it is not YAML, gives a key twice, or uses tags, anchors or aliases; line named.
    """
    text = read_text(path, max_bytes=MAX_BYTES)
    file = str(path)
    node = _compose(text, file)
    faults: list[Fault] = []
    places: dict[tuple[str | int, ...], Place] = {}
    if not isinstance(node, yaml.MappingNode):
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        fault = Fault(
            message="this is not an experiment file",
            file=file,
            line=1 if node is None else node.start_mark.line + 1,
            found="nothing but comments" if node is None else kind,
            expected="lines of the form `key: value` with a space after the colon, like `schema: 1`",
        )
        fail(fault, file=file)
    data = _value(node, (), file, places, faults)
    places[()] = Place(file, 1, 1)
    raise_faults(faults, file=file)
    return YamlFile(data, places)


def _compose(text: str, file: str) -> yaml.Node | None:
    try:
        return _Loader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"character number {error.character}"
        fail(Fault(message="a character that may not stand in YAML", file=file, line=line, found=found), file=file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else min(mark.line, text.rstrip().count("\n")) + 1
        fail(_colon_fault(text, file, line) or _syntax_fault(error, text.split("\n")[line - 1], file, line), file=file)


#: What PyYAML says, what that mostly means in a file written by hand, and what to do.
_SYNTAX_HINTS = (
    (r"character '\\t'", "a tab stands where spaces must", "indent with spaces only"),
    (r"character '[%@`]'", "a value may not begin with this character", "put the value in quotes"),
    (r"expected ',' or", "a bracket that is not closed", "close it with ] or }"),
    (r"expected ':'", "a key without its colon", "write `key: value`, with a space after the colon"),
    (r"mapping values are not allowed", "wrong indentation: this line begins further right than its section allows",
     "indent all keys of a section alike"),
    (r"expected <block end>|expected the node content|did not find expected",
     "wrong indentation, or a bracket or quote that is not closed", "indent keys of one section alike"),
    (r"unknown escape", "a backslash inside double quotes", "use single quotes or forward slashes"),
    (r"unexpected end of stream|while scanning a quoted", "a quote or bracket that is not closed", "close it"),
    (r"expected a single document", "a second document (`---`)", "one experiment a file"),
    (r"anchors and aliases", "anchors and aliases (& and *) are not used here",
     "write the value out, or put it in quotes if it begins with & or *"),
    (r"could not determine a constructor|tag", "YAML tags (!) are not used here", "put the value in quotes"),
)  # fmt: skip


def _colon_fault(text: str, file: str, line: int) -> Fault | None:
    """``seed:1`` is one word to YAML, which then complains about the next line; ``name: a: b`` needs quotes."""
    for number in range(line, max(line - 3, 0), -1):
        source = text.split("\n")[number - 1].strip()
        if match := re.match(r"(\w+):([^\s/\\].*)$", source):
            expected = f"`{match[1]}: {match[2][:60]}`"
            return Fault(
                message="no space after the colon", file=file, line=number, found=f"`{source[:80]}`", expected=expected
            )
        if number == line and (match := re.match(r"([\w-]+): +([^'\"\[{].*: .*)$", source)):
            expected = f'`{match[1]}: "{match[2][:60]}"`'
            return Fault(
                message="a value that holds a colon needs quotes",
                file=file,
                line=line,
                found=f"`{source[:80]}`",
                expected=expected,
            )
    return None


def _syntax_fault(error: yaml.MarkedYAMLError, source: str, file: str, line: int) -> Fault:
    said = " ".join(part for part in (error.context, error.problem) if part)
    for pattern, message, remedy in _SYNTAX_HINTS:
        if re.search(pattern, said):
            return Fault(message=message, file=file, line=line, found=f"`{source.strip()[:80]}`", remedy=remedy)
    return Fault(message=error.problem or "not YAML", file=file, line=line, found=f"`{source.strip()[:80]}`")


def _value(
    node: yaml.Node,
    path: tuple[str | int, ...],
    file: str,
    places: dict[tuple[str | int, ...], Place],
    faults: list[Fault],
) -> Any:
    line = node.start_mark.line + 1
    if node.tag not in _PLAIN_TAGS:
        faults.append(_fault(path, file, line, "YAML tags (!) are not used here", str(node.tag), "remove the tag"))
        return None
    if isinstance(node, yaml.SequenceNode):
        items = []
        for number, item in enumerate(node.value):
            at = item.start_mark.line + 1
            places[(*path, number)] = Place(file, at, at)
            items.append(_value(item, (*path, number), file, places, faults))
        return items
    if isinstance(node, yaml.MappingNode):
        return {
            key: _value(value, (*path, key), file, places, faults)
            for key, value in _entries(node, path, file, places, faults)
        }
    return _scalar(node, path, file, faults)


def _entries(
    node: yaml.MappingNode,
    path: tuple[str | int, ...],
    file: str,
    places: dict[tuple[str | int, ...], Place],
    faults: list[Fault],
) -> Iterator[tuple[str, yaml.Node]]:
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(
                _fault(path, file, line, "a key must be a single word", "a list or mapping", "write `key: value`")
            )
            continue
        key = str(key_node.value)
        if key == "<<":
            faults.append(_fault(path, file, line, "merging (`<<`) is not used here", "`<<`", "use `extends`"))
            continue
        if (*path, key) in places:
            first = places[*path, key].line
            faults.append(
                _fault((*path, key), file, line, f"the key {key!r} occurs twice", f"it on line {first} too", "keep one")
            )
            continue
        places[*path, key] = Place(file, line, value.start_mark.line + 1)
        yield key, value


def _scalar(node: yaml.Node, path: tuple[str | int, ...], file: str, faults: list[Fault]) -> Any:
    text = str(node.value)
    kind = node.tag.removeprefix(_TAG)
    try:
        if kind == "int":
            whole = WrittenInt(text)
            whole.text = text
            return whole
        if kind == "float":
            real = WrittenFloat(text)
            real.text = text
            return real
    except ValueError:
        faults.append(_fault(path, file, node.start_mark.line + 1, "not a number", repr(text), "remove the tag"))
        return None
    if kind == "bool":
        return text.casefold() == "true"
    return None if kind == "null" else text


def _fault(path: tuple[str | int, ...], file: str, line: int, message: str, found: str, remedy: str) -> Fault:
    key = ".".join(str(part) for part in path)
    return Fault(message=message, file=file, line=line, key=key, found=found, remedy=remedy)
