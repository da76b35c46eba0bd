"""Faults around tasks: each has its own row or message, what is done stays, and a rerun goes on."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stressaxis import engine
from stressaxis.engine import Outcome, Task, run_tasks
from stressaxis.executors import Workers
from stressaxis.faults import ResultsFolderError
from stressaxis.fingerprint import FileMark
from stressaxis.lock import only_run
from stressaxis.store import Store
from tests.stressaxis.conftest import Command

HERE = "tests.stressaxis.engine_tasks"
ROOT = Path(__file__).resolve().parents[2]


def run(tasks: list[Task], folder: Path) -> dict[str, Outcome]:
    with Workers(2, make=lambda: ThreadPoolExecutor(2)) as workers:
        return run_tasks(tasks, store=Store(folder), workers=workers)


def task(name: str, function: str, **changes: object) -> Task:
    return Task(id=name, function=f"{HERE}:{function}", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("how", "says"),
    [("grow", "changed while it was read"), ("vanish", "vanished"), ("vanish and fail", "vanished")],
)
def test_a_file_that_changes_while_it_is_read_gives_no_result(tmp_path: Path, how: str, says: str) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"123")
    one = task(
        "a", "change_input", options={"path": str(file), "how": how}, marks={str(file): FileMark.of(file)}, subject="m1"
    )
    outcome = run([one], tmp_path / "store")["a"]
    assert outcome.state == "failed"
    assert outcome.problem is not None
    assert (outcome.problem.code, outcome.problem.subject) == ("changed_while_read", "m1")
    assert says in outcome.problem.message
    assert Store(tmp_path / "store").all_keys() == []


def test_a_drive_that_is_away_for_a_moment_is_tried_again_with_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PAUSE_S", 0.0)
    cases = {"twice": (errno.EIO, 2), "always": (errno.ESTALE, 99), "denied": (errno.EACCES, 1)}
    tasks = [
        task(name, "count_call", options={"calls": str(tmp_path / name), "error": number, "times": times})
        for name, (number, times) in cases.items()
    ]
    outcomes = run(tasks, tmp_path / "store")
    assert {name: outcome.state for name, outcome in outcomes.items()} == {
        "twice": "done",
        "always": "failed",
        "denied": "failed",
    }
    assert {name: len((tmp_path / name).read_text()) for name in cases} == {"twice": 3, "always": 3, "denied": 1}


def test_a_folder_that_another_run_swept_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_PAUSE_S", 0.0)
    outcome = run([task("a", "lose_folder", options={"calls": str(tmp_path / "calls")})], tmp_path / "store")["a"]
    assert outcome.state == "done"
    assert (tmp_path / "calls").read_text() == "xx"


def test_an_error_is_not_its_own_cause(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="broken") as caught:
        engine._perform(str(tmp_path), "ab12", f"{HERE}:refuse", {}, {}, {})
    assert caught.value.__cause__ is None


def test_a_task_without_enough_memory_is_tried_alone_then_left_out(tmp_path: Path) -> None:
    tasks = [task("big", "want_memory", options={"calls": str(tmp_path / "calls")}, file="a.mp4")]
    tasks += [task(f"good {i}", "write_value", options={"value": i}) for i in range(5)]
    outcomes = run(tasks, tmp_path / "store")
    problem = outcomes["big"].problem
    assert problem is not None
    assert (problem.code, problem.file) == ("out_of_memory", "a.mp4")
    assert len((tmp_path / "calls").read_text()) == 3  # among others, then twice alone
    assert {outcome.state for name, outcome in outcomes.items() if name != "big"} == {"done"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit no memory")
def test_a_task_that_takes_more_than_its_share_waits_until_it_is_alone(tmp_path: Path) -> None:
    sizes = {"small": 10, "two shares": 1200, "too big": 4000}
    tasks = [task(name, "take_memory", options={"megabytes": size}, file=name) for name, size in sizes.items()]
    with Workers(2) as workers:
        workers.memory_bytes = 2 << 30
        outcomes = run_tasks(tasks, store=Store(tmp_path), workers=workers)
    assert {name: outcome.state for name, outcome in outcomes.items()} == {
        "small": "done",
        "two shares": "done",
        "too big": "failed",
    }
    problem = outcomes["too big"].problem
    assert problem is not None
    assert (problem.code, problem.file) == ("out_of_memory", "too big")


def test_a_damaged_result_is_told_and_made_again(tmp_path: Path) -> None:
    tasks = [task("a", "write_value", options={"value": 7}, file="a.mp4")]
    outcome = run(tasks, tmp_path)["a"]
    (Store(tmp_path).path(outcome.key) / "value.txt").write_text("8")
    again = run(tasks, tmp_path)["a"]
    assert again.state == "done"
    assert again.problem is not None
    assert (again.problem.code, again.problem.severity) == ("result_damaged", "warning")
    assert run(tasks, tmp_path)["a"].problem is None


def test_the_lock_leaves_no_file_and_holds_against_a_second_run(tmp_path: Path) -> None:
    with only_run(tmp_path):
        with pytest.raises(Exception, match="another run"), only_run(tmp_path):
            pass
        assert (tmp_path / "lock").exists()
    assert list(tmp_path.iterdir()) == []
    # what a killed run left does not hold anybody up
    (tmp_path / "lock").touch()
    with only_run(tmp_path):
        pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("this machine mounts no tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_it_goes_on_once_there_is_space(small_disk: Path) -> None:
    tasks = [task(f"t{i}", "write_megabyte", options={"number": i}) for i in range(8)]
    with pytest.raises(ResultsFolderError, match="No space left"):
        run(tasks, small_disk)
    kept = Store(small_disk).all_keys()
    assert 1 <= len(kept) <= 4
    assert all(Store(small_disk).intact(key) for key in kept)
    Store(small_disk).sweep()
    assert not list(small_disk.glob("tmp-*"))
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    states = [outcome.state for outcome in run(tasks, small_disk).values()]
    assert states.count("reused") == len(kept)
    assert states.count("done") == 8 - len(kept)


@pytest.mark.slow
def test_a_read_only_folder_is_told_in_plain_words(small_disk: Path) -> None:
    tasks = [task("t", "write_megabyte", options={"number": 1})]
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(ResultsFolderError, match="Read-only file system"):
        run(tasks, small_disk)
    with pytest.raises(Exception, match="cannot be written to"), only_run(small_disk / ".work"):
        pass


@pytest.mark.slow
def test_ctrl_c_stops_at_once_and_what_is_done_is_kept(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "stressaxis", "run", str(tiny / "experiment.yaml"), "--out", str(out)]
    # Where the tests themselves run in the background of a shell, Ctrl-C is ignored, by all that they start too.
    heeded = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, heeded)
    store = Store(out / ".work" / "store")
    while process.poll() is None and len(store.all_keys()) < 9:
        time.sleep(0.02)
    before = len(store.all_keys())
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "what is done is kept" in said
    kept = len(store.all_keys())
    # Counted, not timed: on a busy machine a signal takes its time, but the queue is not worked off.
    assert kept < 23
    assert not (out / ".work" / "lock").exists()
    # a clock set back meanwhile, and files that claim to be from the future, redo nothing
    for video in (tiny / "videos").iterdir():
        os.utime(video, (4e9, 4e9))
    assert stressaxis("run", tiny / "experiment.yaml", "--out", out).status == 0
    reused = json.loads((out / "provenance.json").read_text())["tasks"]["reused"]
    # What was at work when it was stopped may or may not have been finished; what has its name in the store is whole.
    assert before <= kept == reused
    # What a worker was writing when it was ended is swept by the next run.
    assert not list(store.folder.glob("tmp-*"))
