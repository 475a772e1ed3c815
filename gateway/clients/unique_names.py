"""Uniqueness of client ids and names, look-alikes included.

Read under a lock, so that concurrent registrations cannot take the same one. Names of ended clients
are free, ids are not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.clients.confusable_names import skeletons
from gateway.clients.tables import ClientRow
from gateway.db.locks import lock_text

# Locked before any client row.
_LOCK: Final = "client identities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A client's id and names, which no other client may have."""

    client_id: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identities:
    """The ids and names of all clients."""

    all: tuple[Identity, ...]

    def problem_with_id(self, client_id: str) -> str | None:
        """Why no new client can have this id, in a sentence; `None` if one can."""
        for each in self.all:
            if each.client_id == client_id:
                return "This client_id is taken."
            if each.client_id.lower() == client_id.lower():
                return f"But for case this client_id is that of {each.client_id}; choose another."
        return None

    def problem_with_names(self, client_id: str, names: Iterable[str]) -> str | None:
        """Why the client of this id cannot have these names, in a sentence; `None` if it can."""
        for name in names:
            own = skeletons(name)
            for each in self.all:
                if each.client_id != client_id and any(own & skeletons(n) for n in each.names):
                    return (
                        f"The name {name} is, or looks like, that of {each.client_id}: enterprises"
                        " know a client by its name, so choose another."
                    )
        return None

    def with_one(self, client_id: str, names: Iterable[str]) -> Self:
        """These identities and one more."""
        return type(self)((*self.all, Identity(client_id=client_id, names=tuple(names))))


async def identities(connection: AsyncConnection) -> Identities:
    """The identities of all clients, locked until this transaction ends."""
    await lock_text(connection, _LOCK)
    columns = (ClientRow.client_id, ClientRow.state, ClientRow.name_zh, ClientRow.name_en)
    rows = await connection.execute(select(*(col(each) for each in columns)))
    return Identities(
        tuple(
            Identity(client_id=client_id, names=() if state == "ended" else tuple(names))
            for client_id, state, *names in rows
        )
    )
