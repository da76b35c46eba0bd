"""Drawing of mice onto a picture: soft fur edge, shaded back, ears, feet, tail, shadow, mirror image.

The body is filled on a small patch at twice the picture's resolution and averaged down, so that edges carry
sub-pixel positions as in a real picture. The centroid of the body's coverage on that patch is the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["BodyMoments", "Coat", "MouseShapes", "draw_mouse", "draw_reflection", "prepare_shapes"]

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Whole = NDArray[np.int32]

_SUPERSAMPLE = 2
# Polygons are handed to OpenCV in sixteenths of a pixel.
_SHIFT = 4
_PAD_PX = 5
_REACH_PX = 200


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
    """Outlines of one mouse in every frame, ready to be filled; made by :func:`prepare_shapes`.

    Attributes
    ----------
    solid
        Polygons that make the body (trunk with head, ears, feet), each (F, N, 2), fine pixels of the window.
    patches
        Polygons painted on the body, each with its brightness, 0 to 255, and (F, N, 2) px of the window.
    tail, image
        Tail and outline, (F, N, 2), px of the window.
    window
        (F, 4) whole-pixel x, y, width, height round the shapes. Polygons are in fixed point.
    motion_px
        (F, 2) movement while the shutter is open.
    """

    solid: tuple[Whole, ...]
    patches: tuple[tuple[int, Whole], ...]
    tail: Whole
    image: Whole
    window: Whole
    motion_px: Array


@dataclass(frozen=True)
class BodyMoments:
    """Centroid (px) and area (px²) of the body without the tail, as drawn."""

    x_px: float
    y_px: float
    area_px: float


def prepare_shapes(
    *, outline: Array, back: Array, ears: Array, feet: Array, tail: Array, motion_px: Array, coat: Coat
) -> MouseShapes:
    """Turn outlines in px, (F, N, 2), into what :func:`draw_mouse` fills; ears and feet hold 2 and 4 polygons."""
    both_ears, all_feet = np.split(ears, 2, axis=1), np.split(feet, 4, axis=1)
    # Feet show only beyond the trunk.
    patches = (*(("feet", p) for p in all_feet), ("body", outline), ("back", back), *(("ears", p) for p in both_ears))
    everything = np.concatenate([outline, tail, feet], axis=1)
    pad = _PAD_PX + np.ceil(2 * coat.edge_px + max(abs(v) for v in coat.shadow_px))
    pad = pad + np.ceil(np.abs(motion_px).max(axis=1) / 2)[:, None]
    low = np.clip(np.floor(everything.min(axis=1)) - pad, -_REACH_PX, 1e5)
    high = np.clip(np.ceil(everything.max(axis=1)) + pad + 1, low + 1, low + 2e3)
    corner = low[:, None]
    return MouseShapes(
        solid=tuple(_fixed((p - corner + 0.5) * _SUPERSAMPLE - 0.5) for p in (outline, *all_feet, *both_ears)),
        patches=tuple((round(255 * getattr(coat, name)), _fixed(p - corner)) for name, p in patches),
        tail=_fixed(tail - corner),
        image=_fixed(outline - corner),
        window=np.concatenate([low, high - low], axis=1).astype(np.int32),
        motion_px=motion_px,
    )


def _fixed(points: Array) -> Whole:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def draw_mouse(
    picture: Bytes,
    shapes: MouseShapes,
    frame: int,
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
    shapes, frame, coat
        What to draw.
    light
        (H, W) luma of a white surface at each place.
    chroma
        Both colour planes at half size; the mouse is grey in them.
    hide
        (H, W) coverage of things in front of the mouse, 255 = hidden; it does not change the returned moments.

    Returns
    -------
    BodyMoments
        Of the whole body without the tail, hidden or not; NaN where it is wholly outside the picture.
    """
    x0, y0, width, height = shapes.window[frame].tolist()
    place, cut = _overlap(x0, y0, width, height, picture.shape)
    if cut is None:
        return BodyMoments(np.nan, np.nan, 0.0)
    body, tail = _body_coverage(shapes, frame), _tail_coverage(shapes, frame)
    across_px, down_px = shapes.motion_px[frame].tolist()
    if max(abs(across_px), abs(down_px)) > 1:
        kernel = _motion_kernel(across_px, down_px)
        body = _bytes(cv2.filter2D(body, -1, kernel, borderType=cv2.BORDER_CONSTANT))
        tail = _bytes(cv2.filter2D(tail, -1, kernel, borderType=cv2.BORDER_CONSTANT))
    if coat.edge_px > 0:
        body = _softened(body, coat.edge_px)
    moments = cv2.moments(body)
    under = picture[place].astype(np.float32)
    if coat.shadow > 0:
        under *= 1 - np.float32(coat.shadow / 255) * _shadow(body, coat)[cut]
    shine = light[place]
    under += (np.float32(coat.tail) * shine - under) * (tail[cut] * np.float32(0.9 / 255))
    under += (_tones(shapes, frame, coat)[cut] * shine - under) * (body[cut] * np.float32(1 / 255))
    if hide is not None:
        under += (picture[place] - under) * (hide[place] * np.float32(1 / 255))
    picture[place] = cv2.convertScaleAbs(under)
    if chroma is not None:
        _grey_out(chroma, np.maximum(body[cut], tail[cut]), place[1].start, place[0].start)
    if moments["m00"] == 0:
        return BodyMoments(np.nan, np.nan, 0.0)
    area = moments["m00"]
    return BodyMoments(x0 + moments["m10"] / area, y0 + moments["m01"] / area, area / 255.0)


