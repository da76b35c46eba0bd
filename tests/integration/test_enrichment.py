from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from integration.enrichment import DrugSets, drug_sets, enrichment, set_reversal
from integration.reversal_scores import weighted_connectivity
from integration.signatures import build_signature


def score_by_loop(values, members, weight):
    """Subramanian 2005, equation by equation, over a sorted list of pairs."""
    ranked = sorted(values.items(), key=lambda pair: -pair[1])
    total = sum(abs(value) ** weight for name, value in ranked if name in members)
    misses = sum(name not in members for name, _ in ranked)
    best, hit, missed = 0.0, 0.0, 0
    for name, value in ranked:
        if name in members:
            hit += abs(value) ** weight
        else:
            missed += 1
        here = hit / total - missed / misses
        if abs(here) > abs(best):
            best = here
    return best


@pytest.mark.parametrize("weight", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("seed", range(8))
def test_score_equals_the_definition_written_out(seed, weight):
    rng = np.random.default_rng(seed)
    values = pd.Series(rng.normal(size=60), index=[f"P{i}" for i in range(60)])
    members = set(rng.choice(values.index, 9, replace=False))
    found = enrichment(values, members, weight=weight)
    assert found.score == pytest.approx(score_by_loop(values.to_dict(), members, weight), abs=1e-12)
    assert set(found.leading_edge) <= members


def test_leading_edge_lies_on_the_side_of_the_score():
    values = pd.Series({"A": 3.0, "B": 2.0, "C": 1.0, "D": -1.0, "E": -2.0, "F": -3.0})
    down = enrichment(values, {"E", "F", "A"})
    assert down.score < 0
    assert down.leading_edge == ("E", "F")
    assert enrichment(values, {"A", "B"}).leading_edge == ("A", "B")


def test_a_set_without_members_or_of_everything_has_no_score():
    values = pd.Series({"A": 3.0, "B": 2.0})
    assert np.isnan(enrichment(values, {"Z"}).score)
    assert np.isnan(enrichment(values, {"A", "B"}).score)


def test_sets_against_the_disease_are_the_connectivity_with_sides_exchanged():
    rng = np.random.default_rng(3)
    names = [f"P{i}" for i in range(40)]
    drug, ill = rng.normal(size=(2, 40))
    ill -= 0.8 * drug
    order = np.argsort(drug)
    sets = DrugSets("x", up=tuple(names[i] for i in order[-10:]), down=tuple(names[i] for i in order[:10]))
    found = set_reversal(build_signature(pd.DataFrame({"symbol": names, "logfc": ill}), name="a"), [sets]).iloc[0]
    assert found["wtcs"] == pytest.approx(weighted_connectivity(drug[None], ill[None])[0], abs=1e-12)
    assert found["wtcs"] < 0


def test_small_sets_are_refused():
    ill = build_signature(pd.DataFrame({"symbol": list("ABCDEFGH"), "logfc": np.arange(8.0)}), name="a")
    found = set_reversal(ill, [DrugSets("x", ("A", "B"), ("C",))]).iloc[0]
    assert np.isnan(found["wtcs"])
    assert found["note"] == "refused: 2 up and 1 down measured, at least 5 needed"


def test_names_of_sets_say_the_direction():
    assert drug_sets({"a_DN": ("X",), "a_up": ("Y",), "b up": ("Z",)})[0] == DrugSets("a", ("Y",), ("X",))
    with pytest.raises(InputError, match="set dupilumab: the set's name does not say"):
        drug_sets({"dupilumab": ("X",)})
    with pytest.raises(InputError, match="goes up and down"):
        drug_sets({"a_up": ("X",), "a_down": ("X",)})


#: gseapy 1.3.1, ``prerank(rnk, gene_sets, min_size=1, permutation_num=1000, weight=, seed=7)``: ES of each set.
GSEAPY = {
    (1.0, "up"): 0.7849056218967818,
    (1.0, "down"): -0.7916666666666666,
    (1.0, "mixed"): 0.3571568598145913,
    (0.0, "up"): 0.7329545454545455,
    (0.0, "down"): -0.7916666666666666,
    (0.0, "mixed"): 0.17777777777777776,
}
GSEAPY_EDGE = {
    "up": "P34 P27 P01 P08 P41 P57 P23 P12 P19 P53 P15 P30 P45 P48 P50",
    "down": "P25 P32 P17 P47 P40 P11 P36 P02 P06 P54 P59 P21",
    "mixed": "P49 P01 P41 P57",
}


def test_scores_and_leading_edges_are_those_of_gseapy():
    k = np.arange(1, 61)
    values = pd.Series(2 * np.sin(1.7 * k) + np.cos(0.9 * k) + 0.013 * k, index=[f"P{i:02d}" for i in k])
    sets = {
        "up": values.index[values > 0.3][::2], "down": values.index[values < -0.5][::2], "mixed": values.index[::4]
    }  # fmt: skip
    for (weight, name), score in GSEAPY.items():
        found = enrichment(values, set(sets[name]), weight=weight)
        assert found.score == pytest.approx(score, abs=1e-12)
        if weight == 1:
            assert set(found.leading_edge) == set(GSEAPY_EDGE[name].split())


def test_weighted_connectivity_is_that_of_gseapys_scores():
    k = np.arange(1, 61)
    values = pd.Series(2 * np.sin(1.7 * k) + np.cos(0.9 * k) + 0.013 * k, index=[f"P{i:02d}" for i in k])
    drug = DrugSets("x", tuple(values.index[values > 0.3][::2]), tuple(values.index[values < -0.5][::2]))
    disease = build_signature(pd.DataFrame({"symbol": values.index, "logfc": values.to_numpy()}), name="A - HC")
    row = set_reversal(disease, [drug]).iloc[0]
    assert row["wtcs"] == pytest.approx((GSEAPY[1.0, "up"] - GSEAPY[1.0, "down"]) / 2, abs=1e-12)
    assert (row["n_proteins"], row["n_up"], row["n_down"]) == (60, 16, 12) and row["method"] == "weighted connectivity"
