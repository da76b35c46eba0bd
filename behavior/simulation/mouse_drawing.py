"""Drawing of one mouse onto a picture: soft fur edge, shaded back, ears, feet, tail, shadow, mirror image.

Shapes are filled on a small patch at several times the picture's resolution and averaged down, so that edges carry
sub-pixel positions as in a real picture. The centroid of the body's coverage on that patch is the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["BodyMoments", "Coat", "MouseShapes", "draw_mouse", "draw_reflection"]

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_SUPERSAMPLE = 3
_FRACTION_BITS = 4
_PAD_PX = 8


@dataclass(frozen=True)
class Coat:
    """Brightness of the parts of a mouse, 0 to 1 of full light, and the softness of its edge.

    Attributes
    ----------
    body, back, ears, feet, tail
        Brightness of the fur, of the lit back, and of the bare parts.
    edge_px
        SD of the blur of the fur's edge.
    shadow, shadow_px
        Depth of the shadow beside the body, 0 to 1, and its offset (x, y) in px.
    """

    body: float = 0.10
    back: float = 0.16
    ears: float = 0.30
    feet: float = 0.55
    tail: float = 0.30
    edge_px: float = 0.6
    shadow: float = 0.15
    shadow_px: tuple[float, float] = (2.0, 2.0)


@dataclass(frozen=True, eq=False)
class MouseShapes:
    """Outlines of one mouse in one frame, (N, 2) px; ``motion_px`` is how far it moves while the shutter is open."""

    outline: Array
    back: Array
    ears: Array
    feet: Array
    tail: Array
    motion_px: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class BodyMoments:
    """Centroid (px) and area (px²) of the body without the tail, as drawn."""

    x_px: float
    y_px: float
    area_px: float


def draw_mouse(
    picture: Bytes,
    shapes: MouseShapes,
    coat: Coat,
    light: Floats,
    *,
    chroma: tuple[Bytes, Bytes] | None = None,
    hide: Bytes | None = None,
) -> BodyMoments:
    """Draw a mouse onto a picture, in place.

    Parameters
    ----------
    picture
        (H, W) luma.
    shapes, coat
        What to draw.
    light
        (H, W) brightness of a white surface at each place, in luma steps (0 to 255).
    chroma
        Both colour planes at half size; the mouse is grey in them.
    hide
        (H, W) coverage of things in front of the mouse, 255 = hidden; it does not change the returned moments.

    Returns
    -------
    BodyMoments
        Of the whole body without the tail, hidden or not; NaN where it is wholly outside the picture.
    """
    window = _window([shapes.outline, shapes.tail, shapes.feet], shapes.motion_px, coat, picture.shape)
    x0, y0, width, height = window
    body = _coverage([shapes.outline, *_split(shapes.feet, 4), *_split(shapes.ears, 2)], window)
    tail = _coverage([shapes.tail], window)
    if max(abs(v) for v in shapes.motion_px) > 1:
        kernel = _motion_kernel(shapes.motion_px)
        body, tail = cv2.filter2D(body, -1, kernel), cv2.filter2D(tail, -1, kernel)
    if coat.edge_px > 0:
        body = cv2.GaussianBlur(body, (0, 0), coat.edge_px)
    moments = cv2.moments(body)
    left, top = max(x0, 0), max(y0, 0)
    right, bottom = min(x0 + width, picture.shape[1]), min(y0 + height, picture.shape[0])
    if right <= left or bottom <= top or moments["m00"] == 0:
        return BodyMoments(np.nan, np.nan, 0.0)
    cut = (slice(top - y0, bottom - y0), slice(left - x0, right - x0))
    place = (slice(top, bottom), slice(left, right))
    tone = _tones(shapes, coat, window)[cut]
    body_cut, tail_cut = body[cut], tail[cut]
    under = picture[place].astype(np.float32)
    if coat.shadow > 0:
        dark = _shadow(body, coat)[cut]
        under *= 1 - (coat.shadow / 255) * dark
    shine = light[place]
    under += (coat.tail * shine - under) * (tail_cut * np.float32(0.9 / 255))
    over = under + (tone * shine - under) * (body_cut * np.float32(1 / 255))
    if hide is not None:
        behind = hide[place] * np.float32(1 / 255)
        over += (picture[place] - over) * behind
    picture[place] = np.clip(over + 0.5, 0, 255).astype(np.uint8)
    if chroma is not None:
        _grey_out(chroma, np.maximum(body_cut, tail_cut), left, top)
    return BodyMoments(
        x0 + moments["m10"] / moments["m00"], y0 + moments["m01"] / moments["m00"], moments["m00"] / 255.0
    )


def draw_reflection(
    picture: Bytes, shapes: MouseShapes, coat: Coat, light: Floats, wall: Bytes, strength: float
) -> None:
    """Draw the mirror image of a mouse in a wall, in place; ``wall`` (H, W) is 255 where the wall is seen."""
    window = _window([shapes.outline, shapes.tail], (0.0, 0.0), coat, picture.shape)
    x0, y0, width, height = window
    left, top = max(x0, 0), max(y0, 0)
    right, bottom = min(x0 + width, picture.shape[1]), min(y0 + height, picture.shape[0])
    if right <= left or bottom <= top or not wall[top:bottom, left:right].any():
        return
    image = np.maximum(_coverage([shapes.outline], window), _coverage([shapes.tail], window) // 2)
    image = cv2.GaussianBlur(image, (0, 0), coat.edge_px + 0.8)
    cut = image[top - y0 : bottom - y0, left - x0 : right - x0]
    place = (slice(top, bottom), slice(left, right))
    share = cut * (wall[place] * np.float32(strength / 255**2))
    under = picture[place].astype(np.float32)
    picture[place] = np.clip(under + (coat.body * light[place] - under) * share + 0.5, 0, 255).astype(np.uint8)


def _window(
    shapes: list[Array], motion_px: tuple[float, float], coat: Coat, picture: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Whole-pixel window (x, y, width, height) round the shapes; it may reach past the picture, but not far."""
    pad = _PAD_PX + int(np.ceil(max(abs(v) for v in (*motion_px, *coat.shadow_px, 2 * coat.edge_px))))
    low = np.floor(np.min([s.min(axis=0) for s in shapes], axis=0)) - pad
    high = np.ceil(np.max([s.max(axis=0) for s in shapes], axis=0)) + pad + 1
    low = np.clip(low, -200, [picture[1] + 200, picture[0] + 200]).astype(int)
    high = np.clip(high, low + 1, [picture[1] + 201, picture[0] + 201]).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def _coverage(polygons: list[Array], window: tuple[int, int, int, int]) -> Bytes:
    """Share of each pixel that the union of the polygons covers, 0 to 255, (height, width)."""
    x0, y0, width, height = window
    fine = np.zeros((height * _SUPERSAMPLE, width * _SUPERSAMPLE), np.uint8)
    for polygon in polygons:
        place = ((polygon - (x0, y0) + 0.5) * _SUPERSAMPLE - 0.5) * (1 << _FRACTION_BITS)
        cv2.fillPoly(fine, [np.round(place).astype(np.int32)], 255, cv2.LINE_8, _FRACTION_BITS)
    return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _tones(shapes: MouseShapes, coat: Coat, window: tuple[int, int, int, int]) -> Floats:
    """Brightness of the mouse at each pixel of the window, 0 to 1."""
    x0, y0, width, height = window
    tone = np.full((height, width), round(255 * coat.body), np.uint8)
    fill = 1 << _FRACTION_BITS
    for polygons, value in (
        ([shapes.back], coat.back),
        (_split(shapes.feet, 4), coat.feet),
        (_split(shapes.ears, 2), coat.ears),
    ):
        for polygon in polygons:
            place = np.round((polygon - (x0, y0)) * fill).astype(np.int32)
            cv2.fillPoly(tone, [place], round(255 * value), cv2.LINE_AA, _FRACTION_BITS)
    return np.asarray(cv2.GaussianBlur(tone, (0, 0), 1.0) * np.float32(1 / 255), dtype=np.float32)


