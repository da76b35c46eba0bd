"""The table of subjects: who they are, their groups, who is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs.columns import SUBJECTS
from configs.faults import Fault, listed, raise_faults, suggestion
from configs.record_tables import record_columns
from configs.schema import Experiment
from configs.table_rows import Rows, blank_cells, config_place, id_suggestion, read_rows, repeated_ids
from core.labels import similar_id_problems
from core.problems import Problem
from proteomics.serum_handling import HANDLING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["subject_rows"]

_NO = ("", "false", "no", "0", "n")
_YES = ("true", "yes", "1", "y", "x")


def subject_rows(experiment: Experiment) -> tuple[Rows, list[Problem]]:
    """The table of subjects with ``exclude`` and ``role``, and ids and labels that look alike.

    Raises
    ------
    ConfigError
        With every mistake in the table, and every subject or column that the experiment file names and it lacks.
    """
    table = experiment.subjects
    assert table is not None  # loading refuses an experiment without it
    rows = read_rows(experiment, table.file, SUBJECTS, table.columns, ("subjects",))
    frame = rows.frame
    faults = [*rows.faults, *blank_cells(rows, "subject"), *repeated_ids(rows, "subject"), *blank_cells(rows, "group")]
    faults += _groups_without_role(experiment, rows)
    faults += _excluded_ids(experiment, rows)
    faults += _covariates(experiment, rows)
    faults += [
        Fault(message=f"the hand-kept records give a column {name!r}, too", file=rows.file, key="header",
              remedy="rename the column")
        for name in record_columns(experiment)
        if name in frame
    ]  # fmt: skip
    raise_faults(faults, file=rows.file)
    frame["exclude"] = _reasons(experiment, frame)
    frame["role"] = [experiment.roles.role_of(group) for group in frame["group"]]
    problems = similar_id_problems(frame["subject"], file=rows.file, what="subject")
    for name in ("group", "sex", "strain", "cohort", "treatment"):
        if name in frame:
            problems += similar_id_problems(frame[name], file=rows.file, what=name)
    return rows, problems


def _groups_without_role(experiment: Experiment, rows: Rows) -> list[Fault]:
    roles = experiment.roles
    known = [*roles.control, *roles.defeated, *roles.other]
    faults, told = [], set[str]()
    for number, group in enumerate(rows.frame["group"]):
        if group and group not in known and group not in told:
            told.add(group)
            faults.append(
                rows.fault(
                    number,
                    "group",
                    f"group {group!r} has no role",
                    expected=f"one of {listed(known)}",
                    remedy=suggestion(group, known) or "name it under `roles` in the experiment file",
                )
            )
    return faults


def _excluded_ids(experiment: Experiment, rows: Rows) -> list[Fault]:
    if experiment.behavior is None:
        return []
    known = rows.frame["subject"].tolist()
    at = ("behavior", "exclude", "subjects")
    return [
        Fault(
            message=f"subject {label!r} is not in the subjects table {rows.file}",
            key=".".join(at),
            remedy=id_suggestion(label, known),
            **config_place(experiment, (*at, label)),
        )
        for label in experiment.behavior.exclude.subjects
        if label not in known
    ]


def _covariates(experiment: Experiment, rows: Rows) -> list[Fault]:
    columns = [str(name) for name in rows.frame.columns if name != "subject"]
    columns += record_columns(experiment)
    if experiment.serum is not None:
        columns += HANDLING
    return [
        Fault(
            message=f"no column {name!r} in {rows.file}",
            key="statistics.covariates",
            expected=f"one of {listed(columns)}",
            remedy=suggestion(name, columns),
            **config_place(experiment, ("statistics", "covariates")),
        )
        for name in experiment.association([]).covariates
        if name not in columns
    ]


def _reasons(experiment: Experiment, frame: pd.DataFrame) -> list[str]:
    declared = {} if experiment.behavior is None else experiment.behavior.exclude.subjects
    written = frame["exclude"].tolist() if "exclude" in frame else [""] * len(frame)
    reasons = []
    for subject, text in zip(frame["subject"], written, strict=True):
        reason = "" if text.casefold() in _NO else "excluded in the subjects table" if text.casefold() in _YES else text
        reasons.append(reason or (declared[subject] or "excluded in the config" if subject in declared else ""))
    return reasons
