"""The still parts of the picture: surround, walls in perspective, floor, light, the mesh enclosure.

Drawn once per recording at twice the picture's resolution and averaged down.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from behavior.simulation.box_geometry import BoxGeometry
from behavior.simulation.camera import Camera
from behavior.simulation.looks import Look

__all__ = ["Scenery", "build_scenery", "enclosure_corners_cm", "floor_corners_cm", "zone_corners_cm"]

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_FINE = 2
_TEXTURE_PX_PER_CM = 14
# Luma of full light: above this the sensor clips.
_FULL = 235.0


@dataclass(frozen=True, eq=False)
class Scenery:
    """Still parts of the picture, all (H, W) at the picture's size.

    Attributes
    ----------
    empty
        Luma of the box without the mesh.
    light
        Luma of a white surface at each place.
    colour
        Half-size chroma planes, (2, H/2, W/2).
    mesh_cover, mesh_luma
        Coverage (0 to 255) and luma of the bars of the enclosure.
    walls
        Coverage of each inner wall: top, right, bottom, left.
    inside
        Coverage of the room inside the enclosure, as seen.
    floor
        Coverage of the floor.
    stirred
        Luma of the same floor with the bedding lying differently; equal to ``empty`` without bedding.
    """

    empty: Bytes
    light: Floats
    colour: Bytes
    mesh_cover: Bytes
    mesh_luma: Bytes
    walls: tuple[Bytes, Bytes, Bytes, Bytes]
    inside: Bytes
    floor: Bytes
    stirred: Bytes


def floor_corners_cm(geometry: BoxGeometry) -> Array:
    """Floor corners: top-left, top-right, bottom-right, bottom-left."""
    width, height = geometry.width_cm, geometry.height_cm
    return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])


def _on_wall(geometry: BoxGeometry, half: float, depth: float) -> Array:
    """Rectangle against the middle of the enclosure's wall: top-left, top-right, bottom-right, bottom-left."""
    side, middle = geometry.side_cm, geometry.side_cm / 2
    low, high = {
        "top": ((middle - half, 0.0), (middle + half, depth)),
        "bottom": ((middle - half, side - depth), (middle + half, side)),
        "left": ((0.0, middle - half), (depth, middle + half)),
        "right": ((side - depth, middle - half), (side, middle + half)),
    }[geometry.enclosure_wall]
    return np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])


def enclosure_corners_cm(geometry: BoxGeometry) -> Array:
    """Footprint of the enclosure, (4, 2) cm."""
    return _on_wall(geometry, geometry.enclosure_width_cm / 2, geometry.enclosure_depth_cm)


def zone_corners_cm(geometry: BoxGeometry) -> Array:
    """Interaction zone, (4, 2) cm."""
    margin = geometry.zone_margin_cm
    return _on_wall(geometry, geometry.enclosure_width_cm / 2 + margin, geometry.enclosure_depth_cm + margin)


def build_scenery(camera: Camera, geometry: BoxGeometry, look: Look, rng: np.random.Generator) -> Scenery:
    """Draw the still parts of a recording."""
    floor_area = _cover(camera, [camera.project(floor_corners_cm(geometry))])
    walls = tuple(_cover(camera, [quad]) for quad in _wall_quads(camera, geometry, look))
    light = _light(camera, geometry, look, floor_area, rng)
    albedo = _surround(camera, look, rng)
    _paint_rim(albedo, camera, geometry, look)
    for index, quad in enumerate(_wall_quads(camera, geometry, look)):
        _paint_wall(albedo, quad, index, look, rng)
    _paint_floor(albedo, camera, geometry, look, rng)
    stirred = albedo.copy()
    if look.bedding > 0:
        _paint_floor(stirred, camera, geometry, look, rng)
    mesh_cover, mesh_tone = _mesh(camera, geometry, look)
    empty = _expose(albedo, light, look)
    return Scenery(
        empty=empty,
        light=light,
        colour=_colour(empty, floor_area, look),
        mesh_cover=mesh_cover,
        mesh_luma=np.clip(mesh_tone * light, 0, 255).astype(np.uint8),
        walls=walls,  # type: ignore[arg-type]
        inside=_cover(camera, [_hull(camera, geometry, look)]),
        floor=floor_area,
        stirred=_expose(stirred, light, look),
    )


