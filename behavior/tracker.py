"""Follow the one subject of a recording: no training, no settings per video."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.camera_motion import CameraMove, SteadyView, find_camera_move
from behavior.faint_subject import EvidenceView, find_faint_subject, is_doubtful, leave_out_cluttered
from behavior.follower import COLUMNS, NOT_FOUND, Follower, Look, rows_of
from behavior.headtail import along_track, head_senses, shape_evidence
from behavior.opencv_threads import one_opencv_thread
from behavior.region import as_region
from behavior.scene import Scene, learn_scene
from behavior.track_options import TrackOptions
from behavior.tracks import from_arrays
from behavior.video import Frame, Video, open_video

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    import xarray as xr

    Image = npt.NDArray[Any]

__all__ = ["track"]


#: The scene is learned from these of the first seconds, too, which often show the empty box: an animal that then sits
#: still all the time would otherwise be taken for a part of it.
OPENING_S, OPENING_EVERY_S = 10.0, 1.0


def track(
    video: Video | str | Path,
    arena: Any = None,
    *,
    options: TrackOptions | None = None,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Where the subject is in every frame.

    The empty scene and the subject's look (darker or lighter, how large) are learned from frames spread over the
    recording; then the subject's silhouette is cut out of every frame at half its contrast, in a window around where it
    was, while the whole floor is watched at low resolution for anything else that moves.

    Parameters
    ----------
    video
        Recording, or its path.
    arena
        Anything with ``floor_px`` and ``enclosure_px``, polygons in px or None; None for the whole picture.
    options
        Settings.
    progress
        Called with the number of frames done, every hundred frames.

    Returns
    -------
    Dataset
        Tracks (see :mod:`behavior.tracks`) in px with keypoints centre (centroid of the body without tail), nose and
        tail_base; frames where the subject cannot be told are NaN with the reason in ``note``. Where the camera was
        knocked, positions are those of the view before; the attributes ``camera_moved_s``, ``camera_moved_px`` and
        ``camera_matrix`` (2 x 3, row by row, from that view to the picture after the move) say so. ``contrast_grey``
        is how far the subject stands out from the floor, in grey levels, ``noise_grey`` the noise of a pixel.

    Raises
    ------
    InputError
        If the recording cannot be opened.
    """
    # Loaded before the pictures: the memory that learning the scene gives back then holds the rows of a long recording.
    import xarray  # noqa: F401

    options = options or TrackOptions()
    video = video if isinstance(video, Video) else open_video(video)
    region = as_region(arena)
    # Begun now, a decoding process has started by the time that the scene is learned.
    frames = video.frames(start_s=options.start_s, end_s=options.end_s, deblock=options.deblock, ahead=True)
    dark = {"auto": None, "dark": True, "light": False}[options.polarity]
    samples, move = video.samples(options.samples), None
    if not options.independent_frames:
        move = find_camera_move([frame.luma for frame in samples], [frame.time_s for frame in samples])
        samples = _with_opening(samples, video.opening(OPENING_S, every_s=OPENING_EVERY_S))
    steady = SteadyView(move)
    pictures = [steady.view(frame.luma, frame.time_s) for frame in samples]
    scene = learn_scene(pictures, region, dark=dark)
    attrs, evidence = _scene_attrs(scene), None
    faint = find_faint_subject(pictures, region, found=scene) if is_doubtful(scene) else None
    if faint is not None:
        evidence, scene, strength = faint
        attrs = {"contrast_grey": round(strength * evidence.noise, 1), "noise_grey": round(evidence.noise, 2)}
    follower = None if scene is None else Follower(scene, follow=not options.independent_frames)
    with one_opencv_thread():
        columns = _look_through(frames, follower, steady, evidence, options, progress)
    return from_arrays(
        fps=video.info.fps,
        source_file=video.info.file,
        damage=video.damage or "",
        attrs={"timestamps_mended": video.mended, **attrs, **_camera_attrs(move, steady)},
        **columns,
    )


