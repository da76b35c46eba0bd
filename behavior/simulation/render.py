"""Rendering of a social interaction recording to a video file, with its truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from behavior.simulation.box_geometry import BoxGeometry
from behavior.simulation.camera import Camera, camera_above
from behavior.simulation.looks import CONDITIONS, LEVELS, Look, draw_look
from behavior.simulation.movement import MovementOptions
from behavior.simulation.picture import Picture
from behavior.simulation.posture import BodyShape
from behavior.simulation.recording_file import VideoWriter, complete_or_absent
from behavior.simulation.scenery import enclosure_corners_cm, floor_corners_cm
from behavior.simulation.timeline import frame_ticks, plan_hand, script_subject, script_target
from behavior.simulation.truth import Truth, in_corner, in_zone, summarise_truth

__all__ = ["RenderOptions", "calibration", "render_trial"]


@dataclass(frozen=True)
class RenderOptions:
    """What to render.

    Attributes
    ----------
    avoidance
        0 = a mouse with an empty enclosure; below 0 it seeks the enclosure more, above 0 less.
    activity
        Factor on walking speed.
    target
        A target mouse is in the enclosure.
    geometry
        Box, enclosure and zones, cm.
    shape, movement
        Size of the subject and its way of walking.
    window_s, after_s
        Scored window from release, and what the camera records after it.
    fps, width_px, height_px
        Recording.
    condition, level
        A named condition of :data:`behavior.simulation.looks.CONDITIONS`, "realistic" or "hard".
    look
        The look itself instead of a drawn one.
    arena_seed
        Seed of arena, camera and light, so that both trials of an animal share them; default: the trial's seed.
    codec, codec_options
        FFmpeg encoder, and its options; by default H.264 as cameras write it.
    noise
        False: no sensor noise (for checks of the renderer).
    """

    avoidance: float = 0.0
    activity: float = 1.0
    target: bool = False
    geometry: BoxGeometry = field(default_factory=BoxGeometry)
    shape: BodyShape = field(default_factory=BodyShape)
    movement: MovementOptions = field(default_factory=MovementOptions)
    window_s: float = 150.0
    after_s: float = 1.0
    fps: int = 15
    width_px: int = 480
    height_px: int = 360
    condition: str = "clean"
    level: str = "realistic"
    look: Look | None = None
    arena_seed: int | None = None
    codec: str = "libx264"
    codec_options: tuple[tuple[str, str], ...] = field(
        default=(("preset", "ultrafast"), ("crf", "23"), ("g", "60"), ("keyint_min", "15"))
    )
    noise: bool = True

    def __post_init__(self) -> None:
        if self.condition not in CONDITIONS:
            raise ValueError(f"unknown condition {self.condition!r}; known: {', '.join(CONDITIONS)}")
        if self.level not in LEVELS:
            raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {self.level!r}")
        if self.width_px % 2 or self.height_px % 2 or min(self.width_px, self.height_px) < 64:
            raise ValueError(
                f"width and height must be even and at least 64 px, not {self.width_px} x {self.height_px}"
            )
        if self.fps < 1 or self.window_s <= 0 or self.after_s < 0:
            raise ValueError("fps must be at least 1, window_s above 0, after_s not below 0")


def render_trial(path: str | PathLike[str], *, options: RenderOptions, seed: int) -> Truth:
    """Render one trial to a video file.

    The file appears under its name only when it is complete. The same options and seed give the same bytes.

    Parameters
    ----------
    path
        Video file to write; the ending tells the container.
    options
        What to render.
    seed
        Seed of movement, noise and, without ``options.arena_seed``, of arena and light.

    Returns
    -------
    Truth
        Places per frame, release, zone seconds.

    Raises
    ------
    ValueError
        A container that is not known.
    """
    path = Path(path)
    arena_seed = seed if options.arena_seed is None else options.arena_seed
    look, camera = _look_and_camera(options, arena_seed)
    event_rng, walk_rng, target_rng, noise_rng = (np.random.default_rng([seed, part]) for part in range(1, 5))
    hand = plan_hand(look, options.geometry, event_rng)
    gone_s = 0.0 if hand is None else hand.gone_s
    ticks = frame_ticks(gone_s + options.window_s + options.after_s, options.fps, look.drop_share, event_rng)
    time_s = ticks / options.fps
    movement = MovementOptions(**{**vars(options.movement), "still": look.still}) if look.still else options.movement
    subject = script_subject(
        time_s,
        hand=hand,
        look=look,
        geometry=options.geometry,
        movement=movement,
        avoidance=options.avoidance,
        activity=options.activity,
        shape=options.shape,
        rng=walk_rng,
    )
    target = None
    if options.target:
        big = BodyShape(9.2, 6.5, 1.08)
        target = script_target(time_s, geometry=options.geometry, pace=look.target_pace, shape=big, rng=target_rng)
    picture = Picture(
        camera,
        options.geometry,
        look,
        subject=subject,
        target=target,
        hand=hand,
        time_s=time_s,
        scenery_seed=arena_seed,
        event_rng=event_rng,
        noise_rng=noise_rng if options.noise else None,
    )
    with complete_or_absent(path) as part, _writer(part, path.suffix.lower(), options) as writer:
        for tick, planes in zip(ticks.tolist(), picture.frames(), strict=True):
            writer.write(planes, tick)
    return _truth(picture, options, time_s, camera)


def calibration(options: RenderOptions, arena_seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Floor corners and foot of the enclosure in px, (4, 2) each, of all recordings with these options and arena.

    Movement, target, length and seed of a trial do not matter; size, condition, level, look and geometry do.
    """
    _, camera = _look_and_camera(options, arena_seed)
    geometry = options.geometry
    return camera.project(floor_corners_cm(geometry)), camera.project(enclosure_corners_cm(geometry))


