"""The commands ``serum``, ``differential`` and ``axes``, on made tables and on the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from proteomics.readers import read_serum
from stressaxis.serumfiles import tidy_table
from tests.stressaxis.conftest import Command

PLATE = """# unit: pg/mL
# species: mouse
sample,plate,Il4,Il5,Il13,Ifng
LOD,,2,0.8,4.2,1
m001,P1,12.1,<0.8,55.0,3
m002,P1,n.d.,3.1,OOR >,2
m003,P2,8,3.3,40,2.5
IPC,P2,8,8,8,8
"""


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    path = tmp_path / "plate.csv"
    path.write_text(PLATE)
    return path


def test_serum_says_what_a_table_is(stressaxis: Command, plate: Path):
    said = stressaxis("serum", plate)
    assert said.status == 0, said.err
    for line in (
        "plate.csv: wide-matrix (plain matrix",
        "species: mouse; unit: log2 pg/mL",
        "samples: 3",
        "rows of type calibrator: 1 (IPC)",
        "proteins: 4",
        "values of the samples: 12; below LOD 2 (16.7%), without a number 1 (8.3%)",
        "limit of detection: known for 4 of 4 proteins; 4 of 4",
        "flags: above_range 1 values in 1 samples",
        "plates: 2; samples on each: P1 2, P2 1",
        "Th2: 3 of 14 core members on the panel, 3 detected; measured on: Il13, Il4, Il5",
        "Th1: 1 of 6 core members on the panel, 1 detected; no score; detected: Ifng",
    ):
        assert line in said.out, line


def test_tidy_table_holds_every_value(stressaxis: Command, plate: Path, tmp_path: Path):
    said = stressaxis("serum", plate, "--out", tmp_path / "tidy.csv")
    assert "16 rows written" in said.out
    tidy = pd.read_csv(tmp_path / "tidy.csv", keep_default_na=False, na_values=[""])
    cell = tidy.set_index(["sample", "protein"]).loc[("m001", "Il4")]
    assert cell["abundance"] == np.log2(12.1) and not cell["below_lod"] and cell["lod"] == 1.0
    assert tidy.set_index(["sample", "protein"]).loc[("m002", "Il13"), "quality"] == "above_range"
    assert tidy["below_lod"].sum() == 2 and set(tidy["unit"]) == {"log2 pg/mL"}
    ds = read_serum(plate).dataset
    np.testing.assert_array_equal(tidy.pivot(index="sample", columns="protein", values="abundance").loc[
        ds["sample"].values, ds["protein"].values].to_numpy(), ds["abundance"].values)  # fmt: skip


def test_sheet_adds_columns_and_names_who_is_missing(stressaxis: Command, plate: Path, tmp_path: Path):
    (tmp_path / "sheet.csv").write_text("mouse,group,day\nm001,CON,1\nm003,SUS,NA\nm9,SUS,2\nIPC,,\n")
    said = stressaxis("serum", plate, "--samples", tmp_path / "sheet.csv", "--out", tmp_path / "tidy.csv")
    assert said.status == 0, said.err
    assert "1 of 4 samples of sheet.csv are not in plate.csv: m9" in said.out
    assert "1 of 3 samples of plate.csv are not in sheet.csv: m002" in said.out
    tidy = pd.read_csv(tmp_path / "tidy.csv").drop_duplicates("sample").set_index("sample")
    assert tidy.loc[["m001", "m003"], "group"].tolist() == ["CON", "SUS"]
    assert tidy["day"].isna().tolist() == [False, True, True, True]


def test_anndata_comes_back_whole(stressaxis: Command, plate: Path, tmp_path: Path):
    anndata = pytest.importorskip("anndata", reason="the extra interop is not installed")
    from proteomics.anndata_form import from_anndata

    said = stressaxis("serum", plate, "--out", tmp_path / "table.h5ad")
    assert said.status == 0, said.err
    assert from_anndata(anndata.read_h5ad(tmp_path / "table.h5ad")).identical(read_serum(plate).dataset)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--out", "t.xlsx"], r"unknown kind of file to write; found \.xlsx, expected \.csv or \.h5ad"),
        (["--species", "rat"], "species is 'rat'"),
        (["--lod", "Il4"], "--lod must be NAME=VALUE"),
        (["--lod", "Il4=low"], "--lod must be PROTEIN=NUMBER; found Il4=low"),
        (["--lod", "Il44=2"], "lod names proteins that are not in the table; found Il44"),
        (["--format", "olink"], "no reader is called 'olink'"),
        (["--samples", "absent.csv"], "file not found"),
    ],
)
def test_serum_refuses_with_the_reason(stressaxis: Command, plate: Path, arguments: list[str], match: str):
    said = stressaxis("serum", plate, *arguments)
    assert said.status == 2
    assert pd.Series([said.err.replace("\n", " ")]).str.contains(match).all(), said.err


def test_companion_files_keep_their_own_refusal(stressaxis: Command, tmp_path: Path):
    """A layout given as the table is refused as a layout, not as an unknown format."""
    layout = tmp_path / "layout.csv"
    layout.write_text(",1,2,3,4,5,6,7,8,9,10,11,12\n" + "".join(f"{row}{',mouse' * 12}\n" for row in "ABCDEFGH"))
    said = stressaxis("serum", layout)
    assert said.status == 2
    assert "this is a plate layout" in said.err and "give it as the option layout" in said.err


def test_every_real_table_is_told(stressaxis: Command, shared: Path):
    """Formats of every kind, and the same words on samples and proteins as the reader gives."""
    for name in (
        "olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv",
        "luminex_xponent_plates/pone.0187901.s001.csv",
        "maxquant_lfqanalyst/proteinGroups.txt",
        "diann_pg_matrix_plaques/report.pg_matrix.tsv",
    ):
        path = shared / "proteomics" / name
        table = read_serum(path)
        said = stressaxis("serum", path)
        assert said.status == 0, said.err
        assert f"proteins: {table.dataset.sizes['protein']}\n" in said.out
        assert f"samples: {int((table.dataset['sample_type'] == 'sample').sum())}\n" in said.out
    assert len(tidy_table(table.dataset)) == table.dataset["abundance"].size
