"""What `stressaxis power` says against closed forms and an independent generator.

    python -m tests.integration.calibrate_power --runs 2000 --out docs/validation/integration-power.md

Closed forms: the noncentral t. Where there is none (values below detection, several markers) studies are drawn here by
plain NumPy in seconds of target time and tested by least squares and SciPy's Benjamini-Hochberg.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from integration.planning import AssociationDesign, TrialDesign, association_power, trial_power
from integration.planning_groups import GroupDesign, group_power
from tests.integration.calibration import commit, markdown

SEED = 71
CORRELATED: dict[str, tuple[dict[str, Any], float]] = {
    "30 mice, r .5, 1 cohort": ({"n": 30, "correlation": 0.5, "n_cohorts": 1}, 0.5),
    "40 mice, r .45, 4 cohorts": ({"n": 40, "correlation": 0.45, "n_cohorts": 4}, 0.45),
    "60 mice, r .5, 3 cohorts, reliability .6": (
        {"n": 60, "correlation": 0.5, "n_cohorts": 3, "reliability": 0.6}, 0.5 * np.sqrt(0.6)),
    "48 mice, r .6, reliability .7 and .8": (
        {"n": 48, "correlation": 0.6, "reliability": 0.7, "marker_reliability": 0.8}, 0.6 * np.sqrt(0.56)),
}  # fmt: skip
#: Mice per group, difference (s), correlation of the two times, cohorts.
GROUPS = [(12, 35.0, 0.3, 1), (16, 30.0, 0.0, 2), (20, 20.0, 0.6, 4)]


def correlation_power(r: float, n: int, k: int) -> float:
    """Noncentral t of a partial correlation, averaged over the marker's own spread."""
    df = n - k - 2
    spread = stats.chi2.ppf((np.arange(400) + 0.5) / 400, n - 1 - k)
    found = stats.nct.sf(stats.t.ppf(0.975, df), df, r / np.sqrt(1 - r * r) * np.sqrt(spread))
    return float(np.nanmean(found))


def group_form(n: int, difference: float, r: float, cohorts: int) -> float:
    """Noncentral t of an ANCOVA; one random covariate costs one part in (df + 1) of the information."""
    df = 2 * n - cohorts - 2
    size = difference / (30 * np.sqrt(1 - r**2)) * np.sqrt(n / 2 * df / (df + 1))
    cut = stats.t.ppf(0.975, df)
    return float(stats.nct.sf(cut, df, size) + stats.nct.cdf(-cut, df, size))


def trial_form(n: int, mean: float, variance: float) -> float:
    """Welch's test, noncentral t."""
    v1, v0 = (1 + variance) / n, 1 / n
    df = (v1 + v0) ** 2 / (v1**2 / (n - 1) + v0**2 / (n - 1))
    return float(stats.nct.sf(stats.t.ppf(0.975, df), df, mean / np.sqrt(v1 + v0)))


def drawn_power(runs: int, *, n: int, r: float, below: float, markers: int) -> float:
    """Studies in seconds: share in which the first of ``markers`` has q < .05."""
    rng = np.random.default_rng(SEED)
    hits = 0
    cohort = np.repeat([0.0, 1.0], [n // 2, n - n // 2])
    for _ in range(runs):
        serum = rng.standard_normal((markers, n))
        avoided = r * serum[0] + np.sqrt(1 - r**2) * rng.standard_normal(n)
        target = 60 - 20 * avoided + 12 * cohort
        serum = 4 + 1.5 * serum
        serum = np.where(serum < np.quantile(serum, below, axis=1)[:, None], np.quantile(serum, below, axis=1)[:, None],
                         serum) + 0.8 * cohort  # fmt: skip
        p = []
        for row in serum:
            design = np.column_stack([np.ones(n), row, cohort])
            slopes, rest, _, _ = np.linalg.lstsq(design, target, rcond=None)
            se = np.sqrt(rest[0] / (n - 3) * np.linalg.inv(design.T @ design)[1, 1])
            p.append(2 * stats.t.sf(abs(slopes[1] / se), n - 3))
        hits += stats.false_discovery_control(p)[0] < 0.05
    return hits / runs


def run(runs: int) -> list[tuple[str, str, float, float]]:
    """Design, what it is set against, power said, power expected."""
    rows = []
    for name, (design, r) in CORRELATED.items():
        said = association_power(AssociationDesign(**design), runs=runs, seed=SEED).power
        expected = correlation_power(r, design["n"], design.get("n_cohorts", 2) - 1)
        rows.append((f"association: {name}", "noncentral t", said, expected))
    for n, difference, r, cohorts in GROUPS:
        asked = GroupDesign(n_per_group=n, difference_s=difference, correlation=r, n_cohorts=cohorts)
        name = f"si-effect: {n} a group, {difference:g} s, r of the times {r:g}, {cohorts} cohorts"
        expected = group_form(n, difference, r, cohorts)
        rows.append((name, "noncentral t", group_power(asked, runs=runs, seed=SEED).power, expected))
    for trial, mean, variance in (
        (TrialDesign(n_per_arm=64, effect=0.0, effect_at_mean=0.5), 0.5, 0.0),
        (TrialDesign(n_per_arm=40, effect=0.5, enrichment=0.3), 0.5 * 1.159, 0.25 * (1 + 0.5244 * 1.159 - 1.159**2)),
    ):
        name = f"trial: {trial.n_per_arm} an arm, effect {trial.effect:g} per SD, top {trial.enrichment:g} enrolled"
        said = trial_power(trial, runs=runs, seed=SEED).power
        rows.append((name, "noncentral t", said, trial_form(trial.n_per_arm, mean, variance)))
    for n, r, below, markers in ((40, 0.45, 0.5, 1), (40, 0.5, 0.0, 10)):
        asked_for = AssociationDesign(n=n, correlation=r, below_detection=below, n_markers=markers)
        found = association_power(asked_for, runs=runs, seed=SEED)
        said = found.power_set if markers > 1 else found.power
        name = f"association: {n} mice, r {r:g}, {below:.0%} below detection, q among {markers}"
        rows.append((name, "studies drawn in seconds", said, drawn_power(runs, n=n, r=r, below=below, markers=markers)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    lines = [
        [name, against, f"{said:.3f}", f"{expected:.3f}", f"{said - expected:+.3f}",
         "within .05" if abs(said - expected) <= 0.05 else "OUTSIDE"]
        for name, against, said, expected in run(options.runs)
    ]  # fmt: skip
    text = f"""# Power as `stressaxis power` says it, and as it is

{options.runs} simulated studies a design, level .05 two-sided. "Noncentral t": the exact power; "studies drawn in seconds":
another generator, tested by plain least squares, {options.runs} studies.
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.calibrate_power`.

{markdown(["design", "set against", "power said", "power expected", "difference", "verdict"], lines)}
"""
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
