"""Where in the picture the subject can be: the floor, less the enclosure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Region", "as_region", "polygon_mask"]


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
