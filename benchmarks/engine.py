"""The batch engine: what it adds to the tasks' own time, memory of the process that plans, a run with nothing to do.

    python benchmarks/engine.py --recordings 1000 --folder /tmp/archive --out docs/validation/engine.md

Parts, `--parts tasks memory archive scaling`. `tasks`: tasks of no length, so that all time is the engine's. `memory`:
the process that plans, after 100 and after 20,000 of them. `archive`: the whole program on recordings of a minute
(`--short`: of 4 s) remuxed from 50 renders, then once more with nothing changed; what was made and measured stays in
`--folder` and is not done again. `scaling`: what two workers gain over one, beside what two pure decodes gain; only on
a machine that does nothing else. Wall times tell nothing where other programs work on the same cores.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.archive import MINUTE, SMALL, Measured, make_archive, run_archive
from stressaxis.engine import Task, run_tasks
from stressaxis.executors import Workers
from stressaxis.ledger import Ledger
from stressaxis.store import Store
from tests.integration.calibration import commit, markdown

HERE = "benchmarks.engine"
WORKERS = 2
RENDERS = 50
#: So often is a run with nothing to do measured.
AGAIN = 6


def work(output: Path, *, needs: dict[str, Path | None], number: int, kilobytes: int) -> None:
    """A task that reads what it needs and writes a result."""
    for place in needs.values():
        if place is not None:
            (place / "result.bin").read_bytes()
    (output / "result.bin").write_bytes(number.to_bytes(4, "little") * (kilobytes * 256))


def pipeline(count: int, *, kilobytes: int) -> list[Task]:
    """About so many tasks, needing each other as those of a run do: open, track, score a pair, bring all together."""
    tasks = []
    for number in range(int(count / 2.5)):
        options = {"number": number, "kilobytes": kilobytes}
        tasks.append(_task(f"open {number}", {"number": number, "kilobytes": 1}, inputs=(f"f{number}",)))
        tasks.append(_task(f"track {number}", options, inputs=(f"f{number}",)))
        if number % 2:
            tasks.append(_task(f"score {number}", options, needs=(f"track {number - 1}", f"track {number}")))
    scores = tuple(task.id for task in tasks if task.id.startswith("score"))
    return [*tasks, _task("animals", {"number": 0, "kilobytes": 1}, needs=scores)]


def _task(name: str, options: dict[str, Any], **rest: Any) -> Task:
    return Task(id=name, function=f"{HERE}:work", options=options, file=name, **rest)


def measure_tasks(counts: list[int]) -> str:
    """Processor time of the engine for each task: in the process that plans, and around the task in the worker."""
    rows = []
    for count in counts:
        tasks = pipeline(count, kilobytes=200)
        with tempfile.TemporaryDirectory() as folder, Workers(WORKERS) as pool:
            for future in [pool.submit(_import_all) for _ in range(WORKERS)]:
                future.result()
            ledger, store = Ledger(Path(folder) / "tasks.json"), Store(Path(folder) / "store")
            took: list[tuple[float, float]] = []
            for _ in ("first", "again"):
                wall_s, cpu_s = time.perf_counter(), time.process_time()
                run_tasks(tasks, store=store, workers=pool, ledger=ledger)
                ledger.save()
                took.append((time.process_time() - cpu_s, time.perf_counter() - wall_s))
        (first_cpu_s, first_s), (again_cpu_s, again_s) = took
        each = 1000 / len(tasks)
        rows.append(
            (len(tasks), *(f"{each * value:.2f}" for value in (first_cpu_s, first_s * WORKERS, again_cpu_s, again_s)))
        )
    header = (
        "tasks",
        "planning process, processor ms a task",
        "all, wall ms of one worker a task",
        "found done, processor ms a task",
        "found done, wall ms a task",
    )
    return (
        "## Tasks of no length\n\nTasks that write 200 kB; the wall time is that of writing, checksums and waiting for "
        "the disk included.\n\n" + markdown(header, rows)
    )


def _import_all() -> None:
    import stressaxis.engine  # noqa: F401

    time.sleep(1.0)


def measure_memory(counts: list[int]) -> str:
    """Each count in a process of its own."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    rows = []
    for count in counts:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            before_mb, after_mb = pool.submit(_grown, count).result()
        rows.append((count, f"{before_mb:.0f}", f"{after_mb - before_mb:.0f}"))
    header = ("tasks", "before planning, MB", "more at its peak, MB")
    return "## Memory of the process that plans\n\nLimit: 200 MB more for 20,000 than for 100.\n\n" + markdown(
        header, rows
    )


