"""The demonstration: a simulated experiment rendered to recordings, then run as any other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from stressaxis.atomic import write_text
from stressaxis.engine import Outcome, Task
from stressaxis.executors import Workers
from stressaxis.fingerprint import code_fingerprint, digest
from stressaxis.progress import RunProgress
from stressaxis.run import RunOutcome, run_experiment
from stressaxis.system_libraries import check_system_libraries

if TYPE_CHECKING:
    from stressaxis.simulated_plan import ExperimentPlan, RenderJob

__all__ = ["DEMO_SEED", "demo_plan", "run_demo", "simulate_demo"]

#: Fixed before any result of it was looked at.
DEMO_SEED = 20261105


def demo_plan(*, seed: int = DEMO_SEED, small: bool = False) -> ExperimentPlan:
    """The demo's experiment: 24 defeated and 8 control mice, or with ``small`` 6 and 4 with trials of 20 s."""
    from stressaxis.simulation import ExperimentOptions, plan_experiment

    options = ExperimentOptions(n_defeated=6, n_control=4, window_s=20.0) if small else ExperimentOptions()
    return plan_experiment(options, seed=seed)


def run_demo(out: Path, *, small: bool, workers: int | None, console: Console) -> RunOutcome:
    """Render the demo's recordings into ``out/data`` and run its experiment into ``out``."""
    import configs

    data = out / "data"
    experiment = simulate_demo(data, seed=DEMO_SEED, small=small, workers=workers, console=console)
    # The small demo differs from the shipped one in its mice and the length of its trials.
    config = experiment if small else Path(str(configs.__file__)).with_name("demo.yaml")
    return run_experiment(config, data_dir=data, out=out, workers=workers, console=console)


def simulate_demo(folder: Path, *, seed: int, small: bool, workers: int | None, console: Console) -> Path:
    """Fill a folder with a simulated experiment; recordings rendered before are kept. Returns its config."""
    check_system_libraries()
    from stressaxis.simulation import finish_experiment, write_tables

    plan = demo_plan(seed=seed, small=small)
    config = write_tables(plan, folder)
    with Workers(workers) as pool:
        _render(plan.jobs, folder, pool, console)
    finish_experiment(plan, folder)
    return config


def _render(jobs: Sequence[RenderJob], folder: Path, workers: Workers, console: Console) -> None:
    from stressaxis.simulation import render_job

    waiting = [job for job in jobs if not _is_rendered(job, folder)]
    tasks = {job.stem: Task(id=job.stem, function="stressaxis.simulation:render_job") for job in waiting}
    futures: list[tuple[RenderJob, Future[str]]] = [(job, workers.submit(render_job, job, folder)) for job in waiting]
    with RunProgress(tasks.values(), title="rendering recordings", console=console) as progress:
        for job, future in futures:
            future.result()
            write_text(_mark(job, folder), _job_digest(job))
            progress.ended(Outcome(tasks[job.stem], "done", ""))


def _mark(job: RenderJob, folder: Path) -> Path:
    return folder / ".rendered" / job.stem


def _is_rendered(job: RenderJob, folder: Path) -> bool:
    mark = _mark(job, folder)
    return (folder / job.video).is_file() and mark.is_file() and mark.read_text("utf-8") == _job_digest(job)


def _job_digest(job: RenderJob) -> str:
    return digest([job, code_fingerprint("stressaxis.simulation", ("behavior.simulation",))])
