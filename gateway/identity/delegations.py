"""Delegations in the database. Each function asks one question; none commits."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.db.statements import Statement
from gateway.identity.permissions import Delegation, Permission
from gateway.identity.tables import DelegationLocatorRow, DelegationRow

CHANGED: Final = "representative_changed"
"""Who ended it, where nobody did by hand."""
MOST: Final = 200
_COLUMNS: Final = tuple(field.name for field in fields(Delegation))
_REPRESENTATIVE: Final = Statement(
    "SELECT legal_representative FROM enterprise WHERE uscc = :uscc FOR SHARE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelegation:
    """A delegation, and the sealed name of the delegate."""

    delegation: Delegation
    name: bytes


async def representative_of(connection: AsyncConnection, uscc: str) -> str | None:
    """Who is the legal representative, and will be until this transaction ends."""
    found = await connection.execute(_REPRESENTATIVE, {"uscc": uscc})
    return found.scalar_one_or_none()


async def add(
    connection: AsyncConnection,
    made: Delegation,
    *,
    name: bytes,
    token_digest: bytes,
    invitation_digest: bytes,
) -> None:
    """Keep a new one; `IntegrityError` where one with this id is there."""
    row = {name: getattr(made, name) for name in _COLUMNS}
    await connection.execute(
        insert(DelegationRow).values(
            row
            | {
                "powers": [str(each) for each in made.powers],
                "name": name,
                "appointed_token_digest": token_digest,
            },
        )
    )
    await connection.execute(
        insert(DelegationLocatorRow).values(
            invitation_digest=invitation_digest,
            uscc=made.uscc,
            delegation_id=made.delegation_id,
        )
    )


async def by_invitation(
    connection: AsyncConnection, invitation_digest: bytes
) -> StoredDelegation | None:
    """The delegation that this invitation is for."""
    place = await connection.execute(
        select(col(DelegationLocatorRow.uscc), col(DelegationLocatorRow.delegation_id)).where(
            col(DelegationLocatorRow.invitation_digest) == invitation_digest
        )
    )
    found = place.one_or_none()
    return await one(connection, found.uscc, found.delegation_id) if found else None


async def one(
    connection: AsyncConnection, uscc: str, delegation_id: str
) -> StoredDelegation | None:
    """One of an enterprise's delegations."""
    if "\0" in delegation_id:
        return None
    found = await connection.execute(
        select(*_SELECTED).where(
            col(DelegationRow.uscc) == uscc, col(DelegationRow.delegation_id) == delegation_id
        )
    )
    row = found.mappings().one_or_none()
    return _kept(row) if row else None


async def of_enterprise(connection: AsyncConnection, uscc: str) -> list[StoredDelegation]:
    """An enterprise's delegations, the newest first."""
    found = await connection.execute(
        select(*_SELECTED)
        .where(col(DelegationRow.uscc) == uscc)
        .order_by(col(DelegationRow.appointed_at).desc(), col(DelegationRow.delegation_id))
        .limit(MOST)
    )
    return [_kept(row) for row in found.mappings()]


async def take_up(
    connection: AsyncConnection, accepted: Delegation, *, token_digest: bytes
) -> bool:
    """Bind it to its subject, if nobody has taken it up or ended it a moment earlier."""
    key = (
        col(DelegationRow.uscc) == accepted.uscc,
        col(DelegationRow.delegation_id) == accepted.delegation_id,
    )
    taken = await connection.execute(
        update(DelegationRow)
        .where(
            *key, col(DelegationRow.accepted_at).is_(None), col(DelegationRow.ended_at).is_(None)
        )
        .values(
            subject=accepted.subject,
            accepted_at=accepted.accepted_at,
            accepted_token_digest=token_digest,
        )
    )
    await connection.execute(
        update(DelegationLocatorRow)
        .where(
            col(DelegationLocatorRow.uscc) == accepted.uscc,
            col(DelegationLocatorRow.delegation_id) == accepted.delegation_id,
        )
        .values(subject=accepted.subject)
    )
    return taken.rowcount == 1


async def end(  # what ending is made of
    connection: AsyncConnection,
    uscc: str,
    delegation_id: str,
    *,
    by: str,
    token_digest: bytes,
    now: datetime,
) -> bool:
    """End it, taken up or not; false where it had ended."""
    ended = await connection.execute(
        update(DelegationRow)
        .where(
            col(DelegationRow.uscc) == uscc,
            col(DelegationRow.delegation_id) == delegation_id,
            col(DelegationRow.ended_at).is_(None),
        )
        .values(ended_at=now, ended_by=by, ended_token_digest=token_digest)
    )
    return ended.rowcount == 1


def delegation_of(row: Mapping[Any, Any]) -> Delegation:
    """A delegation from the columns of its row, or from the same as JSON."""
    values = {name: row[name] for name in _COLUMNS}
    moments = {
        name: datetime.fromisoformat(value)
        for name, value in values.items()
        if name.endswith(("_at", "_until")) and isinstance(value, str)
    }
    return Delegation(**values | moments | {"powers": tuple(map(Permission, row["powers"]))})


def _kept(row: Mapping[Any, Any]) -> StoredDelegation:
    return StoredDelegation(delegation=delegation_of(row), name=row["name"])


_SELECTED: Final = tuple(col(getattr(DelegationRow, name)) for name in (*_COLUMNS, "name"))
