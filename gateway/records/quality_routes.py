"""Route of a source for its own data quality (`/v1/records/quality`)."""

from fastapi import Request, Response

from gateway.access.counted_months import counted_months
from gateway.access.http.json_response import json_response
from gateway.access.serializers.data_quality import (
    MonthParameter,
    OwnQualityOut,
    requested_month,
    source_quality,
)
from gateway.data_quality.month import Month
from gateway.data_quality.reporting import exact
from gateway.data_quality.rules import published_rules
from gateway.prefix_router import PrefixRouter
from gateway.records.accept_language import requested_language
from gateway.records.source_authentication import authenticate_source
from gateway.runtime import UsingRuntime

router = PrefixRouter(prefix="/v1/records", tags=["records"])


@router.get("/quality", response_model=OwnQualityOut)
async def get_data_quality(
    request: Request,
    runtime: UsingRuntime,
    month: MonthParameter = None,
) -> Response:
    """Show the source's own data quality in a month: exact figures, score, and what to mend."""
    source = await authenticate_source(request, runtime)
    wanted = requested_month(month, runtime.now())
    rules, catalogue = published_rules(), runtime.catalogue
    counted, before = await counted_months(runtime, source.source_id, wanted)
    shown = source_quality(
        source.source_id,
        counted.counted_at,
        [exact(each) for each in counted.figures],
        [exact(each) for each in before.figures],
        catalogue=catalogue,
        rules=rules,
        language=requested_language(request),
    )
    about = {
        "month": str(wanted),
        "month_is_over": wanted < Month.at(runtime.now()),
        "rules_version": rules.version,
    }
    return json_response({**about, **shown})
