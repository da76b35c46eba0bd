"""Where tasks run: a pool of spawned processes on this machine, or a Dask cluster."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor

from core.errors import InputError

__all__ = ["cluster_pool", "default_workers", "process_pool"]

#: One thread per worker for the numerical libraries: the pool is what uses the cores.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}


def default_workers() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def process_pool(workers: int) -> Executor:
    """A pool of spawned processes that end with this one, however this one ends."""
    # Spawned children read these when they import NumPy and OpenCV.
    os.environ.update(_ONE_THREAD)
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)


def _prepare_worker() -> None:
    # Ctrl-C is for the scheduler, which then stops the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """A worker whose scheduler was killed would wait for work for ever."""
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def cluster_pool(address: str) -> Executor:
    """The executor of a running Dask scheduler (``tcp://host:port``).

    Raises
    ------
    InputError
        If the extra ``cluster`` is not installed or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "a cluster address needs the extra 'cluster'", found=address, remedy="pip install 'stressaxis[cluster]'"
        ) from None
    try:
        client = Client(address, timeout="20s")
    except OSError as error:
        raise InputError("the cluster's scheduler does not answer", found=f"{address} ({error})") from None
    executor: Executor = client.get_executor()
    return executor
