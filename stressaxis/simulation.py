"""A whole simulated experiment with known truth: recordings, tables, serum and the config that runs them.

One latent stress value per defeated mouse drives its avoidance of the target, and so its SI ratio, and its Th2
proteins at a planted correlation. Planning is pure and quick; the recordings are separate jobs that any executor runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Executor
from os import PathLike
from pathlib import Path
from typing import Any

from behavior.simulation.render import render_trial
from proteomics.simulation.bead_panel import write_bead_table
from stressaxis.atomic import write_text
from stressaxis.simulated_mice import planted_power
from stressaxis.simulated_plan import TRIALS, ExperimentOptions, ExperimentPlan, RenderJob, plan_experiment

__all__ = [
    "ExperimentOptions",
    "ExperimentPlan",
    "RenderJob",
    "finish_experiment",
    "plan_experiment",
    "render_job",
    "simulate_experiment",
    "write_tables",
]

#: With fewer defeated mice there is no power to speak of, and the model may have no degrees of freedom.
_LEAST_FOR_POWER = 10


def write_tables(plan: ExperimentPlan, folder: str | PathLike[str]) -> Path:
    """Write everything but recordings into a folder: tables, serum, ``experiment.yaml``, ``simulated.json``, truth.

    Returns
    -------
    Path
        The experiment file.
    """
    folder = Path(folder)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    write_bead_table(plan.serum, folder / "serum.csv")
    tables = {
        "subjects": plan.subjects,
        "trials": plan.trials,
        "serum_samples": plan.serum_samples,
        "truth/latent": plan.latent,
        "truth/arenas": plan.arenas,
        "truth/proteins": plan.serum.truth,
    }
    for name, table in tables.items():
        write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "simulated.json", json.dumps(_statement(plan), indent=2) + "\n")
    write_text(folder / "experiment.yaml", _config(plan))
    return folder / "experiment.yaml"


def _statement(plan: ExperimentPlan) -> dict[str, Any]:
    """What the report says about a simulated experiment."""
    options = plan.options
    planted = ", ".join(options.panel.planted)
    stated: dict[str, Any] = {
        "planted_correlation": options.correlation,
        "planted_proteins": list(options.panel.planted),
        "power": None,
        "description": (
            f"Simulated data. In each of {options.n_defeated} defeated mice one stress value raises the avoidance of "
            f"the target and correlates {options.correlation:g} with the true level of {planted}; all other proteins "
            f"are unrelated to it. {options.n_control} controls have none."
        ),
    }
    if options.power_simulations and options.n_defeated >= _LEAST_FOR_POWER:
        power = planted_power(
            correlation=options.correlation,
            n_defeated=options.n_defeated,
            n_cohorts=options.n_cohorts,
            n_plates=options.n_plates,
            mice=options.mice,
            panel=options.panel,
            n_simulated=options.power_simulations,
            seed=plan.seed,
        )
        stated["power"] = round(power.protein, 3)
        stated["power_score"] = round(power.score, 3)
        stated["expected_partial_correlation"] = round(power.correlation, 3)
        stated["description"] += (
            f" In {power.n_simulated} experiments drawn from the same model without recordings, target time ~ marker + "
            f"no-target time + cohort + plate gave p < {power.alpha:g} for one planted protein in "
            f"{100 * power.protein:.0f} % and for the mean of the planted proteins in {100 * power.score:.0f} %."
        )
    return stated


def _config(plan: ExperimentPlan) -> str:
    """The experiment file."""
    import yaml

    arenas = {
        row["arena"]: {
            "corners_px": [[round(row[f"floor_x{i}"], 2), round(row[f"floor_y{i}"], 2)] for i in range(4)],
            "enclosure_wall": row["wall"],
        }
        for row in plan.arenas.to_dict("records")
    }
    window = {} if plan.options.window_s == 150 else {"scoring": {"window_s": plan.options.window_s}}
    config = {
        "schema": 1,
        "name": "simulated",
        "extends": "presets/csds-si",
        "seed": plan.seed,
        "subjects": "subjects.csv",
        "roles": {"control": ["control"], "defeated": ["defeated"]},
        "behavior": {"trials": "trials.csv", "arenas": arenas, **window},
        "serum": {"file": "serum.csv", "samples": "serum_samples.csv", "species": "mouse", "unit": "pg/mL"},
        "statistics": {"primary_outcome": "target_time", "th2_set": {"axis": "Th2"}},
        "report": {
            "title": "Th2 and susceptibility to social defeat: a simulated study",
            "description": "Simulated mice, recordings and serum with a planted correlation; "
            "nothing here was measured on an animal.",
        },
    }
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def render_job(job: RenderJob, folder: str | PathLike[str]) -> str:
    """Render one recording and write its truth: per frame (CSV) and in sum (JSON); gives the job's stem.

    A top-level function of plain values, for worker processes. Every file is there whole or not at all.
    """
    folder = Path(folder)
    for name in ("videos", "truth/frames", "truth/trials"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    truth = render_trial(folder / job.video, options=job.options, seed=job.seed)
    decimals = {str(name): 6 if name == "time_s" else 4 for name in truth.frames.select_dtypes("float")}
    frames = truth.frames.round(decimals)
    write_text(folder / "truth" / "frames" / f"{job.stem}.csv", frames.to_csv(index=False, lineterminator="\n"))
    scored = truth.frames["scored"]
    summary = {
        "subject": job.subject,
        "trial": job.trial,
        "file": job.video,
        "condition": truth.condition,
        "level": truth.level,
        "release_s": round(truth.release_s, 6),
        "window_s": truth.window_s,
        "iz_s": truth.iz_s,
        "corner_s": truth.corner_s,
        "frames": len(truth.frames),
        "scored_frames": int(scored.sum()),
    }
    write_text(folder / "truth" / "trials" / f"{job.stem}.json", json.dumps(summary, indent=2) + "\n")
    return job.stem


def finish_experiment(plan: ExperimentPlan, folder: str | PathLike[str]) -> None:
    """Gather the truth of all recordings: ``truth/trials.csv`` and ``truth/social_interaction.csv``.

    Raises
    ------
    FileNotFoundError
        A recording of the plan has not been rendered.
    """
    import pandas as pd

    truth = Path(folder) / "truth"
    rows = [json.loads((truth / "trials" / f"{job.stem}.json").read_text("utf-8")) for job in plan.jobs]
    trials = pd.DataFrame(rows)
    write_text(truth / "trials.csv", trials.to_csv(index=False, lineterminator="\n"))
    wide = trials.pivot(index="subject", columns="trial", values=["iz_s", "corner_s"])
    table = plan.latent.set_index("subject")[["group", "cohort", "stress"]].copy()
    for trial in TRIALS:
        table[f"iz_{trial}_s"], table[f"corner_{trial}_s"] = wide["iz_s"][trial], wide["corner_s"][trial]
    table["si_ratio"] = (table["iz_target_s"] / table["iz_no_target_s"]).where(table["iz_no_target_s"] > 0)
    classed = table["si_ratio"].map(lambda ratio: "SUS" if ratio < 1 else "RES", na_action="ignore")
    table["class"] = classed.where(table["group"] == "defeated", "").fillna("")
    write_text(truth / "social_interaction.csv", table.reset_index().to_csv(index=False, lineterminator="\n"))


def simulate_experiment(
    folder: str | PathLike[str],
    *,
    options: ExperimentOptions | None = None,
    seed: int,
    executor: Executor | None = None,
    progress: Callable[[str], None] | None = None,
) -> ExperimentPlan:
    """Plan an experiment, write its tables and render its recordings.

    Parameters
    ----------
    folder
        Folder to fill; made if it is not there. ``experiment.yaml`` in it runs the experiment.
    options, seed
        Design and seed; the same ones give the same files.
    executor
        Renders the recordings; without one they are rendered one after another.
    progress
        Told the name of each finished recording.
    """
    plan = plan_experiment(options, seed=seed)
    write_tables(plan, folder)
    if executor is None:
        done = (render_job(job, folder) for job in plan.jobs)
    else:
        futures = [executor.submit(render_job, job, folder) for job in plan.jobs]
        done = (future.result() for future in futures)
    for name in done:
        if progress is not None:
            progress(name)
    finish_experiment(plan, folder)
    return plan
