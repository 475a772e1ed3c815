"""Local dates in Shanghai (UTC+8), independent of the machine's time zone.

China has had one offset and no daylight saving time since 1991.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Final

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
_MONTHS: Final = 12
_EVERY_MONTH_HAS: Final = 28


@lru_cache(maxsize=8_192)
def midnight(day: date) -> datetime:
    """Start of `day` in Shanghai, in UTC."""
    return datetime.combine(day, time.min, tzinfo=SHANGHAI).astimezone(UTC)


@lru_cache(maxsize=8_192)
def end_of(last_day: date) -> datetime:
    """End of `last_day` in Shanghai, exclusive."""
    return midnight(last_day + timedelta(days=1)) if last_day < date.max else _END_OF_TIME


def day_of(moment: datetime) -> date:
    """Local date in Shanghai at `moment`, which must be timezone-aware."""
    if moment.tzinfo is None:
        raise ValueError("A moment without an offset belongs to no day.")
    return moment.astimezone(SHANGHAI).date()


def months_after(day: date, months: int) -> date:
    """Last day of a term of `months` that began on `day` (Civil Code, articles 201 and 202).

    The first day is not counted; if the last month has no such day, the term ends with the month.
    """
    index = day.year * _MONTHS + day.month - 1 + months
    year, month = divmod(index, _MONTHS)
    if year > date.max.year:
        return date.max
    if day.day <= _EVERY_MONTH_HAS:
        return date(year, month + 1, day.day)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@lru_cache(maxsize=8_192)
def last_day_of(period: str) -> date | None:
    """Last day of a month `YYYY-MM` or year `YYYY`; of another text `None`."""
    year, _, month = period.partition("-")
    try:
        of_year = int(month) if month else _MONTHS
        return date(int(year), of_year, calendar.monthrange(int(year), of_year)[1])
    except ValueError:
        return None


_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)
