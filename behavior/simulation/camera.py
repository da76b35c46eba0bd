"""A pinhole camera above the box: points in cm (floor plane and height above it) to pixels.

Pixel centres lie at whole numbers, the image's y axis points down. The floor's own frame is x right, y down, origin at
its top-left corner as seen, heights toward the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Camera", "camera_above"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Camera:
    """Projection of the world onto an image of ``width_px`` by ``height_px``; ``matrix`` is (3, 4)."""

    width_px: int
    height_px: int
    matrix: Array

    @property
    def floor_to_px(self) -> Array:
        """(3, 3) homography from floor cm to px."""
        return self.matrix[:, [0, 1, 3]]

    def project(self, points_cm: Array, height_cm: float = 0.0) -> Array:
        """(..., 2) points at a height above the floor to (..., 2) px."""
        m = self.matrix
        return _through(np.column_stack([m[:, 0], m[:, 1], height_cm * m[:, 2] + m[:, 3]]), points_cm)

    def to_cm(self, points_px: Array) -> Array:
        """(..., 2) px to the floor point seen there, cm."""
        return _through(np.asarray(np.linalg.inv(self.matrix[:, [0, 1, 3]]), dtype=float), points_px)


def _through(homography: Array, points: Array) -> Array:
    """(..., 2) points through a (3, 3) homography."""
    mapped = np.asarray(points, dtype=float) @ homography[:, :2].T + homography[:, 2]
    return np.asarray(mapped[..., :2] / mapped[..., 2:])


def camera_above(
    *,
    width_px: int,
    height_px: int,
    floor_cm: float,
    px_per_cm: float,
    distance_cm: float = 130.0,
    rotation_deg: float = 0.0,
    tilt_deg: float = 0.0,
    tilt_toward_deg: float = 90.0,
    shift_px: tuple[float, float] = (0.0, 0.0),
) -> Camera:
    """Camera that looks at the middle of a square floor.

    Parameters
    ----------
    width_px, height_px
        Image size.
    floor_cm
        Side of the floor.
    px_per_cm
        Scale at the middle of the floor.
    distance_cm
        Distance of the camera from the middle of the floor.
    rotation_deg
        Turn of the picture about the optical axis.
    tilt_deg, tilt_toward_deg
        Angle between the optical axis and the vertical, and the direction on the floor (0 = right, 90 = down as seen)
        in which the camera stands.
    shift_px
        Where the middle of the floor is seen, from the middle of the image.

    Examples
    --------
    >>> camera = camera_above(width_px=480, height_px=360, floor_cm=42, px_per_cm=7)
    >>> [float(v) for v in camera.project(np.array([21.0, 21.0])).round(3)]
    [239.5, 179.5]
    """
    tilt, toward, turn = np.deg2rad([tilt_deg, tilt_toward_deg, rotation_deg])
    place = np.array([np.sin(tilt) * np.cos(toward), np.sin(tilt) * np.sin(toward), np.cos(tilt)]) * distance_cm
    forward = -place / distance_cm
    right = np.array([1.0, 0.0, 0.0]) - forward[0] * forward
    right /= np.linalg.norm(right)
    # The world (x right, y down, z up) is left-handed, so "down" in the picture is right x forward.
    down = np.cross(right, forward)
    right, down = np.cos(turn) * right - np.sin(turn) * down, np.sin(turn) * right + np.cos(turn) * down
    axes = np.stack([right, down, forward])
    position = place + np.array([floor_cm / 2, floor_cm / 2, 0.0])
    focal = px_per_cm * distance_cm
    middle = (width_px - 1) / 2 + shift_px[0], (height_px - 1) / 2 + shift_px[1]
    intrinsic = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1.0]])
    extrinsic = np.hstack([axes, -(axes @ position)[:, None]])
    return Camera(width_px, height_px, intrinsic @ extrinsic)
