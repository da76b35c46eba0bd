"""Can serum tell target time, or susceptible from resilient, in a cohort it has not seen. Leave-one-cohort-out.

Scaling, filtering and tuning of the elastic net happen inside the training cohorts. The question is the gain over what
is known without serum (no-target time), and its p comes from permuting the outcome's residuals within cohort. The
predictions of that one continuous model are also asked how well they separate mice of the two classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError
from integration.class_separation import ClassSeparation, class_separation
from integration.elastic_net import elastic_net, ridge, top_strength
from integration.model_terms import complete_rows, model_terms
from integration.outcomes import outcome_named

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from integration.cohort import Cohort

    Matrix = NDArray[np.float64]

__all__ = ["Prediction", "PredictionOptions", "predict_from_serum"]


@dataclass(frozen=True, kw_only=True)
class PredictionOptions:
    """How prediction is done.

    Parameters
    ----------
    outcome
        As in :class:`integration.association.AssociationOptions`; the continuous score keeps more power than classes.
    mixings
        From which each training set chooses by leaving its own cohorts out: 0 is ridge, 1 the lasso, in between the
        elastic net.
    penalties
        Strengths of ridge, in samples per marker.
    strengths
        Strengths of every other mixing, as shares of the least one at which no marker has weight.
    n_permutations
        For p.
    n_bootstrap
        For the interval of r2.
    min_subjects, min_cohorts
        Below these the analysis is refused.
    min_per_class
        Least susceptible and least resilient mice (in cohorts with both) for their separation.
    class_cut
        SI ratio below which a mouse was classed susceptible.
    """

    outcome: str = "target_time"
    mixings: tuple[float, ...] = (0.0, 0.5)
    penalties: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
    strengths: tuple[float, ...] = (0.6, 0.25, 0.1)
    n_permutations: int = 199
    n_bootstrap: int = 2000
    min_subjects: int = 40
    min_cohorts: int = 3
    min_per_class: int = 8
    class_cut: float = 1.0

    def __post_init__(self) -> None:
        if not self.penalties or min(self.penalties) <= 0:
            raise ValueError("penalties must be positive numbers")
        if not self.mixings or not all(0 <= mixing <= 1 for mixing in self.mixings):
            raise ValueError(f"mixings are {self.mixings}; each lies between 0 (ridge) and 1 (lasso)")
        if not self.strengths or not all(0 < share < 1 for share in self.strengths):
            raise ValueError(f"strengths are {self.strengths}; each is a share above 0 and below 1")
        if self.n_permutations < 19:
            raise ValueError("n_permutations must be 19 or more")
        if self.n_bootstrap < 100:
            raise ValueError("n_bootstrap must be 100 or more")
        if self.min_cohorts < 3:
            raise ValueError("min_cohorts must be 3 or more: one is left out, and tuning leaves out another")
        if self.min_per_class < 2:
            raise ValueError("min_per_class must be 2 or more")
        if not self.class_cut > 0:
            raise ValueError("class_cut must be above 0")


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Result of :func:`predict_from_serum`.

    Parameters
    ----------
    n, n_cohorts, n_markers
        Sizes.
    r2
        Share of the outcome's variance within cohorts, beyond its baseline, that serum predicts in unseen cohorts: the
        gain over cohort and baseline alone; below 0 = worse than no serum at all.
    r2_low, r2_high
        Interval (95 %) of r2: mice drawn anew within cohort, each with its prediction from the other cohorts.
    slope
        Calibration: slope of the outcome on its prediction; 1 = neither too bold nor too timid.
    p
        Share of permutations with an r2 at least as high.
    predicted
        ``subject, cohort, outcome, predicted`` (both within cohort and beyond the baseline).
    tuning
        ``left_out, n, mixing, strength, with_weight``: what each training set chose (strength of ridge in samples per
        marker, else as a share of the least at which no marker has weight), and how many markers it gave weight.
    weights
        ``marker, mean_weight, lowest, highest, with_weight, among_largest, training_sets, same_sign``: standardised
        weight over the training sets (outcome units per SD); in how many of them it is not 0, and is one of the ten
        largest; the share of them in which it has the sign of the mean.
    separation
        How well the predictions tell susceptible from resilient mice; None where that is refused.
    separation_refused
        The rule and the number that failed; blank where there is a separation.
    """

    n: int
    n_cohorts: int
    n_markers: int
    r2: float
    r2_low: float
    r2_high: float
    slope: float
    p: float
    n_permutations: int
    predicted: pd.DataFrame
    tuning: pd.DataFrame
    weights: pd.DataFrame
    separation: ClassSeparation | None = None
    separation_refused: str = ""
    label: str = "exploratory"


