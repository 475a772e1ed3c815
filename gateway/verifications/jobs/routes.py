"""Routes of verification jobs, `/v1/verifications/jobs`. Only the client that made a job sees it."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response

from gateway.access.admission_control import admit
from gateway.access.authentication import Caller, authenticate
from gateway.access.client_entitlement import require_entitlement
from gateway.access.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    NotInAgreementError,
    QuotaExhaustedError,
    raise_if_refused,
)
from gateway.access.http.body import read_body, read_call
from gateway.access.http.deadline import extend_deadline
from gateway.access.http.head_requests import get_only
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import problem_response, request_body
from gateway.access.request_signature import keep_signed
from gateway.clients.agreements import Agreement
from gateway.disclosure.signed_requests import CREATED, STARTED, part_of
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime
from gateway.verifications.jobs import client_store, stored_job
from gateway.verifications.jobs.client_store import TooManyJobs
from gateway.verifications.jobs.deletion import delete_own, proof_of
from gateway.verifications.jobs.lifecycle import ClientAct, JobState, NotNow, act_on
from gateway.verifications.jobs.openapi import LINES_BODY, RESULT_RESPONSES
from gateway.verifications.jobs.receive_lines import MAX_LINES, receive_lines
from gateway.verifications.jobs.schemas import JobIn, JobOut, JobsOut, LinesOut
from gateway.verifications.jobs.send_result import send_file, send_lines, send_page
from gateway.verifications.jobs.serializers import job_document
from gateway.verifications.jobs.stored_job import Job
from gateway.verifications.jobs.template import Template, parse_template

Responses = dict[int | str, dict[str, Any]]
router = PrefixRouter(prefix="/v1/verifications/jobs", tags=["verification"])
SCOPE = "verify"
RECEIVING_SECONDS = 900
FULL_SECONDS = 3600
CONFLICT: Responses = {409: problem_response("409")}
UPLOAD: Responses = {423: problem_response("423")}
OWN_TOKEN = "A job outlives a consent's token: use a token by client_credentials."  # noqa: S105  # a sentence
FULL = (
    f"A client has at most {client_store.MAX_JOBS} jobs, and {client_store.MAX_KEPT_LINES:,} lines in "
    "them: delete some of yours."
)
NO_LINES_AFTER = "CSV and xlsx are sent whole: leave out from_line and lines."
PAGE_LINES = 10_000


@router.post(
    "", status_code=201, response_model=JobOut, openapi_extra=request_body(JobIn, required=True)
)
async def create_verification_job(request: Request, runtime: UsingRuntime) -> Response:
    """Make a job; its lines are sent next, then it is started."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    came = await read_call(request, JobIn)
    agreement = await _authorize(request, runtime, caller)
    template = raise_if_refused(parse_template(raise_if_refused(came.parsed), agreement))
    _check_agreement(template, agreement)
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        made = await client_store.create(
            connection, caller.client_id, template, expires_at=_expiry(runtime), now=now
        )
    if isinstance(made, TooManyJobs):
        raise QuotaExhaustedError(FULL, retry_after=FULL_SECONDS)
    await keep_signed(
        request, runtime, client_id=made.client_id, subject_id=part_of(made.job_id, CREATED)
    )
    return json_response(job_document(made), status_code=201)


