"""The commands ``serum``, ``differential`` and ``axes``, on made tables and on the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from proteomics.readers import read_serum
from stressaxis.standalone.serum_writing import tidy_table
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


def test_the_tidy_table_is_read_back(tmp_path: Path, shared: Path) -> None:
    folder = shared / "proteomics"
    for file, species in (
        ("olink_explore_example/npx_data1.csv", "human"),
        ("bioplex_manager_oor/plate1_DD_corrected.xls", "mouse"),
        ("olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv", "mouse"),
    ):
        ds = read_serum(folder / file, species=species).dataset
        tidy_table(ds).to_csv(tmp_path / "tidy.csv", index=False)
        again = read_serum(tmp_path / "tidy.csv", species=species)
        assert again.reader == "long-table"
        for name in ("abundance", "below_lod", "lod", "quality"):
            np.testing.assert_allclose(
                again.dataset[name].values, ds[name].values, rtol=1e-12, err_msg=f"{file} {name}"
            )
        for name in ("sample", "protein", "sample_type", "plate", "symbol", "uniprot", "panel"):
            assert again.dataset[name].values.astype(str).tolist() == ds[name].values.astype(str).tolist(), (file, name)
        assert again.dataset.attrs["unit"] == ds.attrs["unit"]


def test_sheet_adds_columns_and_names_who_is_missing(stressaxis: Command, plate: Path, tmp_path: Path):
    (tmp_path / "sheet.csv").write_text("mouse,group,day\nm001,CON,1\nm003,SUS,NA\nm9,SUS,2\nIPC,,\n")
    said = stressaxis("serum", plate, "--samples", tmp_path / "sheet.csv", "--out", tmp_path / "tidy.csv")
    assert said.status == 0, said.err
    assert "1 of 4 samples of sheet.csv are not in plate.csv: m9" in said.out
    assert "1 of 3 samples of plate.csv are not in sheet.csv: m002" in said.out
    tidy = pd.read_csv(tmp_path / "tidy.csv").drop_duplicates("sample").set_index("sample")
    assert tidy.loc[["m001", "m003"], "group"].tolist() == ["CON", "SUS"]
    assert tidy["day"].isna().tolist() == [False, True, True, True]


def test_changed_values_are_what_is_written(stressaxis: Command, tmp_path: Path):
    """Samples 1 and 2 log2 steps apart come together; the tidy table is read by the other commands."""
    rng = np.random.default_rng(3)
    level = pd.DataFrame(rng.normal(6, 1, (1, 20)) + np.zeros((8, 1)) + rng.normal(0, 0.1, (8, 20)))
    level += np.arange(8)[:, None]
    level.index, level.columns = [f"m{k}" for k in range(8)], [f"P{k}" for k in range(20)]
    level.iloc[2, 4] = np.nan
    (tmp_path / "p.csv").write_text("# unit: log2\n# species: mouse\n" + level.rename_axis("sample").to_csv())
    out = tmp_path / "n.csv"
    said = stressaxis("serum", tmp_path / "p.csv", "--normalise", "median", "--impute", "--seed", "4", "--out", out)
    assert said.status == 0, said.err
    assert "1 values without a number were drawn from the low end" in said.out
    ds = read_serum(out).dataset
    assert np.ptp(np.median(ds["abundance"].values, axis=1)) < 0.3 and np.isfinite(ds["abundance"].values).all()
    assert pd.read_csv(tmp_path / "n.quality.csv")["sample"].tolist() == [f"m{k}" for k in range(8)]
    for more, match in (
        (["--normalise", "median"], "the values are to be changed, but nothing is written"),
        (["--normalise", "total", "--out", out], "unknown normalisation; found total"),
        (["--reference-sample", "m1", "--out", out], "--reference-sample belongs to --normalise reference"),
        (["--bridge", tmp_path / "absent.csv", "--out", out], "file not found"),
    ):
        refused = stressaxis("serum", tmp_path / "p.csv", *more)
        assert refused.status == 2 and match in refused.err.replace("\n", " "), refused.err


def test_serum_tells_quality_and_handling(stressaxis: Command, tmp_path: Path):
    rng = np.random.default_rng(3)
    columns = {name: rng.normal(8, 0.3, 20) for name in ("Hba-a1", "Hbb-bs", "Car1", "Cat", "Prdx2")}
    columns |= {f"P{k}": rng.normal(8, 1, 20) for k in range(12)}
    values = pd.DataFrame(columns, index=[f"m{k:02d}" for k in range(20)])
    values.iloc[4, :5] += 3
    values.iloc[9] += 6
    (tmp_path / "p.csv").write_text("# unit: log2\n# species: mouse\n" + values.rename_axis("sample").to_csv())
    said = stressaxis("serum", tmp_path / "p.csv").out.replace("\n", " ")
    assert "haemolysis_z: from Hba-a1, Hbb-bs, Car1, Cat, Prdx2; highest" in said
    assert "platelet_z: no score: 0 detected member(s)" in said
    assert "haemolysis: haemolysis_z is" in said and "far from the others in median" in said and "sample m09" in said


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


#: Data set -> group, reference level, covariate and block of the stored limma runs.
LIMMA = {
    "diann_pg_matrix_plaques": ("Group", "Intact", "Donor", "Donor"),
    "prometis_mouse_plasma": ("gene", "WT", "sex", "sex"),
    "olink_target96_covid_serum": ("Case_Control", "NEGATIVE", "Sex", "Individual_ID"),
    "olink_explore_example": ("Treatment", "Untreated", "Time", "Subject"),
    "plasma_weightloss_and_quality_markers": ("time", "TP1", "", "subject"),
    "olink_mouse_dbs_t1d": ("status", "not_infected", "day", "subject"),
}
COLUMNS = {
    "logfc": "logFC",
    "t": "t",
    "df": "df.total",
    "p": "P.Value",
    "q": "adj.P.Val",
    "B": "B",
    "average": "AveExpr",
}


def stored(path: Path, **options: object) -> pd.DataFrame:
    return pd.read_csv(path if path.exists() else path.with_name(path.name + ".gz"), **options)


def matrix_files(folder: Path, into: Path) -> tuple[Path, Path]:
    """The stored matrix with its first column called protein, and the table of samples, as text."""
    matrix = stored(folder / "matrix.csv", dtype=str, keep_default_na=False)
    matrix.rename(columns={"id": "protein"}).to_csv(into / "matrix.csv", index=False)
    return into / "matrix.csv", folder / "samples.csv"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if "mouse" in name else pytest.mark.slow) for name in LIMMA]
)
def test_differential_equals_limma(stressaxis: Command, shared: Path, tmp_path: Path, name: str):
    """Every stored limma run, through the command: to 1e-9, robust to 1e-6.

    limma's consensus is given, and for complete data its array weights: its own iterations stop before they converge.
    """
    folder = shared / "proteomics" / name / "reference"
    group, reference, covariate, block = LIMMA[name]
    matrix, samples = matrix_files(folder, tmp_path)
    sheet = pd.read_csv(samples, dtype=str, keep_default_na=False)
    term = f"C({group}, contr.treatment('{reference}'))"
    cases = sorted(path.parent for path in folder.glob("*/scalars.csv"))
    assert len(cases) >= 8
    for case in cases:
        scalars = stored(case / "scalars.csv", index_col=0)["value"]
        given = sheet
        arguments = [f"--{option}" for option in ("trend", "robust") if option in case.name]
        if (case / "array_weights.csv").exists() and int(scalars["missing"]):
            arguments += ["--array-weights"]
        elif (case / "array_weights.csv").exists():
            weights = stored(case / "array_weights.csv", dtype=str).set_index("sample")["weight"]
            given = sheet.assign(limma_weight=weights.reindex(sheet.iloc[:, 0]).to_numpy())
            arguments += ["--weights", "limma_weight"]
        if "block" in case.name:
            arguments += ["--block", block, "--correlation", scalars["consensus_correlation"]]
        given.to_csv(tmp_path / "samples.csv", index=False)
        formula = f"~ {term} + {covariate}" if covariate and "covariate" in case.name else f"~ {term}"
        said = stressaxis("differential", matrix, "--scale", "log2", "--samples", tmp_path / "samples.csv", "--formula",
                          formula, "--coefficient", term, *arguments, "--out", tmp_path / "result.csv")  # fmt: skip
        assert said.status == 0, said.err
        ours = pd.read_csv(tmp_path / "result.csv", keep_default_na=False, na_values=[""])
        limma = stored(case / "result.csv")
        assert ours["protein"].tolist() == limma["id"].astype(str).tolist()
        for mine, theirs in COLUMNS.items():
            # A protein without the coefficient has no result here; limma still states its degrees of freedom.
            found, expected = ours[mine].to_numpy(), limma[theirs].to_numpy(dtype=float)
            assert (np.isnan(found) == np.isnan(expected)).all(), (case.name, mine)
            np.testing.assert_allclose(found, expected, rtol=1e-6 if "robust" in case.name else 1e-9, atol=1e-13,
                                       err_msg=f"{case.name} {mine}")  # fmt: skip


def test_differential_of_a_vendor_file(stressaxis: Command, shared: Path, tmp_path: Path):
    """The vendor's own file and sheet give what its prepared matrix gives."""
    folder = shared / "proteomics/olink_explore_example"
    ds = read_serum(folder / "npx_data1.csv").dataset
    subjects = ds["sample"].values[ds["sample_type"].values == "sample"]
    sheet = pd.DataFrame({"sample": subjects, "arm": ds["Treatment"].sel(sample=subjects).values})
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    said = stressaxis("differential", folder / "npx_data1.csv", "--samples", tmp_path / "sheet.csv", "--formula", "~ arm",
                      "--coefficient", "arm[T.Untreated]", "--array-weights", "--out", tmp_path / "r.csv")  # fmt: skip
    assert said.status == 0, said.err
    limma = pd.read_csv(folder / "reference/05_two_group_arrayweights/result.csv").set_index("id")
    ours = pd.read_csv(tmp_path / "r.csv").set_index("protein").reindex(limma.index)
    np.testing.assert_allclose(-ours["logfc"], limma["logFC"], atol=0.01)
    assert "sample weights: " in said.out


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, Path]:
    """40 proteins of 12 mice; Il4 rises by 3 in SUS; two bleeds of each of six mice."""
    rng = np.random.default_rng(4)
    mice = [f"{number:03d}" for number in range(12)]
    values = pd.DataFrame(rng.normal(8, 0.5, (40, 12)), index=["Il4", *(f"P{k}" for k in range(39))], columns=mice)
    values.loc["Il4", mice[6:]] += 3
    values.rename_axis("protein").to_csv(tmp_path / "m.csv")
    sheet = pd.DataFrame({"mouse": mice, "group": ["CON"] * 6 + ["SUS"] * 6, "age": rng.integers(8, 12, 12),
                          "plate": ["A"] * 6 + ["B"] * 6, "cage": [f"0{k // 2}" for k in range(12)]})  # fmt: skip
    sheet.to_csv(tmp_path / "s.csv", index=False)
    return tmp_path / "m.csv", tmp_path / "s.csv"


