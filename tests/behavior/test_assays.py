"""Open field, elevated mazes, light/dark, two targets: drawn tracks whose seconds are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from behavior.elevated_maze import MazeOptions, score_elevated_maze
from behavior.light_dark import LIGHT_DARK_OPTIONS, score_light_dark
from behavior.open_field import OPEN_FIELD_OPTIONS, score_open_field
from behavior.reasons import parse_note
from behavior.score_options import ScoreOptions
from behavior.social_preference import classify_preference, score_preference_animals, score_preference_trial
from behavior.templates import (
    elevated_plus_maze,
    light_dark_box,
    open_field_box,
    place_layout,
    two_target_box,
    zero_maze,
)
from core.errors import InputError

RATE = 10.0
SCALE = 8.0


def stay(*places: tuple[tuple[float, float], float]) -> np.ndarray:
    """Positions in cm, held for so many seconds each."""
    return np.vstack([np.tile(place, (round(seconds * RATE), 1)) for place, seconds in places])


def tracks(**points_cm: np.ndarray) -> xr.Dataset:
    position = np.stack(list(points_cm.values()), axis=2)[:, :, :, None] * SCALE
    return xr.Dataset(
        {"position": (("time", "space", "keypoint", "individual"), position)},
        coords={
            "time": np.arange(len(position)) / RATE, "space": ["x", "y"], "keypoint": list(points_cm),
            "individual": ["subject"],
        },
        attrs={"source_file": "a.mp4"},
    )  # fmt: skip


def placed(layout):
    return place_layout(layout, reference_px=layout.reference_cm * SCALE)


# --- open field ---------------------------------------------------------------------------------------------------


def test_open_field_seconds_and_time_course() -> None:
    xy = stay(((3, 3), 100), ((21, 3), 100), ((12, 12), 100), ((21, 21), 300))
    score = score_open_field(tracks(centre=xy), placed(open_field_box()))
    row = score.row
    assert row["corner_s"] == pytest.approx(100)
    assert row["wall_s"] == pytest.approx(200)
    assert row["centre_s"] == pytest.approx(400)
    assert row["periphery_s"] == pytest.approx(200)
    assert row["centre_latency_s"] == pytest.approx(200)
    assert row["centre_entries"] == 1
    assert row["wall_distance_cm"] == pytest.approx((3 * 200 + 12 * 100 + 21 * 300) / 600)
    course = pd.DataFrame(score.bins)
    assert course["start_s"].tolist() == [60.0 * place for place in range(10)]
    assert course["centre_s"].sum() == pytest.approx(400)
    assert course["distance_cm"].sum() == pytest.approx(row["distance_cm"])


def test_motionless_mouse_has_no_share_of_path() -> None:
    row = score_open_field(tracks(centre=stay(((21, 21), 600))), placed(open_field_box())).row
    assert math.isnan(row["centre_distance_share"])
    assert parse_note(row["note"])["no_movement"] == ("centre_distance_share",)


def test_short_open_field_is_refused_with_reasons() -> None:
    score = score_open_field(tracks(centre=stay(((21, 21), 300))), placed(open_field_box()))
    assert [problem.code for problem in score.problems] == ["trial_refused"]
    explained = parse_note(score.row["note"])["trial_refused"]
    assert {"centre_s", "distance_cm", "wall_distance_cm"} <= set(explained)
    assert set(score.row) == set(score_open_field(tracks(centre=stay(((21, 21), 600))), placed(open_field_box())).row)
    assert score_open_field(
        tracks(centre=stay(((21, 21), 300))), placed(open_field_box()), options=ScoreOptions(window_s=300)
    ).row["centre_s"] == pytest.approx(300)
    assert OPEN_FIELD_OPTIONS.window_s == 600


# --- elevated mazes -----------------------------------------------------------------------------------------------


def body(xy: np.ndarray, towards: tuple[float, float] = (-1.0, 0.0)) -> dict[str, np.ndarray]:
    """Nose 4 cm before and tail base 4 cm behind the centre."""
    ahead = 4.0 * np.array(towards)
    return {"centre": xy, "nose": xy + ahead, "tail_base": xy - ahead}


def test_plus_maze_by_body_share() -> None:
    """Centre just inside the open arm is not enough: half the body is still in the middle."""
    xy = stay(((37.5, 37.5), 50), ((34, 37.5), 50), ((20, 37.5), 100), ((37.5, 20), 100))
    arena = placed(elevated_plus_maze())
    row = score_elevated_maze(tracks(**body(xy)), arena).row
    assert row["open_s"] == pytest.approx(100)
    assert row["between_s"] == pytest.approx(100)
    assert row["closed_s"] == pytest.approx(100)  # lying across it: what is seen beyond its walls counts at them
    centre_only = score_elevated_maze(tracks(centre=xy), arena).row
    assert centre_only["open_s"] == pytest.approx(150)
    assert centre_only["closed_s"] == pytest.approx(100)
    assert centre_only["open_time_percent"] == pytest.approx(60)
    assert centre_only["open_entries_percent"] == pytest.approx(50)
    assert parse_note(centre_only["note"])["not_measured"] == ("head_dips", "head_dips_s")


def test_closed_arms_hold_a_mouse_that_faces_along_them() -> None:
    xy = stay(((37.5, 20), 300))
    row = score_elevated_maze(tracks(**body(xy, (0.0, -1.0))), placed(elevated_plus_maze())).row
    assert row["closed_s"] == pytest.approx(300)
    assert row["open_time_percent"] == 0


def test_head_dips_count_over_open_edges_only() -> None:
    arena = placed(elevated_plus_maze())
    xy = stay(((20, 37.5), 150), ((37.5, 20), 150))
    points = body(xy)
    for start, seconds in ((20, 1.0), (40, 2.0), (60, 0.1)):
        dip = slice(round(start * RATE), round((start + seconds) * RATE))
        points["nose"][dip] = (20.0, 42.0)
    over_wall = slice(round(200 * RATE), round(205 * RATE))
    points["nose"][over_wall] = (42.0, 20.0)
    points["nose"][round(210 * RATE) :] = (37.5, 16.0)
    points["nose"][round(150 * RATE) : over_wall.start] = (37.5, 16.0)
    points["nose"][over_wall.stop : round(210 * RATE)] = (37.5, 16.0)
    row = score_elevated_maze(tracks(**points), arena).row
    assert row["head_dips"] == 2
    assert row["head_dips_s"] == pytest.approx(3.0)


def test_zero_maze_parts() -> None:
    ring = zero_maze()
    xy = stay(((25, 2.5), 120), ((47.5, 25), 180))
    row = score_elevated_maze(tracks(centre=xy), placed(ring)).row
    assert (row["open_s"], row["closed_s"]) == (pytest.approx(120), pytest.approx(180))


def test_body_share_setting_is_checked() -> None:
    with pytest.raises(ValueError, match="body_share"):
        MazeOptions(body_share=0.4)


# --- light/dark ---------------------------------------------------------------------------------------------------


def test_unseen_is_dark_under_a_lid() -> None:
    hidden = (math.nan, math.nan)
    xy = stay(((30, 10), 100), (hidden, 200), ((30, 10), 50), ((5, 10), 50), (hidden, 200))
    arena = placed(light_dark_box())
    row = score_light_dark(tracks(centre=xy), arena).row
    assert (row["light_s"], row["dark_s"]) == (pytest.approx(150), pytest.approx(450))
    assert (row["transitions"], row["dark_unseen_s"]) == (3, pytest.approx(400))
    assert row["lost_percent"] == pytest.approx(100 * 400 / 600)
    assert row["dark_latency_s"] == pytest.approx(100)
    refused = score_light_dark(tracks(centre=xy), arena, unseen_is_dark=False).row
    assert "light_s" in parse_note(refused["note"])["mostly_unseen"]
    options = replace(LIGHT_DARK_OPTIONS, refuse_seen_below=0.1)
    open_lid = score_light_dark(tracks(centre=xy), arena, unseen_is_dark=False, options=options).row
    assert open_lid["light_share"] == pytest.approx(0.75)
    assert open_lid["dark_share"] == pytest.approx(0.25)
    assert open_lid["dark_unseen_s"] == 0


# --- two targets --------------------------------------------------------------------------------------------------


def test_two_target_trial() -> None:
    arena = placed(two_target_box())
    xy = stay(((5, 21), 30), ((38, 21), 90), ((21, 21), 30))
    one = score_preference_trial(tracks(centre=xy), arena, threat=1).row
    assert (one["threat_s"], one["safe_s"], one["preference_index"]) == (
        pytest.approx(30), pytest.approx(90), pytest.approx(0.5)
    )  # fmt: skip
    assert score_preference_trial(tracks(centre=xy), arena, threat=2).row["preference_index"] == pytest.approx(-0.5)
    nowhere = score_preference_trial(tracks(centre=stay(((21, 21), 150))), arena, threat=1).row
    assert parse_note(nowhere["note"])["zero_in_both"] == ("preference_index",)
    with pytest.raises(ValueError, match="threat must be 1 or 2"):
        score_preference_trial(tracks(centre=xy), arena, threat=3)


def test_three_classes_for_defeated_mice_only() -> None:
    shares = {"sus": (0.1, 0.4), "both": (0.1, 0.1), "res": (0.4, 0.4), "odd": (0.4, 0.1), "control": (0.1, 0.1)}
    rows = [
        {"subject": name, "trial": trial, "threat_share": pair[0], "safe_share": pair[1]}
        for name, with_target in shares.items()
        for trial, pair in (("no_target", (0.3, 0.3)), ("target", with_target))
    ]
    trials = pd.concat([pd.DataFrame(rows), pd.DataFrame([rows[0] | {"subject": "half"}])])
    groups = dict.fromkeys([*shares, "half"], "defeat") | {"control": "home"}
    roles = {"control": ["home"], "defeated": ["defeat"]}
    table = score_preference_animals(trials, roles=roles, groups=groups).set_index("subject")
    assert table["class_preference"].to_dict() == {
        "both": "non-specific avoider", "control": "", "half": "", "odd": "unclassified", "res": "RES", "sus": "SUS"
    }  # fmt: skip
    assert table.loc["sus", "threat_ratio"] == pytest.approx(1 / 3)
    assert parse_note(table.loc["half", "note"])["trial_missing"] == ("threat_ratio", "safe_ratio")
    with pytest.raises(InputError, match="two scores"):
        score_preference_animals(pd.concat([trials, trials]), roles=roles, groups=groups)


def test_exactly_at_the_cut_is_no_avoidance() -> None:
    assert classify_preference(1.0, 1.0) == ("RES", "non-avoider")
