"""The batch engine: its overhead, the memory of the process that plans, and how soon a second run sees nothing to do.

    python benchmarks/engine.py overhead --recordings 1000 --workers 2
    python benchmarks/engine.py memory --tasks 100 20000
    python benchmarks/engine.py second --recordings 1000

`overhead` runs the engine on tasks that decode nothing but last as long as `--task-ms` says and write a result of
`--kilobytes`, for as many tasks as a run of so many recordings has (open, track, score). Wall time minus the tasks' own
time divided by the workers is the engine's. `second` makes the folder of results that such a run leaves, and times a
run that reuses all of it, fingerprints of the recordings included.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stressaxis.engine import Outcome, Task, run_tasks
from stressaxis.executors import Workers
from stressaxis.fingerprint import FingerprintMemory
from stressaxis.inputs import fingerprint_files
from stressaxis.ledger import Ledger
from stressaxis.store import Store

HERE = "benchmarks.engine"


def work(output: Path, *, needs: dict[str, Path | None], number: int, task_ms: float, kilobytes: int) -> None:
    """A task that keeps a core busy for a time, reads what it needs and writes a result."""
    started = time.perf_counter()
    for place in needs.values():
        if place is not None:
            (place / "result.bin").read_bytes()
    (output / "result.bin").write_bytes(number.to_bytes(4, "little") * (kilobytes * 256))
    while (time.perf_counter() - started) * 1000 < task_ms:
        pass


def pipeline(recordings: int, *, task_ms: float, kilobytes: int) -> list[Task]:
    """Tasks of a run: open and track each recording, score each pair, bring all together."""
    tasks = []
    for number in range(recordings):
        size = {"kilobytes": kilobytes}
        options = {"number": number, "task_ms": task_ms, **size}
        tasks.append(_task(f"open {number}", options | {"task_ms": 0.0, "kilobytes": 1}, inputs=(f"f{number}",)))
        tasks.append(_task(f"track {number}", options, inputs=(f"f{number}",)))
        if number % 2:
            needs = (f"track {number - 1}", f"track {number}")
            tasks.append(_task(f"score {number}", options | {"task_ms": task_ms / 20}, needs=needs))
    scores = tuple(task.id for task in tasks if task.id.startswith("score"))
    return [*tasks, _task("animals", {"number": 0, "task_ms": 0.0, "kilobytes": 1}, needs=scores)]


def _task(name: str, options: dict[str, Any], **rest: Any) -> Task:
    return Task(id=name, function=f"{HERE}:work", options=options, file=name, **rest)


def measure_overhead(recordings: int, workers: int, task_ms: float, kilobytes: int) -> None:
    tasks = pipeline(recordings, task_ms=task_ms, kilobytes=kilobytes)
    with tempfile.TemporaryDirectory() as folder, Workers(workers) as pool:
        _warm(pool, workers)
        ended: list[Outcome] = []
        ledger = Ledger(Path(folder) / "tasks.json")
        started = time.perf_counter()
        run_tasks(tasks, store=Store(Path(folder) / "store"), workers=pool, on_end=ended.append, ledger=ledger)
        ledger.save()
        wall_s = time.perf_counter() - started
    own_s = sum(outcome.seconds for outcome in ended) / workers
    share = (wall_s - own_s) / wall_s
    print(f"{recordings} recordings, {len(tasks)} tasks of {task_ms:g} ms, {workers} workers: wall {wall_s:.2f} s, ")
    print(f"tasks' own {own_s:.2f} s a worker, engine {wall_s - own_s:.2f} s = {share:.1%} of wall time")
    per_task_ms = (wall_s - own_s) * 1000 * workers / len(tasks)
    print(f"{per_task_ms:.2f} ms a task of one worker's time")


def _warm(pool: Workers, workers: int) -> None:
    """Start every process: that of the pool, and its imports, are paid once, whatever the number of recordings."""
    waiting = [pool.submit(_import_all) for _ in range(workers)]
    for future in waiting:
        future.result()


def _import_all() -> None:
    import stressaxis.engine  # noqa: F401

    time.sleep(1.0)


def measure_memory(counts: list[int]) -> None:
    """Each count in a process of its own."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    for count in counts:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            before_mb, after_mb = pool.submit(_grown, count).result()
        print(f"{count} tasks: {after_mb - before_mb:.0f} MB more than before planning ({before_mb:.0f} MB)")


def _grown(count: int) -> tuple[float, float]:
    import pandas  # noqa: F401 - a run has loaded it before it plans

    gc.collect()
    before = _peak_mb()
    tasks = pipeline(int(count / 2.5), task_ms=0.0, kilobytes=1)
    with tempfile.TemporaryDirectory() as folder, Workers(2) as pool:
        ledger = Ledger(Path(folder) / "tasks.json")
        run_tasks(tasks, store=Store(Path(folder) / "store"), workers=pool, ledger=ledger)
        ledger.save()
    return before, _peak_mb()


def _peak_mb() -> float:
    import resource

    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 1024 / (1024 if sys.platform == "darwin" else 1)


def measure_second(recordings: int, kilobytes: int) -> None:
    tasks = pipeline(recordings, task_ms=0.0, kilobytes=kilobytes)
    with tempfile.TemporaryDirectory() as folder, Workers(2) as pool:
        base = Path(folder)
        files = {f"{number}.mp4": base / f"{number}.mp4" for number in range(recordings)}
        for number, path in enumerate(files.values()):
            path.write_bytes(number.to_bytes(4, "little") * 1000)

        def once() -> dict[str, Outcome]:
            memory = FingerprintMemory(base / "fingerprints.json")
            fingerprint_files(files, memory=memory, workers=pool)
            memory.save()
            ledger = Ledger(base / "tasks.json")
            outcomes = run_tasks(tasks, store=Store(base / "store"), workers=pool, ledger=ledger)
            ledger.save()
            return outcomes

        _timed("first", once)
        outcomes = _timed("second", once)
        states = {outcome.state for outcome in outcomes.values()}
        print(f"{recordings} recordings, {len(tasks)} tasks, {kilobytes} kB each; second run: {states}")


def _timed(what: str, call: Callable[[], dict[str, Outcome]]) -> dict[str, Outcome]:
    started = time.perf_counter()
    outcomes = call()
    print(f"{what} run: {time.perf_counter() - started:.2f} s")
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("overhead", "memory", "second"))
    parser.add_argument("--recordings", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--task-ms", type=float, default=3000.0, help="as long as tracking a minute takes")
    parser.add_argument("--kilobytes", type=int, default=200, help="size of a track")
    parser.add_argument("--tasks", type=int, nargs="+", default=[100, 20000])
    asked = parser.parse_args()
    if asked.what == "overhead":
        measure_overhead(asked.recordings, asked.workers, asked.task_ms, asked.kilobytes)
    elif asked.what == "memory":
        measure_memory(asked.tasks)
    else:
        measure_second(asked.recordings, asked.kilobytes)


if __name__ == "__main__":
    main()
