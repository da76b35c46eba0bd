"""Gene sets in GMT: name, description, members, separated by tabs."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError
from core.labels import duplicated
from core.texttables import read_text

__all__ = ["read_gmt"]


def read_gmt(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Sets by name, members in the order of the file, each once.

    Raises
    ------
    InputError
        If a line has fewer than three cells or a set's name stands twice.
    """
    sets: dict[str, tuple[str, ...]] = {}
    names = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        members = tuple(dict.fromkeys(cell for cell in cells[2:] if cell))
        if not cells[0] or not members:
            raise InputError("a set needs name, description and at least one member, separated by tabs", file=path,
                             where=f"line {number}", found=f"{len(cells)} cells")  # fmt: skip
        names.append(cells[0])
        sets[cells[0]] = members
    if twice := duplicated(names):
        raise InputError("a set's name stands twice", file=path, found=", ".join(twice[:5]))
    if not sets:
        raise InputError("the file holds no set", file=path)
    return sets
