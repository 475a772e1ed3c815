"""Large files arrive by tus 1.0.0, part by part, and are taken by a job of the same id."""

from fastapi import APIRouter, Request, Response

from gateway.access import body
from gateway.access.errors import (
    NotFoundError,
    PayloadTooLargeError,
    TemporarilyUnavailableError,
)
from gateway.db.engine import to_json
from gateway.records import tus, uploads
from gateway.records.job_routes import job_document
from gateway.records.schemas import JobOut
from gateway.records.source_authentication import (
    AuthenticatedSource,
    authenticate_source,
    authorize_source,
)
from gateway.records.spool import UPLOAD_ID, Spool
from gateway.records.upload_part import NO_ROOM, delete_upload, receive_part
from gateway.records.uploads import Upload
from gateway.runtime import Runtime, UsingRuntime

# tus describes itself; the document of our own API names the jobs that come of it.
router = APIRouter(prefix="/v1/records/uploads", include_in_schema=False)


@router.options("", status_code=204)
async def describe(request: Request, runtime: UsingRuntime) -> Response:
    """Say what of tus is supported: version, extensions, sizes."""
    request.state.headers["Tus-Resumable"] = tus.VERSION
    headers = {
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(runtime.settings.spool_per_source),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=204, headers=headers)


@router.post("", status_code=201, response_model=JobOut)
async def create(request: Request, runtime: UsingRuntime) -> Response:
    """Announce a file: Upload-Length, and in Upload-Metadata dataset, sha256, filename or format."""
    department = await _department(request, runtime)
    await body.read_body(request)  # means nothing here, but its digest is checked as everywhere
    of = tus.parse_creation(request.headers)
    department.demand([of.dataset], runtime.catalogue)
    spool, most_bytes = _spool(runtime), runtime.settings.spool_per_source
    could_fit = of.length <= most_bytes
    if could_fit and not spool.has_room_for(of.length):
        raise TemporarilyUnavailableError(NO_ROOM, retry_after=600)
    async with runtime.engine.begin() as connection:
        made = await uploads.create(
            connection,
            department.source.source_id,
            of,
            most_bytes=most_bytes,
            now=runtime.now(),
        )
    if made is None:
        raise PayloadTooLargeError(
            f"Your unfinished uploads may have {most_bytes} bytes in "
            f"{uploads.MAX_UNFINISHED} files; finish or delete some, or send less."
        )
    location = f"{runtime.settings.issuer}{router.prefix}/{made.upload_id}"
    return Response(
        to_json(job_document(made)),
        status_code=201,
        media_type="application/json",
        headers={"Location": location, **_standing(made)},
    )


@router.head("/{upload_id}")
async def get_offset(upload_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Say how much of it has arrived."""
    department = await _department(request, runtime)
    return Response(headers=_standing(await _own(runtime, department, upload_id)))


@router.patch("/{upload_id}", status_code=204)
async def append(upload_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Take the next part; the last one queues the file."""
    department = await _department(request, runtime)
    of = await _own(runtime, department, upload_id)
    moved = await receive_part(runtime, request, of, _spool(runtime))
    return Response(status_code=204, headers=_standing(moved))


@router.delete("/{upload_id}", status_code=204)
async def terminate(upload_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Forget it, with what has arrived of it; a file that is being taken stays."""
    department = await _department(request, runtime)
    await delete_upload(runtime, await _own(runtime, department, upload_id), _spool(runtime))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def _department(request: Request, runtime: Runtime) -> AuthenticatedSource:
    """Before any byte of the body: token, proof, limits, standing, version."""
    request.state.headers["Tus-Resumable"] = tus.VERSION
    caller = await authenticate_source(request, runtime)
    department = await authorize_source(request, runtime, caller)
    tus.require_version(request.headers)
    return department


async def _own(runtime: Runtime, department: AuthenticatedSource, upload_id: str) -> Upload:
    """The upload, if it is this source's; to all others there is none."""
    if not UPLOAD_ID.fullmatch(upload_id):
        raise NotFoundError
    async with runtime.engine.connect() as connection:
        found = await uploads.find(connection, department.source.source_id, upload_id)
    if found is None or found.expires_at <= runtime.now():
        raise NotFoundError
    return found


def _spool(runtime: Runtime) -> Spool:
    if runtime.settings.spool is None:
        raise NotFoundError("This gateway takes no uploads; deliver by POST /v1/records.")
    return Spool(runtime.settings.spool)


def _standing(of: Upload) -> dict[str, str]:
    headers = {
        "Upload-Offset": str(of.received),
        "Upload-Length": str(of.length),
        "Cache-Control": "no-store",
    }
    return headers | (
        {"Upload-Expires": tus.format_expiry(of.expires_at)} if of.state == "receiving" else {}
    )
