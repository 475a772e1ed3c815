"""Responses of a job's result: a stream of NDJSON whose last line is its signed manifest, or a signed file.

A result that was sent whole counts as collected.
"""

from collections.abc import AsyncIterator
from typing import Final

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from gateway.access.errors import RateLimitedError
from gateway.access.http.deadline import extend_deadline
from gateway.access.http.request_middleware import STREAMED, signed_request
from gateway.limits.slots import NoSlotError
from gateway.runtime import Runtime
from gateway.signing.http_signatures import signature_over_digest
from gateway.verifications.jobs import client_store
from gateway.verifications.jobs.result import ndjson_result, result_page
from gateway.verifications.jobs.result_file import CSV, XLSX, result_file
from gateway.verifications.jobs.sealing import manifest_of
from gateway.verifications.jobs.stored_job import Job

NDJSON: Final = "application/x-ndjson"
FORMATS: Final = {"ndjson": NDJSON, "csv": CSV, "xlsx": XLSX}
DIGEST_SECONDS: Final = 600
BUSY_SECONDS: Final = 5
BUSY: Final = "Another file of a result is being made; wait for it, or take NDJSON."
_OK: Final = 200


def send_lines(request: Request, runtime: Runtime, job: Job, after: int) -> Response:
    """The answers from the line after `after` on, and the manifest."""
    request.scope["state"][STREAMED] = True
    return StreamingResponse(
        _collected(runtime, job, ndjson_result(runtime, job, after)),
        media_type=NDJSON,
        headers={"Cache-Control": "no-store"},
    )


async def send_page(runtime: Runtime, job: Job, after: int, lines: int) -> Response:
    """Some answers, signed as any other answer; with the last one the manifest.

    A page behind the last line collects nothing.
    """
    page = await result_page(runtime, job, after, lines)
    if after < job.lines and page.endswith(f"{manifest_of(runtime.vault, job)}\n".encode()):
        await _collect(runtime, job)
    return Response(page, media_type=NDJSON, headers={"Cache-Control": "no-store"})


async def send_file(request: Request, runtime: Runtime, job: Job, name: str) -> Response:
    """The whole result as CSV or xlsx, signed as any other answer."""
    extend_deadline(request, DIGEST_SECONDS)
    try:
        with runtime.job_files.taken(job.client_id):
            file = await result_file(runtime, job, FORMATS[name])
            digest, length = await file.digest()
    except NoSlotError:
        raise RateLimitedError(BUSY, retry_after=BUSY_SECONDS) from None
    extend_deadline(request, 0)
    response = StreamingResponse(
        _collected(runtime, job, file.parts()),
        media_type=file.media_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Length": str(length),
            "Content-Disposition": f'attachment; filename="{job.job_id}.{name}"',
        },
    )
    now = runtime.now()
    origin = runtime.settings.origin_at(request.headers.get("host"))
    response.raw_headers += signature_over_digest(
        signed_request(request.scope, origin),
        status=_OK,
        content_type=response.headers["content-type"],
        digest=digest,
        signer=runtime.keys.current("response", now),
        created=int(now.timestamp()),
    )
    request.scope["state"][STREAMED] = True
    return response


async def _collected(
    runtime: Runtime, job: Job, parts: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """The parts; once the last one was sent, the result counts as collected."""
    async for part in parts:
        yield part
    await _collect(runtime, job)


async def _collect(runtime: Runtime, job: Job) -> None:
    async with runtime.engine.begin() as connection:
        await client_store.mark_collected(connection, job.job_id, now=runtime.now())