def ask(stressaxis: Command, study: tuple[Path, Path], *more: object, formula="~ group + age", coefficient="group"):
    return stressaxis("differential", study[0], "--scale", "log2", "--samples", study[1], "--formula", formula,
                      "--coefficient", coefficient, "--out", study[0].with_name("r.csv"), *more)  # fmt: skip


def test_differential_finds_what_was_planted(stressaxis: Command, study: tuple[Path, Path]):
    said = ask(stressaxis, study, "--block", "cage", "--state-samples")
    assert said.status == 0, said.err
    assert "coefficient group[T.SUS]; 6 samples against 6" in said.out
    assert "correlation within cage: " in said.out and "(estimated)" in said.out
    text = study[0].with_name("r.csv").read_text()
    assert '# samples_0: ["000", "001"' in text
    table = pd.read_csv(study[0].with_name("r.csv"), comment="#").set_index("protein")
    assert table["q"].idxmin() == "Il4" and 2 < table.loc["Il4", "logfc"] < 4
    beside = pd.read_csv(study[0].with_name("r.samples.csv"), dtype={"sample": str}).set_index("sample")["side"]
    assert beside["000"] == 0 and beside["011"] == 1
    again = stressaxis("similarity", study[0].with_name("r.csv"), study[0].with_name("r.csv"))
    assert again.status == 0 and "6 shared controls" in again.out


