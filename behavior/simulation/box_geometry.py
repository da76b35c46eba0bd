"""Sizes of the simulated box, and turning of paths from one wall to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoxGeometry", "turn_to_wall"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BoxGeometry:
    """Sizes of the box and its enclosure in cm.

    Attributes
    ----------
    width_cm, height_cm
        Floor as seen (x, y). Movement is modelled in a square floor.
    enclosure_width_cm, enclosure_depth_cm
        Enclosure along its wall and away from it.
    enclosure_wall
        Wall as seen: "top", "right", "bottom" or "left".
    zone_margin_cm
        Interaction zone: the enclosure widened by this on its free sides.
    corner_size_cm
        Side of the two corner zones at the wall opposite the enclosure.
    """

    width_cm: float = 42.0
    height_cm: float = 42.0
    enclosure_width_cm: float = 10.0
    enclosure_depth_cm: float = 6.5
    enclosure_wall: str = "top"
    zone_margin_cm: float = 8.0
    corner_size_cm: float = 9.0

    def __post_init__(self) -> None:
        if self.enclosure_wall not in ("top", "right", "bottom", "left"):
            raise ValueError(f"enclosure_wall must be top, right, bottom or left, not {self.enclosure_wall!r}")
        if self.width_cm != self.height_cm:
            raise ValueError(f"the simulated floor must be square, not {self.width_cm} x {self.height_cm} cm")
        if min(self.enclosure_width_cm, self.enclosure_depth_cm) <= 0:
            raise ValueError("the enclosure must have a width and a depth above 0 cm")
        if self.enclosure_width_cm + 2 * self.zone_margin_cm > self.width_cm:
            raise ValueError("the interaction zone is wider than the floor")

    @property
    def side_cm(self) -> float:
        """Side of the square floor."""
        return self.width_cm


def turn_to_wall(x: Array, y: Array, heading: Array, *, geometry: BoxGeometry) -> tuple[Array, Array, Array]:
    """Turn a path from "enclosure on the top wall" to the wall of ``geometry``.

    Examples
    --------
    >>> x, y, heading = turn_to_wall(np.array([21.0]), np.array([5.0]), np.array([0.0]),
    ...                              geometry=BoxGeometry(enclosure_wall="right"))
    >>> [float(x[0]), float(y[0])]
    [37.0, 21.0]
    """
    quarter_turns = ("top", "right", "bottom", "left").index(geometry.enclosure_wall)
    side = geometry.side_cm
    for _ in range(quarter_turns):
        x, y = side - y, x
    return x, y, heading + quarter_turns * np.pi / 2
