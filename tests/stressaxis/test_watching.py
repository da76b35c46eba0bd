"""Recordings count once they have arrived; events are JSON; --verify sees what size and time hide."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from stressaxis import watching
from stressaxis.run import RunOutcome
from stressaxis.watching import Arrivals, watch_experiment
from tests.stressaxis.conftest import Command


def test_a_file_has_arrived_when_it_stayed_the_same_and_opens(tmp_path: Path) -> None:
    opens = {"now": "no index yet"}
    arrivals = Arrivals(10.0, lambda path: opens["now"])
    file = tmp_path / "a.mp4"
    look = lambda now: arrivals.look({"a": file}, now)  # noqa: E731
    assert look(0)[1] == {"a": "not there yet"}
    file.write_bytes(b"1")
    assert look(1)[1] == {"a": "still arriving"}
    file.write_bytes(b"12")  # grows
    assert look(9)[1] == look(18)[1] == {"a": "still arriving"}
    # a clock set back or forward on the camera's computer changes nothing
    assert look(19.1)[1] == {"a": "no index yet"}
    file.write_bytes(b"123")
    os.utime(file, (4e9, 4e9))
    opens["now"] = ""
    assert look(30)[1] == {"a": "still arriving"}
    assert list(look(41)[0]) == ["a"]


def test_watching_runs_when_something_arrives_and_ends_clean(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = tiny / "videos" / "m02_target.mp4"
    late.rename(tmp_path / "late.mp4")
    runs: list[list[str]] = []

    def run(config: Path, *, awaited: dict[str, str], **rest: object) -> RunOutcome:
        runs.append(sorted(awaited))
        return RunOutcome(tmp_path, [], "ran")

    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds
        if now[0] == 60:
            (tmp_path / "late.mp4").rename(late)
        if now[0] == 150:
            raise KeyboardInterrupt

    monkeypatch.setattr(watching, "run_experiment", run)
    console = Console(quiet=True)
    last = watch_experiment(
        tiny / "experiment.yaml", settle_s=20, every_s=10, console=console, pause=pause, clock=lambda: now[0]
    )
    assert runs == [["videos/m02_target.mp4"], []]
    assert last is not None


@pytest.mark.slow
def test_events_are_json_and_verify_reads_again(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    config, out = tiny / "experiment.yaml", tmp_path / "out"
    said = stressaxis("run", config, "--out", out, "--log", "json")
    events = [json.loads(line) for line in said.err.splitlines()]
    assert {"time", "level", "event", "task", "progress"} <= set.intersection(*(set(event) for event in events))
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_finished"
    assert sum(event["event"] == "task_done" for event in events) == 24
    assert "9 inputs as before, 0 changed" in stressaxis("run", config, "--out", out, "--verify").out

    # one byte changes; the memory of fingerprints is made to believe that size and times did not
    serum = tiny / "serum.csv"
    serum.write_bytes(serum.read_bytes().rstrip(b"\n") + b" ")
    memory = out / ".work" / "fingerprints.json"
    known = json.loads(memory.read_text())
    (path,) = [path for path in known if path.endswith("serum.csv")]
    status = serum.stat()
    known[path][:4] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    memory.write_text(json.dumps(known))
    assert stressaxis("run", config, "--out", out).status == 0  # not seen
    said = stressaxis("run", config, "--out", out, "--verify")
    assert "changed: serum.csv" in said.out
    assert "input_damaged" in (out / "problems.csv").read_text()
    assert said.status == 1
    said = stressaxis("run", tiny / "nothing.yaml", "--log", "json")
    assert json.loads(said.err)["event"] == "run_stopped"
    assert said.status == 2
