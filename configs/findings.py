"""What pydantic and the option dataclasses find wrong, as sentences with the line of the key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from configs.faults import Fault, listed, suggestion
from configs.options import explain_refusal
from configs.yaml_lines import YamlFile

__all__ = ["dotted", "shown", "told_by", "written_path"]

KeyPath = tuple[str | int, ...]


def told_by(detail: ErrorDetails, tree: YamlFile) -> Iterator[Fault]:
    """The faults in one finding of pydantic; several where an option dataclass refused several keys."""
    refused = detail.get("ctx", {}).get("refused")
    if isinstance(refused, dict):
        path, _ = written_path(detail["loc"], tree)
        yield from _refusals(refused, path, tree)
    else:
        yield _fault(detail, tree)


def _refusals(refused: Mapping[str, str], path: KeyPath, tree: YamlFile) -> Iterator[Fault]:
    """What an option dataclass said about each key of the section at ``path``, as faults."""
    for name, said in refused.items():
        at = (*path, name) if (*path, name) in tree.places else path
        place = tree.places[at]
        yield Fault(file=place.file, line=place.value_line, key=dotted(at), **explain_refusal(said))


def _fault(detail: ErrorDetails, tree: YamlFile) -> Fault:
    kind, context = detail["type"], detail.get("ctx", {})
    path, rest = written_path(detail["loc"], tree)
    place = tree.places[path]
    on_key = kind in ("extra_forbidden", "missing") or (rest and rest[-1] == "[key]")
    where: dict[str, Any] = {
        "file": place.file,
        "line": place.line if on_key else place.value_line,
        "key": dotted(path),
    }
    value = _value_at(path, tree.data)
    if kind == "extra_forbidden":
        return _unknown_key(path, where)
    if kind == "missing" and isinstance(value, list):
        where["line"] = place.value_line
        return Fault(message="too few items", found=shown(value), expected=_shape(_A_LIST, path), **where)
    if kind == "missing":
        missing = (*path, str(detail["loc"][-1]))
        return Fault(message=f"the key `{dotted(missing)}` is missing", expected=_help(missing), **where)
    message, expected, remedy = _sentence(kind, context, value)
    if expected in (_A_SECTION, _A_LIST):
        expected = _shape(str(expected), path)
    return Fault(message=message, found=shown(value), expected=expected, remedy=remedy, **where)


def written_path(loc: tuple[str | int, ...], tree: YamlFile) -> tuple[KeyPath, KeyPath]:
    """The part of pydantic's location that stands in the file, and the steps that are pydantic's own."""
    path: KeyPath = ()
    rest: list[str | int] = []
    for step in loc:
        if (*path, step) in tree.places:
            path = (*path, step)
        else:
            rest.append(step)
    return path, tuple(rest)


def _unknown_key(path: KeyPath, where: dict[str, Any]) -> Fault:
    from configs.editor_schema import keys_at

    known = keys_at(path[:-1])
    return Fault(
        message=f"unknown key `{path[-1]}`",
        expected=f"one of {listed(known)}",
        remedy=suggestion(str(path[-1]), known) or _elsewhere(str(path[-1])),
        **where,
    )


def _shape(kind: str, path: KeyPath) -> str:
    """A list or section as it may stand at ``path``, with an example or its keys."""
    from configs.editor_schema import example_at, keys_at

    keys, example = keys_at(path), example_at(path)
    if kind == _A_SECTION and keys:
        return f"a section with keys like {listed(keys, limit=6)}"
    return f"{kind}, like {example}" if example else kind


def _help(path: KeyPath) -> str | None:
    """What the manual says of a key, without its last point."""
    from configs.editor_schema import description_at

    return description_at(path).rstrip(".") or None


def _elsewhere(key: str) -> str | None:
    from configs.editor_schema import paths_of_key

    homes = paths_of_key(key)
    return f"it belongs in {' or '.join(homes)}" if homes else None


_A_SECTION, _A_LIST = "a section", "a list"

#: Finding of pydantic -> (message, what is allowed); ``{}`` takes the limits of the finding.
_SENTENCES = {
    "number_expected": ("not a number", "a number with a decimal point and without unit"),
    "float_type": ("not a number", "a number with a decimal point and without unit"),
    "float_parsing": ("not a number", "a number with a decimal point and without unit"),
    "finite_number": ("not a finite number", "a number"),
    "int_type": ("not a whole number", "a whole number"),
    "int_parsing": ("not a whole number", "a whole number"),
    "int_from_float": ("not a whole number", "a whole number"),
    "string_type": ("not a text", "a text; in quotes, if it is a word like true or null"),
    "text_expected": ("no text here", "a text"),
    "folder_name": (
        "the results folder cannot be called so",
        'a name without / \\ : * ? " < > | and without a point at its end',
    ),
    "bool_type": ("neither true nor false", "true or false"),
    "bool_parsing": ("neither true nor false", "true or false"),
    "dict_type": ("not a section", _A_SECTION),
    "model_type": ("not a section", _A_SECTION),
    "model_attributes_type": ("not a section", _A_SECTION),
    "tuple_type": ("not a list", _A_LIST),
    "list_type": ("not a list", _A_LIST),
    "greater_than": ("out of range", "more than {gt}"),
    "greater_than_equal": ("out of range", "{ge} or more"),
    "less_than": ("out of range", "less than {lt}"),
    "less_than_equal": ("out of range", "{le} or less"),
    "too_short": ("too few items", "at least {min_length}; there are {actual_length}"),
    "too_long": ("too many items", _A_LIST),
}


def _sentence(kind: str, context: Mapping[str, Any], value: Any) -> tuple[str, str | None, str | None]:
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'|(\d+)", str(context["expected"]))
        names = [text or number for text, number in allowed]
        return "unknown value", f"one of {', '.join(names)}", suggestion(str(value), names)
    if kind not in _SENTENCES:
        return str(context.get("error", kind)), None, None
    message, expected = _SENTENCES[kind]
    remedy = None
    if message == "not a number" and isinstance(value, str):
        if re.fullmatch(r"[-+]?\d+,\d+", value.strip()):
            remedy = f"write {value.strip().replace(',', '.')}"
        elif number := re.match(r"[-+]?\d+(\.\d+)?(?=\s*[a-zA-Z%µ]+$)", value.strip()):
            remedy = f"write {number[0]}; the unit is that of the key's name"
    return message, expected.format(**context), remedy


def _value_at(path: KeyPath, data: Any) -> Any:
    for step in path:
        data = data[step]
    return data


def shown(value: Any) -> str:
    """A value for an error message: short, and as it was written.

    Examples
    --------
    >>> shown(None), shown("x"), shown([1, 2])
    ('nothing', "'x'", 'a list of 2')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a section" if isinstance(value, dict) else f"a list of {len(value)}"
    text = getattr(value, "text", None) or repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def dotted(path: KeyPath) -> str:
    """Keys with dots, items of lists counted from 1.

    Examples
    --------
    >>> dotted(("behavior", "arenas", "box", "corners_px", 0))
    'behavior.arenas.box.corners_px, item 1'
    """
    text = ""
    for step in path:
        text += f", item {step + 1}" if isinstance(step, int) else f".{step}" if text else step
    return text
