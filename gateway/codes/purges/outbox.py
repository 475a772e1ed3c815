"""Outbox of purges: the lease under which it is written, and the rows that are due.

Rows are taken under locks that end with the transaction, so that no two workers send the same one, and
those of a killed worker are free at once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.locks import LockKey, lock
from gateway.db.statements import Statement
from gateway.pages.cdn import ALL_PAGES, LEASE_SECONDS

BATCH: Final = 100
"""Purges in one call; Cloudflare takes no more tags."""
TOO_MANY: Final = 10_000
"""Beyond so many enterprises all pages are purged by one key."""

# A lease that lapsed, or learns a dataset, begins anew, and so does one of another server's transactions, in
# a database that was restored from a dump. Transactions that begin to write before it is committed may not
# see it: what surely does is what comes after the next renewal. (A snapshot's xmax is no such bound: it is
# not beyond transactions that have begun, but beyond those that have ended.)
_RENEW: Final = Statement("""
INSERT INTO page_purge_lease AS held (is_only, until, datasets, since)
VALUES (true, clock_timestamp() + make_interval(secs => :seconds), CAST(:datasets AS text[]), NULL)
ON CONFLICT (is_only) DO UPDATE SET
    until = excluded.until,
    datasets = CASE WHEN held.until > clock_timestamp()
                    THEN ARRAY(SELECT unnest(held.datasets) UNION SELECT unnest(excluded.datasets))
                    ELSE excluded.datasets END,
    since = (SELECT CASE WHEN held.until > clock_timestamp() AND held.datasets @> excluded.datasets
                              AND coalesce(held.since, 0) <= own
                         THEN coalesce(held.since, own) END
               FROM CAST(CAST(pg_current_xact_id() AS text) AS bigint) AS own)
RETURNING since <= CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)""")
# Delete the purges of enterprises without a code. Done before sending, not by the trigger: a code that is
# issued while the change is still under way has a page from before the change.
_DROP: Final = Statement("SELECT xinqiao_drop_page_purges(:limit)")
_COUNT: Final = Statement("""
SELECT count(*) AS due, now() - min(due_at) AS overdue
  FROM (SELECT due_at FROM page_purge WHERE due_at <= now() ORDER BY due_at LIMIT :limit) AS due""")
_TAKE: Final = Statement("""
SELECT purge_id, uscc, noted_at, is_repeat FROM page_purge
 WHERE due_at <= now() ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED""")
_TAKE_ALL: Final = Statement("""
WITH gone AS (
    DELETE FROM page_purge WHERE purge_id IN (
        SELECT purge_id FROM page_purge WHERE due_at <= now() FOR UPDATE SKIP LOCKED)
    RETURNING noted_at, is_repeat)
SELECT count(*) AS purges, min(noted_at) FILTER (WHERE NOT is_repeat) AS noted_at FROM gone""")
_DELETE: Final = Statement("""
DELETE FROM page_purge WHERE is_repeat AND purge_id = ANY(CAST(:purge_ids AS bigint[]))""")
_REPEAT: Final = Statement("""
UPDATE page_purge
   SET is_repeat = true, due_at = clock_timestamp() + make_interval(secs => :seconds)
 WHERE NOT is_repeat AND purge_id = ANY(CAST(:purge_ids AS bigint[]))""")
_REPEAT_ALL: Final = Statement("""
INSERT INTO page_purge (uscc, is_repeat, due_at)
VALUES ('', true, clock_timestamp() + make_interval(secs => :seconds))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The due purges of all workers, counted."""

    purges: int
    """`TOO_MANY` + 1 at most."""
    overdue: timedelta
    """For how long the oldest has been due."""

    @property
    def is_too_long(self) -> bool:
        """True where one purge of all pages takes the place of all."""
        return self.purges > TOO_MANY


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePurges:
    """Purges that this transaction has locked."""

    usccs: Sequence[str]
    """Each once; `ALL_PAGES` for all."""
    noted: Sequence[datetime]
    """When those that are sent for the first time were noted; of all pages, the oldest alone."""
    purge_ids: Sequence[int] = ()
    """Empty where the rows are deleted already."""


async def renew_lease(connection: AsyncConnection, datasets: Collection[str]) -> bool:
    """Renew the lease; True once no transaction runs that may have begun to write before it."""
    await lock(
        connection, LockKey.PAGE_PURGES
    )  # what the statement sees is newer than the last renewal
    values = {"datasets": sorted(datasets), "seconds": LEASE_SECONDS}
    return (await connection.execute(_RENEW, values)).scalar_one() is True


async def read_backlog(connection: AsyncConnection) -> Backlog:
    """The purges that are due, without those of enterprises that have no code."""
    await connection.execute(_DROP, {"limit": TOO_MANY})
    row = (await connection.execute(_COUNT, {"limit": TOO_MANY + 1})).one()
    return Backlog(purges=row.due, overdue=row.overdue or timedelta(0))


async def take_due(connection: AsyncConnection, backlog: Backlog) -> DuePurges | None:
    """The purges that are due and that no other worker has taken; `None` if there are none."""
    if not backlog.purges:
        return None
    if backlog.is_too_long:
        gone = (await connection.execute(_TAKE_ALL)).one()
        noted = [gone.noted_at] if gone.noted_at else []
        return DuePurges(usccs=[ALL_PAGES], noted=noted) if gone.purges else None
    rows = (await connection.execute(_TAKE, {"limit": BATCH})).all()
    if not rows:
        return None
    return DuePurges(
        usccs=sorted({row.uscc for row in rows}),
        noted=[row.noted_at for row in rows if not row.is_repeat],
        purge_ids=[row.purge_id for row in rows],
    )


async def mark_sent(connection: AsyncConnection, sent: DuePurges, *, repeat_after: int) -> None:
    """Delete what was repeated; what was sent for the first time is sent again after these seconds."""
    if not sent.purge_ids:
        await connection.execute(_REPEAT_ALL, {"seconds": repeat_after})
        return
    await connection.execute(_DELETE, {"purge_ids": [*sent.purge_ids]})
    values = {"purge_ids": [*sent.purge_ids], "seconds": repeat_after}
    await connection.execute(_REPEAT, values)
