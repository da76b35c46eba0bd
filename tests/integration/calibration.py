"""Shared by the calibration runs: the exact binomial band, and how a table of cells is written."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from scipy import stats


def band(runs: int, cells: int = 1, *, rate: float = 0.05) -> tuple[float, float]:
    """Interval that holds the share of p < ``rate`` in all of ``cells`` honest cells with probability 0.999."""
    level = 0.001 / cells
    low, high = stats.binom.ppf([level / 2, 1 - level / 2], runs, rate) / runs
    return float(low), float(high)


def commit() -> str:
    """Short hash of the code that made the numbers; in a copy without git, that it is not known."""
    root = Path(__file__).resolve().parents[2]
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "not known"
    return found.stdout.strip()


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def command(doc: str | None, report: Callable[[int], str]) -> None:
    """``--runs N --out PAGE.md``: write the page that a calibration gives for so many studies a cell."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.write_text(report(options.runs), encoding="utf-8")
