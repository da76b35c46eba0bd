"""Power of a difference in social interaction between two groups of mice, in seconds near the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from integration.planning import PowerResult, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["GroupDesign", "group_power"]


@dataclass(frozen=True, kw_only=True)
class GroupDesign:
    """Two groups of mice (defeated on antibody and on isotype, say) compared by target time given no-target time.

    Parameters
    ----------
    n_per_group
        Mice with both trials in each group.
    difference_s
        True difference in target time, seconds.
    sd_target_s
        SD of target time within group and cohort; in published defeated mice 30 s, in controls 20 s.
    sd_no_target_s
        The same of no-target time; published 16 s.
    correlation
        Of the two times within group.
    n_cohorts
        Cohorts; mice are spread evenly, cohort is in the model as a factor.
    sd_ratio
        SD of the second group's target time as a multiple of the first's.
    alpha
        Two-sided level.
    """

    n_per_group: int
    difference_s: float
    sd_target_s: float = 30.0
    sd_no_target_s: float = 16.0
    correlation: float = 0.3
    n_cohorts: int = 1
    sd_ratio: float = 1.0
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if 2 * self.n_per_group - self.n_cohorts - 3 < 1:
            raise ValueError(f"{self.n_per_group} mice per group in {self.n_cohorts} cohorts leave nothing to test")
        if min(self.sd_target_s, self.sd_no_target_s, self.sd_ratio) <= 0:
            raise ValueError("sd_target_s, sd_no_target_s and sd_ratio lie above 0")
        if not -1 < self.correlation < 1:
            raise ValueError(f"correlation is {self.correlation}; it lies between -1 and 1")


def group_power(design: GroupDesign, *, runs: int = 2000, seed: int = 0) -> PowerResult:
    """Power of the ANCOVA of target time: group, no-target time, cohort.

    Examples
    --------
    >>> found = group_power(GroupDesign(n_per_group=16, difference_s=30), runs=1000, seed=1)
    >>> 0.75 < found.power < 0.90
    True
    """
    rng = np.random.default_rng(seed)
    n = design.n_per_group
    group = np.repeat([1.0, 0.0], n)
    # Each group is dealt to the cohorts by itself, so that group and cohort do not coincide.
    cohort = np.tile(np.arange(n) % design.n_cohorts, 2)
    first, second = rng.standard_normal((2, runs, 2 * n))
    levels = rng.standard_normal((2, runs, design.n_cohorts))[:, :, cohort]
    empty = design.sd_no_target_s * (first + levels[0])
    mixed = design.correlation * first + np.sqrt(1 - design.correlation**2) * second
    scale = design.sd_target_s * np.where(group == 1, 1.0, design.sd_ratio)
    target = scale * mixed + design.sd_target_s * levels[1] + design.difference_s * group
    p = _ancova_p(target, empty, group, cohort)
    found = int((p < design.alpha).sum())
    low, high = wilson_interval(found, runs)
    return PowerResult(power=found / runs, ci_low=low, ci_high=high, runs=runs)


def _ancova_p(target: Matrix, empty: Matrix, group: Matrix, cohort: NDArray[np.int64]) -> Matrix:
    """(runs,) two-sided p of the group, given the baseline and the cohorts."""
    from scipy import stats

    factor = np.column_stack([cohort == level for level in np.unique(cohort)]).astype(np.float64)
    basis, _ = np.linalg.qr(factor)

    def within(values: Matrix) -> Matrix:
        rest: Matrix = values - (values @ basis) @ basis.T
        return rest

    y, x, g = within(target), within(empty), np.broadcast_to(within(group), target.shape)
    size = (x * x).sum(axis=1, keepdims=True)
    y, g = (each - x * ((x * each).sum(axis=1, keepdims=True) / size) for each in (y, g))
    length = (g * g).sum(axis=1)
    slope = (g * y).sum(axis=1) / length
    rest = y - g * slope[:, None]
    df = target.shape[1] - factor.shape[1] - 2
    t = slope / np.sqrt((rest**2).sum(axis=1) / df / length)
    p: Matrix = 2 * stats.t.sf(np.abs(t), df)
    return p
