from __future__ import annotations

import pandas as pd
import pytest

from core.errors import InputError
from integration.drug_pairs import disease_groups, drug_pairs


def table_of(rows):
    columns = ["sample", "group", "subject", "drug", "time"]
    return pd.DataFrame(rows, columns=columns).set_index("sample")


def test_pairs_of_samples_and_who_has_only_one():
    pairs, problems = drug_pairs(table_of([
        ("a", "AD", "1", "dupi", "Before"), ("b", "", "1", "dupi", "after"), ("c", "AD", "2", "dupi", "pre"),
    ]))  # fmt: skip
    assert pairs == {"dupi": [("a", "b")]}
    assert [(p.subject, p.message) for p in problems] == [("2", "only the sample before treatment is there")]
    with pytest.raises(InputError, match=r"sample a: the time.*found 'week 4'"):
        drug_pairs(table_of([("a", "AD", "1", "dupi", "week 4")]))
    with pytest.raises(InputError, match="two samples before treatment; found a and b"):
        drug_pairs(table_of([("a", "AD", "1", "dupi", "pre"), ("b", "AD", "1", "dupi", "before")]))
    with pytest.raises(InputError, match="no sample has a drug"):
        drug_pairs(table_of([("a", "AD", "1", "", "")]))


def test_samples_after_treatment_are_no_cases():
    rows = [("a", "AD", "1", "dupi", "before"), ("b", "AD", "1", "dupi", "After"), ("h", "HC", "2", "", "")]
    assert disease_groups(table_of(rows), ("AD", "HC")).to_dict() == {"a": "AD", "h": "HC"}
    with pytest.raises(InputError, match=r"sample b: a person has two samples.*found subject 1"):
        disease_groups(table_of([*rows[:1], ("b", "AD", "1", "", "")]), ("AD", "HC"))
