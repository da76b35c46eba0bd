"""Zones of the usual arenas other than the social interaction box, laid over a recording by four reference points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from behavior.calibration import Arena, calibrate, fit_transform
from behavior.polygons import as_polygon

__all__ = [
    "Layout",
    "elevated_plus_maze",
    "light_dark_box",
    "open_field_box",
    "place_layout",
    "three_chambers",
    "two_target_box",
    "zero_maze",
]

Points = NDArray[np.float64]
Wall = Literal["top", "right", "bottom", "left"]


@dataclass(frozen=True)
class Layout:
    """Zones in cm and the points by which they are found in a picture.

    Parameters
    ----------
    zones
        Name to polygon in cm; always ``floor``.
    reference_cm
        (4, 2) reference points.
    reference
        What these points are, for whoever marks them.
    points
        Further named points in cm.
    upright
        The reference points are the floor's corners from the top left, clockwise; their order can be checked.
    """

    zones: Mapping[str, Points]
    reference_cm: Points
    reference: str
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    upright: bool = True


def place_layout(layout: Layout, *, reference_px: ArrayLike) -> Arena:
    """The arena of one recording.

    Parameters
    ----------
    layout
        Zones in cm.
    reference_px
        (4, 2) the layout's reference points in this recording, in its order.

    Raises
    ------
    InputError
        If the points do not fix a transform.

    Examples
    --------
    >>> layout = open_field_box(width_cm=40, height_cm=40)
    >>> arena = place_layout(layout, reference_px=[(0, 0), (400, 0), (400, 400), (0, 400)])
    >>> arena.to_cm([(200, 100)]).round(9).tolist()
    [[20.0, 10.0]]
    """
    if layout.upright:
        width, height = layout.reference_cm[2]
        transform = calibrate(reference_px, width_cm=float(width), height_cm=float(height))
    else:
        transform = fit_transform(reference_px, layout.reference_cm)
    return Arena(zones=layout.zones, image_to_cm=transform, points=layout.points)


def _rectangle(x0: float, y0: float, x1: float, y1: float) -> Points:
    return as_polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def _box(width_cm: float, height_cm: float, zones: dict[str, Points]) -> Layout:
    floor = _rectangle(0, 0, width_cm, height_cm)
    reference = "floor corners: top left, top right, bottom right, bottom left, as seen"
    return Layout(zones={"floor": floor, **zones}, reference_cm=floor, reference=reference)


def _check_sizes(**sizes: float) -> None:
    for name, value in sizes.items():
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be above 0, not {value}")


def open_field_box(
    *, width_cm: float = 42.0, height_cm: float = 42.0, centre_share: float = 0.5, wall_cm: float = 8.0, grid: int = 0
) -> Layout:
    """Open field: ``centre``, ``inner`` (further than ``wall_cm`` from every wall), corners, and a grid of cells.

    Parameters
    ----------
    width_cm, height_cm
        Floor.
    centre_share
        Side of the centre as a share of the floor's side: 0.5 makes it a quarter of the area.
    wall_cm
        Width of the band along the walls that counts as thigmotaxis; corners are squares of that side.
    grid
        Number of cells along each side, named ``cell_<row>_<column>``; 0 = none.

    Raises
    ------
    ValueError
        If a size is out of range.
    """
    _check_sizes(width_cm=width_cm, height_cm=height_cm, wall_cm=wall_cm, centre_share=centre_share)
    if centre_share >= 1 or 2 * wall_cm >= min(width_cm, height_cm) or grid < 0:
        raise ValueError("centre_share must be below 1, twice wall_cm less than the floor's side, grid 0 or more")
    x, y = (side * (1 - centre_share) / 2 for side in (width_cm, height_cm))
    zones = {
        "centre": _rectangle(x, y, width_cm - x, height_cm - y),
        "inner": _rectangle(wall_cm, wall_cm, width_cm - wall_cm, height_cm - wall_cm),
    }
    places = [
        (0.0, 0.0),
        (width_cm - wall_cm, 0.0),
        (width_cm - wall_cm, height_cm - wall_cm),
        (0.0, height_cm - wall_cm),
    ]
    for number, (left, top) in enumerate(places, start=1):
        zones[f"corner_{number}"] = _rectangle(left, top, left + wall_cm, top + wall_cm)
    for row in range(grid):
        for column in range(grid):
            left, right = (width_cm * place / grid for place in (column, column + 1))
            top, bottom = (height_cm * place / grid for place in (row, row + 1))
            zones[f"cell_{row + 1}_{column + 1}"] = _rectangle(left, top, right, bottom)
    return _box(width_cm, height_cm, zones)


def elevated_plus_maze(
    *,
    arm_length_cm: float = 35.0,
    arm_width_cm: float = 5.0,
    open_arms: Literal["horizontal", "vertical"] = "horizontal",
) -> Layout:
    """Elevated plus maze: ``open_1``, ``open_2``, ``closed_1``, ``closed_2``, ``middle``.

    The reference points are the middles of the four arms' ends: top, right, bottom, left, as seen.
    """
    _check_sizes(arm_length_cm=arm_length_cm, arm_width_cm=arm_width_cm)
    if open_arms not in ("horizontal", "vertical"):
        raise ValueError(f"open_arms must be horizontal or vertical, not {open_arms!r}")
    near, far = arm_length_cm, arm_length_cm + arm_width_cm
    end = far + arm_length_cm
    horizontal = [_rectangle(0, near, near, far), _rectangle(far, near, end, far)]
    vertical = [_rectangle(near, 0, far, near), _rectangle(near, far, far, end)]
    opened, closed = (horizontal, vertical) if open_arms == "horizontal" else (vertical, horizontal)
    floor = as_polygon(
        [
            (near, 0), (far, 0), (far, near), (end, near), (end, far), (far, far),
            (far, end), (near, end), (near, far), (0, far), (0, near), (near, near),
        ]
    )  # fmt: skip
    zones = {"floor": floor, "middle": _rectangle(near, near, far, far)}
    for name, arms in (("open", opened), ("closed", closed)):
        zones |= {f"{name}_{number}": arm for number, arm in enumerate(arms, start=1)}
    middle = end / 2
    return Layout(
        zones=zones,
        reference_cm=np.array([(middle, 0), (end, middle), (middle, end), (0, middle)], dtype=float),
        reference="middle of the arms' ends: top, right, bottom, left, as seen",
        upright=False,
    )


def zero_maze(
    *,
    outer_diameter_cm: float = 50.0,
    lane_width_cm: float = 5.0,
    open_from_deg: float = 45.0,
    quadrant_deg: float = 90.0,
) -> Layout:
    """Elevated zero maze: ``open_1``, ``open_2``, ``closed_1``, ``closed_2`` along the ring.

    Parameters
    ----------
    outer_diameter_cm, lane_width_cm
        The ring.
    open_from_deg
        Angle at which the first open part begins, counter-clockwise as seen from the right; the second lies opposite.
    quadrant_deg
        Angle of each open part.

    Notes
    -----
    The reference points are the ring's outermost points: top, right, bottom, left, as seen.
    """
    _check_sizes(outer_diameter_cm=outer_diameter_cm, lane_width_cm=lane_width_cm, quadrant_deg=quadrant_deg)
    if 2 * lane_width_cm >= outer_diameter_cm or quadrant_deg >= 180:
        raise ValueError("the lane must be narrower than the radius and an open part less than 180 degrees")
    closed_deg = 180 - quadrant_deg
    spans = {}
    for number in (1, 2):
        begin = open_from_deg + 180 * (number - 1)
        spans[f"open_{number}"] = (begin, begin + quadrant_deg)
        spans[f"closed_{number}"] = (begin + quadrant_deg, begin + quadrant_deg + closed_deg)
    outer, inner = outer_diameter_cm / 2, outer_diameter_cm / 2 - lane_width_cm
    zones = {name: _ring_part(outer, inner, *span) for name, span in spans.items()}
    # A ring is a polygon too when its border runs round outside, across, and back round inside.
    zones["floor"] = _ring_part(outer, inner, open_from_deg, open_from_deg + 360.0)
    side = outer_diameter_cm
    return Layout(
        zones=zones,
        reference_cm=np.array([(outer, 0), (side, outer), (outer, side), (0, outer)], dtype=float),
        reference="outermost points of the ring: top, right, bottom, left, as seen",
        upright=False,
    )


def _ring_part(outer_cm: float, inner_cm: float, from_deg: float, to_deg: float) -> Points:
    # Steps of at most 3 degrees keep the polygon within 0.01 cm of a ring of 50 cm.
    angle = np.deg2rad(np.linspace(from_deg, to_deg, max(3, round((to_deg - from_deg) / 3) + 1)))
    circle = np.column_stack([np.cos(angle), -np.sin(angle)])
    return outer_cm + np.vstack([outer_cm * circle, inner_cm * circle[::-1]])


def light_dark_box(
    *,
    width_cm: float = 42.0,
    height_cm: float = 21.0,
    dark_side: Wall = "left",
    dark_share: float = 1 / 3,
) -> Layout:
    """Light/dark box: ``light`` and ``dark``, the dark part at one side with a share of the floor."""
    _check_sizes(width_cm=width_cm, height_cm=height_cm)
    if not 0 < dark_share < 1 or dark_side not in ("left", "right", "top", "bottom"):
        raise ValueError("dark_share must lie between 0 and 1, dark_side be left, right, top or bottom")
    across = width_cm if dark_side in ("left", "right") else height_cm
    border = across * (dark_share if dark_side in ("left", "top") else 1 - dark_share)
    if dark_side in ("left", "right"):
        first, second = _rectangle(0, 0, border, height_cm), _rectangle(border, 0, width_cm, height_cm)
    else:
        first, second = _rectangle(0, 0, width_cm, border), _rectangle(0, border, width_cm, height_cm)
    dark, light = (first, second) if dark_side in ("left", "top") else (second, first)
    return _box(width_cm, height_cm, {"light": light, "dark": dark})


def two_target_box(
    *,
    width_cm: float = 42.0,
    height_cm: float = 42.0,
    walls: tuple[Wall, Wall] = ("left", "right"),
    enclosure_width_cm: float = 10.0,
    enclosure_depth_cm: float = 6.5,
    zone_margin_cm: float = 8.0,
) -> Layout:
    """A box with enclosures at two walls: zones ``target_1``, ``target_2``, and ``enclosure_1``, ``enclosure_2``.

    Zones are the enclosures widened by the margin on their free sides, as in the social interaction test.

    Raises
    ------
    ValueError
        If the walls are not two different ones, or the zones overlap.
    """
    from behavior.arena import ArenaOptions, build_arena
    from behavior.calibration import corners_from_rectangle

    if len(set(walls)) != 2:
        raise ValueError(f"walls must be two different ones, not {walls}")
    zones: dict[str, Points] = {}
    for number, wall in enumerate(walls, start=1):
        options = ArenaOptions(
            width_cm=width_cm,
            height_cm=height_cm,
            enclosure_width_cm=enclosure_width_cm,
            enclosure_depth_cm=enclosure_depth_cm,
            enclosure_wall=wall,
            zone_margin_cm=zone_margin_cm,
            corner_size_cm=min(width_cm, height_cm) / 2,
        )
        arena = build_arena(options, corners_px=corners_from_rectangle(0, 0, 1, 1))
        zones |= {f"target_{number}": arena.zones["interaction"], f"enclosure_{number}": arena.zones["enclosure"]}
    one, other = zones["target_1"], zones["target_2"]
    if (one.min(axis=0) < other.max(axis=0)).all() and (other.min(axis=0) < one.max(axis=0)).all():
        raise ValueError("the zones of the two targets overlap; make zone_margin_cm smaller")
    return _box(width_cm, height_cm, zones)


def three_chambers(
    *, width_cm: float = 60.0, height_cm: float = 40.0, middle_share: float = 1 / 3, zone_cm: float = 0.0
) -> Layout:
    """Three chambers side by side: ``chamber_1``, ``middle``, ``chamber_2`` from left to right.

    Parameters
    ----------
    width_cm, height_cm
        The whole floor.
    middle_share
        Width of the middle chamber as a share of the whole.
    zone_cm
        Side of square zones ``target_1`` and ``target_2`` in the middle of the outer chambers' far ends; 0 = none.
    """
    _check_sizes(width_cm=width_cm, height_cm=height_cm)
    outer = width_cm * (1 - middle_share) / 2
    if not 0 < middle_share < 1 or not 0 <= zone_cm <= min(outer, height_cm):
        raise ValueError("middle_share must lie between 0 and 1, zone_cm fit in an outer chamber")
    zones = {
        "chamber_1": _rectangle(0, 0, outer, height_cm),
        "middle": _rectangle(outer, 0, width_cm - outer, height_cm),
        "chamber_2": _rectangle(width_cm - outer, 0, width_cm, height_cm),
    }
    if zone_cm > 0:
        top = (height_cm - zone_cm) / 2
        zones["target_1"] = _rectangle(0, top, zone_cm, top + zone_cm)
        zones["target_2"] = _rectangle(width_cm - zone_cm, top, width_cm, top + zone_cm)
    return _box(width_cm, height_cm, zones)
