"""Effects of completed actions on records: the mark, the kind of change, and the notices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.records import Record
from gateway.disclosure import withdrawal_notices
from gateway.disclosure.withdrawal_notices import ChangedRecord, RecordKind
from gateway.ingest.actions.verdicts import ActionVerb
from gateway.ingest.results import Source
from gateway.notices import outbox
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import RecordEvent
from gateway.privacy.field_encryption import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """Connection, source, time and catalogue of one call."""

    connection: AsyncConnection
    source: Source
    now: datetime
    catalogue: Catalogue
    vault: Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Changes of a completed action, and the kinds of its notices."""

    mark: str
    change: str
    to_clients: RecordKind
    to_enterprise: NoticeKind | None = None


EFFECTS: Final[Mapping[ActionVerb, Effect]] = {
    "repair": Effect(
        mark="repaired_at",
        change="repaired",
        to_clients="record_repaired",
        to_enterprise=NoticeKind.RECORD_REPAIRED,
    ),
    "suspend": Effect(
        mark="suspended_at",
        change="suspended",
        to_clients="record_suspended",
        to_enterprise=NoticeKind.RECORD_SUSPENDED,
    ),
    "withdraw": Effect(mark="withdrawn_at", change="withdrawn", to_clients="record_withdrawn"),
    "reinstate": Effect(
        mark="suspended_at",
        change="reinstated",
        to_clients="record_reinstated",
        to_enterprise=NoticeKind.RECORD_REINSTATED,
    ),
    "revoke_repair": Effect(
        mark="repaired_at",
        change="repair_revoked",
        to_clients="record_reinstated",
        to_enterprise=NoticeKind.REPAIR_REVOKED,
    ),
}


async def notify_clients(context: ActionContext, effect: Effect, records: Iterable[Record]) -> None:
    """Notify the clients that received these records."""
    changed = [
        ChangedRecord(uscc=each.uscc, dataset=each.dataset, record_id=each.record_id)
        for each in records
    ]
    await withdrawal_notices.notify_changed_records(
        context.connection, effect.to_clients, changed, now=context.now
    )


async def notify_enterprises(
    context: ActionContext, effect: Effect, done: Iterable[tuple[Record, int | None]]
) -> None:
    """Notify the enterprises of these records and new versions, where the effect has a notice for them."""
    if effect.to_enterprise is None:
        return
    events = [
        RecordEvent(
            uscc=record.uscc, dataset=record.dataset, record_id=record.record_id, version=version
        )
        for record, version in done
        if version is not None
    ]
    await outbox.note_records(context.connection, effect.to_enterprise, events, now=context.now)