def draw_reflection(
    picture: Bytes, shapes: MouseShapes, frame: int, coat: Coat, light: Floats, *, wall: Bytes, strength: float
) -> None:
    """Draw the mirror image of a mouse in a wall, in place; ``wall`` (H, W) is 255 where the wall is seen."""
    x0, y0, width, height = shapes.window[frame].tolist()
    place, cut = _overlap(x0, y0, width, height, picture.shape)
    if cut is None:
        return
    image = np.zeros((height, width), np.uint8)
    for polygon, value in ((shapes.tail, 150), (shapes.image, 255)):
        cv2.fillPoly(image, [polygon[frame]], value, cv2.LINE_AA, _SHIFT)
    image = _softened(image, coat.edge_px + 0.8)
    share = image[cut] * (wall[place] * np.float32(strength / 255**2))
    under = picture[place].astype(np.float32)
    under += (np.float32(coat.body) * light[place] - under) * share
    picture[place] = cv2.convertScaleAbs(under)


def _overlap(
    x0: int, y0: int, width: int, height: int, size: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice] | None]:
    """Part of the picture under the window, and the same part of the window (None where there is none)."""
    left, top = max(x0, 0), max(y0, 0)
    right, bottom = min(x0 + width, size[1]), min(y0 + height, size[0])
    place = (slice(top, bottom), slice(left, right))
    if right <= left or bottom <= top:
        return place, None
    return place, (slice(top - y0, bottom - y0), slice(left - x0, right - x0))


def _softened(cover: Bytes, sd_px: float) -> Bytes:
    """Coverage with a soft edge; the blur is cut off at 1.8 SD or more, where it no longer shows, to save time."""
    width = 3 if sd_px < 0.8 else 5 if sd_px < 1.4 else 0
    return _bytes(cv2.GaussianBlur(cover, (width, width), sd_px, borderType=cv2.BORDER_CONSTANT))


def _body_coverage(shapes: MouseShapes, frame: int) -> Bytes:
    """Share of each pixel of the window that the body covers, 0 to 255."""
    width, height = shapes.window[frame, 2:].tolist()
    fine = np.zeros((height * _SUPERSAMPLE, width * _SUPERSAMPLE), np.uint8)
    for polygon in shapes.solid:
        cv2.fillPoly(fine, [polygon[frame]], 255, cv2.LINE_8, _SHIFT)
    return _bytes(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA))


def _tail_coverage(shapes: MouseShapes, frame: int) -> Bytes:
    width, height = shapes.window[frame, 2:].tolist()
    cover = np.zeros((height, width), np.uint8)
    cv2.fillPoly(cover, [shapes.tail[frame]], 255, cv2.LINE_AA, _SHIFT)
    return cover


def _tones(shapes: MouseShapes, frame: int, coat: Coat) -> Floats:
    """Brightness of the mouse at each pixel of the window, 0 to 1."""
    width, height = shapes.window[frame, 2:].tolist()
    tone = np.full((height, width), round(255 * coat.body), np.uint8)
    for value, polygon in shapes.patches:
        cv2.fillPoly(tone, [polygon[frame]], value, cv2.LINE_AA, _SHIFT)
    return np.asarray(cv2.blur(tone, (3, 3)) * np.float32(1 / 255), dtype=np.float32)


def _shadow(body: Bytes, coat: Coat) -> Bytes:
    """The body's coverage moved aside by whole pixels and blurred."""
    moved = np.zeros_like(body)
    (right, left), (below, above) = (_moved(round(shift)) for shift in coat.shadow_px)
    moved[below, right] = body[above, left]
    return _bytes(cv2.blur(cv2.blur(moved, (5, 5)), (5, 5)))


def _moved(shift: int) -> tuple[slice, slice]:
    """Where to, and where from, a row of pixels goes that is moved by ``shift``."""
    there, back = slice(max(shift, 0), min(shift, 0) or None), slice(max(-shift, 0), min(-shift, 0) or None)
    return there, back


def _motion_kernel(across_px: float, down_px: float) -> Floats:
    """Kernel of a straight movement while the shutter is open, symmetrical, sum 1."""
    half = int(np.ceil(max(abs(across_px), abs(down_px)) / 2))
    part = np.linspace(-0.5, 0.5, 4 * half + 1)
    x, y = half + part * across_px, half + part * down_px
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    kernel = np.zeros((2 * half + 2, 2 * half + 2))
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        np.add.at(kernel, (top + dy, left + dx), (1 - abs(x - left - dx)) * (1 - abs(y - top - dy)))
    kernel = kernel[: 2 * half + 1, : 2 * half + 1]
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def _grey_out(chroma: tuple[Bytes, Bytes], coverage: Bytes, left: int, top: int) -> None:
    """Take the colour away where the mouse is."""
    share = coverage[top % 2 :: 2, left % 2 :: 2] * np.float32(1 / 255)
    left, top = (left + left % 2) // 2, (top + top % 2) // 2
    for plane in chroma:
        place = plane[top : top + share.shape[0], left : left + share.shape[1]]
        part = share[: place.shape[0], : place.shape[1]]
        place[...] = (place + (128 - place.astype(np.float32)) * part + 0.5).astype(np.uint8)


def _bytes(values: object) -> Bytes:
    return np.asarray(values, dtype=np.uint8)
