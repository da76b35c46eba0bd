"""The subject's silhouette in one picture: body without tail, sub-pixel centre, axis, both ends, tail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]
    Point = tuple[float, float]

__all__ = ["CORE", "EDGE", "THIN", "Blob", "Cuts", "Outline", "find_blobs", "make_cut", "make_cuts", "outline"]

#: Share of the way from the scene to the subject's own darkness at which the silhouette's edge lies: half way is where
#: a blurred edge stands, whatever the light.
EDGE = 0.5
#: The same for the inside of the body: reflections in walls, shadows and dirt seldom get as far.
CORE = 0.7
#: The same for thin parts, which blur makes paler than the body.
THIN = 0.4
#: Body lengths per width of the two majority filters: the fine one takes off a common tail and keeps the body's
#: outline, the coarse one takes off a tail made thick by blur or glare.
FINE, COARSE = 8.0, 5.0

_NOWHERE = (math.nan, math.nan)


class Cuts(NamedTuple):
    """Thresholds, (H, W) each: a pixel below one belongs to the subject's core, its body, its thin parts."""

    core: Image
    edge: Image
    thin: Image

    def window(self, left: int, top: int, right: int, bottom: int) -> Cuts:
        """The same within a box."""
        rows, columns = slice(top, bottom), slice(left, right)
        return Cuts(self.core[rows, columns], self.edge[rows, columns], self.thin[rows, columns])


class Blob(NamedTuple):
    """A thing as dark as the subject, tail and other thin parts taken off; px of the picture it was found in.

    Attributes
    ----------
    x, y, area
        Centroid and area of its core, holes filled.
    box
        Left, top, right, bottom; right and bottom are outside.
    edge
        (N, 2) outermost pixels x, y of its core.
    moments
        Image moments of its core.
    mask
        (H, W) its core, 255 inside.
    """

    x: float
    y: float
    area: float
    box: tuple[int, int, int, int]
    edge: Image
    moments: dict[str, float]
    mask: Image


class Outline(NamedTuple):
    """What a silhouette tells, px of the picture it was found in.

    Attributes
    ----------
    x, y, area
        Centroid of the body's core, without tail, ears, paws and soft shadow; area of the body without tail.
    angle
        Direction of the long axis, radians, image coordinates (y down), in either sense.
    elongation
        Length over width of the ellipse with the same second moments.
    skew
        Skewness of the body along the axis: above 0 where the side to which ``angle`` points is the thinner one.
    tail
        Length of the longest thin part that begins at the body, in body lengths, signed by where it begins: above 0 on
        the side to which ``angle`` points; 0 without one.
    front, back
        Farthest points (x, y) of the body's edge on either side, ``front`` where ``angle`` points.
    front_base, back_base
        The same for the core; where a tail begins, the point of the core next to it, and the farthest one opposite.
    """

    x: float
    y: float
    area: float
    angle: float
    elongation: float
    skew: float
    tail: float
    front: Point
    back: Point
    front_base: Point
    back_base: Point


def make_cut(scene: Image, level: float, share: float) -> Image:
    """Threshold ``share`` of the way from the empty scene to the subject's brightness; 0 where the scene is 0.

    Examples
    --------
    >>> make_cut(np.array([[200, 0]], np.uint8), 20.0, 0.5).tolist()
    [[110, 0]]
    """
    import cv2

    cut: Image = cv2.convertScaleAbs(scene, alpha=1 - share, beta=share * level)
    cut[scene == 0] = 0
    return cut


def make_cuts(scene: Image, level: float) -> Cuts:
    """The three thresholds for a scene and the subject's brightness."""
    return Cuts(make_cut(scene, level, CORE), make_cut(scene, level, EDGE), make_cut(scene, level, THIN))


