"""Can serum tell target time, or susceptible from resilient, in a cohort it has not seen. Leave-one-cohort-out.

Scaling, filtering and tuning happen inside the training cohorts. The question is the gain over what is known without
serum (no-target time), and its p comes from permuting the outcome's residuals within cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import RefusedError
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
    penalties
        Ridge penalties (in units of samples) from which each training set chooses by leaving its own cohorts out.
    n_permutations
        For p.
    min_subjects, min_cohorts
        Below these the analysis is refused.
    """

    outcome: str = "target_time"
    penalties: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
    n_permutations: int = 199
    min_subjects: int = 40
    min_cohorts: int = 3

    def __post_init__(self) -> None:
        if not self.penalties or min(self.penalties) <= 0:
            raise ValueError("penalties must be positive numbers")
        if self.n_permutations < 19:
            raise ValueError("n_permutations must be 19 or more")
        if self.min_cohorts < 3:
            raise ValueError("min_cohorts must be 3 or more: one is left out, and tuning leaves out another")


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Result of :func:`predict_from_serum`.

    Parameters
    ----------
    n, n_cohorts, n_markers
        Sizes.
    r2
        Share of the outcome's variance within cohorts, beyond its baseline, that serum predicts in unseen cohorts;
        below 0 = worse than no serum at all.
    slope
        Calibration: slope of the outcome on its prediction; 1 = neither too bold nor too timid.
    p
        Share of permutations with an r2 at least as high.
    predicted
        ``subject, cohort, outcome, predicted`` (both within cohort and beyond the baseline).
    weights
        ``marker, mean_weight, same_sign``: mean standardised weight over the training sets, and the share of them in
        which it has the sign of the mean.
    """

    n: int
    n_cohorts: int
    n_markers: int
    r2: float
    slope: float
    p: float
    n_permutations: int
    predicted: pd.DataFrame
    weights: pd.DataFrame
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
        Outcome, penalties, limits.
    role
        Mice analysed.
    seed
        Of the permutations.

    Raises
    ------
    RefusedError
        Below ``min_subjects`` or ``min_cohorts``, or without a complete marker.

    Notes
    -----
    Ridge regression rather than a selection of markers: with tens of mice the selected set changes with every mouse,
    while the prediction is as good.
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
    found = _cross_validated(x, y[:, None], baseline, labels, options.penalties)
    null = _permuted_r2(x, y, baseline, labels, options, np.random.default_rng(seed))
    outcome, predicted, r2 = found.outcome[:, 0], found.predicted[:, 0], float(found.r2[0])
    slope = float(predicted @ outcome / max(float(predicted @ predicted), 1e-300))
    weights = np.array(found.weights)[:, :, 0]
    return Prediction(
        n=len(table), n_cohorts=len(levels), n_markers=kept.shape[1], r2=r2, slope=slope,
        p=float((np.sum(null >= r2 - 1e-12) + 1) / (len(null) + 1)), n_permutations=len(null),
        predicted=pd.DataFrame({"subject": table.index, "cohort": labels, "outcome": outcome,
                                "predicted": predicted}),
        weights=pd.DataFrame({"marker": kept.columns, "mean_weight": weights.mean(axis=0),
                              "same_sign": (np.sign(weights) == np.sign(weights.mean(axis=0))).mean(axis=0)}),
    )  # fmt: skip


def _within(values: Matrix, labels: NDArray[np.object_]) -> Matrix:
    """Values minus their cohort's mean."""
    result = values.copy()
    for level in set(labels):
        result[labels == level] -= result[labels == level].mean(axis=0)
    return result


@dataclass(frozen=True)
class _Validated:
    """Outcome beyond the baseline and its prediction (mice, outcomes); weights (markers, outcomes) per training set."""

    outcome: Matrix
    predicted: Matrix
    weights: list[Matrix]

    @property
    def r2(self) -> Matrix:
        missed: Matrix = ((self.outcome - self.predicted) ** 2).sum(axis=0)
        result: Matrix = 1 - missed / (self.outcome**2).sum(axis=0)
        return result


def _cross_validated(
    x: Matrix, y: Matrix, baseline: Matrix, labels: NDArray[np.object_], penalties: Sequence[float]
) -> _Validated:
    """Predict every column of ``y`` on its own; permuted outcomes share the work on the markers."""
    outcome, predicted = np.empty(y.shape), np.empty(y.shape)
    weights = []
    for level in sorted(set(labels)):
        test = labels == level
        train = ~test
        rest, slopes = _beyond(y[train], baseline[train])
        outcome[test] = y[test] - baseline[test] @ slopes
        scale = np.maximum(x[train].std(axis=0), 1e-12)
        inside, outside = x[train] / scale, x[test] / scale
        best = _tuned(inside, rest, labels[train], penalties)
        weight = np.empty((x.shape[1], y.shape[1]))
        for chosen in set(best.tolist()):
            weight[:, best == chosen] = _ridge(inside, rest[:, best == chosen], penalties[chosen])
        predicted[test] = outside @ weight
        weights.append(weight)
    return _Validated(outcome, predicted, weights)


def _beyond(y: Matrix, baseline: Matrix) -> tuple[Matrix, Matrix]:
    if not baseline.shape[1]:
        return y, np.zeros((0, y.shape[1]))
    slopes: Matrix = np.array(np.linalg.lstsq(baseline, y, rcond=None)[0], dtype=np.float64)
    return y - baseline @ slopes, slopes


def _ridge(x: Matrix, y: Matrix, penalty: float) -> Matrix:
    """Ridge weights through the samples' inner products: cheap with more markers than mice."""
    result: Matrix = x.T @ np.linalg.solve(x @ x.T + penalty * x.shape[1] * np.eye(len(y)), y)
    return result


def _tuned(x: Matrix, y: Matrix, labels: NDArray[np.object_], penalties: Sequence[float]) -> NDArray[np.intp]:
    """Per outcome, which penalty has the smallest error over training cohorts left out in turn."""
    errors = np.zeros((len(penalties), y.shape[1]))
    for level in sorted(set(labels)):
        out = labels == level
        for k, penalty in enumerate(penalties):
            errors[k] += ((y[out] - x[out] @ _ridge(x[~out], y[~out], penalty)) ** 2).sum(axis=0)
    best: NDArray[np.intp] = errors.argmin(axis=0)
    return best


def _permuted_r2(
    x: Matrix, y: Matrix, baseline: Matrix, labels: NDArray[np.object_], options: PredictionOptions,
    rng: np.random.Generator,
) -> Matrix:  # fmt: skip
    """r2 when mice of one cohort exchange their outcome beyond the baseline; the whole procedure runs anew."""
    rest, slopes = _beyond(y[:, None], baseline)
    moved = np.repeat(rest, options.n_permutations, axis=1)
    for k in range(options.n_permutations):
        for level in set(labels):
            own = labels == level
            moved[own, k] = rng.permutation(rest[own, 0])
    return _cross_validated(x, baseline @ slopes + moved, baseline, labels, options.penalties).r2
