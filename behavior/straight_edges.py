"""Long straight edges in a still picture: where brightness steps along a line, however faint the step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    Image = NDArray[Any]

__all__ = ["Edges", "edge_strength", "find_edges"]

Floats = NDArray[np.float64]

#: Steepest lean of an edge against the picture's axis, px per px: a camera that looks from some 25 degrees aside.
MAX_LEAN = 0.30
#: Edges of one sign and direction that are kept.
KEPT = 16
#: Part of the full strength that an edge must have on average to go on growing.
TOLL = 0.25


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges that run across one axis of the picture; px of the picture given.

    Attributes
    ----------
    place
        (N,) where the edge meets the picture's middle, across the edge.
    lean
        (N,) px that it moves across per px along.
    start, end
        (N,) stretch along the edge on which it is seen.
    rising
        (N,) whether the picture grows brighter towards larger coordinates.
    strength
        (N, L) strength, 0 to 1 and down to -1 for a step of the other sign, at each px along the edge.
    """

    place: Floats
    lean: Floats
    start: Floats
    end: Floats
    rising: NDArray[np.bool_]
    strength: Floats

    def __len__(self) -> int:
        return len(self.place)

    def support(self, number: NDArray[np.int64], start: Floats, end: Floats) -> Floats:
        """Mean strength of some edges between two places along each; NaN where nothing lies between."""
        length = self.strength.shape[1]
        sums = np.concatenate([np.zeros((len(self), 1)), np.cumsum(self.strength, axis=1)], axis=1)
        low = np.clip(np.round(start), 0, length).astype(int)
        high = np.clip(np.round(end), 0, length).astype(int)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Floats = (sums[number, high] - sums[number, low]) / np.where(high > low, high - low, np.nan)
        return mean


def edge_strength(picture: Image, *, along: int = 9) -> Floats:
    """How sharply brightness steps from left to right at each px, -1 to 1, whatever the contrast of the picture.

    Ramps as of shade and of lamps count little: what counts is how far the slope stands above that a few px aside.

    Parameters
    ----------
    picture
        (H, W) grey levels.
    along
        Px up and down over which the step is averaged, against grain and bedding.

    Examples
    --------
    >>> step = np.repeat([[90.0] * 12 + [60.0] * 12], 20, axis=0)
    >>> edge_strength(step)[10].round(1).tolist()[8:16]
    [-0.0, -0.0, -1.0, -1.0, -1.0, -1.0, -0.0, -0.0]
    """
    import cv2

    smooth = cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), 1.0)
    slope = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1, borderType=cv2.BORDER_REPLICATE)
    slope = cv2.blur(slope, (1, along))
    aside = np.zeros_like(slope)
    for shift in (-5, 5):
        near = np.roll(slope, shift, axis=1)
        aside = np.maximum(aside, np.where(np.sign(near) == np.sign(slope), np.abs(near), 0))
    sharp = np.sign(slope) * np.maximum(np.abs(slope) - aside, 0)
    # A border of the picture is no edge of the scene.
    sharp[:, :5] = sharp[:, -5:] = 0
    noise = 1.4826 * float(np.median(np.abs(slope)))
    full = max(3 * noise, 0.35, 0.1 * float(np.quantile(np.abs(sharp), 0.99)))
    clipped: Floats = np.clip(sharp / full, -1, 1).astype(float)
    return clipped


def find_edges(strength: Floats) -> Edges:
    """The longest and clearest edges that run down a picture, leaning either way.

    Parameters
    ----------
    strength
        (H, W) as :func:`edge_strength` gives it; turned, it gives the edges that run across.

    Returns
    -------
    Edges
        Best first within each sign.
    """
    height, width = strength.shape
    leans = np.arange(-MAX_LEAN, MAX_LEAN + 1e-9, 2 / height)
    middle = (height - 1) / 2
    # The strength along each line: one row of the picture at a time, shifted by how far each lean has gone there.
    columns = np.arange(width)[np.newaxis, :]
    shifts = np.round(np.outer(np.arange(height) - middle, leans)).astype(int)
    found: list[tuple[float, float, float, float, bool, Floats]] = []
    for sign in (1.0, -1.0):
        best, start, end = _best_stretch(strength * sign, shifts, columns)
        for lean_number, column in _apart(best, leans, start, end, middle):
            x = column + shifts[:, lean_number]
            inside = (x >= 0) & (x < width)
            profile = np.zeros(height)
            # A px aside counts too: real edges bend a little.
            for aside in (-1, 0, 1):
                values = sign * strength[np.arange(height), np.clip(x + aside, 0, width - 1)]
                profile = np.where(np.abs(values) > np.abs(profile), values, profile)
            profile[~inside] = 0
            stretch = float(start[lean_number, column]), float(end[lean_number, column])
            found.append((float(column), float(leans[lean_number]), *stretch, sign > 0, profile))
    if not found:
        empty = np.empty(0)
        return Edges(empty, empty, empty, empty, np.empty(0, bool), np.empty((0, height)))
    place, lean, first, last, rising, profiles = (np.array(values) for values in zip(*found, strict=True))
    return Edges(place, lean, first, last, rising, profiles)


def _best_stretch(strength: Floats, shifts: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[Any, Any, Any]:
    """For each lean and place: the stretch with the largest sum of strength above the toll, and that sum."""
    height, width = strength.shape
    shape = (shifts.shape[1], width)
    run, since = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
    best, start, end = np.zeros(shape, np.float32), np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    padded = np.pad(strength.astype(np.float32), ((0, 0), (1, 1)))
    for row in range(height):
        x = np.clip(columns + shifts[row][:, np.newaxis] + 1, 0, width + 1)
        run += padded[row][x] - np.float32(TOLL)
        lost = run <= 0
        run[lost] = 0
        since[lost] = row + 1
        better = run > best
        best[better] = run[better]
        start[better] = since[better]
        end[better] = row + 1
    return best, start, end


def _apart(best: Any, leans: Floats, start: Any, end: Any, middle: float) -> list[tuple[int, int]]:
    """The best lines, none of them beside a better one over its whole length."""
    order = np.argsort(-best, axis=None, kind="stable")[:4000]
    kept: list[tuple[int, int]] = []
    ends: list[tuple[float, float]] = []
    least = 0.06 * (2 * middle)
    for flat in order:
        number, place = np.unravel_index(int(flat), best.shape)
        if best[number, place] < least or len(kept) == KEPT:
            break
        first, last = start[number, place], end[number, place]
        now = place + leans[number] * (first - middle), place + leans[number] * (last - middle)
        near = False
        for other, spot in kept:
            there = spot + leans[other] * (first - middle), spot + leans[other] * (last - middle)
            near = near or (abs(there[0] - now[0]) < 4 and abs(there[1] - now[1]) < 4)
        if not near:
            kept.append((int(number), int(place)))
            ends.append(now)
    return kept
