"""A part of a file, from the wire to the disk: it counts when it is whole there, and only once."""

import asyncio
import secrets
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.access.body import record_checked_digest
from gateway.access.content_digest import ContentDigest
from gateway.access.deadline import extend_deadline
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
from gateway.records import tus, uploads
from gateway.records.spool import PartTooLongError, ReceivedPart, Spool, SpoolFullError
from gateway.records.uploads import Upload
from gateway.runtime import Runtime

MAX_PART_BYTES = 256 << 20
NO_ROOM = "There is no room for this file now."
ARRIVAL_SECONDS = 300.0  # seconds, for one part
WRITE_SECONDS = 60  # seconds, after the last of it has arrived
HOLD_SECONDS = ARRIVAL_SECONDS + WRITE_SECONDS  # longer than anybody could still be writing


async def receive_part(runtime: Runtime, request: Request, of: Upload, spool: Spool) -> Upload:
    """Write the part that `request` brings behind what has arrived of `of`."""
    tus.require_part(request.headers)
    offset = tus.parse_number(request.headers, "upload-offset")
    said = tus.parse_checksum(request.headers)
    digest = ContentDigest.read(request.headers.getlist("content-digest"))
    most = min(of.length - offset, MAX_PART_BYTES)
    _demand_room(request, of, offset, most)
    holder = await _hold(runtime, of, offset)
    extend_deadline(request, WRITE_SECONDS)
    more = 0
    try:
        part = await spool.write(
            of.upload_id,
            offset,
            most,
            _chunks(request),
            {*([said.algorithm] if said else []), *(digest.algorithms if digest else [])},
            within=ARRIVAL_SECONDS,
        )
        more = _counted(request, part, said, digest)
    except PartTooLongError:
        raise PayloadTooLargeError("The part goes beyond Upload-Length.") from None
    except SpoolFullError:
        raise TemporarilyUnavailableError(NO_ROOM, retry_after=600) from None
    finally:
        async with runtime.engine.begin() as connection:
            moved = await uploads.advance(
                connection, of.upload_id, holder=holder, more=more, now=runtime.now()
            )
    if moved is None:
        raise UploadBusyError
    if not part.is_whole:
        raise InvalidRequestError("The part did not arrive whole; go on at Upload-Offset.")
    return moved


def _demand_room(request: Request, of: Upload, offset: int, most: int) -> None:
    if of.state != "receiving":
        raise ConflictError("This upload is complete.")
    if offset != of.received:
        raise _other_offset(of)
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most:
        raise PayloadTooLargeError(
            f"A part has at most {MAX_PART_BYTES} bytes and does not go beyond Upload-Length."
        )


async def _hold(runtime: Runtime, of: Upload, offset: int) -> str:
    holder, now = secrets.token_hex(16), runtime.now()
    async with runtime.engine.begin() as connection:
        held = await uploads.hold_for_writing(
            connection, of, offset=offset, holder=holder, seconds=HOLD_SECONDS, now=now
        )
        present = of if held else await uploads.find(connection, of.source_id, of.upload_id)
    if held:
        return holder
    if present is None or present.expires_at <= now:
        raise NotFoundError
    if present.received != offset:
        raise _other_offset(present)
    raise UploadBusyError(retry_after=1)


def _other_offset(of: Upload) -> ConflictError:
    return ConflictError(f"Upload-Offset is {of.received}; go on from there.")


def _counted(
    request: Request, part: ReceivedPart, said: tus.Checksum | None, digest: ContentDigest | None
) -> int:
    """How much of the part is kept: of one with a checksum or a digest all or nothing."""
    if (said or digest) and not part.is_whole:
        return 0
    if said is not None and not said.fits(part.hashes[said.algorithm]):
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


async def delete_upload(runtime: Runtime, of: Upload, spool: Spool) -> None:
    """Forget an upload with its file; one that is being written or taken stays."""
    async with runtime.engine.begin() as connection:
        dropped = await uploads.delete(connection, of, now=runtime.now())
    if not dropped:
        raise UploadBusyError(retry_after=1)
    await asyncio.to_thread(spool.remove, of.upload_id, lists_too=True)
