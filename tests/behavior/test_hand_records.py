"""Hand-kept records: wrong cells are named, unusual ones reported, sums equal those by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behavior.hand_records import COAT_REGIONS, RECORDS, check_records
from behavior.record_sums import (
    RECORD_SUMS,
    days_between,
    join_records,
    sum_coat,
    sum_defeats,
    sum_records,
    sum_sucrose,
    sum_weights,
)
from core.errors import InputError


def _defeats() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Mouse": ["007", "007", "007", "m2"],
            "day": ["1", "2", "4", "1"],
            "aggressor": ["cd1", "cd2", "cd1", "cd2"],
            "minutes": ["10", "5", "10", "10"],
            "attacks": ["20", "", "10", "-"],
            "wound_grade": ["0", "2", "1", ""],
            "stopped_early": ["no", "yes", "no", ""],
            "weight_g": ["25", "", "24", "26"],
        }
    )


def test_defeat_sessions_sum_up():
    """Ids stay text; attacks per minute only over sessions in which they were counted."""
    checked = check_records(_defeats(), "defeat", columns={"subject": "Mouse"})
    sums = sum_defeats(checked.table).set_index("subject")
    assert sums.loc["007"].to_dict() == {
        "defeat_sessions": 3, "defeat_minutes": 25, "defeat_attacks": 30, "defeat_attacks_per_min": 1.5, "wound_grade_max": 2,
        "defeats_stopped_early": 1, "aggressors": 2, "defeat_weight_change_percent": pytest.approx(-4.0),
        "last_defeat_day": 4, "last_defeat": ""}  # fmt: skip
    assert sums.loc["m2", ["defeat_attacks", "wound_grade_max", "defeats_stopped_early"]].isna().all()
    assert [problem.message for problem in checked.problems] == [
        "days without a session: 3", "aggressors met more than once: cd1"]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("minutes", "ten", "row 3, column minutes: not a number; found 'ten'"),
        (
            "minutes",
            "600",
            "row 3, column minutes: out of range; found 600, expected physical contact, min, from 0 to 60",
        ),
        ("minutes", "", "row 3, column minutes: the cell is blank"),
        ("minutes", "1_0", "not a number"),
        ("minutes", "inf", "out of range"),
        ("day", "1.5", "row 3, column day: out of range"),
        ("wound_grade", "1.5", "row 3, column wound_grade: no such grade"),
        ("stopped_early", "perhaps", "row 3, column stopped_early: neither yes nor no"),
        ("aggressor", "-", "row 3, column aggressor: the cell is blank"),
        ("day", "1", "rows 2 and 3: a subject has two rows on one day; found 007, day 1"),
    ],
)
def test_wrong_cells_are_named(column, value, match):
    table = _defeats()
    table.loc[1, column] = value
    with pytest.raises(InputError, match=f"d.csv, {match}" if match.startswith("row") else match):
        check_records(table, "defeat", columns={"subject": "Mouse"}, file="d.csv")


def test_missing_columns_and_unknown_tables_are_named():
    with pytest.raises(InputError, match=r"columns are missing.*expected subject"):
        check_records(_defeats(), "defeat")
    with pytest.raises(InputError, match=r"no records are called 'diary'; expected defeat, sucrose, weight, coat"):
        check_records(_defeats(), "diary")


def test_sucrose_leaves_out_leaks_and_dry_days():
    rows = pd.DataFrame({"subject": ["a"] * 4, "day": [1, 2, 3, 4], "sucrose_g": [3, 9, 0.1, 1], "water_g": [1, 0, 0.1, 3],
                         "leak": ["no", "yes", "no", ""]})  # fmt: skip
    sums = sum_sucrose(check_records(rows, "sucrose").table).iloc[0]
    assert sums["sucrose_preference_percent"] == 100 * 4 / 8
    assert (sums["sucrose_days"], sums["sucrose_days_left_out"]) == (2, 2)
    none = sum_sucrose(check_records(rows.iloc[[1]], "sucrose").table).iloc[0]
    assert np.isnan(none["sucrose_preference_percent"]) and np.isnan(none["sucrose_intake_g"])


def test_weights_in_order_of_day():
    rows = pd.DataFrame({"subject": ["a"] * 3, "day": [10, 0, 5], "weight_g": [24, 25, 20]})
    sums = sum_weights(check_records(rows, "weight").table).iloc[0].to_dict()
    assert sums == {"subject": "a", "weight_first_g": 25, "weight_last_g": 24, "weight_change_percent": pytest.approx(-4),
                    "weight_loss_max_percent": pytest.approx(20), "weighings": 3}  # fmt: skip


def test_coat_score_is_the_sum_over_regions():
    rows = pd.DataFrame({"subject": ["a", "a"], "day": [1, 8], **{name: [0, 0.5] for name in COAT_REGIONS}})
    sums = sum_coat(check_records(rows, "coat").table).iloc[0].to_dict()
    assert sums == {"subject": "a", "coat_first": 0, "coat_last": 3.5, "coat_max": 3.5, "coat_scorings": 2}
    rows.loc[0, "tail"] = 0.7
    with pytest.raises(InputError, match=r"row 2, column tail: no such grade; found 0.7"):
        check_records(rows, "coat")


def test_join_checks_keys_both_ways():
    animals = pd.DataFrame({"subject": ["007", "m3"], "si_ratio": [0.8, 1.2]})
    sums = sum_defeats(check_records(_defeats(), "defeat", columns={"subject": "Mouse"}).table)
    joined, problems = join_records(animals, sums)
    assert joined["subject"].tolist() == ["007", "m3"] and joined["defeat_sessions"].isna().tolist() == [False, True]
    assert [(problem.code, problem.subject) for problem in problems] == [
        ("unknown_subject", "m2"),
        ("record_suspect", "m3"),
    ]
    with pytest.raises(InputError, match="a column would be there twice"):
        join_records(joined, sums)
    with pytest.raises(InputError, match="a subject occurs twice"):
        join_records(pd.concat([animals, animals]), sums)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=1, max_size=6))
def test_preference_is_a_percentage_whatever_the_order(days):
    rows = pd.DataFrame(days, columns=["sucrose_g", "water_g"]).assign(subject="a", day=range(len(days)))
    one = sum_sucrose(rows)["sucrose_preference_percent"].iloc[0]
    other = sum_sucrose(rows.iloc[::-1])["sucrose_preference_percent"].iloc[0]
    assert np.isnan(one) == np.isnan(other)
    assert np.isnan(one) or (0 <= one <= 100 + 1e-9 and one == pytest.approx(other))


def test_every_table_says_what_its_columns_mean():
    assert all(column.meaning for spec in RECORDS.values() for column in spec.values())


def test_dates_are_kept_as_written_and_the_last_one_counts():
    table = _defeats().assign(date=["2026-11-05", "2026-11-06 09:30", "", "2026-11-05"])
    checked = check_records(table, "defeat", columns={"subject": "Mouse"})
    assert checked.table["date"].tolist() == ["2026-11-05", "2026-11-06 09:30", "", "2026-11-05"]
    assert sum_defeats(checked.table)["last_defeat"].tolist() == ["2026-11-06 09:30", "2026-11-05"]
    table.loc[0, "date"] = "5.11.2026"
    with pytest.raises(InputError, match=r"line 11, column date: not a date; found '5[.]11[.]2026'"):
        check_records(table, "defeat", columns={"subject": "Mouse"}, lines=[11, 12, 13, 14], unit="line")


def test_dates_that_fall_as_days_rise_are_told():
    table = _defeats().assign(date=["2026-11-05", "2026-11-04", "2026-11-08", "2026-11-05"])
    messages = [problem.message for problem in check_records(table, "defeat", columns={"subject": "Mouse"}).problems]
    assert "day 2 is dated 2026-11-04, which is not after the 2026-11-05 of day 1" in messages


def test_days_are_whole_unless_both_times_are_known():
    later = {"a": "2026-11-15 10:00", "b": "2026-11-15", "c": "", "e": "2026-11-15"}
    earlier = {
        "a": "2026-11-05 22:00",
        "b": "2026-11-05 22:00",
        "c": "2026-11-05",
        "d": "2026-11-05",
        "e": float("nan"),
    }
    days = days_between(earlier, later)
    assert (days["a"], days["b"]) == (9.5, 10.0)
    assert np.isnan([days["c"], days["d"], days["e"]]).all()


def test_only_those_expected_are_missed():
    sums = sum_defeats(check_records(_defeats(), "defeat", columns={"subject": "Mouse"}).table)
    animals = pd.DataFrame({"subject": ["007", "m2", "control", "forgotten"]})
    _, problems = join_records(animals, sums, expected=["007", "m2", "forgotten"])
    assert [problem.subject for problem in problems] == ["forgotten"]


def test_every_sum_is_described_and_made():
    rows = {
        "defeat": _defeats().rename(columns={"Mouse": "subject"}),
        "sucrose": pd.DataFrame({"subject": ["a"], "day": [1], "sucrose_g": [3], "water_g": [1]}),
        "weight": pd.DataFrame({"subject": ["a"], "day": [1], "weight_g": [25]}),
        "coat": pd.DataFrame({"subject": ["a"], "day": [1], **dict.fromkeys(COAT_REGIONS, 0.5)}),
    }
    for kind, table in rows.items():
        made = set(sum_records(check_records(table, kind).table, kind)) - {"subject", "last_defeat"}
        assert made == set(RECORD_SUMS[kind]) - {"defeat_to_test_days", "defeat_to_bleed_days"}
