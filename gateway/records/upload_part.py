"""Receipt of one part of an upload: held, written to the spool, verified, recorded."""

import asyncio
import secrets
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.access.errors import (
    ChecksumMismatchError,
    ConflictError,
    DigestMismatchError,
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    TemporarilyUnavailableError,
    UploadBusyError,
)
from gateway.access.http.body import record_checked_digest
from gateway.access.http.content_digest import ContentDigest
from gateway.access.http.deadline import extend_deadline
from gateway.records import tus, uploads
from gateway.records.spool import PartTooLongError, ReceivedPart, Spool, SpoolFullError
from gateway.records.uploads import Upload
from gateway.runtime import Runtime

MAX_PART_BYTES = 256 << 20
NO_ROOM = "There is no room for this file now."
ARRIVAL_SECONDS = 300.0  # seconds, for one part
WRITE_SECONDS = 60  # seconds after its last byte
HOLD_SECONDS = ARRIVAL_SECONDS + WRITE_SECONDS  # longer than a write can take


async def receive_part(runtime: Runtime, request: Request, upload: Upload, spool: Spool) -> Upload:
    """Write the part in `request` after the bytes already received; returns the updated upload."""
    tus.require_part(request.headers)
    offset = tus.parse_number(request.headers, "upload-offset")
    checksum = tus.parse_checksum(request.headers)
    digest = ContentDigest.read(request.headers.getlist("content-digest"))
    max_bytes = min(upload.length - offset, MAX_PART_BYTES)
    _check_offset(request, upload, offset, max_bytes)
    holder = await _hold(runtime, upload, offset)
    extend_deadline(request, WRITE_SECONDS)
    more = 0
    try:
        part = await spool.write(
            upload.upload_id,
            offset,
            max_bytes,
            _chunks(request),
            {*([checksum.algorithm] if checksum else []), *(digest.algorithms if digest else [])},
            max_seconds=ARRIVAL_SECONDS,
        )
        more = _accepted_length(request, part, checksum, digest)
    except PartTooLongError:
        raise PayloadTooLargeError("The part goes beyond Upload-Length.") from None
    except SpoolFullError:
        raise TemporarilyUnavailableError(NO_ROOM, retry_after=600) from None
    finally:
        async with runtime.engine.begin() as connection:
            moved = await uploads.advance(
                connection, upload.upload_id, holder=holder, more=more, now=runtime.now()
            )
    if moved is None:
        raise UploadBusyError
    if not part.is_whole:
        raise InvalidRequestError("The part did not arrive whole; go on at Upload-Offset.")
    return moved


def _check_offset(request: Request, upload: Upload, offset: int, max_bytes: int) -> None:
    if upload.state != "receiving":
        raise ConflictError("This upload is complete.")
    if offset != upload.received:
        raise _offset_conflict(upload)
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise PayloadTooLargeError(
            f"A part has at most {MAX_PART_BYTES} bytes and does not go beyond Upload-Length."
        )


async def _hold(runtime: Runtime, upload: Upload, offset: int) -> str:
    holder, now = secrets.token_hex(16), runtime.now()
    async with runtime.engine.begin() as connection:
        if await uploads.hold_for_writing(
            connection, upload, offset=offset, holder=holder, seconds=HOLD_SECONDS, now=now
        ):
            return holder
        present = await uploads.find(connection, upload.source_id, upload.upload_id)
    if present is None or present.expires_at <= now:
        raise NotFoundError
    if present.received != offset:
        raise _offset_conflict(present)
    raise UploadBusyError(retry_after=1)


def _offset_conflict(upload: Upload) -> ConflictError:
    return ConflictError(f"Upload-Offset is {upload.received}; go on from there.")


def _accepted_length(
    request: Request,
    part: ReceivedPart,
    checksum: tus.Checksum | None,
    digest: ContentDigest | None,
) -> int:
    """Bytes of the part to keep: with a checksum or digest, all or none."""
    if (checksum or digest) and not part.is_whole:
        return 0
    if checksum is not None and not checksum.fits(part.hashes[checksum.algorithm]):
        raise ChecksumMismatchError
    if digest is not None and not digest.fits(part.hashes):
        raise DigestMismatchError
    if digest is not None and part.length:
        record_checked_digest(request, digest)
    return part.length


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise ConnectionError from None


async def delete_upload(runtime: Runtime, upload: Upload, spool: Spool) -> None:
    """Delete an upload and its file, unless it is being written or ingested."""
    async with runtime.engine.begin() as connection:
        dropped = await uploads.delete(connection, upload, now=runtime.now())
    if not dropped:
        raise UploadBusyError(retry_after=1)
    await asyncio.to_thread(spool.remove, upload.upload_id, lists_too=True)
