"""How a mouse moves in the social interaction box: bouts of walking and pausing, walls, corners, the enclosure.

The model is written in one frame of reference: origin at the top-left floor corner, x right, y down, in cm, the
enclosure on the *top* wall; ``turn_to_wall`` turns a path to a box whose enclosure stands on another wall.

A mouse walks to a goal, pauses there, chooses the next goal. Goals lie beside the enclosure, along the walls
(thigmotaxis), in the corners opposite the enclosure, or in the open. ``avoidance`` lowers the log-odds that the next
goal lies beside the enclosure, shortens the stays there and sends the mouse to the far corners instead; 0 is a mouse
with an empty enclosure, negative values are attraction. All animals of a batch are stepped together, so that thousands
of trials (for a power calculation) cost seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from behavior.simulation.box_geometry import BoxGeometry
from behavior.simulation.goals import WALL_CLEARANCE_CM, box_goal, corner_goal, open_goal, wall_goal

__all__ = ["MovementOptions", "Paths", "simulate_paths", "zone_seconds"]

Array = NDArray[np.float64]

_N_UNIFORM = 8


@dataclass(frozen=True)
class MovementOptions:
    """Parameters of the walk; the defaults give the zone seconds, entries and speeds of published control mice.

    Attributes
    ----------
    approach, stay
        Log-odds that the next goal is beside the enclosure, from elsewhere and from beside it, at avoidance 0.
    walking_speed_cm_s, speed_spread
        Median walking speed of a bout and SD of its natural logarithm.
    pause_s
        Median pause at a goal.
    open_share
        Share of goals elsewhere that lie in the open, not at a wall.
    corner_share
        Share of goals elsewhere that lie in the two far corners at avoidance 0.
    still
        Share of the trial, 0 to 1, that the mouse spends frozen where it stands (one stretch).
    """

    approach: float = -1.1
    stay: float = 0.3
    walking_speed_cm_s: float = 19.0
    speed_spread: float = 0.45
    pause_s: float = 0.75
    open_share: float = 0.15
    corner_share: float = 0.30
    still: float = 0.0

    def __post_init__(self) -> None:
        for name in ("open_share", "corner_share", "still"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {getattr(self, name)}")
        if self.walking_speed_cm_s <= 0 or self.pause_s <= 0:
            raise ValueError("walking_speed_cm_s and pause_s must be above 0")


@dataclass(frozen=True)
class Paths:
    """Paths of a batch of animals at equal steps: ``x``, ``y`` (cm), ``heading`` (radians, y down), each (A, T)."""

    time_s: Array
    x: Array
    y: Array
    heading: Array


def simulate_paths(
    avoidance: Array,
    *,
    duration_s: float,
    rng: np.random.Generator,
    geometry: BoxGeometry | None = None,
    options: MovementOptions | None = None,
    activity: Array | None = None,
    start: tuple[float, float, float] | None = None,
    step_s: float = 0.1,
) -> Paths:
    """Walk every animal of a batch through the box.

    Parameters
    ----------
    avoidance
        (A,) one value per animal; 0 = empty enclosure, below 0 attraction, above 0 avoidance.
    duration_s
        Length of the paths.
    rng
        Source of all random numbers.
    geometry, options
        The box and the walk.
    activity
        (A,) factor on walking speed per animal; default 1.
    start
        Where the mouse is set down and how it faces (x, y in cm, radians); default: near the wall opposite
        the enclosure.
    step_s
        Time step.

    Returns
    -------
    Paths
        In the frame with the enclosure on the top wall.

    Examples
    --------
    >>> paths = simulate_paths(np.array([-1.0, 3.0]), duration_s=150, rng=np.random.default_rng(1))
    >>> near, far = zone_seconds(paths)
    >>> bool(near > far)
    True
    """
    geometry, options = geometry or BoxGeometry(), options or MovementOptions()
    avoidance = np.atleast_1d(np.asarray(avoidance, dtype=float))
    walk = _Walk(avoidance, geometry, options, np.ones_like(avoidance) if activity is None else activity, rng)
    walk.place(start)
    n_steps = round(duration_s / step_s) + 1
    x, y, heading = (np.empty((n_steps, avoidance.size)) for _ in range(3))
    frozen = _frozen_steps(options.still, n_steps, avoidance.size, rng)
    for step in range(n_steps):
        x[step], y[step], heading[step] = walk.x, walk.y, walk.heading
        walk.advance(step_s, frozen[step])
    return Paths(np.arange(n_steps, dtype=float) * step_s, x.T, y.T, heading.T)


def _frozen_steps(share: float, n_steps: int, n_animals: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(T, A) whether the mouse sits frozen: one stretch of the given share, at a random place of the trial."""
    length = round(share * n_steps)
    first = rng.integers(0, n_steps - length + 1, n_animals)
    step = np.arange(n_steps)[:, None]
    return (step >= first) & (step < first + length)


