"""Runs of 60 recordings killed at random instants: what the rerun does again, and whether it ends with the same bytes.

    python -m tests.stressaxis.validate_kills --kills 100 --out docs/validation/kills.md

SIGKILL goes in turn to the whole process tree, to the process that plans, and to one worker. The instant is drawn over
the tasks of the run (start and report included), then up to a second later. To spare hours, a run starts with all that
an undisturbed one had done but the ten or so tasks around the instant and the last two; the kill cannot touch what was
there. Reruns write no report, which is not among what must be the same. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.archive import make_archive
from stressaxis.ledger import Ledger
from stressaxis.store import Store
from tests.integration.calibration import commit, markdown
from tests.stressaxis.test_run import contents

ROOT = Path(__file__).resolve().parents[2]
SEED = 52_000
TARGETS = ("process tree", "planning process", "worker")
_LATER_S = 1.0
#: So many tasks behind the instant are still to be done.
_BEHIND = 5
_WITHOUT_REPORT = (
    "import stressaxis.report.build as build; build.build_report = lambda results: None; "
    "from stressaxis.cli import main; main()"
)


@dataclass
class Reference:
    """The undisturbed run: its folder, what it published, and the keys of its results in the order they were made."""

    config: Path
    folder: Path
    published: dict[str, bytes]
    keys: list[str]

    @property
    def store(self) -> Store:
        return Store(self.folder / ".work" / "store")


@dataclass
class Kill:
    """One kill: at which of the tasks, what was finished then, what was done again, and what differed after it."""

    target: str
    after: int
    finished: int = 0
    redone: int = 0
    faults: list[str] = field(default_factory=list)


def undisturbed(folder: Path, *, recordings: int, renders: int) -> Reference:
    """Make the recordings, and run them once."""
    config = make_archive(folder / "experiment", recordings=recordings, renders=renders, serum=False)
    out = folder / "undisturbed"
    events = list(_finish(_start(config, out)))
    ledger = Ledger(out / ".work" / "tasks.json")
    entries = [ledger.entry(event["task"]) for event in events if event["event"] == "task_done"]
    return Reference(config, out, contents(out), [entry.key for entry in entries if entry is not None])


def one_kill(reference: Reference, out: Path, number: int) -> Kill | None:
    """Kill a run, run it again, compare; None if the run ended before it could be killed."""
    rng = np.random.default_rng([SEED, number])
    kill = Kill(TARGETS[number % len(TARGETS)], int(rng.integers(0, len(reference.keys) + 1)))
    before = max(0, kill.after - int(rng.integers(1, 7)))
    store = Store(out / ".work" / "store")
    given = [*reference.keys[:before], *reference.keys[kill.after + _BEHIND : -2]]
    for key in given:
        shutil.copytree(reference.store.path(key), store.path(key))
    process = _start(reference.config, out)
    while process.poll() is None and len(store.all_keys()) < len(given) + kill.after - before:
        time.sleep(0.005)
    time.sleep(float(rng.uniform(0, _LATER_S if kill.after else 3 * _LATER_S)))
    if process.poll() is not None or not _kill(process.pid, kill.target):
        list(_finish(process))
        return None
    told = [event["task"] for event in _finish(process) if event["event"] == "task_done"]
    if len(told) != len(set(told)):
        kill.faults.append("a task was done twice in one run")
    if kill.target == "worker" and process.returncode not in (0, 1):
        kill.faults.append(f"the run ended with status {process.returncode}")
    if not _gone(process.pid):
        kill.faults.append("workers outlived the process that plans")
    kept = sum(store.intact(key) for key in reference.keys)
    kill.finished = kept - len(given)
    again = list(_finish(_start(reference.config, out, report=False)))
    done = sum(event["event"] == "task_done" for event in again)
    kill.redone = done - (len(reference.keys) - kept)
    _compare(reference, out, store, kill)
    return kill


def _compare(reference: Reference, out: Path, store: Store, kill: Kill) -> None:
    now = contents(out)
    names = now.keys() | reference.published.keys()
    kill.faults += [f"{name} differs" for name in sorted(names) if now.get(name) != reference.published.get(name)]
    if left := [*store.folder.glob("tmp-*"), *(out / ".work").glob("lock*")]:
        kill.faults.append(f"left behind: {', '.join(path.name for path in left)}")


def _start(config: Path, out: Path, *, report: bool = True) -> subprocess.Popen[str]:
    program = ["-m", "stressaxis"] if report else ["-c", _WITHOUT_REPORT]
    command = [sys.executable, *program, "run", str(config), "--out", str(out), "--workers", "2", "--log", "json"]
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "events.log", "w") as stream:
        return subprocess.Popen(
            command, cwd=ROOT, stderr=stream, stdout=subprocess.DEVNULL, text=True, start_new_session=True
        )


def _finish(process: subprocess.Popen[str]) -> Iterator[dict[str, str]]:
    process.wait()
    log = Path(str(process.args[process.args.index("--out") + 1])) / "events.log"  # type: ignore[union-attr,index]
    for line in log.read_text().splitlines():
        # A killed process may leave half a line.
        if line.startswith("{") and line.endswith("}"):
            yield json.loads(line)


def _kill(pid: int, target: str) -> bool:
    if target == "process tree":
        os.killpg(pid, signal.SIGKILL)
    elif target == "planning process":
        os.kill(pid, signal.SIGKILL)
    else:
        workers = _workers(pid)
        if not workers:
            return False
        os.kill(workers[0], signal.SIGKILL)
    return True


def _workers(pid: int) -> list[int]:
    """Processes of the pool: children that are not multiprocessing's own tracker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in map(int, children) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _gone(group: int, *, within_s: float = 10.0) -> bool:
    """Whether no process of a group works any longer."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        states = []
        for file in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = file.read_text().rsplit(")", 1)[1].split()
                states += [fields[0]] if int(fields[2]) == group else []
        if not set(states) - {"Z", "X"}:
            return True
        time.sleep(0.01)
    return False


def page(kills: list[Kill], *, early: int, recordings: int, tasks: int) -> str:
    """What is written: a row for each kind of kill."""
    rows = []
    for target in TARGETS:
        mine = [kill for kill in kills if kill.target == target]
        same = sum(not kill.faults for kill in mine)
        rows.append((target, len(mine), same, sum(k.finished for k in mine), sum(k.redone for k in mine)))
    instants = pd.cut([kill.after / tasks for kill in kills], [-0.01, 0.25, 0.5, 0.75, 1.0])
    spread = ", ".join(str(int(count)) for count in instants.value_counts())
    faults = [f"- kill {number}: {'; '.join(kill.faults)}" for number, kill in enumerate(kills) if kill.faults]
    lines = [
        "# Killed runs",
        "",
        f"Written by `python -m tests.stressaxis.validate_kills --kills {len(kills)} --out docs/validation/kills.md` "
        f"(commit {commit()}, seed {SEED}). Simulated recordings only.",
        "",
        f"{len(kills)} runs of {recordings} recordings ({tasks} tasks, 2 workers) were killed by SIGKILL, each at a "
        f"random instant, and run again. Kills in each quarter of the tasks: {spread}. "
        f"{early} further runs had ended, or had no worker yet, when they were to be killed; they do not count.",
        "",
        markdown(
            ("killed", "kills", "reruns without a fault", "results finished before the kill", "of these done again"),
            rows,
        ),
        "",
        "A fault: a byte of `tables/`, `tracks/` or `problems.csv` that differs from the run that nothing disturbed, a "
        "half-written folder or a lock file left behind, a task that ends twice in one run, processes that outlive the "
        "one that plans, a run that does not go on when a worker was killed. Every run begins with all "
        f"results of the undisturbed one but those of up to {6 + _BEHIND} tasks around the instant and the last two; "
        "these are not counted.",
        "",
        *(faults or ["No faults."]),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--recordings", type=int, default=60)
    parser.add_argument("--renders", type=int, default=6)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = undisturbed(folder, recordings=asked.recordings, renders=asked.renders)
        kills: list[Kill] = []
        number = 0
        while len(kills) < asked.kills:
            out = folder / "killed"
            kill = one_kill(reference, out, number)
            shutil.rmtree(out)
            number += 1
            if kill is not None:
                kills.append(kill)
                print(f"{len(kills)}: {kill}", flush=True)
            written = page(kills, early=number - len(kills), recordings=asked.recordings, tasks=len(reference.keys))
            # After every kill: a validation of an hour may itself be stopped.
            if asked.out is not None and kills:
                asked.out.write_text(written)
    print(written)


if __name__ == "__main__":
    main()
