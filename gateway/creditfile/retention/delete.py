"""Deletion of expired records with all versions, objection texts, applications for repair
and stored answers.

Each transaction is atomic. Records locked by another transaction are skipped until the next round,
so that deletion cannot deadlock with deliveries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.objections import service
from gateway.creditfile.records import Record
from gateway.creditfile.repairs import store as repairs
from gateway.creditfile.retention import expired_records
from gateway.creditfile.retention.deletion_proof import DeletedRecord
from gateway.creditfile.retention.prove import Prover
from gateway.creditfile.watches.changed_files import note_changed
from gateway.db.statements import Statement
from gateway.signing.keys import KeyRing

ENTERPRISES_PER_TRANSACTION: Final = 20  # enterprises

_LOCK: Final = Statement("""
    SELECT r.record_id FROM record r
    WHERE r.uscc = CAST(:uscc AS text) AND (r.record_id, r.version) IN (
        SELECT over.record_id, over.version
          FROM unnest(CAST(:record_ids AS text[]), CAST(:versions AS integer[]))
            AS over(record_id, version))
    ORDER BY r.record_id FOR UPDATE SKIP LOCKED""")
# Records merged into a deleted one.
_PARTS: Final = Statement("""
    SELECT DISTINCT h.uscc, h.record_id FROM record_history h
    JOIN unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[])) AS gone(uscc, record_id)
        ON h.uscc = gone.uscc AND h.merged_into = gone.record_id""")
_DELETE_HISTORY: Final = Statement("""
    DELETE FROM record_history h
    USING unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[])) AS gone(uscc, record_id)
    WHERE h.uscc = gone.uscc AND h.record_id = gone.record_id
    RETURNING h.record_id, h.version, h.row ->> 'dataset' AS dataset""")
_DELETE: Final = Statement("""
    DELETE FROM record r
    USING unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[])) AS gone(uscc, record_id)
    WHERE r.uscc = gone.uscc AND r.record_id = gone.record_id
    RETURNING r.record_id, r.version, r.dataset""")
_OBJECTED_TO: Final = Statement("""
    SELECT DISTINCT o.uscc, o.record_id FROM objection o
    JOIN unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[])) AS gone(uscc, record_id)
        ON o.uscc = gone.uscc AND o.record_id = gone.record_id
    ORDER BY o.uscc, o.record_id""")
_DELETE_ACTIONS: Final = Statement("""
    DELETE FROM record_action a
    USING unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[])) AS gone(uscc, record_id)
    WHERE a.uscc = gone.uscc AND a.record_id = gone.record_id""")
_APPLIED_FOR: Final = Statement("""
    SELECT a.uscc, a.record_id FROM repair_application a
    JOIN unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[])) AS gone(uscc, record_id)
        ON a.uscc = gone.uscc AND a.record_id = gone.record_id
    UNION SELECT p.uscc, p.record_id FROM repair_platform p
    JOIN unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[])) AS gone(uscc, record_id)
        ON p.uscc = gone.uscc AND p.record_id = gone.record_id
    ORDER BY 1, 2""")
# The row stays: its idempotency key must not be used again.
_BLANK_KEPT: Final = Statement("""
    UPDATE idempotency SET answer = '' WHERE uscc = ANY(CAST(:usccs AS text[]))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleter:
    """Deletes expired records and signs the proofs."""

    engine: AsyncEngine
    keys: KeyRing
    catalogue: Catalogue
    issuer: str

    async def run(self, *, now: datetime, at_most: int | None = None) -> "Deleted":
        """Delete what is due at `now`, of at most `at_most` enterprises."""
        after, looked_at, gone = "", 0, 0
        while True:
            async with self.engine.connect() as connection:
                found = await expired_records.candidate_enterprises(
                    connection, self.catalogue, now=now, after=after
                )
            for begin in range(0, len(found), ENTERPRISES_PER_TRANSACTION):
                if at_most is not None and looked_at >= at_most:
                    return Deleted(records=gone, whole=False)
                usccs = found[begin : begin + ENTERPRISES_PER_TRANSACTION]
                gone += await self._delete(usccs, now=now)
                looked_at += len(usccs)
            if len(found) < expired_records.CANDIDATE_LIMIT:
                return Deleted(records=gone, whole=True)
            after = found[-1]

    async def _delete(self, usccs: Sequence[str], *, now: datetime) -> int:
        async with self.engine.begin() as connection:
            over = await expired_records.find_expired(connection, usccs, self.catalogue, now=now)
            named = await _lock_unchanged(connection, over)
            if not named["usccs"]:
                return 0
            records = len(named["record_ids"])
            for uscc, record_id in (await connection.execute(_PARTS, named)).all():
                named["usccs"].append(uscc)
                named["record_ids"].append(record_id)
            gone = [
                DeletedRecord(*row)
                for sql in (_DELETE_HISTORY, _DELETE)
                for row in await connection.execute(sql, named)
            ]
            await connection.execute(_DELETE_ACTIONS, named)
            for uscc, record_id in (await connection.execute(_OBJECTED_TO, named)).all():
                await service.forget_record(connection, uscc, record_id, now=now)
            for uscc, record_id in (await connection.execute(_APPLIED_FOR, named)).all():
                await repairs.forget_record(connection, uscc, record_id)
            await connection.execute(_BLANK_KEPT, {"usccs": named["usccs"]})
            await note_changed(connection, named["usccs"])
            prover = Prover(keys=self.keys, catalogue=self.catalogue, issuer=self.issuer)
            await prover.prove(connection, gone, now=now)
            return records


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """Number of deleted records, and whether nothing is left."""

    records: int
    whole: bool


async def _lock_unchanged(
    connection: AsyncConnection, over: Sequence[Record]
) -> dict[str, list[Any]]:
    """Lock the records that are unchanged and not locked by another transaction."""
    named: dict[str, list[Any]] = {"usccs": [], "record_ids": []}
    for uscc in sorted({each.uscc for each in over}):
        own = [each for each in over if each.uscc == uscc]
        values = {
            "uscc": uscc,
            "record_ids": [each.record_id for each in own],
            "versions": [each.version for each in own],
        }
        locked = list((await connection.execute(_LOCK, values)).scalars())
        named["usccs"] += [uscc] * len(locked)
        named["record_ids"] += locked
    return named
