"""Find the subject in one frame after the other, and watch the whole floor for anything else that moves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from behavior.background import levelled
from behavior.outlines import Silhouette, outlines
from behavior.scene import Scene
from behavior.silhouette import Blob, Cuts, around, bounds, find_blobs, majority, make_cut, make_cuts

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]
    Box = tuple[float, float, float, float]
    Part = tuple[slice, slice]

__all__ = ["COLUMNS", "Follower", "Look", "rows_of"]

SEEN, NOT_FOUND, MERGED, WRONG_SIZE = 0, 1, 2, 3
#: Smallest silhouette, relative to the subject's usual one, that can be the subject.
SMALLEST = 0.3
#: A subject that was followed up to now may be hidden further, behind a wall or in a corner.
SMALLEST_FOLLOWED = 0.12
#: Margin of the window around where the subject's body is expected, body lengths: half of the tail; and a wider one.
REACH, FAR_REACH = 0.6, 0.9
#: Cuts deeper into the dark, tried where the silhouette is too large to be the subject alone.
DEEPER = (0.8, 0.9)
#: Points of the floor that the light is measured at.
GAIN_POINTS = 150
#: Body lengths per second that a mouse can move.
TOP_SPEED = 15.0
#: The scene is brought up to date this often, by this share.
UPDATE_EVERY_S, UPDATE_WEIGHT = 2.0, 0.1
#: Things smaller than this share of the subject do not count as moving.
OTHER_SHARE = 0.06
#: Body lengths around the subject in which nothing else is looked for, and in which its shadow may lie.
BESIDE, SHADOW = 0.3, 0.8
#: Contrast, as a share of the subject's, of what stands out, of pale things and of very pale ones; the least of the
#: last two in standard deviations of the noise; and how much larger they must be than things that stand out. What is
#: brighter than the floor cannot be a shadow, and counts as pale from the last limit on.
STRONG, PALE, PALER, PALE_NOISE, PALE_TIMES, PALER_TIMES = 0.5, 0.15, 0.08, 4.0, 4.0, 8.0
#: The scene of the small picture follows what has come to rest this often, by this share.
WATCH_EVERY_S, WATCH_WEIGHT = 0.5, 0.1
#: Time between two looks over the whole floor; where the subject has been alone for some time; and that time.
LOOK_AROUND_S, ALONE_LOOK_S, ALONE_S = 0.05, 0.25, 2.0
#: Numbers that a look amounts to.
COLUMNS = 18
#: Frames whose silhouettes are measured together.
TOGETHER = 64


class Found(NamedTuple):
    """The subject's silhouette in a window that begins at working px (left, top)."""

    silhouette: Silhouette
    left: int
    top: int
    brightness: float
    confidence: float

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the core in working px."""
        left, top, right, bottom = self.silhouette.blob.box
        return left + self.left, top + self.top, right + self.left, bottom + self.top


class Look(NamedTuple):
    """What one frame shows: why the subject is not told, area in full px² of what else moves, and the subject."""

    note: int
    other_area: float
    found: Found | None


def rows_of(looks: Sequence[Look], scene: Scene | None) -> Image:
    """(F, :data:`COLUMNS`) what looks amount to, float32.

    Note, other area, confidence; then in full px, x and y each: centre, front, back, front base, back base; area in
    full px²; angle, elongation, skew and tail. NaN from the centre on where the subject is not told.
    """
    rows = np.full((len(looks), COLUMNS), np.nan, np.float32)
    rows[:, 0] = [look.note for look in looks]
    rows[:, 1] = [look.other_area for look in looks]
    rows[:, 2] = 0
    seen = [(k, look.found) for k, look in enumerate(looks) if look.found is not None]
    if not seen or scene is None:
        return rows
    shapes = outlines([found.silhouette for _, found in seen], length=scene.length)
    corner = np.array([(found.left + 0.5, found.top + 0.5) for _, found in seen])
    points = (shapes.centre, shapes.front, shapes.back, shapes.front_base, shapes.back_base)
    full = [(point + corner) * scene.scale + (scene.x0 - 0.5, scene.y0 - 0.5) for point in points]
    told = (shapes.area * scene.scale**2, shapes.angle, shapes.elongation, shapes.skew, shapes.tail)
    confidence = np.array([found.confidence for _, found in seen])
    rows[[k for k, _ in seen], 2:] = np.column_stack([confidence, *full, *told])
    return rows


class Follower:
    """Follows the subject of one recording; keeps the scene up to date.

    Parameters
    ----------
    scene
        What was learned of the recording; its background changes while following.
    follow
        False where frames do not follow one another: each is then searched by itself.
    """

    def __init__(self, scene: Scene, *, follow: bool) -> None:
        self._scene = scene
        self._follow = follow
        self._least = OTHER_SHARE * scene.area * (scene.scale / scene.step) ** 2
        rows, columns = np.nonzero(scene.floor)
        every = max(1, len(rows) // GAIN_POINTS)
        self._points = rows[::every], columns[::every]
        self._points_px = tuple(scene.step * places + scene.step // 2 for places in self._points)
        self._place: tuple[float, float] | None = None
        self._box: Box = (0.0, 0.0, 0.0, 0.0)
        self._velocity = (0.0, 0.0)
        self._time_s = 0.0
        self._updated_s = 0.0
        self._level = scene.subject_level
        self._watched_s = 0.0
        self._other_s, self._other_area, self._company_s = -1.0, 0.0, 0.0
        self._watch: Image | None = None
        self._first_cuts: Cuts | None = None
        self._rested = scene.floor
        self._renew()

    def follow(self, pictures: Iterable[tuple[Image, float]]) -> Iterator[Image]:
        """Rows as :func:`rows_of` gives them, some frames at a time, of pictures and their times in s."""
        looks: list[Look] = []
        for luma, time_s in pictures:
            looks.append(self.look(luma, time_s))
            if len(looks) == TOGETHER:
                yield rows_of(looks, self._scene)
                looks.clear()
        if looks:
            yield rows_of(looks, self._scene)

    def look(self, luma: Image, time_s: float) -> Look:
        """What one frame shows."""
        part = self._scene.cut(luma)
        gain = self._gain(part)
        note, found, small = NOT_FOUND, None, None
        if self._place is not None and self._follow:
            note, found = self._in_window(part, gain, time_s)
        if found is None:
            small = levelled(self._scene.watch(part), gain)
            if self._anything(small):
                note, found = self._search(part, gain, time_s)
        if self._due(found, time_s):
            small = levelled(self._scene.watch(part), gain) if small is None else small
            self._other_area = self._other(small, found, time_s)
            self._other_s = time_s
        if found is None or self._other_area > 0:
            self._company_s = time_s
        if self._follow:
            self._remember(found, time_s)
            self._update(part, gain, time_s, found)
        return Look(note, self._other_area, found)

    def _due(self, found: Found | None, time_s: float) -> bool:
        """Whether the whole floor is to be looked over: hands are slow, and stay for longer than a moment."""
        alone = found is not None and time_s - self._company_s > ALONE_S
        return not self._follow or time_s - self._other_s > 0.9 * (ALONE_LOOK_S if alone else LOOK_AROUND_S)

    def _gain(self, part: Image) -> float:
        """Brightness relative to the scene: median over points of the floor."""
        points = part[self._points_px]
        ratio = (points if self._scene.dark else 255 - points) / self._point_levels
        middle = len(ratio) // 2
        ratio.partition(middle)
        gain = float(ratio[middle]) if middle else 1.0
        return gain if 0.3 < gain < 3 else 1.0

    def _in_window(self, part: Image, gain: float, time_s: float) -> tuple[int, Found | None]:
        """The subject near where it was."""
        scene = self._scene
        step_s = max(time_s - self._time_s, 1e-3)
        x, y = self._place or (0.0, 0.0)
        dx, dy = self._velocity[0] * step_s, self._velocity[1] * step_s
        x, y = x + dx, y + dy
        blob, box = None, self._box
        box = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        for reach in (REACH, FAR_REACH):
            left, top, right, bottom = self._window(box, reach * scene.length)
            if right - left < 4 or bottom - top < 4:
                return NOT_FOUND, None
            s = scene.scale
            picture = levelled(scene.shrink(part[top * s : bottom * s, left * s : right * s]), gain)
            cuts = self._cuts.window(left, top, right, bottom)
            blobs = find_blobs(picture, cuts.core, length=scene.length, min_area=SMALLEST_FOLLOWED * scene.area)
            blob = self._choose(blobs, (x - left, y - top))
            if blob is None:
                return NOT_FOUND, None
            if not self._cut_off(blob, left, top, right, bottom):
                break
            x, y = blob.x + left, blob.y + top
            box = (blob.box[0] + left, blob.box[1] + top, blob.box[2] + left, blob.box[3] + top)
        if blob is None:
            return NOT_FOUND, None
        if blob.area > scene.largest:
            return self._split(picture, cuts, blob, (left, top))
        return SEEN, self._measure(picture, cuts, blob, (left, top))

    def _window(self, box: Box, reach: float) -> tuple[int, int, int, int]:
        rows, columns = self._scene.inside.shape
        left, top = max(0, int(box[0] - reach)), max(0, int(box[1] - reach))
        return left, top, min(columns, int(box[2] + reach) + 1), min(rows, int(box[3] + reach) + 1)

    def _cut_off(self, blob: Blob, left: int, top: int, right: int, bottom: int) -> bool:
        """Whether the window's edge, and not the picture's, cuts the blob."""
        rows, columns = self._scene.inside.shape
        return (
            (blob.box[0] <= 0 < left)
            or (blob.box[1] <= 0 < top)
            or (blob.box[2] >= right - left and right < columns)
            or (blob.box[3] >= bottom - top and bottom < rows)
        )

    def _choose(self, blobs: list[Blob], near: tuple[float, float] | None) -> Blob | None:
        """The blob most like the subject in size and, if that is known, place."""
        if len(blobs) < 2:
            return blobs[0] if blobs else None
        scene = self._scene

        def cost(blob: Blob) -> float:
            size = abs(math.log(blob.area / scene.area))
            away = 0.0 if near is None else math.hypot(blob.x - near[0], blob.y - near[1]) / scene.length
            return size + 2 * away

        return min(blobs, key=cost)

    def _search(self, part: Image, gain: float, time_s: float) -> tuple[int, Found | None]:
        """The subject anywhere on the floor."""
        scene = self._scene
        if self._first_cuts is None:
            self._first_cuts = make_cuts(scene.background.level, scene.subject_level)
        cuts = self._first_cuts
        picture = levelled(scene.shrink(part), gain)
        blobs = find_blobs(picture, cuts.core, length=scene.length, min_area=SMALLEST * scene.area)
        limit = scene.subject_level + scene.level_tolerance
        fitting = [b for b in blobs if b.area <= scene.largest and _brightness(picture, b) <= limit]
        near = self._place if self._follow else None
        if near is not None:
            reach = scene.length * (1 + TOP_SPEED * (time_s - self._time_s))
            close = [b for b in fitting if math.hypot(b.x - near[0], b.y - near[1]) < reach]
            # Frames may be missing: a single thing of the right size is the subject wherever it is.
            fitting = close or [b for b in fitting if len(fitting) == 1 and b.area > scene.area / 2]
            near = None if reach > 4 * scene.length else near
        blob = self._choose(fitting, near)
        if blob is not None:
            return SEEN, self._measure(picture, cuts, blob, (0, 0))
        large = [b for b in blobs if b.area > scene.largest]
        if large:
            return self._split(picture, cuts, large[0], (0, 0))
        return (WRONG_SIZE if blobs else NOT_FOUND), None

    def _split(self, picture: Image, cuts: Cuts, blob: Blob, corner: tuple[int, int]) -> tuple[int, Found | None]:
        """The subject within something larger, a hand or a reflection, where it is the darker part of it."""
        import cv2

        scene = self._scene
        rows, columns = picture.shape
        level = scene.background.level[corner[1] : corner[1] + rows, corner[0] : corner[0] + columns]
        only = cv2.bitwise_and(level, cv2.dilate(blob.mask, np.ones((3, 3), np.uint8)))
        for share in DEEPER:
            cut = make_cut(only, scene.subject_level, share)
            inner = find_blobs(picture, cut, length=scene.length, min_area=0.4 * scene.area)
            inner = [b for b in inner if b.area <= 1.4 * scene.area]
            if len(inner) == 1:
                return SEEN, self._measure(picture, cuts, inner[0], corner)
        return MERGED, None

    def _measure(self, picture: Image, cuts: Cuts, blob: Blob, corner: tuple[int, int]) -> Found:
        scene = self._scene
        brightness = _brightness(picture, blob)
        pale = max(0.0, brightness - scene.subject_level) / max(scene.background.contrast, 1.0)
        size = math.log(blob.area / scene.area)
        confidence = math.exp(-0.5 * (size / 0.6) ** 2) * max(0.0, 1 - pale)
        return Found(Silhouette(picture, cuts, blob), corner[0], corner[1], brightness, confidence)

    def _anything(self, small: Image) -> bool:
        """Whether anything at all on the floor stands out: an empty box need not be searched."""
        import cv2

        strong = self._limits[0]
        return cv2.countNonZero(cv2.compare(cv2.subtract(self._learned, small), strong, cv2.CMP_GT)) > 0

    def _other(self, small: Image, found: Found | None, time_s: float) -> float:
        """Area in full px² of what else moves on the floor, darker or lighter than it.

        Small things count if they stand out as the subject does, pale ones (a hand, a sleeve) if they are large.
        """
        import cv2

        if self._watch is None:
            # The first frame shows what differs from the scene for good, if the box is still empty.
            self._watch = (self._learned if found is not None else small).astype(np.float32)
            self._rested = cv2.convertScaleAbs(self._watch)
        area = self._moving(small, found)
        if self._follow and time_s - self._watched_s >= WATCH_EVERY_S:
            self._watched_s = time_s
            free = self._scene.floor.copy()
            if found is not None:
                free[self._beside(found, SHADOW)] = 0
            cv2.accumulateWeighted(small, self._watch, WATCH_WEIGHT, mask=free)
            self._rested = cv2.convertScaleAbs(self._watch)
        return float(area * self._scene.step**2)

    def _moving(self, small: Image, found: Found | None) -> int:
        """The same in px of the small picture."""
        import cv2

        near = None if found is None else self._beside(found, BESIDE)
        # Most often nothing counts, by the least of all limits: one look says so.
        differs = cv2.min(cv2.absdiff(small, self._learned), cv2.absdiff(small, self._rested))
        if self._standing_out(differs, self._least_limit, near, self._least) is None:
            return 0
        # What was there when the scene was learned, and what has come to rest since, does not move.
        lighter = cv2.min(cv2.subtract(small, self._learned), cv2.subtract(small, self._rested))
        darker = cv2.min(cv2.subtract(self._learned, small), cv2.subtract(self._rested, small))
        # The subject's shadow, dark as it is in the picture, is pale and lies beside it.
        bright, shady = (lighter, darker) if self._scene.dark else (darker, lighter)
        strong, pale, paler = self._limits
        shadow = None if found is None else self._beside(found, SHADOW)
        return max(
            self._thick(cv2.max(lighter, darker), strong, near, self._least),
            self._thick(bright, paler, near, PALE_TIMES * self._least),
            self._thick(shady, pale, shadow, PALE_TIMES * self._least),
            self._thick(shady, paler, shadow, PALER_TIMES * self._least),
        )

    def _standing_out(self, difference: Image, limit: Image, left_out: Part | None, least: float) -> Image | None:
        """255 in the small picture above the limit outside a part; None if that is too little to count."""
        import cv2

        moving = cv2.compare(difference, limit, cv2.CMP_GT)
        if left_out is not None:
            moving[left_out] = 0
        return None if cv2.countNonZero(moving) < least else moving

    def _thick(self, difference: Image, limit: Image, left_out: Part | None, least: float) -> int:
        """Px of the small picture above the limit outside a part, thin things left out."""
        import cv2

        moving = self._standing_out(difference, limit, left_out, least)
        if moving is None:
            return 0
        # Tails and the wires of the enclosure are thinner than a px of the small picture.
        moving = moving[around(moving.shape, bounds(moving), 2)]
        area = cv2.countNonZero(majority(moving, 3))
        return area if area >= least else 0

    def _beside(self, found: Found, margin: float) -> Part:
        """Part of the small picture on and around the subject."""
        ratio, reach = self._scene.scale / self._scene.step, margin * self._scene.length
        left, top, right, bottom = found.box
        return (
            slice(max(0, int((top - reach) * ratio)), max(0, int((bottom + reach) * ratio) + 1)),
            slice(max(0, int((left - reach) * ratio)), max(0, int((right + reach) * ratio) + 1)),
        )

    def _remember(self, found: Found | None, time_s: float) -> None:
        if found is None:
            self._velocity = (0.0, 0.0)
            return
        scene = self._scene
        blob = found.silhouette.blob
        x, y = blob.x + found.left, blob.y + found.top
        if self._place is not None:
            step_s = max(time_s - self._time_s, 1e-3)
            dx, dy = x - self._place[0], y - self._place[1]
            steady = math.hypot(dx, dy) < TOP_SPEED * scene.length * step_s
            self._velocity = (dx / step_s, dy / step_s) if steady else (0.0, 0.0)
        self._place, self._time_s = (x, y), time_s
        self._box = found.box
        self._level += 0.1 * (found.brightness - self._level)
        self._level = min(self._level, scene.subject_level + scene.level_tolerance)
        if abs(self._level - self._cut_level) > 2:
            self._recut()

    def _update(self, part: Image, gain: float, time_s: float, found: Found | None) -> None:
        """Let the scene follow slow changes of light and bedding, away from the subject."""
        if time_s - self._updated_s < UPDATE_EVERY_S or found is None:
            return
        self._updated_s = time_s
        scene = self._scene
        free = scene.inside.copy()
        margin = int(1.2 * scene.length)
        free[around(free.shape, found.box, margin)] = 0
        scene.background.update(levelled(scene.shrink(part), gain), UPDATE_WEIGHT, free)
        self._renew()

    def _renew(self) -> None:
        """What follows from the scene's level."""
        import cv2

        scene = self._scene
        # Made when they are next needed: a subject in view is not searched for.
        self._first_cuts = None
        self._recut()
        self._learned: Image = cv2.resize(scene.background.level, scene.floor.shape[::-1], interpolation=cv2.INTER_AREA)
        self._point_levels = np.maximum(self._learned[self._points], 1).astype(np.float32)
        contrast = self._learned - np.float32(scene.subject_level)
        # Where the scene is as dark as the subject its level is 0: nothing is watched there.
        contrast[contrast < 0.25 * scene.background.contrast] = 512
        outside = scene.floor == 0
        above_noise = PALE_NOISE * scene.noise
        limits = (STRONG * contrast, *(np.maximum(share * contrast, above_noise) for share in (PALE, PALER)))
        self._limits: tuple[Image, ...] = tuple(cv2.convertScaleAbs(limit) for limit in limits)
        for limit in self._limits:
            # No difference is larger: beside the floor nothing counts.
            limit[outside] = 255
        self._least_limit: Image = cv2.min(self._limits[0], self._limits[2])

    def _recut(self) -> None:
        self._cut_level = self._level
        self._cuts = make_cuts(self._scene.background.level, self._level)


def _brightness(picture: Image, blob: Blob) -> float:
    import cv2

    left, top, right, bottom = blob.box
    mask = blob.mask[top:bottom, left:right]
    # Half the time of a mean with a mask.
    total: float = cv2.sumElems(cv2.bitwise_and(picture[top:bottom, left:right], mask))[0]
    return total / max(cv2.countNonZero(mask), 1)
