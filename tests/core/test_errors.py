"""Errors say where, what, and how to mend it, also after a journey between processes."""

from __future__ import annotations

import pickle

import pytest

from core.errors import ConfigError, InputError, StressaxisError
from core.problems import CODES, Problem, from_error, problems_table


def test_message_names_file_place_finding_expectation_and_remedy() -> None:
    error = InputError(
        "NPX is not a number", file="a.csv", where="row 3", found="'x'", expected="a number", remedy="fix"
    )
    assert str(error) == "a.csv, row 3: NPX is not a number; found 'x', expected a number. Remedy: fix."


@pytest.mark.parametrize("kind", [StressaxisError, InputError, ConfigError])
def test_pickling_keeps_every_part(kind: type[StressaxisError]) -> None:
    error = kind("broken", file="a", where="line 2", found="1", expected="2", remedy="mend")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_problem_with_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown problem code 'nonsense'"):
        Problem(code="nonsense", message="")


def test_every_code_has_a_severity_and_a_meaning() -> None:
    assert {severity for severity, _ in CODES.values()} <= {"error", "excluded", "warning", "info"}
    assert all(meaning for _, meaning in CODES.values())


def test_an_own_error_and_a_foreign_one_become_different_problems() -> None:
    own = from_error(InputError("no frames", file="a.mp4", where="frame 7"), subject="m1", file="other")
    assert (own.code, own.file, own.where, own.subject) == ("cannot_read", "a.mp4", "frame 7", "m1")
    foreign = from_error(ZeroDivisionError("division by zero"), file="b.mp4")
    assert (foreign.code, foreign.file) == ("task_failed", "b.mp4")
    assert "ZeroDivisionError" in foreign.message


def test_the_table_does_not_depend_on_the_order_of_work() -> None:
    problems = [Problem(code="lost_frames", subject=name, message="1 %") for name in ("m2", "m1", "m1")]
    table = problems_table(problems)
    assert table["subject"].tolist() == ["m1", "m2"]
    assert table.equals(problems_table(problems[::-1]))
