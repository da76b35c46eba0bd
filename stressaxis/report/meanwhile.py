"""Parts of the report that another process makes while this one makes the rest."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, TypeVar

__all__ = ["Meanwhile"]

T = TypeVar("T")


class Meanwhile:
    """Calls that others work on; without others, each is made here when its result is asked for.

    Parameters
    ----------
    submit
        Gives a call to another process and returns its Future (:meth:`stressaxis.executors.Workers.submit`); None:
        there is no other.

    Attributes
    ----------
    spared_s
        By how much all processes together worked longer than this one did, its waiting left out.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(1) as others:
    ...     length = Meanwhile(others.submit).begin(len, "abc")
    ...     length()
    3
    >>> Meanwhile().begin(len, "abc")()
    3
    """

    def __init__(self, submit: Callable[..., Future[Any]] | None = None) -> None:
        self._submit = submit
        self.spared_s = 0.0

    def begin(self, function: Callable[..., T], *arguments: Any) -> Callable[[], T]:
        """Have a call made; what is returned gives its result, waiting for it if need be.

        Parameters
        ----------
        function, arguments
            A top-level function and what it is called with.
        """
        here = partial(function, *arguments)
        if self._submit is None:
            return here
        try:
            future = self._submit(_timed, function.__module__, function.__name__, *arguments)
        except BrokenProcessPool:
            return here

        def result() -> T:
            waited = time.monotonic()
            try:
                found, seconds = future.result()
            except BrokenProcessPool:
                # The other process was killed.
                return here()
            self.spared_s += seconds - (time.monotonic() - waited)
            made: T = found
            return made

        return result


def _timed(module: str, name: str, *arguments: Any) -> tuple[Any, float]:
    """Result of a function and the seconds that it took, loading its libraries included, as for a task."""
    started = time.monotonic()
    function = getattr(importlib.import_module(module), name)
    return function(*arguments), time.monotonic() - started
