"""Flags on recordings and on the list of recordings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from behavior.arena import ArenaOptions, build_arena, corners_from_rectangle
from behavior.quality import QualityOptions, add_flags, check_recording, check_trial_rows
from behavior.trial_list import check_copies, check_order, check_trial_list
from core.problems import Problem

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


def test_repeated_pictures_of_a_moving_mouse_are_flagged_and_a_resting_one_is_not() -> None:
    x = 100 + 3.0 * np.abs(np.arange(900) // 3 % 60 - 30)
    walk = np.column_stack([x, np.full(900, 210.0)])
    quality = check_recording(recording(xy=walk), ARENA)
    assert quality.row["repeated_percent"] == 0  # two repeats in a row: the mouse could as well have stopped
    twice = np.column_stack([100 + 3.0 * np.abs(np.arange(900) // 2 % 60 - 30), np.full(900, 210.0)])
    quality = check_recording(recording(xy=twice), ARENA)
    assert quality.row["repeated_percent"] == pytest.approx(50, abs=2)
    assert quality.row["flags"] == "repeated_frames"
    assert check_recording(recording(), ARENA).row["repeated_percent"] == 0


def test_mended_timestamps_and_a_false_frame_rate_are_flagged() -> None:
    tracks = recording()
    tracks.attrs |= {"timestamps_mended": 18, "fps": 25.0}
    quality = check_recording(tracks, ARENA)
    assert quality.row["flags"] == "timestamps_mended; frame_rate_differs"
    assert quality.problems[0].message.startswith("2.0 % of the timestamps")
    assert "states 25.00 frames a second, its timestamps have 15.00" in quality.problems[1].message
    tracks.attrs |= {"timestamps_mended": 9, "fps": 15.5}
    assert check_recording(tracks, ARENA).row["light"] == "green"
    # Every tenth frame dropped: the file states the mean of what is left.
    dropped = recording(time=(np.arange(1000)[np.arange(1000) % 10 > 0] / 15))
    dropped.attrs["fps"] = 13.5
    assert "frame_rate_differs" not in check_recording(dropped, ARENA).row["flags"]


def looks(n: int = 60, **columns: object) -> pd.DataFrame:
    table = {"time_s": np.arange(n, dtype=float), "light_grey": 150.0, "edge_px": 2.0, "enclosure_change_percent": 0.0}
    return pd.DataFrame(table | columns)


def test_changing_light_and_a_blurred_picture_are_flagged() -> None:
    lamp = looks(light_grey=np.where(np.arange(60) < 30, 150.0, 105.0))
    quality = check_recording(recording(), ARENA, looks=lamp)
    assert quality.row["flags"] == "light_changes"
    assert "changes by 30 %" in quality.problems[0].message or "changes by 35 %" in quality.problems[0].message
    blurred = check_recording(recording(), ARENA, looks=looks(edge_px=np.where(np.arange(60) % 10, np.nan, 7.5)))
    assert (blurred.row["flags"], blurred.row["edge_cm"]) == ("out_of_focus", pytest.approx(0.75))
    # A picture of few pixels is not out of focus, however coarse.
    coarse = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 105, 105))
    near = recording(xy=np.full((900, 2), 52.0))
    assert check_recording(near, coarse, looks=looks(edge_px=2.5)).row["light"] == "green"


def test_pictures_outside_the_trial_do_not_count() -> None:
    lamp = looks(light_grey=np.where(np.arange(60) < 30, 150.0, 75.0))
    assert check_recording(recording(), ARENA, looks=lamp, end_s=30.0).row["light_change_percent"] == 0
    assert check_recording(recording(), ARENA, looks=lamp, start_s=30.0).row["light_change_percent"] == 0
    assert check_recording(recording(), ARENA, end_s=30.0).row["frames"] == 450


def test_without_pictures_nothing_is_said_of_them() -> None:
    row = check_recording(recording(), ARENA).row
    assert np.isnan([row["light_change_percent"], row["edge_cm"], row["enclosure_moving_percent"]]).all()
    assert row["enclosure_looks"] == 0


def test_only_looks_with_the_subject_away_from_the_enclosure_count() -> None:
    moving = looks(enclosure_change_percent=np.where(np.arange(60) < 20, 30.0, 0.0))
    xy = np.full((900, 2), 300.0)
    xy[:300] = (210.0, 90.0)  # 2.5 cm below the box for the first 20 s
    row = check_recording(recording(xy=xy), ARENA, looks=moving).row
    assert row["enclosure_moving_percent"] == 0
    assert row["enclosure_looks"] == 38  # both pictures of a pair must show it away
    everywhere = check_recording(recording(xy=np.full((900, 2), 300.0)), ARENA, looks=moving).row
    assert everywhere["enclosure_moving_percent"] == pytest.approx(100 * 18 / 58)
    lost = check_recording(recording(xy=np.full((900, 2), np.nan)), ARENA, looks=moving).row
    assert lost["enclosure_looks"] == 0


def test_flags_found_later_join_the_rows_they_concern() -> None:
    row = {"subject": "a", "trial": "target", "file": "films/x.mp4", "light": "green", "flags": ""}
    other = row | {"trial": "no_target", "light": "amber", "flags": "low_contrast"}
    problem = Problem(code="inside_enclosure", subject="a", file="x.mp4", where="trial target", message="")
    add_flags([row, other], [problem, problem])
    assert (row["light"], row["flags"], other["flags"]) == ("amber", "inside_enclosure", "low_contrast")
    add_flags([row, other], [Problem(code="same_recording", subject="a", file="films/x.mp4", message="")])
    assert (row["light"], other["flags"]) == ("red", "low_contrast; same_recording")


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
    assert check_copies(table, contents={"x.mp4": "1", "y.mp4": "1"}) == problems
    again = listed(("a", "no_target", "x.mp4", nan, nan), ("b", "no_target", "x.mp4", nan, nan))
    assert check_copies(again, contents={"x.mp4": "1"}) == []  # told where the table is read


def test_wrong_order_is_found_from_times_in_one_file_or_times_of_recording() -> None:
    one_file = listed(("a", "no_target", "x.mp4", 200, 350), ("a", "target", "x.mp4", 3, 153))
    assert [problem.code for problem in check_trial_list(one_file)] == ["trial_order"]
    nan = float("nan")
    files = listed(("a", "no_target", "x.mp4", nan, nan), ("a", "target", "y.mp4", nan, nan))
    assert check_trial_list(files) == []
    later = files.assign(recorded=["2026-03-02 10:10", "2026-03-02 10:05"])
    assert [problem.code for problem in check_trial_list(later)] == ["trial_order"]
    assert check_order(later) == check_trial_list(later)


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
