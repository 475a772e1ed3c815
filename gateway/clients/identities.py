"""Which ids and names the clients have; read under a lock, so that of many registrations one has them.

Names of clients that have ended are free, ids are not. What is held twice already stays as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.clients.confusable_names import likeness
from gateway.clients.tables import ClientRow
from gateway.db.statements import Statement

# Held until the transaction ends, before any client is locked.
_LOCK: Final = Statement("SELECT pg_advisory_xact_lock(hashtextextended('client identities', 0))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A client's id and names, as others may not have them."""

    client_id: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identities:
    """Those of all clients."""

    held: tuple[Identity, ...]

    def trouble_with_id(self, client_id: str) -> str | None:
        """Why no new client can have this id."""
        for each in self.held:
            if each.client_id == client_id:
                return "This client_id is taken."
            if each.client_id.lower() == client_id.lower():
                return f"But for case this client_id is that of {each.client_id}; choose another."
        return None

    def trouble_with_names(self, client_id: str, names: Iterable[str]) -> str | None:
        """Why the client of this id cannot have one of these names."""
        for name in names:
            own = likeness(name)
            for each in self.held:
                if each.client_id != client_id and any(own & likeness(n) for n in each.names):
                    return (
                        f"The name {name} is, or looks like, that of {each.client_id}: enterprises"
                        " know a client by its name, so choose another."
                    )
        return None

    def with_one(self, client_id: str, names: Iterable[str]) -> Self:
        """The same, once this client has these names too."""
        return type(self)((*self.held, Identity(client_id=client_id, names=tuple(names))))


async def identities(connection: AsyncConnection) -> Identities:
    """Those of all clients; nobody else can give out one until this transaction ends."""
    await connection.execute(_LOCK)
    columns = (ClientRow.client_id, ClientRow.state, ClientRow.name_zh, ClientRow.name_en)
    rows = await connection.execute(select(*(col(each) for each in columns)))
    return Identities(
        tuple(
            Identity(client_id=client_id, names=() if state == "ended" else tuple(names))
            for client_id, state, *names in rows
        )
    )
