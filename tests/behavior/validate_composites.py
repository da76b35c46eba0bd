"""How tracking and scoring do on photographed mice under hard conditions.

python -m tests.behavior.validate_composites --stills ../shared/data/video/open_field_stills --out PAGE.md
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from tests.behavior.composites import animals, composited
from tests.behavior.validate_conditions import WINDOW_S, Case, run_case, summary
from tests.integration.calibration import commit, markdown

CONDITIONS = (
    "clean",
    "lamp_change",
    "tilted_camera",
    "droppings",
    "low_contrast",
    "flicker",
    "reflections",
    "shade_band",
)


def run_composited(case: Case, stills: Path) -> dict[str, object]:
    """Both trials of one animal of the stills; the seed says which."""
    cutouts = animals(stills)
    name = sorted(cutouts)[case.seed % len(cutouts)]
    with composited(cutouts[name]):
        return run_case(case)


def page(cases: pd.DataFrame, n_animals: int) -> str:
    table = summary(cases)
    ratios = 100 * cases["ratio_error"][cases["limit"] == 0.03]
    return f"""# Tracking and scoring of photographed mice under hard conditions

Made by `python -m tests.behavior.validate_composites` at commit {commit()}. The subject is cut out of labelled
photographs of {n_animals} black mice (open_field_stills; fur, posture and tail are real, the posture changes every 0.4 s)
and laid along a simulated path into simulated boxes with a mesh enclosure, a drawn white target, real encoding; where it
was laid is the truth. {WINDOW_S:g} s trials, 480 x 360 px, 15 frames/s; both trials of each animal; floor corners given,
the rest at its defaults. Under `reflections` the mirror image of the photographed mouse is seen in the
walls. Limits as in [simulated recordings](simulated-recordings.md).

{markdown(list(table.columns), table.itertuples(index=False))}

SI ratio, where the time with target is 15 s or more ({len(ratios)} animals): median error {ratios.median():.2f} %, 95th
percentile {np.percentile(ratios, 95):.2f} %.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stills", type=Path, required=True)
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    count = len(animals(given.stills))
    todo = [Case(condition, "hard", seed) for condition in given.conditions for seed in range(count)]
    with ProcessPoolExecutor(given.workers) as pool:
        cases = pd.DataFrame(pool.map(partial(run_composited, stills=given.stills), todo))
    text = page(cases, count)
    print(text)
    given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
