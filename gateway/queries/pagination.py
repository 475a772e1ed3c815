"""Which records one page holds. A further page begins after a record's place, not at a count, so
that what is withdrawn in between makes nothing else go missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.access.timestamps import on_the_wire
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_fields, is_on_serious_list
from gateway.creditfile.personal_fields import open_enterprise, with_personal
from gateway.creditfile.records import REGISTRATION, Enterprise, Record, registration_of
from gateway.queries.authorization import Authorization
from gateway.queries.read_query import QueryInputs
from gateway.queries.request import QueryRequest
from gateway.runtime import Runtime

Place = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Records with their told fields; `after` is the last one's place if more follow."""

    records: tuple[tuple[Record, Mapping[str, Any]], ...]
    after: Place | None


def page_of(
    runtime: Runtime, ask: QueryRequest, found: QueryInputs, ground: Authorization, now: datetime
) -> RecordPage:
    """The page that `ask` wants, of the records that may be told to this client now."""
    held = (*_registration(runtime, ground.enterprise, ground.scope.told), *found.records)
    listed = is_on_serious_list(held, runtime.catalogue, now)
    begin = ask.cursor.after if ask.cursor else None
    told: list[tuple[Record, Mapping[str, Any]]] = []
    for record in sorted(held, key=place_of):
        if record.dataset not in ground.scope.told or not ask.wants(record):
            continue
        if begin is not None and place_of(record) <= begin:
            continue
        fields = disclosable_fields(
            with_personal(runtime.vault, record),
            Audience.AUTHORISED,
            runtime.catalogue,
            now,
            kind=ground.enterprise.kind,
            on_serious_list=listed,
        )
        if unseen := ground.scope.unseen.get(record.dataset):
            fields = {name: value for name, value in fields.items() if name not in unseen}
        if fields:
            told.append((record, fields))
        if len(told) > ask.page_size:
            return RecordPage(records=tuple(told[:-1]), after=place_of(told[-2][0]))
    return RecordPage(records=tuple(told), after=None)


def place_of(record: Record) -> Place:
    """Newest decision first, then by id; what has no date comes last."""
    return (-record.decided_on.toordinal() if record.decided_on else 0, record.record_id)


def record_out(record: Record, fields: Mapping[str, Any]) -> dict[str, Any]:
    """One record on the wire, with where it comes from and whether it is disputed."""
    out: dict[str, Any] = {
        "dataset": record.dataset,
        "record_id": record.record_id,
        "version": record.version,
        "source": {"name": record.source_name, "uscc": record.source_uscc},
        "source_time": on_the_wire(record.source_time),
        "catalogue_version": record.catalogue_version,
        "fields": fields,
    }
    if record.objection_since is not None:
        out["objection"] = {"since": on_the_wire(record.objection_since)}
    return out


def _registration(
    runtime: Runtime, enterprise: Enterprise, told: tuple[str, ...]
) -> tuple[Record, ...]:
    """The registration, with its personal fields opened only where it is told."""
    if REGISTRATION not in told:
        return ()
    return (registration_of(enterprise, open_enterprise(runtime.vault, enterprise)),)
