"""Cells of tables: what a text is as a number or a date, and what is refused with which advice."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.cells import MISSING, CellError, parse_cell
from core.dates import parse_date


@pytest.mark.parametrize("text", ["007", "1e5", "", "NA", "m 1"])
@pytest.mark.parametrize("kind", ["id", "text"])
def test_ids_and_texts_stay_as_they_are(text: str, kind: str) -> None:
    assert parse_cell(text, kind) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("text", MISSING)
def test_what_is_missing_is_missing(text: str) -> None:
    assert math.isnan(parse_cell(text, "number"))
    assert parse_cell(text, "date") == ""


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back(value: float) -> None:
    assert parse_cell(repr(value), "number") == value
    assert parse_cell(repr(value).replace(".", ","), "number", decimal_comma=True) == value


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("1,5", "write 1.5"),
        ("150 s", "write 150"),
        ("82%", "write 82"),
        ("2:30", "write the seconds: 150"),
        ("1:00:02.5", "write the seconds: 3602.5"),
        ("high", None),
        ("inf", None),
        ("1.2.3", None),
        ("1e999", None),
        ("٣", None),
    ],
)
def test_what_is_no_number_is_refused(text: str, remedy: str | None) -> None:
    with pytest.raises(CellError, match="not a number") as caught:
        parse_cell(text, "number")
    assert (caught.value.remedy or "").startswith(remedy or "")
    assert (caught.value.remedy is None) == (remedy is None)


def test_a_comma_is_decimal_only_where_cells_are_not_separated_by_commas() -> None:
    assert parse_cell("1,5", "number", decimal_comma=True) == 1.5
    with pytest.raises(CellError, match="not a number"):
        parse_cell("1,234.5", "number", decimal_comma=True)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("2026-11-05", "date", "2026-11-05"),
        ("25/11/2026", "date", "2026-11-25"),
        ("11/25/2026", "date", "2026-11-25"),
        ("05.05.2026", "date", "2026-05-05"),
        ("2026-11-05 14:30", "date", "2026-11-05"),
        ("2026-11-05 14:30", "datetime", "2026-11-05 14:30"),
        ("2026-11-05T14:30", "datetime", "2026-11-05 14:30"),
        ("2026-11-05 00:00", "datetime", "2026-11-05 00:00"),
        ("2026-11-05", "datetime", "2026-11-05"),
        ("25/11/2026 9:05", "datetime", "2026-11-25 09:05"),
    ],
)
def test_dates_that_can_be_read_one_way_only(text: str, kind: str, value: str) -> None:
    assert parse_cell(text, kind) == value  # type: ignore[arg-type]


@given(st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)))
def test_a_date_is_refused_exactly_when_day_and_month_can_be_exchanged(day: dt.date) -> None:
    text = day.strftime("%d/%m/%Y")
    exchangeable = day.day <= 12 and day.day != day.month
    if exchangeable:
        with pytest.raises(CellError, match="may be"):
            parse_cell(text, "date")
    else:
        assert parse_cell(text, "date") == day.isoformat()
    assert parse_cell(text, "date", date_format="%d/%m/%Y") == day.isoformat()
    assert parse_date(parse_cell(text, "date", date_format="%d/%m/%Y")) == day


def test_a_declared_format_is_kept_to_but_for_iso() -> None:
    assert parse_cell("05/11/2026", "date", date_format="%m/%d/%Y") == "2026-05-11"
    assert parse_cell("05/11/2026 14:30", "datetime", date_format="%d/%m/%Y") == "2026-11-05 14:30"
    assert parse_cell("2026-11-05", "date", date_format="%d/%m/%Y") == "2026-11-05"
    with pytest.raises(CellError, match="not a date in the declared date_format"):
        parse_cell("13/13/2026", "date", date_format="%d/%m/%Y")


@given(st.text(max_size=20), st.sampled_from(["number", "date", "datetime"]), st.booleans())
def test_any_text_is_a_value_or_a_cell_error(text: str, kind: str, comma: bool) -> None:
    try:
        parse_cell(text, kind, decimal_comma=comma)  # type: ignore[arg-type]
    except CellError as error:
        assert error.expected
