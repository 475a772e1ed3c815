"""Delegations in the database; no function commits."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.db.statements import Statement
from gateway.identity.permissions import Delegation, Permission
from gateway.identity.tables import DelegationLocatorRow, DelegationRow

REPRESENTATIVE_CHANGED: Final = "representative_changed"
"""`ended_by` of a delegation that a change of the legal representative has ended."""
MOST_LISTED: Final = 200
_COLUMNS: Final = tuple(field.name for field in fields(Delegation))
_REPRESENTATIVE: Final = Statement(
    "SELECT legal_representative FROM enterprise WHERE uscc = :uscc FOR SHARE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelegation:
    """A delegation with the encrypted names of the delegate: as given, and of the person who accepted."""

    delegation: Delegation
    name: bytes
    accepted_name: bytes | None = None


async def representative_of(connection: AsyncConnection, uscc: str) -> str | None:
    """The legal representative, locked against change until this transaction ends."""
    found = await connection.execute(_REPRESENTATIVE, {"uscc": uscc})
    return found.scalar_one_or_none()


async def add(
    connection: AsyncConnection,
    delegation: Delegation,
    *,
    name: bytes,
    token_digest: bytes,
    invitation_digest: bytes,
) -> None:
    """Insert a new delegation; `IntegrityError` where its id is taken."""
    row = {column: getattr(delegation, column) for column in _COLUMNS} | {
        "powers": [str(each) for each in delegation.powers],
        "name": name,
        "appointed_token_digest": token_digest,
    }
    await connection.execute(insert(DelegationRow).values(row))
    await connection.execute(
        insert(DelegationLocatorRow).values(
            invitation_digest=invitation_digest,
            uscc=delegation.uscc,
            delegation_id=delegation.delegation_id,
        )
    )


async def by_invitation(
    connection: AsyncConnection, invitation_digest: bytes
) -> StoredDelegation | None:
    """The delegation of an invitation."""
    locator = await connection.execute(
        select(col(DelegationLocatorRow.uscc), col(DelegationLocatorRow.delegation_id)).where(
            col(DelegationLocatorRow.invitation_digest) == invitation_digest
        )
    )
    found = locator.one_or_none()
    return await find(connection, found.uscc, found.delegation_id) if found else None


async def find(
    connection: AsyncConnection, uscc: str, delegation_id: str
) -> StoredDelegation | None:
    """The delegation of this id of an enterprise."""
    if "\0" in delegation_id:
        return None
    key = _key(DelegationRow, uscc, delegation_id)
    found = await connection.execute(select(*_SELECTED).where(*key))
    row = found.mappings().one_or_none()
    return _stored(row) if row else None


async def for_enterprise(connection: AsyncConnection, uscc: str) -> list[StoredDelegation]:
    """The delegations of an enterprise, the newest first."""
    found = await connection.execute(
        select(*_SELECTED)
        .where(col(DelegationRow.uscc) == uscc)
        .order_by(col(DelegationRow.appointed_at).desc(), col(DelegationRow.delegation_id))
        .limit(MOST_LISTED)
    )
    return [_stored(row) for row in found.mappings()]


async def of_actors(
    connection: AsyncConnection, uscc: str, actors: Collection[str]
) -> list[StoredDelegation]:
    """The delegations of an enterprise that one of these persons accepted or made."""
    found = await connection.execute(
        select(*_SELECTED).where(
            col(DelegationRow.uscc) == uscc,
            or_(
                col(DelegationRow.subject).in_(sorted(actors)),
                col(DelegationRow.appointed_by).in_(sorted(actors)),
            ),
        )
    )
    return [_stored(row) for row in found.mappings()]


async def accept(
    connection: AsyncConnection, accepted: Delegation, *, name: bytes, token_digest: bytes
) -> bool:
    """Bind a delegation to its subject; false where it was accepted or ended a moment earlier."""
    uscc, delegation_id = accepted.uscc, accepted.delegation_id
    updated = await connection.execute(
        update(DelegationRow)
        .where(
            *_key(DelegationRow, uscc, delegation_id),
            col(DelegationRow.accepted_at).is_(None),
            col(DelegationRow.ended_at).is_(None),
        )
        .values(
            subject=accepted.subject,
            accepted_at=accepted.accepted_at,
            accepted_token_digest=token_digest,
            accepted_name=name,
        )
    )
    await connection.execute(
        update(DelegationLocatorRow)
        .where(*_key(DelegationLocatorRow, uscc, delegation_id))
        .values(subject=accepted.subject)
    )
    return updated.rowcount == 1


async def end(
    connection: AsyncConnection,
    uscc: str,
    delegation_id: str,
    *,
    actor: str,
    token_digest: bytes,
    now: datetime,
) -> bool:
    """End a delegation, accepted or not; false where it had ended."""
    ended = await connection.execute(
        update(DelegationRow)
        .where(*_key(DelegationRow, uscc, delegation_id), col(DelegationRow.ended_at).is_(None))
        .values(ended_at=now, ended_by=actor, ended_token_digest=token_digest)
    )
    return ended.rowcount == 1


def delegation_of(row: Mapping[Any, Any]) -> Delegation:
    """The delegation in the columns of a row, or in the same as JSON.

    A power of a later release gives nothing here.
    """
    values = {name: row[name] for name in _COLUMNS}
    moments = {
        name: datetime.fromisoformat(value)
        for name, value in values.items()
        if name.endswith(("_at", "_until")) and isinstance(value, str)
    }
    powers = tuple(each for each in Permission if each in row["powers"])
    return Delegation(**values | moments | {"powers": powers})


def _key(
    table: type[DelegationRow | DelegationLocatorRow], uscc: str, delegation_id: str
) -> tuple[Any, Any]:
    return col(table.uscc) == uscc, col(table.delegation_id) == delegation_id


def _stored(row: Mapping[Any, Any]) -> StoredDelegation:
    return StoredDelegation(
        delegation=delegation_of(row), name=row["name"], accepted_name=row["accepted_name"]
    )


_SELECTED: Final = tuple(
    col(getattr(DelegationRow, name)) for name in (*_COLUMNS, "name", "accepted_name")
)
