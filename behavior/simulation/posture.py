"""The body of a walking mouse as outlines in cm: bending spine, stretching and rearing, head, ears, feet, tail.

Everything is computed for all frames at once; drawing only has to project and fill polygons.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from behavior.simulation.box_geometry import BoxGeometry, turn_to_wall

__all__ = ["BodyShape", "Poses", "pose_mouse", "turn_poses"]

Array = NDArray[np.float64]

# Half width of a mouse seen from above, as a share of its length, from tail base (0) to nose (1).
_STATIONS = np.array([0.0, 0.03, 0.08, 0.15, 0.25, 0.37, 0.48, 0.58, 0.67, 0.74, 0.80, 0.86, 0.91, 0.955, 0.985, 1.0])
_HALF_WIDTH = np.array(
    [0.020, 0.062, 0.108, 0.143, 0.163, 0.168, 0.158, 0.140, 0.120, 0.108, 0.104, 0.091, 0.068, 0.044, 0.022, 0.004]
)
_TAIL_JOINTS = 10


@dataclass(frozen=True)
class BodyShape:
    """Size of the animal: ``length_cm`` from nose to tail base, ``tail_cm``, ``stoutness`` as a factor on the width."""

    length_cm: float = 8.4
    tail_cm: float = 7.8
    stoutness: float = 1.12

    def __post_init__(self) -> None:
        if min(self.length_cm, self.tail_cm, self.stoutness) <= 0:
            raise ValueError("length_cm, tail_cm and stoutness must be above 0")


@dataclass(frozen=True, eq=False)
class Poses:
    """Outlines per frame in floor cm: each (F, points, 2); nose and tail base (F, 2)."""

    outline: Array
    back: Array
    ears: Array
    feet: Array
    tail: Array
    nose: Array
    tail_base: Array


def turn_poses(poses: Poses, *, geometry: BoxGeometry) -> Poses:
    """Turn poses from "enclosure on the top wall" to the wall of ``geometry``."""

    def turned(points: Array) -> Array:
        x, y, _ = turn_to_wall(points[..., 0], points[..., 1], np.zeros(1), geometry=geometry)
        return np.stack([x, y], axis=-1)

    return Poses(**{field.name: turned(getattr(poses, field.name)) for field in fields(poses)})


def pose_mouse(
    x: Array,
    y: Array,
    heading: Array,
    time_s: Array,
    *,
    shape: BodyShape,
    rng: np.random.Generator,
    geometry: BoxGeometry | None = None,
    wary: bool = False,
) -> Poses:
    """Give the mouse a body along its path.

    Parameters
    ----------
    x, y, heading, time_s
        (F,) path at the frame times, cm, radians (y down), s.
    shape
        Size of the animal.
    rng
        Source of stretching, rearing, swinging of the tail.
    geometry
        Box whose walls and enclosure hold the body; None = nothing does.
    wary
        The mouse stretches toward the enclosure while it keeps its distance.
    """
    heading = np.unwrap(heading)
    speed = _speed(x, y, time_s)
    stretch = _stretch(speed, time_s, rng, wary=wary)
    bend = _bend(heading, speed, time_s, rng)
    spine, direction = _spine(x, y, heading, bend, stretch, shape)
    # A shorter body is a wider one; fur makes the outline uneven.
    width = shape.length_cm * shape.stoutness * _HALF_WIDTH * stretch[:, None] ** -0.45
    ragged = 1 + 0.02 * rng.standard_normal(width.shape)
    normal = np.stack([-np.sin(direction), np.cos(direction)], axis=-1)
    side = (width * ragged)[..., None] * normal
    outline = np.concatenate([spine + side, (spine - side)[:, ::-1]], axis=1)
    back = np.concatenate([spine[:, 2:11] + 0.45 * side[:, 2:11], (spine - 0.45 * side)[:, 10:1:-1]], axis=1)
    ears = _ears(spine, direction, shape)
    feet = _feet(spine, direction, shape, speed, time_s)
    tail = _tail(spine[:, 0], heading - bend * 0.5, speed, time_s, shape, rng)
    if geometry is not None:
        push = _push_inside(outline, geometry, rearing=stretch < 0.75)[:, None]
        outline, back, ears, feet, spine = outline + push, back + push, ears + push, feet + push, spine + push
        tail = np.clip(tail + push, -0.4, geometry.side_cm + 0.4)
    return Poses(outline, back, ears, feet, tail, spine[:, -1], spine[:, 0])


def _speed(x: Array, y: Array, time_s: Array) -> Array:
    if time_s.size < 2:
        return np.zeros(time_s.size)
    return np.asarray(np.hypot(np.gradient(x, time_s), np.gradient(y, time_s)))


def _smooth_noise(time_s: Array, scale_s: float, rng: np.random.Generator) -> Array:
    """(F,) smooth random course with SD 1 that changes within about ``scale_s``."""
    knots = np.arange(time_s[0] - 2 * scale_s, time_s[-1] + 3 * scale_s, scale_s)
    values = rng.standard_normal(knots.size)
    place = (time_s - knots[0]) / scale_s
    left = np.clip(place.astype(int), 0, knots.size - 2)
    part = place - left
    part = part * part * (3 - 2 * part)
    return np.asarray((values[left] * (1 - part) + values[left + 1] * part) * 1.2)


def _stretch(speed: Array, time_s: Array, rng: np.random.Generator, *, wary: bool) -> Array:
    """(F,) body length as a share of the nominal: hunched at rest, long at a run, short when rearing."""
    length = 0.90 + 0.13 * np.clip(speed / 18, 0, 1) + 0.04 * _smooth_noise(time_s, 0.7, rng)
    if wary:
        reach = np.clip(_smooth_noise(time_s, 1.6, rng) - 0.9, 0, 0.6)
        length = length + 0.35 * reach * np.exp(-((speed / 6) ** 2))
    n_rears = rng.poisson(0.07 * max(time_s[-1] - time_s[0], 0))
    at = rng.uniform(time_s[0], time_s[-1], n_rears)
    lasts = rng.uniform(0.4, 0.9, n_rears)
    for middle, half in zip(at, lasts, strict=True):
        rear = np.clip(1.6 * (1 - np.abs(time_s - middle) / half), 0, 1)
        length = length * (1 - 0.36 * rear * np.exp(-((speed / 8) ** 2)))
    return np.clip(length, 0.52, 1.25)


def _bend(heading: Array, speed: Array, time_s: Array, rng: np.random.Generator) -> Array:
    """(F,) angle between the hind and the fore end, radians: into the turn, and looking about at rest."""
    if time_s.size < 2:
        return np.zeros(time_s.size)
    ahead = np.interp(time_s + 0.22, time_s, heading) - np.interp(time_s - 0.15, time_s, heading)
    idle = np.exp(-((speed / 7) ** 2))
    return np.asarray(np.clip(0.75 * ahead + (0.15 + 0.35 * idle) * _smooth_noise(time_s, 0.6, rng), -1.5, 1.5))


def _spine(x: Array, y: Array, heading: Array, bend: Array, stretch: Array, shape: BodyShape) -> tuple[Array, Array]:
    """Spine points (F, S, 2) whose width-weighted middle is the path, and the body's direction at them (F, S)."""
    # The head turns more than the trunk.
    share = _STATIONS - 0.45 + 0.35 * np.clip((_STATIONS - 0.66) / 0.34, 0, 1)
    direction = heading[:, None] + bend[:, None] * share
    step = np.diff(_STATIONS) * shape.length_cm
    middle = 0.5 * (direction[:, 1:] + direction[:, :-1])
    advance = step[None, :, None] * stretch[:, None, None] * np.stack([np.cos(middle), np.sin(middle)], axis=-1)
    spine = np.concatenate([np.zeros((x.size, 1, 2)), np.cumsum(advance, axis=1)], axis=1)
    mass = np.gradient(_STATIONS) * _HALF_WIDTH
    centre = np.einsum("fsk,s->fk", spine, mass / mass.sum())
    return spine - centre[:, None] + np.stack([x, y], axis=-1)[:, None], direction


