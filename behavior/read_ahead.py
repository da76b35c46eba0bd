"""Work on pictures while the next ones are decoded."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from typing import TypeVar

__all__ = ["read_ahead"]

Item = TypeVar("Item")


def read_ahead(items: Iterator[Item], *, batch: int) -> Iterator[Item]:
    """The same items in the same order, taken from the iterator in a thread of its own.

    At most four batches are held at a time. An error of the iterator is raised here, after the items before it; an
    end of the caller's interest ends the thread.

    Parameters
    ----------
    items
        Iterator that spends its time outside Python, as decoding does.
    batch
        Items handed over at a time: a hand-over costs some hundredths of a millisecond.

    Examples
    --------
    >>> list(read_ahead(iter(range(5)), batch=2))
    [0, 1, 2, 3, 4]
    """
    ready: queue.Queue[tuple[list[Item], bool, BaseException | None]] = queue.Queue(2)
    stop = threading.Event()

    def fill() -> None:
        taken: list[Item] = []
        error: BaseException | None = None
        try:
            for item in items:
                taken.append(item)
                if len(taken) == batch:
                    ready.put((taken, False, None))
                    taken = []
                if stop.is_set():
                    break
        except BaseException as raised:  # Whatever it is, the caller's thread raises it.
            error = raised
        finally:
            # Files are closed by the thread that read them.
            close = getattr(items, "close", None)
            if close is not None:
                close()
        ready.put((taken, True, error))

    thread = threading.Thread(target=fill, name="read-ahead", daemon=True)
    thread.start()
    last = False
    try:
        while not last:
            taken, last, error = ready.get()
            yield from taken
            if error is not None:
                raise error
    finally:
        stop.set()
        # An error that ends Python leaves this to its last moments, when no other thread goes on.
        while not (last or sys.is_finalizing()):
            last = ready.get()[1]
        if last:
            thread.join()
