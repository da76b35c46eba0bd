"""Simulated recordings in which the subject is cut out of photographs of mice.

Floors, light, mesh, target and hand are the simulator's. The subject's pixels, fur, posture and tail are those of stills
that people labelled (nose, head, tail base), as a ratio to their own floor, with their soft edge. They are laid along a
simulated path, turned to its heading; where they were laid is the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import av
import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from behavior.simulation.picture import Picture
from behavior.simulation.posture import Poses

Floats = NDArray[np.float32]

#: Share of full light that the floors of the photographs send back: the mice are as dark beside it as there.
FLOOR = 0.7
#: Seconds for which a posture is kept.
HOLD_S = 0.4


@dataclass(frozen=True)
class Cutout:
    """A mouse cut out: (H, W) cover 0 to 1, its brightness relative to its floor, its place in that picture.

    Attributes
    ----------
    centre
        Centroid of the cover, thin parts opened away: x, y.
    heading
        From tail base to nose, radians, y down.
    length
        Tail base to nose, px.
    """

    cover: Floats
    tone: Floats
    centre: tuple[float, float]
    heading: float
    length: float


def animals(folder: Path) -> dict[str, list[Cutout]]:
    """Cut-outs of each animal of the labelled open field stills."""
    labels = pd.read_csv(folder / "labels.csv")
    return {str(name): _cut_all(folder, str(name), rows) for name, rows in labels.groupby("session")}


def _cut_all(folder: Path, session: str, rows: pd.DataFrame) -> list[Cutout]:
    with av.open(str(folder / f"open_field_{session}_ffv1.avi")) as container:
        stack = np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)]).astype(np.float32)
    stack /= np.median(stack, axis=(1, 2), keepdims=True)
    floor = np.percentile(stack, 75, axis=0)
    found = [_cut(stack[int(row.frame)] / np.maximum(floor, 0.05), row) for row in rows.itertuples()]
    kept = [cutout for cutout in found if cutout is not None]
    area = np.array([cutout.cover.sum() / cutout.length**2 for cutout in kept])
    # Mirror images in the walls make a mouse larger, what hides it smaller.
    return [cutout for cutout, a in zip(kept, area / np.median(area), strict=True) if 0.7 < a < 1.4]


def _cut(ratio: Floats, row: Any) -> Cutout | None:
    nose, base = np.array([row.nose_x_px, row.nose_y_px]), np.array([row.tail_base_x_px, row.tail_base_y_px])
    length = float(np.hypot(*(nose - base)))
    if not np.isfinite(length):
        return None
    x, y = np.round((nose + base) / 2).astype(int)
    reach = int(1.8 * length)
    padded = cv2.copyMakeBorder(ratio, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=1.0)
    part = cv2.GaussianBlur(padded[y : y + 2 * reach + 1, x : x + 2 * reach + 1], (0, 0), 0.5)
    near = np.hypot(*(np.indices(part.shape) - reach)) < 0.15 * length
    dark = float(np.median(part[near]))
    if dark > 0.6:
        return None
    cover = np.clip((1 - part) / (1 - dark), 0, 1)
    # Soft edges end where the floor's own unevenness begins.
    cover = np.clip((cover - 0.12) / 0.88, 0, 1).astype(np.float32)
    # Mirror images in the walls are pale and as broad as the mouse; its own pale parts, ears, tail and edge, are narrow.
    pale = ((cover > 0.05) & (cover < 0.7)).astype(np.uint8)
    broad = cv2.morphologyEx(pale, cv2.MORPH_OPEN, np.ones((round(length / 4),) * 2, np.uint8))
    cover[cv2.dilate(broad, np.ones((5, 5), np.uint8)) > 0] = 0
    _, marks = cv2.connectedComponents((cover > 0.25).astype(np.uint8))
    if not marks[reach, reach]:
        return None
    mine = cv2.dilate((marks == marks[reach, reach]).astype(np.uint8), np.ones((5, 5), np.uint8))
    cover *= mine
    if max(cover[edge].max() for edge in (0, -1)) > 0 or max(cover[:, edge].max() for edge in (0, -1)) > 0:
        return None
    wide = 2 * round(length / 10) + 1
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
    body = cover * cv2.morphologyEx((cover > 0.5).astype(np.uint8), cv2.MORPH_OPEN, disk)
    rows, columns = np.indices(body.shape)
    centre = float((body * columns).sum() / body.sum()), float((body * rows).sum() / body.sum())
    along = nose - base
    # What reaches far beyond the nose is an edge of the wall that the mouse touches.
    ahead = ((np.indices(part.shape)[::-1] - reach - (nose - (x, y))[:, None, None]) * along[:, None, None]).sum(axis=0)
    if (cover[ahead > 0.3 * length**2] > 0.1).any():
        return None
    return Cutout(cover, np.minimum(part, dark), centre, float(np.arctan2(along[1], along[0])), length)


class CutoutPicture(Picture):
    """A picture whose subject is laid in from cut-outs."""

    cutouts: list[Cutout]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = self.subject.held | self.subject.free
        self._middles, self._headings = self._laid(self.subject.poses, self._after_bump[seen])
        along = self._ends[:, 0:2] - self._ends[:, 2:4]
        own = np.median([cutout.length for cutout in self.cutouts])
        self._scale = float(np.median(np.hypot(*along.T)) / own)
        rng = np.random.default_rng(self._scenery_seed)
        times = int(self.time_s[-1] / HOLD_S) + 2
        self._posture = rng.integers(0, len(self.cutouts), times)
        self._images = [self._laid(self._image_in(wall), self._after_bump[seen]) for wall in range(4)]

    def _laid(self, poses: Poses, late: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Middles and headings in px of poses."""
        points = np.stack([poses.outline.mean(axis=1), poses.nose, poses.tail_base], axis=1)
        middle, nose, base = np.moveaxis(self._seen(points, 1.2, late), 1, 0)
        return middle, np.arctan2(*(nose - base).T[::-1])

    def _draw_subject(self, k: int, luma: NDArray[np.uint8], chroma: Any) -> None:
        row = int(self.subject.row[k])
        if row < 0:
            return
        cutout = self.cutouts[self._posture[int(self.time_s[k] / HOLD_S)]]
        if self.look.mirror > 0.01 and self.subject.free[k]:
            self._draw_images(row, cutout, luma)
        area = lay(
            luma,
            cutout,
            self._middles[row],
            turn=self._headings[row] - cutout.heading,
            scale=self._scale,
            light=self._scene.light,
        )
        self.noted[k] = [*self._middles[row], area, *self._ends[row]]

    def _draw_images(self, row: int, cutout: Cutout, luma: NDArray[np.uint8]) -> None:
        """The mirror images in the walls that the mouse is near, as strong as the look has them."""
        flipped = replace(
            cutout,
            cover=np.ascontiguousarray(cutout.cover[:, ::-1]),
            tone=np.ascontiguousarray(cutout.tone[:, ::-1]),
            centre=(cutout.cover.shape[1] - 1 - cutout.centre[0], cutout.centre[1]),
            heading=np.pi - cutout.heading,
        )
        strength = min(self.look.mirror, 1.0) / 255
        walls = zip(self._mirrored, self._images, self._scene.walls, strict=True)
        for (near, _), (middles, headings), wall in walls:
            if not near[row]:
                continue
            image = luma.copy()
            turn = headings[row] - flipped.heading
            lay(image, flipped, middles[row], turn=turn, scale=self._scale, light=self._scene.light)
            luma[:] = np.round(luma + (image.astype(np.float32) - luma) * (wall * np.float32(strength)))


