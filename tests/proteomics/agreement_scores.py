"""Scores of a set in each sample against R, and against a library that could have been used.

python -m tests.proteomics.agreement_scores --out docs/validation/axis-scores.md

The column of gseapy is worked out where that package is installed (``pip install gseapy``); it is no dependency.
"""

from __future__ import annotations

import argparse
import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from proteomics.axes import z_scores
from proteomics.set_scores import METHODS, Levels
from tests.integration.calibration import commit, markdown

HERE = Path(__file__).parent / "set_scores"
SETS = {"four": [2, 7, 19, 31], "nine": [1, 5, 8, 13, 20, 21, 33, 40, 44]}
#: Method, column of scores.csv, signs of the members beyond the second, what it is compared with.
CASES = (
    ("ssgsea", "ssgsea", 1.0, "GSVA 1.46.0, method ssgsea, not divided by the range"),
    ("gsva", "gsva", 1.0, "GSVA 1.46.0, method gsva, its kernel looked up in steps of 0.001"),
    ("gsva", "gsva_exact", 1.0, "GSVA's walk over pnorm itself"),
    ("pc1", "pc1", 1.0, "prcomp"),
    ("singscore", "singscore", 1.0, "published formula in R with rank()"),
    ("singscore", "singscore_mixed", -1.0, "the same, members that go down on reversed ranks"),
)


def own(values: np.ndarray, members: list[int], method: str, further: float) -> np.ndarray:
    """Our scores of one set."""
    signs = np.array([1.0, 1.0] + [further] * (len(members) - 2))
    levels = Levels(values=values, z=z_scores(values, np.ones(len(values), bool))[0])
    return np.asarray(METHODS[method].score(levels, np.array(members) - 1, signs).score)


def library(x: pd.DataFrame, method: str) -> pd.Series[float] | None:
    """Scores by gseapy, by set and sample; None without it."""
    try:
        gp: Any = importlib.import_module("gseapy")
    except ImportError:
        return None
    sets = {name: [f"P{number:02d}" for number in members] for name, members in SETS.items()}
    common = {"data": x, "gene_sets": sets, "outdir": None, "min_size": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = (
            gp.ssgsea(**common, sample_norm_method="rank", correl_norm_type="rank", weight=0.25, no_plot=True)
            if method == "ssgsea"
            else gp.gsva(**common, kcdf="Gaussian", mx_diff=True, weight=1)
        )
    return result.res2d.astype({"ES": float}).set_index(["Term", "Name"])["ES"]


def rows() -> list[list[object]]:
    """One row a case: largest difference from R of ours, and of the library."""
    x = pd.read_csv(HERE / "levels.csv", index_col=0)
    scores = pd.read_csv(HERE / "scores.csv").set_index(["set", "sample"])
    found: list[list[object]] = []
    for method, column, further, what in CASES:
        ours = np.concatenate([own(x.to_numpy().T, members, method, further) for members in SETS.values()])
        reference = np.concatenate([scores.loc[name, column].to_numpy() for name in SETS])
        beside = library(x, method) if method in ("ssgsea", "gsva") else None
        if beside is None:
            theirs = ""
        else:
            away = np.abs(np.concatenate([beside[name].loc[x.columns].to_numpy() for name in SETS]) - reference)
            theirs = f"{away.max():.0e}, {int((away > 1e-9).sum())} of {len(away)} samples differ"
        found.append([method, what, f"{np.abs(ours - reference).max():.0e}", theirs])
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    table = markdown(["method", "compared with", "largest difference, ours", "largest difference, gseapy"], rows())
    given.out.write_text(
        f"""# Axis scores against R

Written by `python -m tests.proteomics.agreement_scores` at commit {commit()}. 45 proteins x 15 samples with ties within a
sample and within a protein, sets of 4 and of 9 members (`tests/proteomics/set_scores/make_reference.R`, R 4.2.2).

{table}

The package singscore is not in Debian and was not run; its published score was written again in R from the paper
(doi:10.1186/s12859-018-2435-4) with R's own `rank`, and both were checked by hand.

ssGSEA and GSVA are our own short walks and no library was kept: gseapy 1.3.1 equals R in GSVA but not in ssGSEA where
values of a sample tie; it fills a missing value with 0, so that a protein that was not measured is the lowest of all;
and it brings matplotlib and requests (a network client) with it. Values by rank depend on what else is on the panel: compare them within one panel only.
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
