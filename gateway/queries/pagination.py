"""Keyset pagination of records, stable when records are withdrawn between two pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.access.timestamps import format_time
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, disclosable_fields
from gateway.creditfile.personal_fields import open_enterprise, with_personal
from gateway.creditfile.records import REGISTRATION, Enterprise, Record, registration_of
from gateway.creditfile.use_term import Permission, UseTerm, use_term
from gateway.queries.authorization import Authorization
from gateway.queries.read_query import QueryInputs
from gateway.queries.request import QueryRequest
from gateway.runtime import Runtime

RecordPosition = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOfPage:
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
    enterprise, scope = authorization.enterprise, authorization.scope
    held = (*_registration(runtime, enterprise, scope.disclosed), *inputs.records)
    context = context_of(held, runtime.catalogue, now)
    begin = request.cursor.after if request.cursor else None
    permission = Permission(
        valid_until=authorization.granted.valid_until,
        retention_days=authorization.retention_days,
        withheld=scope.withheld_fields,
    )
    disclosed: list[RecordOfPage] = []
    for record in sorted(held, key=position_of):
        if record.dataset not in scope.disclosed or not request.wants(record):
            continue
        if begin is not None and position_of(record) <= begin:
            continue
        fields = disclosable_fields(
            with_personal(runtime.vault, record),
            Audience.AUTHORISED,
            runtime.catalogue,
            now,
            kind=enterprise.kind,
            context=context,
        )
        if told := scope.disclosed_fields(record, fields):
            term = use_term(record, permission, runtime.catalogue, now, context=context)
            disclosed.append(RecordOfPage(record=record, fields=told, term=term))
        if len(disclosed) > request.page_size:
            last = position_of(disclosed[-2].record)
            return RecordPage(records=tuple(disclosed[:-1]), last=last)
    return RecordPage(records=tuple(disclosed), last=None)


def position_of(record: Record) -> RecordPosition:
    """Sort key: newest decision first, then id; records without a date last."""
    return (-record.decided_on.toordinal() if record.decided_on else 0, record.record_id)


def serialize_record(disclosed: RecordOfPage) -> dict[str, Any]:
    """One record as JSON, with its source, its term of use and its objection, if there is one."""
    record = disclosed.record
    out: dict[str, Any] = {
        "dataset": record.dataset,
        "record_id": record.record_id,
        "version": record.version,
        "source": {"name": record.source_name, "uscc": record.source_uscc},
        "source_time": format_time(record.source_time),
        "catalogue_version": record.catalogue_version,
        "use_until": format_time(disclosed.term.use_until),
        "delete_by": format_time(disclosed.term.delete_by),
        "fields": disclosed.fields,
    }
    if record.objection_since is not None:
        out["objection"] = {"since": format_time(record.objection_since)}
    return out


def _registration(
    runtime: Runtime, enterprise: Enterprise, disclosed: tuple[str, ...]
) -> tuple[Record, ...]:
    """The registration as a record, decrypted only if it is disclosed."""
    if REGISTRATION not in disclosed:
        return ()
    return (registration_of(enterprise, open_enterprise(runtime.vault, enterprise)),)
