"""Receipt of a job's lines: read as they arrive, sealed and stored set by set; kept whole or not at all."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.access.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
    UploadBusyError,
)
from gateway.access.http.body import record_checked_digest, refuse_content_coding
from gateway.access.http.content_digest import ContentDigest
from gateway.disclosure.ids import new_id
from gateway.runtime import Runtime
from gateway.verifications.jobs import client_store, stored_job
from gateway.verifications.jobs.job_line import is_broken, problem_of
from gateway.verifications.jobs.lifecycle import JobState
from gateway.verifications.jobs.parse_line import checked_line
from gateway.verifications.jobs.row_lines import HeaderError
from gateway.verifications.jobs.sealing import ASKED, place_of, seal_digest, seal_lines
from gateway.verifications.jobs.stored_job import Job, SealedSet
from gateway.verifications.jobs.text_lines import CsvLines, NdjsonLines
from gateway.verifications.jobs.workbook_lines import WorkbookLines

MAX_LINES: Final = 1_000_000
MAX_BYTES: Final = 512 << 20
SET_LINES: Final = 200
SET_BYTES: Final = 1 << 20
SETS_AT_ONCE: Final = 10
MAX_SHOWN: Final = 20
PIECE_SECONDS: Final = 20
UPLOAD_SECONDS: Final = 900
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS: Final = "application/vnd.ms-excel"
_CHARSETS: Final = {"utf-8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}
NO_TEMPLATE: Final = "For CSV and workbooks the job itself names its purpose and questions."
WRONG_TYPE: Final = f"Send the lines as {NDJSON}, {CSV}, {XLSX} or {XLS}."
TOO_MANY: Final = f"A job has at most {MAX_LINES:,} lines."
NOT_IN_TIME: Final = "The lines did not arrive in time; nothing of them was kept."
NOT_WHOLE: Final = "The lines did not arrive whole; nothing of them was kept."
NOTHING: Final = "There is no line to answer."

AsyncLines = CsvLines | NdjsonLines | WorkbookLines


@dataclass(slots=True, kw_only=True)
class ReceivedLines:
    """Lines that have arrived of an upload."""

    upload_id: str
    lines: int = 0
    broken: int = 0
    shown: list[dict[str, Any]] = field(default_factory=list)
    body: "hashlib._Hash" = field(default_factory=hashlib.sha256)


async def receive_lines(request: Request, runtime: Runtime, job: Job) -> ReceivedLines:
    """Store the lines in the request's body as the job's."""
    refuse_content_coding(request.headers)
    digest = ContentDigest.read(request.headers.getlist("content-digest"))
    reader = reader_for(request, job)
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_BYTES:
        raise PayloadTooLargeError
    holder = await _hold(runtime, job)
    try:
        found = await _receive(request, runtime, job, reader, digest)
        if not found.lines:
            raise InvalidRequestError(NOTHING)
        await _finish(runtime, job, found, holder)
    except BaseException:
        await asyncio.shield(_drop(runtime, job, holder))
        raise
    finally:
        if isinstance(reader, WorkbookLines):
            await reader.close()
    if digest is not None:
        record_checked_digest(request, digest)
    return found


def reader_for(request: Request, job: Job) -> AsyncLines:
    """The reader of the media type that the request names."""
    content_types = request.headers.getlist("content-type")
    media_type, *parameters = (content_types or [""])[0].split(";")
    media_type = media_type.strip().lower()
    if len(content_types) != 1 or media_type not in {NDJSON, CSV, XLSX, XLS}:
        raise UnsupportedMediaTypeError(WRONG_TYPE)
    template = job.template
    if media_type == NDJSON:
        return NdjsonLines(template)
    if template is None:
        raise InvalidRequestError(NO_TEMPLATE)
    if media_type == CSV:
        return CsvLines(template, _charset(parameters))
    return WorkbookLines(template)


def _charset(parameters: list[str]) -> str | None:
    """The charset that a media type's parameters name, if one does."""
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            found = _CHARSETS.get(value.strip().strip('"').lower())
            if found is None:
                raise UnsupportedMediaTypeError("Send CSV in UTF-8 or GB 18030.")
            return found
    return None


