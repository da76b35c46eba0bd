"""Flags on recordings and on the list of recordings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
from behavior.quality import QualityOptions, check_recording, check_trial_list, check_trial_rows

ARENA = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))


def recording(n: int = 900, **changes: np.ndarray) -> xr.Dataset:
    xy = changes.get("xy", np.full((n, 2), 210.0))
    return xr.Dataset(
        {
            "position": (("time", "space", "keypoint", "individual"), xy[:, :, None, None]),
            "area": (("time", "individual"), changes.get("area", np.full(n, 400.0))[:, None]),
        },
        coords={"time": changes.get("time", np.arange(n) / 15), "keypoint": ["centre"], "individual": ["subject"]},
        attrs={"source_file": "a.mp4"},
    )


def test_a_good_recording_is_green() -> None:
    quality = check_recording(recording(), ARENA)
    assert (quality.row["light"], quality.row["flags"], quality.problems) == ("green", "", [])
    assert quality.row["frames_per_s"] == pytest.approx(15)
    assert quality.row["duration_s"] == pytest.approx(60)


@pytest.mark.parametrize(("share", "light"), [(0.01, "green"), (0.05, "amber"), (0.3, "red")])
def test_lost_frames(share: float, light: str) -> None:
    xy = np.full((900, 2), 210.0)
    xy[100 : 100 + int(900 * share)] = np.nan
    quality = check_recording(recording(xy=xy), ARENA)
    assert quality.row["light"] == light
    assert quality.row["longest_lost_s"] == pytest.approx(share * 60)


def test_jumps_count_even_across_lost_frames() -> None:
    xy = np.full((900, 2), 210.0)
    xy[300:310] = (20.0, 20.0)
    xy[500] = np.nan
    xy[501:] = (400.0, 400.0)
    quality = check_recording(recording(xy=xy), ARENA)
    assert quality.row["jumps_per_min"] == pytest.approx(3, rel=0.01)
    assert [problem.code for problem in quality.problems] == ["position_jumps"]


def test_a_fast_run_is_no_jump() -> None:
    xy = np.column_stack([np.interp(np.arange(900) % 60, [0, 10, 60], [30, 390, 30]), np.full(900, 210.0)])
    assert check_recording(recording(xy=xy), ARENA).row["jumps_per_min"] == 0


def test_small_steps_at_a_high_frame_rate_are_no_jumps() -> None:
    xy = np.column_stack([210.0 + 25.0 * (np.arange(900) % 2), np.full(900, 210.0)])
    assert check_recording(recording(xy=xy, time=np.arange(900) / 120), ARENA).row["jumps_per_min"] == 0


def test_unsteady_frame_rate_and_changing_area() -> None:
    time = np.cumsum(np.where(np.arange(900) % 8 == 0, 0.3, 1 / 15))
    codes = [problem.code for problem in check_recording(recording(time=time), ARENA).problems]
    assert codes == ["uneven_frames"]
    area = np.where(np.arange(900) % 4 == 0, 60.0, 600.0)
    assert [problem.code for problem in check_recording(recording(area=area), ARENA).problems] == ["area_changes"]


def test_what_came_before_the_release_does_not_count() -> None:
    xy = np.full((900, 2), 210.0)
    xy[:300] = np.nan
    assert check_recording(recording(xy=xy), ARENA).row["light"] == "red"
    assert check_recording(recording(xy=xy), ARENA, start_s=20.0).row["light"] == "green"


def test_a_recording_without_any_sight_of_the_subject_is_red() -> None:
    quality = check_recording(recording(xy=np.full((900, 2), np.nan)), ARENA)
    assert quality.row["light"] == "red"
    assert check_recording(recording(0), ARENA).row["light"] == "red"


def test_target_taken_for_the_subject_shows_in_the_enclosure() -> None:
    rows = pd.DataFrame({"subject": ["a", "b"], "trial": "target", "file": "x.mp4", "enclosure_percent": [0.5, 40.0]})
    problems = check_trial_rows(rows)
    assert [(problem.code, problem.subject) for problem in problems] == [("inside_enclosure", "b")]


def listed(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["subject", "trial", "file", "start_s", "end_s"])


def test_two_trials_in_one_file_are_fine_when_their_times_do_not_overlap() -> None:
    nan = float("nan")
    assert check_trial_list(listed(("a", "no_target", "x.mp4", 3, 153), ("a", "target", "x.mp4", 200, nan))) == []
    assert check_trial_list(listed(("a", "no_target", "x.mp4", nan, nan), ("a", "target", "x.mp4", 200, nan))) == []
    overlapping = listed(("a", "no_target", "x.mp4", 3, 153), ("a", "target", "x.mp4", 100, nan))
    assert [problem.code for problem in check_trial_list(overlapping)] == ["same_file_twice"]


def test_a_copy_under_another_name_is_found() -> None:
    nan = float("nan")
    table = listed(("a", "no_target", "x.mp4", nan, nan), ("b", "no_target", "y.mp4", nan, nan))
    assert check_trial_list(table, contents={"x.mp4": "1", "y.mp4": "2"}) == []
    problems = check_trial_list(table, contents={"x.mp4": "1", "y.mp4": "1"})
    assert "the same bytes as x.mp4" in problems[0].message


def test_wrong_order_is_found_from_times_in_one_file_or_times_of_recording() -> None:
    one_file = listed(("a", "no_target", "x.mp4", 200, 350), ("a", "target", "x.mp4", 3, 153))
    assert [problem.code for problem in check_trial_list(one_file)] == ["trial_order"]
    nan = float("nan")
    files = listed(("a", "no_target", "x.mp4", nan, nan), ("a", "target", "y.mp4", nan, nan))
    assert check_trial_list(files) == []
    later = files.assign(recorded=["2026-03-02 10:10", "2026-03-02 10:05"])
    assert [problem.code for problem in check_trial_list(later)] == ["trial_order"]


@pytest.mark.parametrize("changed", [{"lost_amber_percent": 20.0}, {"jumps_red": 0.1}, {"area_amber": 0.0}])
def test_limits_out_of_order_are_refused(changed: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed)).split("_")[0]):
        QualityOptions(**changed)


def test_faint_animal_and_knocked_camera_are_flagged() -> None:
    tracks = recording()
    tracks.attrs |= {"contrast_grey": 12.0, "camera_moved_px": 6.0, "camera_moved_s": 3.5}
    quality = check_recording(tracks, ARENA)
    assert quality.row["flags"] == "low_contrast; camera_moved"
    assert "12 of 256" in quality.problems[0].message
    assert "6.0 px at 3.5 s" in quality.problems[1].message
    tracks.attrs["contrast_grey"], tracks.attrs["camera_moved_px"] = 25.0, 0.0
    assert check_recording(tracks, ARENA).row["light"] == "green"
