"""Where a result comes from: versions, machine, inputs and their fingerprints."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from functools import cache
from typing import Any

__all__ = ["LIBRARIES", "machine", "versions"]

#: Libraries whose versions can change a number.
LIBRARIES = (
    "av",
    "h5netcdf",
    "h5py",
    "numpy",
    "opencv-python",
    "pandas",
    "pingouin",
    "pyarrow",
    "scikit-image",
    "scipy",
    "statsmodels",
    "xarray",
)


@cache
def versions() -> dict[str, str]:
    """Versions of Python, stressaxis and the libraries that results rest on.

    Examples
    --------
    >>> sorted(versions())[:2]
    ['av', 'h5netcdf']
    """
    from stressaxis import __version__

    found = {"python": platform.python_version(), "stressaxis": __version__}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            found[library] = "not installed as a package"
    return found


def machine() -> dict[str, Any]:
    """The kind of machine, without its name or its user's."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }
