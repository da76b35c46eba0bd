"""A finished demo against the truth it was rendered from.

    stressaxis demo && python benchmarks/demo_truth.py results/demo [--seconds 172] [--out docs/validation/demo.md]

Truth is what the renderer wrote beside the recordings (``data/truth``); nothing of it is read by the run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd


def trials(results: Path) -> pd.DataFrame:
    """Zone seconds and release of every trial, found and true."""
    found = pd.read_csv(results / "tables" / "trials.csv").set_index(["subject", "trial"])
    rows = [json.loads(path.read_text()) for path in sorted((results / "data" / "truth" / "trials").glob("*.json"))]
    true = pd.DataFrame(rows).set_index(["subject", "trial"])
    table = found.join(true[["iz_s", "release_s"]].rename(columns={"iz_s": "iz_s_true"}), how="outer")
    table["off_s"] = (table["iz_s"] - table["iz_s_true"]).abs()
    table["limit_s"] = np.maximum(0.3, 0.01 * table["iz_s_true"])
    table["release_off_s"] = (table["start_s"] - table["release_s"]).abs()
    return table


def mice(table: pd.DataFrame) -> pd.DataFrame:
    """SI ratio of every mouse, found and true."""
    wide = table[["iz_s", "iz_s_true"]].unstack("trial")
    rows = pd.DataFrame(
        {
            "si": wide["iz_s"]["target"] / wide["iz_s"]["no_target"].replace(0, np.nan),
            "si_true": wide["iz_s_true"]["target"] / wide["iz_s_true"]["no_target"].replace(0, np.nan),
            "short": wide["iz_s_true"]["target"] < 15,
        }
    )
    rows["off"] = (rows["si"] - rows["si_true"]).abs()
    near = (rows["si_true"] - 1).abs() <= 0.03
    rows["class_differs"] = ((rows["si"] < 1) != (rows["si_true"] < 1)) & ~near & rows["si_true"].notna()
    return rows


def planted_ranks(results: Path) -> list[tuple[str, int]]:
    """Place of each planted protein by p, among all tested."""
    tested = pd.read_csv(results / "tables" / "differential_per_target_s.csv").sort_values("p").reset_index(drop=True)
    truth = pd.read_csv(results / "data" / "truth" / "proteins.csv")
    planted = truth.loc[truth["correlation"].abs() > 0, "protein"]
    return sorted(((name, int(tested.index[tested["protein"] == name][0]) + 1) for name in planted), key=lambda p: p[1])


def page(results: Path, seconds: float | None) -> str:
    table = trials(results)
    by_mouse = mice(table)
    ratio = by_mouse[by_mouse["si_true"].notna()]
    long, short = ratio[~ratio["short"]], ratio[ratio["short"]]
    ranks = ", ".join(f"{name} {place}" for name, place in planted_ranks(results))
    took = f"From command to report: {seconds:.0f} s.\n\n" if seconds else ""
    rows = [
        ("zone seconds off, worst of all trials", f"{table['off_s'].max():.3f} s", "max(0.3 s, 1 %)"),
        ("trials beyond that limit", f"{int((table['off_s'] > table['limit_s']).sum())} of {len(table)}", "0"),
        ("release off, worst", f"{table['release_off_s'].max():.3f} s", "0.2 s"),
        ("SI ratio off, worst", f"{100 * (long['off'] / long['si_true']).max():.2f} %", "-"),
        (f"SI ratio off, target time under 15 s ({len(short)} mice)", f"{short['off'].max():.3f}", "0.02"),
        ("classes that differ", f"{int(by_mouse['class_differs'].sum())} of {len(by_mouse)}", "0"),
        (
            "mice without a ratio, found and true",
            f"{by_mouse['si'].isna().sum()}, {by_mouse['si_true'].isna().sum()}",
            "-",
        ),
        ("place of the planted proteins by p", ranks, "first"),
    ]
    body = "\n".join(f"| {what} | {came} | {limit} |" for what, came, limit in rows)
    return f"""# The demo against its truth

Written by `python benchmarks/demo_truth.py results/demo` after `stressaxis demo`. Simulated only.

{took}| what | came out | limit |
| --- | --- | --- |
{body}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--seconds", type=float, help="how long the demo took, to be stated")
    parser.add_argument("--out", type=Path, help="page to write")
    given = parser.parse_args()
    text = page(given.results, given.seconds)
    print(text)
    if given.out:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
