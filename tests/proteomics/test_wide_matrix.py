"""The plain matrix: units, marks, orientations, and real tables of that shape."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from proteomics.abundance import FLAGS
from proteomics.readers import read_serum


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


EXAMPLE = """# unit: pg/mL
# species: mouse
# platform: Bio-Plex
sample,plate,Il4,Il5,Il13
LOD,,2,0.5,4
007,P1,8,<0.25,64
m002,P1,n.d.,4,OOR >
m003,P2,1,*16,***
"""


def test_the_documented_example(tmp_path: Path) -> None:
    result = read_serum(write(tmp_path / "serum.csv", EXAMPLE))
    ds = result.dataset
    assert ds["sample"].values.tolist() == ["007", "m002", "m003"]
    expected = [[3, -2, 6], [1, 2, np.nan], [0, 4, np.nan]]
    np.testing.assert_array_equal(ds["abundance"].values, expected)
    assert ds["below_lod"].values.tolist() == [[False, True, False], [True, False, False], [True, False, False]]
    assert ds["lod"].values[0].tolist() == [1.0, -2.0, 2.0]
    assert ds["quality"].values.tolist() == [
        [0, 0, 0],
        [0, 0, FLAGS["above_range"]],
        [0, FLAGS["extrapolated"], FLAGS["no_result"]],
    ]
    assert ds["plate"].values.tolist() == ["P1", "P1", "P2"]
    assert (ds.attrs["unit"], ds.attrs["species"], ds.attrs["platform"]) == ("log2 pg/mL", "mouse", "Bio-Plex")
    assert {"above_range", "extrapolated", "no_result"} == {p.code for p in result.problems}


@pytest.mark.parametrize("unit", ["NPX", "log2", "log2 pg/mL"])
def test_log_units_stay_as_they_are(tmp_path: Path, unit: str) -> None:
    ds = read_serum(write(tmp_path / "a.csv", f"# unit: {unit}\nsample,Il4,Il5\nm1,-1.5,2\nm2,3,4\n")).dataset
    assert ds["abundance"].values.tolist() == [[-1.5, 2], [3, 4]]
    assert ds.attrs["unit"] == unit


def test_log10_is_converted(tmp_path: Path) -> None:
    ds = read_serum(write(tmp_path / "a.csv", "# unit: log10 pg/mL\nsample,Il4\nm1,2\n")).dataset
    assert ds["abundance"].item() == pytest.approx(np.log2(100))


def test_proteins_in_rows_equal_samples_in_rows(tmp_path: Path) -> None:
    upright = read_serum(
        write(tmp_path / "a.csv", "# unit: pg/mL\nsample,Il4,Il5\nLOD,1,2\nm1,1.5,3\nm2,<1,9\n")
    ).dataset
    turned = read_serum(
        write(tmp_path / "b.csv", "# unit: pg/mL\nprotein,LOD,m1,m2\nIl4,1,1.5,<1\nIl5,2,3,9\n")
    ).dataset
    assert upright.drop_attrs().equals(turned.drop_attrs())


def test_a_first_column_of_proteins_is_seen_whatever_it_is_called(tmp_path: Path) -> None:
    turned = read_serum(write(tmp_path / "b.csv", "# unit: pg/mL\nID,m1,m2\nIl4,1.5,2\nIl5,3,9\nKC,3,9\n")).dataset
    assert turned["protein"].values.tolist() == ["Il4", "Il5", "KC"]
    upright = read_serum(write(tmp_path / "a.csv", "# unit: pg/mL\nID,Il4,Il5\nm1,1,2\nm2,3,4\n")).dataset
    assert upright["protein"].values.tolist() == ["Il4", "Il5"]


def test_semicolon_and_decimal_comma(tmp_path: Path) -> None:
    ds = read_serum(write(tmp_path / "a.csv", "sample;Il4 (pg/mL);Il5 (pg/mL)\nm1;2,5;<0,5\nm2;10,0;3\n")).dataset
    np.testing.assert_allclose(2 ** ds["abundance"].values, [[2.5, 0.5], [10, 3]])
    assert ds.attrs["unit"] == "log2 pg/mL"
    assert ds["protein"].values.tolist() == ["Il4", "Il5"]


def test_workbook_reads_as_csv(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in csv.reader(EXAMPLE.splitlines()):
        book.active.append([float(x) if x.replace(".", "", 1).isdigit() and x != "007" else x or None for x in line])
    book.save(tmp_path / "a.xlsx")
    left = read_serum(tmp_path / "a.xlsx").dataset
    assert left.drop_attrs().equals(read_serum(write(tmp_path / "a.csv", EXAMPLE)).dataset.drop_attrs())


def test_limits_by_option(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "# unit: pg/mL\nsample,Il4\nm1,1\nm2,8\n")
    assert read_serum(path, lod={"Il4": 2.0}).dataset["below_lod"].values.tolist() == [[True], [False]]
    with pytest.raises(InputError, match="not in the table; found Il9"):
        read_serum(path, lod={"Il9": 2.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "# unit: pg/mL\nsample,Il4\nm1,2\nm2,high\n",
            r"a\.csv, row 4, column B: the value of Il4 is not a number; found 'high'",
        ),
        ("# unit: pg/mL\nsample,Il4\nm1,2\nm1,3\n", "sample 'm1' stands twice"),
        ("# unit: pg/mL\nsample,Il4,Il4\nm1,2,3\n", "a protein stands twice"),
        ("# unit: pg/mL\nsample,Il4\nm1,-2\n", "a concentration is negative"),
        ("# unit: pg/mL\nsample,Il4\nm1,1,2\n", "row has more cells than the header"),
        ("# unit: pg/mL\nsample,Il4\n", "the table is empty"),
        ("# unit: pg/mL\n", "the table is empty"),
        ("sample,Il4\nm1,2\nm2,9\n", "does not state its unit"),
        ("# unit: pg/mL\nsample;Il4\nm1;2,5\nm2;3.5\n", "some numbers with a decimal comma and some with a point"),
        ("# unit: pg/mL\nsample,Il4\nm1,2\n,3\n", "a row has no sample id"),
    ],
)
def test_bad_tables_are_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_serum(write(tmp_path / "a.csv", text))


def test_multiplex_table_with_types_wells_and_marks(tmp_path: Path) -> None:
    """As plate software writes concentrations: standards, blanks and replicate wells among the samples."""
    text = """Well,Type,Sample,IL-4 (pg/mL),IL-5 (pg/mL)
