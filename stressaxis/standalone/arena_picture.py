"""The arena found in one recording: in words, as a picture, and as lines for the experiment file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.errors import InputError
from stressaxis.atomic import write_bytes
from stressaxis.system_libraries import check_system_libraries

if TYPE_CHECKING:
    from behavior.arena import ArenaOptions
    from behavior.arena_finding import ArenaFound
    from behavior.enclosure_finding import EnclosureFound

    Image = np.ndarray[Any, np.dtype[np.uint8]]

__all__ = ["config_lines", "draw_found", "placed_options", "show_arena"]

#: Outlines in the picture, blue-green-red.
_FLOOR, _ENCLOSURE, _ZONE = (60, 60, 230), (60, 200, 60), (230, 160, 40)
#: A box whose middle lies this far from the middle of its wall is not in the middle, cm.
_OFF_MIDDLE_CM = 1.0
#: Below this confidence what stands out at a wall is shown, but not taken for the enclosure.
_SURE = 0.5


def show_arena(
    video: Path,
    *,
    size_cm: tuple[float, float] | None = None,
    shape: Literal["rectangle", "circle"] = "rectangle",
    out: Path | None = None,
    corners: Path | None = None,
) -> str:
    """Find the arena of a recording and say what was found.

    Parameters
    ----------
    video
        The recording.
    size_cm
        Width and height of the floor as seen; by default the usual 42 x 42 cm.
    shape
        Shape of the floor.
    out
        PNG file to write: the empty scene with what was found.
    corners
        CSV file to write: the corners and sizes, as other commands take them.

    Raises
    ------
    InputError
        If the recording cannot be read, or no floor is found in it.
    """
    check_system_libraries()
    from behavior.arena import ArenaOptions
    from behavior.arena_finding import empty_scene, find_arena
    from behavior.video import open_video
    from stressaxis.standalone.arena_files import write_corners

    options = ArenaOptions(shape=shape) if size_cm is None else _sized(size_cm, shape)
    empty = empty_scene(open_video(video))
    scene = empty.picture
    found = find_arena(scene, options, shift_px=empty.shift_px)
    placed = placed_options(options, found.enclosure)
    lines = [f"{video}: {scene.shape[1]} x {scene.shape[0]} px", *_in_words(found, options)]
    if out is not None:
        _write_picture(out, draw_found(scene, found, placed))
        lines.append(f"{out}: picture written")
    if found.corners_px is None:
        raise InputError("\n".join([*lines, "no arena was found"]), remedy=_remedy(out))
    if corners is not None:
        write_corners(corners, placed, found.corners_px.tolist())
        lines.append(f"{corners}: corners written")
    return "\n".join([*lines, "for the experiment file:", *config_lines(found, placed)])


def _sized(size_cm: tuple[float, float], shape: Literal["rectangle", "circle"]) -> ArenaOptions:
    from behavior.arena import ArenaOptions

    width, height = size_cm
    if not (np.isfinite([width, height]).all() and min(width, height) > 0):
        raise InputError("a floor has a width and a height above 0 cm", where="--size-cm", found=f"{width} {height}")
    usual = ArenaOptions()
    small = {}
    if min(width, height) < 2 * usual.corner_size_cm:
        # Zones of the usual size do not fit; they keep their share of the floor.
        share = min(width, height) / usual.width_cm
        names = ("corner_size_cm", "enclosure_width_cm", "enclosure_depth_cm")
        small = {name: getattr(usual, name) * share for name in names}
    return ArenaOptions(width_cm=width, height_cm=height, shape=shape, **small)


def placed_options(options: ArenaOptions, enclosure: EnclosureFound | None) -> ArenaOptions:
    """The sizes with the enclosure where it was found."""
    if enclosure is None or enclosure.wall is None or enclosure.confidence < _SURE:
        return options
    placed = replace(options, enclosure_wall=enclosure.wall, enclosure_centre_cm=None)
    off = abs(enclosure.centre_cm - placed.enclosure_middle_cm)
    return placed if off < _OFF_MIDDLE_CM else replace(placed, enclosure_centre_cm=round(enclosure.centre_cm, 1))


def _in_words(found: ArenaFound, options: ArenaOptions) -> list[str]:
    size = f"{options.width_cm:g} x {options.height_cm:g} cm"
    floor = "found" if found.corners_px is not None else "not found"
    lines = [f"floor of {size}: {floor}, confidence {found.confidence:.2f}"]
    if np.isfinite(found.misfit_cm):
        lines[0] += f", misfit {found.misfit_cm:.2f} cm"
    if len(found.side_share) == 4:
        named = zip(("top", "right", "bottom", "left"), found.side_share, strict=True)
        lines.append("  sides seen along " + ", ".join(f"{name} {share:.0%}" for name, share in named))
    if found.corners_px is not None:
        px = float(np.hypot(*(found.corners_px - np.roll(found.corners_px, 1, axis=0)).T).mean())
        lines.append(f"  about {px / np.sqrt(options.width_cm * options.height_cm):.2f} px a cm")
    lines += [f"  {note}" for note in found.notes]
    box = found.enclosure
    if box is not None and box.polygon_px is not None:
        edge = "left" if box.wall in ("top", "bottom") else "top"
        sure = "enclosure" if box.confidence >= _SURE else "perhaps the enclosure"
        lines.append(
            f"{sure}: at the {box.wall} wall, its middle {box.centre_cm:.1f} cm from the {edge}, "
            f"confidence {box.confidence:.2f}"
        )
    return lines


def _remedy(out: Path | None) -> str:
    look = f"look at {out}, " if out is not None else "see the picture with --out, "
    return (
        f"{look}check --size-cm, or read the four floor corners off a frame and give them in the experiment file as "
        "corners_px: [[x, y], [x, y], [x, y], [x, y]] (top left, top right, bottom right, bottom left)"
    )


def config_lines(found: ArenaFound, options: ArenaOptions, *, name: str = "box") -> list[str]:
    """Lines of ``behavior.arenas`` that say what was found; sizes only where they are not the usual ones."""
    from behavior.arena import ArenaOptions

    assert found.corners_px is not None
    corners = ", ".join(f"[{x:.1f}, {y:.1f}]" for x, y in found.corners_px)
    lines = ["behavior:", "  arenas:", f"    {name}:", f"      corners_px: [{corners}]"]
    usual = ArenaOptions()
    for key in ("width_cm", "height_cm", "shape", "enclosure_wall", "enclosure_centre_cm"):
        value = getattr(options, key)
        if value != getattr(usual, key):
            lines.append(f"      {key}: {value:g}" if isinstance(value, float) else f"      {key}: {value}")
    return lines


def draw_found(scene: Image, found: ArenaFound, options: ArenaOptions) -> Image:
    """(H, W, 3) the scene, stretched to full contrast, with floor, enclosure and interaction zone."""
    import cv2

    from behavior.arena import build_arena

    low, high = np.quantile(scene, [0.005, 0.995])
    shown = np.clip((scene.astype(np.float32) - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR)
    if found.corners_px is None:
        return np.asarray(picture, np.uint8)
    arena = build_arena(options, corners_px=found.corners_px)
    outlines = [(arena.floor_px, _FLOOR)]
    if found.enclosure is not None and found.enclosure.polygon_px is not None:
        if found.enclosure.confidence >= _SURE:
            outlines.append((arena.to_px(arena.zones["interaction"]), _ZONE))
        outlines.append((found.enclosure.polygon_px, _ENCLOSURE))
    for outline, colour in outlines:
        cv2.polylines(picture, [np.round(outline * 16).astype(np.int32)], True, colour, 1, cv2.LINE_AA, 4)
    return np.asarray(picture, np.uint8)


def _write_picture(path: Path, picture: Image) -> None:
    import cv2

    done, content = cv2.imencode(".png", picture)
    if not done:
        raise InputError("the picture could not be coded", file=path)
    write_bytes(path, content.tobytes())
