"""The tables a laboratory keeps (subjects, trials, samples, outcomes, records), read, checked, given our names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from configs.columns import PEOPLE_SAMPLES, SERUM_SAMPLES, Column
from configs.faults import Fault, listed, raise_faults, suggestion
from configs.record_tables import mediator_problems, record_rows, sum_up
from configs.schema import Experiment
from configs.subjects_table import subject_rows
from configs.table_rows import Rows, blank_cells, read_rows, repeated_ids, unknown_subjects
from configs.trials_table import trial_rows
from core.errors import InputError
from core.labels import similar_id_problems
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Tables", "read_outcomes", "read_serum_samples", "read_subjects", "read_tables", "read_trials"]


@dataclass(frozen=True, kw_only=True)
class Tables:
    """All tables of an experiment.

    Parameters
    ----------
    subjects
        One row per subject: ``subject, group``, those of ``sex, strain, cage, cohort, treatment, si_date`` that the
        file has, further columns (covariates), ``exclude`` (reason or blank), ``role`` (control, defeated or blank).
    trials
        One row per subject and trial: ``subject, trial`` (no_target or target), ``file, start_s, end_s, arena``, and
        ``recorded`` where the file has it.
    serum_samples
        One row per sample: ``sample, subject``, and ``bleed, plate, well, type`` where the file has them.
    outcomes
        ``subject`` and the declared outcomes by their names in the config, numbers.
    people_samples
        One row per sample of people's serum: ``sample, subject, group, drug, time`` and the covariates.
    records
        What the hand-kept records sum up to, one row per subject: ``subject`` and the columns of
        :data:`behavior.record_sums.RECORD_SUMS`.
    problems
        What is odd but no error.
    rows
        The same tables by name, with the line of each row.
    """

    subjects: pd.DataFrame
    trials: pd.DataFrame | None = None
    serum_samples: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    people_samples: pd.DataFrame | None = None
    records: pd.DataFrame | None = None
    problems: list[Problem] = field(default_factory=list)
    rows: Mapping[str, Rows] = field(default_factory=dict, repr=False)

    @property
    def subjects_with_records(self) -> pd.DataFrame:
        """The subjects table with the sums of the hand-kept records as further columns."""
        if self.records is None:
            return self.subjects
        return self.subjects.merge(self.records, on="subject", how="left", validate="one_to_one")


def read_tables(experiment: Experiment) -> Tables:
    """Every table that the experiment names.

    Raises
    ------
    ConfigError
        One error with every mistake in every table: file, line, column, found, expected.
    """
    faults: list[Fault] = []
    problems: list[Problem] = []
    rows: dict[str, Rows] = {}

    def attempt(name: str, read: Callable[[], tuple[Rows, list[Problem]]]) -> None:
        try:
            rows[name], told = read()
        except InputError as error:
            faults.extend(getattr(error, "faults", ()) or [_as_fault(error)])
        else:
            problems.extend(told)

    attempt("subjects", lambda: subject_rows(experiment))
    known = rows["subjects"].frame["subject"].tolist() if "subjects" in rows else None
    if experiment.behavior is not None:
        attempt("trials", lambda: trial_rows(experiment, known))
    if experiment.serum is not None and experiment.serum.samples is not None:
        attempt("serum_samples", lambda: _serum_samples(experiment))
    if experiment.outcomes is not None:
        attempt("outcomes", lambda: _outcomes(experiment, known))
    if experiment.people is not None:
        attempt("people_samples", lambda: _people_samples(experiment))
    kinds = () if experiment.records is None else tuple(experiment.records.tables)
    for kind in kinds:
        attempt(f"{kind} records", partial(record_rows, experiment, kind, known))
    raise_faults(faults, file=str(experiment.file))
    frames = {name: read.frame for name, read in rows.items() if not name.endswith(" records")}
    if kinds:
        recorded = {kind: rows[f"{kind} records"].frame for kind in kinds}
        frames["records"], told = sum_up(experiment, frames["subjects"], recorded)
        problems += [*told, *mediator_problems(experiment)]
    return Tables(**frames, problems=problems, rows=rows)


def read_subjects(experiment: Experiment) -> pd.DataFrame:
    """The subjects table; see :class:`Tables` for its columns and :func:`read_tables` for the errors."""
    return subject_rows(experiment)[0].frame


def read_trials(experiment: Experiment, subjects: Iterable[str] | None = None) -> pd.DataFrame:
    """The trials table; rows of subjects that are not among ``subjects`` are errors."""
    return trial_rows(experiment, None if subjects is None else list(subjects))[0].frame


def read_serum_samples(experiment: Experiment) -> pd.DataFrame:
    """The table of serum samples."""
    return _serum_samples(experiment)[0].frame


def read_outcomes(experiment: Experiment, subjects: Iterable[str] | None = None) -> pd.DataFrame:
    """The outcomes table; rows of subjects that are not among ``subjects`` are errors."""
    return _outcomes(experiment, None if subjects is None else list(subjects))[0].frame


def _as_fault(error: InputError) -> Fault:
    place = f"{error.where}: " if error.where else ""
    return Fault(
        message=place + error.message,
        file=error.file or "",
        found=error.found,
        expected=error.expected,
        remedy=error.remedy,
    )


def _serum_samples(experiment: Experiment) -> tuple[Rows, list[Problem]]:
    assert experiment.serum is not None
    assert experiment.serum.samples is not None
    table = experiment.serum.samples
    rows = read_rows(experiment, table.file, SERUM_SAMPLES, table.columns, ("serum", "samples"))
    frame = rows.frame
    kinds = frame["type"] if "type" in frame else [""] * len(frame)
    faults = [*rows.faults, *blank_cells(rows, "sample"), *repeated_ids(rows, "sample")]
    faults += [
        rows.fault(
            number,
            "subject",
            f"sample {sample!r} names no subject",
            expected="the subject, or a type other than sample",
        )
        for number, (sample, subject, kind) in enumerate(zip(frame["sample"], frame["subject"], kinds, strict=True))
        if not subject and kind.casefold() in ("", "sample")
    ]
    raise_faults(faults, file=rows.file)
    return rows, similar_id_problems(frame["sample"], file=rows.file, what="sample")


def _people_samples(experiment: Experiment) -> tuple[Rows, list[Problem]]:
    people = experiment.people
    assert people is not None
    rows = read_rows(experiment, people.samples.file, PEOPLE_SAMPLES, people.samples.columns, ("people", "samples"))
    frame = rows.frame
    faults = [*rows.faults, *blank_cells(rows, "sample"), *blank_cells(rows, "subject"), *repeated_ids(rows, "sample")]
    groups = set(frame["group"])
    asked = people.questions
    faults += [
        Fault(
            message=f"no sample is in group {name!r}",
            file=rows.file,
            key="column group",
            found=listed(sorted(groups - {""})),
            remedy=suggestion(name, sorted(groups - {""})),
        )
        for name in (asked.reference, *asked.diseases)
        if name not in groups
    ]
    faults += [
        Fault(message=f"no column {name!r}", file=rows.file, key="people.questions.covariates",
              found=listed(str(column) for column in frame.columns),
              remedy=suggestion(name, [str(column) for column in frame.columns]))
        for name in asked.covariates
        if name not in frame
    ]  # fmt: skip
    raise_faults(faults, file=rows.file)
    for name in ("drug", "time"):
        if name not in frame:
            frame[name] = ""
    return rows, similar_id_problems(frame["sample"], file=rows.file, what="sample")


def _outcomes(experiment: Experiment, known: Sequence[str] | None) -> tuple[Rows, list[Problem]]:
    declared = experiment.outcomes
    assert declared is not None
    columns = [Column(name="subject", kind="id", required=True, help="id, as in the subjects table")]
    columns += [
        Column(name=name, kind="number", required=True, help=outcome.label or name)
        for name, outcome in declared.columns.items()
    ]
    mapping = {"subject": declared.subject} if declared.subject != "subject" else {}
    mapping |= {name: outcome.column for name, outcome in declared.columns.items()}
    rows = read_rows(experiment, declared.file, columns, mapping, ("outcomes",))
    faults = [*rows.faults, *blank_cells(rows, "subject"), *repeated_ids(rows, "subject")]
    if declared.other_subjects == "refuse":
        faults += unknown_subjects(rows, known)
    raise_faults(faults, file=rows.file)
    return Rows(rows.frame[[column.name for column in columns]], rows.lines, rows.file, rows.unit), []
