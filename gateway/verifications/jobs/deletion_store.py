"""Store of verification jobs: deletion of what they hold, and later of their rows; one query per function."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.verifications.jobs.stored_job import COLUMNS, Job, delete_sets, job_of

DELETED_LIFETIME: Final = timedelta(days=90)
_DUE: Final = Statement(f"""
    SELECT {COLUMNS} FROM verification_job
    WHERE expires_at <= :now AND state <> 'deleted'
      AND (held_until IS NULL OR held_until <= :now)
    ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED""")  # noqa: S608
_DELETED: Final = Statement("""
    UPDATE verification_job
    SET state = 'deleted', reason = NULL, resumes_at = NULL, holder = NULL, held_until = NULL,
        purpose = NULL, questions = NULL, manifest = NULL, sealed_manifest = NULL,
        request_digest = NULL, sealed_digest = NULL, tree = '', deletion_id = :deletion_id,
        ended_at = coalesce(ended_at, :now), expires_at = :expires_at
    WHERE job_id = :job_id""")
_FORGET: Final = Statement("""
    DELETE FROM verification_job WHERE state = 'deleted' AND expires_at <= :now""")
_STRAY_SETS: Final = Statement("""
    DELETE FROM verification_job_set s USING verification_job j
    WHERE j.job_id = s.job_id AND s.at < :before AND s.upload_id IS DISTINCT FROM j.upload_id
      AND (j.held_until IS NULL OR j.held_until <= :now)""")


async def lock_due(connection: AsyncConnection, *, now: datetime) -> Job | None:
    """A job that is to be deleted by now, locked."""
    return job_of((await connection.execute(_DUE, {"now": now})).one_or_none())


async def blank(connection: AsyncConnection, job: Job, *, deletion_id: str, now: datetime) -> None:
    """Delete all that a locked job holds; its row stays for a time, with the proof's id."""
    await delete_sets(connection, job.job_id)
    values = {
        "job_id": job.job_id,
        "deletion_id": deletion_id,
        "now": now,
        "expires_at": now + DELETED_LIFETIME,
    }
    await connection.execute(_DELETED, values)


async def forget_deleted(connection: AsyncConnection, *, now: datetime) -> int:
    """Delete the rows of jobs deleted long ago, and sets of uploads that broke off."""
    strays = {"before": now - timedelta(hours=1), "now": now}
    gone = (await connection.execute(_STRAY_SETS, strays)).rowcount
    return gone + (await connection.execute(_FORGET, {"now": now})).rowcount
