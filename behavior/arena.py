"""The social interaction arena: floor, enclosure, interaction zone and corners, at any wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from behavior.calibration import Arena, calibrate, check_arena, corners_from_rectangle
from behavior.lens import Lens
from behavior.polygons import as_polygon, clip

__all__ = ["Arena", "ArenaOptions", "build_arena", "check_arena", "corners_from_rectangle"]

Points = NDArray[np.float64]

WALLS = ("top", "right", "bottom", "left")
CIRCLE_CORNERS = 180


@dataclass(frozen=True, kw_only=True)
class ArenaOptions:
    """Sizes of a social interaction arena, in cm; the defaults are the usual 42 x 42 cm box.

    Parameters
    ----------
    width_cm, height_cm
        Floor from left to right and from top to bottom, as seen in the picture.
    shape
        ``rectangle``, or ``circle``: then the floor is the circle (ellipse) that fills width x height.
    enclosure_width_cm, enclosure_depth_cm
        Wire-mesh box along its wall and away from it.
    enclosure_wall
        The wall at which the box stands, as seen: ``top``, ``right``, ``bottom`` or ``left``.
    enclosure_centre_cm
        Where the middle of the box lies along its wall, from the left or the top; None = the middle of the wall.
    zone_margin_cm
        How far the interaction zone reaches beyond the box on its free sides.
    zone_shape
        ``rectangle``: the box widened by the margin; ``rounded``: the same with quarter circles of the margin as
        corners; ``semicircle``: half disc around the middle of the box's wall side, with radius depth + margin.
    corner_size_cm
        Side of the square corner zones.
    corners
        ``opposite``: the two corners of the wall opposite the box; ``all``: all four.

    Raises
    ------
    ValueError
        If a size is not positive, a name is unknown, or the box does not fit at its wall.
    """

    width_cm: float = 42.0
    height_cm: float = 42.0
    shape: Literal["rectangle", "circle"] = "rectangle"
    enclosure_width_cm: float = 10.0
    enclosure_depth_cm: float = 6.5
    enclosure_wall: Literal["top", "right", "bottom", "left"] = "top"
    enclosure_centre_cm: float | None = None
    zone_margin_cm: float = 8.0
    zone_shape: Literal["rectangle", "rounded", "semicircle"] = "rectangle"
    corner_size_cm: float = 9.0
    corners: Literal["opposite", "all"] = "opposite"

    def __post_init__(self) -> None:
        for name in ("width_cm", "height_cm", "enclosure_width_cm", "enclosure_depth_cm", "corner_size_cm"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a length above 0 cm, not {value}")
        if not (np.isfinite(self.zone_margin_cm) and self.zone_margin_cm >= 0):
            raise ValueError(f"zone_margin_cm must be 0 cm or more, not {self.zone_margin_cm}")
        _check_name("shape", self.shape, ("rectangle", "circle"))
        _check_name("enclosure_wall", self.enclosure_wall, WALLS)
        _check_name("zone_shape", self.zone_shape, ("rectangle", "rounded", "semicircle"))
        _check_name("corners", self.corners, ("opposite", "all"))
        low, high = self.enclosure_middle_cm - self.enclosure_width_cm / 2, self.wall_length_cm
        if low < -1e-9 or low + self.enclosure_width_cm > high + 1e-9 or self.enclosure_depth_cm >= self.arena_depth_cm:
            raise ValueError(
                f"the box of {self.enclosure_width_cm} x {self.enclosure_depth_cm} cm with its middle at "
                f"{self.enclosure_middle_cm} cm does not fit at the {self.enclosure_wall} wall of {high} cm"
            )
        if 2 * self.corner_size_cm > min(self.width_cm, self.height_cm):
            raise ValueError(
                f"corner zones of {self.corner_size_cm} cm overlap in {self.width_cm} x {self.height_cm} cm"
            )

    @property
    def wall_length_cm(self) -> float:
        """Length of the wall at which the box stands."""
        return self.width_cm if self.enclosure_wall in ("top", "bottom") else self.height_cm

    @property
    def arena_depth_cm(self) -> float:
        """Distance from the wall at which the box stands to the opposite one."""
        return self.height_cm if self.enclosure_wall in ("top", "bottom") else self.width_cm

    @property
    def enclosure_middle_cm(self) -> float:
        """Place of the middle of the box along its wall."""
        return self.wall_length_cm / 2 if self.enclosure_centre_cm is None else self.enclosure_centre_cm


def _check_name(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{option} must be one of {', '.join(allowed)}; found {value!r}")


def build_arena(options: ArenaOptions, *, corners_px: ArrayLike, lens: Lens | None = None) -> Arena:
    """The social interaction arena of one recording: zones in cm, tied to the picture by four floor corners.

    Parameters
    ----------
    options
        Sizes and shapes, the same for a whole experiment.
    corners_px
        (4, 2) floor corners in this recording's px: top left, top right, bottom right, bottom left, as seen. Of a
        round floor: the corners of the square around it.
    lens
        Distortion of the picture; None = none.

    Raises
    ------
    InputError
        If the corners do not fix a transform.

    Examples
    --------
    >>> arena = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))
    >>> arena.zones["interaction"].tolist()
    [[8.0, 0.0], [34.0, 0.0], [34.0, 14.5], [8.0, 14.5]]
    >>> arena.to_cm([(210, 100)]).round(9).tolist()
    [[21.0, 10.0]]
    """
    transform = calibrate(corners_px, width_cm=options.width_cm, height_cm=options.height_cm, lens=lens)
    floor = _floor(options)
    box = _from_wall(_box(options, margin_cm=0.0, shape="rectangle"), options)
    zones = {"floor": floor, "enclosure": as_polygon(clip(box, floor))}
    margins = {"": 0.0, "_narrow": -2.0, "_wide": 2.0}
    for name, change in margins.items():
        margin = max(0.0, options.zone_margin_cm + change)
        zone = _from_wall(_box(options, margin_cm=margin, shape=options.zone_shape), options)
        zones[f"interaction{name}"] = as_polygon(clip(zone, floor))
    zones |= _corners(options)
    x, y = _from_wall(np.array([(options.enclosure_middle_cm, 0.0)]), options)[0]
    return Arena(zones=zones, image_to_cm=transform, points={"box_wall": (float(x), float(y))}, lens=lens)


def _floor(options: ArenaOptions) -> Points:
    width, height = options.width_cm, options.height_cm
    if options.shape == "rectangle":
        return np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
    angle = np.arange(CIRCLE_CORNERS) * 2 * np.pi / CIRCLE_CORNERS
    return np.column_stack([width / 2 * (1 + np.cos(angle)), height / 2 * (1 + np.sin(angle))])


def _box(options: ArenaOptions, *, margin_cm: float, shape: str) -> Points:
    """The box widened by a margin, as (place along its wall, distance from its wall)."""
    half, depth = options.enclosure_width_cm / 2 + margin_cm, options.enclosure_depth_cm + margin_cm
    middle = options.enclosure_middle_cm
    quarter = np.linspace(0.0, np.pi / 2, 24)
    if shape == "semicircle":
        angle = np.linspace(0.0, np.pi, 90)
        return np.column_stack([middle - depth * np.cos(angle), depth * np.sin(angle)])
    if shape == "rounded" and margin_cm > 0:
        along, away = margin_cm * np.sin(quarter), margin_cm * np.cos(quarter)
        near, side = half - margin_cm, depth - margin_cm
        right = np.column_stack([middle + near + along[::-1], side + away[::-1]])
        left = np.column_stack([middle - near - along, side + away])
        return np.vstack([[(middle - half, 0.0), (middle + half, 0.0)], right, left])
    return np.array(
        [(middle - half, 0.0), (middle + half, 0.0), (middle + half, depth), (middle - half, depth)], dtype=float
    )


def _from_wall(along_away: Points, options: ArenaOptions) -> Points:
    """(place along the box's wall, distance from it) as x and y on the floor."""
    along, away = along_away.T
    x_y = {
        "top": (along, away),
        "bottom": (along, options.height_cm - away),
        "left": (away, along),
        "right": (options.width_cm - away, along),
    }[options.enclosure_wall]
    return np.column_stack(x_y)


def _corners(options: ArenaOptions) -> dict[str, Points]:
    """Corner squares, clockwise from the top left; a round floor has none."""
    if options.shape == "circle":
        return {}
    size, width, height = options.corner_size_cm, options.width_cm, options.height_cm
    square = np.array([(0.0, 0.0), (size, 0.0), (size, size), (0.0, size)])
    left, right, top, bottom = 0.0, width - size, 0.0, height - size
    places = {"top left": (left, top), "top right": (right, top), "bottom right": (right, bottom)}
    places["bottom left"] = (left, bottom)
    opposite = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}[options.enclosure_wall]
    chosen = [place for name, place in places.items() if options.corners == "all" or opposite in name]
    return {f"corner_{number}": square + place for number, place in enumerate(chosen, start=1)}
