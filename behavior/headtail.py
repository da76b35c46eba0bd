"""Which end of the body is the head: one decision along the whole track."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

__all__ = ["along_track", "head_senses", "shape_evidence"]

#: A turn of the body's axis by the full half circle between two frames is this unlikely (log odds).
SWAP_COST = 12.0
#: Log odds for a head side given by a long tail, and per unit of the body's skewness.
TAIL_ODDS, SKEW_ODDS = 4.0, 25.0
#: Log odds that an animal moves head first where it moves along its axis at the second speed or faster, none up to the
#: first; body lengths per second. Animals back off slowly.
MOVE_ODDS, MOVE_SPEEDS = 4.0, (0.5, 1.5)
#: Body lengths that an animal moves until its silhouette says something new, and how often one at rest does, times a
#: second: the pictures of an animal at rest all make the same mistake.
NEW_STEP, NEW_PER_S = 1 / 15, 1.5
#: Time to either side over which speed is measured.
SPEED_S = 0.2


def shape_evidence(skew: Array, tail: Array) -> Array:
    """Log odds that the head lies where the axis points, from one picture's silhouette.

    Parameters
    ----------
    skew
        (n,) skewness of the body along the axis: the head end is the thinner one.
    tail
        (n,) signed length of the tail in body lengths, above 0 on the side to which the axis points.

    Returns
    -------
    (n,) ndarray
        0 where nothing is known.
    """
    # A tail seen over half a body length is nearly certain; shorter ones may be paws, ears or the floor's edges.
    long = np.clip((np.abs(tail) - 0.2) / 0.3, 0, 1) * np.sign(tail)
    odds = SKEW_ODDS * np.clip(skew, -0.15, 0.15) - TAIL_ODDS * long
    return np.where(np.isfinite(odds), odds, 0.0)


def along_track(evidence: Array, *, time_s: Array, centre: npt.NDArray[Any], angle: Array, length: float) -> Array:
    """Evidence of silhouettes that follow one another, with that of the movement.

    Parameters
    ----------
    evidence
        (n,) log odds of :func:`shape_evidence`.
    time_s
        (n,) time of each frame.
    centre
        (n, 2) centre, of any kind of numbers; NaN where the animal is not seen.
    angle
        (n,) axis in radians.
    length
        Length of the body in the units of ``centre``.

    Returns
    -------
    (n,) ndarray
        Log odds that the head lies where the axis points: what the silhouettes of an animal at rest say weighs less,
        and an animal that runs along its axis runs head first.

    Examples
    --------
    >>> time_s = np.arange(5) / 10
    >>> run = np.stack([20.0 * np.arange(5), np.zeros(5)], axis=1)
    >>> along_track(np.zeros(5), time_s=time_s, centre=run, angle=np.zeros(5), length=80.0).tolist()
    [4.0, 4.0, 4.0, 4.0, 4.0]
    """
    n = len(time_s)
    if n < 2 or not length > 0:
        return evidence
    step_s = max(float(np.median(np.diff(time_s))), 1e-3)
    reach = max(1, round(SPEED_S / step_s))
    before, after = np.maximum(np.arange(n) - reach, 0), np.minimum(np.arange(n) + reach, n - 1)
    speed = (centre[after] - centre[before]) / (length * np.maximum(time_s[after] - time_s[before], 1e-6))[
        :, np.newaxis
    ]
    ahead = speed[:, 0] * np.cos(angle) + speed[:, 1] * np.sin(angle)
    low, high = MOVE_SPEEDS
    moves = MOVE_ODDS * np.clip((np.abs(ahead) - low) / (high - low), 0, 1) * np.sign(ahead)
    news = np.clip(np.hypot(speed[:, 0], speed[:, 1]) * step_s / NEW_STEP, min(NEW_PER_S * step_s, 1.0), 1)
    # Beside frames without the animal its speed is not known.
    known = np.isfinite(ahead)
    return np.where(known, evidence * news + moves, evidence)


def head_senses(angle: Array, evidence: Array, elongation: Array) -> npt.NDArray[np.int8]:
    """Sense of the head along the axis in each frame: the most probable sequence (Viterbi).

    Between two frames the head stays on the side that turns the body least; the rounder the silhouette, the less its
    axis says about it.

    Parameters
    ----------
    angle
        (n,) axis in radians; NaN where the animal is not seen.
    evidence
        (n,) log odds that the head lies where the axis points.
    elongation
        (n,) length over width.

    Returns
    -------
    (n,) ndarray
        1 where the head lies where the axis points, -1 where opposite.

    Examples
    --------
    >>> head_senses(np.zeros(3), np.array([2.0, -1.0, 2.0]), np.full(3, 2.0)).tolist()
    [1, 1, 1]
    """
    n = len(angle)
    seen = np.flatnonzero(np.isfinite(angle))
    senses = np.ones(n, np.int8)
    if not len(seen):
        return senses
    cosines = np.cos(np.diff(np.asarray(angle[seen], dtype=float)))
    gaps = np.diff(seen)
    trust = np.clip(np.minimum(elongation[seen][1:], elongation[seen][:-1]) - 1, 0.02, 0.6) / 0.6
    # Over a gap of g frames the animal may have turned: what was known fades.
    keep = _compact(SWAP_COST * trust * cosines / gaps)
    odds = _compact(evidence[seen])
    ahead, back = odds[0] / 2, -odds[0] / 2
    # Where each frame's best way came from, bit 0 to "ahead", bit 1 to "back"; a byte a frame, for long recordings.
    came_from_ahead = bytearray()
    for weight, odd in zip(keep, odds[1:], strict=True):
        to_ahead, to_back = ahead + weight / 2 >= back - weight / 2, ahead - weight / 2 >= back + weight / 2
        came_from_ahead.append(to_ahead + 2 * to_back)
        ahead, back = (
            (ahead + weight / 2 if to_ahead else back - weight / 2) + odd / 2,
            (ahead - weight / 2 if to_back else back + weight / 2) - odd / 2,
        )
    state = ahead >= back
    path = bytearray([state])
    for choice in reversed(came_from_ahead):
        state = bool(choice & 1 if state else choice & 2)
        path.append(state)
    senses[seen] = np.where(np.frombuffer(path, np.uint8)[::-1], 1, -1)
    return senses


def _compact(values: Array) -> array[float]:
    """The same numbers, quick to walk through one by one and eight bytes each."""
    return array("d", np.ascontiguousarray(values, dtype=float).tobytes())
