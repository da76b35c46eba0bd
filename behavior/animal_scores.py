"""One row per mouse: the no-target and the target trial brought together, exclusions, classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from behavior.classes import CLASS_RULES, MIN_CONTROLS, ClassOptions, classify, control_cuts
from behavior.columns import Column
from behavior.pair_measures import TRIALS, measure_pairs, numbers
from behavior.reasons import Notes, parse_note
from behavior.score_options import ExclusionOptions
from core.errors import InputError
from core.labels import duplicated
from core.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AnimalScores", "score_animals"]

SUBJECT_COLUMNS = ("sex", "strain", "cage", "cohort", "group", "treatment")


@dataclass(frozen=True)
class AnimalScores:
    """The animals table and what needs care.

    Parameters
    ----------
    table
        One row per subject, sorted by id: who it is, measures of both trials, ratios, classes, ``excluded``, ``note``.
    problems
        Missing trials, zero times, exclusions, too few controls.
    """

    table: pd.DataFrame
    problems: list[Problem]


def score_animals(
    trials: pd.DataFrame,
    *,
    subjects: pd.DataFrame,
    roles: Mapping[str, Iterable[str]],
    exclude: ExclusionOptions | None = None,
    classes: ClassOptions | None = None,
    excluded: Mapping[str, str] | None = None,
) -> AnimalScores:
    """Brings the two trials of each mouse together: SI ratio, the other scores, classes.

    Works on the trials table made from recordings as well as on any table of summaries: measures whose columns are not
    there are NaN, with that reason.

    Parameters
    ----------
    trials
        One row per subject and trial (``no_target`` or ``target``), with any of the trial measures, at least ``iz_s``.
    subjects
        One row per subject: ``subject``, and any of ``sex, strain, cage, cohort, group, treatment``.
    roles
        Role (``control``, ``defeated``) to the groups that have it.
    exclude
        Exclusions by score.
    classes
        Cuts of the class rules.
    excluded
        Subject to reason, for exclusions that the experimenter declares (jumped out, wounded).

    Raises
    ------
    InputError
        If a trial is named otherwise, listed twice, or has a time below 0; if a subject is listed twice.
    ValueError
        If a group has two roles.

    Examples
    --------
    >>> import pandas as pd
    >>> trials = pd.DataFrame({"subject": ["a", "a"], "trial": ["no_target", "target"], "iz_s": [50.0, 40.0]})
    >>> subjects = pd.DataFrame({"subject": ["a"], "group": ["defeat"]})
    >>> scores = score_animals(trials, subjects=subjects, roles={"control": ["home"], "defeated": ["defeat"]})
    >>> scores.table[["si_ratio", "class"]].to_numpy().tolist()
    [[0.8, 'SUS']]
    """
    exclude, classes = exclude or ExclusionOptions(), classes or ClassOptions()
    trials = _checked_trials(trials)
    table, problems = _subject_rows(trials, subjects, roles)
    pairs = measure_pairs(trials, table["subject"].tolist())
    for name, column in pairs.items():
        table[name] = column.values
    table["excluded"], found = _exclusions(table, exclude, excluded or {})
    problems += found
    pairs["target_residual_s"], few = _target_residual(table, pairs)
    table["target_residual_s"] = pairs["target_residual_s"].values
    table, few_for_cut = _with_classes(table, pairs, classes)
    problems += _control_problems(few, few_for_cut)
    problems += _pair_problems(table, trials)
    table["note"] = _notes(table, pairs, trials)
    return AnimalScores(table[_in_order(list(table.columns))], problems)


def _in_order(names: list[str]) -> list[str]:
    rest = [name for name in names if name not in ("target_residual_s", "excluded", "note")]
    rest.insert(rest.index("log_si") + 1, "target_residual_s")
    return [*rest, "excluded", "note"]


def _checked_trials(trials: pd.DataFrame) -> pd.DataFrame:
    unknown = sorted(set(trials["trial"]) - set(TRIALS))
    if unknown:
        raise InputError("unknown trial", where="trials table", found=repr(unknown[0]), expected=" or ".join(TRIALS))
    twice = duplicated(f"{row.subject!r}, {row.trial}" for row in trials.itertuples())
    if twice:
        remedy = "rows that are parts of one trial are scored together before"
        raise InputError("a trial has two scores", where="trials table", found=twice[0], expected="one", remedy=remedy)
    for name in ("iz_s", "iz_raw_s", "corner_s", "corner_raw_s"):
        negative = numbers(trials, name) < 0 if name in trials else np.zeros(0)
        if negative.any():
            subject = trials["subject"].to_numpy()[negative][0]
            raise InputError(f"{name} is below 0", where=f"trials table, subject {subject!r}", expected="0 s or more")
    return trials.assign(subject=trials["subject"].astype(str))


def _subject_rows(
    trials: pd.DataFrame, subjects: pd.DataFrame, roles: Mapping[str, Iterable[str]]
) -> tuple[pd.DataFrame, list[Problem]]:
    """Who each subject is; subjects that only the trials table knows are kept, without group, and reported."""
    import pandas as pd

    listed = subjects["subject"].astype(str).tolist()
    twice = duplicated(listed)
    if twice:
        raise InputError("a subject is listed twice", where="subjects table", found=repr(twice[0]), expected="once")
    unknown = sorted(set(trials["subject"]) - set(listed))
    problems = [
        Problem(
            code="unknown_subject", subject=name, message="not in the subjects table", action="scored, without group"
        )
        for name in unknown
    ]
    known = subjects.assign(subject=listed).set_index("subject")
    table = pd.DataFrame({"subject": sorted([*listed, *unknown])})
    for name in SUBJECT_COLUMNS:
        values = known[name].reindex(table["subject"]) if name in known else pd.Series(index=table.index, dtype=object)
        table[name] = values.astype(object).where(values.notna(), "").astype(str).to_numpy()
    role_of = _role_of_group(roles)
    table.insert(list(table.columns).index("group") + 1, "role", [role_of.get(group, "") for group in table["group"]])
    return table, problems


def _role_of_group(roles: Mapping[str, Iterable[str]]) -> dict[str, str]:
    role_of: dict[str, str] = {}
    for role, groups in roles.items():
        for group in groups:
            if role_of.get(group, role) != role:
                raise ValueError(f"group {group!r} has two roles: {role_of[group]} and {role}")
            role_of[group] = role
    return role_of


def _exclusions(
    table: pd.DataFrame, rules: ExclusionOptions, declared: Mapping[str, str]
) -> tuple[list[str], list[Problem]]:
    """Reasons for which each subject is set aside, joined by '; ', and a Problem for each."""
    without, target, ratio = table["iz_no_target_s"], table["iz_target_s"], table["si_ratio"]
    lost = table[["lost_no_target_percent", "lost_target_percent"]].max(axis=1)
    off = np.zeros(len(table), dtype=bool)
    zero = ((without == 0) | (target == 0)).to_numpy() if rules.zero_zone_time else off
    high = (ratio >= rules.ratio_from).to_numpy() if rules.ratio_from is not None else off
    unseen = (lost > rules.lost_above_percent).to_numpy() if rules.lost_above_percent is not None else off
    reasons, problems = [], []
    for place, subject in enumerate(table["subject"]):
        found = [("subject_excluded", declared[subject])] if subject in declared else []
        if zero[place]:
            times = f"{without[place]:.2f} s without and {target[place]:.2f} s with target"
            found.append(("zero_zone_time", f"{times} in the interaction zone"))
        if high[place]:
            found.append(("ratio_above_limit", f"SI ratio {ratio[place]:.3f}, limit {rules.ratio_from:g}"))
        if unseen[place]:
            message = f"not seen in {lost[place]:.1f} % of a trial, limit {rules.lost_above_percent:g} %"
            found.append(("lost_excluded", message))
        problems += [
            Problem(code=code, subject=subject, message=message, action="excluded; numbers kept in the table")
            for code, message in found
        ]
        reasons.append("; ".join(code if code != "subject_excluded" else message for code, message in found))
    return reasons, problems


def _target_residual(table: pd.DataFrame, pairs: Mapping[str, Column]) -> tuple[Column, list[str]]:
    """Target time beyond what the controls of the same sex lead one to expect from the time without target.

    The expectation is the least-squares line through the controls' times.
    """
    without, target = pairs["iz_no_target_s"], pairs["iz_target_s"]
    values = np.full(len(table), np.nan)
    reasons = np.where(without.reasons != "", without.reasons, target.reasons)
    known = reasons == ""
    controls = known & (table["role"] == "control").to_numpy() & (table["excluded"] == "").to_numpy()
    few = []
    for sex in table["sex"].unique():
        here = known & (table["sex"] == sex).to_numpy()
        x, y = without.values[here & controls], target.values[here & controls]
        if len(x) < MIN_CONTROLS:
            reasons[here] = "few_controls"
            few.append(str(sex))
        elif np.ptp(x) == 0:
            reasons[here] = "controls_do_not_vary"
        else:
            slope = float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))
            values[here] = target.values[here] - y.mean() - slope * (without.values[here] - x.mean())
    return Column(values, reasons), few


def _with_classes(
    table: pd.DataFrame, pairs: dict[str, Column], options: ClassOptions
) -> tuple[pd.DataFrame, list[str]]:
    cuts = control_cuts(table, options=options)
    missing = np.isnan(cuts)
    pairs["control_cut"] = Column(cuts, np.where(missing, "few_controls", "").astype(object))
    table["control_cut"] = cuts
    defeated = (table["role"] == "defeated").to_numpy()
    few = sorted(set(table.loc[missing & defeated, "sex"]))
    for rule in CLASS_RULES:
        table["class" if rule == "ratio" else f"class_{rule}"] = classify(table, rule, options=options)
    return table, few


def _control_problems(few_for_slope: list[str], few_for_cut: list[str]) -> list[Problem]:
    def problem(sex: str, what: str, action: str) -> Problem:
        group = f"sex {sex!r}" if sex else "subjects without a sex"
        return Problem(
            code="few_controls", where=group, message=f"fewer than {MIN_CONTROLS} controls for {what}", action=action
        )

    return [problem(sex, "the slope of target time", "target_residual_s is empty") for sex in few_for_slope] + [
        problem(sex, "the control cut-off", "class_control_cut is empty") for sex in few_for_cut
    ]


def _pair_problems(table: pd.DataFrame, trials: pd.DataFrame) -> list[Problem]:
    present = set(zip(trials["subject"], trials["trial"], strict=True))
    problems = []
    for subject, without, target in zip(
        table["subject"].tolist(), table["iz_no_target_s"].tolist(), table["iz_target_s"].tolist(), strict=True
    ):
        missing = [trial for trial in TRIALS if (subject, trial) not in present]
        if missing:
            message = f"no {' and no '.join(name.replace('_', '-') for name in missing)} trial"
            code, action = "trial_missing", "no SI ratio"
        elif without == 0:
            message = f"0 s in the interaction zone without target, {target:.2f} s with it"
            code, action = "no_target_time_zero", "SI ratio is empty; no class"
        elif target == 0:
            message = f"0 s in the interaction zone with target, {without:.2f} s without it"
            code, action = "target_time_zero", "SI ratio is 0, flagged"
        else:
            continue
        problems.append(Problem(code=code, subject=subject, message=message, action=action))
    return problems


def _notes(table: pd.DataFrame, pairs: Mapping[str, Column], trials: pd.DataFrame) -> list[str]:
    """Reason of each empty number, then remarks on the row and its trials."""
    notes = [Notes() for _ in range(len(table))]
    for name in table.columns:
        if name in pairs:
            for place in np.flatnonzero(pairs[name].reasons != ""):
                notes[place].add(str(pairs[name].reasons[place]), name)
    _add_zero_flags(notes, pairs)
    if "note" in trials:
        place_of = {subject: place for place, subject in enumerate(table["subject"])}
        for subject, note in zip(trials["subject"], trials["note"].fillna("").astype(str), strict=True):
            for reason, columns in parse_note(note).items():
                if not columns:
                    notes[place_of[subject]].add(reason)
    return [str(note) for note in notes]


def _add_zero_flags(notes: list[Notes], pairs: Mapping[str, Column]) -> None:
    """Values that stand, but rest on a zero."""
    zero_target: NDArray[np.bool_] = (pairs["si_ratio"].values == 0) | (pairs["corner_ratio"].values == 0)
    for place in np.flatnonzero(zero_target):
        notes[place].add("zero_with_target")
    lone_zero = (pairs["iz_no_target_s"].values == 0) & (pairs["engagement_index"].reasons == "")
    for place in np.flatnonzero(lone_zero):
        notes[place].add("zero_without_target", "engagement_index")
