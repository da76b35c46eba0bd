"""A camera that is knocked in mid-recording: when, by how much, and pictures turned back to the view before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

__all__ = ["CameraMove", "SteadyView", "find_camera_move"]

#: Longer side of the pictures that are compared, px: a first look, and the fit of shift and turn.
LOOK_SIDE, FIT_SIDE = 192, 480
#: A shift counts from so many px of the first look, and so many times the scatter between pictures of one view.
LEAST_SHIFT, SCATTERS = 0.35, 6.0
#: Pictures that each view must show: fewer may be a hand, or the box being put in place.
LEAST_PICTURES = 3
#: The fit must leave less than this share of the difference that there was between the two views.
LEFT_OVER = 0.8


@dataclass(frozen=True)
class CameraMove:
    """The camera moved once, and stayed.

    Attributes
    ----------
    after_s, before_s
        The move lies between these times of the recording.
    back
        (2, 3) affine matrix, px: from the first view to where the same thing lies in the picture after the move.
    shift_px
        How far the middle of the picture moved.
    before, after
        Small pictures of the two views, float32.
    """

    after_s: float
    before_s: float
    back: Image
    shift_px: float
    before: Image
    after: Image


def find_camera_move(pictures: Sequence[Image], times_s: Sequence[float]) -> CameraMove | None:
    """Whether the view of pictures spread over a recording changes once and for good.

    The edges of each picture are compared with those of the first by phase correlation (Kuglin and Hines 1975); where
    shifts fall into an early and a late group, shift and turn between the two are fitted by the enhanced correlation
    coefficient (Evangelidis and Psarakis 2008, doi:10.1109/TPAMI.2008.113).

    Parameters
    ----------
    pictures
        (H, W) luma, in order of time.
    times_s
        Their times, s.

    Returns
    -------
    CameraMove or None
        None where the camera stays, or where no single move explains the pictures.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> import cv2
    >>> scene = cv2.GaussianBlur(rng.integers(0, 255, (240, 320)).astype(np.uint8), (0, 0), 4) * 3
    >>> moved = np.roll(scene, (4, 9), axis=(0, 1))
    >>> move = find_camera_move([scene] * 5 + [moved] * 5, range(10))
    >>> move.after_s, move.before_s, round(move.shift_px)
    (4.0, 5.0, 10)
    """
    if len(pictures) < 2 * LEAST_PICTURES or len({picture.shape for picture in pictures}) > 1:
        return None
    split = _split(_shifts(pictures))
    if split is None:
        return None
    early, late = _middle(pictures[:split]), _middle(pictures[split:])
    back = _fit(early, late, pictures[0].shape)
    if back is None:
        return None
    height, width = pictures[0].shape
    middle = np.array((width / 2, height / 2, 1.0))
    shift = float(np.hypot(*(back @ middle - middle[:2])))
    return CameraMove(float(times_s[split - 1]), float(times_s[split]), back, shift, _small(early), _small(late))


class SteadyView:
    """Pictures of a recording as the camera saw them before it moved.

    Parameters
    ----------
    move
        What :func:`find_camera_move` found; None leaves every picture as it is.
    """

    def __init__(self, move: CameraMove | None) -> None:
        self._move = move
        self._moved_s = np.inf if move is None else move.before_s

    @property
    def moved_s(self) -> float:
        """Time of the first picture seen after the move, s; infinite if there was none."""
        return float(self._moved_s)

    def view(self, luma: Image, time_s: float) -> Image:
        """The picture in the first view."""
        move = self._move
        if move is None or time_s <= move.after_s:
            return luma
        if time_s < self._moved_s and _nearer_to_late(luma, move):
            self._moved_s = time_s
        return self._turned(luma, move) if time_s >= self._moved_s else luma

    @staticmethod
    def _turned(luma: Image, move: CameraMove) -> Image:
        import cv2

        size = luma.shape[::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(np.ascontiguousarray(luma), move.back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _nearer_to_late(luma: Image, move: CameraMove) -> bool:
    small = _small(luma)
    # The median forgives the animal, and with it a part of the floor.
    return bool(np.median(np.abs(small - move.after)) < np.median(np.abs(small - move.before)))


def _reduced(picture: Image, side: int) -> Image:
    import cv2

    factor = min(1.0, side / max(picture.shape))
    size = (max(16, round(picture.shape[1] * factor)), max(16, round(picture.shape[0] * factor)))
    return cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)


def _edges(picture: Image) -> Image:
    """Strength of edges, which changes of light leave where they are."""
    import cv2

    smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1.0)
    strength: Image = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return strength


def _small(picture: Image) -> Image:
    """Edges for a first look; the logarithm keeps the animal's from outweighing the scene's."""
    small: Image = np.log1p(_edges(_reduced(picture, LOOK_SIDE)))
    return small


def _middle(pictures: Sequence[Image]) -> Image:
    """Median of the pictures, at the size that the fit works on: moving animals fall out of it."""
    middle: Image = np.median([_reduced(picture, FIT_SIDE) for picture in pictures], axis=0).astype(np.uint8)
    return middle


def _shifts(pictures: Sequence[Image]) -> npt.NDArray[np.float64]:
    """(n, 2) shift of each picture against the first, px of the first look."""
    import cv2

    small = [_small(picture) for picture in pictures]
    window = cv2.createHanningWindow(small[0].shape[::-1], cv2.CV_32F)
    return np.array([cv2.phaseCorrelate(small[0], one, window)[0] for one in small])


def _split(shifts: npt.NDArray[np.float64]) -> int | None:
    """Number of pictures before the move; None where the shifts do not fall into two steady groups."""
    n = len(shifts)
    best: tuple[float, int] | None = None
    for k in range(LEAST_PICTURES, n - LEAST_PICTURES + 1):
        early, late = np.median(shifts[:k], axis=0), np.median(shifts[k:], axis=0)
        # The pictures next to the move are clearly of the one view and of the other.
        if np.hypot(*(shifts[k - 1] - early)) > np.hypot(*(late - early)) / 3:
            continue
        if np.hypot(*(shifts[k] - late)) > np.hypot(*(late - early)) / 3:
            continue
        scatter = float(np.abs(shifts[:k] - early).sum() + np.abs(shifts[k:] - late).sum())
        if best is None or scatter < best[0]:
            best = (scatter, k)
    if best is None:
        return None
    k = best[1]
    apart = float(np.hypot(*(np.median(shifts[k:], axis=0) - np.median(shifts[:k], axis=0))))
    scatter = max(float(np.median(np.hypot(*(part - np.median(part, axis=0)).T))) for part in (shifts[:k], shifts[k:]))
    return k if apart > max(LEAST_SHIFT, SCATTERS * scatter) else None


def _fit(early: Image, late: Image, shape: tuple[int, ...]) -> Image | None:
    """(2, 3) matrix from the first view to the late picture, px of the full picture; None where nothing fits."""
    import cv2

    first, second = _edges(early), _edges(late)
    warp: Image = np.eye(2, 3, dtype=np.float32)
    shift = cv2.phaseCorrelate(first, second, cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F))[0]
    warp[:, 2] = shift
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-5)
    try:
        warp = cv2.findTransformECC(first, second, warp, cv2.MOTION_EUCLIDEAN, stop)[1]
    except cv2.error:
        # The two views have nothing in common that the fit could hold on to.
        return None
    turned = cv2.warpAffine(second, warp, first.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    inner = tuple(slice(side // 8, side - side // 8) for side in first.shape)
    left = float(np.abs(turned[inner] - first[inner]).mean())
    if left > LEFT_OVER * float(np.abs(second[inner] - first[inner]).mean()):
        return None
    # Pixel centres lie at whole numbers in both sizes.
    factor = np.array((shape[1] / early.shape[1], shape[0] / early.shape[0]))
    full = warp.astype(float)
    full[:, 2] = (warp[:, :2] @ ((0.5 / factor) - 0.5) + warp[:, 2] + 0.5) * factor - 0.5
    full[0, 1] *= factor[0] / factor[1]
    full[1, 0] *= factor[1] / factor[0]
    return full
