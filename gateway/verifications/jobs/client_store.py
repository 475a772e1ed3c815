"""Store of verification jobs, the client's side: jobs, acts, lines, results; one query per function.

A client sees only its own jobs. Receiving lines needs a hold that expires, and keeps them only while it
still has it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.locks import LockNamespace, lock_named
from gateway.db.statements import Statement
from gateway.disclosure.ids import new_id
from gateway.verifications.jobs.lifecycle import ClientAct, JobState, NotNow, act_on
from gateway.verifications.jobs.stored_job import (
    COLUMNS,
    Job,
    SealedSet,
    delete_sets,
    find,
    job_of,
    release,
    set_phase,
)
from gateway.verifications.jobs.tables import VerificationJobRow, VerificationJobSetRow
from gateway.verifications.jobs.template import Template

MAX_JOBS: Final = 20
"""Jobs that a client may have at once, but for deleted ones."""
MAX_KEPT_LINES: Final = 3_000_000
"""Lines of all of them."""
MAX_UPLOADS: Final = 2
"""Uploads of one client under way at once."""
COLLECTED_LIFETIME: Final = timedelta(hours=24)
PAGE: Final = 100
_COUNT: Final = Statement("""
    SELECT count(*) AS jobs, coalesce(sum(lines), 0) AS lines FROM verification_job
    WHERE client_id = :client_id AND state <> 'deleted'""")
_LOCK: Final = Statement(f"""
    SELECT {COLUMNS} FROM verification_job WHERE job_id = :job_id AND client_id = :client_id
    FOR UPDATE""")  # noqa: S608
_LIST: Final = Statement(f"""
    SELECT {COLUMNS} FROM verification_job WHERE client_id = :client_id
    ORDER BY created_at DESC, job_id LIMIT :limit""")  # noqa: S608
_HOLD_FOR_UPLOAD: Final = Statement("""
    UPDATE verification_job SET holder = :holder, held_until = :until
    WHERE job_id = :job_id AND client_id = :client_id AND state IN ('created', 'ready')
      AND (held_until IS NULL OR held_until <= :now)
      AND (SELECT count(*) FROM verification_job o
           WHERE o.client_id = :client_id AND o.state IN ('created', 'ready')
             AND o.held_until > :now) < :most
    RETURNING job_id""")
_FINISH_UPLOAD: Final = Statement("""
    UPDATE verification_job
    SET state = 'ready', upload_id = :upload_id, sealed_digest = :sealed_digest, lines = :lines,
        broken = :broken, uploaded_at = :now, expires_at = :expires_at, holder = NULL, held_until = NULL
    WHERE job_id = :job_id AND holder = :holder AND state IN ('created', 'ready')
    RETURNING job_id""")
_ANSWERS: Final = Statement("""
    SELECT first_line, lines, told, answers FROM verification_job_set
    WHERE job_id = :job_id AND upload_id = :upload_id AND first_line + lines > :after AND told > 0
    ORDER BY first_line LIMIT :limit""")
_COLLECTED: Final = Statement("""
    UPDATE verification_job
    SET collected_at = coalesce(collected_at, :now), expires_at = least(expires_at, :expires_at)
    WHERE job_id = :job_id AND state IN ('done', 'stopped')""")


class TooManyJobs:
    """The client has as many jobs, or lines in them, as it may."""


async def create(
    connection: AsyncConnection,
    client_id: str,
    template: Template | None,
    *,
    expires_at: datetime,
    now: datetime,
) -> Job | TooManyJobs:
    """Create a job without lines."""
    await lock_named(connection, LockNamespace.VERIFICATION_JOBS, client_id)
    held = (await connection.execute(_COUNT, {"client_id": client_id})).one()
    if held.jobs >= MAX_JOBS or held.lines >= MAX_KEPT_LINES:
        return TooManyJobs()
    job_id = new_id("vjb")
    questions = None if template is None else [each.as_json() for each in template.questions]
    await connection.execute(
        insert(VerificationJobRow).values(
            job_id=job_id,
            client_id=client_id,
            state=JobState.CREATED,
            purpose=None if template is None else template.purpose,
            questions=questions,
            lines=0,
            broken=0,
            answered=0,
            completed=0,
            problems=0,
            tree=b"",
            attempts=0,
            created_at=now,
            expires_at=expires_at,
        )
    )
    found = await find(connection, client_id, job_id)
    return found or TooManyJobs()


async def newest(connection: AsyncConnection, client_id: str) -> list[Job]:
    """The client's newest jobs."""
    found = await connection.execute(_LIST, {"client_id": client_id, "limit": PAGE})
    return [Job(**row._asdict()) for row in found]


