"""Find an arena in a still picture of the empty scene: floor corners, enclosure, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from behavior.arena import ArenaOptions
from behavior.enclosure_finding import EnclosureFound, find_enclosure
from behavior.floor_outline import Outline, camera_misfit_cm, find_outlines, refine_outline
from behavior.polygons import contains
from behavior.round_floor import find_round_floor
from core.errors import InputError

if TYPE_CHECKING:
    from behavior.video import Video

    Image = NDArray[Any]

__all__ = ["MIN_CONFIDENCE", "ArenaFound", "EmptyScene", "camera_shift_px", "empty_scene", "find_arena", "joint_scene"]

Points = NDArray[np.float64]
Floats = NDArray[np.float64]

#: Below this confidence no corners are given.
MIN_CONFIDENCE = 0.5
#: Longest side of the picture in which straight edges are looked for, px.
COARSE_SIDE = 320
#: Outlines that are refined in the full picture.
REFINED = 24
#: Outlines whose corners differ by less than this are one, cm.
SAME_CM = 1.0
#: A picture that moves by this much within its recordings was knocked, cm.
SHIFT_CM = 0.3
#: An outline inside another one is taken for the floor, and the outer one for the rim of the walls, when its quality
#: is at least this share of the other's.
INNER_SHARE = 0.8

_GIVE_CORNERS = "give the four floor corners in the experiment file: corners_px: [[x, y], [x, y], [x, y], [x, y]]"


@dataclass(frozen=True, eq=False)
class ArenaFound:
    """What was found of an arena.

    Attributes
    ----------
    corners_px
        (4, 2) floor corners in px: top left, top right, bottom right, bottom left; of a round floor the corners of the
        square around it. None where they cannot be told: ``notes`` then say why and what to do.
    enclosure
        The enclosure, as :func:`behavior.enclosure_finding.find_enclosure` gives it; None where it was not looked for.
    confidence
        0 to 1; below `MIN_CONFIDENCE` no corners are given.
    misfit_cm
        How far the sides seen are from a floor of the stated size under any camera, as the shift of a corner.
    side_share
        Share of each side's length on which its edge is seen: top, right, bottom, left; of a round floor one value.
    notes
        In words: what is uncertain, and what to do.
    """

    corners_px: Points | None
    enclosure: EnclosureFound | None
    confidence: float
    misfit_cm: float
    side_share: tuple[float, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def require_corners(self, *, file: str = "") -> Points:
        """The corners.

        Raises
        ------
        InputError
            If there are none.
        """
        if self.corners_px is None:
            raise InputError(
                "the arena's floor was not found in the picture",
                file=file or None,
                found="; ".join(self.notes) or f"confidence {self.confidence:.2f}",
                expected=f"four sides seen with a confidence of at least {MIN_CONFIDENCE}",
                remedy=_GIVE_CORNERS,
            )
        return self.corners_px


@dataclass(frozen=True, eq=False)
class EmptyScene:
    """The scene of a recording without what moves.

    Attributes
    ----------
    picture
        (H, W) grey levels.
    shift_px
        How far the picture moves within the recording: more than about a px tells that the camera was knocked.
    """

    picture: Image
    shift_px: float


@dataclass(frozen=True, eq=False)
class _Refined:
    corners_px: Points
    share: Floats
    scatter_px: Floats
    misfit_cm: float
    quality: float
    coarse: Outline


def empty_scene(video: Video, *, samples: int = 24) -> EmptyScene:
    """The scene of a recording without what moves, and whether the camera stood still.

    Parameters
    ----------
    video
        Recording.
    samples
        Frames spread over it that are looked at, about.
    """
    pictures = [frame.luma for frame in video.samples(samples)]
    # A knock shows between two thirds of the recording wherever in it it came.
    third = len(pictures) // 3
    parts = [_median(pictures[k * third : (k + 1) * third]) for k in range(3)] if third >= 3 else []
    shift = max((camera_shift_px(one, other) for one, other in combinations(parts, 2)), default=0.0)
    return EmptyScene(_median(pictures), shift)


def joint_scene(scenes: Sequence[Image]) -> Image:
    """Median of the empty scenes of several recordings of one arena, each at the same mean brightness.

    Parameters
    ----------
    scenes
        (H, W) pictures of one size.

    Raises
    ------
    InputError
        If the pictures differ in size.
    """
    sizes = {scene.shape for scene in scenes}
    if len(sizes) > 1:
        raise InputError(
            "recordings of one arena have pictures of different sizes",
            found=", ".join(f"{width} x {height}" for height, width in sorted(sizes)),
            expected="one size of picture for an arena",
            remedy="give each size an arena of its own",
        )
    levels = [max(float(np.median(scene)), 1.0) for scene in scenes]
    usual = float(np.median(levels))
    stack = [np.clip(scene * (usual / level), 0, 255) for scene, level in zip(scenes, levels, strict=True)]
    return _median(stack)


def camera_shift_px(scene: Image, other: Image) -> float:
    """How far two pictures of one arena are displaced against each other, px (phase correlation of their edges).

    Parameters
    ----------
    scene, other
        (H, W) pictures of one size.

    Examples
    --------
    >>> scene = np.zeros((80, 80), np.uint8)
    >>> scene[20:60, 25:65] = 200
    >>> round(camera_shift_px(scene, np.roll(scene, 3, axis=1)), 1)
    3.0
    """
    import cv2

    def edges(picture: Image) -> Image:
        smooth = cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), 1.5)
        slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
        strong: Image = np.minimum(slope, np.quantile(slope, 0.95)).astype(np.float32)
        return strong

    height, width = scene.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(edges(scene), edges(other), window)
    return float(np.hypot(x, y))


def _median(pictures: Sequence[Image]) -> Image:
    """By bands of rows, so that large pictures do not hold several copies of the stack."""
    rows = pictures[0].shape[0]
    bands = [np.median([picture[top : top + 64] for picture in pictures], axis=0) for top in range(0, rows, 64)]
    scene: Image = np.concatenate(bands).astype(np.uint8)
    return scene


def find_arena(
    background: Image,
    options: ArenaOptions | None = None,
    *,
    enclosure: Literal["rectangle", "circle", "none"] = "rectangle",
    shift_px: float = 0.0,
) -> ArenaFound:
    """The floor, and the enclosure on it, in a picture of the empty scene.

    Straight edges are sought by how sharply brightness steps, not by how much; four of them that no camera could see as
    a floor of the stated proportions are left out, as are those that run on beyond the corners, as shadows do. Of two
    outlines one within the other the inner one is the floor, the outer one the upper rim of the walls. The corners are
    where lines meet that are fitted robustly to the step across each side in the full picture.

    Parameters
    ----------
    background
        (H, W) grey levels, as :func:`empty_scene` gives them.
    options
        Sizes of the floor and the enclosure; the shape of the floor.
    enclosure
        Shape of the enclosure; ``none`` does not look for it.
    shift_px
        How far the picture moves within or between the recordings; from `SHIFT_CM` on it halves the confidence.

    Returns
    -------
    ArenaFound
        Without corners below `MIN_CONFIDENCE`.
    """
    options = options or ArenaOptions()
    found = _round(background, options) if options.shape == "circle" else _rectangle(background, options)
    found = _shaken(found, options, shift_px)
    if found.corners_px is None or enclosure == "none":
        return found
    mesh = find_enclosure(
        background,
        found.corners_px,
        width_cm=options.width_cm,
        height_cm=options.height_cm,
        enclosure_width_cm=options.enclosure_width_cm,
        enclosure_depth_cm=options.enclosure_depth_cm,
        shape=enclosure,
    )
    notes = found.notes if mesh.polygon_px is not None else (*found.notes, "no enclosure stands out from the floor")
    return ArenaFound(found.corners_px, mesh, found.confidence, found.misfit_cm, found.side_share, notes)


def _shaken(found: ArenaFound, options: ArenaOptions, shift_px: float) -> ArenaFound:
    """Less sure where the arena is seen at two places."""
    if found.corners_px is None:
        return found
    sides = np.hypot(*(found.corners_px - np.roll(found.corners_px, 1, axis=0)).T)
    shift_cm = shift_px * np.sqrt(options.width_cm * options.height_cm) / float(sides.mean())
    if shift_cm < SHIFT_CM:
        return found
    confidence = 0.5 * found.confidence
    notes = (*found.notes, f"the picture moves by {shift_cm:.1f} cm in the recording: the camera was knocked")
    corners = found.corners_px if confidence >= MIN_CONFIDENCE else None
    return ArenaFound(corners, None, confidence, found.misfit_cm, found.side_share, notes)


def _rectangle(background: Image, options: ArenaOptions) -> ArenaFound:
    import cv2

    height, width = background.shape
    reduce = min(1.0, COARSE_SIDE / max(height, width))
    size = round(width * reduce), round(height * reduce)
    coarse = cv2.resize(background, size, interpolation=cv2.INTER_AREA)
    outlines = find_outlines(coarse, width_cm=options.width_cm, height_cm=options.height_cm)
    scale = np.array([width / size[0], height / size[1]])
    refined = [_refined(background, outline, scale, options) for outline in _distinct(outlines, options)]
    refined.sort(key=lambda outline: -outline.quality)
    if not refined or refined[0].quality <= 0:
        return ArenaFound(None, None, 0.0, float("nan"), (), ("no four straight sides of a floor were seen",))
    chosen = _innermost(refined)
    doubt = _doubt(chosen, refined, options)
    confidence = float(np.clip(chosen.quality * (1 - 0.5 * doubt), 0, 1))
    notes = _notes(chosen, doubt, background.shape)
    share = tuple(float(value) for value in chosen.share)
    if confidence < MIN_CONFIDENCE:
        return ArenaFound(None, None, confidence, chosen.misfit_cm, share, (*notes, "too uncertain to be used"))
    return ArenaFound(chosen.corners_px, None, confidence, chosen.misfit_cm, share, tuple(notes))


def _distinct(outlines: Sequence[Outline], options: ArenaOptions) -> list[Outline]:
    """The best of those that mean the same floor."""
    kept: list[Outline] = []
    for outline in outlines:
        same = SAME_CM * np.sqrt(outline.area_px / (options.width_cm * options.height_cm))
        if all(np.hypot(*(outline.corners_px - other.corners_px).T).max() > same for other in kept):
            kept.append(outline)
        if len(kept) == REFINED:
            break
    return kept


def _refined(background: Image, outline: Outline, scale: Floats, options: ArenaOptions) -> _Refined:
    height, width = background.shape
    start = (outline.corners_px + 0.5) * scale - 0.5
    px_per_cm = float(np.sqrt(outline.area_px * scale.prod() / (options.width_cm * options.height_cm)))
    reach = max(3.0, 3 * float(scale.max()), 0.6 * px_per_cm)
    corners, share, scatter = refine_outline(background, start, reach_px=reach)
    moved = float(np.hypot(*(corners - start).T).max())
    inside = (corners > -2).all() and (corners[:, 0] < width + 1).all() and (corners[:, 1] < height + 1).all()
    if not np.isfinite(corners).all() or not inside or moved > 4 * reach:
        return _Refined(corners, share, scatter, float("nan"), 0.0, outline)
    misfit = camera_misfit_cm(
        corners[np.newaxis], width_cm=options.width_cm, height_cm=options.height_cm, picture=(width, height)
    )[0]
    relative = misfit / np.sqrt(options.width_cm * options.height_cm)
    # A side of which the enclosure hides a quarter is still a side.
    seen = np.prod(np.clip(share / 0.7, 0, 1)) ** 0.25
    strong = np.prod(np.clip(outline.support, 0, 1)) ** 0.25
    straight = np.exp(-0.5 * (np.nanmax(scatter) / px_per_cm / 0.5) ** 2)
    quality = seen * strong * straight * np.exp(-0.5 * (relative / 0.02) ** 2) * (1 - 0.3 * outline.beyond)
    quality *= outline.corner_share
    return _Refined(corners, share, scatter, float(misfit), float(quality), outline)


def _innermost(refined: Sequence[_Refined]) -> _Refined:
    """From the best outline inwards, as long as one inside it is nearly as good."""
    chosen = refined[0]
    least = INNER_SHARE * chosen.quality
    while True:
        within = [other for other in refined if other.quality >= least and _lies_within(other, chosen)]
        if not within:
            return chosen
        chosen = within[0]


def _lies_within(inner: _Refined, outer: _Refined) -> bool:
    return (
        bool(contains(outer.corners_px, inner.corners_px).all()) and inner.coarse.area_px < 0.9 * outer.coarse.area_px
    )


def _doubt(chosen: _Refined, refined: Sequence[_Refined], options: ArenaOptions) -> float:
    """0 to 1: how near another outline comes that cannot be the rim of the walls around this floor."""
    same = SAME_CM * np.sqrt(chosen.coarse.area_px / (options.width_cm * options.height_cm))
    rivals = [
        other.quality
        for other in refined
        if not _lies_within(chosen, other) and np.hypot(*(other.corners_px - chosen.corners_px).T).max() > 2 * same
    ]
    return float(np.clip((max(rivals, default=0.0) / chosen.quality - 0.6) / 0.4, 0, 1))


def _notes(chosen: _Refined, doubt: float, shape: tuple[int, ...]) -> list[str]:
    notes = []
    for name, share, strength in zip(
        ("top", "right", "bottom", "left"), chosen.share, chosen.coarse.support, strict=True
    ):
        if share < 0.6 or strength < 0.5:
            notes.append(f"the {name} side of the floor is seen along {min(share, strength):.0%} of its length only")
    if doubt > 0.5:
        notes.append("another outline fits nearly as well")
    if chosen.misfit_cm > 0.5:
        notes.append(f"the sides do not fit a floor of this size by {chosen.misfit_cm:.1f} cm")
    if chosen.coarse.beyond > 0.5:
        notes.append("edges go on beyond the corners")
    return notes


def _round(background: Image, options: ArenaOptions) -> ArenaFound:
    outline = find_round_floor(background)
    if outline is None:
        return ArenaFound(None, None, 0.0, float("nan"), (), ("no round edge of a floor was seen",))
    corners = outline.corners_px
    px_per_cm = float(np.hypot(*(corners[2] - corners[0]))) / float(np.hypot(options.width_cm, options.height_cm))
    aspect = np.log(np.hypot(*(corners[1] - corners[0])) / np.hypot(*(corners[3] - corners[0])))
    misfit = abs(aspect - np.log(options.width_cm / options.height_cm)) * np.sqrt(options.width_cm * options.height_cm)
    misfit_cm = float(misfit / (2 * np.sqrt(2)))
    straight = np.exp(-0.5 * (outline.scatter_px / px_per_cm / 0.5) ** 2)
    # A camera that looks from aside flattens a circle: 25 degrees give 0.9.
    upright = np.exp(-0.5 * (max(0.0, 0.92 - outline.axis_ratio) / 0.06) ** 2)
    confidence = float(np.clip(outline.share / 0.8, 0, 1) * straight * upright)
    notes = []
    if outline.share < 0.7:
        notes.append(f"the edge is seen in {outline.share:.0%} of the directions only")
    if outline.axis_ratio < 0.95:
        notes.append(f"the floor looks flattened ({outline.axis_ratio:.2f}): its far side is scaled as its near one")
    found = None if confidence < MIN_CONFIDENCE else corners
    return ArenaFound(found, None, confidence, misfit_cm, (outline.share,), tuple(notes))
