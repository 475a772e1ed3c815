"""Routes of a source for applications for repair of its own records (`/v1/records/repairs`)."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Query, Request, Response

from gateway.access.errors import ConflictError, InvalidRequestError, NotFoundError
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.text_input import InvalidText, read_text
from gateway.creditfile.repairs import serializers, service, store
from gateway.creditfile.repairs.model import APPLICATION_ID, ApplicationRefusal, ApplicationStatus
from gateway.ingest import Source
from gateway.ingest.row_lists.wording import RowWording
from gateway.prefix_router import PrefixRouter
from gateway.records import repair_service
from gateway.records.accept_language import requested_language
from gateway.records.repair_schemas import (
    PlatformReportsIn,
    PlatformResultsOut,
    RepairApplicationsOut,
    RepairDecisionIn,
    WholeRepairApplicationOut,
)
from gateway.records.schemas import MAX_BATCH_BYTES
from gateway.records.service import MAX_REASON, MIN_REASON
from gateway.records.source_authentication import (
    authenticate_source,
    read_source_call,
    require_known,
)
from gateway.rfc3339 import Day
from gateway.runtime import Runtime, UsingRuntime

REFUSAL_SENTENCES: Final = {
    ApplicationRefusal.NOT_NOW: "The application is closed; read it again.",
    ApplicationRefusal.RECORD_WITHDRAWN: "The record has been withdrawn: reject the application.",
}

router = PrefixRouter(prefix="/v1/records/repairs", tags=["repairs"])


@router.get("", response_model=RepairApplicationsOut)
async def list_repairs(
    request: Request,
    runtime: UsingRuntime,
    status: Annotated[ApplicationStatus | None, Query()] = None,
    due: Annotated[Day | None, Query(description="due on this day or before")] = None,
    after: Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9_]*$")] = "",
) -> Response:
    """List the applications about this department's records, by id, a page at a time."""
    source = await authenticate_source(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await store.of_source(
            connection, source.source_id, status=status, due_until=due, after=after
        )
    now = runtime.now()
    more = found[-1].application_id if len(found) == store.PAGE else None
    return json_response(
        {"repairs": [serializers.summary(each, now=now) for each in found], "after": more}
    )


@router.post(
    "/platforms",
    response_model=PlatformResultsOut,
    openapi_extra=request_body(PlatformReportsIn),
)
async def report_platforms(request: Request, runtime: UsingRuntime) -> Response:
    """Report which platforms have followed a repair: one, or up to 200 in `reports`."""
    source, body = await read_source_call(
        request, runtime, PlatformReportsIn, largest=MAX_BATCH_BYTES
    )
    require_known([each.dataset for each in body.reports], runtime.catalogue)
    outcomes = await repair_service.report_platforms(runtime, source, body.reports)
    language = requested_language(request)
    results = [
        {
            "row": row,
            "outcome": done.outcome,
            "record_id": done.record_id,
            "platform": report.platform,
            "followed_on": report.followed_on.isoformat(),
            "problems": [
                RowWording(runtime.catalogue, report.dataset, language).problem(problem)
                for problem in ([done.problem] if done.problem else [])
            ],
        }
        for row, (report, done) in enumerate(zip(body.reports, outcomes, strict=True))
    ]
    return json_response({"results": results})


@router.get("/{application_id}", response_model=WholeRepairApplicationOut)
async def get_repair(application_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Show one application with its statement and the digests of its papers."""
    return await _respond(runtime, await authenticate_source(request, runtime), application_id)


@router.post(
    "/{application_id}/decide",
    response_model=WholeRepairApplicationOut,
    openapi_extra=request_body(RepairDecisionIn),
)
async def decide_repair(application_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Accept an application, which repairs the record, or reject it; the enterprise is told why."""
    source, asked = await read_source_call(request, runtime, RepairDecisionIn)
    reason = _read_reason(asked.reason, runtime.now())
    done = await repair_service.decide(
        runtime,
        source,
        _known_shape(application_id),
        accepted=asked.outcome == "accepted",
        reason=reason,
    )
    if isinstance(done, ApplicationRefusal):
        sentence = REFUSAL_SENTENCES.get(done)
        raise NotFoundError if sentence is None else ConflictError(sentence)
    return await _respond(runtime, source, application_id)


async def _respond(runtime: Runtime, source: Source, application_id: str) -> Response:
    async with runtime.engine.begin() as connection:
        found = await service.find_document(
            connection, _known_shape(application_id), now=runtime.now(), source_id=source.source_id
        )
    if found is None:
        raise NotFoundError
    return json_response(found)


def _known_shape(application_id: str) -> str:
    if not APPLICATION_ID.fullmatch(application_id):
        raise NotFoundError
    return application_id


def _read_reason(typed: str, now: datetime) -> str:
    """The reason as stored, with personal numbers masked."""
    written = read_text(typed, today=day_of(now), shortest=MIN_REASON, longest=MAX_REASON)
    if isinstance(written, InvalidText):
        raise InvalidRequestError(f"A reason has {MIN_REASON} to {MAX_REASON} characters.")
    return written.text
