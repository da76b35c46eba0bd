"""Small tasks for the tests of the engine, importable in worker processes."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import InputError


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
