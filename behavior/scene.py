"""What a recording shows, learned from a few frames: the empty scene, the subject, the sizes to work at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.appearance import Appearance, learn_appearance
from behavior.background import Background, gains, level_without, levelled
from behavior.outlines import Silhouette, outlines
from behavior.region import Region, box_within, open_floor, polygon_mask
from behavior.silhouette import find_blobs, make_cuts

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

__all__ = ["Scene", "learn_scene"]

#: Longest side, in px, of the pictures that the appearance is learned from.
LEARN_SIDE = 240
#: The picture is halved while the body stays at least this long, px: finer px add time, not accuracy.
WORK_LENGTH = 32
#: Length of the body, in px, in the small picture that the whole floor is watched with.
WATCH_LENGTH = 14


@dataclass(frozen=True, eq=False)
class Scene:
    """The scene of one recording; lengths in px at working resolution unless the name says otherwise.

    Attributes
    ----------
    dark
        Whether the subject is darker than its floor; if not, pictures are inverted before use.
    x0, y0, x1, y1
        Part of the full picture that is looked at, px.
    scale
        Full px per working px, a power of 2.
    step
        Full px per px of the small picture that watches the whole floor.
    background
        The empty scene.
    inside
        (H, W) 255 where the silhouette may lie.
    floor
        (h, w) 255 on the floor outside the enclosure, in the small picture.
    subject_level, area, length
        The subject: brightness, area of its core, length.
    largest
        Area of the largest core that can be the subject.
    noise
        Standard deviation of a pixel of the full picture about the scene, grey levels.
    level_tolerance
        How far its brightness may lie above ``subject_level``.
    seen
        Share of the samples in which the subject was found at changing places.
    """

    dark: bool
    x0: int
    y0: int
    x1: int
    y1: int
    scale: int
    step: int
    background: Background
    inside: Image
    floor: Image
    subject_level: float
    area: float
    length: float
    largest: float
    noise: float
    level_tolerance: float
    seen: float = 1.0

    def cut(self, luma: Image) -> Image:
        """Part of a full picture that is looked at; not inverted."""
        return luma[self.y0 : self.y1, self.x0 : self.x1]

    def shrink(self, part: Image) -> Image:
        """A part of the full picture at working resolution, the subject dark."""
        import cv2

        rows, columns = part.shape
        part = part[: rows - rows % self.scale, : columns - columns % self.scale]
        if self.scale == 1 and self.dark:
            # What is kept of a picture must not be part of the decoder's memory, which the next picture overwrites.
            return part.copy()
        # Halving is several times as fast as any other step.
        for _ in range(self.scale.bit_length() - 1):
            part = cv2.resize(part, (part.shape[1] // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA)
        return part if self.dark else cv2.bitwise_not(part)

    def watch(self, part: Image) -> Image:
        """The looked-at part as a small picture, the subject dark: single pixels, which is quick."""
        import cv2

        rows, columns = self.floor.shape
        half = self.step // 2
        small = np.ascontiguousarray(part[half :: self.step, half :: self.step][:rows, :columns])
        return small if self.dark else cv2.bitwise_not(small)

    def to_full(self, x: float, y: float) -> tuple[float, float]:
        """Full-picture px of a working px; whole numbers are pixel centres in both."""
        return (x + 0.5) * self.scale - 0.5 + self.x0, (y + 0.5) * self.scale - 0.5 + self.y0


def learn_scene(pictures: Sequence[Image], region: Region, *, dark: bool | None = None) -> Scene | None:
    """Learn the scene from full pictures spread over a recording.

    Parameters
    ----------
    pictures
        (H, W) luma of at least one frame; a dozen or more is better.
    region
        Floor and enclosure.
    dark
        Polarity, if known.

    Returns
    -------
    Scene or None
        None where nothing stands out from the scene in any of the pictures.
    """
    import cv2

    shape = pictures[0].shape
    x0, y0, x1, y1 = _bounds(region, (shape[0], shape[1]))
    parts = [picture[y0:y1, x0:x1] for picture in pictures]
    height, width = parts[0].shape
    reduce = min(1.0, LEARN_SIDE / max(height, width))
    size = (max(8, round(width * reduce)), max(8, round(height * reduce)))
    stack = np.stack([cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in parts])
    moved = region.seen_from(x0, y0)
    free = open_floor(moved, (size[1], size[0]), scale=size[0] / width)
    appearance = learn_appearance(stack, free, dark=dark)
    if appearance is None:
        return None
    gain = gains(stack, free)
    length_full = appearance.length_px / (size[0] / width)
    scale = 2 ** max(0, int(np.log2(max(length_full / WORK_LENGTH, 1))))
    step = max(1, 2 * round(length_full / WATCH_LENGTH / 2))
    background, inside = _background(parts, appearance, moved, scale, length_full)
    floor = open_floor(moved, (max(1, height // step), max(1, width // step)), scale=1 / step)
    scene = Scene(
        dark=appearance.dark,
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        scale=scale,
        step=step,
        background=background,
        inside=inside,
        floor=floor,
        subject_level=appearance.level,
        area=appearance.area_px * (length_full / scale / appearance.length_px) ** 2,
        length=length_full / scale,
        largest=2 * appearance.area_px * (length_full / scale / appearance.length_px) ** 2,
        level_tolerance=0.5 * background.contrast,
        noise=_noise(parts, gain),
        seen=appearance.moved,
    )
    return _measured(scene, parts, gain)


def _measured(scene: Scene, parts: Sequence[Image], gain: npt.NDArray[np.float64]) -> Scene:
    """The scene with the subject's area, length and brightness as the silhouettes of the samples have them."""
    import cv2

    rows = []
    cuts = make_cuts(scene.background.level, scene.subject_level)
    for part, g in zip(parts, gain, strict=True):
        picture = levelled(scene.shrink(part), float(g))
        blobs = find_blobs(picture, cuts.core, length=scene.length, min_area=scene.area / 4)
        blobs = [blob for blob in blobs if blob.area < 2.5 * scene.area]
        if blobs:
            best = min(blobs, key=lambda blob: abs(np.log(blob.area / scene.area)))
            shape = outlines([Silhouette(picture, cuts, best)], length=scene.length)
            brightness = cv2.mean(picture, mask=best.mask)[0]
            rows.append((best.area, np.hypot(*(shape.front - shape.back)[0]), brightness))
    if not rows:
        return scene
    area, length, level = np.median(rows, axis=0)
    alike = [row for row in rows if area / 2 < row[0] < 2 * area]
    spread = max(max(row[2] for row in alike) - level, 0.0)
    # A stretched or overexposed subject covers more than it did in any sample; two of them, or a hand, far more.
    largest = np.clip(1.25 * max(row[0] for row in alike), 1.8 * area, 2.5 * area)
    return replace(
        scene,
        area=float(area),
        length=float(length),
        largest=float(largest),
        subject_level=float(level),
        level_tolerance=min(spread + 0.1 * scene.background.contrast, 0.5 * scene.background.contrast),
    )


