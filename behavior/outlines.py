"""Measure silhouettes: sub-pixel centre, long axis, both ends, tail; several pictures at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from behavior.silhouette import COARSE, Blob, Cuts, around, grown, majority, odd

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.intp]

__all__ = ["Outlines", "Silhouette", "outlines"]

_MOMENTS = ("m00", "mu20", "mu11", "mu02", "mu30", "mu21", "mu12", "mu03")
#: Body lengths around a body in which its tail is looked for, where the picture is larger.
REACH = 1.75
#: Points of an edge on either side of its farthest one that may be as far.
_BESIDE = np.arange(-3, 4)


class Silhouette(NamedTuple):
    """A blob in its picture: (H, W) picture, the thresholds there, and the blob."""

    picture: Image
    cuts: Cuts
    blob: Blob


class Outlines(NamedTuple):
    """What K silhouettes tell, px of the picture each was found in; points are (K, 2) x, y, the rest (K,).

    Attributes
    ----------
    centre, area
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
        Farthest points of the body's edge on either side, ``front`` where ``angle`` points.
    front_base, back_base
        The same for the core; where a tail begins, the point of the core next to it, and the farthest one opposite.
    """

    centre: Floats
    area: Floats
    angle: Floats
    elongation: Floats
    skew: Floats
    tail: Floats
    front: Floats
    back: Floats
    front_base: Floats
    back_base: Floats


def outlines(silhouettes: Sequence[Silhouette], *, length: float) -> Outlines:
    """Measure the silhouettes of blobs.

    The body is the core grown back to the half-contrast edge, by no more than a fourteenth of its length: so the edge
    is the true one on open floor, and a reflection that touches the body stays out. The pictures are laid one below
    the other and worked on as one: small pictures cost as much as the number of steps taken with them.

    Parameters
    ----------
    silhouettes
        K blobs, each with its picture; one or more.
    length
        The subject's length in px.
    """
    blobs = [one.blob for one in silhouettes]
    axis = _Axis(blobs)
    border, area = _borders(silhouettes, length)
    front, back = border.ends(axis)
    core = _Edges([blob.edge for blob in blobs])
    far_front, far_back = core.ends(axis)
    tail, root = _tails(silhouettes, axis, length)
    nearest = core.nearest(root)
    # Without a tail the root is the centre: neither side is the tail's.
    tailed = tail[:, None] > 0
    ahead = axis.ahead(root) >= 0
    return Outlines(
        centre=axis.centre,
        area=area,
        angle=axis.angle,
        elongation=axis.elongation,
        skew=axis.skew,
        tail=np.where(ahead, tail, -tail),
        front=front,
        back=back,
        front_base=np.where(tailed, np.where(ahead[:, None], nearest, front), far_front),
        back_base=np.where(tailed, np.where(ahead[:, None], back, nearest), far_back),
    )


class _Axis:
    """Centre, long axis, elongation and skewness of K blobs, from the moments of their cores."""

    def __init__(self, blobs: Sequence[Blob]) -> None:
        self.centre = np.array([(blob.x, blob.y) for blob in blobs])
        mass, *rest = np.array([[blob.moments[name] for name in _MOMENTS] for blob in blobs]).T
        a, b, c, *third = (moment / mass for moment in rest)
        self.angle = 0.5 * np.arctan2(2 * b, a - c)
        spread = np.hypot((a - c) / 2, b)
        long, short = np.maximum((a + c) / 2 + spread, 1 / 12), np.maximum((a + c) / 2 - spread, 1 / 12)
        u, v = self.u, self.v = np.cos(self.angle), np.sin(self.angle)
        self.elongation = np.sqrt(long / short)
        turned = third[0] * u**3 + 3 * third[1] * u * u * v + 3 * third[2] * u * v * v + third[3] * v**3
        self.skew = turned / long**1.5
        self._second = a, b, np.maximum(c, 1e-9)

    def ahead(self, points: Floats) -> Floats:
        """How far (K, 2) points lie on the side of the centre to which the angle points."""
        away = points - self.centre
        found: Floats = away[:, 0] * self.u + away[:, 1] * self.v
        return found

    def outside(self, x: Floats, y: Floats, of: Whole) -> Floats:
        """How far points (x, y), as seen from the centre, lie beyond the ellipse with the body's second moments."""
        a, b, c = self._second
        root, inverse = np.sqrt(c), 0.5 / np.sqrt(np.maximum(a * c - b * b, 1e-9))
        # The ellipse's points are those that this matrix, (m, 0; n, q), makes as long as 1.
        m, n, q = root * inverse, -b / root * inverse, np.sqrt(np.maximum(a - b * b / c, 0.0)) * inverse
        square = x * x + y * y
        rounded = (x * m[of] + y * n[of]) ** 2 + (y * q[of]) ** 2
        found: Floats = np.sqrt(square) - np.sqrt(square / (rounded + 1e-9))
        return found


