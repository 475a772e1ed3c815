"""Change feed of a client: its notices in the order of a cursor.

Cursors are assigned after the commit, so that none is skipped, and per client, so that a cursor says
nothing of other clients.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.disclosure.withdrawal_notices import NOTICE_COLUMNS, WithdrawalNotice

MAX_NUMBERED: Final = 1_000  # well under the five seconds of a round under any query plan

# These run under the sequencer's lock; what commits later gets a higher cursor in a later round.
_FRESH: Final = Statement("""
    SELECT uscc, change_id, client_id FROM tombstone
    WHERE cursor IS NULL ORDER BY occurred_at, change_id LIMIT :most""")
_COUNT: Final = Statement("""
    INSERT INTO change_feed (client_id, newest)
    SELECT * FROM unnest(CAST(:client_ids AS text[]), CAST(:counts AS bigint[]))
    ON CONFLICT (client_id) DO UPDATE SET newest = change_feed.newest + excluded.newest
    RETURNING client_id, newest""")
_NUMBER: Final = Statement("""
    UPDATE tombstone AS t SET cursor = f.cursor
    FROM unnest(CAST(:usccs AS text[]), CAST(:change_ids AS text[]), CAST(:cursors AS bigint[]))
        AS f(uscc, change_id, cursor)
    WHERE t.uscc = f.uscc AND t.change_id = f.change_id AND t.cursor IS NULL""")

_AFTER: Final = Statement(f"""
    SELECT {", ".join(NOTICE_COLUMNS)}, cursor FROM tombstone
    WHERE client_id = CAST(:client_id AS text) AND cursor > CAST(:after AS bigint)
    ORDER BY cursor LIMIT :limit""")  # noqa: S608  # constants

_ACKNOWLEDGE: Final = Statement("""
    UPDATE tombstone SET acknowledged_at = :now
    WHERE client_id = CAST(:client_id AS text) AND cursor <= CAST(:upto AS bigint)
      AND acknowledged_at IS NULL""")

_NEWEST: Final = Statement("""
    SELECT newest FROM change_feed WHERE client_id = CAST(:client_id AS text)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Notices in the order of the feed, and the cursor of the last of them."""

    notices: tuple[WithdrawalNotice, ...]
    cursor: int


@dataclass(frozen=True, slots=True)
class UnknownCursor:
    """The cursor is higher than any in this client's feed."""


async def assign_cursors(connection: AsyncConnection) -> int:
    """Assign cursors to the oldest notices without one; how many. Call it under the sequencer's lock."""
    fresh = (await connection.execute(_FRESH, {"most": MAX_NUMBERED})).all()
    if not fresh:
        return 0
    counts = Counter(row.client_id for row in fresh)
    values = {"client_ids": sorted(counts), "counts": [counts[each] for each in sorted(counts)]}
    newest = (await connection.execute(_COUNT, values)).all()
    upcoming = {row.client_id: count(row.newest - counts[row.client_id] + 1) for row in newest}
    numbered = {
        "usccs": [row.uscc for row in fresh],
        "change_ids": [row.change_id for row in fresh],
        "cursors": [next(upcoming[row.client_id]) for row in fresh],
    }
    return (await connection.execute(_NUMBER, numbered)).rowcount


async def read_page(
    connection: AsyncConnection, client_id: str, cursor: int, *, limit: int
) -> FeedPage | UnknownCursor:
    """The notices after `cursor` in this client's feed."""
    if cursor > await _newest(connection, client_id):
        return UnknownCursor()
    values = {"client_id": client_id, "after": cursor, "limit": limit}
    notices = []
    for row in await connection.execute(_AFTER, values):
        *notice, cursor = row
        notices.append(WithdrawalNotice(**dict(zip(NOTICE_COLUMNS, notice, strict=True))))
    return FeedPage(notices=tuple(notices), cursor=cursor)


async def acknowledge(
    connection: AsyncConnection, client_id: str, cursor: int, *, now: datetime
) -> UnknownCursor | None:
    """Record that this client knows all notices up to `cursor`."""
    if cursor > await _newest(connection, client_id):
        return UnknownCursor()
    await connection.execute(_ACKNOWLEDGE, {"client_id": client_id, "upto": cursor, "now": now})
    return None


async def _newest(connection: AsyncConnection, client_id: str) -> int:
    found = (await connection.execute(_NEWEST, {"client_id": client_id})).scalar_one_or_none()
    return int(found or 0)