def find_blobs(picture: Image, cut: Image, *, length: float, min_area: float = 0.0) -> list[Blob]:
    """Things as dark as the subject, largest first.

    Thin parts are taken off by majority filters: they leave straight edges where they are.

    Parameters
    ----------
    picture, cut
        (H, W) picture, the subject dark, and the threshold of its core.
    length
        The subject's length in px.
    min_area
        Smaller ones are left out.
    """
    import cv2

    core = _majority(cv2.compare(picture, cut, cv2.CMP_LT), _odd(length / FINE))
    # Only the part that holds something is worked on; the margin keeps the filters from its edge.
    part, corner = _around(core, cv2.boundingRect(core), _odd(length / COARSE))
    if part.size == 0:
        return []
    trunk = _majority(part, _odd(length / COARSE))
    cv2.bitwise_and(part, _grown(trunk, length / 5), dst=part)
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=corner)
    blobs = []
    for contour in contours:
        # Pick's theorem: pixels of a shape from the polygon through the centres of its outermost ones.
        area = cv2.contourArea(contour) + len(contour) / 2 + 1
        if len(contour) < 5 or area < min_area:
            continue
        m = cv2.moments(contour)
        if m["m00"] <= 0:
            continue
        left, top, width, height = cv2.boundingRect(contour)
        mask = core
        if len(contours) > 1:
            mask = np.zeros_like(core)
            cv2.drawContours(mask, [contour], -1, 255, cv2.FILLED)
        box = (left, top, left + width, top + height)
        blobs.append(Blob(m["m10"] / m["m00"], m["m01"] / m["m00"], area, box, contour.reshape(-1, 2), m, mask))
    blobs.sort(key=lambda blob: (-blob.area, blob.box))
    return blobs


def outline(picture: Image, cuts: Cuts, blob: Blob, *, length: float) -> Outline:
    """Measure the silhouette of a blob.

    The body is the core grown back to the half-contrast edge, by no more than a fourteenth of its length: so the edge
    is the true one on open floor, and a reflection that touches the body stays out.
    """
    import cv2

    left, top, right, bottom = blob.box
    core, (left, top) = _around(blob.mask, (left, top, right - left, bottom - top), _odd(length / 7))
    rows, columns = slice(top, top + core.shape[0]), slice(left, left + core.shape[1])
    edge = cv2.compare(picture[rows, columns], cuts.edge[rows, columns], cv2.CMP_LT)
    body = cv2.bitwise_or(cv2.bitwise_and(_grown(core, length / 7), edge), core)
    contours, _ = cv2.findContours(body, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(left, top))
    border = contours[0] if len(contours) == 1 else max(contours, key=len)
    angle, elongation, skew = _axis(blob.moments)
    along, centre = np.array((math.cos(angle), math.sin(angle))), np.array((blob.x, blob.y))
    front, back = _ends(border.reshape(-1, 2), centre, along)
    tail, root = _tail(cv2.compare(picture, cuts.thin, cv2.CMP_LT), blob, centre, length)
    if not tail:
        front_base, back_base = _ends(blob.edge, centre, along)
    else:
        away = blob.edge - np.array(root)
        nearest = blob.edge[int(np.vecdot(away, away).argmin())].tolist()
        front_base, back_base = (nearest[0], nearest[1]), back
        if (root[0] - blob.x) * math.cos(angle) + (root[1] - blob.y) * math.sin(angle) < 0:
            tail, front_base, back_base = -tail, front, front_base
    area = cv2.contourArea(border) + len(border) / 2 + 1
    return Outline(blob.x, blob.y, area, angle, elongation, skew, tail, front, back, front_base, back_base)


def _odd(width: float) -> int:
    """Nearest odd number of px, 3 or more."""
    return 2 * max(1, round((width - 1) / 2)) + 1


def _majority(mask: Image, width: int) -> Image:
    """255 where more than half of the square around a pixel is."""
    import cv2

    return cv2.threshold(cv2.blur(mask, (width, width)), 127, 255, cv2.THRESH_BINARY)[1]


def _around(mask: Image, box: Sequence[int], margin: int) -> tuple[Image, tuple[int, int]]:
    """View of a mask around a box (left, top, width, height), empty for an empty box, and its left top corner."""
    left, top = max(0, box[0] - margin), max(0, box[1] - margin)
    if not box[2]:
        return mask[:0], (0, 0)
    return mask[top : box[1] + box[3] + margin, left : box[0] + box[2] + margin], (left, top)


