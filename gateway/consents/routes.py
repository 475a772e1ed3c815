"""A client sees its own consents only; of any other it cannot tell whether there is one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

import consent
from consent import Changed, Consent, Status, status_at, uses_left
from consent import store as consents
from gateway.access.admission import admit
from gateway.access.bound import trouble_with_consent
from gateway.access.caller import Caller, authenticate
from gateway.access.errors import InvalidRequestError, NotFoundError, TemporarilyUnavailableError
from gateway.access.moments import on_the_wire
from gateway.access.standing import demand_agreement
from gateway.db.engine import to_json
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(prefix="/v1/consents", tags=["consents"])

PAGE = 100
TURNS = 20
STATUSES = frozenset(Status)


@router.get("")
async def list_consents(
    request: Request,
    runtime: UsingRuntime,
    status: Annotated[str | None, Query(max_length=32)] = None,
    after: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """List the caller's consents by id, a page at a time; `status` as of now."""
    caller = await _caller(request, runtime)
    if status is not None and status not in STATUSES:
        raise InvalidRequestError(f"status is one of: {', '.join(sorted(STATUSES))}.")
    async with runtime.engine.connect() as connection:
        found = await consents.of_client(
            connection,
            caller.client_id,
            Status(status) if status else None,
            now=runtime.now(),
            after=after,
            limit=PAGE,
        )
    more = found[-1].consent_id if len(found) == PAGE else None
    return _answer({"consents": [_shown(each, runtime) for each in found], "after": more})


@router.get("/{consent_id}")
async def get_consent(request: Request, consent_id: str, runtime: UsingRuntime) -> Response:
    """Show one of the caller's consents."""
    caller = await _caller(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await consents.by_id(connection, consent_id)
    return _answer(_shown(_own(found, caller), runtime))


@router.delete("/{consent_id}", status_code=204)
async def give_up(request: Request, consent_id: str, runtime: UsingRuntime) -> Response:
    """Give one of the caller's consents up; what is over already stays as it is."""
    caller = await _caller(request, runtime)
    for _ in range(TURNS):
        async with runtime.engine.begin() as connection:
            held = _own(await consents.by_id(connection, consent_id), caller)
            given_up = consent.give_up(held, client_id=caller.client_id, now=runtime.now())
            if not isinstance(given_up, Changed):
                return Response(status_code=204)
            if await consents.save(connection, held, given_up.consent, given_up.event):
                return Response(status_code=204)
    raise TemporarilyUnavailableError(retry_after=1)


async def _caller(request: Request, runtime: Runtime) -> Caller:
    caller = await authenticate(request, runtime, scope="consents")
    await admit(request, runtime, caller, uscc=None, key=None)
    await demand_agreement(runtime, caller)
    await _demand_consent(runtime, caller)
    return caller


async def _demand_consent(runtime: Runtime, caller: Caller) -> None:
    if caller.token.consent_id is None:
        return
    async with runtime.engine.connect() as connection:
        held = await consents.by_id(connection, caller.token.consent_id)
    trouble = trouble_with_consent(caller.token, held, now=runtime.now())
    if trouble is not None:
        raise trouble


def _own(found: Consent | None, caller: Caller) -> Consent:
    if found is None or found.client_id != caller.client_id:
        raise NotFoundError
    return found


def _shown(held: Consent, runtime: Runtime) -> dict[str, Any]:
    return {
        "consent_id": held.consent_id,
        "status": status_at(held, runtime.now()).value,
        "enterprise": {"uscc": held.uscc},
        "purpose": held.purpose.value,
        "datasets": list(held.datasets),
        "questions": list(held.questions),
        "valid_until": on_the_wire(held.valid_until),
        "max_uses": held.max_uses,
        "uses_left": uses_left(held),
        "requested_at": on_the_wire(held.requested_at),
        "decided_at": on_the_wire(held.decided_at) if held.decided_at else None,
    }


def _answer(document: dict[str, Any]) -> Response:
    return Response(
        to_json(document),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
