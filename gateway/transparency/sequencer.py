"""Sequencer: gives pending leaves their index in the log and signs the checkpoint over them.

One at a time: a batch is one transaction under an advisory lock, so that a failed one changes nothing.
Each statement touches one table, so that pending leaves may be sharded while the log is not.

Nothing is signed before the log was compared with the checkpoints outside the database, or while a
signed one is not stored there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.locks import LockKey, try_lock
from gateway.db.statements import Statement
from gateway.db.unavailable import name_of
from gateway.signing.keys import KeyRing
from gateway.transparency import checkpoints, merkle
from gateway.transparency.publication import Publisher
from gateway.transparency.tiles import Hashes, edge_runs, grow, node_hashes
from gateway.transparency.tree_store import read_hashes_in_transaction

log = structlog.get_logger("gateway.sealer")

MAX_BATCH = 4_000
# A hanging connection must not break the 10 seconds of inclusion promises.
ROUND_TIMEOUT_SECONDS = 5

SIZE = Statement("SELECT max(size) FROM checkpoint")
PENDING = Statement("""
    SELECT uscc, disclosure_id, leaf_hash, at FROM pending_leaf
    ORDER BY at, disclosure_id LIMIT :batch""")
SEALED_BEFORE = Statement("""
    SELECT uscc, disclosure_id FROM log_entry
    WHERE disclosure_id = ANY(CAST(:disclosure_ids AS text[]))""")
ADD_ENTRIES = Statement("""
    INSERT INTO log_entry (index, leaf_hash, uscc, disclosure_id, at)
    SELECT CAST(:size AS bigint) + leaf.place - 1, leaf.leaf_hash, leaf.uscc, leaf.disclosure_id,
           leaf.at
    FROM unnest(CAST(:leaf_hashes AS bytea[]), CAST(:usccs AS text[]),
                CAST(:disclosure_ids AS text[]), CAST(:moments AS timestamptz[]))
        WITH ORDINALITY AS leaf(leaf_hash, uscc, disclosure_id, at, place)""")
ADD_NODES = Statement("""
    INSERT INTO log_node (level, index, hash)
    SELECT * FROM unnest(CAST(:levels AS integer[]), CAST(:indices AS bigint[]),
                         CAST(:hashes AS bytea[]))""")
CLEAR_PENDING = Statement("""
    DELETE FROM pending_leaf WHERE (uscc, disclosure_id) IN (
        SELECT * FROM unnest(CAST(:usccs AS text[]), CAST(:disclosure_ids AS text[])))""")
ADD_CHECKPOINT = Statement("""
    INSERT INTO checkpoint (size, root, note, at) VALUES (:size, :root, :note, :at)""")

Leaves = Sequence[Row[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequencer:
    """Moves pending leaves into the log and signs the new checkpoint."""

    engine: AsyncEngine
    keys: KeyRing
    origin: str
    publisher: Publisher
    number_notices: Callable[[AsyncConnection], Awaitable[object]]
    """Assigns cursors in the change feeds, within the same transaction."""
    now: Callable[[], datetime]
    batch: int = MAX_BATCH

    async def last_round(self) -> None:
        """Sequence the pending leaves at shutdown."""
        try:
            while not self.publisher.status.forked.is_set() and await self.round() == self.batch:
                pass
        except Exception as error:  # noqa: BLE001  # it stays pending
            log.warning("last_round_failed", kind=name_of(error))

    async def round(self) -> int:
        """Sequence one batch and assign feed cursors; how many leaves were taken.

        0 if another sequencer is at it. Raises `LogForkedError` or `StoreError` before any change if the
        log is not consistent with the stores.
        """
        if not await self.publisher.publish():
            return 0
        async with asyncio.timeout(ROUND_TIMEOUT_SECONDS), self.engine.begin() as connection:
            if not await try_lock(connection, LockKey.SEQUENCER):
                return 0
            taken, signed = await self._batch(connection)
        if signed:
            await self.publisher.publish()
        return taken

    async def _batch(self, connection: AsyncConnection) -> tuple[int, bool]:
        """Sequence one batch; how many leaves were taken, and whether a checkpoint was signed."""
        size = (await connection.execute(SIZE)).scalar_one()
        is_new = size is None
        if is_new:
            size = 0
            await self._sign(connection, 0, merkle.EMPTY_ROOT)
        taken = (await connection.execute(PENDING, {"batch": self.batch})).all()
        fresh = await _not_yet_in_log(connection, taken)
        if fresh:
            await self._append(connection, size, fresh)
        if taken:
            await connection.execute(CLEAR_PENDING, _names(taken))
        await self.number_notices(connection)
        return len(taken), is_new or bool(fresh)

    async def _append(self, connection: AsyncConnection, size: int, leaves: Leaves) -> None:
        hashes = await read_hashes_in_transaction(connection, edge_runs(size))
        full = grow(hashes, size, [merkle.leaf_hash(leaf.leaf_hash) for leaf in leaves])
        after = size + len(leaves)
        await connection.execute(
            ADD_ENTRIES,
            {
                "size": size,
                "leaf_hashes": [leaf.leaf_hash for leaf in leaves],
                "moments": [leaf.at for leaf in leaves],
                **_names(leaves),
            },
        )
        if full:
            await connection.execute(ADD_NODES, _columns(full))
        await self._sign(connection, after, merkle.span_root((0, after), node_hashes(hashes)))

    async def _sign(self, connection: AsyncConnection, size: int, root: bytes) -> None:
        now = self.now()
        note = checkpoints.sign_checkpoint(self.origin, size, root, self.keys.current("log", now))
        values = {"size": size, "root": root, "note": note, "at": now}
        await connection.execute(ADD_CHECKPOINT, values)


async def _not_yet_in_log(connection: AsyncConnection, taken: Leaves) -> Leaves:
    """The leaves that are not in the log yet; a repaired shard may give one twice."""
    if not taken:
        return taken
    names = {"disclosure_ids": [leaf.disclosure_id for leaf in taken]}
    sealed = {tuple(row) for row in await connection.execute(SEALED_BEFORE, names)}
    return [leaf for leaf in taken if (leaf.uscc, leaf.disclosure_id) not in sealed]


def _names(leaves: Leaves) -> dict[str, list[str]]:
    return {
        "usccs": [leaf.uscc for leaf in leaves],
        "disclosure_ids": [leaf.disclosure_id for leaf in leaves],
    }


def _columns(full: Hashes) -> dict[str, list[Any]]:
    return {
        "levels": [level for level, _ in full],
        "indices": [index for _, index in full],
        "hashes": list(full.values()),
    }
