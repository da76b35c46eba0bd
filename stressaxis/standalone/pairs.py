"""Options given as NAME=VALUE."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from core.errors import InputError

__all__ = ["parse_limits", "parse_pairs"]


def parse_pairs(pairs: Sequence[str], *, option: str) -> dict[str, str]:
    """``["x=cx", "time=t [ms]"]`` as a mapping.

    Raises
    ------
    InputError
        If one is not NAME=VALUE.

    Examples
    --------
    >>> parse_pairs(["x=cx", "time=t [ms]"], option="--column")
    {'x': 'cx', 'time': 't [ms]'}
    """
    found = {}
    for pair in pairs:
        name, mark, value = pair.partition("=")
        if not (mark and name.strip() and value.strip()):
            raise InputError(f"{option} must be NAME=VALUE", found=pair)
        found[name.strip()] = value.strip()
    return found


def parse_limits(pairs: Mapping[str, str]) -> dict[str, float]:
    """``{"Il4": "1.5"}`` as numbers.

    Raises
    ------
    InputError
        If a limit is no finite number.

    Examples
    --------
    >>> parse_limits({"Il4": "1.5"})
    {'Il4': 1.5}
    """
    found = {}
    for name, text in pairs.items():
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = math.nan
        if not math.isfinite(found[name]):
            raise InputError("--lod must be PROTEIN=NUMBER", found=f"{name}={text}")
    return found
