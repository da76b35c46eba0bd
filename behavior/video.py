"""Recordings as laboratories have them: opened, checked and read frame by frame at their real times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior.decoding_process import DecodingProcess, Reading
from behavior.video_file import (
    VideoInfo,
    check_file,
    decoding_error,
    in_words,
    open_container,
    read_info,
    unreadable,
    video_stream,
)
from core.cores import usable_cores

if TYPE_CHECKING:
    import numpy.typing as npt

    Luma = npt.NDArray[np.uint8]

__all__ = ["Frame", "Video", "VideoInfo", "open_video", "probe"]

#: A recording read to within this of its stated length is complete: headers round, containers count differently.
_LENGTH_TOLERANCE_S = 1.0
_LENGTH_TOLERANCE = 0.01
#: A recording may begin with so many damaged pictures.
_DAMAGED_AT_MOST = 300
#: Pictures up to this many px, of recordings of so many frames, are decoded in a process of its own beside the caller.
_ONE_PROCESS_PX, _LONG_FRAMES = 1_000_000, 1000
#: Pixels that :meth:`Video.opening` decodes at most: about a second's work.
_OPENING_PX = 600_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture: 0-based number, time in s since the file's first frame, (H, W) luma valid until the next."""

    index: int
    time_s: float
    luma: Luma


def probe(path: str | Path) -> VideoInfo:
    """What a recording is, from its header and first frame.

    Raises
    ------
    InputError
        If the file is missing, empty, no video, cut off before its index was written, or holds no readable frame.
    """
    return open_video(path).info


def open_video(path: str | Path, *, threads: int | None = None, deblock: bool = True) -> Video:
    """Open a recording for reading; its first frame is decoded as a check.

    Parameters
    ----------
    path
        The file.
    threads
        Decoder threads; None lets the decoder choose. Results do not depend on it.
    deblock
        False leaves out the smoothing of H.264 and H.265 block edges: faster, the picture is then not exact.

    Raises
    ------
    InputError
        As :func:`probe`.
    """
    check_file(Path(path))
    with open_container(path) as container:
        stream = video_stream(container, path)
        start_pts, first = _first_whole(container, stream, path)
        return Video(read_info(path, container, stream, first), start_pts=start_pts, threads=threads, deblock=deblock)


def _first_whole(container: Any, stream: Any, path: str | Path) -> tuple[int, Any]:
    """Timestamp of the first picture, and the first picture that is not damaged.

    A recording that was cut out of a longer one may begin with pictures that lack what they are based on.
    """
    start_pts: int | None = None
    try:
        for picture in islice(container.decode(stream), _DAMAGED_AT_MOST + 1):
            if start_pts is None:
                start_pts = 0 if picture.pts is None else int(picture.pts)
            if picture.is_corrupt:
                continue
            if picture.width < 2 or picture.height < 2:
                break
            return start_pts, picture
    except (decoding_error(), ValueError) as error:
        raise unreadable(path, f"its first frame cannot be decoded ({in_words(error)})") from error
    raise unreadable(path, "it holds no picture" if start_pts is None else "its first frames are damaged")