async def lock_own(connection: AsyncConnection, client_id: str, job_id: str) -> Job | None:
    """The client's own job, locked until the transaction ends."""
    found = await connection.execute(_LOCK, {"job_id": job_id, "client_id": client_id})
    return job_of(found.one_or_none())


async def act(
    connection: AsyncConnection,
    job: Job,
    done: ClientAct,
    *,
    until: datetime,
    now: datetime,
) -> Job | NotNow:
    """Carry out a client's act on a locked job: start, pause, resume.

    At `until` it is stopped if it runs and no line of it could be answered, else deleted.
    """
    phase = act_on(job.phase, done)
    if isinstance(phase, NotNow):
        return phase
    is_going = phase.state is JobState.RUNNING
    await set_phase(
        connection,
        job.job_id,
        phase,
        started_at=now if is_going else None,
        ends_at=until if is_going else None,
        expires_at=None if is_going else until,
    )
    found = await find(connection, job.client_id, job.job_id)
    return found or job


async def hold_for_upload(
    connection: AsyncConnection, job: Job, *, holder: str, until: datetime, now: datetime
) -> bool:
    """Acquire the exclusive right to write the job's lines."""
    await lock_named(connection, LockNamespace.VERIFICATION_JOBS, job.client_id)
    values = {
        "job_id": job.job_id,
        "client_id": job.client_id,
        "holder": holder,
        "until": until,
        "now": now,
        "most": MAX_UPLOADS,
    }
    return (await connection.execute(_HOLD_FOR_UPLOAD, values)).scalar_one_or_none() is not None


async def add_sets(
    connection: AsyncConnection,
    job_id: str,
    upload_id: str,
    sets: Sequence[SealedSet],
    *,
    now: datetime,
) -> None:
    """Store some sets of lines of an upload that is under way."""
    rows = [
        {
            "job_id": job_id,
            "upload_id": upload_id,
            "first_line": each.first_line,
            "lines": each.lines,
            "told": 0,
            "asked": each.asked,
            "at": now,
        }
        for each in sets
    ]
    if rows:
        await connection.execute(insert(VerificationJobSetRow), rows)


async def finish_upload(
    connection: AsyncConnection,
    job: Job,
    *,
    holder: str,
    upload_id: str,
    sealed_digest: bytes,
    lines: int,
    broken: int,
    expires_at: datetime,
    now: datetime,
) -> bool:
    """Make an upload the job's lines, in the place of earlier ones; false if the hold was lost."""
    values = {
        "job_id": job.job_id,
        "holder": holder,
        "upload_id": upload_id,
        "sealed_digest": sealed_digest,
        "lines": lines,
        "broken": broken,
        "expires_at": expires_at,
        "now": now,
    }
    if (await connection.execute(_FINISH_UPLOAD, values)).scalar_one_or_none() is None:
        return False
    await delete_sets(connection, job.job_id, but=upload_id)
    return True


async def drop_upload(connection: AsyncConnection, job: Job, *, holder: str) -> None:
    """Give up an upload: its sets are deleted, those of an earlier upload stay."""
    await delete_sets(connection, job.job_id, but=job.upload_id)
    await release(connection, job.job_id, holder=holder)


async def answers_after(
    connection: AsyncConnection, job: Job, after: int, *, limit: int
) -> list[SealedSet]:
    """The next sets with answers, from the one that holds line `after` + 1 on."""
    values = {
        "job_id": job.job_id,
        "upload_id": job.upload_id,
        "after": after + 1,
        "limit": limit,
    }
    found = await connection.execute(_ANSWERS, values)
    return [
        SealedSet(first_line=row.first_line, lines=row.lines, answers=row.answers) for row in found
    ]


async def mark_collected(connection: AsyncConnection, job_id: str, *, now: datetime) -> None:
    """Record that a result was sent whole: it is deleted a day later at the latest."""
    values = {"job_id": job_id, "now": now, "expires_at": now + COLLECTED_LIFETIME}
    await connection.execute(_COLLECTED, values)
