"""Each function asks the database one question; all but clients' names by one enterprise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.clients.tables import ClientRow
from gateway.creditfile.tables import enterprise
from gateway.disclosure.tables import DisclosureRow, TurnedAwayRow
from gateway.pages.languages import Said

PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCard:
    """A client as an enterprise may know it."""

    client_id: str
    kind: str
    name: Said
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseCard:
    """An enterprise as its own people see it at the head of a page."""

    uscc: str
    name: str
    kind: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One row of who looked (R10)."""

    disclosure_id: str
    client_id: str
    kind: str
    outcome: str
    reason: str | None
    purpose: str
    consent_id: str | None
    asked: list[Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """How often a limit refused a client's attempts in one hour (R10, in aggregate)."""

    client_id: str
    kind: str
    reason: str
    hour: datetime
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of looks ended."""

    at: datetime
    disclosure_id: str


_LOOK: Final = tuple(col(getattr(DisclosureRow, name)) for name in Look.__dataclass_fields__)
_TURNED_AWAY: Final = tuple(
    col(getattr(TurnedAwayRow, name)) for name in TurnedAway.__dataclass_fields__
)


async def clients(conn: AsyncConnection, ids: Iterable[str]) -> Mapping[str, ClientCard]:
    """The clients of these ids."""
    found = await conn.execute(
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
            name=Said(row.name_zh, row.name_en),
            contact=row.contact,
        )
        for row in found
    }


async def enterprises(conn: AsyncConnection, usccs: Iterable[str]) -> list[EnterpriseCard]:
    """Those of these enterprises that exist, by name."""
    found = await conn.execute(
        select(enterprise.c.uscc, enterprise.c.name, enterprise.c.kind, enterprise.c.status)
        .where(enterprise.c.uscc.in_(sorted(set(usccs))))
        .order_by(enterprise.c.name, enterprise.c.uscc),
    )
    return [EnterpriseCard(**row._asdict()) for row in found]


async def looks(
    conn: AsyncConnection,
    uscc: str,
    *,
    before: Place | None = None,
    limit: int = PAGE,
) -> list[Look]:
    """Who looked at one enterprise, refused attempts too, the newest first."""
    at, disclosure_id = col(DisclosureRow.at), col(DisclosureRow.disclosure_id)
    asked = select(*_LOOK).where(col(DisclosureRow.uscc) == uscc)
    if before is not None:
        asked = asked.where(tuple_(at, disclosure_id) < tuple_(before.at, before.disclosure_id))
    found = await conn.execute(asked.order_by(at.desc(), disclosure_id.desc()).limit(limit))
    return [Look(**row._asdict()) for row in found]


async def turned_away(conn: AsyncConnection, uscc: str, *, limit: int = PAGE) -> list[TurnedAway]:
    """Which clients a limit refused of late, in sums by the hour, the newest first."""
    found = await conn.execute(
        select(*_TURNED_AWAY)
        .where(col(TurnedAwayRow.uscc) == uscc)
        .order_by(col(TurnedAwayRow.hour).desc(), col(TurnedAwayRow.client_id))
        .limit(limit),
    )
    return [TurnedAway(**row._asdict()) for row in found]


async def count_looks(conn: AsyncConnection, uscc: str, *, since: datetime) -> int:
    """How often somebody looked, or tried to, since then."""
    found = await conn.execute(
        select(func.count())
        .select_from(DisclosureRow)
        .where(col(DisclosureRow.uscc) == uscc, col(DisclosureRow.at) >= since),
    )
    return found.scalar_one()


async def place_of(conn: AsyncConnection, uscc: str, disclosure_id: str) -> Place | None:
    """Where one disclosure of this enterprise stands in its list."""
    found = await conn.execute(
        select(col(DisclosureRow.at)).where(
            col(DisclosureRow.uscc) == uscc,
            col(DisclosureRow.disclosure_id) == disclosure_id,
        ),
    )
    at = found.scalar_one_or_none()
    return Place(at=at, disclosure_id=disclosure_id) if at else None
