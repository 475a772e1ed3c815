"""Working days by China's official calendar, with holidays and make-up days.

The State Council publishes each year's holidays late in the year before. For a year not yet
published, Monday to Friday are assumed, and a date computed across it is provisional. Days are
local dates in Shanghai (`local_dates.day_of`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from chinese_calendar import constants

_ONE: Final = timedelta(days=1)
_SATURDAY: Final = 5
_HOLIDAYS: Final = frozenset(constants.holidays)
_MAKE_UP_DAYS: Final = frozenset(constants.workdays)
_KNOWN: Final = frozenset(day.year for day in _HOLIDAYS)

MAX_DAYS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """Last day of a term, and whether a calendar update may still change it."""

    day: date
    provisional: bool


def is_known_year(year: int) -> bool:
    """True if the calendar has this year's holidays."""
    return year in _KNOWN


def is_working_day(day: date) -> bool:
    """True if `day` is a working day; Monday to Friday in an unknown year."""
    if day in _MAKE_UP_DAYS:
        return True
    return day.weekday() < _SATURDAY and day not in _HOLIDAYS


def working_days_after(start: date, count: int) -> LastDay:
    """The `count`-th working day after `start`, which is not counted itself.

    (Civil Code, article 201: the day on which a term begins is not counted.) `count` is 1 to 1,000.
    """
    if not 1 <= count <= MAX_DAYS:
        raise ValueError(f"A term has 1 to {MAX_DAYS} working days.")
    day, left = start, count
    while left:
        day += _ONE
        left -= is_working_day(day)
    years = range((start + _ONE).year, day.year + 1)
    return LastDay(day=day, provisional=not all(map(is_known_year, years)))


def working_days_left(today: date, last: date) -> int:
    """Number of working days after `today` to the end of `last`; negative once it is over."""
    sign, low, high = (1, today, last) if today <= last else (-1, last, today)
    days = (low + timedelta(days=n) for n in range(1, (high - low).days + 1))
    return sign * sum(map(is_working_day, days))
