"""What differs between a task and its last result, in the words of the experiment file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stressaxis.engine import Task
from stressaxis.fingerprint import canonical_json, code_parts
from stressaxis.ledger import Entry

__all__ = ["differences"]

_MOST = 4

#: Step and option to the key of the experiment file, or the table, that decides it.
_NAMES = {
    ("track", "options"): "behavior.tracking",
    ("track", "region"): "place of the floor and enclosure (behavior.arenas, behavior.geometry)",
    ("track", "name"): "name of the file",
    ("score", "options"): "behavior.scoring",
    ("animals", "classes"): "behavior.classes",
    ("animals", "exclude"): "behavior.exclude",
    ("animals", "excluded"): "behavior.exclude.subjects",
    ("animals", "subjects"): "subjects table",
    ("animals", "arenas"): "behavior.geometry",
    ("serum", "samples"): "serum samples table",
    ("serum", "reading"): "serum",
    ("serum", "names"): "serum.files",
    ("people", "samples"): "people samples table",
}


def differences(task: Task, needs: Mapping[str, str], last: Entry) -> list[str]:
    """Why a result is not the one that is wanted now: changed files, keys, sources, versions, results it rests on.

    Parameters
    ----------
    task
        The task as it would be done now.
    needs
        Keys of the results it would read.
    last
        What its last result was made from.

    Examples
    --------
    >>> task = Task(id="a", function="stressaxis.steps.probe:probe_recording", inputs=("f2",), file="a.mp4")
    >>> differences(task, {}, Entry("done", "k", inputs=("f1",), code=code_parts("stressaxis.steps.probe", ())))
    ['the content of a.mp4 changed']
    """
    module = task.function.split(":")[0]
    step = module.rsplit(".", 1)[-1]
    found: list[str] = []
    if tuple(task.inputs) != tuple(last.inputs):
        found.append(f"the content of {task.file or 'its files'} changed")
    now, untracked = _as_tracked_before(step, json.loads(canonical_json(task.deciding)), last.options)
    found += _first(untracked, "more recordings")
    found += _first(dict.fromkeys(_changed_options(step, now, last.options)), "more keys")
    found += _first(list(_changed_code(code_parts(module, task.packages), last.code)), "more sources or versions")
    redone = [need for need in needs if last.needs.get(need) != needs[need]]
    gone = [need for need in last.needs if need not in needs]
    # What a changed key does to the tasks before is told there; here it would hide the key.
    if not found:
        found += _first([f"{need}: its result is another" for need in redone], "more results")
        found += _first([f"{need}: is no longer there" for need in gone], "more results")
    return found or ["its last result was made from something else"]


def _as_tracked_before(step: str, now: dict[str, Any], before: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Options with the old track where a recording is not opened yet, and those recordings in words."""
    if step != "score":
        return now, []
    earlier = {part.get("file"): part for part in before.get("parts", ())}
    parts, untracked = [], []
    for part in now.get("parts", ()):
        old = earlier.get(part["file"])
        if not part["task"] and old is not None and old.get("task"):
            untracked.append(f"{part['file']}: its track is not known yet")
            part = part | {name: old[name] for name in ("task", "corners_px") if name in old}
        parts.append(part)
    return now | {"parts": parts}, untracked


def _first(items: Iterable[str], more: str) -> list[str]:
    listed = list(items)
    rest = len(listed) - _MOST
    return listed[:_MOST] + ([f"and {rest} {more}"] if rest > 0 else [])


def _changed_options(step: str, now: Any, before: Any) -> Iterator[str]:
    for path, new, old in _leaves(now, before, ()):
        yield f"{_named(step, path)}: {_shown(old)} before, {_shown(new)} now"


_ABSENT = object()


def _leaves(now: Any, before: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(now, dict) and isinstance(before, dict):
        for name in sorted(now.keys() | before.keys()):
            yield from _leaves(now.get(name, _ABSENT), before.get(name, _ABSENT), (*path, name))
    elif isinstance(now, list) and isinstance(before, list) and len(now) == len(before):
        for number, (one, other) in enumerate(zip(now, before, strict=True)):
            yield from _leaves(one, other, (*path, str(number)))
    elif now != before:
        yield path, now, before


def _named(step: str, path: tuple[str, ...]) -> str:
    """The key of the experiment file that an option came from, as far as it can be said."""
    if step in ("score", "animals") and "arena" in path[:3]:
        return ".".join(("behavior.geometry", *path[path.index("arena") + 1 :]))
    if step == "animals" and path[0] == "arenas":
        return ".".join(("behavior.geometry", *path[2:]))
    if step == "score" and path[0] == "parts":
        what = path[2] if len(path) > 2 else "rows"
        return "behavior.arenas, corners_px" if what == "corners_px" else f"trials table, {what}"
    if step == "track" and path[0] == "region":
        return _NAMES[step, "region"]
    first = _NAMES.get((step, path[0]), path[0])
    return ".".join((first, *path[1:])) if path else step


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _changed_code(now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[str]:
    changed = [name for name in sorted(now.keys() | before.keys()) if now.get(name) != before.get(name)]
    # Versions first: the sources of an update are many.
    for name in sorted(changed, key=lambda name: not name.startswith("library ")):
        one, other = now.get(name), before.get(name)
        if name.startswith("library "):
            yield f"version: {other or 'absent'} before, {one or 'absent'} now ({name.removeprefix('library ')})"
        else:
            how = "is gone" if one is None else "is new" if other is None else "changed"
            yield f"stressaxis itself: {name} {how}"
