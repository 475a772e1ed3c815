"""Where an enterprise's notices go. Each function asks one question; none commits.

What a former legal representative has named counts no more, but for the notice of the change itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.db.statements import Statement
from gateway.notices.tables import NoticePlaceRow

MOST: Final = 5
"""Places of one enterprise, and new ones in a day: nobody's mailbox is flooded through us."""
LINK_LASTS: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """One address, sealed."""

    uscc: str
    place_id: str
    channel: str
    address: bytes
    added_at: datetime
    confirmed_at: datetime | None
    outdated: bool
    """Whether it is a former legal representative's."""


_PLACES: Final = Statement("""
    SELECT p.uscc, p.place_id, p.channel, p.address, p.added_at, p.confirmed_at,
           coalesce(p.added_at <= c.changed_at, false) AS outdated
      FROM notice_place p LEFT JOIN representative_change c ON c.uscc = p.uscc
     WHERE p.uscc = :uscc AND p.removed_at IS NULL
     ORDER BY p.added_at, p.place_id""")


async def of_enterprise(connection: AsyncConnection, uscc: str) -> list[ContactPoint]:
    """All that were not removed, the oldest first."""
    return [
        ContactPoint(**row._asdict()) for row in await connection.execute(_PLACES, {"uscc": uscc})
    ]


async def count_since(connection: AsyncConnection, uscc: str, since: datetime) -> int:
    """How many were added since then, removed ones too."""
    found = await connection.execute(
        select(func.count())
        .select_from(NoticePlaceRow)
        .where(col(NoticePlaceRow.uscc) == uscc, col(NoticePlaceRow.added_at) > since)
    )
    return found.scalar_one()


async def add(  # what a place is made of
    connection: AsyncConnection,
    place: ContactPoint,
    *,
    link_digest: bytes,
    by: str,
    token_digest: bytes,
) -> None:
    """Keep a new one; notices go there once it is confirmed."""
    await connection.execute(
        insert(NoticePlaceRow).values(
            uscc=place.uscc,
            place_id=place.place_id,
            channel=place.channel,
            address=place.address,
            link_digest=link_digest,
            added_by=by,
            added_token_digest=token_digest,
            added_at=place.added_at,
        )
    )


async def confirm(  # what confirming is made of
    connection: AsyncConnection,
    uscc: str,
    place_id: str,
    *,
    link_digest: bytes,
    by: str,
    token_digest: bytes,
    now: datetime,
) -> bool:
    """Confirm it by its link, once and in time."""
    if "\0" in place_id:
        return False
    confirmed = await connection.execute(
        update(NoticePlaceRow)
        .where(
            col(NoticePlaceRow.uscc) == uscc,
            col(NoticePlaceRow.place_id) == place_id,
            col(NoticePlaceRow.link_digest) == link_digest,
            col(NoticePlaceRow.confirmed_at).is_(None),
            col(NoticePlaceRow.removed_at).is_(None),
            col(NoticePlaceRow.added_at) > now - LINK_LASTS,
        )
        .values(confirmed_at=now, confirmed_by=by, confirmed_token_digest=token_digest)
    )
    return confirmed.rowcount == 1


async def remove(  # what removing is made of
    connection: AsyncConnection,
    uscc: str,
    place_id: str,
    *,
    by: str,
    token_digest: bytes,
    now: datetime,
) -> bool:
    """Send nothing there any more; the address itself is forgotten."""
    if "\0" in place_id:
        return False
    removed = await connection.execute(
        update(NoticePlaceRow)
        .where(
            col(NoticePlaceRow.uscc) == uscc,
            col(NoticePlaceRow.place_id) == place_id,
            col(NoticePlaceRow.removed_at).is_(None),
        )
        .values(removed_at=now, removed_by=by, removed_token_digest=token_digest, address=None)
    )
    return removed.rowcount == 1


async def one_at_a_time(connection: AsyncConnection, uscc: str) -> None:
    """Let nobody else add a place to this enterprise until the transaction ends."""
    await connection.execute(_LOCK, {"name": f"notice_place {uscc}"})


_LOCK: Final = Statement("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
