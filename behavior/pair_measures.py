"""Scores that compare the target with the no-target trial of the same mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from behavior.columns import Column, combine, ratio
from behavior.reasons import parse_note
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TRIALS", "measure_pairs", "numbers"]

TRIALS = ("no_target", "target")

#: Measures of a trial that are shown for both trials: name in the trials table, name in the animals table.
SHOWN = (
    ("iz_entries", "iz_entries_{}"),
    ("iz_latency_s", "iz_latency_{}_s"),
    ("corner_entries", "corner_entries_{}"),
    ("distance_cm", "distance_{}_cm"),
    ("distance_raw_cm", "distance_raw_{}_cm"),
    ("immobile_percent", "immobile_{}_percent"),
    ("enclosure_distance_cm", "enclosure_distance_{}_cm"),
    ("box_wall_distance_cm", "box_wall_distance_{}_cm"),
    ("box_heading_deg", "box_heading_{}_deg"),
    ("lost_percent", "lost_{}_percent"),
)


def measure_pairs(trials: pd.DataFrame, subjects: Sequence[str]) -> dict[str, Column]:
    """Scores per mouse, by column name of the animals table, each missing value with its reason.

    With NT and T for the share of the observed time in the interaction zone without and with target:
    ``si_ratio`` T / NT; ``si_difference_s`` T - NT in s; ``si_index`` (T - NT) / (T + NT); ``si_target_share``
    T / (T + NT); ``log_si`` ln(T / NT); ``corner_ratio`` the same ratio for the corners; ``velocity_drop_cm_s`` NT - T.
    ``distance_ratio`` is D(T) / D(NT), D the mean distance of the centre to the middle of the box's wall, and
    ``engagement_index`` [T / (T + NT)] / [D(T) / (D(T) + D(NT))]. ``si_narrow``, ``si_wide``, ``si_first_120_s`` and
    ``si_nose`` are the SI ratio with the zone's margin 2 cm less and more, in the first 120 s, and of the nose.

    Parameters
    ----------
    trials
        Checked trials table, one row per subject and trial.
    subjects
        Subjects in the order wanted.

    Examples
    --------
    >>> import pandas as pd
    >>> trials = pd.DataFrame({"subject": ["a", "a"], "trial": ["no_target", "target"], "iz_s": [0.0, 40.0]})
    >>> pairs = measure_pairs(trials, ["a"])
    >>> pairs["si_ratio"].reasons.tolist(), pairs["si_difference_s"].values.tolist()
    (['zero_without_target'], [40.0])
    """
    pick = _Picker(trials, subjects)
    without, target = (pick(trial, "iz_s") for trial in TRIALS)
    share_without, share_target = (_share(pick, trial) for trial in TRIALS)
    columns = {"iz_no_target_s": without, "iz_target_s": target}
    columns["si_ratio"] = ratio(share_target, share_without, reason="zero_without_target")
    columns["si_difference_s"] = combine(np.subtract, target, without)
    both = combine(np.add, share_target, share_without)
    difference = combine(np.subtract, share_target, share_without)
    columns["si_index"] = ratio(difference, both, reason="zero_in_both")
    columns["si_target_share"] = ratio(share_target, both, reason="zero_in_both")
    positive = columns["si_ratio"].where_missing(columns["si_ratio"].values == 0, "zero_with_target")
    columns["log_si"] = combine(np.log, positive)
    columns |= _both_trials(pick, "corner_s", "corner_{}_s")
    columns["corner_ratio"] = ratio(
        columns["corner_target_s"], columns["corner_no_target_s"], reason="zero_without_target"
    )
    columns |= _both_trials(pick, "velocity_cm_s", "velocity_{}_cm_s")
    columns["velocity_drop_cm_s"] = combine(
        np.subtract, columns["velocity_no_target_cm_s"], columns["velocity_target_cm_s"]
    )
    for name, shown in SHOWN:
        columns |= _both_trials(pick, name, shown)
    return columns | _engagement(columns) | _robustness(pick)


def _both_trials(pick: _Picker, name: str, shown: str) -> dict[str, Column]:
    return {shown.format(trial): pick(trial, name) for trial in TRIALS}


def _share(pick: _Picker, trial: str) -> Column:
    """Share of the observed time in the zone; seconds, where the table does not say of how many."""
    if pick.has("iz_share"):
        return pick(trial, "iz_share")
    seconds = pick(trial, "iz_s")
    return ratio(seconds, pick(trial, "window_s"), reason="not_measured") if pick.has("window_s") else seconds


def _engagement(columns: dict[str, Column]) -> dict[str, Column]:
    far_without, far_target = columns["box_wall_distance_no_target_cm"], columns["box_wall_distance_target_cm"]
    far_share = ratio(far_target, combine(np.add, far_target, far_without), reason="zero_in_both")
    return {
        "distance_ratio": ratio(far_target, far_without, reason="zero_without_target"),
        "engagement_index": ratio(columns["si_target_share"], far_share, reason="zero_with_target"),
    }


def _robustness(pick: _Picker) -> dict[str, Column]:
    names = {
        "si_narrow": "iz_narrow_s",
        "si_wide": "iz_wide_s",
        "si_first_120_s": "iz_first_120_s",
        "si_nose": "iz_nose_s",
    }
    return {
        shown: ratio(pick("target", name), pick("no_target", name), reason="zero_without_target")
        for shown, name in names.items()
    }


class _Picker:
    """Values of one trial by subject; a missing value's reason is looked up in the trial's note."""

    def __init__(self, trials: pd.DataFrame, subjects: Sequence[str]) -> None:
        self._columns = set(trials.columns)
        self._of_trial = {
            trial: trials[trials["trial"] == trial].set_index("subject").reindex(list(subjects)) for trial in TRIALS
        }
        listed = {trial: set(trials.loc[trials["trial"] == trial, "subject"]) for trial in TRIALS}
        self._present = {trial: [name in names for name in subjects] for trial, names in listed.items()}
        self._why = {trial: [_reason_by_column(row) for row in self._rows(trial)] for trial in TRIALS}

    def _rows(self, trial: str) -> list[str]:
        if "note" not in self._columns:
            return [""] * len(self._of_trial[trial])
        return [note if isinstance(note, str) else "" for note in self._of_trial[trial]["note"]]

    def has(self, name: str) -> bool:
        return name in self._columns

    def __call__(self, trial: str, name: str) -> Column:
        size = len(self._of_trial[trial])
        values = np.full(size, np.nan)
        if name in self._columns:
            values = numbers(self._of_trial[trial], name)
        reasons = np.full(size, "", dtype=object)
        for place in np.flatnonzero(np.isnan(values)):
            known = self._why[trial][place].get(name, "not_measured")
            reasons[place] = known if self._present[trial][place] else "trial_missing"
        return Column(values, reasons)


def numbers(trials: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """A column of the trials table as numbers, NaN where empty.

    Raises
    ------
    InputError
        If a cell is text, or infinite.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers(pd.DataFrame({"iz_s": ["1.5", None]}), "iz_s").tolist()
    [1.5, nan]
    """
    try:
        values = np.array(trials[name].astype(float), dtype=np.float64)
    except (TypeError, ValueError) as error:
        where = f"trials table, column {name}"
        raise InputError("a value is not a number", where=where, found=str(error), expected="numbers") from error
    if np.isinf(values).any():
        raise InputError("a value is infinite", where=f"trials table, column {name}", expected="numbers or empty cells")
    return values


def _reason_by_column(note: str) -> dict[str, str]:
    return {column: reason for reason, columns in parse_note(note).items() for column in columns}