def predict_from_serum(
    cohort: Cohort,
    *,
    markers: pd.DataFrame,
    options: PredictionOptions = PredictionOptions(),
    role: str = "defeated",
    seed: int | np.random.Generator = 0,
) -> Prediction:
    """Predict an outcome of defeated mice from all markers together, each cohort by the others.

    Outcome and markers are taken relative to their own cohort and, for the outcome, to its baseline (slope from the
    training cohorts): levels differ between cohorts for many reasons, and no model can know a new cohort's level.

    Parameters
    ----------
    cohort
        From :func:`integration.cohort.join_cohort`.
    markers
        Standardised markers by subject (``markers.z`` of :class:`integration.association.Association`); markers with
        a missing value among the analysed mice are left out.
    options
        Outcome, tuning, limits.
    role
        Mice analysed.
    seed
        Of permutations and bootstrap.

    Raises
    ------
    RefusedError
        Below ``min_subjects`` or ``min_cohorts``, or without a complete marker.

    Notes
    -----
    Elastic net (Zou & Hastie 2005, doi:10.1111/j.1467-9868.2005.00503.x) whose mixing, ridge among them, and strength
    are both chosen by leaving the training cohorts out in turn; permuted outcomes are tuned anew. With tens of mice the
    markers that a sparse model selects change from one training set to the next: ``weights`` says in how many of them a
    marker has weight, and none of them is a finding by itself.

    The classes (column ``class``) are not modelled: SUS or RES says less of a mouse than its outcome, and a model of it
    would have less power (Royston et al. 2006, doi:10.1002/sim.2331). The continuous prediction is put into the order
    of the class rule instead; of target time, predicted target time minus ``class_cut`` times the mouse's own no-target
    time, which is above 0 where the ratio is above its cut. The ratio that makes the classes has no-target time in it,
    so the baseline alone separates them by construction: what serum adds is the gain, not the AUC. Its p is that of
    exchanging serum among the mice of a cohort: a permuted outcome keeps its class and its no-target time.
    """
    import pandas as pd

    chosen = outcome_named(options.outcome, cohort.table)
    table = cohort.table[(cohort.table["excluded"] == "") & (cohort.table["role"] == role)]
    table = table[complete_rows(table, [chosen.column, *chosen.baseline, "cohort"])]
    table = table.loc[table.index.isin(markers.index[markers.notna().any(axis=1)])]
    labels = table["cohort"].astype(str).to_numpy(dtype=object)
    levels = sorted(set(labels))
    if len(table) < options.min_subjects or len(levels) < options.min_cohorts:
        raise RefusedError(
            "too few mice or cohorts to predict", found=f"{len(table)} mice of {len(levels)} cohorts",
            expected=f"{options.min_subjects} mice of {options.min_cohorts} cohorts",
        )  # fmt: skip
    kept = markers.loc[table.index].dropna(axis=1)
    if not kept.shape[1]:
        raise RefusedError(
            "no marker has a value in every mouse", found=f"0 of {markers.shape[1]}", expected="1 or more"
        )
    x = _within(kept.to_numpy(dtype=np.float64), labels)
    y = _within(table[[chosen.column]].to_numpy(dtype=np.float64), labels)[:, 0]
    baseline = _within(model_terms(table, chosen.baseline).columns.to_numpy(dtype=np.float64), labels)
    rng = np.random.default_rng(seed)
    outcomes, order = _permuted(y, baseline, labels, options.n_permutations, rng)
    found = _cross_validated(x, outcomes, baseline, labels, options)
    outcome, predicted, r2, null = found.outcome[:, 0], found.predicted[:, 0], float(found.r2[0]), found.r2[1:]
    low, high = _r2_interval(outcome, predicted, labels, options.n_bootstrap, rng)
    separation, refused = _separated(found, order, table, labels, options, rng)
    return Prediction(
        n=len(table), n_cohorts=len(levels), n_markers=kept.shape[1], r2=r2, r2_low=low, r2_high=high,
        slope=float(predicted @ outcome / max(float(predicted @ predicted), 1e-300)),
        p=float((np.sum(null >= r2 - 1e-12) + 1) / (len(null) + 1)), n_permutations=len(null),
        predicted=pd.DataFrame({"subject": table.index, "cohort": labels, "outcome": outcome,
                                "predicted": predicted}),
        tuning=_tuning(found, labels, options), weights=_weights(found, kept.columns),
        separation=separation, separation_refused=refused,
    )  # fmt: skip


#: Outcomes of which the class rule says on which side the resilient mice are: the higher one, all else equal.
_CLASSED_OUTCOMES = ("target_time", "si_ratio", "velocity_drop")


