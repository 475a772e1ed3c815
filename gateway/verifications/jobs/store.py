"""Store of verification jobs: one query per function; a client sees only its own jobs.

Receiving lines and answering them need a hold that expires, so that another worker can take over. What
a holder writes is written only while it still holds the job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.locks import LockNamespace, lock_named
from gateway.db.statements import Statement
from gateway.disclosure.ids import new_id
from gateway.verifications.jobs.frontier import Frontier
from gateway.verifications.jobs.lifecycle import (
    ClientAct,
    JobPhase,
    JobState,
    NotNow,
    PauseReason,
    StopReason,
    act_on,
    end,
    wait_for_quota,
)
from gateway.verifications.jobs.tables import (
    VerificationJobRow,
    VerificationJobSetRow,
)
from gateway.verifications.jobs.template import Template

MAX_JOBS: Final = 20
"""Jobs that a client may have at once, but for deleted ones."""
MAX_KEPT_LINES: Final = 3_000_000
"""Lines of all of them."""
MAX_UPLOADS: Final = 2
"""Uploads of one client under way at once."""
COLLECTED_LIFETIME: Final = timedelta(hours=24)
DELETED_LIFETIME: Final = timedelta(days=90)
PAGE: Final = 100

_COLUMNS: Final = """job_id, client_id, state, reason, resumes_at, purpose, questions, upload_id,
    request_digest, lines, broken, answered, completed, problems, tree, manifest, attempts, created_at,
    uploaded_at, started_at, ended_at, collected_at, expires_at, deletion_id"""
_COUNT: Final = Statement("""
    SELECT count(*) AS jobs, coalesce(sum(lines), 0) AS lines FROM verification_job
    WHERE client_id = :client_id AND state <> 'deleted'""")
_FIND: Final = Statement(f"""
    SELECT {_COLUMNS} FROM verification_job WHERE job_id = :job_id AND client_id = :client_id""")  # noqa: S608
_LOCK: Final = Statement(f"""
    SELECT {_COLUMNS} FROM verification_job WHERE job_id = :job_id AND client_id = :client_id
    FOR UPDATE""")  # noqa: S608
_LIST: Final = Statement(f"""
    SELECT {_COLUMNS} FROM verification_job WHERE client_id = :client_id
    ORDER BY created_at DESC, job_id LIMIT :limit""")  # noqa: S608
_SET_PHASE: Final = Statement("""
    UPDATE verification_job
    SET state = :state, reason = :reason, resumes_at = :resumes_at,
        started_at = coalesce(started_at, CAST(:started_at AS timestamptz)),
        ended_at = coalesce(ended_at, CAST(:ended_at AS timestamptz)),
        expires_at = CAST(:expires_at AS timestamptz)
    WHERE job_id = :job_id""")
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
    SET state = 'ready', upload_id = :upload_id, request_digest = :request_digest, lines = :lines,
        broken = :broken, uploaded_at = :now, expires_at = :expires_at, holder = NULL, held_until = NULL
    WHERE job_id = :job_id AND holder = :holder AND state IN ('created', 'ready')
    RETURNING job_id""")
_RELEASE: Final = Statement("""
    UPDATE verification_job SET holder = NULL, held_until = CAST(:retry_at AS timestamptz)
    WHERE job_id = :job_id AND holder = :holder""")
_GIVE_UP: Final = Statement("""
    UPDATE verification_job
    SET held_until = :retry_at, attempts = attempts + CAST(CAST(:failed AS boolean) AS integer)
    WHERE job_id = :job_id AND holder = :holder""")
