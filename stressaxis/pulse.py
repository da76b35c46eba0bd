"""What workers say while they work: how far the task that they are at has come."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

__all__ = ["begin", "heard", "speak_through", "tell"]

_mouth: Connection | None = None
_key = ""


def speak_through(mouth: Connection) -> None:
    """In a worker: where to say it."""
    global _mouth
    # All workers share one pipe without a lock, which a killed worker would hold for ever: so short a message goes in
    # whole or, if nobody has listened for long, not at all.
    if sys.platform != "win32":
        os.set_blocking(mouth.fileno(), False)
    _mouth = mouth


def begin(key: str) -> None:
    """A task has been taken up."""
    global _key
    _key = key
    tell(0)


def tell(done: int) -> None:
    """So many of its frames are done. Does nothing where nobody listens: on a cluster, in a notebook."""
    if _mouth is not None:
        with suppress(OSError, ValueError):
            _mouth.send_bytes(f"{_key} {done}".encode())


def heard(ears: Connection) -> dict[str, int]:
    """What was said since the last time: key of the result to frames done.

    Examples
    --------
    >>> import multiprocessing
    >>> ears, mouth = multiprocessing.Pipe(duplex=False)
    >>> mouth.send_bytes(b"ab12 100")
    >>> mouth.send_bytes(b"ab12 200")
    >>> heard(ears)
    {'ab12': 200}
    """
    said: dict[str, int] = {}
    with suppress(OSError, EOFError):
        while ears.poll():
            key, done = ears.recv_bytes().decode().split(" ")
            said[key] = int(done)
    return said
