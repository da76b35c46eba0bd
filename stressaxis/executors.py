"""Where tasks run: a pool of spawned processes on this machine, or a Dask cluster."""

from __future__ import annotations

import atexit
import gc
import importlib
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

from core.cores import usable_cores
from core.errors import InputError
from stressaxis.memory import machine_memory
from stressaxis.pulse import heard, speak_through

__all__ = ["Workers", "cluster_workers", "process_pool", "slurm_workers"]

T = TypeVar("T")

#: Least memory of a worker, in bytes: with less the libraries themselves do not load.
_LEAST_MEMORY = 1 << 30

#: One thread per worker for the numerical libraries: the pool is what uses the cores.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}


class Workers:
    """The workers of a run: an executor made when first needed, and again after one has broken.

    Parameters
    ----------
    count
        How many tasks are worked on at once.
    make
        Makes the executor; without it a pool of ``count`` processes on this machine.
    close
        Called at the end: lets go of a cluster.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with Workers(1, make=lambda: ThreadPoolExecutor(1)) as workers:
    ...     workers.submit(len, "abc").result()
    3
    """

    def __init__(
        self,
        count: int | None = None,
        *,
        make: Callable[[], Executor] | None = None,
        close: Callable[[], object] = lambda: None,
    ) -> None:
        #: Whether the workers may be on other machines, which know no working folder of this process.
        self.remote = False
        self._close = close
        self.count = usable_cores() if count is None else count
        self._make = make or self._local
        self._executor: Executor | None = None
        self._alive: Connection | None = None
        self._ears: Connection | None = None
        #: Bytes that the workers together may take; None: not limited (a cluster limits its own).
        self.memory_bytes = machine_memory() if make is None else None

    def _local(self) -> Executor:
        executor, self._alive, self._ears = process_pool(self.count)
        return executor

    def memory_for(self, *, alone: bool) -> int | None:
        """Bytes that a task may take: its share, or all if it is the only one at work."""
        if self.memory_bytes is None:
            return None
        return max(_LEAST_MEMORY, self.memory_bytes if alone else self.memory_bytes // self.count)

    @property
    def listens(self) -> bool:
        """Whether workers can be heard while they work."""
        return self._ears is not None

    def heard(self) -> dict[str, int]:
        """Key of each result that a worker spoke of since the last time to frames done."""
        return {} if self._ears is None else heard(self._ears)

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Give a call to a worker."""
        if self._executor is None:
            self._executor = self._make()
        return self._executor.submit(function, *arguments)

    def prepare(self, modules: Sequence[str]) -> None:
        """Have a worker that waits load modules; one that cannot be loaded is told by the task that needs it."""
        with suppress(BrokenProcessPool):
            self.submit(_load, tuple(modules))

    def discard(self) -> None:
        """Let go of an executor that has broken; the next call makes a new one."""
        if self._executor is not None:
            self._shut(self._executor, wait=False)
        self._let_die()
        self._executor = None

    def _shut(self, executor: Executor, *, wait: bool) -> None:
        if self.remote:
            # Dask's executor cancels what is left when it does not wait, and knows no other argument.
            executor.shutdown(wait=False)
        else:
            executor.shutdown(wait=wait, cancel_futures=True)

    def _let_die(self) -> None:
        """End the processes of a pool at once, whatever they are at."""
        for connection in (self._alive, self._ears):
            if connection is not None:
                connection.close()
        self._alive = self._ears = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: object, *args: object) -> None:
        if kind is not None:
            # Interrupted, or nothing can go on: no one waits for what is half done.
            self._let_die()
        if self._executor is not None:
            self._shut(self._executor, wait=True)
        self._let_die()
        self._executor = None
        self._close()


def _load(modules: tuple[str, ...]) -> None:
    for name in modules:
        with suppress(ImportError):
            importlib.import_module(name)


def process_pool(workers: int) -> tuple[Executor, Connection, Connection]:
    """A pool of spawned processes that end with this one, however this one ends.

    Returns
    -------
    executor, alive, ears
        The pool, a connection that ends its processes at once when it is closed, and one to hear them through.
    """
    # Spawned children read these when they import NumPy and OpenCV.
    os.environ.update(_ONE_THREAD)
    context = multiprocessing.get_context("spawn")
    watched, alive = context.Pipe(duplex=False)
    ears, mouth = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker, initargs=(watched, mouth))
    return pool, alive, ears


def _prepare_worker(alive: Connection, mouth: Connection) -> None:
    speak_through(mouth)
    # The scheduler waits for its workers to end; looking for cycles before that is of no use to anyone.
    atexit.register(gc.freeze)
    # Ctrl-C is for the scheduler, which then stops the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel, alive), daemon=True).start()


def _end_with(*signs: Any) -> None:
    """A worker whose scheduler was killed would wait for work for ever."""
    multiprocessing.connection.wait(signs)
    os._exit(1)


def cluster_workers(address: str) -> Workers:
    """The workers of a running Dask scheduler (``tcp://host:port``).

    Raises
    ------
    InputError
        If the extra ``cluster`` is not installed, or the scheduler does not answer or has no workers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise _no_cluster(address) from None
    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        raise InputError("the cluster's scheduler does not answer", found=f"{address} ({error})") from None
    return _client_workers(client, address, wait_s=60)


def slurm_workers(engine: SlurmJobs, *, logs: str | os.PathLike[str] = ".") -> Workers:
    """Workers in jobs of a SLURM cluster, which end with the run.

    Parameters
    ----------
    engine
        Queue, number and size of the jobs.
    logs
        Folder for what the jobs print.

    Raises
    ------
    InputError
        If the extra ``cluster`` or SLURM's own commands are missing, or no job starts within an hour.
    """
    try:
        from dask_jobqueue import SLURMCluster
        from distributed import Client
    except ImportError:
        raise _no_cluster("engine: slurm") from None
    if shutil.which("sbatch") is None:
        raise InputError(
            "SLURM's command sbatch is not here", remedy="run on a machine that submits jobs, or use engine: local"
        )
    cluster = SLURMCluster(
        queue=engine.queue,
        account=engine.account,
        cores=1,
        processes=1,
        memory=engine.memory,
        walltime=engine.walltime,
        # The line that tells SLURM knows no blanks; without it the files lie where the run was started.
        log_directory=None if any(letter.isspace() for letter in os.fspath(logs)) else os.fspath(logs),
        job_script_prologue=[*engine.environment, *(f"export {name}={value}" for name, value in _ONE_THREAD.items())],
    )
    cluster.scale(jobs=engine.jobs)
    workers = _client_workers(Client(cluster), "SLURM", wait_s=3600, also=cluster.close)
    workers.count = engine.jobs
    return workers


class SlurmJobs(Protocol):
    """What is to be known of the jobs; :class:`configs.schema.Engine` says it."""

    @property
    def queue(self) -> str | None: ...
    @property
    def account(self) -> str | None: ...
    @property
    def jobs(self) -> int: ...
    @property
    def walltime(self) -> str: ...
    @property
    def memory(self) -> str: ...
    @property
    def environment(self) -> tuple[str, ...]: ...


def _client_workers(client: Any, name: str, *, wait_s: int, also: Callable[[], object] = lambda: None) -> Workers:
    def close() -> None:
        client.close()
        also()

    try:
        client.wait_for_workers(1, timeout=wait_s)
    except TimeoutError:
        close()
        raise InputError(f"the cluster gave no worker within {wait_s} s", found=name) from None
    workers = Workers(sum(client.ncores().values()), make=client.get_executor, close=close)
    workers.remote = True
    return workers


def _no_cluster(asked: str) -> InputError:
    return InputError("a cluster needs the extra 'cluster'", found=asked, remedy="pip install 'stressaxis[cluster]'")