class Video:
    """A recording that can be read any number of times.

    Attributes
    ----------
    info
        What the file says about itself.
    damage
        After reading: None, or in words where the file broke; the frames before were given.
    mended
        After reading: number of timestamps that were missing, repeated or falling and were put right.
    """

    def __init__(self, info: VideoInfo, *, start_pts: int, threads: int | None, deblock: bool) -> None:
        self.info = info
        self.damage: str | None = None
        self.mended = 0
        self._start_pts = start_pts
        self._threads = threads
        self._deblock = deblock

    def frames(
        self,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        deblock: bool | None = None,
        ahead: bool = False,
    ) -> Iterator[Frame]:
        """Frames with ``start_s <= time < end_s`` in order of time.

        Numbers and times count from the file's first frame whatever the start. A repeated or falling timestamp is put
        a quarter of a frame after the one before it, so that no time is added over the run; after a jump back by
        more than a second (clips strung together) time goes on from where it was. ``deblock`` as in
        :func:`open_video`, for this reading. ``ahead`` decodes a long recording in a process of its own, which begins
        at once, while the caller works on the frames before; not where the file was opened for so many threads. Frames
        are the same.
        """
        deblock = self._deblock if deblock is None else deblock
        if ahead and self._threads is None and self._worth_a_process(start_s, end_s):
            reading = Reading(self.info.file, self.info.height, self.info.width, start_s, end_s, deblock)
            with suppress(OSError):
                return self._read_beside(DecodingProcess(reading), reading)
        return self._read(start_s, end_s, deblock, self._threads)

    def _worth_a_process(self, start_s: float | None, end_s: float | None) -> bool:
        """Large pictures are better decoded by several threads, short files by the time that a process has started."""
        length_s = min(_length_s(self.info), end_s or np.inf) - (start_s or 0.0)
        small = self.info.width * self.info.height <= _ONE_PROCESS_PX
        return small and length_s * self.info.fps >= _LONG_FRAMES and usable_cores() > 1

    def _read_beside(self, process: DecodingProcess, reading: Reading) -> Iterator[Frame]:
        self.damage, self.mended = None, 0
        last = -1
        for last, time_s, luma in process.frames():
            yield Frame(last, time_s, luma)
        if not process.failed:
            self.damage, self.mended = process.damage, process.mended
            return
        for frame in self._read(reading.start_s, reading.end_s, reading.deblock, None):
            if frame.index > last:
                yield frame

    def _read(self, start_s: float | None, end_s: float | None, deblock: bool, threads: int | None) -> Iterator[Frame]:
        self.damage, self.mended = None, 0
        with open_container(self.info.file) as container:
            stream = video_stream(container, self.info.file)
            self._configure(stream, deblock, threads)
            clock = _Clock(self.info, Fraction(stream.time_base or Fraction(1, 1000)), self._start_pts)
            index = self._seek(container, stream, start_s) if start_s is not None and start_s > 2 else 0
            last_s = -1.0
            begin, skipped = index, 0
            for picture in self._decoded(container, stream, index):
                if picture is None:
                    index, skipped = index + 1, skipped + 1
                    continue
                last_s = clock.time_s(picture.pts, index)
                self.mended = clock.mended
                if end_s is not None and last_s >= end_s:
                    return
                if start_s is None or last_s >= start_s:
                    yield Frame(index, last_s, _luma(picture, self.info.rotation_deg))
                index += 1
            if self.damage is None:
                # Frames that the camera dropped stand in the index of an AVI file with no bytes.
                stored = sum(entry.size > 0 for entry in stream.index_entries)
                self.damage = self._shortfall(index, last_s, stored)
            if skipped:
                left_out = f"frames {begin} to {begin + skipped - 1} are damaged and left out"
                self.damage = left_out if self.damage is None else f"{left_out}; {self.damage}"

    def samples(self, count: int) -> list[Frame]:
        """About ``count`` frames spread over the file, cheaply: key frames where there are enough of them.

        Their ``index`` may be -1 (unknown). At least a dozen where the file has as many frames.
        """
        with open_container(self.info.file) as container:
            stream = video_stream(container, self.info.file)
            stream.thread_type = "SLICE"
            stream.codec_context.thread_count = 1
            base = Fraction(stream.time_base or Fraction(1, 1000))
            seen: dict[int, Frame] = {}
            for pts in self._sample_times(stream, base, count):
                picture = _first_from(container, stream, pts)
                if picture is not None and picture.pts is not None and picture.pts not in seen:
                    luma = _luma(picture, self.info.rotation_deg)
                    if luma.shape == (self.info.height, self.info.width):
                        time_s = float((picture.pts - self._start_pts) * base)
                        seen[picture.pts] = Frame(-1, time_s, luma.copy())
        if len(seen) < 10:
            spread = self._spread(count)
            if not spread:
                raise unreadable(self.info.file, "none of its frames can be decoded")
            return spread
        return [seen[pts] for pts in sorted(seen)]

    def opening(self, length_s: float, *, every_s: float) -> list[Frame]:
        """Frames of the first seconds, one every so often, copied; fewer where the pictures are large."""
        most = _OPENING_PX // (self.info.width * self.info.height)
        kept: list[Frame] = []
        opened = Video(self.info, start_pts=self._start_pts, threads=1, deblock=self._deblock)
        for count, frame in enumerate(opened.frames()):
            if frame.time_s >= length_s or count >= most:
                break
            if not kept or frame.time_s >= kept[-1].time_s + every_s - 1e-6:
                kept.append(Frame(frame.index, frame.time_s, frame.luma.copy()))
        return kept

    def _spread(self, count: int) -> list[Frame]:
        """At most ``count`` frames at even steps, by reading all of it: for short files and those without index."""
        kept: list[Frame] = []
        step = 1
        for frame in Video(self.info, start_pts=self._start_pts, threads=1, deblock=self._deblock).frames():
            if frame.index % step == 0:
                kept.append(Frame(frame.index, frame.time_s, frame.luma.copy()))
                if len(kept) > count:
                    kept, step = kept[::2], 2 * step
        return kept

    def _sample_times(self, stream: Any, base: Fraction, count: int) -> list[int]:
        """Timestamps to seek to: key frames if the index knows enough of them, else even steps."""
        keys = sorted(entry.timestamp for entry in stream.index_entries if entry.is_keyframe)
        even = np.linspace(0, max(_length_s(self.info), 0), count, endpoint=False) / float(base) + self._start_pts
        if len(keys) >= 12:
            # The index counts in decoding time, seeking in display time: aim half way to the next key frame.
            ends = [*keys[1:], keys[-1] + 2]
            aims = [(key + end + 1) // 2 for key, end in zip(keys, ends, strict=True)]
            return [aims[k] for k in np.unique(np.linspace(0, len(keys) - 1, min(count, len(keys))).astype(int))]
        return [int(pts) for pts in even[:: max(1, count // 16)]]

    def _configure(self, stream: Any, deblock: bool, threads: int | None) -> None:
        context = stream.codec_context
        if threads == 1:
            stream.thread_type = "SLICE"
            context.thread_count = 1
        else:
            stream.thread_type = "AUTO"
            if threads is not None:
                context.thread_count = threads
        if not deblock and self.info.codec in ("h264", "hevc"):
            context.options = {"skip_loop_filter": "all"}

    def _decoded(self, container: Any, stream: Any, index: int) -> Iterator[Any]:
        """Decoded pictures until the end or the damage, which is then stated; None for damaged ones before these."""
        shape, count = None, index
        try:
            for packet in container.demux(stream):
                for picture in packet.decode():
                    if picture.is_corrupt and shape is None and count - index <= _DAMAGED_AT_MOST:
                        count += 1
                        yield None
                        continue
                    shape = shape or (picture.width, picture.height)
                    if picture.is_corrupt:
                        self.damage = f"frame {count} is damaged; read up to the frame before it"
                        return
                    if (picture.width, picture.height) != shape:
                        self.damage = f"the picture changes its size at frame {count}; read up to the frame before it"
                        return
                    yield picture
                    count += 1
        except (decoding_error(), ValueError) as error:
            self.damage = f"cannot be decoded after frame {count - 1} ({in_words(error)}); read up to there"

    def _shortfall(self, count: int, last_s: float, stored: int) -> str | None:
        """In words, what is missing of the announced length or number of frames."""
        listed = self.info.n_frames or 0
        announced_s = np.nanmax([self.info.duration_s, listed / self.info.fps])
        reached_s = last_s + 1 / self.info.fps
        if announced_s - reached_s > max(_LENGTH_TOLERANCE_S, _LENGTH_TOLERANCE * announced_s):
            return (
                f"ends after frame {count - 1} at {reached_s:.2f} s, {announced_s:.2f} s were announced; "
                "the rest of the file is missing"
            )
        if stored == listed and stored - count > max(3, _LENGTH_TOLERANCE * stored):
            return f"{stored - count} of the {stored} frames listed in the file cannot be decoded; the others were read"
        return None

    def _seek(self, container: Any, stream: Any, start_s: float) -> int:
        """Go to the last key frame before ``start_s`` and say its number; 0, at the start, where that is unsafe."""
        base = float(stream.time_base or Fraction(1, 1000))
        target = self._start_pts + start_s / base
        pts, keys = [], []
        with open_container(self.info.file) as other:
            for packet in other.demux(video_stream(other, self.info.file)):
                if packet.pts is None:
                    if packet.size:
                        return 0
                    continue
                pts.append(packet.pts)
                if packet.is_keyframe and packet.pts <= target - 1:
                    keys.append(packet.pts)
                # Pictures are stored out of order by at most 16 frames.
                if packet.pts > target + 32 / (base * self.info.fps):
                    break
        if not keys or len(set(pts)) < len(pts) or min(pts) < self._start_pts:
            return 0
        key = max(keys)
        first = _first_from(container, stream, key)
        if first is None or first.pts != key:
            container.seek(self._start_pts, stream=stream)
            return 0
        container.seek(key, stream=stream)
        return int(np.sum(np.asarray(pts) < key))


class _Clock:
    """Times in s that always rise, from timestamps that may be missing, repeated or falling."""

    def __init__(self, info: VideoInfo, base: Fraction, start_pts: int) -> None:
        self._base = float(base)
        self._step = 1 / info.fps
        self._offset = -start_pts * self._base
        self._last: float | None = None
        self.mended = 0

    def time_s(self, pts: int | None, index: int) -> float:
        last = self._last
        if pts is None:
            self.mended += 1
            time = index * self._step if last is None else last + self._step
        else:
            time = pts * self._base + self._offset
            if last is not None and time <= last:
                self.mended += 1
                if time < last - 1:
                    self._offset += last + self._step - time
                    time = last + self._step
                else:
                    time = last + self._step / 4
        self._last = time
        return time


@cache
def _first_plane_is_luma(name: str) -> bool:
    """Whether the pixel format keeps 8-bit luma in a plane of its own."""
    import av

    own_plane = name.startswith(("yuv4", "yuvj4", "yuva4", "nv1", "nv2", "gray"))
    return own_plane and av.VideoFormat(name).components[0].bits == 8


def _luma(picture: Any, rotation_deg: int) -> Luma:
    if not _first_plane_is_luma(picture.format.name):
        picture = picture.reformat(format="gray")
    plane = picture.planes[0]
    pixels: Luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: picture.height, : picture.width]
    return np.rot90(pixels, rotation_deg // 90) if rotation_deg else pixels


def _first_from(container: Any, stream: Any, pts: int) -> Any:
    """First picture that decodes after seeking back from ``pts``; None if there is none."""
    try:
        container.seek(int(pts), stream=stream)
        picture = next(container.decode(stream), None)
        return None if picture is None or picture.is_corrupt else picture
    except (decoding_error(), ValueError, StopIteration):
        return None


def _length_s(info: VideoInfo) -> float:
    if np.isfinite(info.duration_s):
        return info.duration_s
    return info.n_frames / info.fps if info.n_frames else 60.0
