"""The source study on simulated people and mice: what is planted is in the data, and its report says what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import configs
from configs.tables import read_tables
from core.errors import ConfigError
from stressaxis.report.build import build_report
from stressaxis.report.results import Results, read_results
from stressaxis.report.statement import statement
from stressaxis.simulated_study import StudyOptions, description, simulate_mice, simulate_people, write_study
from stressaxis.source_study import study_config
from tests.stressaxis.conftest import Command


def mean_shift(people, group, proteins):
    """Mean difference to the healthy in SD of the protein, over proteins."""
    first = people.samples[people.samples["group"] != ""].set_index("sample")["group"]
    z = people.levels[proteins] / people.truth.set_index("protein").loc[proteins, "sd_npx"]
    return float((z.loc[first.index[first == group]].mean() - z.loc[first.index[first == "HC"]].mean()).mean())


@pytest.fixture(scope="module")
def people():
    return simulate_people(seed=5)


TH2 = ["CCL17", "CCL13", "CCL22", "CCL24", "CCL26", "CCL18", "CCL11", "IL5", "IL13", "IL4"]


def test_the_study_has_the_sizes_of_the_source(people):
    first = people.samples[people.samples["group"] != ""]
    assert first["group"].value_counts().to_dict() == {"HC": 32, "AD": 30, "MDD": 25, "psoriasis": 21}
    assert people.levels.shape[1] == 363
    assert people.truth.groupby("panel").size().tolist() == [91, 91, 91, 90]
    after = people.samples.query("time == 'after'")
    assert after["drug"].value_counts().to_dict() == {
        "dupilumab": 14, "anti-IL-17A": 11, "anti-TNF": 10, "ciclosporin": 8, "placebo": 8,
    }  # fmt: skip
    assert after.merge(first, on="subject")["plate_x"].eq(after.merge(first, on="subject")["plate_y"]).all()


def test_planted_shifts_are_in_the_levels(people):
    assert mean_shift(people, "MDD", TH2) == pytest.approx(0.8, abs=0.25)
    assert mean_shift(people, "AD", TH2) == pytest.approx(1.0, abs=0.25)
    assert mean_shift(people, "psoriasis", TH2) == pytest.approx(0.0, abs=0.25)


def test_drugs_do_what_is_stated(people):
    truth = people.truth.set_index("protein")
    assert truth.loc["CCL17", "drug_dupilumab_sd"] == pytest.approx(-0.8 * truth.loc["CCL17", "shift_AD_sd"])
    assert truth.loc["IL4", "drug_dupilumab_sd"] == pytest.approx(0.8 - 0.8 * truth.loc["IL4", "shift_AD_sd"])
    assert (truth["drug_placebo_sd"] == 0).all()
    rows = people.samples.query("drug == 'dupilumab'").pivot(index="subject", columns="time", values="sample")
    change = people.levels.loc[rows["after"]].to_numpy() - people.levels.loc[rows["before"]].to_numpy()
    planted = truth["drug_dupilumab_sd"].to_numpy()
    found = change.mean(axis=0) / truth["sd_npx"].to_numpy()
    assert np.polyfit(planted, found, 1)[0] == pytest.approx(1, abs=0.2)


def test_two_visits_of_a_person_correlate_as_planted():
    big = simulate_people(StudyOptions(planted=False), seed=6)
    rows = big.samples[big.samples["drug"] != ""].pivot(index="subject", columns="time", values="sample")
    z = (big.levels - big.levels.mean()) / big.levels.std()
    r = (z.loc[rows["before"]].to_numpy() * z.loc[rows["after"]].to_numpy()).mean()
    # .7 of the biological variance, less what plates and assay add to each visit and what age and sex add to both
    assert 0.6 < r < 0.75


def test_nothing_planted_is_nothing():
    null = simulate_people(StudyOptions(planted=False), seed=5)
    shifts = null.truth.filter(regex="^(shift|drug)_")
    assert (shifts == 0).all(axis=None)
    assert "Nothing is planted" in description(StudyOptions(planted=False))


@pytest.mark.slow
def test_mice_avoid_less_under_the_antibody_only_if_planted():
    def target(planted):
        tables = [simulate_mice(StudyOptions(planted=planted, mice_per_cell=24), seed=4)][0]
        both = tables[0].merge(tables[1], on="subject")
        return both.groupby(["group", "treatment"])["target_zone_s"].mean()

    found, null = target(True), target(False)
    assert found["defeated", "anti-IL-4Ra"] - found["defeated", "isotype"] > 15
    assert abs(null["defeated", "anti-IL-4Ra"] - null["defeated", "isotype"]) < 18
    assert null["control"].mean() - null["defeated"].mean() > 20, "defeat itself makes mice avoid"


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"retest": 1.0}, "retest"),
        ({"n_hc": 2}, "at least 4"),
        ({"n_proteins": 100}, "planted ones alone"),
        ({"n_ad": 10}, "30 patients are treated"),
    ],
)
def test_impossible_studies_are_refused(more, match):
    with pytest.raises(ValueError, match=match):
        StudyOptions(**more)


def test_the_same_seed_gives_the_same_study(people):
    again = simulate_people(seed=5)
    pd.testing.assert_frame_equal(people.levels, again.levels)
    pd.testing.assert_frame_equal(people.samples, again.samples)
    assert not people.levels.equals(simulate_people(seed=6).levels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("study")
    write_study(place, options=StudyOptions(mice_per_cell=4))
    return place


@pytest.mark.parametrize("planted", [True, False])
def test_the_shipped_configs_are_right(planted, folder):
    experiment = configs.load(study_config(planted=planted), data_dir=folder)
    assert experiment.people.questions.diseases == ("MDD", "AD", "psoriasis")
    assert experiment.statistics.treatment.reference == "isotype"
    assert experiment.seed == 20261106
    assert len(read_tables(experiment).people_samples) == 159


def test_mistakes_in_the_table_of_people_are_told_with_their_line(folder, tmp_path):
    config = tmp_path / "study.yaml"
    config.write_text(study_config(planted=True).read_text("utf-8").replace("HC", "healthy").replace("bmi", "weight"))
    with pytest.raises(ConfigError) as caught:
        read_tables(configs.load(config, data_dir=folder))
    assert "no sample is in group 'healthy'" in str(caught.value)
    assert "no column 'weight'" in str(caught.value)
    config.write_text(study_config(planted=True).read_text("utf-8").replace("score: spearman", "score: gsea"))
    with pytest.raises(ConfigError, match=r"found .gsea., expected one of spearman"):
        configs.load(config, data_dir=folder)


def quick_config(folder, *, planted):
    """The shipped config with few resamplings."""
    text = study_config(planted=True).read_text("utf-8")
    config = yaml.safe_load(text)
    config["people"]["questions"] |= {
        "n_permutations": 199,
        "n_splits": 10,
        "n_bootstrap": 20,
        "reversed_diseases": ["MDD"],
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return folder / "study.yaml"


def run(stressaxis: Command, folder: Path, *, planted: bool) -> Results:
    said = stressaxis("simulate", folder, "--study", "source" if planted else "source-null")
    assert said.status == 0, said.err
    said = stressaxis(
        "run", quick_config(folder, planted=planted), "--data", folder, "--out", folder / "out", "--workers", 1
    )
    assert said.status == 0, said.err
    return read_results(folder / "out")


@pytest.mark.slow
def test_the_report_reads_like_the_study(stressaxis: Command, tmp_path):
    results = run(stressaxis, tmp_path, planted=True)
    said = statement(results)
    assert said[0] == (
        "Shown: a Th2 skew shared by MDD and AD; reversal of the MDD profile by dupilumab, first of 5 drugs; less "
        "avoidance in defeated mice under anti-IL-4Ra."
    )
    page = (results.folder / "report.html").read_text("utf-8")
    order = ["Serum profiles of people", "Th2 skew by disease", "How alike the profiles are", "Drugs that move a profile back",
             "Mouse check: treatment and defeat"]  # fmt: skip
    places = [page.index(f"<h2>{title}</h2>") for title in order]
    assert places == sorted(places)
    assert "Planted: Th2 proteins 0.8 SD higher in MDD" in page
    assert "without IL4, IL13, IL4R" in page


@pytest.mark.slow
def test_the_null_report_says_that_nothing_is_shown(stressaxis: Command, tmp_path):
    results = run(stressaxis, tmp_path, planted=False)
    said = statement(results)
    assert said[0].startswith("No Th2 skew shared by MDD and AD, no reversal of the MDD profile by any drug")
    assert said[0].endswith("is shown.")
    assert "Shown:" not in " ".join(said)
    assert "Nothing is planted" in (results.folder / "report.html").read_text("utf-8")


def made(tmp_path, *, p=0.001, p_max=0.001, interaction=0.001):
    """A results folder with the least that the chain needs."""
    tables = tmp_path / "tables"
    tables.mkdir()
    (tmp_path / "provenance.json").write_text("{}")
    pd.DataFrame({"group": ["HC", "MDD", "AD"], "n": [9, 8, 7], "treated_later": ""}).to_csv(
        tables / "people_groups.csv", index=False
    )
    skew = pd.DataFrame({"disease": ["MDD", "AD"], "reference": "HC", "axis": "th2_skew", "n": 17, "n_1": 8, "n_0": 9, "estimate": 1.0,
                         "ci_low": 0.5, "ci_high": 1.5, "p": p})  # fmt: skip
    skew.to_csv(tables / "people_skew.csv", index=False)
    drugs = pd.DataFrame({"disease": "MDD", "drug": ["x", "y"], "variant": "all proteins", "score": "spearman", "n_pairs": 6,
                          "n_case": 8, "n_control": 9, "n_shared": 0, "observed": [-0.5, 0.1], "estimate": [-0.5, 0.1], "ci_low": [-0.7, -0.2],
                          "ci_high": [-0.2, 0.4], "p": [p_max, 0.8], "p_max": [p_max, 0.9], "note": ""})  # fmt: skip
    drugs.to_csv(tables / "people_reversal.csv", index=False)
    mice = pd.DataFrame({"outcome": "target_time", "kind": "outcome", "term": ["interaction", "in defeated", "in control"],
                         "treatment": "aIL4Ra", "reference": "isotype", "n": [40, 20, 20], "estimate": [30.0, 31.0, 1.0], "ci_low": 5.0,
                         "ci_high": 55.0, "p": [interaction, 0.001, 0.9], "effect": 0.5, "effect_name": "partial_r", "smallest_detectable": 0.4,
                         "note": ""})  # fmt: skip
    mice.to_csv(tables / "treatment.csv", index=False)
    return read_results(tmp_path)


def test_each_link_of_the_chain_is_named_by_its_own_test(tmp_path):
    for name, more, shown, lacking in (
        ("a", {}, ["Th2 skew", "by x, first of 2 drugs", "less avoidance"], []),
        ("b", {"p": 0.2}, ["by x", "less avoidance"], ["no Th2 skew shared by MDD and AD"]),
        ("c", {"p_max": 0.2}, ["Th2 skew", "less avoidance"], ["no reversal of the MDD profile by any drug"]),
        ("d", {"interaction": 0.2}, ["Th2 skew", "by x"], ["no effect of aIL4Ra on what defeat does"]),
        ("e", {"p": 0.2, "p_max": 0.2, "interaction": 0.2}, [], ["no reversal", "no effect"]),
    ):
        (tmp_path / name).mkdir()
        chain = statement(made(tmp_path / name, **more))[0]
        assert all(each in chain.split("Shown:")[-1] for each in shown), chain
        assert all(each.casefold() in chain.casefold() for each in lacking), chain
        assert ("Shown:" in chain) == bool(shown)


def test_a_report_of_the_least_tables_is_built(tmp_path):
    made(tmp_path)
    page = build_report(tmp_path).read_text("utf-8")
    assert "Drugs that move a profile back" in page and "nan" not in page.partition("<main>")[2].partition("methods")[
        0
    ].casefold().replace("nano", "")


def test_a_drug_is_told_with_all_its_numbers_and_no_promise(tmp_path):
    said = " ".join(statement(made(tmp_path)))
    assert (
        "95 % interval −0.70 to −0.20, p over all drugs = 0.001, n = 6 treated, 8 with the disease and 9 healthy"
        in said
    )
    assert "no evidence that it helps them" in said


def test_a_skew_below_the_healthy_is_none_however_small_p(tmp_path):
    results = made(tmp_path)
    results.tables["people_skew"]["estimate"] = [1.0, -1.0]
    assert "no th2 skew shared" in statement(results)[0].casefold()
    assert np.isfinite(results.tables["people_skew"]["p"]).all()
