"""Simulated mice: one latent stress value each, and what it does to their behaviour; power of the planted association.

A defeated mouse has a stress value s (mean 0, SD 1 over defeated mice). It raises the mouse's avoidance of the target
(the ``avoidance`` of :mod:`behavior.simulation.movement`) and, with a planted correlation, its Th2 proteins. Controls
have no stress value. The defaults give the zone seconds of published mice: no target 61 s (SD 16) in both groups,
target 90 s (SD 20) in controls and 55 s (SD 30) in defeated mice; SI ratio 1.6 (SD .5) and .95 (SD .6).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from behavior.simulation.movement import simulate_paths, zone_seconds
from proteomics.simulation.bead_panel import BeadPanelOptions, simulate_bead_panel

__all__ = ["MiceOptions", "PlantedPower", "SimulatedMice", "draw_mice", "planted_power"]

Array = NDArray[np.float64]

_WINDOW_S = 150.0
# Grid of avoidances for the power calculation, and walks at each.
_LEVELS = np.linspace(-2.4, 3.0, 28)
_WALKS = 60


@dataclass(frozen=True, kw_only=True)
class MiceOptions:
    """How stress and chance make behaviour; all on the scale of ``avoidance`` (log-odds).

    Attributes
    ----------
    stress_effect
        Rise of the avoidance of the target per SD of stress.
    baseline, baseline_sd
        Mean and SD between mice of the avoidance of the empty enclosure.
    carry_over
        How much of a mouse's own deviation from the baseline shows toward the target too.
    trial_sd
        SD between days of the avoidance of the empty enclosure.
    control_target, control_target_sd
        Mean and SD toward the target in controls.
    defeated_target, defeated_target_sd
        The same in defeated mice, the SD being what stress does not explain.
    cohort_sd
        SD between cohorts, common to all mice of a cohort.
    target_activity
        Factor on walking speed while a target is there.
    """

    stress_effect: float = 0.55
    baseline: float = 0.03
    baseline_sd: float = 0.13
    carry_over: float = 1.4
    trial_sd: float = 0.08
    control_target: float = -0.60
    control_target_sd: float = 0.24
    defeated_target: float = 0.17
    defeated_target_sd: float = 0.22
    cohort_sd: float = 0.09
    target_activity: float = 0.85

    def __post_init__(self) -> None:
        for name in ("baseline_sd", "trial_sd", "control_target_sd", "defeated_target_sd", "cohort_sd"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be below 0, got {getattr(self, name)}")
        if self.target_activity <= 0:
            raise ValueError(f"target_activity must be above 0, got {self.target_activity}")


@dataclass(frozen=True, eq=False)
class SimulatedMice:
    """One entry per mouse: ``stress`` (NaN in controls) and avoidance of the empty and the occupied enclosure."""

    stress: Array
    avoidance_no_target: Array
    avoidance_target: Array


def draw_mice(
    defeated: NDArray[np.bool_], *, cohort_shift: Array | float, rng: np.random.Generator, options: MiceOptions
) -> SimulatedMice:
    """Draw mice.

    Parameters
    ----------
    defeated
        (N,) role of each mouse.
    cohort_shift
        What the mouse's cohort adds to its avoidance.
    rng, options
        Source of the draw and its parameters.

    Examples
    --------
    >>> mice = draw_mice(np.array([True, False]), cohort_shift=0.0, rng=np.random.default_rng(1), options=MiceOptions())
    >>> np.isnan(mice.stress).tolist()
    [False, True]
    """
    defeated = np.asarray(defeated)
    stress, own, day, rest = rng.standard_normal((4, defeated.size))
    own = options.baseline_sd * own + cohort_shift
    toward_target = np.where(
        defeated,
        options.defeated_target + options.stress_effect * stress + options.defeated_target_sd * rest,
        options.control_target + options.control_target_sd * rest,
    )
    return SimulatedMice(
        stress=np.where(defeated, stress, np.nan),
        avoidance_no_target=options.baseline + own + options.trial_sd * day,
        avoidance_target=toward_target + options.carry_over * own,
    )


@dataclass(frozen=True)
class PlantedPower:
    """Probability that the planted association is found at p < alpha.

    Attributes
    ----------
    protein
        For one planted protein, mean over the planted ones.
    score
        For the mean z of the planted proteins.
    correlation
        Mean partial correlation of one planted protein with target time in the same simulations: the planted
        correlation less what movement, assay and sampling take from it.
    n_defeated, n_simulated, alpha
        Mice per experiment, experiments, level.
    """

    protein: float
    score: float
    correlation: float
    n_defeated: int
    n_simulated: int
    alpha: float


def planted_power(
    *,
    correlation: float,
    n_defeated: int = 24,
    n_cohorts: int = 2,
    n_plates: int = 2,
    mice: MiceOptions | None = None,
    panel: BeadPanelOptions | None = None,
    n_simulated: int = 1000,
    alpha: float = 0.05,
    seed: int = 0,
) -> PlantedPower:
    """Power of ``target time ~ marker + no-target time + cohort + plate`` in defeated mice, by simulation.

    Mice, zone seconds and serum of ``n_simulated`` experiments are drawn anew from the same model as a simulated
    experiment, without recordings: zone seconds come from walks of the movement model at a grid of avoidances.

    Parameters
    ----------
    correlation
        Planted correlation of stress with each planted protein.
    n_defeated, n_cohorts, n_plates
        Design of one experiment; mice are dealt evenly.
    mice, panel
        The model; the panel's own correlation is not used.
    n_simulated, alpha, seed
        Experiments, level of the test, seed.

    Raises
    ------
    ValueError
        Fewer mice than the model has terms.

    Examples
    --------
    >>> strong = planted_power(correlation=0.8, n_simulated=200)
    >>> null = planted_power(correlation=0.0, n_simulated=200)
    >>> bool(strong.protein > 0.7), bool(null.protein < 0.12)
    (True, True)
    """
    mice, panel = mice or MiceOptions(), panel or BeadPanelOptions()
    rng = np.random.default_rng([seed, 811])
    cohort = np.arange(n_defeated) % n_cohorts
    plate = (np.arange(n_defeated) // n_cohorts) % n_plates
    nuisance = np.concatenate([np.eye(n_cohorts)[cohort], np.eye(n_plates)[plate][:, 1:]], axis=1)
    if n_defeated < nuisance.shape[1] + 4:
        raise ValueError(f"{n_defeated} mice are too few for {nuisance.shape[1] + 2} terms")
    shift = mice.cohort_sd * rng.standard_normal((n_simulated, n_cohorts))[:, cohort]
    n_all = n_simulated * n_defeated
    drawn = draw_mice(np.ones(n_all, bool), cohort_shift=shift.ravel(), rng=rng, options=mice)
    empty = _draw_zone_seconds(drawn.avoidance_no_target, 1.0, rng).reshape(n_simulated, n_defeated)
    target = _draw_zone_seconds(drawn.avoidance_target, mice.target_activity, rng).reshape(n_simulated, n_defeated)
    planted = list(panel.planted)
    serum = simulate_bead_panel(
        samples=[""] * n_all,
        latent=drawn.stress,
        group=["defeated"] * n_all,
        plate=["P"] * n_all,
        options=BeadPanelOptions(correlation=correlation, planted=panel.planted, noise_log2=panel.noise_log2),
        seed=[seed, 812],
    ).measured[planted]
    markers = serum.to_numpy().reshape(n_simulated, n_defeated, len(planted))
    score = ((markers - markers.mean(axis=1, keepdims=True)) / markers.std(axis=1, keepdims=True)).mean(axis=2)
    tests = [_marker_test(target, markers[..., j], empty, nuisance) for j in range(len(planted))]
    return PlantedPower(
        protein=float(np.mean([p < alpha for p, _ in tests])),
        score=float(np.mean(_marker_test(target, score, empty, nuisance)[0] < alpha)),
        correlation=float(np.mean([partial for _, partial in tests])),
        n_defeated=n_defeated,
        n_simulated=n_simulated,
        alpha=alpha,
    )


@cache
def _seconds_by_level(activity: float) -> Array:
    """(levels, walks) zone seconds of 150 s trials at each avoidance of ``_LEVELS``, sorted within a level."""
    avoidance = np.repeat(_LEVELS, _WALKS)
    paths = simulate_paths(
        avoidance, duration_s=_WINDOW_S, rng=np.random.default_rng(810), activity=np.full(avoidance.size, activity)
    )
    return np.sort(zone_seconds(paths, window_s=_WINDOW_S).reshape(_LEVELS.size, _WALKS), axis=1)


def _draw_zone_seconds(avoidance: Array, activity: float, rng: np.random.Generator) -> Array:
    """(N,) zone seconds at any avoidance: the same random quantile of the two nearest levels, weighted."""
    seconds = _seconds_by_level(activity)
    place = np.interp(avoidance, _LEVELS, np.arange(_LEVELS.size))
    left = np.minimum(place.astype(int), _LEVELS.size - 2)
    pick = rng.integers(0, _WALKS, avoidance.size)
    part = place - left
    return np.asarray((1 - part) * seconds[left, pick] + part * seconds[left + 1, pick])


def _marker_test(target: Array, marker: Array, empty: Array, nuisance: Array) -> tuple[Array, Array]:
    """p and partial correlation of the marker in each experiment, all (E,); rows of the inputs are experiments."""
    from scipy.stats import t as student

    n = target.shape[1]
    fixed = np.broadcast_to(nuisance, (target.shape[0], *nuisance.shape))
    others = np.concatenate([fixed, empty[..., None]], axis=2)
    gram = np.linalg.pinv(others)
    y, x = (v - np.einsum("enp,ep->en", others, np.einsum("epn,en->ep", gram, v)) for v in (target, marker))
    partial = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    df = n - others.shape[2] - 1
    statistic = partial * np.sqrt(df / (1 - partial**2))
    return np.asarray(2 * student.sf(np.abs(statistic), df)), np.asarray(partial)
