"""Recordings in which the subject hardly stands out from its floor: pictures in which it does.

Where the subject's fur is about as bright as the floor, no single pixel tells it: parts of it are a little darker than
the floor, parts a little lighter, each by less than a few times the noise. But it covers hundreds of pixels. In the
pictures made here every pixel says how sure it is that something covers the empty scene there: its squared difference
from the scene, in units of the noise, averaged over a small part of the body, so that noise falls and darker and
lighter parts do not cancel. What is sure is dark, the empty scene light; the tracker works on them as on any others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.follower import MERGED
from behavior.region import Region, open_floor
from behavior.scene import Scene, learn_scene

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]
    Floats = npt.NDArray[Any]
    Hidden = npt.NDArray[np.bool_]

__all__ = ["EvidenceView", "find_faint_subject", "is_doubtful", "leave_out_cluttered"]

#: A subject that stands out by fewer standard deviations of a pixel's noise is looked for a second time.
CLEAR_TIMES = 12.0
#: So is one that was found in a smaller share of the samples: a hand, or a part of the box, may have been taken for it.
OFTEN = 0.5
#: Share of the samples by which the second look must find something more often, where the first found something clear.
MORE_OFTEN = 0.2
#: Least share of the samples in which the subject must have been found by the second look.
LEAST_OFTEN = 0.3
#: Standard deviations of the smoothed noise that a subject must have in the median over its silhouette.
LEAST_STRONG = 3.0
#: Share of the empty floor's evidence that counts as nothing; how many times that, and which share of what the subject
#: has, is as sure as can be.
NOTHING, SURE_TIMES, SURE_SHARE = 0.98, 3.0, 0.7
#: Pictures are halved while the body stays at least this long, px; twice that where the subject is strong.
VIEW_LENGTH = 24
#: Body lengths: standard deviation of the smoothing of the picture; and of its squared differences, at most, and times
#: the square of how far the subject stands out. The noise of a mean square falls with this length, the square of what
#: is to be seen does not depend on it; and tails stay thin and edges sharp where it is small.
FINE, COARSEST, COARSE = 1 / 48, 1 / 13, 1.3
#: How far a subject is taken to stand out until that is known, standard deviations of the smoothed noise: little, so
#: that the first silhouettes are whole animals.
WEAK = 4.0
#: Weak ones are looked at in pictures half as fine.
STRONG = 6.0
#: Length of the body as a share of the floor's side, until it is known; of a picture without a floor.
BODY_SHARE, BODY_SHARE_OF_PICTURE = 1 / 6, 1 / 8
#: Times that size and strength are learned, each time in pictures made for those learned before.
PASSES = 3
#: Areas of the subject that other changes of the floor may cover until it cannot be told from them.
CLUTTER = 2.0
#: Grey levels of the empty scene and of what is sure.
EMPTY, COVERED = 230, 50


class EvidenceView:
    """Turns pictures into those in which the subject is dark and all else light.

    Parameters
    ----------
    pictures
        (H, W) luma spread over the recording.
    region
        Floor and enclosure.
    length_px
        The subject's length.
    strength
        How far the subject stands out, standard deviations of the smoothed noise.
    before
        A view with which the subject was found: the scene is then learned where it is not.

    Attributes
    ----------
    noise
        Standard deviation of the smoothed picture about the scene on the floor, grey levels.
    halo_px
        By about so much silhouettes are too large on each side.
    """

    def __init__(
        self,
        pictures: Sequence[Image],
        region: Region,
        *,
        length_px: float,
        strength: float = WEAK,
        before: EvidenceView | None = None,
    ) -> None:
        import cv2

        least = VIEW_LENGTH * float(np.clip(strength / STRONG, 1, 2))
        self._scale = 2 ** max(0, int(np.log2(max(length_px / least, 1))))
        length = length_px / self._scale
        self._fine = max(0.6, FINE * length)
        self._coarse = max(self._fine, length * min(COARSEST, COARSE / max(strength, 1.0) ** 2))
        self.halo_px = self._coarse * self._scale
        self._width = 2 * math.ceil(2.5 * self._coarse) + 1
        stack = np.stack([self._smooth(picture) for picture in pictures])
        floor = open_floor(region, stack.shape[1:], scale=1 / self._scale)
        self._points = np.flatnonzero(floor)[::7]
        hidden = None if before is None else np.stack([self._hidden(before.view(picture)) for picture in pictures])
        self._scene = _middle(stack, hidden)
        off = np.stack([self._difference(picture) for picture in stack])
        spread = 1.4826 * _middle(np.abs(off), hidden)
        # Noise that coding took out altogether is not known better than to a part of a grey level.
        self.noise = max(float(np.median(spread.take(self._points))), 0.2) if len(self._points) else 0.2
        self._noise: Floats = np.maximum(cv2.GaussianBlur(spread, (0, 0), 2 * self._coarse), np.float32(self.noise))
        # What moves in the enclosure must not be smoothed onto the floor.
        self._open: Floats = np.ones(floor.shape, np.float32)
        if region.enclosure_px is not None:
            everywhere = open_floor(Region(enclosure_px=region.enclosure_px), stack.shape[1:], scale=1 / self._scale)
            reach = 2 * int(np.ceil(2 * self._fine)) + 1
            self._open = cv2.erode(everywhere, np.ones((reach, reach), np.uint8)).astype(np.float32) / 255
        self._weight = np.maximum(self._spread_out(self._open), np.float32(0.05))
        self._nothing = self._of_empty_floor(pictures, hidden)
        self._sure = max(SURE_TIMES * self._nothing, SURE_SHARE * strength)

    def view(self, luma: Image) -> Image:
        """(H, W) uint8 picture, as large as the one given."""
        import cv2

        sure = np.sqrt(self.evidence(luma))
        slope = (COVERED - EMPTY) / (self._sure - self._nothing)
        seen = cv2.convertScaleAbs(
            np.clip(sure, self._nothing, self._sure), alpha=slope, beta=EMPTY - slope * self._nothing
        )
        if self._scale == 1:
            return seen
        rows, columns = (side // self._scale * self._scale for side in luma.shape)
        large = cv2.resize(seen, (columns, rows), interpolation=cv2.INTER_LINEAR)
        below, right = luma.shape[0] - rows, luma.shape[1] - columns
        return cv2.copyMakeBorder(large, 0, below, 0, right, cv2.BORDER_REPLICATE)

    def evidence(self, luma: Image) -> Floats:
        """Mean square around each working pixel of the difference from the scene in units of the noise, less noise."""
        off = self._difference(self._smooth(luma)) / self._noise
        square: Floats = np.maximum(self._spread_out(off * off * self._open) / self._weight - 1, 0)
        return square

    def _of_empty_floor(self, pictures: Sequence[Image], hidden: Hidden | None) -> float:
        """How far the empty floor stands out by chance, standard deviations."""
        if hidden is None or not len(self._points):
            return 1.5
        sure = np.stack([np.sqrt(self.evidence(picture)).take(self._points) for picture in pictures])
        sure = sure[~hidden.reshape(len(hidden), -1)[:, self._points]]
        return float(np.clip(np.quantile(sure, NOTHING), 1.0, 2.0)) if sure.size else 1.5

    def strength(self, pictures: Sequence[Image], scene: Scene) -> float:
        """Median over the subject's silhouettes in the samples of how far it stands out, in standard deviations."""
        found = []
        for picture in pictures:
            sure = np.sqrt(self.evidence(picture)).take(self._points)
            over = sure[sure > (self._nothing + self._sure) / 2]
            if 0.3 < len(over) * 7 / (scene.area * (scene.scale / self._scale) ** 2) < 3:
                found.append(float(np.median(over)))
        return float(np.median(found)) if found else 0.0

    def _smooth(self, luma: Image) -> Floats:
        import cv2

        rows, columns = (side // self._scale * self._scale for side in luma.shape)
        part: Floats = luma[:rows, :columns].astype(np.float32)
        if self._scale > 1:
            part = cv2.resize(part, (columns // self._scale, rows // self._scale), interpolation=cv2.INTER_AREA)
        smoothed: Floats = cv2.GaussianBlur(part, (0, 0), self._fine)
        return smoothed

    def _spread_out(self, values: Floats) -> Floats:
        import cv2

        wide: Floats = cv2.GaussianBlur(values, (self._width, self._width), self._coarse)
        return wide

    def _difference(self, smoothed: Floats) -> Floats:
        """From the scene, the light of the whole floor taken out."""
        if not len(self._points):
            return smoothed - self._scene
        ratio = smoothed.take(self._points) / np.maximum(self._scene.take(self._points), 1)
        return smoothed - self._scene * np.float32(np.clip(np.median(ratio), 0.3, 3))

    def _hidden(self, seen: Image) -> Hidden:
        """Where something covers the scene, at working resolution."""
        rows, columns = (side // self._scale * self._scale for side in seen.shape)
        hidden: Hidden = seen[: rows : self._scale, : columns : self._scale] < (EMPTY + COVERED) / 2
        return hidden


def _middle(stack: Floats, hidden: Hidden | None) -> Floats:
    """Median of each pixel over the pictures in which nothing hides it; over all where it is hidden in most."""
    middle: Floats = np.median(stack, axis=0).astype(np.float32)
    if hidden is not None:
        free = (~hidden).sum(axis=0)
        ordered = np.sort(np.where(hidden, np.float32(np.inf), stack), axis=0)
        low = np.take_along_axis(ordered, np.maximum(free - 1, 0)[np.newaxis] // 2, axis=0)[0]
        high = np.take_along_axis(ordered, np.maximum(free, 1)[np.newaxis] // 2, axis=0)[0]
        middle = np.where(free >= 3, (low + high) / 2, middle).astype(np.float32)
    return middle


def is_doubtful(scene: Scene | None) -> bool:
    """Whether what was learned of the subject may be a part of it, or something else."""
    return scene is None or scene.seen < OFTEN or scene.background.contrast < CLEAR_TIMES * scene.noise


def find_faint_subject(
    pictures: Sequence[Image], region: Region, *, found: Scene | None
) -> tuple[EvidenceView, Scene, float] | None:
    """The subject's look in pictures of evidence, where it is found better there than in the pictures themselves.

    Parameters
    ----------
    pictures
        (H, W) luma of the samples.
    region
        Floor and enclosure.
    found
        What was learned from the pictures themselves.

    Returns
    -------
    (EvidenceView, Scene, float) or None
        The pictures' view, what was learned in it, and how far the subject stands out of the smoothed pictures, in
        standard deviations of their noise. None where the subject is not found, or not better.
    """
    if len(pictures) < 8:
        return None
    if region.floor_px is not None:
        sides = np.hypot(*(region.floor_px - np.roll(region.floor_px, 1, axis=0)).T)
        length_px = BODY_SHARE * float(np.sum(sides)) / 4
    else:
        length_px = BODY_SHARE_OF_PICTURE * min(pictures[0].shape)
    view, scene, strength = None, None, WEAK
    for _ in range(PASSES):
        view = EvidenceView(pictures, region, length_px=length_px, strength=strength, before=view)
        scene = learn_scene([view.view(picture) for picture in pictures], region, dark=True)
        if scene is None or scene.seen < LEAST_OFTEN:
            return None
        length_px = max(scene.length * scene.scale - 2 * view.halo_px, 8.0)
        strength = view.strength(pictures, scene)
    assert view is not None
    assert scene is not None
    if strength < LEAST_STRONG:
        return None
    clear = found is not None and found.background.contrast >= CLEAR_TIMES * found.noise
    if found is not None and scene.seen < found.seen + (MORE_OFTEN if clear else -MORE_OFTEN):
        return None
    return view, scene, strength


def leave_out_cluttered(rows: Floats) -> None:
    """Take the subject's place out of those rows in which other changes of the floor are much larger, in place.

    A faint subject looks like bedding that was moved, or like what coding makes of noise: where there is much of that,
    what was followed may be either.

    Parameters
    ----------
    rows
        (F, COLUMNS) as :func:`behavior.follower.rows_of` gives them.
    """
    area = rows[:, 13]
    seen = np.isfinite(area)
    if not seen.any():
        return
    cluttered = seen & (rows[:, 1] >= CLUTTER * np.median(area[seen]))
    rows[cluttered, 0] = MERGED
    rows[cluttered, 2] = 0
    rows[cluttered, 3:] = np.nan