def _ellipses(centre: Array, direction: Array, length: Array | float, width: float, n: int) -> Array:
    """(F, n, 2) outlines of ellipses with their long axis along ``direction``."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    along = np.asarray(length)[..., None] * np.cos(angle)
    across = np.full(np.shape(along), width) * np.sin(angle)
    cos, sin = np.cos(direction)[:, None], np.sin(direction)[:, None]
    turned = np.stack([cos * along - sin * across, sin * along + cos * across], axis=-1)
    return np.asarray(centre[:, None] + turned)


def _ears(spine: Array, direction: Array, shape: BodyShape) -> Array:
    """Both ears, (F, 2 * 10, 2): the first ten points are one ear, the last ten the other."""
    angle = direction[:, 10]
    normal = np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
    size = np.full(angle.size, 0.048 * shape.length_cm)
    both = [
        _ellipses(spine[:, 10] + sign * 0.098 * shape.length_cm * normal, angle + sign * 0.6, size, 0.29, 10)
        for sign in (-1, 1)
    ]
    return np.concatenate(both, axis=1)


def _feet(spine: Array, direction: Array, shape: BodyShape, speed: Array, time_s: Array) -> Array:
    """Four feet, (F, 4 * 6, 2), diagonal pairs in step; tucked under the body at rest."""
    phase = np.concatenate([[0.0], np.cumsum(np.diff(time_s) * speed[1:])]) / 5.5 * 2 * np.pi
    gait = np.clip(speed / 6, 0, 1)
    feet = []
    for station, sign, shift in ((3, -1, 0.0), (3, 1, np.pi), (8, -1, np.pi), (8, 1, 0.0)):
        angle = direction[:, station]
        along, normal = (
            np.stack([np.cos(angle), np.sin(angle)], axis=-1),
            np.stack([-np.sin(angle), np.cos(angle)], axis=-1),
        )
        out = (0.115 + 0.035 * gait) * shape.length_cm
        swing = 0.07 * shape.length_cm * np.sin(phase + shift) * gait
        centre = spine[:, station] + sign * out[:, None] * normal + swing[:, None] * along
        feet.append(_ellipses(centre, angle, np.full(angle.size, 0.42), 0.17, 6))
    return np.concatenate(feet, axis=1)


def _tail(base: Array, rump: Array, speed: Array, time_s: Array, shape: BodyShape, rng: np.random.Generator) -> Array:
    """Tail as a tapering strip, (F, 2 * joints, 2): it trails behind the body and swings."""
    curl = 0.9 * _smooth_noise(time_s, 2.5, rng)
    joint = np.arange(_TAIL_JOINTS)
    past = np.interp(time_s[:, None] - 0.05 * joint, time_s, rump)
    wave = 0.20 * np.clip(speed / 15, 0, 1)[:, None] * np.sin(9 * time_s[:, None] - 0.55 * joint)
    angle = past + np.pi + curl[:, None] * (joint / _TAIL_JOINTS) ** 1.3 + wave
    step = shape.tail_cm / (_TAIL_JOINTS - 1)
    points = base[:, None] + np.concatenate(
        [
            np.zeros((base.shape[0], 1, 2)),
            np.cumsum(step * np.stack([np.cos(angle), np.sin(angle)], -1), axis=1)[:, :-1],
        ],
        axis=1,
    )
    half = 0.19 * (1 - 0.75 * joint / (_TAIL_JOINTS - 1))
    normal = np.stack([-np.sin(angle), np.cos(angle)], axis=-1) * half[:, None]
    return np.concatenate([points + normal, (points - normal)[:, ::-1]], axis=1)


def _push_inside(outline: Array, geometry: BoxGeometry, *, rearing: NDArray[np.bool_]) -> Array:
    """(F, 2) shift that brings the body inside the walls and out of the enclosure (enclosure on the top wall)."""
    side = geometry.side_cm
    # A rearing mouse leans on the wall, so its outline passes the edge of the floor.
    margin = np.where(rearing, -0.7, 0.15)[:, None]
    low, high = outline.min(axis=1), outline.max(axis=1)
    push = np.clip(margin - low, 0, None) - np.clip(high - (side - margin), 0, None)
    moved = outline + push[:, None]
    half, depth, middle = geometry.enclosure_width_cm / 2, geometry.enclosure_depth_cm, side / 2
    offset = moved[..., 0] - middle
    inside = (np.abs(offset) < half) & (moved[..., 1] < depth)
    centre = moved.mean(axis=1)
    beside = np.abs(centre[:, 0] - middle) - half > centre[:, 1] - depth
    to_front = np.where(inside, depth - moved[..., 1], 0).max(axis=1)
    right = centre[:, 0] > middle
    to_side = np.where(inside, half - np.where(right[:, None], offset, -offset), 0).max(axis=1)
    push[:, 0] += np.where(beside, np.where(right, to_side, -to_side), 0)
    push[:, 1] += np.where(beside, 0, to_front)
    return np.asarray(push)
