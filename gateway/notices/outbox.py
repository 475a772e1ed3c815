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

_IS_REACHABLE: Final = """EXISTS (SELECT FROM notice_place p WHERE p.uscc = c.uscc
                  AND p.confirmed_at IS NOT NULL AND p.removed_at IS NULL)"""
_INSERT: Final = f"""
INSERT INTO notice (uscc, notice_id, kind, client_id, at, due_at, reached)
SELECT c.uscc, c.notice_id, CAST(:kind AS text), c.client_id, CAST(:now AS timestamptz),
       CAST(:due AS timestamptz), '{{{{}}}}'
  FROM ({{changed}}) AS c(uscc, client_id, notice_id)
 WHERE {_IS_REACHABLE}
    ON CONFLICT (uscc, notice_id) DO NOTHING"""  # noqa: S608  # constants
_OF_RECORDS: Final = Statement(f"""
INSERT INTO notice (uscc, notice_id, kind, dataset, repairable_on, at, due_at, reached)
SELECT c.uscc, CAST(:kind AS text) || '_' || c.record_id || '_' || c.version, CAST(:kind AS text),
       c.dataset, c.repairable_on, CAST(:now AS timestamptz), CAST(:due AS timestamptz), '{{}}'
  FROM unnest(CAST(:usccs AS text[]), CAST(:datasets AS text[]), CAST(:record_ids AS text[]),
              CAST(:versions AS integer[]), CAST(:days AS date[]))
    AS c(uscc, dataset, record_id, version, repairable_on)
 WHERE {_IS_REACHABLE}
    ON CONFLICT (uscc, notice_id) DO NOTHING""")  # noqa: S608  # constants
_NEW_ID: Final = "'ntc_' || replace(CAST(gen_random_uuid() AS text), '-', '')"
_INSERT_ONE: Final = Statement(
    _INSERT.format(
        changed="SELECT CAST(:uscc AS text), CAST(:client_id AS text), "
        f"coalesce(CAST(:notice_id AS text), {_NEW_ID})"  # constants
    )
)
_INSERT_EACH: Final = Statement(
    _INSERT.format(
        changed=f"SELECT u, CAST(NULL AS text), {_NEW_ID} FROM unnest(CAST(:usccs AS text[])) AS u"  # noqa: S608  # constants
    )
)
EXPIRING: Final = Statement(
    _INSERT.format(
        changed="""
        SELECT s.uscc, s.client_id,
               'ending_' || s.consent_id || '_' || CAST(extract(epoch FROM s.valid_until) AS text)
          FROM consent AS s
         WHERE s.status IN ('active', 'paused')
           AND s.valid_until > CAST(:now AS timestamptz)
           AND s.valid_until <= CAST(:until AS timestamptz)"""
    )
)
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


def notice_statement(changed: str, kind: NoticeKind) -> str:
    """SQL that inserts an immediate notice for each USCC selected by the query `changed`.

    Parameters: `:now`, and those of the query.
    """
    source = f"SELECT x.uscc, CAST(NULL AS text), {_NEW_ID} FROM ({changed}) AS x(uscc)"  # noqa: S608
    return _INSERT.format(changed=source).replace(":kind", f"'{kind}'").replace(":due", ":now")
