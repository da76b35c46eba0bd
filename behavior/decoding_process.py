"""Decode a recording in a process of its own while the caller works on the frames before.

A thread would not do: between decoder and tracker Python's lock changes hands at every call, which costs more than it
brings. Pictures are handed over in memory that both processes see.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Luma = npt.NDArray[np.uint8]

__all__ = ["DecodingProcess", "Reading"]

#: Pictures held for the caller: so many bytes at most, for some machines have little memory to share.
_HELD, _SLOTS = 24_000_000, 64
#: Pictures told at a time: telling costs some hundredths of a millisecond.
_TOLD = 4
#: Number and time of a frame; a negative number says how the file ended.
_FRAME = struct.Struct("<qd")
_END, _FAILED = -1, -2
#: Files in this folder, where there is one, are memory.
_MEMORY = "/dev/shm"


class Reading(NamedTuple):
    """What is to be decoded: file, size of its pictures in px, part of it in s, whether with deblocking."""

    file: str
    height: int
    width: int
    start_s: float | None
    end_s: float | None
    deblock: bool


class DecodingProcess:
    """Frames of a recording from a process that decodes ahead; begins at once.

    Attributes
    ----------
    damage, mended
        As :class:`behavior.video.Video` states them, once all frames were given.
    failed
        Whether the process came to no proper end: it is then not known whether there are more frames.

    Parameters
    ----------
    reading
        What is to be decoded.

    Raises
    ------
    OSError
        If this machine starts no process or has no memory to share.
    """

    def __init__(self, reading: Reading) -> None:
        self.damage: str | None = None
        self.mended = 0
        self.failed = False
        size = reading.height * reading.width
        slots = max(2 * _TOLD, min(_SLOTS, _HELD // size))
        memory, name = _shared(slots * size)
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "behavior.decoding_process", name, str(slots), json.dumps(reading)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
            )
        except OSError:
            Path(name).unlink()
            raise
        self._pictures = _as_pictures(memory, reading)
        self._told, self._free = process.stdout, process.stdin
        # Also where no frame is ever asked for.
        self._close = weakref.finalize(self, _end, process, name)

    def frames(self) -> Iterator[tuple[int, float, Luma]]:
        """Number, time in s and luma of each frame; the luma is valid until the next is asked for."""
        assert self._told is not None
        assert self._free is not None
        given = 0
        try:
            while records := _read_records(self._told):
                for number, time_s in records:
                    if number < 0:
                        self._ended(number, self._told)
                        return
                    yield number, time_s, self._pictures[given % len(self._pictures)]
                    given += 1
                # A process that is done has told so, and no longer asks.
                with suppress(BrokenPipeError):
                    self._free.write(bytes(len(records)))
                    self._free.flush()
            self.failed = True
        finally:
            self._close()

    def _ended(self, number: int, told: IO[bytes]) -> None:
        self.failed = number == _FAILED
        if not self.failed:
            self.damage, self.mended = json.loads(told.readline())


def _shared(size: int) -> tuple[mmap.mmap, str]:
    """Memory that another process can open by the name of its file."""
    handle, name = tempfile.mkstemp(prefix="stressaxis-", dir=_MEMORY if Path(_MEMORY).is_dir() else None)
    try:
        # Taken now: a process that writes where there is no room is killed.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
        else:
            os.truncate(handle, size)
        return mmap.mmap(handle, size), name
    except OSError:
        Path(name).unlink()
        raise
    finally:
        os.close(handle)


def _end(process: subprocess.Popen[bytes], name: str) -> None:
    """End the process, as it does by itself when its pipes do; one that hangs is not waited for."""
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(OSError):
        Path(name).unlink()


def _read_records(told: IO[bytes]) -> list[tuple[int, float]]:
    """The frames told together; empty where the other process is gone."""
    count = told.read(1)
    content = told.read(_FRAME.size * count[0]) if count else b""
    return list(_FRAME.iter_unpack(content)) if count and len(content) == _FRAME.size * count[0] else []


def _as_pictures(memory: mmap.mmap, reading: Reading) -> Luma:
    return np.frombuffer(memory, np.uint8).reshape(-1, reading.height, reading.width)


def _decode(pictures: Luma, reading: Reading, free: IO[bytes], told: IO[bytes]) -> None:
    """Work of the process: frames into the slots, in turn, as these become free."""
    from behavior.video import open_video

    video = open_video(reading.file, threads=1)
    waiting: list[bytes] = []
    left, done = len(pictures), 0
    for frame in video.frames(start_s=reading.start_s, end_s=reading.end_s, deblock=reading.deblock):
        if left == 0:
            left = len(os.read(free.fileno(), len(pictures)))
            if left == 0:
                return
        pictures[done % len(pictures)] = frame.luma
        waiting.append(_FRAME.pack(frame.index, frame.time_s))
        left, done = left - 1, done + 1
        if len(waiting) == _TOLD:
            _tell(told, waiting)
    _tell(told, [*waiting, _FRAME.pack(_END, 0.0)])
    told.write(json.dumps([video.damage, video.mended]).encode() + b"\n")


def _tell(told: IO[bytes], records: list[bytes]) -> None:
    told.write(bytes([len(records)]) + b"".join(records))
    told.flush()
    records.clear()


def main(arguments: list[str]) -> None:
    """Entry of the process: name of the shared memory, number of pictures in it, and the :class:`Reading` as JSON."""
    name, slots, asked = arguments
    reading, told = Reading(*json.loads(asked)), sys.stdout.buffer
    with open(name, "r+b") as file:
        memory = mmap.mmap(file.fileno(), int(slots) * reading.height * reading.width)
    with suppress(OSError):
        # It goes with the processes that use it, however they end.
        Path(name).unlink()
    with suppress(BrokenPipeError):
        try:
            _decode(_as_pictures(memory, reading), reading, sys.stdin.buffer, told)
        except Exception:
            # The caller reads on by itself, and meets the same error with all that belongs to it.
            _tell(told, [_FRAME.pack(_FAILED, 0.0)])
        told.flush()
    # A caller that went away would make the end noisy.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
