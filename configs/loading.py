"""Reading an experiment file: presets below it, pydantic's findings turned into sentences with line numbers."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from configs.crosschecks import cross_faults
from configs.faults import Fault, fail, listed, raise_faults, suggestion
from configs.options import explain_refusal
from configs.schema import Experiment
from configs.yaml_lines import Place, YamlFile, read_yaml
from core.errors import ConfigError, InputError

__all__ = ["PRESETS", "SCHEMA_VERSION", "load", "presets", "refuse"]

#: Folder of the presets that come with the package.
PRESETS = Path(__file__).parent / "presets"
SCHEMA_VERSION = 1
_MAX_EXTENDS = 8
_MAX_ROUNDS = 8

Path_ = tuple[str | int, ...]


def presets() -> list[str]:
    """Names that `extends` may give for what comes with stressaxis.

    Examples
    --------
    >>> "presets/csds-si" in presets()
    True
    """
    return sorted(f"presets/{file.stem}" for file in PRESETS.glob("*.yaml"))


def load(path: str | Path, *, data_dir: str | Path | None = None) -> Experiment:
    """Read and check an experiment file.

    Parameters
    ----------
    path
        The YAML file.
    data_dir
        Folder that the file names in it are relative to; without one, the folder of the YAML file.

    Returns
    -------
    Experiment
        Frozen; what the file does not say has its default.

    Raises
    ------
    ConfigError
        If anything in it is wrong: one error that tells every mistake with its line, what was found, what is allowed.
    """
    path = Path(path)
    try:
        tree = _with_presets(path, trail=())
    except ConfigError:
        raise
    except InputError as error:
        raise _as_config_error(error) from error
    file = str(path)
    raise_faults(_version_faults(tree, file), file=file)
    experiment, faults, mistaken = _validated(tree)
    if experiment is None:
        fail(*faults, file=file)
    experiment = experiment.model_copy(update={} if experiment.name else {"name": path.stem})
    experiment._file = path
    experiment._base = Path(data_dir) if data_dir is not None else path.parent
    experiment._places = tree.places
    raise_faults([*faults, *cross_faults(experiment, mistaken=mistaken)], file=file)
    return experiment


def _validated(tree: YamlFile) -> tuple[Experiment | None, list[Fault], list[Path_]]:
    """The experiment with its mistakes; mistaken keys are set aside, so that what lies behind them is checked too."""
    data: dict[str, Any] = copy.deepcopy(tree.data)
    faults: list[Fault] = []
    mistaken: list[Path_] = []
    for attempt in range(_MAX_ROUNDS):
        try:
            return Experiment.model_validate(data), faults, mistaken
        except ValidationError as error:
            details = error.errors(include_url=False)
        # What is missing after the first round may have been set aside by it.
        faults += [
            told for detail in details if not attempt or detail["type"] != "missing" for told in _told(detail, tree)
        ]
        wrong = [path for detail in details for path in _mistaken_paths(detail, tree)]
        if () in wrong:
            break
        for path in wrong:
            _set_aside(path, data)
        mistaken += wrong
    return None, faults, mistaken


def _mistaken_paths(detail: ErrorDetails, tree: YamlFile) -> list[Path_]:
    """The keys to set aside: up to the first item of a list, which only makes sense as a whole."""
    section = detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"]
    path, _ = _written_path(section, tree)
    refused = detail.get("ctx", {}).get("refused", {"": ""})
    whole = [(*path, name) if (*path, name) in tree.places else path for name in refused]
    return [path[: next((at for at, step in enumerate(path) if isinstance(step, int)), len(path))] for path in whole]


def _set_aside(path: Path_, data: Any) -> None:
    for step in path[:-1]:
        if not isinstance(data, dict) or step not in data:
            return
        data = data[step]
    if isinstance(data, dict):
        data.pop(path[-1], None)


def refuse(
    experiment: Experiment,
    *path: str,
    message: str,
    found: str | None = None,
    expected: str | None = None,
    remedy: str | None = None,
) -> NoReturn:
    """Raise the error that a key of the experiment file is wrong, with its line; for what only a later step can know.

    Parameters
    ----------
    experiment
        The experiment.
    path
        The key, section by section (``"serum", "format"``); where it is not written, the section above it is named.
    message, found, expected, remedy
        As in :class:`~configs.faults.Fault`.
    """
    written: Path_ = path
    while written and written not in experiment.places:
        written = written[:-1]
    place = experiment.places[written]
    fault = Fault(
        message=message,
        file=place.file,
        line=place.value_line if written else None,
        key=_dotted(path),
        found=found,
        expected=expected,
        remedy=remedy,
    )
    fail(fault, file=place.file)


def _as_config_error(error: InputError) -> ConfigError:
    return ConfigError(
        error.message,
        file=error.file,
        where=error.where,
        found=error.found,
        expected=error.expected,
        remedy=error.remedy,
    )


def _version_faults(tree: YamlFile, file: str) -> list[Fault]:
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
                found=_shown(found),
                expected=str(SCHEMA_VERSION),
                remedy=remedy,
            )
        ]
    return []


# ---- extends ----------------------------------------------------------------------------------------------------


def _with_presets(path: Path, *, trail: tuple[Path, ...]) -> YamlFile:
    """The file laid over those it extends; of several, a later one over an earlier one."""
    own = read_yaml(path)
    names = own.data.get("extends")
    if names is None:
        return own
    place = own.places["extends",]
    names = names if isinstance(names, list) else [names]
    data: dict[str, Any] = {}
    places: dict[Path_, Place] = {}
    for name in names:
        below = _with_presets(_find_extended(name, path, place, trail), trail=(*trail, path.resolve()))
        raise_faults(_version_faults(below, str(below.places[()].file)), file=below.places[()].file)
        _lay_over(data, places, {key: value for key, value in below.data.items() if key != "extends"}, below.places)
    _lay_over(data, places, own.data, own.places)
    return YamlFile(data, places)


def _find_extended(name: Any, path: Path, place: Place, trail: tuple[Path, ...]) -> Path:
    fault: dict[str, Any] = {"file": place.file, "line": place.value_line, "key": "extends", "found": _shown(name)}
    known = presets()
    allowed = f"one of {listed(known)}, or the path of an experiment file"
    if not isinstance(name, str) or not name.strip():
        fail(Fault(message="not the name of a file", expected=allowed, **fault), file=place.file)
    shipped, written = str(name).removesuffix(".yaml"), path.parent / str(name)
    if shipped in known:
        found = PRESETS.parent / f"{shipped}.yaml"
    elif written.is_file():
        found = written
    else:
        fault |= {"expected": allowed, "remedy": suggestion(shipped, known)}
        fail(Fault(message="no such preset or file", **fault), file=place.file)
    if found.resolve() in (*trail, path.resolve()):
        fail(Fault(message="the file extends itself", remedy="remove the circle", **fault), file=place.file)
    if len(trail) >= _MAX_EXTENDS:
        fail(Fault(message=f"more than {_MAX_EXTENDS} files extend each other", **fault), file=place.file)
    return found


def _lay_over(
    data: dict[str, Any], places: dict[Path_, Place], top: Mapping[str, Any], top_places: Mapping[Path_, Place]
) -> None:
    """Lay ``top`` over ``data``: mappings key by key, everything else as a whole."""
    places[()] = top_places[()]
    _merge(data, top, (), places, top_places)


def _merge(
    data: dict[str, Any],
    top: Mapping[str, Any],
    at: Path_,
    places: dict[Path_, Place],
    top_places: Mapping[Path_, Place],
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


# ---- pydantic's findings as sentences ---------------------------------------------------------------------------


def _told(detail: ErrorDetails, tree: YamlFile) -> Iterator[Fault]:
    refused = detail.get("ctx", {}).get("refused")
    if isinstance(refused, dict):
        path, _ = _written_path(detail["loc"], tree)
        yield from _refusals(refused, path, tree)
    else:
        yield _fault(detail, tree)


def _refusals(refused: Mapping[str, str], path: Path_, tree: YamlFile) -> Iterator[Fault]:
    """What an option dataclass said about each key of the section at ``path``, as faults."""
    for name, said in refused.items():
        at = (*path, name) if (*path, name) in tree.places else path
        place = tree.places[at]
        yield Fault(file=place.file, line=place.value_line, key=_dotted(at), **explain_refusal(said))


def _fault(detail: ErrorDetails, tree: YamlFile) -> Fault:
    kind, context = detail["type"], detail.get("ctx", {})
    path, rest = _written_path(detail["loc"], tree)
    place = tree.places[path]
    on_key = kind in ("extra_forbidden", "missing") or (rest and rest[-1] == "[key]")
    where: dict[str, Any] = {
        "file": place.file,
        "line": place.line if on_key else place.value_line,
        "key": _dotted(path),
    }
    value = _value_at(path, tree.data)
    if kind == "extra_forbidden":
        return _unknown_key(path, where)
    if kind == "missing" and isinstance(value, list):
        return Fault(message="too few items", found=_shown(value), **{**where, "line": place.value_line})
    if kind == "missing":
        missing = _dotted((*path, str(detail["loc"][-1])))
        return Fault(message=f"the key `{missing}` is missing", **where)
    message, expected, remedy = _sentence(kind, context, value)
    if not message:
        message, expected = detail["msg"], None
    return Fault(message=message, found=_shown(value), expected=expected, remedy=remedy, **where)


def _written_path(loc: tuple[str | int, ...], tree: YamlFile) -> tuple[Path_, Path_]:
    """The part of pydantic's location that stands in the file, and the steps that are pydantic's own."""
    path: Path_ = ()
    rest: list[str | int] = []
    for step in loc:
        if (*path, step) in tree.places:
            path = (*path, step)
        else:
            rest.append(step)
    return path, tuple(rest)


def _unknown_key(path: Path_, where: dict[str, Any]) -> Fault:
    from configs.editor_schema import keys_at

    known = keys_at(path[:-1])
    return Fault(
        message=f"unknown key `{path[-1]}`",
        expected=f"one of {listed(known)}",
        remedy=suggestion(str(path[-1]), known) or _elsewhere(str(path[-1])),
        **where,
    )


def _elsewhere(key: str) -> str | None:
    from configs.editor_schema import paths_of_key

    homes = paths_of_key(key)
    return f"it belongs in {' or '.join(homes)}" if homes else None


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
    "bool_type": ("neither true nor false", "true or false"),
    "bool_parsing": ("neither true nor false", "true or false"),
    "dict_type": ("not a section", "keys with values, indented below"),
    "model_type": ("not a section", "keys with values, indented below"),
    "model_attributes_type": ("not a section", "keys with values, indented below"),
    "tuple_type": ("not a list", "a list, like [a, b]"),
    "list_type": ("not a list", "a list, like [a, b]"),
    "greater_than": ("out of range", "more than {gt}"),
    "greater_than_equal": ("out of range", "{ge} or more"),
    "less_than": ("out of range", "less than {lt}"),
    "less_than_equal": ("out of range", "{le} or less"),
    "too_short": ("too few items", "at least {min_length}; there are {actual_length}"),
    "too_long": ("too many items", "at most {max_length}"),
}


def _sentence(kind: str, context: Mapping[str, Any], value: Any) -> tuple[str, str | None, str | None]:
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'|(\d+)", str(context["expected"]))
        names = [text or number for text, number in allowed]
        return "unknown value", f"one of {', '.join(names)}", suggestion(str(value), names)
    if kind not in _SENTENCES:
        return "", None, None
    message, expected = _SENTENCES[kind]
    remedy = None
    if message == "not a number" and isinstance(value, str):
        if re.fullmatch(r"[-+]?\d+,\d+", value.strip()):
            remedy = f"write {value.strip().replace(',', '.')}"
        elif number := re.match(r"[-+]?\d+(\.\d+)?(?=\s*[a-zA-Z%µ]+$)", value.strip()):
            remedy = f"write {number[0]}; the unit is that of the key's name"
    return message, expected.format(**context), remedy


def _value_at(path: Path_, data: Any) -> Any:
    for step in path:
        data = data[step]
    return data


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a section" if isinstance(value, dict) else f"a list of {len(value)}"
    text = getattr(value, "text", None) or repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _dotted(path: Path_) -> str:
    """Keys with dots, items of lists counted from 1.

    Examples
    --------
    >>> _dotted(("behavior", "arenas", "box", "corners_px", 0))
    'behavior.arenas.box.corners_px, item 1'
    """
    text = ""
    for step in path:
        text += f", item {step + 1}" if isinstance(step, int) else f".{step}" if text else step
    return text
