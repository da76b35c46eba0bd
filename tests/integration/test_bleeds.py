from __future__ import annotations

import pandas as pd
import pytest

from core.errors import InputError
from integration.bleeds import bleed_timing_problems, choose_bleeds


@pytest.fixture
def samples() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample": ["a1", "a2", "a3", "b1"],
            "subject": ["a", "a", "a", "b"],
            "bleed": ["2026-01-01", "2026-01-10 09:00", "2026-01-20", "2026-01-03"],
        }
    )


DATES = pd.Series({"a": pd.Timestamp("2026-01-10"), "b": pd.Timestamp("2026-01-10")})


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        ("first", {"a": "a1", "b": "b1"}),
        ("last", {"a": "a3", "b": "b1"}),
        ("closest_to_si", {"a": "a2", "b": "b1"}),
        ("first_after_si", {"a": "a2"}),
        ("last_before_si", {"a": "a2", "b": "b1"}),
    ],
)
def test_each_rule_chooses_as_it_says(samples, rule, chosen):
    table, problems = choose_bleeds(samples.sample(frac=1, random_state=1), rule=rule, test_dates=DATES)
    assert dict(zip(table["subject"], table["sample"], strict=True)) == chosen
    assert len(problems) == len(samples) - len(chosen)
    assert {p.code for p in problems} == {"unused_bleed"}


def test_several_bleeds_without_a_rule_are_an_error_that_names_them(samples):
    with pytest.raises(InputError, match=r"subject 'a'.*more than one serum sample.*a1, a2, a3"):
        choose_bleeds(samples, rule="only")


def test_equal_times_are_decided_by_sample_id_and_said():
    table = pd.DataFrame({"sample": ["x2", "x1"], "subject": ["x", "x"], "bleed": ["2026-01-01"] * 2})
    chosen, problems = choose_bleeds(table, rule="last")
    assert chosen["sample"].tolist() == ["x1"]
    assert "same time" in problems[0].message


@pytest.mark.parametrize(
    ("bleed", "match"),
    [("", "no bleed time to choose by"), ("05/11/2026", "may be"), ("soon", "is not a date")],
)
def test_a_bleed_time_that_cannot_be_used_is_an_error_with_its_place(samples, bleed, match):
    samples.loc[1, "bleed"] = bleed
    with pytest.raises(InputError, match=match) as caught:
        choose_bleeds(samples, rule="last")
    assert "a2" in str(caught.value)


def test_one_sided_rules_need_the_test_date(samples):
    with pytest.raises(InputError, match=r"needs the date of the SI test"):
        choose_bleeds(samples, rule="first_after_si", test_dates=DATES.drop("b"))


def test_subjects_with_one_bleed_need_no_time():
    chosen, problems = choose_bleeds(pd.DataFrame({"sample": ["a"], "subject": ["m"]}), rule="last")
    assert chosen["sample"].tolist() == ["a"]
    assert not problems


def test_unknown_rule_lists_the_known_ones(samples):
    with pytest.raises(ValueError, match="closest_to_si"):
        choose_bleeds(samples, rule="middle")


def test_declared_side_of_the_si_test_is_checked(samples):
    chosen, _ = choose_bleeds(samples, rule="last")
    codes = [(p.subject, p.code) for p in bleed_timing_problems(chosen, declared="after_test", test_dates=DATES)]
    assert codes == [("b", "bleed_timing")]
    same_day = chosen.assign(bleed="2026-01-10 09:00")
    assert not bleed_timing_problems(same_day, declared="after_test", test_dates=DATES)
    unknown = bleed_timing_problems(chosen, declared="after_test", test_dates=DATES.drop("a"))
    assert "not known" in unknown[0].message
    with pytest.raises(ValueError, match="neither"):
        bleed_timing_problems(chosen, declared="during", test_dates=DATES)