_DELETE_SETS: Final = Statement("""
    DELETE FROM verification_job_set WHERE job_id = :job_id
      AND upload_id IS DISTINCT FROM CAST(:but AS text)""")
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
        state = 'running', reason = NULL, resumes_at = NULL
    FROM due WHERE job_id = due_id
    RETURNING {_COLUMNS}, again""")  # noqa: S608
_NEXT_SET: Final = Statement("""
    SELECT first_line, lines, asked, answers FROM verification_job_set
    WHERE job_id = :job_id AND upload_id = :upload_id AND first_line = :first_line""")
_HELD: Final = Statement(f"""
    SELECT {_COLUMNS} FROM verification_job
    WHERE job_id = :job_id AND holder = :holder AND state <> 'deleted' FOR UPDATE""")  # noqa: S608
_ADVANCE: Final = Statement("""
    UPDATE verification_job
    SET answered = :answered, completed = :completed, problems = :problems, tree = :tree,
        attempts = :attempts
    WHERE job_id = :job_id""")
_STORE_SET: Final = Statement("""
    UPDATE verification_job_set
    SET told = :told, answers = :answers,
        asked = CASE WHEN CAST(:told AS integer) < lines THEN asked END
    WHERE job_id = :job_id AND upload_id = :upload_id AND first_line = :first_line""")
_END: Final = Statement("""
    UPDATE verification_job
    SET state = :state, reason = :reason, resumes_at = NULL, manifest = :manifest, ended_at = :now,
        expires_at = :expires_at
    WHERE job_id = :job_id""")
_ANSWERS: Final = Statement("""
    SELECT first_line, lines, told, answers FROM verification_job_set
    WHERE job_id = :job_id AND upload_id = :upload_id AND first_line + lines > :after AND told > 0
    ORDER BY first_line LIMIT :limit""")
_COLLECTED: Final = Statement("""
    UPDATE verification_job
    SET collected_at = coalesce(collected_at, :now), expires_at = least(expires_at, :expires_at)
    WHERE job_id = :job_id AND state IN ('done', 'stopped')""")
_DUE: Final = Statement(f"""
    SELECT {_COLUMNS} FROM verification_job
    WHERE expires_at <= :now AND state <> 'deleted'
      AND (held_until IS NULL OR held_until <= :now)
    ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED""")  # noqa: S608
_DELETED: Final = Statement("""
    UPDATE verification_job
    SET state = 'deleted', reason = NULL, resumes_at = NULL, holder = NULL, held_until = NULL,
        purpose = NULL, questions = NULL, manifest = NULL, tree = '', deletion_id = :deletion_id,
        ended_at = coalesce(ended_at, :now), expires_at = :expires_at
    WHERE job_id = :job_id""")
_FORGET: Final = Statement("""
    DELETE FROM verification_job WHERE state = 'deleted' AND expires_at <= :now""")
_STRAY_SETS: Final = Statement("""
    DELETE FROM verification_job_set s USING verification_job j
    WHERE j.job_id = s.job_id AND s.at < :before AND s.upload_id IS DISTINCT FROM j.upload_id
      AND (j.held_until IS NULL OR j.held_until <= :now)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as stored."""

    job_id: str
    client_id: str
    state: str
    reason: str | None
    resumes_at: datetime | None
    purpose: str | None
    questions: Sequence[Mapping[str, Any]] | None
    upload_id: str | None
    request_digest: bytes | None
    lines: int
    broken: int
    answered: int
    completed: int
    problems: int
    tree: bytes
    manifest: str | None
    attempts: int
    created_at: datetime
    uploaded_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    collected_at: datetime | None
    expires_at: datetime | None
    deletion_id: str | None

    @property
    def phase(self) -> JobPhase:
        """State, reason and time of going on."""
        state = JobState(self.state)
        kind = PauseReason if state is JobState.PAUSED else StopReason
        reason = None if self.reason is None else kind(self.reason)
        return JobPhase(state=state, reason=reason, resumes_at=self.resumes_at)

    @property
    def template(self) -> Template | None:
        """The purpose and questions of all lines, where the job has them."""
        return Template.stored(self.purpose, self.questions)

    @property
    def frontier(self) -> Frontier:
        """The tree of the completed lines."""
        return Frontier.from_bytes(self.completed, self.tree)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSet:
    """Some lines, sealed: what they ask, and the answers so far; an untold line's answer is empty."""

    first_line: int
    lines: int
    asked: bytes | None = None
    answers: bytes | None = None


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


async def find(connection: AsyncConnection, client_id: str, job_id: str) -> Job | None:
    """The client's own job of this id."""
    found = await connection.execute(_FIND, {"job_id": job_id, "client_id": client_id})
    return _job(found.one_or_none())


