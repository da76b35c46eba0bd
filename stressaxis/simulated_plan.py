"""The plan of a simulated experiment: mice, arenas, trials, serum; everything but the pictures. Pure and quick."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from behavior.simulation.box_geometry import BoxGeometry
from behavior.simulation.looks import CONDITIONS
from behavior.simulation.render import RenderOptions, calibration
from proteomics.simulation.bead_panel import BeadPanelOptions, simulate_bead_panel
from proteomics.simulation.factor_model import SerumSimulation
from stressaxis.simulated_mice import MiceOptions, SimulatedMice, draw_mice

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExperimentOptions", "ExperimentPlan", "RenderJob", "plan_experiment"]

_WALLS = ("top", "left", "bottom", "right")
# Compressed as much as a surveillance camera does: a third of the time goes into the encoder.
_COMPRESSION = (("preset", "ultrafast"), ("qp", "26"), ("g", "60"), ("keyint_min", "15"))
_FIRST_DAY = dt.date(2026, 3, 10)
TRIALS = ("no_target", "target")


@dataclass(frozen=True, kw_only=True)
class ExperimentOptions:
    """Design of a simulated experiment.

    Attributes
    ----------
    correlation
        Planted correlation between the stress of a defeated mouse and each planted Th2 protein.
    n_defeated, n_control, n_cohorts
        Mice, dealt evenly over the cohorts.
    n_arenas, conditions, level
        Arenas (each with its own camera, light and wall of the enclosure), and the named conditions that they are
        given in turn.
    n_plates
        Assay plates; each holds mice of every cohort and group.
    window_s, after_s, fps, width_px, height_px
        Recordings.
    mice, panel
        Models of mice and serum; the panel's ``correlation`` is replaced by the one above.
    power_simulations
        Experiments drawn for the power of the planted association; 0, or fewer than 10 defeated mice: not computed.
    """

    correlation: float = 0.75
    n_defeated: int = 24
    n_control: int = 8
    n_cohorts: int = 2
    n_arenas: int = 4
    conditions: tuple[str, ...] = ("clean", "droppings", "reflections", "exposure_drift")
    level: str = "realistic"
    n_plates: int = 2
    window_s: float = 150.0
    after_s: float = 1.0
    fps: int = 15
    width_px: int = 480
    height_px: int = 360
    mice: MiceOptions = field(default_factory=MiceOptions)
    panel: BeadPanelOptions = field(default_factory=BeadPanelOptions)
    power_simulations: int = 1000

    def __post_init__(self) -> None:
        if not -1 <= self.correlation <= 1:
            raise ValueError(f"correlation must lie between -1 and 1, not {self.correlation}")
        if min(self.n_cohorts, self.n_arenas, self.n_plates) < 1:
            raise ValueError("an experiment has at least one cohort, one arena and one plate")
        if min(self.n_defeated, self.n_control) < self.n_cohorts:
            raise ValueError("every cohort needs a defeated and a control mouse")
        if unknown := sorted(set(self.conditions) - set(CONDITIONS)):
            raise ValueError(f"unknown condition {', '.join(unknown)}; known: {', '.join(CONDITIONS)}")
        if not self.conditions:
            raise ValueError("conditions is empty; name at least 'clean'")


@dataclass(frozen=True)
class RenderJob:
    """One recording to render: where it goes (relative names), and what it shows."""

    subject: str
    trial: str
    video: str
    options: RenderOptions
    seed: int

    @property
    def stem(self) -> str:
        """Name of the recording without its ending."""
        return Path(self.video).stem


@dataclass(frozen=True, eq=False)
class ExperimentPlan:
    """All of an experiment but the pictures.

    Attributes
    ----------
    subjects, trials, serum_samples
        The tables a laboratory keeps.
    serum
        Serum levels with their truth.
    latent
        Per subject: stress, avoidances.
    arenas
        Per arena: condition, wall, corners of floor and enclosure in px.
    jobs
        One per recording.
    options, seed
        What it was planned from.
    """

    subjects: pd.DataFrame
    trials: pd.DataFrame
    serum_samples: pd.DataFrame
    serum: SerumSimulation
    latent: pd.DataFrame
    arenas: pd.DataFrame
    jobs: tuple[RenderJob, ...]
    options: ExperimentOptions
    seed: int


def plan_experiment(options: ExperimentOptions | None = None, *, seed: int) -> ExperimentPlan:
    """Decide everything about a simulated experiment.

    The same options and seed give the same plan. Each mouse draws from a generator of its own.

    Examples
    --------
    >>> plan = plan_experiment(ExperimentOptions(n_defeated=4, n_control=2), seed=1)
    >>> len(plan.jobs), plan.subjects["group"].value_counts().to_dict()
    (12, {'defeated': 4, 'control': 2})
    """
    options = options or ExperimentOptions()
    subjects = _subjects(options, seed)
    mice = _mice(subjects, options, seed)
    arenas, arena_options = _arenas(options, seed)
    arena = _dealt(subjects, list(arenas["arena"]), _rng(seed, "arenas"))
    samples, serum = _serum(subjects, mice, options, seed)
    trials, jobs = _trials(subjects, mice, arena, arena_options, options, seed)
    import pandas as pd

    latent = pd.DataFrame(
        {
            "subject": subjects["subject"],
            "group": subjects["group"],
            "cohort": subjects["cohort"],
            "stress": mice.stress,
            "avoidance_no_target": mice.avoidance_no_target,
            "avoidance_target": mice.avoidance_target,
        }
    )
    return ExperimentPlan(subjects, trials, samples, serum, latent, arenas, jobs, options, seed)


def _words(text: str) -> list[int]:
    digest = hashlib.sha256(text.encode()).digest()
    return [int.from_bytes(digest[k : k + 4], "little") for k in range(0, 16, 4)]


def _rng(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *_words(name)])


def _subjects(options: ExperimentOptions, seed: int) -> pd.DataFrame:
    """Mice in an order that does not tell their group."""
    import pandas as pd

    rows = []
    for cohort in range(options.n_cohorts):
        groups = [
            group
            for group, total in (("defeated", options.n_defeated), ("control", options.n_control))
            for _ in range(total // options.n_cohorts + (cohort < total % options.n_cohorts))
        ]
        order = _rng(seed, f"cohort {cohort}").permutation(len(groups))
        rows += [(f"C{cohort + 1}", groups[k], cohort) for k in order]
    number = range(1, len(rows) + 1)
    return pd.DataFrame(
        {
            "subject": [f"m{n:02d}" for n in number],
            "sex": "male",
            "strain": "C57BL/6J",
            "cage": [f"cage {n:02d}" for n in number],
            "cohort": [row[0] for row in rows],
            "group": [row[1] for row in rows],
            "treatment": "none",
            "si_date": [(_FIRST_DAY + dt.timedelta(weeks=6 * row[2])).isoformat() for row in rows],
        }
    )


def _mice(subjects: pd.DataFrame, options: ExperimentOptions, seed: int) -> SimulatedMice:
    shift = {
        name: options.mice.cohort_sd * float(_rng(seed, f"shift {name}").standard_normal())
        for name in sorted(set(subjects["cohort"]))
    }
    drawn = [
        draw_mice(
            np.array([group == "defeated"]),
            cohort_shift=shift[cohort],
            rng=_rng(seed, f"mouse {subject}"),
            options=options.mice,
        )
        for subject, group, cohort in subjects[["subject", "group", "cohort"]].itertuples(index=False)
    ]
    return SimulatedMice(
        *(np.concatenate([getattr(mouse, name) for mouse in drawn]) for name in SimulatedMice.__dataclass_fields__)
    )


def _dealt(subjects: pd.DataFrame, names: Sequence[str], rng: np.random.Generator) -> list[str]:
    """A name for every subject, dealt evenly and at random within each cohort and group."""
    dealt = [""] * len(subjects)
    for _, rows in subjects.reset_index(drop=True).groupby(["cohort", "group"], sort=True):
        first = int(rng.integers(len(names)))
        for k, row in enumerate(rng.permutation(rows.index.to_numpy()).tolist()):
            dealt[row] = names[(first + k) % len(names)]
    return dealt


def _arenas(options: ExperimentOptions, seed: int) -> tuple[pd.DataFrame, dict[str, RenderOptions]]:
    """Each arena's camera, light, wall and condition, and where its floor and enclosure are seen."""
    import pandas as pd

    rows, by_name = [], {}
    for k in range(options.n_arenas):
        name, wall = f"arena_{k + 1}", _WALLS[k % len(_WALLS)]
        arena_seed = int(_rng(seed, name).integers(2**31))
        made = RenderOptions(
            geometry=BoxGeometry(enclosure_wall=wall),
            window_s=options.window_s,
            after_s=options.after_s,
            fps=options.fps,
            width_px=options.width_px,
            height_px=options.height_px,
            condition=options.conditions[k % len(options.conditions)],
            level=options.level,
            arena_seed=arena_seed,
            codec_options=_COMPRESSION,
        )
        by_name[name] = made
        corners, enclosure = calibration(made, arena_seed)
        places = {
            f"{what}_{axis}{i}": float(points[i, j])
            for what, points in (("floor", corners), ("enclosure", enclosure))
            for i in range(4)
            for j, axis in enumerate("xy")
        }
        rows.append({"arena": name, "condition": made.condition, "level": made.level, "wall": wall, **places})
    return pd.DataFrame(rows), by_name