@pytest.mark.parametrize("model", ["moderated", "censored", "detection", "mixed"])
def test_models_find_what_was_planted(stressaxis: Command, tmp_path: Path, model: str):
    """60 mice, half of the values below LOD; Il4 rises by 2 SD."""
    rng = np.random.default_rng(4)
    mice = [f"m{k:02d}" for k in range(60)]
    group = np.repeat(["CON", "SUS"], 30)
    values = pd.DataFrame(rng.normal(5, 1, (60, 6)), index=mice, columns=["Il4", "Il5", "Il6", "Ccl3", "Ccl4", "Tnf"])
    values.loc[group == "SUS", "Il4"] += 2
    text = "# unit: log2 pg/mL\n# species: mouse\n" + values.rename_axis("sample").to_csv()
    head, _, rows = text.partition("m00")
    (tmp_path / "p.csv").write_text(f"{head}LOD{',5' * 6}\nm00{rows}")
    sheet = pd.DataFrame({"mouse": mice, "group": group, "cage": [f"c{k // 2}" for k in range(60)]})
    sheet.to_csv(tmp_path / "s.csv", index=False)
    more = ["--block", "cage"] if model == "mixed" else []
    said = stressaxis("differential", tmp_path / "p.csv", "--samples", tmp_path / "s.csv", "--formula", "~ group",
                      "--coefficient", "group", "--model", model, "--out", tmp_path / "r.csv", *more)  # fmt: skip
    assert said.status == 0, said.err
    table = pd.read_csv(tmp_path / "r.csv").set_index("protein")
    assert table["q"].idxmin() == "Il4" and table.loc["Il4", "q"] < 0.01
    if model != "detection":
        assert 1.2 < table.loc["Il4", "logfc"] < 2.8
    if model == "censored":
        below = int((values["Il4"] < 5).sum())
        assert table.loc["Il4", "n_below"] == below >= 12
    assert "(1 up, " in said.out


