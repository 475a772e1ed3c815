"""Store of verification jobs, the worker's side: claims, sets, progress and ends; one query per function.

Answering needs a hold that expires, so that another worker can take over. What a holder writes is written
only while it still holds the job.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.verifications.jobs.frontier import Frontier
from gateway.verifications.jobs.lifecycle import PauseReason, StopReason, end, wait_until
from gateway.verifications.jobs.stored_job import COLUMNS, Job, SealedSet, job_of, set_phase

_GIVE_UP: Final = Statement("""
    UPDATE verification_job SET held_until = :retry_at WHERE job_id = :job_id AND holder = :holder""")
_COUNT_FAILURE: Final = Statement("""
    UPDATE verification_job SET attempts = attempts + 1 WHERE job_id = :job_id""")
_DELETE_UNTOLD: Final = Statement("""
    WITH gone AS (DELETE FROM verification_job_set WHERE job_id = :job_id AND told = 0)
    UPDATE verification_job_set SET asked = NULL WHERE job_id = :job_id AND asked IS NOT NULL""")
# Round robin: the client that was served longest ago, then its job that was; one set of a client at a
# time. `again`: the worker that held it has gone, and may have committed lines of its set.
_CLAIM: Final = Statement(f"""
    WITH due AS (
        SELECT j.job_id AS due_id, j.holder IS NOT NULL AS again FROM verification_job j
        WHERE (j.state = 'running' OR (j.state = 'paused' AND j.resumes_at <= :now))
          AND (j.held_until IS NULL OR j.held_until <= :now)
          AND NOT EXISTS (SELECT FROM verification_job o
                          WHERE o.client_id = j.client_id AND o.held_until > :now
                            AND o.state IN ('running', 'paused'))
        ORDER BY (SELECT max(o.served_at) FROM verification_job o
                  WHERE o.client_id = j.client_id) NULLS FIRST,
                 j.served_at NULLS FIRST, j.created_at, j.job_id
        LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE verification_job
    SET holder = :holder, held_until = :until, served_at = :now,
        state = 'running', reason = NULL, resumes_at = NULL,
        ends_at = coalesce(ends_at, CAST(:ends_at AS timestamptz))
    FROM due WHERE job_id = due_id
    RETURNING {COLUMNS}, again""")  # noqa: S608
_NEXT_SET: Final = Statement("""
    SELECT first_line, lines, asked, answers FROM verification_job_set
    WHERE job_id = :job_id AND upload_id = :upload_id AND first_line = :first_line""")
_HELD: Final = Statement(f"""
    SELECT {COLUMNS} FROM verification_job
    WHERE job_id = :job_id AND holder = :holder AND state <> 'deleted' FOR UPDATE""")  # noqa: S608
_ADVANCE: Final = Statement("""
    UPDATE verification_job
    SET answered = :answered, completed = :completed, problems = :problems, tree = :tree,
        attempts = :attempts, ends_at = CAST(:ends_at AS timestamptz)
    WHERE job_id = :job_id""")
_STORE_SET: Final = Statement("""
    UPDATE verification_job_set
    SET told = :told, answers = :answers,
        asked = CASE WHEN CAST(:told AS integer) < lines THEN asked END
    WHERE job_id = :job_id AND upload_id = :upload_id AND first_line = :first_line""")
_END: Final = Statement("""
    UPDATE verification_job
    SET state = :state, reason = :reason, resumes_at = NULL, sealed_manifest = :manifest, ended_at = :now,
        ends_at = NULL, expires_at = :expires_at
    WHERE job_id = :job_id""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A job that this worker holds; `again` where lines of its set may have been committed before."""

    job: Job
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProgress:
    """The answers of a set, sealed, with the job's counts and tree after them."""

    first_line: int
    told: int
    answers: bytes
    answered: int
    completed: int
    problems: int
    tree: Frontier
    attempts: int
    ends_at: datetime | None
    """When the job is stopped unless a line is answered before."""


async def claim_next(
    connection: AsyncConnection, *, holder: str, seconds: float, ends_at: datetime, now: datetime
) -> Claimed | None:
    """Claim the job whose turn it is, or one whose claim has expired."""
    values = {
        "holder": holder,
        "until": now + timedelta(seconds=seconds),
        "ends_at": ends_at,
        "now": now,
    }
    row = (await connection.execute(_CLAIM, values)).one_or_none()
    if row is None:
        return None
    columns = row._asdict()
    again = columns.pop("again")
    job = Job(**columns)
    return Claimed(job=job, again=again or job.attempts > 0)


async def next_set(connection: AsyncConnection, job: Job) -> SealedSet | None:
    """The first set of a job that is not answered whole."""
    values = {
        "job_id": job.job_id,
        "upload_id": job.upload_id,
        "first_line": job.completed + 1,
    }
    row = (await connection.execute(_NEXT_SET, values)).one_or_none()
    return None if row is None else SealedSet(**row._asdict())


async def lock_held(connection: AsyncConnection, job: Job, *, holder: str) -> Job | None:
    """The job, locked, if this worker still holds it and it was not deleted."""
    found = await connection.execute(_HELD, {"job_id": job.job_id, "holder": holder})
    return job_of(found.one_or_none())


async def advance(connection: AsyncConnection, job: Job, found: SetProgress) -> None:
    """Store answers of a locked job with its progress; lines that are all answered are deleted."""
    await connection.execute(
        _STORE_SET,
        {
            "job_id": job.job_id,
            "upload_id": job.upload_id,
            "first_line": found.first_line,
            "told": found.told,
            "answers": found.answers,
        },
    )
    await connection.execute(
        _ADVANCE,
        {
            "job_id": job.job_id,
            "answered": found.answered,
            "completed": found.completed,
            "problems": found.problems,
            "tree": found.tree.to_bytes(),
            "attempts": found.attempts,
            "ends_at": found.ends_at,
        },
    )


async def pause_until(
    connection: AsyncConnection,
    job: Job,
    reason: PauseReason,
    until: datetime,
    *,
    ends_at: datetime | None,
) -> None:
    """Pause a locked job until a quota fits again, or a failed set is tried again; at most to its end."""
    phase = wait_until(job.phase, reason, until if ends_at is None else min(until, ends_at))
    await set_phase(connection, job.job_id, phase, ends_at=ends_at, expires_at=job.expires_at)


async def end_job(
    connection: AsyncConnection,
    job: Job,
    *,
    manifest: bytes,
    reason: StopReason | None,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Record the end of a locked job, with the encrypted manifest of what was answered."""
    phase = end(job.phase, reason)
    values = {
        "job_id": job.job_id,
        "state": phase.state,
        "reason": phase.reason,
        "manifest": manifest,
        "expires_at": expires_at,
        "now": now,
    }
    await connection.execute(_END, values)
    await connection.execute(_DELETE_UNTOLD, {"job_id": job.job_id})


async def give_up(
    connection: AsyncConnection, job_id: str, *, holder: str, retry_at: datetime
) -> None:
    """End a hold whose work was cut off: whoever takes the job next knows it by the former holder."""
    await connection.execute(_GIVE_UP, {"job_id": job_id, "holder": holder, "retry_at": retry_at})


async def count_failure(connection: AsyncConnection, job: Job) -> None:
    """Count a failed attempt of a locked job."""
    await connection.execute(_COUNT_FAILURE, {"job_id": job.job_id})
