"""Service for applications for repair, in the caller's transaction.

The record is locked first, so that it cannot change between the check and the application.
"""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_policy import context_of
from gateway.creditfile.file_query import read_file
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.model import Actor
from gateway.creditfile.objections.store import lock_record
from gateway.creditfile.repair_terms import NoRepair, repair_terms
from gateway.creditfile.repairs import lifecycle, serializers, store
from gateway.creditfile.repairs.model import (
    ApplicationRefusal,
    ApplicationStatus,
    Paper,
    RepairApplication,
)
from gateway.creditfile.working_days import working_days_after
from gateway.disclosure.ids import new_id
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note

BATCH: Final = 500
CLOCK: Final = "clock"
"""Actor of housekeeping."""


async def apply_for_repair(
    connection: AsyncConnection,
    catalogue: Catalogue,
    *,
    uscc: str,
    record_id: str,
    statement: str,
    papers: tuple[Paper, ...],
    actor: Actor,
    now: datetime,
) -> RepairApplication | ApplicationRefusal:
    """Apply for the repair of a record of the enterprise's own file."""
    locked = await lock_record(connection, uscc, record_id)
    file = await read_file(connection, uscc, catalogue.codes)
    held = () if file is None else file[1]
    record = next((each for each in held if each.record_id == record_id), None)
    if locked is None or record is None or catalogue.repair is None:
        return ApplicationRefusal.NOT_AVAILABLE
    terms = repair_terms(
        record,
        catalogue,
        now,
        last_change=await store.last_change(connection, uscc, record_id),
        context=context_of(held, catalogue, now),
    )
    if isinstance(terms, NoRepair):
        return ApplicationRefusal.NOT_AVAILABLE
    earlier = await store.of_enterprise(connection, uscc, record_id=record_id)
    if any(each.is_open for each in earlier):
        return ApplicationRefusal.ALREADY_OPEN
    waits = lifecycle.waits_until(earlier, catalogue.repair)
    if waits is not None and day_of(now) <= waits:
        return ApplicationRefusal.TOO_SOON
    made = lifecycle.apply(
        locked.ground,
        terms,
        application_id=new_id("rep"),
        statement=statement,
        papers=papers,
        actor=actor,
        now=now,
    )
    if isinstance(made, RepairApplication) and not await store.add(connection, made):
        return ApplicationRefusal.ALREADY_OPEN
    return made


async def withdraw(
    connection: AsyncConnection, application_id: str, *, actor: Actor, now: datetime
) -> RepairApplication | ApplicationRefusal:
    """Withdraw an application."""
    found = await store.by_id(connection, application_id)
    if found is None:
        return ApplicationRefusal.NOT_AVAILABLE
    done = lifecycle.withdraw(found, actor=actor, now=now)
    return await _saved(connection, done)


async def record_decision(
    connection: AsyncConnection,
    application: RepairApplication,
    *,
    actor: Actor,
    accepted: bool,
    reason: str,
    now: datetime,
) -> RepairApplication | ApplicationRefusal:
    """Store the source's decision; the caller repairs the record, whose notice tells an acceptance."""
    decided = lifecycle.decide(application, actor=actor, accepted=accepted, reason=reason, now=now)
    done = await _saved(connection, decided)
    if isinstance(done, RepairApplication) and not accepted:
        await note(connection, NoticeKind.REPAIR_NOT_GRANTED, done.uscc, now=now)
    return done


async def find_document(
    connection: AsyncConnection, application_id: str, *, now: datetime, source_id: str | None = None
) -> dict[str, Any] | None:
    """An application with its texts; `None` if there is none, or none of this source."""
    found = await store.by_id(connection, application_id)
    if found is None or source_id not in {None, found.source_id}:
        return None
    key = await store.natural_key_of(connection, found)
    return serializers.full_document(found, key=key, now=now)


async def due_applications(
    connection: AsyncConnection, *, within: int | None, now: datetime
) -> list[RepairApplication]:
    """Applications that sources have to decide, most overdue first.

    `within` is in working days, 0 for today; `None` means all.
    """
    today = day_of(now)
    last: date | None = working_days_after(today, within).day if within else today
    return await store.all_open(connection, due_until=None if within is None else last)


async def advance(connection: AsyncConnection, catalogue: Catalogue, *, now: datetime) -> int:
    """Recompute provisional deadlines, and close what a repair, withdrawal or removal overtook; the number.

    Safe to run concurrently.
    """
    done = 0
    for each in await store.overtaken(connection, today=day_of(now), limit=BATCH):
        closed = lifecycle.closed(each, ApplicationStatus.OVERTAKEN, CLOCK, now)
        if await store.save(connection, closed):
            await note(connection, NoticeKind.REPAIR_NOT_GRANTED, each.uscc, now=now)
            done += 1
    if catalogue.repair is not None:
        for each in await store.all_open(connection, provisional=True, limit=BATCH):
            counted = lifecycle.recount(each, catalogue.repair)
            if isinstance(counted, RepairApplication):
                done += await store.save(connection, counted)
    return done


async def _saved(
    connection: AsyncConnection, changed: RepairApplication | ApplicationRefusal
) -> RepairApplication | ApplicationRefusal:
    if isinstance(changed, RepairApplication) and not await store.save(connection, changed):
        return ApplicationRefusal.NOT_NOW
    return changed
