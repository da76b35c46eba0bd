"""What every file of a folder of real tracks and events does when it is read: one row each, as a Markdown table.

``python tests/behavior/survey_track_files.py FOLDER > docs/validation/track-readers.md``
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from behavior.readers import read_tracks_file
from behavior.tracks import frame_durations
from core.errors import InputError

#: Files that are neither tracks nor events: what they are instead.
OTHERS = {
    "SOURCES.md": "text",
    "FemaleStressPhenotype/": "summary table, one row a trial or mouse",
    "Example_export_": "result table of another tool",
    "trial_list.xlsx": "list of trials",
    "export_observations_list_test1.tsv": "list of observations, no events in it",
    "testDLC_sleap_table.npy": "standardised positions without names or unit; opens once a unit is declared",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    file: str
    kind: str
    reader: str
    detail: str


def files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def other_kind(path: Path) -> str:
    """What a file is that is neither track nor events; empty for tracks and events."""
    return next((kind for part, kind in OTHERS.items() if part in path.as_posix()), "")


def survey(path: Path, folder: Path) -> Outcome:
    """Read one file."""
    name = path.relative_to(folder).as_posix()
    try:
        result = read_tracks_file(path)
    except InputError as error:
        return Outcome(name, "refused", other_kind(path), error.message + (f" ({error.found})" if error.found else ""))
    parts = [_track(tracks) for tracks in result.tracks.values()]
    if len(result.events):
        parts.append(f"{len(result.events)} events, behaviours: {result.events['behavior'].nunique()}")
    codes = sorted({problem.code for problem in result.problems})
    detail = "; ".join(parts) + (f"; said: {', '.join(codes)}" if codes else "")
    return Outcome(name, "read", result.reader, detail)


def _track(tracks: Any) -> str:
    time = tracks["time"].to_numpy()
    seconds = f"{frame_durations(time).sum():.2f} s" if tracks.attrs["time_unit"] == "seconds" else "no rate"
    lost = float(np.isnan(tracks["position"].isel(keypoint=0, space=0)).to_numpy().mean())
    sizes = tracks.sizes
    return (
        f"{sizes['time']} frames, {seconds}, animals: {sizes['individual']}, "
        f"points: {sizes['keypoint']} in {tracks.attrs['space_unit']}, zones: {tracks.sizes.get('zone', 0)}, {lost:.1%} lost"
    )


def main(folder: Path) -> None:
    """Print the table."""
    print("# What every real track and event file does\n")
    print("Written by `python tests/behavior/survey_track_files.py FOLDER`; checked independently in the tests.\n")
    print("| file | outcome | reader, or what it is | what |\n| --- | --- | --- | --- |")
    for path in files(folder):
        row = survey(path, folder)
        print(f"| {row.file} | {row.kind} | {row.reader} | {row.detail.replace('|', ' ')} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
