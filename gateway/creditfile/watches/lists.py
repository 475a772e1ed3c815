"""Watch lists as their clients put, read and delete them.

Who writes the rows of a list holds its row in `watch_list`; lists of one client are put one at a time, so
that their number and their enterprises are counted exactly.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.locks import LockNamespace, try_lock_named
from gateway.db.statements import Statement

MOST_ENTERPRISES: Final = 10_000
"""Enterprises on one list."""
MOST_LISTS: Final = 100
"""Lists of one client."""
LIST_COLUMNS: Final = "client_id, name, purpose, questions, enterprises, created_at, replaced_at"

_OWN: Final = "client_id = CAST(:client_id AS text) AND name = CAST(:name AS text)"
_FIND: Final = Statement(f"SELECT {LIST_COLUMNS} FROM watch_list WHERE {_OWN}")  # noqa: S608  # constants
_LOCK: Final = Statement(f"SELECT {LIST_COLUMNS} FROM watch_list WHERE {_OWN} FOR UPDATE")  # noqa: S608
_ALL: Final = Statement(f"""
    SELECT {LIST_COLUMNS} FROM watch_list
    WHERE client_id = CAST(:client_id AS text) ORDER BY name""")  # noqa: S608  # constants
_PUT: Final = Statement("""
    INSERT INTO watch_list (client_id, name, purpose, questions, enterprises, catalogue_version,
                            created_at, replaced_at)
    VALUES (:client_id, :name, :purpose, CAST(:questions AS text[]), :enterprises, :catalogue,
            :now, :now)
    ON CONFLICT (client_id, name) DO UPDATE SET
        purpose = excluded.purpose, questions = excluded.questions,
        enterprises = excluded.enterprises, replaced_at = excluded.replaced_at""")
_DELETE: Final = Statement(f"DELETE FROM watch_list WHERE {_OWN}")  # noqa: S608  # constants

_ENTERPRISES: Final = Statement(f"SELECT uscc FROM watch WHERE {_OWN} ORDER BY uscc")  # noqa: S608
_WATCHED: Final = Statement("""
    SELECT DISTINCT uscc FROM watch
    WHERE client_id = CAST(:client_id AS text) AND name <> CAST(:name AS text)""")
_ADD: Final = Statement("""
    INSERT INTO watch (uscc, client_id, name, due_at, since)
    SELECT uscc, :client_id, :name, CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM unnest(CAST(:usccs AS text[])) AS uscc""")
_REMOVE: Final = Statement(f"""
    DELETE FROM watch WHERE {_OWN} AND uscc = ANY(CAST(:usccs AS text[]))""")  # noqa: S608
_REMOVE_ALL: Final = Statement(f"DELETE FROM watch WHERE {_OWN}")  # noqa: S608  # constants
_UNMARK: Final = Statement(f"UPDATE watch SET marks = NULL, due_at = :now WHERE {_OWN}")  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchList:
    """A client's list, without its enterprises."""

    client_id: str
    name: str
    purpose: str
    questions: Sequence[str]
    enterprises: int
    created_at: datetime
    replaced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSets:
    """The enterprises on a client's lists, while the client's lists are locked."""

    lists: int
    """Other lists."""
    here: frozenset[str]
    elsewhere: frozenset[str]


async def find_list(connection: AsyncConnection, client_id: str, name: str) -> WatchList | None:
    """A client's list."""
    found = (await connection.execute(_FIND, _own(client_id, name))).one_or_none()
    return None if found is None else WatchList(**found._asdict())


async def lists_of(connection: AsyncConnection, client_id: str) -> list[WatchList]:
    """A client's lists by name."""
    found = await connection.execute(_ALL, {"client_id": client_id})
    return [WatchList(**each._asdict()) for each in found]


async def enterprises_of(connection: AsyncConnection, client_id: str, name: str) -> list[str]:
    """The enterprises on a list, in order."""
    return list((await connection.execute(_ENTERPRISES, _own(client_id, name))).scalars())


async def read_sets(connection: AsyncConnection, client_id: str, name: str) -> WatchedSets | None:
    """The enterprises on this list and on the client's others, which are locked until the end.

    `None` where another call of the client is putting one: to wait would hold connections.
    """
    if not await try_lock_named(connection, LockNamespace.WATCH_LISTS, client_id):
        return None
    lists = await lists_of(connection, client_id)
    elsewhere = (await connection.execute(_WATCHED, _own(client_id, name))).scalars()
    return WatchedSets(
        lists=sum(each.name != name for each in lists),
        here=frozenset(await enterprises_of(connection, client_id, name)),
        elsewhere=frozenset(elsewhere),
    )


async def put_list(
    connection: AsyncConnection,
    wanted: WatchList,
    usccs: Collection[str],
    *,
    catalogue_version: str,
) -> None:
    """Put a list in place of the one before.

    What stays on a list whose questions stay keeps its marks: no change in between is lost.
    """
    own, now = _own(wanted.client_id, wanted.name), wanted.replaced_at
    before = (await connection.execute(_LOCK, own)).one_or_none()
    row = {
        **own,
        "purpose": wanted.purpose,
        "questions": list(wanted.questions),
        "enterprises": wanted.enterprises,
        "catalogue": catalogue_version,
        "now": now,
    }
    await connection.execute(_PUT, row)
    held = set(await enterprises_of(connection, wanted.client_id, wanted.name))
    if held - set(usccs):
        await connection.execute(_REMOVE, {**own, "usccs": sorted(held - set(usccs))})
    if before is not None and list(before.questions) != list(wanted.questions):
        await connection.execute(_UNMARK, {**own, "now": now})
    if set(usccs) - held:
        await connection.execute(_ADD, {**own, "now": now, "usccs": sorted(set(usccs) - held)})


async def delete_list(connection: AsyncConnection, client_id: str, name: str) -> bool:
    """Delete a list; False if there is none."""
    own = _own(client_id, name)
    if not (await connection.execute(_DELETE, own)).rowcount:
        return False
    await connection.execute(_REMOVE_ALL, own)
    return True


def _own(client_id: str, name: str) -> dict[str, str]:
    return {"client_id": client_id, "name": name}
