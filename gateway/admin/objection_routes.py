"""HTTP routes for objections: what is due (operators, auditors), and the review (operators)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.access.errors import InvalidRequestError, NotFoundError
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.admin import objection_review
from gateway.admin.answer_schemas import CSV, DueObjectionsOut, ObjectionForReviewOut
from gateway.admin.due_list import Form, due_list
from gateway.admin.operator_calls import known_shape, operator_only, read_act, reader, run_act
from gateway.admin.schemas import ReviewIn
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import serializers, service
from gateway.creditfile.objections.model import ObjectionOutcome
from gateway.creditfile.objections.text_input import InvalidText, read_text
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(prefix="/objections")


@router.get("/due", response_model=DueObjectionsOut, responses={200: {"content": CSV}})
async def list_due_objections(
    request: Request,
    runtime: UsingRuntime,
    within: Annotated[int | None, Query(ge=0, le=250, description="working days")] = None,
    form: Annotated[Form, Query(alias="format")] = "json",
) -> Response:
    """List what sources and reviewers owe, the longest overdue first; as JSON or CSV."""
    await reader(request, runtime)
    now = runtime.now()
    async with runtime.engine.connect() as connection:
        found = await service.due_objections(connection, within=within, now=now)
    rows = [serializers.due_row(each, today=day_of(now)) for each in found]
    return due_list(rows, serializers.REPORT_COLUMNS, form)


@router.get("/{objection_id}", response_model=ObjectionForReviewOut)
async def get_objection_for_review(
    objection_id: str, request: Request, runtime: UsingRuntime
) -> Response:
    """Show an objection as its reviewer needs it."""
    await operator_only(request, runtime)
    return await _whole(runtime, known_shape(objection_id))


@router.post(
    "/{objection_id}/review",
    response_model=ObjectionForReviewOut,
    openapi_extra=request_body(ReviewIn),
)
async def review_objection(objection_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Decide the review that an enterprise has asked for, finally."""
    operator, asked = await read_act(request, runtime, ReviewIn)
    written = read_text(asked.reasons, today=day_of(runtime.now()))
    if isinstance(written, InvalidText):
        raise InvalidRequestError("Reasons have 2 to 1,500 characters.")
    known, outcome = known_shape(objection_id), ObjectionOutcome(asked.outcome)
    review = objection_review.review
    await run_act(runtime, operator, review, runtime.catalogue, known, outcome, written.text)
    return await _whole(runtime, known)


async def _whole(runtime: Runtime, objection_id: str) -> Response:
    async with runtime.engine.connect() as connection:
        found = await service.find_document(connection, objection_id, now=runtime.now())
    if found is None:
        raise NotFoundError
    return json_response(found)
