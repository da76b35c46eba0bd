"""The subject's silhouette in one picture: what is as dark as the subject, and its core without thin parts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

__all__ = [
    "COARSE",
    "CORE",
    "EDGE",
    "THIN",
    "Blob",
    "Cuts",
    "around",
    "bounds",
    "find_blobs",
    "grown",
    "majority",
    "make_cut",
    "make_cuts",
    "odd",
]

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


def make_cut(scene: Image, level: float, share: float) -> Image:
    """Threshold ``share`` of the way from the empty scene to the subject's brightness; 0 where the scene is 0.

    Examples
    --------
    >>> make_cut(np.array([[200, 0]], np.uint8), 20.0, 0.5).tolist()
    [[110, 0]]
    """
    import cv2

    cut = cv2.convertScaleAbs(scene, alpha=1 - share, beta=share * level)
    told = cv2.threshold(scene, 0, 255, cv2.THRESH_BINARY)[1]
    found: Image = cv2.bitwise_and(cut, told, dst=cut)
    return found


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

    core = cv2.compare(picture, cut, cv2.CMP_LT)
    # Only the part that holds something is worked on; the margin keeps the filters from its edge.
    box = bounds(core)
    if box[0] == box[2]:
        return []
    coarse = odd(length / COARSE)
    rows, columns = around(core.shape, box, coarse)
    part, corner = core[rows, columns], (columns.start, rows.start)
    majority(part, odd(length / FINE), into=part)
    trunk = majority(part, coarse)
    cv2.bitwise_and(part, grown(trunk, length / 5), dst=part)
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=corner)
    blobs = []
    for contour in contours:
        if len(contour) < 5:
            continue
        m = cv2.moments(contour)
        # Pick's theorem: pixels of a shape from the polygon through the centres of its outermost ones.
        area = m["m00"] + len(contour) / 2 + 1
        if area < min_area or m["m00"] <= 0:
            continue
        mask = core
        if len(contours) > 1:
            mask = np.zeros_like(core)
            cv2.drawContours(mask, [contour], -1, 255, cv2.FILLED)
        x, y = m["m10"] / m["m00"], m["m01"] / m["m00"]
        blobs.append(Blob(x, y, area, bounds(contour), contour.reshape(-1, 2), m, mask))
    blobs.sort(key=lambda blob: (-blob.area, blob.box))
    return blobs


def odd(width: float) -> int:
    """Nearest odd number of px, 3 or more."""
    return 2 * max(1, round((width - 1) / 2)) + 1


def majority(mask: Image, width: int, *, into: Image | None = None) -> Image:
    """255 where more than half of the square around a pixel is; written into a picture that may be the mask itself."""
    import cv2

    return cv2.threshold(cv2.blur(mask, (width, width)), 127, 255, cv2.THRESH_BINARY, dst=into)[1]


def bounds(shape: Image) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is not 0 in a picture, or of a contour; right and bottom are outside."""
    import cv2

    left, top, width, height = cv2.boundingRect(shape)
    return left, top, left + width, top + height


def around(shape: Sequence[int], box: Sequence[int], margin: int) -> tuple[slice, slice]:
    """Rows and columns of a picture of this shape within a margin around a box (left, top, right, bottom)."""
    rows = slice(max(0, box[1] - margin), min(shape[0], box[3] + margin))
    return rows, slice(max(0, box[0] - margin), min(shape[1], box[2] + margin))


@cache
def _square(width: int) -> Image:
    return np.ones((width, width), np.uint8)


def grown(mask: Image, width: float) -> Image:
    """Mask grown by half of ``width`` on each side."""
    import cv2

    return cv2.dilate(mask, _square(odd(width)))
