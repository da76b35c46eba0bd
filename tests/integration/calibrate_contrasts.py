"""Null calibration of the comparisons of susceptible, resilient and control mice on a measure apart from social time.

python -m tests.integration.calibrate_contrasts --runs 1000 --out docs/validation/integration-contrasts.md
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from integration.cohort import join_cohort
from integration.contrasts import ComparisonOptions, compare_groups
from tests.integration.calibration import band, command, commit, markdown

SEED = 555
MEASURE = "velocity_drop_cm_s"
#: Defeated, controls, cohorts, SD of the cohorts' level in the measure.
CELLS = {
    "24 defeated, 8 controls, 2 cohorts that are alike": (24, 8, 2, 0.0),
    "60 defeated, 20 controls, 5 cohorts that differ": (60, 20, 5, 1.0),
}
PAIRS = ("SUS - RES", "SUS - control", "RES - control", "defeated - control", "all three")


def draw(rng: np.random.Generator, defeated: int, controls: int, cohorts: int, level: float) -> pd.DataFrame:
    """Mice classed by a ratio that is unrelated to the measure within cohort; cohorts differ in susceptibility."""
    n = defeated + controls
    is_defeated = np.arange(n) < defeated
    cohort = np.arange(n) % cohorts
    ratio = np.exp(rng.normal(0, 0.35, n) + rng.normal(0, 0.2, cohorts)[cohort])
    order = ratio[is_defeated].argsort().argsort()
    # Cut as by rule, but never so that fewer than 3 mice stand on a side: those are refused, not tested.
    cut = int(np.clip((ratio[is_defeated] < 1).sum(), 3, defeated - 3))
    label = np.full(n, "", dtype=object)
    label[is_defeated] = np.where(order < cut, "SUS", "RES")
    base = rng.normal(6, 1, n)
    measure = rng.standard_t(6, n) + 0.3 * base + rng.normal(0, level, cohorts)[cohort]
    return pd.DataFrame(
        {"subject": [f"m{i}" for i in range(n)], "role": np.where(is_defeated, "defeated", "control"), "class": label,
         "cohort": [f"c{k}" for k in cohort], "velocity_no_target_cm_s": base, MEASURE: measure}
    )  # fmt: skip


def run(runs: int) -> list[tuple[str, str, str, float]]:
    """Share of p < .05 by cell, comparison and method."""
    options = ComparisonOptions(measures=(MEASURE,), adjusted=((MEASURE, ("velocity_no_target_cm_s",)),))
    rows = []
    for number, (cell, sizes) in enumerate(CELLS.items()):
        hits: Counter[tuple[str, str]] = Counter()
        for study in range(runs):
            table = draw(np.random.default_rng([SEED, number, study]), *sizes)
            cohort = join_cohort(subjects=table[["subject", "cohort"]], animals=table.drop(columns="cohort"))
            for row in compare_groups(cohort, options=options).table.to_dict("records"):
                pair = f"{row['group_1']} - {row['group_0']}" if row["group_0"] else "all three"
                hits[pair, row["method"].replace("welch_anova", "welch_t")] += row["p"] < 0.05
        rows += [(cell, pair, method, hits[pair, method] / runs) for pair in PAIRS for method in ("welch_t", "ancova")]
    return rows


def report(runs: int) -> str:
    """The page."""
    rows = run(runs)
    naive = {(cell, "welch_t") for cell, sizes in CELLS.items() if sizes[-1] > 0}
    gated = [row for row in rows if (row[0], row[2]) not in naive]
    low, high = band(runs, len(gated))
    lines = [
        [cell, pair, "Welch" if method == "welch_t" else "given baseline and cohort", f"{share:.4f}",
         "cohort ignored" if (cell, method) in naive else "in band" if low <= share <= high else "OUTSIDE"]
        for cell, pair, method, share in rows
    ]  # fmt: skip
    return f"""# Susceptible, resilient and control under the null

The groups do not differ in the measure (velocity drop) within a cohort; classes come from the ratio. Share of p < .05 in
{runs} simulated studies a cell. Band for {len(gated)} cells: {low:.4f} to {high:.4f}. Where cohorts differ both in
susceptibility and in the measure, Welch's test does not know it ("cohort ignored": shown, not gated).
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.calibrate_contrasts`.

{markdown(["design", "comparison", "method", "share of p < .05", "verdict"], lines)}
"""


if __name__ == "__main__":
    command(__doc__, report)
