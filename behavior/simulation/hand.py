"""The experimenter's hand that puts the mouse into the box: forearm, palm, fingers, seen from above."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Hand", "draw_hand", "hand_tip"]

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Capsules (from, to, radius) in cm: along the arm's direction and across it, finger tips at the origin.
_PARTS = (
    ((-45.0, 0.0), (-15.0, 0.0), 3.6),
    ((-15.0, 0.0), (-9.0, 0.0), 3.2),
    ((-10.5, -1.6), (-7.0, -2.2), 2.4),
    ((-10.5, 1.4), (-7.0, 1.9), 2.4),
    ((-7.0, -2.6), (-1.6, -2.2), 0.95),
    ((-7.0, -0.9), (-0.3, -0.8), 1.0),
    ((-7.0, 0.8), (-0.6, 0.7), 1.0),
    ((-7.0, 2.5), (-2.4, 2.6), 0.9),
    ((-9.0, -3.2), (-4.0, -4.6), 1.05),
)


@dataclass(frozen=True)
class Hand:
    """Course of one visit of the hand.

    Attributes
    ----------
    enter_s, down_s, lift_s, gone_s
        It comes into view, reaches the place, starts back, has left the picture.
    place_cm
        Floor point it reaches.
    from_deg
        Direction from the place to the experimenter (0 = right, 90 = down as seen).
    """

    enter_s: float
    down_s: float
    lift_s: float
    gone_s: float
    place_cm: tuple[float, float]
    from_deg: float
    reach_cm: float = 52.0


def hand_tip(hand: Hand, time_s: float) -> Array | None:
    """Finger tips on the floor plane in cm, None when the hand is away."""
    if not hand.enter_s <= time_s < hand.gone_s:
        return None
    if time_s < hand.down_s:
        part = 1 - (time_s - hand.enter_s) / (hand.down_s - hand.enter_s)
        away = part**1.5
    elif time_s < hand.lift_s:
        away = 0.0
    else:
        # A hand draws back faster and faster.
        away = ((time_s - hand.lift_s) / (hand.gone_s - hand.lift_s)) ** 1.6
    turn = np.deg2rad(hand.from_deg)
    return np.asarray(hand.place_cm + away * hand.reach_cm * np.array([np.cos(turn), np.sin(turn)]), dtype=float)


def draw_hand(
    picture: Bytes,
    tip_px: Array,
    from_deg: float,
    px_per_cm: float,
    light: Floats,
    *,
    tone: float,
    chroma: tuple[Bytes, Bytes] | None = None,
    tint: tuple[int, int] = (128, 128),
) -> Bytes:
    """Draw the hand in place and give its coverage (H, W), 0 to 255; nearer the camera than the floor, so unsharp."""
    cover = np.zeros(picture.shape, np.uint8)
    shade = np.full(picture.shape, 200, np.uint8)
    turn = np.deg2rad(from_deg)
    along, across = -np.array([np.cos(turn), np.sin(turn)]), np.array([np.sin(turn), -np.cos(turn)])
    for start, end, radius in _PARTS:
        a, b = (tip_px + px_per_cm * (p[0] * along + p[1] * across) for p in (start, end))
        line = tuple(np.round(a).astype(int).tolist()), tuple(np.round(b).astype(int).tolist())
        cv2.line(cover, *line, 255, max(1, round(2 * radius * px_per_cm)), cv2.LINE_AA)
        cv2.line(shade, *line, 255, max(1, round(0.9 * radius * px_per_cm)), cv2.LINE_AA)
    soft = np.asarray(cv2.GaussianBlur(cover, (0, 0), 1.6), dtype=np.uint8)
    share = soft * np.float32(1 / 255)
    colour = tone * light * cv2.blur(shade, (9, 9)) * np.float32(1 / 255)
    picture[...] = np.clip(picture + (colour - picture) * share + 0.5, 0, 255).astype(np.uint8)
    if chroma is not None:
        half = cv2.resize(share, chroma[0].shape[::-1], interpolation=cv2.INTER_AREA)
        for plane, value in zip(chroma, tint, strict=True):
            plane[...] = (plane + (value - plane.astype(np.float32)) * half + 0.5).astype(np.uint8)
    return soft
