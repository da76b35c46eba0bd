"""A laboratory's archive through the whole program: the engine's own time, and runs with nothing to do.

The recordings are remuxed from few renders with more and more pictures left out at the end, so that no two have the
same content. Used by ``benchmarks/engine.py``.
"""

from __future__ import annotations

import compileall
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

#: Small pictures and short trials: what is measured is what the engine adds, not how long tracking takes.
SMALL = {"window_s": 2.0, "after_s": 0.3, "fps": 10, "width_px": 240, "height_px": 180}

#: A minute each, at the size of the demo.
MINUTE = {"window_s": 53.0, "after_s": 1.5, "fps": 15, "width_px": 480, "height_px": 360}


def make_archive(
    folder: Path, *, recordings: int, renders: int, serum: bool = True, size: Mapping[str, float] = SMALL
) -> Path:
    """An experiment with so many recordings, two a mouse, all from one arena; gives the experiment file."""
    import yaml

    from stressaxis.simulation import ExperimentOptions, plan_experiment, render_job, write_tables

    mice = recordings // 2
    design = ExperimentOptions(
        n_defeated=mice - mice // 4,
        n_control=mice // 4,
        n_cohorts=1,
        n_arenas=1,
        conditions=("clean",),
        n_plates=max(1, mice // 40),
        power_simulations=0,
        **size,  # type: ignore[arg-type]
    )
    plan = plan_experiment(design, seed=1)
    config = write_tables(plan, folder)
    if not serum:
        asked = yaml.safe_load(config.read_text("utf-8"))
        del asked["serum"]
        config.write_text(yaml.safe_dump(asked, sort_keys=False), "utf-8")
    for job in plan.jobs[:renders]:
        if not (folder / "made" / job.video).is_file():
            render_job(job, folder / "made")
    made = sorted((folder / "made" / "videos").iterdir())
    (folder / "videos").mkdir(exist_ok=True)
    for number, job in enumerate(plan.jobs):
        remux(made[number % renders], folder / job.video, leave_out=number // renders)
    return config


def remux(source: Path, target: Path, *, leave_out: int) -> None:
    """Copy a recording without the pictures at its end, none decoded."""
    import av

    with av.open(str(source)) as from_file, av.open(str(target), "w") as to_file:
        stream = from_file.streams.video[0]
        copy = to_file.add_stream_from_template(stream)
        packets = [packet for packet in from_file.demux(stream) if packet.dts is not None]
        for packet in packets[: len(packets) - leave_out]:
            packet.stream = copy
            to_file.mux(packet)


@dataclass
class Measured:
    """One run of the program.

    Attributes
    ----------
    wall_s
        From the start of the process to its end.
    scheduler_cpu_s
        Processor time of the process that plans and collects, its start and the report included.
    all_cpu_s
        The same of all processes of the run.
    own_s
        Step to the seconds of its tasks, in sum; ``report`` among them.
    counts
        Step to the number of tasks done.
    states
        ``done``, ``reused``, ``failed``: how many.
    begin_s, end_s
        From the start of the process to the start of the first task, and from the end of the last to the end of the
        process.
    between_s, tail_s
        Time of idle workers divided by the workers: up to the last scoring, and from there to the end of the last task.
    """

    wall_s: float
    scheduler_cpu_s: float = 0.0
    all_cpu_s: float = 0.0
    own_s: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    begin_s: float = 0.0
    between_s: float = 0.0
    tail_s: float = 0.0
    end_s: float = 0.0

    def engine_s(self, workers: int) -> float:
        """Wall time minus the tasks' own, divided by the workers."""
        return self.wall_s - sum(self.own_s.values()) / workers


def run_archive(config: Path, out: Path, *, workers: int) -> Measured:
    """Run the program on an experiment, from the start of its process to the end."""
    command = [sys.executable, "-m", "stressaxis", "run", str(config), "--out", str(out)]
    command += ["--workers", str(workers), "--log", "json"]
    # An installed program has its bytecode; a new checkout would compile it in the first start, or in every one.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for package in ("core", "behavior", "proteomics", "integration", "configs", "stressaxis"):
        compileall.compile_dir(ROOT / package, quiet=1)
    began, started, before_s = time.time(), time.perf_counter(), _children_cpu_s()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    found = Measured(0.0)
    worked: list[tuple[str, float, float]] = []
    for event in _events(process.stderr):
        step = "report" if event["event"] == "report_written" else event["task"].split(" ")[0]
        if event["event"].startswith("task_"):
            state = event["event"].removeprefix("task_")
            found.states[state] = found.states.get(state, 0) + 1
        if event["event"] in ("task_done", "report_written"):
            found.own_s[step] = found.own_s.get(step, 0.0) + event["seconds"]
            found.counts[step] = found.counts.get(step, 0) + 1
            end_s = datetime.fromisoformat(event["time"]).timestamp() - began
            worked.append((step, end_s - event["seconds"], end_s))
        elif event["event"] == "run_finished":
            found.scheduler_cpu_s = _cpu_s(process.pid)
    if process.wait() not in (0, 1):
        raise SystemExit(f"the run ended with status {process.returncode}")
    found.wall_s = time.perf_counter() - started
    found.all_cpu_s = _children_cpu_s() - before_s
    _divide(found, [task for task in worked if task[0] != "report"], workers)
    return found


def _divide(found: Measured, worked: list[tuple[str, float, float]], workers: int) -> None:
    """Where the time went that no task used."""
    if not worked:
        return
    first_s, last_s = min(start for _, start, _ in worked), max(end for _, _, end in worked)
    scored_s = max((end for step, _, end in worked if step == "score"), default=last_s)

    def idle_s(begin_s: float, end_s: float) -> float:
        busy = sum(max(0.0, min(end, end_s) - max(start, begin_s)) for _, start, end in worked)
        return (end_s - begin_s) - busy / workers

    found.begin_s, found.end_s = first_s, found.wall_s - last_s
    found.between_s, found.tail_s = idle_s(first_s, scored_s), idle_s(scored_s, last_s)


def _events(stream: Any) -> Iterator[dict[str, Any]]:
    for line in stream:
        if line.startswith("{"):
            yield json.loads(line)
        else:
            print(line, end="", file=sys.stderr)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu_s(pid: int) -> float:
    """Processor time of one process so far, its children not counted (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