def _serum(
    subjects: pd.DataFrame, mice: SimulatedMice, options: ExperimentOptions, seed: int
) -> tuple[pd.DataFrame, SerumSimulation]:
    """Samples numbered and plated at random, and their levels."""
    import pandas as pd

    rng = _rng(seed, "serum")
    plate = _dealt(subjects, [f"P{n + 1}" for n in range(options.n_plates)], rng)
    order = rng.permutation(len(subjects))
    sample = [""] * len(subjects)
    for number, row in enumerate(order.tolist(), start=1):
        sample[row] = f"S{number:03d}"
    bleed = [
        dt.datetime.combine(dt.date.fromisoformat(date) + dt.timedelta(days=1), dt.time(9))
        + dt.timedelta(minutes=4 * row)
        for row, date in enumerate(subjects["si_date"])
    ]
    table = pd.DataFrame(
        {
            "sample": sample,
            "subject": subjects["subject"],
            "bleed": [time.isoformat(timespec="minutes") for time in bleed],
            "plate": plate,
            "type": "sample",
        }
    ).sort_values("sample", ignore_index=True)
    table.insert(4, "well", [f"{'ABCDEFGH'[k % 8]}{k // 8 + 2}" for k in table.groupby("plate").cumcount()])
    row_of = subjects.reset_index().set_index("subject")["index"]
    rows = row_of[table["subject"]].to_numpy()
    panel = BeadPanelOptions(**{**vars(options.panel), "correlation": options.correlation})
    serum = simulate_bead_panel(
        samples=table["sample"].tolist(),
        latent=mice.stress[rows],
        group=subjects["group"].iloc[rows].tolist(),
        plate=table["plate"].tolist(),
        options=panel,
        seed=[seed, *_words("levels")],
    )
    return table, serum


def _trials(
    subjects: pd.DataFrame,
    mice: SimulatedMice,
    arena: Sequence[str],
    arena_options: dict[str, RenderOptions],
    options: ExperimentOptions,
    seed: int,
) -> tuple[pd.DataFrame, tuple[RenderJob, ...]]:
    """Both recordings of every mouse; one after another per cohort, the empty enclosure first."""
    import pandas as pd

    rows, jobs = [], []
    for k, (subject, date) in enumerate(subjects[["subject", "si_date"]].itertuples(index=False)):
        start = dt.datetime.combine(dt.date.fromisoformat(date), dt.time(10)) + dt.timedelta(minutes=8 * k)
        for n, trial in enumerate(TRIALS):
            avoidance = mice.avoidance_target[k] if n else mice.avoidance_no_target[k]
            video = f"videos/{subject}_{trial}.mp4"
            made = replace(
                arena_options[arena[k]],
                target=bool(n),
                avoidance=round(float(avoidance), 6),
                activity=options.mice.target_activity if n else 1.0,
            )
            jobs.append(RenderJob(subject, trial, video, made, int(_rng(seed, f"{subject} {trial}").integers(2**31))))
            recorded = (start + dt.timedelta(minutes=3 * n)).isoformat(timespec="minutes")
            rows.append((subject, trial, video, "", "", arena[k], recorded))
    columns = ["subject", "trial", "file", "start_s", "end_s", "arena", "recorded"]
    return pd.DataFrame(rows, columns=columns), tuple(jobs)
