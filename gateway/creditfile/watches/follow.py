"""One round over what is watched: enterprises whose file has changed, and those whose time has come.

A round is one transaction: what it takes off the outbox, the new marks and the notices are committed
together, so that each change is told once wherever a worker is killed. One worker at a time does it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.file_query import read_files
from gateway.creditfile.watches.changed_files import (
    context_datasets,
    count_waiting,
    datasets_of,
    still_noted,
    take_changed,
)
from gateway.creditfile.watches.comparison import (
    Compared,
    FollowedList,
    ListKey,
    Watch,
    compare,
    is_settled,
    notices_of,
)
from gateway.creditfile.watches.followed import lock_followed
from gateway.creditfile.watches.marks import WatchedFile
from gateway.db.locks import LockKey, try_lock
from gateway.db.statements import Statement
from gateway.disclosure.watch_notices import notify_changed_answers
from gateway.signing.keyed_digests import KeyedDigests

ROWS_AT_ONCE: Final = 5_000
DUE_AT_ONCE: Final = 200
"""Enterprises; many may watch each of them."""
STOPPED_AGAIN: Final = timedelta(days=1)
"""When a watch is looked at again whose list's agreement does not hold."""

_ANY: Final = "uscc = ANY(CAST(:usccs AS text[]))"
_LISTS_OF: Final = Statement(f"SELECT DISTINCT client_id, name FROM watch WHERE {_ANY}")  # noqa: S608
# Most lists hold an enterprise with the same marks: one row for all of them.
_WATCHES: Final = Statement(f"""
    SELECT uscc, marks, due_at, array_agg(client_id) AS clients, array_agg(name) AS names
    FROM watch WHERE {_ANY} GROUP BY uscc, marks, due_at""")  # noqa: S608  # constants
_DUE: Final = Statement("""
    SELECT uscc FROM watch WHERE due_at <= CAST(:now AS timestamptz)
    ORDER BY due_at, uscc LIMIT :limit""")
_WRITE: Final = Statement("""
    UPDATE watch AS w SET marks = f.marks, due_at = f.due_at
    FROM unnest(CAST(:usccs AS text[]), CAST(:clients AS text[]), CAST(:names AS text[]),
                CAST(:marks AS bytea[]), CAST(:dues AS timestamptz[]))
        AS f(uscc, client_id, name, marks, due_at)
    WHERE w.uscc = f.uscc AND w.client_id = f.client_id AND w.name = f.name""")
_OTHER_CATALOGUE: Final = Statement("""
    UPDATE watch_list SET catalogue_version = CAST(:version AS text)
    WHERE (client_id, name) IN (
        SELECT client_id, name FROM watch_list WHERE catalogue_version <> CAST(:version AS text)
        ORDER BY client_id, name LIMIT 1)
    RETURNING client_id, name""")
