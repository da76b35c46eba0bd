"""How well the arena is found in still pictures: simulated recordings of every named condition, and composited ones.

python -m tests.behavior.validate_arena_finding --seeds 2 --out docs/validation/arena-finding.md
"""

from __future__ import annotations

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from behavior.arena import ArenaOptions
from behavior.arena_finding import MIN_CONFIDENCE, ArenaFound, empty_scene, find_arena
from behavior.simulation import CONDITIONS, RenderOptions, render_trial
from behavior.simulation.box_geometry import BoxGeometry
from behavior.video import open_video
from tests.integration.calibration import commit, markdown

SEED = 411
LEVELS = ("realistic", "hard")
WALLS = ("top", "right", "bottom", "left")
COMPOSITED = Path("../shared/data/video/composited_si")
LIMIT_CM = 0.5


@dataclass(frozen=True)
class Case:
    """One simulated recording."""

    condition: str
    level: str
    seed: int


def run_case(case: Case) -> dict[str, object]:
    """Render a short recording and find its arena."""
    number = list(CONDITIONS).index(case.condition)
    wall = WALLS[(number + case.seed) % 4]
    options = RenderOptions(
        window_s=4.0,
        target=bool((number + case.seed) % 2),
        condition=case.condition,
        level=case.level,
        arena_seed=SEED + 1000 * case.seed + number,
        geometry=BoxGeometry(enclosure_wall=wall),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.mp4"
        truth = render_trial(path, options=options, seed=SEED + case.seed)
        scene = empty_scene(open_video(path, threads=1))
        found = find_arena(scene.picture, shift_px=scene.shift_px)
    return {"condition": case.condition, "level": case.level, "seed": case.seed} | errors(
        found, truth.corners_px, truth.enclosure_px, wall
    )


def errors(found: ArenaFound, corners_px: np.ndarray, box_px: np.ndarray, wall: str) -> dict[str, object]:
    """Largest distance of a corner of the floor, and of the box's middle, from the truth, in cm."""
    row = {"confidence": found.confidence, "misfit_cm": found.misfit_cm, "corner_cm": np.nan, "box_cm": np.nan}
    row |= {"found": found.corners_px is not None, "wall_right": None}
    if found.corners_px is None:
        return row
    px_per_cm = np.hypot(*(corners_px - np.roll(corners_px, 1, axis=0)).T).mean() / 42
    row["corner_cm"] = np.hypot(*(found.corners_px - corners_px).T).max() / px_per_cm
    box = found.enclosure
    if box is not None and box.polygon_px is not None:
        row["wall_right"] = box.wall == wall
        row["box_cm"] = np.hypot(*(box.polygon_px.mean(axis=0) - box_px.mean(axis=0))) / px_per_cm
    return row


def composited() -> pd.DataFrame:
    """The recordings composited from real ones; empty where they are not there."""
    if not COMPOSITED.is_dir():
        return pd.DataFrame()
    rows = []
    for truth in pd.read_csv(COMPOSITED / "arena.csv").to_dict("records"):
        corners = np.array([[truth[f"floor_x{k}"], truth[f"floor_y{k}"]] for k in range(4)])
        box = np.array([[truth[f"box_x{k}"], truth[f"box_y{k}"]] for k in range(4)])
        scene = empty_scene(open_video(COMPOSITED / f"{truth['trial']}.mp4"))
        found = find_arena(scene.picture, ArenaOptions(), shift_px=scene.shift_px)
        rows.append({"recording": truth["trial"]} | errors(found, corners, box, truth["wall"]))
    return pd.DataFrame(rows)


def summary(cases: pd.DataFrame) -> pd.DataFrame:
    """One row per condition and level, the worst over the seeds."""
    rows = []
    for (condition, level), part in cases.groupby(["condition", "level"], sort=False):
        told = part[part["found"]]
        boxes = told["wall_right"].dropna()
        rows.append(
            {
                "condition": condition,
                "level": level,
                "recordings": len(part),
                "corners given": len(told),
                f"within {LIMIT_CM} cm": int((told["corner_cm"] <= LIMIT_CM).sum()),
                "worst corner (cm)": _number(told["corner_cm"].max()),
                "lowest confidence": _number(part["confidence"].min()),
                "enclosure's wall right": f"{int(boxes.sum())} of {len(boxes)}",
                "enclosure off, worst (cm)": _number(told["box_cm"].max()),
            }
        )
    return pd.DataFrame(rows)


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def page(cases: pd.DataFrame, real: pd.DataFrame, seeds: int) -> str:
    """The page of the documentation."""
    told = cases[cases["found"]]
    good = int((told["corner_cm"] <= LIMIT_CM).sum())
    table = summary(cases)
    text = f"""# Finding the arena in the picture

Made by `python -m tests.behavior.validate_arena_finding --seeds {seeds}` at commit {commit()}, seed {SEED}.
The median of frames spread over a recording is searched for a floor of 42 x 42 cm and an enclosure of 10 x 6.5 cm;
nothing else is told. Errors are the largest of the four corners; corners are given from a confidence of
{MIN_CONFIDENCE} on, otherwise the user is asked for them.

Simulated recordings (480 x 360 px, drawn pictures): corners given in {len(told)} of {len(cases)}, {good} of these
within {LIMIT_CM} cm; median error {told["corner_cm"].median():.2f} cm, worst {told["corner_cm"].max():.2f} cm. After a knock against the camera
(`camera_bump`) the picture holds the arena at two places, and no corners are right for both.

{markdown(list(table.columns), table.itertuples(index=False))}
"""
    if real.empty:
        return text
    shown = [
        (
            row["recording"],
            *(_number(row[name]) for name in ("confidence", "corner_cm", "misfit_cm", "box_cm")),
            "yes" if row["wall_right"] else "no",
        )
        for row in real.to_dict("records")
    ]
    columns = ["recording", "confidence", "worst corner (cm)", "misfit (cm)", "enclosure off (cm)", "wall right"]
    return f"""{text}
Recordings composited from real ones, floor corners known:

{markdown(columns, shown)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS))
    parser.add_argument("--cases", type=Path, help="CSV file to write, one row per recording")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cases = [Case(c, level, seed) for c in arguments.conditions for level in LEVELS for seed in range(arguments.seeds)]
    with ProcessPoolExecutor(arguments.workers) as pool:
        rows = pd.DataFrame(list(pool.map(run_case, cases)))
    if arguments.cases is not None:
        rows.to_csv(arguments.cases, index=False)
    arguments.out.write_text(page(rows, composited(), arguments.seeds), "utf-8")


if __name__ == "__main__":
    main()
