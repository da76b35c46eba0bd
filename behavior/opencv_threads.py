"""OpenCV on one thread: for pictures as small as a mouse, sharing the work out costs more than the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_opencv_thread"]


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Let OpenCV use one thread inside the block, and as many as before after it.

    Examples
    --------
    >>> import cv2
    >>> with one_opencv_thread():
    ...     cv2.getNumThreads()
    1
    """
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
