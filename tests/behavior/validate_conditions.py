"""How tracking and scoring do on simulated recordings of every named condition, failures included.

python -m tests.behavior.validate_conditions --seeds 5 --out docs/validation/simulated-recordings.md
"""

from __future__ import annotations

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from behavior.arena import ArenaOptions, build_arena
from behavior.simulation import CONDITIONS, KNOWN_FAILURES, RenderOptions, Truth, render_trial
from behavior.social_interaction import score_trial
from behavior.tracker import track
from behavior.video import open_video
from tests.integration.calibration import commit, markdown

SEED = 73
WINDOW_S = 60.0
ENDS = ("nose", "tail_base")
LEVELS = ("realistic", "hard")
#: What a mouse does with the empty and with the occupied enclosure; drawn per seed.
AVOIDANCE = ((0.0, 0.2), (-0.5, -1.0), (0.3, 1.0), (0.0, -0.5), (0.5, 1.8))


@dataclass(frozen=True)
class Case:
    """Both trials of one simulated mouse."""

    condition: str
    level: str
    seed: int


def run_case(case: Case) -> dict[str, object]:
    """Render, track and score both trials; worst of the two, and the ratio."""
    trials = {}
    with tempfile.TemporaryDirectory() as folder:
        for target in (False, True):
            options = RenderOptions(
                avoidance=AVOIDANCE[case.seed % len(AVOIDANCE)][target],
                target=target,
                window_s=WINDOW_S,
                condition=case.condition,
                level=case.level,
                arena_seed=SEED + case.seed,
            )
            path = Path(folder) / f"{target}.mp4"
            truth = render_trial(path, options=options, seed=SEED * 1000 + 2 * case.seed + target)
            trials[target] = measure(path, truth, options)
    ratios = {
        key: trials[True][key] / trials[False][key] if trials[False][key] else np.nan for key in ("iz_s", "iz_true_s")
    }
    short = trials[True]["iz_true_s"] < 15
    # A mouse that never is in the zone has no ratio: right is to give none.
    both_without = bool(np.isnan(ratios["iz_s"]) and np.isnan(ratios["iz_true_s"]))
    error = abs(ratios["iz_s"] - ratios["iz_true_s"]) / (1 if short else max(ratios["iz_true_s"], 1e-9))
    wrong = np.concatenate([trial["wrong"] for trial in trials.values()])
    turned = np.concatenate([trial["turned"] for trial in trials.values()])
    return {
        "condition": case.condition,
        "level": case.level,
        "frames": len(wrong),
        "wrong_frames": int(wrong.sum()),
        "nose_frames": len(turned),
        "turned_frames": int(turned.sum()),
        "short": short,
        "centre_px": np.median(np.concatenate([trial["error_px"] for trial in trials.values()])),
        "wrong_percent": 100 * wrong.mean(),
        "turned_percent": 100 * turned.mean() if turned.size else 0.0,
        "release_s": max(abs(trial["release_s"]) for trial in trials.values()),
        "zone_s": max(abs(trial["iz_s"] - trial["iz_true_s"]) for trial in trials.values()),
        "ratio_error": 0.0 if both_without else error,
        "limit": 0.02 if short else 0.03,
        "class_changed": (ratios["iz_s"] < 1) != (ratios["iz_true_s"] < 1) and not abs(ratios["iz_true_s"] - 1) <= 0.03,
    }


def measure(path: Path, truth: Truth, options: RenderOptions) -> dict[str, object]:
    """Errors of one trial inside the true window; wrong = lost, or more than half a body length off."""
    geometry = options.geometry
    arena_options = ArenaOptions(enclosure_wall=geometry.enclosure_wall)
    arena = build_arena(arena_options, corners_px=truth.corners_px)
    tracks = track(open_video(path, threads=1), arena)
    from behavior.score_options import ScoreOptions

    row = score_trial(tracks, arena, options=ScoreOptions(window_s=WINDOW_S)).row
    frames = truth.frames.set_index("frame").reindex(tracks["frame"].values)
    scored = frames["scored"].fillna(False).to_numpy(dtype=bool)
    found = arena.to_cm(tracks["position"].sel(keypoint="centre").values[:, :, 0][scored])
    # In px of the first view: a knocked camera shows the same place at another one.
    px_per_cm = np.hypot(*(truth.corners_px[1] - truth.corners_px[0])) / geometry.width_cm
    error = px_per_cm * np.hypot(*(found - frames[["centre_x_cm", "centre_y_cm"]].to_numpy()[scored]).T)
    body = options.shape.length_cm * px_per_cm
    nose = tracks["position"].sel(keypoint="nose").values[:, :, 0][scored]
    away = [np.hypot(*(nose - frames[[f"{end}_x_px", f"{end}_y_px"]].to_numpy()[scored]).T) for end in ENDS]
    return {
        "error_px": error[np.isfinite(error)],
        "wrong": ~(error <= body / 2),
        "turned": (away[1] < away[0])[np.isfinite(nose[:, 0])],
        "release_s": row["start_s"] - truth.release_s,
        "iz_s": row["iz_s"],
        "iz_true_s": truth.iz_s,
    }


