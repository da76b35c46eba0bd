"""Tracks of a results folder as paths to draw: the scored window, in the arena's frame where there is a calibration."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import Any

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
    # As plain values: looked up in a table, the rows of hundreds of mice take longer than their tracks.
    rows = {(row["subject"], row["trial"]): row for row in trials.iloc[::-1].to_dict("records")}
    stored = {path.name for path in (results.folder / "tracks").glob("*.nc")}
    place = {label: rank for rank, label in enumerate(groups.order)}
    mice, used = [], {outline.key: outline for outline in outlines.values()}
    for index in sorted(animals.index, key=lambda row: (place[groups.label[row]], animals["subject"][row])):
        subject = animals["subject"][index]
        drawn = {}
        for trial in TRIALS:
            files = [results.folder / "tracks" / name for name in _parts(stored, subject, trial)]
            if files and (subject, trial) in rows:
                drawn[trial] = _trial_path(files, rows[subject, trial], outlines, limit)
                used[drawn[trial].outline.key] = drawn[trial].outline
        ratio = float(animals["si_ratio"][index]) if "si_ratio" in animals else float("nan")
        mice.append(MousePaths(subject, groups.kind[index], groups.label[index], ratio, drawn))
    return ([mouse for mouse in mice if mouse.trials] and mice), list(used.values())


def _parts(stored: Collection[str], subject: str, trial: str) -> list[str]:
    """Name of the track of a trial, or of the tracks of its parts in order."""
    whole = f"{file_stem(subject, trial)}.nc"
    if whole in stored:
        return [whole]
    parts: list[str] = []
    while (part := f"{file_stem(subject, trial, str(len(parts) + 1))}.nc") in stored:
        parts.append(part)
    return parts


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


def _trial_path(files: list[Path], row: Mapping[Hashable, Any], outlines: dict[str, Outline], limit: int) -> TrialPath:
    """The scored window of one trial; in px and without an outline where arena or calibration is missing."""
    pieces: list[np.ndarray] = []
    attributes: dict[str, Any] = {}
    left_s = _window_s(row)
    for number, file in enumerate(files):
        time, xy, attributes = _read_track(file)
        begin = (
            float(row["start_s"])
            if number == 0 and np.isfinite(row["start_s"])
            else float(time[0])
            if len(time)
            else 0.0
        )
        inside = (time >= begin) & (time < begin + left_s)
        # A part ends where the next begins: the pen is lifted between them.
        pieces += [xy[inside], np.full((1, 2), np.nan)]
        left_s -= float(np.ptp(time[inside])) if inside.any() else 0.0
    xy = thinned(np.vstack(pieces[:-1]), limit)
    seconds = float(row.get("iz_s", np.nan))
    outline = outlines.get(str(attributes.get("arena", "")))
    if outline is None and len(outlines) == 1:
        outline = next(iter(outlines.values()))
    if outline is None or "px_to_cm" not in attributes:
        return TrialPath(xy, _bare(xy), seconds)
    if "lens" in attributes:
        xy = _straight(xy, json.loads(str(attributes["lens"])))
    return TrialPath(_to_mm(xy, np.array(json.loads(str(attributes["px_to_cm"])), dtype=float)), outline, seconds)


def _window_s(row: Mapping[Hashable, Any]) -> float:
    """From release to the end of what was scored, holes in the recording included."""
    lengths = [float(row[name]) for name in ("scored_s", "gap_s") if name in row and np.isfinite(row[name])]
    return sum(lengths) if lengths else float("inf")


def _read_track(file: Path) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Times, (n, 2) px positions of the body centre, attributes.

    Read by h5py: opening hundreds of files through xarray would take most of the report's time.
    """
    with h5py.File(file) as stored:
        names = [name.decode() if isinstance(name, bytes) else str(name) for name in stored["keypoint"][:]]
        xy = stored["position"][:, :, names.index("centre") if "centre" in names else 0, 0]
        attributes = {key: stored.attrs[key] for key in ("px_to_cm", "lens", "arena") if key in stored.attrs}
        return stored["time"][:], xy, attributes


def _straight(xy: np.ndarray, lens: dict[str, Any]) -> np.ndarray:
    from behavior.lens import Lens

    straight: np.ndarray = Lens(**lens).straight(xy)
    return straight


def _to_mm(xy: np.ndarray, px_to_cm: np.ndarray) -> np.ndarray:
    scaled = np.column_stack([xy, np.ones(len(xy))]) @ px_to_cm.T
    mm: np.ndarray = 10 * scaled[:, :2] / scaled[:, 2:]
    return mm


def _bare(xy: np.ndarray) -> Outline:
    """A plain frame around the path itself, in px."""
    seen = xy[np.isfinite(xy).all(axis=1)]
    frame = frame_around(seen) if len(seen) else (0, 0, 1, 1)
    x, y, width, height = frame
    corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    return Outline("px-" + "-".join(str(number) for number in frame), {"floor": corners}, frame)
