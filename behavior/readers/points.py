"""Names of body points: each program's own brought to ``centre``, ``nose``, ``tail_base``; others stay as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from behavior.tracks import KEYPOINTS
from core.errors import InputError

__all__ = ["arrange_points", "point_name", "split_prefixes"]

_KNOWN: dict[str, frozenset[str]] = {
    "centre": frozenset(
        {
            "center",
            "centre",
            "centerpoint",
            "centrepoint",
            "bodycenter",
            "bodycentre",
            "mousecenter",
            "mousecentre",
            "centerofmass",
            "centreofmass",
            "centroid",
            "body",
        }
    ),
    "nose": frozenset({"nose", "nosepoint", "snout", "nosetip"}),
    "tail_base": frozenset({"tailbase", "tail", "tailbasepoint", "baseoftail", "tailroot", "tailstart"}),
}


def point_name(name: str) -> str:
    """Our name of a point, or the name as it is.

    Examples
    --------
    >>> point_name("Tail_base"), point_name("bodycentre"), point_name("Left_ear")
    ('tail_base', 'centre', 'Left_ear')
    """
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((ours for ours, names in _KNOWN.items() if plain in names), name)


def arrange_points(
    names: Sequence[str], points: Mapping[str, str | Sequence[str]] | None, *, file: str
) -> list[tuple[str, list[int]]]:
    """Which of the file's points make which of ours: name and places, ``centre, nose, tail_base`` first.

    Parameters
    ----------
    names
        The file's names.
    points
        Ours by the file's: ``{"centre": "spine2"}``, or ``{"centre": ["Spine_1", "Spine_2"]}`` for their mean.
    file
        For the message.

    Raises
    ------
    InputError
        If a name asked for is not in the file, or names occur twice.

    Examples
    --------
    >>> arrange_points(["Nose", "Center", "ear"], {"centre": ["Nose", "ear"]}, file="")
    [('centre', [0, 2]), ('nose', [0]), ('Center', [1]), ('ear', [2])]
    """
    names = list(names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError("a point occurs twice", file=file, found=", ".join(twice))
    chosen: dict[str, list[int]] = {}
    for ours, theirs in (points or {}).items():
        wanted = [theirs] if isinstance(theirs, str) else list(theirs)
        unknown = [name for name in wanted if name not in names]
        if unknown or not wanted:
            raise InputError(
                f"no point {', '.join(unknown) or 'given'} for {ours!r}",
                file=file,
                expected=f"one of {', '.join(names)}",
            )
        chosen[ours] = [names.index(name) for name in wanted]
    guessed = [point_name(name) for name in names]
    for ours in KEYPOINTS:
        if ours not in chosen and guessed.count(ours) == 1:
            chosen[ours] = [guessed.index(ours)]
    single = {places[0] for places in chosen.values() if len(places) == 1}
    rest = {name: [place] for place, name in enumerate(names) if place not in single and name not in chosen}
    first = [(name, chosen[name]) for name in KEYPOINTS if name in chosen]
    return first + [(name, at) for name, at in chosen.items() if name not in KEYPOINTS] + list(rest.items())


def split_prefixes(names: Sequence[str]) -> dict[str, list[int]] | None:
    """Animals told apart by a prefix of the point's name (``B_Nose``, ``W_Nose``); None if there are none.

    Every prefix must have the same set of points, at least two of them.

    Examples
    --------
    >>> split_prefixes(["B_Nose", "B_Tail_base", "W_Nose", "W_Tail_base"])
    {'B': [0, 1], 'W': [2, 3]}
    >>> split_prefixes(["Left_ear", "Right_ear", "Nose"]) is None
    True
    """
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        prefix, mark, _ = name.partition("_")
        if not mark:
            return None
        groups.setdefault(prefix, []).append(place)
    points = [sorted(names[place].partition("_")[2] for place in places) for places in groups.values()]
    sides = {"left", "right", "l", "r", "front", "back", "top", "bottom", "upper", "lower"}
    if len(groups) < 2 or len(points[0]) < 2 or any(found != points[0] for found in points):
        return None
    return None if sides & {prefix.lower() for prefix in groups} else groups
