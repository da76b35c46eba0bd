"""Null calibration of the association step: studies in which no marker has to do with behavior within a group.

    python -m tests.integration.calibrate_association --runs 2000 --out docs/validation/integration-association.md

The generator draws zone times, cohort and plate effects and serum by plain NumPy and shares no code with the package.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from integration.association import AssociationOptions, associate
from integration.cohort import join_cohort
from proteomics.abundance import from_frame
from tests.integration.calibration import band, command, commit, markdown

SEED = 20261125
DESIGNS = {
    "24 defeated, 8 controls, 2 cohorts, 1 plate": {"defeated": 24, "control": 8, "cohorts": 2, "plates": 1},
    "36 defeated, 12 controls, 4 cohorts, 2 plates": {"defeated": 36, "control": 12, "cohorts": 4, "plates": 2},
    "60 defeated, 60 controls, 6 cohorts, 3 plates": {"defeated": 60, "control": 60, "cohorts": 6, "plates": 3},
}
TESTED = [
    ("defeated", "target_time", "ancova"), ("defeated", "target_time", "partial_spearman"),
    ("defeated", "si_ratio", "linear_model"), ("defeated", "si_ratio", "partial_spearman"),
    ("defeated", "velocity_drop", "linear_model"), ("all", "target_time", "ancova"),
    ("all", "si_ratio", "linear_model"), ("all", "velocity_drop", "linear_model"),
    ("all", "target_time", "interaction"), ("all", "si_ratio", "interaction"),
]  # fmt: skip
NAIVE = [("defeated", "target_time", "pearson"), ("all", "target_time", "pearson"), ("all", "si_ratio", "spearman")]


def draw_study(rng: np.random.Generator, *, defeated: int, control: int, cohorts: int, plates: int) -> pd.DataFrame:
    """Mice whose zone times and serum share cohort and defeat, and nothing else.

    Zone times are shares of 150 s from skewed (beta) laws, ICC of cohort about .25, defeated more spread out than
    controls; serum is heavy-tailed (t on 5 df) and moved by cohort, plate and defeat.
    """
    n = defeated + control
    is_defeated = np.arange(n) < defeated
    cohort, plate = np.arange(n) % cohorts, (np.arange(n) // cohorts) % plates
    by_cohort = rng.normal(0, 0.5, (3, cohorts))

    def seconds(centre, spread):
        share = 1 / (1 + np.exp(-centre))
        return 150 * rng.beta(share / spread, (1 - share) / spread)

    base = seconds(-0.4 + by_cohort[0][cohort], 0.02)
    target = seconds(
        0.5 - 1.2 * is_defeated + by_cohort[1][cohort] + 0.01 * (base - 60), np.where(is_defeated, 0.08, 0.03)
    )
    drop = rng.normal(0.3 * is_defeated + by_cohort[2][cohort], 1)
    serum = (
        rng.standard_t(5, n) + 0.9 * is_defeated + rng.normal(0, 0.8, cohorts)[cohort] + rng.normal(0, 1, plates)[plate]
    )
    return pd.DataFrame(
        {
            "subject": [f"m{i:03d}" for i in range(n)],
            "role": np.where(is_defeated, "defeated", "control"),
            "group": np.where(is_defeated, "CSDS", "CON"),
            "cohort": [f"c{k}" for k in cohort],
            "plate": [f"p{k}" for k in plate],
            "iz_no_target_s": base,
            "iz_target_s": np.maximum(target, 0.1),
            "si_ratio": np.maximum(target, 0.1) / base,
            "velocity_drop_cm_s": drop,
            "Il4": serum,
        }
    )


def p_values(table: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """p of every row of one study's association table."""
    indexed = table.set_index("subject")
    abundance = from_frame(indexed[["Il4"]], platform="null", species="mouse", unit="log2", samples=indexed[["plate"]])
    cohort = join_cohort(
        subjects=table[["subject", "group", "cohort", "role"]], abundance=abundance,
        animals=table[["subject", "iz_no_target_s", "iz_target_s", "si_ratio", "velocity_drop_cm_s"]],
    )  # fmt: skip
    result = associate(cohort, options=AssociationOptions()).table
    return dict(zip(zip(result["subset"], result["outcome"], result["method"], strict=True), result["p"], strict=True))


def run(runs: int, *, seed: int = SEED) -> list[tuple[str, tuple[str, str, str], float]]:
    """Share of p < .05 by design and test."""
    rows = []
    for number, (name, design) in enumerate(DESIGNS.items()):
        hits: Counter[tuple[str, str, str]] = Counter()
        for study in range(runs):
            found = p_values(draw_study(np.random.default_rng([seed, number, study]), **design))
            hits.update(key for key in [*TESTED, *NAIVE] if found[key] < 0.05)
        rows += [(name, key, hits[key] / runs) for key in [*TESTED, *NAIVE]]
    return rows


def report(runs: int) -> str:
    """The page."""
    rows = run(runs)
    cells = len(DESIGNS) * len(TESTED)
    low, high = band(runs, cells)
    lines = [
        [name, *key, f"{share:.4f}", "naive" if key in NAIVE else "in band" if low <= share <= high else "OUTSIDE"]
        for name, key, share in rows
    ]
    return f"""# Association under the null

Share of p < .05 in {runs} simulated studies a cell; no marker has to do with behavior within group, cohort and
plate. Band for {cells} cells: {low:.4f} to {high:.4f}. Rows marked naive leave out cohort or group and are shown to fail.
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.calibrate_association`.

{markdown(["design", "subset", "outcome", "method", "share of p < .05", "verdict"], lines)}
"""


if __name__ == "__main__":
    command(__doc__, report)