def _with_opening(samples: list[Frame], opening: list[Frame]) -> list[Frame]:
    """Samples and those opening frames that are not among them."""
    known = {round(frame.time_s, 3) for frame in samples}
    more = [frame for frame in opening if round(frame.time_s, 3) not in known]
    return sorted([*samples, *more], key=lambda frame: frame.time_s)


def _scene_attrs(scene: Scene | None) -> dict[str, float]:
    if scene is None:
        return {}
    return {"contrast_grey": round(scene.background.contrast, 1), "noise_grey": round(scene.noise, 2)}


def _camera_attrs(move: CameraMove | None, steady: SteadyView) -> dict[str, Any]:
    if move is None:
        return {}
    return {
        "camera_moved_s": steady.moved_s,
        "camera_moved_px": move.shift_px,
        "camera_matrix": move.back.ravel(),
    }


def _look_through(
    frames: Iterator[Frame],
    follower: Follower | None,
    steady: SteadyView,
    evidence: EvidenceView | None,
    options: TrackOptions,
    progress: Callable[[int], None] | None,
) -> dict[str, Any]:
    """What the tracks are made of, frame by frame; what the follower saw is let go of before they are built."""
    rows, times, numbers = array("f"), array("d"), array("q")

    def pictures() -> Iterator[tuple[Image, float]]:
        for frame in frames:
            times.append(frame.time_s)
            numbers.append(frame.index)
            picture = steady.view(frame.luma, frame.time_s)
            yield picture if evidence is None else evidence.view(picture), frame.time_s
            if progress is not None and len(times) % 100 == 0:
                progress(len(times))

    for some in _all_lost(pictures()) if follower is None else follower.follow(pictures()):
        rows.frombytes(some.tobytes())
    # A view, no copy: an hour of recording is 100,000 rows.
    table = np.frombuffer(rows, np.float32).reshape(-1, COLUMNS) if rows else np.empty((0, COLUMNS), np.float32)
    if evidence is not None:
        leave_out_cluttered(table)
    columns = _columns(table, np.array(times), independent=options.independent_frames)
    return {**columns, "time_s": np.array(times), "frame": np.array(numbers)}


def _all_lost(pictures: Iterable[tuple[Image, float]]) -> Iterator[Image]:
    """Rows where no subject is known."""
    for _ in pictures:
        yield rows_of([Look(NOT_FOUND, 0.0, None)], None)


def _columns(table: npt.NDArray[np.float32], time_s: npt.NDArray[np.float64], *, independent: bool) -> dict[str, Any]:
    """Positions with the head side settled, and the rest of what a row says, as the tracks hold it."""
    ends = table[:, 5:13]
    area, angle, elongation, skew, tail = table[:, 13:18].T
    evidence = shape_evidence(skew, tail)
    if independent:
        ahead = evidence >= 0
    else:
        length = float(np.nanmedian(np.hypot(*(ends[:, 0:2] - ends[:, 2:4]).T))) if np.isfinite(angle).any() else 0.0
        odds = along_track(evidence, time_s=time_s, centre=table[:, 3:5], angle=angle, length=length)
        ahead = head_senses(angle, odds, elongation) > 0
    # Before the positions, which are the largest: the peak of memory lies here.
    orientation = _degrees(np.where(ahead, angle, angle + np.float32(np.pi)).astype(float))
    position = np.empty((len(table), 2, 3))
    position[:, :, 0] = table[:, 3:5]
    position[:, :, 1] = np.where(ahead[:, np.newaxis], ends[:, 0:2], ends[:, 2:4])
    position[:, :, 2] = np.where(ahead[:, np.newaxis], ends[:, 6:8], ends[:, 4:6])
    known = np.isfinite(position).all(axis=1)
    return {
        "position": position,
        "confidence": np.where(known, table[:, 2, np.newaxis], np.float32(0)),
        "area": area.copy(),
        "orientation": orientation,
        "note": table[:, 0].astype(np.int8),
        "other_area": table[:, 1].copy(),
    }


def _degrees(heading: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Heading in the picture, y down, in radians, as degrees counter-clockwise as seen."""
    return np.degrees(np.arctan2(-np.sin(heading), np.cos(heading)))
