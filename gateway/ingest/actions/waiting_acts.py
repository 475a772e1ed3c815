"""Acts that wait for a second person's approval (table `record_action`), for 24 hours.

An act is on the version of the record that its first person saw: any change of the record in between
voids it. Lapsed rows count for nothing and are deleted later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.tables import record
from gateway.db.statements import Statement
from gateway.ingest.actions.verdicts import ActionVerb
from gateway.ingest.tables import record_action

LIFETIME: Final = timedelta(hours=24)
PAGE: Final = 100


_REQUEST: Final = (
    "source_id",
    "uscc",
    "record_id",
    "record_version",
    "verb",
    "reason",
    "decided_on",
    "operator",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAct:
    """One act as asked for, and its approval."""

    uscc: str
    action_id: str
    source_id: str
    dataset: str
    record_id: str
    natural_key: str
    record_version: int
    verb: ActionVerb
    reason: str
    decided_on: date
    operator: str
    requested_at: datetime
    lapses_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None

    def is_same_request(self, other: "WaitingAct") -> bool:
        """True if both ask for the same, for the same reason and by the same name."""
        return all(getattr(self, name) == getattr(other, name) for name in _REQUEST)


_COLUMNS: Final = tuple(record_action.c[name] for name in WaitingAct.__dataclass_fields__)
_APPROVE: Final = Statement("""
    UPDATE record_action SET approved_by = CAST(:operator AS text), approved_at = :now
     WHERE uscc = :uscc AND action_id = :action_id AND approved_at IS NULL""")


async def add_waiting(
    connection: AsyncConnection, asked: Sequence[WaitingAct], *, now: datetime
) -> list[WaitingAct]:
    """Store what waits, in order; a repeated request is the one that waits already."""
    if not asked:
        return []
    ids = {each.record_id for each in asked}
    waiting = [
        WaitingAct(**row)
        for row in (
            await connection.execute(
                select(*_COLUMNS).where(
                    record_action.c.uscc.in_({each.uscc for each in asked}),
                    record_action.c.record_id.in_(ids),
                    record_action.c.approved_at.is_(None),
                    record_action.c.lapses_at > now,
                )
            )
        ).mappings()
    ]
    stored = [next((each for each in waiting if each.is_same_request(one)), one) for one in asked]
    fresh = [one for one, kept in zip(asked, stored, strict=True) if kept is one]
    if fresh:
        rows = [{name: getattr(e, name) for name in WaitingAct.__dataclass_fields__} for e in fresh]
        await connection.execute(insert(record_action), rows)
    return stored


async def find_act(
    connection: AsyncConnection, source_id: str, action_id: str
) -> WaitingAct | None:
    """An act of this source, lapsed and approved ones included."""
    found = await connection.execute(
        select(*_COLUMNS).where(
            record_action.c.source_id == source_id, record_action.c.action_id == action_id
        )
    )
    row = found.mappings().one_or_none()
    return None if row is None else WaitingAct(**row)


async def mark_approved(
    connection: AsyncConnection, act: WaitingAct, operator: str, *, now: datetime
) -> None:
    """Write who approved and when."""
    values = {"uscc": act.uscc, "action_id": act.action_id, "operator": operator, "now": now}
    await connection.execute(_APPROVE, values)


async def list_acts(
    connection: AsyncConnection,
    source_id: str,
    status: Literal["pending", "approved"],
    *,
    now: datetime,
    after: str = "",
) -> list[WaitingAct]:
    """Actions that wait for approval, or were approved, by id after `after`, at most `PAGE`."""
    of_source = select(*_COLUMNS).where(
        record_action.c.source_id == source_id, record_action.c.action_id > after
    )
    same_version = (
        (record.c.uscc == record_action.c.uscc)
        & (record.c.record_id == record_action.c.record_id)
        & (record.c.version == record_action.c.record_version)
    )
    wanted = {
        "approved": of_source.where(record_action.c.approved_at.is_not(None)),
        "pending": of_source.where(
            record_action.c.approved_at.is_(None), record_action.c.lapses_at > now
        ).join(record, same_version),
    }[status]
    found = await connection.execute(wanted.order_by(record_action.c.action_id).limit(PAGE))
    return [WaitingAct(**row) for row in found.mappings()]
