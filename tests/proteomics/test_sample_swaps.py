"""Exchanged and repeated samples, planted and real; spread of technical replicates by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from proteomics.abundance import from_frame
from proteomics.readers import read_serum
from proteomics.readers.companions import read_sample_sheet
from proteomics.replicates import replicate_cv, replicate_problems
from proteomics.sample_swaps import repeated_profiles, sex_mismatches, swap_problems


def dataset(values: np.ndarray, names: list[str] | None = None, species: str = "mouse", **kind):  # type: ignore[no-untyped-def]
    rows, columns = values.shape
    frame = pd.DataFrame(
        values, index=[f"m{k}" for k in range(rows)], columns=names or [f"p{k}" for k in range(columns)]
    )
    return from_frame(frame, platform="beads", species=species, unit="log2", **kind)


def test_a_sample_measured_twice_is_found() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 40))
    values[17] = values[4] + rng.normal(0, 0.1, 40)
    table = repeated_profiles(dataset(values))
    assert table[["sample_1", "sample_2"]].values.tolist() == [["m4", "m17"]]


def test_two_bleeds_of_one_subject_are_expected_to_agree() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 40))
    values[17] = values[4] + rng.normal(0, 0.1, 40)
    owners = [f"a{4 if k == 17 else k}" for k in range(30)]
    ds = dataset(values, samples=pd.DataFrame({"subject": owners}, index=[f"m{k}" for k in range(30)]))
    assert swap_problems(ds) == []
    assert len(repeated_profiles(ds)) == 1


def test_independent_samples_give_no_pair() -> None:
    for seed in range(5):
        assert repeated_profiles(dataset(np.random.default_rng(seed).normal(size=(25, 30)))).empty


def test_correlation_is_that_of_the_common_proteins() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(20, 30))
    values[1] = values[0] + rng.normal(0, 0.05, 30)
    values[0, :5] = np.nan
    row = repeated_profiles(dataset(values)).iloc[0]
    from proteomics.quality import robust_z

    scaled = np.clip(np.column_stack([robust_z(c) for c in values.T]), -8, 8)
    assert row["n_proteins"] == 25
    assert row["r"] == pytest.approx(np.corrcoef(scaled[0, 5:], scaled[1, 5:])[0, 1])


def test_the_real_replicate_bleed_is_found(shared: Path) -> None:
    ds = read_serum(shared / "proteomics/olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv").dataset
    pairs = {frozenset(pair) for pair in repeated_profiles(ds)[["sample_1", "sample_2"]].values.tolist()}
    assert frozenset({"F05:2-Day4", "F05:2-Day4_B"}) in pairs
    assert len(pairs) <= 3


def test_exchanged_labels_of_real_mice_are_found(shared: Path) -> None:
    folder = shared / "proteomics/prometis_mouse_plasma"
    ds = read_serum(next(folder.glob("RAW*.xlsx"))).dataset
    sheet = read_sample_sheet(folder / "sampleMetadata.tsv")
    sex = {f"abundance_{row.mouse_id}": str(row.sex) for row in sheet.itertuples()}
    assert sex_mismatches(ds, sex, species="mouse").empty
    sex["abundance_501"], sex["abundance_502"] = sex["abundance_502"], sex["abundance_501"]
    assert set(sex_mismatches(ds, sex, species="mouse")["sample"]) == {"abundance_501", "abundance_502"}


def test_proteins_that_women_have_more_of_count_the_other_way() -> None:
    rng = np.random.default_rng(5)
    male = np.arange(24) % 2 == 0
    values = np.column_stack([np.where(male, 3.0, 0.0), np.where(male, 0.0, 3.0)]) + rng.normal(0, 0.3, (24, 2))
    ds = dataset(values, names=["KLK3", "PZP"], species="human")
    sex = {f"m{k}": "M" if male[k] else "F" for k in range(24)}
    assert sex_mismatches(ds, sex, species="human").empty
    sex["m4"] = "F"
    assert sex_mismatches(ds, sex, species="human")["sample"].tolist() == ["m4"]


def test_a_panel_without_sex_linked_proteins_says_nothing() -> None:
    ds = dataset(np.random.default_rng(0).normal(size=(10, 12)))
    assert sex_mismatches(ds, {f"m{k}": "M" if k % 2 else "F" for k in range(10)}, species="mouse").empty


def test_sexes_that_do_not_differ_give_no_list() -> None:
    ds = dataset(np.random.default_rng(0).normal(size=(20, 2)), names=["Mup1", "Mup3"])
    assert sex_mismatches(ds, {f"m{k}": "male" if k % 2 else "female" for k in range(20)}, species="mouse").empty


def test_many_pairs_are_one_problem() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(60, 40))
    values[:6] = values[0] + rng.normal(0, 0.05, (6, 40))
    problems = swap_problems(dataset(values))
    assert [p.code for p in problems] == ["swap_suspect"]
    assert "15 pairs" in problems[0].message


def test_cv_by_hand() -> None:
    sd = 0.3
    values = np.array([[5.0 - sd / np.sqrt(2), 1], [5.0 + sd / np.sqrt(2), 2], [7.0, 3]])
    ds = dataset(values, samples=pd.DataFrame({"name": ["a", "a", "b"], "plate": ["P", "P", "P"]}))
    table = replicate_cv(ds)
    assert table["cv_percent"][0] == pytest.approx(100 * np.sqrt(np.exp((sd * np.log(2)) ** 2) - 1))
    assert table["df"].tolist() == [1, 1]


def test_cv_of_simulated_repeats_is_given_back() -> None:
    rng = np.random.default_rng(4)
    linear = np.repeat(rng.lognormal(3, 1, (400, 1)), 2, axis=0) * rng.lognormal(0, 0.15, (800, 1))
    names = [f"s{k // 2}" for k in range(800)]
    ds = dataset(np.log2(linear), samples=pd.DataFrame({"name": names}))
    assert replicate_cv(ds)["cv_percent"][0] == pytest.approx(100 * np.sqrt(np.exp(0.15**2) - 1), rel=0.08)


def test_between_plates_compares_the_plates_means() -> None:
    values = np.array([[1.0], [1.0], [2.0], [2.0]])
    ds = dataset(values, samples=pd.DataFrame({"name": ["a"] * 4, "plate": ["P", "P", "Q", "Q"]}))
    assert replicate_cv(ds)["cv_percent"][0] == 0
    between = replicate_cv(ds, across_plates=True)
    assert between["df"].tolist() == [1]
    assert between["cv_percent"][0] == pytest.approx(100 * np.sqrt(np.exp(0.5 * np.log(2) ** 2) - 1))


def test_censored_repeats_have_no_spread() -> None:
    ds = dataset(np.array([[1.0], [1.0]]), lod=[2.0], samples=pd.DataFrame({"name": ["a", "a"]}))
    assert np.isnan(replicate_cv(ds)["cv_percent"][0])


def test_wide_replicates_are_a_problem(shared: Path) -> None:
    folder = shared / "proteomics/luminex_xponent_plates"
    ds = read_serum(folder / "CovidOISExPONTENT.csv", layout=folder / "CovidOISExPONTENT_layout_duplicates.csv").dataset
    assert [p.code for p in replicate_problems(ds)] == ["replicate_spread"]
