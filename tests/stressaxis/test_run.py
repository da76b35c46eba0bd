"""The pipeline on a tiny experiment: results, reuse, resumption, independence of workers and order."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from stressaxis.store import Store
from tests.stressaxis.conftest import Command

ROOT = Path(__file__).resolve().parents[2]


def contents(results: Path) -> dict[str, bytes]:
    """Everything of a results folder that must be reproducible."""
    files = [path for part in ("tables", "tracks") for path in (results / part).rglob("*") if path.is_file()]
    return {path.relative_to(results).as_posix(): path.read_bytes() for path in [*files, results / "problems.csv"]}


def tasks(results: Path) -> dict[str, int]:
    counts: dict[str, int] = json.loads((results / "provenance.json").read_text())["tasks"]
    return counts


def test_a_run_leaves_what_the_design_says(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    said = stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "out")
    assert said.status == 0, said.text
    results = tmp_path / "out"
    trials = pd.read_csv(results / "tables" / "trials.csv")
    truth = pd.read_csv(tiny / "truth" / "trials.csv")
    both = trials.merge(truth, on=["subject", "trial"], suffixes=("", "_true"))
    assert len(both) == 8
    assert len(list((results / "tracks").glob("*.nc"))) == 8
    for name in ("social_interaction", "cohort", "group_counts", "serum_quality", "arenas"):
        assert (results / "tables" / f"{name}.csv").stat().st_size > 0
    provenance = json.loads((results / "provenance.json").read_text())
    assert {row["path"] for row in provenance["inputs"]} >= {"serum.csv", "videos/m01_target.mp4"}
    assert re.fullmatch(r"[0-9a-f]{64}", provenance["declared"]["fingerprint"])
    assert "<html" in (results / "report.html").read_text("utf-8")[:200]


@pytest.mark.slow
def test_a_second_run_does_nothing_and_a_changed_zone_decodes_no_video(
    tiny: Path, tmp_path: Path, stressaxis: Command
) -> None:
    config, out = tiny / "experiment.yaml", tmp_path / "out"
    stressaxis("run", config, "--out", out)
    first, report = contents(out), (out / "report.html").stat().st_mtime_ns
    stressaxis("run", config, "--out", out)
    assert tasks(out) == {"done": 0, "reused": 24, "failed": 0}
    assert contents(out) == first
    assert (out / "report.html").stat().st_mtime_ns == report
    config.write_text(config.read_text().replace("behavior:\n", "behavior:\n  geometry: {zone_margin_cm: 6}\n"))
    stressaxis("run", config, "--out", out)
    # 8 recordings opened and 8 tracked before; 4 mice, the animals and both parts of the statistics are new.
    assert tasks(out) == {"done": 7, "reused": 17, "failed": 0}
    assert contents(out) != first


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 4])
def test_workers_and_order_of_files_do_not_change_a_byte(
    tiny: Path, tmp_path: Path, stressaxis: Command, workers: int
) -> None:
    stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "one", "--workers", 1)
    trials = (tiny / "trials.csv").read_text().splitlines(keepends=True)
    (tiny / "trials.csv").write_text("".join([trials[0], *trials[:0:-1]]))
    stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "two", "--workers", workers)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.slow
def test_a_failing_recording_is_reported_and_the_rest_goes_on(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    broken = tiny / "videos" / "m02_target.mp4"
    broken.unlink()
    broken.write_text("this is no video")
    said = stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "out")
    assert said.status == 1
    assert "m02_target.mp4" in said.out
    assert "Traceback" not in said.text
    animals = pd.read_csv(tmp_path / "out" / "tables" / "social_interaction.csv").set_index("subject")
    assert animals["si_ratio"].isna()["m02"]
    assert "trial_missing" in animals["note"]["m02"]
    trials = pd.read_csv(tmp_path / "out" / "tables" / "trials.csv")
    assert len(trials) == 7
    assert trials["iz_s"].notna().all()
    problems = pd.read_csv(tmp_path / "out" / "problems.csv")
    assert (problems["code"] == "cannot_read").sum() == 1


def test_another_run_on_the_same_folder_is_refused(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    from stressaxis.lock import only_run

    with only_run(tmp_path / "out" / ".work"):
        said = stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "out")
    assert said.status == 2
    assert "another run is working on this results folder" in said.err


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "whole")
    command = [sys.executable, "-m", "stressaxis", "run", str(tiny / "experiment.yaml"), "--out", str(tmp_path / "cut")]
    killed_with: list[int] = []
    for _ in range(4):
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
        # Not a glob over everything: folders of results being written vanish while it reads them.
        store = Store(tmp_path / "cut" / ".work" / "store")
        before = len(store.all_keys())
        while process.poll() is None and len(store.all_keys()) < before + 3:
            time.sleep(0.01)
        if process.returncode is not None:
            break  # a quick machine is done before the last kill
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        killed_with.append(len(store.all_keys()))
    assert killed_with[0] < 23
    stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "cut")
    assert tasks(tmp_path / "cut")["reused"] >= killed_with[-1]
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_a_report_is_made_again_if_it_was_not_finished_or_its_title_changed(
    tiny: Path, tmp_path: Path, stressaxis: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stressaxis.report import build

    config, out = tiny / "experiment.yaml", tmp_path / "out"
    stressaxis("run", config, "--out", out)
    made = build.build_report
    with monkeypatch.context() as patch:
        # A run that is killed while it writes the report: all is published, the old report is still there.
        (tiny / "videos" / "m02_target.mp4").unlink()
        patch.setattr(build, "build_report", _killed)
        with pytest.raises(RuntimeError, match="killed"):
            stressaxis("run", config, "--out", out)
    told: list[Path] = []
    monkeypatch.setattr(build, "build_report", lambda results, **how: (told.append(results), made(results, **how))[1])
    stressaxis("run", config, "--out", out)
    assert told == [out]
    stressaxis("run", config, "--out", out)
    assert told == [out]
    config.write_text(re.sub(r"title: '[^']*'", "title: Another", config.read_text()))
    stressaxis("run", config, "--out", out)
    assert told == [out, out]
    assert "Another" in (out / "report.html").read_text("utf-8")


def _killed(results: Path, **how: object) -> None:
    raise RuntimeError("killed")


@pytest.mark.slow
def test_what_people_keep_in_the_results_stays(tiny: Path, tmp_path: Path, stressaxis: Command) -> None:
    shutil.copytree(tiny / "truth", tmp_path / "out" / "tables" / "mine")
    stressaxis("run", tiny / "experiment.yaml", "--out", tmp_path / "out")
    assert (tmp_path / "out" / "tables" / "mine" / "trials.csv").exists()
