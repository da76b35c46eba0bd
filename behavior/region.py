"""Where in the picture the subject can be: the floor, less the enclosure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Region", "as_region", "box_within", "open_floor", "polygon_mask"]


@dataclass(frozen=True, eq=False)
class Region:
    """Floor and enclosure as polygons in px of the picture.

    Parameters
    ----------
    floor_px
        (N, 2) corners x, y of the floor; None for the whole picture.
    enclosure_px
        (M, 2) corners x, y of the target's enclosure; None where there is none.

    Raises
    ------
    ValueError
        If a polygon has fewer than three corners, the wrong shape or values that are not finite.

    Examples
    --------
    >>> Region(floor_px=[(0, 0), (9, 0), (9, 9), (0, 9)]).floor_px.shape
    (4, 2)
    """

    floor_px: npt.NDArray[np.float64] | None = None
    enclosure_px: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for name in ("floor_px", "enclosure_px"):
            given = getattr(self, name)
            if given is None:
                continue
            polygon = np.array(given, dtype=float)
            if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < 3 or not np.isfinite(polygon).all():
                raise ValueError(f"{name} must be (N, 2) finite corners with N >= 3, got shape {polygon.shape}")
            object.__setattr__(self, name, polygon)

    def seen_from(self, x0: int, y0: int) -> Region:
        """The same in px of a part of the picture that begins at (x0, y0)."""
        moved = [None if p is None else p - (x0, y0) for p in (self.floor_px, self.enclosure_px)]
        return Region(*moved)


def as_region(arena: Any) -> Region:
    """Region of anything with ``floor_px`` and ``enclosure_px``; the whole picture for None.

    Examples
    --------
    >>> as_region(None).floor_px is None
    True
    """
    if arena is None:
        return Region()
    if isinstance(arena, Region):
        return arena
    return Region(floor_px=arena.floor_px, enclosure_px=arena.enclosure_px)


def polygon_mask(
    polygon_px: npt.NDArray[np.float64] | None, shape: tuple[int, int], *, scale: float = 1.0
) -> npt.NDArray[np.uint8]:
    """Mask of a polygon, 255 inside, on a picture that is ``scale`` times the full one.

    Parameters
    ----------
    polygon_px
        (N, 2) corners in px of the full picture, pixel centres at whole numbers; None fills the picture.
    shape
        Rows and columns of the mask.
    scale
        Size of a full picture's px in px of the mask.

    Examples
    --------
    >>> int((polygon_mask(np.array([(0, 0), (4, 0), (4, 4), (0, 4)]), (8, 8)) > 0).sum())
    25
    """
    import cv2

    if polygon_px is None:
        return np.full(shape, 255, np.uint8)
    # Pixel centres stand at whole numbers in both pictures; 4 fractional bits keep the edge to 1/16 px.
    corners = (np.asarray(polygon_px, dtype=float) + 0.5) * scale - 0.5
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], 255, shift=4)
    return mask


def open_floor(region: Region, shape: tuple[int, int], *, scale: float = 1.0) -> npt.NDArray[np.uint8]:
    """Mask of the floor outside the enclosure; ``shape`` and ``scale`` as :func:`polygon_mask` takes them."""
    mask = polygon_mask(region.floor_px, shape, scale=scale)
    if region.enclosure_px is not None:
        mask[polygon_mask(region.enclosure_px, shape, scale=scale) > 0] = 0
    return mask


def box_within(
    low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], shape: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Whole px left, top, right, bottom of a box, kept within a picture and at least 8 px wide and high."""
    x0, y0 = (int(v) for v in np.clip(low, 0, [shape[1] - 8, shape[0] - 8]))
    x1, y1 = (int(v) for v in np.clip(high, [x0 + 8, y0 + 8], [shape[1], shape[0]]))
    return x0, y0, x1, y1
