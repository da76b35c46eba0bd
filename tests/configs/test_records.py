"""Hand-kept records in the experiment file: declared, checked, summed up, offered as covariates."""

from __future__ import annotations

from typing import Any

import pytest

import configs

DEFEAT = """\
Mouse,Day,date,aggressor,minutes,attacks,wound_grade,stopped_early,weight_g
m02,1,2026-10-25,r1,10,20,0,no,25
m02,2,2026-10-26,r2,10,30,1,no,24.5
007,1,2026-10-25,r2,10,12,2,no,26
007,2,2026-10-27 14:30,r1,5,8,2,yes,24
"""
WEIGHT = "subject;day;weight_g\n" + "".join(
    f"{name};{day};{24 + day / 10:.1f}\n".replace(".", ",") for name in ("m01", "m02", "007", "m10") for day in (0, 10)
)


@pytest.fixture
def recorded(study: Any) -> Any:
    study.write("defeat.csv", DEFEAT)
    study.write("weights.csv", WEIGHT)
    study.spoil(
        "config.yaml",
        "statistics:\n",
        "records:\n  defeat: defeat.csv\n  weight: {file: weights.csv}\nstatistics:\n"
        "  covariates: [defeat_to_test_days, weight_last_g]\n",
    )
    return study


def test_sums_of_each_subject_stand_beside_the_subjects_table(recorded: Any) -> None:
    tables = configs.read_tables(recorded.load())
    rows = tables.subjects_with_records.set_index("subject")
    assert rows.index.tolist() == ["m01", "m02", "007", "m10"]
    assert rows["defeat_attacks"].dropna().to_dict() == {"m02": 50, "007": 20}
    assert rows["defeat_to_test_days"].dropna().to_dict() == {"m02": 10, "007": 10}
    assert rows.loc["007", ["last_defeat", "wound_grade_max", "defeat_weight_change_percent"]].tolist() == [
        "2026-10-27 14:30", 2, pytest.approx(100 * (24 / 26 - 1)),
    ]  # fmt: skip
    assert rows["weight_last_g"].tolist() == [25.0] * 4
    assert rows.loc["m01", "last_defeat"] == ""
    assert "defeat_attacks" not in tables.subjects


def test_controls_without_defeat_sessions_are_no_problem_and_a_defeated_mouse_is(recorded: Any) -> None:
    problems = configs.check(recorded.load())
    assert [(problem.code, problem.subject, problem.message) for problem in problems] == []
    recorded.spoil("defeat.csv", "007,1,2026-10-25,r2,10,12,2,no,26\n007,2,2026-10-27 14:30,r1,5,8,2,yes,24\n", "")
    problems = configs.check(recorded.load())
    assert [(problem.code, problem.subject, problem.message) for problem in problems] == [
        ("record_suspect", "007", "no defeat_sessions")
    ]


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        ("defeat.csv", "m02,1,2026-10-25,r1,10", "m02,1,2026-10-25,r1,ten", "line 2, column minutes: not a number"),
        ("defeat.csv", "m02,1,2026-10-25,r1,10", "m02,1,2026-10-25,r1,100", "line 2, column minutes: out of range"),
        ("defeat.csv", "m02,1,2026-10-25,r1,10", "m02,1,10/11/2026,r1,10", "line 2, column date"),
        ("defeat.csv", "007,1", "07,1", "subject '07' is not in the subjects table. Remedy: did you mean '007'?"),
        ("defeat.csv", "m02,2", "m02,1", "lines 2 and 3: a subject has two rows on one day; found m02, day 1"),
        ("defeat.csv", "aggressor", "fighter", "no column 'aggressor'"),
        ("defeat.csv", ",1,no,24.5", ",7,no,24.5", "line 3, column wound_grade: out of range"),
        ("weights.csv", "m10;10", "m10;10,5", "column day: out of range"),
        ("config.yaml", "weights.csv", "weight.csv", "did you mean 'weights.csv'?"),
        ("config.yaml", "defeat_to_test_days,", "defeat_to_tests,", "did you mean 'defeat_to_test_days'?"),
    ],
)
def test_mistakes_are_told_with_their_place(recorded: Any, table: str, old: str, new: str, said: str) -> None:
    recorded.spoil(table, old, new)
    assert said in "\n".join(fault.text() for fault in recorded.table_mistakes())


def test_a_column_of_the_subjects_table_with_the_name_of_a_sum_is_refused(recorded: Any) -> None:
    recorded.spoil("subjects.csv", "cohort,group", "weight_last_g,group")
    (fault,) = recorded.table_mistakes()
    assert "'weight_last_g'" in fault.message


def test_an_outcome_with_the_name_of_a_sum_is_refused(recorded: Any) -> None:
    recorded.write("outcomes.csv", "subject,w\nm02,1\n007,2\n")
    recorded.spoil(
        "config.yaml", "statistics:\n", "outcomes: {file: outcomes.csv, columns: {coat_last: w}}\nstatistics:\n"
    )
    recorded.load()
    recorded.spoil("config.yaml", "coat_last: w", "weight_last_g: w")
    (fault,) = recorded.mistakes()
    assert "hand-kept records" in fault.message


def test_the_day_of_the_test_serves_where_there_are_no_dates(recorded: Any) -> None:
    lines = [line.split(",") for line in DEFEAT.splitlines()]
    recorded.write("defeat.csv", "\n".join(",".join([*line[:2], *line[3:]]) for line in lines) + "\n")
    rows = configs.read_tables(recorded.load()).subjects_with_records.set_index("subject")
    assert rows["defeat_to_test_days"].isna().all()
    recorded.spoil("config.yaml", "records:\n", "records:\n  test_day: 11\n")
    rows = configs.read_tables(recorded.load()).subjects_with_records.set_index("subject")
    assert rows["defeat_to_test_days"].dropna().to_dict() == {"m02": 9, "007": 9}


def test_a_defeat_after_the_test_and_dates_out_of_order_are_told(recorded: Any) -> None:
    recorded.spoil("defeat.csv", "m02,2,2026-10-26", "m02,2,2026-11-09")
    recorded.spoil("defeat.csv", "007,1,2026-10-25", "007,1,2026-10-28")
    messages = [problem.message for problem in configs.check(recorded.load())]
    assert "the last defeat session lies 4 days after the social interaction test" in messages
    assert "day 2 is dated 2026-10-27, which is not after the 2026-10-28 of day 1" in messages


def test_a_covariate_that_defeat_itself_changes_is_told(recorded: Any) -> None:
    assert configs.load(recorded.config).association([]).covariates == ("defeat_to_test_days", "weight_last_g")
    recorded.spoil("config.yaml", "weight_last_g]", "wound_grade_max]")
    (problem,) = configs.check(recorded.load())
    assert (problem.code, problem.where) == ("mediator_covariate", "covariate wound_grade_max")


def test_without_records_nothing_changes(study: Any) -> None:
    tables = configs.read_tables(study.load())
    assert tables.records is None
    assert tables.subjects_with_records is tables.subjects
    study.spoil("config.yaml", "statistics:\n", "records: {}\nstatistics:\n")
    assert configs.read_tables(study.load()).records is None
