"""Plain long tables: usual and declared names, wells with standards as curve programs write them, our own tidy csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from proteomics.abundance import FLAGS
from proteomics.readers import read_serum

LONG = """# unit: pg/mL
mouse;Group;analyte;conc
m1;SUS;IL-4;12,5
m1;SUS;IL-5;<0,8
m2;RES;IL-4;OOR <
007;RES;IL-5;4,5
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_decimal_commas_marks_and_missing_pairs(tmp_path: Path) -> None:
    result = read_serum(write(tmp_path / "a.csv", LONG), species="mouse")
    ds = result.dataset
    assert result.reader == "long-table"
    assert ds["sample"].values.tolist() == ["m1", "m2", "007"]
    assert (ds["symbol"].values.tolist(), ds.attrs["unit"]) == (["Il4", "Il5"], "log2 pg/mL")
    np.testing.assert_allclose(2 ** ds["abundance"].values, [[12.5, 0.8], [np.nan, np.nan], [np.nan, 4.5]])
    assert ds["below_lod"].values.tolist() == [[False, True], [True, False], [False, False]]
    assert ds["Group"].values.tolist() == ["SUS", "RES", "RES"]


def test_declared_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Maus,Botenstoff,Menge,Wert\nm1,Il4,1,3\nm2,Il4,2,3\n")
    columns = {"sample": "Maus", "protein": "Botenstoff", "value": "Menge"}
    ds = read_serum(path, columns=columns, unit="pg/mL").dataset
    np.testing.assert_allclose(ds["abundance"].values, [[0], [1]])
    with pytest.raises(InputError, match=r"declared columns are not in the table; .* expected 'Meng' \(value\)"):
        read_serum(path, columns=columns | {"value": "Meng"}, unit="pg/mL")
    with pytest.raises(InputError, match="columns names what no column is for; found mouse"):
        read_serum(path, columns={"mouse": "Maus"})


PLATE = [
    ["Curve fitting report"],
    ["Protocol", "Mouse cytokine 2-plex"],
    [],
    ["Well", "Sample ID", "Sample Type", "Dilution", "Analyte", "MFI", "Bead Count", "Expected Conc", "Conc (pg/mL)"],
    *[
        [well, name, kind, dilution, analyte, mfi + shift, beads, expected, conc if analyte == "IL-4" else "9.0"]
        for well, name, kind, dilution, mfi, beads, expected, conc in (
            ("A1", "S1", "Standard", 1, 9000, 90, 1000, "990"),
            ("A2", "S2", "Standard", 1, 900, 80, 10, "10.1"),
            ("A3", "Blank", "Background", 1, 20, 95, "", ""),
            ("B1", "m1", "Unknown", 4, 700, 60, "", "31.2"),
            ("B2", "m1", "Unknown", 4, 10, 12, "", "OOR <"),
            ("B3", "m2", "Unknown", 4, 12000, 55, "", "OOR >"),
            ("C1", "QC1", "Control", 1, 800, 70, "", "*8.8"),
        )
        for analyte, shift in (("IL-4", 0), ("IL-5", 1))
    ],
]


def test_workbook_of_a_curve_program(tmp_path: Path) -> None:
    """One row a well and analyte, under a preamble: standards, blanks, bead counts, marks with their side."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in PLATE:
        book.active.append(row)
    book.save(tmp_path / "plate.xlsx")
    ds = read_serum(tmp_path / "plate.xlsx", species="mouse").dataset
    kinds = ["standard", "standard", "blank", "sample", "sample", "sample", "control"]
    assert ds["sample_type"].values.tolist() == kinds
    assert ds["sample"].values.tolist()[3:6] == ["m1 [B1]", "m1 [B2]", "m2"]
    il4 = ds.sel(protein="IL-4")
    np.testing.assert_allclose(2 ** il4["abundance"].values[3:], [31.2, 10 * 4, 1000 * 4, 8.8])
    assert il4["below_lod"].values.tolist() == [False, False, False, False, True, False, False]
    flags = il4["quality"].values
    assert flags[5] & FLAGS["above_range"] and flags[6] & FLAGS["extrapolated"] and flags[4] & FLAGS["few_beads"]
    signal = read_serum(tmp_path / "plate.xlsx", quantity="Median").dataset
    np.testing.assert_allclose(2 ** signal["abundance"].values[0], [9000, 9001])


def test_a_sample_on_two_plates_is_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "sample,plate,protein,NPX value,value\nm1,P1,Il4,,1\nm1,P2,Il4,,3\n")
    assert read_serum(path, unit="NPX").dataset["sample"].values.tolist() == ["m1 [P1]", "m1 [P2]"]


def test_columns_that_differ_within_a_sample_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "sample,protein,value,remark,sex\nm1,Il4,1,x,F\nm1,Il5,3,y,F\n")
    result = read_serum(path, unit="NPX")
    assert "remark" not in result.dataset.coords and result.dataset["sex"].values.tolist() == ["F"]
    assert [p.code for p in result.problems if "remark" in p.message] == ["column_left_out"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample,protein,value\nm1,Il4,1\nm1,Il4,2\n", "row 2 and row 3: sample 'm1' and protein 'Il4' stand twice"),
        ("sample,protein,value\nm1,Il4,high\n", r"row 2, column C: value is not a number; found 'high'"),
        ("sample,protein,value\nm1,,1\n", "row 2, column B: a row has no protein"),
        ("sample,protein,value\n,Il4,1\n", "row 2, column A: a row has no sample"),
        ("sample,protein,value\n", "the table is empty"),
        ("sample,protein,value,unit\nm1,Il4,1,pg/mL\nm2,Il4,1,ng/mL\n", "the rows state different units"),
        ("well,analyte,conc\nZ99,Il4,1\n", "row 2, column A: not a well; found 'Z99'"),
        ("sample,protein,value,quality\nm1,Il4,1,good\n", "an unknown quality flag; found 'good'"),
    ],
)
def test_bad_tables_are_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_serum(write(tmp_path / "a.csv", text), unit="" if "unit" in text else "pg/mL")
