"""Term of use of a disclosed record, and the day of its deletion, as its recipient is told. Pure.

A record is used until its disclosure or the consent ends, whichever is earlier, and deleted when the
agreement's retention is over. The end tells no more than the answer does: the publicity of a penalty
depends on its severity, so that a recipient who is not told the severity gets the next end under any
severity, which is never later than the true one.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.clock_rules import ClockRules
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import DisclosableRecord
from gateway.creditfile.disclosure_terms import NEVER_DISCLOSED, FileContext, ends_at
from gateway.creditfile.records import Record

_FULFILLED: Final = "fulfilled"
"""Field whose value `false` can prolong publicity."""


class UseTerm(NamedTuple):
    """Both ends are exclusive."""

    use_until: datetime
    delete_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Terms of use of an answer, from agreement and consent."""

    valid_until: datetime
    """End of the consent."""
    retention: timedelta
    withheld: Mapping[str, Collection[str]]
    """Fields by dataset that the recipient is not told although their class would allow it."""


def use_term(
    disclosed: DisclosableRecord,
    permission: Permission,
    catalogue: Catalogue,
    now: datetime,
    *,
    context: FileContext,
) -> UseTerm:
    """The term of use of a record that is disclosed at `now`."""
    record, own, use_until = disclosed.record, disclosed.end, permission.valid_until
    if catalogue.rules_of(record.dataset).has_publicity or record.record_id in context.related:
        ends = _ends_alike(record, permission, catalogue, context)
        use_until = min([use_until, *(end for end in ends if end is not None and end > now)])
    elif own is not None and own.moment > now:
        use_until = min(use_until, own.moment)
    return _term(use_until, permission.retention)


@lru_cache(maxsize=1024)  # most records of a file end with the consent
def _term(use_until: datetime, retention: timedelta) -> UseTerm:
    return UseTerm(use_until=use_until, delete_by=use_until + retention)


def _ends_alike(
    record: Record, permission: Permission, catalogue: Catalogue, context: FileContext
) -> Iterator[datetime | None]:
    """The ends of all records, in all contexts, that the recipient cannot tell apart from this one."""
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    told = _told(record.dataset, permission, catalogue)
    for each in _alike(record, dataset, rules, told):
        for alternative in _contexts_alike(record, permission, catalogue, context):
            yield ends_at(each, dataset, rules, alternative)


def _told(dataset: str, permission: Permission, catalogue: Catalogue) -> Collection[str]:
    """Fields of a dataset that the recipient is told."""
    told = {each.name for each in catalogue.fields_for(dataset, Audience.AUTHORISED)}
    return told - set(permission.withheld.get(dataset, ()))


def _contexts_alike(
    record: Record, permission: Permission, catalogue: Catalogue, context: FileContext
) -> Iterator[FileContext]:
    """The context, or all that the recipient cannot tell apart from it by the record that ends this one.

    A related record that is not published must not show here either.
    """
    held = context.related.get(record.record_id)
    if not held:
        yield context
        return
    related = [
        each
        for each in held
        if ends_at(each.record, each.dataset, each.rules, context) != NEVER_DISCLOSED
    ]
    if not related:
        yield replace(context, related={})
    for each in related:
        told = _told(each.record.dataset, permission, catalogue)
        for alike in _alike(each.record, each.dataset, each.rules, told):
            yield replace(context, related={record.record_id: [replace(each, record=alike)]})


def _alike(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, told: Collection[str]
) -> Iterator[Record]:
    """The record, or all that its recipient cannot tell apart from it by what prolongs publicity."""
    by_severity, publicity = rules.publicity_by_severity, rules.publicity
    if by_severity is None and publicity is None:
        yield record
        return
    closed: dict[str, Any] = {} if _FULFILLED in told else {_FULFILLED: None}
    if dataset.field_of.get("severity") in told:
        yield replace(record, fields={**record.fields, **closed})
        return
    severities = dict.fromkeys(publicity.months_by_severity if publicity else ())
    if by_severity is not None:
        severities |= dict.fromkeys(by_severity.months)
        minor = by_severity.minor
        closed |= {minor.published_if: True, "procedure": next(iter(minor.published_under), None)}
    for severity in (None, *severities):
        yield replace(record, severity=severity, fields={**record.fields, **closed})
