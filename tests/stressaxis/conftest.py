"""A tiny simulated experiment, rendered once, that tests copy and break."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from stressaxis import executors
from stressaxis.cli import main
from stressaxis.simulation import ExperimentOptions, simulate_experiment


@dataclass
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


Command = Callable[..., Said]


@pytest.fixture
def stressaxis(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command ``stressaxis`` with arguments, in this process; so do its workers unless their number is given.

    Processes would load every library again for each small run: two thirds of its time.
    """

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        status = 0
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["stressaxis", *map(str, arguments)])
            if "--workers" not in arguments:
                patch.setattr(executors.Workers, "_local", lambda workers: ThreadPoolExecutor(1))
                patch.setattr(executors, "machine_memory", lambda: None)
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        captured = capsys.readouterr()
        return Said(status, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def tiny_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two controls and two defeated mice, trials of 6 s, with serum."""
    folder = tmp_path_factory.mktemp("tiny")
    options = ExperimentOptions(n_defeated=2, n_control=2, n_arenas=2, window_s=6.0, n_plates=1)
    simulate_experiment(folder, options=options, seed=7)
    return folder


@pytest.fixture
def tiny(tiny_master: Path, tmp_path: Path) -> Path:
    """A copy of the tiny experiment; recordings are linked, so replace a file, do not write into it."""
    folder = tmp_path / "experiment"
    shutil.copytree(tiny_master, folder, copy_function=os.link)
    for name in ("experiment.yaml", "subjects.csv", "trials.csv", "serum_samples.csv", "serum.csv"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / name).write_bytes(content)
    return folder
