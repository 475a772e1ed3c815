"""Ingest of one file, chunk by chunk; each chunk, its counts and the progress are one commit.

A killed run resumes after its last commit. What was committed before a failure stays.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.local_dates import day_of
from gateway.ingest import job_store
from gateway.ingest.chunk_reader import Chunk, ReadPlan
from gateway.ingest.config import IngestConfig
from gateway.ingest.ingest_batch import HELD_BY_ANOTHER, RESULT_OF_VERDICT, WARNING_OF_MARK
from gateway.ingest.job_store import Job
from gateway.ingest.merge.merge_batch import MergedBatch, MergeInput, merge
from gateway.ingest.reader_processes import chunks_in_order
from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.results import BatchResult, RowWarning
from gateway.ingest.row_lists.list_file import RowList
from gateway.ingest.row_lists.stored_lines import reject_lines, whole_row_lines
from gateway.ingest.row_lists.wording import STORED_REJECTS, STORED_WARNINGS, RowWording

LOCK_SECONDS: Final = 30.0
"""A killed process may leave its last statement running for a moment."""
_PAUSE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestTask:
    """One file to ingest, and where its lists of rejected rows and warnings are written."""

    config: IngestConfig
    path: Path
    digest: bytes
    format: str
    rejects: Path
    warnings: Path
    wording: RowWording | None = None
    """Language in which the lists are written; None: by code, to be worded when they are served."""
    again: Callable[[Job], bool] = lambda _: False
    """True if a file whose job is done is ingested once more; called under the job's lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressListener:
    """Callbacks: `begun` in the transaction that creates or restarts the job, `moved` after each
    commit, with the position in the file in bytes."""

    begun: Callable[[AsyncConnection, Job], Awaitable[None]]
    moved: Callable[[Job, int], None] = lambda *_: None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLists:
    """Lists of rejected rows and warnings, fsynced before their chunk commits."""

    rejects: RowList
    warnings: RowList


class IngestBusy(Exception):  # named for the job's state
    """Another process is taking this file; it goes on by itself."""


async def ingest_file(
    engine: AsyncEngine,
    task: IngestTask,
    listener: ProgressListener,
    *,
    now: Callable[[], datetime],
) -> Job:
    """Ingest the file, or the rest of it; returns the job.

    Its `state` is `done`, or `stopped` with a `sentence`. Raises `IngestBusy`.
    """
    async with engine.connect() as connection:
        await _lock(connection, task)
        job = await _begin(connection, task, listener, now=now())
        if job.state == job_store.DONE:
            return job
        try:
            wording = task.wording
            of_rejects = wording.rejects_form if wording else STORED_REJECTS
            of_warnings = wording.warnings_form if wording else STORED_WARNINGS
            with (
                RowList(task.rejects, job.rejects_bytes, of_rejects) as rejects,
                RowList(task.warnings, job.masked_bytes, of_warnings) as warnings,
            ):
                lists = RowLists(rejects=rejects, warnings=warnings)
                job = await _merge_chunks(connection, task, job, lists, listener, now=now)
        except FileRefused as refused:
            return await _end(connection, task, refused, now=now())
        return await _end(connection, task, None, now=now())


async def _merge_chunks(
    connection: AsyncConnection,
    task: IngestTask,
    job: Job,
    lists: RowLists,
    listener: ProgressListener,
    *,
    now: Callable[[], datetime],
) -> Job:
    stat = task.path.stat()
    async with chunks_in_order(_plan(task, job, now())) as chunks:
        async for chunk in chunks:
            job = await _merge_chunk(connection, task, job, chunk, lists, now=now())
            listener.moved(job, chunk.position)
            if job.rejected > task.config.max_rejected:
                raise FileRefused(
                    f"More than {task.config.max_rejected:,} rows were rejected: the file seems to be "
                    "none of this dataset.",
                    f"超过 {task.config.max_rejected:,} 行未通过校验：文件似乎不属于该数据目录项。",
                )
    if _changed(stat, task.path.stat()):
        raise FileRefused(
            "The file was changed while it was read: deliver it again as a whole.",
            "文件在读取过程中被修改：请重新报送整个文件。",
        )
    return job