class _Walk:
    """State of the walk of a batch of animals; every array has one value per animal."""

    def __init__(
        self,
        avoidance: Array,
        geometry: BoxGeometry,
        options: MovementOptions,
        activity: Array,
        rng: np.random.Generator,
    ) -> None:
        n = avoidance.size
        self.avoidance, self.geometry, self.options, self.rng = avoidance, geometry, options, rng
        self.fear = np.clip(avoidance, 0, None)
        self.activity = activity
        self.x, self.y, self.heading, self.speed = (np.zeros(n) for _ in range(4))
        self.goal_x, self.goal_y, self.cruise = (np.zeros(n) for _ in range(3))
        self.goal_at_box, self.goal_in_corner = np.zeros(n, bool), np.zeros(n, bool)
        self.pause_left, self.bout_left = np.zeros(n), np.zeros(n)
        self.scan = np.zeros(n)

    def place(self, start: tuple[float, float, float] | None) -> None:
        """Set the mice down, facing anywhere."""
        side, n = self.geometry.side_cm, self.x.size
        spot = self.rng.uniform(size=(3, n))
        self.x = side * (0.25 + 0.5 * spot[0]) if start is None else np.full(n, float(start[0]))
        self.y = side * (0.68 + 0.22 * spot[1]) if start is None else np.full(n, float(start[1]))
        self.heading = 2 * np.pi * spot[2] if start is None else np.full(n, float(start[2]))
        self.goal_x, self.goal_y = self.x.copy(), self.y.copy()
        # Set down, a mouse stays where it is for a moment.
        self.pause_left = 0.3 + 1.2 * spot[0]
        self.bout_left = self.pause_left.copy()

    def advance(self, step_s: float, frozen: NDArray[np.bool_]) -> None:
        """One time step."""
        uniform = self.rng.random((_N_UNIFORM, self.x.size))
        noise = self.rng.standard_normal((2, self.x.size))
        self._choose(uniform, noise)
        distance = self._steer(step_s, noise[0], frozen)
        self.x += np.cos(self.heading) * self.speed * step_s
        self.y += np.sin(self.heading) * self.speed * step_s
        self._keep_off_walls()
        arrived = (distance < 1.0) & (self.bout_left > 0)
        self._pause(arrived | (self.bout_left <= 0), uniform[6], noise[1])
        moving = self.pause_left <= 0
        self.bout_left = np.where(moving, self.bout_left - step_s, self.bout_left)
        self.pause_left = np.where(frozen, self.pause_left, self.pause_left - step_s)

    def _steer(self, step_s: float, noise: Array, frozen: NDArray[np.bool_]) -> Array:
        """Turn toward the goal and settle the speed; gives the distance to the goal."""
        aim_x, aim_y = self._way_round_the_box()
        paused = (self.pause_left > 0) | frozen
        distance = np.hypot(self.goal_x - self.x, self.goal_y - self.y)
        self.scan += step_s * (-1.5 * self.scan) + 1.1 * np.sqrt(step_s) * noise
        wanted = np.arctan2(aim_y - self.y, aim_x - self.x) + 0.25 * self.scan
        # A pausing mouse beside the enclosure looks at it.
        middle = self.geometry.side_cm / 2
        to_box = np.arctan2(self.geometry.enclosure_depth_cm / 2 - self.y, middle - self.x)
        wanted = np.where(paused, np.where(self.goal_at_box, to_box, self.heading) + 0.6 * self.scan, wanted)
        turn = np.angle(np.exp(1j * (wanted - self.heading)))
        rate = np.where(paused, 2.0, 9.0)
        self.heading += np.where(frozen, 0.0, np.clip(rate * turn, -6.0, 6.0) * step_s)
        wanted_speed = np.minimum(self.cruise, 3.0 + 4.0 * distance) * np.clip(np.cos(turn), 0.15, 1.0)
        wanted_speed = np.where(paused, 0.35 * np.abs(self.scan), wanted_speed)
        wanted_speed = np.where(frozen, 0.0, wanted_speed)
        self.speed += (wanted_speed - self.speed) * min(1.0, step_s / 0.15)
        return np.asarray(distance)

    def _way_round_the_box(self) -> tuple[Array, Array]:
        """The goal, or a point in front of the enclosure where the enclosure stands between mouse and goal."""
        middle, reach = self.geometry.side_cm / 2, self.geometry.enclosure_width_cm / 2 + 0.8 * WALL_CLEARANCE_CM
        front = self.geometry.enclosure_depth_cm + WALL_CLEARANCE_CM
        here, there = self.x - middle, self.goal_x - middle
        across = (here * there < 0) & (np.minimum(self.y, self.goal_y) < front)
        blocked = across & (np.abs(here) > 0.6 * reach) & (self.y < front + 1.5)
        return np.where(blocked, middle, self.goal_x), np.where(blocked, front + 2.0, self.goal_y)

    def _keep_off_walls(self) -> None:
        """Hold the body centre inside the floor and outside the enclosure."""
        geometry = self.geometry
        side, middle = geometry.side_cm, geometry.side_cm / 2
        self.x = np.clip(self.x, WALL_CLEARANCE_CM, side - WALL_CLEARANCE_CM)
        self.y = np.clip(self.y, WALL_CLEARANCE_CM, side - WALL_CLEARANCE_CM)
        half = geometry.enclosure_width_cm / 2 + WALL_CLEARANCE_CM
        front = geometry.enclosure_depth_cm + WALL_CLEARANCE_CM
        offset = self.x - middle
        into_side, into_front = half - np.abs(offset), front - self.y
        inside = (into_side > 0) & (into_front > 0)
        by_side = inside & (into_side < into_front)
        self.x = np.where(by_side, middle + np.where(offset < 0, -half, half), self.x)
        self.y = np.where(inside & ~by_side, front, self.y)

    def _pause(self, ended: NDArray[np.bool_], uniform: Array, noise: Array) -> None:
        """Start the pause of every animal whose bout has ended."""
        ended = ended & (self.pause_left <= 0)
        box_factor = 1.6 * np.exp(-0.40 * np.clip(self.avoidance, -3, 3))
        corner_factor = 1.0 + 1.1 * self.fear
        factor = np.where(self.goal_at_box, box_factor, np.where(self.goal_in_corner, corner_factor, 1.0))
        length = self.options.pause_s * factor * np.exp(0.8 * noise)
        # Some goals are passed without a stop.
        passes = (uniform < 0.25) & ~self.goal_at_box
        self.pause_left = np.where(ended, np.where(passes, 0.05, np.clip(length, 0.05, 30)), self.pause_left)
        self.bout_left = np.where(ended, 0.0, self.bout_left)

    def _choose(self, uniform: Array, noise: Array) -> None:
        """A new goal and a new speed for every animal whose pause is over."""
        free = (self.pause_left <= 0) & (self.bout_left <= 0)
        if not free.any():
            return
        options = self.options
        log_odds = np.where(self.goal_at_box, options.stay, options.approach) - self.avoidance
        at_box = uniform[0] < 1 / (1 + np.exp(-log_odds))
        corner_share = options.corner_share + (1 - options.corner_share) * (1 - np.exp(-0.35 * self.fear))
        in_corner = ~at_box & (uniform[1] < corner_share)
        in_open = ~at_box & ~in_corner & (uniform[2] < options.open_share)
        x, y = wall_goal(self.x, self.y, uniform, geometry=self.geometry)
        for chosen, (goal_x, goal_y) in (
            (at_box, box_goal(uniform, geometry=self.geometry)),
            (in_corner, corner_goal(self.x, uniform, geometry=self.geometry)),
            (in_open, open_goal(uniform, geometry=self.geometry)),
        ):
            x, y = np.where(chosen, goal_x, x), np.where(chosen, goal_y, y)
        self.goal_x, self.goal_y = np.where(free, x, self.goal_x), np.where(free, y, self.goal_y)
        self.goal_at_box = np.where(free, at_box, self.goal_at_box)
        self.goal_in_corner = np.where(free, in_corner, self.goal_in_corner)
        speed = options.walking_speed_cm_s * self.activity * np.exp(options.speed_spread * noise[1])
        # Moving along the mesh from one sniffing place to the next is slow.
        near = np.hypot(self.goal_x - self.x, self.goal_y - self.y) < 6
        speed = np.where(near, 0.45, 1.0) * speed
        self.cruise = np.where(free, np.clip(speed, 3, 36), self.cruise)
        self.bout_left = np.where(free, 5.0, self.bout_left)


def zone_seconds(paths: Paths, *, geometry: BoxGeometry | None = None, window_s: float | None = None) -> Array:
    """Seconds that each body centre spends in the interaction zone, (A,); paths with the enclosure on the top wall."""
    geometry = geometry or BoxGeometry()
    middle = geometry.side_cm / 2
    half = geometry.enclosure_width_cm / 2 + geometry.zone_margin_cm
    within = (np.abs(paths.x - middle) < half) & (paths.y < geometry.enclosure_depth_cm + geometry.zone_margin_cm)
    if window_s is not None:
        within = within & (paths.time_s < window_s)
    return np.asarray(within.sum(axis=1) * (paths.time_s[1] - paths.time_s[0]), dtype=float)
