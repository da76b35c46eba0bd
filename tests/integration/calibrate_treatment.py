"""Null calibration of the defeat x treatment interaction.

python -m tests.integration.calibrate_treatment --runs 1000 --out docs/validation/integration-treatment.md
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from integration.cohort import join_cohort
from integration.treatment import TreatmentOptions, treatment_effects
from tests.integration.calibration import band, command, commit, markdown

SEED = 31
#: Mice per cell (control vehicle, control drug, defeated vehicle, defeated drug) and SD of target time by role.
CELLS = {
    "10 a cell, equal spread": ((10, 10, 10, 10), (15.0, 15.0)),
    "10 a cell, defeated twice as spread out": ((10, 10, 10, 10), (12.0, 24.0)),
    "6, 6, 18, 18, defeated twice as spread out": ((6, 6, 18, 18), (12.0, 24.0)),
}
TESTS = [("target_time", "interaction"), ("target_time", "in defeated"), ("si_ratio", "interaction")]


def draw(rng: np.random.Generator, sizes: tuple[int, ...], spread: tuple[float, float]) -> pd.DataFrame:
    """Defeat lowers target time, the treatment moves control and defeated mice alike."""
    role = np.repeat(["control", "control", "defeated", "defeated"], sizes)
    treatment = np.repeat(["vehicle", "drug", "vehicle", "drug"], sizes)
    n = len(role)
    cohort = rng.permutation(n) % 2
    base = rng.gamma(36, 60 / 36, n) + 5 * cohort
    sd = np.where(role == "defeated", spread[1], spread[0])
    target = 70 + 0.3 * base - 25 * (role == "defeated") + 4 * cohort + sd * rng.standard_t(8, n) / np.sqrt(8 / 6)
    return pd.DataFrame(
        {"subject": [f"m{i}" for i in range(n)], "role": role, "treatment": treatment, "cohort": [f"c{k}" for k in cohort],
         "iz_no_target_s": base, "iz_target_s": target, "si_ratio": target / base}
    )  # fmt: skip


def run(runs: int, *, seed: int = SEED) -> list[tuple[str, str, str, float]]:
    """Share of p < .05 by cell and test; effects in defeated mice are tested with no effect at all."""
    options = TreatmentOptions(reference="vehicle", outcomes=("target_time", "si_ratio"))
    rows = []
    for number, (cell, (sizes, spread)) in enumerate(CELLS.items()):
        hits: Counter[tuple[str, str]] = Counter()
        for study in range(runs):
            table = draw(np.random.default_rng([seed, number, study]), sizes, spread)
            cohort = join_cohort(
                subjects=table[["subject", "role", "treatment", "cohort"]],
                animals=table[["subject", "iz_no_target_s", "iz_target_s", "si_ratio"]],
            )
            found = treatment_effects(cohort, options=options).table
            hits.update(zip(found.loc[found["p"] < 0.05, "outcome"], found.loc[found["p"] < 0.05, "term"], strict=True))
        rows += [(cell, *test, hits[test] / runs) for test in TESTS]
    return rows


def report(runs: int) -> str:
    """The page."""
    rows = run(runs)
    low, high = band(runs, len(rows))
    lines = [[*row[:-1], f"{row[-1]:.4f}", "in band" if low <= row[-1] <= high else "OUTSIDE"] for row in rows]
    return f"""# Defeat x treatment under the null

The treatment does the same in control and defeated mice (nothing). Share of p < .05 in {runs} simulated studies a
cell. Band for {len(rows)} cells: {low:.4f} to {high:.4f}.
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.calibrate_treatment`.

{markdown(["design", "outcome", "term", "share of p < .05", "verdict"], lines)}
"""


if __name__ == "__main__":
    command(__doc__, report)
