"""Small tasks for the tests of the engine, importable in worker processes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from core.errors import InputError
from stressaxis import pulse


def write_value(output: Path, *, needs: dict[str, Path | None], value: int) -> None:
    (output / "value.txt").write_text(str(value))


def add_values(output: Path, *, needs: dict[str, Path | None]) -> None:
    total = sum(int((place / "value.txt").read_text()) for place in needs.values() if place)
    (output / "value.txt").write_text(str(total))


def refuse(output: Path, *, needs: dict[str, Path | None]) -> None:
    raise InputError("broken", file="a.mp4", where="frame 3")


def write_then_break(output: Path, *, needs: dict[str, Path | None]) -> None:
    (output / "value.txt").write_text("half")
    raise RuntimeError("no")


def die(output: Path, *, needs: dict[str, Path | None]) -> None:
    os._exit(9)


def count_call(output: Path, *, needs: dict[str, Path | None], calls: str, error: int, times: int) -> None:
    """Fails with a system error so many times, then works."""
    with open(calls, "a") as stream:
        stream.write("x")
    if len(Path(calls).read_text()) <= times:
        raise OSError(error, os.strerror(error))
    (output / "value.txt").write_text("1")


def lose_folder(output: Path, *, needs: dict[str, Path | None], calls: str) -> None:
    """Stands for a second run that sweeps the folder a task is writing to."""
    first = not Path(calls).exists()
    with open(calls, "a") as stream:
        stream.write("x")
    if first:
        output.rmdir()
    (output / "value.txt").write_text("1")


def want_memory(output: Path, *, needs: dict[str, Path | None], calls: str) -> None:
    with open(calls, "a") as stream:
        stream.write("x")
    raise MemoryError("Unable to allocate 900 GiB")


def change_input(output: Path, *, needs: dict[str, Path | None], path: str, how: str) -> None:
    """Stands for another program that records into the file, or takes it away, while a task reads it."""
    if how == "grow":
        with open(path, "ab") as stream:
            stream.write(b"more")
    else:
        Path(path).unlink()
    if how == "vanish and fail":
        raise InputError("no frames", file=path)
    (output / "value.txt").write_text("1")


def write_megabyte(output: Path, *, needs: dict[str, Path | None], number: int) -> None:
    (output / "value.bin").write_bytes(bytes([number]) * 1_000_000)


def take_memory(output: Path, *, needs: dict[str, Path | None], megabytes: int) -> None:
    """Asks for memory that is never touched: without a limit it costs nothing."""
    held = bytearray(megabytes << 20)
    (output / "value.txt").write_text(str(len(held)))


def tell_frames(output: Path, *, needs: dict[str, Path | None], until: str) -> None:
    """Tells how far it is, and goes on when it has been heard."""
    for frames in (100, 200):
        pulse.tell(frames)
    started = time.monotonic()
    while not Path(until).exists() and time.monotonic() - started < 60:
        time.sleep(0.01)
    (output / "value.txt").write_text("1")


def is_loaded(module: str) -> bool:
    return module in sys.modules
