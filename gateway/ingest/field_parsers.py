"""One reader for each field of the catalogue, made once: it gives the value in its one form.

What does not fit raises `InvalidValue` with a reason that repeats nothing of the value.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from gateway.creditfile.catalogue_schema import DatasetOf, FieldOf, FieldType
from gateway.creditfile.local_dates import day_of
from gateway.rfc3339 import parse_time

MOST_TEXT: Final = 2_000
MOST_FREE_TEXT: Final = 50_000
MOST_TEXTS: Final = 200
MOST_INTEGER: Final = 2**53 - 1  # what every JSON reader keeps exactly
EARLIEST: Final = "1800-01-01"
PLACES: Final = 6
EMPTY: Final[tuple[Any, ...]] = ("", [])
"""What counts as left out, beside `None`."""

_DECIMAL: Final = re.compile(r"-?\d{1,14}(\.\d{1,6}0*)?", re.ASCII)
_CANONICAL: Final = re.compile(r"-?(0|[1-9]\d{0,13})\.\d{6}", re.ASCII)
_MONTH: Final = re.compile(r"(1[89]|[2-9]\d)\d\d-(0[1-9]|1[0-2])", re.ASCII)
_MICRO: Final = Decimal("0.000001")
# Those of validity and of an end are of use only because they may lie ahead.
_MAY_LIE_AHEAD: Final = frozenset(
    {"valid_from", "valid_to", "publicity_ends_on", "published_on", "removed_on"},
)

FieldParser = Callable[[Any], Any]


class InvalidValue(ValueError):
    """The value is not what the catalogue says; the one argument is the reason."""


def readers_of(dataset: DatasetOf, *, today: date) -> dict[str, FieldParser]:
    """The readers of a dataset's fields, by name. `today` is the day in Shanghai."""
    return {field.name: _reader(field, today.isoformat()) for field in dataset.fields}


def reader_of_time(today: date) -> FieldParser:
    """RFC 3339 with its offset. One in the future would make every later delivery an older one."""

    def read(value: Any) -> datetime:
        try:
            moment = parse_time(value)
        except ValueError:
            raise InvalidValue("not a time with its offset (RFC 3339)") from None
        if not 1800 <= moment.year < 9999:  # noqa: PLR2004
            raise InvalidValue("not a time with its offset (RFC 3339)")
        if day_of(moment) > today:
            raise InvalidValue("in the future")
        return moment

    return read


def is_left_out(value: Any) -> bool:
    """Whether a member with this value counts as none."""
    return not value and (value is None or value in EMPTY)


def _reader(field: FieldOf, today: str) -> FieldParser:
    ahead = field.future or field.column in _MAY_LIE_AHEAD
    made: dict[FieldType, FieldParser] = {
        "text": _text(field, MOST_TEXT),
        "free_text": _text(field, MOST_FREE_TEXT),
        "texts": _texts(field),
        "date": _day(None if ahead else today),
        "month": _month,
        "boolean": _boolean,
        "integer": _integer(field),
        "decimal": _decimal(field),
    }
    return made[field.type]


def _text(field: FieldOf, most: int) -> FieldParser:
    values = frozenset(field.values)

    def read(value: Any) -> str:
        if type(value) is not str:
            raise InvalidValue("not a text")
        if value in values:
            return value
        text: str = value.strip()
        if "\0" in text:
            raise InvalidValue("has a NUL character")
        if len(text) > most:
            raise InvalidValue(f"longer than {most} characters")
        if values and text not in values:
            raise InvalidValue("not one of the values of the catalogue")
        return text

    return read


def _texts(field: FieldOf) -> FieldParser:
    one = _text(field, MOST_TEXT)

    def read(value: Any) -> list[str]:
        if type(value) is not list:
            raise InvalidValue("not a list of texts")
        if len(value) > MOST_TEXTS:
            raise InvalidValue(f"more than {MOST_TEXTS} texts")
        return [text for text in map(one, value) if text]

    return read


def _day(latest: str | None) -> FieldParser:
    def read(value: Any) -> str:
        if type(value) is not str or len(value) != len(EARLIEST) or not _is_a_day(value):
            raise InvalidValue("not a date as YYYY-MM-DD")
        if value < EARLIEST:
            raise InvalidValue("before the year 1800")
        if latest is not None and value > latest:
            raise InvalidValue("in the future")
        return value

    return read


@lru_cache(maxsize=65_536)
def _is_a_day(text: str) -> bool:
    if text[4] != "-" or text[7] != "-":
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _month(value: Any) -> str:
    if type(value) is not str or not _MONTH.fullmatch(value):
        raise InvalidValue("not a month as YYYY-MM")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise InvalidValue("not true or false")
    return value


def _integer(field: FieldOf) -> FieldParser:
    negative = field.negative

    def read(value: Any) -> int:
        if type(value) is not int or not -MOST_INTEGER <= value <= MOST_INTEGER:
            raise InvalidValue("not a whole number")
        if value < 0 and not negative:
            raise InvalidValue("negative")
        return value

    return read


def _decimal(field: FieldOf) -> FieldParser:
    negative = field.negative

    def read(value: Any) -> str:
        if type(value) is not str or not _DECIMAL.fullmatch(value):
            raise InvalidValue(f"not a decimal with at most 14 and {PLACES} digits, as text")
        if not _CANONICAL.fullmatch(value):
            value = str(Decimal(value).quantize(_MICRO))
        if value[0] == "-" and not negative and value != "-0.000000":
            raise InvalidValue("negative")
        return value if value != "-0.000000" else "0.000000"

    return read
