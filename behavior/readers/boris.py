"""BORIS events: project files (JSON), tabular and aggregated exports, with or without header."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from behavior.events import BehaviorEvent, OpenState, pair_states
from behavior.readers.sheets import Sheet, load_sheets, parse_seconds, read_bounded
from behavior.readers.trackfile import ReadOptions, TrackFile, event_file
from core.errors import InputError
from core.problems import Problem
from core.readers import Reader

__all__ = ["AGGREGATED", "LIST", "NO_HEADER", "PROJECT", "TABULAR"]

_PROJECT = "BORIS project (.boris)"
_TABULAR = "BORIS tabular events (csv, tsv, xlsx)"
_AGGREGATED = "BORIS aggregated events"
_NO_HEADER = "BORIS aggregated events without header"
_DOCS = "https://www.boris.unito.it/user_guide/export_events"
_NOBODY = "No focal subject"


def _lines(head: bytes) -> list[list[str]]:
    """First lines of a head as cells, whatever the delimiter."""
    lines = head.decode("utf-8", errors="replace").splitlines()[:200]
    split = [max((line.split(mark) for mark in "\t;,"), key=len) for line in lines]
    return [[cell.strip().strip('"').lower() for cell in cells] for cells in split]


def _matches_project(head: bytes) -> bool:
    return head.lstrip()[:1] == b"{" and (b'"behaviors_conf"' in head or b'"observations"' in head)


def _matches_tabular(head: bytes) -> bool:
    return any(
        {"time", "subject", "behavior"} <= set(cells) and {"status", "behavior type"} & set(cells)
        for cells in _lines(head)
    )


def _matches_aggregated(head: bytes) -> bool:
    return any({"start (s)", "stop (s)", "behavior"} <= set(cells) for cells in _lines(head)[:1])


def _matches_no_header(head: bytes) -> bool:
    lines = _lines(head)
    return bool(lines) and _type_place(lines[0]) is not None


def _matches_list(head: bytes) -> bool:
    return any({"observation id", "date", "subjects"} <= set(cells) for cells in _lines(head)[:1])


def _type_place(cells: Sequence[str]) -> int | None:
    """Place of STATE or POINT that three times follow and at least three names precede."""
    for place, cell in enumerate(cells):
        if cell.upper() in ("STATE", "POINT") and 4 <= place < len(cells) - 3:
            times = [parse_seconds(text) for text in cells[place + 1 : place + 3]]
            if None not in times:
                return place
    return None


def _read_project(path: str | Path, options: ReadOptions) -> TrackFile:
    """Events of all observations of a project; ``observation`` says which.

    Raises
    ------
    InputError
        If the JSON is broken or an event is not as BORIS writes it.
    """
    project = _load(path)
    kinds = {
        str(entry.get("code", "")): (
            "point" if "point" in str(entry.get("type", "")).lower() else "state",
            str(entry.get("category", "") or ""),
        )
        for entry in project["behaviors_conf"].values()
        if isinstance(entry, dict)
    }
    marks: list[BehaviorEvent] = []
    for name, observation in project["observations"].items():
        where = f"observation {name!r}"
        if not isinstance(observation, dict) or not isinstance(observation.get("events", []), list):
            raise InputError("an observation without list of events", file=path, where=where)
        media = observation.get("file")
        media = media if isinstance(media, dict) else {}
        first = next((str(files[0]) for files in media.values() if isinstance(files, list) and files), "")
        for number, event in enumerate(observation.get("events", []), start=1):
            marks.append(_project_mark(event, kinds, name, first, f"{where}, event {number}", path))
    header = {"project_name": str(project.get("project_name", "")), "observations": f"{len(project['observations'])}"}
    return _finished("boris-project", _PROJECT, path, marks, header)


def _load(path: str | Path) -> dict[str, Any]:
    text = read_bounded(path)
    try:
        project = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken JSON ({str(error)[:150]})", file=path, remedy="copy the project file again") from None
    if not isinstance(project, dict) or any(
        not isinstance(project.get(key), dict) for key in ("behaviors_conf", "observations")
    ):
        raise InputError("not a BORIS project", file=path, expected="behaviors_conf and observations")
    return project


def _project_mark(
    event: Any, kinds: dict[str, tuple[str, str]], observation: str, media: str, where: str, path: str | Path
) -> BehaviorEvent:
    if not isinstance(event, list) or len(event) < 3:
        raise InputError("not an event", file=path, where=where, found=str(event)[:60], expected="time, subject, code")
    time, subject, code = event[:3]
    if isinstance(time, bool) or not isinstance(time, (int, float)) or not math.isfinite(time):
        raise InputError("not a time", file=path, where=where, found=repr(time)[:40], expected="seconds")
    if code not in kinds or not code:
        raise InputError(
            "an event of a behaviour that the project does not define",
            file=path,
            where=where,
            found=repr(code)[:40],
            expected=", ".join(kinds)[:100],
        )
    kind, category = kinds[code]
    modifiers, comment = ("" if value is None else str(value) for value in [*event[3:5], "", ""][:2])
    return BehaviorEvent(
        behavior=code,
        start_s=float(time),
        stop_s=float(time),
        kind=kind,
        observation=observation,
        subject=_subject(str(subject)),
        modifiers=_modifiers(modifiers.split("|")),
        category=category,
        comment=comment,
        media=media,
    )


def _subject(text: str) -> str:
    return "" if text == _NOBODY else text


def _modifiers(parts: Sequence[str]) -> str:
    return "|".join(part for part in parts if part and part != "None")


def _read_tabular(path: str | Path, options: ReadOptions) -> TrackFile:
    """Events of a tabular export: START and STOP paired, POINT as they are.

    Raises
    ------
    InputError
        If a time or status cannot be read, naming its place.
    """
    marks: list[BehaviorEvent] = []
    header: dict[str, str] = {}
    for sheet in load_sheets(path):
        row = next((place for place, cells in enumerate(sheet.rows) if _is_tabular_header(cells)), None)
        if row is None:
            continue
        said = {cells[0]: cells[1] for cells in sheet.rows[:row] if len(cells) > 1 and cells[0] and cells[1]}
        header = header or said
        names = {name.lower(): place for place, name in reversed(list(enumerate(sheet.rows[row])))}
        status = names["status"] if "status" in names else names["behavior type"]
        filled = (place for place in range(row + 1, len(sheet.rows)) if any(sheet.rows[place]))
        marks += [_tabular_mark(sheet, place, names, status, said) for place in filled]
    if not header and not marks:
        raise InputError("no row `Time ... Subject Behavior ... Status`", file=path)
    return _finished("boris-tabular", _TABULAR, path, marks, header)


def _is_tabular_header(cells: Sequence[str]) -> bool:
    lower = {cell.lower() for cell in cells}
    return {"time", "subject", "behavior"} <= lower and bool({"status", "behavior type"} & lower)


def _tabular_mark(sheet: Sheet, row: int, names: dict[str, int], status: int, said: dict[str, str]) -> BehaviorEvent:
    def cell(name: str) -> str:
        cells, place = sheet.rows[row], names.get(name, -1)
        return cells[place] if 0 <= place < len(cells) else ""

    time = parse_seconds(cell("time"))
    state = (sheet.rows[row][status] if status < len(sheet.rows[row]) else "").upper()
    if time is None:
        raise InputError("not a time", file=sheet.file, where=sheet.place(row, "Time"), found=repr(cell("time")[:40]))
    if state not in ("START", "STOP", "POINT"):
        raise InputError(
            "unknown status",
            file=sheet.file,
            where=sheet.place(row, "Status"),
            found=repr(state[:40]),
            expected="START, STOP or POINT",
        )
    if not cell("behavior"):
        raise InputError("no behaviour", file=sheet.file, where=sheet.place(row, "Behavior"))
    modifiers = [
        sheet.rows[row][place]
        for name, place in names.items()
        if name.startswith("modifier") and place < len(sheet.rows[row])
    ]
    return BehaviorEvent(
        behavior=cell("behavior"),
        start_s=time,
        stop_s=time,
        kind="point" if state == "POINT" else "state",
        observation=cell("observation id") or said.get("Observation id", ""),
        subject=_subject(cell("subject")),
        modifiers=_modifiers(modifiers),
        category=cell("behavioral category"),
        comment="; ".join(filter(None, [cell("comment"), cell("comment start")])),
        media=cell("media file path") or cell("media file name") or cell("media file"),
    )


def _read_aggregated(path: str | Path, options: ReadOptions) -> TrackFile:
    """Events of an aggregated export, one row each.

    Raises
    ------
    InputError
        If a time cannot be read, or a duration is not stop less start.
    """
    sheet = load_sheets(path)[0]
    names = [name.lower() for name in sheet.rows[0]]
    place = {name: names.index(name) for name in names}
    missing = [name for name in ("behavior", "behavior type", "start (s)", "stop (s)") if name not in place]
    if missing:
        raise InputError("columns are missing", file=path, where="header", expected=", ".join(missing))
    events = []
    for row in range(1, len(sheet.rows)):
        cells = sheet.rows[row] + [""] * (len(names) - len(sheet.rows[row]))
        if any(cells):
            fields = {name: cells[at] for name, at in place.items()}
            fields["modifiers"] = "|".join(cells[at] for name, at in place.items() if name.startswith("modifier"))
            events.append(_aggregated_event(fields, sheet, row))
    return event_file("boris-aggregated", _AGGREGATED, path, events)


def _read_no_header(path: str | Path, options: ReadOptions) -> TrackFile:
    """Events of an aggregated export without header: the columns are told by their place around STATE and POINT.

    Raises
    ------
    InputError
        If a row has no STATE or POINT with times behind it.
    """
    sheet = load_sheets(path)[0]
    events = []
    for row, cells in enumerate(sheet.rows):
        if not any(cells):
            continue
        at = _type_place(cells)
        if at is None:
            raise InputError("no STATE or POINT with times behind it", file=path, where=sheet.place(row))
        keys = (
            "subject",
            "behavior",
            "behavioral category",
            "modifiers",
            "behavior type",
            "start (s)",
            "stop (s)",
            "duration (s)",
        )
        fields = dict(zip(keys, cells[at - 4 : at + 4], strict=True))
        events.append(_aggregated_event({"observation id": cells[0], **fields}, sheet, row))
    return event_file("boris-no-header", _NO_HEADER, path, events)


def _aggregated_event(fields: dict[str, str], sheet: Sheet, row: int) -> BehaviorEvent:
    kind = fields.get("behavior type", "").lower()
    start, stop = parse_seconds(fields["start (s)"]), parse_seconds(fields["stop (s)"])
    where = sheet.place(row)
    if kind not in ("state", "point") or start is None or stop is None:
        raise InputError(
            "not an event",
            file=sheet.file,
            where=where,
            expected="STATE or POINT, start and stop in s",
            found=f"{kind!r}, {fields['start (s)'][:20]!r}, {fields['stop (s)'][:20]!r}",
        )
    duration = parse_seconds(fields.get("duration (s)", ""))
    if (
        stop < start
        or (kind == "point" and stop != start)
        or (duration is not None and abs(stop - start - duration) > 0.002)
    ):
        raise InputError(
            "start, stop and duration do not fit",
            file=sheet.file,
            where=where,
            found=f"{start:g}, {stop:g}, {fields.get('duration (s)', '')[:20]}",
        )
    if not fields["behavior"]:
        raise InputError("no behaviour", file=sheet.file, where=where)
    return BehaviorEvent(
        behavior=fields["behavior"],
        start_s=start,
        stop_s=stop,
        kind=kind,
        observation=fields.get("observation id", ""),
        subject=_subject(fields.get("subject", "")),
        modifiers=_modifiers(fields.get("modifiers", "").split("|")),
        category=fields.get("behavioral category", ""),
        comment="; ".join(filter(None, [fields.get("comment start", ""), fields.get("comment stop", "")])),
        media=fields.get("media file", "") or fields.get("media file name", ""),
    )


def _read_list(path: str | Path, options: ReadOptions) -> TrackFile:
    raise InputError(
        "a BORIS list of observations holds no events",
        file=path,
        remedy="export the events (Observations > Export events)",
    )


def _finished(name: str, about: str, path: str | Path, marks: list[BehaviorEvent], header: dict[str, str]) -> TrackFile:
    events, left = pair_states(marks)
    return event_file(name, about, path, events, header=header, problems=[_open(state, path) for state in left])


def _open(state: OpenState, path: str | Path) -> Problem:
    event = state.event
    return Problem(
        code="open_event",
        subject=event.subject,
        file=Path(path).name,
        where=f"observation {event.observation!r}",
        message=f"{event.behavior} from {event.start_s:g} s has no {state.missing}",
        action="kept without stop; its seconds do not count",
    )


PROJECT = Reader("boris-project", _PROJECT, _matches_project, _read_project, _DOCS)
TABULAR = Reader("boris-tabular", _TABULAR, _matches_tabular, _read_tabular, _DOCS)
AGGREGATED = Reader("boris-aggregated", _AGGREGATED, _matches_aggregated, _read_aggregated, _DOCS)
NO_HEADER = Reader("boris-no-header", _NO_HEADER, _matches_no_header, _read_no_header, _DOCS)
LIST = Reader("boris-list", "BORIS list of observations (refused: no events in it)", _matches_list, _read_list, _DOCS)