def _expose(albedo: Floats, light: Floats, look: Look) -> Bytes:
    """Luma of a lit scene, through a lens that is not perfectly sharp."""
    small = cv2.resize(albedo, light.shape[::-1], interpolation=cv2.INTER_AREA)
    if look.focus_px > 0:
        small = cv2.GaussianBlur(small, (0, 0), look.focus_px)
    return np.asarray(np.clip(small * light + 0.5, 16, 255), dtype=np.uint8)


def _cover(camera: Camera, polygons: list[Array]) -> Bytes:
    """Share of each pixel that the polygons cover, 0 to 255."""
    fine = 4
    picture = np.zeros((camera.height_px * fine, camera.width_px * fine), np.uint8)
    for polygon in polygons:
        place = ((polygon + 0.5) * fine - 0.5) * 16
        cv2.fillPoly(picture, [np.round(place).astype(np.int32)], 255, cv2.LINE_8, 4)
    size = (camera.width_px, camera.height_px)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _noise_texture(height: int, width: int, scales_px: tuple[float, ...], rng: np.random.Generator) -> Floats:
    """Cloudy texture with mean 0 and SD 1: a sum of blurred noise at several scales."""
    total = np.zeros((height, width), np.float32)
    for scale in scales_px:
        small = rng.standard_normal((int(height / scale) + 3, int(width / scale) + 3)).astype(np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(scale**0.35)
    return np.asarray((total - total.mean()) / total.std(), dtype=np.float32)


def _surround(camera: Camera, look: Look, rng: np.random.Generator) -> Floats:
    """What is seen beyond the box: bench, cloth, rack."""
    height, width = camera.height_px * _FINE, camera.width_px * _FINE
    cloudy = _noise_texture(height, width, (60.0, 14.0, 3.0), rng)
    return look.surround * (1 + 0.10 * cloudy)


def _wall_quads(camera: Camera, geometry: BoxGeometry, look: Look) -> list[Array]:
    """Inner walls as seen, top, right, bottom, left: (4, 2) px, first two points at the floor."""
    floor = floor_corners_cm(geometry)
    low, high = camera.project(floor), camera.project(floor, look.wall_cm)
    return [np.array([low[i], low[(i + 1) % 4], high[(i + 1) % 4], high[i]]) for i in range(4)]


def _paint_rim(albedo: Floats, camera: Camera, geometry: BoxGeometry, look: Look) -> None:
    """Upper edge of the walls, 1 cm thick."""
    middle = geometry.side_cm / 2
    outer = middle + (floor_corners_cm(geometry) - middle) * (1 + 1.0 / middle)
    rim = camera.project(outer, look.wall_cm)
    _fill(albedo, rim, min(look.wall * 1.25, 0.95))


def _fill(picture: Floats, polygon: Array, value: float) -> None:
    place = ((polygon + 0.5) * _FINE - 0.5) * 16
    cv2.fillPoly(picture, [np.round(place).astype(np.int32)], float(value), cv2.LINE_AA, 4)


def _paint_wall(albedo: Floats, quad: Array, index: int, look: Look, rng: np.random.Generator) -> None:
    """One inner wall: darker toward the floor edge, cloudy, unevenly lit like its neighbours."""
    rows, columns = 96, 256
    up = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    facing = 1 + 0.10 * np.cos(np.deg2rad(look.gradient_deg) - index * np.pi / 2)
    texture = (
        look.wall * facing * (0.86 + 0.20 * up**0.7) * (1 + 0.012 * _noise_texture(rows, columns, (40.0, 10.0), rng))
    )
    _lay(albedo, texture.astype(np.float32), quad)


def _lay(picture: Floats, texture: Floats, quad: Array) -> Floats:
    """Lay a texture over a quadrilateral (first row of the texture along the first two points); its coverage."""
    rows, columns = texture.shape
    source = np.array([[0, 0], [columns - 1, 0], [columns - 1, rows - 1], [0, rows - 1]], np.float32)
    target = ((quad + 0.5) * _FINE - 0.5).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    size = picture.shape[::-1]
    laid = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    cover = np.zeros(picture.shape, np.float32)
    cv2.fillPoly(cover, [np.round(target * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    picture += (laid - picture) * cover
    return cover


def _paint_floor(albedo: Floats, camera: Camera, geometry: BoxGeometry, look: Look, rng: np.random.Generator) -> Floats:
    """Floor with stains and grain or bedding, and the line where walls and floor meet."""
    n = int(geometry.side_cm * _TEXTURE_PX_PER_CM)
    texture = 1 + look.floor_texture * _noise_texture(n, n, (140.0, 45.0, 12.0), rng)
    texture += look.floor_grain * rng.standard_normal((n, n)).astype(np.float32)
    _scratch(texture, look, rng)
    if look.bedding > 0:
        texture *= _bedding(n, look.bedding, rng)
    # Floors are darker in the angle under the walls.
    gap = np.minimum(np.arange(n), np.arange(n)[::-1]) / _TEXTURE_PX_PER_CM
    edge = 1 - 0.10 * np.exp(-gap / 0.8)
    texture *= np.minimum.outer(edge, edge).astype(np.float32)
    corners = camera.project(floor_corners_cm(geometry))
    cover = _lay(albedo, (look.floor * texture).astype(np.float32), corners)
    line = np.round(((corners + 0.5) * _FINE - 0.5) * 16).astype(np.int32)
    tone = look.wall * (1 - look.line * 4)
    cv2.polylines(albedo, [line], True, float(max(tone, 0.04)), 1, cv2.LINE_AA, 4)
    return cover


def _scratch(texture: Floats, look: Look, rng: np.random.Generator) -> None:
    """A few faint scratches and stains that lie on every used floor."""
    n = texture.shape[0]
    for _ in range(rng.integers(3, 12)):
        a, b = rng.uniform(0, n, 2), rng.normal(0, n / 10, 2)
        value = 1 + rng.normal(0, 2 * look.floor_texture)
        cv2.line(
            texture, tuple(a.astype(int).tolist()), tuple((a + b).astype(int).tolist()), float(value), 1, cv2.LINE_AA
        )
    for _ in range(rng.integers(2, 8)):
        centre = rng.uniform(0, n, 2).astype(int).tolist()
        cv2.circle(texture, tuple(centre), int(rng.integers(1, 4)), float(1 - rng.uniform(0, 0.15)), -1, cv2.LINE_AA)


def _bedding(n: int, depth: float, rng: np.random.Generator) -> Floats:
    """Wood shavings: many short chips of different brightness over each other."""
    layer = np.full((n, n), 1.0, np.float32)
    count = 9000
    place, angle = rng.uniform(0, n, (count, 2)), rng.uniform(0, np.pi, count)
    length, thick = rng.uniform(4, 16, count), rng.integers(2, 6, count)
    value = 1 + depth * (rng.beta(2, 2, count) - 0.5) * 1.6
    ends = place + length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    for a, b, bright, width in zip(place.astype(int).tolist(), ends.astype(int).tolist(), value, thick, strict=True):
        cv2.line(layer, tuple(a), tuple(b), float(bright), int(width), cv2.LINE_8)
    return layer


def _light(camera: Camera, geometry: BoxGeometry, look: Look, floor: Bytes, rng: np.random.Generator) -> Floats:
    """Luma of a white surface at each place: a slope, a lamp, darker picture corners, shade band, glare."""
    height, width = camera.height_px, camera.width_px
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = x / width - 0.5, y / height - 0.5
    turn = np.deg2rad(look.gradient_deg)
    light = 1 + look.gradient * 2 * (np.cos(turn) * across + np.sin(turn) * down)
    lamp_x, lamp_y = look.lamp_place
    light += look.lamp * np.exp(-(((x / width - lamp_x) ** 2 + (y / height - lamp_y) ** 2) / (2 * 0.16**2)))
    light *= 1 - look.vignette * 2 * (across**2 + down**2)
    if look.shade_band > 0:
        light *= 1 - look.shade_band * _band(camera, geometry, look)
    light = light.astype(np.float32)
    for _ in range(look.glare):
        spot = camera.project(rng.uniform(0.1, 0.9, 2) * geometry.side_cm)
        shape = ((x - spot[0]) / rng.uniform(3, 9)) ** 2 + ((y - spot[1]) / rng.uniform(2, 7)) ** 2
        light += rng.uniform(0.3, 0.9) * np.exp(-shape) * (floor / 255)
    return np.asarray(light * _FULL, dtype=np.float32)


def _band(camera: Camera, geometry: BoxGeometry, look: Look) -> Floats:
    """Soft-edged shadow of a wall on the floor, 0 to 1."""
    y, x = np.mgrid[0 : camera.height_px, 0 : camera.width_px]
    floor = camera.to_cm(np.stack([x, y], axis=-1))
    side = geometry.side_cm
    gap = {
        "left": floor[..., 0],
        "right": side - floor[..., 0],
        "top": floor[..., 1],
        "bottom": side - floor[..., 1],
    }[look.shade_wall]
    return np.asarray(1 / (1 + np.exp((gap - 6.0) / 0.35)), dtype=np.float32)


def _colour(empty: Bytes, floor: Bytes, look: Look) -> Bytes:
    """Half-size chroma planes: a tint as strong as the place is bright, a little weaker beyond the floor."""
    size = (empty.shape[1] // 2, empty.shape[0] // 2)
    inside = cv2.resize(floor, size, interpolation=cv2.INTER_AREA) / 255
    bright = cv2.resize(empty, size, interpolation=cv2.INTER_AREA) / 150
    planes = [128 + tint * bright * (0.7 + 0.3 * inside) for tint in look.colour]
    return np.clip(np.round(np.stack(planes)), 16, 240).astype(np.uint8)


def _hull(camera: Camera, geometry: BoxGeometry, look: Look) -> Array:
    """Outline of the enclosure as seen, foot and top together."""
    corners = enclosure_corners_cm(geometry)
    both = np.concatenate([camera.project(corners), camera.project(corners, look.mesh_cm)])
    return np.asarray(cv2.convexHull(both.astype(np.float32))[:, 0], dtype=float)


def _mesh(camera: Camera, geometry: BoxGeometry, look: Look) -> tuple[Bytes, Floats]:
    """Coverage and tone of the bars: four mesh sides and a mesh lid, thicker at the edges."""
    fine = 4
    cover = np.zeros((camera.height_px * fine, camera.width_px * fine), np.uint8)
    bar = max(1, round(0.10 * look.px_per_cm * fine))
    corners = enclosure_corners_cm(geometry)

    def draw(a: Array, b: Array, thick: int) -> None:
        ends = np.round((np.stack([a, b]) + 0.5) * fine - 0.5).astype(int).tolist()
        cv2.line(cover, tuple(ends[0]), tuple(ends[1]), 255, thick, cv2.LINE_AA)

    for i in range(4):
        a, b = corners[i], corners[(i + 1) % 4]
        length = float(np.hypot(*(b - a)))
        for step, part in enumerate(np.linspace(0, 1, max(2, round(length / look.mesh_step_cm) + 1))):
            foot = a + part * (b - a)
            if step % 2 == 0 or part == 1:
                draw(camera.project(foot), camera.project(foot, look.mesh_cm), bar)
            # Lid: bars from this side to the opposite one.
            opposite = corners[(i + 3) % 4] + part * (corners[(i + 2) % 4] - corners[(i + 3) % 4])
            if i < 2:
                draw(camera.project(foot, look.mesh_cm), camera.project(opposite, look.mesh_cm), bar)
        for height in np.arange(
            0, look.mesh_cm + 0.01, look.mesh_cm / max(2, round(look.mesh_cm / look.mesh_step_cm / 3))
        ):
            edge = height < 0.01 or height > look.mesh_cm - 0.01
            draw(camera.project(a, height), camera.project(b, height), 2 * bar if edge else bar)
    size = (camera.width_px, camera.height_px)
    small = cv2.resize(cover, size, interpolation=cv2.INTER_AREA)
    if look.focus_px > 0:
        small = cv2.GaussianBlur(small, (0, 0), look.focus_px)
    tone = np.full(small.shape, look.mesh, np.float32)
    return np.asarray(small, dtype=np.uint8), tone
