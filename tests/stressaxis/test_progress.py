"""Progress is what was measured: overall and of each recording, on a terminal, in a log, as JSON."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from stressaxis.engine import Outcome, Task, run_tasks
from stressaxis.eventlog import EventLog
from stressaxis.executors import Workers
from stressaxis.progress import RunProgress, time_left
from stressaxis.store import Store

HERE = "tests.stressaxis.engine_tasks"


def track(name: str, weight: float = 100.0) -> Task:
    return Task(id=f"track {name}", function=f"{HERE}:write_value", file=name, frames=1000.0, weight=weight)


def test_frames_done_count_for_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    tasks = [track("a.mp4"), track("b.mp4")]
    lines = io.StringIO()
    progress = RunProgress(tasks, title="tracking", console=Console(file=io.StringIO()), log=EventLog(lines))
    now[0] = 120.0
    progress.worked({"track a.mp4": 500})
    row = json.loads(lines.getvalue())
    assert (row["event"], row["recordings"], row["progress"]) == ("run_progress", {"a.mp4": 0.5}, 0.25)
    assert row["left_s"] == 60.0
    progress.worked({"track a.mp4": 600})
    assert len(lines.getvalue().splitlines()) == 1  # quiet: no line for every look
    progress.ended(Outcome(tasks[0], "done", "k", 20.0))
    row = json.loads(lines.getvalue().splitlines()[-1])
    assert (row["event"], row["progress"], row["left_s"]) == ("task_done", 0.5, 20.0)


def test_what_is_reused_says_nothing_of_the_speed() -> None:
    lines = io.StringIO()
    tasks = [track("a.mp4"), track("b.mp4")]
    progress = RunProgress(tasks, title="tracking", console=Console(file=io.StringIO()), log=EventLog(lines))
    progress.ended(Outcome(tasks[0], "reused", "k"))
    assert json.loads(lines.getvalue())["left_s"] is None
    assert time_left(0.0, 1.0, 5.0) is None


def test_a_terminal_shows_each_recording_at_work_and_a_log_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunProgress, "LINE_EVERY_S", 0.0)
    said = io.StringIO()
    with RunProgress([track("a.mp4")], title="tracking", console=Console(file=said, width=200)) as progress:
        progress.worked({"track a.mp4": 2000})  # the file said too few frames
    assert "a.mp4 100%" in said.getvalue()
    shown = io.StringIO()
    task = track("a.mp4")
    console = Console(file=shown, width=200, force_terminal=True)
    with RunProgress([task], title="tracking", console=console) as progress:
        progress.worked({task.id: 430})
        progress._bar.refresh()
        assert "43%" in shown.getvalue()
        progress.ended(Outcome(task, "done", "k"))
        assert len(progress._bar.tasks) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_workers_tell_how_far_they_are(tmp_path: Path) -> None:
    heard: dict[str, int] = {}

    def listen(done: object) -> None:
        heard.update(done)  # type: ignore[call-overload]
        if heard.get("a") == 200:
            (tmp_path / "heard").touch()

    task = Task(id="a", function=f"{HERE}:tell_frames", options={"until": str(tmp_path / "heard")}, frames=200.0)
    with Workers(1) as workers:
        outcomes = run_tasks([task], store=Store(tmp_path / "store"), workers=workers, on_work=listen)
    assert outcomes["a"].state == "done"
    assert heard == {"a": 200}