def test_handling_needs_no_column(stressaxis: Command, tmp_path: Path):
    """Il6 leaks from red cells in badly bled mice, most of them of one group; with the score the difference is gone."""
    rng = np.random.default_rng(6)
    mice = [f"m{k:02d}" for k in range(24)]
    group = np.repeat(["CON", "SUS"], 12)
    leak = np.where(group == "SUS", rng.uniform(0, 4, 24), rng.uniform(0, 1, 24))
    columns = {name: 10 + leak + rng.normal(0, 0.2, 24) for name in ("Hba-a1", "Hbb-bs", "Car1", "Cat", "Prdx2", "Il6")}
    columns |= {f"P{k}": rng.normal(8, 1, 24) for k in range(8)}
    values = pd.DataFrame(columns, index=mice).rename_axis("sample")
    (tmp_path / "p.csv").write_text("# unit: log2\n# species: mouse\n" + values.to_csv())
    pd.DataFrame({"mouse": mice, "group": group}).to_csv(tmp_path / "s.csv", index=False)
    common = ["differential", tmp_path / "p.csv", "--samples", tmp_path / "s.csv", "--coefficient", "group"]
    p = {}
    for formula in ("~ group", "~ group + haemolysis_z"):
        said = stressaxis(*common, "--formula", formula, "--out", tmp_path / "r.csv")
        assert said.status == 0, said.err
        p[formula] = pd.read_csv(tmp_path / "r.csv").set_index("protein").loc["Il6", "p"]
    assert p["~ group"] < 0.01 < 0.1 < p["~ group + haemolysis_z"]
    refused = stressaxis(*common, "--formula", "~ group + platelet_z", "--out", tmp_path / "r.csv")
    assert refused.status == 2 and "platelet_z cannot be scored on this panel" in refused.err


