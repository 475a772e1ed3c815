"""Mapping of delivered fields to a stored record: natural key, typed columns, masked and encrypted fields."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.creditfile.natural_keys import key_of
from gateway.privacy.redaction import scan

TEXT_TYPES: Final = frozenset({"text", "free_text", "texts"})
"""Field types with free wording."""


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
    if not has_free_wording(field):
        return value
    if isinstance(value, list):
        return [scan(each, today=today).text for each in value]
    return scan(value, today=today).text if isinstance(value, str) else value


def has_free_wording(field: FieldDefinition) -> bool:
    """True for a text that is no value of a closed list."""
    return field.type in TEXT_TYPES and not field.values


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


def _read(field: FieldDefinition, value: str) -> date | str:
    return date.fromisoformat(value) if field.type == "date" else value
