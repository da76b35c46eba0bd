"""Tables of MaxQuant, DIA-NN, Spectronaut, FragPipe, AlphaPept, SomaScan, Prostar, counted by independent lines."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from proteomics.abundance import FLAGS
from proteomics.readers import read_serum

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def messages(result) -> str:  # type: ignore[no-untyped-def]
    return " | ".join(problem.message for problem in result.problems)


@pytest.mark.parametrize(
    ("name", "prefix", "flags", "n_samples"),
    [
        ("maxquant_lfqanalyst/proteinGroups.txt", "LFQ intensity ", (17, 49, 21), 15),
        ("maxquant_ubilength/UbiLength_proteinGroups.tsv", "LFQ.intensity.", (31, 34, 40), 12),
        ("maxquant_traianprot/proteinGroups.txt", "Intensity.", (30, 15, 22), 16),
    ],
)
def test_maxquant_counts(shared: Path, name: str, prefix: str, flags: tuple[int, int, int], n_samples: int) -> None:
    rows = rows_of(shared / "proteomics" / name)
    column = {key.replace(".", " ").casefold(): key for key in rows[0]}
    keys = ("reverse", "potential contaminant", "only identified by site")
    marked = [sum(r[column[key]] == "+" for r in rows) for key in keys]
    assert tuple(marked) == flags
    good = [r for r in rows if not any(r[column[key]] == "+" for key in keys)]
    samples = [key for key in rows[0] if key.startswith(prefix)]
    zeros = sum(float(r[key]) == 0 for r in good for key in samples)
    result = read_serum(shared / "proteomics" / name)
    ds = result.dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (n_samples, len(good))
    assert int(ds["abundance"].isnull().sum()) == zeros
    for kind, number in zip(("decoy", "contaminant", "only by site"), flags, strict=True):
        assert f"{number} groups are {kind}" in messages(result)
        assert sum(kind in each.kind for each in result.set_apart) == number
    r = good[100]
    ids = r[column["protein ids"]]
    for key in samples:
        value = ds["abundance"].sel(protein=ids, sample=key.removeprefix(prefix)).item()
        assert (np.isnan(value) and float(r[key]) == 0) or value == pytest.approx(np.log2(float(r[key])))


def test_albumin_of_human_plasma_can_be_kept(shared: Path) -> None:
    path = shared / "proteomics/plasma_weightloss_and_quality_markers/example_Weight_loss_study.txt"
    rows = rows_of(path)
    marked = [r for r in rows if r["Potential contaminant"] == "+"]
    by_flag, by_member = read_serum(path), read_serum(path, contaminants="first member")
    assert by_flag.dataset.sizes["protein"] == len(rows) - len(marked)
    assert "begin with an id of the organism itself" in messages(by_flag)
    assert "P02768" in by_member.dataset["uniprot"].values
    assert by_member.dataset.sizes["protein"] == len(rows)
    samples = [key for key in rows[0] if key.startswith("LFQ_")]
    missing = sum(r[key] in ("nan", "NaN", "") for r in rows for key in samples)
    assert int(by_member.dataset["abundance"].isnull().sum()) == missing


@pytest.mark.parametrize(
    ("name", "contaminants", "species"),
    [
        ("diann_pg_matrix_plaques/report.pg_matrix.tsv", 0, "human"),
        ("diann_report/pyproteomics_report.pg_matrix.tsv", None, "mouse"),
    ],
)
def test_diann_matrix(shared: Path, name: str, contaminants: int | None, species: str) -> None:
    rows = rows_of(shared / "proteomics" / name)
    runs = [key for key in rows[0] if key.endswith(".d")]
    apart = [r for r in rows if r["Protein.Group"].split(";")[0].startswith("Cont_")]
    if contaminants is not None:
        assert len(apart) == contaminants
    good = [r for r in rows if r not in apart]
    result = read_serum(shared / "proteomics" / name)
    ds = result.dataset
    assert (ds.sizes["sample"], ds.sizes["protein"], len(result.set_apart)) == (len(runs), len(good), len(apart))
    assert int(ds["abundance"].isnull().sum()) == sum(r[run] == "" for r in good for run in runs)
    assert ds["sample"].values[0] == runs[0].split("\\")[-1].removesuffix(".d")
    assert ds.attrs["species"] == species
    groups = {r["Protein.Group"] for r in good if ";" in r["Protein.Group"]}
    assert groups <= set(ds["protein"].values)


def test_diann_report_filters_and_takes_one_value(shared: Path) -> None:
    path = shared / "proteomics/diann_report/diann_report.tsv"
    rows = [r for r in rows_of(path) if float(r["Q.Value"]) <= 0.01 and float(r["PG.Q.Value"]) <= 0.01]
    cells = {(r["File.Name"], r["Protein.Group"]): float(r["PG.Normalised"]) for r in rows if r["Protein.Group"]}
    ds = read_serum(path).dataset
    assert int(ds["abundance"].notnull().sum()) == len(cells)
    for (run, group), value in list(cells.items())[::37]:
        name = run.split("\\")[-1].removesuffix(".mzML.dia")
        assert ds["abundance"].sel(sample=name, protein=group).item() == pytest.approx(np.log2(value))
    other = read_serum(path, quantity="PG.Quantity").dataset
    assert other.attrs["unit"] == "log2 PG.Quantity"
    with pytest.raises(InputError, match="no column for value"):
        read_serum(path, quantity="PG.Nothing")


@pytest.mark.parametrize(
    ("name", "comma"), [("results_non_european_comma.tsv", False), ("spectronaut_normal.tsv", True)]
)
def test_spectronaut_with_either_decimal_mark(shared: Path, name: str, comma: bool) -> None:
    path = shared / "proteomics/spectronaut" / name
    rows = rows_of(path)
    cells = {
        (r["R.FileName"], r["PG.ProteinGroups"]): float(r["PG.Quantity"].replace(",", "."))
        for r in rows
        if float(r["PG.Qvalue"].replace(",", ".")) <= 0.01
    }
    assert any("," in r["PG.Quantity"] for r in rows) is comma
    ds = read_serum(path).dataset
    assert int(ds["abundance"].notnull().sum()) == len(cells)
    for (run, group), value in cells.items():
        assert ds["abundance"].sel(sample=run, protein=group).item() == pytest.approx(np.log2(value))


def test_fragpipe_zeros_and_contaminants(shared: Path) -> None:
    path = shared / "proteomics/fragpipe_idh/combined_protein.tsv"
    rows = rows_of(path)
    good = [r for r in rows if not r["Protein"].startswith("contam_")]
    samples = [key for key in rows[0] if key.endswith(" MaxLFQ Intensity")]
    result = read_serum(path)
    assert len(result.set_apart) == len(rows) - len(good) == 5
    assert result.dataset.sizes["protein"] == len(good) == 7682
    assert int(result.dataset["abundance"].isnull().sum()) == sum(float(r[key]) == 0 for r in good for key in samples)
    assert read_serum(path, quantity="Intensity").dataset.attrs["unit"] == "log2 Intensity"


def test_alphapept_decoys(shared: Path) -> None:
    path = shared / "proteomics/alphapeptstats_testfiles/alphapept__results_proteins.csv"
    with open(path, encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    result = read_serum(path)
    assert Counter(each.kind for each in result.set_apart) == {"decoy": sum(r[0].startswith("REV__") for r in rows)}
    assert result.dataset.sizes["protein"] == len(rows) - 38


def test_zeros_and_blanks_are_both_missing(shared: Path) -> None:
    path = shared / "proteomics/alphapeptstats_testfiles/synthetic__preprocessing_pentests.csv"
    with open(path, encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    empty = sum(cell in ("", "0") for r in rows for cell in r[2:])
    assert int(read_serum(path).dataset["abundance"].isnull().sum()) == empty
    assert int(read_serum(path, zero="below").dataset["below_lod"].sum()) == sum(c == "0" for r in rows for c in r[2:])


def test_somascan(shared: Path) -> None:
    path = shared / "proteomics/somascan_adat/example_data10.adat"
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    begin = next(k for k, line in enumerate(lines) if line[0] == "^TABLE_BEGIN")
    described = {line[34]: line[35:] for line in lines[begin + 1 :] if not line[0] and len(line) > 35}
    proteins = [k for k, kind in enumerate(described["Type"]) if kind == "Protein"]
    body = [line for line in lines[begin + 1 :] if line[0]][1:]
    ds = read_serum(path).dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (len(body), len(proteins))
    assert Counter(ds["sample_type"].values.tolist()) == {"sample": 9, "calibrator": 1}
    flagged = sum(described["ColCheck"][k] == "FLAG" for k in proteins)
    assert int((ds["quality"].values[0] & FLAGS["assay_warning"] > 0).sum()) == flagged
    assert 2 ** ds["abundance"].values[0, 0] == pytest.approx(476.5)
    assert len(set(ds["uniprot"].values)) < ds.sizes["protein"]


def test_prostar_marks_filled_in_values(shared: Path) -> None:
    folder = shared / "proteomics/prometis_mouse_plasma"
    result = read_serum(next(folder.glob("RAW*.xlsx")))
    ds = result.dataset
    assert (ds.sizes["sample"], ds.sizes["protein"]) == (36, 446)
    assert int((ds["quality"] & FLAGS["imputed"] > 0).sum()) == 797
    assert ds.attrs["species"] == "mouse"
    matrix = read_serum(folder / "dataMatrix.tsv", unit="log2").dataset
    assert matrix.sizes == ds.sizes
    left = ds["abundance"].sel(sample="abundance_617", protein="sp|P01027|CO3_MOUSE").item()
    assert matrix["abundance"].sel(sample="W617f", protein="P01027_Complement C3").item() == pytest.approx(left)


def test_a_complete_label_free_matrix_is_suspect(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    head = "Protein IDs\t" + "\t".join(f"LFQ intensity s{k}" for k in range(10))
    body = ["\t".join([f"P{k:05d}", *map(str, rng.lognormal(20, 1, 10).round())]) for k in range(40)]
    path = tmp_path / "proteinGroups.txt"
    path.write_text("\n".join([head, *body]))
    assert "imputed_upstream" in {p.code for p in read_serum(path).problems}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("P1\thigh\n", r"row 2, column B: an intensity is not a number; found 'high'"),
        ("P1\t5\nP1\t6\n", "a protein group stands twice; found P1"),
        ("P1\t-5\n", "an intensity is negative"),
        ("\t5\n", "a row has no protein id"),
        ("CON__P1\t5\n", "the table is empty; found 0 proteins"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, body: str, message: str) -> None:
    path = tmp_path / "proteinGroups.txt"
    path.write_text("Protein IDs\tIntensity s1\n" + body)
    with pytest.raises(InputError, match=message):
        read_serum(path)
