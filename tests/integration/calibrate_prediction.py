"""Null calibration of the permutation p of prediction in unseen cohorts.

    python -m tests.integration.calibrate_prediction --runs 1000 --out docs/validation/integration-prediction.md

Markers move together and tell the cohort; target time differs between cohorts; within a cohort they are unrelated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from integration.cohort import join_cohort
from integration.prediction import PredictionOptions, predict_from_serum
from tests.integration.calibration import band, command, commit, markdown

SEED = 8812
#: Cohorts, mice in each, markers.
CELLS = {
    "48 mice of 4 cohorts, 10 markers": (4, 12, 10),
    "60 mice of 5 cohorts, 92 markers": (5, 12, 92),
    "45 mice of 3 cohorts, 40 markers": (3, 15, 40),
}
#: 19 permutations: p of .05 is reached by the first of twenty, so that the level is exactly .05.
OPTIONS = PredictionOptions(n_permutations=19)


def draw(rng: np.random.Generator, cohorts: int, each: int, markers: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Defeated mice with skewed target times and serum that knows its cohort, not its mouse's behavior."""
    n = cohorts * each
    cohort = np.arange(n) % cohorts
    serum = rng.normal(size=(n, 3)) @ rng.normal(0, 0.6, (3, markers)) + rng.standard_t(5, (n, markers))
    serum += rng.normal(0, 1, (cohorts, markers))[cohort]
    base = rng.gamma(36, 60 / 36, n)
    target = 15 + 10 * rng.gamma(2, 1, n) + 0.3 * base + rng.normal(0, 15, cohorts)[cohort]
    table = pd.DataFrame(
        {"subject": [f"m{i}" for i in range(n)], "role": "defeated", "cohort": [f"c{k}" for k in cohort],
         "iz_no_target_s": base, "iz_target_s": np.maximum(target, 0.1)}
    )  # fmt: skip
    return table, pd.DataFrame(serum, index=table["subject"], columns=[f"P{k}" for k in range(markers)])


def run(runs: int) -> list[tuple[str, float, float, float]]:
    """By cell: share of p <= .05, of r2 above 0, of an interval of r2 above 0."""
    rows = []
    for number, (cell, sizes) in enumerate(CELLS.items()):
        hits = above = whole = 0
        for study in range(runs):
            table, markers = draw(np.random.default_rng([SEED, number, study]), *sizes)
            cohort = join_cohort(
                subjects=table[["subject", "role", "cohort"]],
                animals=table[["subject", "iz_no_target_s", "iz_target_s"]],
            )
            found = predict_from_serum(cohort, markers=markers, options=OPTIONS, seed=study)
            hits += found.p <= 0.05
            above += found.r2 > 0
            whole += found.r2_low > 0
        rows.append((cell, hits / runs, above / runs, whole / runs))
    return rows


def report(runs: int) -> str:
    """The page."""
    rows = run(runs)
    low, high = band(runs, len(rows))
    lines = [
        [cell, f"{p:.4f}", "in band" if low <= p <= high else "OUTSIDE", f"{above:.4f}", f"{whole:.4f}"]
        for cell, p, above, whole in rows
    ]
    return f"""# Prediction from serum under the null

Elastic net, its mixing (ridge among them) and strength chosen inside the training cohorts, each cohort predicted by the
others. Serum has nothing to do with target time within a cohort; both differ between cohorts. Share of p <= .05
({OPTIONS.n_permutations} permutations) in {runs} simulated studies a cell. Band for {len(rows)} cells: {low:.4f} to {high:.4f}.
Beside it how often r2 is above 0, and how often its whole interval is: the interval says how much r2 hangs on the mice
that happen to be predicted, not what it would be in a study made anew, which is why p stands next to it.
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.calibrate_prediction`.

{markdown(["design", "share of p <= .05", "verdict", "r2 above 0", "interval above 0"], lines)}
"""


if __name__ == "__main__":
    command(__doc__, report)
