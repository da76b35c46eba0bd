"""Plates of wells: xPONENT, Bio-Plex, INTELLIFLEX, MSD and their layouts, counted by independent lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from proteomics.abundance import FLAGS
from proteomics.readers import read_serum
from proteomics.readers.plate import average_replicates
from proteomics.readers.plate_layout import read_plate_layout, well_kind

PLATES = "proteomics/luminex_xponent_plates"


def block(path: Path, name: str) -> list[list[str]]:
    """Rows of one block by plain csv, header first."""
    with open(path, encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    start = next(k for k, r in enumerate(rows) if r[:2] == ["DataType:", name]) + 1
    end = next((k for k in range(start, len(rows)) if rows[k] and rows[k][0] == "DataType:"), len(rows))
    return [r for r in rows[start:end] if any(r)]


def test_result_block_with_marks(shared: Path) -> None:
    path = shared / PLATES / "pone.0187901.s001.csv"
    rows = block(path, "Result")
    cells = [cell for r in rows[1:] for cell in r[2:32]]
    low, high = sum(c.startswith("<") for c in cells), sum(c.startswith(">") for c in cells)
    missing = sum(c == "NaN" for c in cells)
    ds = read_serum(path, species="human").dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (len(rows) - 1, 30)
    assert (
        (int(ds["below_lod"].sum()), int((ds["quality"] & FLAGS["above_range"] > 0).sum())) == (low, high) == (208, 32)
    )
    assert int(ds["abundance"].isnull().sum()) == missing
    assert "Total Events" not in ds["protein"].values
    one = ds.sel(sample="B_sid_13_CSP", protein="FGF")
    assert (2 ** one["abundance"].item(), bool(one["below_lod"])) == (pytest.approx(0.10528564453125), True)
    kinds = Counter(ds["sample_type"].values.tolist())
    assert kinds == Counter(
        "blank" if n.startswith("Background") else "standard" if n.startswith("Standard") else "control" if n.startswith("Control") else "sample"
        for n in (r[1] for r in rows[1:])
    )  # fmt: skip
    assert ds["dilution"].sel(sample="B_sid_13_CSP").item() == 2
    assert ds.attrs["unit"] == "log2 pg/mL"


@pytest.mark.parametrize(
    "name",
    [
        "CovidOISExPONTENT",
        "CovidOISExPONTENT_CO",
        "IGG_CO_1_xponent",
        "Chul_IgG3_1",
        "Chul_TotalIgG_2",
        "New_Batch_6_20160309_174224",
    ],
)
def test_medians_and_bead_counts(shared: Path, name: str) -> None:
    path = shared / PLATES / f"{name}.csv"
    median, count = block(path, "Median"), block(path, "Count")
    n = len([c for c in median[0][2:] if c and c != "Total Events"])
    few = sum(float(c) < 30 for r in count[1:] for c in r[2 : 2 + n])
    ds = read_serum(path).dataset
    assert ds.sizes["sample"] == len(median) - 1
    assert int((ds["quality"] & FLAGS["few_beads"] > 0).sum()) == few
    values = np.array([[float(c) for c in r[2 : 2 + n]] for r in median[1:]])
    np.testing.assert_allclose(2 ** ds["abundance"].fillna(-np.inf).values, values, rtol=1e-12)
    assert ds["well"].values.tolist() == [re.search(r",([A-H]\d+)\)", r[0])[1] for r in median[1:]]  # type: ignore[index]


def test_lost_rows_are_refused_with_the_wells(shared: Path) -> None:
    with pytest.raises(InputError, match=r"block Net MFI has other wells.*A1, A2"):
        read_serum(shared / PLATES / "CovidOISExPONTENT_missing_rows.csv")
    with pytest.raises(InputError, match=r"row 28.*cells seem to be shifted"):
        read_serum(shared / PLATES / "random_broken_colB.csv")


def test_layout_names_wells(shared: Path) -> None:
    folder = shared / PLATES
    plain = read_serum(folder / "CovidOISExPONTENT.csv").dataset
    named = read_serum(folder / "CovidOISExPONTENT.csv", layout=folder / "CovidOISExPONTENT_layout.csv").dataset
    assert named["sample"].values[named["well"].values == "B1"].tolist() == ["CO-F-226-01-CF"]
    np.testing.assert_array_equal(plain["abundance"].values, named["abundance"].values)
    xlsx = read_plate_layout(folder / "CovidOISExPONTENT_layout.xlsx")
    assert xlsx == read_plate_layout(folder / "CovidOISExPONTENT_layout.csv") or len(xlsx) == 96


def test_a_sample_in_several_wells_is_kept_or_averaged(shared: Path) -> None:
    folder = shared / PLATES
    layout = folder / "CovidOISExPONTENT_layout_duplicates.csv"
    kept = read_serum(folder / "CovidOISExPONTENT.csv", layout=layout)
    assert "duplicate_sample" in {p.code for p in kept.problems}
    wells = kept.dataset["name"].values == "CO-F-226-01-CF"
    assert wells.sum() == 4
    mean = read_serum(folder / "CovidOISExPONTENT.csv", layout=layout, replicates="average").dataset
    one = mean.sel(sample="CO-F-226-01-CF")
    np.testing.assert_allclose(one["abundance"].values, kept.dataset["abundance"].values[wells].mean(axis=0))
    assert (one["quality"].values & FLAGS["replicates_averaged"] > 0).all()
    assert mean.sizes["sample"] == kept.dataset.sizes["sample"] - 3 - 1
    assert average_replicates(mean).sizes == mean.sizes


def test_bioplex_out_of_range_marks(shared: Path) -> None:
    import python_calamine

    folder = shared / "proteomics/bioplex_manager_oor"
    sheet = python_calamine.CalamineWorkbook.from_path(str(folder / "plate1_DD_corrected.xls")).get_sheet_by_index(0)
    rows = [r for r in sheet.to_python(skip_empty_area=False) if re.fullmatch(r"[BSX]\d*", str(r[1]))]
    marks = Counter(re.sub(r"[\d.]+", "#", str(r[8])) for r in rows)
    assert (marks["OOR <"], marks["OOR >"], marks["*#"], len({r[0] for r in rows})) == (450, 115, 403, 22)
    zero = sum(str(r[8]).startswith("*") and float(str(r[8])[1:]) == 0 for r in rows)
    result = read_serum(folder / "plate1_DD_corrected.xls", species="human")
    ds = result.dataset
    assert Counter(ds["sample_type"].values.tolist()) == {"sample": 80, "standard": 7, "blank": 1}
    assert int(ds["below_lod"].sum()) == marks["OOR <"] + zero
    assert int((ds["quality"] & FLAGS["above_range"] > 0).sum()) == marks["OOR >"]
    assert int((ds["quality"] & FLAGS["extrapolated"] > 0).sum()) == marks["*#"] - zero
    lowest = min(r[9] for r in rows if r[0] == "FGF-2 (75)" and str(r[1]).startswith("S"))
    cell = ds.sel(sample="X8", protein="FGF-2 (75)")
    assert (bool(cell["below_lod"]), 2 ** cell["abundance"].item()) == (True, pytest.approx(lowest))
    assert cell["well"].item() == "A10"
    named = read_serum(folder / "plate1_DD_corrected.xls", layout=next(folder.glob("plate_layout*"))).dataset
    assert named["sample"].values[named["well"].values == "A11"].tolist() == ["F_2"]


def test_bioplex_side_by_side(shared: Path) -> None:
    folder = shared / "proteomics/luminex_bioplex_oor"
    ds = read_serum(folder / "synthetic_bioplex.xlsx", layout=folder / "synthetic_bioplex_layout.xlsx").dataset
    assert Counter(ds["sample_type"].values.tolist()) == {"standard": 11, "sample": 3, "blank": 1}
    assert 2 ** ds["abundance"].sel(sample="Test1", protein="AN2 (44)").item() == pytest.approx(2894.6)


def test_bioplex_xml(shared: Path) -> None:
    path = shared / "proteomics/msd_and_intelliflex/bio-rad_bio-plex_manager_example_01.xml"
    text = path.read_text(encoding="utf-8")
    ds = read_serum(path).dataset
    assert ds.sizes["sample"] == len(re.findall("<Label>", text)) == 48
    assert Counter(ds["sample_type"].values.tolist()) == {"sample": 32, "standard": 11, "control": 4, "blank": 1}
    assert 2 ** ds["abundance"].sel(sample="X1", protein="alpha").item() == pytest.approx(781.0)


def test_xml_entities_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><BioPlexManager>&a;</BioPlexManager>')
    with pytest.raises(InputError, match="declares a document type or entities"):
        read_serum(path)


def test_intelliflex_rows_and_footer(shared: Path) -> None:
    path = shared / "proteomics/msd_and_intelliflex/luminex_intelliflex_v2_2.csv"
    with open(path, encoding="utf-8-sig", newline="") as stream:
        rows = [r for r in csv.DictReader(stream) if r.get("WELL LOCATION")]
    groups = {name for name in rows[0] if name.endswith((": RP1 MEDIAN", ": RP2 MEDIAN"))}
    used = {g for g in groups if any(r[g] for r in rows)}
    ds = read_serum(path).dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (len(rows), len(used))
    assert ds["well"].values.tolist() == [r["WELL LOCATION"] for r in rows]


def test_workbench_ranges_and_standards(shared: Path) -> None:
    folder = shared / "proteomics/msd_and_intelliflex"
    ds = read_serum(folder / "msd_workbench_test_1.csv").dataset
    assert ds["plate"].values.tolist() == ["2BO40AW287"] * 2
    assert int((ds["quality"] & FLAGS["above_range"] > 0).sum()) == 3
    two = read_serum(folder / "msd_workbench_test_2.csv").dataset
    assert Counter(two["sample_type"].values.tolist()) == {"sample": 32, "standard": 16}
    assert 2 ** two["abundance"].sel(sample="U001 [A3]").item() == pytest.approx(200)


def test_spots_below_one_letter(shared: Path) -> None:
    folder = shared / "proteomics/msd_and_intelliflex"
    lines = [line.split("\t") for line in (folder / "RP2_raw.txt").read_text().splitlines()]
    ds = read_serum(folder / "RP2_raw.txt", layout=folder / "SP2_RP2_layout.txt").dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (96, 10)
    first = ds.isel(sample=int(np.flatnonzero(ds["well"].values == "A1")[0]))
    np.testing.assert_allclose(2 ** first["abundance"].values, [float(lines[k][1]) for k in range(1, 11)])
    assert first["name"].item() == "Standard1"
    assert float(ds["dilution"].values[ds["well"].values == "A5"][0]) == 100000


def test_methodical_mind_plates_are_told_apart(shared: Path) -> None:
    ds = read_serum(shared / "proteomics/msd_and_intelliflex/methodical_test_1.txt").dataset
    assert set(ds["plate"].values) == {"22M0TALA85N", "22M0TAQA86T"}
    assert 2 ** ds["abundance"].sel(sample="A1 [22M0TALA85N A1]").item() == pytest.approx(12895)


@pytest.mark.parametrize("name", ["B12", "S3", "C1", "Control mouse 3", "m1"])
def test_names_that_may_be_mice_stay_samples(name: str) -> None:
    assert well_kind(name) == "sample"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "not a plate layout"),
        ("Well,Sample\nA1,m1\nA01,m2\n", "well A1 stands twice"),
        ("Well,Sample\nZ9,m1\n", "not a well; found 'Z9'"),
        (",1,2,3\nA,a,b,c\nA,d,e,f\n", "well A1 stands twice"),
        (",1,2,3\nA,a,b,c\nAB,d,e,f\n", "a row of the plate has no letter"),
    ],
)
def test_bad_layouts(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_plate_layout(tmp_path / "l.csv")


XPONENT = """Program,xPONENT,,MAGPIX
Batch,P1
Samples,2,Min Events,50,Per Bead
Results

DataType:,Median
Location,Sample,IL-4,IL-5,Total Events
"1(1,A1)",m1,{a},20,900
1(1,B1),m2,30,40,900
"""


def test_unquoted_wells_and_bad_cells(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(XPONENT.format(a="10"))
    assert read_serum(path, species="mouse").dataset["symbol"].values.tolist() == ["Il4", "Il5"]
    path.write_text(XPONENT.format(a="ten"))
    with pytest.raises(InputError, match="well A1: Median of IL-4 is not a number; found 'ten'"):
        read_serum(path)
    with pytest.raises(InputError, match="no quantity 'Result'; expected Median"):
        read_serum(path, quantity="Result")


def test_msd_signals_with_their_layout(shared: Path) -> None:
    folder = shared / "proteomics/msd_and_intelliflex"
    ds = read_serum(folder / "RP2_raw.txt", layout=folder / "SP2_RP2_layout.txt").dataset
    assert Counter(ds["sample_type"].values.tolist()) == {"sample": 72, "standard": 16, "control": 6, "blank": 2}
    assert ds["sample"].values[2] == "3001241309 [A3]" and dict(ds.sizes) == {"sample": 96, "protein": 10}
