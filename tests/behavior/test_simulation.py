"""The renderer's truth against pictures, files and geometry worked out by other routes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from behavior.simulation import CONDITIONS, KNOWN_FAILURES, BoxGeometry, Look, RenderOptions, render_trial, si_ratio
from behavior.simulation.camera import camera_above
from behavior.simulation.mouse_drawing import Coat
from behavior.simulation.truth import in_corner, in_zone, summarise_truth

LOSSLESS = (("preset", "ultrafast"), ("qp", "0"))
# Everything that is body equally dark, the tail as bright as the floor: what is dark is the body.
BARE = Look(
    floor_texture=0.0,
    floor_grain=0.0,
    gradient=0.0,
    lamp=0.0,
    vignette=0.0,
    drift=0.0,
    mirror=0.0,
    floor=0.6,
    coat=Coat(body=0.1, back=0.1, ears=0.1, feet=0.1, tail=0.6, shadow=0.0),
)


def frames_of(path):
    """Luma of every frame and its time in the file."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        for frame in file.decode(stream):
            height = frame.height
            yield float(frame.pts * stream.time_base), frame.to_ndarray(format="yuv420p")[:height].astype(float)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "plain.mp4"
    options = RenderOptions(
        look=replace(BARE, rotation_deg=4.0, tilt_deg=6.0, shutter_s=0.02),
        window_s=12,
        noise=False,
        codec_options=LOSSLESS,
        geometry=BoxGeometry(enclosure_wall="left"),
    )
    return path, options, render_trial(path, options=options, seed=5)


def test_centre_is_the_centroid_of_what_is_dark(plain):
    """Darkness against the empty box, weighted, gives the truth's centre to a tenth of a pixel and its area."""
    path, _, truth = plain
    empty = next(frames_of(path))[1]
    rows, columns = np.mgrid[0 : empty.shape[0], 0 : empty.shape[1]]
    errors, areas = [], []
    floor = cv2.fillConvexPoly(np.zeros(empty.shape, np.uint8), np.round(truth.corners_px).astype(int), 1) > 0
    floor = cv2.erode(floor.astype(np.uint8), np.ones((5, 5))) > 0
    enclosure = cv2.fillConvexPoly(np.zeros(empty.shape, np.uint8), np.round(truth.enclosure_px).astype(int), 1) > 0
    for (_, luma), row in zip(frames_of(path), truth.frames.itertuples(), strict=True):
        dark = np.clip(empty - luma, 0, None)
        dark[dark < 2] = 0
        # Away from walls and mesh nothing else changes and the floor is even.
        ys, xs = np.nonzero(dark)
        clear = (
            row.scored
            and floor[ys, xs].all()
            and not cv2.dilate(enclosure.astype(np.uint8), np.ones((25, 25)))[ys, xs].any()
        )
        if clear:
            weight = dark.sum()
            errors.append(
                np.hypot(
                    (dark * columns).sum() / weight - row.centre_x_px, (dark * rows).sum() / weight - row.centre_y_px
                )
            )
            areas.append(weight / np.median(empty[floor] - 0.1 * 235) / row.area_px)
    assert len(errors) > 60
    assert np.max(errors) < 0.12
    assert np.median(areas) == pytest.approx(1, abs=0.02)


def test_zone_and_corner_seconds_by_another_route(plain):
    """Zones projected into the picture by a homography from the four corners, points tested there, durations summed."""
    path, options, truth = plain
    side = 42.0
    to_px = cv2.getPerspectiveTransform(
        np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32), truth.corners_px.astype(np.float32)
    )
    zones = {
        "iz": [[[0, 8], [14.5, 8], [14.5, 34], [0, 34]]],
        "corner": [[[33, 0], [42, 0], [42, 9], [33, 9]], [[33, 33], [42, 33], [42, 42], [33, 42]]],
    }
    times = np.array([time for time, _ in frames_of(path)])
    ends = np.append(times[1:], times[-1] + 1 / options.fps)
    total = dict.fromkeys(zones, 0.0)
    for start, end, row in zip(times, ends, truth.frames.itertuples(), strict=True):
        if not truth.release_s - 1e-6 <= start < truth.release_s + truth.window_s - 1e-6:
            continue
        for name, polygons in zones.items():
            for polygon in polygons:
                seen = cv2.perspectiveTransform(np.array([polygon], np.float32), to_px)[0]
                inside = cv2.pointPolygonTest(seen, (row.centre_x_px, row.centre_y_px), False) >= 0
                total[name] += inside * (min(end, truth.release_s + truth.window_s) - start)
    assert total["iz"] > 1
    assert total["iz"] == pytest.approx(truth.iz_s, abs=1e-3)
    assert total["corner"] == pytest.approx(truth.corner_s, abs=1e-3)


