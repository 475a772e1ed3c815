"""Contact points: the addresses that receive an enterprise's notices. No function commits.

After a change of legal representative the earlier ones receive only the notice of the change.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.db.locks import lock_text
from gateway.db.statements import Statement
from gateway.notices.tables import NoticePlaceRow

MAX_CONTACT_POINTS: Final = 5
"""Limit per enterprise, and of new ones per day, against flooding mailboxes."""
LINK_LIFETIME: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """One contact point with its encrypted address."""

    uscc: str
    place_id: str
    channel: str
    address: bytes
    added_at: datetime
    confirmed_at: datetime | None
    outdated: bool
    """True where it was added before the last change of legal representative."""


_CONTACT_POINTS: Final = Statement("""
    SELECT p.uscc, p.place_id, p.channel, p.address, p.added_at, p.confirmed_at,
           coalesce(p.added_at <= c.changed_at, false) AS outdated
      FROM notice_place p LEFT JOIN representative_change c ON c.uscc = p.uscc
     WHERE p.uscc = :uscc AND p.removed_at IS NULL
     ORDER BY p.added_at, p.place_id""")


async def list_contact_points(connection: AsyncConnection, uscc: str) -> list[ContactPoint]:
    """The contact points that were not removed, oldest first."""
    return [
        ContactPoint(**row._asdict())
        for row in await connection.execute(_CONTACT_POINTS, {"uscc": uscc})
    ]


async def count_since(connection: AsyncConnection, uscc: str, start: datetime) -> int:
    """The number added after `start`, removed ones included."""
    found = await connection.execute(
        select(func.count())
        .select_from(NoticePlaceRow)
        .where(col(NoticePlaceRow.uscc) == uscc, col(NoticePlaceRow.added_at) > start)
    )
    return found.scalar_one()


async def add(
    connection: AsyncConnection,
    contact_point: ContactPoint,
    *,
    link_digest: bytes,
    actor: str,
    token_digest: bytes,
) -> None:
    """Store an unconfirmed contact point; it receives notices once confirmed."""
    await connection.execute(
        insert(NoticePlaceRow).values(
            uscc=contact_point.uscc,
            place_id=contact_point.place_id,
            channel=contact_point.channel,
            address=contact_point.address,
            link_digest=link_digest,
            added_by=actor,
            added_token_digest=token_digest,
            added_at=contact_point.added_at,
        )
    )


async def confirm(
    connection: AsyncConnection,
    uscc: str,
    place_id: str,
    *,
    link_digest: bytes,
    actor: str,
    token_digest: bytes,
    now: datetime,
) -> bool:
    """Confirm by the link's digest, once and within its lifetime; `False` otherwise."""
    return await _update(
        connection,
        uscc,
        place_id,
        col(NoticePlaceRow.link_digest) == link_digest,
        col(NoticePlaceRow.confirmed_at).is_(None),
        col(NoticePlaceRow.added_at) > now - LINK_LIFETIME,
        confirmed_at=now,
        confirmed_by=actor,
        confirmed_token_digest=token_digest,
    )


async def remove(
    connection: AsyncConnection,
    uscc: str,
    place_id: str,
    *,
    actor: str,
    token_digest: bytes,
    now: datetime,
) -> None:
    """Remove a contact point and delete its address."""
    await _update(
        connection,
        uscc,
        place_id,
        removed_at=now,
        removed_by=actor,
        removed_token_digest=token_digest,
        address=None,
    )


async def _update(
    connection: AsyncConnection, uscc: str, place_id: str, *conditions: Any, **values: Any
) -> bool:
    """Change a contact point that is not removed and fits; `False` if there is none."""
    if "\0" in place_id:
        return False
    changed = await connection.execute(
        update(NoticePlaceRow)
        .where(
            col(NoticePlaceRow.uscc) == uscc,
            col(NoticePlaceRow.place_id) == place_id,
            col(NoticePlaceRow.removed_at).is_(None),
            *conditions,
        )
        .values(**values)
    )
    return changed.rowcount == 1


async def lock_contact_points(connection: AsyncConnection, uscc: str) -> None:
    """Serialise additions for this enterprise until the transaction ends."""
    await lock_text(connection, f"notice_place {uscc}")
