"""Service for objections: applies an act and updates the record's mark, in the caller's transaction.

The record is locked first, so that it cannot change between the check and the decision.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, disclosable_records, end_in_effect
from gateway.creditfile.file_query import read_file
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, serializers, store
from gateway.creditfile.objections.contested import contestable
from gateway.creditfile.objections.model import (
    Actor,
    ActResult,
    Contested,
    Objection,
    ObjectionChanged,
    ObjectionOutcome,
    ObjectionRefused,
    RefusalReason,
    Status,
)
from gateway.creditfile.objections.store import LockedRecord
from gateway.creditfile.records import Record, registration_of
from gateway.creditfile.working_days import working_days_after
from gateway.disclosure.ids import new_id
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note

BATCH: Final = 500
ObjectionVerb = Callable[[Objection, LockedRecord | None], ActResult]


async def raise_objection(
    connection: AsyncConnection,
    catalogue: Catalogue,
    *,
    uscc: str,
    record_id: str,
    text: str,
    wanted: str,
    actor: Actor,
    now: datetime,
    contests: Contested | None = None,
) -> Objection | ObjectionRefused:
    """Raise an objection to a record in the enterprise's own file, and mark the record.

    What it `contests` must be of that rating.
    """
    locked = await store.lock_record(connection, uscc, record_id)
    record = await _record_open_to_objection(connection, catalogue, uscc, record_id, now)
    if locked is None or record is None:
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    if contests is not None and contests not in contestable(
        catalogue, record.dataset, record.fields
    ):
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    refusal = await _repetition_refusal(connection, catalogue, locked, now)
    if refusal:
        return refusal
    raised = lifecycle.create(
        locked.ground,
        objection_id=new_id("obj"),
        text=text,
        wanted=wanted,
        actor=actor,
        kinds=catalogue.objections,
        now=now,
        contests=contests,
    )
    if isinstance(raised, ObjectionRefused):
        return raised
    if not await store.add(connection, raised):
        return ObjectionRefused(reason=RefusalReason.ALREADY_OPEN)
    await store.set_mark(connection, locked.ground, now)
    return raised.objection


async def apply_act(
    connection: AsyncConnection, objection_id: str, verb: ObjectionVerb
) -> Objection | ObjectionRefused:
    """Apply `verb` to an objection; `verb` receives it and its record, if it still exists."""
    before = await store.by_id(connection, objection_id)
    if before is None:
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    locked = await store.lock_record(connection, before.uscc, before.record_id)
    # Stable now that the record is locked.
    before = await store.by_id(connection, objection_id) or before
    changed = verb(before, locked)
    if isinstance(changed, ObjectionRefused):
        return changed
    if not await store.save(connection, before, changed):
        return ObjectionRefused(reason=RefusalReason.MOVED)
    if changed.objection.status is not before.status and (
        changed.objection.status is Status.DECIDED or before.status is Status.IN_REVIEW
    ):
        await note(connection, NoticeKind.OBJECTION_DECIDED, before.uscc, now=changed.event.at)
    if before.marks and not changed.objection.marks:
        await store.set_mark(connection, before, None)
    return changed.objection


def source_decision(
    catalogue: Catalogue, *, actor: Actor, outcome: ObjectionOutcome, reasons: str, now: datetime
) -> ObjectionVerb:
    """The source's decision as a verb for `apply_act`."""
    return lambda objection, locked: lifecycle.decide(
        objection,
        actor=actor,
        outcome=outcome,
        reasons=reasons,
        corrected=is_corrected(objection, locked),
        kinds=catalogue.objections,
        now=now,
    )


def review_decision(
    catalogue: Catalogue, *, actor: Actor, outcome: ObjectionOutcome, reasons: str, now: datetime
) -> ObjectionVerb:
    """The reviewer's decision as a verb for `apply_act`."""
    return lambda objection, locked: lifecycle.review(
        objection,
        actor=actor,
        outcome=outcome,
        reasons=reasons,
        record_version=(locked.ground if locked else objection).record_version,
        kinds=catalogue.objections,
        now=now,
    )


