"""Does the 95 % interval of the Th2 skew hold the true skew in 95 % of tables? Tables drawn here by plain NumPy.

python -m tests.proteomics.skew_coverage --runs 600 --out docs/validation/axis-skew.md
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from proteomics.abundance import from_frame
from proteomics.axes import axis_scores
from proteomics.skew_interval import group_skew, sample_skew
from tests.integration.calibration import commit, markdown

SEED = 2811
TH2 = ["Il4", "Il5", "Il13", "Ccl11"]
TH1 = ["Ifng", "Cxcl9", "Tnf"]
#: The truth: equal weights within each axis.
WEIGHT = np.r_[np.full(4, 1 / 4), np.full(3, -1 / 3)]


@dataclass(frozen=True)
class Case:
    """Sizes, true shift of every Th2 member in SDs, correlation of all members, SD of the group over the reference's."""

    n_reference: int
    n_group: int
    shift: float
    correlation: float = 0.3
    sd: float = 1.0
    tails: int = 0


CASES = (
    Case(6, 6, 0.0), Case(6, 6, 1.0), Case(8, 8, 0.0), Case(8, 8, 1.0), Case(8, 8, 2.0), Case(12, 12, 1.0),
    Case(12, 12, 1.0, correlation=0.7), Case(12, 12, 1.0, correlation=0.0), Case(8, 20, 1.0, sd=1.5),
    Case(20, 20, 2.0), Case(12, 12, 1.0, tails=5),
)  # fmt: skip


def covered(case: Case, rng: np.random.Generator) -> tuple[bool, float, float]:
    """Whether the group's interval holds the truth, the share of its samples' intervals that do, and its width."""
    n, size = case.n_reference + case.n_group, len(WEIGHT)
    root = np.linalg.cholesky(np.full((size, size), case.correlation) + (1 - case.correlation) * np.eye(size))
    noise = rng.normal(size=(n, size)) @ root.T
    if case.tails:
        noise *= np.sqrt((case.tails - 2) / rng.chisquare(case.tails, (n, 1)))
    shift = np.r_[np.full(4, case.shift), np.zeros(3)]
    noise[case.n_reference :] = case.sd * noise[case.n_reference :] + shift
    mean, sd = rng.uniform(2, 8, size), rng.uniform(0.3, 2, size)
    names = [f"m{row}" for row in range(n)]
    ds = from_frame(pd.DataFrame(mean + sd * noise, index=names, columns=TH2 + TH1), platform="beads", species="mouse",
                    unit="log2 pg/mL")  # fmt: skip
    reference = names[: case.n_reference]
    scores = axis_scores(ds, species="mouse", reference=reference, axes=["th2_skew"])
    group = pd.Series(["CON"] * case.n_reference + ["SUS"] * case.n_group, index=names)
    row = group_skew(ds, scores, species="mouse", reference=reference, group=group).iloc[0]
    single = sample_skew(ds, scores, species="mouse", reference=reference).iloc[case.n_reference :]
    true_single = noise[case.n_reference :] @ WEIGHT
    inside = (single["low"] <= true_single) & (true_single <= single["high"])
    return bool(row["low"] <= shift @ WEIGHT <= row["high"]), float(inside.mean()), float(row["high"] - row["low"])


def coverage_table(runs: int) -> list[list[str]]:
    """One row a case."""
    rows = []
    for number, case in enumerate(CASES):
        rng = np.random.default_rng([SEED, number])
        found = np.array([covered(case, rng) for _ in range(runs)], dtype=float)
        tails = f"t, {case.tails} df" if case.tails else "normal"
        rows.append([str(case.n_reference), str(case.n_group), f"{case.shift:g}", f"{case.correlation:g}", f"{case.sd:g}",
                     tails, *(f"{100 * share:.1f} %" for share in found[:, :2].mean(axis=0)),
                     f"{np.median(found[:, 2]):.2f}"])  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    error = 100 * 1.96 * np.sqrt(0.95 * 0.05 / given.runs)
    header = ["n reference", "n group", "true Th2 shift (SD)", "correlation of members", "SD ratio", "values",
              "group interval holds the truth", "sample interval holds the truth", "median width"]  # fmt: skip
    text = f"""# Interval of the Th2 skew

`python -m tests.proteomics.skew_coverage --runs {given.runs}` at commit {commit()}, seed {SEED}. Simulated only.

Four Th2 and three Th1 members; the truth is the skew against the mean and SD of the reference *population*, the
interval is made from the samples. 95 % is promised; with {given.runs} tables a case, 95 ± {error:.1f} % is chance. The
group interval is that of the group's mean skew, the sample interval that of where a single sample lies.

{markdown(header, coverage_table(given.runs))}
"""
    given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
