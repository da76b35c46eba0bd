"""Ids stay text; near-duplicates are found; file names give back the ids."""

from __future__ import annotations

from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from core.labels import duplicated, file_stem, near_duplicates, similar_id_problems

SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_%~")


def test_near_duplicates() -> None:
    assert near_duplicates(["007", "7", "m1", "M1 ", "m-01", "x"]) == [("007", "7"), ("m1", "M1 ", "m-01")]
    assert near_duplicates(["304", "304b", "12-3", "1-23"]) == []
    assert near_duplicates(["a", "a"]) == []


def test_one_problem_for_each_group() -> None:
    problems = similar_id_problems(["7", "07", "x"], file="subjects.csv", what="subject")
    assert [problem.code for problem in problems] == ["similar_ids"]
    assert "'7', '07'" in problems[0].message


def test_duplicated_keeps_the_order_of_appearance() -> None:
    assert duplicated(["b", "a", "b", "a", "b"]) == ["b", "a"]


@given(st.text(min_size=1), st.text(min_size=1))
def test_file_stem_is_safe_and_gives_back_the_ids(first: str, second: str) -> None:
    first, second = (text.encode("utf-8", "replace").decode() for text in (first, second))
    stem = file_stem(first, second)
    assert set(stem) <= SAFE
    if "__" not in first + second and not first.endswith("_") and not second.startswith("_"):
        assert [unquote(part) for part in stem.split("__")] == [first, second]
