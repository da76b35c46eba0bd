"""Axis scores: the defaults, the refusals, and the arithmetic by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RefusedError
from proteomics.abundance import from_frame
from proteomics.axes import SKEW, axis_members, axis_names, axis_scores, panel_coverage
from proteomics.readers import read_serum

TH2 = ["Il4", "Il5", "Il13", "Ccl11"]
TH1 = ["Ifng", "Cxcl9", "Tnf"]


def dataset(names: list[str], n: int = 12, seed: int = 0, **kind):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, len(names))), index=[f"m{k}" for k in range(n)], columns=names)
    return from_frame(frame, platform="beads", species="mouse", unit="log2 pg/mL", **kind)


def score(result, axis: str) -> pd.Series:  # type: ignore[no-untyped-def]
    return result.table[result.table["axis"] == axis].set_index("sample")["score"]


def test_mean_z_by_hand() -> None:
    ds = dataset([*TH2, *TH1, "Alb"])
    controls = [f"m{k}" for k in range(5)]
    result = axis_scores(ds, species="mouse", reference=controls)
    frame = ds["abundance"].to_pandas()
    reference = frame.loc[controls]
    z = (frame - reference.mean()) / reference.std(ddof=1)
    np.testing.assert_allclose(score(result, "Th2"), z[TH2].mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(score(result, SKEW), z[TH2].mean(axis=1) - z[TH1].mean(axis=1), rtol=1e-10)
    used = result.members.query("axis == 'Th2' and status == 'used'")["symbol"]
    assert set(used) == set(TH2)


def test_reference_as_ids_or_as_mask_agree() -> None:
    ds = dataset(TH2)
    mask = np.arange(12) < 5
    left = axis_scores(ds, species="mouse", reference=mask, axes=["Th2"]).table
    right = axis_scores(ds, species="mouse", reference=ds["sample"].values[mask], axes=["Th2"]).table
    pd.testing.assert_frame_equal(left, right)


def test_olink_mouse_exploratory_refuses_th2(shared: Path) -> None:
    """The panel measures Il5 alone: no Th2 score may come out of it."""
    ds = read_serum(shared / "proteomics/olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv").dataset
    coverage = panel_coverage(ds, "mouse").query("axis == 'Th2' and role == 'core' and status == 'on panel'")
    assert coverage["symbol"].tolist() == ["Il5"]
    subjects = ds["sample"].values[ds["sample_type"].values == "sample"]
    result = axis_scores(ds, species="mouse", reference=subjects[:20], axes=["Th2", SKEW])
    assert result.table["score"].isna().all()
    assert (result.table["note"].str.contains("at least 3 needed")).all()
    assert "Il13 not on panel" in result.table.query("axis == 'Th2'")["note"].iloc[0]
    assert {p.where for p in result.problems if p.code == "axis_refused"} == {"axis Th2", "axis Th1"}


def test_a_panel_with_il5_alone_is_refused_even_when_detected() -> None:
    result = axis_scores(dataset(["Il5", "Il6", "Tnf"]), species="mouse", reference=["m0", "m1", "m2"], axes=["Th2"])
    assert result.table["score"].isna().all()
    assert result.table["note"].str.contains("1 detected member").all()


def test_detected_means_half_of_the_samples_of_all_groups() -> None:
    below = np.zeros((12, 4), bool)
    below[:6, 0] = True
    below[:7, 1] = True
    ds = dataset(TH2, below_lod=below)
    members = axis_scores(ds, species="mouse", reference=["m9", "m10", "m11"], axes=["Th2"]).members
    status = members.query("role == 'core'").set_index("symbol")["status"]
    assert status[TH2].tolist() == ["used", "not detected", "used", "used"]


def test_table_without_lod_is_flagged() -> None:
    result = axis_scores(dataset(TH2), species="mouse", reference=["m0", "m1"], axes=["Th2"])
    assert [p.code for p in result.problems] == ["lod_unknown"]


def test_controls_of_the_plate_take_no_part() -> None:
    types = pd.DataFrame({"sample_type": ["sample"] * 11 + ["control"]})
    ds = dataset(TH2, samples=types)
    table = axis_scores(ds, species="mouse", reference=["m0", "m1", "m2", "m11"], axes=["Th2"]).table
    assert "m11" not in set(table["sample"])
    left = axis_scores(ds, species="mouse", reference=["m0", "m1", "m2"], axes=["Th2"]).table
    pd.testing.assert_frame_equal(table, left)


def test_too_small_a_reference_is_refused() -> None:
    with pytest.raises(RefusedError, match="1 reference samples"):
        axis_scores(dataset(TH2), species="mouse", reference=["m0"])
    with pytest.raises(ValueError, match="not in the table: x9"):
        axis_scores(dataset(TH2), species="mouse", reference=["x9", "m0"])
    with pytest.raises(ValueError, match="unknown axis Th3"):
        axis_scores(dataset(TH2), species="mouse", reference=["m0", "m1"], axes=["Th3"])


def test_a_member_without_spread_in_the_reference_is_left_out() -> None:
    ds = dataset(TH2)
    ds["abundance"].values[:3, 0] = 1.0
    members = axis_scores(ds, species="mouse", reference=["m0", "m1", "m2"], axes=["Th2"]).members
    assert members.set_index("symbol").loc["Il4", "status"] == "no spread"


def test_missing_cells_leave_the_member_out_of_that_sample_only() -> None:
    ds = dataset(TH2)
    ds["abundance"].values[5, :2] = np.nan
    ds["abundance"].values[6, 0] = np.nan
    table = axis_scores(ds, species="mouse", reference=["m0", "m1", "m2"], axes=["Th2"]).table.set_index("sample")
    assert np.isnan(table.loc["m5", "score"])
    assert "fewer than 3" in table.loc["m5", "note"]
    assert table.loc["m6", "n_members"] == 3
    assert np.isfinite(table.loc["m6", "score"])


def test_overlapping_members_are_scored_without_too() -> None:
    names = ["Pecam1", "Selp", "Vwf", "Hgf", "Axl", "Vegfa"]
    result = axis_scores(dataset(names), species="mouse", reference=["m0", "m1", "m2"])
    used = result.members.query("status == 'used'").groupby("axis")["symbol"].apply(set)
    assert used["vascular"] == set(names)
    assert used["vascular_without_preanalytical"] == {"Hgf", "Axl", "Vegfa"}


def test_extended_members_are_listed_but_not_scored() -> None:
    ds = dataset([*TH2, "Il9", "Postn"])
    result = axis_scores(ds, species="mouse", reference=["m0", "m1", "m2"], axes=["Th2"])
    assert (result.table["n_members"] == len(TH2)).all()
    assert set(result.members.query("status == 'extended'")["symbol"]) == {"Il9", "Postn"}


def test_bead_names_are_matched_and_wrong_joins_are_not() -> None:
    table = panel_coverage(
        ["IL-4", "IL-5", "IL-13", "Eotaxin", "KC", "IL-12", "CXCL15", "Ccl3", "Ccl12", "S100a8"], "mouse"
    )
    found = table[table["status"] == "on panel"]
    assert set(found["symbol"]) == {"Il4", "Il5", "Il13", "Ccl11", "Cxcl1", "Ccl3"}
    assert table.query("symbol == 'Il12b'")["status"].tolist() == ["ambiguous"]
    for human in ("CCL13", "CCL18", "CXCL8", "S100A12"):
        assert (table.query(f"symbol == '{human}'")["status"] == "no orthologue").all()


def test_uniprot_goes_before_the_name() -> None:
    proteins = pd.DataFrame(
        {"uniprot": ["P07750", "P99999", "P29459,P29460", ""], "symbol": ["X1", "Il5", "IL12", "Il13"]}
    )
    ds = dataset(["a", "b", "c", "d"], proteins=proteins)
    table = panel_coverage(ds, "mouse").set_index(["axis", "symbol"])
    assert table.loc[("Th2", "Il4"), "protein"] == "a"
    assert table.loc[("Th2", "Il5"), "status"] == "ambiguous"
    assert "P99999" in table.loc[("Th2", "Il5"), "note"]
    assert table.loc[("Th2", "Il13"), "protein"] == "d"
    human = panel_coverage(ds, "human").set_index(["axis", "symbol"])
    assert human.loc[("Th1", "IL12A"), "protein"] == "c"
    assert human.loc[("Th17_Th22", "IL12B"), "status"] != "on panel"


def test_of_several_assays_the_best_detected_is_used() -> None:
    below = np.zeros((12, 5), bool)
    below[:3, 3] = True
    proteins = pd.DataFrame(
        {
            "symbol": ["Il4", "Il5", "Il13", "Il13", "Ccl11"],
            "uniprot": ["P07750", "P04401", "P20109", "P20109", "P48298"],
        }
    )
    ds = dataset(["A", "B", "C", "D", "E"], proteins=proteins, below_lod=below)
    members = axis_scores(ds, species="mouse", reference=["m0", "m1", "m2"], axes=["Th2"]).members
    status = members.set_index("protein")["status"]
    assert (status["C"], status["D"]) == ("used", "other assay")


def test_published_panels_cover_what_is_known(shared: Path) -> None:
    panels = pd.read_csv(shared.parent / "science/panels.tsv", sep="\t")
    for (_, species), rows in panels.groupby(["panel", "species"]):
        table = panel_coverage(rows["symbol"], species)
        listed = {symbol for symbol in rows["symbol"] if symbol in set(table["symbol"])}
        assert listed == set(table[table["status"] == "on panel"]["symbol"])
        assert len(listed) > 0.9 * rows["symbol"].nunique()


def test_the_table_keeps_the_traps() -> None:
    mouse = {member.human_symbol: member.symbol for member in axis_members("mouse")}
    for human in ("CCL18", "CXCL8", "CCL13", "CXCL11", "CCL23", "IL37", "IL26", "S100A12", "PI3"):
        assert mouse[human] == ""
    assert mouse["IL4R"] == "Il4ra"
    assert axis_names()[:3] == ["Th2", "Th1", "Th17_Th22"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50), st.floats(-20, 20))
def test_scores_do_not_depend_on_unit_or_scale_or_order(seed: int, scale: float, shift: float) -> None:
    ds = dataset([*TH2, *TH1], seed=seed)
    moved = ds.copy(deep=True)
    moved["abundance"] = moved["abundance"] * scale + shift
    moved = moved.isel(sample=slice(None, None, -1), protein=slice(None, None, -1))
    reference = ["m0", "m3", "m5", "m7"]
    left = score(axis_scores(ds, species="mouse", reference=reference, axes=["Th2"]), "Th2")
    right = score(axis_scores(moved, species="mouse", reference=reference, axes=["Th2"]), "Th2")
    np.testing.assert_allclose(left, right.reindex(left.index), rtol=1e-7, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_reference_group_has_mean_zero(seed: int) -> None:
    ds = dataset(TH2, seed=seed)
    reference = ["m0", "m1", "m2", "m3"]
    scores = score(axis_scores(ds, species="mouse", reference=reference, axes=["Th2"]), "Th2")
    assert abs(scores[reference].mean()) < 1e-10
