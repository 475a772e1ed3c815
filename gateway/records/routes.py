"""Routes for delivering records and acting on them (`/v1/records`): one outcome for each row."""

import re
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request, Response

from gateway.access.errors import NotFoundError, raise_if_refused
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.access.serializers.timestamps import format_time
from gateway.creditfile.local_dates import day_of
from gateway.ingest import RowOutcome
from gateway.ingest.actions.waiting_acts import PAGE, WaitingAct, list_acts
from gateway.ingest.overdue_listings import find_overdue
from gateway.ingest.row_lists.wording import RowWording
from gateway.prefix_router import PrefixRouter
from gateway.privacy.redaction import holds_personal_number
from gateway.records.accept_language import requested_language
from gateway.records.schemas import (
    MAX_BATCH_BYTES,
    ActionResultsOut,
    ActionsIn,
    OverdueOut,
    RecordApprovalIn,
    RecordsIn,
    ResultsOut,
    WaitingActionOut,
    WaitingActionsOut,
)
from gateway.records.service import (
    apply_to_records,
    approve_action,
    deliver,
    parse_action,
    read_operator,
)
from gateway.records.source_authentication import (
    authenticate_source,
    read_source_call,
    require_known,
)
from gateway.runtime import UsingRuntime

ACTION_ID: Final = re.compile(r"act_[a-z2-7]{26}")

router = PrefixRouter(prefix="/v1/records", tags=["records"])


@router.post("", response_model=ResultsOut, openapi_extra=request_body(RecordsIn))
async def deliver_records(request: Request, runtime: UsingRuntime) -> Response:
    """Deliver up to 1,000 records of one dataset."""
    source, delivery = await read_source_call(request, runtime, RecordsIn, largest=MAX_BATCH_BYTES)
    source.require([delivery.dataset], runtime.catalogue)
    outcomes = await deliver(runtime, source, delivery.dataset, delivery.records)
    wording = RowWording(runtime.catalogue, delivery.dataset, requested_language(request))
    return json_response({"results": [_result(each, wording) for each in outcomes]})


@router.post("/actions", response_model=ActionResultsOut, openapi_extra=request_body(ActionsIn))
async def act_on_records(request: Request, runtime: UsingRuntime) -> Response:
    """Repair, suspend, withdraw or correct records, or ask to bring them back: one, or up to 1,000."""
    source, body = await read_source_call(request, runtime, ActionsIn, largest=MAX_BATCH_BYTES)
    today = day_of(runtime.now())
    actions = [raise_if_refused(parse_action(each, today=today)) for each in body.actions]
    # Only what delivers content needs its dataset in the agreement.
    corrected = [each.dataset for each in actions if each.verb == "correct"]
    require_known([each.dataset for each in actions], runtime.catalogue)
    source.require(corrected, runtime.catalogue)
    outcomes = await apply_to_records(runtime, source, actions)
    language = requested_language(request)
    wordings = {
        each.dataset: RowWording(runtime.catalogue, each.dataset, language) for each in actions
    }
    results = [
        _action_result(outcome, wordings[each.dataset])
        for each, outcome in zip(actions, outcomes, strict=True)
    ]
    return json_response({"results": results})


@router.get("/actions", response_model=WaitingActionsOut)
async def list_record_actions(
    request: Request,
    runtime: UsingRuntime,
    status: Annotated[Literal["pending", "approved"], Query()] = "pending",
    after: Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9_]*$")] = "",
) -> Response:
    """List what a second person can still approve, or has approved, by id, a page at a time."""
    source = await authenticate_source(request, runtime)
    now = runtime.now()
    async with runtime.engine.connect() as connection:
        found = await list_acts(connection, source.source_id, status, now=now, after=after)
    more = found[-1].action_id if len(found) == PAGE else None
    return json_response(
        {"actions": [_waiting(each, today=day_of(now)) for each in found], "after": more}
    )


@router.post(
    "/actions/{action_id}/approve",
    response_model=WaitingActionOut,
    openapi_extra=request_body(RecordApprovalIn),
)
async def approve_record_action(
    action_id: str, request: Request, runtime: UsingRuntime
) -> Response:
    """Approve an action as another operator than the one who asked for it; then it is done."""
    source, body = await read_source_call(request, runtime, RecordApprovalIn)
    today = day_of(runtime.now())
    operator = raise_if_refused(read_operator(body.operator, today=today))
    if not ACTION_ID.fullmatch(action_id):
        raise NotFoundError
    act = raise_if_refused(await approve_action(runtime, source, action_id, operator))
    return json_response(_waiting(act, today=today))


@router.get("/overdue", response_model=OverdueOut)
async def list_overdue_records(request: Request, runtime: UsingRuntime) -> Response:
    """List the source's listings whose term is over and whose removal it has not reported."""
    source = await authenticate_source(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await find_overdue(
            connection, source.source_id, runtime.catalogue, now=runtime.now()
        )
    return json_response({"records": [asdict(each) for each in found]})


def _result(outcome: RowOutcome, wording: RowWording) -> dict[str, Any]:
    return {
        "row": outcome.row,
        "key": outcome.key,
        "outcome": outcome.outcome,
        "record_id": outcome.record_id,
        "version": outcome.version,
        "warnings": list(outcome.warnings),
        "warning_details": [masked.as_document(outcome.row) for masked in outcome.masked],
        "problems": [wording.problem(each) for each in outcome.problems],
    }


def _action_result(outcome: RowOutcome, wording: RowWording) -> dict[str, Any]:
    lapses_at = outcome.lapses_at
    return {
        **_result(outcome, wording),
        "action_id": outcome.action_id,
        "lapses_at": None if lapses_at is None else format_time(lapses_at),
    }


def _waiting(act: WaitingAct, *, today: date) -> dict[str, Any]:
    is_personal = holds_personal_number((act.natural_key,), today=today)
    return {
        "action_id": act.action_id,
        "action": act.verb,
        "status": "pending" if act.approved_at is None else "approved",
        "dataset": act.dataset,
        "uscc": act.uscc,
        "key": None if is_personal else act.natural_key,
        "record_id": act.record_id,
        "record_version": act.record_version,
        "reason": act.reason,
        "decided_on": act.decided_on.isoformat(),
        "operator": act.operator,
        "requested_at": format_time(act.requested_at),
        "lapses_at": format_time(act.lapses_at),
        "approved_by": act.approved_by,
        "approved_at": None if act.approved_at is None else format_time(act.approved_at),
    }
