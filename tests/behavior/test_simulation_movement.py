"""The walk and the body of a simulated mouse: speeds, zones, walls, what avoidance does."""

from __future__ import annotations

import numpy as np
import pytest

from behavior.simulation.box_geometry import BoxGeometry, turn_to_wall
from behavior.simulation.movement import MovementOptions, simulate_paths, zone_seconds
from behavior.simulation.posture import BodyShape, pose_mouse


@pytest.fixture(scope="module")
def neutral():
    return simulate_paths(np.zeros(200), duration_s=150, rng=np.random.default_rng(1))


def test_avoidance_lowers_zone_time_and_raises_corner_time():
    levels = np.repeat([-1.5, -0.75, 0.0, 0.75, 1.5, 2.5], 120)
    paths = simulate_paths(levels, duration_s=150, rng=np.random.default_rng(2))
    zone = zone_seconds(paths).reshape(6, -1).mean(axis=1)
    corner = (((paths.x < 9) | (paths.x > 33)) & (paths.y > 33)).mean(axis=1).reshape(6, -1).mean(axis=1)
    assert (np.diff(zone) < -3).all()
    assert (np.diff(corner) > 0).all()


def test_empty_enclosure_gives_the_times_and_speeds_of_published_mice(neutral):
    """No-target trials of 761 mice: zone 61 s (SD 15 to 18), 13 entries, corners 25 s, 8.5 cm/s."""
    zone = zone_seconds(neutral)
    assert zone.mean() == pytest.approx(61, abs=5)
    assert 10 < zone.std() < 19
    in_zone = (np.abs(neutral.x - 21) < 13) & (neutral.y < 14.5)
    assert 8 < (np.diff(in_zone.astype(int), axis=1) == 1).sum(axis=1).mean() < 15
    step = np.hypot(np.diff(neutral.x), np.diff(neutral.y))
    assert step.sum(axis=1).mean() / 150 == pytest.approx(8.4, abs=1.5)
    moving = step[step > 0.3] / 0.1
    assert 5 < np.median(moving) < 25
    assert np.quantile(step / 0.1, 0.999) < 42


def test_body_centre_keeps_off_walls_and_enclosure(neutral):
    assert neutral.x.min() >= 2 - 1e-9
    assert neutral.x.max() <= 40 + 1e-9
    assert neutral.y.min() >= 2 - 1e-9
    inside = (np.abs(neutral.x - 21) < 5 + 2 - 1e-9) & (neutral.y < 6.5 + 2 - 1e-9)
    assert not inside.any()


def test_mouse_stops_and_goes(neutral):
    speed = np.hypot(np.diff(neutral.x), np.diff(neutral.y)) / 0.1
    resting = (speed < 2).mean()
    assert 0.2 < resting < 0.7


def test_frozen_share():
    paths = simulate_paths(
        np.zeros(20), duration_s=100, rng=np.random.default_rng(3), options=MovementOptions(still=0.8)
    )
    speed = np.hypot(np.diff(paths.x), np.diff(paths.y))
    assert ((speed < 1e-3).mean(axis=1) > 0.74).all()


@pytest.mark.parametrize("wall", ["top", "right", "bottom", "left"])
def test_turning_keeps_distance_to_the_enclosure(wall, neutral):
    geometry = BoxGeometry(enclosure_wall=wall)
    x, y, heading = turn_to_wall(neutral.x[0], neutral.y[0], neutral.heading[0], geometry=geometry)
    box = {"top": (21, 0), "right": (42, 21), "bottom": (21, 42), "left": (0, 21)}[wall]
    np.testing.assert_allclose(
        np.hypot(x - box[0], y - box[1]), np.hypot(neutral.x[0] - 21, neutral.y[0]), rtol=0, atol=1e-9
    )
    steps = np.stack([np.diff(x), np.diff(y)])
    before = np.arctan2(np.diff(neutral.y[0]), np.diff(neutral.x[0]))
    turn = np.angle(np.exp(1j * (np.arctan2(steps[1], steps[0]) - before)))[np.hypot(*steps) > 0.2]
    expected = np.angle(np.exp(1j * (heading[0] - neutral.heading[0][0])))
    np.testing.assert_allclose(np.cos(turn), np.cos(expected), atol=1e-6)


def test_body_lies_inside_the_walls_and_outside_the_enclosure(neutral):
    poses = pose_mouse(
        neutral.x[1],
        neutral.y[1],
        neutral.heading[1],
        neutral.time_s,
        shape=BodyShape(),
        rng=np.random.default_rng(0),
        geometry=BoxGeometry(),
    )
    outline = poses.outline
    # A rearing mouse leans over the edge by less than a centimetre.
    assert outline.min() > -0.8
    assert outline.max() < 42.8
    inside = (np.abs(outline[..., 0] - 21) < 4.2) & (outline[..., 1] < 5.7)
    assert inside.mean() < 0.002


def test_length_of_the_body():
    """Nose to tail base of a walking mouse is its length; at rest it is shorter, rearing shorter still."""
    time = np.arange(0, 60, 0.1)
    walking = pose_mouse(
        20 * time, np.zeros_like(time), np.zeros_like(time), time, shape=BodyShape(8.0), rng=np.random.default_rng(1)
    )
    length = np.hypot(*(walking.nose - walking.tail_base).T)
    assert np.median(length) == pytest.approx(8.0, abs=0.4)
    resting = pose_mouse(
        np.zeros_like(time),
        np.zeros_like(time),
        np.zeros_like(time),
        time,
        shape=BodyShape(8.0),
        rng=np.random.default_rng(1),
    )
    rest = np.hypot(*(resting.nose - resting.tail_base).T)
    assert np.median(rest) < np.median(length)
    assert rest.min() < 0.75 * np.median(length)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BoxGeometry(enclosure_wall="north"), "enclosure_wall must be top, right, bottom or left"),
        (lambda: BoxGeometry(width_cm=50.0), "must be square"),
        (lambda: BoxGeometry(zone_margin_cm=20.0), "wider than the floor"),
        (lambda: MovementOptions(still=1.2), "still must lie between 0 and 1"),
        (lambda: MovementOptions(pause_s=0.0), "must be above 0"),
        (lambda: BodyShape(length_cm=0.0), "must be above 0"),
    ],
)
def test_impossible_options(make, message):
    with pytest.raises(ValueError, match=message):
        make()
