"""One file becomes records, chunk by chunk; each chunk, its counts and how far it came are one commit.

A run that was killed goes on where its last commit stands. What was good before a failure stays.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import day_of
from gateway.ingest import job_store
from gateway.ingest.chunk_reader import Chunk, ReadingOptions, rejects_csv
from gateway.ingest.decompression import FileRefused
from gateway.ingest.ingest_batch import HELD_BY_ANOTHER, RESULT_OF_VERDICT, WARNING_OF_MARK
from gateway.ingest.job_store import Job
from gateway.ingest.merge import MergeInput, merge
from gateway.ingest.reader_processes import chunks_in_order
from gateway.ingest.results import BatchResult, RowWarning, Source
from gateway.ingest.row_list_files import MASKED_HEADER, REJECTED_HEADER, RowList
from gateway.ingest.text_encoding import Encoding

DEFAULT_CHUNK_ROWS: Final = 10_000
MAX_REJECTED: Final = 1_000_000
LOCK_SECONDS: Final = 30.0
"""A process that was killed may leave its last statement running for a moment."""
_PAUSE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestJob:
    """What is to be ingested, for whom, and how."""

    path: Path
    digest: bytes
    format: str
    source: Source
    dataset: str
    catalogue: Catalogue
    vault_keys: str = field(repr=False)
    rejects: Path
    """Where the list of rejected rows goes."""
    masked: Path
    """Where the list of masked numbers goes."""
    encoding: Encoding = "utf-8"
    chunk_rows: int = DEFAULT_CHUNK_ROWS
    again: Callable[[Job], bool] = lambda _: False
    """Whether a file whose job is done is ingested once more; called under the job's lock."""
    most_rejected: int = MAX_REJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressListener:
    """Who hears of what happens: `begun` in the transaction that makes the job (whether it is new
    or begun anew), `moved` after each commit, with how far in the file it is (bytes)."""

    begun: Callable[[AsyncConnection, Job], Awaitable[None]]
    moved: Callable[[Job, int], None] = lambda *_: None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLists:
    """What is said of single rows, on the disk before their chunk commits."""

    rejects: RowList
    masked: RowList


class IngestBusy(Exception):  # says what the job is
    """Another process is taking this file; it goes on by itself."""


async def ingest_file(
    engine: AsyncEngine, order: IngestJob, watcher: ProgressListener, *, now: Callable[[], datetime]
) -> Job:
    """Take the file, or what is left of it; the job as it then stands.

    Its `state` is `done`, or `stopped` with a `sentence` that says why. Raises `IngestBusy`.
    """
    async with engine.connect() as connection:
        await _lock(connection, order)
        job = await _begin(connection, order, watcher, now=now())
        if job.state == job_store.DONE:
            return job
        try:
            with (
                RowList(order.rejects, job.rejects_bytes, REJECTED_HEADER) as rejects,
                RowList(order.masked, job.masked_bytes, MASKED_HEADER) as masked,
            ):
                lists = RowLists(rejects=rejects, masked=masked)
                job = await _take_chunks(connection, order, job, lists, watcher, now=now)
        except FileRefused as refused:
            return await _end(connection, order, job_store.STOPPED, str(refused), now=now())
        return await _end(connection, order, job_store.DONE, None, now=now())


async def _take_chunks(
    connection: AsyncConnection,
    order: IngestJob,
    job: Job,
    lists: RowLists,
    watcher: ProgressListener,
    *,
    now: Callable[[], datetime],
) -> Job:
    stat = order.path.stat()
    async with chunks_in_order(_reading(order, job, now())) as chunks:
        async for chunk in chunks:
            job = await _take(connection, order, job, chunk, lists, now=now())
            watcher.moved(job, chunk.position)
            if job.rejected > order.most_rejected:
                raise FileRefused(
                    f"More than {order.most_rejected:,} rows were rejected: the file seems to be "
                    "none of this dataset."
                )
    if _changed(stat, order.path.stat()):
        raise FileRefused("The file was changed while it was read: deliver it again as a whole.")
    return job


