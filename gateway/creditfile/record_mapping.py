"""What a source delivers becomes a record by the catalogue only: types, key, columns."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.creditfile.catalogue_schema import DatasetOf, FieldOf
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.creditfile.natural_keys import key_of
from gateway.privacy.redaction import scan

TEXTS: Final = frozenset({"text", "free_text", "texts"})
"""The types of fields in which a source writes in its own words."""
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """Why a field cannot be taken; it repeats nothing of the value."""

    field: str
    reason: str


def problems_with(dataset: DatasetOf, fields: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    """Judge delivered fields against the catalogue; none means that they may be taken."""
    known = {field.name: field for field in dataset.fields}
    unknown = (FieldProblem(field=each, reason="unknown") for each in fields if each not in known)
    needed = {*dataset.key, *(each.name for each in dataset.fields if each.required)}
    missing = (
        FieldProblem(field=each, reason="missing")
        for each in sorted(needed)
        if fields.get(each) in (None, "", [])
    )
    return (*unknown, *missing, *_wrong_values(known, fields))


def natural_key(dataset: DatasetOf, fields: Mapping[str, Any]) -> str:
    """By what a source knows the record again."""
    return key_of([fields[name] for name in dataset.key])


def columns_of(dataset: DatasetOf, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The typed columns of the table `record` that these fields fill."""
    return {
        field.column: _read(field, fields[field.name])
        for field in dataset.fields
        if field.column is not None and fields.get(field.name) is not None
    }


def as_stored(dataset: DatasetOf, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields, with nothing personal that would lie there legibly (R5, R17).

    Personal numbers in texts are masked, but for the key's; personal fields that are not public are
    left out: `personal_of` gives them, to be sealed.
    """
    of = {field.name: field for field in dataset.fields}
    sealed = sealed_fields(dataset)
    return {
        name: value if name in dataset.key else without_personal_numbers(of[name], value)
        for name, value in fields.items()
        if name not in sealed
    }


def without_personal_numbers(field: FieldOf, value: Any, *, today: date | None = None) -> Any:
    """The JSON value of a field, with personal numbers masked where it is text (R5)."""
    if field.type not in TEXTS or field.values:
        return value
    if isinstance(value, list):
        return [scan(each, today=today).text for each in value]
    return scan(value, today=today).text if isinstance(value, str) else value


def personal_of(dataset: DatasetOf, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are stored sealed only."""
    sealed = sealed_fields(dataset)
    return {name: value for name, value in fields.items() if name in sealed}


def sealed_fields(dataset: DatasetOf) -> tuple[str, ...]:
    """The names of the personal fields that are not public."""
    return tuple(
        each.name
        for each in dataset.fields
        if each.personal and each.disclosure is not DisclosureClass.PUBLIC
    )


def _wrong_values(
    known: Mapping[str, FieldOf],
    fields: Mapping[str, Any],
) -> Iterator[FieldProblem]:
    for name, value in fields.items():
        field = known.get(name)
        if field is None or value is None:
            continue
        if not _FITS[field.type](value):
            yield FieldProblem(field=name, reason=f"not a {field.type}")
        elif field.values and not set(value if isinstance(value, list) else [value]) <= set(
            field.values,
        ):
            yield FieldProblem(field=name, reason="not one of the values of the catalogue")


def _read(field: FieldOf, value: str) -> date | str:
    return date.fromisoformat(value) if field.type == "date" else value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_day(value: object) -> bool:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_decimal(value: object) -> bool:
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False


_FITS: Final[dict[str, Callable[[object], bool]]] = {
    "text": _is_text,
    "free_text": _is_text,
    "texts": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "date": _is_day,
    "month": lambda value: isinstance(value, str) and _MONTH.fullmatch(value) is not None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "decimal": _is_decimal,
}
