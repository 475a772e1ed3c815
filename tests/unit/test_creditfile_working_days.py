"""Working days by the State Council's holiday notices."""

from datetime import date, datetime, timedelta

import pytest
from chinese_calendar import constants

from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.creditfile.working_days import (
    LastDay,
    is_known_year,
    is_working_day,
    working_days_after,
    working_days_left,
)

LAST_KNOWN_DAY = date(max(constants.holidays).year, 12, 31)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 23), True),  # a Monday
        (date(2026, 11, 21), False),  # a Saturday
        (date(2026, 10, 1), False),  # National Day, a Thursday
        (date(2026, 10, 10), True),  # a Saturday that makes up for the holiday
        (date(2025, 1, 26), True),  # a Sunday before Spring Festival, made up
        (date(2025, 1, 28), False),  # New Year's Eve, a Tuesday
        (date(2025, 10, 6), False),  # Mid-Autumn in the National Day week, a Monday
    ],
)
def test_holidays_are_none_and_make_up_days_are(day: date, *, works: bool) -> None:
    """The notices for 2025 and 2026."""
    assert is_working_day(day) is works


def test_five_working_days_across_national_day() -> None:
    """Received on Wednesday 30 September 2026: 8, 9, 10 (made up), 12, 13 October."""
    last = working_days_after(date(2026, 9, 30), 5)
    assert last == LastDay(day=date(2026, 10, 13), provisional=False)


def test_a_term_in_an_unknown_year_is_provisional() -> None:
    """Counted Monday to Friday until that year's notice is known."""
    assert not is_known_year(2090)
    friday = date(2090, 9, 29)
    assert working_days_after(friday, 5) == LastDay(day=date(2090, 10, 6), provisional=True)


def test_a_term_that_began_on_the_last_day_of_a_known_year_is_provisional() -> None:
    """Its first day is in the unknown year."""
    assert working_days_after(LAST_KNOWN_DAY, 1).provisional
    assert not working_days_after(LAST_KNOWN_DAY - timedelta(days=30), 5).provisional


def test_a_moment_belongs_to_its_day_in_shanghai() -> None:
    """23:59:59 counts from the next working day, a second later from the one after."""
    late = datetime(2026, 11, 23, 23, 59, 59, tzinfo=SHANGHAI)
    later = datetime(2026, 11, 24, 0, 0, 0, tzinfo=SHANGHAI)
    assert working_days_after(day_of(late), 1).day == date(2026, 11, 24)
    assert working_days_after(day_of(later), 1).day == date(2026, 11, 25)


@pytest.mark.parametrize("count", [0, -1, 1_001])
def test_a_term_without_days_or_without_end_is_refused(count: int) -> None:
    """Zero days, and no end."""
    with pytest.raises(ValueError, match="working days"):
        working_days_after(date(2026, 11, 23), count)


def test_days_left_are_none_on_the_last_day_and_negative_after_it() -> None:
    """Weekends do not count."""
    last = date(2026, 11, 27)
    assert working_days_left(date(2026, 11, 23), last) == 4
    assert working_days_left(last, last) == 0
    assert working_days_left(date(2026, 11, 29), last) == 0
    assert working_days_left(date(2026, 11, 30), last) == -1
