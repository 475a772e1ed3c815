"""Disclosure policy: decides whether a record, and which of its fields, are disclosed to an audience.

The only such decision: queries, verifications, the public page and certificates all use it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from gateway.creditfile import disclosure_terms
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.clock_rules import ClockRules
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.disclosed_fields import (
    FieldSelection,
    ServedFields,
    disclosed_values,
    served_fields,
)
from gateway.creditfile.disclosure_class import CLASSES_FOR, Audience
from gateway.creditfile.disclosure_terms import (
    ALONE,
    End,
    EndReason,
    FileContext,
    RelatedRecord,
    ends_by_act,
    exemption,
    is_bad,
)
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.natural_keys import key_of
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Record

SERIOUS_LIST: Final = "serious_violation"


class DisclosableRecord(NamedTuple):
    """A record that may be disclosed, with its disclosable fields."""

    record: Record
    fields: Mapping[str, Any]
    counts_as_bad: bool
    """Bad information that is held against the enterprise now."""
    end: End | None
    """Its first end, come or to come."""


class _DatasetPolicy(NamedTuple):
    """Disclosure rules of one dataset for one audience."""

    dataset: DatasetDefinition
    rules: ClockRules
    served: ServedFields
    selected: ServedFields
    """Those of them that the caller needs."""


class _Opened(NamedTuple):
    """A record that may be disclosed, before its fields are selected."""

    record: Record
    selected: ServedFields
    end: End | None
    counts_as_bad: bool


def is_disclosable(
    record: Record,
    audience: Audience,
    catalogue: Catalogue,
    now: datetime,
    *,
    context: FileContext = ALONE,
    kind: str = "",
) -> bool:
    """True if anything of `record` may be disclosed to `audience` at `now`.

    The enterprise sees its own records whatever has ended them. `kind` is the enterprise's.
    """
    if not catalogue.has_dataset(record.dataset):
        return False
    if audience is not Audience.ENTERPRISE and end_in_effect(
        record, catalogue, now, context=context
    ):
        return False
    return served_fields(catalogue, (record.dataset, audience, kind)).any_reaches(record)


def end_in_effect(
    record: Record, catalogue: Catalogue, now: datetime, *, context: FileContext = ALONE
) -> End | None:
    """End in effect at `now`, with its reason; `None` if the record is disclosed to others too.

    An exemption (R1) is named before the rule that the record is not published.
    """
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    first = disclosure_terms.first_end(record, dataset, rules, context)
    return _in_effect(first, record, rules, now)


def _in_effect(first: End | None, record: Record, rules: ClockRules, now: datetime) -> End | None:
    """The end in effect of a record whose first end is `first`."""
    end = disclosure_terms.in_effect(first, record, now=now)
    if end is None or end.reason is EndReason.NOT_PUBLISHED:
        return exemption(record, rules, now=now) or end
    return end


def disclosable_fields(
    record: Record,
    audience: Audience,
    catalogue: Catalogue,
    now: datetime,
    *,
    kind: str,
    context: FileContext = ALONE,
) -> dict[str, Any]:
    """Disclosable fields of one record; empty if nothing may be disclosed.

    `kind` is the enterprise's: the operator of an individual business is masked in public.
    """
    if not is_disclosable(record, audience, catalogue, now, context=context, kind=kind):
        return {}
    served = served_fields(catalogue, (record.dataset, audience, kind))
    return disclosed_values([(record, served)], today=day_of(now))[0]


def disclosable_records(
    records: Collection[Record],
    audience: Audience,
    catalogue: Catalogue,
    now: datetime,
    *,
    kind: str,
    context: FileContext | None = None,
    only: FieldSelection | None = None,
) -> tuple[DisclosableRecord, ...]:
    """Disclosable records of one enterprise, in their order.

    `kind` is the enterprise's, `context` its file's where `records` are not the whole of it. Records
    that are not for this audience are left out. With `only` they have just these of their fields.
    """
    policies = _policies(catalogue, (audience, kind == INDIVIDUAL_BUSINESS, only))
    held = [each for each in records if each.dataset in policies]
    if context is None:
        context = context_of(held, catalogue, now)
    opened: list[_Opened] = []
    for each in held:
        dataset, rules, served, selected = policies[each.dataset]
        end = disclosure_terms.first_end(each, dataset, rules, context)
        is_over = _in_effect(end, each, rules, now) is not None
        if is_over and audience is not Audience.ENTERPRISE:
            continue
        if served.any_reaches(each):
            opened.append(_Opened(each, selected, end, not is_over and is_bad(each, dataset)))
    values = disclosed_values([(each.record, each.selected) for each in opened], today=day_of(now))
    return tuple(
        [
            DisclosableRecord(record, fields, is_held_against, end)
            for (record, _, end, is_held_against), fields in zip(opened, values, strict=True)
        ]
    )


@derived_table
def _policies(
    catalogue: Catalogue, key: tuple[Audience, bool, FieldSelection | None]
) -> Mapping[str, _DatasetPolicy]:
    """Policy of each dataset for an audience, by kind of enterprise and selection of fields.

    The kind is an individual business or another; without a selection all fields are disclosed.
    """
    audience, individual, selection = key
    kind = INDIVIDUAL_BUSINESS if individual else ""
    policies = {}
    for code in catalogue.codes:
        served = served_fields(catalogue, (code, audience, kind))
        selected = served
        if selection is not None:
            selected = served.only(selection.fields.get(code, frozenset()))
        policies[code] = _DatasetPolicy(
            catalogue.dataset(code), catalogue.rules_of(code), served, selected
        )
    return policies


@derived_table
def never_disclosed_fields(catalogue: Catalogue, dataset: str) -> tuple[str, ...]:
    """Fields of a dataset that are never disclosed to a client (`withheld` reason `class_never`)."""
    return tuple(
        each.name
        for each in catalogue.dataset(dataset).fields
        if each.disclosure not in CLASSES_FOR[Audience.AUTHORISED]
    )


def context_of(records: Iterable[Record], catalogue: Catalogue, now: datetime) -> FileContext:
    """Facts of an enterprise's `records` on which the disclosure of each of them depends."""
    held = tuple(records)
    if _bears_on_others(catalogue, None).isdisjoint([each.dataset for each in held]):
        return ALONE
    listings = _ends_of_serious_listings(held, catalogue, now)
    return FileContext(
        on_serious_list=bool(listings),
        serious_list_ends_at=None
        if None in listings
        else max(filter(None, listings), default=None),
        superseded=_superseded(held, catalogue, now),
        related=_related(held, catalogue, now),
    )


