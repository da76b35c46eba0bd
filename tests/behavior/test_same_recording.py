"""Copies of a recording, told by the path of the mouse."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
from behavior.same_recording import check_same_paths, path_places

ARENA = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))


def walk(seed: int, *, fps: float = 25.0, jitter: float = 0.0, seconds: int = 90) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    turns = rng.uniform(20, 400, (seconds // 3 + 2, 2))
    time = np.arange(int(seconds * fps)) / fps
    xy = np.column_stack([np.interp(time, 3.0 * np.arange(len(turns)), turns[:, k]) for k in range(2)])
    xy += np.random.default_rng(99).normal(0, jitter, xy.shape) if jitter else 0
    return xr.Dataset(
        {"position": (("time", "space", "keypoint", "individual"), xy[:, :, None, None])},
        coords={"time": time, "keypoint": ["centre"], "individual": ["subject"]},
    )


def row(name: str, tracks: xr.Dataset, **changes: str) -> dict[str, object]:
    labels = {"subject": name, "trial": "target", "file": f"{name}.mp4"}
    return {**labels, **changes, "places": path_places(tracks, ARENA)}


def test_a_copy_encoded_anew_at_another_rate_is_found_and_other_mice_are_not() -> None:
    rows = [row(f"m{seed}", walk(seed)) for seed in range(12)]
    assert check_same_paths(rows) == []
    copied = [*rows, row("copy", walk(4, fps=24.0, jitter=1.5))]
    problems = check_same_paths(copied)
    assert [(problem.code, problem.subject) for problem in problems] == [("same_recording", "copy")]
    assert "m4.mp4, which is target of subject 'm4'" in problems[0].message


def test_two_mice_that_sit_in_the_same_corner_are_no_copies() -> None:
    still = walk(0)
    still["position"][:] = 380.0
    assert check_same_paths([row("a", still), row("b", still)]) == []


def test_one_file_for_two_trials_is_told_elsewhere() -> None:
    tracks = walk(3)
    assert check_same_paths([row("a", tracks), row("b", tracks, file="a.mp4")]) == []


@pytest.mark.parametrize("seconds", [12, 1])
def test_recordings_too_short_to_tell_say_nothing(seconds: int) -> None:
    tracks = walk(5, seconds=seconds)
    assert check_same_paths([row("a", tracks), row("b", tracks)]) == []


def test_lost_stretches_are_left_out_of_the_comparison() -> None:
    one, other = walk(6), walk(6)
    one["position"][:500] = np.nan
    assert len(check_same_paths([row("a", one), row("b", other)])) == 1
