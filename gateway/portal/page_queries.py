"""Read queries for portal pages: client and enterprise names, number of disclosures."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from consent.tables import consents
from gateway.clients.tables import ClientRow
from gateway.creditfile.tables import enterprise
from gateway.disclosure.tables import DisclosureRow
from gateway.pages.i18n import Translated


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCard:
    """A client's public details."""

    client_id: str
    kind: str
    name: Translated
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseCard:
    """An enterprise as in page headers."""

    uscc: str
    name: str
    kind: str
    status: str

    @property
    def is_individual_business(self) -> bool:
        """True for an individual business, whose operator is a natural person."""
        return self.kind == "individual_business"


async def find_client(connection: AsyncConnection, client_id: str) -> ClientCard | None:
    """The client with this id."""
    return (await find_clients(connection, [client_id])).get(client_id)


async def find_clients(connection: AsyncConnection, ids: Iterable[str]) -> Mapping[str, ClientCard]:
    """The clients with these ids."""
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


async def clients_of_consents(
    connection: AsyncConnection, uscc: str, consent_ids: Collection[str]
) -> dict[str, Translated]:
    """The names of the clients of these consents of one enterprise, by consent."""
    found = await connection.execute(
        select(consents.c.consent_id, consents.c.client_id).where(
            consents.c.uscc == uscc, consents.c.consent_id.in_(sorted(consent_ids))
        )
    )
    client_of = {row.consent_id: row.client_id for row in found}
    clients = await find_clients(connection, client_of.values())
    return {consent_id: clients[client_id].name for consent_id, client_id in client_of.items()}


async def find_enterprise(connection: AsyncConnection, uscc: str) -> EnterpriseCard | None:
    """The enterprise with this USCC."""
    return next(iter(await find_enterprises(connection, [uscc])), None)


async def enterprise_or_uscc(connection: AsyncConnection, uscc: str) -> EnterpriseCard:
    """The enterprise with this USCC; an unknown one is named by it."""
    card = await find_enterprise(connection, uscc)
    return card or EnterpriseCard(uscc=uscc, name=uscc, kind="", status="")


async def find_enterprises(
    connection: AsyncConnection, usccs: Iterable[str]
) -> list[EnterpriseCard]:
    """The known ones of these enterprises, ordered by name."""
    found = await connection.execute(
        select(enterprise.c.uscc, enterprise.c.name, enterprise.c.kind, enterprise.c.status)
        .where(enterprise.c.uscc.in_(sorted(set(usccs))))
        .order_by(enterprise.c.name, enterprise.c.uscc),
    )
    return [EnterpriseCard(**row._asdict()) for row in found]


async def count_disclosures(connection: AsyncConnection, uscc: str, *, start: datetime) -> int:
    """The number of disclosures and refused attempts from `start` on."""
    found = await connection.execute(
        select(func.count())
        .select_from(DisclosureRow)
        .where(col(DisclosureRow.uscc) == uscc, col(DisclosureRow.at) >= start),
    )
    return found.scalar_one()


async def last_uses(
    connection: AsyncConnection, uscc: str, consent_ids: Iterable[str]
) -> dict[str, datetime]:
    """The time of the last disclosure under each of these consents of one enterprise."""
    found = await connection.execute(
        select(col(DisclosureRow.consent_id), func.max(col(DisclosureRow.at)))
        .where(
            col(DisclosureRow.uscc) == uscc,
            col(DisclosureRow.consent_id).in_(sorted(consent_ids)),
            col(DisclosureRow.outcome) == "told",
        )
        .group_by(col(DisclosureRow.consent_id))
    )
    return {consent_id: at for consent_id, at in found if consent_id}
