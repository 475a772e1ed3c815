"""Ingest worker: ingests uploaded files in the background, one at a time per gateway process.

A file is claimed for a minute and the claim renewed; if the worker is killed, another resumes after
the last commit. Rows are read in separate processes (`ingest.reader_processes`).
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.background.periodic import in_background, run_periodically
from gateway.creditfile.natural_key_version import KeysDueError
from gateway.db.engine import background_engine
from gateway.db.unavailable import is_unavailable, name_of
from gateway.ingest.config import IngestConfig
from gateway.ingest.ingest_file import IngestBusy, IngestTask, ProgressListener, ingest_file
from gateway.ingest.job_store import DONE, Job, digest_of_file
from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.text_encoding import ENCODINGS, DeclaredEncoding
from gateway.ingest.row_lists.list_file import MAX_LIST_BYTES, was_cut
from gateway.ingest.source_authorization import NotASource, source_of
from gateway.records import uploads
from gateway.records.spool import Spool
from gateway.records.uploads import Upload
from gateway.runtime import Runtime
from gateway.settings import Settings

log = structlog.get_logger("gateway.records")

POLL_SECONDS: Final = 2.0  # seconds
CLEANUP_SECONDS: Final = 60.0
CLAIM_SECONDS: Final = 60.0
RENEWAL_SECONDS: Final = 2.0
MAX_ATTEMPTS: Final = 10
STRAY_AGE_SECONDS: Final = 2 * 24 * 3600.0
CHUNK_ROWS: Final = 5_000  # a call of the same source and dataset waits for one chunk at most
MAX_REJECTED: Final = 100_000
ANOTHER_DIGEST: Final = (
    "The file's SHA-256 is not the one that was announced: upload it again.",
    "文件的 SHA-256 与声明的不一致：请重新上传。",
)
GONE: Final = (
    "The file is not in the gateway's folder any more: upload it again.",
    "文件已不在网关目录中：请重新上传。",
)
GAVE_UP: Final = (
    "The file could not be taken, many times over: tell the operator its job_id.",
    "文件多次处理失败：请将 job_id 告知运营方。",
)
_COUNTED: Final = ("rows", "created", "updated", "unchanged", "rejected", "passed_over")


@dataclass(slots=True, kw_only=True)
class IngestWorker:
    """Claims and ingests uploaded files until cancelled."""

    current: Callable[[], Runtime]
    spool: Spool
    name: str = field(default_factory=lambda: secrets.token_hex(16))
    _cleaned: float = 0.0
    _progress: dict[str, Any] | None = None
    _ended: tuple[str, str] | None = None
    """The reason why the source of the current file may not deliver any more."""

    @property
    def runtime(self) -> Runtime:
        """The current runtime, with the catalogue in force."""
        return self.current()

    async def run(self) -> None:
        """Ingest files until cancelled."""
        failed = partial(log.warning, "intake_round_failed")
        await run_periodically(self._work, POLL_SECONDS, failed, delay_first=False)

    async def _work(self) -> bool:
        if time.monotonic() - self._cleaned > CLEANUP_SECONDS:
            self._cleaned = time.monotonic()
            await self.clean_up()
        return await self.round()

    async def round(self) -> bool:
        """Claim and ingest one file; false if none waits, or the disk has no room for its lists."""
        if not self.spool.has_room_for(2 * MAX_LIST_BYTES):
            log.warning("intake_has_no_room")
            return False
        async with self.runtime.background.begin() as connection:
            upload = await uploads.claim_next(
                connection, holder=self.name, seconds=CLAIM_SECONDS, now=self.runtime.now()
            )
        if upload is None:
            return False
        self._progress = self._ended = None
        renewal = asyncio.create_task(self._renew(upload))
        ingest = asyncio.create_task(self._ingest(upload))
        try:
            await asyncio.wait({renewal, ingest}, return_when=asyncio.FIRST_COMPLETED)
            if ingest.done():
                ingest.result()
            elif self._ended is None:
                log.warning("upload_lost", job_id=upload.upload_id)
            else:
                await _stop(ingest)
                await self._finish(upload, "stopped", self._ended, self._progress)
        except asyncio.CancelledError:
            await self._release(upload, seconds=0, is_failure=False)
            raise
        except (IngestBusy, KeysDueError):
            await self._release(upload, seconds=30, is_failure=False)
        except Exception as error:  # noqa: BLE001  # it stays queued; attempts are counted
            log.warning("upload_failed", job_id=upload.upload_id, kind=name_of(error))
            await self._release(upload, seconds=15, is_failure=True)
        finally:
            await _stop(renewal)
            await _stop(ingest)
        return True

    async def clean_up(self) -> None:
        """Delete expired uploads, and files without an upload."""
        async with self.runtime.background.begin() as connection:
            gone = await uploads.delete_expired(connection, now=self.runtime.now())
            strays = self.spool.strays(time.time() - STRAY_AGE_SECONDS)
            gone += await uploads.unknown_ids(connection, strays)
        for upload_id in gone:
            self.spool.remove(upload_id, lists_too=True)

    async def _ingest(self, upload: Upload) -> None:
        """Ingest one file and record its final state."""
        if upload.attempts > MAX_ATTEMPTS:
            await self._finish(upload, "stopped", GAVE_UP, None)
            return
        try:
            job = await self._run_task(upload)
        except (FileRefused, NotASource) as refused:
            await self._finish(upload, "stopped", (refused.en, refused.zh), None)
            return
        state = "done" if job.state == DONE else "stopped"
        await self._finish(
            upload, state, (job.sentence, job.sentence_zh), self._result(upload, job)
        )

    async def _run_task(self, upload: Upload) -> Job:
        path = self.spool.file(upload.upload_id)
        if not path.exists():
            raise FileRefused(*GONE)
        if await asyncio.to_thread(digest_of_file, path) != upload.sha256:
            raise FileRefused(*ANOTHER_DIGEST)
        now = self.runtime.now()
        # Its own connection: a large file must not occupy one of the calls' pool.
        engine = background_engine(self.runtime.settings)
        try:
            async with engine.connect() as connection:
                source = await source_of(connection, upload.source_id, upload.dataset, now=now)
            config = IngestConfig(
                source=source,
                dataset=upload.dataset,
                catalogue=self.runtime.catalogue,
                vault_keys=self.runtime.settings.vault_keys.read_text(encoding="utf-8"),
                encoding=_encoding(upload),
                columns=upload.columns or {},
                ignore_unknown=upload.ignore_unknown,
                sheet=upload.sheet,
                chunk_rows=CHUNK_ROWS,
                max_rejected=MAX_REJECTED,
            )
            task = IngestTask(
                config=config,
                path=path,
                digest=upload.sha256,
                format=upload.format,
                rejects=self.spool.rejects(upload.upload_id),
                warnings=self.spool.warnings(upload.upload_id),
                again=lambda done: self._must_repeat(upload, done),
            )
            listener = ProgressListener(begun=_ignore, moved=self._moved)
            return await ingest_file(engine, task, listener, now=self.runtime.now)
        finally:
            await engine.dispose()

    def _must_repeat(self, upload: Upload, job: Job) -> bool:
        """True where a file done before was delivered later, or its lists are elsewhere."""
        lists = (
            (job.rejected, self.spool.rejects(upload.upload_id)),
            (job.masked_bytes, self.spool.warnings(upload.upload_id)),
        )
        is_listed = all(path.exists() for length, path in lists if length)
        return job.started_at < (upload.completed_at or upload.created_at) or not is_listed

    def _result(self, upload: Upload, job: Job) -> dict[str, Any]:
        lists = self.spool.rejects(upload.upload_id), self.spool.warnings(upload.upload_id)
        return _counts(job) | {"lists_cut": any(map(was_cut, lists))}

    def _moved(self, job: Job, _position: int) -> None:
        self._progress = _counts(job)

    async def _renew(self, upload: Upload) -> None:
        """Renew the claim. Returns when another worker has claimed the file, or its source may not
        deliver any more (`_ended`): a suspended source must not continue a large file."""
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            try:
                async with self.runtime.background.begin() as connection:
                    if not await uploads.renew_claim(
                        connection,
                        upload.upload_id,
                        holder=self.name,
                        counts=self._progress,
                        expires_at=self.runtime.now() + timedelta(seconds=CLAIM_SECONDS),
                    ):
                        return
                    await source_of(
                        connection, upload.source_id, upload.dataset, now=self.runtime.now()
                    )
            except NotASource as ended:
                self._ended = ended.en, ended.zh
                return
            except Exception as error:
                if not is_unavailable(error):
                    raise
                log.warning("upload_not_renewed", job_id=upload.upload_id, kind=name_of(error))

    async def _finish(
        self,
        upload: Upload,
        state: str,
        sentences: tuple[str | None, str | None],
        counts: dict[str, Any] | None,
    ) -> None:
        async with self.runtime.background.begin() as connection:
            kept = await uploads.finish(
                connection,
                upload.upload_id,
                holder=self.name,
                state=state,
                sentences=sentences,
                counts=counts,
                now=self.runtime.now(),
            )
        if kept:
            self.spool.remove(upload.upload_id, lists_too=False)
        log.info("upload_ended", job_id=upload.upload_id, source=upload.source_id, state=state)

    async def _release(self, upload: Upload, *, seconds: float, is_failure: bool) -> None:
        until = self.runtime.now() + timedelta(seconds=seconds)
        with suppress(Exception):
            async with self.runtime.background.begin() as connection:
                await uploads.release(
                    connection,
                    upload.upload_id,
                    holder=self.name,
                    retry_at=until,
                    counts=is_failure,
                )


def ingesting(
    settings: Settings, current: Callable[[], Runtime]
) -> AbstractAsyncContextManager[None]:
    """Ingest uploads in the background for as long as the block lasts, if there is a spool."""
    if settings.spool is None:
        return nullcontext()
    return in_background(IngestWorker(current=current, spool=Spool(settings.spool)).run())


async def _ignore(_connection: AsyncConnection, _job: Job) -> None:
    """No audit entry: the upload records who delivered what, and when."""


async def _stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has ended; its exception is ignored."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _counts(job: Job) -> dict[str, Any]:
    counted = {name: getattr(job, name) for name in _COUNTED}
    return counted | {
        "ignored_columns": list(job.ignored_columns),
        "warnings": dict(job.warnings),
    }


def _encoding(upload: Upload) -> DeclaredEncoding:
    return next((each for each in ENCODINGS if each == upload.encoding), "utf-8")