def within_limits(cases: pd.DataFrame) -> pd.Series:
    """Whether each mouse is within all limits; a ratio that is not given where there is one is not."""
    return (cases["ratio_error"] <= cases["limit"]) & (cases["wrong_percent"] <= 0.5) & ~cases["class_changed"]


def overall(cases: pd.DataFrame) -> str:
    """All mice together, as lines of text.

    Relative errors of the SI ratio are of mice with 15 s or more with target, differences of the others; a ratio that
    is missing where there is one counts as infinitely wrong.
    """
    error = cases["ratio_error"].astype(float).fillna(np.inf)
    long, short = 100 * error[~cases["short"].astype(bool)], error[cases["short"].astype(bool)]
    pooled = {
        name: (cases[f"{name}_frames"].sum(), cases[total].sum())
        for name, total in (("wrong", "frames"), ("turned", "nose_frames"))
    }
    share = {name: f"{100 * some / max(of, 1):.3f} % ({some} of {of})" for name, (some, of) in pooled.items()}
    return "\n".join(
        [
            f"- mice within all limits: {int(within_limits(cases).sum())} of {len(cases)}",
            f"- SI ratio, {len(long)} mice with 15 s or more with target: relative error {_spread(long, 2, ' %')}",
            f"- SI ratio, {len(short)} mice with less: difference {_spread(short, 3, '')}",
            f"- frames lost or more than half a body length off, pooled: {share['wrong']}",
            f"- frames with the head on the wrong side, pooled: {share['turned']}",
            f"- classes changed: {int(cases['class_changed'].sum())}",
        ]
    )


def _spread(values: pd.Series, digits: int, unit: str) -> str:
    if not len(values):
        return "none"
    # Whole ranks: an infinite error must not turn a percentile between two mice into NaN.
    low, high = np.quantile(values, [0.5, 0.95], method="higher")
    return ", ".join(
        f"{name} {value:.{digits}f}{unit}"
        for name, value in (("median", low), ("95th percentile", high), ("worst", values.max()))
    )


def summary(cases: pd.DataFrame) -> pd.DataFrame:
    """One row per condition and level: medians and worst cases over the seeds."""
    rows = []
    for condition in CONDITIONS:
        for level in LEVELS:
            part = cases[(cases["condition"] == condition) & (cases["level"] == level)]
            if part.empty:
                continue
            within = within_limits(part)
            rows.append(
                {
                    "condition": condition,
                    "level": level,
                    "mice": len(part),
                    "within all limits": int(within.sum()),
                    "centre error, median (px)": round(part["centre_px"].median(), 2),
                    "frames lost or wrong, worst (%)": round(part["wrong_percent"].max(), 2),
                    "head side wrong, worst (%)": round(part["turned_percent"].max(), 2),
                    "release, worst (s)": round(part["release_s"].max(), 2),
                    "zone time, worst (s)": round(part["zone_s"].max(), 2),
                    "classes changed": int(part["class_changed"].sum()),
                }
            )
    return pd.DataFrame(rows)


def page(cases: pd.DataFrame, seeds: int) -> str:
    table = summary(cases)
    failures = "\n".join(f"- `{name}`: {why}" for name, why in KNOWN_FAILURES.items())
    return f"""# Tracking and scoring of simulated recordings

Made by `python -m tests.behavior.validate_conditions --seeds {seeds}` at commit {commit()}, seed {SEED}.
Simulated only: the pictures are drawn. {WINDOW_S:g} s trials, 480 x 360 px, 15 frames/s, H.264; both trials of {seeds}
mice per condition and level; floor corners given, the rest at its defaults. A mouse is within all limits when at most
0.5 % of its frames are lost or more than half a body length off, its SI ratio is within 3 % (where the time with target
is under 15 s: within 0.02; no ratio where there is none), and its class is the true one unless the true ratio is within
0.03 of the cut.

All mice together:

{overall(cases)}

{markdown(list(table.columns), table.itertuples(index=False))}

Looks on which trackers of this kind fall short by nature, rendered on purpose:

{failures}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cases = [Case(c, level, seed) for c in arguments.conditions for level in LEVELS for seed in range(arguments.seeds)]
    with ProcessPoolExecutor(arguments.workers) as pool:
        rows = pd.DataFrame(list(pool.map(run_case, cases)))
    arguments.out.write_text(page(rows, arguments.seeds), "utf-8")


if __name__ == "__main__":
    main()
