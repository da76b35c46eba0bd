"""Recordings as laboratories have them: opened, checked and read frame by frame at their real times."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Luma = npt.NDArray[np.uint8]

__all__ = ["Frame", "Video", "VideoInfo", "open_video", "probe"]

_CONVERT = "convert the recording (for instance to H.264 in .mp4) or copy it again from the camera"
#: A recording read to within this of its stated length is complete: headers round, containers count differently.
_LENGTH_TOLERANCE_S = 1.0
_LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """What a recording says about itself.

    Parameters
    ----------
    file
        Path as given.
    width, height
        Size of the picture in px as seen, that is after rotation.
    n_frames
        Frames the file claims to hold; None where the container does not say.
    fps
        Mean rate that the file claims.
    duration_s
        Length that the file claims; NaN where it does not say.
    codec, pixel_format
        As FFmpeg names them.
    rotation_deg
        Turn that the file asks for: 0, 90, 180 or 270, counter-clockwise; frames are given turned.
    """

    file: str
    width: int
    height: int
    n_frames: int | None
    fps: float
    duration_s: float
    codec: str
    pixel_format: str
    rotation_deg: int


@dataclass(frozen=True)
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
    _check_file(Path(path))
    with _container(path) as container:
        stream = _video_stream(container, path)
        try:
            first = next(container.decode(stream), None)
        except (_av_error(), ValueError) as error:
            raise _unreadable(path, f"its first frame cannot be decoded ({_plain(error)})") from error
        if first is None or first.width < 2 or first.height < 2:
            raise _unreadable(path, "it holds no picture")
        start_pts = 0 if first.pts is None else int(first.pts)
        return Video(_info(path, container, stream, first), start_pts=start_pts, threads=threads, deblock=deblock)


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
        self, *, start_s: float | None = None, end_s: float | None = None, deblock: bool | None = None
    ) -> Iterator[Frame]:
        """Frames with ``start_s <= time < end_s`` in order of time.

        Numbers and times count from the file's first frame whatever the start. A repeated or falling timestamp is put
        a quarter of a frame after the one before it, so that no time is added over the run; after a jump back by
        more than a second (clips strung together) time goes on from where it was. ``deblock`` as in
        :func:`open_video`, for this reading.
        """
        self.damage, self.mended = None, 0
        with _container(self.info.file) as container:
            stream = _video_stream(container, self.info.file)
            self._configure(stream, self._deblock if deblock is None else deblock)
            clock = _Clock(self.info, Fraction(stream.time_base or Fraction(1, 1000)), self._start_pts)
            index = self._seek(container, stream, start_s) if start_s is not None and start_s > 2 else 0
            last_s = -1.0
            for picture in self._decoded(container, stream, index):
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

    def samples(self, count: int) -> list[Frame]:
        """About ``count`` frames spread over the file, cheaply: key frames where there are enough of them.

        Their ``index`` may be -1 (unknown). At least a dozen where the file has as many frames.
        """
        with _container(self.info.file) as container:
            stream = _video_stream(container, self.info.file)
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
            return self._spread(count)
        return [seen[pts] for pts in sorted(seen)]

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

    def _configure(self, stream: Any, deblock: bool) -> None:
        context = stream.codec_context
        if self._threads == 1:
            stream.thread_type = "SLICE"
            context.thread_count = 1
        else:
            stream.thread_type = "AUTO"
            if self._threads is not None:
                context.thread_count = self._threads
        if not deblock and self.info.codec in ("h264", "hevc"):
            context.options = {"skip_loop_filter": "all"}

    def _decoded(self, container: Any, stream: Any, index: int) -> Iterator[Any]:
        """Decoded pictures until the end or the damage, which is then stated."""
        shape, count = None, index
        try:
            for packet in container.demux(stream):
                for picture in packet.decode():
                    shape = shape or (picture.width, picture.height)
                    if picture.is_corrupt:
                        self.damage = f"frame {count} is damaged; read up to the frame before it"
                        return
                    if (picture.width, picture.height) != shape:
                        self.damage = f"the picture changes its size at frame {count}; read up to the frame before it"
                        return
                    yield picture
                    count += 1
        except (_av_error(), ValueError) as error:
            self.damage = f"cannot be decoded after frame {count - 1} ({_plain(error)}); read up to there"

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
        with _container(self.info.file) as other:
            for packet in other.demux(_video_stream(other, self.info.file)):
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


def _luma(picture: Any, rotation_deg: int) -> Luma:
    name = picture.format.name
    planar = name.startswith(("yuv4", "yuvj4", "yuva4", "nv1", "nv2", "gray"))
    eight_bit = not any(char in name[4:] for char in ("le", "be")) and picture.format.components[0].bits == 8
    if not (planar and eight_bit):
        picture = picture.reformat(format="gray")
    plane = picture.planes[0]
    pixels: Luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: picture.height, : picture.width]
    return np.rot90(pixels, rotation_deg // 90) if rotation_deg else pixels


def _first_from(container: Any, stream: Any, pts: int) -> Any:
    """First picture that decodes after seeking back from ``pts``; None if there is none."""
    try:
        container.seek(int(pts), stream=stream)
        return next(container.decode(stream), None)
    except (_av_error(), ValueError, StopIteration):
        return None


def _info(path: str | Path, container: Any, stream: Any, first: Any) -> VideoInfo:
    rotation = round(int(first.rotation or 0) / 90) * 90 % 360
    width, height = (first.height, first.width) if rotation % 180 else (first.width, first.height)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return VideoInfo(
        file=str(path),
        width=width,
        height=height,
        n_frames=int(stream.frames) or None,
        fps=float(rate),
        duration_s=_duration_s(container, stream),
        codec=stream.codec_context.name,
        pixel_format=first.format.name,
        rotation_deg=rotation,
    )


def _duration_s(container: Any, stream: Any) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    stated = stream.metadata.get("DURATION", "")
    if stated.count(":") == 2:
        hours, minutes, seconds = stated.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    # A container's length is that of its longest stream, which need not be the video.
    return container.duration / 1e6 if container.duration and len(container.streams) == 1 else float("nan")


def _length_s(info: VideoInfo) -> float:
    if np.isfinite(info.duration_s):
        return info.duration_s
    return info.n_frames / info.fps if info.n_frames else 60.0


def _check_file(path: Path) -> None:
    if not path.exists():
        raise InputError(
            "the recording does not exist",
            file=path,
            remedy="check the path, and the folder that paths are relative to",
        )
    if path.is_dir():
        raise InputError("this is a folder, not a recording", file=path, remedy="give the path of a video file")
    if not os.access(path, os.R_OK):
        raise InputError("the recording may not be read", file=path, remedy="give yourself the right to read it")
    if path.stat().st_size == 0:
        raise InputError(
            "the recording is empty", file=path, found="0 bytes", expected="a video file", remedy="copy it again"
        )


def _container(path: str | Path) -> Any:
    import av

    try:
        return av.open(str(path), metadata_errors="ignore")
    except (av.error.FFmpegError, ValueError) as error:
        if _lacks_index(Path(path)):
            raise _unreadable(path, "it was cut off before its index (moov) was written", mp4=True) from error
        raise _unreadable(path, "this is not a video file that can be opened", mp4=False) from error


def _video_stream(container: Any, path: str | Path) -> Any:
    # Cover pictures of audio files are video streams too.
    streams = [s for s in container.streams.video if "attached_pic" not in str(s.disposition)]
    if not streams:
        raise InputError("the file holds no video", file=path, expected="a video stream", remedy="give a recording")
    return streams[0]


def _lacks_index(path: Path) -> bool:
    """Whether an mp4 or mov begins as it should but has no top-level ``moov`` box."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at, first = 0, True
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if first and kind not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
                return False
            if kind == b"moov":
                return at + length > size
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length < 8:
                return True
            at, first = at + length, False
    return not first


def _unreadable(path: str | Path, why: str, *, mp4: bool = False) -> InputError:
    remedy = f"repair it (for instance with untrunc) or {_CONVERT}" if mp4 else _CONVERT
    with Path(path).open("rb") as file:
        head = file.read(16)
    return InputError(f"the recording cannot be opened: {why}", file=path, found=f"first bytes {head!r}", remedy=remedy)


def _av_error() -> type[Exception]:
    import av

    error: type[Exception] = av.error.FFmpegError
    return error


def _plain(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error)
