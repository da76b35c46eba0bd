"""The lens: straight lines of the floor that a wide-angle camera bends, made straight again on positions alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Lens"]

Points = NDArray[np.float64]

#: A position that bent again misses itself by more than this, px, has no place before the lens.
_CLOSE_PX = 0.01


@dataclass(frozen=True, kw_only=True)
class Lens:
    """Radial distortion of a camera, as OpenCV's calibration gives it (`cv2.calibrateCamera`).

    A point at distance r from the optical axis, in units of the focal length, is seen at r (1 + k1 r² + k2 r⁴) (Brown
    1966). Pictures are left as they are; positions are made straight.

    Parameters
    ----------
    k1, k2
        Coefficients; k1 is below 0 where straight walls bulge outwards (barrel), as with wide-angle lenses.
    focal_px
        Focal length in px: fx (or the mean of fx and fy) of the camera matrix.
    centre_px
        Where the optical axis meets the picture, x, y in px: cx, cy of the camera matrix.

    Raises
    ------
    ValueError
        If a value is not finite or the focal length is not above 0.

    Examples
    --------
    >>> lens = Lens(k1=-0.2, focal_px=500.0, centre_px=(320.0, 240.0))
    >>> bent = lens.bent([(320.0, 240.0), (570.0, 240.0)])
    >>> bent.tolist()
    [[320.0, 240.0], [557.5, 240.0]]
    >>> lens.straight(bent).round(6).tolist()
    [[320.0, 240.0], [570.0, 240.0]]
    """

    k1: float
    focal_px: float
    centre_px: tuple[float, float]
    k2: float = 0.0

    def __post_init__(self) -> None:
        x, y = (float(value) for value in self.centre_px)
        object.__setattr__(self, "centre_px", (x, y))
        if not np.isfinite([self.k1, self.k2, self.focal_px, *self.centre_px]).all():
            raise ValueError("k1, k2, focal_px and centre_px must be finite numbers")
        if not self.focal_px > 0:
            raise ValueError(f"focal_px must be above 0 px, not {self.focal_px}")

    def straight(self, xy_px: ArrayLike) -> Points:
        """Positions as a camera without distortion would see them.

        Parameters
        ----------
        xy_px
            (N, 2) px of the picture; NaN gives NaN, and so does what no point before the lens is seen at.
        """
        import cv2

        points = np.array(xy_px, dtype=float).reshape(-1, 2)
        finite = np.isfinite(points).all(axis=1)
        if not finite.any():
            return np.full_like(points, np.nan)
        matrix = self._matrix()
        # Iterated to the end: the five steps that OpenCV takes by default leave 0.1 px at the rim of a wide angle.
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-12)
        coefficients = np.array([self.k1, self.k2, 0.0, 0.0])
        seen = np.ascontiguousarray(points[finite])[:, np.newaxis]
        found = cv2.undistortPoints(seen, matrix, coefficients, None, None, matrix, stop)
        result = np.full_like(points, np.nan)
        result[finite] = found[:, 0]
        with np.errstate(over="ignore", invalid="ignore"):
            off = np.hypot(*(self.bent(result) - points).T)
            rising = self._rising(result)
        result[~(off <= _CLOSE_PX) | ~rising] = np.nan
        return result

    def bent(self, xy_px: ArrayLike) -> Points:
        """Positions as this camera sees what one without distortion would see at these px, (N, 2)."""
        points = np.array(xy_px, dtype=float).reshape(-1, 2)
        axis = np.asarray(self.centre_px)
        offset = points - axis
        r2 = np.sum((offset / self.focal_px) ** 2, axis=1)
        bent: Points = axis + offset * (1 + self.k1 * r2 + self.k2 * r2**2)[:, np.newaxis]
        return bent

    def _matrix(self) -> Points:
        x, y = self.centre_px
        return np.array([(self.focal_px, 0.0, x), (0.0, self.focal_px, y), (0.0, 0.0, 1.0)])

    def _rising(self, straight_px: Points) -> NDArray[np.bool_]:
        """Whether points further out are seen further out; beyond, the picture would fold over."""
        r2 = np.sum(((straight_px - np.asarray(self.centre_px)) / self.focal_px) ** 2, axis=1)
        rising: NDArray[np.bool_] = 1 + 3 * self.k1 * r2 + 5 * self.k2 * r2**2 > 0
        return rising