def _noise(parts: Sequence[Image], gain: npt.NDArray[np.float64]) -> float:
    """Robust standard deviation of single pixels over the samples, brightness taken out."""
    points = slice(3, None, 7)
    values = np.stack([part[points, points].ravel() / g for part, g in zip(parts, gain, strict=True)])
    return 1.4826 * float(np.median(np.abs(values - np.median(values, axis=0))))


def _bounds(region: Region, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Box around the floor with a tenth of its side on each side, within the picture."""
    if region.floor_px is None:
        return 0, 0, shape[1], shape[0]
    low, high = region.floor_px.min(axis=0), region.floor_px.max(axis=0)
    margin = 0.1 * float(np.sqrt(np.prod(high - low)))
    return box_within(np.floor(low - margin), np.ceil(high + margin), shape)


def _background(
    parts: Sequence[Image], appearance: Appearance, region: Region, scale: int, length_full: float
) -> tuple[Background, Image]:
    """The empty scene at working resolution, and where the silhouette may lie."""
    import cv2

    height, width = (side // scale for side in parts[0].shape)
    work = np.stack(
        [
            cv2.resize(part[: height * scale, : width * scale], (width, height), interpolation=cv2.INTER_AREA)
            for part in parts
        ]
    )
    if not appearance.dark:
        work = 255 - work
    length = length_full / scale
    # A body leaning on the wall lies partly off the floor; a third of its length is as far as it gets.
    reach = 2 * round(length / 3) + 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    inside: Image = polygon_mask(region.floor_px, (height, width), scale=1 / scale)
    if region.floor_px is not None:
        inside = cv2.dilate(inside, around)
    if region.enclosure_px is not None:
        inside[polygon_mask(region.enclosure_px, (height, width), scale=1 / scale) > 0] = 0
    # The tail reaches about a body length beyond the body.
    near = 2 * round(0.35 * appearance.length_px) + 1
    masks = np.stack(
        [
            cv2.resize(cv2.dilate(m, np.ones((near, near), np.uint8)), (width, height), interpolation=cv2.INTER_NEAREST)
            for m in appearance.masks
        ]
    )
    high = cv2.resize(appearance.high, (width, height), interpolation=cv2.INTER_LINEAR)
    gain = gains(work, inside)
    # Hands, too, and whatever else comes and goes as dark as half the subject is not the empty scene.
    dark = max(0.35 * float(np.median(high[inside > 0]) - appearance.level), 1.0) if inside.any() else 255.0
    for mask, picture, g in zip(masks, work, gain, strict=True):
        mask[cv2.blur(cv2.subtract(high, levelled(picture, float(g))), (3, 3)) > dark] = 1
    level = level_without(work, gain, masks, high)
    return Background(level, appearance.level, inside), inside
