"""Tracks of a results folder as paths to draw: the scored window, in the arena's frame where there is a calibration."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from core.labels import file_stem
from stressaxis.figures.style import show_groups
from stressaxis.figures.trajectories import (
    MousePaths,
    Outline,
    TrialPath,
    frame_around,
    outlines_of,
    points_per_path,
    thinned,
)
from stressaxis.report.results import Results

__all__ = ["read_mice"]

TRIALS = ("no_target", "target")


def read_mice(results: Results) -> tuple[list[MousePaths], list[Outline]]:
    """Every mouse that has a track, by group and then by id, and the outlines they are drawn on."""
    animals = results.table("social_interaction")
    trials = results.table("trials")
    if animals is None or trials is None or not (results.folder / "tracks").is_dir():
        return [], []
    outlines = outlines_of(_arenas(results.table("arenas")))
    limit = points_per_path(2 * len(animals))
    groups = show_groups(animals)
    rows = trials.drop_duplicates(["subject", "trial"]).set_index(["subject", "trial"])
    place = {label: rank for rank, label in enumerate(groups.order)}
    mice, used = [], {outline.key: outline for outline in outlines.values()}
    for index in sorted(animals.index, key=lambda row: (place[groups.label[row]], animals["subject"][row])):
        subject = animals["subject"][index]
        drawn = {}
        for trial in TRIALS:
            file = results.folder / "tracks" / f"{file_stem(subject, trial)}.nc"
            if file.is_file() and (subject, trial) in rows.index:
                drawn[trial] = _trial_path(file, rows.loc[(subject, trial)], outlines, limit)
                used[drawn[trial].outline.key] = drawn[trial].outline
        ratio = float(animals["si_ratio"][index]) if "si_ratio" in animals else float("nan")
        mice.append(MousePaths(subject, groups.kind[index], groups.label[index], ratio, drawn))
    return ([mouse for mouse in mice if mouse.trials] and mice), list(used.values())


def _arenas(table: pd.DataFrame | None) -> dict[str, dict[str, np.ndarray]]:
    if table is None:
        return {}
    return {
        str(arena): {
            str(zone): corners.sort_values("vertex")[["x_cm", "y_cm"]].to_numpy(dtype=float)
            for zone, corners in of_arena.groupby("zone", sort=True)
        }
        for arena, of_arena in table.groupby("arena", sort=True)
    }


def _trial_path(file: Path, row: pd.Series, outlines: dict[str, Outline], limit: int) -> TrialPath:
    """The scored window of one track; in px and without an outline where arena or calibration is missing."""
    # Read by h5py: opening hundreds of files through xarray takes most of the report's time.
    with h5py.File(file) as stored:
        time = stored["time"][:]
        names = [name.decode() if isinstance(name, bytes) else str(name) for name in stored["keypoint"][:]]
        xy = stored["position"][:, :, names.index("centre") if "centre" in names else 0, 0]
        attributes = {key: stored.attrs[key] for key in ("px_to_cm", "arena") if key in stored.attrs}
    start = float(row["start_s"]) if np.isfinite(row.get("start_s", np.nan)) else 0.0
    length = row.get("scored_s", np.nan)
    inside = (time >= start) & (time < start + (float(length) if np.isfinite(length) else np.inf))
    xy = thinned(xy[inside], limit)
    seconds = float(row.get("iz_s", np.nan))
    outline = outlines.get(str(attributes.get("arena", row.get("arena", ""))))
    if outline is None and len(outlines) == 1:
        outline = next(iter(outlines.values()))
    if outline is None or "px_to_cm" not in attributes:
        return TrialPath(xy, _bare(xy), seconds)
    return TrialPath(_to_mm(xy, np.array(json.loads(attributes["px_to_cm"]), dtype=float)), outline, seconds)


def _to_mm(xy: np.ndarray, px_to_cm: np.ndarray) -> np.ndarray:
    scaled = np.column_stack([xy, np.ones(len(xy))]) @ px_to_cm.T
    return 10 * scaled[:, :2] / scaled[:, 2:]


def _bare(xy: np.ndarray) -> Outline:
    """A plain frame around the path itself, in px."""
    seen = xy[np.isfinite(xy).all(axis=1)]
    frame = frame_around(seen) if len(seen) else (0, 0, 1, 1)
    x, y, width, height = frame
    corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    return Outline("px-" + "-".join(str(number) for number in frame), {"floor": corners}, frame)
