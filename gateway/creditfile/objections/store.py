"""Store of objections: one query per function, in the caller's transaction.

Lock order: the record first (`lock_record`), then the objection.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import false, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.objections.model import (
    Objection,
    ObjectionAct,
    ObjectionChanged,
    ObjectionEvent,
    ObjectionGround,
    ObjectionKind,
    ObjectionOutcome,
    Role,
    Status,
)
from gateway.creditfile.objections.tables import objection_events, objection_locators, objections
from gateway.creditfile.records import REGISTRATION, Record
from gateway.creditfile.tables import enterprise, record

PAGE: Final = 100
_ENUMS: Final[Mapping[str, type[StrEnum]]] = {
    "kind": ObjectionKind,
    "status": Status,
    "outcome": ObjectionOutcome,
    "what": ObjectionAct,
    "role": Role,
}
_NEVER_SAVED: Final = frozenset({"uscc", "objection_id", "kind", "dataset", "record_id"})


_RECORDS: Final = (
    (
        enterprise.c,
        enterprise.c.registration_id,
        literal(REGISTRATION).label("dataset"),
        false().label("ended"),
    ),
    (
        record.c,
        record.c.record_id,
        record.c.dataset,
        or_(record.c.repaired_at.is_not(None), record.c.withdrawn_at.is_not(None)).label("ended"),
    ),
)
"""Columns, id, dataset and end of a registration and of any other record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedRecord:
    """A record locked until the transaction ends."""

    ground: ObjectionGround
    ended: bool
    """True if it is withdrawn or repaired."""


async def lock_record(
    connection: AsyncConnection, uscc: str, record_id: str
) -> LockedRecord | None:
    """Lock a record of this enterprise, or its registration."""
    for columns, own_id, dataset, ended in _RECORDS:
        version = columns.version.label("record_version")
        found = await connection.execute(
            select(dataset, version, columns.source_id, columns.source_name, ended)
            .where(columns.uscc == uscc, own_id == record_id)
            .with_for_update()
        )
        row = found.mappings().one_or_none()
        if row is not None:
            ground = {name: value for name, value in row.items() if name != "ended"}
            return LockedRecord(
                ground=ObjectionGround(uscc=uscc, record_id=record_id, **ground), ended=row["ended"]
            )
    return None


async def add(connection: AsyncConnection, changed: ObjectionChanged) -> bool:
    """Insert a new objection; false if an open one to the same record exists."""
    row = _row(changed.objection)
    added = await connection.execute(
        insert_unless(objections)
        .values(row)
        .on_conflict_do_nothing()
        .returning(objections.c.objection_id)
    )
    if added.scalar_one_or_none() is None:
        return False
    await connection.execute(
        insert(objection_locators),
        {"objection_id": changed.objection.objection_id, "uscc": changed.objection.uscc},
    )
    await _add_event(connection, changed.event)
    return True


async def save(connection: AsyncConnection, before: Objection, changed: ObjectionChanged) -> bool:
    """Update an objection and add its event; false if it was changed concurrently."""
    row = {n: value for n, value in _row(changed.objection).items() if n not in _NEVER_SAVED}
    saved = await connection.execute(
        update(objections)
        .where(
            objections.c.uscc == before.uscc,
            objections.c.objection_id == before.objection_id,
            objections.c.version == before.version,
        )
        .values(row)
        .returning(objections.c.version)
    )
    if saved.scalar_one_or_none() is None:
        return False
    await _add_event(connection, changed.event)
    return True


async def set_mark(
    connection: AsyncConnection, ground: ObjectionGround | Objection, marked_at: datetime | None
) -> None:
    """Set or clear the mark on the record."""
    is_registration = ground.dataset == REGISTRATION
    table, own_id = (enterprise, "registration_id") if is_registration else (record, "record_id")
    await connection.execute(
        update(table)
        .where(table.c.uscc == ground.uscc, table.c[own_id] == ground.record_id)
        .values(objection_since=marked_at)
    )


async def by_id(connection: AsyncConnection, objection_id: str) -> Objection | None:
    """The objection of this id; in two steps, so that each touches one shard."""
    located = await connection.execute(
        select(objection_locators.c.uscc).where(objection_locators.c.objection_id == objection_id)
    )
    uscc = located.scalar_one_or_none()
    if uscc is None:
        return None
    one = select(objections).where(
        objections.c.uscc == uscc, objections.c.objection_id == objection_id
    )
    row = (await connection.execute(one)).mappings().one_or_none()
    return objection_of(row) if row is not None else None


