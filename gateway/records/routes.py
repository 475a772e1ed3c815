"""Routes for delivering records and acting on them (`/v1/records`): one outcome for each row."""

from collections.abc import Sequence
from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from gateway.access.errors import raise_if_refused
from gateway.access.json_response import json_response
from gateway.access.openapi import request_body
from gateway.creditfile.local_dates import day_of
from gateway.ingest import RowOutcome
from gateway.ingest.overdue_listings import find_overdue
from gateway.records.schemas import MAX_BATCH_BYTES, ActionsIn, OverdueOut, RecordsIn, ResultsOut
from gateway.records.service import apply_to_records, deliver, parse_action
from gateway.records.source_authentication import (
    authenticate_source,
    read_source_call,
    require_known,
)
from gateway.runtime import UsingRuntime

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.post("", response_model=ResultsOut, openapi_extra=request_body(RecordsIn))
async def deliver_records(request: Request, runtime: UsingRuntime) -> Response:
    """Deliver up to 1,000 records of one dataset."""
    source, delivery = await read_source_call(request, runtime, RecordsIn, largest=MAX_BATCH_BYTES)
    source.require([delivery.dataset], runtime.catalogue)
    return _answer(await deliver(runtime, source, delivery.dataset, delivery.records))


@router.post("/actions", response_model=ResultsOut, openapi_extra=request_body(ActionsIn))
async def act_on_records(request: Request, runtime: UsingRuntime) -> Response:
    """Repair, withdraw or correct records: one, or up to 1,000 in `actions`."""
    source, body = await read_source_call(request, runtime, ActionsIn, largest=MAX_BATCH_BYTES)
    today = day_of(runtime.now())
    actions = [raise_if_refused(parse_action(each, today=today)) for each in body.actions]
    # Repairing and withdrawing need no dataset in the agreement.
    corrected = [each.dataset for each in actions if each.verb == "correct"]
    require_known([each.dataset for each in actions], runtime.catalogue)
    source.require(corrected, runtime.catalogue)
    return _answer(await apply_to_records(runtime, source, actions))


@router.get("/overdue", response_model=OverdueOut)
async def list_overdue_records(request: Request, runtime: UsingRuntime) -> Response:
    """List the source's listings whose term is over and whose removal it has not reported."""
    source = await authenticate_source(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await find_overdue(
            connection, source.source_id, runtime.catalogue, now=runtime.now()
        )
    return json_response({"records": [asdict(each) for each in found]})


def _answer(outcomes: Sequence[RowOutcome]) -> Response:
    results = [
        {
            "row": each.row,
            "key": each.key,
            "outcome": each.outcome,
            "record_id": each.record_id,
            "version": each.version,
            "warnings": list(each.warnings),
            "warning_details": [masked.as_document(each.row) for masked in each.masked],
            "problems": [{"field": p.field, "reason": p.reason} for p in each.problems],
        }
        for each in outcomes
    ]
    return json_response({"results": results})
