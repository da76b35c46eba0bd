"""The subject's silhouette in one picture: body without tail, sub-pixel centre, axis, both ends, tail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

__all__ = ["CORE", "EDGE", "Blob", "Outline", "find_blobs", "outline"]

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


@dataclass(frozen=True, eq=False)
class Blob:
    """A thing as dark as the subject, tail and other thin parts taken off; px of the picture it was found in.

    Attributes
    ----------
    x, y, area
        Centroid and area of its core.
    left, top, width, height
        Box around the core.
    mask
        (H, W) core, 255 inside, over the whole picture.
    """

    x: float
    y: float
    area: float
    left: int
    top: int
    width: int
    height: int
    mask: Image

    def touches_edge(self) -> bool:
        """Whether it reaches the picture's edge."""
        rows, columns = self.mask.shape
        return self.left <= 0 or self.top <= 0 or self.left + self.width >= columns or self.top + self.height >= rows


@dataclass(frozen=True)
class Outline:
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
        Length of the longest thin part that is attached to the body, in body lengths, signed by where it is attached:
        above 0 on the side to which ``angle`` points.
    root
        Where it is attached, (x, y); NaN without one.
    front, back
        Farthest points (x, y) of the body's edge on either side, ``front`` where ``angle`` points.
    front_base, back_base
        The same for the core, from which tail and nose tip are taken off.
    level
        Mean brightness of the core.
    """

    x: float
    y: float
    area: float
    angle: float
    elongation: float
    skew: float
    tail: float
    root: tuple[float, float]
    front: tuple[float, float]
    back: tuple[float, float]
    front_base: tuple[float, float]
    back_base: tuple[float, float]
    level: float


def _below(picture: Image, scene: Image, level: float, share: float, gain: float) -> Image:
    """255 where the picture is further than ``share`` of the way from the scene to ``level``."""
    import cv2

    limit = cv2.convertScaleAbs(scene, alpha=gain * (1 - share), beta=share * level * gain)
    return cv2.compare(picture, limit, cv2.CMP_LT)


def find_blobs(
    picture: Image,
    scene: Image,
    *,
    level: float,
    length: float,
    gain: float = 1.0,
    share: float = CORE,
    min_area: float = 0.0,
) -> list[Blob]:
    """Things as dark as the subject, largest first.

    Thin parts are taken off by majority filters: they leave straight edges where they are.

    Parameters
    ----------
    picture, scene
        (H, W) picture and empty scene (0 where not to look).
    level, length
        The subject's brightness and length in px.
    gain
        Brightness of the picture relative to the scene's.
    share
        See :data:`CORE`.
    min_area
        Smaller ones are left out.
    """
    import cv2

    known = cv2.threshold(scene, 0, 255, cv2.THRESH_BINARY)[1]
    core = _majority(cv2.bitwise_and(_below(picture, scene, level, share, gain), known), _odd(length / FINE))
    trunk = _majority(core, _odd(length / COARSE))
    core = cv2.bitwise_and(core, cv2.dilate(trunk, _disc(_odd(length / 5))))
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(core, connectivity=4, ltype=cv2.CV_16U)
    order = sorted(range(1, count), key=lambda k: (-int(stats[k, 4]), k))
    return [
        Blob(
            float(centroids[k, 0]),
            float(centroids[k, 1]),
            float(stats[k, 4]),
            int(stats[k, 0]),
            int(stats[k, 1]),
            int(stats[k, 2]),
            int(stats[k, 3]),
            core if count == 2 else cv2.inRange(labels, k, k),
        )
        for k in order
        if stats[k, 4] >= min_area
    ]


def outline(picture: Image, scene: Image, blob: Blob, *, level: float, length: float, gain: float = 1.0) -> Outline:
    """Measure the silhouette of a blob.

    The body is the core grown back to the half-contrast edge, by no more than a fourteenth of its length: so the edge
    is the true one on open floor, and a reflection that touches the body stays out.
    """
    import cv2

    dark = _below(picture, scene, level, EDGE, gain)
    body = cv2.bitwise_and(cv2.dilate(blob.mask, _disc(_odd(length / 7))), dark)
    body = cv2.bitwise_or(body, blob.mask)
    m = cv2.moments(body, binaryImage=True)
    x, y = m["m10"] / m["m00"], m["m01"] / m["m00"]
    angle, elongation, skew = _axis(m)
    along = (math.cos(angle), math.sin(angle))
    front, back = _ends(_edge(body), x, y, along)
    core_edge = _edge(blob.mask)
    front_base, back_base = _ends(core_edge, x, y, along)
    tail, root = _tail(_below(picture, scene, level, THIN, gain), blob.mask, m, length)
    if tail:
        nearest = core_edge[int(np.argmin(np.square(core_edge - np.array(root)).sum(axis=1)))]
        base = (float(nearest[0]), float(nearest[1]))
        if (root[0] - x) * along[0] + (root[1] - y) * along[1] < 0:
            tail, back_base = -tail, base
        else:
            front_base = base
    return Outline(
        blob.x,
        blob.y,
        m["m00"],
        angle,
        elongation,
        skew,
        tail,
        root,
        front,
        back,
        front_base,
        back_base,
        float(cv2.mean(picture, mask=blob.mask)[0]),
    )


def _odd(width: float) -> int:
    """Nearest odd number of px, 3 or more."""
    return 2 * max(1, round((width - 1) / 2)) + 1


def _majority(mask: Image, width: int) -> Image:
    import cv2

    return cv2.threshold(cv2.blur(mask, (width, width)), 127, 255, cv2.THRESH_BINARY)[1]


def _disc(size: int) -> Image:
    import cv2

    disc: Image = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return disc


def _axis(m: dict[str, float]) -> tuple[float, float, float]:
    """Direction of the long axis, elongation and skewness along it, from image moments."""
    a, b, c = m["mu20"] / m["m00"], m["mu11"] / m["m00"], m["mu02"] / m["m00"]
    angle = 0.5 * math.atan2(2 * b, a - c)
    spread = math.hypot((a - c) / 2, b)
    long, short = (a + c) / 2 + spread, max((a + c) / 2 - spread, 1 / 12)
    u, v = math.cos(angle), math.sin(angle)
    third = m["mu30"] * u**3 + 3 * m["mu21"] * u * u * v + 3 * m["mu12"] * u * v * v + m["mu03"] * v**3
    return angle, math.sqrt(long / short), third / m["m00"] / long**1.5


def _edge(mask: Image) -> npt.NDArray[Any]:
    """(N, 2) outermost pixels x, y of a mask's largest part."""
    import cv2

    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    edge: npt.NDArray[Any] = max(contours, key=len).reshape(-1, 2)
    return edge


