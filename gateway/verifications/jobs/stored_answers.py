"""Deletion of what a job's lines stored when they were committed, beside the job's own rows.

It serves a set that is cut off; once the set's answers stand in the job, the job alone holds them.
"""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.disclosure.idempotency import delete_answers
from gateway.privacy.field_encryption import Vault
from gateway.verifications.batch.answer_lines import line_keys
from gateway.verifications.batch.lines import Line
from gateway.verifications.jobs import worker_store
from gateway.verifications.jobs.job_line import is_broken
from gateway.verifications.jobs.parse_line import parse_line
from gateway.verifications.jobs.sealing import ASKED, open_lines, place_of
from gateway.verifications.jobs.stored_job import Job


async def delete_stored(connection: AsyncConnection, job: Job, lines: Iterable[Line]) -> None:
    """Delete the stored answers of these lines."""
    stored = [
        (line.uscc, key)
        for line in lines
        if line.uscc is not None
        for key in line_keys(job.job_id, line.position)
    ]
    if stored:
        usccs, keys = zip(*stored, strict=True)
        await delete_answers(connection, job.client_id, usccs, keys)


async def delete_stored_of_open_set(connection: AsyncConnection, vault: Vault, job: Job) -> None:
    """Delete the stored answers of the set that is not answered whole: an attempt may be cut off."""
    found = await worker_store.next_set(connection, job)
    if found is None or found.asked is None:
        return
    place = place_of(job.job_id, found.first_line)
    asked = open_lines(vault, found.asked, column=ASKED, row=place)
    lines = (
        parse_line(text, number)
        for number, text in enumerate(asked, found.first_line)
        if not is_broken(text)
    )
    await delete_stored(connection, job, lines)