def test_release_is_when_nothing_but_the_mouse_moves_on_the_floor(plain):
    """From release on, no floor pixel further than the tail reaches changes; just before, one does."""
    path, options, truth = plain
    empty = next(frames_of(path))[1]
    floor = cv2.fillConvexPoly(np.zeros(empty.shape, np.uint8), np.round(truth.corners_px).astype(int), 1) > 0
    rows, columns = np.mgrid[0 : empty.shape[0], 0 : empty.shape[1]]
    scale = np.hypot(*(truth.corners_px[1] - truth.corners_px[0])) / 42
    other = []
    for (_, luma), row in zip(frames_of(path), truth.frames.itertuples(), strict=True):
        far = np.hypot(columns - row.centre_x_px, rows - row.centre_y_px) > 14 * scale
        other.append(bool((np.abs(luma - empty) > 12)[floor & far].any()))
    first = round(truth.release_s * options.fps)
    assert not any(other[first:])
    assert any(other[first - 3 : first])
    assert truth.frames["scored"].sum() == 12 * options.fps


@pytest.mark.parametrize("wall", ["top", "right", "bottom", "left"])
def test_mouse_is_set_down_where_the_hand_holds_it(tmp_path, wall):
    """From the hand onto the floor neither its place nor its direction jumps; it then faces away from the hand."""
    options = RenderOptions(geometry=BoxGeometry(enclosure_wall=wall), window_s=1, width_px=240, height_px=180)
    frames = render_trial(tmp_path / "a.mp4", options=options, seed=8).frames
    first = int(np.argmax(frames["state"] == "free"))
    held, free = frames.iloc[first - 1], frames.iloc[first]
    assert held["state"] == "held"
    assert np.hypot(held["centre_x_cm"] - free["centre_x_cm"], held["centre_y_cm"] - free["centre_y_cm"]) < 4
    turn = (held["heading_deg"] - free["heading_deg"] + 180) % 360 - 180
    assert abs(turn) < 40


def test_nose_and_tail_base_end_the_dark_body(plain):
    """Nose and tail base lie near the ends of the body along its axis."""
    _, _, truth = plain
    scored = truth.frames[truth.frames["scored"]]
    length = np.hypot(scored["nose_x_px"] - scored["tail_base_x_px"], scored["nose_y_px"] - scored["tail_base_y_px"])
    assert length.median() == pytest.approx(8.4 * 6.8 * 0.95, rel=0.1)
    towards = np.deg2rad(scored["heading_deg"])
    ahead = (scored["nose_x_px"] - scored["centre_x_px"]) * np.cos(towards) - (
        scored["nose_y_px"] - scored["centre_y_px"]
    ) * np.sin(towards)
    assert (ahead > 5).all()


def test_times_are_those_of_the_file(tmp_path):
    """Dropped frames leave gaps; the file's own times are the truth's."""
    options = RenderOptions(condition="dropped_frames", level="hard", window_s=10, width_px=240, height_px=180)
    truth = render_trial(tmp_path / "drops.mp4", options=options, seed=2)
    times = np.array([time for time, _ in frames_of(tmp_path / "drops.mp4")])
    np.testing.assert_allclose(times, truth.frames["time_s"], atol=1e-4)
    steps = np.diff(times)
    assert steps.max() > 1.9 / options.fps
    assert steps.min() == pytest.approx(1 / options.fps, abs=1e-3)


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path):
    options = RenderOptions(window_s=3, target=True, width_px=240, height_px=180)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        render_trial(tmp_path / f"{name}.mp4", options=options, seed=seed)
    a, b, c = ((tmp_path / f"{name}.mp4").read_bytes() for name in "abc")
    assert a == b
    assert a != c
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4", "c.mp4"]


def test_nothing_is_left_of_a_rendering_that_fails(tmp_path):
    with pytest.raises(ValueError, match=r"no container known for '\.txt'"):
        render_trial(tmp_path / "a.txt", options=RenderOptions(window_s=1), seed=1)
    with pytest.raises(Exception, match="no_such_encoder"):
        render_trial(tmp_path / "a.mp4", options=RenderOptions(window_s=1, codec="no_such_encoder"), seed=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"condition": "fog"}, "unknown condition 'fog'; known: clean"),
        ({"level": "absurd"}, "level must be one of realistic, hard"),
        ({"width_px": 321}, "width and height must be even"),
        ({"fps": 0}, "fps must be at least 1"),
    ],
)
def test_options_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        RenderOptions(**changes)


def test_arena_seed_fixes_the_arena_for_both_trials(tmp_path):
    """Both trials of a mouse show the same floor; only walk and target differ."""
    made = [
        render_trial(
            tmp_path / f"{target}.mp4",
            options=RenderOptions(arena_seed=7, target=target, window_s=2, width_px=240, height_px=180),
            seed=11 + target,
        )
        for target in (False, True)
    ]
    np.testing.assert_array_equal(made[0].corners_px, made[1].corners_px)
    np.testing.assert_array_equal(made[0].enclosure_px, made[1].enclosure_px)


