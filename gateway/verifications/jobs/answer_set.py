"""Answers one set of a job's lines by the core of batches, and stores the answers with the progress.

A line's answer is stored under the job's id and its place when it is committed, so that a set that was
cut off is answered again with the same texts: each line is logged and counted once. It is deleted when
the set's answers are stored. An ended job has a signed manifest of its answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.access.authentication import background_caller
from gateway.access.client_status import client_status_of, current_agreement, submit_client_status
from gateway.access.errors import Refusal
from gateway.clients.agreements import Agreement
from gateway.limits.quotas import MINUTE
from gateway.runtime import Runtime
from gateway.transparency.merkle import leaf_hash
from gateway.verifications.batch.answer_lines import AnsweredLine, LineAnswerer
from gateway.verifications.batch.lines import Line
from gateway.verifications.batch.manifest import Manifest
from gateway.verifications.jobs import stored_job, worker_store
from gateway.verifications.jobs.job_line import is_broken, verdict_of
from gateway.verifications.jobs.lifecycle import (
    RETRY_SECONDS,
    JobState,
    PauseReason,
    StopReason,
    retry_seconds,
)
from gateway.verifications.jobs.parse_line import parse_line
from gateway.verifications.jobs.sealing import (
    ANSWERS,
    ASKED,
    open_lines,
    place_of,
    request_digest_of,
    seal_lines,
    seal_manifest,
)
from gateway.verifications.jobs.settle import Settled, settle
from gateway.verifications.jobs.stored_answers import delete_stored, delete_stored_of_open_set
from gateway.verifications.jobs.stored_job import Job, SealedSet
from gateway.verifications.jobs.worker_store import Claimed, SetProgress

SHARE_OF_QUOTA: Final = 0.8
"""Share of a client's quota per minute that its jobs use: the rest is left for its single calls."""
STOPS: Final = {each.value: each for each in StopReason}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWorker:
    """One worker's hold of one job."""

    runtime: Runtime
    job: Job
    holder: str
    again: bool

    async def answer_next_set(self) -> None:
        """Answer the next set, or end the job; the hold is given up."""
        agreement = await self._agreement()
        if isinstance(agreement, Refusal):
            await self._end(STOPS.get(agreement.error.code, StopReason.FAILED))
            return
        async with self.runtime.background.connect() as connection:
            found = await worker_store.next_set(connection, self.job)
        if found is None or found.asked is None:
            await self._end(None)
            return
        await self._answer(found, found.asked, agreement)

    async def give_up(self, *, seconds: float) -> None:
        """Leave the set to another attempt, before which its lines may have been committed."""
        retry_at = self.runtime.now() + timedelta(seconds=seconds)
        async with self.runtime.background.begin() as connection:
            await worker_store.give_up(
                connection, self.job.job_id, holder=self.holder, retry_at=retry_at
            )

    async def back_off(self) -> None:
        """Pause the job after a failure, each time for longer; end it where its time is over."""
        if self.job.attempts and self.job.is_overdue(self.runtime.now()):
            await self._end(StopReason.NO_PROGRESS)
            return
        now = self.runtime.now()
        async with self.runtime.background.begin() as connection:
            job = await worker_store.lock_held(connection, self.job, holder=self.holder)
            if job is None:
                return
            until = now + timedelta(seconds=retry_seconds(job.attempts))
            await worker_store.count_failure(connection, job)
            await worker_store.pause_until(
                connection, job, PauseReason.TEMPORARILY_UNAVAILABLE, until, ends_at=job.ends_at
            )
            retry_at = now + timedelta(seconds=RETRY_SECONDS)
            await worker_store.give_up(
                connection, job.job_id, holder=self.holder, retry_at=retry_at
            )

    async def _answer(self, found: SealedSet, sealed: bytes, agreement: Agreement) -> None:
        vault, place = self.runtime.vault, place_of(self.job.job_id, found.first_line)
        asked = open_lines(vault, sealed, column=ASKED, row=place)
        before = [b""] * found.lines
        if found.answers is not None:
            before = open_lines(vault, found.answers, column=ANSWERS, row=place)
        due = [place for place in range(found.lines) if not before[place]]
        verdicts = [
            (place, AnsweredLine(found.first_line + place, verdict_of(asked[place]).decode()))
            for place in due
            if is_broken(asked[place])
        ]
        lines = {
            place: parse_line(asked[place], found.first_line + place)
            for place in due
            if not is_broken(asked[place])
        }
        answered = await self._answered(found, [*lines.values()], agreement)
        if isinstance(answered, Refusal):
            await self._end(STOPS.get(answered.error.code, StopReason.FAILED))
            return
        told = [*verdicts, *zip(lines, answered, strict=True)]
        settled = settle(before, told, attempts=self.job.attempts)
        await self._store(found, before, settled, lines, agreement)

    async def _answered(
        self, found: SealedSet, lines: Sequence[Line], agreement: Agreement
    ) -> Sequence[AnsweredLine] | Refusal:
        """The answers to these lines of a set."""
        answerer = LineAnswerer(
            runtime=self.runtime,
            caller=background_caller(self.job.client_id, agreement.version),
            name=self.job.job_id,
            agreement=self._agreement,
            again=self.again or found.answers is not None,
            waits=True,
        )
        return await answerer.answer(lines)

    async def _store(
        self,
        found: SealedSet,
        before: Sequence[bytes],
        settled: Settled,
        lines: Mapping[int, Line],
        agreement: Agreement,
    ) -> None:
        """Store the answers with the progress; `lines` are those that had none before, by place."""
        told = settled.told - sum(1 for each in before if each)
        runtime, now = self.runtime, self.runtime.now()
        if not told and self.job.is_overdue(now):
            await self._end(StopReason.NO_PROGRESS)
            return
        pause = await self._pause(told, agreement)
        place = place_of(self.job.job_id, found.first_line)
        retry_at = now + timedelta(seconds=RETRY_SECONDS if settled.faults else pause)
        async with runtime.background.begin() as connection:
            job = await worker_store.lock_held(connection, self.job, holder=self.holder)
            if job is None:
                await self._delete_if_deleted(connection, lines.values())
                return
            ends_at = job.ends_at
            if told and job.state == JobState.RUNNING:
                ends_at = now + timedelta(days=runtime.settings.job_days)
            tree = job.frontier
            if settled.is_whole:
                tree = tree.extended(map(leaf_hash, settled.answers))
            await worker_store.advance(
                connection,
                job,
                SetProgress(
                    first_line=found.first_line,
                    told=settled.told,
                    answers=seal_lines(runtime.vault, settled.answers, column=ANSWERS, row=place),
                    answered=job.answered + told,
                    completed=tree.size,
                    problems=job.problems + settled.problems,
                    tree=tree,
                    attempts=job.attempts + 1 if settled.faults and not told else 0,
                    ends_at=ends_at,
                ),
            )
            answered = (line for place, line in lines.items() if settled.answers[place])
            await delete_stored(connection, job, answered)
            if settled.wait is not None:
                until = now + timedelta(seconds=settled.wait.seconds)
                await worker_store.pause_until(
                    connection, job, settled.wait.reason, until, ends_at=ends_at
                )
            await stored_job.release(connection, job.job_id, holder=self.holder, retry_at=retry_at)

    async def _delete_if_deleted(self, connection: AsyncConnection, lines: Iterable[Line]) -> None:
        """Delete the stored answers too of a job that was deleted while its set was answered."""
        present = await stored_job.find(connection, self.job.client_id, self.job.job_id)
        if present is None or present.state == JobState.DELETED:
            await delete_stored(connection, self.job, lines)

    async def _pause(self, told: int, agreement: Agreement) -> float:
        """Seconds after a set that leave the client's single calls their share of its quota."""
        quotas = await self.runtime.agreements.quotas_of(self.job.client_id, agreement.version)
        return told * MINUTE / (quotas.per_minute * SHARE_OF_QUOTA)

    async def _end(self, reason: StopReason | None) -> None:
        """Sign the manifest of the answers, and end the job; a paused one is ended when it goes on."""
        runtime, now = self.runtime, self.runtime.now()
        async with runtime.background.begin() as connection:
            job = await worker_store.lock_held(connection, self.job, holder=self.holder)
            if job is None:
                return
            if reason is None and job.state != JobState.RUNNING:
                await stored_job.release(connection, job.job_id, holder=self.holder)
                return
            tree = job.frontier
            partial_set = await worker_store.next_set(connection, job)
            if partial_set is not None and partial_set.answers is not None:
                place = place_of(job.job_id, partial_set.first_line)
                told = open_lines(runtime.vault, partial_set.answers, column=ANSWERS, row=place)
                tree = tree.extended(leaf_hash(each) for each in told if each)
            await delete_stored_of_open_set(connection, runtime.vault, job)
            manifest = Manifest(
                batch_id=job.job_id,
                lines=tree.size,
                root=tree.root(),
                request_digest=request_digest_of(runtime.vault, job),
                created=now,
            )
            signed = manifest.signed(runtime.keys.current("response", now))
            await worker_store.end_job(
                connection,
                job,
                manifest=seal_manifest(runtime.vault, job, signed),
                reason=reason,
                expires_at=now + timedelta(days=runtime.settings.job_days),
                now=now,
            )
            await stored_job.release(connection, job.job_id, holder=self.holder)

    async def _agreement(self) -> Agreement | Refusal:
        """The client's agreement in force, or why there is none."""
        runtime = self.runtime
        caller = background_caller(self.job.client_id, 0)
        status = client_status_of(await submit_client_status(runtime.hot, caller))
        agreement = current_agreement(status, caller, runtime.now())
        if isinstance(agreement, Agreement):
            runtime.agreements.remember(self.job.client_id, agreement)
        return agreement


async def take_next(runtime: Runtime, *, holder: str, seconds: float) -> JobWorker | None:
    """Hold the job whose turn it is for so many seconds."""
    now = runtime.now()
    async with runtime.background.begin() as connection:
        claimed: Claimed | None = await worker_store.claim_next(
            connection,
            holder=holder,
            seconds=seconds,
            ends_at=now + timedelta(days=runtime.settings.job_days),
            now=now,
        )
    if claimed is None:
        return None
    return JobWorker(runtime=runtime, job=claimed.job, holder=holder, again=claimed.again)
