"""What becomes of an uploaded file: a source follows its own jobs and reads why rows were rejected."""

import csv
import io
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from gateway.access.errors import NotFoundError
from gateway.access.moments import on_the_wire
from gateway.db.engine import to_json
from gateway.intake import uploads
from gateway.intake.department import Department, enter, knock
from gateway.intake.schemas import JobOut, JobsOut
from gateway.intake.spool import AN_ID, Spool
from gateway.intake.uploads import Upload
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(prefix="/v1/records/jobs", tags=["records"])
NDJSON = "application/x-ndjson"
COUNTED = ("rows", "created", "updated", "unchanged", "rejected")
LISTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rejected rows.",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", NDJSON)},
    }
}
LARGEST_LIST = 32 << 20  # a hundred thousand rejected rows are far less


@router.get("", response_model=JobsOut)
async def list_jobs(request: Request, runtime: UsingRuntime) -> Response:
    """List the source's newest 100 jobs."""
    department = await _department(request, runtime)
    async with runtime.engine.connect() as conn:
        found = await uploads.newest(conn, department.source.source_id)
    return _answer({"jobs": [shown(each) for each in found]})


@router.get("/{job_id}", response_model=JobOut)
async def get_job(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Say how far one job is."""
    department = await _department(request, runtime)
    return _answer(shown(await _own(runtime, department, job_id)))


@router.get("/{job_id}/rejects", response_class=Response, responses=LISTS)
async def get_rejects(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """List the rejected rows: row, field, reason; as CSV, or NDJSON where that is accepted."""
    department = await _department(request, runtime)
    of = await _own(runtime, department, job_id)
    if runtime.settings.spool is None or of.state not in {"done", "stopped"}:
        raise NotFoundError("The list is there when the job has ended.")
    text = read_list(Spool(runtime.settings.spool).rejects(of.upload_id))
    wants_ndjson = NDJSON in request.headers.get("accept", "")
    return Response(
        _as_ndjson(text) if wants_ndjson else text,
        media_type=NDJSON if wants_ndjson else "text/csv",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{of.upload_id}.rejects.csv"',
        },
    )


def shown(of: Upload) -> dict[str, Any]:
    """A job on the wire."""
    counts = of.counts or {}
    return {
        "job_id": of.upload_id,
        "dataset": of.dataset,
        "file_name": of.file_name,
        "state": of.state,
        "sentence": of.sentence,
        "length": of.length,
        "received": of.received,
        **{name: counts.get(name, 0) for name in COUNTED},
        "warnings": counts.get("warnings", {}),
        "created_at": on_the_wire(of.created_at),
        "completed_at": on_the_wire(of.completed_at) if of.completed_at else None,
        "expires_at": on_the_wire(of.expires_at),
    }


async def _department(request: Request, runtime: Runtime) -> Department:
    return await enter(request, runtime, await knock(request, runtime))


async def _own(runtime: Runtime, department: Department, job_id: str) -> Upload:
    """The job, if it is this source's; to all others there is none."""
    if not AN_ID.fullmatch(job_id):
        raise NotFoundError
    async with runtime.engine.connect() as conn:
        found = await uploads.find(conn, department.source.source_id, job_id)
    if found is None:
        raise NotFoundError
    return found


def read_list(path: Path, most: int = LARGEST_LIST) -> str:
    """The list, in whole lines; only its header where nothing was rejected."""
    try:
        with path.open("rb") as file:
            text = file.read(most)
    except FileNotFoundError:
        return "row,field,reason\n"
    return text[: text.rfind(b"\n") + 1].decode()


def _as_ndjson(text: str) -> str:
    rows = csv.DictReader(io.StringIO(text))
    return "".join(f"{to_json({**row, 'row': int(row['row'])})}\n" for row in rows)


def _answer(document: dict[str, Any]) -> Response:
    return Response(
        to_json(document),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