async def newest(connection: AsyncConnection, client_id: str) -> list[Job]:
    """The client's newest jobs."""
    found = await connection.execute(_LIST, {"client_id": client_id, "limit": PAGE})
    return [Job(**row._asdict()) for row in found]


async def lock_own(connection: AsyncConnection, client_id: str, job_id: str) -> Job | None:
    """The client's own job, locked until the transaction ends."""
    found = await connection.execute(_LOCK, {"job_id": job_id, "client_id": client_id})
    return _job(found.one_or_none())


async def act(
    connection: AsyncConnection,
    job: Job,
    done: ClientAct,
    *,
    expires_at: datetime | None,
    now: datetime,
) -> Job | NotNow:
    """Carry out a client's act on a locked job: start, pause, resume."""
    phase = act_on(job.phase, done)
    if isinstance(phase, NotNow):
        return phase
    is_going = phase.state is JobState.RUNNING
    values = _phase_values(phase) | {
        "job_id": job.job_id,
        "started_at": now if is_going else None,
        "ended_at": None,
        "expires_at": None if is_going else expires_at,
    }
    await connection.execute(_SET_PHASE, values)
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
    request_digest: bytes,
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
        "request_digest": request_digest,
        "lines": lines,
        "broken": broken,
        "expires_at": expires_at,
        "now": now,
    }
    if (await connection.execute(_FINISH_UPLOAD, values)).scalar_one_or_none() is None:
        return False
    await connection.execute(_DELETE_SETS, {"job_id": job.job_id, "but": upload_id})
    return True


async def release(
    connection: AsyncConnection, job_id: str, *, holder: str, retry_at: datetime | None = None
) -> None:
    """End a hold whose work is stored; nobody takes the job before `retry_at`."""
    values = {"job_id": job_id, "holder": holder, "retry_at": retry_at}
    await connection.execute(_RELEASE, values)


async def give_up(
    connection: AsyncConnection, job_id: str, *, holder: str, retry_at: datetime, failed: bool
) -> None:
    """End a hold whose work was cut off: whoever takes the job next knows it by the former holder."""
    values = {"job_id": job_id, "holder": holder, "retry_at": retry_at, "failed": failed}
    await connection.execute(_GIVE_UP, values)


async def drop_upload(connection: AsyncConnection, job: Job, *, holder: str) -> None:
    """Give up an upload: its sets are deleted, those of an earlier upload stay."""
    await connection.execute(_DELETE_SETS, {"job_id": job.job_id, "but": job.upload_id})
    await release(connection, job.job_id, holder=holder)


async def claim_next(
    connection: AsyncConnection, *, holder: str, seconds: float, now: datetime
) -> Claimed | None:
    """Claim the job whose turn it is, or one whose claim has expired."""
    values = {"holder": holder, "until": now + timedelta(seconds=seconds), "now": now}
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
    return _job(found.one_or_none())


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
        },
    )


async def pause_for_quota(
    connection: AsyncConnection, job: Job, reason: PauseReason, until: datetime
) -> None:
    """Pause a locked job until a quota fits again."""
    phase = wait_for_quota(job.phase, reason, until)
    values = _phase_values(phase) | {
        "job_id": job.job_id,
        "started_at": None,
        "ended_at": None,
        "expires_at": job.expires_at,
    }
    await connection.execute(_SET_PHASE, values)


async def end_job(
    connection: AsyncConnection,
    job: Job,
    *,
    manifest: str,
    reason: StopReason | None,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Record the end of a locked job, with the signed manifest of what was answered."""
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


async def lock_due(connection: AsyncConnection, *, now: datetime) -> Job | None:
    """A job that is to be deleted by now, locked."""
    return _job((await connection.execute(_DUE, {"now": now})).one_or_none())


async def blank(connection: AsyncConnection, job: Job, *, deletion_id: str, now: datetime) -> None:
    """Delete all that a locked job holds; its row stays for a time, with the proof's id."""
    await connection.execute(_DELETE_SETS, {"job_id": job.job_id, "but": None})
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


def _job(row: Any) -> Job | None:
    return None if row is None else Job(**row._asdict())


def _phase_values(phase: JobPhase) -> dict[str, Any]:
    return {"state": phase.state, "reason": phase.reason, "resumes_at": phase.resumes_at}
