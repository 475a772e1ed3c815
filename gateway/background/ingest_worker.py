"""While the gateway serves, each worker takes one uploaded file at a time, beside its calls.

A file is claimed for a while and the claim renewed: if its worker is killed, another goes on where
the last commit stands. The file's rows are read in a process of their own (`ingest.chunk_reader`).
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.key_version import KeysDueError
from gateway.db.engine import background_engine
from gateway.db.unavailable import is_unavailable, name_of
from gateway.ingest.decompression import FileRefused
from gateway.ingest.ingest_file import IngestBusy, IngestJob, ProgressListener, ingest_file
from gateway.ingest.job_store import DONE, Job, digest_of_file
from gateway.ingest.row_list_files import MAX_LIST_BYTES
from gateway.ingest.source_authorization import NotASource, source_of
from gateway.ingest.text_encoding import Encoding
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
CHUNK_ROWS: Final = 5_000  # calls of the same source and dataset wait for one chunk at most
MAX_REJECTED: Final = 100_000
ANOTHER_DIGEST: Final = "The file's SHA-256 is not the one that was announced: upload it again."
GONE: Final = "The file is not in the gateway's folder any more: upload it again."
GAVE_UP: Final = "The file could not be taken, many times over: tell the operator its job_id."
_COUNTED: Final = ("rows", "created", "updated", "unchanged", "rejected")


@dataclass(slots=True, kw_only=True)
class IngestWorker:
    """Takes files until it is cancelled."""

    current: Callable[[], Runtime]
    spool: Spool
    name: str = field(default_factory=lambda: secrets.token_hex(16))
    _progress: dict[str, Any] | None = None
    _ended: str | None = None
    """Why its source may deliver no more of the file that is being taken."""

    @property
    def runtime(self) -> Runtime:
        """The gateway's present runtime."""
        return self.current()

    async def run(self) -> None:
        """Take one file after the other; tidy up now and then."""
        tidied = 0.0
        while True:
            try:
                if time.monotonic() - tidied > CLEANUP_SECONDS:
                    tidied = time.monotonic()
                    await self.tidy()
                took = await self.round()
            except Exception as error:  # noqa: BLE001  # whatever it was, the next round tries again
                log.warning("intake_round_failed", kind=name_of(error))
                took = False
            await asyncio.sleep(0 if took else POLL_SECONDS)

    async def round(self) -> bool:
        """Claim a file and take it; false where none waits, or no room for its lists."""
        if not self.spool.has_room_for(2 * MAX_LIST_BYTES):
            log.warning("intake_has_no_room")
            return False
        async with self.runtime.background.begin() as connection:
            of = await uploads.claim_next(
                connection, holder=self.name, seconds=CLAIM_SECONDS, now=self.runtime.now()
            )
        if of is None:
            return False
        self._progress = self._ended = None
        renewing = asyncio.create_task(self._renew(of))
        taking = asyncio.create_task(self._taken(of))
        try:
            await asyncio.wait({renewing, taking}, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                taking.result()
            elif self._ended is None:
                log.warning("upload_lost", job_id=of.upload_id)
            else:
                await _over(taking)
                await self._finish(of, "stopped", self._ended, self._progress)
        except asyncio.CancelledError:
            await self._later(of, seconds=0, is_failure=False)
            raise
        except (IngestBusy, KeysDueError):
            await self._later(of, seconds=30, is_failure=False)
        except Exception as error:  # noqa: BLE001  # it stays queued; its attempts are counted
            log.warning("upload_failed", job_id=of.upload_id, kind=name_of(error))
            await self._later(of, seconds=15, is_failure=True)
        finally:
            await _over(renewing)
            await _over(taking)
        return True

    async def tidy(self) -> None:
        """Remove what has had its time, and files of which nothing is known."""
        async with self.runtime.background.begin() as connection:
            gone = await uploads.delete_expired(connection, now=self.runtime.now())
            strays = self.spool.strays(time.time() - STRAY_AGE_SECONDS)
            gone += await uploads.unknown_ids(connection, strays)
        for upload_id in gone:
            self.spool.remove(upload_id, lists_too=True)

    async def _taken(self, of: Upload) -> None:
        """One file, from its digest to its end."""
        if of.attempts > MAX_ATTEMPTS:
            await self._finish(of, "stopped", GAVE_UP, None)
            return
        try:
            job = await self._ingested(of)
        except (FileRefused, NotASource) as refused:
            await self._finish(of, "stopped", str(refused), None)
            return
        state = "done" if job.state == DONE else "stopped"
        await self._finish(of, state, job.sentence, _counts(job))

    async def _ingested(self, of: Upload) -> Job:
        path = self.spool.file(of.upload_id)
        if not path.exists():
            raise FileRefused(GONE)
        if await asyncio.to_thread(digest_of_file, path) != of.sha256:
            raise FileRefused(ANOTHER_DIGEST)
        now = self.runtime.now()
        # A connection of its own: a large file must not take one from the calls for so long.
        engine = background_engine(self.runtime.settings)
        try:
            async with engine.connect() as connection:
                source = await source_of(connection, of.source_id, of.dataset, now=now)
            order = IngestJob(
                path=path,
                digest=of.sha256,
                format=of.format,
                source=source,
                dataset=of.dataset,
                catalogue=self.runtime.catalogue,
                vault_keys=self.runtime.settings.vault_keys.read_text(encoding="utf-8"),
                rejects=self.spool.rejects(of.upload_id),
                masked=self.spool.masked(of.upload_id),
                encoding=_encoding(of),
                chunk_rows=CHUNK_ROWS,
                again=lambda held: self._counts_again(of, held),
                most_rejected=MAX_REJECTED,
            )
            watcher = ProgressListener(begun=_nothing_more, moved=self._moved)
            return await ingest_file(engine, order, watcher, now=self.runtime.now)
        finally:
            await engine.dispose()

    def _counts_again(self, of: Upload, held: Job) -> bool:
        """Of the same file delivered before this one; and of one delivered twice at once, whose
        lists stand with the other upload."""
        lists = (
            (held.rejected, self.spool.rejects(of.upload_id)),
            (held.masked_bytes, self.spool.masked(of.upload_id)),
        )
        is_listed = all(path.exists() for length, path in lists if length)
        return held.started_at < (of.completed_at or of.created_at) or not is_listed

    def _moved(self, job: Job, _position: int) -> None:
        self._progress = _counts(job)

    async def _renew(self, of: Upload) -> None:
        """Hold it while it is taken; ends only where another has claimed it, or its source may
        deliver it no more (`_ended`): who is suspended does not go on for the rest of a large file."""
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            try:
                async with self.runtime.background.begin() as connection:
                    if not await uploads.renew_claim(
                        connection,
                        of.upload_id,
                        holder=self.name,
                        counts=self._progress,
                        until=self.runtime.now() + timedelta(seconds=CLAIM_SECONDS),
                    ):
                        return
                    await source_of(connection, of.source_id, of.dataset, now=self.runtime.now())
            except NotASource as ended:
                self._ended = str(ended)
                return
            except Exception as error:
                if not is_unavailable(error):
                    raise
                log.warning("upload_not_renewed", job_id=of.upload_id, kind=name_of(error))

    async def _finish(
        self, of: Upload, state: str, sentence: str | None, counts: dict[str, Any] | None
    ) -> None:
        async with self.runtime.background.begin() as connection:
            kept = await uploads.finish(
                connection,
                of.upload_id,
                holder=self.name,
                state=state,
                sentence=sentence,
                counts=counts,
                now=self.runtime.now(),
            )
        if kept:
            self.spool.remove(of.upload_id, lists_too=False)
        log.info("upload_ended", job_id=of.upload_id, source=of.source_id, state=state)

    async def _later(self, of: Upload, *, seconds: float, is_failure: bool) -> None:
        until = self.runtime.now() + timedelta(seconds=seconds)
        with suppress(Exception):
            async with self.runtime.background.begin() as connection:
                await uploads.release(
                    connection, of.upload_id, holder=self.name, until=until, counts=is_failure
                )


@asynccontextmanager
async def working(settings: Settings, current: Callable[[], Runtime]) -> AsyncIterator[None]:
    """Take files in the background, where there is a folder for them."""
    if settings.spool is None:
        yield
        return
    task = asyncio.create_task(IngestWorker(current=current, spool=Spool(settings.spool)).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _nothing_more(_connection: AsyncConnection, _job: Job) -> None:
    """The upload itself says who delivered what, and when."""


async def _over(task: asyncio.Task[None]) -> None:
    """End it, and wait until it has ended, however it does."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _counts(job: Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in _COUNTED} | {"warnings": dict(job.warnings)}


def _encoding(of: Upload) -> Encoding:
    return "gb18030" if of.encoding == "gb18030" else "utf-8"
