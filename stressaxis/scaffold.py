"""A new experiment from a folder of recordings: config and tables with all that the folder says, and what is left."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from stressaxis.atomic import write_text
from stressaxis.naming import Learned, Placed, learn_names

__all__ = ["Scaffold", "is_recording", "make_scaffold"]

_VIDEOS = frozenset(
    {"mp4", "m4v", "mov", "avi", "mkv", "mpg", "mpeg", "wmv", "mts", "m2ts", "ts", "webm", "flv", "mjpeg", "mjpg"}
    | {"h264", "asf", "3gp", "ogv", "dav", "vob"}
)
_ONE_ARENA = "box"
#: Tables of hand-kept records, by their names in the experiment file.
_RECORD_FILES = {
    "defeat": "defeat_sessions.csv",
    "sucrose": "sucrose.csv",
    "weight": "weights.csv",
    "coat": "coat.csv",
}
_SHOWN = 12


@dataclass(frozen=True)
class Scaffold:
    """What was understood and written.

    Parameters
    ----------
    folder
        Where the files are.
    learned
        What the names said.
    written, kept
        Files that were written, and files that were there before and were left alone.
    text
        All of it for people, ending with what to fill in.
    """

    folder: Path
    learned: Learned
    written: tuple[str, ...]
    kept: tuple[str, ...]
    text: str


def make_scaffold(recordings: Path, *, out: Path | None = None) -> Scaffold:
    """Write an experiment file and its tables for a folder of recordings; nothing is ever overwritten.

    Parameters
    ----------
    recordings
        Folder that is searched with its subfolders.
    out
        Where to write; by default the folder itself.

    Raises
    ------
    InputError
        If the folder is not there or no recording of it can be placed.
    """
    if not recordings.is_dir():
        raise InputError("no such folder", file=recordings, remedy="name the folder that holds the recordings")
    out = recordings if out is None else out
    names = _videos(recordings)
    learned = learn_names(names)
    if not learned.placed:
        remedy = (
            "name recordings like m01_no_target.mp4 and m01_target.mp4, "
            "or write trials.csv by hand: subject, trial, file"
        )
        found = f"{len(names)} recordings" + (f", such as {', '.join(names[:3])}" if names else "")
        raise InputError("no recording's name says subject and trial", file=recordings, found=found, remedy=remedy)
    arenas = _arenas(learned.placed, recordings)
    files = _tables(learned.placed, recordings, out)
    files["experiment.yaml"] = _config(out, arenas)
    written, kept = [], []
    for name, text in files.items():
        if (out / name).exists():
            kept.append(name)
        else:
            write_text(out / name, text)
            written.append(name)
    text = _told(recordings, out, learned, arenas, written, kept)
    return Scaffold(out, learned, tuple(written), tuple(kept), text)


def _videos(folder: Path) -> list[str]:
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        # A results folder inside holds overlays, which are no recordings.
        if ".work" in folders:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place) / name for name in files if is_recording(name)]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def is_recording(name: str) -> bool:
    """Whether a file is a video, by its ending.

    Examples
    --------
    >>> is_recording("m01.MP4"), is_recording(".m01.mp4"), is_recording("notes.txt")
    (True, False, False)
    """
    return name.rsplit(".", 1)[-1].casefold() in _VIDEOS and not name.startswith(".")


# ---- arenas -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Arena:
    """Lines of the config for one arena, and what was seen."""

    lines: tuple[str, ...]
    known: bool
    told: str


def _arenas(placed: Sequence[Placed], folder: Path) -> dict[str, _Arena]:
    """Each camera's floor, looked for in its first recording that can be opened."""
    first: dict[str, list[str]] = {}
    for one in placed:
        first.setdefault(one.arena or _ONE_ARENA, []).append(one.file)
    return {name: _arena(name, files[:3], folder) for name, files in sorted(first.items())}


def _arena(name: str, files: Iterable[str], folder: Path) -> _Arena:
    why = ""
    for file in files:
        try:
            lines, told = _found(folder / file, name)
        except InputError as error:
            why = why or error.message.splitlines()[0]
            continue
        lines = (f"    # found in {file}; see it: stressaxis arena {json.dumps(file)} --out floor.png", *lines)
        return _Arena(lines, True, f"{name}: floor {told}, from {file}")
    lines = (
        f"    {name}:",
        "      # TO FILL IN: the floor's corners in px: top left, top right, bottom right, bottom left",
        "      corners_px:",
    )
    return _Arena(lines, False, f"{name}: floor not found ({why})")


def _found(path: Path, name: str) -> tuple[tuple[str, ...], str]:
    from behavior.arena import ArenaOptions
    from behavior.arena_finding import empty_scene, find_arena
    from behavior.video import open_video
    from stressaxis.standalone.arena_picture import config_lines, placed_options

    options = ArenaOptions()
    empty = empty_scene(open_video(path))
    found = find_arena(empty.picture, options, shift_px=empty.shift_px)
    found.require_corners(file=str(path))
    lines = config_lines(found, placed_options(options, found.enclosure), name=name)
    return tuple(lines[2:]), f"found, confidence {found.confidence:.2f}"


# ---- files ------------------------------------------------------------------------------------------------------


