"""Route `GET /v1/limits`: where the calling client stands."""

from fastapi import Request, Response

from gateway.access.admission_control import admit_by
from gateway.access.authentication import authenticate
from gateway.access.client_status import require_agreement
from gateway.access.http.json_response import json_response
from gateway.client_limits.report import limits_report
from gateway.client_limits.schemas import LimitsOut
from gateway.clients.registration import SCOPES
from gateway.limits.quotas import limits_counter, limits_query
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

router = PrefixRouter(prefix="/v1/limits", tags=["limits"])


@router.get("", response_model=LimitsOut, response_model_exclude_none=True)
async def show_limits(request: Request, runtime: UsingRuntime) -> Response:
    """Show each limit of the calling client, what is left of it, and which refused a call last.

    A token of any scope will do. The call is counted by the limit `limits` alone.
    """
    caller = await authenticate(request, runtime, scope=SCOPES)
    await admit_by(request, runtime, caller, counters=(limits_counter(caller.client_id),))
    await require_agreement(runtime, caller)
    token = caller.token
    quotas = await runtime.agreements.quotas_of(token.client_id, token.agreement_version)
    reading = await runtime.limiter.read(
        limits_query(quotas, caller.client_id, runtime.settings.endpoint_limits)
    )
    report = limits_report(quotas, reading)
    return json_response(report.model_dump(exclude_none=True))
