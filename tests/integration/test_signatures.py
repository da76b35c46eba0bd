from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, RefusedError
from integration.readers import READERS, read_signature
from integration.readers.gmt import read_gmt
from integration.signatures import (
    axis_logfc,
    build_signature,
    signature_overlap,
    signature_quadrants,
    table_similarity,
)

TABLE = pd.DataFrame({"symbol": [f"P{i}" for i in range(12)], "logfc": np.linspace(-1, 1, 12), "q": 0.01})


def signature(table=TABLE, **more):
    return build_signature(table, **({"name": "a - c"} | more))


def test_of_rows_with_one_symbol_the_one_with_the_highest_average_stays():
    table = pd.DataFrame(
        {"symbol": ["A", "A", "B", "", "C"], "logfc": [1, 2, 3, 4, np.nan], "average": [5, 6, 1, 1, 1]}
    )
    built = signature(table)
    assert built.table["logfc"].to_dict() == {"A": 2, "B": 3}
    assert [p.message for p in built.problems] == [
        "2 rows have no symbol or no log2 fold change", "1 rows repeat a symbol",
    ]  # fmt: skip


def test_a_table_without_the_needed_is_an_error():
    with pytest.raises(InputError, match="no column logfc"):
        signature(TABLE.drop(columns="logfc"))
    with pytest.raises(InputError, match="no row has"):
        signature(TABLE.assign(logfc=np.nan))


def test_shared_controls_are_counted_from_the_ids():
    a = signature(samples_1=["a", "b"], samples_0=["h1", "h2", "h3"])
    b = signature(samples_1=["c", "d"], samples_0=["h2", "h3", "h4"], name="b - c")
    found = table_similarity(a, b).iloc[0]
    assert found["n_shared"] == 2
    assert found["null_line"] == pytest.approx(2 / 9 / (1 / 2 + 1 / 3))
    assert np.isnan(found["p"])
    assert "2 shared controls alone" in found["note"]


def test_unknown_sharing_gives_no_null_line():
    found = table_similarity(signature(), signature(name="b - c"))
    assert found["null_line"].isna().all()
    assert "not known: no null line, no p" in found["note"].iloc[0]


def test_species_and_small_overlaps_are_refused():
    with pytest.raises(RefusedError, match="is human, b - c is mouse"):
        table_similarity(signature(), signature(species="mouse", name="b - c"))
    with pytest.raises(RefusedError, match=r"too few proteins.*found 5"):
        table_similarity(signature(), signature(TABLE.head(5)))


def test_overlap_and_quadrants_count_by_hand():
    a = signature(
        pd.DataFrame({"symbol": list("ABCDE"), "logfc": [1, 1, -1, -1, 1], "q": [0.01, 0.01, 0.01, 0.01, 0.5]})
    )
    b = signature(pd.DataFrame({"symbol": list("ABCDE"), "logfc": [1, -1, -1, 0.1, 1], "q": [0.01] * 5}))
    up = signature_overlap(a, b).set_index("direction").loc["up"]
    assert up[["n_a", "n_b", "n_both"]].tolist() == [2, 2, 1]
    assert up["odds_ratio"] == pytest.approx(1.5 * 2.5 / (1.5 * 1.5))
    assert signature_quadrants(a, b)["quadrant"].tolist() == ["shared up", "opposite", "shared down", "opposite", ""]


def test_axis_with_few_members_is_refused():
    table = pd.DataFrame({"symbol": ["IL4", "IL5", "IFNG", "CXCL9", "CXCL10"], "logfc": [1.0, 1, 0, 1, 2]})
    found = axis_logfc(signature(table)).set_index("axis")
    assert found.loc["Th2", "note"] == "refused: 2 members measured, at least 3 needed"
    assert np.isnan(found.loc["Th2 - Th1", "axis_logfc"])
    assert found.loc["Th1", "axis_logfc"] == 1.0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stressaxis", "symbol,logfc,q\nIL4,1.5,0.01\nIL5,NA,\n"),
        ("deseq2", '"gene_id","baseMean","log2FoldChange","lfcSE","pvalue","padj"\n"IL4",3,1.5,0.1,0.2,0.3\n'),
        ("limma", "ID\tlogFC\tAveExpr\tt\tP.Value\tadj.P.Val\tB\nIL4\t1.5\t3\t2\t0.1\t0.2\t0\n"),
        ("limma-rownames", '"","logFC","AveExpr","t","P.Value","adj.P.Val","B"\n"IL4",1.5,3,2,0.1,0.2,0\n'),
        ("edger", "genes;logFC;logCPM;PValue;FDR\nIL4;1.5;3;0.1;0.2\n"),
        ("rnk", "IL4\t1.5\nIL5\t-0.5\n"),
    ],
)
def test_every_layout_is_read(tmp_path, name, text):
    assert {reader.name for reader in READERS} == {"stressaxis", "deseq2", "limma", "limma-rownames", "edger", "rnk"}
    path = tmp_path / f"{name}.txt"
    path.write_text(text, encoding="utf-8")
    assert next(reader.name for reader in READERS if reader.matches(path.read_bytes())) == name
    assert read_signature(path).table["logfc"].to_dict()["IL4"] == 1.5
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_signature(packed).table["logfc"].to_dict()["IL4"] == 1.5


