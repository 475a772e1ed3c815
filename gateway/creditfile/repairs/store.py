"""Store of applications for repair and of platforms: one query per function, in the caller's transaction.

Lock order: the record first (`objections.store.lock_record`), then the application.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import Record
from gateway.creditfile.repair_terms import RepairChange, RepairChangeKind
from gateway.creditfile.repairs.model import (
    ApplicationStatus,
    Paper,
    PlatformFollowed,
    RepairApplication,
)
from gateway.creditfile.repairs.tables import application_locators, applications, platforms
from gateway.creditfile.tables import record
from gateway.db.statements import Statement

PAGE: Final = 100

_LAST_CHANGE: Final = Statement("""
    SELECT change, decided_on, replaced_at, reason FROM record_history
    WHERE uscc = :uscc AND record_id = :record_id AND change = ANY(CAST(:kinds AS text[]))
    ORDER BY version DESC LIMIT 1""")
_LAST_CHANGES: Final = Statement("""
    SELECT DISTINCT ON (record_id) record_id, change, decided_on, replaced_at, reason
    FROM record_history
    WHERE uscc = :uscc AND change = ANY(CAST(:kinds AS text[]))
    ORDER BY record_id, version DESC""")


async def add(connection: AsyncConnection, application: RepairApplication) -> bool:
    """Insert a new application; false if an open one to the same record exists."""
    added = await connection.execute(
        insert_unless(applications)
        .values(asdict(application))
        .on_conflict_do_nothing()
        .returning(applications.c.application_id)
    )
    if added.scalar_one_or_none() is None:
        return False
    await connection.execute(
        insert(application_locators),
        {"application_id": application.application_id, "uscc": application.uscc},
    )
    return True


async def save(connection: AsyncConnection, changed: RepairApplication) -> bool:
    """Update an open application; false if it is no longer open."""
    row = {
        name: getattr(changed, name)
        for name in ("status", "reason", "due_on", "due_provisional", "closed_at", "closed_by")
    }
    saved = await connection.execute(
        update(applications)
        .where(
            applications.c.uscc == changed.uscc,
            applications.c.application_id == changed.application_id,
            applications.c.status == ApplicationStatus.OPEN.value,
        )
        .values(row)
        .returning(applications.c.application_id)
    )
    return saved.scalar_one_or_none() is not None


async def by_id(connection: AsyncConnection, application_id: str) -> RepairApplication | None:
    """The application of this id; in two steps, so that each touches one shard."""
    located = await connection.execute(
        select(application_locators.c.uscc).where(
            application_locators.c.application_id == application_id
        )
    )
    uscc = located.scalar_one_or_none()
    if uscc is None:
        return None
    one = select(applications).where(
        applications.c.uscc == uscc, applications.c.application_id == application_id
    )
    row = (await connection.execute(one)).mappings().one_or_none()
    return application_of(row) if row is not None else None


async def of_enterprise(
    connection: AsyncConnection, uscc: str, *, record_id: str | None = None
) -> list[RepairApplication]:
    """An enterprise's applications, optionally for one record, newest first."""
    asked = select(applications).where(applications.c.uscc == uscc)
    if record_id is not None:
        asked = asked.where(applications.c.record_id == record_id)
    newest = asked.order_by(applications.c.applied_at.desc(), applications.c.application_id)
    return await _found(connection, newest.limit(PAGE))


async def of_source(
    connection: AsyncConnection,
    source_id: str,
    *,
    status: ApplicationStatus | None = None,
    due_until: date | None = None,
    after: str = "",
) -> list[RepairApplication]:
    """A page of the applications about one source's records, ordered by id, after `after`."""
    asked = select(applications).where(
        applications.c.source_id == source_id, applications.c.application_id > after
    )
    if status is not None:
        asked = asked.where(applications.c.status == status.value)
    if due_until is not None:
        asked = asked.where(applications.c.due_on <= due_until)
    return await _found(connection, asked.order_by(applications.c.application_id).limit(PAGE))


async def all_open(
    connection: AsyncConnection,
    *,
    due_until: date | None = None,
    provisional: bool | None = None,
    limit: int | None = None,
) -> list[RepairApplication]:
    """All open applications matching the filters, ordered by deadline."""
    asked = select(applications).where(applications.c.status == ApplicationStatus.OPEN.value)
    if due_until is not None:
        asked = asked.where(applications.c.due_on <= due_until)
    if provisional is not None:
        asked = asked.where(applications.c.due_provisional == provisional)
    by_day = asked.order_by(applications.c.due_on, applications.c.application_id)
    return await _found(connection, by_day.limit(limit))


async def overtaken(
    connection: AsyncConnection, *, today: date, limit: int
) -> list[RepairApplication]:
    """Open applications whose record was repaired, withdrawn or taken off its list meanwhile."""
    ended = (
        record.c.repaired_at.is_not(None)
        | record.c.withdrawn_at.is_not(None)
        | (record.c.removed_on <= today)
    )
    asked = (
        select(applications)
        .join(
            record,
            (record.c.uscc == applications.c.uscc)
            & (record.c.record_id == applications.c.record_id),
        )
        .where(applications.c.status == ApplicationStatus.OPEN.value, ended)
    )
    return await _found(connection, asked.limit(limit))


