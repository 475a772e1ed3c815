"""Transactional outbox of notices: each is inserted in the transaction of its event.

Enterprises without a confirmed contact point get none. No function commits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.notices.kinds import EXPIRY_NOTICE_PERIOD, NoticeKind, due_at

NOTICE_RETENTION: Final = timedelta(days=30)

_IS_IN_USE: Final = "p.confirmed_at IS NOT NULL AND p.removed_at IS NULL"
_REACHED: Final = f"""(
    SELECT DISTINCT p.uscc FROM notice_place AS p
     WHERE p.uscc = ANY(CAST(:usccs AS text[])) AND {_IS_IN_USE}) AS p"""  # noqa: S608  # constants
_INTO: Final = "INSERT INTO notice (uscc, notice_id, client_id, kind, at, due_at, reached)"
_REST: Final = """CAST(:kind AS text), CAST(:now AS timestamptz), CAST(:due AS timestamptz), '{}'"""
_ONCE: Final = "ON CONFLICT (uscc, notice_id) DO NOTHING"
_NEW_ID: Final = "'ntc_' || replace(CAST(gen_random_uuid() AS text), '-', '')"
_INSERT_ONE: Final = Statement(f"""
{_INTO}
SELECT p.uscc, coalesce(CAST(:notice_id AS text), {_NEW_ID}), CAST(:client_id AS text), {_REST}
  FROM notice_place AS p WHERE p.uscc = CAST(:uscc AS text) AND {_IS_IN_USE} LIMIT 1
    {_ONCE}""")  # noqa: S608  # constants
_INSERT_EACH: Final = Statement(f"""
{_INTO}
SELECT p.uscc, {_NEW_ID}, NULL, {_REST} FROM {_REACHED} {_ONCE}""")  # noqa: S608  # constants
_OF_RECORDS: Final = Statement(f"""
INSERT INTO notice (uscc, notice_id, dataset, repairable_on, kind, at, due_at, reached)
SELECT p.uscc, CAST(:kind AS text) || '_' || c.record_id || '_' || c.version, c.dataset,
       c.repairable_on, {_REST}
  FROM unnest(CAST(:usccs AS text[]), CAST(:datasets AS text[]), CAST(:record_ids AS text[]),
              CAST(:versions AS integer[]), CAST(:days AS date[]))
    AS c(uscc, dataset, record_id, version, repairable_on)
  JOIN {_REACHED} ON p.uscc = c.uscc
    {_ONCE}""")  # noqa: S608  # constants
EXPIRING: Final = Statement(f"""
{_INTO}
SELECT s.uscc,
       'ending_' || s.consent_id || '_' || CAST(extract(epoch FROM s.valid_until) AS text),
       s.client_id, {_REST}
  FROM consent AS s
 WHERE s.status IN ('active', 'paused')
   AND s.valid_until > CAST(:now AS timestamptz)
   AND s.valid_until <= CAST(:until AS timestamptz)
   AND EXISTS (SELECT 1 FROM notice_place AS p WHERE p.uscc = s.uscc AND {_IS_IN_USE})
    {_ONCE}""")  # noqa: S608  # constants
_DELETE: Final = Statement(
    "DELETE FROM notice WHERE uscc = :uscc AND notice_id = :notice_id AND done_at IS NULL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvent:
    """A new version of a record, of which its enterprise is told once."""

    uscc: str
    dataset: str
    record_id: str
    version: int
    repairable_on: date | None = None
    """The earliest day on which the enterprise can apply for a repair, if it is named."""


async def note(
    connection: AsyncConnection,
    kind: NoticeKind,
    uscc: str,
    *,
    client_id: str | None = None,
    now: datetime,
) -> None:
    """Insert a notice to the enterprise; of consent requests, one per client and day."""
    due = due_at(kind, now)
    requested = kind is NoticeKind.CONSENT_ASKED
    notice_id = f"asked_{client_id}_{due:%Y%m%d}" if requested else None
    values = {"kind": str(kind), "uscc": uscc, "client_id": client_id, "now": now, "due": due}
    await connection.execute(_INSERT_ONE, values | {"notice_id": notice_id})


async def note_each(
    connection: AsyncConnection, kind: NoticeKind, usccs: Collection[str], *, now: datetime
) -> None:
    """Insert a notice to each of the enterprises."""
    values = {"kind": str(kind), "usccs": sorted(usccs), "now": now, "due": due_at(kind, now)}
    await connection.execute(_INSERT_EACH, values)


async def note_records(
    connection: AsyncConnection, kind: NoticeKind, events: Sequence[RecordEvent], *, now: datetime
) -> None:
    """Insert a notice to the enterprise of each record; it names the dataset, never the content."""
    if not events:
        return
    values = {
        "kind": str(kind),
        "now": now,
        "due": due_at(kind, now),
        "usccs": [each.uscc for each in events],
        "datasets": [each.dataset for each in events],
        "record_ids": [each.record_id for each in events],
        "versions": [each.version for each in events],
        "days": [each.repairable_on for each in events],
    }
    await connection.execute(_OF_RECORDS, values)


async def note_unless_decided(
    connection: AsyncConnection,
    uscc: str,
    *,
    client_id: str,
    request_digest: bytes,
    until: datetime,
    now: datetime,
) -> None:
    """Insert a notice that a request was left undecided, due when it expires at `until`.

    At most one per request; a decision deletes it (`forget_undecided`).
    """
    kind, notice_id = NoticeKind.CONSENT_LEFT_OPEN, _left_open(request_digest)
    due = due_at(kind, until)
    values = {"kind": str(kind), "uscc": uscc, "client_id": client_id, "now": now, "due": due}
    await connection.execute(_INSERT_ONE, values | {"notice_id": notice_id})


async def forget_undecided(
    connection: AsyncConnection, uscc: str, *, request_digest: bytes
) -> None:
    """Delete the undelivered notice of an undecided request."""
    await connection.execute(_DELETE, {"uscc": uscc, "notice_id": _left_open(request_digest)})


def _left_open(request_digest: bytes) -> str:
    return f"left_open_{request_digest.hex()}"


async def note_expiring_consents(connection: AsyncConnection, *, now: datetime) -> int:
    """Insert one notice per consent that expires within a week; the number inserted."""
    kind = NoticeKind.CONSENT_ENDING
    values = {"kind": str(kind), "now": now, "due": due_at(kind, now)}
    written = await connection.execute(EXPIRING, values | {"until": now + EXPIRY_NOTICE_PERIOD})
    return written.rowcount
