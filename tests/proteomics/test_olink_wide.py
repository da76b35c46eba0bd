"""Wide NPX: the ragged csv of NPX Signature and the workbooks of NPX Manager, counted by independent lines."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from proteomics.abundance import FLAGS
from proteomics.readers import read_serum

MOUSE = "proteomics/olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv"


def test_mouse_plate_unmodified(shared: Path) -> None:
    with open(shared / MOUSE, encoding="utf-8-sig") as stream:
        rows = {r[0]: r for r in csv.reader(stream) if r}
        stream.seek(0)
        lines = [r for r in csv.reader(stream) if r][6:]
    body = lines[: next(k for k, r in enumerate(lines) if r[0] == "LOD")]
    lod = [float(x) for x in rows["LOD"][1:93]]
    below = sum(float(x) < limit for r in body for x, limit in zip(r[1:93], lod, strict=True))
    of_subjects = [r for r in body if r[0] != "Facility Ctrl"]
    result = read_serum(shared / MOUSE)
    ds = result.dataset
    assert result.reader == "olink-wide"
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (len(body), 92) == (90, 92)
    assert int((ds["sample_type"] == "sample").sum()) == len(of_subjects) == 88
    assert ds["sample"].values[ds["sample_type"].values == "control"].tolist() == ["Facility Ctrl", "Facility Ctrl #2"]
    assert int(ds["below_lod"].sum()) == below
    share = float(ds["below_lod"].sel(sample=[r[0] for r in of_subjects]).mean())
    assert round(100 * share, 1) == 33.4
    assert float(ds["abundance"].sel(sample="F06:3-Day1_B", protein="OID05027")) == 2.80050
    assert (ds.attrs["species"], ds.attrs["unit"], ds.attrs["source_software"]) == (
        "mouse",
        "NPX",
        "Olink NPX Signature 1.6.0.0",
    )
    warned = {r[0] for r in of_subjects if "Warning" in r[93:]}
    assert {p.where.removeprefix("sample ") for p in result.problems if p.code == "qc_warning"} == warned


def test_twelve_panels_side_by_side(shared: Path) -> None:
    import python_calamine

    path = shared / "proteomics/olink_target96_npxmanager_wide/raw_NPX_manager_reference_dataset.xlsx"
    rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    cells = [(rows[i][c], rows[10][c]) for i in (7, 8) for c in range(1, 1105)]
    below = sum(isinstance(x, float) and x < limit for x, limit in cells)
    blank = sum(x == "" for x, _ in cells)
    ds = read_serum(path).dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (2, 1104)
    assert (ds["sample_type"] == "control").all()
    assert (int(ds["below_lod"].sum()), int(ds["abundance"].isnull().sum())) == (below, blank) == (165, 92)
    names = ds["symbol"].values.tolist()
    assert len(names) - len(set(names)) > 0
    assert len(set(ds["panel"].values)) == 12
    marked = ds["quality"].values & FLAGS["qc_warning"] > 0
    assert set(ds["panel"].values[marked.any(axis=0)]) == {"Olink CELL REGULATION(v.3701)"}
    assert marked.sum() == 92


def wide(*body: str, header: str = "NPX data") -> str:
    top = [
        "Study,Olink NPX Signature 1.9",
        header,
        "Panel,Olink Target 96 Inflammation(v.3024),Olink Target 96 Inflammation(v.3024)",
    ]
    return (
        "\n".join(
            [*top, "Assay,IL4,IL5,Plate ID,QC Warning", "Uniprot ID,P05112,P05113", "OlinkID,OID1,OID2", "", *body]
        )
        + "\n"
    )


def test_plate_specific_limits(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        wide(
            "m1,1.0,1.0,P1,Pass",
            "m2,1.0,1.0,P2,Warning",
            "",
            "Max LOD,9,9",
            "Plate LOD,0.5,2,P1",
            "Plate LOD,2,0.5,P2",
            "Normalization,IPC,IPC",
        )
    )
    ds = read_serum(path).dataset
    assert ds["lod"].values.tolist() == [[0.5, 2.0], [2.0, 0.5]]
    assert ds["below_lod"].values.tolist() == [[False, True], [True, False]]
    assert (ds["quality"].sel(sample="m2").values == FLAGS["qc_warning"]).all()


def test_plate_limits_of_two_panels_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        "Study,Olink NPX Signature 1.9", "NPX data", "Panel,INF,CVD,INF,CVD,INF,CVD",
        "Assay,IL4,IL5,Plate ID,Plate ID,QC Warning,QC Warning", "Uniprot ID,P05112,P05113", "OlinkID,OID1,OID2", "",
        "m1,1,1,A,X,Pass,Warning", "m2,1,1,B,X,Pass,Pass", "", "Plate LOD,0.5,3,A,X", "Plate LOD,2,3,B,X",
    ]  # fmt: skip
    path.write_text("\n".join(rows) + "\n")
    ds = read_serum(path).dataset
    assert ds["lod"].values.tolist() == [[0.5, 3.0], [2.0, 3.0]]
    assert ds["quality"].values.tolist() == [[0, FLAGS["qc_warning"]], [0, 0]]
    assert ds["plate"].values.tolist() == ["A + X", "B + X"]


def test_plate_lod_belongs_to_its_own_panel(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        "Study,Olink NPX Signature 1.9", "NPX data", "Panel,INF,CVD,INF,CVD", "Assay,IL4,IL5,Plate ID,Plate ID",
        "Uniprot ID,P05112,P05113", "OlinkID,OID1,OID2", "",
        "m1,1,1,A,X", "m2,1,1,B,Y", "", "Plate LOD,1,10,A,Y", "Plate LOD,2,20,B,X",
    ]  # fmt: skip
    path.write_text("\n".join(rows) + "\n")
    # In the first footer plate A is named for INF and plate Y for CVD.
    assert read_serum(path).dataset["lod"].values.tolist() == [[1.0, 20.0], [2.0, 10.0]]


def test_quantified_values_become_log2(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(wide("m1,4,16,P1,Pass", "m2,OOR <,8,P1,Pass", "", "LOD,2,32", header="Quantified value"))
    ds = read_serum(path, unit="pg/mL").dataset
    assert ds["abundance"].values.tolist() == [[2.0, 4.0], [1.0, 3.0]]
    assert ds["below_lod"].values.tolist() == [[False, True], [True, True]]
    assert ds.attrs["unit"] == "log2 pg/mL"


@pytest.mark.parametrize("panel", ["Olink Target 48 Cytokine", "Olink Target 48 Mouse Cytokine", "Olink Flex"])
def test_workbook_of_concentrations_with_quantification_limits(tmp_path: Path, panel: str) -> None:
    """Target 48 and Flex: a row of units, marks that name the limit of quantification, limits as footers."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for cells in [
        ["Project", "Olink NPX Signature 1.10.0"],
        ["Quantified data"],
        ["Panel", *[panel] * 5],
        ["Assay", "IL4", "IL5", "TNF", "Plate ID", "QC Warning"],
        ["Uniprot ID", "P05112", "P05113", "P01375"],
        ["OlinkID", "OID1", "OID2", "OID3"],
        ["Unit", "pg/mL", "pg/mL", "pg/mL"],
        [],
        ["m1", 4.0, 16.0, 8.0, "P1", "Pass"],
        ["m2", "<LOQ", 8.0, None, "P1", "Pass"],
        ["m3", "<2.5", ">ULOQ", "OOR <", "P1", "Pass"],
        [],
        ["LOD", 0.5, 2, 0.25],
        ["LLOQ", 1.0, 4.0, 0.5],
        ["ULOQ", 1000, 2048, 500],
    ]:
        book.active.append(cells)
    book.save(tmp_path / "t48.xlsx")
    ds = read_serum(tmp_path / "t48.xlsx").dataset
    np.testing.assert_allclose(2 ** ds["abundance"].values, [[4, 16, 8], [1, 8, np.nan], [2.5, 2048, 0.25]])
    assert ds["below_lod"].values.tolist() == [[False] * 3, [True, False, False], [True, False, True]]
    np.testing.assert_allclose(2 ** ds["lod"].values[:, 0], [0.5, 1.0, 2.5])
    assert (ds["quality"].values > 0).tolist() == [[False] * 3, [False] * 3, [False, True, False]]
    assert (ds.attrs["unit"], ds.attrs["species"]) == ("log2 pg/mL", "mouse" if "Mouse" in panel else "human")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (wide("m1,high,1,P1,Pass"), r"row 8, column B: the value of IL4 is not a number; found 'high'"),
        (wide("m1,1,1,P1,Pass", "m1,1,1,P1,Pass"), "sample 'm1' stands twice"),
        (wide("", "LOD,1,1"), "the table is empty"),
        (wide(",1,1,P1,Pass"), "a row of values has no sample id"),
        (wide("m1,1,1,P1,Pass", "Panel,a,b"), "second header block"),
        (wide("m1,1,1,P1,Pass", header="Ct data"), "Ct values or counts"),
    ],
)
def test_bad_tables_are_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_serum(path)