class _Edges:
    """Closed contours of pixels end to end, so that all are measured at once.

    Parameters
    ----------
    contours
        M contours, (N, 1, 2) or (N, 2) whole px each.
    shift
        (M, 2) taken off their points.
    """

    def __init__(self, contours: Sequence[Image], shift: Floats | None = None) -> None:
        self.counts = np.array([len(contour) for contour in contours])
        self.starts = np.cumsum(self.counts) - self.counts
        self.of = np.repeat(np.arange(len(contours)), self.counts)
        self.x, self.y = np.ascontiguousarray(np.concatenate(contours).reshape(-1, 2).T, np.float64)
        if shift is not None:
            self.x -= shift[self.of, 0]
            self.y -= shift[self.of, 1]

    def first(self, values: Floats) -> Whole:
        """Index of the first largest value of each contour."""
        largest = np.maximum.reduceat(values, self.starts)
        hits = np.flatnonzero(values == largest[self.of])
        found: Whole = hits[np.searchsorted(self.of[hits], np.arange(len(self.counts)))]
        return found

    def ends(self, axis: _Axis) -> tuple[Floats, Floats]:
        """Farthest points of contour k on either side of centre k, half a px outside the outermost pixel centres."""
        x, y = self.x - axis.centre[self.of, 0], self.y - axis.centre[self.of, 1]
        signed = np.copysign(x * x + y * y, x * axis.u[self.of] + y * axis.v[self.of])
        return self._tips(x, y, self.first(signed), axis), self._tips(x, y, self.first(-signed), axis)

    def nearest(self, to: Floats) -> Floats:
        """The point of contour k nearest to point k."""
        near = self.first(-((self.x - to[self.of, 0]) ** 2) - (self.y - to[self.of, 1]) ** 2)
        return np.stack([self.x[near], self.y[near]], axis=1)

    def _tips(self, x: Floats, y: Floats, farthest: Whole, axis: _Axis) -> Floats:
        """Points of the edge moved to the middle of neighbours that lie as far within one px: the raster's choice."""
        starts = self.starts[:, None]
        beside = starts + (farthest[:, None] - starts + _BESIDE) % self.counts[:, None]
        x, y = x[beside], y[beside]
        far = np.hypot(x, y)
        as_far = far > far[:, 3:4] - 1
        sums = np.stack([(x * as_far).sum(axis=1), (y * as_far).sum(axis=1)], axis=1)
        size = np.hypot(sums[:, 0], sums[:, 1])
        found: Floats = axis.centre + sums * ((far[:, 3] + 0.5) / np.where(size > 0, size, 1.0))[:, None]
        return found


