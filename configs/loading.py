"""Reading an experiment file: all that is wrong with it is told at once, each mistake with its line."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from configs.crosschecks import cross_faults
from configs.extending import read_extended, version_faults
from configs.faults import Fault, fail, raise_faults
from configs.findings import dotted, told_by, written_path
from configs.schema import Experiment
from configs.yaml_lines import YamlFile
from core.errors import ConfigError, InputError

__all__ = ["load", "refuse"]

_MAX_ROUNDS = 8

KeyPath = tuple[str | int, ...]


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
        tree, faults = read_extended(path)
    except ConfigError:
        raise
    except InputError as error:
        raise _as_config_error(error) from error
    file = str(path)
    if wrong_version := version_faults(tree, file):
        fail(*faults, *wrong_version, file=file)
    experiment, found, mistaken = _validated(tree, complete=not faults)
    if experiment is None:
        fail(*faults, *found, file=file)
    experiment = experiment.model_copy(update={} if experiment.name else {"name": path.stem})
    experiment._file = path
    experiment._base = Path(data_dir) if data_dir is not None else path.parent
    experiment._places = tree.places
    raise_faults([*faults, *found, *cross_faults(experiment, mistaken=mistaken)], file=file)
    return experiment


def _validated(tree: YamlFile, *, complete: bool) -> tuple[Experiment | None, list[Fault], list[KeyPath]]:
    """The experiment with its mistakes; mistaken keys are set aside, so that what lies behind them is checked too.

    Without a preset that could not be found (``complete`` is False), no key counts as missing.
    """
    data: dict[str, Any] = copy.deepcopy(tree.data)
    faults: list[Fault] = []
    mistaken: list[KeyPath] = [] if complete else [("roles",)]
    for attempt in range(_MAX_ROUNDS):
        try:
            return Experiment.model_validate(data), faults, mistaken
        except ValidationError as error:
            details = error.errors(include_url=False)
        # What is missing after the first round may have been set aside by it.
        blamed = [detail for detail in details if detail["type"] != "missing" or (complete and attempt == 0)]
        faults += [told for detail in blamed for told in told_by(detail, tree)]
        wrong = [path for detail in details for path in _mistaken_paths(detail, tree)]
        if () in wrong:
            break
        for path in wrong:
            _set_aside(path, data)
        mistaken += wrong
    return None, faults, mistaken


def _mistaken_paths(detail: ErrorDetails, tree: YamlFile) -> list[KeyPath]:
    """The keys to set aside: up to the first item of a list, which only makes sense as a whole."""
    section = detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"]
    path, _ = written_path(section, tree)
    refused = detail.get("ctx", {}).get("refused", {"": ""})
    whole = [(*path, name) if (*path, name) in tree.places else path for name in refused]
    return [path[: next((at for at, step in enumerate(path) if isinstance(step, int)), len(path))] for path in whole]


def _set_aside(path: KeyPath, data: Any) -> None:
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
    written: KeyPath = path
    while written and written not in experiment.places:
        written = written[:-1]
    place = experiment.places[written]
    fault = Fault(
        message=message,
        file=place.file,
        line=place.value_line if written else None,
        key=dotted(path),
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