_ALL_DUE: Final = Statement("""
    UPDATE watch SET due_at = least(due_at, CAST(:now AS timestamptz))
    WHERE client_id = CAST(:client_id AS text) AND name = CAST(:name AS text)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Result of a round."""

    notices: int
    waiting: int
    """Rows that are left on the outbox, each of a hundred enterprises at most."""
    has_more: bool
    """True if there may be more to do at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """Follows what is watched, under one catalogue."""

    engine: AsyncEngine
    catalogue: Catalogue
    digests: KeyedDigests

    async def round(self, now: datetime) -> Round | None:
        """Compare what has changed and what is due at `now`, some at a time; `None` while another does."""
        notices = 0
        async with self.engine.begin() as connection:
            if not await try_lock(connection, LockKey.WATCHES):
                return None
            recalled = await self._recall(connection, now)
            changed = await take_changed(connection)
            if changed is not None:
                notices += await self._compare(connection, changed, now, have_changed=True)
            due = await connection.execute(_DUE, {"now": now, "limit": ROWS_AT_ONCE})
            usccs = list(dict.fromkeys(due.scalars()))[:DUE_AT_ONCE]
            notices += await self._compare(connection, usccs, now, have_changed=False)
            waiting = await count_waiting(connection)
        has_more = recalled or changed is not None or bool(usccs)
        return Round(notices=notices, waiting=waiting, has_more=has_more)

    async def _recall(self, connection: AsyncConnection, now: datetime) -> bool:
        """Make one list due that was compared under another catalogue."""
        values = {"version": self.catalogue.version}
        found = (await connection.execute(_OTHER_CATALOGUE, values)).one_or_none()
        if found is None:
            return False
        await connection.execute(_ALL_DUE, {**found._asdict(), "now": now})
        return True

    async def _compare(
        self,
        connection: AsyncConnection,
        usccs: Sequence[str],
        now: datetime,
        *,
        have_changed: bool,
    ) -> int:
        """Compare those of these enterprises that are watched; how many notices were written."""
        if not usccs:
            return 0
        found = await connection.execute(_LISTS_OF, {"usccs": usccs})
        keys = {(row.client_id, row.name) for row in found}
        if not keys:
            return 0
        lists = await lock_followed(connection, keys, now)
        rows = (await connection.execute(_WATCHES, {"usccs": usccs})).all()
        files = await self._read(connection, {row.uscc for row in rows}, lists.values(), now)
        late = frozenset[str]()
        if not have_changed:
            unmarked = {row.uscc for row in rows if row.marks is None}
            # After the files: a change that they hold, and that is not told yet, is still noted here.
            late = await still_noted(connection, unmarked)
        compared = [
            _compared(watch, lists, files[watch.uscc], have_changed=have_changed)
            for watch in _unsettled(rows, lists, files)
            if watch.key in keys and not (watch.marks is None and watch.uscc in late)
        ]
        await _write(connection, [each for each in compared if each.is_changed])
        return await notify_changed_answers(connection, notices_of(compared, lists), now=now)

    async def _read(
        self,
        connection: AsyncConnection,
        usccs: Collection[str],
        lists: Iterable[FollowedList],
        now: datetime,
    ) -> Mapping[str, WatchedFile]:
        """The files of these enterprises, as far as the questions of these lists depend on them."""
        asked = {tag for each in lists for tag in each.questions}
        datasets = context_datasets(datasets_of(asked), self.catalogue)
        unknown = WatchedFile(
            uscc="",
            enterprise=None,
            records=(),
            datasets=datasets,
            catalogue=self.catalogue,
            digests=self.digests,
            now=now,
        )
        found = await read_files(connection, sorted(usccs), datasets)
        known = {
            enterprise.uscc: replace(
                unknown, uscc=enterprise.uscc, enterprise=enterprise, records=records
            )
            for enterprise, records in found
        }
        return {each: known.get(each) or replace(unknown, uscc=each) for each in usccs}


def _unsettled(
    rows: Iterable[Any], lists: Mapping[ListKey, FollowedList], files: Mapping[str, WatchedFile]
) -> Iterator[Watch]:
    """The watches of which something is to be written or told; most often none."""
    for row in rows:
        file = files[row.uscc]
        for key in zip(row.clients, row.names, strict=True):
            followed = lists.get(key)
            if followed is None or not is_settled(row.marks, row.due_at, followed, file):
                yield Watch(uscc=row.uscc, key=key, marks=row.marks, due_at=row.due_at)


def _compared(
    watch: Watch,
    lists: Mapping[ListKey, FollowedList],
    file: WatchedFile,
    *,
    have_changed: bool,
) -> Compared:
    """A watch whose list does not hold keeps its marks: what changed meanwhile is told when it does again."""
    followed = lists.get(watch.key)
    if followed is None:
        again = file.now + STOPPED_AGAIN
        due_at = watch.due_at if file.now < watch.due_at < again else again
        return Compared(before=watch, marks=watch.marks, due_at=due_at)
    return compare(watch, followed, file, tells_unmarked=have_changed)


async def _write(connection: AsyncConnection, compared: Iterable[Compared]) -> None:
    rows = list(compared)
    if not rows:
        return
    values = {
        "usccs": [each.before.uscc for each in rows],
        "clients": [each.before.key[0] for each in rows],
        "names": [each.before.key[1] for each in rows],
        "marks": [each.marks for each in rows],
        "dues": [each.due_at for each in rows],
    }
    await connection.execute(_WRITE, values)