A1,Standard,Standard1,400,800
B1,Background,Background,<1.5,<0.8
C1,Unknown,m1,<1.5,12
D1,Unknown,m1,2,13
E1,Control,QC1,50,>800
F1,Unknown,m2,n.d.,#NUM!
"""
    result = read_serum(write(tmp_path / "plate.csv", text), species="mouse")
    ds = result.dataset
    assert ds["sample"].values.tolist() == ["Standard1", "Background", "m1 [C1]", "m1 [D1]", "QC1", "m2"]
    assert ds["sample_type"].values.tolist() == ["standard", "blank", "sample", "sample", "control", "sample"]
    assert ds["below_lod"].values[:, 0].tolist() == [False, True, True, False, False, True]
    assert ds["symbol"].values.tolist() == ["Il4", "Il5"]
    assert int(ds["quality"].values[5, 1]) == FLAGS["no_result"]
    assert "duplicate_sample" in {p.code for p in result.problems}


def test_zeros_are_censored_not_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "# unit: pg/mL\nsample,Il4\nm1,0\nm2,8\n")
    ds = read_serum(path).dataset
    assert np.isnan(ds["abundance"].values[0, 0])
    assert ds["below_lod"].values.tolist() == [[True], [False]]
    assert not read_serum(path, zero="missing").dataset["below_lod"].any()
    with pytest.raises(InputError, match="0 has no logarithm"):
        read_serum(path, zero="value")


def test_mouse_cytokines_with_greek_letters_and_a_floor(shared: Path) -> None:
    path = shared / "proteomics/luminex_mouse_wild_vs_lab/original.csv"
    with open(path, encoding="utf-8-sig") as stream:
        rows = list(csv.reader(stream))
    result = read_serum(path, species="mouse")
    ds = result.dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (len(rows) - 1, len(rows[0])) == (262, 32)
    np.testing.assert_allclose(2 ** ds["abundance"].values, [[float(x) for x in r] for r in rows[1:]], rtol=1e-12)
    assert {"constant_floor", "unit_assumed", "ids_made", "lod_unknown"} == {p.code for p in result.problems}
    assert {"Il1a", "Cxcl1", "Ifng", "Ccl11", "Csf2"} <= set(ds["symbol"].values)


@pytest.mark.parametrize(("name", "notes"), [("ExampleData1.csv", 3), ("ExampleData5.csv", 4)])
def test_human_cytokines_with_group_columns(shared: Path, name: str, notes: int) -> None:
    path = shared / "proteomics/luminex_cytoprofile_t2d" / name
    with open(path, encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    ds = read_serum(path, species="human").dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (len(rows) - 1, len(rows[0]) - notes)
    assert ds["Group"].values.tolist() == [r[0] for r in rows[1:]]


def test_psychiatric_zeros_are_non_detects(shared: Path) -> None:
    path = shared / "proteomics/serum_psychiatric_immunoassay/male_centre1.csv"
    with open(path, encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    zeros = sum(float(x) == 0 for r in rows[1:] for x in r[1:])
    ds = read_serum(path).dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (73, 17)
    assert int(ds["below_lod"].sum()) == zeros == 216
    assert ds["protein"].values[0] == "ACE"


def test_transposed_drug_table_without_replicate_ids(shared: Path) -> None:
    result = read_serum(shared / "proteomics/invitro_drug_cytokines/drugs_2022.csv", species="human")
    ds = result.dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (30, 9)
    assert 2 ** ds["abundance"].sel(sample="astaxanthin #2", protein="IL1b").item() == pytest.approx(2733.5)
    assert "duplicate_sample" in {p.code for p in result.problems}
