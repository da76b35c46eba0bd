"""What changes the brightness over time: automatic exposure, flicker, a lamp, sensor noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from behavior.simulation.looks import Look

__all__ = ["frame_gains", "lamp_factor", "noise_fields"]

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]

# Noise pictures are cut at a random place from a larger one, this much larger.
_NOISE_SPARE = 61


def frame_gains(time_s: Array, look: Look, rng: np.random.Generator) -> Array:
    """(F,) factor on the brightness of each frame: slow wandering and jumps from frame to frame."""
    knots = np.arange(time_s[0], time_s[-1] + 24.0, 8.0)
    wander = np.interp(time_s, knots, np.clip(rng.standard_normal(knots.size), -2, 2)) * look.drift
    if look.flicker <= 0:
        return 1 + wander
    # Mains light sampled by the shutter: a beat, with an amplitude that comes and goes.
    beat = np.sin(2 * np.pi * (rng.uniform(1.5, 5.5) * time_s + rng.uniform()))
    strength = 0.5 + 0.5 * np.interp(time_s, knots, rng.uniform(0, 1, knots.size))
    return np.asarray((1 + wander) * (1 + look.flicker * strength * beat))


def lamp_factor(size: tuple[int, ...], look: Look) -> NDArray[np.float32]:
    """(H, W) factor on the light after a lamp at one side went on (above 0) or off."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = np.deg2rad(look.gradient_deg + 90)
    slope = np.cos(turn) * (x / width - 0.5) + np.sin(turn) * (y / height - 0.5)
    return np.asarray(1 + look.lamp_change * (0.6 + 0.8 * slope), dtype=np.float32)


def noise_fields(size: tuple[int, ...], sd: float, rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Noise to add and noise to subtract, larger than the picture; together their SD is about ``sd`` luma steps."""
    shape = (size[0] + _NOISE_SPARE, size[1] + _NOISE_SPARE)
    up, down = (np.clip(np.round(rng.standard_normal(shape) * sd), 0, 255).astype(np.uint8) for _ in range(2))
    return up, down
