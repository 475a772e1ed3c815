"""The one place that decides whether a record, and which of its fields, may be told to whom, when.

Query, verification, public page and certificates all ask here, and here only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from gateway.creditfile import clock
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import FieldOf
from gateway.creditfile.disclosure_class import CLASSES_FOR, Audience, DisclosureClass
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.record_mapping import without_personal_numbers
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Record

SERIOUS_LIST: Final = "serious_violation"
_HIDDEN: Final = "**"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosableRecord:
    """A record that may be told, with those of its fields that may be."""

    record: Record
    fields: Mapping[str, Any]


def tellable(
    record: Record,
    audience: Audience,
    catalogue: Catalogue,
    now: datetime,
    *,
    on_serious_list: bool = False,
) -> bool:
    """Whether anything of `record` may be told to `audience` at `now`."""
    if record.dataset not in catalogue.codes:
        return False
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    if clock.has_ended(record, dataset, rules, now=now, on_serious_list=on_serious_list):
        return False
    if audience is not Audience.ENTERPRISE and clock.is_exempt(record, rules, now=now):
        return False
    return any(_reaches(each, record, audience) for each in _fields(record, audience, catalogue))


def told_fields(  # all that the decision needs
    record: Record,
    audience: Audience,
    catalogue: Catalogue,
    now: datetime,
    *,
    kind: str,
    on_serious_list: bool = False,
) -> dict[str, Any]:
    """What of `record` may be told to `audience` at `now`, by field; empty where nothing may.

    `kind` is the enterprise's: an individual business's operator is masked in public.
    """
    if not tellable(record, audience, catalogue, now, on_serious_list=on_serious_list):
        return {}
    return _of_their_classes(record, audience, catalogue, kind, today=day_of(now))


def tell(
    records: Iterable[Record],
    audience: Audience,
    catalogue: Catalogue,
    now: datetime,
    *,
    kind: str,
) -> tuple[DisclosableRecord, ...]:
    """What of one enterprise's records may be told to `audience` at `now`, in their order.

    `kind` is the enterprise's. Records left out have ended, or are not for this audience.
    """
    held = tuple(records)
    listed = is_on_serious_list(held, catalogue, now)
    return tuple(
        DisclosableRecord(
            record=each,
            fields=_of_their_classes(each, audience, catalogue, kind, today=day_of(now)),
        )
        for each in held
        if tellable(each, audience, catalogue, now, on_serious_list=listed)
    )


def never_told_fields(dataset: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The fields of a dataset that no client is ever told: `withheld` names them `class_never`."""
    return tuple(
        each.name
        for each in catalogue.dataset(dataset).fields
        if each.disclosure not in CLASSES_FOR[Audience.AUTHORISED]
    )


def is_on_serious_list(
    records: Iterable[Record],
    catalogue: Catalogue,
    now: datetime,
) -> bool:
    """Whether one of an enterprise's records has it on the list of serious violations at `now`.

    By the clock alone: whoever may be told of the list, others' retention goes by it.
    """
    if SERIOUS_LIST not in catalogue.codes:
        return False
    dataset, rules = catalogue.dataset(SERIOUS_LIST), catalogue.rules_of(SERIOUS_LIST)
    return any(
        each.dataset == SERIOUS_LIST and not clock.has_ended(each, dataset, rules, now=now)
        for each in records
    )


def mask_person(name: str) -> str:
    """张三丰 as 张**: the first character, and two stars however long the name is."""
    return name[:1] + _HIDDEN


def _of_their_classes(
    record: Record,
    audience: Audience,
    catalogue: Catalogue,
    kind: str,
    *,
    today: date,
) -> dict[str, Any]:
    masked = audience is Audience.PUBLIC and kind == INDIVIDUAL_BUSINESS
    return {
        each.name: _as_told(record.fields[each.name], each, masked=masked, today=today)
        for each in _fields(record, audience, catalogue)
        if each.name in record.fields and _reaches(each, record, audience)
    }


def _fields(record: Record, audience: Audience, catalogue: Catalogue) -> tuple[FieldOf, ...]:
    return catalogue.fields_for(record.dataset, audience)


def _reaches(field: FieldOf, record: Record, audience: Audience) -> bool:
    """By its class, or by its being published by the one whose record it is."""
    if field.disclosure in CLASSES_FOR[audience]:
        return True
    opened = field.disclosure is DisclosureClass.AUTHORISED and field.public_when is not None
    return opened and record.fields.get(field.public_when or "") is True


def _as_told(value: Any, field: FieldOf, *, masked: bool, today: date) -> Any:  # a field's JSON
    """Without the personal numbers of what was taken before intake knew them (R5)."""
    if masked and field.personal and isinstance(value, str):
        return mask_person(value)
    if field.personal and field.disclosure is not DisclosureClass.PUBLIC:
        return value  # it is what was asked for, under consent
    return without_personal_numbers(field, value, today=today)
