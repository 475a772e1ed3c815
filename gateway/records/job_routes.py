"""Routes of upload jobs (`/v1/records/jobs`): progress, rejected rows, warnings."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import Request, Response

from gateway.access.errors import NotFoundError
from gateway.access.http.json_response import json_response
from gateway.access.openapi.headers import header
from gateway.access.serializers.timestamps import format_time
from gateway.ingest.row_lists.encoding import ListWords, encode_list
from gateway.ingest.row_lists.list_file import MAX_LIST_BYTES
from gateway.ingest.row_lists.wording import RowWording
from gateway.pages.i18n import Language
from gateway.prefix_router import PrefixRouter
from gateway.records import uploads
from gateway.records.accept_language import requested_language
from gateway.records.schemas import JobOut, JobsOut
from gateway.records.source_authentication import AuthenticatedSource, authenticate_source
from gateway.records.spool import UPLOAD_ID, Spool
from gateway.records.uploads import Upload
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(prefix="/v1/records/jobs", tags=["records"])
NDJSON = "application/x-ndjson"
COUNTED = ("rows", "created", "updated", "unchanged", "rejected", "passed_over")
CSV = "text/csv"


def list_response(description: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI response of a CSV or NDJSON list."""
    content = {kind: {"schema": {"type": "string"}} for kind in (CSV, NDJSON)}
    headers = {"Content-Disposition": header("Content-Disposition", required=True)}
    return {200: {"description": description, "content": content, "headers": headers}}


@router.get("", response_model=JobsOut)
async def list_ingest_jobs(request: Request, runtime: UsingRuntime) -> Response:
    """List the source's newest 100 jobs."""
    source = await authenticate_source(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await uploads.newest(connection, source.source_id)
    language = requested_language(request)
    return json_response({"jobs": [job_document(each, language) for each in found]})


@router.get("/{job_id}", response_model=JobOut)
async def get_ingest_job(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Say how far one job is."""
    source = await authenticate_source(request, runtime)
    upload = await own_upload(runtime, source, job_id)
    return json_response(job_document(upload, requested_language(request)))


@router.get(
    "/{job_id}/rejects", response_class=Response, responses=list_response("The rejected rows.")
)
async def get_ingest_job_rejects(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """List the rejected rows: row, field, reason, column, code and what is accepted; as CSV, or NDJSON
    where that is accepted. The language is that of `Accept-Language`. A list of more than 32 MiB ends with a
    line whose code is `list_cut` and whose row is the first one that is missing."""
    spool, upload = await _ended(request, runtime, job_id)
    wording = RowWording(runtime.catalogue, upload.dataset, requested_language(request))
    path = spool.rejects(upload.upload_id)
    is_csv = NDJSON not in request.headers.get("accept", "")
    text = await asyncio.to_thread(_worded_list, wording.of_rejects, path, is_csv=is_csv)
    return _list(text, is_csv=is_csv, name="rejects", upload=upload)


@router.get("/{job_id}/warnings", response_class=Response, responses=list_response("The warnings."))
async def get_ingest_job_warnings(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """List the warnings: row, field, column, code, reason, and of a masked number its place; as NDJSON,
    or CSV where that is accepted. The language is that of `Accept-Language`. A list of more than 32 MiB ends
    with a line whose code is `list_cut` and whose row is the first one that is missing."""
    spool, upload = await _ended(request, runtime, job_id)
    wording = RowWording(runtime.catalogue, upload.dataset, requested_language(request))
    path = spool.warnings(upload.upload_id)
    is_csv = CSV in request.headers.get("accept", "")
    text = await asyncio.to_thread(_worded_list, wording.of_warnings, path, is_csv=is_csv)
    return _list(text, is_csv=is_csv, name="warnings", upload=upload)


def job_document(upload: Upload, language: Language) -> dict[str, Any]:
    """JSON form of a job."""
    counts = upload.counts or {}
    return {
        "job_id": upload.upload_id,
        "dataset": upload.dataset,
        "file_name": upload.file_name,
        "state": upload.state,
        "sentence": upload.sentence_zh if language == "zh" else upload.sentence,
        "length": upload.length,
        "received": upload.received,
        **{name: counts.get(name, 0) for name in COUNTED},
        "ignored_columns": counts.get("ignored_columns", []),
        "warnings": counts.get("warnings", {}),
        "lists_cut": counts.get("lists_cut", False),
        "created_at": format_time(upload.created_at),
        "completed_at": format_time(upload.completed_at) if upload.completed_at else None,
        "expires_at": format_time(upload.expires_at),
    }


async def _ended(request: Request, runtime: Runtime, job_id: str) -> tuple[Spool, Upload]:
    """The source's own job, once it has ended, and the spool with its lists."""
    source = await authenticate_source(request, runtime)
    upload = await own_upload(runtime, source, job_id)
    if runtime.settings.spool is None or upload.state not in {"done", "stopped"}:
        raise NotFoundError("The list is there when the job has ended.")
    return Spool(runtime.settings.spool), upload


def _list(text: bytes, *, is_csv: bool, name: str, upload: Upload) -> Response:
    suffix, media_type = ("csv", CSV) if is_csv else ("ndjson", NDJSON)
    return Response(
        text,
        media_type=media_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{upload.upload_id}.{name}.{suffix}"',
        },
    )


async def own_upload(runtime: Runtime, source: AuthenticatedSource, upload_id: str) -> Upload:
    """The upload or its job, if it belongs to this source; else 404."""
    if not UPLOAD_ID.fullmatch(upload_id):
        raise NotFoundError
    async with runtime.engine.connect() as connection:
        found = await uploads.find(connection, source.source_id, upload_id)
    if found is None:
        raise NotFoundError
    return found


def _worded_list(words: ListWords, path: Path, *, is_csv: bool) -> bytes:
    return encode_list(words, read_list(path), is_csv=is_csv)


def read_list(path: Path, max_bytes: int = MAX_LIST_BYTES) -> str:
    """The whole lines below a list's header; none if there is no file."""
    try:
        with path.open("rb") as file:
            file.readline()
            text = file.read(max_bytes)
    except FileNotFoundError:
        return ""
    return text[: text.rfind(b"\n") + 1].decode()
