"""Days and terms of requests, as texts of the wire. A day is one of China's time (Asia/Shanghai)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Final

from xinqiao.errors import ConfigurationError

#: China's time; it has had no summer time since 1991.
CHINA: Final = timezone(timedelta(hours=8))


def day_text(value: date | str | None, argument: str) -> str | None:
    """A day as the wire writes it; of a time, its day in China. An error names the argument."""
    if isinstance(value, datetime):
        value = _aware(value, argument).astimezone(CHINA).date()
    return value.isoformat() if isinstance(value, date) else value


def term_text(value: date | datetime | str | None, argument: str) -> str | None:
    """The end of a term as the wire writes it; of a day, the midnight that ends it."""
    ends = end_of_term(value, argument) if isinstance(value, date) else value
    return ends.isoformat() if isinstance(ends, datetime) else ends


def end_of_term(value: date | datetime, argument: str = "valid_until") -> datetime:
    """The end of a term that is given as a time, or as its last day."""
    if isinstance(value, datetime):
        return _aware(value, argument)
    return datetime.combine(value + timedelta(days=1), time(), CHINA)


def _aware(value: datetime, argument: str) -> datetime:
    if value.utcoffset() is None:
        raise ConfigurationError(f"`{argument}` needs a time zone, or give a `date`.")
    return value
