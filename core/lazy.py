"""Package fronts that import a module only when one of its names is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["lazy_front"]


def lazy_front(
    package: str, names: Mapping[str, tuple[str, ...]], *, made: Mapping[str, Callable[[], Any]] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` for a package's ``__init__``.

    Parameters
    ----------
    package
        The package's ``__name__``.
    names
        Sub-module to the public names that it gives.
    made
        Name to what makes its value, once, when it is first asked for (a table of readers).

    Examples
    --------
    >>> get, _, public = lazy_front("core", {"labels": ("file_stem",)}, made={"READERS": lambda: ["olink"]})
    >>> get("file_stem")("m 1"), public
    ('m%201', ['READERS', 'file_stem'])
    >>> get("READERS") is get("READERS")
    True
    """
    home = {name: module for module, given in names.items() for name in given}
    makers = dict(made or {})
    kept: dict[str, Any] = {}
    public = sorted([*home, *makers])

    def get(name: str) -> Any:
        if name in makers:
            if name not in kept:
                kept[name] = makers[name]()
            return kept[name]
        if name in home:
            return getattr(importlib.import_module(f"{package}.{home[name]}"), name)
        if name in names:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def listing() -> list[str]:
        return public

    return get, listing, public