def _grown(count: int) -> tuple[float, float]:
    import pandas  # noqa: F401 - a run has loaded it before it plans

    gc.collect()
    before = _peak_mb()
    tasks = pipeline(count, kilobytes=1)
    with tempfile.TemporaryDirectory() as folder, Workers(WORKERS) as pool:
        ledger = Ledger(Path(folder) / "tasks.json")
        run_tasks(tasks, store=Store(Path(folder) / "store"), workers=pool, ledger=ledger)
        ledger.save()
    return before, _peak_mb()


def _peak_mb() -> float:
    import resource

    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 1024 / (1024 if sys.platform == "darwin" else 1)


def measure_archive(folder: Path, recordings: int, size: Mapping[str, float]) -> str:
    """First run of the whole program, and runs with nothing to do."""
    config = folder / "experiment.yaml"
    if not config.is_file():
        make_archive(folder, recordings=recordings, renders=RENDERS, size=size)
    first = Measured(
        **_kept(folder / "first.json", lambda: asdict(run_archive(config, folder / "out", workers=WORKERS)))
    )
    again = [run_archive(config, folder / "out", workers=WORKERS) for _ in range(AGAIN)]
    return "\n\n".join((_first_words(first, recordings, size), _again_words(again)))


def _kept(file: Path, measure: Any) -> dict[str, Any]:
    """What was measured before in this folder, or is now."""
    if not file.is_file():
        file.write_text(json.dumps(measure()))
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def _first_words(first: Measured, recordings: int, size: Mapping[str, float]) -> str:
    own = [(step, first.counts[step], f"{seconds:.0f}") for step, seconds in first.own_s.items()]
    picture = f"{size['width_px']} x {size['height_px']} px, {size['fps']} frames/s, {size['window_s']:g} s scored"
    report_s = first.own_s.get("report", 0.0) / WORKERS
    parts = {
        "start, fingerprints of the inputs, until the first task works": first.begin_s,
        "idle workers until the last scoring has ended, planning included": first.between_s,
        "idle workers while animals, associations and statistics are worked on": first.tail_s,
        "collecting, publishing, and idle workers beside the report": first.end_s - report_s,
    }
    rows = [(what, f"{seconds:.1f}", f"{seconds / first.wall_s:.2%}") for what, seconds in parts.items()]
    engine_s = first.engine_s(WORKERS)
    return (
        f"## {recordings} recordings through the whole program\n\nRemuxed from {RENDERS} renders, no two with the same "
        f"content; {picture}; {WORKERS} workers.\n\n" + markdown(("step", "tasks", "own time, s"), own) + "\n\n"
        f"Wall time {first.wall_s:.0f} s; the tasks' own, their reading and writing included, divided by the workers "
        f"{first.wall_s - engine_s:.0f} s. The rest, {engine_s:.1f} s, is the engine's: "
        f"**{engine_s / first.wall_s:.2%}** of the wall time (limit 2 %).\n\n"
        + markdown(("of this", "s", "share of wall time"), rows)
        + f"\n\nThe process that plans, collects and writes the report used {first.scheduler_cpu_s:.0f} s of processor "
        f"time, all processes together {first.all_cpu_s:.0f} s."
    )


def _again_words(again: list[Measured]) -> str:
    spread = os.getloadavg()[0]
    states = ", ".join(f"{count} {state}" for state, count in again[0].states.items())
    wall_s, cpu_s = (
        sorted(values) for values in zip(*((run.wall_s, run.scheduler_cpu_s) for run in again), strict=True)
    )
    return (
        f"Run again with nothing changed ({states}), {len(again)} times: {median(wall_s):.1f} s ({wall_s[0]:.1f} to "
        f"{wall_s[-1]:.1f}) from the start of the process to its end, {median(cpu_s):.1f} s ({cpu_s[0]:.1f} to "
        f"{cpu_s[-1]:.1f}) of them processor time (limit 5 s), while {spread:.0f} processes shared the "
        f"{os.cpu_count()} cores."
    )


