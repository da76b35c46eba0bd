"""How a recording looks, drawn at random: camera, floor, walls, light, noise, coat; and named hard conditions.

Ranges are those of real recordings of mice in boxes (phone cameras above white boxes, machine-vision cameras under
infrared, webcams): scale, brightness and shadows of floor and walls, noise after coding, drift of the exposure.

Conditions under which trackers of this kind are known to fall short are listed in :data:`KNOWN_FAILURES`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from behavior.simulation.mouse_drawing import Coat

__all__ = ["CONDITIONS", "KNOWN_FAILURES", "LEVELS", "Look", "draw_look"]

LEVELS = ("realistic", "hard")

CONDITIONS = {
    "clean": "floor, walls and light as they come; nothing goes wrong",
    "bedding": "floor covered with wood shavings, which the mouse moves about",
    "low_contrast": "grey floor under little light, dark mouse",
    "black_on_dark": "dark mouse on a floor about as dark as itself",
    "white_on_dark": "white mouse on a dark floor",
    "reflections": "shiny walls that mirror the mouse",
    "hard_shadow": "one low lamp: the mouse casts a deep shadow beside itself",
    "shade_band": "a wall throws a dark band across the floor; glare spots",
    "droppings": "droppings appear under the mouse and stay",
    "flicker": "brightness jumps from frame to frame (mains against shutter)",
    "exposure_drift": "the camera's automatic exposure wanders",
    "lamp_change": "a lamp goes on or off for good in mid-trial",
    "camera_bump": "the camera is knocked in mid-trial and stays turned and shifted",
    "tilted_camera": "the camera looks from the side",
    "noisy": "high gain: strong sensor noise",
    "blurred": "long exposure and lens out of focus",
    "sits_still": "the mouse freezes for most of the trial",
    "late_release": "the box stays empty for long; the mouse comes late",
    "already_in": "the recording begins with the mouse in the box",
    "cable": "a dark tether cable hangs from above to the mouse's head",
    "moving_hand": "the hand comes back into the picture in mid-trial",
    "lively_target": "the target never rests and stands at the mesh",
    "small_animal": "the camera hangs high: the mouse is some 35 px long",
    "dropped_frames": "the camera drops frames; time steps are uneven",
}

KNOWN_FAILURES = {
    "black_on_dark": "at the hard level averages over parts of the body tell where the mouse is, but not always which "
    "end is the head",
}


# A white mouse, as the target strain is.
_WHITE = Coat(0.88, 0.98, 0.72, 0.75, 0.70, 0.5, 0.05, (1.0, 1.0))


@dataclass(frozen=True)
class Look:
    """Parameters of the picture; brightness 0 to 1 of the sensor's range, lengths in cm or px as named."""

    px_per_cm: float = 6.8
    camera_cm: float = 130.0
    rotation_deg: float = 0.0
    tilt_deg: float = 0.0
    tilt_toward_deg: float = 90.0
    shift_px: tuple[float, float] = (0.0, 0.0)
    floor: float = 0.62
    floor_texture: float = 0.03
    floor_grain: float = 0.01
    bedding: float = 0.0
    wall: float = 0.5
    wall_cm: float = 32.0
    surround: float = 0.2
    line: float = 0.08
    gradient: float = 0.12
    gradient_deg: float = 30.0
    lamp: float = 0.12
    lamp_place: tuple[float, float] = (0.4, 0.4)
    vignette: float = 0.15
    shade_band: float = 0.0
    shade_wall: str = "right"
    glare: int = 0
    mirror: float = 0.05
    noise: float = 1.6
    focus_px: float = 0.45
    shutter_s: float = 0.008
    drift: float = 0.005
    flicker: float = 0.0
    lamp_change: float = 0.0
    bump_px: float = 0.0
    droppings: int = 0
    cable: float = 0.0
    colour: tuple[float, float] = (0.0, 0.0)
    mesh: float = 0.2
    mesh_cm: float = 12.0
    mesh_step_cm: float = 1.0
    coat: Coat = field(default_factory=Coat)
    target: Coat = field(default_factory=lambda: _WHITE)
    gloved: bool = True
    hand: float = 0.45
    hand_returns: bool = False
    drop_share: float = 0.0
    empty_s: tuple[float, float] = (2.0, 4.5)
    in_from_start: bool = False
    still: float = 0.0
    target_pace: float = 1.0


def draw_look(condition: str, *, level: str, width_px: int, height_px: int, rng: np.random.Generator) -> Look:
    """Draw the look of a recording.

    Parameters
    ----------
    condition
        A key of :data:`CONDITIONS`.
    level
        "realistic" or "hard".
    width_px, height_px
        Picture size; sets the scale.
    rng
        Source of the draw. The same state gives the same arena, camera and light under every condition.

    Raises
    ------
    ValueError
        Unknown condition or level.
    """
    if condition not in CONDITIONS:
        raise ValueError(f"unknown condition {condition!r}; known: {', '.join(CONDITIONS)}")
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    return _apply(condition, _everyday(width_px, height_px, rng), level == "hard", rng)