@pytest.mark.parametrize(
    ("text", "more", "match"),
    [
        ("gene,fold\nA,1\n", {}, "no signature table that is known"),
        ("gene,fold\nA,1\n", {"columns": {"symbol": "gene", "logfc": "FC"}}, "no column 'FC'"),
        ("gene,fold\nA,1\n", {"columns": {"symbol": "gene", "effect": "fold"}}, "'effect' is no column"),
        ("symbol,logfc\nA,1\nB,high\n", {}, r"line 3, column logfc: not a finite number; found 'high'"),
        ("symbol,logfc\nA,1,2,3\nB,2\n", {}, r"line 2: row and header differ in length; found 4 cells, expected 2"),
    ],
)
def test_bad_tables_are_errors_with_their_place(tmp_path, text, more, match):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=match):
        read_signature(path, **more)


def test_declared_columns(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("gene,fold\nA,1\n", encoding="utf-8")
    assert read_signature(path, columns={"symbol": "gene", "logfc": "fold"}).table["logfc"].tolist() == [1.0]


def test_damaged_gzip(tmp_path):
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(b"symbol,logfc\nA,1\n" * 100)[:40])
    with pytest.raises(InputError, match="gzip file is damaged"):
        read_signature(path)


def test_gmt(tmp_path, shared):
    sets = read_gmt(shared / "signatures" / "skin_immune_sets" / "skin_immune_sets_from_storage_time_R.gmt")
    assert sets["general_inflammation"] == ("MMP12",)
    assert len(sets) == 8
    bad = tmp_path / "bad.gmt"
    bad.write_text("a\tb\tc\na\tb\tc\n", encoding="utf-8")
    with pytest.raises(InputError, match="stands twice"):
        read_gmt(bad)
    bad.write_text("a\tb\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        read_gmt(bad)


@pytest.fixture(scope="module")
def skin(shared):
    folder = shared / "signatures" / "skin_rna_ad_psoriasis"
    cases = {"cLS_CO": 6, "NL_CO": 27, "PSO_LS_CO": 28}
    return {
        name: read_signature(folder / f"{name}_DGE_all.csv.gz", name=name, n_1=n, n_0=38, material="skin RNA")
        for name, n in cases.items()
    }


def test_real_skin_signatures_name_the_shared_controls(skin):
    found = table_similarity(skin["cLS_CO"], skin["PSO_LS_CO"], shared_controls=38).set_index("score")
    assert found.loc["spearman", "observed"] == pytest.approx(0.72, abs=0.005)
    assert found.loc["spearman", "null_line"] == pytest.approx(0.24, abs=0.005)
    assert found["p"].isna().all()
    assert found.loc["spearman", "note"].startswith("measured in skin RNA; 38 shared controls alone")
    with_nl = table_similarity(skin["NL_CO"], skin["PSO_LS_CO"], shared_controls=38).set_index("score")
    assert with_nl.loc["spearman", "null_line"] == pytest.approx(0.42, abs=0.005)
    lesion = table_similarity(skin["cLS_CO"], skin["NL_CO"], shared_controls=38).set_index("score")
    assert lesion.loc["spearman", "observed"] == pytest.approx(0.48, abs=0.005)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (("core",), {"cLS_CO": (2.23, 1.20, 2.84), "NL_CO": (1.16, 0.10, 0.02), "PSO_LS_CO": (0.76, 3.48, 6.91)}),
        (
            ("core", "extended"),
            {"cLS_CO": (1.64, 0.76, 3.13), "NL_CO": (0.76, 0.06, 0.31), "PSO_LS_CO": (0.33, 2.13, 6.50)},
        ),
    ],
)
def test_axes_of_real_skin_signatures(skin, roles, expected):
    for name, values in expected.items():
        found = axis_logfc(skin[name], roles=roles).set_index("axis")["axis_logfc"]
        assert found[["Th2", "Th1", "Th17_Th22"]].tolist() == pytest.approx(values, abs=0.0051)
        assert (found["Th2 - Th1"] > 0) == (name != "PSO_LS_CO")
