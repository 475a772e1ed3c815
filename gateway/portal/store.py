"""Each function asks the database one question; all but clients' names by one enterprise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.clients.tables import ClientRow
from gateway.creditfile.tables import enterprise
from gateway.disclosure.tables import DisclosureRow
from gateway.pages.i18n import Translated


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCard:
    """A client as an enterprise may know it."""

    client_id: str
    kind: str
    name: Translated
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseCard:
    """An enterprise as its own people see it at the head of a page."""

    uscc: str
    name: str
    kind: str
    status: str


async def clients(connection: AsyncConnection, ids: Iterable[str]) -> Mapping[str, ClientCard]:
    """The clients of these ids."""
    found = await connection.execute(
        select(
            col(ClientRow.client_id),
            col(ClientRow.kind),
            col(ClientRow.name_zh),
            col(ClientRow.name_en),
            col(ClientRow.contact),
        ).where(col(ClientRow.client_id).in_(sorted(set(ids)))),
    )
    return {
        row.client_id: ClientCard(
            client_id=row.client_id,
            kind=row.kind,
            name=Translated(row.name_zh, row.name_en),
            contact=row.contact,
        )
        for row in found
    }


async def enterprises(connection: AsyncConnection, usccs: Iterable[str]) -> list[EnterpriseCard]:
    """Those of these enterprises that exist, by name."""
    found = await connection.execute(
        select(enterprise.c.uscc, enterprise.c.name, enterprise.c.kind, enterprise.c.status)
        .where(enterprise.c.uscc.in_(sorted(set(usccs))))
        .order_by(enterprise.c.name, enterprise.c.uscc),
    )
    return [EnterpriseCard(**row._asdict()) for row in found]


async def count_looks(connection: AsyncConnection, uscc: str, *, since: datetime) -> int:
    """How often somebody looked, or tried to, since then."""
    found = await connection.execute(
        select(func.count())
        .select_from(DisclosureRow)
        .where(col(DisclosureRow.uscc) == uscc, col(DisclosureRow.at) >= since),
    )
    return found.scalar_one()
