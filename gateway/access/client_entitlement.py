"""Admission and entitlement checks of endpoints that read no credit file.

Proof and limits, client and agreement, the token's consent; the first check that fails is raised.
"""

from fastapi import Request

from gateway.access.admission_control import admit
from gateway.access.authentication import Caller, authenticate
from gateway.access.client_status import require_agreement
from gateway.access.consent_binding import require_live_consent
from gateway.clients.agreements import Agreement
from gateway.runtime import Runtime


async def authorize_call(request: Request, runtime: Runtime, caller: Caller) -> Agreement:
    """Admission control, then `require_entitlement`."""
    await admit(request, runtime, caller, uscc=None, key=None)
    return await require_entitlement(runtime, caller)


async def require_entitlement(runtime: Runtime, caller: Caller) -> Agreement:
    """The agreement of an admitted call; raises unless client, agreement and consent are valid."""
    agreement = await require_agreement(runtime, caller)
    await require_live_consent(runtime, caller)
    return agreement


async def authorized_caller(request: Request, runtime: Runtime, *, scope: str) -> Caller:
    """Authenticate and authorize a call that needs `scope`."""
    caller = await authenticate(request, runtime, scope=scope)
    await authorize_call(request, runtime, caller)
    return caller
