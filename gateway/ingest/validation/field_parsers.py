"""Parsers of field values by catalogue type: each returns the canonical value.

An unfit value raises `InvalidValue`, which repeats nothing of it.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from unicodedata import normalize

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.delivery_forms import DeliveryForms, fold_name
from gateway.creditfile.catalogue.field_definition import FieldDefinition, FieldType
from gateway.creditfile.field_problems import FieldProblem, ProblemCode
from gateway.creditfile.local_dates import day_of
from gateway.rfc3339 import parse_time

MAX_TEXT: Final = 2_000
MAX_FREE_TEXT: Final = 50_000
MAX_TEXTS: Final = 200
MAX_INDICATORS: Final = 200
MAX_CODE: Final = 40
MAX_INTEGER: Final = 2**53 - 1  # exact in every JSON reader
EARLIEST_DATE: Final = "1800-01-01"
_NO_TEXTS: Final[frozenset[str]] = frozenset()
EMPTY_VALUES: Final[tuple[Any, ...]] = ("", [])
"""Values that count as omitted, beside `None`."""

_LOOSE_DAY: Final = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))"
    r"(?:[ T]0{1,2}:00(?::00(?:\.0{1,9})?)?)?",
    re.ASCII,
)
"""`2026/3/2`, `20260302`, `2026年3月2日`, `2026.3.2`, each also with the time of midnight."""
_LONGEST_DAY: Final = 40
_LOOSE_MONTH: Final = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})月?|(\d{2}))", re.ASCII)
_GROUPED: Final = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_LONGEST_DECIMAL: Final = 60
_DECIMAL: Final = re.compile(r"-?\d{1,14}(\.\d{1,6}0*)?", re.ASCII)
_CANONICAL: Final = re.compile(r"-?(0|[1-9]\d{0,13})\.\d{6}", re.ASCII)
_MONTH: Final = re.compile(r"(1[89]|[2-9]\d)\d\d-(0[1-9]|1[0-2])", re.ASCII)
_MICRO: Final = Decimal("0.000001")
# Columns whose dates may lie in the future.
_FUTURE_COLUMNS: Final = frozenset(
    {"valid_from", "valid_to", "publicity_ends_on", "published_on", "removed_on"}
)

FieldParser = Callable[[Any], Any]


class InvalidValue(ValueError):
    """The value is not what the catalogue says; nothing of it is kept."""

    def __init__(self, code: ProblemCode, *numbers: int) -> None:
        super().__init__(code)
        self.code = code
        self.numbers = numbers

    def of(self, field: str) -> FieldProblem:
        """The problem of this field."""
        return FieldProblem(field=field, code=self.code, numbers=self.numbers)


def field_parsers(
    dataset: DatasetDefinition, forms: DeliveryForms, *, today: date
) -> dict[str, FieldParser]:
    """The parsers of a dataset's fields, by name. `today` is the day in Shanghai."""
    empty = empty_texts(forms)
    return {
        field.name: _parser(field, today.isoformat(), empty if field.has_empty_words else _NO_TEXTS)
        for field in dataset.fields
    }


def empty_texts(forms: DeliveryForms) -> frozenset[str]:
    """Texts that mean an empty cell, in any case."""
    return frozenset(
        case for word in forms.empty_words for case in (word, word.lower(), word.upper())
    )


def time_parser(today: date) -> FieldParser:
    """Parser of `source_time`: RFC 3339 with an offset, not in the future.

    A future time would make every later delivery count as older.
    """

    def read(value: Any) -> datetime:
        try:
            moment = parse_time(value)
        except ValueError:
            raise InvalidValue(ProblemCode.NOT_A_TIME) from None
        if not 1800 <= moment.year < 9999:  # noqa: PLR2004
            raise InvalidValue(ProblemCode.NOT_A_TIME)
        if day_of(moment) > today:
            raise InvalidValue(ProblemCode.IN_THE_FUTURE)
        return moment

    return read


def is_omitted(value: Any) -> bool:
    """True if a member with this value counts as omitted."""
    return not value and (value is None or value in EMPTY_VALUES)


def _parser(field: FieldDefinition, today: str, empty: frozenset[str]) -> FieldParser:
    if field.type == "texts":
        return _texts(field, empty)
    parse, known = _scalar_parser(field, today), field.value_of_word
    if not empty:
        return parse

    def read(value: Any) -> Any:
        if type(value) is str and value.strip() in empty:
            return known.get(fold_name(value), "")
        return parse(value)

    return read


def _scalar_parser(field: FieldDefinition, today: str) -> FieldParser:
    may_be_future = field.future or field.column in _FUTURE_COLUMNS
    parsers: dict[FieldType, FieldParser] = {
        "text": _text(field, MAX_TEXT),
        "free_text": _text(field, MAX_FREE_TEXT),
        "date": _day(None if may_be_future else today),
        "month": _month,
        "boolean": _boolean,
        "integer": _integer(field),
        "decimal": _decimal(field),
        "indicators": _indicators,
    }
    return parsers[field.type]


