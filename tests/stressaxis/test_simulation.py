"""The simulated experiment: design, tables, truth, power of what is planted."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import configs
from behavior.simulation import simulate_paths, zone_seconds
from configs.tables import read_tables
from stressaxis.simulated_mice import MiceOptions, _marker_test, draw_mice, planted_power
from stressaxis.simulation import (
    ExperimentOptions,
    finish_experiment,
    plan_experiment,
    render_job,
    simulate_experiment,
    write_tables,
)

SMALL = ExperimentOptions(
    n_defeated=2, n_control=2, window_s=3, width_px=240, height_px=180, n_arenas=2, n_plates=1, conditions=("clean",)
)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    told = []
    with ThreadPoolExecutor(2) as executor:
        plan = simulate_experiment(folder, options=SMALL, seed=3, executor=executor, progress=told.append)
    return folder, plan, told


def test_experiment_file_and_tables_are_accepted_as_any_laboratorys(small):
    folder, plan, told = small
    experiment = configs.load(folder / "experiment.yaml")
    tables = read_tables(experiment)
    assert not tables.problems
    assert set(tables.trials["file"]) == {job.video for job in plan.jobs}
    assert all((folder / job.video).stat().st_size > 1000 for job in plan.jobs)
    assert sorted(told) == sorted(job.stem for job in plan.jobs)


def test_truth_in_sum_follows_from_truth_per_frame(small):
    """Zone seconds of truth/trials.csv and the ratios, counted again from the frames of truth/frames."""
    folder, plan, _ = small
    trials = pd.read_csv(folder / "truth" / "trials.csv").set_index(["subject", "trial"])
    ratios = pd.read_csv(folder / "truth" / "social_interaction.csv").set_index("subject")
    for job in plan.jobs:
        frames = pd.read_csv(folder / "truth" / "frames" / f"{job.stem}.csv")
        counted = (frames["in_zone"] & frames["scored"]).sum() / 15
        assert trials.loc[(job.subject, job.trial), "iz_s"] == pytest.approx(counted, abs=1 / 15 + 1e-6)
        assert frames["scored"].sum() == 45
    for subject, row in ratios.iterrows():
        empty, target = (trials.loc[(subject, trial), "iz_s"] for trial in ("no_target", "target"))
        if empty > 0:
            assert row["si_ratio"] == pytest.approx(target / empty)
        else:
            assert np.isnan(row["si_ratio"])


def test_arena_corners_in_the_config_are_those_of_the_recordings(small):
    folder, plan, _ = small
    experiment = configs.load(folder / "experiment.yaml")
    from behavior.simulation import render_trial

    job = plan.jobs[0]
    arena = plan.trials.set_index("file").loc[job.video, "arena"]
    truth = render_trial(folder / "again.mp4", options=job.options, seed=job.seed)
    (folder / "again.mp4").unlink()
    np.testing.assert_allclose(experiment.behavior.arenas[arena].floor_corners_px, truth.corners_px, atol=0.006)


def test_same_seed_same_files_with_or_without_executor(small, tmp_path):
    folder, plan, _ = small
    write_tables(plan, tmp_path)
    render_job(plan.jobs[1], tmp_path)
    for name in ("serum.csv", "experiment.yaml", plan.jobs[1].video, f"truth/frames/{plan.jobs[1].stem}.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_unrendered_recordings_are_not_passed_over(small, tmp_path):
    folder, plan, _ = small
    shutil.copytree(folder / "truth", tmp_path / "truth")
    (tmp_path / "truth" / "trials" / f"{plan.jobs[0].stem}.json").unlink()
    with pytest.raises(FileNotFoundError, match=plan.jobs[0].stem):
        finish_experiment(plan, tmp_path)


def test_design_is_balanced():
    """Groups, plates and arenas cross; ids do not tell the group; one arena for both trials of a mouse."""
    plan = plan_experiment(seed=1)
    subjects = plan.subjects.set_index("subject")
    assert subjects.groupby(["cohort", "group"]).size().to_dict() == {
        ("C1", "control"): 4,
        ("C1", "defeated"): 12,
        ("C2", "control"): 4,
        ("C2", "defeated"): 12,
    }
    arena = plan.trials.groupby("subject")["arena"].agg(["nunique", "first"])
    assert (arena["nunique"] == 1).all()
    crossed = pd.crosstab([subjects["cohort"], subjects["group"]], arena["first"])
    assert (crossed.max(axis=1) - crossed.min(axis=1) <= 1).all()
    samples = plan.serum_samples.set_index("subject")
    plates = pd.crosstab([subjects["cohort"], subjects["group"]], samples["plate"])
    assert (plates.max(axis=1) - plates.min(axis=1) <= 1).all()
    assert samples["sample"].is_unique
    assert not plan.serum_samples.duplicated(["plate", "well"]).any()
    order = (subjects["group"] == "defeated").to_numpy()
    assert (np.diff(order.astype(int)) != 0).sum() > 6


def test_plan_depends_on_the_seed_alone():
    first, again, other = (plan_experiment(seed=seed) for seed in (1, 1, 2))
    assert first.jobs == again.jobs
    pd.testing.assert_frame_equal(first.serum.measured, again.serum.measured)
    assert first.jobs != other.jobs


def test_serum_rows_carry_their_own_mouse():
    """The planted proteins follow the stress of the sample's mouse, over many mice."""
    options = ExperimentOptions(n_defeated=400, n_control=4, n_plates=4, correlation=0.8, n_arenas=1)
    plan = plan_experiment(options, seed=2)
    stress = plan.latent.set_index("subject")["stress"]
    of_sample = plan.serum_samples.set_index("sample")["subject"].map(stress)
    levels = plan.serum.biological.loc[of_sample.index]
    defeated = of_sample.notna()
    assert levels.loc[defeated, "Il13"].corr(of_sample[defeated]) == pytest.approx(0.8, abs=0.06)
    assert abs(levels.loc[defeated, "Il6"].corr(of_sample[defeated])) < 0.15


