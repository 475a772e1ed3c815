"""Consent writes with their log leaf: consent, event, salts and leaf in the caller's transaction.

An import rule forbids `consent.writer` to any other module, so that no event lacks its leaf.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from consent import Consent, Person, Status, Transition, end_with, store, writer
from gateway.db.statements import Statement
from gateway.disclosure import withdrawal_notices
from gateway.disclosure.consent_leaf import (
    KeptConsent,
    Salts,
    kept_leaf_hash,
    kept_leaf_id,
    leaf_hash,
    leaf_id,
    new_salts,
)
from gateway.disclosure.tables import ConsentLeafRow
from gateway.identity.tables import ConsentKeptRow

_KEEP_SALTS: Final = Statement("""
    INSERT INTO consent_leaf (uscc, leaf_id, salt, person_salt, leaf_hash)
    VALUES (:uscc, :leaf_id, :salt, :person_salt, :leaf_hash)""")
_ADD: Final = Statement("""
    INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
    VALUES (:uscc, :leaf_id, :leaf_hash, :at)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLeaf:
    """A leaf as it entered the log, and what recomputes it."""

    leaf_id: str
    leaf_hash: bytes
    salts: Salts


async def insert(connection: AsyncConnection, asked: Transition) -> None:
    """Insert a new consent, its first event and that event's leaf."""
    await writer.insert(connection, asked.consent, asked.event)
    await _add(connection, asked)


async def save(connection: AsyncConnection, previous: Consent, changed: Transition) -> bool:
    """Replace the `previous` state by the changed one; false, and no leaf, if that is outdated.

    Writes the client's notices; requests to amend a withdrawn consent end with it.
    """
    if not await writer.save(connection, previous, changed.consent, changed.event):
        return False
    await _add(connection, changed)
    await withdrawal_notices.notify_changed_consent(connection, previous, changed)
    if changed.consent.status is Status.WITHDRAWN:
        await _end_amendments(connection, changed)
    return True


async def _end_amendments(connection: AsyncConnection, ended: Transition) -> None:
    over = ended.consent
    for asked in await store.amendments_of(connection, over.uscc, over.consent_id):
        gone = end_with(asked, ended)
        if isinstance(gone, Transition):
            await save(connection, asked, gone)


async def keep_inherited(
    connection: AsyncConnection, held: Consent, *, person: Person, now: datetime
) -> None:
    """Write a new representative's decision to keep a consent; a repetition overwrites it."""
    decided = {
        "kept_at": now,
        "subject": person.subject,
        "identity_token_digest": person.identity_token_digest,
    }
    await connection.execute(
        insert_or(ConsentKeptRow)
        .values(uscc=held.uscc, consent_id=held.consent_id, **decided)
        .on_conflict_do_update(index_elements=["uscc", "consent_id"], set_=decided)
    )
    kept = KeptConsent(
        actor=person.subject, identity_token_digest=person.identity_token_digest, at=now
    )
    salts = new_salts()
    leaf = WrittenLeaf(
        leaf_id=kept_leaf_id(held.consent_id, kept),
        leaf_hash=kept_leaf_hash(held, kept, salts),
        salts=salts,
    )
    await _write(connection, held.uscc, leaf, now)


async def read_kept(connection: AsyncConnection, held: Consent) -> KeptConsent | None:
    """The last decision to keep this consent, if there is one."""
    table = ConsentKeptRow
    found = await connection.execute(
        select(col(table.subject), col(table.identity_token_digest), col(table.kept_at)).where(
            col(table.uscc) == held.uscc, col(table.consent_id) == held.consent_id
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return KeptConsent(
        actor=row.subject, identity_token_digest=row.identity_token_digest, at=row.kept_at
    )


async def read_leaves(
    connection: AsyncConnection, uscc: str, names: Collection[str]
) -> Mapping[str, WrittenLeaf]:
    """The leaves with these ids; those whose salts were erased are missing."""
    table = ConsentLeafRow
    found = await connection.execute(
        select(
            col(table.leaf_id), col(table.leaf_hash), col(table.salt), col(table.person_salt)
        ).where(col(table.uscc) == uscc, col(table.leaf_id).in_(names))
    )
    return {
        name: WrittenLeaf(leaf_id=name, leaf_hash=digest, salts=Salts(row=salt, person=person))
        for name, digest, salt, person in found
    }


async def _add(connection: AsyncConnection, changed: Transition) -> None:
    salts, event = new_salts(), changed.event
    leaf = WrittenLeaf(
        leaf_id=leaf_id(event), leaf_hash=leaf_hash(changed.consent, event, salts), salts=salts
    )
    await _write(connection, event.uscc, leaf, event.at)


async def _write(connection: AsyncConnection, uscc: str, leaf: WrittenLeaf, now: datetime) -> None:
    values = {
        "uscc": uscc,
        "leaf_id": leaf.leaf_id,
        "salt": leaf.salts.row,
        "person_salt": leaf.salts.person,
        "leaf_hash": leaf.leaf_hash,
        "at": now,
    }
    await connection.execute(_KEEP_SALTS, values)
    await connection.execute(_ADD, values)
