"""RFC 3339 dates and times as strings; other forms that Python or pydantic accept are refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway.access.http.body import WireModel
from gateway.rfc3339 import Day, Moment, parse_date, parse_time

NO_DATES: tuple[Any, ...] = (
    "0", "1704067200", "1704067200000", 1704067200, 0, 1.5, True, None, "", " ", "2024-1-1", "20240101",
    "2024-W01-1", "2024W011", "2024-001", "2024-01", "2024", "2024/01/01", "2024-01-01T00:00:00Z",
    " 2024-01-01", "2024-01-01 ", "2024-01-01\n", "\uff12\uff10\uff12\uff14-01-01",
    "\u0662\u0660\u0662\u0664-01-01", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "0000-01-01",
    "-2024-01-01", "+2024-01-01", "12024-01-01", "2024\u201301\u201301", b"2024-01-01", "2024-01-01\0",
)  # fmt: skip
NO_TIMES: tuple[Any, ...] = (
    *(each for each in NO_DATES if each != "2024-01-01T00:00:00Z"),
    "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01_00:00:00Z",
    "2024-01-01T00:00Z", "2024-01-01T00Z", "20240101T000000Z", "2024-01-01T00:00:00+0800",
    "2024-01-01T00:00:00+08", "2024-01-01T00:00:00+08:00:00", "2024-01-01T00:00:60Z",
    "2024-01-01T24:00:00Z", "2024-01-01T23:60:00Z", "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00+08:60", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00,5Z",
    "2024-01-01T00:00:00 +08:00", "2024-01-01T00:00:00\u2212" + "08:00", "2024-W01-1T00:00:00Z",
    "2024-02-30T00:00:00Z", "2024-01-01T00:00:00Z\n", "2024-01-01T00:00:0\uff10Z",
    "2024-01-01T00:00:00[Asia/Shanghai]", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
)  # fmt: skip


class _Body(WireModel):
    day: Day | None = None
    moment: Moment | None = None


@pytest.mark.parametrize("value", NO_DATES, ids=repr)
def test_anything_else_is_no_date(value: Any) -> None:
    """Alone and as a member of a body, with the same error."""
    with pytest.raises(ValueError, match="a day"):
        parse_date(value)
    if value is not None:
        with pytest.raises(ValidationError):
            _Body.model_validate({"day": value})
        with pytest.raises(ValidationError):
            TypeAdapter(Day).validate_python(value)  # as FastAPI reads a query


@pytest.mark.parametrize("value", NO_TIMES, ids=repr)
def test_anything_else_is_no_time(value: Any) -> None:
    """Alone and as a member of a body, with the same error."""
    with pytest.raises(ValueError, match="a time"):
        parse_time(value)
    if value is not None:
        with pytest.raises(ValidationError):
            _Body.model_validate({"moment": value})


@given(st.dates())
def test_every_date_is_read(day: date) -> None:
    """As written."""
    assert parse_date(day.isoformat()) == day
    assert _Body.model_validate_json(f'{{"day":"{day.isoformat()}"}}').day == day


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001  # the offset is drawn
    st.integers(-1439, 1439),
)
def test_every_time_is_read(moment: datetime, minutes: int) -> None:
    """With its offset, `T` and `Z` in either case."""
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = moment.isoformat()
    assert parse_time(text) == parse_time(text.lower()) == moment
    assert parse_time(text).utcoffset() == moment.utcoffset()
    assert _Body.model_validate_json(f'{{"moment":"{text}"}}').moment == moment


def test_decimals_behind_the_sixth_are_cut_off() -> None:
    """Other languages write nanoseconds."""
    told = datetime(2024, 1, 1, 0, 0, 0, 123456, UTC)
    assert parse_time("2024-01-01T00:00:00.123456789Z") == told
    assert parse_time("2024-01-01T08:00:00.123456+08:00") == told
    assert parse_time("2024-01-01T00:00:00.1Z").microsecond == 100_000
