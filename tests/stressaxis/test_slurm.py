"""The same bytes from jobs of a SLURM cluster: one node on this machine, where Debian's packages are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stressaxis.conftest import Command
from tests.stressaxis.test_run import contents

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "stressaxis" / "slurm_node.sh"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A SLURM cluster of this machine alone."""
    if not all(shutil.which(command) for command in ("sbatch", "slurmctld", "slurmd", "munge")):
        pytest.skip("SLURM is not installed (apt-get install slurm-wlm munge)")
    if os.geteuid() != 0:
        pytest.skip("starting a SLURM node needs root")
    folder = tmp_path / "slurm"
    started = subprocess.run(["sh", SCRIPT, "start", folder], capture_output=True, text=True, timeout=120)
    if started.returncode:
        pytest.skip(f"SLURM does not start on this machine: {started.stderr.strip()[-300:]}")
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    yield folder
    subprocess.run(["sh", SCRIPT, "stop", folder], check=True, timeout=60)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::Warning:distributed", "ignore::ResourceWarning")
def test_jobs_of_a_slurm_cluster_give_the_same_bytes(
    slurm: Path, tiny: Path, tmp_path: Path, stressaxis: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dask_jobqueue")
    config = tiny / "experiment.yaml"
    assert stressaxis("run", config, "--out", tmp_path / "here").status == 0
    asked = f"{{kind: slurm, queue: short, jobs: 2, memory: 2GB, environment: ['export PYTHONPATH={ROOT}']}}"
    config.write_text(f"{config.read_text()}\nengine: {asked}\n")
    monkeypatch.chdir(tmp_path)
    said = stressaxis("run", config, "--out", "there")
    assert said.status == 0, said.text
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    assert list((tmp_path / "there" / ".work" / "jobs").glob("*.out"))
    assert not list(tmp_path.glob("slurm-*.out"))