def _shadow(body: Bytes, coat: Coat) -> Floats:
    """The body's coverage moved aside and blurred."""
    move = np.array([[1, 0, coat.shadow_px[0]], [0, 1, coat.shadow_px[1]]], np.float32)
    moved = cv2.warpAffine(body, move, body.shape[::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.blur(cv2.blur(moved, (5, 5)), (5, 5)), dtype=np.float32)


def _motion_kernel(motion_px: tuple[float, float]) -> Floats:
    """Kernel of a straight movement while the shutter is open, symmetrical, sum 1."""
    half = int(np.ceil(max(abs(v) for v in motion_px) / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for part in np.linspace(-0.5, 0.5, 4 * half + 1):
        x, y = half + part * motion_px[0], half + part * motion_px[1]
        left, top = int(np.floor(x)), int(np.floor(y))
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            weight = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
            if weight > 0 and 0 <= top + dy <= 2 * half and 0 <= left + dx <= 2 * half:
                kernel[top + dy, left + dx] += weight
    return kernel / kernel.sum()


def _grey_out(chroma: tuple[Bytes, Bytes], coverage: Bytes, left: int, top: int) -> None:
    """Take the colour away where the mouse is."""
    half = coverage[top % 2 :: 2, left % 2 :: 2]
    left, top = left + left % 2, top + top % 2
    for plane in chroma:
        place = plane[top // 2 : top // 2 + half.shape[0], left // 2 : left // 2 + half.shape[1]]
        share = half[: place.shape[0], : place.shape[1]] * np.float32(1 / 255)
        place[...] = (place + (128 - place.astype(np.float32)) * share + 0.5).astype(np.uint8)


def _split(points: Array, n: int) -> list[Array]:
    return list(points.reshape(n, -1, 2))