def lay(
    luma: NDArray[np.uint8], cutout: Cutout, at: NDArray[np.float64], *, turn: float, scale: float, light: Floats
) -> float:
    """Lay a cut-out into a picture with its centre at a place; gives its area in px²."""
    reach = int(np.ceil(scale * np.hypot(*cutout.cover.shape) / 2)) + 2
    left, top = int(at[0]) - reach, int(at[1]) - reach
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    x, y = cutout.centre
    matrix = np.array([[cos, -sin, at[0] - left - cos * x + sin * y], [sin, cos, at[1] - top - sin * x - cos * y]])
    size = (2 * reach + 1, 2 * reach + 1)
    cover = cv2.warpAffine(cutout.cover, matrix, size, flags=cv2.INTER_LINEAR)
    tone = cv2.warpAffine(cutout.tone, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    height, width = luma.shape
    rows = slice(max(top, 0), min(top + size[1], height))
    columns = slice(max(left, 0), min(left + size[0], width))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return float(cover.sum())
    part = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    under = luma[rows, columns].astype(np.float32)
    under += cover[part] * (FLOOR * tone[part] * light[rows, columns] - under)
    luma[rows, columns] = np.clip(under + 0.5, 0, 255).astype(np.uint8)
    return float(cover.sum())


@contextmanager
def composited(cutouts: list[Cutout]) -> Iterator[None]:
    """Recordings rendered meanwhile show this animal in place of a drawn one."""
    picture = type("CutoutPicture", (CutoutPicture,), {"cutouts": cutouts})
    with mock.patch("behavior.simulation.render.Picture", picture):
        yield