async def natural_key_of(connection: AsyncConnection, application: RepairApplication) -> str | None:
    """Natural key of the record, if it still exists."""
    found = await connection.execute(
        select(record.c.natural_key).where(
            record.c.uscc == application.uscc, record.c.record_id == application.record_id
        )
    )
    return found.scalar_one_or_none()


async def last_change(
    connection: AsyncConnection, uscc: str, record_id: str
) -> RepairChange | None:
    """The latest change of a record's repair, from its history."""
    values = {"uscc": uscc, "record_id": record_id, "kinds": list(RepairChangeKind)}
    row = (await connection.execute(_LAST_CHANGE, values)).one_or_none()
    return None if row is None else _change_of(row)


async def last_changes(connection: AsyncConnection, uscc: str) -> dict[str, RepairChange]:
    """The latest change of the repair of each record of an enterprise, by record id."""
    values = {"uscc": uscc, "kinds": list(RepairChangeKind)}
    rows = await connection.execute(_LAST_CHANGES, values)
    return {row.record_id: _change_of(row) for row in rows}


def _change_of(row: Any) -> RepairChange:  # of one of the statements above
    return RepairChange(
        kind=RepairChangeKind(row.change),
        day=row.decided_on or day_of(row.replaced_at),
        reason=row.reason,
    )


async def platforms_of(
    connection: AsyncConnection, uscc: str, record_id: str, *, since: date
) -> list[PlatformFollowed]:
    """The platforms that have followed the repair of a record, decided on `since`."""
    found = await connection.execute(
        select(platforms.c.platform, platforms.c.followed_on).where(
            platforms.c.uscc == uscc,
            platforms.c.record_id == record_id,
            platforms.c.followed_on >= since,
        )
    )
    return [PlatformFollowed(**row) for row in found.mappings()]


async def put_platform(
    connection: AsyncConnection,
    uscc: str,
    record_id: str,
    followed: PlatformFollowed,
    *,
    now: datetime,
) -> bool:
    """Store that a platform has followed, or correct the day; false if that is known."""
    day = {"followed_on": followed.followed_on, "reported_at": now}
    statement = insert_unless(platforms).values(
        uscc=uscc, record_id=record_id, platform=followed.platform, **day
    )
    put = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["uscc", "record_id", "platform"],
            set_=day,
            where=platforms.c.followed_on != followed.followed_on,
        ).returning(platforms.c.platform)
    )
    return put.scalar_one_or_none() is not None


async def forget_record(connection: AsyncConnection, uscc: str, record_id: str) -> None:
    """Delete the applications and platforms of a record that is deleted in this transaction."""
    gone = await connection.execute(
        delete(applications)
        .where(applications.c.uscc == uscc, applications.c.record_id == record_id)
        .returning(applications.c.application_id)
    )
    ids = gone.scalars().all()
    await connection.execute(
        delete(application_locators).where(application_locators.c.application_id.in_(ids))
    )
    await connection.execute(
        delete(platforms).where(platforms.c.uscc == uscc, platforms.c.record_id == record_id)
    )


async def move_to_merged(connection: AsyncConnection, gone: Record, kept: Record) -> None:
    """Move a merged record's applications and platforms to the record kept.

    What the kept record has already stays with the merged one, unseen.
    """
    there = select(applications.c.application_id).where(
        applications.c.uscc == kept.uscc,
        applications.c.record_id == kept.record_id,
        applications.c.status == ApplicationStatus.OPEN.value,
    )
    has_open = (await connection.execute(there)).first() is not None
    mine = (applications.c.uscc == kept.uscc, applications.c.record_id == gone.record_id)
    closed_only = (applications.c.status != ApplicationStatus.OPEN.value,) if has_open else ()
    await connection.execute(
        update(applications).where(*mine, *closed_only).values(record_id=kept.record_id)
    )
    followed = select(platforms.c.platform).where(
        platforms.c.uscc == kept.uscc, platforms.c.record_id == kept.record_id
    )
    await connection.execute(
        update(platforms)
        .where(
            platforms.c.uscc == kept.uscc,
            platforms.c.record_id == gone.record_id,
            platforms.c.platform.not_in(followed.scalar_subquery()),
        )
        .values(record_id=kept.record_id)
    )


def application_of(row: Mapping[Any, Any]) -> RepairApplication:
    """An application from its row."""
    papers = tuple(Paper(**each) for each in row["papers"])
    return RepairApplication(
        **dict(row) | {"status": ApplicationStatus(row["status"]), "papers": papers}
    )


async def _found(connection: AsyncConnection, asked: Any) -> list[RepairApplication]:
    """The applications that a SELECT finds."""
    rows: Sequence[Mapping[Any, Any]] = (await connection.execute(asked)).mappings().all()
    return [application_of(row) for row in rows]
