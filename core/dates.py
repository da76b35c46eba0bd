"""Dates and date-times from text, refusing those that can be read two ways."""

from __future__ import annotations

import datetime as dt
import re

__all__ = ["AmbiguousDateError", "parse_date", "parse_datetime"]

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})$")
_NUMERIC = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4})$")
_CLOCK = re.compile(r"(.*?)[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2}))?$")


class AmbiguousDateError(ValueError):
    """A date that is a different day when month and day are exchanged."""


def parse_date(text: str, *, date_format: str | None = None) -> dt.date:
    """A calendar day from text.

    ISO (2026-11-05) and dates whose day is above 12 are read as they are; 05/11/2026 is refused unless
    ``date_format`` (as for :meth:`datetime.datetime.strptime`) is declared.

    Raises
    ------
    AmbiguousDateError
        If day and month can be exchanged.
    ValueError
        If the text is no date.

    Examples
    --------
    >>> parse_date("2026-11-05"), parse_date("25/11/2026")
    (datetime.date(2026, 11, 5), datetime.date(2026, 11, 25))
    >>> parse_date("05/11/2026", date_format="%d/%m/%Y")
    datetime.date(2026, 11, 5)
    """
    text = text.strip()
    if date_format is not None:
        return dt.datetime.strptime(text, date_format).date()
    if match := _ISO.match(text):
        year, month, day = (int(part) for part in match.groups())
        return dt.date(year, month, day)
    if match := _NUMERIC.match(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if first <= 12 and second <= 12 and first != second:
            raise AmbiguousDateError(
                f"{text!r} may be {dt.date(year, second, first)} or {dt.date(year, first, second)}; "
                "write it as YYYY-MM-DD or declare date_format in the config"
            )
        day, month = (first, second) if first > 12 else (second, first)
        return dt.date(year, month, day)
    raise ValueError(f"{text!r} is not a date; write it as YYYY-MM-DD")


def parse_datetime(text: str, *, date_format: str | None = None) -> dt.datetime:
    """A date with an optional clock time (``2026-11-05 14:30``); without one, midnight.

    Raises
    ------
    AmbiguousDateError, ValueError
        As :func:`parse_date`.

    Examples
    --------
    >>> parse_datetime("2026-11-05 14:30")
    datetime.datetime(2026, 11, 5, 14, 30)
    """
    text = text.strip()
    if date_format is not None and ("%H" in date_format or "%I" in date_format):
        return dt.datetime.strptime(text, date_format)
    clock = dt.time()
    if match := _CLOCK.match(text):
        text = match[1]
        clock = dt.time(int(match[2]), int(match[3]), int(match[4] or 0))
    return dt.datetime.combine(parse_date(text, date_format=date_format), clock)
