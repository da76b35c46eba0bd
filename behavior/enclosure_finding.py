"""Where the wire-mesh enclosure stands on a floor whose corners are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from behavior.calibration import calibrate

if TYPE_CHECKING:
    from skimage.transform import ProjectiveTransform

    Image = NDArray[Any]

__all__ = ["EnclosureFound", "find_enclosure"]

Points = NDArray[np.float64]
Floats = NDArray[np.float64]
Wall = Literal["top", "right", "bottom", "left"]
WALLS: tuple[Wall, ...] = ("top", "right", "bottom", "left")

#: Resolution of the floor seen straight from above.
PX_PER_CM = 8
#: Width of the open floor beside the enclosure that it is set against.
RING_CM = 3.0
#: Bars stand at most this far apart.
MESH_CM = 1.5
#: The enclosure's middle lies at most this far from the middle of its wall.
OFF_MIDDLE_CM = 4.0


@dataclass(frozen=True, eq=False)
class EnclosureFound:
    """The enclosure, if it stands out.

    Attributes
    ----------
    wall
        The wall it stands at as seen; None for a round one, or where none stands out.
    centre_cm
        Of a box: the place of its middle along the wall. Of a round one: the distance of its middle from the left.
    polygon_px
        (M, 2) its foot in the picture; None where it does not stand out.
    confidence
        0 to 1.
    """

    wall: Wall | None
    centre_cm: float
    polygon_px: Points | None
    confidence: float


def find_enclosure(
    background: Image,
    corners_px: Points,
    *,
    width_cm: float = 42.0,
    height_cm: float = 42.0,
    enclosure_width_cm: float = 10.0,
    enclosure_depth_cm: float = 6.5,
    shape: Literal["rectangle", "circle"] = "rectangle",
    walls: Sequence[Wall] = WALLS,
    least_confidence: float = 0.3,
) -> EnclosureFound:
    """The place of the mesh: where the fine structure of its bars is, and open floor around it.

    Parameters
    ----------
    background
        (H, W) picture of the empty scene.
    corners_px
        (4, 2) floor corners: top left, top right, bottom right, bottom left.
    width_cm, height_cm
        The floor.
    enclosure_width_cm, enclosure_depth_cm
        Size of the box along its wall and away from it; of a round one the width is the diameter.
    shape
        ``rectangle``: a box against the middle of a wall; ``circle``: a cylinder anywhere on the floor.
    walls
        Walls at which the box may stand.
    least_confidence
        Below it no place is given.
    """
    transform = calibrate(corners_px, width_cm=width_cm, height_cm=height_cm)
    detail = _detail(background, transform, width_cm, height_cm)
    if shape == "circle":
        best, second, outline = _cylinder(detail, enclosure_width_cm)
        wall, centre = None, float(outline[:, 0].mean())
    else:
        found = [_at_wall(detail, name, enclosure_width_cm, enclosure_depth_cm) for name in WALLS if name in walls]
        found.sort(key=lambda place: -place[0])
        (best, wall, centre, outline), second = found[0], found[1][0] if len(found) > 1 else 0.0
    confidence = float(np.clip(best / 0.25, 0, 1) * np.clip(2 * (1 - max(second, 0) / max(best, 1e-9)), 0, 1))
    if confidence < least_confidence:
        return EnclosureFound(None, float("nan"), None, confidence)
    return EnclosureFound(wall, centre, np.asarray(transform.inverse(outline), float), confidence)


def _detail(background: Image, transform: ProjectiveTransform, width_cm: float, height_cm: float) -> Floats:
    """(h, w) share of fine structure, 0 to 1, on the floor seen from above at `PX_PER_CM`."""
    import cv2

    size = round(width_cm * PX_PER_CM), round(height_cm * PX_PER_CM)
    to_grid = np.diag([PX_PER_CM, PX_PER_CM, 1.0]) @ transform.params
    flat = cv2.warpPerspective(np.asarray(background, np.float32), to_grid, size, flags=cv2.INTER_LINEAR)
    # Bars are lighter or darker than both sides of them; shade and the floor's own edge are not.
    fine = cv2.GaussianBlur(flat, (0, 0), 1.2)
    rough = np.abs(fine - cv2.GaussianBlur(flat, (0, 0), 4.0))
    level = float(np.median(rough))
    full = max(4 * level, 2.0, 0.5 * float(np.quantile(rough, 0.99)))
    share = np.clip((rough - level) / full, 0, 1).astype(np.float32)
    # From bar to bar it is one thing, whose outline is then that of its outermost bars.
    wide = 2 * round(MESH_CM * PX_PER_CM / 2) + 1
    closed: Floats = cv2.morphologyEx(share, cv2.MORPH_CLOSE, np.ones((wide, wide), np.uint8)).astype(float)
    return closed


def _at_wall(detail: Floats, wall: Wall, width_cm: float, depth_cm: float) -> tuple[float, Wall, float, Points]:
    """Best contrast to the open floor beside it at one wall, where, and the outline in cm."""
    turned = {"top": detail, "bottom": detail[::-1], "left": detail.T, "right": detail[:, ::-1].T}[wall]
    rows, columns = turned.shape
    width, depth, ring = (round(v * PX_PER_CM) for v in (width_cm, depth_cm, RING_CM))
    sums = np.pad(turned.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))

    def total(first: Any, last: Any, deep: int) -> Any:
        return sums[deep, last] - sums[deep, first]

    off = round(OFF_MIDDLE_CM * PX_PER_CM)
    middle = (columns - width) // 2
    first = np.arange(max(ring, middle - off), min(columns - width - ring, middle + off) + 1)
    if not len(first):
        first = np.array([middle])
    last = first + width
    low, high, deep = np.maximum(first - ring, 0), np.minimum(last + ring, columns), min(depth + ring, rows)
    inside = total(first, last, depth) / (width * depth)
    around = total(low, high, deep) - total(first, last, depth)
    outside = around / ((high - low) * deep - width * depth)
    contrast = inside - outside
    # What the bars blur over makes the best place a stretch; its middle is meant.
    best = int(np.argmax(contrast))
    centre = (float(first[contrast >= contrast[best] - 0.05].mean()) + width / 2) / PX_PER_CM
    along = np.array([centre - width_cm / 2, centre + width_cm / 2])
    return float(contrast[best]), wall, float(centre), _footprint(along, depth_cm, wall, detail.shape)


def _footprint(along: Floats, depth_cm: float, wall: Wall, shape: tuple[int, ...]) -> Points:
    height, width = shape[0] / PX_PER_CM, shape[1] / PX_PER_CM
    (low, high), far = along, depth_cm
    return {
        "top": np.array([(low, 0.0), (high, 0.0), (high, far), (low, far)]),
        "bottom": np.array([(low, height - far), (high, height - far), (high, height), (low, height)]),
        "left": np.array([(0.0, low), (far, low), (far, high), (0.0, high)]),
        "right": np.array([(width - far, low), (width, low), (width, high), (width - far, high)]),
    }[wall]


def _cylinder(detail: Floats, diameter_cm: float) -> tuple[float, float, Points]:
    """Best contrast of a disc to the ring around it, the best elsewhere, and the disc's outline in cm."""
    import cv2

    radius, reach = diameter_cm / 2 * PX_PER_CM, (diameter_cm / 2 + RING_CM) * PX_PER_CM
    grid = np.hypot(*np.mgrid[-int(reach) : int(reach) + 1, -int(reach) : int(reach) + 1])
    disc, ring = (grid <= radius).astype(float), ((grid > radius) & (grid <= reach)).astype(float)
    floor = np.ones_like(detail)

    def mean(kernel: Floats) -> Floats:
        value, area = (cv2.filter2D(of, -1, kernel, borderType=cv2.BORDER_CONSTANT) for of in (detail, floor))
        return np.asarray(value / np.maximum(area, 1), float)

    contrast = mean(disc) - mean(ring)
    y, x = np.unravel_index(int(contrast.argmax()), contrast.shape)
    best = float(contrast[y, x])
    rows, columns = np.mgrid[: contrast.shape[0], : contrast.shape[1]]
    elsewhere = contrast[np.hypot(rows - y, columns - x) > 2 * radius]
    angle = np.arange(90) * 2 * np.pi / 90
    outline = np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]) / PX_PER_CM
    return best, float(elsewhere.max(initial=0.0)), outline
