"""Do the tests hold their level on null serum tables, and what do they find? Tables drawn here by plain NumPy.

python -m tests.proteomics.calibrate_tests --runs 2500 --out docs/validation/proteomics-calibration.md
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import numpy as np
from scipy import stats

from proteomics.array_weights import array_weights
from proteomics.block_correlation import block_correlation
from proteomics.camera import camera
from proteomics.censored import DETECTED_PER_COEFFICIENT, censored_likelihood_test
from proteomics.contrasts import contrasts
from proteomics.detection_model import detection_likelihood_test
from proteomics.linear_model import fit_linear
from proteomics.moderated import f_test, moderate
from proteomics.permutation import permutation_test
from proteomics.repeated_measures import random_intercept_test
from proteomics.roast import fry, roast
from proteomics.set_effects import set_effects
from tests.integration.calibration import band, commit, markdown

SEED = 1109
PROTEINS = 40
SET = [f"p{row}" for row in range(8)]
NAMES = [f"p{row}" for row in range(PROTEINS)]


def serum(rng: np.random.Generator, n: int, *, factors: int = 3, plates: int = 1, missing: float = 0.0) -> np.ndarray:
    """(PROTEINS, n) correlated log2 values of unlike variance; plates shift every protein by its own amount."""
    loading = rng.normal(0, 0.6, (PROTEINS, factors))
    y = loading @ rng.normal(size=(factors, n)) + rng.normal(size=(PROTEINS, n))
    y *= np.sqrt(6 / rng.chisquare(6, PROTEINS))[:, None]
    y += rng.normal(0, 1, (PROTEINS, plates))[:, np.arange(n) % plates]
    y[rng.random(y.shape) < missing] = np.nan
    return y


def design(n: int, *, plates: int = 1, covariate: np.random.Generator | None = None) -> np.ndarray:
    """Intercept, group in the second column (in pairs across plates), then plates and a covariate."""
    group = (np.arange(n) // plates) % 2
    columns = [np.ones(n), group, *((np.arange(n) % plates == plate) for plate in range(1, plates))]
    if covariate is not None:
        columns.append(covariate.normal(size=n))
    return np.column_stack(columns).astype(float)


def one_protein(p: np.ndarray) -> float:
    """The first protein that has a p: one null a table, because the proteins of a table are not independent."""
    return float(p[np.isfinite(p)][0])


# --- our own tests, gated -------------------------------------------------------------------------------------------


def censored_rows(
    rng: np.random.Generator,
    runs: int,
    n: int,
    below: float,
    *,
    plates: int = 1,
    covariate: bool = False,
    missing: float = 0.0,
    slope: bool = False,
    effect: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, sides and design of ``runs`` proteins with enough detected values, each from a table of its own."""
    x = design(n, plates=plates, covariate=rng if covariate else None)
    if slope:
        x[:, 1] = rng.normal(size=n)
    values, sides = [], []
    while sum(map(len, values)) < runs:
        shared = rng.normal(size=(runs, n))
        y = 0.6 * shared + 0.8 * rng.normal(size=(runs, n)) + effect * x[:, 1]
        y += rng.normal(0, 0.7, (runs, plates))[:, np.arange(n) % plates] * (plates > 1)
        limit = np.quantile(y, below)
        side = np.where(y < limit, -1, 0)
        y = np.maximum(y, limit)
        y[rng.random(y.shape) < missing] = np.nan
        enough = ((side == 0) & np.isfinite(y)).sum(axis=1) >= DETECTED_PER_COEFFICIENT * x.shape[1]
        values.append(y[enough])
        sides.append(side[enough])
    return np.concatenate(values)[:runs], np.concatenate(sides)[:runs], x


def censored_cell(rng: np.random.Generator, runs: int, **cell: object) -> np.ndarray:
    values, side, x = censored_rows(rng, runs, **cell)
    return censored_likelihood_test(values, side, x, 1).p


