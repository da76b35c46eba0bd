"""The empty scene behind the subject: learned from samples, kept up with light and bedding while tracking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

__all__ = ["Background", "gains", "high_level", "level_without", "levelled"]


def gains(stack: Image, mask: Image) -> npt.NDArray[np.float64]:
    """Brightness of each picture relative to the middle one: medians over the mask.

    Parameters
    ----------
    stack
        (K, H, W) pictures.
    mask
        (H, W) nonzero where to look.

    Examples
    --------
    >>> gains(np.array([[[100]], [[110]], [[120]]], np.uint8), np.ones((1, 1), np.uint8)).round(3).tolist()
    [0.909, 1.0, 1.091]
    """
    inside = mask > 0
    medians = np.array([np.median(picture[inside]) for picture in stack]) + 1e-6
    return medians / np.median(medians)


def levelled(picture: Image, gain: float) -> Image:
    """A picture with its brightness relative to the scene taken out; left as it is within 1 %.

    Examples
    --------
    >>> levelled(np.array([[110]], np.uint8), 1.1).tolist()
    [[100]]
    """
    import cv2

    return picture if abs(gain - 1) < 0.01 else cv2.convertScaleAbs(picture, alpha=1 / gain)


def high_level(stack: Image, gain: npt.NDArray[np.float64]) -> Image:
    """Bright side of each pixel over the pictures: the floor wherever a dark subject sat in up to 7 of 8 of them.

    Parameters
    ----------
    stack
        (K, H, W) pictures, the subject dark.
    gain
        (K,) brightness of each picture, taken out.

    Examples
    --------
    >>> high_level(np.full((8, 1, 1), 90, np.uint8), np.ones(8)).tolist()
    [[90]]
    """
    count = len(stack)
    rank = max(1, count // 8) if count > 2 else 0
    level: Image = np.partition(_levelled(stack, gain), count - 1 - rank, axis=0)[count - 1 - rank]
    return level


def level_without(stack: Image, gain: npt.NDArray[np.float64], subject: Image, fallback: Image) -> Image:
    """Median of each pixel over those pictures in which the subject is not there.

    Parameters
    ----------
    stack
        (K, H, W) pictures, the subject dark.
    gain
        (K,) brightness of each picture, taken out.
    subject
        (K, H, W) nonzero on and around the subject.
    fallback
        (H, W) level where it is there in all pictures but one or two.

    Examples
    --------
    >>> stack = np.array([[[20]], [[90]], [[91]], [[92]]], np.uint8)
    >>> there = np.array([[[1]], [[0]], [[0]], [[0]]], np.uint8)
    >>> level_without(stack, np.ones(4), there, stack[0]).tolist()
    [[91]]
    """
    level = fallback.copy()
    # By bands of rows, so that a 4K picture does not hold several sorted copies of the stack.
    for top in range(0, stack.shape[1], 128):
        rows = slice(top, top + 128)
        hidden = subject[:, rows] > 0
        band = _levelled(stack[:, rows], gain)
        band[hidden] = 255
        band.sort(axis=0)
        free = len(stack) - hidden.sum(axis=0)
        middle = np.take_along_axis(band, np.maximum(free - 1, 0)[np.newaxis] // 2, axis=0)[0]
        level[rows] = np.where(free >= min(3, len(stack)), middle, level[rows])
    return level


def _levelled(stack: Image, gain: npt.NDArray[np.float64]) -> Image:
    if np.abs(gain - 1).max() < 0.01:
        return stack.copy()
    bright = np.arange(256)[np.newaxis] / gain[:, np.newaxis]
    table = np.clip(np.round(bright), 0, 255).astype(np.uint8)
    return np.stack([table[k][picture] for k, picture in enumerate(stack)])


class Background:
    """Level of the empty scene at working resolution.

    Parameters
    ----------
    level
        (H, W) the empty scene; the subject is darker (pictures of light subjects are inverted before).
    subject_level
        Brightness of the subject.
    inside
        (H, W) 255 where the subject's silhouette may lie.

    Attributes
    ----------
    level
        (H, W) the empty scene; 0 where nothing can be told or must not be looked for.
    contrast
        Median of scene less subject, in grey levels.
    """

    def __init__(self, level: Image, subject_level: float, inside: Image) -> None:
        self._subject_level = subject_level
        self._inside = inside
        self._exact = level.astype(np.float32)
        contrast = self._exact[inside > 0] - subject_level
        self.contrast = float(np.median(contrast)) if contrast.size else 0.0
        self._renew()

    def update(self, picture: Image, weight: float, free: Image) -> None:
        """Move the level towards a picture where ``free`` is nonzero."""
        import cv2

        cv2.accumulateWeighted(picture, self._exact, weight, mask=free)
        self._renew()

    def _renew(self) -> None:
        import cv2

        self.level: Image = cv2.convertScaleAbs(self._exact)
        # A scene nearly as dark as the subject tells nothing: noise there would come and go as foreground.
        self.level[self._exact - self._subject_level < 0.25 * self.contrast] = 0
        self.level[self._inside == 0] = 0