async def _merge_chunk(
    connection: AsyncConnection,
    task: IngestTask,
    job: Job,
    chunk: Chunk,
    lists: RowLists,
    *,
    now: datetime,
) -> Job:
    """Merge one chunk in one transaction; its lists are on the disk before it commits."""
    merge_input = MergeInput(
        source=task.config.source,
        dataset=task.config.dataset,
        catalogue=task.config.catalogue,
        now=now,
    )
    async with connection.begin():
        merged = await merge(connection, merge_input, chunk.payload)
        counts = Counter(
            {BatchResult.REJECTED: chunk.rejected, BatchResult.UNCHANGED: chunk.superseded}
        )
        warnings = Counter(chunk.warnings)
        for each in await merged.counts():
            counts[RESULT_OF_VERDICT[each["verdict"]]] += each["rows"]
            if each["verdict"] == "older":
                warnings[RowWarning.OLDER] += each["rows"]
            if each["mark"] in WARNING_OF_MARK:
                warnings[WARNING_OF_MARK[each["mark"]]] += each["rows"]
        await _list_rows(merged, chunk, lists)
        return await job_store.add_progress(
            connection,
            job,
            rows=chunk.rows,
            counts={name.value: count for name, count in counts.items()},
            warnings={name.value: count for name, count in warnings.items()},
            passed_over=chunk.passed_over,
            ignored_columns=tuple(dict.fromkeys((*job.ignored_columns, *chunk.ignored))),
            rejects_bytes=lists.rejects.length,
            masked_bytes=lists.warnings.length,
            now=now,
        )


async def _list_rows(merged: MergedBatch, chunk: Chunk, lists: RowLists) -> None:
    """Write a chunk's rejected rows and warnings, with those that the merge found."""
    noted = await merged.noted()
    foreign = {each["row"]: (HELD_BY_ANOTHER,) for each in noted if each["verdict"] == "foreign"}
    older = ((each["row"], RowWarning.OLDER) for each in noted if each["verdict"] == "older")
    marked = ((each["row"], WARNING_OF_MARK[each["mark"]]) for each in noted if each["mark"])
    lists.rejects.add(chunk.rejects + reject_lines(foreign, chunk.columns))
    lists.warnings.add(chunk.warned + whole_row_lines(sorted((*older, *marked))))


async def _lock(connection: AsyncConnection, task: IngestTask) -> None:
    """Take the job's lock, which belongs to the session."""
    for _ in range(int(LOCK_SECONDS / _PAUSE)):
        async with connection.begin():
            if await job_store.try_lock_job(connection, _key(task)):
                return
        await asyncio.sleep(_PAUSE)
    raise IngestBusy(IngestBusy.__doc__)


async def _begin(
    connection: AsyncConnection, task: IngestTask, listener: ProgressListener, *, now: datetime
) -> Job:
    """The job; restarted on request, or if the encoding or the sheet has changed."""
    values = {
        **_key(task),
        "file_name": task.path.name,
        "file_bytes": task.path.stat().st_size,
        "encoding": task.config.encoding,
        "sheet": task.config.sheet,
        "chunk_rows": task.config.chunk_rows,
        "catalogue_version": task.config.catalogue.version,
    }
    async with connection.begin():
        held = await job_store.find_job(connection, values)
        if held is None:
            job = await job_store.create_job(connection, values, now=now)
        elif (held.encoding, held.sheet) == (task.config.encoding, task.config.sheet) and not (
            held.state == job_store.DONE and task.again(held)
        ):
            return held
        else:
            job = await job_store.restart_job(connection, held, values, now=now)
        await listener.begun(connection, job)
        return job


async def _end(
    connection: AsyncConnection,
    task: IngestTask,
    refused: FileRefused | None,
    *,
    now: datetime,
) -> Job:
    async with connection.begin():
        job = await job_store.get_job(connection, _key(task))
        await job_store.end_job(connection, job, refused, now=now)
        return await job_store.get_job(connection, _key(task))


def _plan(task: IngestTask, job: Job, now: datetime) -> ReadPlan:
    """Read the rest of the file, in the chunks of the job's first run."""
    return ReadPlan(
        path=task.path.absolute(),
        format=task.format,
        config=replace(task.config, chunk_rows=job.chunk_rows),
        today=day_of(now),
        skip=job.rows,
    )


def _key(task: IngestTask) -> Mapping[str, object]:
    return {
        "source_id": task.config.source.source_id,
        "dataset": task.config.dataset,
        "file_digest": task.digest,
    }


def _changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
