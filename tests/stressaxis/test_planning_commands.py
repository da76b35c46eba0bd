"""The commands ``power`` and ``randomise``."""

from __future__ import annotations

import pandas as pd
import pytest

from integration.planning import AssociationDesign, association_power
from tests.stressaxis.conftest import Command


def test_power_prints_the_table_with_its_interval(stressaxis: Command, tmp_path):
    said = stressaxis(
        "power", "association", "--correlation", 0.5, "--n", 30, "--n", 20, "--runs", 300, "--out", tmp_path / "p.csv"
    )
    found = association_power(AssociationDesign(n=30, correlation=0.5), runs=300, seed=0)
    assert f"n = 30: power {found.power:.3f} (95 % interval {found.ci_low:.3f} to {found.ci_high:.3f})" in said.out
    assert "Monte Carlo, 300 simulated studies per row, seed 0" in said.out
    table = pd.read_csv(tmp_path / "p.csv")
    assert table["n"].tolist() == [20, 30]
    assert table["correlation"].tolist() == [0.5, 0.5]


def test_power_of_a_group_difference_and_of_a_trial(stressaxis: Command):
    said = stressaxis("power", "si-effect", "--difference-s", 45, "--n", 16, "--cohorts", 2, "--runs", 300)
    assert "mice per group" in said.out and "16 is the least n here" in said.out
    said = stressaxis("power", "trial", "--effect", 0.4, "--enrichment", 0.3, "--n", 80, "--runs", 300)
    assert "patients per arm" in said.out
    said = stressaxis("power", "association", "--correlation", 0.5, "--markers", 5, "--n", 30, "--runs", 200)
    assert "by q in the set" in said.out


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["association"], "association needs --correlation"),
        (["trial", "--effect", "0.4", "--markers", "3"], "n_markers means nothing for trial"),
        (["association", "--correlation", "1.5", "--runs", "100"], "this design is not possible: correlation is 1.5"),
        (["si-effect", "--difference-s", "10", "--n", "2", "--cohorts", "2"], "leave nothing to test"),
    ],
)
def test_impossible_designs_end_in_one_message(stressaxis: Command, arguments, match):
    said = stressaxis("power", *arguments)
    assert said.status == 2
    assert match in said.err


def mice(folder, n=16):
    table = pd.DataFrame(
        {
            "subject": [f"{i:03d}" for i in range(n)],
            "group": ["CON", "CSDS"] * (n // 2),
            "cohort": ["a"] * (n // 2) + ["b"] * (n // 2),
        }
    )
    table.to_csv(folder / "mice.csv", index=False)
    return folder / "mice.csv"


def test_randomise_writes_the_allocation_with_its_seed(stressaxis: Command, tmp_path):
    file = mice(tmp_path)
    said = stressaxis(
        "randomise", file, "--arm", "vehicle", "--arm", "anti-IL-4Ra", "--seed", 7, "--out", tmp_path / "a.csv"
    )
    assert said.status == 0, said.err
    made = pd.read_csv(tmp_path / "a.csv", dtype={"subject": str})
    assert made["subject"].tolist()[0] == "000"
    assert (made["seed"] == 7).all()
    assert pd.crosstab(made["arm"], [made["group"], made["cohort"]]).to_numpy().tolist() == [[2] * 4, [2] * 4]
    assert "group (vehicle / anti-IL-4Ra): CON 4 / 4, CSDS 4 / 4" in said.out
    assert "no such column: cage, sex" in said.out
    again = stressaxis(
        "randomise", file, "--arm", "vehicle", "--arm", "anti-IL-4Ra", "--seed", 7, "--out", tmp_path / "b.csv"
    )
    assert again.status == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--arm", "a", "--arm", "b", "--out", "{d}/mice.csv"], "an allocation is made once"),
        (["--arm", "a", "--out", "{d}/o.csv"], "arms must be two or more different names"),
        (["--arm", "a", "--arm", "b", "--out", "{d}/o.csv", "--subject-column", "id"], "no column id"),
    ],
)
def test_mistakes_end_in_one_message(stressaxis: Command, tmp_path, arguments, match):
    said = stressaxis(
        "randomise", mice(tmp_path), "--seed", 1, *(each.replace("{d}", str(tmp_path)) for each in arguments)
    )
    assert said.status == 2
    assert match in said.err
