"""Statements on batches; the table is local, and none of them names an enterprise."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.disclosure.idempotency import oldest_answer_time
from gateway.disclosure.ids import new_id
from gateway.privacy.field_encryption import Vault
from gateway.transparency.merkle import HASH_BYTES

HOLD_SECONDS: Final = 12.0
"""After which another call takes up a batch whose worker was killed."""

_FORGET_KEY: Final = Statement("""
    UPDATE verification_batch SET key = NULL
     WHERE client_id = CAST(:client_id AS text) AND key = CAST(:key AS text)
       AND created_at < CAST(:before AS timestamptz)""")
_INSERT: Final = Statement("""
    INSERT INTO verification_batch
        (batch_id, client_id, key, declared_digest, marks, prefixes, created_at, holder, held_until)
    VALUES (CAST(:batch_id AS text), CAST(:client_id AS text), CAST(:key AS text),
            CAST(:declared_digest AS bytea), '{}', '{}', CAST(:now AS timestamptz),
            CAST(:holder AS text), now() + make_interval(secs => CAST(:seconds AS double precision)))
    ON CONFLICT (client_id, key) DO NOTHING
    RETURNING batch_id""")
_TAKE_UP: Final = Statement("""
    UPDATE verification_batch
       SET holder = CAST(:holder AS text),
           held_until = now() + make_interval(secs => CAST(:seconds AS double precision))
     WHERE client_id = CAST(:client_id AS text) AND key = CAST(:key AS text)
       AND (held_until IS NULL OR held_until <= now())
    RETURNING batch_id, declared_digest, marks, prefixes""")
_RENEW: Final = Statement("""
    UPDATE verification_batch
       SET held_until = now() + make_interval(secs => CAST(:seconds AS double precision))
     WHERE batch_id = CAST(:batch_id AS text) AND holder = CAST(:holder AS text)""")
_RELEASE: Final = Statement("""
    UPDATE verification_batch SET holder = NULL, held_until = NULL
     WHERE batch_id = CAST(:batch_id AS text) AND holder = CAST(:holder AS text)""")
# A mark that is lost in a crash loses nothing but a conflict that would be noticed earlier.
_MARK: Final = Statement("""
    WITH quick AS (SELECT set_config('synchronous_commit', 'off', true) AS so)
    UPDATE verification_batch
       SET marks = marks || CAST(:line AS bigint), prefixes = prefixes || CAST(:prefix AS bytea)
      FROM quick
     WHERE batch_id = CAST(:batch_id AS text) AND quick.so = 'off'
       AND CAST(:line AS bigint) <> ALL(marks)""")
_FINISH: Final = Statement("""
    UPDATE verification_batch
       SET sealed_manifest = CAST(:manifest AS bytea), numbers = CAST(:numbers AS bigint[]),
           leaves = CAST(:leaves AS bytea)
     WHERE batch_id = CAST(:batch_id AS text)""")
_FINISHED: Final = Statement("""
    SELECT manifest, sealed_manifest, numbers, leaves FROM verification_batch
     WHERE batch_id = CAST(:batch_id AS text) AND client_id = CAST(:client_id AS text)
       AND leaves IS NOT NULL""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBatch:
    """A batch to be answered by this `holder`: a new one, or one that is taken up `again`.

    `prefixes` are the body's digests up to some of its lines, as they were sent first.
    """

    batch_id: str
    holder: str
    again: bool
    prefixes: Mapping[int, bytes]
    declared_digest: bytes | None


class UnderWay:
    """Another call answers this batch at the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedBatch:
    """A batch with its manifest line, its lines' numbers and their leaf hashes."""

    manifest: str
    numbers: Sequence[int]
    leaves: Sequence[bytes]


async def open_batch(
    hot: HotDatabase, client_id: str, key: str | None, declared_digest: bytes | None, now: datetime
) -> OpenBatch | UnderWay:
    """Hold the batch that this client's key stands for; a new one without a key, or after a day."""
    new = {
        "holder": secrets.token_hex(16),
        "seconds": HOLD_SECONDS,
        "batch_id": new_id("bat"),
        "client_id": client_id,
        "key": key,
        "declared_digest": declared_digest,
        "now": now,
        "before": oldest_answer_time(now),
    }
    if key is not None:
        await hot.row(_FORGET_KEY, new)
    if await hot.row(_INSERT, new) is None:
        found = await hot.row(_TAKE_UP, new)
        return UnderWay() if found is None else _again(found, str(new["holder"]))
    return OpenBatch(
        batch_id=str(new["batch_id"]),
        holder=str(new["holder"]),
        again=False,
        prefixes={},
        declared_digest=declared_digest,
    )


async def renew(hot: HotDatabase, batch: OpenBatch) -> None:
    """Hold a batch for longer."""
    values = {"batch_id": batch.batch_id, "holder": batch.holder, "seconds": HOLD_SECONDS}
    await hot.row(_RENEW, values)


async def release(hot: HotDatabase, batch: OpenBatch) -> None:
    """End the hold of a batch."""
    await hot.row(_RELEASE, {"batch_id": batch.batch_id, "holder": batch.holder})


async def mark(hot: HotDatabase, batch_id: str, line: int, prefix: bytes) -> None:
    """Keep the digest of the body up to this line."""
    await hot.row(_MARK, {"batch_id": batch_id, "line": line, "prefix": prefix})


async def finish(
    hot: HotDatabase,
    vault: Vault,
    batch_id: str,
    *,
    manifest: str,
    numbers: Sequence[int],
    leaves: Sequence[bytes],
) -> None:
    """Keep what the lines are shown by."""
    sealed = vault.seal(manifest.encode(), **_manifest_place(batch_id))
    values = {"batch_id": batch_id, "manifest": sealed}
    await hot.row(_FINISH, {**values, "numbers": numbers, "leaves": b"".join(leaves)})


async def finished_batch(
    hot: HotDatabase, vault: Vault, client_id: str, batch_id: str
) -> FinishedBatch | None:
    """This client's batch, once it has its manifest."""
    row = await hot.row(_FINISHED, {"client_id": client_id, "batch_id": batch_id})
    if row is None:
        return None
    leaves: bytes = row["leaves"]
    sealed, manifest = row["sealed_manifest"], row["manifest"]
    if sealed is not None:
        manifest = vault.open(sealed, **_manifest_place(batch_id)).decode()
    return FinishedBatch(
        manifest=manifest,
        numbers=row["numbers"],
        leaves=[leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES)],
    )


def _manifest_place(batch_id: str) -> dict[str, str]:
    """The place for which a manifest is encrypted: it holds the request's digest, which can be guessed."""
    return {"table": "verification_batch", "column": "sealed_manifest", "row": batch_id}


def _again(found: asyncpg.Record, holder: str) -> OpenBatch:
    return OpenBatch(
        batch_id=found["batch_id"],
        holder=holder,
        again=True,
        prefixes=dict(zip(found["marks"], found["prefixes"], strict=True)),
        declared_digest=found["declared_digest"],
    )