async def of_enterprise(
    connection: AsyncConnection, uscc: str, *, record_id: str | None = None, limit: int = PAGE
) -> list[Objection]:
    """An enterprise's objections, optionally to one record, newest first."""
    asked = select(objections).where(objections.c.uscc == uscc)
    if record_id is not None:
        asked = asked.where(objections.c.record_id == record_id)
    newest = asked.order_by(objections.c.raised_at.desc(), objections.c.objection_id).limit(limit)
    return [objection_of(row) for row in (await connection.execute(newest)).mappings()]


async def of_source(
    connection: AsyncConnection,
    source_id: str,
    *,
    status: Status | None = None,
    due_until: date | None = None,
    after: str = "",
    limit: int = PAGE,
) -> list[Objection]:
    """A page of the objections to one source's records, ordered by id, after `after`."""
    asked = select(objections).where(
        objections.c.source_id == source_id, objections.c.objection_id > after
    )
    if status is not None:
        asked = asked.where(objections.c.status == status.value)
    if due_until is not None:
        asked = asked.where(objections.c.due_on <= due_until)
    page = asked.order_by(objections.c.objection_id).limit(limit)
    return [objection_of(row) for row in (await connection.execute(page)).mappings()]


async def not_closed(
    connection: AsyncConnection,
    *,
    due_until: date | None = None,
    status: Status | None = None,
    provisional: bool | None = None,
    limit: int | None = None,
) -> list[Objection]:
    """All open objections matching the filters, ordered by deadline."""
    asked = select(objections).where(objections.c.status != Status.CLOSED.value)
    if due_until is not None:
        asked = asked.where(objections.c.due_on <= due_until)
    if status is not None:
        asked = asked.where(objections.c.status == status.value)
    if provisional is not None:
        asked = asked.where(objections.c.due_provisional == provisional)
    by_day = asked.order_by(objections.c.due_on, objections.c.objection_id).limit(limit)
    return [objection_of(row) for row in (await connection.execute(by_day)).mappings()]


async def events_of(
    connection: AsyncConnection, uscc: str, objection_id: str
) -> list[ObjectionEvent]:
    """Events of one objection, in order."""
    found = await connection.execute(
        select(objection_events)
        .where(objection_events.c.uscc == uscc, objection_events.c.objection_id == objection_id)
        .order_by(objection_events.c.seq)
    )
    return [ObjectionEvent(**_with_enums(row)) for row in found.mappings()]


async def natural_key_of(connection: AsyncConnection, objection: Objection) -> str | None:
    """Natural key of the record, if it still exists."""
    if objection.dataset == REGISTRATION:
        return objection.uscc
    found = await connection.execute(
        select(record.c.natural_key).where(
            record.c.uscc == objection.uscc, record.c.record_id == objection.record_id
        )
    )
    return found.scalar_one_or_none()


async def move_to_merged(connection: AsyncConnection, gone: Record, kept: Record) -> None:
    """Move the open objection of a merged record, with its mark, to the record kept.

    If that one already has an open objection, nothing is moved.
    """
    columns = objections.c
    is_open = (columns.uscc == kept.uscc, columns.status != Status.CLOSED.value)
    there = select(columns.objection_id).where(*is_open, columns.record_id == kept.record_id)
    if (await connection.execute(there)).first() is not None:
        return
    moved = await connection.execute(
        update(objections)
        .where(*is_open, columns.record_id == gone.record_id)
        .values(record_id=kept.record_id, record_version=kept.version)
        .returning(columns.objection_id)
    )
    if moved.first() is not None and gone.objection_since is not None:
        await connection.execute(
            update(record)
            .where(record.c.uscc == kept.uscc, record.c.record_id == kept.record_id)
            .values(objection_since=gone.objection_since)
        )


async def blank_reasons(connection: AsyncConnection, uscc: str, objection_id: str) -> None:
    """Remove the texts of an objection's events."""
    await connection.execute(
        update(objection_events)
        .where(objection_events.c.uscc == uscc, objection_events.c.objection_id == objection_id)
        .values(reason=None)
    )


def objection_of(row: Mapping[Any, Any]) -> Objection:
    """An objection from its row."""
    return Objection(**_with_enums(row))


def _with_enums(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        name: _ENUMS[name](value) if name in _ENUMS and value is not None else value
        for name, value in row.items()
    }


def _row(value: Objection | ObjectionEvent) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


async def _add_event(connection: AsyncConnection, event: ObjectionEvent) -> None:
    await connection.execute(insert(objection_events), _row(event))
