"""How closely the moderated statistics agree with R limma's stored results, case by case.

    python -m tests.proteomics.agreement_limma FOLDER --out docs/validation/limma.md

FOLDER holds the tables with their `reference` folders (`../shared/data/proteomics`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from proteomics.array_weights import array_weights
from proteomics.block_correlation import block_correlation
from proteomics.camera import camera, camera_of_statistics
from proteomics.contrasts import contrasts
from proteomics.linear_model import fit_linear
from proteomics.moderated import f_test, moderate
from proteomics.roast import fry, roast
from proteomics.romer import romer
from proteomics.set_effects import set_effects
from proteomics.treat import treat
from tests.integration.calibration import commit, markdown

COLUMNS = ("logFC", "t", "P.Value", "B", "df.prior", "s2.prior")


def read(path: Path, **options: object) -> pd.DataFrame:
    path = path if path.exists() else path.with_name(path.name + ".gz")
    return pd.read_csv(path, **options)


def apart(ours: np.ndarray, limma: pd.Series) -> str:
    """Largest relative difference, or where missing values disagree."""
    ours, theirs = np.asarray(ours, dtype=float), limma.to_numpy(dtype=float)
    if (np.isnan(ours) != np.isnan(theirs)).any():
        return "missing differs"
    different = ~np.isnan(theirs) & (ours != theirs)
    return f"{np.max(np.abs(ours / theirs - 1)[different], initial=0.0):.0e}"


def fitted(case: Path) -> tuple[object, int]:
    """The case by our own code, with limma's consensus correlation and weights, and the tested column."""
    matrix = read(case.parent / "matrix.csv", index_col=0).to_numpy(dtype=float)
    design = read(case / "design.csv", index_col=0)
    scalars = read(case / "scalars.csv", index_col=0)["value"]
    options: dict[str, object] = {}
    if (case / "array_weights.csv").exists():
        options["weights"] = read(case / "array_weights.csv")["weight"].to_numpy()
    if (case / "block.csv").exists():
        options["block"] = read(case / "block.csv", dtype=str)["block"].to_numpy()
        options["correlation"] = float(scalars["consensus_correlation"])
    fit = fit_linear(matrix, design, **options)
    column = 0 if (case / "contrast.csv").exists() else design.columns.get_loc(scalars["coef"])
    if (case / "contrast.csv").exists():
        fit = contrasts(fit, read(case / "contrast.csv", index_col=0))
    return moderate(fit, trend="trend" in case.name, robust="robust" in case.name), int(column)


def statistics_table(root: Path) -> list[list[str]]:
    rows = []
    for path in sorted(root.glob("*/reference*/*/scalars.csv")):
        case = path.parent
        result, k = fitted(case)
        expected = read(case / "result.csv")
        found = {
            "logFC": result.fit.coefficients[:, k],
            "t": result.t[:, k],
            "P.Value": result.p[:, k],
            "B": result.log_odds[:, k],
            "df.prior": result.prior.df,
            "s2.prior": result.prior.scale,
        }
        gaps = "" if np.isfinite(expected["P.Value"]).all() else f"{int(expected['P.Value'].isna().sum())}"
        numbers = [apart(found[column], expected[column]) for column in COLUMNS]
        limit = "1e-6" if "robust" in case.name else "1e-9"
        further = _further(case, result, k)
        rows.append([case.parts[-3], case.name, str(len(expected)), gaps, *numbers, further, limit])
    return rows


def _further(case: Path, result: object, column: int) -> str:
    parts = []
    if (case / "treat.csv").exists():
        expected = read(case / "treat.csv")
        parts.append(f"treat p {apart(treat(result, 0.5).p[:, column], expected['P.Value'])}")
    if (case / "F.csv").exists() or (case / "F.csv.gz").exists():
        parts.append(f"F {apart(f_test(result, covariance='design').f, read(case / 'F.csv')['F'])}")
    return ", ".join(parts)


def weights_and_blocks(root: Path) -> tuple[list[list[str]], list[list[str]]]:
    weights, blocks = [], []
    for path in sorted(root.glob("*/reference/*/design.csv")):
        case = path.parent
        matrix = read(case.parent / "matrix.csv", index_col=0).to_numpy(dtype=float)
        design = read(path, index_col=0).to_numpy(dtype=float)
        given = read(case / "array_weights.csv")["weight"].to_numpy() if (case / "array_weights.csv").exists() else None
        if given is not None and not case.name.startswith("10"):
            one_pass = "genebygene" in case.name or np.isnan(matrix).any()
            shown = [case.parts[-3], case.name, "gene by gene" if one_pass else "REML"]
            for method in ("reml", "gene_by_gene"):
                difference = np.abs(array_weights(matrix, design, method=method) / given - 1)
                shown.append(f"{100 * difference.max():.3f} %")
            weights.append(shown)
        if (case / "block.csv").exists():
            scalars = read(case / "scalars.csv", index_col=0)["value"]
            limma = float(scalars["consensus_correlation"])
            block = read(case / "block.csv", dtype=str)["block"].to_numpy()
            ours = block_correlation(matrix, design, block, weights=given).consensus
            blocks.append([case.parts[-3], case.name, f"{limma:.5f}", f"{ours:.5f}", f"{ours - limma:+.5f}"])
    return weights, blocks


