"""Null calibration of drug reversal, with separate and with shared patients, beside the naive versions that fail.

    python -m tests.integration.calibrate_reversal --runs 1000 --out docs/validation/integration-reversal.md

People are drawn here by plain NumPy: a factor model of proteins, a patient's two samples correlated.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from scipy import stats

from integration.reversal import ReversalOptions, drug_reversal
from integration.reversal_data import disease_data, drug_data
from tests.integration.calibration import band, command, commit, markdown

SEED = 777
PROTEINS, CASES, HEALTHY, DRUGS, PATIENTS = 160, 30, 32, 2, 14
SCORES = ("spearman", "cosine", "wtcs", "xsum")
#: Size of the disease and of every drug; ``along``: on what varies most between people anyway, else on proteins of
#: their own, the disease's and the drugs' apart.
CELLS = {
    "no disease, no drug effect": {},
    "disease, no drug effect": {"disease": 0.7},
    "disease along the main factor, no drug effect": {"disease": 1.2, "along": True},
    "no disease, drugs along the main factor": {"drug": 1.0, "along": True},
    "disease and drugs, in unrelated proteins": {"disease": 0.7, "drug": 0.7},
}


def draw_trial(
    rng: np.random.Generator, *, shared: bool, disease: float = 0.0, drug: float = 0.0, along: bool = False
) -> tuple[pd.DataFrame, pd.Series, dict[str, list[tuple[str, str]]]]:
    """Samples x proteins, groups, and pairs of (before, after) per drug.

    With ``shared`` the patients of the first drug are the disease's cases, all 30; other drugs have their own 14.
    """
    loadings = rng.normal(0, 0.6, (4, PROTEINS)) * np.array([1.5, 1, 1, 1])[:, None]
    order = rng.permutation(PROTEINS)

    def pattern(part: int) -> np.ndarray:
        if along:
            return loadings[0]
        effect = np.zeros(PROTEINS)
        effect[order[part * 40 : part * 40 + 40]] = np.tile([1.0, -1.0], 20)
        return effect

    def people(n: int) -> tuple[np.ndarray, np.ndarray]:
        """Two samples of each person, correlated .6."""
        lasting, first, second = (rng.normal(size=(n, 4)) @ loadings + rng.normal(size=(n, PROTEINS)) for _ in range(3))
        return np.sqrt(0.6) * lasting + np.sqrt(0.4) * first, np.sqrt(0.6) * lasting + np.sqrt(0.4) * second

    samples: dict[str, np.ndarray] = {}
    group: dict[str, str] = {}
    pairs: dict[str, list[tuple[str, str]]] = {}
    before, after = people(CASES)
    for i in range(CASES):
        samples[f"case{i}"], group[f"case{i}"] = before[i] + disease * pattern(0), "case"
        if shared:
            samples[f"case{i}-after"] = after[i] + disease * pattern(0) + drug * pattern(1)
            pairs.setdefault("drug0", []).append((f"case{i}", f"case{i}-after"))
    for i, values in enumerate(people(HEALTHY)[0]):
        samples[f"hc{i}"], group[f"hc{i}"] = values, "HC"
    for k in range(1 if shared else 0, DRUGS):
        before, after = people(PATIENTS)
        for i in range(PATIENTS):
            first, second = f"drug{k}-{i}-before", f"drug{k}-{i}-after"
            samples[first], samples[second] = before[i], after[i] + drug * pattern(1)
            pairs.setdefault(f"drug{k}", []).append((first, second))
    frame = pd.DataFrame.from_dict(samples, orient="index", columns=[f"P{i}" for i in range(PROTEINS)])
    return frame, pd.Series(group), pairs


def p_values(rng: np.random.Generator, *, shared: bool, **effects) -> dict[str, float]:
    """p of the first drug for each score, smallest p_max, and the naive ones."""
    options = ReversalOptions(scores=SCORES, n_permutations=199, n_splits=1, n_bootstrap=0)
    values, group, pairs = draw_trial(rng, shared=shared, **effects)
    side = disease_data(values, group=group, case="case", reference="HC")
    drugs = [drug_data(values, name=name, pairs=each) for name, each in pairs.items()]
    table = drug_reversal(side, drugs, options=options, seed=rng).table
    first = table[table["drug"] == "drug0"].set_index("score")
    found = {f"{score}, p": first.loc[score, "p"] for score in SCORES}
    found["spearman, smallest p_max of the drugs"] = table.loc[table["score"] == "spearman", "p_max"].min()
    found["naive: proteins as observations"] = stats.spearmanr(side.signature, drugs[0].signature).pvalue
    if shared:
        hidden = values.rename(index=lambda name: f"again-{name}")
        again = [(f"again-{a}", f"again-{b}") for a, b in pairs["drug0"]]
        unaware = drug_reversal(side, [drug_data(hidden, name="drug0", pairs=again)], options=options, seed=rng).table
        found["naive: shared patients ignored, spearman"] = unaware.loc[unaware["score"] == "spearman", "p"].iloc[0]
    return found


def run(runs: int, *, seed: int = SEED) -> list[tuple[str, str, str, float]]:
    """Share of p < .05 by design, cell and test."""
    rows = []
    for shared in (False, True):
        for number, (cell, effects) in enumerate(CELLS.items()):
            hits: Counter[str] = Counter()
            for study in range(runs):
                found = p_values(np.random.default_rng([seed, shared, number, study]), shared=shared, **effects)
                hits.update(name for name, p in found.items() if p < 0.05)
            design = "first drug in the cases" if shared else "separate patients"
            rows += [(design, cell, name, hits[name] / runs) for name in found]
            print(rows[-len(found) :], flush=True)
    return rows


def report(runs: int) -> str:
    """The page."""
    rows = run(runs)
    cells = 2 * len(CELLS) * (len(SCORES) + 1)
    low, high = band(runs, cells)

    def verdict(name: str, share: float) -> str:
        if name.startswith("naive"):
            return "naive"
        # p is the larger of two tests; each alone is at its level only where the other side is real.
        return "in band" if low <= share <= high else "conservative, as documented" if share < low else "OUTSIDE"

    lines = [[design, cell, name, f"{share:.4f}", verdict(name, share)] for design, cell, name, share in rows]
    return f"""# Drug reversal under the null

{CASES} cases, {HEALTHY} healthy, {DRUGS} drugs, {PROTEINS} proteins in a factor model, a patient's two samples correlated .6; no drug
reverses the disease. Share of p < .05 in {runs} simulated studies a cell. Band for {cells} cells: {low:.4f} to {high:.4f}.
Commit {commit()}, seed {SEED}; written by `python -m tests.integration.calibrate_reversal`.

{markdown(["patients", "cell", "test", "share of p < .05", "verdict"], lines)}
"""


if __name__ == "__main__":
    command(__doc__, report)