def detection_cell(rng: np.random.Generator, runs: int, **cell: object) -> np.ndarray:
    # A protein detected everywhere has no test: draw some more, so that as many nulls as asked for remain.
    values, side, x = censored_rows(rng, runs + runs // 20, **cell)
    seen = np.isfinite(values)
    detected = seen & (side == 0)
    some = (detected != seen).any(axis=1)
    return detection_likelihood_test(detected[some], seen[some], x, 1)[2][:runs]


def permutation_cell(rng: np.random.Generator, runs: int, *, n: int, plates: int, missing: float) -> np.ndarray:
    x = design(n, plates=plates)
    strata = np.arange(n) % plates
    return np.array(
        [
            one_protein(
                permutation_test(
                    serum(rng, n, plates=plates, missing=missing)[:8],
                    x[:, 1],
                    strata=strata,
                    seed=rng,
                    permutations=99,
                ).p
            )
            for _ in range(runs)
        ]
    )


def f_cell(rng: np.random.Generator, runs: int, *, n: int, missing: float, covariance: str) -> np.ndarray:
    group = np.arange(n) % 3
    x = np.column_stack([np.ones(n), group == 1, group == 2, rng.normal(size=n)]).astype(float)
    return np.array(
        [
            one_protein(
                f_test(moderate(fit_linear(serum(rng, n, missing=missing), x)), [1, 2], covariance=covariance).p
            )
            for _ in range(runs)
        ]
    )


def contrast_cell(rng: np.random.Generator, runs: int, *, n: int, missing: float, covariance: str) -> np.ndarray:
    group = np.arange(n) % 3
    x = np.column_stack([group == 0, group == 1, group == 2, rng.normal(size=n)]).astype(float)
    return np.array(
        [
            one_protein(
                moderate(
                    contrasts(fit_linear(serum(rng, n, missing=missing), x), [0, -1, 1, 0], covariance=covariance)
                ).p[:, 0]
            )
            for _ in range(runs)
        ]
    )


def mixed_cell(
    rng: np.random.Generator, runs: int, *, mice: int, bleeds: int, within: bool, missing: float
) -> np.ndarray:
    """Repeated bleeds of one animal; the effect tested lies within or between animals."""
    n = mice * bleeds
    animal = np.arange(n) // bleeds
    x = np.column_stack([np.ones(n), np.arange(n) % bleeds if within else animal % 2]).astype(float)
    y = 0.8 * rng.normal(size=(runs, mice))[:, animal] + rng.normal(size=(runs, n))
    y[rng.random(y.shape) < missing] = np.nan
    p = random_intercept_test(y, x, animal, 1).p
    return p[np.isfinite(p)]


# --- limma's tests, reported ----------------------------------------------------------------------------------------


def moderated_cell(
    rng: np.random.Generator, runs: int, *, n: int, plates: int = 1, missing: float = 0.0, below: float = 0.0,
    weights: str = "", trend: bool = False, robust: bool = False,
) -> np.ndarray:  # fmt: skip
    x = design(n, plates=plates)
    found = []
    for _ in range(runs):
        y = serum(rng, n, plates=plates, missing=missing)
        if below:
            limit = np.nanquantile(y, below, axis=1, keepdims=True)
            y = np.where(y < limit, limit - 0.5, y)
        own = array_weights(y, x, method=weights) if weights else None
        found.append(one_protein(moderate(fit_linear(y, x, weights=own), trend=trend, robust=robust).p[:, 1]))
    return np.array(found)


def block_cell(rng: np.random.Generator, runs: int, *, n: int) -> np.ndarray:
    """Two bleeds an animal; the group differs between animals."""
    animal = np.arange(n) // 2
    x = np.column_stack([np.ones(n), animal % 2]).astype(float)
    found = []
    for _ in range(runs):
        y = serum(rng, n) + rng.normal(size=(PROTEINS, n // 2))[:, animal]
        rho = block_correlation(y, x, animal).consensus
        found.append(one_protein(moderate(fit_linear(y, x, block=animal, correlation=rho)).p[:, 1]))
    return np.array(found)


def set_cell(rng: np.random.Generator, runs: int, *, n: int, test: str) -> np.ndarray:
    x = design(n)
    found = []
    for _ in range(runs):
        y = serum(rng, n, factors=1)
        y[:8] += 0.8 * rng.normal(size=n)  # the set moves together
        effects = set_effects(y, x, 1, proteins=NAMES)
        sets = {"set": SET}
        table = {
            "camera": lambda effects=effects, sets=sets: camera(effects, sets)["p"],
            "camera 0.01": lambda effects=effects, sets=sets: camera(effects, sets, correlation=0.01)["p"],
            "fry": lambda effects=effects, sets=sets: fry(effects, sets)["p"],
            "fry mixed": lambda effects=effects, sets=sets: fry(effects, sets)["p_mixed"],
            "roast": lambda effects=effects, sets=sets: roast(effects, sets, seed=rng, rotations=99)["p"],
        }[test]()
        found.append(float(table[0]))
    return np.array(found)


Cell = tuple[str, str, Callable[..., np.ndarray], dict[str, object]]

OWN: list[Cell] = [
    ("censored", "24 mice, 20 % below LOD", censored_cell, {"n": 24, "below": 0.2}),
    ("censored", "40 mice, 50 % below LOD", censored_cell, {"n": 40, "below": 0.5}),
    ("censored", "48 mice, 60 % below LOD", censored_cell, {"n": 48, "below": 0.6}),
    ("censored", "36 mice, covariate, 25 % below LOD", censored_cell, {"n": 36, "below": 0.25, "covariate": True}),
    ("censored", "96 mice, 3 plates in the model, 60 % below LOD", censored_cell, {"n": 96, "below": 0.6, "plates": 3}),
    ("censored", "48 mice, 20 % missing, 50 % below LOD", censored_cell, {"n": 48, "below": 0.5, "missing": 0.2}),
    ("censored", "48 mice, slope, 60 % below LOD", censored_cell, {"n": 48, "below": 0.6, "slope": True}),
    ("detection", "24 mice, 20 % below LOD", detection_cell, {"n": 24, "below": 0.2}),
    ("detection", "40 mice, 50 % below LOD", detection_cell, {"n": 40, "below": 0.5}),
    ("detection", "48 mice, 60 % below LOD", detection_cell, {"n": 48, "below": 0.6}),
    ("detection", "96 mice, 3 plates in the model, 60 % below LOD", detection_cell, {"n": 96, "below": 0.6, "plates": 3}),
    ("detection", "48 mice, 20 % missing, 50 % below LOD", detection_cell, {"n": 48, "below": 0.5, "missing": 0.2}),
    ("detection", "48 mice, slope, 60 % below LOD", detection_cell, {"n": 48, "below": 0.6, "slope": True}),
    ("label permutation", "16 mice, correlated", permutation_cell, {"n": 16, "plates": 1, "missing": 0.0}),
    ("label permutation", "24 mice, 3 plates, 10 % missing", permutation_cell, {"n": 24, "plates": 3, "missing": 0.1}),
    ("F, own covariance", "18 mice, covariate, 30 % missing", f_cell, {"n": 18, "missing": 0.3, "covariance": "protein"}),
    ("contrast, own covariance", "18 mice, covariate, 30 % missing", contrast_cell, {"n": 18, "missing": 0.3, "covariance": "protein"}),
    ("mixed model, between mice", "16 mice bled 3 times, 10 % missing", mixed_cell, {"mice": 16, "bleeds": 3, "within": False, "missing": 0.1}),
    ("mixed model, within mice", "16 mice bled 3 times, 10 % missing", mixed_cell, {"mice": 16, "bleeds": 3, "within": True, "missing": 0.1}),
]  # fmt: skip

LIMMA: list[Cell] = [
    ("moderated t", "20 mice", moderated_cell, {"n": 20}),
    ("moderated t", "24 mice, 3 plates in the model, 20 % missing", moderated_cell, {"n": 24, "plates": 3, "missing": 0.2}),
    ("moderated t, trend, robust", "20 mice", moderated_cell, {"n": 20, "trend": True, "robust": True}),
    ("moderated t", "40 mice, 60 % below LOD set to LOD - 0.5", moderated_cell, {"n": 40, "below": 0.6}),
    ("moderated t, array weights", "20 mice", moderated_cell, {"n": 20, "weights": "reml"}),
    ("moderated t, array weights", "20 mice, 20 % missing, REML", moderated_cell, {"n": 20, "missing": 0.2, "weights": "reml"}),
    ("moderated t, array weights", "20 mice, 20 % missing, gene by gene", moderated_cell, {"n": 20, "missing": 0.2, "weights": "gene_by_gene"}),
    ("moderated t, blocks", "24 mice bled twice", block_cell, {"n": 48}),
    ("F, the design's covariance", "18 mice, covariate, 30 % missing", f_cell, {"n": 18, "missing": 0.3, "covariance": "design"}),
    ("contrast, the design's covariance", "18 mice, covariate, 30 % missing", contrast_cell, {"n": 18, "missing": 0.3, "covariance": "design"}),
    ("camera, estimated correlation", "20 mice, set of 8 correlated", set_cell, {"n": 20, "test": "camera"}),
    ("camera, correlation 0.01", "20 mice, set of 8 correlated", set_cell, {"n": 20, "test": "camera 0.01"}),
    ("fry", "20 mice, set of 8 correlated", set_cell, {"n": 20, "test": "fry"}),
    ("fry, mixed", "20 mice, set of 8 correlated", set_cell, {"n": 20, "test": "fry mixed"}),
    ("roast", "20 mice, set of 8 correlated", set_cell, {"n": 20, "test": "roast"}),
]  # fmt: skip

#: Falling below the band is expected here, and why.
CONSERVATIVE = {"detection": "detected or not: there are few possible tables, and their p values skip 0.05"}


def level_row(job: tuple[int, Cell, int]) -> list[str]:
    """One cell by its own seed, so that the order of work does not matter."""
    number, (test, cell, run, options), runs = job
    p = run(np.random.default_rng([SEED, number]), runs, **options)
    # Permutation p values are multiples of 1 / 100: 0.05 itself is one of them and belongs to the level.
    share = (p <= 0.05).mean() if "permutation" in test or test == "roast" else (p < 0.05).mean()
    print(test, cell, len(p), share, flush=True)
    return [test, cell, str(len(p)), f"{share:.4f}", f"{(p < 0.01).mean():.4f}"]


def level_rows(
    cells: list[Cell], runs: int, offset: int, pool: Executor, *, gated: bool, only: str = ""
) -> list[list[str]]:
    low, high = band(runs, len(cells))
    chosen = [(offset + number, cell, runs) for number, cell in enumerate(cells) if only in ("", cell[0])]
    rows = list(pool.map(level_row, chosen))
    for row in rows if gated else []:
        share = float(row[3])
        inside = "inside" if low <= share <= high else ("below" if share < low else "ABOVE")
        if inside == "below" and row[0] in CONSERVATIVE:
            inside = f"below: {CONSERVATIVE[row[0]]}"
        row.append(inside)
    return rows


def power_rows(runs: int) -> list[list[str]]:
    """Share found at p < 0.05 by the censored model and by filling in LOD - 0.5; the same proteins for both."""
    rows = []
    for number, (n, below, effect) in enumerate(
        [
            (24, 0.2, 0.0),
            (24, 0.2, 1.0),
            (40, 0.5, 0.0),
            (40, 0.5, 0.8),
            (48, 0.6, 0.0),
            (48, 0.6, 0.8),
            (96, 0.8, 0.0),
            (96, 0.8, 0.8),
        ]
    ):
        rng = np.random.default_rng([SEED, 500 + number])
        values, side, x = censored_rows(rng, runs, n, below, effect=effect)
        test = censored_likelihood_test(values, side, x, 1)
        filled = np.where(side == -1, values - 0.5, values)
        two = stats.ttest_ind(filled[:, x[:, 1] == 1], filled[:, x[:, 1] == 0], axis=1)
        difference = filled[:, x[:, 1] == 1].mean() - filled[:, x[:, 1] == 0].mean()
        bias = f"{np.nanmedian(test.estimate):+.2f}", f"{difference:+.2f}"
        found = f"{(test.p < 0.05).mean():.3f}", f"{(two.pvalue < 0.05).mean():.3f}"
        rows.append([str(n), f"{100 * below:.0f} %", f"{effect:.1f}", *found, *bias])
        print(*rows[-1], flush=True)
    return rows


def page(runs: int, pool: Executor) -> str:
    low, high = band(runs, len(OWN))
    header = ["test", "null tables", "nulls", "p < .05", "p < .01"]
    return "\n".join(
        [
            "# Do the serum tests hold their level?",
            "",
            f"Written by `python -m tests.proteomics.calibrate_tests --runs {runs}`; seed {SEED}; commit {commit()}.",
            "One null a table: proteins of one table are correlated (three factors), of unlike variance, and not"
            " independent nulls. The tables are drawn by code of their own.",
            "",
            "## Our own tests",
            "",
            f"Band for the share of p < .05 with {len(OWN)} cells: {low:.4f} to {high:.4f}. Rows with fewer than 8"
            " detected values per coefficient are refused and drawn again. Permutation counts p <= .05 (99"
            " permutations: .05 is one of the possible values).",
            "",
            markdown([*header, "band"], level_rows(OWN, runs, 0, pool, gated=True)),
            "",
            "## Tests that equal limma's: reported, not gated",
            "",
            f"Shares beyond {band(runs)[0]:.4f} to {band(runs)[1]:.4f} would fall outside the band of one cell. The preset"
            " correlation 0.01 of camera is too small for sets that move together; array weights estimated from the"
            " same few samples that they weigh, and the design's covariance where values are missing, are"
            " approximations of the method.",
            "",
            markdown(header, level_rows(LIMMA, runs, 100, pool, gated=False)),
            "",
            "## What censoring costs and what filling in costs",
            "",
            "Two equal groups, effect in standard deviations. Filled in: values below LOD set to LOD - 0.5 in log2"
            " (LOD / sqrt 2), then a t test. Median estimate of the censored model beside the mean difference of the"
            " filled-in values, which shrinks with the share below LOD.",
            "",
            markdown(
                ["mice", "below LOD", "true effect", "found, censored", "found, filled in", "estimate, censored", "estimate, filled in"],
                power_rows(runs),
            ),
            "",
        ]
    )  # fmt: skip


def renewed(text: str, test: str, runs: int, pool: Executor) -> str:
    """The page with the rows of one test computed again; a line says by which commit."""
    fresh = level_rows(OWN, runs, 0, pool, gated=True, only=test)
    for row in fresh:
        start = f"| {row[0]} | {row[1]} |"
        lines = ["| " + " | ".join(row) + " |" if line.startswith(start) else line for line in text.split("\n")]
        text = "\n".join(lines)
    return text.replace("\n## Our own tests\n", f"Rows of {test}: commit {commit()}.\n\n## Our own tests\n", 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2500)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="compute the rows of this test again in an existing page")
    given = parser.parse_args()
    with ProcessPoolExecutor(2) as workers:
        if given.only:
            text = renewed(given.out.read_text(encoding="utf-8"), given.only, given.runs, workers)
        else:
            text = page(given.runs, workers)
        given.out.write_text(text, encoding="utf-8")
