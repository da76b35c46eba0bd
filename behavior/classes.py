"""Susceptible or resilient: the default rule and the named variants of the field, for defeated mice only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CLASS_RULES", "ClassOptions", "ClassRule", "classify", "control_cuts"]

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

MIN_CONTROLS = 3


@dataclass(frozen=True, kw_only=True)
class ClassOptions:
    """Cuts of the class rules.

    Parameters
    ----------
    cut
        SI ratio below which a mouse is susceptible.
    resilient_min_s
        Rule ``target_60s``: a resilient mouse also spends at least so long in the zone with target.
    velocity_drop_cm_s
        Rule ``velocity``: a velocity drop (without minus with target) below this makes a mouse susceptible too.
    control_sd
        Rule ``control_cut``: the cut is the controls' mean SI ratio minus so many of their standard deviations.
    cohort_controls
        Rule ``control_cut``: cohorts with at least so many controls of a sex have their own cut; null = never.
    indeterminate_low, indeterminate_high
        Rule ``band``: SI ratios from the first to the second, both included, are indeterminate.
    """

    cut: float = 1.0
    resilient_min_s: float = 60.0
    velocity_drop_cm_s: float = 1.5
    control_sd: float = 1.0
    cohort_controls: int | None = 8
    indeterminate_low: float = 0.9
    indeterminate_high: float = 1.1

    def __post_init__(self) -> None:
        if not self.cut > 0:
            raise ValueError(f"cut must be an SI ratio above 0, not {self.cut}")
        if not 0 <= self.indeterminate_low <= self.indeterminate_high:
            low, high = self.indeterminate_low, self.indeterminate_high
            raise ValueError(f"indeterminate_low ({low}) must not be above indeterminate_high ({high})")
        if not self.control_sd >= 0 or not self.resilient_min_s >= 0:
            raise ValueError("control_sd and resilient_min_s must be 0 or more")
        if self.cohort_controls is not None and self.cohort_controls < MIN_CONTROLS:
            raise ValueError(f"cohort_controls must be at least {MIN_CONTROLS}, not {self.cohort_controls}")


@dataclass(frozen=True)
class ClassRule:
    """One rule.

    Parameters
    ----------
    description
        What it says, for the report.
    needs
        Columns of the animals table without which it cannot decide.
    decide
        Function of the table and the options that gives a class for each row that has these columns.
    """

    description: str
    needs: tuple[str, ...]
    decide: Callable[[pd.DataFrame, ClassOptions], Texts]


def _by_ratio(table: pd.DataFrame, options: ClassOptions) -> Texts:
    return np.where(table["si_ratio"] < options.cut, "SUS", "RES").astype(object)


def _target_60s(table: pd.DataFrame, options: ClassOptions) -> Texts:
    enough = np.where(table["iz_target_s"] >= options.resilient_min_s, "RES", "unclassified")
    return np.where(table["si_ratio"] < options.cut, "SUS", enough).astype(object)


def _velocity(table: pd.DataFrame, options: ClassOptions) -> Texts:
    avoids = table["si_ratio"] < options.cut
    return np.where(avoids | (table["velocity_drop_cm_s"] < options.velocity_drop_cm_s), "SUS", "RES").astype(object)


def _control_cut(table: pd.DataFrame, options: ClassOptions) -> Texts:
    return np.where(table["si_ratio"] < table["control_cut"], "SUS", "RES").astype(object)


def _band(table: pd.DataFrame, options: ClassOptions) -> Texts:
    ratio = table["si_ratio"]
    outside = np.where(ratio < options.indeterminate_low, "SUS", "RES")
    between = (ratio >= options.indeterminate_low) & (ratio <= options.indeterminate_high)
    return np.where(between, "indeterminate", outside).astype(object)


def _distance(table: pd.DataFrame, options: ClassOptions) -> Texts:
    return np.where(table["distance_ratio"] < 1, "RES", "SUS").astype(object)


#: Name of the rule to the rule; ``ratio`` fills the column ``class``, the others ``class_<name>``.
CLASS_RULES: dict[str, ClassRule] = {
    "ratio": ClassRule("susceptible: SI ratio below the cut (1)", ("si_ratio",), _by_ratio),
    "target_60s": ClassRule(
        "resilient only with at least 60 s in the zone with target; others with SI >= 1 are unclassified",
        ("si_ratio", "iz_target_s"),
        _target_60s,
    ),
    "velocity": ClassRule(
        "susceptible: SI ratio below 1, or velocity drop below 1.5 cm/s", ("si_ratio", "velocity_drop_cm_s"), _velocity
    ),
    "control_cut": ClassRule(
        "susceptible: SI ratio below the controls' mean minus one SD, per sex",
        ("si_ratio", "control_cut"),
        _control_cut,
    ),
    "band": ClassRule("indeterminate: SI ratio 0.9 to 1.1", ("si_ratio",), _band),
    "distance": ClassRule(
        "resilient: nearer to the box's wall with target than without (distance ratio below 1)",
        ("distance_ratio",),
        _distance,
    ),
}


def classify(table: pd.DataFrame, rule: str, *, options: ClassOptions | None = None) -> Texts:
    """Classes by one rule; '' for mice that are not defeated, are excluded, or lack what the rule needs.

    Parameters
    ----------
    table
        Animals table with ``role``, ``excluded`` and the columns that the rule needs (`CLASS_RULES`).
    rule
        Name of the rule.

    Raises
    ------
    ValueError
        If there is no such rule.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"role": ["defeated", "defeated", "control"], "excluded": "", "si_ratio": [0.4, 1.0, 0.4]})
    >>> classify(table, "ratio").tolist()
    ['SUS', 'RES', '']
    """
    if rule not in CLASS_RULES:
        raise ValueError(f"unknown class rule {rule!r}; known: {', '.join(CLASS_RULES)}")
    chosen = CLASS_RULES[rule]
    known = table[list(chosen.needs)].notna().all(axis=1)
    eligible = ((table["role"] == "defeated") & (table["excluded"] == "") & known).to_numpy()
    classes: Texts = np.full(len(table), "", dtype=object)
    classes[eligible] = chosen.decide(table[eligible], options or ClassOptions())
    return classes


def control_cuts(table: pd.DataFrame, *, options: ClassOptions | None = None) -> Floats:
    """Each row's cut from the controls of its sex: mean SI ratio minus ``control_sd`` standard deviations.

    Controls of all cohorts count together, unless a cohort has ``cohort_controls`` or more of that sex. Excluded
    controls do not count. NaN where there are fewer than three.

    Parameters
    ----------
    table
        Animals table with ``role, excluded, sex, cohort, si_ratio``.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"role": ["control"] * 3, "excluded": "", "sex": "M", "cohort": "", "si_ratio": [1, 2, 3]})
    >>> control_cuts(table).tolist()
    [1.0, 1.0, 1.0]
    """
    options = options or ClassOptions()
    counts = (table["role"] == "control") & (table["excluded"] == "") & table["si_ratio"].notna()
    cuts = np.full(len(table), np.nan)
    for sex in table["sex"].unique():
        same_sex = (table["sex"] == sex).to_numpy()
        cuts[same_sex] = _cut(table.loc[counts & same_sex, "si_ratio"], options)
        for cohort in table.loc[same_sex, "cohort"].unique():
            here = same_sex & (table["cohort"] == cohort).to_numpy()
            controls = table.loc[counts & here, "si_ratio"]
            if options.cohort_controls is not None and len(controls) >= options.cohort_controls:
                cuts[here] = _cut(controls, options)
    return cuts


def _cut(controls: pd.Series[float], options: ClassOptions) -> float:
    if len(controls) < MIN_CONTROLS:
        return float("nan")
    return float(controls.mean() - options.control_sd * controls.std(ddof=1))
