"""The table of trials: which recording is which trial of which subject."""

from __future__ import annotations

from collections.abc import Sequence

from configs.columns import TRIALS, folded
from configs.faults import Fault, listed, raise_faults, suggestion
from configs.schema import Experiment
from configs.table_rows import Rows, blank_cells, read_rows, unknown_subjects
from core.problems import Problem

__all__ = ["trial_rows"]


def trial_rows(experiment: Experiment, known: Sequence[str] | None) -> tuple[Rows, list[Problem]]:
    """The table of trials with our names of the trials, the arena of each, and trials made of several recordings.

    Raises
    ------
    ConfigError
        With every mistake in the table.
    """
    behavior = experiment.behavior
    assert behavior is not None
    rows = read_rows(experiment, behavior.trials.file, TRIALS, behavior.trials.columns, ("behavior", "trials"))
    frame = rows.frame
    for name in ("start_s", "end_s"):
        if name not in frame:
            frame[name] = float("nan")
    faults = [*rows.faults, *blank_cells(rows, "subject"), *blank_cells(rows, "trial"), *blank_cells(rows, "file")]
    faults += unknown_subjects(rows, known)
    faults += _trial_names(experiment, rows)
    faults += _arenas(experiment, rows)
    faults += _windows(rows)
    raise_faults(faults, file=rows.file)
    raise_faults([*_stretch_twice(rows), *_one_arena_each(rows)], file=rows.file)
    ours = ["subject", "trial", "file", "start_s", "end_s", "arena"]
    ordered = Rows(frame[[*ours, *(name for name in frame if name not in ours)]], rows.lines, rows.file, rows.unit)
    return ordered, [*_in_parts(ordered), *_overlaps(ordered)]


def _trial_names(experiment: Experiment, rows: Rows) -> list[Fault]:
    assert experiment.behavior is not None
    names = experiment.behavior.trial_names
    meaning = {folded(name): "no_target" for name in ("no_target", *names.no_target)}
    meaning |= {folded(name): "target" for name in ("target", *names.target)}
    allowed = ["no_target", "target", *names.no_target, *names.target]
    faults = [
        rows.fault(
            number,
            "trial",
            "unknown trial",
            found=repr(text),
            expected=f"one of {listed(dict.fromkeys(allowed))}",
            remedy=suggestion(text, allowed) or "name it under `behavior.trial_names`",
        )
        for number, text in enumerate(rows.frame["trial"])
        if text and folded(text) not in meaning
    ]
    rows.frame["trial"] = [meaning.get(folded(text), text) for text in rows.frame["trial"]]
    return faults


def _arenas(experiment: Experiment, rows: Rows) -> list[Fault]:
    assert experiment.behavior is not None
    known = list(experiment.behavior.arenas)
    if "arena" not in rows.frame:
        rows.frame["arena"] = ""
    if len(known) == 1:
        rows.frame["arena"] = [name or known[0] for name in rows.frame["arena"]]
    return [
        rows.fault(
            number,
            "arena",
            "unknown arena" if name else "no arena is named",
            found=repr(name),
            expected=f"one of {listed(known)}",
            remedy=suggestion(name, known),
        )
        for number, name in enumerate(rows.frame["arena"])
        if name not in known
    ]


def _windows(rows: Rows) -> list[Fault]:
    faults = []
    for number, (start, end) in enumerate(zip(rows.frame["start_s"], rows.frame["end_s"], strict=True)):
        if start < 0:
            faults.append(rows.fault(number, "start_s", "out of range", found=f"{start:g}", expected="0 s or more"))
        if end <= start or end <= 0:
            expected = f"more than start_s ({start:g} s)" if start == start else "more than 0 s"
            faults.append(rows.fault(number, "end_s", "out of range", found=f"{end:g}", expected=expected))
    return faults


def _stretch_twice(rows: Rows) -> list[Fault]:
    """The same stretch of the same recording in two rows."""
    first: dict[tuple[str, str, str], int] = {}
    faults = []
    for number, row in enumerate(rows.frame.to_dict("records")):
        stretch = (row["file"], str(row["start_s"]), str(row["end_s"]))
        if stretch in first:
            faults.append(
                rows.fault(
                    number,
                    "file",
                    "the same recording is listed for two trials",
                    found=f"{row['file']!r} on {rows.unit} {rows.lines[first[stretch]]} too",
                    remedy="correct the file, or give start_s and end_s of each trial in it",
                )
            )
        first.setdefault(stretch, number)
    return faults


def _one_arena_each(rows: Rows) -> list[Fault]:
    arena: dict[str, str] = {}
    faults = []
    for number, (subject, name) in enumerate(zip(rows.frame["subject"], rows.frame["arena"], strict=True)):
        if arena.setdefault(subject, name) != name:
            faults.append(
                rows.fault(
                    number,
                    "arena",
                    f"the trials of subject {subject!r} are in two arenas",
                    found=f"{arena[subject]} and {name}",
                    expected="one arena for both trials of a subject",
                )
            )
    return faults


def _in_parts(rows: Rows) -> list[Problem]:
    """Trials of several rows: meant so for a recording that was split, but also what a mistyped id looks like."""
    problems = []
    for (subject, trial), parts in rows.frame.groupby(["subject", "trial"], sort=True):
        if len(parts) > 1:
            lines = ", ".join(str(rows.lines[number]) for number in parts.index)
            problems.append(
                Problem(
                    code="trial_in_parts",
                    subject=str(subject),
                    file=rows.file,
                    where=f"{rows.unit}s {lines}",
                    message=f"the {trial} trial has {len(parts)} recordings: {', '.join(parts['file'])}",
                    action="scored as one trial, in this order",
                )
            )
    return problems


def _overlaps(rows: Rows) -> list[Problem]:
    """Trials whose stretches of one file overlap."""
    problems = []
    # Most files hold one trial; a table of thousands of groups of one row takes seconds.
    shared = rows.frame[rows.frame["file"].duplicated(keep=False)]
    for file, trials in shared.groupby("file", sort=True):
        spans = trials.sort_values(["start_s", "subject", "trial"], na_position="first")
        starts, ends = spans["start_s"].fillna(0.0).tolist(), spans["end_s"].fillna(float("inf")).tolist()
        names = [f"{row['trial']} of {row['subject']}" for row in spans.to_dict("records")]
        problems += [
            Problem(
                code="same_file_twice",
                subject=str(spans["subject"].iloc[number]),
                file=str(file),
                message=f"trials {names[number - 1]} and {names[number]} overlap in this recording",
                action="both are scored; give end_s of the first to keep them apart",
            )
            for number in range(1, len(spans))
            if starts[number] < ends[number - 1]
        ]
    return problems
