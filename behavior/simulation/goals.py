"""Where a simulated mouse goes next: places beside the enclosure, along the walls, in the far corners, in the open.

All with the enclosure on the top wall; each function takes uniform random numbers, one row per kind of choice, and
gives x and y in cm for every animal of a batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from behavior.simulation.box_geometry import BoxGeometry

__all__ = ["WALL_CLEARANCE_CM", "box_goal", "corner_goal", "open_goal", "wall_goal"]

Array = NDArray[np.float64]

#: Clearance that the body centre keeps from a wall or the mesh: half the width of a mouse and a little.
WALL_CLEARANCE_CM = 2.0


def box_goal(uniform: Array, *, geometry: BoxGeometry) -> tuple[Array, Array]:
    """A place beside one of the three free sides of the enclosure."""
    width, depth = geometry.enclosure_width_cm, geometry.enclosure_depth_cm
    along = uniform[3] * (width + 2 * depth)
    clearance = WALL_CLEARANCE_CM + 0.3 + 2.2 * uniform[4]
    left, right = along < depth, along > depth + width
    middle = geometry.side_cm / 2
    x = np.where(left, middle - width / 2 - clearance, middle + along - depth - width / 2)
    x = np.where(right, middle + width / 2 + clearance, x)
    y = np.where(left, along, np.where(right, along - depth - width, depth + clearance))
    return x, np.maximum(y, WALL_CLEARANCE_CM + 0.2)


def corner_goal(x: Array, uniform: Array, *, geometry: BoxGeometry) -> tuple[Array, Array]:
    """A place in the nearer (mostly) of the two corners opposite the enclosure."""
    side = geometry.side_cm
    nearer_right = x > side / 2
    right = np.where(uniform[5] < 0.75, nearer_right, ~nearer_right)
    inset_x, inset_y = WALL_CLEARANCE_CM + 0.3 + 3 * uniform[3], WALL_CLEARANCE_CM + 0.3 + 3 * uniform[4]
    return np.where(right, side - inset_x, inset_x), side - inset_y


def open_goal(uniform: Array, *, geometry: BoxGeometry) -> tuple[Array, Array]:
    """A place on the open floor."""
    side = geometry.side_cm
    return side * (0.2 + 0.6 * uniform[3]), side * (0.42 + 0.4 * uniform[4])


def wall_goal(x: Array, y: Array, uniform: Array, *, geometry: BoxGeometry) -> tuple[Array, Array]:
    """A place further along the walls, outside the interaction zone."""
    side = geometry.side_cm
    inset = WALL_CLEARANCE_CM + 0.2 + 1.8 * uniform[3]
    run = side - 2 * inset
    # The walls as one line round the box, beginning at the top-left corner, clockwise as seen.
    here = _along_walls(x, y, side)
    forward = np.where(uniform[4] < 0.5, -1.0, 1.0)
    place = here + forward * (8 + 26 * uniform[5])
    limit = geometry.enclosure_width_cm / 2 + geometry.zone_margin_cm
    middle = side / 2
    in_zone = np.abs(_wrap(place - middle, 4 * side)) < limit
    place = np.where(in_zone, here - forward * (8 + 26 * uniform[5]), place)
    place = np.where(np.abs(_wrap(place - middle, 4 * side)) < limit, place + 2 * side, place) % (4 * side)
    wall, part = place // side, (place % side) / side
    walls = [wall == 0, wall == 1, wall == 2]
    return (
        np.select(walls, [inset + run * part, side - inset, side - inset - run * part], inset),
        np.select(walls, [inset, inset + run * part, side - inset], side - inset - run * part),
    )


def _along_walls(x: Array, y: Array, side: float) -> Array:
    """Place on the line round the walls that is nearest to a point of the floor."""
    gaps = np.stack([y, side - x, side - y, x])
    nearest = gaps.argmin(axis=0)
    return np.select([nearest == 0, nearest == 1, nearest == 2], [x, side + y, 3 * side - x], 4 * side - y)


def _wrap(value: Array, period: float) -> Array:
    return (value + period / 2) % period - period / 2
