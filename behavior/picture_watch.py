"""What the pictures themselves say of a recording while it is tracked: light, focus, movement inside the enclosure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.region import Region, as_region, box_within, open_floor, polygon_mask
from behavior.video import Frame, Video

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Image = npt.NDArray[Any]

__all__ = ["COLUMNS", "PictureWatch", "WatchedVideo"]

COLUMNS = ("time_s", "light_grey", "edge_px", "enclosure_change_percent")

#: Time between two looks; a picture is compared with the one this many looks before.
LOOK_EVERY_S, LOOKS_BACK = 1.0, 2
#: Time between two measurements of the focus.
FOCUS_EVERY_S = 10.0
#: Cells along the longest side of the floor: half a centimetre each in a usual box.
CELLS = 96
#: Parts of the floor that the enclosure is set against.
FLOOR_PARTS = 4
#: Every so many px in both directions the light is measured.
LIGHT_STEP = 7
#: What must change in a cell: grey levels, standard deviations of the floor's cells, and a share of the differences
#: around the cell, which a camera that trembles moves over it.
LEAST_GREY, LEAST_NOISE, TREMBLE = 5.0, 4.5, 0.2
#: Longest side of the picture that the focus is measured in, and of the window around an edge, in px of it.
FOCUS_SIDE, EDGE_WINDOW = 1000, 15


class PictureWatch:
    """Looks at the pictures of one recording, about one a second.

    Parameters
    ----------
    region
        Floor and enclosure in px; without an enclosure nothing is said of movement in it.
    shape
        Rows and columns of the pictures.

    Examples
    --------
    >>> watch = PictureWatch(Region(), (40, 40))
    >>> for second in range(3):
    ...     watch.look(np.full((40, 40), 120, np.uint8), float(second))
    >>> watch.table()["light_grey"].tolist()
    [120.0, 120.0, 120.0]
    """

    def __init__(self, region: Region, shape: tuple[int, int]) -> None:
        x0, y0, x1, y1 = _bounds(region, shape)
        self._part = slice(y0, y1), slice(x0, x1)
        self._scale = min(1.0, CELLS / max(y1 - y0, x1 - x0))
        region = region.seen_from(x0, y0)
        floor = open_floor(region, (y1 - y0, x1 - x0))
        self._box: Image = np.zeros((0, 0), np.uint8)
        self._places: list[tuple[slice, slice]] = []
        if region.enclosure_px is not None:
            self._place_box(region.enclosure_px, floor)
        self._points = np.flatnonzero(floor[::LIGHT_STEP, ::LIGHT_STEP])
        self._before: deque[tuple[list[Image], float]] = deque(maxlen=LOOKS_BACK)
        self._rows: list[tuple[float, float, float, float]] = []
        self._next_s, self._focus_s = -np.inf, -np.inf

    def _place_box(self, box_px: Image, floor: Image) -> None:
        """The part of the picture around the enclosure, and parts of the floor of the same size to set it against."""
        rows, columns = floor.shape
        left, top = (int(v) for v in np.clip(np.floor(box_px.min(axis=0)), 0, [columns - 4, rows - 4]))
        right, bottom = (int(v) for v in np.clip(np.ceil(box_px.max(axis=0)) + 1, [left + 4, top + 4], [columns, rows]))
        width, height = right - left, bottom - top
        box = polygon_mask(box_px - (left, top), self._size((height, width)), scale=self._scale)
        free = []
        for y in np.linspace(0, rows - height, 4).astype(int).tolist():
            for x in np.linspace(0, columns - width, 4).astype(int).tolist():
                place = slice(y, y + height), slice(x, x + width)
                if (floor[place] > 0).mean() > 0.9:
                    free.append(place)
        if int((box > 0).sum()) >= 12 and free:
            chosen = np.unique(np.linspace(0, len(free) - 1, FLOOR_PARTS).astype(int))
            self._box = box
            self._places = [(slice(top, bottom), slice(left, right)), *(free[k] for k in chosen)]

    def _size(self, shape: tuple[int, int]) -> tuple[int, int]:
        return max(3, round(shape[0] * self._scale)), max(3, round(shape[1] * self._scale))

    def look(self, luma: Image, time_s: float) -> None:
        """Take in a (H, W) picture; most are passed over."""
        import cv2

        if time_s < self._next_s:
            return
        self._next_s = time_s + LOOK_EVERY_S - 1e-6
        part = luma[self._part]
        points = np.ascontiguousarray(part[::LIGHT_STEP, ::LIGHT_STEP])
        light = float(np.median(points.take(self._points) if len(self._points) else points))
        small = [cv2.resize(part[place], self._box.shape[::-1], interpolation=cv2.INTER_AREA) for place in self._places]
        change = float("nan")
        if small and len(self._before) == LOOKS_BACK:
            change = self._change((small, light), self._before[0])
        edge = float("nan")
        if time_s >= self._focus_s:
            self._focus_s = time_s + FOCUS_EVERY_S
            edge = edge_width_px(part)
        self._before.append((small, light))
        self._rows.append((time_s, light, edge, change))

    def _change(self, now: tuple[list[Image], float], before: tuple[list[Image], float]) -> float:
        """Percent of the enclosure that differs from an earlier picture, its light taken out."""
        import cv2

        middle = max((now[1] + before[1]) / 2, 1.0)
        news: list[Image] = [picture * np.float32(middle / max(now[1], 1.0)) for picture in now[0]]
        olds: list[Image] = [picture * np.float32(middle / max(before[1], 1.0)) for picture in before[0]]
        # Noise as it is on the floor beside; the subject may be in one part of it.
        noise = float(np.median([_spread(new - old) for new, old in zip(news[1:], olds[1:], strict=True)]))
        new, old, box = news[0], olds[0], self._box > 0
        # A shadow that falls on the whole enclosure is light, too.
        new = new * np.float32(np.clip(np.median((old[box] + 1) / (new[box] + 1)), 0.5, 2))
        square = np.ones((3, 3), np.uint8)
        contrast = cv2.subtract(cv2.dilate(old, square), cv2.erode(old, square))
        limit = max(LEAST_GREY, LEAST_NOISE * noise) + TREMBLE * contrast
        changed: Image = ((np.abs(new - old) > limit) & box).astype(np.uint8)
        # Bars of the mesh are thin, a mouse is not.
        changed = cv2.morphologyEx(changed, cv2.MORPH_OPEN, square[:2, :2])
        return 100 * float(changed.sum()) / float(box.sum())

    def table(self) -> pd.DataFrame:
        """What was seen: one row per look.

        Returns
        -------
        DataFrame
            ``time_s``; ``light_grey``, median of the floor in grey levels; ``edge_px``, length over which the sharpest
            edges rise, NaN where not measured; ``enclosure_change_percent``, share of the enclosure that differs from
            two seconds before, NaN where there is none.
        """
        import pandas as pd

        return pd.DataFrame(self._rows, columns=list(COLUMNS), dtype=float)


def _spread(difference: Image) -> float:
    """Robust standard deviation."""
    return 1.4826 * float(np.median(np.abs(difference - np.median(difference))))


def edge_width_px(picture: Image) -> float:
    """Length in px over which the strong edges of a picture rise: 1 to 3 in focus, more the more it is blurred.

    For every place, the range of grey levels around it divided by the steepest step there; the median over the places
    with the most contrast. NaN where the picture is empty.

    Examples
    --------
    >>> picture = np.zeros((60, 60), np.uint8)
    >>> picture[:, 30:] = 200
    >>> edge_width_px(picture)
    1.0
    """
    import cv2

    scale = max(1, round(float(max(picture.shape)) / FOCUS_SIDE))
    if scale > 1:
        picture = cv2.resize(picture, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    across = cv2.filter2D(picture, cv2.CV_32F, np.array([[-1.0, 1.0]], np.float32), anchor=(0, 0))
    down = cv2.filter2D(picture, cv2.CV_32F, np.array([[-1.0], [1.0]], np.float32), anchor=(0, 0))
    window = np.ones((EDGE_WINDOW, EDGE_WINDOW), np.uint8)
    span = cv2.subtract(cv2.dilate(picture, window), cv2.erode(picture, window))
    # Every third place: the windows of neighbours are nearly the same.
    steepest = cv2.dilate(cv2.magnitude(across, down), window)[::3, ::3]
    span = span[::3, ::3]
    top = float(np.percentile(span, 99))
    if top < 10:
        return float("nan")
    strong = span >= 0.7 * top
    width = float(np.median(span[strong] / np.maximum(steepest[strong], 1e-6)))
    return scale * width


def _bounds(region: Region, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Box around the floor, within the picture."""
    if region.floor_px is None:
        return 0, 0, shape[1], shape[0]
    return box_within(np.floor(region.floor_px.min(axis=0)), np.ceil(region.floor_px.max(axis=0)) + 1, shape)


class WatchedVideo(Video):
    """A recording whose pictures are watched as they are read for tracking: no picture is decoded for it.

    Parameters
    ----------
    video
        As opened.
    region
        Anything with ``floor_px`` and ``enclosure_px``; None for the whole picture.
    """

    def __init__(self, video: Video, region: Any) -> None:
        super().__init__(video.info, start_pts=video._start_pts, threads=video._threads, deblock=video._deblock)
        self._region = as_region(region)
        self._watch = PictureWatch(self._region, (self.info.height, self.info.width))

    def frames(
        self,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        deblock: bool | None = None,
        ahead: bool = False,
    ) -> Iterator[Frame]:
        """Frames as :meth:`Video.frames` gives them; what was seen in an earlier reading is forgotten."""
        self._watch = watch = PictureWatch(self._region, (self.info.height, self.info.width))
        for frame in super().frames(start_s=start_s, end_s=end_s, deblock=deblock, ahead=ahead):
            watch.look(frame.luma, frame.time_s)
            yield frame

    def looks(self) -> pd.DataFrame:
        """What was seen in the last reading; see :meth:`PictureWatch.table`."""
        return self._watch.table()