@pytest.mark.slow
def test_groups_are_those_of_the_field():
    """Controls and defeated males of 761 mice: SI 1.62 (SD .52) and .94 (SD .56), 9 % and 57 % below 1."""
    options, rng = MiceOptions(), np.random.default_rng(4)
    found = {}
    for defeated in (False, True):
        mice = draw_mice(np.full(500, defeated), cohort_shift=0.09 * rng.standard_normal(500), rng=rng, options=options)
        empty = zone_seconds(simulate_paths(mice.avoidance_no_target, duration_s=150, rng=rng))
        target = zone_seconds(
            simulate_paths(mice.avoidance_target, duration_s=150, rng=rng, activity=np.full(500, 0.85))
        )
        ratio = target / np.maximum(empty, 1)
        found[defeated] = ratio.mean(), ratio.std(), (ratio < 1).mean(), empty.mean(), target.mean(), target.std()
    control, defeated = found[False], found[True]
    assert control == pytest.approx((1.60, 0.52, 0.10, 61, 90, 20), rel=0.18, abs=0.05)
    assert defeated == pytest.approx((0.94, 0.56, 0.57, 61, 54.5, 30), rel=0.15, abs=0.05)


def test_marker_test_is_the_regression_of_statsmodels():
    rng = np.random.default_rng(5)
    n = 24
    cohort, plate = np.arange(n) % 2, (np.arange(n) // 2) % 2
    target, marker, empty = rng.normal(50, 20, n), rng.standard_normal(n), rng.normal(60, 15, n)
    nuisance = np.column_stack([np.eye(2)[cohort], np.eye(2)[plate][:, 1:]])
    p, partial = _marker_test(target[None], marker[None], empty[None], nuisance)
    table = pd.DataFrame({"y": target, "m": marker, "nt": empty, "cohort": cohort, "plate": plate})
    fit = smf.ols("y ~ m + nt + C(cohort) + C(plate)", table).fit()
    assert p[0] == pytest.approx(fit.pvalues["m"], rel=1e-9)
    assert partial[0] == pytest.approx(fit.tvalues["m"] / np.sqrt(fit.tvalues["m"] ** 2 + fit.df_resid), rel=1e-9)


@pytest.mark.slow
def test_power_is_the_level_without_and_grows_with_the_correlation():
    power = [planted_power(correlation=r, n_simulated=500, seed=1) for r in (0.0, 0.4, 0.75)]
    assert power[0].protein == pytest.approx(0.05, abs=0.015)
    assert power[0].protein < power[1].protein < power[2].protein
    assert power[2].protein > 0.7
    assert power[2].score >= power[2].protein
    assert power[2].correlation < -0.4
    small = planted_power(correlation=0.75, n_defeated=12, n_simulated=500, seed=1)
    assert small.protein < power[2].protein


def test_what_the_report_is_told(tmp_path):
    plan = plan_experiment(ExperimentOptions(power_simulations=100), seed=1)
    write_tables(plan, tmp_path)
    stated = json.loads((tmp_path / "simulated.json").read_text("utf-8"))
    assert stated["planted_correlation"] == 0.75
    assert 0.6 < stated["power"] < 1
    assert "one stress value" in stated["description"]
    few = plan_experiment(SMALL, seed=1)
    write_tables(few, tmp_path)
    assert json.loads((tmp_path / "simulated.json").read_text("utf-8"))["power"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"correlation": 2.0}, "correlation must lie between -1 and 1"),
        ({"n_control": 1}, "every cohort needs a defeated and a control mouse"),
        ({"conditions": ("fog",)}, "unknown condition fog"),
        ({"conditions": ()}, "conditions is empty"),
        ({"n_plates": 0}, "at least one cohort"),
    ],
)
def test_impossible_designs(changes, message):
    with pytest.raises(ValueError, match=message):
        ExperimentOptions(**changes)


def test_too_few_mice_for_power():
    with pytest.raises(ValueError, match="6 mice are too few"):
        planted_power(correlation=0.5, n_defeated=6)
