"""HTTP route for applications for repair: what sources have to decide (operators, auditors)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.admin.answer_schemas import CSV, DueRepairsOut
from gateway.admin.due_list import Form, due_list
from gateway.admin.operator_calls import reader
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.repairs import serializers, service
from gateway.runtime import UsingRuntime

router = APIRouter(prefix="/repairs")


@router.get("/due", response_model=DueRepairsOut, responses={200: {"content": CSV}})
async def list_due_repairs(
    request: Request,
    runtime: UsingRuntime,
    within: Annotated[int | None, Query(ge=0, le=250, description="working days")] = None,
    form: Annotated[Form, Query(alias="format")] = "json",
) -> Response:
    """List the applications that sources have to decide, the longest overdue first."""
    await reader(request, runtime)
    now = runtime.now()
    async with runtime.engine.connect() as connection:
        found = await service.due_applications(connection, within=within, now=now)
    rows = [serializers.due_row(each, today=day_of(now)) for each in found]
    return due_list(rows, serializers.REPORT_COLUMNS, form)
