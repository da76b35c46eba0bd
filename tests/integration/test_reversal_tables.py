from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, RefusedError
from integration.readers import read_signature
from integration.reversal_scores import REVERSAL_SCORES
from integration.reversal_tables import TableReversalOptions, random_drugs, table_reversal
from integration.signature_facts import facts_of, signature_text
from integration.signatures import build_signature

NAMES = [f"P{i}" for i in range(37)] + ["IL4", "IL13", "IL4R"]


def signature(values, name, **more):
    return build_signature(pd.DataFrame({"symbol": NAMES[: len(values)], "logfc": values}), name=name, **more)


def study(seed=1, n=40):
    rng = np.random.default_rng(seed)
    ill, *noise = rng.normal(size=(4, n))
    return signature(ill, "AD - HC"), [
        signature(k * ill + 0.5 * each, name) for k, each, name in zip((-1, 0, 1), noise, "xyz", strict=True)
    ]


def test_the_drug_that_undoes_the_disease_ranks_first_without_a_p():
    result = table_reversal(*study())
    assert result.ranking["drug"].tolist() == ["x", "y", "z"]
    assert result.ranking["share_first"].tolist() == [1.0, 0.0, 0.0]
    assert result.table[["p", "p_drug", "p_disease", "ci_low"]].isna().all(axis=None)
    assert (result.table["note"] == "tables only: no interval and no p from samples").all()


def test_scores_are_those_of_the_sample_level_step():
    ill, drugs = study()
    found = table_reversal(ill, drugs).table.query("drug == 'x'").set_index("score")["observed"]
    a, b = (each.table["logfc"].to_numpy()[None] for each in (ill, drugs[0]))
    for name, score in REVERSAL_SCORES.items():
        assert found[name] == score.compute(a, b)[0]


def test_too_few_proteins_or_drugs_are_no_ranking():
    ill, drugs = study(n=7)
    result = table_reversal(ill, drugs)
    assert result.ranking.empty
    assert result.table["observed"].isna().all()
    assert result.table["note"].iloc[0] == "refused: 7 proteins or modules, at least 10 needed"
    assert "too few for a ranking: 7 proteins" in result.problems[-1].message
    assert len(result.proteins) == 21
    ill, drugs = study()
    one = table_reversal(ill, drugs[:1])
    assert one.ranking.empty
    assert "1 drug, at least 2 needed" in one.problems[-1].message
    assert one.table["observed"].notna().all()


def test_an_il4r_antibody_is_shown_without_its_own_proteins():
    ill, drugs = study()
    result = table_reversal(ill, drugs, options=TableReversalOptions(il4r_drugs=("x",)))
    part = result.table[result.table["variant"] == "without IL4, IL13, IL4R"]
    assert set(part["drug"]) == {"x"}
    assert (part["n_proteins"] == 37).all()


def test_shared_patients_are_named_where_the_tables_hold_ids():
    ill, drugs = study()
    ill = signature(ill.table["logfc"].to_numpy(), "AD - HC", samples_1=["a1", "a2"])
    x = signature(drugs[0].table["logfc"].to_numpy(), "x", samples_0=["a2", "a9"])
    found = [p for p in table_reversal(ill, [x, *drugs[1:]]).problems if p.code == "shared_patients"]
    assert [p.where for p in found] == ["drug x"]
    assert "1 of its samples before treatment" in found[0].message


def test_random_drugs_have_the_covariance_of_the_people():
    rng = np.random.default_rng(4)
    people = pd.DataFrame(rng.normal(size=(60, 3)) @ np.array([[1, 0.8, 0], [0, 0.6, 0], [0, 0, 2]]) + [0, 5, 10])
    drawn = random_drugs(people, 40_000, rng)
    np.testing.assert_allclose(np.cov(drawn.T), people.cov().to_numpy(), atol=0.08)
    with pytest.raises(RefusedError, match="too few reference people"):
        random_drugs(people.head(9), 100, rng)


def test_p_of_random_drugs_is_uniform_for_such_a_drug_and_small_for_a_reversal():
    rng = np.random.default_rng(5)
    mixing = rng.normal(size=(6, 40))
    people = pd.DataFrame(rng.normal(size=(80, 6)) @ mixing + 0.5 * rng.normal(size=(80, 40)), columns=NAMES)
    ill = signature(rng.normal(size=6) @ mixing, "AD - HC")
    drugs = [signature(rng.normal(size=6) @ mixing, f"d{i}") for i in range(60)]
    undoing = signature(-ill.table["logfc"].to_numpy(), "x")
    table = table_reversal(ill, [*drugs, undoing], reference=people, seed=1).table
    table = table[table["score"] == "cosine"].set_index("drug")
    assert table.loc["x", "p"] < 0.02
    assert 0.3 < table["p"].drop("x").mean() < 0.7
    assert table["p_max"].isna().all()


def test_refusals():
    ill, drugs = study()
    with pytest.raises(RefusedError, match="two drugs have one name"):
        table_reversal(ill, [drugs[0], drugs[0]])
    with pytest.raises(RefusedError, match="is human, m is mouse"):
        table_reversal(ill, [signature(np.ones(40), "m", species="mouse")])
    with pytest.raises(RefusedError, match="no protein is in"):
        table_reversal(ill, [build_signature(pd.DataFrame({"symbol": ["Q"], "logfc": [1.0]}), name="q")])
    with pytest.raises(ValueError, match=r"min_proteins is 5; .* jump with every protein"):
        TableReversalOptions(min_proteins=5)
    with pytest.raises(ValueError, match="fewer are no ranking"):
        TableReversalOptions(min_drugs=1)


def test_a_written_signature_is_read_back_with_its_ids(tmp_path):
    ill = signature(np.arange(40.0), "AD - HC", samples_1=["a 1", "a2"], samples_0=["h1"], material="serum protein")
    (tmp_path / "s.csv").write_text(signature_text(ill), encoding="utf-8")
    back = read_signature(tmp_path / "s.csv")
    assert (back.name, back.material, back.samples_1, back.samples_0) == (
        "AD - HC", "serum protein", frozenset({"a 1", "a2"}), frozenset({"h1"}),
    )  # fmt: skip
    assert (back.n_1, back.n_0) == (2, 1)
    assert back.table["logfc"].to_dict() == ill.table["logfc"].to_dict()


def test_a_broken_fact_names_its_line():
    with pytest.raises(InputError, match=r"x\.csv, line 2: samples_0 is no JSON list of texts; found h1 h2"):
        facts_of("# any comment\n# samples_0: h1 h2\nsymbol,logfc\n", file="x.csv")
