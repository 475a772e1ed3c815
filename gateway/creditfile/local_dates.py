"""A day begins and ends at 00:00 in Shanghai, whatever the machine's own time zone is.

China has kept one offset and no summer time since 1991, so the offset is written here and the
machine's time zone tables are not asked.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
_MONTHS: Final = 12
_EVERY_MONTH_HAS: Final = 28


def midnight(day: date) -> datetime:
    """The first moment of `day` in Shanghai, in UTC."""
    return datetime.combine(day, time.min, tzinfo=SHANGHAI).astimezone(UTC)


def end_of(last_day: date) -> datetime:
    """The first moment after `last_day`."""
    return midnight(last_day + timedelta(days=1)) if last_day < date.max else _END_OF_TIME


def day_of(moment: datetime) -> date:
    """The day in Shanghai at this moment, which must carry an offset."""
    if moment.tzinfo is None:
        message = "A moment without an offset belongs to no day."
        raise ValueError(message)
    return moment.astimezone(SHANGHAI).date()


def months_after(day: date, months: int) -> date:
    """The last day of a term of `months` that began on `day` (Civil Code, articles 201 and 202).

    The first day is not counted; where the last month has no such day, its last day is meant.
    """
    index = day.year * _MONTHS + day.month - 1 + months
    year, month = divmod(index, _MONTHS)
    if year > date.max.year:
        return date.max
    if day.day <= _EVERY_MONTH_HAS:
        return date(year, month + 1, day.day)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)