def _everyday(width_px: int, height_px: int, rng: np.random.Generator) -> Look:
    """A look without trouble."""
    u = rng.uniform(size=32)
    scale = min(width_px / 48, height_px / 44) * (0.80 + 0.08 * u[0])
    floor = 0.50 + 0.30 * u[1]
    coloured = u[2] < 0.5
    body = 0.05 + 0.05 * u[3]
    coat = Coat(
        body=body,
        back=body + 0.02 + 0.05 * u[4],
        ears=0.18 + 0.16 * u[5],
        feet=0.40 + 0.25 * u[6],
        tail=0.18 + 0.22 * u[7],
        edge_px=0.45 + 0.35 * u[8],
        shadow=0.06 + 0.12 * u[9],
        shadow_px=(5 * u[10] - 2.5, 5 * u[11] - 2.5),
    )
    return Look(
        px_per_cm=scale,
        camera_cm=105 + 70 * u[12],
        rotation_deg=3 * (u[13] - 0.5),
        tilt_deg=1.5 * u[14],
        tilt_toward_deg=360 * u[15],
        shift_px=(0.03 * width_px * (u[16] - 0.5), 0.02 * height_px * (u[17] - 0.5)),
        floor=floor,
        floor_texture=0.008 + 0.018 * u[18],
        floor_grain=0.004 + 0.008 * u[19],
        wall=floor * (0.66 + 0.3 * u[20]),
        wall_cm=25 + 15 * u[21],
        surround=0.10 + 0.25 * u[22],
        line=0.02 + 0.12 * u[23],
        gradient=0.05 + 0.15 * u[24],
        gradient_deg=360 * u[25],
        lamp=0.03 + 0.12 * u[26],
        lamp_place=(0.2 + 0.6 * u[27], 0.2 + 0.6 * u[28]),
        vignette=0.04 + 0.18 * u[29],
        mirror=0.02 + 0.10 * u[30],
        noise=1.2 + 0.9 * u[31],
        coat=coat,
        colour=(float(rng.uniform(-8, 1)), float(rng.uniform(-1, 7))) if coloured else (0.0, 0.0),
        mesh=float(rng.uniform(0.10, 0.34)),
        mesh_cm=float(rng.uniform(5, 11)),
        mesh_step_cm=float(rng.uniform(0.8, 1.3)),
        gloved=bool(rng.uniform() < 0.7),
        hand=float(rng.uniform(0.25, 0.62)),
        drift=float(rng.uniform(0.002, 0.012)),
    )


def _apply(condition: str, look: Look, hard: bool, rng: np.random.Generator) -> Look:
    """The everyday look with what the condition changes."""
    u = rng.uniform(size=6)
    sign = 1 if u[0] < 0.5 else -1
    changes: dict[str, dict[str, object]] = {
        "clean": {},
        "bedding": {
            "bedding": 0.55 if hard else 0.30,
            "floor": 0.45 + 0.1 * u[1],
            "floor_texture": 0.05,
        },
        "low_contrast": {
            "floor": 0.22 if hard else 0.30,
            "wall": 0.20 if hard else 0.26,
            "surround": 0.08,
            "noise": 2.2,
            "coat": replace(look.coat, ears=0.18, feet=0.25, tail=0.16),
            "target": replace(look.target, body=0.55, back=0.65, ears=0.45, feet=0.5, tail=0.45),
        },
        "black_on_dark": {
            "floor": 0.12 if hard else 0.16,
            "wall": 0.14,
            "surround": 0.06,
            "bedding": 0.3 if hard else 0.0,
            "noise": 2.2,
            "coat": replace(look.coat, ears=0.14, feet=0.2, tail=0.14, shadow=0.05),
        },
        "white_on_dark": {
            "floor": 0.16 if hard else 0.12,
            "wall": 0.30 if hard else 0.09,
            "surround": 0.35,
            "coat": Coat(0.75, 0.92, 0.6, 0.6, 0.5, 0.6, 0.05, (1.0, 1.0)),
            "mesh": 0.35,
            "colour": (0.0, 0.0),
        },
        "reflections": {"mirror": 0.75 if hard else 0.45, "wall": look.floor * (0.95 if hard else 0.85)},
        "hard_shadow": {
            "coat": replace(
                look.coat,
                shadow=0.62 if hard else 0.40,
                shadow_px=(sign * (8.0 if hard else 5.0), 4.0 - 8.0 * u[2]),
            ),
            "gradient": 0.25,
            "floor": max(look.floor, 0.62),
        },
        "shade_band": {
            "shade_band": 0.5 if hard else 0.3,
            "shade_wall": ("left", "right", "top", "bottom")[int(4 * u[1])],
            "glare": 5 if hard else 2,
        },
        "droppings": {"droppings": 14 if hard else 6},
        "flicker": {"flicker": 0.10 if hard else 0.04},
        "exposure_drift": {"drift": 0.16 if hard else 0.08},
        "lamp_change": {"lamp_change": sign * (0.45 if hard else 0.22)},
        "camera_bump": {"bump_px": 12.0 if hard else 4.0},
        "tilted_camera": {"tilt_deg": 24.0 if hard else 12.0, "px_per_cm": look.px_per_cm * 0.92},
        "noisy": {"noise": 7.0 if hard else 4.0},
        "blurred": {"focus_px": 2.2 if hard else 1.3, "shutter_s": 0.06 if hard else 0.033},
        "sits_still": {"still": 1.0 if hard else 0.75},
        "late_release": {"empty_s": (25.0, 30.0) if hard else (9.0, 12.0)},
        "already_in": {"in_from_start": True},
        "cable": {"cable": 2.6 if hard else 1.2},
        "moving_hand": {"hand_returns": True, "hand": 0.2 if hard else look.hand},
        "lively_target": {
            "target_pace": 3.0 if hard else 2.0,
            "target": replace(look.target, body=0.62, back=0.8) if hard else look.target,
        },
        "small_animal": {"px_per_cm": look.px_per_cm * (0.45 if hard else 0.62)},
        "dropped_frames": {"drop_share": 0.35 if hard else 0.12},
    }
    return replace(look, **changes[condition])  # type: ignore[arg-type]