def set_tests(root: Path) -> list[list[str]]:
    folder = root / "prometis_mouse_plasma/reference_gene_sets"
    matrix, design = (pd.read_csv(folder / name, index_col=0) for name in ("matrix.csv", "design.csv"))
    sets = pd.read_csv(folder / "sets.csv").groupby("set", sort=False)["id"].apply(list).to_dict()
    effects = set_effects(matrix, design, 1, proteins=list(matrix.index))
    ready = dict(zip(effects.proteins, effects.t, strict=True))
    rows = []
    exact = {
        "camera_default_cor0.01": camera(effects, sets, correlation=0.01),
        "camera_estimated_cor": camera(effects, sets),
        "camera_ranks": camera(effects, sets, correlation=0.01, ranks=True),
        "cameraPR_moderated_t": camera_of_statistics(ready, sets),
        "fry_default": fry(effects, sets),
        "fry_standardize_none": fry(effects, sets, standardize=False),
    }
    for name, found in exact.items():
        expected = pd.read_csv(folder / f"{name}.csv")
        mixed = f", mixed {apart(found['p_mixed'], expected['PValue.Mixed'])}" if "p_mixed" in found else ""
        rows.append([name, f"largest relative difference of p {apart(found['p'], expected['PValue'])}{mixed}"])
    drawn = {
        "mroast_mean": (roast(effects, sets, seed=1), {"p": "PValue", "p_mixed": "PValue.Mixed"}),
        "mroast_msq": (roast(effects, sets, seed=1, statistic="msq"), {"p": "PValue", "p_mixed": "PValue.Mixed"}),
        "romer": (romer(effects, sets, seed=1), {"p_up": "Up", "p_down": "Down", "p_mixed": "Mixed"}),
    }
    for name, (found, columns) in drawn.items():
        expected = pd.read_csv(folder / f"{name}_nrot9999_seed20240607.csv")
        worst = max(_standard_errors(found[ours], expected[theirs]) for ours, theirs in columns.items())
        count = len(columns) * len(found)
        rows.append([name, f"largest of {count} differences of p: {worst:.1f} standard errors (9,999 rotations each)"])
    return rows


def _standard_errors(ours: pd.Series, limma: pd.Series) -> float:
    p = (ours.to_numpy() + limma.to_numpy()) / 2
    return float((np.abs(ours.to_numpy() - limma.to_numpy()) / np.sqrt(p * (1 - p) * 2 / 9999)).max())


def page(root: Path) -> str:
    weights, blocks = weights_and_blocks(root)
    head = ["table", "case", "proteins", "no estimate", *COLUMNS, "also", "wanted"]
    return "\n".join(
        [
            "# Agreement with R limma",
            "",
            "Written by `python -m tests.proteomics.agreement_limma FOLDER`; R 4.2.2, limma 3.54.1, statmod 1.5.0;"
            f" commit {commit()}.",
            "",
            "Largest relative difference of any protein. Cases with blocks and array weights use limma's own consensus"
            " correlation and weights here; our own follow below. F is compared with one correlation of the"
            ' coefficients for all proteins, as limma has it (`covariance="design"`); limma takes that correlation'
            " without the weights where array weights meet missing values, which is why F differs in those cases and"
            " only there. The default F and contrasts use each protein's own covariance.",
            "",
            markdown(head, statistics_table(root)),
            "",
            "## Array weights",
            "",
            "Largest difference of a sample's weight from limma's. limma takes REML for complete data, stopping before"
            " it has converged, and a single pass gene by gene where values are missing. `auto` does the same; `reml`"
            " is the converged maximum and does not depend on the order of the proteins.",
            "",
            markdown(["table", "case", "limma's method", "our REML", "our gene by gene"], weights),
            "",
            "## Correlation within blocks",
            "",
            "limma stops its iterations before they converge in some proteins; ours is the maximum of each protein's"
            " likelihood (tests compare it with the full likelihood on a grid).",
            "",
            markdown(["table", "case", "limma", "stressaxis", "difference"], blocks),
            "",
            "## Set tests",
            "",
            markdown(["test", "agreement"], set_tests(root)),
            "",
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.write_text(page(given.folder), encoding="utf-8")
