"""Long NPX: real files counted by independent lines, both vocabularies, and what must be refused."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from proteomics.abundance import FLAGS
from proteomics.readers import read_serum

HEADER = "SampleID,OlinkID,UniProt,Assay,Panel,PlateID,QC_Warning,LOD,NPX"


def write(path: Path, rows: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def row(sample: str, assay: str, npx: str, lod: str = "1.0", plate: str = "P1", qc: str = "Pass") -> str:
    number = sum(map(ord, assay)) % 97
    return f"{sample},OID{number:05d},P{number:05d},{assay},Olink INFLAMMATION,{plate},{qc},{lod},{npx}"


def test_covid_serum_unmodified(shared: Path) -> None:
    path = shared / "proteomics/olink_target96_covid_serum/serum_npx_level.csv"
    with open(path, encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    samples = {r["SampleID"] for r in rows}
    assays = {(r["Panel"], r["UniProt"], r["Assay"]) for r in rows}
    assert (len(rows), len(samples), len(assays)) == (27371, 63, 436)
    result = read_serum(path)
    ds = result.dataset
    assert result.reader == "olink-long"
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (63, 436)
    assert int(ds["abundance"].isnull().sum()) == 63 * 436 - len(rows) == 97
    assert (ds["sample_type"] == "sample").all()
    assert not ds["below_lod"].any()
    assert [p.code for p in result.problems] == ["lod_unknown"]
    for r in rows[::997]:
        key = f"{r['Panel']}:{r['UniProt']}:{r['Assay']}"
        assert float(ds["abundance"].sel(sample=r["SampleID"], protein=key)) == float(r["NPX"])
        assert ds["symbol"].sel(protein=key).item() == r["GeneID"]
    assert (ds.attrs["species"], ds.attrs["unit"]) == ("human", "NPX")


@pytest.mark.parametrize("name", ["npx_data1", "npx_data2"])
def test_explore_example_counts(shared: Path, name: str) -> None:
    path = shared / f"proteomics/olink_explore_example/{name}.csv"
    with open(path, encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    below = sum(float(r["NPX"]) < float(r["LOD"]) for r in rows)
    warned = Counter(r["QC_Warning"] for r in rows)["Warning"]
    controls = {(r["SampleID"], r["Index"]) for r in rows if r["SampleID"].startswith("CONTROL")}
    ds = read_serum(path).dataset
    assert int(ds["below_lod"].sum()) == below
    assert int(((ds["quality"] & FLAGS["qc_warning"]) > 0).sum()) == warned == 276
    assert int((ds["sample_type"] == "control").sum()) == len(controls) == 4
    assert ds.sizes["sample"] == len({(r["SampleID"], r["Index"]) for r in rows})
    one = rows[12345]
    if not one["SampleID"].startswith("CONTROL"):
        cell = ds.sel(sample=one["SampleID"], protein=one["OlinkID"])
        assert float(cell["abundance"]) == float(one["NPX"])
        assert float(cell["lod"]) == float(one["LOD"])
        assert cell["Treatment"].item() == one["Treatment"]


def test_wide_and_long_of_the_same_data_agree(shared: Path) -> None:
    folder = shared / "proteomics/olink_explore_example"
    long, wide = read_serum(folder / "npx_data1.csv").dataset, read_serum(folder / "npx_data1.xlsx").dataset
    wide = wide.sel(protein=long["protein"].values)
    subjects = long["sample"].values[long["sample_type"].values == "sample"]
    np.testing.assert_allclose(
        long["abundance"].sel(sample=subjects), wide["abundance"].sel(sample=subjects), rtol=1e-12
    )
    assert (long["below_lod"].sel(sample=subjects).values == wide["below_lod"].sel(sample=subjects).values).all()


def test_parquet_of_the_newer_vocabulary(shared: Path) -> None:
    result = read_serum(shared / "proteomics/olink_explore_example/npx_data_ext.parquet")
    assert result.dataset["protein"].values.tolist() == ["OID42741"]
    assert result.dataset["well"].values.tolist() == ["A1"]


def test_reveal_parquet(tmp_path: Path) -> None:
    """As Explore HT, another panel; no LOD column."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {
        "SampleID": ["m1", "m1", "PC1"], "SampleType": ["SAMPLE", "SAMPLE", "PLATE_CONTROL"],
        "WellID": ["A1", "A1", "A2"], "PlateID": ["P1"] * 3, "OlinkID": ["OID1", "OID2", "OID1"],
        "UniProt": ["P05112", "P05113", "P05112"], "Assay": ["IL4", "IL5", "IL4"], "AssayType": ["assay"] * 3,
        "Panel": ["Reveal"] * 3, "Block": ["1"] * 3, "Count": [100, 3, 50], "ExtNPX": [1.0, 2.0, 3.0],
        "NPX": [1.5, -2.0, 0.1], "PCNormalizedNPX": [9.0, 9.0, 9.0], "Normalization": ["Plate control"] * 3,
        "AssayQC": ["PASS"] * 3, "SampleQC": ["PASS", "PASS", "NA"],
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "reveal.parquet")
    ds = read_serum(tmp_path / "reveal.parquet").dataset
    np.testing.assert_array_equal(ds["abundance"].values, [[1.5, -2.0], [0.1, np.nan]])
    assert ds["sample_type"].values.tolist() == ["sample", "calibrator"]
    assert ds["panel"].values.tolist() == ["Reveal", "Reveal"]


