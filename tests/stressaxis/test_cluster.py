"""The same results from a Dask cluster; what a cluster lacks is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.errors import InputError
from stressaxis.executors import cluster_workers, slurm_workers
from tests.stressaxis.conftest import Command
from tests.stressaxis.test_run import contents


def test_without_the_extra_or_slurm_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from configs.schema import Engine

    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"sbatch|extra 'cluster'"):
        slurm_workers(Engine(kind="slurm"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"stressaxis\[cluster\]"):
        cluster_workers("tcp://127.0.0.1:1")


def test_the_engine_of_a_config(tiny: Path) -> None:
    import configs

    config = tiny / "experiment.yaml"
    text = config.read_text()
    config.write_text(text + "\nengine: slurm\n")
    assert configs.load(config).engine.kind == "slurm"
    config.write_text(text + "\nengine: {kind: slurm, queue: short, jobs: 8, environment: [module load python]}\n")
    engine = configs.load(config).engine
    assert (engine.queue, engine.jobs, engine.environment) == ("short", 8, ("module load python",))
    config.write_text(text + "\nengine: pbs\n")
    with pytest.raises(InputError, match="slurm"):
        configs.load(config)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::Warning:distributed", "ignore::ResourceWarning")
def test_a_dask_cluster_gives_the_same_bytes(
    tiny: Path, tmp_path: Path, stressaxis: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    config = tiny / "experiment.yaml"
    assert stressaxis("run", config, "--out", tmp_path / "here").status == 0
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        said = stressaxis("run", config, "--out", tmp_path / "there", "--scheduler", cluster.scheduler_address)
    assert said.status == 0, said.text
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
