"""When what happens in a simulated recording, and where the animals then are: the script that the renderer draws."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from behavior.simulation.box_geometry import BoxGeometry, turn_to_wall
from behavior.simulation.hand import Hand, hand_tip
from behavior.simulation.looks import Look
from behavior.simulation.movement import MovementOptions, Paths, simulate_paths
from behavior.simulation.posture import BodyShape, Poses, pose_mouse, turn_poses

__all__ = ["Script", "frame_ticks", "plan_hand", "script_subject", "script_target"]

Array = NDArray[np.float64]

_HAND_IN_S, _HAND_OUT_S = 0.8, 0.55
# From the finger tips to the middle of a mouse held by its tail.
_HANGS_CM = 5.0


@dataclass(frozen=True, eq=False)
class Script:
    """Subject per frame: ``held`` and ``free`` (F,) bool, ``poses`` where either holds, indexed by ``row`` (F,)."""

    held: NDArray[np.bool_]
    free: NDArray[np.bool_]
    row: NDArray[np.int64]
    poses: Poses
    velocity_cm_s: Array


def plan_hand(look: Look, geometry: BoxGeometry, rng: np.random.Generator) -> Hand | None:
    """When the hand comes and where it sets the mouse down; None when the mouse is in from the start."""
    u = rng.uniform(size=6)
    if look.in_from_start:
        return None
    enter = look.empty_s[0] + (look.empty_s[1] - look.empty_s[0]) * u[0]
    down = enter + _HAND_IN_S * (0.8 + 0.5 * u[1])
    lift = down + 0.25 + 0.6 * u[2]
    side = geometry.side_cm
    x, y, _ = turn_to_wall(
        np.array([side * (0.25 + 0.5 * u[3])]), np.array([side * (0.60 + 0.24 * u[4])]), np.zeros(1), geometry=geometry
    )
    # The experimenter stands at the side opposite the enclosure or beside it.
    away = {"top": 90.0, "right": 180.0, "bottom": -90.0, "left": 0.0}[geometry.enclosure_wall]
    return Hand(enter, down, lift, lift + _HAND_OUT_S, (float(x[0]), float(y[0])), away + 110 * (u[5] - 0.5))


def frame_ticks(duration_s: float, fps: float, drop_share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """(F,) frames that the camera kept, as multiples of 1/fps; the first one is always kept."""
    ticks = np.arange(int(np.ceil(duration_s * fps)))
    if drop_share <= 0:
        return ticks
    # Drops come in bursts: a slow course decides how likely they are.
    slow = np.repeat(rng.uniform(0, 2 * drop_share, ticks.size // 40 + 1), 40)[: ticks.size]
    kept = rng.uniform(size=ticks.size) >= slow
    kept[0] = True
    return ticks[kept]


def script_subject(
    time_s: Array,
    *,
    hand: Hand | None,
    look: Look,
    geometry: BoxGeometry,
    movement: MovementOptions,
    avoidance: float,
    activity: float,
    shape: BodyShape,
    rng: np.random.Generator,
) -> Script:
    """Where the subject is at every frame: nowhere, in the hand, on the floor."""
    down_s = 0.0 if hand is None else hand.down_s
    free = time_s >= down_s
    held = np.zeros_like(free) if hand is None else (time_s >= hand.enter_s) & ~free
    start = None if hand is None else _set_down(hand, geometry)
    path = simulate_paths(
        np.array([avoidance]),
        duration_s=float(time_s[-1] - down_s) + 0.2,
        rng=rng,
        geometry=geometry,
        options=movement,
        activity=np.array([activity]),
        start=start,
    )
    x, y, heading = _at(path, time_s[free] - down_s)
    poses = pose_mouse(x, y, heading, time_s[free], shape=shape, rng=rng, geometry=geometry, wary=avoidance > 0.3)
    poses = turn_poses(poses, geometry=geometry)
    if held.any() and hand is not None:
        poses = _joined(_held_poses(hand, time_s[held], shape, rng), poses)
    row = np.where(held | free, np.cumsum(held | free) - 1, -1)
    tx, ty, _ = turn_to_wall(x, y, heading, geometry=geometry)
    velocity = np.zeros((int((held | free).sum()), 2))
    if free.sum() > 1:
        moves = np.stack([np.gradient(tx, time_s[free]), np.gradient(ty, time_s[free])], axis=-1)
        velocity[int(held.sum()) :] = moves
    return Script(held, free, row, poses, velocity)


def _hanging(hand: Hand, tip_cm: Array) -> tuple[Array, float]:
    """Where a mouse held by the tail hangs, and where its head points: away from the experimenter."""
    heading = float(np.deg2rad(hand.from_deg) + np.pi)
    return tip_cm + _HANGS_CM * np.array([np.cos(heading), np.sin(heading)]), heading


def _set_down(hand: Hand, geometry: BoxGeometry) -> tuple[float, float, float]:
    """Where the mouse stands first, in the frame whose enclosure stands on the top wall."""
    place, heading = _hanging(hand, np.asarray(hand.place_cm))
    x, y = place.tolist()
    turns = ("top", "right", "bottom", "left").index(geometry.enclosure_wall)
    for _ in range(turns):
        x, y = y, geometry.side_cm - x
    return x, y, heading - turns * np.pi / 2


def _at(path: Paths, time_s: Array) -> tuple[Array, Array, Array]:
    """The first animal's path at other times, smooth."""
    from scipy.interpolate import PchipInterpolator

    heading = np.unwrap(path.heading[0])
    x, y, turn = (PchipInterpolator(path.time_s, values)(time_s) for values in (path.x[0], path.y[0], heading))
    return np.asarray(x), np.asarray(y), np.asarray(turn)


