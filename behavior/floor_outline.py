"""The four sides of a rectangular floor among the straight edges of a picture, and its corners to parts of a px."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from behavior.straight_edges import Edges, edge_strength, find_edges

if TYPE_CHECKING:
    Image = NDArray[Any]

__all__ = ["Outline", "camera_misfit_cm", "find_outlines", "refine_outline"]

Floats = NDArray[np.float64]
Points = NDArray[np.float64]

#: A floor fills at least this part of the picture's shorter side.
MIN_SIDE = 0.22
#: Ratio of width to height may differ from that of the floor by this factor before the camera is looked at.
ASPECT = 1.25
#: Least mean strength of the weakest side.
MIN_SUPPORT = 0.25
#: Outlines looked at in detail.
LOOKED_AT = 400
#: Focal lengths that cameras have, in widths of the picture.
FOCAL = np.geomspace(0.6, 12.0, 48)


@dataclass(frozen=True, eq=False)
class Outline:
    """A quadrilateral that may be the floor.

    Attributes
    ----------
    corners_px
        (4, 2) top left, top right, bottom right, bottom left.
    support
        (4,) how well each side is seen, 0 to 1: top, right, bottom, left.
    beyond
        How much of the sides goes on beyond the corners, 0 to 1: shadows do, the foot of a wall does not.
    corner_share
        Share of the corners up to which both of their sides are seen.
    misfit_cm
        How far the outline is from one that a camera could see of a floor of the stated size.
    score
        What these make together, 0 to 1.
    """

    corners_px: Points
    support: Floats
    beyond: float
    corner_share: float
    misfit_cm: float
    score: float

    @property
    def area_px(self) -> float:
        """Area in px^2."""
        x, y = self.corners_px.T
        return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


def camera_misfit_cm(corners_px: Points, *, width_cm: float, height_cm: float, picture: tuple[int, int]) -> Floats:
    """How far outlines are from what any camera sees of a rectangle of this size.

    Four points always fit some projective transform; a camera with square px whose axis meets the middle of the
    picture leaves two equations (Zhang 2000, doi:10.1109/34.888718): equal scale along both sides, and right angles.
    What is left of them at the best focal length is given as the shift of a corner that it amounts to.

    Parameters
    ----------
    corners_px
        (N, 4, 2) corners: top left, top right, bottom right, bottom left.
    width_cm, height_cm
        The floor.
    picture
        Width and height of the picture in px.

    Returns
    -------
    (N,) ndarray
        cm.

    Examples
    --------
    >>> square = np.array([[(10.0, 10.0), (50.0, 10.0), (50.0, 50.0), (10.0, 50.0)]])
    >>> camera_misfit_cm(square, width_cm=40, height_cm=40, picture=(60, 60)).round(6).tolist()
    [0.0]
    >>> camera_misfit_cm(square, width_cm=44, height_cm=40, picture=(60, 60)).round(1).tolist()
    [1.4]
    """
    middle = (np.array(picture, float) - 1) / 2
    centred = (np.asarray(corners_px, float) - middle) / picture[0]
    plane = _homographies(np.array([(0, 0), (width_cm, 0), (width_cm, height_cm), (0, height_cm)], float), centred)
    first, second = plane[:, :, 0], plane[:, :, 1]
    weight = np.ones((len(FOCAL), 3))
    weight[:, :2] = 1 / FOCAL[:, np.newaxis] ** 2
    lengths = np.stack([(v * v) @ weight.T for v in (first, second)])
    scale = 0.5 * np.log(lengths[0] / lengths[1])
    skew = ((first * second) @ weight.T) / np.sqrt(lengths[0] * lengths[1])
    left: Floats = np.hypot(scale, skew).min(axis=1) * np.sqrt(width_cm * height_cm) / (2 * np.sqrt(2))
    return left


def _homographies(flat: Points, seen: Floats) -> Floats:
    """(N, 3, 3) transforms from four points of a plane to the four points seen, last entry 1."""
    count = len(seen)
    rows = np.zeros((count, 8, 8))
    for k, (x, y) in enumerate(flat):
        u, v = seen[:, k, 0], seen[:, k, 1]
        rows[:, 2 * k, 0:3] = (x, y, 1)
        rows[:, 2 * k + 1, 3:6] = (x, y, 1)
        rows[:, 2 * k, 6], rows[:, 2 * k, 7] = -u * x, -u * y
        rows[:, 2 * k + 1, 6], rows[:, 2 * k + 1, 7] = -v * x, -v * y
    solved = np.linalg.solve(rows, seen.reshape(count, 8, 1))[:, :, 0]
    return np.concatenate([solved, np.ones((count, 1))], axis=1).reshape(count, 3, 3)


def find_outlines(picture: Image, *, width_cm: float, height_cm: float) -> list[Outline]:
    """Quadrilaterals of straight edges that could be a floor of this size, the best first.

    Parameters
    ----------
    picture
        (H, W) grey levels, some 300 px wide: coarser than the recording.
    width_cm, height_cm
        The floor as seen.
    """
    down = find_edges(edge_strength(picture))
    across = find_edges(edge_strength(np.ascontiguousarray(picture.T)))
    height, width = picture.shape
    upright = _pairs(down, least=MIN_SIDE * min(width, height))
    level = _pairs(across, least=MIN_SIDE * min(width, height))
    if not len(upright) or not len(level):
        return []
    sides = _combined(upright, level)
    corners = _corners(down, across, sides, (width, height))
    wide = np.hypot(*(corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3]).T)
    high = np.hypot(*(corners[:, 3] - corners[:, 0] + corners[:, 2] - corners[:, 1]).T)
    outside = (corners < -1).any(axis=(1, 2)) | (corners > (width, height)).any(axis=(1, 2))
    fits = np.abs(np.log(wide / high * height_cm / width_cm)) < np.log(ASPECT)
    chosen = np.flatnonzero(fits & ~outside & (high > 2 * MIN_SIDE * min(width, height)))
    if not len(chosen):
        return []
    sides, corners = sides[chosen], corners[chosen]
    support, beyond, corner_share = _support(down, across, sides, corners)
    misfit = camera_misfit_cm(corners, width_cm=width_cm, height_cm=height_cm, picture=(width, height))
    share = misfit / np.sqrt(width_cm * height_cm)
    score = np.prod(np.clip(support, 1e-6, 1), axis=1) ** 0.25 * corner_share - 0.3 * beyond
    score *= np.exp(-0.5 * (share / 0.02) ** 2)
    score[support.min(axis=1) < MIN_SUPPORT] = 0
    order = np.argsort(-score, kind="stable")[:LOOKED_AT]
    return [
        Outline(
            corners[k],
            np.clip(support[k], 0, 1),
            float(beyond[k]),
            float(corner_share[k]),
            float(misfit[k]),
            float(score[k]),
        )
        for k in order
        if score[k] > 0
    ]


def _pairs(edges: Edges, *, least: float) -> NDArray[np.int64]:
    """(P, 2) pairs of edges, the first on the side of smaller coordinates."""
    if len(edges) < 2:
        return np.empty((0, 2), int)
    first, second = np.meshgrid(np.arange(len(edges)), np.arange(len(edges)), indexing="ij")
    apart = edges.place[second] - edges.place[first] >= least
    # Opposite sides of a floor lean by perspective alone.
    alike = np.abs(edges.lean[second] - edges.lean[first]) < 0.45
    return np.argwhere(apart & alike)


def _combined(upright: NDArray[np.int64], level: NDArray[np.int64]) -> NDArray[np.int64]:
    """(Q, 4) left, right, top, bottom."""
    one, other = np.meshgrid(np.arange(len(upright)), np.arange(len(level)), indexing="ij")
    return np.concatenate([upright[one.ravel()], level[other.ravel()]], axis=1)


def _corners(down: Edges, across: Edges, sides: NDArray[np.int64], size: tuple[int, int]) -> Floats:
    """(Q, 4, 2) where the sides meet."""
    left, right, top, bottom = sides.T
    return np.stack(
        [
            _meet(down, across, number, other, size)
            for number, other in ((left, top), (right, top), (right, bottom), (left, bottom))
        ],
        axis=1,
    )


def _meet(
    down: Edges, across: Edges, one: NDArray[np.int64], other: NDArray[np.int64], size: tuple[int, int]
) -> Floats:
    middle_x, middle_y = (size[0] - 1) / 2, (size[1] - 1) / 2
    # x = a + s (y - my); y = b + t (x - mx)
    a, s, b, t = down.place[one], down.lean[one], across.place[other], across.lean[other]
    x = (a + s * (b - t * middle_x - middle_y)) / (1 - s * t)
    return np.column_stack([x, b + t * (x - middle_x)])


def _support(down: Edges, across: Edges, sides: NDArray[np.int64], corners: Floats) -> tuple[Floats, Floats, Floats]:
    """(Q, 4) strength along top, right, bottom, left; (Q,) strength beyond the corners; (Q,) share of corners seen."""
    left, right, top, bottom = sides.T
    spans = [
        (across, top, corners[:, 0, 0], corners[:, 1, 0]),
        (down, right, corners[:, 1, 1], corners[:, 2, 1]),
        (across, bottom, corners[:, 3, 0], corners[:, 2, 0]),
        (down, left, corners[:, 0, 1], corners[:, 3, 1]),
    ]
    support, beyond, ends = [], [], []
    for edges, number, start, end in spans:
        rest = 0.12 * (end - start)
        support.append(edges.support(number, start + 2, end - 2))
        for first, last in ((start - rest, start - 3), (end + 3, end + rest)):
            beyond.append(np.nan_to_num(edges.support(number, first, last)))
        for first, last in ((start + 2, start + rest), (end - rest, end - 2)):
            ends.append(np.clip(np.nan_to_num(edges.support(number, first, last)) / 0.5, 0, 1))
    # Ends run left to right and top to bottom: of the top, right, bottom and left side.
    meeting = ((0, 6), (1, 2), (5, 3), (4, 7))
    corner_share = np.mean([np.minimum(ends[one], ends[other]) for one, other in meeting], axis=0)
    return np.nan_to_num(np.stack(support, axis=1)), np.clip(np.stack(beyond), 0, 1).mean(axis=0), corner_share


def refine_outline(picture: Image, corners_px: Points, *, reach_px: float) -> tuple[Points, Floats, Floats]:
    """The corners from straight lines fitted to the steps of brightness across each side, in the full picture.

    Parameters
    ----------
    picture
        (H, W) full picture.
    corners_px
        (4, 2) corners as found in a coarser one.
    reach_px
        How far from the outline the step is looked for.

    Returns
    -------
    corners_px : (4, 2) ndarray
    share : (4,) ndarray
        Share of each side's length along which the step lies on the line: top, right, bottom, left.
    scatter_px : (4,) ndarray
        Standard deviation of those places about the line, px.
    """
    lines, shares, scatters = [], [], []
    for number in range(4):
        start, end = corners_px[number], corners_px[(number + 1) % 4]
        line, share, scatter = _side(picture, start, end, reach_px)
        lines.append(line)
        shares.append(share)
        scatters.append(scatter)
    corners = np.array([_crossing(lines[number - 1], lines[number]) for number in range(4)])
    return corners, np.array(shares), np.array(scatters)


def _side(picture: Image, start: Points, end: Points, reach: float) -> tuple[tuple[Points, Points], float, float]:
    """Line (point, direction) through the steps of one side, the share of them on it, and their scatter about it."""
    length = float(np.hypot(*(end - start)))
    ahead = (end - start) / length
    across = np.array([-ahead[1], ahead[0]])
    along = np.linspace(0.03, 0.97, max(24, round(length / 3)))
    offsets = np.arange(-reach, reach + 0.01, 0.5)
    profiles = _profiles(picture, start, end, along, across, offsets)
    slope = np.gradient(profiles, offsets, axis=1)
    window = np.hanning(9)[1:-1]
    window /= window.sum()
    slope = np.apply_along_axis(lambda row: np.convolve(row, window, mode="same"), 1, slope)
    scale = np.quantile(np.abs(slope), 0.9, axis=1, keepdims=True) + 1e-9
    usual = np.clip(slope / scale, -1.5, 1.5).mean(axis=0)
    sign = np.sign(usual[np.argmax(np.abs(usual))])
    steps = slope * sign
    steps[:, [0, 1, -2, -1]] = -np.inf
    peak = np.argmax(steps, axis=1)
    rows = np.arange(len(along))
    before, there, after = (steps[rows, np.clip(peak + d, 0, len(offsets) - 1)] for d in (-1, 0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        bend = before - 2 * there + after
        part = np.where(np.isfinite(bend) & (bend < 0), 0.5 * (before - after) / bend, 0.0)
    place = offsets[peak] + 0.5 * np.clip(part, -1, 1)
    slant, shift, on_line = _robust_line(along * length, place, tolerance=max(1.0, 0.15 * reach))
    point = start + shift * across
    direction = ahead + slant * across
    left = place - (slant * along * length + shift)
    scatter = float(np.std(left[on_line])) if on_line.sum() > 2 else float("nan")
    return (point, direction), float(on_line.mean()), scatter


def _profiles(
    picture: Image, start: Points, end: Points, along: Floats, across: Points, offsets: Floats
) -> NDArray[np.float32]:
    """(N, K) brightness across a side, each row averaged over a few px along it."""
    import cv2

    points = start + along[:, np.newaxis] * (end - start)
    grid = points[:, np.newaxis] + offsets[np.newaxis, :, np.newaxis] * across
    sampled = cv2.remap(
        np.asarray(picture, np.float32), grid[..., 0].astype(np.float32), grid[..., 1].astype(np.float32),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(cv2.blur(sampled, (1, 5)), np.float32)


def _robust_line(x: Floats, y: Floats, *, tolerance: float) -> tuple[float, float, NDArray[np.bool_]]:
    """Slope and start of the line that most points lie on, then least squares through those points."""
    first, second = np.triu_indices(len(x), k=max(4, len(x) // 4))
    if len(first) > 4000:
        # Every so many pairs is as good as all, and needs no random draw.
        kept = np.linspace(0, len(first) - 1, 4000).astype(int)
        first, second = first[kept], second[kept]
    slope = (y[second] - y[first]) / (x[second] - x[first])
    shift = y[first] - slope * x[first]
    near = np.abs(y - (slope[:, np.newaxis] * x + shift[:, np.newaxis])) < tolerance
    best = int(near.sum(axis=1).argmax())
    on_line = near[best]
    a, b = float(slope[best]), float(shift[best])
    for _ in range(3):
        if on_line.sum() < 3:
            break
        a, b = (float(v) for v in np.polyfit(x[on_line], y[on_line], 1))
        on_line = np.abs(y - (a * x + b)) < tolerance
    return a, b, on_line


def _crossing(one: tuple[Points, Points], other: tuple[Points, Points]) -> Points:
    matrix = np.column_stack([one[1], -other[1]])
    step = np.linalg.solve(matrix, other[0] - one[0])
    point: Points = one[0] + step[0] * one[1]
    return point
