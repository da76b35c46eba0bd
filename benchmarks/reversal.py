"""Time of drug reversal at 1,000 permutations, 5,000 proteins and 200 samples.

python -m benchmarks.reversal --out docs/validation/reversal-speed.md
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import numpy as np
import pandas as pd

from integration.reversal import ReversalOptions, drug_reversal
from integration.reversal_data import disease_data, drug_data
from tests.integration.calibration import commit, markdown

SEED = 900
CASES, HEALTHY, PAIRS, PROTEINS = 70, 70, 30, 5000
LIMIT_S = 60


def once(seed: int, options: ReversalOptions) -> tuple[float, float]:
    """Seconds by the clock and of processor time for one disease and one drug, all scores."""
    rng = np.random.default_rng(seed)
    n = CASES + HEALTHY + 2 * PAIRS
    values = rng.normal(size=(n, 6)) @ rng.normal(0, 0.5, (6, PROTEINS)) + rng.normal(size=(n, PROTEINS))
    frame = pd.DataFrame(values, [f"s{i}" for i in range(n)], [f"P{i}" for i in range(PROTEINS)])
    people, treated = frame.iloc[: CASES + HEALTHY], frame.iloc[CASES + HEALTHY :]
    group = pd.Series(np.repeat(["case", "healthy"], [CASES, HEALTHY]), people.index)
    pairs = [(treated.index[2 * k], treated.index[2 * k + 1]) for k in range(PAIRS)]
    disease = disease_data(people, group=group, case="case", reference="healthy")
    drug = drug_data(treated, name="drug", pairs=pairs)
    wall, processor = time.perf_counter(), time.process_time()
    drug_reversal(disease, [drug], options=options, seed=seed)
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    options = ReversalOptions(n_permutations=1000)
    load = os.getloadavg()[0]
    found = [once(SEED + k, options) for k in range(asked.runs)]
    rows = [[k + 1, f"{wall:.1f}", f"{processor:.1f}"] for k, (wall, processor) in enumerate(found)]
    walls, processors = zip(*found, strict=True)
    middle = ["median", f"{statistics.median(walls):.1f}", f"{statistics.median(processors):.1f}"]
    samples = f"{CASES} cases, {HEALTHY} healthy, {PAIRS} patients before and after one drug"
    scores = f"{len(options.scores)} scores with {options.n_bootstrap} bootstraps for the ranks"
    text = f"""# Time of drug reversal

1,000 permutations, {PROTEINS} proteins, {CASES + HEALTHY + 2 * PAIRS} samples ({samples}),
{scores}. Limit: {LIMIT_S} s on two cores. Cores of the machine: {os.cpu_count()}; processes that
ran or waited for them when the first run began: {load:.1f} (above the number of cores, the clock measures the others,
too; processor time, summed over threads, does not).
Commit {commit()}; written by `python -m benchmarks.reversal --runs {asked.runs}`.

{markdown(["run", "by the clock (s)", "processor (s)"], [*rows, middle])}
"""
    asked.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
