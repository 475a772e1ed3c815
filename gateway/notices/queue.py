"""Due notices are taken by one sender at a time, and what became of them is written afterwards.

A sender that dies leaves what it had begun; that is begun once more and then given up, so whoever
dies how often, a message leaves at most twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.notices.kinds import NoticeKind, backoff

LEASE: Final = timedelta(minutes=10)
AT_ONCE: Final = 50
MOST_FAILURES: Final = 12

_TAKE: Final = Statement("""
    WITH first AS (
        SELECT uscc FROM notice
         WHERE done_at IS NULL AND due_at <= :now
         ORDER BY due_at, uscc LIMIT 1 FOR UPDATE SKIP LOCKED),
    taken AS (
        SELECT n.uscc, n.notice_id FROM notice n
         WHERE n.uscc = (SELECT uscc FROM first) AND n.done_at IS NULL AND n.due_at <= :now
         ORDER BY n.at, n.notice_id LIMIT :at_once FOR UPDATE SKIP LOCKED)
    UPDATE notice AS n
       SET begun = n.begun + 1, due_at = CAST(:lease AS timestamptz),
           done_at = CASE WHEN n.begun - n.failures >= 2 OR n.failures >= :most
                          THEN CAST(:now AS timestamptz) END
      FROM taken t
     WHERE n.uscc = t.uscc AND n.notice_id = t.notice_id
    RETURNING n.uscc, n.notice_id, n.kind, n.client_id, n.at, n.failures, n.reached,
              n.done_at IS NOT NULL AS given_up""")
_NAMES: Final = Statement("""
    SELECT (SELECT name FROM enterprise WHERE uscc = :uscc) AS enterprise,
           coalesce((SELECT jsonb_object_agg(client_id, jsonb_build_array(name_zh, name_en))
                       FROM client WHERE client_id = ANY(CAST(:clients AS text[]))), '{}') AS clients""")
_DONE: Final = Statement("""
    UPDATE notice SET done_at = CAST(:now AS timestamptz), reached = CAST(:reached AS text[])
     WHERE uscc = :uscc AND notice_id = :notice_id""")
_FAILED: Final = Statement("""
    UPDATE notice SET failures = failures + 1, due_at = CAST(:due AS timestamptz),
           reached = CAST(:reached AS text[])
     WHERE uscc = :uscc AND notice_id = :notice_id""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNotice:
    """A notice that this sender has begun to send."""

    uscc: str
    notice_id: str
    kind: NoticeKind
    client_id: str | None
    at: datetime
    failures: int
    reached: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedNotice:
    """What is due for one enterprise; `given_up` were tried often enough."""

    due: Sequence[DueNotice]
    given_up: int


async def take(connection: AsyncConnection, *, now: datetime) -> ClaimedNotice | None:
    """The notices of the enterprise that has waited longest; `None` where nothing is due."""
    values = {"now": now, "lease": now + LEASE, "at_once": AT_ONCE, "most": MOST_FAILURES}
    rows = (await connection.execute(_TAKE, values)).mappings().all()
    if not rows:
        return None
    due = [
        DueNotice(
            uscc=row["uscc"],
            notice_id=row["notice_id"],
            kind=NoticeKind(row["kind"]),
            client_id=row["client_id"],
            at=row["at"],
            failures=row["failures"],
            reached=tuple(row["reached"]),
        )
        for row in rows
        if not row["given_up"]
    ]
    return ClaimedNotice(due=due, given_up=len(rows) - len(due))


async def names(
    connection: AsyncConnection, uscc: str, clients: Sequence[str]
) -> tuple[str, dict[str, tuple[str, str]]]:
    """The enterprise's name, and each client's in both languages."""
    row = (await connection.execute(_NAMES, {"uscc": uscc, "clients": list(clients)})).one()
    return row.enterprise or uscc, {key: (zh, en) for key, (zh, en) in row.clients.items()}


async def conclude(
    connection: AsyncConnection,
    of: DueNotice,
    *,
    reached: Sequence[str],
    failed: bool,
    now: datetime,
) -> None:
    """Write that it has reached everybody, or whom it has reached and when it is tried again."""
    values = {"uscc": of.uscc, "notice_id": of.notice_id, "reached": list(reached)}
    if failed:
        await connection.execute(_FAILED, values | {"due": now + backoff(of.failures + 1)})
    else:
        await connection.execute(_DONE, values | {"now": now})