def _text(field: FieldDefinition, most: int) -> FieldParser:
    values = frozenset(field.values)

    def read(value: Any) -> str:
        if type(value) is not str:
            raise InvalidValue(ProblemCode.NOT_A_TEXT)
        if value in values:
            return value
        if values and len(value) <= most and (meant := field.value_of(value)):
            return meant
        text: str = value.strip()
        if "\0" in text:
            raise InvalidValue(ProblemCode.NUL_CHARACTER)
        if len(text) > most:
            raise InvalidValue(ProblemCode.TOO_LONG, most)
        if values and text:
            raise InvalidValue(ProblemCode(field.problem_of_others))
        return text

    return read


def _texts(field: FieldDefinition, empty: frozenset[str]) -> FieldParser:
    parse_text, values = _text(field, MAX_TEXT), frozenset(field.values)

    def read(value: Any) -> list[str]:
        if type(value) is not list:
            raise InvalidValue(ProblemCode.NOT_A_LIST)
        if len(value) > MAX_TEXTS:
            raise InvalidValue(ProblemCode.TOO_MANY_TEXTS, MAX_TEXTS)
        if len(value) == 1 and type(value[0]) is str and value[0] in values:
            return value
        given = [each for each in value if type(each) is not str or each.strip() not in empty]
        texts = [text for text in map(parse_text, given) if text]
        return list(dict.fromkeys(texts)) if values else texts

    return read


def _day(latest: str | None) -> FieldParser:
    def read(value: Any) -> str:
        day = _day_of(value) if type(value) is str and len(value) <= _LONGEST_DAY else None
        if day is None:
            raise InvalidValue(ProblemCode.NOT_A_DATE)
        if day < EARLIEST_DATE:
            raise InvalidValue(ProblemCode.TOO_EARLY)
        if latest is not None and day > latest:
            raise InvalidValue(ProblemCode.IN_THE_FUTURE)
        return day

    return read


@lru_cache(maxsize=65_536)
def _day_of(text: str) -> str | None:
    """The day in ISO 8601, in whatever form it is written; None if it is no day."""
    found = _LOOSE_DAY.fullmatch(normalize("NFKC", text.strip()))
    if found is None:
        return None
    year, month, day = (int(each) for each in found.groups() if each is not None)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _month(value: Any) -> str:
    if type(value) is str and len(value) <= _LONGEST_DAY:
        if loose := _LOOSE_MONTH.fullmatch(normalize("NFKC", value.strip())):
            value = f"{loose[1]}-{int(loose[2] or loose[3]):02}"
        if _MONTH.fullmatch(value):
            return str(value)
    raise InvalidValue(ProblemCode.NOT_A_MONTH)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise InvalidValue(ProblemCode.NOT_A_BOOLEAN)
    return value


def _integer(field: FieldDefinition) -> FieldParser:
    negative = field.negative

    def read(value: Any) -> int:
        if type(value) is not int or not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise InvalidValue(ProblemCode.NOT_A_WHOLE_NUMBER)
        if value < 0 and not negative:
            raise InvalidValue(ProblemCode.NEGATIVE)
        return value

    return read


def _decimal(field: FieldDefinition) -> FieldParser:
    negative = field.negative

    def read(value: Any) -> str:
        if type(value) is str and not _DECIMAL.fullmatch(value):
            value = _plain_decimal(value)
        if type(value) is not str or not _DECIMAL.fullmatch(value):
            raise InvalidValue(ProblemCode.NOT_A_DECIMAL)
        if not _CANONICAL.fullmatch(value):
            value = str(Decimal(value).quantize(_MICRO))
        if value[0] == "-" and not negative and value != "-0.000000":
            raise InvalidValue(ProblemCode.NEGATIVE)
        return value if value != "-0.000000" else "0.000000"

    return read


def _indicators(value: Any) -> list[dict[str, Any]]:
    """A rating's indicators, each with its points and reason codes; their scheme is checked apart."""
    if type(value) is not list or len(value) > MAX_INDICATORS:
        raise InvalidValue(ProblemCode.NOT_INDICATORS)
    return [_indicator(each) for each in value]


def _indicator(value: Any) -> dict[str, Any]:
    given = value if type(value) is dict else {}
    code, points, codes = map(given.get, ("indicator", "points", "reason_codes"), (None, None, []))
    fits = (
        given.keys() <= {"indicator", "points", "reason_codes"}
        and _is_code(code)
        and type(points) is int
        and 0 <= points <= MAX_INTEGER
        and type(codes) is list
        and len(codes) <= MAX_INDICATORS
        and all(map(_is_code, codes))
    )
    if not fits:
        raise InvalidValue(ProblemCode.NOT_INDICATORS)
    return {"indicator": code, "points": points, "reason_codes": list(dict.fromkeys(codes))}


def _is_code(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= MAX_CODE and value.isascii()


def _plain_decimal(text: str) -> str:
    """A number without blanks around it, groups of thousands and full width."""
    plain = normalize("NFKC", text[:_LONGEST_DECIMAL]).strip()
    return plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain
