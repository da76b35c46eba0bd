"""Null calibration of signature similarity with shared controls, beside the naive versions that fail.

    python -m tests.integration.calibrate_similarity --runs 1000 --out docs/validation/integration-similarity.md

Proteins follow a factor model drawn here by plain NumPy.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from scipy import stats

from integration.similarity import SimilarityOptions, group_similarity
from tests.integration.calibration import band, command, commit, markdown

SEED = 4242
SIZES = {"MDD": 25, "AD": 30, "HC": 32}
#: Which diseases have a true signature of their own: none; AD only; both, on separate proteins (truly unrelated).
CELLS = {
    "no disease differs": {"mdd": 0.0, "ad": 0.0},
    "AD differs, MDD does not": {"mdd": 0.0, "ad": 0.6},
    "AD differs along the main factor, MDD does not": {"mdd": 0.0, "ad": 0.0, "along": 1.5},
    "both differ, in unrelated proteins": {"mdd": 0.6, "ad": 0.6},
}
SCORES = ("spearman", "pearson", "cosine", "sign_concordance")


def draw_people(
    rng: np.random.Generator, *, mdd: float, ad: float, along: float = 0.0, proteins: int = 363, factors: int = 5
) -> tuple[pd.DataFrame, pd.Series]:
    """Serum of people: correlated proteins, true effects on disjoint sets with both signs balanced."""
    group = np.repeat(list(SIZES), list(SIZES.values()))
    loadings = rng.normal(0, 0.6, (factors, proteins)) * np.array([1.5, 1, 1, 1, 1])[:factors, None]
    values = rng.normal(size=(len(group), factors)) @ loadings + rng.normal(0, 1, (len(group), proteins))
    values[group == "AD"] += along * loadings[0]
    order = rng.permutation(proteins)
    for name, size, chosen in (("MDD", mdd, order[:80]), ("AD", ad, order[80:160])):
        effect = np.zeros(proteins)
        effect[chosen] = size * np.tile([1, -1], 40)
        values[group == name] += effect
    names = [f"s{i}" for i in range(len(group))]
    frame = pd.DataFrame(values, index=names, columns=[f"P{i}" for i in range(proteins)])
    return frame, pd.Series(group, index=names)


def naive_p(values: pd.DataFrame, group: pd.Series, rng: np.random.Generator) -> dict[str, float]:
    """The habits that fail: proteins as observations, with shared and with split controls."""
    mean = values.groupby(group).mean()
    mdd, ad = (mean.loc[name] - mean.loc["HC"] for name in ("MDD", "AD"))
    shared = stats.spearmanr(mdd, ad).pvalue
    controls = rng.permutation(group.index[group == "HC"])
    halves = [values.loc[part].mean() for part in (controls[:16], controls[16:])]
    split = stats.spearmanr(mean.loc["MDD"] - halves[0], mean.loc["AD"] - halves[1]).pvalue
    return {
        "naive: proteins as observations, controls shared": shared,
        "naive: proteins as observations, controls split": split,
    }


def run(runs: int, *, seed: int = SEED) -> tuple[list[tuple[str, str, float]], list[tuple[str, float, float, float]]]:
    """Share of p < .05 by cell and score; and per cell the mean of observed, null line and split estimate (Spearman)."""
    options = SimilarityOptions(n_permutations=199, n_splits=8)
    shares, means = [], []
    for number, (cell, effects) in enumerate(CELLS.items()):
        hits: Counter[str] = Counter()
        numbers = []
        for study in range(runs):
            rng = np.random.default_rng([seed, number, study])
            values, group = draw_people(rng, **effects)
            result = group_similarity(values, group=group, contrast_a=("MDD", "HC"), contrast_b=("AD", "HC"),
                                      options=options, seed=rng).table  # fmt: skip
            for column in ("p", "p_all"):
                hits.update(f"{score}, {column}" for score in result.loc[result[column] < 0.05, "score"])
            hits.update(name for name, p in naive_p(values, group, rng).items() if p < 0.05)
            first = result.iloc[0]
            numbers.append(
                (
                    first["observed"],
                    first["null_line"],
                    first["estimate"],
                    float(first["ci_low"] <= 0 <= first["ci_high"]),
                )
            )
        names = [*(f"{score}, {column}" for column in ("p", "p_all") for score in SCORES), *naive_p(values, group, rng)]
        shares += [(cell, name, hits[name] / runs) for name in names]
        means.append((cell, *np.mean(numbers, axis=0)))
    return shares, means


def report(runs: int) -> str:
    """The page."""
    shares, means = run(runs)
    low, high = band(runs, 2 * len(CELLS) * len(SCORES))

    def verdict(cell: str, name: str, share: float) -> str:
        if name.startswith("naive"):
            return "naive"
        if name.endswith("p_all") and cell != "no disease differs":
            return "not its null: one group differs"
        if low <= share <= high:
            return "in band"
        # p is the larger of two exact tests, so it is below the band where neither disease, or both, are real.
        return "conservative, as documented" if share < low and name.endswith(", p") else "OUTSIDE"

    lines = [[cell, name, f"{share:.4f}", verdict(cell, name, share)] for cell, name, share in shares]
    numbers = [[cell, *(f"{value:.3f}" for value in values)] for cell, *values in means]
    return f"""# Similarity of two signatures with shared controls, under the null

MDD {SIZES["MDD"]}, AD {SIZES["AD"]}, the same {SIZES["HC"]} healthy in both contrasts, 363 proteins in a factor model; the two signatures
are unrelated. Share of p < .05 in {runs} simulated studies a cell. Band for {2 * len(CELLS) * len(SCORES)} cells: {low:.4f} to {high:.4f}.
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.calibrate_similarity`.

{markdown(["cell", "test", "share of p < .05", "verdict"], lines)}

Means over the studies (Spearman). The observed correlation follows the null line, the split estimate stays near zero.

{markdown(["cell", "observed", "null line", "split estimate", "interval holds 0"], numbers)}
"""


if __name__ == "__main__":
    command(__doc__, report)
