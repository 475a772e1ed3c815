"""How far a file has been taken stands in the transaction that took it: nothing is counted twice.

A job is known by its source, its dataset and the digest of its file; whoever works at it holds a
lock of its connection, which ends with the process.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.engine import to_json
from gateway.db.statements import Statement
from gateway.disclosure.ids import new_id
from gateway.ingest.decompression import FileRefused, open_regular_file

_PIECE: Final = 1 << 20
_LOCKS: Final = 0x58514A42  # "XQJB"

RUNNING: Final = "running"
DONE: Final = "done"
STOPPED: Final = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file of one source on its way into one dataset; counted in rows."""

    job_id: str
    source_id: str
    dataset: str
    file_digest: bytes
    file_name: str
    file_bytes: int
    encoding: str
    chunk_rows: int
    state: str
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    warnings: Mapping[str, int]
    rejects_bytes: int
    """How long the list of rejected rows is, as far as it counts."""
    masked_bytes: int
    """And the list of masked numbers."""
    sentence: str | None
    catalogue_version: str
    started_at: datetime
    moved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressUpdate:
    """What one chunk adds to a job."""

    rows: int
    counts: Mapping[str, int]
    warnings: Mapping[str, int]
    rejects_bytes: int
    masked_bytes: int


_BEGIN: Final = Statement("""
INSERT INTO intake_job (job_id, source_id, dataset, file_digest, file_name, file_bytes, encoding,
       chunk_rows, state, rows, created, updated, unchanged, rejected, warnings, rejects_bytes,
       masked_bytes,       catalogue_version, started_at, moved_at)
VALUES (:job_id, :source_id, :dataset, :file_digest, :file_name, :file_bytes, :encoding,
        :chunk_rows, 'running', 0, 0, 0, 0, 0, '{}', 0, 0, :catalogue_version, :now, :now)
ON CONFLICT (source_id, dataset, file_digest) DO NOTHING""")
_FIND: Final = Statement("""
SELECT * FROM intake_job
 WHERE source_id = :source_id AND dataset = :dataset AND file_digest = :file_digest""")
_ANEW: Final = Statement("""
UPDATE intake_job
   SET state = 'running', rows = 0, created = 0, updated = 0, unchanged = 0, rejected = 0,
       warnings = '{}', rejects_bytes = 0, masked_bytes = 0, sentence = NULL, encoding = :encoding,
       chunk_rows = :chunk_rows, catalogue_version = :catalogue_version, started_at = :now,
       moved_at = :now
 WHERE job_id = :job_id""")
_MOVE: Final = Statement("""
UPDATE intake_job
   SET rows = rows + :rows, created = created + :created, updated = updated + :updated,
       unchanged = unchanged + :unchanged, rejected = rejected + :rejected,
       rejects_bytes = :rejects_bytes, masked_bytes = :masked_bytes,
       moved_at = :now, state = 'running', sentence = NULL,
       warnings = warnings || (
         SELECT coalesce(jsonb_object_agg(
                  m.key, coalesce(CAST(warnings ->> m.key AS bigint), 0)
                         + CAST(m.value AS bigint)), '{}')
           FROM jsonb_each_text(CAST(:warnings AS jsonb)) AS m)
 WHERE job_id = :job_id AND rows = :before
RETURNING rows""")
_END: Final = Statement("""
UPDATE intake_job SET state = :state, sentence = :sentence, moved_at = :now
 WHERE job_id = :job_id""")
_OUTCOMES: Final = ("created", "updated", "unchanged", "rejected")
_TRY_LOCK: Final = Statement("SELECT pg_try_advisory_lock(:namespace, hashtext(:name))")
_TAKEN_NOW: Final = Statement("""
SELECT count(*) FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 2 AND CAST(classid AS bigint) = :namespace
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""")


class MovedByAnotherError(Exception):
    """Somebody else has moved this job meanwhile, so nothing of this chunk was kept."""


def digest_of_file(path: Path, on_progress: Callable[[int], None] = lambda _: None) -> bytes:
    """SHA-256 of the file's bytes; `on_progress` hears how many more were read."""
    digest = hashlib.sha256()
    try:
        with open_regular_file(path) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                on_progress(len(piece))
    except OSError as error:
        raise FileRefused(f"The file cannot be read ({type(error).__name__}).") from None
    return digest.digest()


async def try_lock(connection: AsyncConnection, of: Mapping[str, Any]) -> bool:
    """Whether this connection alone may work at the job now; it may until it is closed."""
    name = f"{of['source_id']}|{of['dataset']}|{of['file_digest'].hex()}"
    found = await connection.execute(_TRY_LOCK, {"namespace": _LOCKS, "name": name})
    return bool(found.scalar_one())


async def taken_now(connection: AsyncConnection) -> int:
    """How many files are being taken at this moment, by whichever process."""
    return int((await connection.execute(_TAKEN_NOW, {"namespace": _LOCKS})).scalar_one())


async def find(connection: AsyncConnection, of: Mapping[str, Any]) -> Job | None:
    """The job of this source, dataset and digest."""
    row = (await connection.execute(_FIND, of)).mappings().one_or_none()
    return None if row is None else Job(**row)


async def begin(connection: AsyncConnection, of: Mapping[str, Any], *, now: datetime) -> Job:
    """The job, made where there is none."""
    await connection.execute(_BEGIN, {**of, "job_id": new_id("job"), "now": now})
    return await held(connection, of)


async def begin_anew(
    connection: AsyncConnection, job: Job, of: Mapping[str, Any], *, now: datetime
) -> Job:
    """The same job from its first row on."""
    await connection.execute(_ANEW, {**of, "job_id": job.job_id, "now": now})
    return await held(connection, of)


async def move(
    connection: AsyncConnection, job: Job, moved: ProgressUpdate, *, now: datetime
) -> Job:
    """Count a chunk, in the transaction that took it."""
    found = await connection.execute(
        _MOVE,
        {
            "job_id": job.job_id,
            "before": job.rows,
            "rows": moved.rows,
            **{name: moved.counts.get(name, 0) for name in _OUTCOMES},
            "rejects_bytes": moved.rejects_bytes,
            "masked_bytes": moved.masked_bytes,
            "warnings": to_json(dict(moved.warnings)),
            "now": now,
        },
    )
    if found.scalar_one_or_none() is None:
        raise MovedByAnotherError
    return await held(connection, job_key(job))


async def held(connection: AsyncConnection, of: Mapping[str, Any]) -> Job:
    """The job, which is there."""
    found = await find(connection, of)
    if found is None:
        raise MovedByAnotherError
    return found


async def end(
    connection: AsyncConnection, job: Job, state: str, sentence: str | None, *, now: datetime
) -> None:
    """Say that a job is done, or why it stopped."""
    values = {"job_id": job.job_id, "state": state, "sentence": sentence, "now": now}
    await connection.execute(_END, values)


def job_key(job: Job) -> dict[str, Any]:
    """By what a job is known."""
    return {"source_id": job.source_id, "dataset": job.dataset, "file_digest": job.file_digest}
