"""Deletion of a job with a signed proof: its lines, its answers, and what it asks.

The proof commits to the job's id and its number of lines, as one of a record to its id and version, so
that the same program checks both.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.retention.deletion_proof import DeletedRecord
from gateway.creditfile.retention.prove import Prover, find_proof
from gateway.runtime import Runtime
from gateway.verifications.jobs import client_store, deletion_store, stored_job
from gateway.verifications.jobs.lifecycle import JobState
from gateway.verifications.jobs.stored_answers import delete_stored_of_open_set
from gateway.verifications.jobs.stored_job import Job

DATASET: Final = "verification_job"
RULE_NAME: Final = "verification_job"


async def delete_own(runtime: Runtime, client_id: str, job_id: str) -> Job | None:
    """Delete a client's own job, if it is there and not deleted yet; the job as it is then."""
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        job = await client_store.lock_own(connection, client_id, job_id)
        if job is None:
            return None
        if job.state != JobState.DELETED:
            await _delete(runtime, connection, job, reason="asked_by_client", now=now)
        return await stored_job.find(connection, client_id, job_id)


async def delete_due(runtime: Runtime) -> int:
    """Delete the jobs whose time is over, each in its own transaction; how many."""
    deleted = 0
    while True:
        now = runtime.now()
        async with runtime.background.begin() as connection:
            job = await deletion_store.lock_due(connection, now=now)
            if job is None:
                await deletion_store.forget_deleted(connection, now=now)
                return deleted
            reason = "term" if job.collected_at is None else "collected"
            await _delete(runtime, connection, job, reason=reason, now=now)
        deleted += 1


async def proof_of(runtime: Runtime, job: Job) -> dict[str, Any] | None:
    """The proof of a deleted job."""
    if job.deletion_id is None:
        return None
    async with runtime.engine.connect() as connection:
        return await find_proof(connection, job.deletion_id)


async def _delete(
    runtime: Runtime, connection: AsyncConnection, job: Job, *, reason: str, now: datetime
) -> None:
    prover = Prover(keys=runtime.keys, catalogue=runtime.catalogue, issuer=runtime.settings.issuer)
    gone = DeletedRecord(record_id=job.job_id, version=job.lines, dataset=DATASET)
    rule = {"name": RULE_NAME, "reason": reason, "days": runtime.settings.job_days}
    deletion_id = await prover.prove(connection, [gone], rule=rule, now=now)
    await delete_stored_of_open_set(connection, runtime.vault, job)
    await deletion_store.blank(connection, job, deletion_id=deletion_id, now=now)
