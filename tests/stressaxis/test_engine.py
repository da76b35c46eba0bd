"""The engine: order of needs, reuse, failures, crashes; and the store under it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from core.errors import InputError
from stressaxis.engine import Outcome, Task, run_tasks
from stressaxis.executors import Workers
from stressaxis.ledger import Ledger
from stressaxis.store import Store
from tests.stressaxis.engine_tasks import is_loaded

HERE = "tests.stressaxis.engine_tasks"


def run(tasks: list[Task], folder: Path) -> dict[str, Outcome]:
    with Workers(2, make=lambda: ThreadPoolExecutor(2)) as workers:
        return run_tasks(tasks, store=Store(folder), workers=workers)


def written(outcome: Outcome, folder: Path) -> str:
    return (Store(folder).path(outcome.key) / "value.txt").read_text()


def task(name: str, function: str = "write_value", **changes: object) -> Task:
    return Task(id=name, function=f"{HERE}:{function}", **changes)  # type: ignore[arg-type]


def test_a_task_gets_the_results_of_those_it_needs(tmp_path: Path) -> None:
    tasks = [
        task("sum", "add_values", needs=("a", "b")),
        task("a", options={"value": 2}),
        task("b", options={"value": 40}),
    ]
    outcomes = run(tasks, tmp_path)
    assert list(outcomes) == ["sum", "a", "b"]
    assert written(outcomes["sum"], tmp_path) == "42"


def test_a_second_run_redoes_nothing(tmp_path: Path) -> None:
    tasks = [task("a", options={"value": 2}), task("sum", "add_values", needs=("a",))]
    assert {o.state for o in run(tasks, tmp_path).values()} == {"done"}
    assert {o.state for o in run(tasks, tmp_path).values()} == {"reused"}


def test_the_ledger_is_written_only_if_it_says_anything_new(tmp_path: Path) -> None:
    def once(value: int) -> tuple[int, Ledger]:
        ledger = Ledger(tmp_path / "tasks.json")
        with Workers(1, make=lambda: ThreadPoolExecutor(1)) as workers:
            run_tasks(
                [task("a", options={"value": value})], store=Store(tmp_path / "store"), workers=workers, ledger=ledger
            )
        ledger.keep_only({"a"})
        ledger.save()
        return (tmp_path / "tasks.json").stat().st_ino, Ledger(tmp_path / "tasks.json")

    first, ledger = once(2)
    again, same = once(2)
    assert first == again
    other, later = once(3)
    assert other != first
    one, two, three = (found.entry("a") for found in (ledger, same, later))
    assert one == two != three
    assert three is not None
    assert three.options == {"value": 3}


def test_what_becomes_ready_together_starts_in_the_order_given(tmp_path: Path) -> None:
    tasks = [
        task("a", options={"value": 1}),
        task("long", "add_values", needs=("a",)),
        task("short", "add_values", needs=("a",), key_options={"it": "another"}),
    ]
    ended: list[str] = []
    with Workers(1, make=lambda: ThreadPoolExecutor(1)) as workers:
        run_tasks(tasks, store=Store(tmp_path), workers=workers, on_end=lambda outcome: ended.append(outcome.task.id))
    assert ended == ["a", "long", "short"]


class Listening(Workers):
    """Workers that tell what they were to load."""

    def __init__(self, count: int) -> None:
        super().__init__(count, make=lambda: ThreadPoolExecutor(count))
        self.asked: list[list[str]] = []

    def prepare(self, modules: Sequence[str]) -> None:
        self.asked.append(list(modules))


def test_a_worker_that_waits_loads_what_comes_next_once(tmp_path: Path) -> None:
    tasks = [
        task("a", options={"value": 2}),
        task("sum", "add_values", needs=("a",), libraries=("first", "both")),
        task("total", "add_values", needs=("sum",), libraries=("both", "last")),
    ]

    def asked(count: int, folder: str) -> list[list[str]]:
        with Listening(count) as workers:
            run_tasks(tasks, store=Store(tmp_path / folder), workers=workers)
        return workers.asked

    assert asked(2, "two") == [["first", "both", "last"]]
    assert asked(2, "two") == []  # all is there already
    assert asked(9, "nine") == [["first", "both", "last"]] * 2  # not all of them: two tasks will need it


def test_a_library_that_cannot_be_loaded_is_left_to_the_task_that_needs_it(capfd: pytest.CaptureFixture[str]) -> None:
    with Workers(1) as workers:
        assert not workers.submit(is_loaded, "colorsys").result()
        workers.prepare(["no.such.library", "colorsys"])
        assert workers.submit(is_loaded, "colorsys").result()
        with pytest.raises(BrokenProcessPool):
            workers.submit(os._exit, 1).result()
        workers.prepare(["colorsys"])
    assert capfd.readouterr() == ("", "")


def test_only_what_depends_on_a_change_is_redone(tmp_path: Path) -> None:
    def states(value: int) -> dict[str, str]:
        tasks = [
            task("a", options={"value": value}),
            task("b", options={"value": 1}),
            task("sum", "add_values", needs=("a",)),
        ]
        return {name: outcome.state for name, outcome in run(tasks, tmp_path).items()}

    states(2)
    assert states(3) == {"a": "done", "b": "reused", "sum": "done"}


def test_a_changed_input_file_is_a_new_key(tmp_path: Path) -> None:
    first = run([task("a", options={"value": 1}, inputs=("f1",))], tmp_path)["a"]
    second = run([task("a", options={"value": 1}, inputs=("f2",))], tmp_path)["a"]
    assert (first.state, second.state) == ("done", "done")


def test_a_failure_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    tasks = [
        task("bad", "refuse", subject="m1", file="a.mp4"),
        task("good", options={"value": 1}),
        task("sum", "add_values", needs=("bad", "good")),
    ]
    outcomes = run(tasks, tmp_path)
    assert outcomes["bad"].state == "failed"
    problem = outcomes["bad"].problem
    assert problem is not None
    assert (problem.code, problem.subject, problem.where) == ("cannot_read", "m1", "frame 3")
    assert written(outcomes["sum"], tmp_path) == "1"


def test_a_failure_leaves_nothing_half_written(tmp_path: Path) -> None:
    run([task("bad", "write_then_break")], tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_process_that_dies_costs_only_its_own_task(tmp_path: Path) -> None:
    tasks = [
        task("killer", "die"),
        task("killer 2", "die"),
        *(task(f"good {i}", options={"value": i}) for i in range(6)),
    ]
    with Workers(2) as workers:
        outcomes = run_tasks(tasks, store=Store(tmp_path), workers=workers)
    assert outcomes["killer"].state == outcomes["killer 2"].state == "failed"
    problem = outcomes["killer"].problem
    assert problem is not None
    assert problem.code == "worker_killed"
    assert {outcome.state for name, outcome in outcomes.items() if "killer" not in name} == {"done"}


def test_needs_in_a_circle_or_unknown_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="circle"):
        run([task("a", needs=("b",)), task("b", needs=("a",))], tmp_path)
    with pytest.raises(ValueError, match="not among"):
        run([task("a", needs=("nobody",))], tmp_path)


def test_a_damaged_result_is_made_again(tmp_path: Path) -> None:
    tasks = [task("a", options={"value": 7})]
    outcome = run(tasks, tmp_path)["a"]
    (Store(tmp_path).path(outcome.key) / "value.txt").write_text("8")
    again = run(tasks, tmp_path)["a"]
    assert again.state == "done"
    assert written(again, tmp_path) == "7"


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "tmp-99-abc").mkdir()
    (tmp_path / "tmp-99-abc" / "half.nc").write_bytes(b"1")
    Store(tmp_path).sweep()
    assert list(tmp_path.iterdir()) == []


def test_what_is_being_swept_cannot_become_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove, tried = shutil.rmtree, []

    def remove_with_a_worker_at_work(path: Path, **how: bool) -> None:
        if not tried:
            # Ctrl-C: the worker has written its last file and is about to give the folder its name.
            with pytest.raises(FileNotFoundError):
                half.rename(tmp_path / "ab12")
            tried.append(path)
        remove(path, **how)

    half = tmp_path / "tmp-99-abc"
    half.mkdir()
    (half / "whole.nc").write_bytes(b"1")
    monkeypatch.setattr(shutil, "rmtree", remove_with_a_worker_at_work)
    Store(tmp_path).sweep()
    assert len(tried) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_own_error_keeps_its_place_through_a_process(tmp_path: Path) -> None:
    with Workers(1) as workers:
        error = workers.submit(raise_own).exception()
    assert isinstance(error, InputError)
    assert (error.file, error.where, error.remedy) == ("a.mp4", "frame 3", "export again")


def raise_own() -> None:
    raise InputError("broken", file="a.mp4", where="frame 3", remedy="export again")
