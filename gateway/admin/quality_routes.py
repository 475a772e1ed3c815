"""HTTP route for the data quality of sources, as it is published (operators, auditors)."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from gateway.access.counted_months import counted_months
from gateway.access.http.json_response import json_response
from gateway.access.serializers.data_quality import (
    FinishedMonthParameter,
    requested_finished_month,
    source_quality,
)
from gateway.admin.answer_schemas import DataQualityOut
from gateway.admin.operator_calls import reader
from gateway.clients.registration import CLIENT_ID
from gateway.data_quality.reporting import published_of
from gateway.data_quality.rules import published_rules
from gateway.data_quality.sources import sources_page
from gateway.runtime import UsingRuntime

PAGE: Final = 10
"""Sources on a page."""

router = APIRouter(prefix="/data-quality")


@router.get("", response_model=DataQualityOut)
async def list_data_quality(
    request: Request,
    runtime: UsingRuntime,
    month: FinishedMonthParameter = None,
    after: Annotated[str, Query(pattern=f"^(?:{CLIENT_ID.pattern})?$")] = "",
) -> Response:
    """List the sources' data quality in a month that is over, a page at a time, without small counts."""
    await reader(request, runtime)
    wanted = requested_finished_month(month, runtime.now())
    rules, catalogue = published_rules(), runtime.catalogue
    async with runtime.engine.connect() as connection:
        found = await sources_page(connection, after, PAGE)
    sources = []
    for each in found:
        counted, counted_before = await counted_months(runtime, each.source_id, wanted)
        figures, withheld = published_of(counted.figures, rules.least_enterprises)
        before, _ = published_of(counted_before.figures, rules.least_enterprises)
        shown = source_quality(
            each.source_id,
            counted.counted_at,
            figures,
            before,
            withheld=withheld,
            catalogue=catalogue,
            rules=rules,
            language="en",
        )
        sources.append({"name": each.name, **shown})
    more = found[-1].source_id if len(found) == PAGE else None
    about = {"month": str(wanted), "rules_version": rules.version}
    return json_response({**about, "sources": sources, "after": more})
