"""No event of a consent without its leaf: the one way in which the gateway writes consents.

Consent, event, salts and leaf are written in the transaction of the caller, or none of them. An
import rule keeps everybody else from `consent.writer`.
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
    Salts,
    StoredLeaf,
    kept_leaf_hash,
    kept_leaf_id,
    leaf_hash,
    leaf_id,
    new_salts,
)
from gateway.disclosure.tables import ConsentLeafRow
from gateway.identity.tables import ConsentKeptRow

_ADD: Final = Statement("""
    WITH salted AS (
        INSERT INTO consent_leaf (uscc, leaf_id, salt, person_salt, leaf_hash)
        VALUES (:uscc, :leaf_id, :salt, :person_salt, :leaf_hash))
    INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
    VALUES (:uscc, :leaf_id, :leaf_hash, :at)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLeaf:
    """A leaf as it entered the log, and what recomputes it."""

    leaf_id: str
    leaf_hash: bytes
    salts: Salts


async def insert(connection: AsyncConnection, asked: Transition) -> None:
    """Keep a new consent, its first event and that event's leaf."""
    await writer.insert(connection, asked.consent, asked.event)
    await _add(connection, asked)


async def save(connection: AsyncConnection, before: Consent, changed: Transition) -> bool:
    """Put the changed consent in the place of `before`; false, and no leaf, if another was faster.

    Its client will hear of it, and requests to change one that has ended end with it.
    """
    if not await writer.save(connection, before, changed.consent, changed.event):
        return False
    await _add(connection, changed)
    await withdrawal_notices.of_consent(connection, before, changed)
    if changed.consent.status is Status.WITHDRAWN:
        await _end_amendments(connection, changed)
    return True


async def _end_amendments(connection: AsyncConnection, ended: Transition) -> None:
    over = ended.consent
    for asked in await store.amendments_of(connection, over.uscc, over.consent_id):
        gone = end_with(asked, ended)
        if isinstance(gone, Transition):
            await save(connection, asked, gone)


async def keep(connection: AsyncConnection, held: Consent, *, by: Person, now: datetime) -> None:
    """Write that the new representative lets it go on; a second click writes it again."""
    decided = {
        "kept_at": now,
        "subject": by.subject,
        "identity_token_digest": by.identity_token_digest,
    }
    await connection.execute(
        insert_or(ConsentKeptRow)
        .values(uscc=held.uscc, consent_id=held.consent_id, **decided)
        .on_conflict_do_update(index_elements=["uscc", "consent_id"], set_=decided)
    )
    kept = StoredLeaf(actor=by.subject, identity_token_digest=by.identity_token_digest, at=now)
    salts = new_salts()
    leaf = WrittenLeaf(
        leaf_id=kept_leaf_id(held.consent_id, kept),
        leaf_hash=kept_leaf_hash(held, kept, salts),
        salts=salts,
    )
    await _write(connection, held.uscc, leaf, now)


async def kept_of(connection: AsyncConnection, held: Consent) -> StoredLeaf | None:
    """Who kept this consent last, and when; if anybody did."""
    table = ConsentKeptRow
    found = await connection.execute(
        select(col(table.subject), col(table.identity_token_digest), col(table.kept_at)).where(
            col(table.uscc) == held.uscc, col(table.consent_id) == held.consent_id
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return StoredLeaf(
        actor=row.subject, identity_token_digest=row.identity_token_digest, at=row.kept_at
    )


async def leaves_of(
    connection: AsyncConnection, uscc: str, names: Collection[str]
) -> Mapping[str, WrittenLeaf]:
    """The leaves of these names; none where the salts were erased."""
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
        leaf_id=leaf_id(event),
        leaf_hash=leaf_hash(changed.consent, event, salts),
        salts=salts,
    )
    await _write(connection, event.uscc, leaf, event.at)


async def _write(connection: AsyncConnection, uscc: str, leaf: WrittenLeaf, at: datetime) -> None:
    values = {
        "leaf_id": leaf.leaf_id,
        "salt": leaf.salts.row,
        "person_salt": leaf.salts.person,
        "leaf_hash": leaf.leaf_hash,
    }
    await connection.execute(_ADD, {"uscc": uscc, "at": at, **values})
