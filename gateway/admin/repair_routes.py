"""HTTP route for applications for repair: what sources have to decide (operators, auditors)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from gateway.access.http.json_response import json_response
from gateway.admin.answer_schemas import CSV, DueRepairsOut
from gateway.admin.operator_calls import reader
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.serializers import as_csv
from gateway.creditfile.repairs import serializers, service
from gateway.runtime import UsingRuntime

router = APIRouter(prefix="/repairs")


@router.get("/due", response_model=DueRepairsOut, responses={200: {"content": CSV}})
async def list_due_repairs(
    request: Request,
    runtime: UsingRuntime,
    within: Annotated[int | None, Query(ge=0, le=250, description="working days")] = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """List the applications that sources have to decide, the longest overdue first."""
    await reader(request, runtime)
    now = runtime.now()
    async with runtime.engine.connect() as connection:
        found = await service.due_applications(connection, within=within, now=now)
    rows = [serializers.due_row(each, today=day_of(now)) for each in found]
    if form == "csv":
        return Response(
            as_csv(rows, serializers.REPORT_COLUMNS),
            media_type="text/csv; charset=utf-8; header=present",
            headers={"Cache-Control": "no-store"},
        )
    return json_response({"due": rows})