def _tables(placed: Sequence[Placed], recordings: Path, out: Path) -> dict[str, str]:
    subjects: dict[str, Placed] = {}
    for one in placed:
        subjects.setdefault(one.subject, one)
    rows = [
        {"subject": one.subject, "group": one.group, "cohort": one.cohort, "si_date": one.recorded[:10]}
        for one in subjects.values()
    ]
    trials = [
        {
            "subject": one.subject,
            "trial": one.trial,
            "file": _from(out, recordings / one.file),
            "arena": _arena_of(one.subject, placed),
            "recorded": one.recorded,
        }
        for one in placed
    ]
    plate = [["", *map(str, range(1, 13))], *([letter] for letter in "ABCDEFGH")]
    return {
        "subjects.csv": _csv(
            ("subject", "group", "sex", "strain", "cage", "cohort", "treatment", "si_date", "exclude"), rows
        ),
        "trials.csv": _csv(("subject", "trial", "file", "start_s", "end_s", "arena", "recorded"), trials),
        "serum_samples.csv": _csv(("sample", "subject", "bleed", "plate", "well", "type"), []),
        "plate_layout.csv": "".join(",".join(row + [""] * (13 - len(row))) + "\n" for row in plate),
        **{file: _csv(_record_columns(kind), []) for kind, file in _RECORD_FILES.items()},
    }


def _arena_of(subject: str, placed: Sequence[Placed]) -> str:
    """Both trials of a subject are in one arena: a name that does not say it takes it from the other."""
    return next((one.arena for one in placed if one.subject == subject and one.arena), _ONE_ARENA)


def _record_columns(kind: str) -> tuple[str, ...]:
    from behavior.hand_records import RECORDS

    return tuple(RECORDS[kind])


def _from(folder: Path, file: Path) -> str:
    """A file as seen from the folder of the config."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # another drive
        return file.absolute().as_posix()


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _config(out: Path, arenas: Mapping[str, _Arena]) -> str:
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in out.resolve().name)
    lines = [
        "# Written by `stressaxis init`; every key: docs/config.md, or `stressaxis schema` for your editor.",
        "schema: 1",
        f"name: {json.dumps(name.strip('-') or 'experiment')}",
        "extends: presets/csds-si",
        "",
        "subjects: subjects.csv # TO FILL IN there: group (control or defeated)",
        "behavior:",
        "  trials: trials.csv",
        "  # geometry: {width_cm: 42, height_cm: 42} # sizes of the floor, if yours differ",
        "  arenas:",
        *(line for arena in arenas.values() for line in arena.lines),
        "",
        "# TO FILL IN once serum is measured: take away the # and name the file.",
        "# serum:",
        "#   file: serum.csv",
        "#   samples: serum_samples.csv",
        "#   species: mouse",
        "",
        "# TO FILL IN where such records are kept: fill the tables, take away the # of those that you have.",
        "# records:",
        *(f"#   {kind}: {file}" for kind, file in _RECORD_FILES.items()),
        "#   test_day: 11 # day of the SI test as in their column day; not needed where dates are given",
        "# statistics: # columns made of the records may be covariates of serum and behavior, for instance:",
        "#   covariates: [defeat_to_bleed_days, weight_last_g]",
    ]
    return "\n".join(lines) + "\n"


# ---- words ------------------------------------------------------------------------------------------------------


def _told(
    recordings: Path,
    out: Path,
    learned: Learned,
    arenas: Mapping[str, _Arena],
    written: Sequence[str],
    kept: Sequence[str],
) -> str:
    total = len(learned.placed) + len(learned.unplaced)
    lines = [f"{recordings}: {total} recordings, {len(learned.placed)} placed", "understood:"]
    lines += [f"  {note}" for note in learned.notes]
    lines += [f"  {_example(one)}" for one in learned.placed[:4]]
    lines += [f"  {arena.told}" for arena in arenas.values()]
    if learned.unplaced:
        lines.append(f"not placed ({len(learned.unplaced)}); add them to trials.csv if they belong:")
        unplaced = list(learned.unplaced.items())
        lines += [f"  {file}: {why}" for file, why in unplaced[:_SHOWN]]
        lines += [f"  and {len(unplaced) - _SHOWN} more"] if len(unplaced) > _SHOWN else []
    lines += [f"written in {out}: {', '.join(written) or 'nothing'}"]
    lines += [f"already there and left alone: {', '.join(kept)}"] if kept else []
    return "\n".join([*lines, *_to_fill_in(out, learned, arenas)])


def _example(one: Placed) -> str:
    facts = [f"subject {one.subject}", one.trial, one.recorded, one.arena, one.cohort, one.group]
    return f"{one.file} -> {', '.join(fact for fact in facts if fact)}"


def _to_fill_in(out: Path, learned: Learned, arenas: Mapping[str, _Arena]) -> list[str]:
    lines = ["to fill in:"]
    without = len({one.subject for one in learned.placed if not one.group})
    if without:
        lines.append(f"  subjects.csv: group of {without} subjects (control or defeated); sex, cage where known")
    for name, arena in arenas.items():
        if not arena.known:
            lines.append(f"  experiment.yaml: corners of arena {name}")
    trials: dict[str, set[str]] = {}
    for one in learned.placed:
        trials.setdefault(one.subject, set()).add(one.trial)
    lone = [subject for subject, seen in trials.items() if len(seen) < 2]
    if lone:
        lines.append(f"  trials.csv: one of the two trials is missing for {', '.join(lone[:_SHOWN])}")
    lines.append(f"  serum_samples.csv, plate_layout.csv, {', '.join(_RECORD_FILES.values())}: once they are known")
    return [*lines, f"then: stressaxis check {out / 'experiment.yaml'}"]
