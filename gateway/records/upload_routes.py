"""Routes of resumable uploads by tus 1.0.0 (`/v1/records/uploads`)."""

from fastapi import Request, Response

from gateway.access.errors import NotFoundError, PayloadTooLargeError, TemporarilyUnavailableError
from gateway.access.http import body
from gateway.db.engine import to_json
from gateway.prefix_router import PrefixRouter
from gateway.records import tus, upload_openapi, uploads
from gateway.records.accept_language import requested_language
from gateway.records.job_routes import job_document, own_upload
from gateway.records.schemas import JobOut
from gateway.records.source_authentication import AuthenticatedSource, authenticate_source
from gateway.records.spool import Spool
from gateway.records.upload_part import NO_ROOM, delete_upload, receive_part
from gateway.records.uploads import Upload
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(prefix="/v1/records/uploads", tags=["records"])


@router.options("", status_code=204, openapi_extra=upload_openapi.describe())
async def describe_uploads(request: Request, runtime: UsingRuntime) -> Response:
    """Report the supported tus version, extensions and sizes."""
    request.state.headers["Tus-Resumable"] = tus.VERSION
    headers = {
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(runtime.settings.spool_per_source),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=204, headers=headers)


@router.post("", status_code=201, response_model=JobOut, openapi_extra=upload_openapi.create())
async def create_upload(request: Request, runtime: UsingRuntime) -> Response:
    """Announce a file: Upload-Length, and in Upload-Metadata dataset, sha256, filename or format."""
    source = await _authorize(request, runtime)
    await body.read_body(request)  # ignored, but its digest is checked
    announced = tus.parse_creation(request.headers)
    source.require([announced.dataset], runtime.catalogue)
    spool, most_bytes = _spool(runtime), runtime.settings.spool_per_source
    if announced.length <= most_bytes and not spool.has_room_for(announced.length):
        raise TemporarilyUnavailableError(NO_ROOM, retry_after=600)
    async with runtime.engine.begin() as connection:
        made = await uploads.create(
            connection, source.source_id, announced, most_bytes=most_bytes, now=runtime.now()
        )
    if made is None:
        raise PayloadTooLargeError(
            f"Your unfinished uploads may have {most_bytes} bytes in "
            f"{uploads.MAX_UNFINISHED} files; finish or delete some, or send less."
        )
    location = f"{runtime.settings.issuer}{router.prefix}/{made.upload_id}"
    return Response(
        to_json(job_document(made, requested_language(request))),
        status_code=201,
        media_type="application/json",
        headers={"Location": location, **_offset_headers(made)},
    )


@router.head("/{upload_id}", response_class=Response, openapi_extra=upload_openapi.get_offset())
async def get_upload_offset(upload_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Report how much has arrived."""
    return Response(headers=_offset_headers(await _own(request, runtime, upload_id)))


@router.patch("/{upload_id}", status_code=204, openapi_extra=upload_openapi.append())
async def append_to_upload(upload_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Receive the next part; the last one queues the file."""
    upload = await _own(request, runtime, upload_id)
    moved = await receive_part(runtime, request, upload, _spool(runtime))
    return Response(status_code=204, headers=_offset_headers(moved))


@router.delete("/{upload_id}", status_code=204, openapi_extra=upload_openapi.terminate())
async def terminate_upload(upload_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Delete an upload; a file that is being ingested stays."""
    upload = await _own(request, runtime, upload_id)
    await delete_upload(runtime, upload, _spool(runtime))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def _authorize(request: Request, runtime: Runtime) -> AuthenticatedSource:
    """Authenticate and authorise before any byte of the body is read."""
    request.state.headers["Tus-Resumable"] = tus.VERSION
    source = await authenticate_source(request, runtime)
    tus.require_version(request.headers)
    return source


async def _own(request: Request, runtime: Runtime, upload_id: str) -> Upload:
    """The upload, if it belongs to the caller and has not expired; else 404."""
    found = await own_upload(runtime, await _authorize(request, runtime), upload_id)
    if found.expires_at <= runtime.now():
        raise NotFoundError
    return found


def _spool(runtime: Runtime) -> Spool:
    if runtime.settings.spool is None:
        raise NotFoundError("This gateway takes no uploads; deliver by POST /v1/records.")
    return Spool(runtime.settings.spool)


def _offset_headers(upload: Upload) -> dict[str, str]:
    headers = {
        "Upload-Offset": str(upload.received),
        "Upload-Length": str(upload.length),
        "Cache-Control": "no-store",
    }
    if upload.state == "receiving":
        headers["Upload-Expires"] = tus.format_expiry(upload.expires_at)
    return headers
