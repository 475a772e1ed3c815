"""Working days: the count agrees with the library's judgement of each day."""

from datetime import date, timedelta

import chinese_calendar
from hypothesis import given
from hypothesis import strategies as st

from gateway.creditfile.working_days import (
    is_known_year,
    is_working_day,
    working_days_after,
    working_days_left,
)

KNOWN = st.dates(date(2004, 1, 1), date(2026, 6, 30))
ANY = st.dates(date(1990, 1, 1), date(2090, 1, 1))
COUNTS = st.integers(1, 60)


@given(KNOWN)
def test_a_day_of_a_known_year_is_as_the_library_says(day: date) -> None:
    """Compared with chinese_calendar."""
    assert is_working_day(day) == chinese_calendar.is_workday(day)


@given(ANY, COUNTS)
def test_the_last_day_is_a_working_day_and_the_count_is_exact(start: date, count: int) -> None:
    """So many working days lie after the start, up to and including the last day."""
    last = working_days_after(start, count).day
    days = [start + timedelta(days=n) for n in range(1, (last - start).days + 1)]
    assert is_working_day(last)
    assert sum(map(is_working_day, days)) == count == working_days_left(start, last)


@given(ANY, COUNTS, COUNTS)
def test_terms_add_up(start: date, first: int, second: int) -> None:
    """Five days and then fifteen are twenty."""
    middle = working_days_after(start, first).day
    assert working_days_after(middle, second).day == working_days_after(start, first + second).day


@given(ANY, COUNTS, st.integers(0, 10))
def test_a_later_start_never_ends_earlier(start: date, count: int, later: int) -> None:
    """Nor does a longer term."""
    end = working_days_after(start, count).day
    assert working_days_after(start + timedelta(days=later), count).day >= end
    assert working_days_after(start, count + 1).day > end


@given(KNOWN, COUNTS)
def test_a_term_in_known_years_is_not_provisional(start: date, count: int) -> None:
    """A term is provisional if one of its days is beyond the known years."""
    last = working_days_after(start, count)
    assert last.provisional != is_known_year(last.day.year)


@given(ANY, ANY)
def test_days_left_and_days_gone_mirror_each_other(one: date, other: date) -> None:
    """Counted from either side."""
    assert working_days_left(one, other) == -working_days_left(other, one)
