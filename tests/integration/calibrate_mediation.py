"""Null calibration of mediation: both paths absent, or one of them.

    python -m tests.integration.calibrate_mediation --runs 1000 --out docs/validation/integration-mediation.md

Mice are drawn here by plain NumPy with heavy tails and differing cohorts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from integration.cohort import join_cohort
from integration.mediation import mediate
from tests.integration.calibration import band, command, commit, markdown

SEED = 1207
#: Defeat on marker (SD) and marker on target time (SD); nothing passes through the marker where one is 0.
PATHS = {
    "both absent": (0.0, 0.0),
    "defeat moves the marker only": (2.0, 0.0),
    "marker moves avoidance only": (0.0, 1.0),
}
SIZES = {"12 controls, 24 defeated": (12, 24), "30 controls, 30 defeated": (30, 30)}
BOOTSTRAPS = 400


def draw(rng: np.random.Generator, sizes: tuple[int, int], paths: tuple[float, float]) -> pd.DataFrame:
    """Mice of two cohorts with serum; defeat lowers target time by itself, too."""
    defeated = np.repeat([0.0, 1.0], sizes)
    n = len(defeated)
    cohort = rng.permutation(n) % 2
    noise = rng.standard_t(6, (2, n)) / np.sqrt(6 / 4)
    marker = paths[0] * defeated + 0.7 * cohort + noise[0]
    base = rng.gamma(36, 60 / 36, n) + 5 * cohort
    target = 75 - 15 * defeated + 0.3 * base + 6 * cohort + 15 * (noise[1] - paths[1] * marker)
    return pd.DataFrame(
        {"subject": [f"m{i}" for i in range(n)], "role": np.where(defeated > 0, "defeated", "control"),
         "cohort": [f"c{k}" for k in cohort], "iz_no_target_s": base, "iz_target_s": target, "marker": marker}
    )  # fmt: skip


def run(runs: int) -> list[tuple[str, str, float, float]]:
    """Share of p < .05, and of intervals that leave out 0, by size and paths."""
    rows = []
    for first, (size, sizes) in enumerate(SIZES.items()):
        for second, (cell, paths) in enumerate(PATHS.items()):
            tested = outside = 0
            for study in range(runs):
                table = draw(np.random.default_rng([SEED, first, second, study]), sizes, paths)
                cohort = join_cohort(
                    subjects=table[["subject", "role", "cohort"]],
                    animals=table[["subject", "iz_no_target_s", "iz_target_s"]],
                )
                marker = table.set_index("subject")["marker"]
                found = mediate(cohort, marker=marker, n_bootstrap=BOOTSTRAPS, seed=study)
                tested += found.p < 0.05
                outside += not found.ci_low <= 0 <= found.ci_high
            rows.append((size, cell, tested / runs, outside / runs))
    return rows


def report(runs: int) -> str:
    """The page."""
    rows = run(runs)
    low, high = band(runs, len(rows))
    lines = []
    for size, cell, p, outside in rows:
        verdict = "above the band" if p > high else "in band" if p >= low else "below, as documented"
        if p < low and cell != "both absent":
            verdict = "OUTSIDE"
        lines.append([size, cell, f"{p:.4f}", verdict, f"{outside:.4f}"])
    return f"""# Mediation under the null

Nothing passes from defeat through the marker to avoidance: one path or both are absent. `p` (the larger of the two paths'
p) is below .05 in this share of {runs} simulated studies a cell. Band for {len(rows)} cells: {low:.4f} to {high:.4f}.
With both paths absent both tests must err at once, so that p lies far below the band; with one path absent it is near .05.
The last column is no gate: how often the bias-corrected bootstrap interval ({BOOTSTRAPS} bootstraps) leaves out 0, which by
its own level would be .05. Where it is larger, a finding rests on p and not on the interval.
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.calibrate_mediation`.

{markdown(["design", "paths", "share of p < .05", "verdict", "interval leaves out 0"], lines)}
"""


if __name__ == "__main__":
    command(__doc__, report)
