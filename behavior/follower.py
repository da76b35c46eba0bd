"""Find the subject in one frame after the other, and watch the whole floor for anything else that moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.scene import Scene
from behavior.silhouette import Blob, Outline, find_blobs, outline

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

__all__ = ["COLUMNS", "Follower", "nothing"]

SEEN, NOT_FOUND, MERGED, WRONG_SIZE = 0, 1, 2, 3
#: Smallest silhouette, relative to the subject's usual one, that can be the subject.
SMALLEST = 0.3
#: A subject that was followed up to now may be hidden further, behind a wall or in a corner.
SMALLEST_FOLLOWED = 0.12
#: Body lengths per second that a mouse can move.
TOP_SPEED = 15.0
#: The scene is brought up to date this often, by this share.
UPDATE_EVERY_S, UPDATE_WEIGHT = 2.0, 0.1
#: Things smaller than this share of the subject do not count as moving.
OTHER_SHARE = 0.06
#: Numbers that a look gives.
COLUMNS = 20
_NAN = float("nan")


def nothing(note: int = NOT_FOUND, other_area: float = 0.0) -> tuple[float, ...]:
    """Row of a frame in which the subject is not told."""
    return (float(note), other_area, 0.0) + (_NAN,) * (COLUMNS - 3)


class Follower:
    """Finds the subject in one frame after the other."""

    def __init__(self, scene: Scene, *, follow: bool) -> None:
        self._scene = scene
        self._follow = follow
        self._half = np.full_like(scene.floor, 127)
        self._small_per_work = (scene.scale / scene.step) ** 2
        self._points = np.flatnonzero(scene.floor)[:: max(1, int((scene.floor > 0).sum() // 300))]
        self._renew_small()
        self._place: tuple[float, float] | None = None
        self._velocity = (0.0, 0.0)
        self._time_s = 0.0
        self._updated_s = 0.0
        self._level = scene.subject_level

    def look(self, luma: Image, time_s: float) -> tuple[float, ...]:
        """One row: note, other area, confidence, then the outline in full px; NaN where not seen."""
        scene = self._scene
        part = scene.cut(luma)
        small = scene.watch(part)
        gain = self._gain(small)
        note, found = NOT_FOUND, None
        if self._place is not None and self._follow:
            note, found = self._in_window(part, gain, time_s)
        if found is None:
            note, found = self._search(part, gain, time_s)
        other = self._other(small, gain, found)
        if self._follow:
            self._remember(found, time_s)
            self._update(part, gain, time_s, found)
        if found is None:
            return nothing(note, other)
        return (float(SEEN), other, found.confidence, *found.row(scene))

    def _gain(self, small: Image) -> float:
        ratio = small.ravel()[self._points] / self._small_values
        middle = len(ratio) // 2
        gain = float(np.partition(ratio, middle)[middle]) if middle else 1.0
        return gain if 0.3 < gain < 3 else 1.0

    def _in_window(self, part: Image, gain: float, time_s: float) -> tuple[int, _Found | None]:
        """The subject near where it was."""
        scene = self._scene
        step_s = max(time_s - self._time_s, 1e-3)
        place = self._place or (0.0, 0.0)
        ahead = (place[0] + self._velocity[0] * step_s, place[1] + self._velocity[1] * step_s)
        reach = 1.5 * scene.length
        for _ in range(2):
            picture, background, left, top = self._window(part, ahead, reach)
            if picture.size == 0:
                return NOT_FOUND, None
            look = {"level": self._level, "length": scene.length, "gain": gain}
            blobs = find_blobs(picture, background, **look, min_area=SMALLEST_FOLLOWED * scene.area)
            chosen = self._choose(blobs, (ahead[0] - left, ahead[1] - top))
            if chosen is None:
                return NOT_FOUND, None
            blob = chosen
            if not self._cut_off(blob, left, top):
                break
            ahead, reach = (blob.x + left, blob.y + top), 1.8 * scene.length
        if blob.area > scene.largest:
            return self._split(picture, background, blob, look, (left, top))
        return SEEN, self._measure(picture, background, blob, look, (left, top))

    def _window(self, part: Image, place: tuple[float, float], reach: float) -> tuple[Image, Image, int, int]:
        scene, level = self._scene, self._scene.background.level
        left, top = max(0, int(place[0] - reach)), max(0, int(place[1] - reach))
        right, bottom = min(level.shape[1], int(place[0] + reach) + 1), min(level.shape[0], int(place[1] + reach) + 1)
        if right - left < 4 or bottom - top < 4:
            return level[:0], level[:0], 0, 0
        s = scene.scale
        picture = scene.shrink(part[top * s : bottom * s, left * s : right * s])
        return picture, level[top:bottom, left:right], left, top

    def _cut_off(self, blob: Blob, left: int, top: int) -> bool:
        """Whether the window's edge, and not the picture's, cuts the blob."""
        rows, columns = self._scene.background.level.shape
        right, bottom = left + blob.mask.shape[1], top + blob.mask.shape[0]
        return (
            (blob.left <= 0 < left)
            or (blob.top <= 0 < top)
            or (blob.left + blob.width >= blob.mask.shape[1] and right < columns)
            or (blob.top + blob.height >= blob.mask.shape[0] and bottom < rows)
        )

    def _choose(self, blobs: list[Blob], near: tuple[float, float] | None) -> Blob | None:
        """The blob most like the subject in size and, if that is known, place."""
        scene = self._scene

        def cost(blob: Blob) -> float:
            size = abs(math.log(blob.area / scene.area))
            away = 0.0 if near is None else math.hypot(blob.x - near[0], blob.y - near[1]) / scene.length
            return size + 2 * away

        return min(blobs, key=cost) if blobs else None

    def _search(self, part: Image, gain: float, time_s: float) -> tuple[int, _Found | None]:
        """The subject anywhere on the floor."""
        scene = self._scene
        picture, background = scene.shrink(part), scene.background.level
        picture = picture[: background.shape[0], : background.shape[1]]
        look = {"level": scene.subject_level, "length": scene.length, "gain": gain}
        blobs = find_blobs(picture, background, **look, min_area=SMALLEST * scene.area)
        fitting = [b for b in blobs if b.area <= scene.largest and self._dark_enough(picture, b, gain)]
        near = self._place if self._follow else None
        if near is not None:
            reach = scene.length * (1 + TOP_SPEED * (time_s - self._time_s))
            close = [b for b in fitting if math.hypot(b.x - near[0], b.y - near[1]) < reach]
            # Frames may be missing: a single thing of the right size is the subject wherever it is.
            fitting = close or [b for b in fitting if len(fitting) == 1 and b.area > scene.area / 2]
            near = None if reach > 4 * scene.length else near
        blob = self._choose(fitting, near)
        if blob is not None:
            return SEEN, self._measure(picture, background, blob, look, (0, 0))
        large = [b for b in blobs if b.area > scene.largest]
        if large:
            return self._split(picture, background, large[0], look, (0, 0))
        return (WRONG_SIZE if blobs else NOT_FOUND), None

    def _dark_enough(self, picture: Image, blob: Blob, gain: float) -> bool:
        import cv2

        mean = cv2.mean(picture, mask=blob.mask)[0] / gain
        return bool(mean <= self._scene.subject_level + self._scene.level_tolerance)

    def _split(
        self, picture: Image, background: Image, blob: Blob, look: dict[str, float], corner: tuple[int, int]
    ) -> tuple[int, _Found | None]:
        """The subject within something larger, a hand or a reflection, where it is the darker part of it."""
        import cv2

        only = cv2.bitwise_and(background, cv2.dilate(blob.mask, np.ones((3, 3), np.uint8)))
        for share in (0.8, 0.9):
            inner = find_blobs(picture, only, **look, share=share, min_area=0.4 * self._scene.area)
            inner = [b for b in inner if b.area <= 1.4 * self._scene.area]
            if len(inner) == 1:
                return SEEN, self._measure(picture, only, inner[0], look, corner)
        return MERGED, None

    def _measure(
        self, picture: Image, background: Image, blob: Blob, look: dict[str, float], corner: tuple[int, int]
    ) -> _Found:
        shape = outline(picture, background, blob, **look)
        size = math.log(blob.area / self._scene.area)
        contrast = self._scene.background.contrast
        pale = max(0.0, shape.level / look["gain"] - self._scene.subject_level) / contrast
        confidence = math.exp(-0.5 * (size / 0.6) ** 2) * max(0.0, 1 - pale)
        return _Found(shape, blob, corner[0], corner[1], min(1.0, confidence), look["gain"])

    def _other(self, small: Image, gain: float, found: _Found | None) -> float:
        """Area in full px² of what else stands out on the floor, darker or lighter."""
        import cv2

        expected = self._small_level if abs(gain - 1) < 0.01 else cv2.convertScaleAbs(self._small_level, alpha=gain)
        moving = cv2.compare(cv2.absdiff(small, expected), self._small_limit, cv2.CMP_GT)
        if found is not None:
            ratio = self._scene.scale / self._scene.step
            margin = 0.3 * self._scene.length
            left, top = found.blob.left + found.left - margin, found.blob.top + found.top - margin
            right, bottom = left + found.blob.width + 2 * margin, top + found.blob.height + 2 * margin
            moving[
                max(0, int(top * ratio)) : max(0, int(bottom * ratio) + 1),
                max(0, int(left * ratio)) : max(0, int(right * ratio) + 1),
            ] = 0
        least = OTHER_SHARE * self._scene.area * self._small_per_work
        if cv2.countNonZero(cv2.bitwise_and(moving, self._scene.floor)) < least:
            return 0.0
        # Tails and the wires of the enclosure are thinner than a px of the small picture.
        moving = cv2.compare(cv2.blur(moving, (3, 3)), self._half, cv2.CMP_GT)
        area = cv2.countNonZero(cv2.bitwise_and(moving, self._scene.floor))
        return float(area * self._scene.step**2) if area >= least else 0.0

    def _remember(self, found: _Found | None, time_s: float) -> None:
        if found is None:
            self._velocity = (0.0, 0.0)
            return
        place = (found.shape.x + found.left, found.shape.y + found.top)
        if self._place is not None:
            step_s = max(time_s - self._time_s, 1e-3)
            jump = math.hypot(place[0] - self._place[0], place[1] - self._place[1])
            steady = jump < TOP_SPEED * self._scene.length * step_s
            self._velocity = (
                ((place[0] - self._place[0]) / step_s, (place[1] - self._place[1]) / step_s) if steady else (0.0, 0.0)
            )
        self._place, self._time_s = place, time_s
        scene = self._scene
        bright = found.shape.level / found.gain
        self._level += 0.1 * (bright - self._level)
        self._level = min(self._level, scene.subject_level + scene.level_tolerance)

    def _update(self, part: Image, gain: float, time_s: float, found: _Found | None) -> None:
        """Let the scene follow slow changes of light and bedding, away from the subject."""
        import cv2

        if time_s - self._updated_s < UPDATE_EVERY_S or found is None:
            return
        self._updated_s = time_s
        scene = self._scene
        picture = scene.shrink(part)[: scene.inside.shape[0], : scene.inside.shape[1]]
        if abs(gain - 1) > 0.01:
            picture = cv2.convertScaleAbs(picture, alpha=1 / gain)
        free = scene.inside.copy()
        margin = int(1.2 * scene.length)
        left, top = found.blob.left + found.left, found.blob.top + found.top
        free[
            max(0, top - margin) : top + found.blob.height + margin,
            max(0, left - margin) : left + found.blob.width + margin,
        ] = 0
        scene.background.update(picture, UPDATE_WEIGHT, free)
        self._renew_small()

    def _renew_small(self) -> None:
        import cv2

        scene = self._scene
        # Where the scene is as dark as the subject its level is 0: nothing is watched there.
        level = cv2.resize(scene.background.level, scene.floor.shape[::-1], interpolation=cv2.INTER_AREA)
        self._small_level: Image = level
        limit = 0.5 * (level.astype(np.float32) - scene.subject_level)
        limit[limit < 0.125 * scene.background.contrast] = 255
        self._small_limit: Image = cv2.convertScaleAbs(limit)
        self._small_values = np.maximum(level.ravel()[self._points], 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Found:
    """Outline of the subject in a window that begins at working px (left, top)."""

    shape: Outline
    blob: Blob
    left: int
    top: int
    confidence: float
    gain: float

    def row(self, scene: Scene) -> tuple[float, ...]:
        s = self.shape
        points = (s.front, s.back, s.front_base, s.back_base, s.root)
        full = [scene.to_full(x + self.left, y + self.top) for x, y in ((s.x, s.y), *points)]
        flat = [value for point in full for value in point]
        return (*flat, s.area * scene.scale**2, s.angle, s.elongation, s.skew, s.tail)
