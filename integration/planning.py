"""Power of a planned study by simulation: marker against social behavior, and a two-arm trial enriched for Th2.

Each simulated study is drawn and tested by the model that the real one would be tested by; the share of studies with a
finding is the power, printed with its Wilson interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["AssociationDesign", "PowerResult", "TrialDesign", "association_power", "trial_power", "wilson_interval"]


@dataclass(frozen=True, kw_only=True)
class AssociationDesign:
    """A study of one declared set of markers against target time in defeated mice.

    Parameters
    ----------
    n
        Defeated mice with serum and both trials.
    correlation
        True correlation of the marker with lasting avoidance, within cohort.
    n_cohorts
        Cohorts; mice are spread evenly, cohort is in the model as a factor.
    reliability
        Share of the variance of one test's avoidance that lasts (split-half, stepped up): what is measured once
        correlates by its square root.
    marker_reliability
        The same of the marker (assay and bleed).
    below_detection
        Share of values below detection, set to the limit.
    n_markers, n_true
        Markers in the set, and how many of them carry the correlation.
    marker_correlation
        Correlation between the markers of the set beyond what they share through avoidance.
    alpha
        Level of a single marker's test, and of q in the set.
    """

    n: int
    correlation: float
    n_cohorts: int = 2
    reliability: float = 1.0
    marker_reliability: float = 1.0
    below_detection: float = 0.0
    n_markers: int = 1
    n_true: int = 1
    marker_correlation: float = 0.0
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.n - self.n_cohorts - 2 < 1:
            raise ValueError(f"{self.n} mice in {self.n_cohorts} cohorts leave nothing to test")
        if not -1 < self.correlation < 1:
            raise ValueError(f"correlation is {self.correlation}; it lies between -1 and 1")
        for name in ("reliability", "marker_reliability"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it lies above 0, up to 1")
        if not 0 <= self.below_detection < 1 or not 0 <= self.marker_correlation < 1:
            raise ValueError("below_detection and marker_correlation lie from 0 to below 1")
        if not 0 <= self.n_true <= self.n_markers or self.n_markers < 1:
            raise ValueError("n_true lies between 0 and n_markers")


@dataclass(frozen=True, kw_only=True)
class TrialDesign:
    """Two arms, an antibody against placebo, in patients chosen by a baseline Th2 score.

    Parameters
    ----------
    n_per_arm
        Patients in each arm.
    effect
        Standardised effect (in SD of change within arm) in a patient one SD above the mean Th2 score.
    effect_at_mean
        The effect in a patient of average Th2 score.
    enrichment
        Share of screened patients, from the top of the Th2 score, that is enrolled; 1 = all.
    score_reliability
        Reliability of the Th2 score by which patients are chosen.
    dropout
        Share lost in each arm.
    alpha
        Two-sided level.
    """

    n_per_arm: int
    effect: float
    effect_at_mean: float = 0.0
    enrichment: float = 1.0
    score_reliability: float = 1.0
    dropout: float = 0.0
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if round(self.n_per_arm * (1 - self.dropout)) < 3:
            raise ValueError("fewer than three patients per arm finish")
        if not 0 < self.enrichment <= 1 or not 0 < self.score_reliability <= 1 or not 0 <= self.dropout < 1:
            raise ValueError("enrichment and score_reliability lie above 0 up to 1, dropout from 0 to below 1")


@dataclass(frozen=True, kw_only=True)
class PowerResult:
    """Share of simulated studies with a finding.

    Parameters
    ----------
    power, ci_low, ci_high
        Of the first true marker's own test (association) or the trial's test, with the Wilson interval.
    power_set
        Association: share of studies in which that marker has q below alpha within the set; else NaN.
    any_in_set
        Association: share with at least one true marker below alpha by q; else NaN.
    runs
        Simulated studies.
    """

    power: float
    ci_low: float
    ci_high: float
    runs: int
    power_set: float = float("nan")
    any_in_set: float = float("nan")


def association_power(design: AssociationDesign, *, runs: int = 2000, seed: int = 0) -> PowerResult:
    """Power of the ANCOVA of target time on each marker, cohort in the model.

    Examples
    --------
    >>> result = association_power(AssociationDesign(n=30, correlation=0.5), runs=500, seed=1)
    >>> 0.75 < result.power < 0.87
    True
    """
    rng = np.random.default_rng(seed)
    p = np.empty((runs, design.n_markers))
    for run in range(runs):
        markers, outcome, cohorts = _draw_study(design, rng)
        p[run] = _slope_p(markers, outcome, cohorts)
    q = np.array([_bh(row) for row in p]) if design.n_markers > 1 else p
    true = slice(0, design.n_true)
    none = design.n_true == 0
    found = p[:, 0] < design.alpha
    low, high = wilson_interval(int(found.sum()), runs)
    return PowerResult(
        power=float(found.mean()), ci_low=low, ci_high=high, runs=runs,
        power_set=float("nan") if none else float((q[:, 0] < design.alpha).mean()),
        any_in_set=float("nan") if none else float((q[:, true] < design.alpha).any(axis=1).mean()),
    )  # fmt: skip


def _draw_study(design: AssociationDesign, rng: np.random.Generator) -> tuple[Matrix, Matrix, NDArray[np.int64]]:
    n, m = design.n, design.n_markers
    avoidance = rng.normal(size=n)
    common = rng.normal(size=(n, 1))
    own = rng.normal(size=(n, m))
    rest = np.sqrt(design.marker_correlation) * common + np.sqrt(1 - design.marker_correlation) * own
    r = np.where(np.arange(m) < design.n_true, design.correlation, 0.0)
    markers = r * avoidance[:, None] + np.sqrt(1 - r**2) * rest
    markers = _measured(markers, design.marker_reliability, rng)
    if design.below_detection:
        markers = np.maximum(markers, np.quantile(markers, design.below_detection, axis=0))
    outcome = _measured(avoidance[:, None], design.reliability, rng)[:, 0]
    cohorts = np.arange(n) % design.n_cohorts
    levels = rng.normal(size=(m + 1, design.n_cohorts))
    return markers + levels[:m, cohorts].T, outcome + levels[m, cohorts], cohorts


def _measured(true: Matrix, reliability: float, rng: np.random.Generator) -> Matrix:
    noise = rng.normal(size=true.shape)
    result: Matrix = np.sqrt(reliability) * true + np.sqrt(1 - reliability) * noise
    return result


def _slope_p(markers: Matrix, outcome: Matrix, cohorts: NDArray[np.int64]) -> Matrix:
    """Two-sided p of each marker's slope with cohort as a factor."""
    from scipy import stats

    levels = np.unique(cohorts)
    x, y = markers.copy(), outcome.copy()
    for level in levels:
        own = cohorts == level
        x[own] -= x[own].mean(axis=0)
        y[own] -= y[own].mean()
    df = len(y) - len(levels) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (x * y[:, None]).sum(axis=0) / np.sqrt((x**2).sum(axis=0) * (y @ y))
        t = r * np.sqrt(df / (1 - r**2))
    p: Matrix = np.nan_to_num(2 * stats.t.sf(np.abs(t), df), nan=1.0)
    return p