@pytest.mark.parametrize("condition", sorted(CONDITIONS))
def test_every_condition_renders_with_a_whole_truth(tmp_path, condition):
    """Hard level: the file has every frame, the mouse a place in every scored frame, inside the picture."""
    options = RenderOptions(
        condition=condition, level="hard", window_s=2, after_s=0.2, fps=10, width_px=240, height_px=180, target=True
    )
    truth = render_trial(tmp_path / "a.mp4", options=options, seed=3)
    frames = truth.frames
    assert len(list(frames_of(tmp_path / "a.mp4"))) == len(frames)
    scored = frames[frames["scored"]]
    assert scored[["centre_x_px", "centre_y_px", "nose_x_px", "heading_deg"]].notna().all(axis=None)
    assert scored["centre_x_px"].between(0, 240).all()
    assert scored["centre_y_px"].between(0, 180).all()
    assert 0 <= truth.iz_s <= 2
    if condition == "already_in":
        assert truth.release_s == 0
    else:
        assert (frames["state"] == "absent").iloc[0]
        assert frames.loc[frames["time_s"] < truth.release_s, "scored"].sum() == 0


def test_known_failures_are_conditions():
    assert set(KNOWN_FAILURES) <= set(CONDITIONS)


def test_lamp_and_bump_change_the_picture_for_good(tmp_path):
    """After a lamp change the floor stays darker or brighter; after a bump the box stays moved."""
    for condition in ("lamp_change", "camera_bump"):
        options = RenderOptions(condition=condition, level="hard", window_s=6, noise=False, codec_options=LOSSLESS)
        truth = render_trial(tmp_path / "a.mp4", options=options, seed=4)
        lumas = [luma for _, luma in frames_of(tmp_path / "a.mp4")]
        first = int(np.argmax(truth.frames["scored"]))
        change = [np.abs(b - a).mean() for a, b in pairwise(lumas[first:])]
        jump = int(np.argmax(change))
        assert 0.2 * len(lumas) < first + 1 + jump < 0.8 * len(lumas)
        assert change[jump] > 4 * np.median(change) + 1, condition
        before, after = lumas[first + jump], lumas[first + jump + 1]
        # It stays so: the end is like just after, not like just before.
        assert np.abs(lumas[-1] - after).mean() < 0.5 * np.abs(lumas[-1] - before).mean()


def test_sits_still(tmp_path):
    options = RenderOptions(condition="sits_still", level="hard", window_s=8)
    truth = render_trial(tmp_path / "a.mp4", options=options, seed=6)
    scored = truth.frames[truth.frames["scored"]]
    assert np.ptp(scored["centre_x_cm"]) < 2
    assert np.ptp(scored["centre_y_cm"]) < 2


def test_window_ends_cut_the_last_frame():
    times = np.arange(0, 3, 0.4)
    within = np.ones(times.size, bool)
    assert summarise_truth(times, within, release_s=0.4, window_s=1.0) == pytest.approx(1.0)


def test_zones_turn_with_the_wall():
    """A point in the zone of the top wall lies in that of each other wall when the box is turned."""
    points = {
        "top": (21.0, 14.4),
        "right": (27.6, 21.0),
        "bottom": (21.0, 27.6),
        "left": (14.4, 21.0),
    }
    for wall in points:
        geometry = BoxGeometry(enclosure_wall=wall)
        inside = {other: bool(in_zone(np.array(p), geometry)) for other, p in points.items()}
        assert inside == {other: other == wall for other in points}, wall
    far = np.array([[1.0, 41.0], [41.0, 41.0], [1.0, 1.0], [41.0, 1.0], [np.nan, np.nan]])
    assert in_corner(far, BoxGeometry(enclosure_wall="top")).tolist() == [True, True, False, False, False]
    assert in_corner(far, BoxGeometry(enclosure_wall="right")).tolist() == [True, False, True, False, False]


def test_camera_is_a_projective_camera():
    """Floor points come back; a turn keeps lengths; tall things lean away from the camera."""
    camera = camera_above(
        width_px=480, height_px=360, floor_cm=42, px_per_cm=7, rotation_deg=10, tilt_deg=15, tilt_toward_deg=200
    )
    points = np.random.default_rng(0).uniform(0, 42, (50, 2))
    np.testing.assert_allclose(camera.to_cm(camera.project(points)), points, atol=1e-9)
    straight = camera_above(width_px=480, height_px=360, floor_cm=42, px_per_cm=7, rotation_deg=30)
    seen = straight.project(np.array([[0.0, 0.0], [42.0, 0.0]]))
    assert np.hypot(*(seen[1] - seen[0])) == pytest.approx(42 * 7)
    corner = np.array([[2.0, 2.0]])
    middle = np.array([239.5, 179.5])
    low, high = (np.hypot(*(straight.project(corner, h)[0] - middle)) for h in (0, 10))
    assert high == pytest.approx(low * 130 / 120)


def test_si_ratio_of_truths(plain):
    _, _, truth = plain
    assert si_ratio(truth, replace(truth, iz_s=2 * truth.iz_s)) == pytest.approx(2)
    assert np.isnan(si_ratio(replace(truth, iz_s=0.0), truth))
