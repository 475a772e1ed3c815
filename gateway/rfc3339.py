"""Strict parsing of RFC 3339 dates and times (§5.6).

Python's and pydantic's parsers accept more: `20240101`, week dates, seconds since 1970, non-ASCII digits,
a blank in place of the T.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def parse_date(text: object) -> date:
    """Parse a `full-date`; raises `ValueError`."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise ValueError("a day as 2026-11-22 (RFC 3339)")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("a day of the calendar") from None


def parse_time(text: object) -> datetime:
    """Parse a `date-time` with its offset, truncated to the microsecond; raises `ValueError`.

    No leap seconds.
    """
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError("a time of RFC 3339 with its offset, as 2026-11-22T10:00:00+08:00")
    try:
        moment = datetime.fromisoformat(text.upper())
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time of our era") from None
    return moment


def _day(value: object) -> object:
    """Parse a text; pass a date, for models made in Python."""
    return value if type(value) is date else parse_date(value)


def _moment(value: object) -> object:
    """Parse a text; pass an aware time, for models made in Python."""
    aware = isinstance(value, datetime) and value.tzinfo is not None
    return value if aware else parse_time(value)


Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