async def _receive(
    request: Request,
    runtime: Runtime,
    job: Job,
    reader: AsyncLines,
    digest: ContentDigest | None,
) -> ReceivedLines:
    found = ReceivedLines(upload_id=new_id("upl"))
    hashes = {name: hashlib.new(name) for name in (digest.algorithms if digest else ())}
    writer = _SetWriter(runtime=runtime, job=job, found=found)
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            async for block in arriving_blocks(request):
                found.body.update(block)
                for each in hashes.values():
                    each.update(block)
                if isinstance(reader, WorkbookLines):
                    await reader.write(block)
                else:
                    await writer.add_all(reader.feed(block))
            if digest is not None and not digest.fits(hashes):
                raise DigestMismatchError
            if isinstance(reader, WorkbookLines):
                async with runtime.job_files.turn:
                    async for line in reader.lines():
                        await writer.add(line)
            else:
                await writer.add_all(reader.end())
            await writer.flush()
    except TimeoutError:
        raise InvalidRequestError(NOT_IN_TIME) from None
    except ClientDisconnect:
        raise InvalidRequestError(NOT_WHOLE) from None
    except HeaderError as error:
        raise InvalidRequestError(error.en) from None
    return found


async def arriving_blocks(request: Request, seconds: float = PIECE_SECONDS) -> AsyncIterator[bytes]:
    """The body's blocks; `TimeoutError` where one does not arrive in so many seconds."""
    stream, total = aiter(request.stream()), 0
    while True:
        async with asyncio.timeout(seconds):
            block = await anext(stream, None)
        if block is None:
            return
        total += len(block)
        if total > MAX_BYTES:
            raise PayloadTooLargeError
        if block:
            yield block


@dataclass(slots=True, kw_only=True)
class _SetWriter:
    """Gathers lines into sets and stores some sets at a time."""

    runtime: Runtime
    job: Job
    found: ReceivedLines
    _lines: list[bytes] = field(default_factory=list)
    _bytes: int = 0
    _sets: list[SealedSet] = field(default_factory=list)

    async def add_all(self, lines: Any) -> None:
        """Add lines; other calls have their turn after each set."""
        for each in lines:
            await self.add(each)

    async def add(self, line: bytes) -> None:
        """Add one line."""
        found = self.found
        if found.lines >= MAX_LINES:
            raise PayloadTooLargeError(TOO_MANY)
        found.lines += 1
        if not is_broken(line):
            line = checked_line(line, found.lines)
        if is_broken(line):
            found.broken += 1
            if len(found.shown) < MAX_SHOWN:
                found.shown.append(problem_of(line))
        self._lines.append(line)
        self._bytes += len(line)
        if len(self._lines) == SET_LINES or self._bytes >= SET_BYTES:
            await self._close_set()

    async def flush(self) -> None:
        """Store what is left."""
        if self._lines:
            await self._close_set()
        await self._store()

    async def _close_set(self) -> None:
        first = self.found.lines - len(self._lines) + 1
        sealed = seal_lines(
            self.runtime.vault, self._lines, column=ASKED, row=place_of(self.job.job_id, first)
        )
        self._sets.append(SealedSet(first_line=first, lines=len(self._lines), asked=sealed))
        self._lines, self._bytes = [], 0
        if len(self._sets) >= SETS_AT_ONCE:
            await self._store()
        await asyncio.sleep(0)

    async def _store(self) -> None:
        sets, self._sets = self._sets, []
        async with self.runtime.engine.begin() as connection:
            await client_store.add_sets(
                connection, self.job.job_id, self.found.upload_id, sets, now=self.runtime.now()
            )


async def _hold(runtime: Runtime, job: Job) -> str:
    holder, now = secrets.token_hex(16), runtime.now()
    until = now + timedelta(seconds=UPLOAD_SECONDS + PIECE_SECONDS)
    async with runtime.engine.begin() as connection:
        if await client_store.hold_for_upload(connection, job, holder=holder, until=until, now=now):
            return holder
        present = await stored_job.find(connection, job.client_id, job.job_id)
    if present is None or present.state == JobState.DELETED:
        raise NotFoundError
    if present.state not in {JobState.CREATED, JobState.READY}:
        raise ConflictError("This job was started: its lines stay as they are.")
    raise UploadBusyError(retry_after=1)


async def _finish(runtime: Runtime, job: Job, found: ReceivedLines, holder: str) -> None:
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        if not await client_store.finish_upload(
            connection,
            job,
            holder=holder,
            upload_id=found.upload_id,
            sealed_digest=seal_digest(runtime.vault, job, found.body.digest()),
            lines=found.lines,
            broken=found.broken,
            expires_at=now + timedelta(days=runtime.settings.job_days),
            now=now,
        ):
            raise UploadBusyError


async def _drop(runtime: Runtime, job: Job, holder: str) -> None:
    async with runtime.engine.begin() as connection:
        await client_store.drop_upload(connection, job, holder=holder)