def _bh(p: Matrix) -> Matrix:
    from proteomics.signature import false_discovery_q

    return false_discovery_q(p)


def trial_power(design: TrialDesign, *, runs: int = 2000, seed: int = 0) -> PowerResult:
    """Power of Welch's test of change between arms.

    Examples
    --------
    >>> result = trial_power(TrialDesign(n_per_arm=64, effect=0.0, effect_at_mean=0.5), runs=1000, seed=1)
    >>> 0.75 < result.power < 0.85
    True
    """
    from scipy import stats

    rng = np.random.default_rng(seed)
    n = round(design.n_per_arm * (1 - design.dropout))
    arms = []
    for treated in (1.0, 0.0):
        th2 = _enrolled(design, (runs, n), rng)
        arms.append(rng.normal(size=(runs, n)) + treated * (design.effect_at_mean + design.effect * th2))
    p = stats.ttest_ind(arms[0], arms[1], axis=1, equal_var=False).pvalue
    found = int((p < design.alpha).sum())
    low, high = wilson_interval(found, runs)
    return PowerResult(power=found / runs, ci_low=low, ci_high=high, runs=runs)


def _enrolled(design: TrialDesign, shape: tuple[int, int], rng: np.random.Generator) -> Matrix:
    """True Th2 scores (SD units) of patients whose measured score is in the enrolled top share."""
    from scipy import stats

    cut = 1 - design.enrichment
    measured = stats.norm.ppf(cut + (1 - cut) * rng.random(shape))
    root = np.sqrt(design.score_reliability)
    true: Matrix = root * measured + np.sqrt(1 - root**2) * rng.normal(size=shape)
    return true


def wilson_interval(hits: int, runs: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_interval(80, 100)]
    [0.711, 0.867]
    """
    from scipy import stats

    interval = stats.binomtest(hits, runs).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
