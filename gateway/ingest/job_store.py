"""Store of file ingest jobs; progress is written in the transaction that merges a chunk.

A job is identified by source, dataset and the file's SHA-256. A session-level advisory lock marks
the process that works on it, and ends with that process.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.engine import to_json
from gateway.db.locks import LockNamespace, count_held, try_session_lock_named
from gateway.db.statements import Statement
from gateway.disclosure.ids import new_id
from gateway.ingest.readers.decompression import FileRefused, open_regular_file

_PIECE: Final = 1 << 20

RUNNING: Final = "running"
DONE: Final = "done"
STOPPED: Final = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file of one source being ingested into one dataset; counts are rows."""

    job_id: str
    source_id: str
    dataset: str
    file_digest: bytes
    file_name: str
    file_bytes: int
    encoding: str
    sheet: str | None
    chunk_rows: int
    state: str
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    passed_over: int
    """Rows of natural persons, of which nothing is kept."""
    ignored_columns: Sequence[str]
    """Columns of the file that are not kept."""
    warnings: Mapping[str, int]
    rejects_bytes: int
    """Committed length of the list of rejected rows."""
    masked_bytes: int
    """Committed length of the list of warnings."""
    sentence: str | None
    sentence_zh: str | None
    catalogue_version: str
    started_at: datetime
    moved_at: datetime


_BEGIN: Final = Statement("""
INSERT INTO intake_job (job_id, source_id, dataset, file_digest, file_name, file_bytes, encoding,
       sheet, chunk_rows, state, rows, created, updated, unchanged, rejected, warnings, rejects_bytes,
       masked_bytes,       catalogue_version, started_at, moved_at)
VALUES (:job_id, :source_id, :dataset, :file_digest, :file_name, :file_bytes, :encoding,
        :sheet, :chunk_rows, 'running', 0, 0, 0, 0, 0, '{}', 0, 0, :catalogue_version, :now, :now)
ON CONFLICT (source_id, dataset, file_digest) DO NOTHING""")
_FIND: Final = Statement("""
SELECT * FROM intake_job
 WHERE source_id = :source_id AND dataset = :dataset AND file_digest = :file_digest""")
_ANEW: Final = Statement("""
UPDATE intake_job
   SET state = 'running', rows = 0, created = 0, updated = 0, unchanged = 0, rejected = 0,
       passed_over = 0, ignored_columns = '[]', warnings = '{}', rejects_bytes = 0, masked_bytes = 0,
       sentence = NULL, sentence_zh = NULL, encoding = :encoding, sheet = :sheet,
       chunk_rows = :chunk_rows, catalogue_version = :catalogue_version, started_at = :now,
       moved_at = :now
 WHERE job_id = :job_id""")
_MOVE: Final = Statement("""
UPDATE intake_job
   SET rows = rows + :rows, created = created + :created, updated = updated + :updated,
       unchanged = unchanged + :unchanged, rejected = rejected + :rejected,
       passed_over = passed_over + :passed_over, ignored_columns = CAST(:ignored AS jsonb),
       rejects_bytes = :rejects_bytes, masked_bytes = :masked_bytes,
       moved_at = :now, state = 'running', sentence = NULL, sentence_zh = NULL,
       warnings = warnings || (
         SELECT coalesce(jsonb_object_agg(
                  m.key, coalesce(CAST(warnings ->> m.key AS bigint), 0)
                         + CAST(m.value AS bigint)), '{}')
           FROM jsonb_each_text(CAST(:warnings AS jsonb)) AS m)
 WHERE job_id = :job_id AND rows = :before
RETURNING rows""")
_END: Final = Statement("""
UPDATE intake_job
   SET state = :state, sentence = :sentence, sentence_zh = :sentence_zh, moved_at = :now
 WHERE job_id = :job_id""")
_OUTCOMES: Final = ("created", "updated", "unchanged", "rejected")


class JobConflictError(Exception):
    """Another process has advanced this job; nothing of this chunk was stored."""


def digest_of_file(path: Path, on_progress: Callable[[int], None] = lambda _: None) -> bytes:
    """SHA-256 of the file; `on_progress` receives the bytes read since the last call."""
    digest = hashlib.sha256()
    try:
        with open_regular_file(path) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                on_progress(len(piece))
    except OSError as error:
        kind = type(error).__name__
        raise FileRefused(
            f"The file cannot be read ({kind}).", f"无法读取文件（{kind}）。"
        ) from None
    return digest.digest()


async def try_lock_job(connection: AsyncConnection, key: Mapping[str, Any]) -> bool:
    """Lock a job for this connection's session; false if another session works on it."""
    name = f"{key['source_id']}|{key['dataset']}|{key['file_digest'].hex()}"
    return await try_session_lock_named(connection, LockNamespace.INGEST_JOB, name)


async def count_running(connection: AsyncConnection) -> int:
    """Number of files being ingested now, by any process."""
    return await count_held(connection, LockNamespace.INGEST_JOB)


async def find_job(connection: AsyncConnection, key: Mapping[str, Any]) -> Job | None:
    """The job of this source, dataset and digest, if there is one."""
    row = (await connection.execute(_FIND, key)).mappings().one_or_none()
    return None if row is None else Job(**row)


async def create_job(
    connection: AsyncConnection, values: Mapping[str, Any], *, now: datetime
) -> Job:
    """The job, created if it does not exist."""
    await connection.execute(_BEGIN, {**values, "job_id": new_id("job"), "now": now})
    return await get_job(connection, values)


async def restart_job(
    connection: AsyncConnection, job: Job, values: Mapping[str, Any], *, now: datetime
) -> Job:
    """Reset the job to its first row."""
    await connection.execute(_ANEW, {**values, "job_id": job.job_id, "now": now})
    return await get_job(connection, values)


async def add_progress(
    connection: AsyncConnection,
    job: Job,
    *,
    rows: int,
    counts: Mapping[str, int],
    warnings: Mapping[str, int],
    passed_over: int,
    ignored_columns: Sequence[str],
    rejects_bytes: int,
    masked_bytes: int,
    now: datetime,
) -> Job:
    """Add a chunk's progress, in the transaction that merged it."""
    values = {
        "job_id": job.job_id,
        "before": job.rows,
        "rows": rows,
        **{name: counts.get(name, 0) for name in _OUTCOMES},
        "rejects_bytes": rejects_bytes,
        "masked_bytes": masked_bytes,
        "warnings": to_json(dict(warnings)),
        "passed_over": passed_over,
        "ignored": to_json(list(ignored_columns)),
        "now": now,
    }
    found = await connection.execute(_MOVE, values)
    if found.scalar_one_or_none() is None:
        raise JobConflictError
    return await get_job(connection, job_key(job))


async def get_job(connection: AsyncConnection, key: Mapping[str, Any]) -> Job:
    """The job; raises `JobConflictError` if it is gone."""
    found = await find_job(connection, key)
    if found is None:
        raise JobConflictError
    return found


async def end_job(
    connection: AsyncConnection, job: Job, refused: FileRefused | None, *, now: datetime
) -> None:
    """Mark a job as done, or as stopped with the sentence why."""
    values = {
        "job_id": job.job_id,
        "state": DONE if refused is None else STOPPED,
        "sentence": None if refused is None else refused.en,
        "sentence_zh": None if refused is None else refused.zh,
        "now": now,
    }
    await connection.execute(_END, values)


def job_key(job: Job) -> dict[str, Any]:
    """Identifying columns of a job."""
    return {"source_id": job.source_id, "dataset": job.dataset, "file_digest": job.file_digest}