class _Strip:
    """Surroundings of K blobs one below the other, with room between: filters and contours take one call for all.

    Attributes
    ----------
    core
        The blobs' masks.
    """

    def __init__(self, silhouettes: Sequence[Silhouette], *, reach: int, gap: int) -> None:
        self._silhouettes = silhouettes
        self._parts = [around(one.picture.shape, one.blob.box, reach) for one in silhouettes]
        heights = np.array([rows.stop - rows.start for rows, _ in self._parts])
        widths = [columns.stop - columns.start for _, columns in self._parts]
        self._tops = np.cumsum(heights + gap) - heights
        self._places = [
            (slice(top, top + height), slice(gap, gap + width))
            for top, height, width in zip(self._tops.tolist(), heights.tolist(), widths, strict=True)
        ]
        # What to take off a place in the strip for the place in the silhouette's own picture.
        self._shift = np.array([(gap - columns.start, -rows.start) for rows, columns in self._parts], np.float64)
        self._shift[:, 1] += self._tops
        self._shape = (int(heights.sum()) + gap * (len(heights) + 1), max(widths) + 2 * gap)
        self.core = np.zeros(self._shape, np.uint8)
        for one, part, place in zip(silhouettes, self._parts, self._places, strict=True):
            self.core[place] = one.blob.mask[part]

    def below(self, cut: str) -> Image:
        """255 where the pictures are below one of their :class:`Cuts`."""
        import cv2

        mask = np.zeros(self._shape, np.uint8)
        for one, part, place in zip(self._silhouettes, self._parts, self._places, strict=True):
            cv2.compare(one.picture[part], getattr(one.cuts, cut)[part], cv2.CMP_LT, dst=mask[place])
        return mask

    def contours(self, mask: Image) -> tuple[Sequence[Image], Whole]:
        """Outer contours, and which silhouette each belongs to."""
        import cv2

        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        rows = [contour[0, 0, 1] for contour in contours]
        return contours, np.searchsorted(self._tops, rows, side="right") - 1

    def edges(self, contours: Sequence[Image], of: Whole) -> _Edges:
        """Contours of the silhouettes ``of``, in px of their own pictures."""
        return _Edges(contours, self._shift[of])


def _borders(silhouettes: Sequence[Silhouette], length: float) -> tuple[_Edges, Floats]:
    """Longest contour of each body, and its area by Pick's theorem."""
    import cv2

    strip = _Strip(silhouettes, reach=odd(length / 7), gap=odd(length / 7))
    body = cv2.bitwise_or(cv2.bitwise_and(grown(strip.core, length / 7), strip.below("edge")), strip.core)
    contours, of = strip.contours(body)
    longest: dict[int, Image] = {}
    for k, contour in zip(of.tolist(), contours, strict=True):
        if k not in longest or len(contour) > len(longest[k]):
            longest[k] = contour
    kept = [longest[k] for k in range(len(silhouettes))]
    area = np.array([cv2.contourArea(contour) + len(contour) / 2 + 1 for contour in kept])
    return strip.edges(kept, np.arange(len(kept))), area


def _tails(silhouettes: Sequence[Silhouette], axis: _Axis, length: float) -> tuple[Floats, Floats]:
    """Length in body lengths of the longest thin part that begins at each body, and where it begins.

    Length counts away from the body's centre, so that edges and lines on the floor beside the body are short. Without a
    tail the length is 0 and it begins at the centre.
    """
    import cv2

    strip = _Strip(silhouettes, reach=math.ceil(REACH * length), gap=odd(length / COARSE))
    dark = strip.below("thin")
    thick = cv2.bitwise_or(majority(dark, odd(length / COARSE)), strip.core)
    contours, of = strip.contours(cv2.subtract(dark, grown(thick, length / 12)))
    long = [k for k, contour in enumerate(contours) if len(contour) >= length / 5]
    tail, root = np.zeros(len(silhouettes)), axis.centre.copy()
    if not long:
        return tail, root
    of = of[long]
    edges = strip.edges([contours[k] for k in long], of)
    owner = of[edges.of]
    outside = axis.outside(edges.x - axis.centre[owner, 0], edges.y - axis.centre[owner, 1], owner)
    nearest, farthest = edges.first(-outside), edges.first(outside)
    span = outside[farthest] - outside[nearest]
    # A mouse's tail is about as long as its body: longer lines are edges of the floor.
    tails = (outside[nearest] < length / 4) & (span > length / 5) & (span < 1.5 * length)
    for contour in np.flatnonzero(tails).tolist():
        k, start = of[contour], nearest[contour]
        if span[contour] > tail[k]:
            tail[k], root[k] = span[contour], (edges.x[start], edges.y[start])
    return tail / length, root