def is_corrected(objection: Objection, locked: LockedRecord | None) -> bool:
    """True if the record has changed or ended since the objection."""
    if locked is None or locked.ended:
        return True
    return locked.ground.record_version > objection.record_version


async def due_objections(
    connection: AsyncConnection, *, within: int | None, now: datetime
) -> list[Objection]:
    """Objections that the source or the reviewer has to act on, most overdue first.

    `within` is in working days, 0 for today; `None` means all. Decided ones that an enterprise may
    still have reviewed are left out.
    """
    today = day_of(now)
    last = working_days_after(today, within).day if within else today
    found = await store.not_closed(connection, due_until=None if within is None else last)
    return [each for each in found if each.status is not Status.DECIDED]


async def find_document(
    connection: AsyncConnection, objection_id: str, *, now: datetime, source_id: str | None = None
) -> dict[str, Any] | None:
    """An objection with its texts and history; `None` if there is none, or none of this source."""
    found = await store.by_id(connection, objection_id)
    if found is None or source_id not in {None, found.source_id}:
        return None
    events = await store.events_of(connection, found.uscc, objection_id)
    key = await store.natural_key_of(connection, found)
    return serializers.full_document(found, events, key=key, now=now)


async def advance_deadlines(
    connection: AsyncConnection, catalogue: Catalogue, *, now: datetime
) -> int:
    """Recompute provisional deadlines and close lapsed objections; the number of acts.

    Safe to run concurrently.
    """
    done = 0
    for each in await store.not_closed(connection, provisional=True, limit=BATCH):
        counted = lifecycle.recount(each, kinds=catalogue.objections, now=now)
        if isinstance(counted, ObjectionChanged):
            done += await store.save(connection, each, counted)
    yesterday = day_of(now) - timedelta(days=1)
    for each in await store.not_closed(
        connection, status=Status.DECIDED, due_until=yesterday, limit=BATCH
    ):
        closed = await apply_act(
            connection, each.objection_id, lambda o, _: lifecycle.lapse(o, now=now)
        )
        done += isinstance(closed, Objection)
    return done


async def forget_record(
    connection: AsyncConnection, uscc: str, record_id: str, *, now: datetime
) -> int:
    """Close a record's objections and blank their texts; the record is deleted in this transaction."""
    found = await store.of_enterprise(connection, uscc, record_id=record_id, limit=BATCH)
    for each in found:
        await store.save(connection, each, lifecycle.forget(each, now=now))
        await store.blank_reasons(connection, uscc, each.objection_id)
    return len(found)


async def _record_open_to_objection(
    connection: AsyncConnection, catalogue: Catalogue, uscc: str, record_id: str, now: datetime
) -> Record | None:
    """The record, if the enterprise sees it and its source has not ended it."""
    file = await read_file(connection, uscc, catalogue.codes)
    if file is None:
        return None
    enterprise, records = file
    held = (registration_of(enterprise), *records)
    context = context_of(held, catalogue, now)
    visible = disclosable_records(held, Audience.ENTERPRISE, catalogue, now, kind=enterprise.kind)
    found = next((e.record for e in visible if e.record.record_id == record_id), None)
    if found is None:
        return None
    end = end_in_effect(found, catalogue, now, context=context)
    return found if lifecycle.is_open_to_objection(end) else None


async def _repetition_refusal(
    connection: AsyncConnection, catalogue: Catalogue, locked: LockedRecord, now: datetime
) -> ObjectionRefused | None:
    """Refusal if the same record, or recently the same version, was objected to."""
    ground = locked.ground
    before = await store.of_enterprise(connection, ground.uscc, record_id=ground.record_id)
    for each in before:
        if each.marks:
            return ObjectionRefused(reason=RefusalReason.ALREADY_OPEN)
        rules = lifecycle.rules_of(each.kind, catalogue.objections)
        again = working_days_after(day_of(each.final_at or now), rules.again).day
        if each.record_version >= ground.record_version and day_of(now) <= again:
            return ObjectionRefused(reason=RefusalReason.TOO_SOON)
    return None
