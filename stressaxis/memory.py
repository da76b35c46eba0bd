"""How much memory a worker may take: one task that wants too much fails, and the machine goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["limited_memory", "machine_memory"]

#: Where Linux says how much a container may take.
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

#: What is left to the system and to the process that plans.
_SHARE = 0.9


def machine_memory() -> int | None:
    """Bytes that all workers together may take; None where the system does not say.

    Examples
    --------
    >>> found = machine_memory()
    >>> found is None or found > 10**8
    True
    """
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for file in _CONTAINER:
        try:
            limits.append(int(Path(file).read_text()))
        except (OSError, ValueError):
            continue
    return int(min(limits) * _SHARE)


@contextmanager
def limited_memory(limit_bytes: int | None) -> Iterator[None]:
    """Within the block an allocation beyond the limit is a MemoryError, on Linux; elsewhere nothing is limited.

    Parameters
    ----------
    limit_bytes
        For all data of this process; None: no limit.
    """
    if limit_bytes is None or sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
