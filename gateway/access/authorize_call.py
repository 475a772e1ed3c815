"""The whole list of checks for a caller at an endpoint that reads nothing of an enterprise by itself:
proof and limits, then client and agreement, then the consent that its token was given for."""

from fastapi import Request

from gateway.access.admission_control import admit
from gateway.access.authentication import Caller, authenticate
from gateway.access.client_status import demand_agreement
from gateway.access.consent_binding import demand_consent
from gateway.clients.agreements import Agreement
from gateway.runtime import Runtime


async def admitted(request: Request, runtime: Runtime, caller: Caller) -> Agreement:
    """The agreement under which this call runs; the first check that fails is raised."""
    await admit(request, runtime, caller, uscc=None, key=None)
    return await entitled(runtime, caller)


async def entitled(runtime: Runtime, caller: Caller) -> Agreement:
    """The agreement under which a call runs that has been counted; else its error."""
    agreement = await demand_agreement(runtime, caller)
    await demand_consent(runtime, caller)
    return agreement


async def admitted_caller(request: Request, runtime: Runtime, *, scope: str) -> Caller:
    """Who calls, with a token of this scope, and may."""
    caller = await authenticate(request, runtime, scope=scope)
    await admitted(request, runtime, caller)
    return caller