def _look_and_camera(options: RenderOptions, arena_seed: int) -> tuple[Look, Camera]:
    width, height = options.width_px, options.height_px
    look = options.look
    if look is None:
        rng = np.random.default_rng([arena_seed, 0])
        look = draw_look(options.condition, level=options.level, width_px=width, height_px=height, rng=rng)
    camera = camera_above(
        width_px=width,
        height_px=height,
        floor_cm=options.geometry.side_cm,
        px_per_cm=look.px_per_cm,
        distance_cm=look.camera_cm,
        rotation_deg=look.rotation_deg,
        tilt_deg=look.tilt_deg,
        tilt_toward_deg=look.tilt_toward_deg,
        shift_px=look.shift_px,
    )
    return look, camera


def _writer(part: Path, container: str, options: RenderOptions) -> VideoWriter:
    return VideoWriter(
        part,
        container=container,
        codec=options.codec,
        options=dict(options.codec_options),
        size=(options.width_px, options.height_px),
        fps=Fraction(options.fps),
    )


def _truth(picture: Picture, options: RenderOptions, time_s: NDArray[np.float64], camera: Camera) -> Truth:
    """Collect what the picture noted while it was drawn."""
    import pandas as pd

    geometry = options.geometry
    noted = picture.noted
    centre_px = noted[:, 0:2]
    centre_cm = picture.to_cm(centre_px)
    free = picture.subject.free
    clear = free & ~picture.hand_on_floor
    # Release is the first clear frame; a hand that comes back later does not undo it.
    release_s = float(time_s[np.argmax(clear)])
    scored = (time_s >= release_s) & (time_s < release_s + options.window_s)
    zone, corner = in_zone(centre_cm, geometry), in_corner(centre_cm, geometry)
    nose, tail_base = noted[:, 3:5], noted[:, 5:7]
    along = nose - tail_base
    state = np.select([picture.subject.held, free], ["held", "free"], "absent")
    frames = pd.DataFrame(
        {
            "frame": np.arange(time_s.size),
            "time_s": time_s,
            "state": state,
            "centre_x_px": centre_px[:, 0],
            "centre_y_px": centre_px[:, 1],
            "centre_x_cm": centre_cm[:, 0],
            "centre_y_cm": centre_cm[:, 1],
            "nose_x_px": nose[:, 0],
            "nose_y_px": nose[:, 1],
            "tail_base_x_px": tail_base[:, 0],
            "tail_base_y_px": tail_base[:, 1],
            "heading_deg": np.rad2deg(np.arctan2(-along[:, 1], along[:, 0])),
            "area_px": noted[:, 2],
            "in_zone": zone & free,
            "in_corner": corner & free,
            "scored": scored,
        }
    )
    seconds = {
        name: summarise_truth(time_s, within & free, release_s=release_s, window_s=options.window_s)
        for name, within in (("iz", zone), ("corner", corner))
    }
    return Truth(
        frames=frames,
        release_s=release_s,
        window_s=options.window_s,
        iz_s=seconds["iz"],
        corner_s=seconds["corner"],
        corners_px=camera.project(floor_corners_cm(geometry)),
        enclosure_px=camera.project(enclosure_corners_cm(geometry)),
        condition=options.condition,
        level=options.level,
    )
