"""Moderated statistics beside R limma: same machine, same matrix, one thread each.

    python -m benchmarks.moderated [--quick]

Needs `Rscript` with limma and statmod (Debian: apt-get install r-bioc-limma). Prints a table in Markdown.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from proteomics.block_correlation import block_correlation
from proteomics.linear_model import fit_linear
from proteomics.moderated import f_test, moderate

R_SCRIPT = """
suppressPackageStartupMessages(library(limma)); a <- commandArgs(TRUE)
G <- as.integer(a[2]); n <- as.integer(a[3]); runs <- as.integer(a[5])
y <- matrix(readBin(a[1], "double", G * n), G, n, byrow = TRUE); y[is.nan(y)] <- NA
D <- cbind(1, rep(0:1, length.out = n)); b <- rep(seq_len(n / 2), each = 2)
f <- if (a[4] == "blocks") function() duplicateCorrelation(y, D, block = b) else function() eBayes(lmFit(y, D))
if (a[4] != "blocks") invisible(f())
k <- as.integer(a[6])
t <- replicate(runs, { gc(FALSE); s <- proc.time()[[3]]; for (i in 1:k) f(); (proc.time()[[3]] - s) / k })
cat(t, sep = " ")
"""


def ours(matrix: np.ndarray, design: np.ndarray) -> None:
    """All that lmFit and eBayes give: t, p, log odds and F."""
    result = moderate(fit_linear(matrix, design))
    f_test(result, covariance="design")
    assert result.p.shape == result.log_odds.shape


def seconds(run: Callable[[], object], runs: int) -> list[float]:
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return taken


def limma(file: Path, shape: tuple[int, int], kind: str, runs: int, inner: int) -> list[float]:
    call = ["Rscript", "-e", R_SCRIPT, str(file), *map(str, shape), kind, str(runs), str(inner)]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return [float(value) for value in done.stdout.split()]


def compare(quick: bool) -> None:
    rng = np.random.default_rng(1)
    n_proteins, n_samples = (1000, 200) if quick else (10_000, 200)
    design = np.column_stack([np.ones(n_samples), np.tile([0.0, 1.0], n_samples // 2)])
    block = np.repeat(np.arange(n_samples // 2), 2)
    full = rng.normal(size=(n_proteins, n_samples))
    gaps = full.copy()
    gaps[rng.random(full.shape) < 0.2] = np.nan
    cases: list[tuple[str, str, np.ndarray, Callable[[], object], int, float]] = [
        ("plain", "plain", full, lambda: ours(full, design), 7, 2),
        ("20 % missing", "plain", gaps, lambda: ours(gaps, design), 7, 5),
        ("duplicateCorrelation", "blocks", full, lambda: block_correlation(full, design, block), 1, 20),
    ]
    print(f"Matrix {n_proteins:,} x {n_samples}, seconds, median (lowest - highest).\n")
    print("| case | limma | stressaxis | ratio | wanted |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name, kind, matrix, run, runs, wanted in cases:
            file = Path(folder) / "matrix.bin"
            matrix.tofile(file)
            run()
            mine, theirs = [], []
            for _ in range(3 if runs > 1 else 1):  # in turn, so that other work on the machine hits both
                theirs += limma(file, full.shape, kind, runs, 5 if name == "plain" else 1)
                mine += seconds(run, max(runs, 5))
            ratio = statistics.median(theirs) / statistics.median(mine)
            print(f"| {name} | {_range(theirs)} | {_range(mine)} | {ratio:.1f} | {wanted} |", flush=True)


def _range(values: list[float]) -> str:
    return f"{statistics.median(values):.4f} ({min(values):.4f} - {max(values):.4f})"


def large(quick: bool) -> None:
    size = 1000 if quick else 5000
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(size, size))
    design = np.column_stack([np.ones(size), np.tile([0.0, 1.0], size // 2), rng.normal(size=(size, 10))])
    for name in ("complete", "20 % missing"):
        if name != "complete":
            for row in matrix:
                row[rng.random(size) < 0.2] = np.nan
        taken = seconds(lambda: ours(matrix, design), 1)[0]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"\n{size:,} x {size:,}, group and 10 covariates, {name}: {taken:.2f} s, peak memory {peak:.2f} GB.")


if __name__ == "__main__":
    small = "--quick" in sys.argv
    print("# Speed of the moderated statistics beside R limma\n")
    print(f"Written by `python -m benchmarks.moderated`; {os.cpu_count()} cores, one thread each; runs take turns.\n")
    if shutil.which("Rscript"):
        compare(small)
    else:
        print("Rscript is not there: only our own times.")
    large(small)
