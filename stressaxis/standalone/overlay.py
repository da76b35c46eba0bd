"""A recording with its track, its zones and the seconds counted in them drawn over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from stressaxis.standalone.overlay_inputs import OverlayInput, overlay_input
from stressaxis.system_libraries import check_system_libraries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from behavior.arena import Arena

    Image = NDArray[np.uint8]
    Floats = NDArray[np.float64]

__all__ = ["Counters", "count_seconds", "write_overlay"]

#: Ticks per second of the written file: every frame time is kept to 1/90 ms.
TICKS = 90_000
#: Seconds of path drawn behind the animal.
TRAIL_S = 2.0
_FLOOR, _ENCLOSURE, _ZONE, _CORNER = (90, 90, 230), (60, 200, 60), (230, 160, 40), (200, 90, 200)
_CENTRE, _NOSE, _PATH, _TEXT = (0, 220, 255), (0, 120, 255), (0, 190, 220), (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Counters:
    """Seconds up to the end of each frame, as scoring counts them.

    Attributes
    ----------
    start_s
        Time zero of the scored window, in the recording.
    time_s
        (N,) start of each scored frame, from time zero.
    seconds
        Name to (N,) seconds summed: ``interaction``, ``corners``, ``not seen``.
    """

    start_s: float
    time_s: Floats
    seconds: dict[str, Floats]

    def at(self, time_s: float) -> dict[str, float] | None:
        """Sums up to the end of the frame shown at a time of the recording; None before the window."""
        place = int(np.searchsorted(self.time_s, time_s - self.start_s + 1e-6, side="right")) - 1
        return None if place < 0 else {name: float(sums[place]) for name, sums in self.seconds.items()}


def count_seconds(given: OverlayInput) -> Counters | None:
    """The running sums behind ``iz_raw_s`` and ``corner_raw_s``; None where no zones are known.

    Raises
    ------
    InputError
        If the tracks cannot be scored in this arena.
    """
    from behavior.samples import TrialPart, collect_samples, trial_start
    from behavior.trial_measures import in_zone

    arena, options = given.arena, given.options
    if arena is None:
        return None
    part = TrialPart(tracks=given.tracks, arena=arena, start_s=given.start_s)
    start_s = trial_start(part, options=options).time_s
    samples = collect_samples([part], start_s=start_s, options=options, extra=("nose",))
    if "interaction" in arena.zones:
        inside = {"interaction": in_zone(samples, arena, "interaction", reach_cm=options.reach_cm)}
    else:
        inside = {name: in_zone(samples, arena, name) for name in arena.zones if name != "floor"}
    if arena.corner_zones:
        inside["corners"] = in_zone(samples, arena, *arena.corner_zones)
    inside["not seen"] = ~samples.observed
    sums = {name: np.cumsum(samples.duration_s * chosen) for name, chosen in inside.items()}
    return Counters(start_s, samples.time_s, sums)


def write_overlay(
    video: Path,
    *,
    tracks: Path,
    out: Path,
    arena: Path | None = None,
    arena_name: str | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> str:
    """Write a recording with its track drawn over it, each frame at its own time, and say what was written.

    Parameters
    ----------
    video
        The recording.
    tracks
        File of tracks, or a results folder, which also knows the zones and the start of the trial.
    out
        MP4 file to write (H.264).
    arena, arena_name
        Experiment file or table of corners, and which of its arenas; zones are drawn and seconds counted in it.
    start_s, end_s
        Part of the recording to write; the seconds count from the trial's start all the same.

    Raises
    ------
    InputError
        If the recording, the tracks or the arena cannot be used, or the tracks are not of this recording.
    """
    check_system_libraries()
    from behavior.video import open_video

    if out.suffix.lower() != ".mp4":
        raise InputError("overlays are written as MP4", file=out, expected="a name that ends in .mp4")
    if out.resolve() == video.resolve():
        raise InputError("the overlay would replace the recording", file=out, remedy="give another name with --out")
    given = overlay_input(video, tracks, arena=arena, arena_name=arena_name)
    counters = count_seconds(given)
    recording = open_video(video)
    painter = _Painter(given, counters)
    written, unmatched, first_s = 0, 0, 0.0
    with _encoder(out, recording.info.width, recording.info.height) as encode:
        for frame in recording.frames(start_s=start_s, end_s=end_s, ahead=True):
            first_s = frame.time_s if written == 0 else first_s
            place = painter.place(frame.time_s)
            unmatched += place is None
            encode(painter.paint(frame.luma, frame.time_s, place), frame.time_s - first_s)
            written += 1
        if written == 0 or unmatched > 0.5 * written:
            raise InputError(
                "the tracks are not of this recording" if written else "no frame lies in the part asked for",
                file=tracks if written else video,
                found=f"{unmatched} of {written} frames have no time in the tracks",
                expected="tracks of this recording, at its own frame times",
            )
    zones = "no zones: the arena is not known (give --arena)" if given.arena is None else "zones and seconds drawn"
    lines = [f"{out}: {written} frames at their own times; {zones}"]
    if unmatched:
        lines.append(f"{unmatched} frames have no time in the tracks; nothing is drawn on them")
    if recording.damage:
        lines.append(f"the recording is damaged: {recording.damage}")
    return "\n".join(lines)


class _Painter:
    """Draws on one frame after the other; holds the outlines and the tracks, never pictures."""

    def __init__(self, given: OverlayInput, counters: Counters | None) -> None:
        self.counters = counters
        self.outlines = [] if given.arena is None else _outlines(given.arena)
        position = given.tracks["position"].isel(individual=0)
        self.time = np.asarray(given.tracks["time"].values, float)
        self.points = {
            str(name): _in_px(position.sel(keypoint=name).transpose("time", "space").values, given)
            for name in given.tracks["keypoint"].values
        }
        self.body = "centre" if "centre" in self.points else next(iter(self.points))
        step = float(np.median(np.diff(self.time))) if len(self.time) > 1 else 0.0
        self.reach = max(0.5 * step, 1e-3)

    def place(self, time_s: float) -> int | None:
        """Row of the tracks that belongs to a frame; None where none is near."""
        if not len(self.time):
            return None
        right = int(np.searchsorted(self.time, time_s))
        near = [k for k in (right - 1, right) if 0 <= k < len(self.time)]
        best = min(near, key=lambda k: abs(self.time[k] - time_s))
        return best if abs(self.time[best] - time_s) <= self.reach else None

    def paint(self, luma: Image, time_s: float, place: int | None) -> Image:
        """(H, W, 3) the frame with everything drawn on it."""
        import cv2

        picture: Any = cv2.cvtColor(np.ascontiguousarray(luma), cv2.COLOR_GRAY2BGR)
        for outline, colour in self.outlines:
            cv2.polylines(picture, [outline], True, colour, 1, cv2.LINE_AA, 4)
        seen = False
        if place is not None:
            seen = self._draw_track(picture, time_s, place)
        self._write(picture, time_s, seen)
        return np.asarray(picture, np.uint8)

    def _draw_track(self, picture: Image, time_s: float, place: int) -> bool:
        import cv2

        centre = self.points[self.body]
        first = int(np.searchsorted(self.time, time_s - TRAIL_S))
        for run in _runs(centre[first : place + 1]):
            cv2.polylines(picture, [_fixed(run)], False, _PATH, 1, cv2.LINE_AA, 4)
        size = max(2, round(min(picture.shape[:2]) / 120))
        for name, colour in (("nose", _NOSE), (self.body, _CENTRE)):
            if name in self.points and np.isfinite(self.points[name][place]).all():
                x, y = _fixed(self.points[name][place])
                cv2.circle(picture, (int(x), int(y)), size * 16, colour, -1, cv2.LINE_AA, 4)
        return bool(np.isfinite(centre[place]).all())

    def _write(self, picture: Image, time_s: float, seen: bool) -> None:
        import cv2

        lines = [f"{time_s:.2f} s"]
        sums = None if self.counters is None else self.counters.at(time_s)
        if sums is not None and self.counters is not None:
            lines[0] = f"{time_s - self.counters.start_s:.2f} s from the start"
            lines += [f"{name} {seconds:.2f} s" for name, seconds in sums.items()]
        if not seen:
            lines.append("animal not seen")
        scale = max(0.35, min(picture.shape[:2]) / 900)
        font, step = cv2.FONT_HERSHEY_SIMPLEX, int(32 * scale)
        width = max(cv2.getTextSize(line, font, scale, 1)[0][0] for line in lines)
        # Letters are read on any floor when the picture behind them is dark.
        picture[: (len(lines) + 1) * step, : width + 12] //= 3
        for number, line in enumerate(lines, start=1):
            cv2.putText(picture, line, (6, number * step + 4), font, scale, _TEXT, 1, cv2.LINE_AA)


def _in_px(xy: Any, given: OverlayInput) -> Floats:
    points = np.asarray(xy, float)
    if given.tracks.attrs.get("space_unit", "px") == "px":
        return points
    if given.arena is None:
        raise InputError(
            "the tracks are in cm; without the arena they have no place in the picture", remedy="give --arena"
        )
    return given.arena.to_px(points)


def _outlines(arena: Arena) -> list[tuple[NDArray[np.int32], tuple[int, int, int]]]:
    colours = {"floor": _FLOOR, "enclosure": _ENCLOSURE}
    shown = [name for name in arena.zones if name not in ("interaction_narrow", "interaction_wide")]
    return [
        (_fixed(arena.outline_px(name)), colours.get(name, _CORNER if name.startswith("corner_") else _ZONE))
        for name in shown
    ]


def _fixed(points: Floats) -> NDArray[np.int32]:
    """Px in sixteenths, as the drawing functions take parts of a px."""
    return np.round(points * 16).astype(np.int32)


def _runs(points: Floats) -> Iterator[Floats]:
    """Stretches without gaps, of two points and more."""
    known = np.isfinite(points).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start > 1:
            yield points[start:end]


@contextmanager
def _encoder(out: Path, width: int, height: int) -> Iterator[Any]:
    """Gives ``encode(picture, time_s)``; the file stands under its name only when all of it is written."""
    import av

    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    # H.264 with half-size colour has even sides; a line is repeated where the recording's are odd.
    pad = (width % 2, height % 2)
    try:
        with av.open(str(part), "w", format="mp4") as file:
            stream: Any = file.add_stream("libx264", rate=30, options={"crf": "23", "preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = width + pad[0], height + pad[1], "yuv420p"
            stream.codec_context.time_base = Fraction(1, TICKS)
            stream.time_base = Fraction(1, TICKS)

            def encode(picture: Image, time_s: float) -> None:
                even = np.pad(picture, ((0, pad[1]), (0, pad[0]), (0, 0)), mode="edge") if any(pad) else picture
                frame = av.VideoFrame.from_ndarray(even, format="bgr24")
                frame.pts, frame.time_base = round(time_s * TICKS), Fraction(1, TICKS)
                for packet in stream.encode(frame):
                    file.mux(packet)

            yield encode
            for packet in stream.encode():
                file.mux(packet)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
