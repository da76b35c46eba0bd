"""An arena: named zones in cm, and the calibration that ties them to the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from behavior.lens import Lens
from behavior.polygons import clip, contains, nearest_point, polygon_area
from core.errors import InputError
from core.problems import Problem

if TYPE_CHECKING:
    from skimage.transform import ProjectiveTransform

__all__ = ["Arena", "calibrate", "check_arena", "corners_from_rectangle", "fit_transform"]

Points = NDArray[np.float64]

HAIR_CM = 1e-7
#: A straight edge on the floor is a bent one in the picture of a lens; so many pieces of it are drawn straight.
EDGE_PIECES = 16


@dataclass(frozen=True)
class Arena:
    """Zones and points in cm, with the transform between picture and floor.

    Parameters
    ----------
    zones
        Name to (N, 2) polygon in cm; origin at the top-left floor corner as seen, x right, y down. Always ``floor``;
        a social interaction arena also has ``enclosure``, ``interaction``, ``interaction_narrow`` and
        ``interaction_wide`` (margin 2 cm less and more), and ``corner_1`` … clockwise from the top left.
    image_to_cm
        Projective transform from px (pixel centres at whole numbers) to cm; with a lens, from px made straight.
    points
        Name to (x, y) in cm; a social interaction arena has ``box_wall``, the wall point behind the box's middle.
    lens
        Distortion that is taken out before; None = none.
    """

    zones: Mapping[str, Points]
    image_to_cm: ProjectiveTransform
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    lens: Lens | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "zones", MappingProxyType(dict(self.zones)))
        object.__setattr__(self, "points", MappingProxyType(dict(self.points)))

    # A mapping proxy cannot be pickled, and arenas travel to worker processes.
    def __reduce__(self) -> tuple[object, ...]:
        return Arena, (dict(self.zones), self.image_to_cm, dict(self.points), self.lens)

    def to_cm(self, xy_px: ArrayLike) -> Points:
        """Points of the picture, (N, 2) px, on the floor, (N, 2) cm."""
        return _apply(self.image_to_cm, xy_px if self.lens is None else self.lens.straight(xy_px))

    def to_px(self, xy_cm: ArrayLike) -> Points:
        """Points of the floor, (N, 2) cm, in the picture, (N, 2) px."""
        straight = _apply(self.image_to_cm.inverse, xy_cm)
        return straight if self.lens is None else self.lens.bent(straight)

    def outline_px(self, zone: str) -> Points:
        """A zone's outline in the picture, (N, 2) px; under a lens its edges are bent."""
        corners = self.zones[zone]
        if self.lens is None:
            return self.to_px(corners)
        share = np.arange(EDGE_PIECES)[:, np.newaxis] / EDGE_PIECES
        edges = zip(corners, np.roll(corners, -1, axis=0), strict=True)
        return self.to_px(np.vstack([start + share * (end - start) for start, end in edges]))

    @property
    def floor_px(self) -> Points:
        """The floor's outline in the picture, (N, 2) px."""
        return self.outline_px("floor")

    @property
    def enclosure_px(self) -> Points | None:
        """The box's outline in the picture, (M, 2) px; None in an arena without a box."""
        return self.outline_px("enclosure") if "enclosure" in self.zones else None

    @property
    def corner_zones(self) -> list[str]:
        """Names of the corner zones."""
        return [name for name in self.zones if name.startswith("corner_")]

    def on_floor(self, xy_cm: ArrayLike, *, tolerance_cm: float) -> Points:
        """Positions moved onto the floor where they lie at most ``tolerance_cm`` beyond its edge, else NaN.

        A mouse that rears at a wall is seen beyond the wall's foot; it counts as being at the wall. What lies
        further out is no mouse on this floor.
        """
        xy = np.array(xy_cm, dtype=float).reshape(-1, 2)
        floor = self.zones["floor"]
        outside = ~contains(floor, xy) & np.isfinite(xy).all(axis=1)
        if outside.any():
            foot, distance = nearest_point(floor, xy[outside])
            on_edge = distance == 0
            inward = np.where(on_edge[:, None], floor.mean(axis=0) - foot, foot - xy[outside])
            # A hair inwards: by the half-open rule the far walls themselves would lie in no zone.
            foot += inward * (HAIR_CM / np.maximum(np.hypot(*inward.T), HAIR_CM))[:, None]
            foot[distance > tolerance_cm] = np.nan
            xy[outside] = foot
        return xy


def _apply(transform: ProjectiveTransform, xy: ArrayLike) -> Points:
    points = np.asarray(xy, dtype=float).reshape(-1, 2)
    found = np.full(points.shape, np.nan)
    finite = np.isfinite(points).all(axis=1)
    if finite.any():
        found[finite] = transform(points[finite])
    return found


