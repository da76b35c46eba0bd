"""Real mice with cytokines and activity, run from their files by the shipped config: the adjusted answer leads."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import configs
from core.errors import ConfigError
from stressaxis.report.results import read_results
from stressaxis.report.statement import statement
from tests.stressaxis.conftest import Command

CONFIG = Path(str(configs.__file__)).with_name("rewilded-mice.yaml")


@pytest.fixture(scope="module")
def data(shared):
    return shared / "integration" / "rewilded_mice_plasma_cytokines"


@pytest.fixture
def out(stressaxis: Command, data, tmp_path):
    said = stressaxis("run", CONFIG, "--data", data, "--out", tmp_path / "out")
    assert said.status == 0, said.err
    return tmp_path / "out"


def words_of(page):
    """What a reader sees of a page, without the program's own name."""
    bare = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", bare).casefold().replace("stressaxis", "")


def test_the_report_leads_with_the_adjusted_result_and_names_the_strains(out):
    said = statement(read_results(out))
    # R: lm(check_ins_per_night ~ scale(log2(IL5)) + strain + infection + block): 0.82, t = 0.125, p = .90
    assert said[0].startswith("An association of Il5 with check ins per night was not shown among all animals")
    assert "t = 0.125, p = 0.90" in said[0] and "n = 65" in said[0]
    assert said[1].startswith("Pooled over all of them without adjustment the rank correlation is −0.549")
    assert "which is no finding: it is a difference between levels of strain" in said[1]
    page = words_of((out / "report.html").read_text("utf-8"))
    assert not [word for word in ("suscept", "defeat", "stress", "resilien", "si ratio") if word in page]


def test_near_ids_are_apart_and_the_unmatched_are_listed(out):
    problems = pd.read_csv(out / "problems.csv", dtype=str)
    unmatched = problems[problems["code"] == "unknown_subject"]["subject"].tolist()
    assert len(unmatched) == 24 and "304b" in unmatched
    assert problems.query("code == 'serum_without_outcome'")["subject"].tolist() == ["304"]
    cohort = pd.read_csv(out / "tables" / "cohort.csv", dtype={"subject": str}).set_index("subject")
    assert "304b" not in cohort.index and pd.isna(cohort.loc["304", "check_ins_per_night"])
    table = (
        pd.read_csv(out / "tables" / "association.csv").query("symbol == 'Il5' and method == 'linear_model'").iloc[0]
    )
    assert table["estimate"] == pytest.approx(0.82, abs=0.005)
    assert table["model"] == "check_ins_per_night ~ marker + strain + group + cohort"


def test_without_the_leave_the_unmatched_are_mistakes(data, tmp_path):
    text = CONFIG.read_text("utf-8").replace("other_subjects: leave_out", "other_subjects: refuse")
    (tmp_path / "mice.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"subject '304b' is not in the subjects table"):
        configs.read_tables(configs.load(tmp_path / "mice.yaml", data_dir=data))


def test_a_symbol_for_no_protein_is_a_mistake(data):
    from core.errors import InputError
    from proteomics.readers import read_serum

    columns = ("Genotype", "Location", "InfectionStatus", "Block")
    with pytest.raises(InputError, match=r"no protein is called 'IL.5'"):
        read_serum(data / "2021.plasma.cyt.csv", unit="pg/mL", sample_columns=columns, symbols={"Il5": "IL.5"})