def _separated(
    found: _Validated,
    order: NDArray[np.intp],
    table: pd.DataFrame,
    labels: NDArray[np.object_],
    options: PredictionOptions,
    rng: np.random.Generator,
) -> tuple[ClassSeparation | None, str]:
    """How well the predictions separate the classes, or why that is not said."""
    try:
        if options.outcome not in _CLASSED_OUTCOMES:
            raise RefusedError(
                "the classes say nothing on which side of this outcome resilient mice are", found=options.outcome,
                expected=f"one of {', '.join(_CLASSED_OUTCOMES)}",
            )  # fmt: skip
        given = table["class"] if "class" in table else table["cohort"].map(lambda _: "")
        by_baseline = found.by_baseline[:, 0]
        if options.outcome == "target_time":
            by_baseline = by_baseline - options.class_cut * table["iz_no_target_s"].to_numpy(dtype=np.float64)
        exchanged = _told_of(order[:, 1:], found.predicted[:, 1:])
        return class_separation(
            by_baseline, found.predicted[:, 0], exchanged, classes=given.fillna("").astype(str).to_numpy(dtype=object),
            cohorts=labels, min_per_class=options.min_per_class, n_bootstrap=options.n_bootstrap, rng=rng,
        ), ""  # fmt: skip
    except RefusedError as error:
        return None, str(error)


def _told_of(order: NDArray[np.intp], predicted: Matrix) -> Matrix:
    """What was predicted of each mouse's outcome, by the serum of the mouse to which a permutation gave it.

    Class and no-target time stay with the outcome, so this is the mouse that they are compared with.

    Examples
    --------
    >>> _told_of(np.array([[2], [0], [1]]), np.array([[0.2], [0.0], [0.1]])).tolist()
    [[0.0], [0.1], [0.2]]
    """
    result = np.empty(predicted.shape)
    np.put_along_axis(result, order, predicted, axis=0)
    return result


