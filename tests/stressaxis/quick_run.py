"""A run of the engine on tasks that take milliseconds, with all that surrounds them in a real run but the science.

    python -m tests.stressaxis.quick_run RECORDINGS --out RESULTS

The folder is held, leftovers are swept, tasks run in spawned workers, results are published, the ledger is saved: what
``stressaxis.run`` does, so that hundreds of kills can be watched in minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path

from rich.console import Console

from stressaxis.atomic import write_text
from stressaxis.engine import Outcome, Task, run_tasks
from stressaxis.eventlog import EventLog
from stressaxis.executors import Workers
from stressaxis.ledger import Ledger
from stressaxis.lock import only_run
from stressaxis.progress import RunProgress
from stressaxis.publish import publish
from stressaxis.store import Store

HERE = "tests.stressaxis.quick_run"
FILES = 3


def work(output: Path, *, needs: dict[str, Path | None], number: int, seconds: float) -> None:
    """Some files, made from a number and from what is needed, slowly enough to be killed amid them."""
    before = [file.read_bytes() for place in needs.values() if place for file in sorted(place.glob("*.csv"))]
    for part in range(FILES):
        content = hashlib.blake2b(b"".join([*before, b"%d %d" % (number, part)])).hexdigest()
        (output / f"{number:04d}_{part}.csv").write_text(f"{content}\n" * 500)
        time.sleep(seconds / FILES)


def tasks(recordings: int) -> list[Task]:
    """Open and track each recording, score each pair, then two steps that need all."""
    found: list[Task] = []
    for number in range(recordings):
        found.append(_task(f"open {number}", number, 0.005))
        found.append(_task(f"track {number}", number, 0.03, f"open {number}"))
        if number % 2:
            found.append(_task(f"score {number}", number, 0.02, f"track {number - 1}", f"track {number}"))
    scores = [task.id for task in found if task.id.startswith("score")]
    return [*found, _task("animals", 0, 0.02, *scores), _task("statistics", 1, 0.02, "animals")]


def _task(name: str, number: int, seconds: float, *needs: str) -> Task:
    return Task(
        id=name,
        function=f"{HERE}:work",
        options={"number": number, "seconds": seconds},
        key_options={"number": number, "step": name.split(" ")[0]},
        needs=needs,
        file=name,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=int)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    hidden = asked.out / ".work"
    with only_run(hidden), Workers(2) as workers:
        store, ledger = Store(hidden / "store"), Ledger(hidden / "tasks.json")
        store.sweep()
        planned = tasks(asked.recordings)
        with RunProgress(planned, title="quick", console=Console(quiet=True), log=EventLog()) as progress:
            outcomes = run_tasks(planned, store=store, workers=workers, on_end=progress.ended, ledger=ledger)
        ledger.save()
        publish(_published(outcomes, store), asked.out, listing=hidden / "published.json")
        problems = [outcome.problem.message for outcome in outcomes.values() if outcome.problem is not None]
        write_text(asked.out / "problems.csv", json.dumps(problems))


def _published(outcomes: dict[str, Outcome], store: Store) -> dict[str, Path]:
    wanted = [outcome for name, outcome in outcomes.items() if name.startswith(("score", "animals", "statistics"))]
    files: dict[str, Path] = {}
    for outcome in wanted:
        step = outcome.task.id.split(" ")[0]
        files |= {f"tables/{step}_{path.name}": path for path in sorted(store.path(outcome.key).glob("*.csv"))}
    return files


if __name__ == "__main__":
    main()
