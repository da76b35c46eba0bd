"""Dates that can be read two ways are refused."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dates import AmbiguousDateError, parse_date, parse_datetime


@given(st.dates(min_value=dt.date(1000, 1, 1)))
def test_iso_dates_read_back(day: dt.date) -> None:
    assert parse_date(day.isoformat()) == day


@given(st.dates(min_value=dt.date(1000, 1, 1)), st.sampled_from("/.-"), st.booleans())
def test_a_numeric_date_is_right_or_refused(day: dt.date, mark: str, day_first: bool) -> None:
    parts = [f"{day.day:02}", f"{day.month:02}"]
    text = mark.join([*(parts if day_first else parts[::-1]), str(day.year)])
    try:
        assert parse_date(text) == day
    except AmbiguousDateError:
        assert day.day <= 12
        assert day.day != day.month


@pytest.mark.parametrize("text", ["", "x", "2026-13-01", "31/02/2026", "5/11/26", "2026-11-05x"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|month|day"):
        parse_date(text)


def test_a_declared_format_settles_it() -> None:
    with pytest.raises(AmbiguousDateError, match="2026-11-05 or 2026-05-11"):
        parse_date("05/11/2026")
    assert parse_date("05/11/2026", date_format="%d/%m/%Y") == dt.date(2026, 11, 5)
    assert parse_datetime("05/11/2026 09:30", date_format="%d/%m/%Y") == dt.datetime(2026, 11, 5, 9, 30)


def test_clock_times() -> None:
    assert parse_datetime("2026-11-05T14:30:20") == dt.datetime(2026, 11, 5, 14, 30, 20)
    assert parse_datetime("2026-11-05") == dt.datetime(2026, 11, 5)
