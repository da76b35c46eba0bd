"""Records kept by hand: the tables of an experiment, read, checked and summed up for each subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from behavior.hand_records import RECORDS, check_records
from behavior.record_sums import RECORD_SUMS, days_between, join_records, sum_records
from configs.columns import SUBJECT_ALIASES, Column, Kind
from configs.faults import raise_faults
from configs.schema import Experiment
from configs.table_rows import Rows, blank_cells, read_rows, unknown_subjects
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MEDIATORS", "mediator_problems", "record_columns", "record_rows", "sum_up", "table_columns"]

#: Sums that lie on the way from defeat to serum and behavior as well as beside it.
MEDIATORS = {
    "wound_grade_max": "wounds raise cytokines and keep a mouse from exploring; adjusted for them, what defeat does "
    "through wounds is taken away, and not adjusted for them it is part of the effect",
    "defeat_weight_change_percent": "defeat takes weight, and what takes weight may act through it",
    "weight_change_percent": "defeat takes weight, and what takes weight may act through it",
    "weight_loss_max_percent": "defeat takes weight, and what takes weight may act through it",
    "coat_last": "a poor coat is a sign of the same state as the outcome",
    "coat_max": "a poor coat is a sign of the same state as the outcome",
}

_KINDS: dict[str, Kind] = {"text": "id", "yes_no": "text", "number": "number", "whole": "number", "date": "datetime"}


def record_columns(experiment: Experiment) -> tuple[str, ...]:
    """Names of the columns that the experiment's hand-kept records give each subject."""
    kinds = () if experiment.records is None else experiment.records.tables
    return tuple(name for kind in kinds for name in RECORD_SUMS[kind])


def table_columns(kind: str) -> tuple[Column, ...]:
    """The columns of one kind of table: a key of :data:`behavior.hand_records.RECORDS`."""
    return tuple(
        Column(
            name=name,
            kind=_KINDS[column.kind],
            help=column.meaning,
            required=column.needed,
            aliases=SUBJECT_ALIASES if name == "subject" else (),
        )
        for name, column in RECORDS[kind].items()
    )


def record_rows(experiment: Experiment, kind: str, known: Sequence[str] | None) -> tuple[Rows, list[Problem]]:
    """One table of records, typed and checked, sorted by subject and day.

    Parameters
    ----------
    kind
        A key of :data:`behavior.hand_records.RECORDS`.
    known
        Subjects there are; None where their table could not be read.

    Raises
    ------
    ConfigError
        With every cell that is not what its column holds.
    InputError
        With the first cell that is out of range, or a subject with two rows on one day.
    """
    assert experiment.records is not None
    table = experiment.records.tables[kind]
    rows = read_rows(experiment, table.file, table_columns(kind), table.columns, ("records", kind))
    raise_faults([*rows.faults, *blank_cells(rows, "subject"), *unknown_subjects(rows, known)], file=rows.file)
    checked = check_records(rows.frame, kind, file=rows.file, lines=rows.lines, unit=rows.unit)
    return Rows(checked.table, rows.lines, rows.file, rows.unit), checked.problems


def sum_up(
    experiment: Experiment, subjects: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> tuple[pd.DataFrame, list[Problem]]:
    """What the records say of each subject: ``subject`` and the columns of :data:`RECORD_SUMS`, one row per subject.

    Parameters
    ----------
    subjects
        The subjects table, with ``role`` and, for the time since the last defeat, ``si_date``.
    tables
        Checked tables by kind.
    """
    assert experiment.records is not None
    joined = subjects[["subject"]]
    problems: list[Problem] = []
    for kind, table in tables.items():
        # Control mice have no defeat sessions; that is no gap in the records.
        wanted = subjects.loc[subjects["role"] == "defeated", "subject"] if kind == "defeat" else subjects["subject"]
        joined, told = join_records(joined, sum_records(table, kind), expected=wanted.tolist())
        problems += told
    if "defeat" in tables:
        joined["last_defeat"] = joined["last_defeat"].fillna("")
        joined["defeat_to_test_days"] = _days_to_test(experiment, subjects, joined)
        problems += [
            Problem(
                code="record_suspect",
                subject=subject,
                message=f"the last defeat session lies {-days:g} days after the social interaction test",
                action="kept",
            )
            for subject, days in zip(joined["subject"], joined["defeat_to_test_days"], strict=True)
            if days < 0
        ]
    return joined, problems


def _days_to_test(experiment: Experiment, subjects: pd.DataFrame, joined: pd.DataFrame) -> list[float]:
    """From dates where both are known, else from the declared day of the test."""
    last = dict(zip(joined["subject"], joined["last_defeat"], strict=True))
    tested = dict(zip(subjects["subject"], subjects["si_date"], strict=True)) if "si_date" in subjects else {}
    by_date = days_between(last, tested)
    test_day = experiment.records.test_day if experiment.records is not None else None
    by_day = {
        subject: float("nan") if test_day is None else test_day - day
        for subject, day in zip(joined["subject"], joined["last_defeat_day"], strict=True)
    }
    return [by_date[name] if by_date[name] == by_date[name] else by_day[name] for name in joined["subject"]]


def mediator_problems(experiment: Experiment) -> Iterator[Problem]:
    """Covariates that lie between defeat and serum: a model with them tells less than the whole effect."""
    for name in experiment.association([]).covariates:
        if name in MEDIATORS:
            yield Problem(
                code="mediator_covariate",
                where=f"covariate {name}",
                message=f"{name} is a consequence of defeat, too: {MEDIATORS[name]}",
                action="in every model, as declared; compare with the results without it",
            )