def test_labels_that_differ_in_case_only_are_told(stressaxis: Command, study: tuple[Path, Path]):
    sheet = pd.read_csv(study[1], dtype=str)
    sheet.loc[8:9, "group"] = "Sus"
    sheet.to_csv(study[1], index=False)
    said = ask(stressaxis, study)
    assert said.status == 2 and "group labels 'SUS', 'Sus' differ only in case" in said.err
    said = ask(stressaxis, study, coefficient="group[T.SUS]")
    assert said.status == 0 and "group labels 'SUS', 'Sus' differ only in case" in said.out


def test_plate_controls_of_the_sheet_are_no_fault(stressaxis: Command, study: tuple[Path, Path]):
    with open(study[1], "a", encoding="utf-8") as sheet:
        sheet.write("IPC,,,,\nNegativ Ctrl,,,,\n")
    said = ask(stressaxis, study)
    assert said.status == 0, said.err
    assert "2 of 14 samples of s.csv are plate controls by name, and not in m.csv: IPC, Negativ Ctrl" in said.out


def test_plain_result_begins_with_the_signature_columns(stressaxis: Command, study: tuple[Path, Path]):
    ask(stressaxis, study)
    header = study[0].with_name("r.csv").read_text().splitlines()[0]
    assert header.startswith("protein,symbol,uniprot,logfc,se,t,df,p,q,n_1,n_0")


def test_samples_of_one_side_only_are_counted_and_listed(stressaxis: Command, study: tuple[Path, Path]):
    sheet = pd.read_csv(study[1], dtype=str)
    sheet.loc[0, "mouse"] = "0"
    sheet.iloc[:-1].to_csv(study[1], index=False)
    said = ask(stressaxis, study)
    assert said.status == 2
    assert "1 of 11 samples of s.csv are not in m.csv: 0" in said.err
    assert "2 of 12 samples of m.csv are not in s.csv: 000, 011" in said.err
    assert not study[0].with_name("r.csv").exists()
    went_on = ask(stressaxis, study, "--common-only")
    assert went_on.status == 0 and "left out: 2 of 12 samples of m.csv are not in s.csv: 000, 011" in went_on.out
    notes = pd.read_csv(study[0].with_name("r.samples.csv"), dtype=str).set_index("sample")["note"]
    assert notes[["0", "011"]].tolist() == ["not in the serum table", "not in the table of samples"]


@pytest.mark.parametrize("lost", ["of the sheet", "of the table"])
def test_either_side_alone_is_refused(stressaxis: Command, study: tuple[Path, Path], lost: str):
    if lost == "of the sheet":
        pd.read_csv(study[1], dtype=str).iloc[1:].to_csv(study[1], index=False)
        expected = "1 of 12 samples of m.csv are not in s.csv: 000"
    else:
        pd.read_csv(study[0]).drop(columns="000").to_csv(study[0], index=False)
        expected = "1 of 12 samples of s.csv are not in m.csv: 000"
    said = ask(stressaxis, study)
    assert said.status == 2 and expected in said.err and "--common-only" in said.err


