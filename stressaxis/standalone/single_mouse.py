"""The social interaction test of one mouse, scored without an experiment: two recordings or two tracks, one arena."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from stressaxis.atomic import write_text
from stressaxis.system_libraries import check_system_libraries

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from core.problems import Problem
    from stressaxis.standalone.arena_files import GivenArena

__all__ = ["mouse_table", "score_mouse"]

_TRIALS = ("no_target", "target")
_SUBJECT = "mouse"
#: Columns of the trials table that say how a trial was scored, not what the mouse did.
_OF_THE_TRIAL = ("subject", "trial", "file", "note")
#: Scores that take both trials.
_OF_BOTH = (
    "si_ratio", "si_difference_s", "si_index", "si_target_share", "log_si", "corner_ratio", "velocity_drop_cm_s",
    "distance_ratio", "engagement_index", "si_narrow", "si_wide", "si_first_120_s", "si_nose",
)  # fmt: skip


def score_mouse(
    no_target: Path, target: Path, *, arena: Path, arena_name: str | None = None, out: Path | None = None
) -> str:
    """Score both trials of one mouse in one arena; the table as text, and as a CSV file where asked for.

    Parameters
    ----------
    no_target, target
        Recording, or file of tracks of any known program, of the trial without and with target.
    arena, arena_name
        Experiment file, whose settings of tracking and scoring then hold, or table of corners; which of its arenas.
    out
        CSV file to write: ``measure, no_target, target, both, note``.

    Raises
    ------
    InputError
        If a file or the arena cannot be used, or both trials are one file.
    """
    check_system_libraries()
    from stressaxis.standalone.arena_files import read_arena

    if no_target.resolve() == target.resolve():
        raise InputError("both trials are the same file", file=target, expected="two recordings")
    given = read_arena(arena, name=arena_name)
    tracks = {name: _tracks(path, given) for name, path in zip(_TRIALS, (no_target, target), strict=True)}
    table, problems = mouse_table(tracks, given)
    if out is not None:
        write_text(out, table.to_csv(index=False, lineterminator="\n"))
    lines = [_as_text(table)]
    lines += [f"{problem.severity}: {_place(problem)}{problem.message}; {problem.action}" for problem in problems]
    return "\n".join(lines if out is None else [*lines, f"{out}: written"])


def mouse_table(tracks: dict[str, xr.Dataset], given: GivenArena) -> tuple[pd.DataFrame, list[Problem]]:
    """Measures of both trials and of the mouse, one row a measure, and what needs care.

    Parameters
    ----------
    tracks
        ``no_target`` and ``target`` to the tracks.
    given
        Arena and settings.

    Returns
    -------
    table : DataFrame
        ``measure, no_target, target, both, note``.
    problems : list of Problem
    """
    import pandas as pd

    from behavior.score_options import ScoreOptions
    from behavior.social_interaction import TRIAL_COLUMNS, score_animals, score_trial

    options = given.scoring or ScoreOptions()
    scores = {
        name: score_trial(dataset, given.arena, options=options, subject=_SUBJECT, trial=name)
        for name, dataset in tracks.items()
    }
    trials = pd.DataFrame([score.row for score in scores.values()], columns=list(TRIAL_COLUMNS))
    animal = score_animals(trials, subjects=pd.DataFrame({"subject": [_SUBJECT]}), roles={})
    columns = ("measure", *_TRIALS, "both", "note")
    rows: list[dict[str, Any]] = [{"measure": name, "both": animal.table[name].iloc[0]} for name in _OF_BOTH]
    notes = {name: _reasons(str(score.row["note"])) for name, score in scores.items()}
    for name in TRIAL_COLUMNS:
        if name not in _OF_THE_TRIAL:
            reasons = dict.fromkeys(notes[trial].get(name, "") for trial in _TRIALS)
            values = {trial: scores[trial].row[name] for trial in _TRIALS}
            rows.append({"measure": name, **values, "note": "; ".join(filter(None, reasons))})
    told = _reasons(str(animal.table["note"].iloc[0]))
    for row in rows[: len(_OF_BOTH)]:
        row["note"] = told.get(row["measure"], "")
    problems = [problem for score in scores.values() for problem in score.problems]
    # Of one mouse nobody expects controls.
    problems += [problem for problem in animal.problems if problem.code != "few_controls"]
    return pd.DataFrame(rows, columns=list(columns)), problems


def _reasons(note: str) -> dict[str, str]:
    """Column to reason, from a note."""
    from behavior.reasons import parse_note

    return {column: reason for reason, names in parse_note(note).items() for column in names}


def _tracks(path: Path, given: GivenArena) -> xr.Dataset:
    """Tracks from their file, or made from the recording."""
    from core.readers import read_head
    from stressaxis.standalone.overlay_inputs import read_single_track

    if not _is_video(read_head(path)):
        return read_single_track(path)
    from behavior.tracker import track
    from behavior.video import open_video

    return track(open_video(path), given.arena, options=given.tracking)


def _is_video(head: bytes) -> bool:
    """Whether a file begins as containers of video do; the name tells nothing."""
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or head[:4] in (b"\x1a\x45\xdf\xa3", b"\x30\x26\xb2\x75", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"FLV\x01")
        or (head[:1] == b"\x47" and head[188:189] == b"\x47")
    )


def _as_text(table: pd.DataFrame) -> str:
    """The table in columns, numbers with three decimals, empty where a measure has no such value."""
    import pandas as pd

    def shown(value: Any) -> str:
        if value is None or (not isinstance(value, str | bool) and pd.isna(value)):
            return ""
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    cells = [[str(name) for name in table.columns], *[[shown(value) for value in row] for row in table.to_numpy()]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(r, widths, strict=True)).rstrip() for r in cells
    )


def _place(problem: Problem) -> str:
    parts = [part for part in (problem.file, problem.where) if part]
    return f"{', '.join(parts)}: " if parts else ""
