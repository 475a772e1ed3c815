"""Mapping of delivered fields to a stored record: natural key, typed columns, masked and encrypted fields."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.creditfile.catalogue_schema import DatasetDefinition, FieldDefinition
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.creditfile.natural_keys import key_of
from gateway.privacy.redaction import scan

TEXT_TYPES: Final = frozenset({"text", "free_text", "texts"})
"""Field types with free wording."""
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """Why a field is rejected; contains nothing of the value."""

    field: str
    reason: str


def problems_with(
    dataset: DatasetDefinition, fields: Mapping[str, Any]
) -> tuple[FieldProblem, ...]:
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


def natural_key(dataset: DatasetDefinition, fields: Mapping[str, Any]) -> str:
    """The source's natural key of a record, folded."""
    return key_of([fields[name] for name in dataset.key])


def typed_columns(dataset: DatasetDefinition, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Typed columns of the table `record` filled from these fields."""
    return {
        field.column: _read(field, fields[field.name])
        for field in dataset.fields
        if field.column is not None and fields.get(field.name) is not None
    }


def stored_fields(dataset: DatasetDefinition, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields stored in plain text: personal numbers masked (R5), encrypted fields left out (R17).

    The key's fields are not masked; `personal_values` gives the fields to encrypt.
    """
    definitions = {field.name: field for field in dataset.fields}
    sealed = sealed_fields(dataset)
    return {
        name: value if name in dataset.key else without_personal_numbers(definitions[name], value)
        for name, value in fields.items()
        if name not in sealed
    }


def without_personal_numbers(
    field: FieldDefinition, value: Any, *, today: date | None = None
) -> Any:
    """A field's JSON value with personal numbers masked, if it is text (R5)."""
    if field.type not in TEXT_TYPES or field.values:
        return value
    if isinstance(value, list):
        return [scan(each, today=today).text for each in value]
    return scan(value, today=today).text if isinstance(value, str) else value


def personal_values(dataset: DatasetDefinition, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields to be stored encrypted."""
    sealed = sealed_fields(dataset)
    return {name: value for name, value in fields.items() if name in sealed}


def sealed_fields(dataset: DatasetDefinition) -> tuple[str, ...]:
    """Names of the personal fields that are not public."""
    return tuple(
        each.name
        for each in dataset.fields
        if each.personal and each.disclosure is not DisclosureClass.PUBLIC
    )


def _wrong_values(
    known: Mapping[str, FieldDefinition],
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


def _read(field: FieldDefinition, value: str) -> date | str:
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
