"""The moving picture: the still scenery with animals, hand, droppings, changes of light and noise, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from behavior.simulation.box_geometry import BoxGeometry
from behavior.simulation.camera import Camera, camera_above
from behavior.simulation.hand import Hand, draw_hand, hand_tip
from behavior.simulation.light_events import frame_gains, lamp_factor, noise_fields
from behavior.simulation.looks import Look
from behavior.simulation.mouse_drawing import Coat, MouseShapes, draw_mouse, draw_reflection, prepare_shapes
from behavior.simulation.posture import Poses
from behavior.simulation.scenery import Scenery, build_scenery
from behavior.simulation.timeline import Script

__all__ = ["Picture"]

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]

# Heights above the floor at which the parts of a mouse are seen, cm.
_HEIGHTS = {"outline": 1.2, "back": 2.2, "ears": 2.0, "feet": 0.2, "tail": 0.4}
_NOTED = 7
_MIRROR_REACH_CM = 8.0


class Picture:
    """Draws the frames one after another and notes where the subject's body was drawn.

    Attributes
    ----------
    noted
        (F, 7) centre x, y (px), area (px²), nose x, y, tail base x, y; NaN where the subject is not in view.
    hand_on_floor
        (F,) bool.
    """

    def __init__(
        self,
        camera: Camera,
        geometry: BoxGeometry,
        look: Look,
        *,
        subject: Script,
        target: Poses | None,
        hand: Hand | None,
        time_s: Array,
        scenery_seed: int,
        event_rng: np.random.Generator,
        noise_rng: np.random.Generator | None,
    ) -> None:
        self.camera, self.geometry, self.look = camera, geometry, look
        self.subject, self.time_s = subject, time_s
        self.noted = np.full((time_s.size, _NOTED), np.nan)
        self.hand_on_floor = np.zeros(time_s.size, bool)
        self._scenery_seed = scenery_seed
        self._visits = _visits(hand, look, time_s, event_rng)
        self._noise_rng = noise_rng
        self._gains = frame_gains(time_s, look, event_rng)
        span = time_s[-1] - time_s[0]
        self._lamp_s = time_s[0] + span * event_rng.uniform(0.35, 0.65) if look.lamp_change else np.inf
        self._bump_s = time_s[0] + span * event_rng.uniform(0.35, 0.65) if look.bump_px else np.inf
        first = time_s[np.argmax(subject.free)]
        self._droppings = np.sort(event_rng.uniform(first, time_s[-1], look.droppings))
        self._stir_rng = np.random.default_rng(event_rng.integers(2**32))
        self._bumped = _bumped_camera(camera, geometry, look, event_rng) if look.bump_px else camera
        self._after_bump = time_s >= self._bump_s
        self._set_scene(build_scenery(camera, geometry, look, np.random.default_rng([scenery_seed, 9])))
        seen = subject.held | subject.free
        self._shapes = self._project(subject.poses, look.coat, seen, subject.velocity_cm_s)
        self._mirrored = self._mirror(seen)
        ends = np.stack([subject.poses.nose, subject.poses.tail_base], axis=1)
        self._ends = self._seen(ends, _HEIGHTS["outline"], self._after_bump[seen]).reshape(-1, 4)
        self._target = None if target is None else self._project(target, look.target, np.ones_like(seen))

    def to_cm(self, points_px: Array) -> Array:
        """(F, 2) px of each frame to floor cm, by the camera as it stood in that frame."""
        return np.where(self._after_bump[:, None], self._bumped.to_cm(points_px), self.camera.to_cm(points_px))

    def frames(self) -> Iterator[Bytes]:
        """Each frame as yuv420p planes, (H * 3 / 2, W); valid until the next one."""
        height, width = self._base.shape
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        luma = planes[:height]
        chroma = planes[height:].reshape(2, height // 2, width // 2)
        noise = None
        if self._noise_rng is not None:
            up, down = noise = noise_fields(luma.shape, self.look.noise, self._noise_rng)
            places = self._noise_rng.integers(0, up.shape[0] - height + 1, (self.time_s.size, 4)).tolist()
        for k in range(self.time_s.size):
            self._change_scene(k)
            np.copyto(luma, self._base)
            np.copyto(chroma, self._scene.colour)
            planes_of_colour = (chroma[0], chroma[1]) if self._coloured else None
            self._draw_target(k, luma)
            self._draw_subject(k, luma, planes_of_colour)
            self._draw_mesh(luma)
            self._draw_hands(k, luma, planes_of_colour)
            if abs(self._gains[k] - 1) > 1e-3:
                cv2.convertScaleAbs(luma, luma, float(self._gains[k]))
            if noise is not None:
                y, x, y2, x2 = places[k]
                cv2.add(luma, up[y : y + height, x : x + width], luma)
                cv2.subtract(luma, down[y2 : y2 + height, x2 : x2 + width], luma)
            yield planes

    def _set_scene(self, scene: Scenery) -> None:
        self._scene = scene
        self._base, self._stirred = scene.empty.copy(), scene.stirred
        self._coloured = bool((scene.colour != 128).any())
        rows, columns = np.nonzero(scene.mesh_cover)
        self._mesh_place = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
        self._mesh_share = scene.mesh_cover[self._mesh_place].astype(np.uint16)
        self._mesh_part = self._mesh_share * scene.mesh_luma[self._mesh_place]
        self._outside = 255 - scene.inside

    def _project(
        self, poses: Poses, coat: Coat, frames: NDArray[np.bool_], velocity: Array | None = None
    ) -> MouseShapes:
        """Outlines of every pose, seen in the given frames, in px; frames after a bump by the moved camera."""
        late = self._after_bump[frames]
        shapes = {name: self._seen(getattr(poses, name), height, late) for name, height in _HEIGHTS.items()}
        motion = np.zeros((late.size, 2)) if velocity is None else velocity * self.look.shutter_s * self.look.px_per_cm
        return prepare_shapes(**shapes, motion_px=motion, coat=coat)

    def _seen(self, points_cm: Array, height_cm: float, late: NDArray[np.bool_]) -> Array:
        """(F, ..., 2) px of points, by the camera as it stands in each frame."""
        seen = self.camera.project(points_cm, height_cm)
        if late.any():
            seen[late] = self._bumped.project(points_cm[late], height_cm)
        return seen

    def _mirror(self, frames: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], MouseShapes]]:
        """For each wall: in which poses the mouse is near it, and its mirror images."""
        side = self.geometry.side_cm
        x, y = self.subject.poses.outline.mean(axis=1).T
        mirrored = []
        for wall, gap in enumerate((y, side - x, side - y, x)):
            shapes = self._project(self._image_in(wall), self.look.coat, frames)
            mirrored.append(((gap > 0) & (gap < _MIRROR_REACH_CM), shapes))
        return mirrored

    def _image_in(self, wall: int) -> Poses:
        """The subject's mirror images in a wall: top, right, bottom, left of the floor."""
        axis = 1 if wall in (0, 2) else 0
        about = 0.0 if wall in (0, 3) else 2 * self.geometry.side_cm
        images = {}
        for field in fields(self.subject.poses):
            points = getattr(self.subject.poses, field.name).copy()
            points[..., axis] = about - points[..., axis]
            images[field.name] = points
        return Poses(**images)

    def _camera_at(self, k: int) -> Camera:
        return self._bumped if self._after_bump[k] else self.camera

    def _change_scene(self, k: int) -> None:
        """Let happen what changes the background for good: a bump, a lamp, droppings, stirred bedding."""
        now = self.time_s[k]
        if now >= self._bump_s:
            self._bump_s = np.inf
            rng = np.random.default_rng([self._scenery_seed, 9])
            self._set_scene(build_scenery(self._bumped, self.geometry, self.look, rng))
        if now >= self._lamp_s:
            self._lamp_s = np.inf
            factor = lamp_factor(self._base.shape, self.look)
            scene = self._scene
            base = np.clip(self._base * factor, 16, 255).astype(np.uint8)
            luma = np.clip(scene.mesh_luma * factor, 0, 255).astype(np.uint8)
            self._set_scene(replace(scene, empty=base, light=scene.light * factor, mesh_luma=luma))
        row = self.subject.row[k]
        if not self.subject.free[k] or row < 0:
            return
        while self._droppings.size and now >= self._droppings[0]:
            self._droppings = self._droppings[1:]
            self._drop(k, self.subject.poses.tail_base[row])
        if self.look.bedding > 0 and k % 4 == 0 and np.hypot(*self.subject.velocity_cm_s[row]) > 3:
            self._stir(k, self.subject.poses.outline[row].mean(axis=0))

    def _drop(self, k: int, place_cm: Array) -> None:
        """Leave a dropping: a dark grain of some 6 by 2.5 mm."""
        camera, scale = self._camera_at(k), self.look.px_per_cm
        x, y = camera.project(place_cm) * 16
        axes = (max(10, round(0.30 * scale * 16)), max(8, round(0.13 * scale * 16)))
        light = float(self._scene.light[self._base.shape[0] // 2, self._base.shape[1] // 2])
        cover = np.zeros(self._base.shape, np.uint8)
        angle = float(self._stir_rng.uniform(0, 180))
        cv2.ellipse(cover, (round(x), round(y)), axes, angle, 0, 360, 255, -1, cv2.LINE_AA, 4)
        share = cv2.GaussianBlur(cover, (0, 0), max(self.look.focus_px, 0.3)) * np.float32(1 / 255)
        self._base[...] = (self._base + (0.14 * light - self._base) * share + 0.5).astype(np.uint8)

    def _stir(self, k: int, place_cm: Array) -> None:
        """Move the bedding under the mouse about."""
        camera, scale = self._camera_at(k), self.look.px_per_cm
        x, y = np.round(camera.project(place_cm)).astype(int)
        reach = max(4, int(2.2 * scale))
        top, left = max(y - reach, 0), max(x - reach, 0)
        place = (slice(top, y + reach), slice(left, x + reach))
        part = self._base[place]
        rows, columns = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]]
        share = 0.6 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * (1.1 * scale) ** 2))
        source = self._stirred if self._stir_rng.uniform() < 0.6 else self._scene.empty
        part[...] = (part + (source[place].astype(np.float32) - part) * share + 0.5).astype(np.uint8)

    def _draw_target(self, k: int, luma: Bytes) -> None:
        if self._target is not None:
            draw_mouse(luma, self._target, k, self.look.target, self._scene.light, hide=self._outside)

    def _draw_subject(self, k: int, luma: Bytes, chroma: tuple[Bytes, Bytes] | None) -> None:
        row = int(self.subject.row[k])
        if row < 0:
            return
        look, light = self.look, self._scene.light
        if look.mirror > 0.01 and self.subject.free[k]:
            for (near, image), wall in zip(self._mirrored, self._scene.walls, strict=True):
                if near[row]:
                    draw_reflection(luma, image, row, look.coat, light, wall=wall, strength=min(look.mirror, 1.0))
        moments = draw_mouse(luma, self._shapes, row, look.coat, light, chroma=chroma)
        self.noted[k] = [moments.x_px, moments.y_px, moments.area_px, *self._ends[row]]
        if look.cable > 0 and self.subject.free[k]:
            self._draw_cable(k, self._ends[row, :2], luma)

    def _draw_cable(self, k: int, head_px: Array, luma: Bytes) -> None:
        """A cable that hangs from a holder beside the camera to the head, in a slack curve."""
        now, side = self.time_s[k], self.geometry.side_cm
        anchor = self._camera_at(k).project(np.array([side / 2, 1.4 * side]), 50.0)
        sway = np.array([np.sin(1.3 * now), np.cos(0.9 * now)]) * 4 * self.look.px_per_cm
        part = np.linspace(0, 1, 24)[:, None]
        curve = (1 - part) ** 2 * head_px + 2 * part * (1 - part) * (0.5 * (head_px + anchor) + sway) + part**2 * anchor
        thick = max(1, round(0.25 * self.look.cable * self.look.px_per_cm / 2))
        line = np.round(curve * 16).astype(np.int32)
        cv2.polylines(luma, [line], False, round(0.12 * 235), thick, cv2.LINE_AA, 4)

    def _draw_mesh(self, luma: Bytes) -> None:
        part = luma[self._mesh_place]
        part[...] = (part * (255 - self._mesh_share) + self._mesh_part + 127) // 255

    def _draw_hands(self, k: int, luma: Bytes, chroma: tuple[Bytes, Bytes] | None) -> None:
        for hand in self._visits:
            tip = hand_tip(hand, float(self.time_s[k]))
            if tip is None:
                continue
            camera, look = self._camera_at(k), self.look
            tint = ((146, 112) if look.gloved else (116, 146)) if chroma is not None else (128, 128)
            cover = draw_hand(
                luma,
                camera.project(tip, 5.0),
                hand.from_deg + look.rotation_deg,
                look.px_per_cm * 1.08,
                self._scene.light,
                tone=look.hand,
                chroma=chroma,
                tint=tint,
            )
            self.hand_on_floor[k] |= bool(((cover > 100) & (self._scene.floor > 127)).any())


def _visits(hand: Hand | None, look: Look, time_s: Array, rng: np.random.Generator) -> list[Hand]:
    """The visit that brings the mouse and, where the look has one, a second in mid-trial."""
    visits = [] if hand is None else [hand]
    if hand is not None and look.hand_returns:
        start = float(hand.gone_s + (time_s[-1] - hand.gone_s) * rng.uniform(0.3, 0.6))
        place = (hand.place_cm[0] + 6.0, hand.place_cm[1] - 4.0)
        visits.append(Hand(start, start + 0.8, start + 3.0, start + 3.6, place, hand.from_deg))
    return visits


def _bumped_camera(camera: Camera, geometry: BoxGeometry, look: Look, rng: np.random.Generator) -> Camera:
    """The camera after a knock: shifted and slightly turned."""
    angle = rng.uniform(0, 2 * np.pi)
    shift = look.bump_px * np.array([np.cos(angle), np.sin(angle)])
    return camera_above(
        width_px=camera.width_px,
        height_px=camera.height_px,
        floor_cm=geometry.side_cm,
        px_per_cm=look.px_per_cm,
        distance_cm=look.camera_cm,
        rotation_deg=look.rotation_deg + float(rng.choice([-1, 1])) * 0.12 * look.bump_px,
        tilt_deg=look.tilt_deg,
        tilt_toward_deg=look.tilt_toward_deg,
        shift_px=(look.shift_px[0] + float(shift[0]), look.shift_px[1] + float(shift[1])),
    )
