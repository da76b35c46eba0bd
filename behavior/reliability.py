"""How far a score repeats itself: odd against even bins of the same trials, correlated over mice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["half_scores", "split_half"]

Floats = NDArray[np.float64]

MIN_SUBJECTS = 3

METHOD = "Pearson r of odd and even bins, stepped up (Spearman-Brown); interval: Fisher z"

#: Score of one trial from sums over bins.
TRIAL_SCORES: dict[str, Callable[[pd.DataFrame], pd.Series[float]]] = {
    "iz_share": lambda sums: sums["iz_raw_s"] / sums["observed_s"],
    "corner_share": lambda sums: sums["corner_raw_s"] / sums["observed_s"],
    "velocity_cm_s": lambda sums: sums["distance_cm"] / sums["observed_s"],
    "immobile_share": lambda sums: sums["immobile_raw_s"] / sums["observed_s"],
    "enclosure_distance_cm": lambda sums: sums["distance_seconds"] / sums["observed_s"],
}


def half_scores(bins: pd.DataFrame) -> pd.DataFrame:
    """Scores of each mouse from its odd and from its even bins.

    Parameters
    ----------
    bins
        Time courses: ``subject, trial, bin`` and the sums that `behavior.trial_measures.measure_trial` gives per bin.

    Returns
    -------
    DataFrame
        Rows ``subject`` and ``half`` (odd, even); columns ``<score>_no_target``, ``<score>_target`` and the scores of
        both trials ``si_ratio, si_difference_s, si_index, corner_ratio, velocity_drop_cm_s``. NaN where a half was not
        observed or a ratio has 0 below.
    """
    import pandas as pd

    work = bins.assign(
        half=np.where(bins["bin"] % 2 == 1, "odd", "even"),
        distance_seconds=(bins["enclosure_distance_cm"] * bins["observed_s"]).fillna(0.0),
    )
    sums = work.groupby(["subject", "half", "trial"])[
        ["observed_s", "scored_s", "iz_raw_s", "corner_raw_s", "distance_cm", "immobile_raw_s", "distance_seconds"]
    ].sum()
    # Nothing observed leaves 0/0, which is NaN as it should be.
    scores = pd.DataFrame({name: function(sums) for name, function in TRIAL_SCORES.items()})
    of_trial = {
        trial: scores[scores.index.get_level_values("trial") == trial].droplevel("trial")
        for trial in ("no_target", "target")
    }
    mice = sums.reset_index("trial").index.unique()
    wide = pd.DataFrame(
        {f"{name}_{trial}": table[name].reindex(mice) for trial, table in of_trial.items() for name in TRIAL_SCORES}
    )
    window = work.groupby("subject")["scored_s"].sum().max() if len(work) else 0.0
    return _with_pair_scores(wide, float(window) / 2)


def _with_pair_scores(wide: pd.DataFrame, window_s: float) -> pd.DataFrame:
    without, target = wide["iz_share_no_target"], wide["iz_share_target"]
    both = without + target
    corner = wide["corner_share_no_target"]
    return wide.assign(
        si_ratio=target / without.where(without > 0),
        si_difference_s=(target - without) * window_s,
        si_index=(target - without) / both.where(both > 0),
        corner_ratio=wide["corner_share_target"] / corner.where(corner > 0),
        velocity_drop_cm_s=wide["velocity_cm_s_no_target"] - wide["velocity_cm_s_target"],
    )


def split_half(bins: pd.DataFrame, *, animals: pd.DataFrame) -> pd.DataFrame:
    """Split-half reliability of each score: correlation over mice of odd with even bins, stepped up.

    The Pearson correlation r of the two halves is that of a test of half the length; the reliability of the whole is
    2 r / (1 + r) (Spearman 1910, doi:10.1111/j.2044-8295.1910.tb00206.x; Brown 1910,
    doi:10.1111/j.2044-8295.1910.tb00207.x). Its interval (95 %) steps up that of r (Fisher z, four mice or more); a
    lower end below 0 stands as 0.

    Parameters
    ----------
    bins
        Time courses of all trials, as for `half_scores`.
    animals
        ``subject, role, cohort, excluded``; excluded mice do not count.

    Returns
    -------
    DataFrame
        ``score, subset, n, r, reliability, ci_low, ci_high, method, note``; subsets are ``all``, each role, and each
        cohort.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [{"subject": s, "trial": t, "bin": b, "scored_s": 10.0, "observed_s": 10.0, "iz_raw_s": float(x),
    ...          "corner_raw_s": 1.0, "distance_cm": 50.0, "immobile_raw_s": 0.0, "enclosure_distance_cm": 12.0}
    ...         for s, x in (("a", 2), ("b", 4), ("c", 6)) for t in ("no_target", "target") for b in (1, 2)]
    >>> animals = pd.DataFrame({"subject": ["a", "b", "c"], "role": "control", "cohort": "1", "excluded": ""})
    >>> table = split_half(pd.DataFrame(rows), animals=animals)
    >>> table.loc[table["score"] == "iz_share_target", "reliability"].round(9).tolist()
    [1.0, 1.0, 1.0]
    """
    import pandas as pd

    columns = ["score", "subset", "n", "r", "reliability", "ci_low", "ci_high", "method", "note"]
    if len(bins) == 0:
        return pd.DataFrame(columns=columns)
    scores = half_scores(bins)
    kept = animals[(animals["excluded"] == "") & animals["subject"].isin(set(bins["subject"]))]
    rows = []
    for subset, subjects in _subsets(kept):
        for name in scores:
            halves = scores[name].unstack("half").reindex(subjects)
            both = halves.reindex(columns=["odd", "even"]).dropna().to_numpy(dtype=float)
            rows.append({"score": name, "subset": subset, "n": len(both), "method": METHOD, **_reliability(both)})
    return pd.DataFrame(rows, columns=columns)


def _subsets(animals: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    yield "all", animals["subject"].tolist()
    for column in ("role", "cohort"):
        for value in sorted(set(animals[column]) - {""}):
            yield f"{column} {value}", animals.loc[animals[column] == value, "subject"].tolist()


def _reliability(halves: Floats) -> dict[str, object]:
    nan = float("nan")
    if len(halves) < MIN_SUBJECTS:
        return {"r": nan, "reliability": nan, "note": "fewer than three mice"}
    if any(np.ptp(half) <= 1e-12 * np.abs(half).max() for half in halves.T):
        return {"r": nan, "reliability": nan, "note": "all mice have the same value"}
    odd, even = (half - half.mean() for half in halves.T)
    r = float(odd @ even / np.sqrt((odd @ odd) * (even @ even)))
    if r <= 0:
        return {"r": r, "reliability": nan, "note": "the halves do not go together; no reliability to step up"}
    low, high = _stepped_up_interval(r, len(halves))
    return {"r": r, "reliability": 2 * r / (1 + r), "ci_low": low, "ci_high": high, "note": ""}


def _stepped_up_interval(r: float, n: int) -> tuple[float, float]:
    """Interval (95 %) of the reliability from that of r; NaN with three mice."""
    if n < 4:
        return float("nan"), float("nan")
    if r >= 1 - 1e-15:
        return 1.0, 1.0
    half = 1.959963984540054 / np.sqrt(n - 3)
    low, high = (float(np.tanh(np.arctanh(r) + side * half)) for side in (-1, 1))
    return max(2 * low / (1 + low), 0.0) if low > -1 else 0.0, 2 * high / (1 + high)
