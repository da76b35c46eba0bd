"""Which markers carry weight in how many training sets, when four of forty truly tell the outcome.

python -m tests.integration.prediction_weights --runs 40 --out docs/validation/integration-prediction-weights.md
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from integration.cohort import join_cohort
from integration.prediction import PredictionOptions, predict_from_serum
from tests.integration.calibration import command, commit, markdown

SEED = 4410
COHORTS, EACH, MARKERS, TRUE = 4, 12, 40, 4
#: Seconds of target time per SD of each true marker; within a cohort the rest of target time has an SD of 8 s.
SLOPES = (0.0, 3.0, 6.0)


def draw(rng: np.random.Generator, slope: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Defeated mice and markers that tell their cohort; the first four tell target time within it, too."""
    n = COHORTS * EACH
    cohort = np.repeat(np.arange(COHORTS), EACH)
    own = rng.normal(size=(n, MARKERS))
    base = rng.normal(60, 8, n)
    target = 90 + 20 * rng.normal(size=COHORTS)[cohort] + 0.4 * base - slope * own[:, :TRUE].sum(axis=1)
    table = pd.DataFrame(
        {"subject": [f"m{i}" for i in range(n)], "role": "defeated", "cohort": [f"c{k}" for k in cohort],
         "iz_no_target_s": base, "iz_target_s": target + rng.normal(0, 8, n)}
    )  # fmt: skip
    values = own + rng.normal(size=(COHORTS, MARKERS))[cohort]
    return table, pd.DataFrame(values, index=table["subject"], columns=[f"P{k}" for k in range(MARKERS)])


def shares(runs: int, slope: float) -> list[float]:
    """Shares of markers with weight in all training sets and in some only, true ones first; training sets with ridge."""
    found = []
    for study in range(runs):
        table, markers = draw(np.random.default_rng([SEED, study]), slope)
        cohort = join_cohort(subjects=table[["subject", "role", "cohort"]],
                             animals=table[["subject", "iz_no_target_s", "iz_target_s"]])  # fmt: skip
        net = PredictionOptions(n_permutations=19, mixings=(0.5,))
        weights = predict_from_serum(cohort, markers=markers, options=net).weights.set_index("marker")
        everywhere = weights["with_weight"] == COHORTS
        some = (weights["with_weight"] > 0) & ~everywhere
        true = weights.index.isin([f"P{k}" for k in range(TRUE)])
        chosen = predict_from_serum(cohort, markers=markers, options=PredictionOptions(n_permutations=19)).tuning
        found.append([everywhere[true].mean(), some[true].mean(), everywhere[~true].mean(), some[~true].mean(),
                      (chosen["mixing"] == 0).mean()])  # fmt: skip
    return np.mean(found, axis=0).tolist()


def report(runs: int) -> str:
    """The page."""
    rows = [[f"{slope:g}", *(f"{share:.2f}" for share in shares(runs, slope))] for slope in SLOPES]
    head = ["s per SD of a true marker", "true, weight in all four", "true, in some", "others, in all four",
            "others, in some", "ridge chosen"]  # fmt: skip
    return f"""# Which markers carry weight in how many training sets

{COHORTS} cohorts of {EACH} defeated mice, {MARKERS} markers of which {TRUE} tell target time; elastic net of mixing 0.5, each cohort left
out in turn; {runs} simulated studies a row. Columns: share of the {TRUE} true markers, and of the other {MARKERS - TRUE}, that have
weight in all four training sets, and in some of them only. Last: share of training sets that prefer ridge where mixing 0
and 0.5 are both on offer, as they are by default.
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.prediction_weights`.

{markdown(head, rows)}

With tens of mice many markers come and go with the training set, which is why none is a finding by itself, and why
`prediction_weights.csv` says in how many training sets each has weight: few unrelated markers have it in all.
"""


if __name__ == "__main__":
    command(__doc__, report)
