"""Quality flags: what is planted is found, what is clean stays unmarked, and nothing is removed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from proteomics.abundance import FLAGS, from_frame
from proteomics.quality import (
    QualityOptions,
    floor_share,
    order_effects,
    plate_detection,
    plate_effects,
    protein_quality,
    robust_z,
    sample_quality,
)
from proteomics.quality_overview import quality_report
from proteomics.readers import read_serum
from proteomics.serum_handling import handling_scores


def dataset(values: np.ndarray, **kind):  # type: ignore[no-untyped-def]
    rows, columns = values.shape
    frame = pd.DataFrame(values, index=[f"m{k}" for k in range(rows)], columns=[f"p{k}" for k in range(columns)])
    return from_frame(frame, platform="beads", species="mouse", unit="log2 pg/mL", **kind)


def noise(rows: int = 40, columns: int = 30, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(5, 1, (1, columns)) + rng.normal(0, 0.5, (rows, columns))


def codes(report) -> set[str]:  # type: ignore[no-untyped-def]
    return {problem.code for problem in report.problems}


def test_clean_table_has_no_flags() -> None:
    assert codes(quality_report(dataset(noise()))) == set()


def test_shifted_and_noisy_samples_are_found() -> None:
    values = noise()
    values[3] += 3
    values[7] += np.random.default_rng(0).normal(0, 4, values.shape[1])
    table = sample_quality(dataset(values)).set_index("sample")
    assert "median" in table.loc["m3", "outlier"]
    assert "iqr" in table.loc["m7", "outlier"]
    assert (table["outlier"] != "").sum() <= 4


def test_level_of_proteins_does_not_matter() -> None:
    values = noise()
    moved = values + np.linspace(-20, 20, values.shape[1])
    left, right = sample_quality(dataset(values)), sample_quality(dataset(moved))
    np.testing.assert_allclose(left["median"], right["median"], atol=1e-12)
    np.testing.assert_allclose(left["pc1"], right["pc1"], atol=1e-9)


def test_components_are_those_of_a_plain_eigen_decomposition() -> None:
    values = noise(12, 6)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    variance = np.sort(np.linalg.eigvalsh(scaled.T @ scaled / 11))[::-1]
    table = sample_quality(dataset(values))
    assert table[["pc1", "pc2"]].var(ddof=1).to_numpy() == pytest.approx(variance[:2])


def test_the_sign_of_a_component_is_fixed() -> None:
    values = noise(20, 6) + 3 * np.linspace(-1, 1, 20)[:, None]
    table = sample_quality(dataset(values))
    assert np.corrcoef(table["pc1"], values.mean(axis=1))[0, 1] > 0.9


def test_modified_z_of_equal_values_is_zero() -> None:
    assert robust_z([2.0, 2.0, 2.0]).tolist() == [0, 0, 0]
    assert np.isnan(robust_z([np.nan, np.nan])).all()


def test_detection_per_protein_and_plate() -> None:
    values = noise(4, 2)
    values[0, 1] = np.nan
    below = np.array([[True, False], [False, False], [False, False], [True, False]])
    ds = dataset(values, below_lod=below, samples=pd.DataFrame({"plate": ["A", "A", "B", "B"]}))
    table = plate_detection(ds).set_index(["protein", "plate"])["detected_share"]
    assert table.to_dict() == {("p0", "A"): 0.5, ("p1", "A"): 0.5, ("p0", "B"): 0.5, ("p1", "B"): 1.0}
    proteins = protein_quality(ds)
    assert proteins["n_below_lod"].tolist() == [2, 0]
    assert proteins["detected_share"].tolist() == [0.5, 0.75]
    assert proteins["few_detected"].tolist() == [False, False]


def test_floor_is_found_but_a_minimum_is_not() -> None:
    values = noise(20, 2)
    values[:5, 0] = -9.97
    ds = dataset(values)
    assert floor_share(ds).tolist() == [0.25, 0.0]
    assert "constant_floor" in codes(quality_report(ds))


def test_plate_effect_equals_scipy_anova_and_is_flagged() -> None:
    values = noise(30, 12)
    plate = np.repeat(["A", "B", "C"], 10)
    values[plate == "B"] += 1.5
    ds = dataset(values, samples=pd.DataFrame({"plate": plate}))
    table = plate_effects(ds)
    expected = [stats.f_oneway(*(column[plate == name] for name in "ABC")) for column in values.T]
    np.testing.assert_allclose(table["f"], [each.statistic for each in expected], rtol=1e-10)
    np.testing.assert_allclose(table["p"], [each.pvalue for each in expected], rtol=1e-8)
    assert "plate_effect" in codes(quality_report(ds))


def test_one_plate_has_no_effect_table() -> None:
    assert plate_effects(dataset(noise())).empty


def test_run_order_effect_is_found() -> None:
    values = noise(30, 5)
    values[:, 2] += np.arange(30) * 0.2
    table = order_effects(dataset(values), np.arange(30)).set_index("protein")
    assert table.loc["p2", "q"] < 1e-6
    assert (table.drop("p2")["q"] > 0.05).all()


def test_haemolysed_sample_stands_out() -> None:
    names = ["Hba-a1", "Hbb-bs", "Car1", "Cat", "Prdx2"]
    frame = pd.DataFrame(noise(20, 5), index=[f"m{k}" for k in range(20)], columns=names)
    frame.loc["m4"] += 4
    ds = from_frame(frame, platform="ms", species="mouse", unit="log2")
    scores = handling_scores(ds, species="mouse").set_index("sample")
    assert scores["haemolysis_z"].idxmax() == "m4"
    assert scores["platelet_z"].isna().all()


def test_handling_stands_in_the_report_with_its_members() -> None:
    values = np.hstack([noise(20, 5), noise(20, 20, seed=2)])
    values[4, :5] += 4
    names = ["Hba-a1", "Hbb-bs", "Car1", "Cat", "Prdx2", *(f"q{k}" for k in range(20))]
    frame = pd.DataFrame(values, index=[f"m{k}" for k in range(20)], columns=names)
    report = quality_report(from_frame(frame, platform="ms", species="mouse", unit="log2"))
    assert report.handling is not None
    assert report.handling.members["haemolysis_z"] == ("Hba-a1", "Hbb-bs", "Car1", "Cat", "Prdx2")
    assert set(report.handling.refused) == {"platelet_z", "delay_z"}
    assert [problem.where for problem in report.problems if problem.code == "handling"] == ["sample m4"]
    assert report.samples.set_index("sample")["haemolysis_z"].idxmax() == "m4"
    unknown = quality_report(from_frame(frame, platform="ms", species="", unit="log2"))
    assert unknown.handling is None and unknown.samples["haemolysis_z"].isna().all()


def test_columns_about_the_samples_are_put_to_use() -> None:
    """Run order, sex and tube names, where the samples have them."""
    rng = np.random.default_rng(8)
    values = noise(40, 30) + np.linspace(0, 2, 40)[:, None]
    sex = np.where(np.arange(40) % 2, "M", "F")
    mup = np.where(sex == "M", 6.0, 1.0) + rng.normal(0, 0.2, 40)
    frame = pd.DataFrame(values, index=[f"m{k}" for k in range(40)], columns=[f"p{k}" for k in range(30)])
    frame["Mup20"] = mup
    stated = sex.copy()
    stated[7] = "F"
    names = [f"tube{k // 2}" for k in range(40)]
    samples = pd.DataFrame({"run_order": range(40), "sex": stated, "name": names}, index=frame.index)
    report = quality_report(from_frame(frame, platform="beads", species="mouse", unit="log2 pg/mL", samples=samples))
    found = {problem.code: problem for problem in report.problems}
    assert "30 of 31 proteins rise or fall with run_order" in found["order_effect"].message
    assert found["swap_suspect"].where == "sample m7"
    assert "replicate_spread" in found


def test_standards_of_one_name_are_no_repeats() -> None:
    values = noise(12, 5)
    values[:8] += np.arange(8)[:, None] * 2
    kinds = ["standard"] * 8 + ["sample"] * 4
    columns = {"name": ["S"] * 8 + list("abcd"), "sample_type": kinds}
    samples = pd.DataFrame(columns, index=[f"m{k}" for k in range(12)])
    frame = pd.DataFrame(values, index=samples.index, columns=[f"p{k}" for k in range(5)])
    ds = from_frame(frame, platform="beads", species="mouse", unit="log2 pg/mL", samples=samples)
    assert "replicate_spread" not in codes(quality_report(ds))


def test_vendor_warnings_are_counted() -> None:
    quality = np.zeros((40, 30), int)
    quality[2, :7] = FLAGS["qc_warning"]
    table = sample_quality(dataset(noise(), quality=quality)).set_index("sample")
    assert table["qc_warnings"].to_dict() == {f"m{k}": 7 if k == 2 else 0 for k in range(40)}


@pytest.mark.parametrize("values", [np.zeros((1, 1)), np.zeros((2, 3)), np.full((4, 3), np.nan)])
def test_tiny_and_empty_tables_give_no_numbers_made_up(values: np.ndarray) -> None:
    report = quality_report(dataset(values))
    assert len(report.samples) == len(values)
    assert not (report.samples["outlier"] != "").any()


def test_nothing_is_deleted(shared: Path) -> None:
    ds = read_serum(shared / "proteomics/olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv").dataset
    before = ds.copy(deep=True)
    report = quality_report(ds)
    assert ds.identical(before)
    assert len(report.samples) == 88
    assert int(report.proteins["few_detected"].sum()) == 31


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="min_detected is 2"):
        QualityOptions(min_detected=2)
    with pytest.raises(ValueError, match="outlier_z"):
        QualityOptions(outlier_z=0)
