from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from integration.model_terms import coincide, complete_rows, model_terms

TABLE = pd.DataFrame(
    {
        "age": [1.0, 2, 4, 8, 16, 32],
        "cohort": [1, 1, 2, 2, 3, 3],
        "plate": list("xxxxyy"),
        "litter": list("aabbcc"),
        "sex": list("mfmfmf"),
        "one": ["k"] * 6,
    }
)


def test_numbers_that_are_labels_become_factors():
    assert model_terms(TABLE, ["cohort"]).columns.columns.tolist() == ["cohort[2]", "cohort[3]"]


def test_a_term_inside_another_is_left_out_and_named():
    built = model_terms(TABLE, ["cohort", "plate", "sex"])
    assert built.terms == ("cohort", "sex")
    assert built.notes == ("plate is contained in cohort and is left out of the model",)
    assert model_terms(TABLE, ["plate", "cohort"]).columns.shape[1] == 2


def test_one_level_is_no_term_and_no_note():
    built = model_terms(TABLE, ["one", "age", "age"])
    assert (built.terms, built.notes) == (("age",), ())


def test_columns_of_one_term():
    built = model_terms(TABLE, ["cohort", "age"])
    assert built.of("cohort").columns.tolist() == ["cohort[2]", "cohort[3]"]
    assert built.of("age").columns.tolist() == ["age"]


def test_large_offsets_are_not_mistaken_for_redundancy():
    table = TABLE.assign(day=2e9 + TABLE["age"])
    assert model_terms(table, ["cohort", "day"]).terms == ("cohort", "day")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.floats(-5, 5)), min_size=2, max_size=12))
def test_columns_always_have_full_rank_with_the_intercept(rows):
    table = pd.DataFrame(rows, columns=["cohort", "plate", "age"]).round(2)
    columns = model_terms(table, ["age", "cohort", "plate"]).columns.to_numpy()
    full = np.column_stack([np.ones(len(table)), columns])
    assert np.linalg.matrix_rank(full / np.linalg.norm(full, axis=0), tol=1e-10) == full.shape[1]


def test_coincide_is_about_levels_not_sizes():
    assert not coincide(["a", "a"], ["p", "q"])
    assert coincide(["a", "b", "b"], ["p", "q", "r"])
    assert not coincide(["a", "b", "b"], ["p", "q", "p"])


def test_complete_rows_ignore_columns_that_nobody_filled():
    table = pd.DataFrame({"plate": ["", ""], "cohort": ["a", " "], "x": [1.0, np.nan], "z": [np.nan, np.nan]})
    assert complete_rows(table, ["plate", "cohort", "x"]).tolist() == [True, False]
    assert complete_rows(table, ["plate"]).all()
    assert not complete_rows(table, ["z"]).any()
