"""An objection and the mark on its record are written together, in the caller's transaction, or not.

The record is locked before it is judged, so that nobody upholds what is being changed at the moment,
and an objection never outlives the record that it speaks of.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import tell
from gateway.creditfile.file_query import read_file
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, store
from gateway.creditfile.objections.model import (
    Actor,
    Objection,
    ObjectionChanged,
    ObjectionOutcome,
    ObjectionRefused,
    RefusalReason,
    Status,
)
from gateway.creditfile.objections.store import StoredObjection
from gateway.creditfile.records import registration_of
from gateway.creditfile.working_days import working_days_after
from gateway.disclosure.ids import new_id
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note

AT_ONCE: Final = 500
Act = Callable[[Objection, StoredObjection | None], ObjectionChanged | ObjectionRefused]


async def raise_(
    connection: AsyncConnection,
    catalogue: Catalogue,
    *,
    uscc: str,
    record_id: str,
    text: str,
    wanted: str,
    by: Actor,
    now: datetime,
) -> Objection | ObjectionRefused:
    """Raise an objection to a record that the enterprise is told of; the mark holds at once."""
    held = await store.held(connection, uscc, record_id)
    if held is None or not await _is_told_of(connection, catalogue, uscc, record_id, now):
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    refusal = await _not_yet_again(connection, catalogue, held, now)
    if refusal:
        return refusal
    raised = lifecycle.raise_(
        held.ground,
        objection_id=new_id("obj"),
        text=text,
        wanted=wanted,
        by=by,
        kinds=catalogue.objections,
        now=now,
    )
    if isinstance(raised, ObjectionRefused):
        return raised
    if not await store.add(connection, raised):
        return ObjectionRefused(reason=RefusalReason.ALREADY_OPEN)
    await store.mark(connection, held.ground, now)
    return raised.objection


async def act(
    connection: AsyncConnection, objection_id: str, verb: Act
) -> Objection | ObjectionRefused:
    """Do this to an objection: `verb` is given it and its record, if the record is still there."""
    before = await store.by_id(connection, objection_id)
    if before is None:
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    held = await store.held(connection, before.uscc, before.record_id)
    before = await store.by_id(connection, objection_id) or before  # nobody acts on it any more
    changed = verb(before, held)
    if isinstance(changed, ObjectionRefused):
        return changed
    if not await store.save(connection, before, changed):
        return ObjectionRefused(reason=RefusalReason.MOVED)
    if changed.objection.status is not before.status and (
        changed.objection.status is Status.DECIDED or before.status is Status.IN_REVIEW
    ):
        await note(connection, NoticeKind.OBJECTION_DECIDED, before.uscc, now=changed.event.at)
    if before.marks and not changed.objection.marks:
        await store.mark(connection, before, None)
    return changed.objection


def decides(
    catalogue: Catalogue, *, by: Actor, outcome: ObjectionOutcome, reasons: str, now: datetime
) -> Act:
    """The source's decision, for `act`. Repeated word for word, it is no other decision."""

    def verb(
        objection: Objection, held: StoredObjection | None
    ) -> ObjectionChanged | ObjectionRefused:
        return lifecycle.decide(
            objection,
            by=by,
            outcome=outcome,
            reasons=reasons,
            corrected=is_corrected(objection, held),
            kinds=catalogue.objections,
            now=now,
        )

    return verb


def reviews(
    catalogue: Catalogue, *, by: Actor, outcome: ObjectionOutcome, reasons: str, now: datetime
) -> Act:
    """The reviewer's decision, for `act`."""

    def verb(
        objection: Objection, held: StoredObjection | None
    ) -> ObjectionChanged | ObjectionRefused:
        version = held.ground.record_version if held else objection.record_version
        return lifecycle.review(
            objection,
            by=by,
            outcome=outcome,
            reasons=reasons,
            record_version=version,
            kinds=catalogue.objections,
            now=now,
        )

    return verb


def is_corrected(objection: Objection, held: StoredObjection | None) -> bool:
    """Whether the record is no longer told as it was objected to."""
    if held is None or held.ended:
        return True
    return held.ground.record_version > objection.record_version


async def keep_time(connection: AsyncConnection, catalogue: Catalogue, *, now: datetime) -> int:
    """Count provisional days again and close what nobody asked to review; how many acts that were.

    Several may do so at once: what somebody else has just done is left alone.
    """
    done = 0
    for each in await store.not_closed(connection, provisional=True, limit=AT_ONCE):
        counted = lifecycle.recount(each, kinds=catalogue.objections, now=now)
        done += isinstance(counted, ObjectionChanged) and await store.save(
            connection, each, counted
        )
    yesterday = day_of(now) - timedelta(days=1)
    lapsed = await store.not_closed(
        connection, status=Status.DECIDED, due_until=yesterday, limit=AT_ONCE
    )
    for each in lapsed:
        closed = await act(connection, each.objection_id, lambda o, _: lifecycle.lapse(o, now=now))
        done += isinstance(closed, Objection)
    return done


async def forget(connection: AsyncConnection, uscc: str, record_id: str, *, now: datetime) -> int:
    """The record is being deleted in this transaction: end its objections and blank their texts."""
    found = await store.of_enterprise(connection, uscc, record_id=record_id, limit=AT_ONCE)
    for each in found:
        await store.save(connection, each, lifecycle.forget(each, now=now))
        await store.blank_reasons(connection, uscc, each.objection_id)
    return len(found)


async def _is_told_of(
    connection: AsyncConnection, catalogue: Catalogue, uscc: str, record_id: str, now: datetime
) -> bool:
    file = await read_file(connection, uscc, catalogue.codes)
    if file is None:
        return False
    enterprise, records = file
    held = (registration_of(enterprise), *records)
    told = tell(held, Audience.ENTERPRISE, catalogue, now, kind=enterprise.kind)
    return any(each.record.record_id == record_id for each in told)


async def _not_yet_again(
    connection: AsyncConnection, catalogue: Catalogue, held: StoredObjection, now: datetime
) -> ObjectionRefused | None:
    """One at a time, and the same version not again for a while: a mark is not to be had for ever."""
    ground = held.ground
    before = await store.of_enterprise(connection, ground.uscc, record_id=ground.record_id)
    for each in before:
        if each.marks:
            return ObjectionRefused(reason=RefusalReason.ALREADY_OPEN)
        rules = lifecycle.rules_of(each.kind, catalogue.objections)
        final = day_of(each.final_at or now)
        again = working_days_after(final, rules.again).day
        if each.record_version >= ground.record_version and day_of(now) <= again:
            return ObjectionRefused(reason=RefusalReason.TOO_SOON)
    return None
