"""A video file before any frame is read: opened and checked, what it says about itself, why it cannot be used."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from core.errors import InputError

__all__ = [
    "VideoInfo",
    "check_file",
    "decoding_error",
    "in_words",
    "open_container",
    "read_info",
    "unreadable",
    "video_stream",
]

#: Length of a Matroska stream, 00:02:30.040000000.
_CLOCK = re.compile(r"(\d{1,5}):(\d{1,2}):(\d{1,2}(?:\.\d*)?)", re.ASCII)
_CONVERT = "convert the recording (for instance to H.264 in .mp4) or copy it again from the camera"


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


def read_info(path: str | Path, container: Any, stream: Any, first: Any) -> VideoInfo:
    """What the container, its video stream and the first decoded picture say."""
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
    if told := _CLOCK.fullmatch(stated):
        hours, minutes, seconds = told.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    # A container's length is that of its longest stream, which need not be the video.
    return container.duration / 1e6 if container.duration and len(container.streams) == 1 else float("nan")


def check_file(path: Path) -> None:
    """Raise InputError if the path is no readable file with something in it."""
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


def open_container(path: str | Path) -> Any:
    """PyAV container of the file; InputError if it is no video or was cut off before its index."""
    import av

    try:
        return av.open(str(path), metadata_errors="ignore")
    except (av.error.FFmpegError, ValueError) as error:
        # It may have gone, on a drive that was taken away, since it was opened the last time.
        check_file(Path(path))
        if _lacks_index(Path(path)):
            raise unreadable(path, "it was cut off before its index (moov) was written", mp4=True) from error
        raise unreadable(path, "this is not a video file that can be opened", mp4=False) from error


def video_stream(container: Any, path: str | Path) -> Any:
    """First video stream that is not a cover picture; InputError if there is none."""
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


def unreadable(path: str | Path, why: str, *, mp4: bool = False) -> InputError:
    """Error for a recording that cannot be opened, with its first bytes and what can be done."""
    remedy = f"repair it (for instance with untrunc) or {_CONVERT}" if mp4 else _CONVERT
    with Path(path).open("rb") as file:
        head = file.read(16)
    return InputError(f"the recording cannot be opened: {why}", file=path, found=f"first bytes {head!r}", remedy=remedy)


def decoding_error() -> type[Exception]:
    """PyAV's root of errors."""
    import av

    error: type[Exception] = av.error.FFmpegError
    return error


def in_words(error: Exception) -> str:
    """What FFmpeg says of an error, without its number."""
    return str(getattr(error, "strerror", "") or error)
