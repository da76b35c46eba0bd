"""Scores of serum handling as covariates of an experiment's models, without a column of the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from core.problems import Problem
from integration.association import AssociationOptions
from integration.cohort import CohortOptions
from proteomics.abundance import from_frame
from proteomics.differential import ModerationOptions
from stressaxis.stepfiles import read_problems
from stressaxis.steps.serum import ABUNDANCE, read_abundance
from stressaxis.steps.statistics import StatisticsPlan, analyse_cohort

MICE = [f"m{number:02d}" for number in range(24)]
RED_CELLS = ("Hba-a1", "Hbb-bs", "Car1", "Cat", "Prdx2")


@pytest.fixture
def serum(tmp_path: Path) -> Path:
    """Half of the mice bled badly: red cells leak, and Il6 with them; the outcome has nothing to do with Il6."""
    rng = np.random.default_rng(12)
    leak = np.tile([0.0, 3.0], 12)
    columns = {name: 10 + leak + rng.normal(0, 0.3, 24) for name in RED_CELLS}
    columns["Il6"] = 5 + leak + rng.normal(0, 0.3, 24)
    columns |= {f"P{number}": rng.normal(8, 1, 24) for number in range(12)}
    ds = from_frame(pd.DataFrame(columns, index=MICE), platform="ms", species="mouse", unit="log2")
    folder = tmp_path / "serum"
    folder.mkdir()
    ds.to_netcdf(folder / ABUNDANCE, engine="h5netcdf")
    return folder


def analysed(
    serum: Path,
    output: Path,
    covariates: Sequence[str] = (),
    terms: Sequence[str] = (),
    about: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, pd.DataFrame]:
    plan = StatisticsPlan(
        roles={"control": ["CON"], "defeated": ["SD"]}, species="mouse", joining=CohortOptions(),
        association=AssociationOptions(outcomes=("sucrose",), covariates=tuple(covariates), terms=tuple(terms)),
        moderation=ModerationOptions(),
    )  # fmt: skip
    rng = np.random.default_rng(3)
    subjects = [
        {"subject": name, "group": "CON" if at < 8 else "SD", "exclude": "", **(about or {}).get(name, {})}
        for at, name in enumerate(MICE)
    ]
    # The badly bled mice also drank less, for another reason.
    outcomes = [{"subject": name, "sucrose": 70 - 8 * (at % 2) + rng.normal(0, 3)} for at, name in enumerate(MICE)]
    parts: tuple[Literal["groups", "associations"], ...] = ("groups", "associations")
    for part in parts:
        (output / part).mkdir(parents=True)
        analyse_cohort(
            output / part, part=part,
            needs={"serum": serum}, plan=plan, subjects=subjects, samples=None, outcomes=outcomes,
        )  # fmt: skip
    return {path.stem: pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in output.glob("*/*.csv")}


def problems_of(output: Path) -> list[Problem]:
    """Those of both parts."""
    return [problem for part in output.iterdir() for problem in read_problems(part)]


@pytest.mark.slow
def test_haemolysis_as_covariate_takes_the_leak_out(serum: Path, tmp_path: Path) -> None:
    plain = analysed(serum, tmp_path / "plain")
    adjusted = analysed(serum, tmp_path / "adjusted", ["haemolysis_z"])
    rows = [t["association"].query("marker == 'Il6' and subset == 'defeated'").iloc[0] for t in (plain, adjusted)]
    assert rows[0]["p"] < 0.01 and rows[1]["p"] > 0.05
    assert "haemolysis_z" not in plain["cohort"]
    assert "preanalytical_erythrocyte" not in set(adjusted["association"]["marker"])
    levels = adjusted["markers"].set_index("subject")[list(RED_CELLS)]
    expected = ((levels - levels.mean()) / levels.std()).mean(axis=1)
    np.testing.assert_allclose(adjusted["cohort"].set_index("subject")["haemolysis_z"], expected, rtol=1e-9)


def test_a_score_without_members_is_refused_with_the_reason(serum: Path, tmp_path: Path) -> None:
    tables = analysed(serum, tmp_path / "out", ["platelet_z"])
    assert "association" not in tables
    told = {problem.where: problem.message for problem in problems_of(tmp_path / "out")}
    assert told["covariate platelet_z"].startswith("0 detected member(s) of preanalytical_platelet (none)")
    assert "covariate platelet_z is in no table" in told["association"]


@pytest.mark.slow
def test_as_a_term_it_enters_the_differences_of_proteins(serum: Path, tmp_path: Path) -> None:
    plain = analysed(serum, tmp_path / "plain")["differential_defeated_vs_control"].set_index("protein")
    adjusted = analysed(serum, tmp_path / "adjusted", terms=["haemolysis_z"])["differential_defeated_vs_control"]
    assert adjusted.set_index("protein").loc["Il6", "se"] < plain.loc["Il6", "se"] / 2


def test_a_contradicted_sex_is_told(serum: Path, tmp_path: Path) -> None:
    ds = read_abundance(serum)
    rng = np.random.default_rng(5)
    male = np.arange(24) % 3 == 0
    ds["abundance"].values[:, -1] = np.where(male, 12.0, 4.0) + rng.normal(0, 0.3, 24)
    ds["symbol"].values[-1] = "Mup20"
    ds.to_netcdf(tmp_path / ABUNDANCE, engine="h5netcdf")
    sexes = {name: {"sex": "F" if name == "m03" else "M" if male[at] else "F"} for at, name in enumerate(MICE)}
    analysed(tmp_path, tmp_path / "out", about=sexes)
    told = [each for each in problems_of(tmp_path / "out") if each.code == "swap_suspect"]
    assert [each.where for each in told] == ["sample m03"]
