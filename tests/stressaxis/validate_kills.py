"""Runs of 60 recordings killed at random instants: what the rerun does again, and whether it ends with the same bytes.

    python -m tests.stressaxis.validate_kills --quick 300 --kills 100 --out docs/validation/kills.md

SIGKILL goes in turn to the whole process tree, to the process that plans, and to one worker. The instant is drawn over
the tasks of the run (start and report included), then up to a second later. To spare hours, a run starts with all that
an undisturbed one had done but the ten or so tasks around the instant and the last two; the kill cannot touch what was
there. Reruns write no report, which is not among what must be the same. `--quick`: so many kills of the engine on tasks
that take milliseconds (`tests/stressaxis/quick_run.py`), each run from its beginning. Linux only.
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
    "import stressaxis.report.build as build; build.build_report = lambda *given, **how: None; "
    "from stressaxis.cli import main; main()"
)


@dataclass
class Reference:
    """The undisturbed run: program, folder, what it published, and the keys of its results in the order of their making.

    ``spared``: a killed run starts with all results but those around the instant of the kill, and the last two.
    """

    program: list[str]
    folder: Path
    published: dict[str, bytes]
    keys: list[str]
    spared: bool

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


def whole_program(folder: Path, *, recordings: int, renders: int) -> Reference:
    """Make the recordings, and run them once."""
    config = make_archive(folder / "experiment", recordings=recordings, renders=renders, serum=False)
    return _undisturbed(["run", str(config), "--workers", "2", "--log", "json"], folder / "undisturbed", spared=True)


def engine_alone(folder: Path, *, recordings: int) -> Reference:
    """The engine on quick tasks."""
    return _undisturbed(["-m", "tests.stressaxis.quick_run", str(recordings)], folder / "quick", spared=False)


def _undisturbed(program: list[str], out: Path, *, spared: bool) -> Reference:
    events = list(_finish(_start(program, out)))
    ledger = Ledger(out / ".work" / "tasks.json")
    entries = [ledger.entry(event["task"]) for event in events if event["event"] == "task_done"]
    return Reference(program, out, contents(out), [entry.key for entry in entries if entry is not None], spared)


def one_kill(reference: Reference, out: Path, number: int) -> Kill | None:
    """Kill a run, run it again, compare; None if the run ended before it could be killed."""
    rng = np.random.default_rng([SEED, number])
    kill = Kill(TARGETS[number % len(TARGETS)], int(rng.integers(0, len(reference.keys) + 1)))
    before = max(0, kill.after - int(rng.integers(1, 7))) if reference.spared else 0
    store = Store(out / ".work" / "store")
    given = [*reference.keys[:before], *reference.keys[kill.after + _BEHIND : -2]] if reference.spared else []
    for key in given:
        shutil.copytree(reference.store.path(key), store.path(key))
    # The report comes after the last task: no kill before reaches it.
    process = _start(reference.program, out, report=kill.after > len(reference.keys) - 3)
    while process.poll() is None and len(store.all_keys()) < len(given) + kill.after - before:
        time.sleep(0.005)
    later_s = _LATER_S if reference.spared else _LATER_S / 20
    time.sleep(float(rng.uniform(0, later_s if kill.after else 3 * _LATER_S)))
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
    again = list(_finish(_start(reference.program, out, report=False)))
    done = sum(event["event"] == "task_done" for event in again)
    kill.redone = done - (len(reference.keys) - kept)
    _compare(reference, out, store, kill)
    return kill


def _compare(reference: Reference, out: Path, store: Store, kill: Kill) -> None:
    now = contents(out)
    names = now.keys() | reference.published.keys()
    kill.faults += [f"{name} differs" for name in sorted(names) if now.get(name) != reference.published.get(name)]
    if left := [*store.folder.glob("tmp-*"), *store.folder.glob("swept-*"), *(out / ".work").glob("lock*")]:
        kill.faults.append(f"left behind: {', '.join(path.name for path in left)}")


def _start(program: list[str], out: Path, *, report: bool = True) -> subprocess.Popen[str]:
    if program[0] == "run":
        program = [*(["-m", "stressaxis"] if report else ["-c", _WITHOUT_REPORT]), *program]
    command = [sys.executable, *program, "--out", str(out)]
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "events.log", "w") as stream:
        return subprocess.Popen(
            command, cwd=ROOT, stderr=stream, stdout=subprocess.DEVNULL, text=True, start_new_session=True
        )


def _finish(process: subprocess.Popen[str]) -> Iterator[dict[str, str]]:
    process.wait()
    log = Path(str(process.args[process.args.index("--out") + 1])) / "events.log"  # type: ignore[union-attr,index,arg-type]
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


@dataclass
class Series:
    """Kills of one kind of run."""

    title: str
    reference: Reference
    recordings: int
    kills: list[Kill] = field(default_factory=list)
    early: int = 0

    def add(self, number: int, folder: Path) -> bool:
        """Kill once more; False if that one does not count."""
        out = folder / "killed"
        kill = one_kill(self.reference, out, number)
        shutil.rmtree(out)
        if kill is None:
            self.early += 1
            return False
        self.kills.append(kill)
        print(f"{len(self.kills)}: {kill}", flush=True)
        return True

    def text(self) -> str:
        """A table with a row for each kind of kill."""
        rows = []
        for target in TARGETS:
            mine = [kill for kill in self.kills if kill.target == target]
            same = sum(not kill.faults for kill in mine)
            rows.append((target, len(mine), same, sum(k.finished for k in mine), sum(k.redone for k in mine)))
        tasks = len(self.reference.keys)
        instants = pd.cut([kill.after / tasks for kill in self.kills], [-0.01, 0.25, 0.5, 0.75, 1.0])
        spread = ", ".join(str(int(count)) for count in instants.value_counts())
        header = (
            "killed",
            "kills",
            "reruns without a fault",
            "results finished before the kill",
            "of these done again",
        )
        faults = [f"- kill {n}: {'; '.join(kill.faults)}" for n, kill in enumerate(self.kills) if kill.faults]
        return "\n\n".join(
            (
                f"## {self.title}",
                f"{len(self.kills)} runs of {self.recordings} recordings ({tasks} tasks, 2 workers) were killed by "
                f"SIGKILL, each at a random instant, and run again. Kills in each quarter of the tasks: {spread}. "
                f"{self.early} further runs had ended, or had no worker yet, when they were to be killed; they do not "
                "count.",
                markdown(header, rows),
                "\n".join(faults) or "No faults.",
            )
        )


def page(series: list[Series]) -> str:
    """What is written."""
    return "\n\n".join(
        (
            "# Killed runs",
            f"Written by `python -m tests.stressaxis.validate_kills` (commit {commit()}, seed {SEED}). Simulated only.",
            "A fault: a byte of `tables/`, `tracks/` or `problems.csv` that differs from the run that nothing "
            "disturbed, a half-written folder or a lock file left behind, a task that ends twice in one run, processes "
            "that outlive the one that plans, a run that does not go on when a worker was killed.",
            *(one.text() for one in series if one.kills),
            f"Runs of the whole program begin with all results of the undisturbed one but those of up to {6 + _BEHIND} "
            "tasks around the instant and the last two; these are not counted.\n",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="of the whole program")
    parser.add_argument("--quick", type=int, default=300, help="of the engine alone")
    parser.add_argument("--recordings", type=int, default=60)
    parser.add_argument("--renders", type=int, default=6)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        series: list[Series] = []
        for title, count in (("The engine alone", asked.quick), ("The whole program", asked.kills)):
            if not count:
                continue
            if title == "The engine alone":
                reference = engine_alone(folder, recordings=asked.recordings)
            else:
                reference = whole_program(folder, recordings=asked.recordings, renders=asked.renders)
            series.append(Series(title, reference, asked.recordings))
            number = 0
            while len(series[-1].kills) < count:
                # After every kill: a validation of an hour may itself be stopped.
                if series[-1].add(number, folder) and asked.out is not None:
                    asked.out.write_text(page(series))
                number += 1
    print(page(series))


if __name__ == "__main__":
    main()
