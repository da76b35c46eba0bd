"""stressaxis: from recordings and serum tables of chronic social defeat stress to one checked statement.

``import stressaxis as sx`` gives the science packages lazily: ``sx.behavior``, ``sx.proteomics``, ``sx.integration``.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["__version__", "behavior", "configs", "core", "integration", "proteomics"]

__version__ = "0.1.0"

_PACKAGES = ("behavior", "configs", "core", "integration", "proteomics")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