def test_sample_without_a_covariate_is_left_out_and_said(stressaxis: Command, study: tuple[Path, Path]):
    sheet = pd.read_csv(study[1], dtype=str)
    sheet.loc[3, "age"] = "NA"
    sheet.to_csv(study[1], index=False)
    said = ask(stressaxis, study)
    assert said.status == 0 and "5 samples" not in said.err
    assert "no value for age (003)" in said.out and "6 samples against 5" in said.out


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (
            {"coefficient": "gruop"},
            r"s\.csv.*no coefficient 'gruop'.*one of Intercept, group\[T\.SUS\], age.*mean group",
        ),
        ({"formula": "~ grup"}, r"names grup.*one of group, age, plate, cage.*did you mean group"),
        ({"formula": "~ group + plate"}, r"s\.csv.*cannot tell its columns apart.*plate\[T\.B\] follows from group"),
        ({"formula": "~ group +"}, "formula cannot be read"),
        ({"formula": "~ cage", "coefficient": "cage"}, "cage has several coefficients"),
        ({"more": ["--block", "kage"]}, "no column 'kage'; expected one of group, age, plate, cage"),
        ({"more": ["--weights", "group"]}, "a weight in column 'group' is no positive number"),
        ({"more": ["--weights", "age", "--array-weights"]}, "exclude one another"),
        ({"more": ["--correlation", "0.2"]}, "--correlation needs --block"),
        ({"more": ["--below-lod", "half"]}, "below_lod 'half'"),
        ({"more": ["--model", "tobit"]}, "unknown model; found tobit, expected moderated, censored, detection, mixed"),
        ({"more": ["--model", "censored", "--trend"]}, "--trend and --model censored exclude one another"),
        ({"more": ["--model", "mixed"]}, "--model mixed needs --block"),
        ({"more": ["--scale", "ln"]}, "unknown scale; found ln, expected log2"),
        ({"more": ["--out", "r.txt"]}, "the result is written as .csv"),
    ],
)
def test_differential_refuses_with_the_reason(stressaxis: Command, study, changes: dict[str, object], match: str):
    more = changes.pop("more", [])
    said = ask(stressaxis, study, *more, **changes)
    assert said.status == 2, said.out
    assert pd.Series([said.err.replace("\n", " ")]).str.contains(match).all(), said.err


def test_ids_in_another_column_are_pointed_out(stressaxis: Command, study: tuple[Path, Path]):
    sheet = pd.read_csv(study[1], dtype=str)
    sheet.insert(0, "nr", [f"x{k}" for k in range(12)])
    sheet.to_csv(study[1], index=False)
    said = ask(stressaxis, study)
    assert said.status == 2 and "the ids stand in column mouse: make it the first column" in said.err


PANEL = ["Il4", "Il5", "Il13", "Ccl11", "Ifng", "Cxcl9", "Tnf", "Il6", "Vegfa", "Csf2", "Ccl3", "Ccl4", "Il1a", "Il10"]


@pytest.fixture
def panel(tmp_path: Path) -> tuple[Path, Path]:
    """14 cytokines of 20 mice; the four Th2 members 1.5 SD higher in SUS."""
    rng = np.random.default_rng(12)
    mice = [f"m{k:02d}" for k in range(20)]
    values = pd.DataFrame(rng.normal(6, 1, (20, len(PANEL))), index=mice, columns=PANEL)
    values.iloc[10:, :4] += 1.5
    (tmp_path / "p.csv").write_text("# unit: log2 pg/mL\n# species: mouse\n" + values.rename_axis("sample").to_csv())
    pd.DataFrame({"mouse": mice, "group": ["CON"] * 10 + ["SUS"] * 10}).to_csv(tmp_path / "s.csv", index=False)
    return tmp_path / "p.csv", tmp_path / "s.csv"


