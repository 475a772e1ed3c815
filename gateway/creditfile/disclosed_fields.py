"""Fields of a record that reach an audience, and their values as disclosed. Pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Self

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.catalogue.parts import Condition
from gateway.creditfile.disclosure_class import CLASSES_FOR, Audience, DisclosureClass
from gateway.creditfile.record_mapping import has_free_wording
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Record
from gateway.privacy.redaction import masked_texts

_HIDDEN: Final = "**"


@dataclass(frozen=True, slots=True, eq=False)
class FieldSelection:
    """Names of fields by dataset, for a caller that needs no others; made once, as a key of tables."""

    fields: Mapping[str, AbstractSet[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedField:
    """A field that can reach an audience, and what decides about its value in a record."""

    name: str
    public_when: Condition | None
    """The condition under which it reaches the audience; `None` if its class does."""
    is_masked: bool
    """It is a person's name that is masked in public, unless `unmasked_when` holds."""
    unmasked_when: Condition | None
    is_scanned: bool
    """It is a text that may hold personal numbers from before they were masked at ingest (R5)."""

    def reaches(self, fields: Mapping[str, Any]) -> bool:
        """True if a record with these fields discloses it."""
        return self.public_when is None or self.public_when.holds(fields)

    def hides_person(self, fields: Mapping[str, Any]) -> bool:
        """True if its value in a record with these fields is a name to be masked."""
        known = self.unmasked_when is not None and self.unmasked_when.holds(fields)
        return self.is_masked and not known


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFields:
    """The fields of a dataset that can reach an audience, and those of them that depend on a record."""

    names: tuple[str, ...]
    conditional: tuple[ServedField, ...]
    masked: tuple[ServedField, ...]
    scanned: tuple[str, ...]

    @classmethod
    def of(cls, fields: Sequence[ServedField]) -> Self:
        """The plan of these fields."""
        return cls(
            names=tuple(each.name for each in fields),
            conditional=tuple(each for each in fields if each.public_when is not None),
            masked=tuple(each for each in fields if each.is_masked),
            scanned=tuple(each.name for each in fields if each.is_scanned),
        )

    def only(self, names: AbstractSet[str]) -> Self:
        """The plan of those of the fields that are named."""
        return replace(
            self,
            names=tuple(each for each in self.names if each in names),
            conditional=tuple(each for each in self.conditional if each.name in names),
            masked=tuple(each for each in self.masked if each.name in names),
            scanned=tuple(each for each in self.scanned if each in names),
        )

    def any_reaches(self, record: Record) -> bool:
        """True if some field of the record's dataset reaches the audience."""
        return len(self.conditional) < len(self.names) or any(
            each.reaches(record.fields) for each in self.conditional
        )


@derived_table
def served_fields(catalogue: Catalogue, key: tuple[str, Audience, str]) -> ServedFields:
    """The fields of a dataset that can reach an audience, by the enterprise's kind."""
    code, audience, kind = key
    is_individual = kind == INDIVIDUAL_BUSINESS
    return ServedFields.of(
        [
            ServedField(
                name=each.name,
                public_when=None if each.disclosure in CLASSES_FOR[audience] else each.public_when,
                is_masked=audience is Audience.PUBLIC
                and each.personal
                and (each.masked or is_individual),
                unmasked_when=each.unmasked_when,
                is_scanned=has_free_wording(each)
                # else requested explicitly, under consent
                and not (each.personal and each.disclosure is not DisclosureClass.PUBLIC),
            )
            for each in catalogue.fields_for(code, audience, kind)
        ]
    )


def disclosed_values(
    records: Sequence[tuple[Record, ServedFields]], *, today: date
) -> list[dict[str, Any]]:
    """Each record's fields as disclosed.

    The texts of all, of which many stand in several records, are searched for personal numbers at once.
    """
    found = [(_values(record, served), served.scanned) for record, served in records]
    texts = set[str]()
    for values, scanned in found:
        for name in scanned:
            value = values.get(name)
            if isinstance(value, str):
                texts.add(value)
            elif isinstance(value, list):
                texts.update(value)
    masked = masked_texts(texts, today=today)
    if masked:
        for values, scanned in found:
            values |= {
                name: _with_masks(values[name], masked) for name in scanned if name in values
            }
    return [values for values, _ in found]


def _values(record: Record, served: ServedFields) -> dict[str, Any]:
    """The record's fields as disclosed, but for personal numbers in texts."""
    fields = record.fields
    found = {name: fields[name] for name in served.names if name in fields}
    for each in served.conditional:
        if each.name in found and not each.reaches(fields):
            del found[each.name]
    for each in served.masked:
        if each.name in found and each.hides_person(fields):
            found[each.name] = mask_persons(found[each.name])
    return found


def _with_masks(value: Any, masked: Mapping[str, str]) -> Any:  # a field's JSON
    if isinstance(value, str):
        return masked.get(value, value)
    return [masked.get(each, each) for each in value] if isinstance(value, list) else value


def mask_persons(value: Any) -> Any:  # a field's JSON
    """Mask a name, or each of several."""
    if isinstance(value, list):
        return [mask_person(each) for each in value]
    return mask_person(value) if isinstance(value, str) else value


def mask_person(name: str) -> str:
    """Mask a person's name: 张三丰 as 张**, whatever its length."""
    return name[:1] + _HIDDEN
