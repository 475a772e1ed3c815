"""HTTP routes for reports on codes: the queue (also for auditors), one case, its decision."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from gateway.access.errors import InvalidRequestError, NotFoundError
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.admin.code_report_decision import decide
from gateway.admin.code_report_schemas import CodeReportOut, CodeReportsOut
from gateway.admin.operator_calls import known_shape, operator_only, read_act, reader, run_act
from gateway.admin.schemas import CodeReportDecisionIn
from gateway.codes.reports import serializers, store
from gateway.codes.reports.model import Outcome
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.text_input import InvalidText, read_text
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(prefix="/code-reports")


@router.get("", response_model=CodeReportsOut)
async def list_code_reports(
    request: Request,
    runtime: UsingRuntime,
    status: Literal["open", "dismissed", "confirmed"] | None = None,
    issued: Annotated[
        bool | None, Query(description="false: of what is no code of ours; left out: of both")
    ] = None,
    after: Annotated[str | None, Query(max_length=64, description="cursor")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List reported and unusually scanned codes, one case each, the newest report first."""
    await reader(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await store.list_cases(
            connection, status=status, issued=issued, after=after, limit=limit + 1
        )
    shown = [serializers.summary(each) for each in found[:limit]]
    cursor = shown[-1]["case_id"] if len(found) > limit else None
    return json_response({"code_reports": shown, "after": cursor})


@router.get("/{case_id}", response_model=CodeReportOut)
async def get_code_report(case_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Show a case with the texts of its stored reports."""
    await operator_only(request, runtime)
    return await _whole(runtime, known_shape(case_id))


@router.post(
    "/{case_id}/decide",
    response_model=CodeReportOut,
    openapi_extra=request_body(CodeReportDecisionIn),
)
async def decide_code_report(case_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Dismiss a case or confirm it, and with `revoke` revoke its code."""
    operator, asked = await read_act(request, runtime, CodeReportDecisionIn)
    written = read_text(asked.reasons, today=day_of(runtime.now()))
    if isinstance(written, InvalidText):
        raise InvalidRequestError("Reasons have 2 to 1,500 characters.")
    known, outcome = known_shape(case_id), Outcome(asked.outcome)
    await run_act(runtime, operator, decide, known, outcome, written.text, revoke=asked.revoke)
    return await _whole(runtime, known)


async def _whole(runtime: Runtime, case_id: str) -> Response:
    async with runtime.engine.connect() as connection:
        found = await store.find_case(connection, case_id)
        texts = await store.texts_of(connection, case_id) if found else []
    if found is None:
        raise NotFoundError
    return json_response(serializers.full_document(found, texts))
