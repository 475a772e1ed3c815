"""Reads the enterprises that were put on watch lists of late: a watch asks about each of them every day.

A list is read again where another worker has read it before: sketches do not count it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement

RECENT: Final = timedelta(minutes=10)
"""Longer than a list is on its way from its time to its commit, or no worker counts."""

_LISTS: Final = Statement("""
    SELECT client_id, name, replaced_at FROM watch_list
     WHERE replaced_at > CAST(:since AS timestamptz) ORDER BY replaced_at""")
_ADDED: Final = Statement("""
    SELECT uscc FROM watch
     WHERE client_id = CAST(:client_id AS text) AND name = CAST(:name AS text)
       AND since > CAST(:since AS timestamptz)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedNow:
    """The enterprises that a client has added to a list of late."""

    client_id: str
    at: datetime
    usccs: Sequence[str]


@dataclass(slots=True)
class WatchReader:
    """Remembers which lists it has read."""

    _read: dict[tuple[str, str], datetime] = field(default_factory=dict)

    async def next_list(self, connection: AsyncConnection, *, now: datetime) -> WatchedNow | None:
        """The enterprises added to one recently put list that is not read yet."""
        since = now - RECENT
        lists = (await connection.execute(_LISTS, {"since": since})).all()
        self._read = {key: at for key, at in self._read.items() if at > since}
        for client_id, name, replaced_at in lists:
            if self._read.get((client_id, name)) != replaced_at:
                values = {"client_id": client_id, "name": name, "since": since}
                usccs = (await connection.execute(_ADDED, values)).scalars().all()
                self._read[client_id, name] = replaced_at
                return WatchedNow(client_id=client_id, at=replaced_at, usccs=usccs)
        return None