@derived_table
def _bears_on_others(catalogue: Catalogue, _: None) -> frozenset[str]:
    """The datasets with whose records the disclosure of others changes."""
    return frozenset({SERIOUS_LIST, *catalogue.latest_of, *catalogue.ends_with})


def counts_as_bad(
    record: Record, catalogue: Catalogue, now: datetime, *, context: FileContext = ALONE
) -> bool:
    """True if the record is bad information against the enterprise at `now` (R1)."""
    is_held_against = end_in_effect(record, catalogue, now, context=context) is None
    return is_held_against and is_bad(record, catalogue.dataset(record.dataset))


def _ends_of_serious_listings(
    records: Iterable[Record], catalogue: Catalogue, now: datetime
) -> list[datetime | None]:
    """Ends of the enterprise's listings in force on the list of serious violations.

    Depends on the clock alone, since the retention of other records depends on it.
    """
    if not catalogue.has_dataset(SERIOUS_LIST):
        return []
    dataset, rules = catalogue.dataset(SERIOUS_LIST), catalogue.rules_of(SERIOUS_LIST)
    return [
        disclosure_terms.ends_at(each, dataset, rules)
        for each in records
        if each.dataset == SERIOUS_LIST
        and not disclosure_terms.has_ended(each, dataset, rules, now=now)
    ]


def _related(
    records: Sequence[Record], catalogue: Catalogue, now: datetime
) -> Mapping[str, Sequence[RelatedRecord]]:
    """Related records of each bad record, by its id: those of the enterprise that it names and ends with.

    An exempt one (R1) ends nothing, unless its source has ended it.
    """
    found = {}
    led_on = [each for each in records if each.dataset in catalogue.ends_with]
    for each in led_on:
        rule = catalogue.ends_with[each.dataset]
        number = each.fields.get(rule.field)
        if not number or not is_bad(each, catalogue.dataset(each.dataset)):
            continue
        dataset, rules = catalogue.dataset(rule.dataset), catalogue.rules_of(rule.dataset)
        key = key_of([number])
        found[each.record_id] = [
            RelatedRecord(record=other, dataset=dataset, rules=rules)
            for other in records
            if other.dataset == rule.dataset
            and other.natural_key == key
            and (any(ends_by_act(other)) or not exemption(other, rules, now=now))
        ]
    return found


def _superseded(records: Iterable[Record], catalogue: Catalogue, now: datetime) -> frozenset[str]:
    """Ids of records that are not the latest of their series (ratings: the latest only).

    A record that its source has ended supersedes nothing.
    """
    latest: dict[tuple[object, ...], Record] = {}
    old = set()
    rated = [each for each in records if each.dataset in catalogue.latest_of]
    for each in rated:
        if any(end.moment <= now for end in ends_by_act(each)):
            continue
        key = (each.dataset, *(each.fields.get(name) for name in catalogue.latest_of[each.dataset]))
        other = latest.setdefault(key, each)
        newest = max(each, other, key=_age)
        old |= {each.record_id, other.record_id} - {newest.record_id}
        latest[key] = newest
    return frozenset(old)


def _age(record: Record) -> tuple[date, datetime, str]:
    return record.decided_on or date.min, record.source_time, record.record_id
