"""Lists that are followed now: client active, agreement in force, purpose and questions in it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.clients.agreements import agreement_from_json, agreement_json
from gateway.creditfile.watches.comparison import FollowedList, ListKey
from gateway.db.statements import Statement

_LISTS: Final = """
    SELECT l.client_id, l.name, l.purpose, l.questions
    FROM watch_list l
    JOIN unnest(CAST(:clients AS text[]), CAST(:names AS text[])) AS f(client_id, name)
      ON f.client_id = l.client_id AND f.name = l.name
    ORDER BY l.client_id, l.name"""
_READ: Final = Statement(_LISTS)
# Waits for whoever is putting a list; in one order, so that no two wait for each other.
_LOCK: Final = Statement(f"{_LISTS} FOR SHARE OF l")
_STANDING: Final = Statement(f"""
    SELECT c.client_id, CAST({agreement_json("c.client_id")} AS text) AS agreement
    FROM client c WHERE c.state = 'active' AND c.client_id = ANY(CAST(:clients AS text[]))""")  # noqa: S608
_WATCHES_OF: Final = Statement("""
    SELECT client_id, name, since FROM watch WHERE uscc = CAST(:uscc AS text)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Client that is told when an answer about an enterprise may have changed."""

    client_id: str
    purpose: str
    questions: Sequence[str]
    since: datetime


async def lock_followed(
    connection: AsyncConnection, keys: Collection[ListKey], now: datetime
) -> Mapping[ListKey, FollowedList]:
    """Those of these lists that are followed; no list of these is changed until the transaction ends."""
    return await _followed(connection, await _rows(connection, _LOCK, keys), now)


async def watchers_of(connection: AsyncConnection, uscc: str, now: datetime) -> list[Watcher]:
    """Clients that follow an enterprise now, and since when; the longest first."""
    since = {
        (row.client_id, row.name): row.since
        for row in await connection.execute(_WATCHES_OF, {"uscc": uscc})
    }
    if not since:
        return []
    followed = await _followed(connection, await _rows(connection, _READ, since), now)
    found = [
        Watcher(
            client_id=each.key[0],
            purpose=each.purpose,
            questions=each.questions,
            since=since[each.key],
        )
        for each in followed.values()
    ]
    return sorted(found, key=lambda each: (each.since, each.client_id))


async def _rows(
    connection: AsyncConnection, statement: Statement, keys: Collection[ListKey]
) -> Sequence[Any]:
    wanted = sorted(keys)
    values = {"clients": [client for client, _ in wanted], "names": [name for _, name in wanted]}
    return (await connection.execute(statement, values)).all()


async def _followed(
    connection: AsyncConnection, rows: Sequence[Any], now: datetime
) -> Mapping[ListKey, FollowedList]:
    clients = sorted({row.client_id for row in rows})
    agreements = {
        row.client_id: agreement_from_json(orjson.loads(row.agreement or "null"))
        for row in await connection.execute(_STANDING, {"clients": clients})
    }
    found: dict[ListKey, FollowedList] = {}
    for row in rows:
        agreement = agreements.get(row.client_id)
        if agreement is None or not agreement.in_force(now):
            continue
        if agreement.missing(purpose=row.purpose, questions=row.questions):
            continue
        found[row.client_id, row.name] = FollowedList(
            key=(row.client_id, row.name),
            purpose=row.purpose,
            questions=tuple(row.questions),
            agreement_version=agreement.version,
            licensed_for_persons=agreement.licensed_for_persons,
        )
    return found
