"""A notice is written in the transaction of what it tells of, and nowhere else.

An enterprise that has named no place has no notices. Nothing here commits.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.notices.kinds import ENDS_WITHIN, NoticeKind, due_at

_NOTE: Final = """
INSERT INTO notice (uscc, notice_id, kind, client_id, at, due_at, reached)
SELECT c.uscc, c.notice_id, CAST(:kind AS text), c.client_id, CAST(:now AS timestamptz),
       CAST(:due AS timestamptz), '{{}}'
  FROM ({changed}) AS c(uscc, client_id, notice_id)
 WHERE EXISTS (SELECT FROM notice_place p WHERE p.uscc = c.uscc
                  AND p.confirmed_at IS NOT NULL AND p.removed_at IS NULL)
    ON CONFLICT (uscc, notice_id) DO NOTHING"""
_NEW_ID: Final = "'ntc_' || replace(CAST(gen_random_uuid() AS text), '-', '')"
_ONE: Final = Statement(
    _NOTE.format(
        changed="SELECT CAST(:uscc AS text), CAST(:client_id AS text), "
        f"coalesce(CAST(:only_one AS text), {_NEW_ID})"  # constants
    )
)
ENDING: Final = Statement(
    _NOTE.format(
        changed="""
        SELECT s.uscc, s.client_id,
               'ending_' || s.consent_id || '_' || CAST(extract(epoch FROM s.valid_until) AS text)
          FROM consent AS s
         WHERE s.status IN ('active', 'paused')
           AND s.valid_until > CAST(:now AS timestamptz)
           AND s.valid_until <= CAST(:until AS timestamptz)"""
    )
)
_DECIDED: Final = Statement(
    "DELETE FROM notice WHERE uscc = :uscc AND notice_id = :notice_id AND done_at IS NULL"
)


async def note(
    connection: AsyncConnection,
    kind: NoticeKind,
    uscc: str,
    *,
    client_id: str | None = None,
    now: datetime,
) -> None:
    """Tell the enterprise of this, when the transaction has committed."""
    due = due_at(kind, now)
    values = {"kind": str(kind), "uscc": uscc, "client_id": client_id, "now": now, "due": due}
    await connection.execute(_ONE, values | {"only_one": _only_one(kind, client_id, due)})


def _only_one(kind: NoticeKind, client_id: str | None, due: datetime) -> str | None:
    """The id of a notice of which one will do: a client that asks over and over floods nobody."""
    return f"asked_{client_id}_{due:%Y%m%d}" if kind is NoticeKind.CONSENT_ASKED else None


async def note_unless_decided(  # what a request is known by
    connection: AsyncConnection,
    uscc: str,
    *,
    client_id: str,
    request_digest: bytes,
    until: datetime,
    now: datetime,
) -> None:
    """Tell of a request that was opened and can be decided `until` then, unless it is.

    However often it is opened, once, and only when it cannot be decided any more.
    """
    kind = NoticeKind.CONSENT_LEFT_OPEN
    values = {"kind": str(kind), "uscc": uscc, "client_id": client_id, "now": now}
    due = due_at(kind, until)
    await connection.execute(_ONE, values | {"due": due, "only_one": _left_open(request_digest)})


async def forget_undecided(
    connection: AsyncConnection, uscc: str, *, request_digest: bytes
) -> None:
    """It is decided: that it was left open is not told."""
    await connection.execute(_DECIDED, {"uscc": uscc, "notice_id": _left_open(request_digest)})


def _left_open(request_digest: bytes) -> str:
    return f"left_open_{request_digest.hex()}"


async def note_ending(connection: AsyncConnection, *, now: datetime) -> int:
    """Tell once of each consent that ends within a week; how many were new."""
    kind = NoticeKind.CONSENT_ENDING
    written = await connection.execute(
        ENDING,
        {"kind": str(kind), "now": now, "until": now + ENDS_WITHIN, "due": due_at(kind, now)},
    )
    return written.rowcount


def at_once_on(changed: str, kind: NoticeKind) -> str:
    """The statement that tells each enterprise that the query `changed` gives (USCC), at once.

    Parameter `:now`, and those of the query.
    """
    told = f"SELECT x.uscc, CAST(NULL AS text), {_NEW_ID} FROM ({changed}) AS x(uscc)"  # noqa: S608
    return _NOTE.format(changed=told).replace(":kind", f"'{kind}'").replace(":due", ":now")


FORGOTTEN_AFTER: Final = timedelta(days=30)
