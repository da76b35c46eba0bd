"""What the one subject of a recording looks like: darker or lighter than its floor, how dark, how large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.background import gains, high_level

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

__all__ = ["Appearance", "Spot", "contrast_spot", "learn_appearance"]

#: A contrast counts when it stands this many grey levels above the scene, and this many times above the noise.
MIN_CONTRAST = 12.0
NOISE_TIMES = 5.0
#: Share of the pictures in which something must have been seen at changing places to be the subject by its movement.
MOVED = 0.2
#: Shares of the floor's area that a mouse can cover; recordings of a whole rack or of a nose are not of one mouse.
MIN_SHARE, MAX_SHARE = 0.0008, 0.12


@dataclass(frozen=True)
class Spot:
    """Most contrasting thing in a picture: (H, W) mask, level inside, contrast to its ring, area in px."""

    mask: Image
    level: float
    contrast: float
    area: float

    @property
    def length(self) -> float:
        """Length in px of the ellipse with the same second moments."""
        import cv2

        m = cv2.moments(self.mask, binaryImage=True)
        a, b, c = m["mu20"] / m["m00"], m["mu11"] / m["m00"], m["mu02"] / m["m00"]
        return float(4 * np.sqrt((a + c) / 2 + np.hypot((a - c) / 2, b)))


@dataclass(frozen=True)
class Appearance:
    """The subject in the sampled pictures.

    Attributes
    ----------
    dark
        Whether it is darker than its floor.
    level
        Its brightness (of the inverted picture for a light subject).
    area_px, length_px
        Of its silhouette, in px of the pictures given.
    seen
        (K,) whether it was found in each picture.
    moved
        Share of the pictures in which it was found by its movement.
    masks
        (K, H, W) where; in the pictures in which it was not found, 0.
    still
        (H, W) where it sat in all pictures without ever leaving, else None.
    high
        (H, W) bright side of each pixel, the subject taken out where it never left.
    """

    dark: bool
    level: float
    area_px: float
    length_px: float
    seen: npt.NDArray[np.bool_]
    moved: float
    masks: Image
    still: Image | None
    high: Image


def learn_appearance(stack: Image, inside: Image, *, dark: bool | None = None) -> Appearance | None:
    """The subject's appearance from pictures spread over a recording, without any setting.

    For both polarities, the most contrasting spot against the scene is cut out of every picture at half its contrast.
    What is a subject also stands out from its surroundings *within* the picture; where it has just left, or where the
    scene is wrong, nothing does. The polarity with more of that contrast is taken. A subject that never moved is part
    of the scene: it is then looked for as the spot of the scene that stands out from its surroundings.

    Parameters
    ----------
    stack
        (K, H, W) small pictures.
    inside
        (H, W) nonzero where the subject can be.
    dark
        Polarity, if known.

    Returns
    -------
    Appearance or None
        None where nothing stands out.
    """
    found = []
    for polarity in (True, False) if dark is None else (dark,):
        pictures = stack if polarity else 255 - stack
        result = _learn_one(pictures, inside, polarity)
        if result is not None:
            found.append(result)
    if not found:
        return None
    return max(found, key=lambda pair: pair[0])[1]


def _learn_one(pictures: Image, inside: Image, dark: bool) -> tuple[float, Appearance] | None:
    """Strength of the contrast and the appearance under one polarity."""
    gain = gains(pictures, inside)
    high = high_level(pictures, gain)
    spots = [
        contrast_spot(np.clip(high * g, 0, 255), picture, inside) for g, picture in zip(gain, pictures, strict=True)
    ]
    seen = _consensus(spots)
    spots = _completed(spots, seen, pictures)
    alike = [spot for spot, ok in zip(spots, seen, strict=True) if ok and spot is not None]
    still = _still_spot(high, inside, alike) if seen.mean() < 0.5 else None
    if not alike and still is None:
        return None
    masks = np.zeros_like(pictures)
    for k, spot in enumerate(spots):
        if seen[k] and spot is not None:
            masks[k] = _whole(spot, pictures[k], 3)
        elif still is not None:
            masks[k] = still.mask
    high = _uncovered(pictures, gain, masks, high)
    chosen = alike or [spot for spot in (still,) if spot is not None]
    level, area, length, contrast = (
        float(np.median([getattr(spot, name) for spot in chosen])) for name in ("level", "area", "length", "contrast")
    )
    # Relative contrast: 30 on 170 is more than 170 on 230, though the difference is nearly the same.
    strength = contrast / (contrast + level + 1)
    # What moves goes before what may be the subject but could as well be part of the box.
    moved = seen.mean() >= MOVED
    appearance = Appearance(
        dark=dark,
        level=level,
        area_px=area,
        length_px=length,
        seen=seen | (still is not None),
        moved=float(seen.mean()),
        masks=masks,
        still=None if still is None else still.mask,
        high=high,
    )
    return strength * seen.mean() + 1 if moved else strength, appearance


def contrast_spot(scene: npt.NDArray[np.float64] | Image, picture: Image, inside: Image) -> Spot | None:
    """Most contrasting dark spot of a picture against the scene, cut out at half its contrast.

    Parameters
    ----------
    scene
        (H, W) level without the subject.
    picture
        (H, W) picture.
    inside
        (H, W) nonzero where to look.

    Returns
    -------
    Spot or None
        None where nothing stands out of the noise.
    """
    import cv2

    below = np.asarray(scene, np.float32) - picture
    below[inside == 0] = 0
    size = max(3, round(0.015 * max(picture.shape)))
    smooth = cv2.blur(below, (size, size))
    peak = float(smooth.max())
    noise = 1.48 * float(np.median(np.abs(below[inside > 0]))) if inside.any() else 0.0
    if peak < max(MIN_CONTRAST, NOISE_TIMES * noise / size):
        return None
    y, x = np.unravel_index(int(smooth.argmax()), smooth.shape)
    edge = (cv2.blur(below, (3, 3)) > 0.5 * peak).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(edge)
    label = labels[y, x]
    area = float(stats[label, cv2.CC_STAT_AREA])
    floor = float((inside > 0).sum())
    if label == 0 or not MIN_SHARE * floor <= area <= MAX_SHARE * floor:
        return None
    mask = (labels == label).astype(np.uint8)
    return _spot(mask, picture, area)


def _spot(mask: Image, picture: Image, area: float) -> Spot:
    import cv2

    reach = 2 * max(2, int(np.sqrt(area) / 3)) + 1
    ring = cv2.dilate(mask, np.ones((reach, reach), np.uint8)) - cv2.dilate(mask, np.ones((3, 3), np.uint8))
    level = float(np.median(picture[mask > 0]))
    around = float(np.median(picture[ring > 0])) if ring.any() else level
    return Spot(mask, level, around - level, area)


def _consensus(spots: list[Spot | None]) -> npt.NDArray[np.bool_]:
    """Which spots are of one kind: contrast, level and size near those of the more contrasting half."""
    strong = np.array([spot.contrast if spot is not None else 0.0 for spot in spots])
    if strong.max(initial=0) < MIN_CONTRAST:
        return np.zeros(len(spots), dtype=bool)
    best = [spots[int(k)] for k in np.argsort(-strong, kind="stable")[: max(1, int((strong > 0).sum() + 1) // 2)]]
    level, area, contrast = (
        float(np.median([getattr(spot, name) for spot in best])) for name in ("level", "area", "contrast")
    )
    return np.array(
        [
            spot is not None
            and area / 3 <= spot.area <= 3 * area
            and spot.contrast >= 0.4 * contrast
            and abs(spot.level - level) <= max(0.5 * contrast, 8)
            for spot in spots
        ]
    )


def _still_spot(high: Image, inside: Image, known: list[Spot]) -> Spot | None:
    """The subject as part of the scene: a spot that stands out from its surroundings; like ``known`` ones if any."""
    import cv2

    side = float(np.sqrt((inside > 0).sum()))
    found = []
    for share in (0.12, 0.2, 0.3):
        size = 2 * int(share * side / 2) + 1
        around = cv2.morphologyEx(high, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
        spot = contrast_spot(around, high, inside)
        if spot is not None and spot.contrast >= MIN_CONTRAST:
            found.append(spot)
    if known:
        level, area = np.median([s.level for s in known]), np.median([s.area for s in known])
        contrast = np.median([s.contrast for s in known])
        found = [s for s in found if abs(s.level - level) <= 0.35 * contrast and area / 2.5 <= s.area <= 2.5 * area]
    return max(found, key=lambda spot: spot.contrast) if found else None


def _completed(spots: list[Spot | None], seen: npt.NDArray[np.bool_], pictures: Image) -> list[Spot | None]:
    """Spots grown to whole animals where most are parts of one: what sits still moves in parts only."""
    wholes = [
        _spot(mask, picture, float(mask.sum()))
        for spot, ok, picture in zip(spots, seen, pictures, strict=True)
        if ok and spot is not None
        for mask in (_whole(spot, picture, 10),)
    ]
    parts = [spot for spot, ok in zip(spots, seen, strict=True) if ok and spot is not None]
    if not parts:
        return spots
    areas = np.array([whole.area for whole in wholes])
    growth = areas / [part.area for part in parts]
    alike = np.abs(areas / np.median(areas) - 1) < 0.25
    if np.median(growth) < 1.5 or alike.mean() < 0.75:
        return spots
    grown = iter(wholes)
    return [next(grown) if ok and spot is not None else spot for spot, ok in zip(spots, seen, strict=True)]


def _whole(spot: Spot, picture: Image, times: float) -> Image:
    """Spot grown to all that is as dark and connected, up to some times its area: there the scene may be wrong."""
    import cv2

    dark = (picture < spot.level + 0.5 * spot.contrast).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark)
    inside = labels[(spot.mask > 0) & (dark > 0)]
    if not inside.size:
        return spot.mask
    label = int(np.bincount(inside).argmax())
    if stats[label, cv2.CC_STAT_AREA] > times * spot.area:
        return spot.mask
    grown: Image = np.maximum(spot.mask, (labels == label).astype(np.uint8))
    return grown


def _uncovered(pictures: Image, gain: npt.NDArray[np.float64], masks: Image, high: Image) -> Image:
    """Bright side of each pixel where the subject is not; filled from around where it was in all pictures."""
    import cv2

    edge = np.ones((5, 5), np.uint8)
    covered: Image = np.stack([cv2.dilate(mask, edge) for mask in masks]) > 0
    free = (~covered).sum(axis=0)
    brightest = np.where(covered, 0, pictures / gain[:, np.newaxis, np.newaxis]).max(axis=0)
    few = (free > 0) & (free < 4)
    level: Image = np.where(few, np.clip(brightest, 0, 255), high).astype(np.uint8)
    never = (free == 0).astype(np.uint8)
    if never.any():
        level = _filled(level, never)
    return level


def _filled(scene: Image, mask: Image) -> Image:
    """Scene with the masked part replaced from around it."""
    import cv2

    filled: Image = cv2.inpaint(scene, mask, 3, cv2.INPAINT_TELEA)
    return filled
