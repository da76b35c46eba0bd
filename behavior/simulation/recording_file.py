"""Writing luma and chroma planes to a video file with a real codec, under its name only when it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["VideoWriter", "complete_or_absent"]

Bytes = NDArray[np.uint8]

_FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".avi": "avi",
    ".mpg": "mpeg",
    ".wmv": "asf",
}


@contextmanager
def complete_or_absent(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path`` that becomes ``path`` when the block ends well, and is removed when not."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class VideoWriter:
    """Encodes 4:2:0 frames, one thread, so that the same frames give the same bytes.

    Parameters
    ----------
    path
        Where to write; the container follows from ``container``.
    container
        File ending that tells the container, such as ".mp4".
    codec, options
        FFmpeg's name of the encoder and its options.
    """

    def __init__(
        self, path: Path, *, container: str, codec: str, options: dict[str, str], size: tuple[int, int], fps: Fraction
    ) -> None:
        import av

        if container not in _FORMATS:
            raise ValueError(f"no container known for {container!r}; known: {', '.join(_FORMATS)}")
        self._file: Any = av.open(str(path), "w", format=_FORMATS[container])
        stream: Any = self._file.add_stream(codec, rate=fps)
        self._format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.width, stream.height = size
        stream.pix_fmt = self._format
        stream.options = options
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = 1 / fps
        self._stream, self._size = stream, size
        self._frame_type = av.VideoFrame
        self._time_base = 1 / fps

    def write(self, planes: Bytes, tick: int) -> None:
        """Encode one frame, (H * 3 / 2, W) as yuv420p lies in memory, shown at ``tick`` / fps."""
        frame: Any = self._frame_type(*self._size, self._format)
        height = self._size[1]
        halves = planes[height:].reshape(2, height // 2, -1)
        # A fifth of the time of from_ndarray, which goes row by row.
        for plane, part in zip(frame.planes, (planes[:height], *halves), strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            rows[: part.shape[0], : part.shape[1]] = part
        frame.pts = tick
        frame.time_base = self._time_base
        for packet in self._stream.encode(frame):
            self._file.mux(packet)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for packet in self._stream.encode():
                self._file.mux(packet)
        self._file.close()
