"""Trials scored from tracks: against composited recordings with exact truth, and properties that must hold."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from behavior.arena import Arena, ArenaOptions, build_arena, corners_from_rectangle
from behavior.reasons import parse_note
from behavior.social_interaction import (
    TRIAL_COLUMNS,
    ScoreOptions,
    TrialPart,
    score_animals,
    score_parts,
    score_trial,
)
from behavior.trial_measures import MEASURES
from core.errors import InputError

PX_PER_CM = 10.0
CORNERS = corners_from_rectangle(0, 0, 420, 420)
ARENA = build_arena(ArenaOptions(), corners_px=CORNERS)


def tracks(xy_px: np.ndarray, time: np.ndarray, **attrs: str) -> xr.Dataset:
    return xr.Dataset(
        {"position": (("time", "space", "keypoint", "individual"), np.asarray(xy_px, dtype=float)[:, :, None, None])},
        coords={"time": time, "space": ["x", "y"], "keypoint": ["centre"], "individual": ["subject"]},
        attrs={"source_file": "a.mp4"} | attrs,
    )


def walk(seconds: float = 155.0, rate: float = 15.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A smooth random walk over the floor, in px, with pauses."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    goals = rng.uniform(20, 400, (40, 2))
    knots = np.linspace(0, n, 40)
    xy = np.column_stack([np.interp(np.arange(n), knots, goals[:, axis]) for axis in (0, 1)])
    return xy + rng.normal(0, 0.3, (n, 2)), np.arange(n) / rate


def measures(row: dict[str, object]) -> dict[str, float]:
    return {name: float(row[name]) for name in MEASURES if name not in ("iz_nose_s", "box_heading_deg")}  # type: ignore[arg-type]


# --- recordings with known truth ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def composited(shared: Path) -> dict[tuple[str, str], tuple[pd.Series, dict[str, object]]]:
    """Truth and our row for each composited trial, scored from the true centres."""
    folder = shared / "video" / "composited_si"
    arenas = pd.read_csv(folder / "arena.csv").set_index("trial")
    found = {}
    for truth in pd.read_csv(folder / "truth_trials.csv", dtype={"subject": str}).itertuples():
        name = f"{truth.subject}_{truth.trial}"
        frames = pd.read_csv(folder / f"{name}.csv.gz")
        place = arenas.loc[name]
        corners = [(place[f"floor_x{i}"], place[f"floor_y{i}"]) for i in range(4)]
        arena = build_arena(ArenaOptions(enclosure_wall=place["wall"]), corners_px=corners)
        made = tracks(frames[["x_px", "y_px"]].to_numpy(), frames["time_s"].to_numpy(), source_file=truth.file)
        # The truth files average seven frames for their smoothed distance.
        options = ScoreOptions(smooth_s=7 / truth.fps)
        score = score_trial(
            made, arena, start_s=truth.release_s, options=options, subject=truth.subject, trial=truth.trial
        )
        assert score.problems == []
        found[truth.subject, truth.trial] = (pd.Series(truth._asdict()), score.row)
    return found


def test_composited_trials_have_the_true_seconds_and_distances(composited) -> None:
    assert len(composited) == 4
    for truth, row in composited.values():
        assert row["scored_s"] == pytest.approx(150, abs=1e-3)
        assert row["iz_s"] == pytest.approx(truth["iz_s"], abs=1e-3)
        assert row["corner_s"] == pytest.approx(truth["corner_s"], abs=1e-3)
        assert row["distance_raw_cm"] == pytest.approx(truth["distance_raw_cm"], abs=0.01)
        assert row["distance_cm"] == pytest.approx(truth["distance_smooth_cm"], abs=0.01)
        assert row["velocity_cm_s"] == pytest.approx(truth["distance_smooth_cm"] / 150, abs=1e-4)


def test_composited_zone_is_the_true_zone_frame_by_frame(shared: Path) -> None:
    from behavior.polygons import contains

    arenas = pd.read_csv(shared / "video" / "composited_si" / "arena.csv").set_index("trial")
    for name, place in arenas.iterrows():
        frames = pd.read_csv(shared / "video" / "composited_si" / f"{name}.csv.gz").query("scored == 1")
        corners = [(place[f"floor_x{i}"], place[f"floor_y{i}"]) for i in range(4)]
        arena = build_arena(ArenaOptions(enclosure_wall=place["wall"]), corners_px=corners)
        box = np.array([(place[f"box_x{i}"], place[f"box_y{i}"]) for i in range(4)])
        np.testing.assert_allclose(arena.enclosure_px.min(axis=0), box.min(axis=0), atol=0.01)
        np.testing.assert_allclose(arena.enclosure_px.max(axis=0), box.max(axis=0), atol=0.01)
        centre = arena.to_cm(frames[["x_px", "y_px"]])
        np.testing.assert_allclose(centre, frames[["x_cm", "y_cm"]], atol=1e-3)
        np.testing.assert_array_equal(contains(arena.zones["interaction"], centre), frames["in_iz"] == 1)
        corner = contains(arena.zones["corner_1"], centre) | contains(arena.zones["corner_2"], centre)
        np.testing.assert_array_equal(corner, frames["in_corners"] == 1)


def test_composited_animals_have_the_true_ratios_and_classes(composited, shared: Path) -> None:
    truth = pd.read_csv(shared / "video" / "composited_si" / "truth_si.csv").set_index("subject")
    trials = pd.DataFrame([row for _, row in composited.values()])
    subjects = pd.DataFrame({"subject": ["m01", "m06"], "group": "defeated"})
    table = score_animals(trials, subjects=subjects, roles={"defeated": ["defeated"]}).table.set_index("subject")
    np.testing.assert_allclose(table["si_ratio"], truth["si_ratio"], atol=1e-4)
    assert table["class"].to_dict() == truth["class"].to_dict()


# --- by hand -----------------------------------------------------------------------------------------------------


def test_seconds_by_hand_with_uneven_frames() -> None:
    """30 s in the zone in slow frames, the rest outside in fast ones: rows times rate would be wrong."""
    time = np.concatenate([np.arange(0, 30, 0.5), np.arange(30, 150, 0.1)])
    xy = np.where((time < 30)[:, None], (210.0, 100.0), (210.0, 380.0))
    row = score_trial(tracks(xy, time), ARENA).row
    assert row["iz_s"] == pytest.approx(30)
    assert row["iz_latency_s"] == 0
    assert (row["iz_entries"], row["iz_longest_bout_s"]) == (1, pytest.approx(30))
    assert row["corner_s"] == 0


def test_the_window_is_half_open_and_its_last_frame_is_cut() -> None:
    time = np.arange(0, 200, 0.7)
    row = score_trial(tracks(np.full((len(time), 2), 210.0), time), ARENA, start_s=1.0).row
    assert row["start_s"] == pytest.approx(1.4)
    assert row["scored_s"] == pytest.approx(150, abs=1e-9)


def test_lost_frames_do_not_bias_the_dwell() -> None:
    xy, time = walk()
    row = score_trial(tracks(xy, time), ARENA).row
    thinned = xy.copy()
    thinned[(np.arange(len(xy)) // 3) % 4 == 0] = np.nan
    lossy = score_trial(tracks(thinned, time), ARENA, start_s=0.0).row
    assert lossy["lost_percent"] == pytest.approx(25, abs=0.5)
    assert lossy["iz_raw_s"] == pytest.approx(0.75 * row["iz_raw_s"], abs=1)
    assert lossy["iz_s"] == pytest.approx(row["iz_s"], abs=1)
    assert "lost_frames" in parse_note(lossy["note"])


def test_never_entering_is_censored_with_reasons() -> None:
    time = np.arange(1500) / 10
    row = score_trial(tracks(np.full((1500, 2), 380.0), time), ARENA).row
    assert (row["iz_latency_s"], row["iz_latency_censored"]) == (pytest.approx(150), True)
    assert parse_note(row["note"])["no_entry"] == ("iz_mean_bout_s", "iz_longest_bout_s")
    assert row["corner_s"] == pytest.approx(150)
    assert row["immobile_percent"] == 100
    assert row["enclosure_distance_cm"] == pytest.approx(math.hypot(12, 31.5))
    assert row["box_wall_distance_cm"] == pytest.approx(math.hypot(17, 38))
    assert row["box_wall_distance_share"] == pytest.approx(math.hypot(17, 38) / math.hypot(21, 42))


def test_a_point_in_the_box_counts_as_interaction_and_is_reported() -> None:
    time = np.arange(1500) / 10
    row = score_trial(tracks(np.full((1500, 2), (210.0, 30.0)), time), ARENA).row
    assert row["iz_s"] == pytest.approx(150)
    assert row["enclosure_percent"] == pytest.approx(100)
    assert row["enclosure_distance_cm"] == 0


# --- lengths, holes, damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "code"), [(148, None), (146.5, "short_trial"), (121, "short_trial"), (119, "trial_refused")]
)
def test_short_trials_are_scaled_warned_of_or_refused(seconds: float, code: str | None) -> None:
    xy, time = walk(seconds)
    score = score_trial(tracks(xy, time), ARENA)
    assert {problem.code for problem in score.problems} == ({code} if code else set())
    row = score.row
    if code == "trial_refused":
        assert all(math.isnan(row[name]) for name in MEASURES if name != "iz_latency_censored")
        assert parse_note(row["note"])["trial_refused"] == MEASURES
        assert row["scored_s"] == pytest.approx(seconds, abs=0.1)
        assert score.bins == []
    else:
        assert row["iz_s"] == pytest.approx(row["iz_raw_s"] * 150 / row["scored_s"])


def test_a_hole_in_the_recording_is_not_observed_time() -> None:
    xy, time = walk()
    keep = (time < 50) | (time >= 60)
    score = score_trial(tracks(xy[keep], time[keep]), ARENA, start_s=0.0)
    assert score.row["scored_s"] == pytest.approx(140, abs=0.1)
    assert score.row["gap_s"] == pytest.approx(10, abs=0.1)
    assert {"frame_gaps", "short_trial"} <= {problem.code for problem in score.problems}


def test_damage_is_said_and_what_came_before_is_scored() -> None:
    xy, time = walk()
    score = score_trial(tracks(xy, time, damage="breaks off at frame 2325 (155.0 s)"), ARENA)
    assert [problem.code for problem in score.problems] == ["damaged_file"]
    assert score.row["iz_s"] > 0


def test_an_animal_never_seen_in_the_window_has_no_numbers() -> None:
    time = np.arange(1500) / 10
    score = score_trial(tracks(np.full((1500, 2), np.nan), time), ARENA, start_s=0.0)
    assert parse_note(score.row["note"])["never_seen"] == MEASURES
    assert [problem.code for problem in score.problems] == ["mostly_unseen"]


def test_an_animal_seen_in_a_few_frames_only_has_no_numbers() -> None:
    xy, time = walk()
    xy[np.arange(len(xy)) % 20 != 0] = np.nan
    score = score_trial(tracks(xy, time), ARENA, start_s=0.0)
    assert parse_note(score.row["note"])["mostly_unseen"] == MEASURES
    assert [problem.code for problem in score.problems] == ["mostly_unseen"]
    assert score.row["lost_percent"] == pytest.approx(95, abs=0.1)
    allowed = score_trial(tracks(xy, time), ARENA, start_s=0.0, options=ScoreOptions(refuse_seen_below=0.0))
    assert allowed.row["iz_s"] >= 0


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_a_recording_of_almost_no_frames_is_refused(frames: int) -> None:
    xy, time = walk()
    score = score_trial(tracks(xy[:frames], time[:frames]), ARENA)
    assert "trial_refused" in {problem.code for problem in score.problems}
    assert parse_note(score.row["note"])["trial_refused"] == MEASURES


def test_no_release_is_said() -> None:
    xy, time = walk()
    xy[::8] = np.nan
    score = score_trial(tracks(xy, time), ARENA)
    assert "release_not_found" in {problem.code for problem in score.problems}
    assert score.row["release_found"] is False
    assert score_trial(tracks(xy, time), ARENA, start_s=2.0).row["release_found"] is True


def test_slow_recordings_are_measured_raw_and_flagged() -> None:
    xy, time = walk(rate=2.0)
    score = score_trial(tracks(xy, time), ARENA)
    assert score.row["distance_cm"] == score.row["distance_raw_cm"]
    assert "low_rate" in parse_note(score.row["note"])
    assert [problem.code for problem in score.problems] == ["sparse_frames"]


def test_points_far_outside_the_floor_are_not_seen_there() -> None:
    xy, time = walk()
    xy[100:400] = (700.0, 700.0)
    score = score_trial(tracks(xy, time), ARENA, start_s=0.0)
    assert score.row["outside_percent"] == pytest.approx(100 * 20 / 150, abs=0.1)
    assert score.row["lost_percent"] == pytest.approx(100 * 20 / 150, abs=0.1)
    xy[100:400] = np.nan
    unseen = score_trial(tracks(xy, time), ARENA, start_s=0.0).row
    assert measures(score.row) == pytest.approx(measures(unseen))
    assert "outside_floor" in {problem.code for problem in score.problems}


def test_start_after_the_end_is_refused() -> None:
    xy, time = walk()
    with pytest.raises(InputError, match=r"a\.mp4: the trial's start lies after the end.*start_s 400"):
        score_trial(tracks(xy, time), ARENA, start_s=400.0)


def test_point_that_is_not_tracked_and_second_animal_are_refused() -> None:
    xy, time = walk()
    with pytest.raises(InputError, match="no point 'nose'; found centre"):
        score_trial(tracks(xy, time), ARENA, options=ScoreOptions(point="nose"))
    two = xr.concat([tracks(xy, time), tracks(xy, time).assign_coords(individual=["target"])], dim="individual")
    with pytest.raises(InputError, match="more than one animal"):
        score_trial(two, ARENA)


def test_nose_counts_where_it_is_asked_for() -> None:
    time = np.arange(1500) / 10
    centre, nose = tracks(np.full((1500, 2), (210.0, 160.0)), time), tracks(np.full((1500, 2), (210.0, 120.0)), time)
    both = xr.concat([centre, nose.assign_coords(keypoint=["nose"])], dim="keypoint")
    seconds = {
        point: score_trial(both, ARENA, options=ScoreOptions(point=point)).row["iz_s"]
        for point in ("centre", "nose", "nose_or_centre")
    }
    assert seconds == {"centre": 0, "nose": pytest.approx(150), "nose_or_centre": pytest.approx(150)}


def test_zone_may_reach_further_for_the_point() -> None:
    time = np.arange(1500) / 10
    made = tracks(np.full((1500, 2), (210.0, 154.0)), time)
    assert score_trial(made, ARENA).row["iz_s"] == 0
    row = score_trial(made, ARENA, options=ScoreOptions(reach_cm=1.0)).row
    assert row["iz_s"] == pytest.approx(150)
    assert row["iz_narrow_s"] == 0


def test_short_gaps_are_filled_on_request_and_flagged() -> None:
    xy, time = walk()
    whole = score_trial(tracks(xy, time), ARENA).row
    holed = xy.copy()
    holed[np.arange(len(xy)) % 50 < 4] = np.nan
    plain = score_trial(tracks(holed, time), ARENA, start_s=0.0)
    assert plain.row["lost_percent"] == pytest.approx(8, abs=0.1)
    filled = score_trial(tracks(holed, time), ARENA, start_s=0.0, options=ScoreOptions(fill_gaps_s=0.5))
    # The four frames before the first position have nothing to be put between.
    assert filled.row["lost_percent"] == pytest.approx(100 * 4 / 2250)
    assert filled.row["filled_percent"] == pytest.approx(7.8, abs=0.1)
    assert filled.row["iz_s"] == pytest.approx(whole["iz_s"], abs=0.5)
    assert "filled_gaps" in {problem.code for problem in filled.problems}
    assert "filled_gaps" in parse_note(filled.row["note"])
    assert plain.row["filled_percent"] == 0


def test_nose_time_and_heading() -> None:
    time = np.arange(1500) / 10
    centre = np.full((1500, 2), (210.0, 165.0))
    nose = centre + np.where((time < 75)[:, None], (0.0, -40.0), (40.0, 0.0))
    both = xr.concat([tracks(centre, time), tracks(nose, time).assign_coords(keypoint=["nose"])], dim="keypoint")
    row = score_trial(both, ARENA).row
    assert (row["iz_s"], row["iz_nose_s"]) == (0, pytest.approx(75))
    assert row["box_heading_deg"] == pytest.approx(45)
    without = score_trial(tracks(centre, time), ARENA).row
    assert parse_note(without["note"])["no_nose"] == ("iz_nose_s", "box_heading_deg")


# --- what must not change ----------------------------------------------------------------------------------------


def test_row_has_the_declared_columns() -> None:
    xy, time = walk()
    assert tuple(score_trial(tracks(xy, time), ARENA).row) == TRIAL_COLUMNS


@pytest.mark.parametrize("wall", ["top", "right", "bottom", "left"])
def test_turning_or_mirroring_picture_and_arena_changes_nothing(wall: str) -> None:
    xy, time = walk(seed=3)
    expected = measures(score_trial(tracks(xy, time), ARENA).row)
    x, y = xy.T
    turned = {"top": (420 - x, y), "right": (420 - y, x), "bottom": (x, 420 - y), "left": (y, 420 - x)}[wall]
    arena = build_arena(ArenaOptions(enclosure_wall=wall), corners_px=CORNERS)
    found = measures(score_trial(tracks(np.column_stack(turned), time), arena).row)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_another_picture_size_or_tracks_in_cm_change_nothing() -> None:
    xy, time = walk(seed=4)
    expected = measures(score_trial(tracks(xy, time), ARENA).row)
    larger = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(30, 60, 30 + 840, 60 + 1260))
    found = measures(score_trial(tracks(xy * (2, 3) + (30, 60), time), larger).row)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
    in_cm = measures(score_trial(tracks(xy / PX_PER_CM, time, space_unit="cm"), ARENA).row)
    assert in_cm == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_showing_every_frame_twice_changes_no_dwell() -> None:
    xy, time = walk(seed=5)
    once = score_trial(tracks(xy, time), ARENA).row
    twice = score_trial(tracks(np.repeat(xy, 2, axis=0), np.arange(2 * len(time)) / 30), ARENA).row
    for name in (
        "iz_s",
        "corner_s",
        "iz_entries",
        "corner_entries",
        "iz_latency_s",
        "iz_longest_bout_s",
        "enclosure_distance_cm",
    ):
        assert twice[name] == pytest.approx(once[name], abs=1e-6)


def test_a_time_shift_of_the_recording_changes_nothing() -> None:
    xy, time = walk(seed=6)
    expected = measures(score_trial(tracks(xy, time), ARENA).row)
    assert measures(score_trial(tracks(xy, time + 37.0), ARENA).row) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("cut", [600, 1111, 1799])
def test_a_trial_in_two_files_is_scored_as_one(cut: int) -> None:
    xy, time = walk(seed=7)
    whole = score_trial(tracks(xy, time), ARENA).row
    first = TrialPart(tracks=tracks(xy[:cut], time[:cut]), arena=ARENA)
    second = TrialPart(tracks=tracks(xy[cut:], time[cut:] - time[cut], source_file="b.mp4"), arena=ARENA)
    parts = score_parts([first, second]).row
    assert parts["file"] == "a.mp4 + b.mp4"
    assert parts["scored_s"] == pytest.approx(150)
    for name in ("iz_s", "corner_s", "iz_entries", "iz_latency_s"):
        assert parts[name] == pytest.approx(whole[name], abs=1e-6)
    assert parts["distance_cm"] == pytest.approx(whole["distance_cm"], rel=0.01)


def test_two_trials_in_one_file_are_told_apart_by_their_times() -> None:
    xy, time = walk(seconds=320.0, seed=8)
    first = score_trial(tracks(xy, time), ARENA, start_s=0.0, end_s=150.0).row
    second = score_trial(tracks(xy, time), ARENA, start_s=160.0).row
    assert score_trial(tracks(xy, time), ARENA, start_s=0.0, end_s=130.0).row["scored_s"] == pytest.approx(130)
    late = time >= 160
    alone = score_trial(tracks(xy[late], time[late]), ARENA, start_s=160.0).row
    assert second["iz_s"] == pytest.approx(alone["iz_s"])
    assert first["iz_s"] == pytest.approx(score_trial(tracks(xy, time), ARENA).row["iz_s"])


def test_bins_add_up_to_the_trial() -> None:
    xy, time = walk(seed=9)
    xy[500:520] = np.nan
    score = score_trial(tracks(xy, time), ARENA, start_s=0.0, subject="m1", trial="target")
    bins = pd.DataFrame(score.bins)
    assert bins["start_s"].tolist() == [10.0 * place for place in range(15)]
    assert set(bins["subject"]) == {"m1"}
    for name in ("scored_s", "observed_s", "iz_raw_s", "corner_raw_s", "distance_cm"):
        assert bins[name].sum() == pytest.approx(score.row[name])
    early = bins[bins["start_s"] < 120]
    assert early["iz_raw_s"].sum() / early["observed_s"].sum() * 120 == pytest.approx(score.row["iz_first_120_s"])


@pytest.mark.parametrize(
    "changed",
    [
        {"window_s": 0},
        {"point": "tail"},
        {"min_stay_s": -1},
        {"refuse_below": 1.2},
        {"refuse_below": 0.99},
        {"lost_limit_percent": 101},
        {"smooth_s": math.nan},
        {"fill_gaps_s": 0.6},
    ],
)
def test_options_out_of_range_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed))):
        ScoreOptions(**changed)


def test_a_trial_without_recordings_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one recording"):
        score_parts([])


def test_arena_without_corners_explains_its_empty_columns() -> None:
    round_arena: Arena = build_arena(ArenaOptions(shape="circle"), corners_px=CORNERS)
    xy, time = walk()
    row = score_trial(tracks(210 + (xy - 210) * 0.6, time), round_arena).row
    assert parse_note(row["note"])["no_corner_zones"] == ("corner_raw_s", "corner_s", "corner_entries")


def test_tracks_timed_in_frames_are_refused() -> None:
    """A file without a frame rate gives frame numbers, and no number of seconds may come of them."""
    tracks = xr.Dataset(
        {"position": (("time", "space", "keypoint", "individual"), np.full((300, 2, 1, 1), 100.0))},
        coords={"time": np.arange(300.0), "keypoint": ["centre"]},
        attrs={"time_unit": "frames", "source_file": "a.csv"},
    )
    arena = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))
    with pytest.raises(InputError, match=r"a\.csv: the times of the tracks are frame numbers.*fps"):
        score_trial(tracks, arena, start_s=0.0)
