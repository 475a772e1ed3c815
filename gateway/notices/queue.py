"""Notice queue: senders claim due notices with a lease and record the result.

After a sender crash a notice is claimed once more, then given up: a message is sent at most twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.notices.kinds import NoticeKind, retry_delay

LEASE: Final = timedelta(minutes=10)
BATCH_SIZE: Final = 50
MAX_FAILURES: Final = 12
_KINDS: Final = [kind.value for kind in NoticeKind]
"""Notices of other kinds are left to the senders of a later release."""

_WAITING: Final = Statement("""
    SELECT uscc FROM notice WHERE done_at IS NULL AND due_at <= :now
       AND kind = ANY(CAST(:kinds AS text[]))
     ORDER BY due_at, uscc LIMIT :batch""")
_WAITING_ENTERPRISES: Final = Statement("""
    SELECT uscc FROM notice WHERE done_at IS NULL AND due_at <= :now
       AND kind = ANY(CAST(:kinds AS text[]))
     GROUP BY uscc ORDER BY min(due_at), uscc LIMIT :batch""")
_CLAIM: Final = Statement("""
    WITH taken AS (
        SELECT n.notice_id FROM notice n
         WHERE n.uscc = :uscc AND n.done_at IS NULL AND n.due_at <= :now
           AND n.kind = ANY(CAST(:kinds AS text[]))
         ORDER BY n.at, n.notice_id LIMIT :batch FOR UPDATE SKIP LOCKED)
    UPDATE notice AS n
       SET begun = n.begun + 1, due_at = CAST(:lease AS timestamptz),
           done_at = CASE WHEN n.begun - n.failures >= 2 OR n.failures >= :most
                          THEN CAST(:now AS timestamptz) END
      FROM taken t
     WHERE n.uscc = :uscc AND n.notice_id = t.notice_id
    RETURNING n.uscc, n.notice_id, n.kind, n.client_id, n.dataset, n.repairable_on, n.at,
              n.failures, n.reached,
              n.done_at IS NOT NULL AS given_up""")
_ENTERPRISE: Final = Statement("SELECT name, kind FROM enterprise WHERE uscc = :uscc")
_CLIENTS: Final = Statement("""
    SELECT client_id, name_zh, name_en FROM client
     WHERE client_id = ANY(CAST(:clients AS text[]))""")
_DONE: Final = Statement("""
    UPDATE notice SET done_at = CAST(:now AS timestamptz), reached = CAST(:reached AS text[])
     WHERE uscc = :uscc AND notice_id = :notice_id""")
_FAILED: Final = Statement("""
    UPDATE notice SET failures = failures + 1, due_at = CAST(:due AS timestamptz),
           reached = CAST(:reached AS text[])
     WHERE uscc = :uscc AND notice_id = :notice_id""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNotice:
    """A notice claimed by this sender."""

    uscc: str
    notice_id: str
    kind: NoticeKind
    client_id: str | None
    dataset: str | None
    repairable_on: date | None
    moment: datetime
    failures: int
    reached: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayNames:
    """An enterprise's name and kind, and clients' names in both languages."""

    enterprise: str
    kind: str
    clients: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedNotices:
    """The due notices of one enterprise, and how many were given up after repeated failure."""

    due: Sequence[DueNotice]
    given_up: int


async def claim_due(connection: AsyncConnection, *, now: datetime) -> ClaimedNotices | None:
    """Claim the due notices of the enterprise waiting longest; `None` if nothing is due.

    Notices that another sender is claiming are left to it. The first ones may all be of one enterprise that
    another sender holds; only then all that are due are read.
    """
    for query in (_WAITING, _WAITING_ENTERPRISES):
        waiting = await connection.execute(
            query, {"now": now, "batch": BATCH_SIZE, "kinds": _KINDS}
        )
        for uscc in dict.fromkeys(waiting.scalars()):
            claimed = await _claim(connection, uscc, now=now)
            if claimed is not None:
                return claimed
    return None


async def _claim(connection: AsyncConnection, uscc: str, *, now: datetime) -> ClaimedNotices | None:
    values = {
        "uscc": uscc,
        "now": now,
        "lease": now + LEASE,
        "batch": BATCH_SIZE,
        "most": MAX_FAILURES,
        "kinds": _KINDS,
    }
    rows = (await connection.execute(_CLAIM, values)).mappings().all()
    if not rows:
        return None
    due = [
        DueNotice(
            uscc=row["uscc"],
            notice_id=row["notice_id"],
            kind=NoticeKind(row["kind"]),
            client_id=row["client_id"],
            dataset=row["dataset"],
            repairable_on=row["repairable_on"],
            moment=row["at"],
            failures=row["failures"],
            reached=tuple(row["reached"]),
        )
        for row in rows
        if not row["given_up"]
    ]
    return ClaimedNotices(due=due, given_up=len(rows) - len(due))


async def display_names(
    connection: AsyncConnection, uscc: str, clients: Sequence[str]
) -> DisplayNames:
    """The names that the notices to an enterprise need."""
    registered = (await connection.execute(_ENTERPRISE, {"uscc": uscc})).one_or_none()
    named = await connection.execute(_CLIENTS, {"clients": list(clients)})
    return DisplayNames(
        enterprise=registered.name if registered else uscc,
        kind=(registered.kind if registered else None) or "",
        clients={key: (zh, en) for key, zh, en in named},
    )


async def record_result(
    connection: AsyncConnection,
    notice: DueNotice,
    *,
    reached: Sequence[str],
    failed: bool,
    now: datetime,
) -> None:
    """Record the contact points reached; finish the notice or schedule its retry."""
    values = {"uscc": notice.uscc, "notice_id": notice.notice_id, "reached": list(reached)}
    if failed:
        await connection.execute(_FAILED, values | {"due": now + retry_delay(notice.failures + 1)})
    else:
        await connection.execute(_DONE, values | {"now": now})
