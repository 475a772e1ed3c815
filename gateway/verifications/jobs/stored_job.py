"""A verification job and a set of its lines as stored, and the statements that both sides need.

The client's side is `client_store`, the worker's `worker_store`; `deletion_store` deletes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.verifications.jobs.frontier import Frontier
from gateway.verifications.jobs.lifecycle import JobPhase, JobState, PauseReason, StopReason
from gateway.verifications.jobs.template import Template

COLUMNS: Final = """job_id, client_id, state, reason, resumes_at, purpose, questions, upload_id,
    request_digest, sealed_digest, lines, broken, answered, completed, problems, tree, manifest,
    sealed_manifest, attempts, created_at, uploaded_at, started_at, ended_at, collected_at, ends_at,
    expires_at, deletion_id"""
_FIND: Final = Statement(f"""
    SELECT {COLUMNS} FROM verification_job WHERE job_id = :job_id AND client_id = :client_id""")  # noqa: S608
_SET_PHASE: Final = Statement("""
    UPDATE verification_job
    SET state = :state, reason = :reason, resumes_at = :resumes_at,
        started_at = coalesce(started_at, CAST(:started_at AS timestamptz)),
        ends_at = CAST(:ends_at AS timestamptz), expires_at = CAST(:expires_at AS timestamptz)
    WHERE job_id = :job_id""")
_DELETE_SETS: Final = Statement("""
    DELETE FROM verification_job_set WHERE job_id = :job_id
      AND upload_id IS DISTINCT FROM CAST(:but AS text)""")
_RELEASE: Final = Statement("""
    UPDATE verification_job SET holder = NULL, held_until = CAST(:retry_at AS timestamptz)
    WHERE job_id = :job_id AND holder = :holder""")


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
    sealed_digest: bytes | None
    lines: int
    broken: int
    answered: int
    completed: int
    problems: int
    tree: bytes
    manifest: str | None
    sealed_manifest: bytes | None
    attempts: int
    created_at: datetime
    uploaded_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    collected_at: datetime | None
    ends_at: datetime | None
    expires_at: datetime | None
    deletion_id: str | None

    @property
    def phase(self) -> JobPhase:
        """State, reason and time of going on."""
        state = JobState(self.state)
        kind = PauseReason if state is JobState.PAUSED else StopReason
        reason = None if self.reason is None else kind(self.reason)
        return JobPhase(state=state, reason=reason, resumes_at=self.resumes_at)

    def is_overdue(self, now: datetime) -> bool:
        """True where the job ends unless a line is answered now."""
        return self.ends_at is not None and self.ends_at <= now

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


async def find(connection: AsyncConnection, client_id: str, job_id: str) -> Job | None:
    """The client's own job of this id."""
    found = await connection.execute(_FIND, {"job_id": job_id, "client_id": client_id})
    return job_of(found.one_or_none())


async def set_phase(
    connection: AsyncConnection,
    job_id: str,
    phase: JobPhase,
    *,
    ends_at: datetime | None,
    expires_at: datetime | None,
    started_at: datetime | None = None,
) -> None:
    """Move a locked job to a phase."""
    values = {
        "job_id": job_id,
        "state": phase.state,
        "reason": phase.reason,
        "resumes_at": phase.resumes_at,
        "started_at": started_at,
        "ends_at": ends_at,
        "expires_at": expires_at,
    }
    await connection.execute(_SET_PHASE, values)


async def release(
    connection: AsyncConnection, job_id: str, *, holder: str, retry_at: datetime | None = None
) -> None:
    """End a hold whose work is stored; nobody takes the job before `retry_at`."""
    values = {"job_id": job_id, "holder": holder, "retry_at": retry_at}
    await connection.execute(_RELEASE, values)


async def delete_sets(connection: AsyncConnection, job_id: str, *, but: str | None = None) -> None:
    """Delete a job's sets, but for those of one upload."""
    await connection.execute(_DELETE_SETS, {"job_id": job_id, "but": but})


def job_of(row: Any) -> Job | None:
    """The job in a row of `COLUMNS`, if there is one."""
    return None if row is None else Job(**row._asdict())