async def _take(
    connection: AsyncConnection,
    order: IngestJob,
    job: Job,
    chunk: Chunk,
    lists: RowLists,
    *,
    now: datetime,
) -> Job:
    """One chunk in one transaction; its rejected rows are on the disk before it commits."""
    delivery = MergeInput(
        source=order.source,
        dataset=order.dataset,
        catalogue_version=order.catalogue.version,
        now=now,
    )
    async with connection.begin():
        merging = await merge(connection, delivery, chunk.payload)
        counts = Counter(
            {BatchResult.REJECTED: chunk.rejected, BatchResult.UNCHANGED: chunk.superseded}
        )
        warnings = Counter(chunk.warnings)
        for each in await merging.counts():
            counts[RESULT_OF_VERDICT[each["verdict"]]] += each["rows"]
            if each["verdict"] == "older":
                warnings[RowWarning.OLDER] += each["rows"]
            if each["mark"] in WARNING_OF_MARK:
                warnings[WARNING_OF_MARK[each["mark"]]] += each["rows"]
        foreign = dict.fromkeys(await merging.foreign(), (HELD_BY_ANOTHER,))
        lists.rejects.add(chunk.rejects + rejects_csv(foreign))
        lists.masked.add(chunk.masked)
        moved = job_store.ProgressUpdate(
            rows=chunk.rows,
            counts={name.value: count for name, count in counts.items()},
            warnings={name.value: count for name, count in warnings.items()},
            rejects_bytes=lists.rejects.length,
            masked_bytes=lists.masked.length,
        )
        return await job_store.add_progress(connection, job, moved, now=now)


async def _lock(connection: AsyncConnection, order: IngestJob) -> None:
    """The lock is the session's: the transaction that takes it ends at once."""
    for _ in range(int(LOCK_SECONDS / _PAUSE)):
        async with connection.begin():
            if await job_store.try_lock_job(connection, _key(order)):
                return
        await asyncio.sleep(_PAUSE)
    raise IngestBusy(IngestBusy.__doc__)


async def _begin(
    connection: AsyncConnection, order: IngestJob, watcher: ProgressListener, *, now: datetime
) -> Job:
    """The job; from its first row on where that was asked for, or its rows are read differently."""
    of = {
        **_key(order),
        "file_name": order.path.name,
        "file_bytes": order.path.stat().st_size,
        "encoding": order.encoding,
        "chunk_rows": order.chunk_rows,
        "catalogue_version": order.catalogue.version,
    }
    async with connection.begin():
        held = await job_store.find_job(connection, of)
        if held is None:
            job = await job_store.create_job(connection, of, now=now)
        elif (
            held.state == job_store.DONE and order.again(held)
        ) or held.encoding != order.encoding:
            job = await job_store.restart_job(connection, held, of, now=now)
        else:
            return held
        await watcher.begun(connection, job)
        return job


async def _end(
    connection: AsyncConnection,
    order: IngestJob,
    state: str,
    sentence: str | None,
    *,
    now: datetime,
) -> Job:
    async with connection.begin():
        job = await job_store.find_job(connection, _key(order))
        if job is None:
            raise job_store.JobConflictError
        await job_store.end_job(connection, job, state, sentence, now=now)
        return await job_store.get_job(connection, _key(order))


def _reading(order: IngestJob, job: Job, now: datetime) -> ReadingOptions:
    """What is left of the file."""
    return ReadingOptions(
        path=order.path.absolute(),
        format=order.format,
        encoding=order.encoding,
        dataset=order.dataset,
        source=order.source,
        catalogue=order.catalogue,
        vault_keys=order.vault_keys,
        today=day_of(now),
        skip=job.rows,
        chunk_rows=job.chunk_rows,
    )


def _key(order: IngestJob) -> Mapping[str, object]:
    return {
        "source_id": order.source.source_id,
        "dataset": order.dataset,
        "file_digest": order.digest,
    }


def _changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