@router.get("", response_model=JobsOut)
async def list_verification_jobs(request: Request, runtime: UsingRuntime) -> Response:
    """List the client's newest 100 jobs."""
    caller = await _authorized(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await client_store.newest(connection, caller.client_id)
    return json_response({"jobs": [job_document(each) for each in found]})


@router.get("/{job_id}", response_model=JobOut)
async def get_verification_job(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Say how far a job is, why it waits and until when; of a deleted one the proof."""
    job = await _own(request, runtime, job_id)
    return json_response(job_document(job, await proof_of(runtime, job)))


@router.put("/{job_id}/lines", response_model=LinesOut, openapi_extra=LINES_BODY, responses=UPLOAD)
async def put_verification_job_lines(
    job_id: str, request: Request, runtime: UsingRuntime
) -> Response:
    """Take the lines of a job that was not started, in the place of earlier ones; all or none."""
    job = await _own(request, runtime, job_id)
    _check_phase(job, ClientAct.UPLOAD)
    extend_deadline(request, RECEIVING_SECONDS)
    taken = await receive_lines(request, runtime, job)
    await keep_signed(request, runtime, client_id=job.client_id, subject_id=job.job_id)
    return json_response(
        {
            "job_id": job.job_id,
            "state": JobState.READY,
            "lines": taken.lines,
            "broken": taken.broken,
            "first_broken": taken.shown,
        }
    )


@router.post("/{job_id}/start", response_model=JobOut, responses=CONFLICT)
async def start_verification_job(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Start a job that has its lines."""
    return await _act(request, runtime, job_id, ClientAct.START)


@router.post("/{job_id}/pause", response_model=JobOut, responses=CONFLICT)
async def pause_verification_job(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Pause a job; the set of lines that is being answered is ended."""
    return await _act(request, runtime, job_id, ClientAct.PAUSE)


@router.post("/{job_id}/resume", response_model=JobOut, responses=CONFLICT)
async def resume_verification_job(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Let a paused job go on."""
    return await _act(request, runtime, job_id, ClientAct.RESUME)


@router.get(
    "/{job_id}/result",
    response_class=Response,
    responses={**RESULT_RESPONSES, **CONFLICT},
)
@get_only()
async def get_verification_job_result(
    job_id: str,
    request: Request,
    runtime: UsingRuntime,
    format: Annotated[Literal["ndjson", "csv", "xlsx"], Query()] = "ndjson",  # noqa: A002  # on the wire
    from_line: Annotated[int, Query(ge=1, le=MAX_LINES + 1)] = 1,
    lines: Annotated[int | None, Query(ge=1, le=PAGE_LINES)] = None,
) -> Response:
    """Send the result of an ended job, from one of its lines on; once sent whole it is kept a day more.

    With `lines` a page of so many, signed by its header; the manifest follows the last line.
    """
    job = await _own(request, runtime, job_id)
    if job.state == JobState.DELETED:
        raise NotFoundError("The result of this job is deleted.")
    _check_phase(job, ClientAct.COLLECT)
    if format != "ndjson" and (from_line > 1 or lines is not None):
        raise InvalidRequestError(NO_LINES_AFTER)
    if lines is not None:
        return await send_page(runtime, job, from_line - 1, lines)
    if format == "ndjson":
        return send_lines(request, runtime, job, from_line - 1)
    return await send_file(request, runtime, job, format)


@router.delete("/{job_id}", response_model=JobOut)
async def delete_verification_job(job_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Delete a job with its lines and answers, at once; the answer has the signed proof."""
    caller = await _authorized(request, runtime)
    deleted = await delete_own(runtime, caller.client_id, job_id)
    if deleted is None:
        raise NotFoundError
    return json_response(job_document(deleted, await proof_of(runtime, deleted)))


async def _act(request: Request, runtime: Runtime, job_id: str, act: ClientAct) -> Response:
    caller = await _authorized(request, runtime)
    await read_body(request)  # ignored, but its digest is checked
    async with runtime.engine.begin() as connection:
        job = await client_store.lock_own(connection, caller.client_id, job_id)
        if job is None:
            raise NotFoundError
        moved = await client_store.act(
            connection, job, act, until=_expiry(runtime), now=runtime.now()
        )
        if act is ClientAct.START and not isinstance(moved, NotNow):
            started = part_of(job_id, STARTED)
            await keep_signed(request, runtime, client_id=job.client_id, subject_id=started)
    if isinstance(moved, NotNow):
        raise ConflictError(_sentence(moved))
    return json_response(job_document(moved))


async def _authorized(request: Request, runtime: Runtime) -> Caller:
    caller = await authenticate(request, runtime, scope=SCOPE)
    await _authorize(request, runtime, caller)
    return caller


async def _authorize(request: Request, runtime: Runtime, caller: Caller) -> Agreement:
    """Admit a call of a client by itself, and read its agreement."""
    await admit(request, runtime, caller, uscc=None, key=None)
    agreement = await require_entitlement(runtime, caller)
    if caller.token.consent_id is not None:
        raise InvalidRequestError(OWN_TOKEN)
    return agreement


async def _own(request: Request, runtime: Runtime, job_id: str) -> Job:
    """The caller's own job; to all others it is not there."""
    caller = await _authorized(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await stored_job.find(connection, caller.client_id, job_id)
    if found is None:
        raise NotFoundError
    return found


def _check_agreement(template: Template | None, agreement: Agreement) -> None:
    if template is None:
        return
    questions = [each.tag for each in template.questions]
    outside = agreement.missing(purpose=template.purpose, questions=questions)
    if outside:
        raise NotInAgreementError(f"Your agreement does not cover: {', '.join(outside)}.")


def _check_phase(job: Job, act: ClientAct) -> None:
    found = act_on(job.phase, act)
    if isinstance(found, NotNow):
        raise ConflictError(_sentence(found))


def _sentence(found: NotNow) -> str:
    without = ", without lines" if found.state == "created" else ""
    return f"This job's state is {found.state}{without}: {found.act} is not possible now."


def _expiry(runtime: Runtime) -> datetime:
    return runtime.now() + timedelta(days=runtime.settings.job_days)
