"""Writes a proof of deletion in the transaction that deletes, and its leaf into the log."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.retention import deletion_proof
from gateway.creditfile.retention.deletion_proof import DeletedRecord
from gateway.creditfile.retention.tables import DeletionProofRow
from gateway.disclosure.ids import new_id
from gateway.disclosure.tables import PendingLeafRow
from gateway.signing.keys import KeyRing
from gateway.transparency.disclosure_leaf import new_salt

NO_ENTERPRISE: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """Signs proofs of deletion under the catalogue in force."""

    keys: KeyRing
    catalogue: Catalogue
    issuer: str

    async def prove(
        self,
        connection: AsyncConnection,
        gone: Sequence[DeletedRecord],
        *,
        rule: Mapping[str, Any] | None = None,
        now: datetime,
    ) -> str:
        """Write the proof that these versions were deleted, by a rule or the catalogue's; its id."""
        deletion_id, salt = new_id("del"), new_salt()
        signed = deletion_proof.sign_statement(
            gone,
            deletion_id=deletion_id,
            issuer=self.issuer,
            salt=salt,
            catalogue=self.catalogue,
            rule=rule,
            key=self.keys.current(deletion_proof.KEY_USE, now),
            now=now,
        )
        leaf = hashlib.sha256(salt + signed.encode()).digest()
        await connection.execute(
            insert(DeletionProofRow).values(
                deletion_id=deletion_id,
                statement=signed,
                salt=salt,
                commitments=deletion_proof.commitments(salt, gone),
                records=len({each.record_id for each in gone}),
                versions=len(gone),
                leaf_hash=leaf,
                at=now,
            )
        )
        await connection.execute(
            insert(PendingLeafRow).values(
                uscc=NO_ENTERPRISE, disclosure_id=deletion_id, leaf_hash=leaf, at=now
            )
        )
        return deletion_id


async def find_proof(connection: AsyncConnection, deletion_id: str) -> dict[str, Any] | None:
    """A proof as a file, by its id."""
    wanted = select(DeletionProofRow).where(col(DeletionProofRow.deletion_id) == deletion_id)
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        return None
    return deletion_proof.proof_document(row.statement, row.salt, row.commitments)