def test_axes_by_hand(stressaxis: Command, panel: tuple[Path, Path], tmp_path: Path):
    said = stressaxis("axes", panel[0], "--samples", panel[1], "--reference", "CON", "--out", tmp_path / "scores.csv")
    assert said.status == 0, said.err
    assert "Th2: scored from Il13, Ccl11, Il4, Il5" in said.out
    assert "Treg: no score: 1 detected member(s) of Treg (Il10), at least 3 needed" in said.out
    assert "Th2 skew of SUS (n = 10) against CON (n = 10): " in said.out
    values = pd.read_csv(panel[0], comment="#", index_col=0)
    z = (values - values[:10].mean()) / values[:10].std()
    table = pd.read_csv(tmp_path / "scores.csv")
    scores = table.pivot(index="sample", columns="axis", values="score")
    np.testing.assert_allclose(scores["Th2"], z[PANEL[:4]].mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(scores["th2_skew"], scores["Th2"] - scores["Th1"], rtol=1e-9)
    assert scores["Treg"].isna().all() and table.loc[table["axis"] == "Treg", "note"].str.contains("at least 3").all()
    skew = table[table["axis"] == "th2_skew"]
    assert ((skew["low"] < skew["score"]) & (skew["score"] < skew["high"])).all()
    assert table.loc[table["axis"] == "Th2", ["low", "high"]].isna().all(axis=None)
    group = pd.read_csv(tmp_path / "scores.groups.csv").set_index("group").loc["SUS"]
    assert group["th2_skew"] == pytest.approx(scores["th2_skew"][10:].mean()) and group["low"] > 0
    members = pd.read_csv(tmp_path / "scores.members.csv").query("axis == 'Th2' and status == 'used'")
    assert set(members["symbol"]) == set(PANEL[:4])


@pytest.mark.parametrize("method", ["pc1", "singscore", "ssgsea", "gsva"])
def test_axes_by_other_methods(stressaxis: Command, panel: tuple[Path, Path], tmp_path: Path, method: str):
    said = stressaxis("axes", panel[0], "--method", method, "--out", tmp_path / "scores.csv")
    assert said.status == 0, said.err
    assert ("% of their variance" in said.out) == (method == "pc1")
    assert ("z against mean and SD of all 20 samples, since no --reference" in said.out) == (method == "pc1")
    table = pd.read_csv(tmp_path / "scores.csv")
    assert "th2_skew" not in set(table["axis"]) and not (tmp_path / "scores.groups.csv").exists()
    th2 = table[table["axis"] == "Th2"]["score"].to_numpy()
    assert th2[10:].mean() > th2[:10].mean()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--reference", "CON"], "no column 'group' tells the groups"),
        (["--samples", "{s}", "--reference", "CTR"], "no sample is of group CTR.*one of CON, SUS"),
        (["--samples", "{s}", "--reference", "con"], "did you mean CON"),
        (["--samples", "{s}", "--reference", "SUS", "--group-column", "arm"], "no column 'arm' tells the groups"),
        (["--method", "plage"], "unknown method; found plage, expected mean-z, pc1, singscore, ssgsea, gsva"),
        (["--species", "rat"], "species is 'rat'"),
    ],
)
def test_axes_refuses_with_the_reason(stressaxis: Command, panel, tmp_path: Path, arguments: list[str], match: str):
    arguments = [each.format(s=panel[1]) for each in arguments]
    said = stressaxis("axes", panel[0], *arguments, "--out", tmp_path / "scores.csv")
    assert said.status == 2, said.out
    assert pd.Series([said.err.replace("\n", " ")]).str.contains(match).all(), said.err


def test_axes_of_the_mouse_panel_have_no_th2(stressaxis: Command, shared: Path, tmp_path: Path):
    """Il5 alone is no Th2 score, by any method."""
    path = shared / "proteomics/olink_mouse_dbs_t1d/Mouse_DBS_Plate_1_NPX.csv"
    for method in ("mean-z", "singscore"):
        said = stressaxis("axes", path, "--method", method, "--out", tmp_path / "scores.csv")
        assert said.status == 0 and "Th2: no score: 0 detected member(s) of Th2 (none), at least 3 needed" in said.out
        assert pd.read_csv(tmp_path / "scores.csv").query("axis == 'Th2'")["score"].isna().all()
