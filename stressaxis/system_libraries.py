"""The system libraries that opencv-python links and pip cannot bring."""

from __future__ import annotations

from core.errors import InputError

__all__ = ["check_system_libraries"]

#: Shared library to the Debian and Ubuntu package that holds it.
_PACKAGES = {"libGL.so.1": "libgl1", "libglib-2.0": "libglib2.0-0", "libgthread": "libglib2.0-0", "libxcb": "libxcb1"}


def check_system_libraries() -> None:
    """Fail early, with the line for an administrator, where OpenCV cannot be loaded.

    Raises
    ------
    InputError
        If importing OpenCV fails for want of a system library.
    """
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        if not any(library in str(error) for library in _PACKAGES):
            raise
        packages = " ".join(dict.fromkeys(_PACKAGES.values()))
        raise InputError(
            f"OpenCV cannot be loaded ({error})",
            remedy=f"run: sudo apt-get update && sudo apt-get install -y --no-install-recommends {packages}",
        ) from None
