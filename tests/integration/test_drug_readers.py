from __future__ import annotations

import h5py
import numpy as np
import pytest

from core.errors import InputError
from integration.readers.drugs import read_drugs
from integration.readers.gct import gene_symbols, read_gct
from integration.readers.gctx import read_gctx

V12 = "#1.2\n2\t3\nNAME\tDescription\ta\tb\tc\nIL4\tx\t1\t2\t3\nIL5\ty\t-1\tNA\t0.5\n"
V13 = (
    "#1.3\n2\t2\t1\t2\nid\tpr_gene_symbol\td1\td2\ndose\tna\t10\t20\npert\tna\tdupi\tplacebo\n"
    "p1\tIL4\t1\t2\np2\tIL5\t-1\t0.5\n"
)


def write(tmp_path, text, name="t.gct"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_gct_of_both_versions(tmp_path):
    old = read_gct(write(tmp_path, V12))
    assert old.values.loc["IL5"].tolist()[::2] == [-1.0, 0.5]
    assert np.isnan(old.values.loc["IL5", "b"])
    assert gene_symbols(old) == ["IL4", "IL5"]
    new = read_gct(write(tmp_path, V13))
    assert gene_symbols(new) == ["IL4", "IL5"]
    assert new.columns == {"dose": ["10", "20"], "pert": ["dupi", "placebo"]}
    assert new.values.loc["p2", "d2"] == 0.5


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (V12.replace("2\t3", "2\t4", 1), r"line 3: the header has another number of cells than line 2 says"),
        (V12.replace("2\t3", "3\t3", 1), r"another number of lines.*found 2 below the header, expected 3"),
        (V12.replace("2\t3", "many", 1), "line 2 does not hold the numbers"),
        (V12.replace("-1\tNA", "-1\thigh"), r"line 5, column b: not a finite number; found 'high'"),
        (V12.replace("-1\tNA", "inf\tNA"), r"line 5, column a: not a finite number"),
        (V12.replace("IL5\ty\t-1", "IL5\ty"), r"line 5: row and header differ in length"),
        (V12.replace("IL5", "IL4"), "a row id stands twice"),
        ("#1.1\n1\t1\n", "expected #1.2 or #1.3"),
        ("#1.2\n", "line 2 does not hold"),
    ],
)
def test_broken_gct_is_an_error_with_its_line(tmp_path, text, match):
    with pytest.raises(InputError, match=match):
        read_gct(write(tmp_path, text))


def write_gctx(path, *, values, rows=(b"p1", b"p2"), columns=(b"d1", b"d2", b"d3")):
    with h5py.File(path, "w") as file:
        file["0/DATA/0/matrix"] = np.asarray(values, dtype=np.float32).T
        file["0/META/ROW/id"] = np.array(rows)
        file["0/META/ROW/pr_gene_symbol"] = np.array([b"IL4", b"IL5"])
        file["0/META/COL/id"] = np.array(columns)


def test_gctx(tmp_path):
    write_gctx(tmp_path / "a.gctx", values=[[1, 2, 3], [4, 5, 6]])
    found = read_gctx(tmp_path / "a.gctx")
    assert found.values.loc["p2", "d3"] == 6
    assert gene_symbols(found) == ["IL4", "IL5"]
    drugs = read_drugs(tmp_path / "a.gctx").signatures
    assert [drug.name for drug in drugs] == ["d1", "d2", "d3"]
    assert drugs[1].table["logfc"].to_dict() == {"IL4": 2.0, "IL5": 5.0}


def test_broken_gctx(tmp_path):
    write_gctx(tmp_path / "a.gctx", values=[[1, 2], [4, 5]])
    with pytest.raises(InputError, match=r"matrix and ids differ in number; found \(2, 2\), expected \(2, 3\)"):
        read_gctx(tmp_path / "a.gctx")
    with h5py.File(tmp_path / "b.gctx", "w") as file:
        file["x"] = [1]
    with pytest.raises(InputError, match="no GCTX file"):
        read_gctx(tmp_path / "b.gctx")
    (tmp_path / "c.gctx").write_bytes((tmp_path / "a.gctx").read_bytes()[:600])
    with pytest.raises(InputError, match="damaged"):
        read_gctx(tmp_path / "c.gctx")


def test_a_folder_of_drugs_of_every_kind(tmp_path):
    write(tmp_path, "symbol,logfc\nIL4,1\n", "one.csv")
    write(tmp_path, "IL4\t1.5\nIL5\t-2\n", "two.rnk")
    write(tmp_path, V12, "three.gct")
    write(tmp_path, "four_up\tx\tIL4\nfour_down\tx\tIL5\n", "four.gmt")
    found = read_drugs(tmp_path)
    assert [each.name for each in found.signatures] == ["one", "a", "b", "c", "two"]
    assert [each.name for each in found.sets] == ["four"]
    write(tmp_path, "# contrast: two\nsymbol,logfc\nIL4,1\n", "five.csv")
    with pytest.raises(InputError, match="two drugs have one name; found two"):
        read_drugs(tmp_path)


def test_no_drug_files(tmp_path):
    with pytest.raises(InputError, match="holds no file"):
        read_drugs(tmp_path)
    with pytest.raises(InputError, match="not found"):
        read_drugs(tmp_path / "nowhere")
