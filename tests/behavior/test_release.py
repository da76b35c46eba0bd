"""Release: the first frame from which the subject is alone in view for a second."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from behavior.release import find_release


def tracks(seen: np.ndarray, other: np.ndarray | None = None, step: float = 0.1, first: float = 0.0) -> xr.Dataset:
    n = len(seen)
    position = np.where(seen[:, None, None, None], 50.0, np.nan) * np.ones((n, 2, 1, 1))
    data = {
        "position": (("time", "space", "keypoint", "individual"), position),
        "area": (("time", "individual"), np.where(seen, 400.0, np.nan)[:, None]),
    }
    if other is not None:
        data["other_area"] = (("time",), other)
    return xr.Dataset(data, coords={"time": first + np.arange(n) * step, "keypoint": ["centre"], "space": ["x", "y"]})


def test_subject_comes_into_view() -> None:
    release = find_release(tracks(np.arange(100) >= 37))
    assert (release.time_s, release.found) == (pytest.approx(3.7), True)


def test_hand_on_the_floor_delays_it() -> None:
    seen, other = np.arange(100) >= 20, np.where(np.arange(100) < 45, 3000.0, 0.0)
    assert find_release(tracks(seen, other)).time_s == pytest.approx(4.5)


def test_a_hand_that_comes_back_within_the_second_delays_it_again() -> None:
    frames = np.arange(100)
    other = np.where((frames < 20) | ((frames >= 28) & (frames < 40)), 3000.0, 0.0)
    assert find_release(tracks(frames >= 5, other)).time_s == pytest.approx(4.0)


def test_specks_smaller_than_a_share_of_the_mouse_do_not_count() -> None:
    assert find_release(tracks(np.ones(100, dtype=bool), np.full(100, 40.0))).time_s == 0.0
    assert not find_release(tracks(np.ones(100, dtype=bool), np.full(100, 120.0))).found


def test_exactly_the_hold_time_is_enough_and_less_is_not() -> None:
    assert find_release(tracks(np.arange(30) >= 20)).found
    assert not find_release(tracks(np.arange(30) >= 21)).found


def test_not_found_gives_the_first_frame() -> None:
    release = find_release(tracks(np.zeros(50, dtype=bool), first=2.0))
    assert (release.time_s, release.found) == (2.0, False)


def test_uneven_frame_times_count_in_seconds() -> None:
    made = tracks(np.arange(40) >= 10)
    made = made.assign_coords(time=np.concatenate([np.arange(20) * 0.02, 0.4 + np.arange(20) * 0.5]))
    assert find_release(made).time_s == pytest.approx(0.2)