def measure_scaling(recordings: int, rounds: int = 5) -> str:
    """Gain of two workers over one, tracking through the engine and decoding alone, each in turn in every round."""
    from behavior.simulation.render import RenderOptions, render_trial

    with tempfile.TemporaryDirectory() as name, Workers(1) as one, Workers(WORKERS) as more:
        folder = Path(name)
        paths = [folder / f"{number}.mp4" for number in range(recordings)]
        for number, path in enumerate(paths):
            render_trial(path, options=RenderOptions(window_s=10.0, after_s=0.0, arena_seed=1), seed=number)
        took: dict[tuple[str, int], list[float]] = {}
        for number in range(-1, rounds):
            for work_on in (_decode_all, _track_all):
                for pool in (one, more):
                    started = time.perf_counter()
                    work_on(pool, paths, folder / f"store{pool.count}{number}")
                    if number >= 0:  # the round before loads the libraries
                        took.setdefault((work_on.__name__, pool.count), []).append(time.perf_counter() - started)
    gains = {what: [a / b for a, b in zip(took[what, 1], took[what, WORKERS], strict=True)] for what, _ in took}
    decoded, tracked = gains["_decode_all"], gains["_track_all"]
    ratios = sorted(a / b for a, b in zip(tracked, decoded, strict=True))
    return (
        f"## Two workers\n\n{recordings} recordings of 10 s, {WORKERS} workers against 1 in turn, median of {rounds} "
        f"rounds: decoding alone gains {median(decoded):.2f}, tracking through the engine {median(tracked):.2f}, "
        f"**{median(ratios):.2f}** of it ({ratios[0]:.2f} to {ratios[-1]:.2f}; limit 0.95)."
    )


def _decode_all(pool: Workers, paths: list[Path], folder: Path) -> None:
    for future in [pool.submit(_decode, str(path)) for path in paths]:
        future.result()


def _decode(path: str) -> int:
    from behavior.video import open_video

    return sum(1 for _ in open_video(path, threads=1).frames())


def _track_all(pool: Workers, paths: list[Path], folder: Path) -> None:
    from behavior.track_options import TrackOptions

    region, options = _region(), TrackOptions()
    tasks = [
        Task(
            id=path.name,
            function="stressaxis.steps.track:track_recording",
            packages=("behavior",),
            options={"path": str(path), "region": region, "options": options},
        )
        for path in paths
    ]
    failed = [one.problem for one in run_tasks(tasks, store=Store(folder), workers=pool).values() if one.problem]
    if failed:
        raise SystemExit(failed[0].message)


def _region() -> Any:
    """Floor and enclosure of recordings with the arena of seed 1."""
    from behavior.arena import ArenaOptions, build_arena
    from behavior.region import Region
    from behavior.simulation.render import RenderOptions, calibration

    arena = build_arena(ArenaOptions(), corners_px=calibration(RenderOptions(), 1)[0])
    return Region(floor_px=arena.floor_px, enclosure_px=arena.enclosure_px)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--parts", nargs="+", choices=("tasks", "memory", "archive", "scaling"), default=["tasks", "memory", "archive"]
    )
    parser.add_argument("--recordings", type=int, default=1000)
    parser.add_argument("--short", action="store_true", help="recordings of 4 s instead of a minute")
    parser.add_argument("--tasks", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--memory-tasks", type=int, nargs="+", default=[100, 20000])
    parser.add_argument("--scaling-recordings", type=int, default=16)
    parser.add_argument("--folder", type=Path, help="keeps recordings and results; without it they are made anew")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        parts = {
            "tasks": lambda: measure_tasks(asked.tasks),
            "memory": lambda: measure_memory(asked.memory_tasks),
            "scaling": lambda: measure_scaling(asked.scaling_recordings),
            "archive": lambda: measure_archive(
                asked.folder or Path(name), asked.recordings, SMALL if asked.short else MINUTE
            ),
        }
        told = []
        for part in asked.parts:
            told.append(parts[part]())
            print(told[-1], flush=True)
    load = f"{before:.1f} and {os.getloadavg()[0]:.1f} processes at work on {os.cpu_count()} cores before and after"
    head = (
        f"# The batch engine\n\nWritten by `python benchmarks/engine.py --parts {' '.join(asked.parts)}` (commit "
        f"{commit()}; {load}, these included). Simulated recordings only."
    )
    if asked.out is not None:
        asked.out.write_text("\n\n".join([head, *told]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
