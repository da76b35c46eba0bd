"""The commands ``similarity`` and ``reversal``, on made tables and on the real ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from stressaxis.standalone.sample_tables import parse_contrast
from tests.stressaxis.conftest import Command

SYMBOLS = [f"P{i}" for i in range(30)] + [
    "IL4", "IL13", "IL4R", "CCL17", "CCL26", "IFNG", "CXCL9", "CXCL10", "SIRT2", "STAMBP",
]  # fmt: skip


def people(folder, seed=1, *, drugs=("dupilumab", "placebo"), undone=(1.0, 0.0), patients=10, disease=1.0):
    """NPX of 20 AD, 18 MDD and 22 HC; the first AD patients of each drug once more after treatment."""
    rng = np.random.default_rng(seed)
    effect = disease * rng.normal(size=len(SYMBOLS))
    own = 0.6 * disease * rng.normal(size=len(SYMBOLS))
    rows, table = {}, []

    def person(name, group, size, other=0.0):
        rows[name] = rng.normal(size=len(SYMBOLS)) + size * effect + other * own
        table.append(
            {"sample": name, "group": group, "subject": name, "drug": "", "time": "", "age": 30 + rng.integers(30)}
        )

    for i in range(22):
        person(f"hc{i}", "HC", 0)
    for i in range(18):
        person(f"mdd{i}", "MDD", 0.7, 1)
    for i in range(20):
        person(f"ad{i}", "AD", 1)
        if i < 2 * patients:
            drug = drugs[i // patients]
            table[-1] |= {"drug": drug, "time": "before"}
            after = f"ad{i}-w16"
            rows[after] = rows[f"ad{i}"] + 0.5 * rng.normal(size=len(SYMBOLS)) - undone[i // patients] * effect
            table.append(table[-1] | {"sample": after, "group": "", "time": "after"})
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=SYMBOLS).rename_axis("sample")
    values = folder / "npx.csv"
    values.write_text("# unit: NPX\n# species: human\n" + frame.to_csv(), encoding="utf-8")
    pd.DataFrame(table).to_csv(folder / "samples.csv", index=False)
    return values, folder / "samples.csv"


def test_similarity_from_samples_has_p_interval_and_quadrants(stressaxis: Command, tmp_path):
    values, samples = people(tmp_path)
    said = stressaxis("similarity", values, "--samples", samples, "--contrast", "MDD-HC", "--contrast", "AD - HC",
                      "--covariate", "age", "--permutations", 199, "--out", tmp_path / "out")  # fmt: skip
    assert said.status == 0, said.err
    assert "MDD - HC against AD - HC: 40 proteins, n = 18 and 20 against 22 controls" in said.out
    assert "95 % interval" in said.out and "p = 0.0" in said.out
    table = pd.read_csv(tmp_path / "out" / "similarity.csv").set_index("score")
    assert table.loc["spearman", "observed"] > table.loc["spearman", "estimate"] > 0.3
    assert (table["p"] < 0.05).all()
    assert (pd.read_csv(tmp_path / "out" / "quadrants.csv")["quadrant"] == "shared up").sum() > 0
    again = stressaxis("similarity", tmp_path / "out" / "signature_a.csv", tmp_path / "out" / "signature_b.csv")
    assert "22 shared controls alone give a correlation of" in again.out, "ids written in the tables name the controls"
    assert "No p value" in again.out


def test_similarity_of_nothing_has_no_small_p(stressaxis: Command, tmp_path):
    values, samples = people(tmp_path, disease=0.0)
    stressaxis("similarity", values, "--samples", samples, "--contrast", "MDD-HC", "--contrast", "AD-HC",
               "--permutations", 199, "--out", tmp_path / "out")  # fmt: skip
    table = pd.read_csv(tmp_path / "out" / "similarity.csv").set_index("score")
    assert table.loc["spearman", "observed"] > 0.2, "shared controls fake it"
    assert table.loc["spearman", "p"] > 0.1


def test_tables_of_samples_in_two_files_are_put_together(stressaxis: Command, tmp_path):
    values, samples = people(tmp_path)
    lines = values.read_text().splitlines(keepends=True)
    head, body = lines[:3], lines[3:]
    for name, part in (("one.csv", body[:40]), ("two.csv", body[30:])):
        (tmp_path / name).write_text("".join([*head, *part]))
    whole, parts = (
        stressaxis("similarity", *files, "--samples", samples, "--contrast", "MDD-HC", "--contrast", "AD-HC",
                   "--permutations", 99).out
        for files in ([values], [tmp_path / "one.csv", tmp_path / "two.csv"])
    )  # fmt: skip
    # Each file brings its own remark on limits of detection.
    assert whole.partition("remark")[0][:-2] == parts.partition("remark")[0][:-2]
    broken = "".join([*head, *body[30:]]).replace(body[32].split(",")[1], "99")
    (tmp_path / "two.csv").write_text(broken)
    said = stressaxis("similarity", tmp_path / "one.csv", tmp_path / "two.csv", "--samples", samples, "--contrast", "MDD-HC",
                      "--contrast", "AD-HC")  # fmt: skip
    assert said.status == 2 and "stands in two tables with other values" in said.err


def test_reversal_from_samples(stressaxis: Command, tmp_path):
    values, samples = people(tmp_path)
    said = stressaxis("reversal", "--disease", values, "--samples", samples, "--contrast", "AD-HC", "--permutations", 199,
                      "--out", tmp_path / "out")  # fmt: skip
    assert said.status == 0, said.err
    assert "10 of 10 patients before treatment are also cases" in said.out
    assert "read also the lines without IL4, IL13, IL4R" in said.out
    table = pd.read_csv(tmp_path / "out" / "reversal.csv")
    assert set(table["variant"]) == {"all proteins", "without pre-analytical proteins", "without IL4, IL13, IL4R"}
    sizes = table.groupby("variant")["n_proteins"].first()
    assert sizes.to_dict() == {"all proteins": 40, "without pre-analytical proteins": 38, "without IL4, IL13, IL4R": 37}
    first = table.query("drug == 'dupilumab' and variant == 'all proteins' and score == 'spearman'").iloc[0]
    assert first["p"] < 0.05 and first["estimate"] < 0
    ranking = pd.read_csv(tmp_path / "out" / "ranking.csv")
    assert ranking["drug"].tolist()[0] == "dupilumab"
    enriched = pd.read_csv(tmp_path / "out" / "enrichment.csv").set_index(["drug", "disease_set"])["es"]
    assert enriched["dupilumab", "up"] < 0 < enriched["dupilumab", "down"]


def test_reversal_from_tables_without_p(stressaxis: Command, tmp_path):
    rng = np.random.default_rng(2)
    ill = rng.normal(size=len(SYMBOLS))
    pd.DataFrame({"symbol": SYMBOLS, "logfc": ill}).to_csv(tmp_path / "ad.csv", index=False)
    (tmp_path / "drugs").mkdir()
    for name, share in (("dupilumab", -1.0), ("other", 0.0)):
        values = share * ill + 0.3 * rng.normal(size=len(ill))
        pd.DataFrame({"symbol": SYMBOLS, "logfc": values}).to_csv(tmp_path / "drugs" / f"{name}.csv", index=False)
    (tmp_path / "drugs" / "s.gmt").write_text("sets_down\tx\t" + "\t".join(np.array(SYMBOLS)[ill > 0.7]) + "\n")
    said = stressaxis("reversal", "--disease", tmp_path / "ad.csv", "--drugs", tmp_path / "drugs")
    assert said.status == 0, said.err
    assert "dupilumab: mean rank 1" in said.out and "Without pre-analytical proteins (38)" in said.out
    assert "Tables only: no interval and no p" in said.out
    assert "sets (sets): weighted connectivity −1.0" in said.out
    only = stressaxis("reversal", "--disease", tmp_path / "ad.csv", "--drugs", tmp_path / "drugs" / "other.csv")
    assert "too few for a ranking: 1 drug, at least 2 needed" in only.out


def test_a_mouse_table_is_compared_by_orthologues(stressaxis: Command, tmp_path):
    mouse = "symbol,logfc\nIl13,1\nCcl17,0.5\nIl4ra,-0.2\nCcl3,2\n"
    (tmp_path / "sus.csv").write_text("# species: mouse\n" + mouse)
    (tmp_path / "mdd.csv").write_text("symbol,logfc\nIL13,0.4\nCCL17,0.3\nIL4R,0.1\nCCL18,1\n")
    said = stressaxis("similarity", tmp_path / "sus.csv", tmp_path / "mdd.csv", "--out", tmp_path / "out")
    assert said.status == 0, said.err
    assert "sus (mouse) against mdd (human): 3 pairs by the curated orthologues" in said.out
    assert "same direction: 0.667 of the pairs" in said.out or "same direction: 0.67 of the pairs" in said.out
    assert "refused: 3 pairs, at least 10 needed" in said.out
    pairs = pd.read_csv(tmp_path / "out" / "pairs.csv")
    assert dict(zip(pairs["mouse_symbol"], pairs["human_symbol"], strict=True)) == {
        "Il13": "IL13",
        "Ccl17": "CCL17",
        "Il4ra": "IL4R",
    }
    (tmp_path / "sus.csv").write_text(mouse)
    again = stressaxis(
        "similarity", tmp_path / "sus.csv", tmp_path / "mdd.csv", "--species", "mouse", "--species-b", "human"
    )
    assert "by the curated orthologues" in again.out


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["similarity", "{v}"], "two signature tables are compared; found 1 files"),
        (["similarity", "{v}", "--samples", "{s}", "--contrast", "AD-HC"], "two contrasts are compared; found 1"),
        (
            ["similarity", "{v}", "--samples", "{s}", "--contrast", "AD-XX", "--contrast", "AD-HC"],
            "two of: AD, HC, MDD",
        ),
        (["similarity", "{v}", "{v}", "--contrast", "AD-HC"], "--contrast needs --samples"),
        (["reversal", "--disease", "{v}"], "--drugs is needed"),
        (["reversal", "--disease", "{v}", "--samples", "{s}"], "--samples needs --contrast"),
        (
            ["reversal", "--disease", "{v}", "--samples", "{s}", "--contrast", "AD-HC", "--covariate", "bmi"],
            "no column bmi",
        ),
        (
            ["reversal", "--disease", "{v}", "--drugs", "{d}/nowhere", "--samples", "{s}", "--contrast", "AD-HC"],
            "nowhere: not found",
        ),
    ],
)
def test_mistakes_end_in_one_message(stressaxis: Command, tmp_path, arguments, match):
    values, samples = people(tmp_path)
    places = {"{v}": values, "{s}": samples}
    said = stressaxis(*(places.get(each, each.replace("{d}", str(tmp_path))) for each in arguments))
    assert said.status == 2
    assert match in said.err


def test_contrasts_that_can_be_read_two_ways_are_refused():
    with pytest.raises(InputError, match="is not one pair"):
        parse_contrast("a-b-c", ["a", "b-c", "a-b", "c"])


@pytest.fixture(scope="module")
def skin(shared):
    return shared / "signatures" / "skin_rna_ad_psoriasis"


def test_real_skin_tables_name_the_shared_controls_and_have_no_p(stressaxis: Command, skin, tmp_path):
    said = stressaxis(
        "similarity", skin / "cLS_CO_DGE_all.csv.gz", skin / "PSO_LS_CO_DGE_all.csv.gz", "--shared-controls", 38,
        "--n-a", 6, "--n-b", 28, "--n-controls", 38, "--material", "skin RNA", "--out", tmp_path,
    )  # fmt: skip
    assert "Spearman: 0.72; unrelated diseases with these controls: 0.24" in said.out
    assert "measured in skin RNA; 38 shared controls alone give a correlation of 0.24" in said.out
    assert "No p value" in said.out
    axes = (
        pd.read_csv(tmp_path / "axes.csv")
        .query("roles == 'core'")
        .pivot(index="axis", columns="contrast", values="axis_logfc")
    )
    atopic, psoriasis = axes["cLS_CO_DGE_all"], axes["PSO_LS_CO_DGE_all"]
    assert atopic["Th2"] > psoriasis["Th2"]
    assert atopic["Th1"] < psoriasis["Th1"] and atopic["Th17_Th22"] < psoriasis["Th17_Th22"]
    assert atopic["Th2 - Th1"] > 0 > psoriasis["Th2 - Th1"]
    unknown = stressaxis("similarity", skin / "cLS_CO_DGE_all.csv.gz", skin / "PSO_LS_CO_DGE_all.csv.gz")
    assert "no null line, no p" in unknown.out and "unrelated diseases" not in unknown.out


MODULES = {
    "IFN_G": "IFN_gamma", "IFN_I": "IFN_type_I", "KC_stress": "KC_stress", "Th2_negctrl": "Th2_control",
    "myeloid_infl": "Myeloid_inflammatory",
}  # fmt: skip


def test_real_biologics_on_gene_modules_are_too_few_for_a_ranking(stressaxis: Command, shared, skin, tmp_path):
    folder = shared / "signatures" / "biologics_gene_modules"
    genes = (
        pd.read_csv(skin / "PSO_LS_CO_DGE_all.csv.gz").drop_duplicates("gene_id").set_index("gene_id")["log2FoldChange"]
    )
    programs = (
        pd.read_csv(folder / "TableS1_Locked_gene_programs.tsv", sep="\t").set_index("Module")["Genes"].str.split("; ")
    )
    means = {module: genes.reindex(programs[name]).mean() for module, name in MODULES.items()}
    pd.DataFrame({"symbol": list(means), "logfc": list(means.values())}).to_csv(tmp_path / "pso.csv", index=False)
    effects = pd.read_csv(folder / "cross_biologic_convergence_tests.csv")
    (tmp_path / "drugs").mkdir()
    for (cohort, tag), part in effects.groupby(["cohort", "tag"]):
        named = part.rename(columns={"module": "symbol", "median_delta": "logfc"})[["symbol", "logfc"]]
        named.to_csv(tmp_path / "drugs" / f"{cohort} {tag}.csv", index=False)
    said = stressaxis("reversal", "--disease", tmp_path / "pso.csv", "--drugs", tmp_path / "drugs",
                      "--material", "skin RNA, gene modules")  # fmt: skip
    assert said.status == 0
    assert "too few for a ranking: 5 proteins or modules in all tables, at least 10 needed" in said.out
    assert "mean rank" not in said.out
    assert "GSE183047_IL17A keratinocyte: 5 of 5 moved against the disease" in said.out
    assert "Measured in skin RNA, gene modules." in said.out


def test_real_atopic_signature_is_found_in_the_atopic_lesion(stressaxis: Command, shared, skin, tmp_path):
    """MADAD's up and down genes, as sets, against both lesions: higher in AD than in psoriasis is not asked, both > 0."""
    table = pd.read_excel(
        shared / "signatures" / "skin_immune_sets" / "MADAD_original.xlsx", header=1, engine="calamine"
    )
    symbol = next(name for name in table if "symbol" in str(name).casefold())
    fold = next(name for name in table if "fc" in str(name).casefold() or "fold" in str(name).casefold())
    up = sorted(set(table.loc[table[fold] > 0, symbol].dropna().astype(str)))
    down = sorted(set(table.loc[table[fold] < 0, symbol].dropna().astype(str)) - set(up))
    up = sorted(set(up) - set(table.loc[table[fold] < 0, symbol].dropna().astype(str)))
    text = "\n".join("\t".join([f"MADAD_{way}", "x", *genes]) for way, genes in (("up", up), ("down", down)))
    (tmp_path / "madad.gmt").write_text(text + "\n")
    said = stressaxis("reversal", "--disease", skin / "cLS_CO_DGE_all.csv.gz", "--drugs", tmp_path / "madad.gmt",
                      "--material", "skin RNA", "--out", tmp_path / "out")  # fmt: skip
    assert said.status == 0, said.err
    found = pd.read_csv(tmp_path / "out" / "drug_sets.csv").iloc[0]
    assert found["es_up"] > 0.5 and found["es_down"] < -0.5
