"""Keyset pagination of records, stable when records are withdrawn between two pages."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from gateway.access.serializers.record import record_json
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, disclosable_records
from gateway.creditfile.personal_fields import open_enterprise, with_personal
from gateway.creditfile.records import REGISTRATION, Enterprise, Record, registration_of
from gateway.creditfile.use_term import Permission, UseTerm, use_term
from gateway.queries.authorization import Authorization
from gateway.queries.read_query import QueryInputs
from gateway.queries.request import QueryRequest
from gateway.queries.withheld import DisclosedScope
from gateway.runtime import Runtime

RecordPosition = tuple[int, str]


class RecordOfPage(NamedTuple):
    """A disclosed record with its disclosed fields and its term of use."""

    record: Record
    fields: Mapping[str, Any]
    term: UseTerm


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Disclosed records; `last` is the last one's position if more follow."""

    records: tuple[RecordOfPage, ...]
    last: RecordPosition | None


def page_of(
    runtime: Runtime,
    request: QueryRequest,
    inputs: QueryInputs,
    authorization: Authorization,
    now: datetime,
) -> RecordPage:
    """The requested page of the records that may be disclosed to this client now."""
    catalogue, scope, size = runtime.catalogue, authorization.scope, request.page_size
    held = (*_registration(runtime, authorization.enterprise, scope.disclosed), *inputs.records)
    context = context_of(held, catalogue, now)
    permission = Permission(
        valid_until=authorization.granted.valid_until,
        retention=timedelta(days=authorization.retention_days),
        withheld=scope.withheld_fields,
    )
    told: list[RecordOfPage] = []
    wanted = _wanted(held, scope, request)
    while len(told) <= size and (some := list(islice(wanted, size + 1))):
        disclosable = disclosable_records(
            [with_personal(runtime.vault, each) for each in some],
            Audience.AUTHORISED,
            catalogue,
            now,
            kind=authorization.enterprise.kind,
            context=context,
        )
        for each in disclosable:
            if fields := scope.disclosed_fields(each.record, each.fields):
                term = use_term(each, permission, catalogue, now, context=context)
                told.append(RecordOfPage(record=each.record, fields=fields, term=term))
    more = len(told) > size
    return RecordPage(
        records=tuple(told[:size]), last=position_of(told[size - 1].record) if more else None
    )


def _wanted(
    held: Sequence[Record], scope: DisclosedScope, request: QueryRequest
) -> Iterator[Record]:
    """Records that the request asks for and the scope covers, from its cursor on, in order."""
    wanted = sorted(
        (each for each in held if each.dataset in scope.disclosed and request.wants(each)),
        key=position_of,
    )
    if request.cursor is None:
        return iter(wanted)
    return iter(wanted[bisect_right(wanted, request.cursor.after, key=position_of) :])


def position_of(record: Record) -> RecordPosition:
    """Sort key: newest first, then id; records without a day last. A cursor's reader can read it."""
    return (-record.day.toordinal() if record.day else 0, record.record_id)


def serialize_record(disclosed: RecordOfPage) -> dict[str, Any]:
    """One record as JSON, with its source, its term of use and its objection, if there is one."""
    return record_json(disclosed.record, disclosed.fields, disclosed.term)


def _registration(
    runtime: Runtime, enterprise: Enterprise, disclosed: tuple[str, ...]
) -> tuple[Record, ...]:
    """The registration as a record, decrypted only if it is disclosed."""
    if REGISTRATION not in disclosed:
        return ()
    return (registration_of(enterprise, open_enterprise(runtime.vault, enterprise)),)