@cache
def _square(width: int) -> Image:
    return np.ones((width, width), np.uint8)


def _grown(mask: Image, width: float) -> Image:
    """Mask grown by half of ``width`` on each side."""
    import cv2

    return cv2.dilate(mask, _square(_odd(width)))


def _axis(m: dict[str, float]) -> tuple[float, float, float]:
    """Direction of the long axis, elongation and skewness along it, from image moments."""
    mass = m["m00"]
    a, b, c = m["mu20"] / mass, m["mu11"] / mass, m["mu02"] / mass
    angle = 0.5 * math.atan2(2 * b, a - c)
    spread = math.hypot((a - c) / 2, b)
    long, short = max((a + c) / 2 + spread, 1 / 12), max((a + c) / 2 - spread, 1 / 12)
    u, v = math.cos(angle), math.sin(angle)
    third = m["mu30"] * u**3 + 3 * m["mu21"] * u * u * v + 3 * m["mu12"] * u * v * v + m["mu03"] * v**3
    return angle, math.sqrt(long / short), third / mass / long**1.5


def _ends(edge: Image, centre: Image, along: Image) -> tuple[Point, Point]:
    """Farthest edge points on either side of the centre, half a px outside the outermost pixel centres."""
    away = edge - centre
    signed = np.copysign(np.vecdot(away, away), away @ along)
    x, y = centre.tolist()
    return _tip(away, int(signed.argmax()), x, y), _tip(away, int(signed.argmin()), x, y)


def _tip(away: Image, k: int, x: float, y: float) -> Point:
    """Point of the edge, moved to the middle of its neighbours that lie as far within one px: the raster's choice."""
    within = 3 <= k < len(away) - 3
    near = (away[k - 3 : k + 4] if within else away.take(range(k - 3, k + 4), axis=0, mode="wrap")).tolist()
    far = math.hypot(*near[3])
    mx = my = 0.0
    for px, py in near:
        if math.hypot(px, py) > far - 1:
            mx += px
            my += py
    scale = (far + 0.5) / (math.hypot(mx, my) or 1.0)
    return x + mx * scale, y + my * scale


def _tail(dark: Image, blob: Blob, centre: Image, length: float) -> tuple[float, Point]:
    """Length in body lengths of the longest thin part that begins at the body, and where it begins.

    Length counts away from the body's centre, so that edges and lines on the floor beside the body are short.
    """
    import cv2

    thick = cv2.bitwise_or(_majority(dark, _odd(length / COARSE)), blob.mask)
    thin = cv2.subtract(dark, _grown(thick, length / 12))
    contours, _ = cv2.findContours(thin, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    round_body = _rounding(blob.moments)
    longest, root = length / 5, _NOWHERE
    for contour in contours:
        if len(contour) < longest:
            continue
        points = contour.reshape(-1, 2)
        # Distance from the edge of the ellipse with the body's second moments, along the line to its centre.
        away = points - centre
        rounded = away @ round_body
        square = np.vecdot(away, away)
        outside = np.sqrt(square) - np.sqrt(square / (np.vecdot(rounded, rounded) + 1e-9))
        nearest = int(outside.argmin())
        span = float(outside[outside.argmax()] - outside[nearest])
        # A mouse's tail is about as long as its body: longer lines are edges of the floor.
        if outside[nearest] < length / 4 and longest < span < 1.5 * length:
            longest, root = span, (float(points[nearest, 0]), float(points[nearest, 1]))
    return (0.0, root) if math.isnan(root[0]) else (longest / length, root)


def _rounding(m: dict[str, float]) -> Image:
    """(2, 2) matrix that makes the unit circle of the ellipse with the body's second moments."""
    a, b, c = m["mu20"] / m["m00"], m["mu11"] / m["m00"], m["mu02"] / m["m00"]
    c = max(c, 1e-9)
    inverse = 2 * math.sqrt(max(a * c - b * b, 1e-9))
    root = math.sqrt(c)
    return np.array(((root, 0.0), (-b / root, math.sqrt(max(a - b * b / c, 0.0))))) / inverse