def _tuning(found: _Validated, labels: NDArray[np.object_], options: PredictionOptions) -> pd.DataFrame:
    """What each training set chose for the outcome as measured."""
    import pandas as pd

    candidates = _candidates(options)
    rows = [
        {"left_out": level, "n": int((labels != level).sum()), "mixing": candidates[best[0]][0],
         "strength": candidates[best[0]][1], "with_weight": int((weight[:, 0] != 0).sum())}
        for level, best, weight in zip(sorted(set(labels)), found.best, found.weights, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _weights(found: _Validated, names: pd.Index) -> pd.DataFrame:
    """Each marker's weight over the training sets."""
    import pandas as pd

    each = np.array(found.weights)[:, :, 0]
    mean = each.mean(axis=0)
    size = np.abs(each)
    tenth = np.sort(size, axis=1)[:, -min(10, size.shape[1])]
    table = pd.DataFrame(
        {"marker": names, "mean_weight": mean, "lowest": each.min(axis=0), "highest": each.max(axis=0),
         "with_weight": (size > 0).sum(axis=0), "among_largest": ((size > 0) & (size >= tenth[:, None])).sum(axis=0),
         "training_sets": len(each), "same_sign": (np.sign(each) == np.sign(mean)).mean(axis=0)}
    )  # fmt: skip
    return table.iloc[np.argsort(-np.abs(mean), kind="stable")].reset_index(drop=True)


def _r2_interval(
    outcome: Matrix, predicted: Matrix, labels: NDArray[np.object_], count: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Interval (95 %) of r2 by drawing mice anew within cohort; the fitted models stay as they are."""
    drawn = np.empty((count, len(labels)), dtype=np.intp)
    for level in sorted(set(labels)):
        own = np.flatnonzero(labels == level)
        drawn[:, own] = own[rng.integers(len(own), size=(count, len(own)))]
    missed = ((outcome - predicted) ** 2)[drawn].sum(axis=1)
    low, high = np.quantile(1 - missed / (outcome**2)[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _within(values: Matrix, labels: NDArray[np.object_]) -> Matrix:
    """Values minus their cohort's mean."""
    result = values.copy()
    for level in set(labels):
        result[labels == level] -= result[labels == level].mean(axis=0)
    return result


@dataclass(frozen=True)
class _Validated:
    """Outcome beyond the baseline, its prediction, and the baseline's part (mice, outcomes); choices, weights."""

    outcome: Matrix
    predicted: Matrix
    by_baseline: Matrix
    best: list[NDArray[np.intp]]
    weights: list[Matrix]

    @property
    def r2(self) -> Matrix:
        missed: Matrix = ((self.outcome - self.predicted) ** 2).sum(axis=0)
        result: Matrix = 1 - missed / (self.outcome**2).sum(axis=0)
        return result


def _cross_validated(
    x: Matrix, y: Matrix, baseline: Matrix, labels: NDArray[np.object_], options: PredictionOptions
) -> _Validated:
    """Predict every column of ``y`` on its own; permuted outcomes share the work on the markers."""
    outcome, predicted, by_baseline = np.empty(y.shape), np.empty(y.shape), np.empty(y.shape)
    chosen, weights = [], []
    for level in sorted(set(labels)):
        test = labels == level
        train = ~test
        rest, slopes = _beyond(y[train], baseline[train])
        by_baseline[test] = baseline[test] @ slopes
        outcome[test] = y[test] - by_baseline[test]
        scale = np.maximum(x[train].std(axis=0), 1e-12)
        inside, outside = x[train] / scale, x[test] / scale
        # With the outcome in SD too, the choice does not hang on its unit: the two parts of the penalty scale unlike.
        spread = np.maximum(rest.std(axis=0), 1e-12)
        best, weight = _tuned(inside, rest / spread, labels[train], options)
        weight = weight * spread
        predicted[test] = outside @ weight
        chosen.append(best)
        weights.append(weight)
    return _Validated(outcome, predicted, by_baseline, chosen, weights)


def _beyond(y: Matrix, baseline: Matrix) -> tuple[Matrix, Matrix]:
    if not baseline.shape[1]:
        return y, np.zeros((0, y.shape[1]))
    slopes: Matrix = np.array(np.linalg.lstsq(baseline, y, rcond=None)[0], dtype=np.float64)
    return y - baseline @ slopes, slopes


def _candidates(options: PredictionOptions) -> list[tuple[float, float]]:
    """Mixing and strength of every candidate, ridge first."""
    ridges = [(0.0, penalty) for penalty in options.penalties if 0.0 in options.mixings]
    return ridges + [(mixing, share) for mixing in options.mixings if mixing > 0 for share in options.strengths]


def _tuned(
    x: Matrix, y: Matrix, labels: NDArray[np.object_], options: PredictionOptions
) -> tuple[NDArray[np.intp], Matrix]:
    """Per outcome: the candidate with the smallest error over training cohorts left out in turn, and its weights.

    Strengths are those of the whole training set in every inner fold too, and its weights are where the inner fits
    start from. To choose, weights good to a few thousandths are enough; the chosen ones are then fitted to the end.
    """
    candidates, m = _candidates(options), y.shape[1]
    sparse = [(k, mixing, share) for k, (mixing, share) in enumerate(candidates) if mixing > 0]
    strength = np.concatenate([share * top_strength(x, y, mixing) for _, mixing, share in sparse] or [np.empty(0)])
    mixing = np.repeat([mixing for _, mixing, _ in sparse], m)
    wide = np.tile(y, (1, len(sparse)))
    whole = elastic_net(x, wide, strength, mixing, tolerance=_ROUGH)
    errors = np.zeros((len(candidates), m))
    first = len(candidates) - len(sparse)
    for level in sorted(set(labels)):
        out = labels == level
        for k, (_, penalty) in enumerate(candidates[:first]):
            errors[k] += ((y[out] - x[out] @ ridge(x[~out], y[~out], penalty)) ** 2).sum(axis=0)
        fitted = elastic_net(x[~out], wide[~out], strength, mixing, start=whole, tolerance=_ROUGH)
        missed = ((wide[out] - x[out] @ fitted) ** 2).sum(axis=0)
        errors[first:] += missed.reshape(len(sparse), m)
    best: NDArray[np.intp] = errors.argmin(axis=0)
    weight = np.empty((x.shape[1], m))
    for k in set(best[best < first].tolist()):
        weight[:, best == k] = ridge(x, y[:, best == k], candidates[k][1])
    netted = np.flatnonzero(best >= first)
    at = (best[netted] - first) * m + netted
    weight[:, netted] = elastic_net(x, y[:, netted], strength[at], mixing[at], start=whole[:, at])
    return best, weight


#: Share of the largest weight to which candidates are fitted while one is chosen.
_ROUGH = 3e-3


def _permuted(
    y: Matrix, baseline: Matrix, labels: NDArray[np.object_], count: int, rng: np.random.Generator
) -> tuple[Matrix, NDArray[np.intp]]:
    """(mice, 1 + count): the outcome, then with mice of one cohort exchanging what it has beyond the baseline.

    Beside it whose residual each mouse has, of the same shape.
    """
    rest, slopes = _beyond(y[:, None], baseline)
    order = np.repeat(np.arange(len(y), dtype=np.intp)[:, None], 1 + count, axis=1)
    for k in range(1, 1 + count):
        for level in sorted(set(labels)):
            own = np.flatnonzero(labels == level)
            order[own, k] = rng.permutation(own)
    whole: Matrix = baseline @ slopes + rest[order, 0]
    return whole, order