def test_newer_vocabulary_sets_control_assays_apart_and_flags(tmp_path: Path) -> None:
    header = (
        "SampleID;SampleType;WellID;PlateID;OlinkID;UniProt;Assay;AssayType;Panel;Block;NPX;PlateLOD;SampleQC;AssayQC"
    )
    rows = [
        "m1;SAMPLE;A1;P1;OID1;P05112;IL4;assay;HT;1;1,5;2,0;PASS;WARN",
        "m1;SAMPLE;A1;P1;OID2;;Inc Ctrl 1;inc_ctrl;HT;1;0,1;NA;PASS;PASS",
        "m1;SAMPLE;A1;P1;OID3;;X9;amp_ctrl;HT;1;0,1;NA;PASS;PASS",
        "m2;SAMPLE;A4;P1;OID1;P05112;IL4;assay;HT;1;1,5;2,0;MANUAL_WARN;NA",
        "NC;NEGATIVE_CONTROL;A2;P1;OID1;P05112;IL4;assay;HT;1;-3,5;2,0;NA;WARN",
        "PC;PLATE_CONTROL;A3;P1;OID1;P05112;IL4;assay;HT;1;NA;2,0;FAIL;PASS",
    ]
    result = read_serum(write(tmp_path / "ht.csv", rows, header))
    ds = result.dataset
    assert ds["protein"].values.tolist() == ["OID1"]
    assert [(each.protein, each.kind) for each in result.set_apart] == [
        ("OID2", "control assay"),
        ("OID3", "control assay"),
    ]
    assert dict(zip(ds["sample"].values, ds["sample_type"].values, strict=True)) == {
        "m1": "sample",
        "m2": "sample",
        "NC": "blank",
        "PC": "calibrator",
    }
    assert float(ds["abundance"].sel(sample="m1", protein="OID1")) == 1.5
    assert bool(ds["below_lod"].sel(sample="m1", protein="OID1"))
    assert int(ds["quality"].sel(sample="PC", protein="OID1")) == FLAGS["qc_fail"]
    assert int(ds["quality"].sel(sample="m1", protein="OID1")) == FLAGS["assay_warning"]
    assert int(ds["quality"].sel(sample="m2", protein="OID1")) == FLAGS["qc_warning"]
    assert {"control_sample", "control_protein"} <= {p.code for p in result.problems}


def test_lod_is_compared_row_by_row(tmp_path: Path) -> None:
    rows = [row("m1", "IL4", "2.0", lod="1.0", plate="P1"), row("m2", "IL4", "2.0", lod="3.0", plate="P2")]
    ds = read_serum(write(tmp_path / "a.csv", rows)).dataset
    assert ds["below_lod"].values.ravel().tolist() == [False, True]
    assert ds["plate"].values.tolist() == ["P1", "P2"]


def test_gzip_and_utf16_read_the_same(tmp_path: Path) -> None:
    text = "\n".join([HEADER, row("m1", "IL4", "2.0"), row("m2", "IL4", "4.0")]) + "\n"
    plain, packed, wide = tmp_path / "a.csv", tmp_path / "b.csv.gz", tmp_path / "c.csv"
    plain.write_text(text, encoding="utf-8-sig")
    packed.write_bytes(gzip.compress(text.encode()))
    wide.write_text(text, encoding="utf-16")
    values = [read_serum(path).dataset["abundance"].values.tolist() for path in (plain, packed, wide)]
    assert values == [[[2.0], [4.0]]] * 3


def test_parquet_and_csv_agree(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import csv as pacsv
    from pyarrow import parquet

    path = write(
        tmp_path / "a.csv",
        [row(s, a, str(k)) for k, (s, a) in enumerate((s, a) for s in "xyz" for a in ("IL4", "IL5"))],
    )
    parquet.write_table(
        pacsv.read_csv(
            path, convert_options=pacsv.ConvertOptions(column_types={"PlateID": pa.dictionary(pa.int32(), pa.string())})
        ),
        tmp_path / "a.parquet",
    )
    left, right = read_serum(path).dataset, read_serum(tmp_path / "a.parquet").dataset
    assert left.drop_attrs().equals(right.drop_attrs())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("m1", "IL4", "high")], r"a\.csv, row 2, column NPX: NPX is not a number; found 'high'"),
        ([row("m1", "IL4", "1.0"), row("m2", "IL4", "1.0", lod="low")], r"row 3, column LOD.*'low'"),
        ([row("m1", "IL4", "1.0"), row("m1", "IL4", "2.0")], "sample 'm1' has two values for one assay"),
        ([row("m1", "IL4", "1.0"), "m2,OID1"], r"row 3: row has another number of cells"),
        ([row("", "IL4", "1.0")], r"row 2, column SampleID: blank cell"),
        ([], "the table is empty"),
        (["m1,OID1,P1,IL4,X,P1,Pass,1,2", "m2,OID1,P2,IL5,X,P1,Pass,1,2"], "OID1 stands for two assays"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_serum(write(tmp_path / "a.csv", rows))


def test_latin_1_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join([HEADER, row("m1", "IL4", "1"), row("Mäx", "IL4", "1")]).encode("latin-1"))
    with pytest.raises(InputError, match=r"line 3.*not UTF-8|not UTF-8.*0xe4"):
        read_serum(path)


def test_repeated_controls_are_kept_apart(tmp_path: Path) -> None:
    rows = [row("IPC", "IL4", "1", plate="P1"), row("IPC", "IL4", "2", plate="P2"), row("m1", "IL4", "3")]
    result = read_serum(write(tmp_path / "a.csv", rows))
    assert result.dataset["sample"].values.tolist() == ["IPC", "IPC #2", "m1"]
    assert not [p for p in result.problems if p.code == "duplicate_sample"]


def test_a_subjects_sample_on_two_plates_is_reported(tmp_path: Path) -> None:
    rows = [row("m1", "IL4", "1", plate="P1"), row("m1", "IL4", "2", plate="P2")]
    result = read_serum(write(tmp_path / "a.csv", rows))
    assert result.dataset["sample"].values.tolist() == ["m1", "m1 #2"]
    assert [p.where for p in result.problems if p.code == "duplicate_sample"] == ["sample m1"]


def test_quantified_values_become_log2(tmp_path: Path) -> None:
    header = "SampleID,OlinkID,UniProt,Assay,Panel,Quantified_value,Unit,LOD"
    path = write(tmp_path / "q.csv", ["m1,OID1,P05112,IL4,Olink Target 48 Mouse Cytokine,8,pg/mL,16"], header)
    ds = read_serum(path).dataset
    assert (ds["abundance"].item(), ds["lod"].item(), ds["below_lod"].item()) == (3.0, 4.0, True)
    assert (ds.attrs["unit"], ds.attrs["species"]) == ("log2 pg/mL", "mouse")
