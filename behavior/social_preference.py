"""Two targets at once, of the attackers' strain and of another: avoidance of one, of both or of neither."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.assay import AssayScore, States, score_assay
from behavior.calibration import Arena
from behavior.columns import Column, ratio
from behavior.kinematics import Movement
from behavior.pair_measures import TRIALS, numbers
from behavior.reasons import Notes
from behavior.samples import Samples
from behavior.score_options import ScoreOptions
from behavior.trial_measures import in_zone
from core.errors import InputError
from core.labels import duplicated

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["PreferenceOptions", "classify_preference", "score_preference_animals", "score_preference_trial"]


@dataclass(frozen=True, kw_only=True)
class PreferenceOptions:
    """How a mouse is said to avoid a target.

    Parameters
    ----------
    cut
        It avoids a target if the ratio of the times in that target's zone, with to without target, is below this.
    """

    cut: float = 1.0

    def __post_init__(self) -> None:
        if not self.cut > 0:
            raise ValueError(f"cut must be above 0, not {self.cut}")


def score_preference_trial(
    tracks: xr.Dataset,
    arena: Arena,
    *,
    threat: int,
    start_s: float | None = None,
    end_s: float | None = None,
    options: ScoreOptions | None = None,
) -> AssayScore:
    """Scores one trial with two enclosures.

    States are ``threat`` and ``safe``, the zones of the enclosure that holds (or, in the trial without targets, will
    hold) the mouse of the attackers' strain, and of the other. Added is ``preference_index``, (safe - threat) / (safe +
    threat) of the times.

    Parameters
    ----------
    tracks
        Tracks of the recording.
    arena
        `behavior.templates.two_target_box`, or `three_chambers` with target zones, placed.
    threat
        Which enclosure, 1 or 2, is the threat's.
    start_s, end_s
        Where the trial begins and ends in the recording; None = at the release, and with the window.
    options
        Scoring options.

    Raises
    ------
    ValueError
        If ``threat`` is neither 1 nor 2.
    """
    if threat not in (1, 2):
        raise ValueError(f"threat must be 1 or 2, not {threat}")
    zones = {"threat": f"target_{threat}", "safe": f"target_{3 - threat}"}

    def states(samples: Samples) -> States:
        return {name: in_zone(samples, arena, zone) for name, zone in zones.items()}

    def added(samples: Samples, movement: Movement, states: States, notes: Notes) -> dict[str, Any]:
        threat_s, safe_s = (float(samples.duration_s[states[name]].sum()) for name in ("threat", "safe"))
        if threat_s + safe_s == 0:
            notes.add("zero_in_both", "preference_index")
            return {"preference_index": float("nan")}
        return {"preference_index": (safe_s - threat_s) / (safe_s + threat_s)}

    return score_assay(
        tracks,
        arena,
        states_of=states,
        added=added,
        names=("threat", "safe"),
        added_names=("preference_index",),
        start_s=start_s,
        end_s=end_s,
        options=options,
    )


def score_preference_animals(
    trials: pd.DataFrame,
    *,
    roles: Mapping[str, Iterable[str]],
    groups: Mapping[str, str],
    options: PreferenceOptions | None = None,
) -> pd.DataFrame:
    """Ratios to both targets of each mouse, and its class.

    Parameters
    ----------
    trials
        One row per subject and trial (``no_target``, ``target``) with ``threat_share`` and ``safe_share``.
    roles
        Role to the groups that have it.
    groups
        Subject to group.

    Returns
    -------
    DataFrame
        ``subject, group, role, threat_ratio, safe_ratio, class_preference, class_threat_safety, note``, sorted by
        subject.

    Raises
    ------
    InputError
        If a trial is listed twice.

    Examples
    --------
    >>> import pandas as pd
    >>> trials = pd.DataFrame({"subject": ["a", "a"], "trial": ["no_target", "target"],
    ...                        "threat_share": [0.3, 0.1], "safe_share": [0.3, 0.4]})
    >>> scores = score_preference_animals(trials, roles={"defeated": ["defeat"]}, groups={"a": "defeat"})
    >>> scores[["class_preference", "class_threat_safety"]].to_numpy().tolist()
    [['SUS', 'discriminating avoider']]
    """
    import pandas as pd

    options = options or PreferenceOptions()
    twice = duplicated(f"{row.subject!r}, {row.trial}" for row in trials.itertuples())
    if twice:
        raise InputError("a trial has two scores", where="preference trials table", found=twice[0], expected="one")
    role_of = {group: role for role, names in roles.items() for group in names}
    subjects = sorted(set(trials["subject"].astype(str)))
    columns = {name: _ratio(trials, subjects, name) for name in ("threat", "safe")}
    rows = []
    for place, subject in enumerate(subjects):
        notes = Notes()
        for name, column in columns.items():
            if column.reasons[place] != "":
                notes.add(str(column.reasons[place]), f"{name}_ratio")
        group = groups.get(subject, "")
        values = [float(columns[name].values[place]) for name in ("threat", "safe")]
        defeated = role_of.get(group, "") == "defeated"
        classes = classify_preference(*values, cut=options.cut) if defeated else ("", "")
        rows.append((subject, group, role_of.get(group, ""), *values, *classes, str(notes)))
    names = [
        "subject",
        "group",
        "role",
        "threat_ratio",
        "safe_ratio",
        "class_preference",
        "class_threat_safety",
        "note",
    ]
    return pd.DataFrame(rows, columns=names)


def _ratio(trials: pd.DataFrame, subjects: list[str], name: str) -> Column:
    shares = {}
    for trial in TRIALS:
        own = trials[trials["trial"] == trial]
        known = dict(zip(own["subject"].astype(str), numbers(own, f"{name}_share"), strict=True))
        values = np.array([known.get(subject, np.nan) for subject in subjects])
        missing = ["not_measured" if subject in known else "trial_missing" for subject in subjects]
        reasons = np.where(np.isnan(values), np.array(missing, dtype=object), "").astype(object)
        shares[trial] = Column(values, reasons)
    return ratio(shares["target"], shares["no_target"], reason="zero_without_target")


def classify_preference(threat_ratio: float, safe_ratio: float, *, cut: float = 1.0) -> tuple[str, str]:
    """The class of a defeated mouse in the two vocabularies that are in use.

    Parameters
    ----------
    threat_ratio, safe_ratio
        Time in the zone of the attackers' strain, and of the other, with target over without.
    cut
        A ratio below it is avoidance.

    Returns
    -------
    class_preference
        ``SUS``: avoids the threat alone; ``non-specific avoider``: avoids both; ``RES``: avoids the threat not.
    class_threat_safety
        The same mice as ``discriminating avoider``, ``indiscriminate avoider``, ``non-avoider`` of the social
        threat-safety test (doi:10.3791/65640), which takes the discriminating avoiders to be the resilient ones. The
        two readings differ in what they mean, not in what the mouse did; a report must say which it uses.

    Notes
    -----
    A mouse that avoids the safe target only is ``unclassified`` in both. '' where a ratio is missing.

    Examples
    --------
    >>> classify_preference(0.4, 0.5)
    ('non-specific avoider', 'indiscriminate avoider')
    >>> classify_preference(1.4, 1.5)
    ('RES', 'non-avoider')
    """
    if np.isnan(threat_ratio) or np.isnan(safe_ratio):
        return "", ""
    avoids = threat_ratio < cut, safe_ratio < cut
    return {
        (True, False): ("SUS", "discriminating avoider"),
        (True, True): ("non-specific avoider", "indiscriminate avoider"),
        (False, False): ("RES", "non-avoider"),
        (False, True): ("unclassified", "unclassified"),
    }[avoids]