def _ends(
    edge: npt.NDArray[Any], x: float, y: float, along: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Farthest edge points on either side of (x, y), half a px outside the outermost pixel centres."""
    points = edge - np.array((x, y))
    distance = np.hypot(points[:, 0], points[:, 1])
    side = points @ np.array(along)
    ends = []
    for sign in (1.0, -1.0):
        reach = np.where(side * sign > 0, distance, 0.0)
        k = int(np.argmax(reach))
        far = float(reach[k]) or 1.0
        # The raster leaves open which of the points within one px is the tip: their middle.
        dx, dy = points[(reach > far - 1) & (np.abs(points - points[k]).max(axis=1) < 4)].mean(axis=0)
        scale = (far + 0.5) / (math.hypot(dx, dy) or 1.0)
        ends.append((x + float(dx) * scale, y + float(dy) * scale))
    return ends[0], ends[1]


def _tail(dark: Image, core: Image, m: dict[str, float], length: float) -> tuple[float, tuple[float, float]]:
    """Length in body lengths of the longest thin part that begins at the body, and where it begins.

    Length counts away from the body's centre, so that edges and lines on the floor beside the body are short.
    """
    import cv2

    thick = cv2.bitwise_or(_majority(dark, _odd(length / COARSE)), core)
    thin = cv2.subtract(dark, cv2.dilate(thick, _disc(_odd(length / 12))))
    count, labels = cv2.connectedComponents(thin, connectivity=8, ltype=cv2.CV_16U)
    if count == 1:
        return 0.0, _NOWHERE
    points = cv2.findNonZero(thin).reshape(-1, 2)
    part = labels[points[:, 1], points[:, 0]]
    away = points - np.array((m["m10"] / m["m00"], m["m01"] / m["m00"]))
    distance = np.hypot(away[:, 0], away[:, 1])
    nearest, farthest = np.full(count, np.inf), np.zeros(count)
    # Distance from the edge of the ellipse with the body's second moments, along the line to its centre.
    inverse = np.linalg.inv([[m["mu20"], m["mu11"]], [m["mu11"], m["mu02"]]]) * m["m00"]
    radius = 2 * distance / np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", away, inverse, away), 1e-9))
    np.minimum.at(nearest, part, distance - radius)
    np.maximum.at(farthest, part, distance - radius)
    span = np.where(nearest < length / 4, farthest - nearest, 0.0)
    # A mouse's tail is about as long as its body: longer lines are edges of the floor.
    span[span > 1.5 * length] = 0
    best = int(np.argmax(span))
    if span[best] < length / 5:
        return 0.0, _NOWHERE
    own = np.flatnonzero(part == best)
    first = points[own[np.argmin(distance[own] - radius[own])]]
    return float(span[best] / length), (float(first[0]), float(first[1]))


_NOWHERE = (math.nan, math.nan)