def _held_poses(hand: Hand, time_s: Array, shape: BodyShape, rng: np.random.Generator) -> Poses:
    """The mouse under the finger tips, hanging and swinging."""
    tips = np.stack([tip for t in time_s if (tip := hand_tip(hand, float(t))) is not None])
    place, heading = _hanging(hand, tips)
    turn = heading + 0.35 * np.sin(7 * time_s + rng.uniform(0, 6)) * np.clip((hand.down_s - time_s) / 0.3, 0, 1)
    short = BodyShape(shape.length_cm * 0.85, shape.tail_cm, shape.stoutness)
    return pose_mouse(place[:, 0], place[:, 1], turn, time_s, shape=short, rng=rng)


def _joined(first: Poses, second: Poses) -> Poses:
    return Poses(**{f.name: np.concatenate([getattr(first, f.name), getattr(second, f.name)]) for f in fields(Poses)})


def script_target(
    time_s: Array, *, geometry: BoxGeometry, pace: float, shape: BodyShape, rng: np.random.Generator
) -> Poses:
    """The target mouse in the enclosure: it turns about, leans at the mesh, rests; squeezed in by the mesh."""
    middle, depth = geometry.side_cm / 2, geometry.enclosure_depth_cm
    half = geometry.enclosure_width_cm / 2
    knots = np.arange(-2.0, time_s[-1] + 6.0, 1.5 / pace)
    n = knots.size
    # Some of the time it stays as it is.
    stays = rng.uniform(size=n) < 0.45
    x = _held_values(rng.uniform(-1, 1, n), stays) * (half - 2.8)
    y = depth / 2 + _held_values(rng.uniform(-1, 1, n), stays) * (depth / 2 - 2.2)
    turn = np.cumsum(np.where(rng.uniform(size=n) < 0.25, np.pi, 0.0) * np.where(rng.uniform(size=n) < 0.5, -1, 1))
    heading = _held_values(turn + rng.normal(0, 0.35, n), stays)
    px, py, ph = (_eased(time_s, knots, values) for values in (x, y, heading))
    poses = pose_mouse(middle + px, py, ph, time_s, shape=shape, rng=rng)
    low, high = np.array([middle - half + 0.15, 0.1]), np.array([middle + half - 0.15, depth - 0.15])
    squeezed = Poses(**{f.name: np.clip(getattr(poses, f.name), low, high) for f in fields(Poses)})
    return turn_poses(squeezed, geometry=geometry)


def _held_values(values: Array, stays: NDArray[np.bool_]) -> Array:
    """Values with those that stay replaced by the last one that did not."""
    last = np.maximum.accumulate(np.where(stays, 0, np.arange(values.size)))
    return values[last]


def _eased(time_s: Array, knots: Array, values: Array) -> Array:
    """Values between knots by a quick, smooth change in the second half of each interval."""
    place = (time_s - knots[0]) / (knots[1] - knots[0])
    left = np.clip(place.astype(int), 0, knots.size - 2)
    part = np.clip((place - left - 0.4) / 0.6, 0, 1)
    part = part * part * (3 - 2 * part)
    return np.asarray(values[left] * (1 - part) + values[left + 1] * part)