def corners_from_rectangle(x0: float, y0: float, x1: float, y1: float) -> Points:
    """The four floor corners of an upright rectangle in the picture, in the order that `build_arena` takes.

    Examples
    --------
    >>> corners_from_rectangle(10, 20, 30, 40).tolist()
    [[10.0, 20.0], [30.0, 20.0], [30.0, 40.0], [10.0, 40.0]]
    """
    left, right = sorted((float(x0), float(x1)))
    top, bottom = sorted((float(y0), float(y1)))
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def calibrate(
    corners_px: ArrayLike, *, width_cm: float, height_cm: float, lens: Lens | None = None
) -> ProjectiveTransform:
    """The transform from picture to floor that four floor corners fix.

    Parameters
    ----------
    corners_px
        (4, 2) corners in px: top left, top right, bottom right, bottom left, as seen.
    width_cm, height_cm
        Size of the floor between them.
    lens
        Distortion of the picture in which the corners lie; the transform is from px made straight.

    Raises
    ------
    InputError
        If the corners are not four, not in that order, or not the corners of a convex quadrilateral.
    """
    corners = np.asarray(corners_px, dtype=float)
    expected = "four floor corners in px: top left, top right, bottom right, bottom left"
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        raise InputError("the arena corners are not four points", found=f"{corners.tolist()}", expected=expected)
    if lens is not None:
        corners = lens.straight(corners)
        if not np.isfinite(corners).all():
            found = f"k1 {lens.k1:g}, k2 {lens.k2:g}, focal_px {lens.focal_px:g}"
            remedy = "give the coefficients and the camera matrix of one calibration, in px of these recordings"
            raise InputError("no floor can be seen at the arena corners through this lens", found=found, remedy=remedy)
    sides = np.roll(corners, -1, axis=0) - corners
    turns = sides[:, 0] * np.roll(sides, -1, axis=0)[:, 1] - sides[:, 1] * np.roll(sides, -1, axis=0)[:, 0]
    rightward = sides[0] - sides[2]
    if not (turns > 1e-6 * np.abs(sides).max() ** 2).all() or rightward[0] < 0.8 * abs(rightward[1]):
        raise InputError(
            "the arena corners do not go round the floor in order",
            found=f"{corners.tolist()}",
            expected=expected,
            remedy="list the corners clockwise as seen in the picture, from the top left",
        )
    floor = np.array([(0, 0), (width_cm, 0), (width_cm, height_cm), (0, height_cm)], dtype=float)
    return fit_transform(corners, floor)


def fit_transform(points_px: ArrayLike, points_cm: ArrayLike) -> ProjectiveTransform:
    """The transform that four or more points of the picture and the same points on the floor fix.

    Parameters
    ----------
    points_px, points_cm
        (N, 2) points, N >= 4, not three of the four on a line; with more than four, the least-squares transform.

    Raises
    ------
    InputError
        If the points do not fix a transform.
    """
    from skimage.transform import ProjectiveTransform

    picture, floor = np.asarray(points_px, dtype=float), np.asarray(points_cm, dtype=float)
    if picture.shape == floor.shape and np.isfinite(picture).all() and len(picture) >= 4:
        transform: ProjectiveTransform = ProjectiveTransform.from_estimate(picture, floor)  # type: ignore[no-untyped-call]
        if transform and np.isfinite(transform.params).all() and abs(np.linalg.det(transform.params)) > 1e-12:
            return transform
    raise InputError(
        "the reference points do not fix where the floor lies in the picture",
        found=f"{picture.tolist()}",
        expected=f"the {len(floor)} points in px that lie at {floor.tolist()} cm",
    )


def check_arena(
    arena: Arena,
    width_px: int,
    height_px: int,
    *,
    file: str = "",
    warn_above: float = 0.001,
    refuse_above: float = 0.05,
) -> list[Problem]:
    """Whether every zone lies in the picture.

    Parameters
    ----------
    width_px, height_px
        Size of the picture.
    file
        Recording concerned, for the message.
    warn_above, refuse_above
        Share of a zone's area outside the picture from which there is a warning, or an error.

    Raises
    ------
    InputError
        If more than ``refuse_above`` of a zone lies outside.

    Examples
    --------
    >>> from behavior.arena import ArenaOptions, build_arena
    >>> arena = build_arena(ArenaOptions(), corners_px=corners_from_rectangle(0, 0, 420, 420))
    >>> check_arena(arena, 640, 480)
    []
    """
    picture = corners_from_rectangle(-0.5, -0.5, width_px - 0.5, height_px - 0.5)
    problems = []
    for name in arena.zones:
        if name.startswith("interaction_"):
            continue
        outline = arena.outline_px(name)
        inside = clip(outline, picture)
        outside = 1.0 - (polygon_area(inside) if len(inside) else 0.0) / polygon_area(outline)
        low, high = outline.min(axis=0).round(1).tolist(), outline.max(axis=0).round(1).tolist()
        place = f"x {low[0]} to {high[0]}, y {low[1]} to {high[1]} px"
        if outside > refuse_above:
            raise InputError(
                f"zone {name!r} lies {outside:.0%} outside the picture",
                file=file or None,
                found=place,
                expected=f"x 0 to {width_px - 1}, y 0 to {height_px - 1} px",
                remedy="correct the arena corners or sizes in the config",
            )
        if outside > warn_above:
            message = f"zone {name!r} ({place}) lies {outside:.1%} outside the picture"
            action = "scored; the mouse cannot be seen there"
            problems.append(Problem(code="zone_cut_by_picture", file=file, message=message, action=action))
    return problems
