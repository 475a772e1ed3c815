"""Routes of `/v1/consents`: request, list, read, record, give up. A client sees only its own."""

import asyncio
from typing import Annotated

from fastapi import Query, Request, Response

import consent
from consent import Channel, Consent, Status, Transition, status_at
from consent import store as consents
from gateway.access.admission_control import admit
from gateway.access.authentication import Caller, authenticate
from gateway.access.client_entitlement import authorized_caller, require_entitlement
from gateway.access.consent_request_body import validated_request
from gateway.access.errors import (
    InvalidUsccError,
    NotFoundError,
    Refusal,
    TemporarilyUnavailableError,
    raise_if_refused,
)
from gateway.access.http.body import IncomingCall, read_call
from gateway.access.http.deadline import extend_deadline
from gateway.access.http.head_requests import get_only, waits
from gateway.access.http.json_response import json_response
from gateway.access.http.long_poll import poll
from gateway.access.openapi.operations import problem_response, request_body
from gateway.access.serializers.signed_consent_record import signed_record
from gateway.access.subject_uscc import parse_subject
from gateway.consents.create_link_request import create_link_request
from gateway.consents.log_refusal import logged
from gateway.consents.record_schemas import SignedRecordOut
from gateway.consents.request_symbol import request_symbol
from gateway.consents.schemas import (
    ClientConsentOut,
    ClientConsentsOut,
    ConsentIn,
    ConsentRequestedOut,
    capture_url,
    requested,
    shown,
)
from gateway.disclosure import consent_log_writer
from gateway.pages.rendering import format_moment
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(prefix="/v1/consents", tags=["consents"])

SCOPE = "consents"
PAGE = 100
TURNS = 20
LONGEST_WAIT = 30  # seconds
LOOKS_EVERY = 1.0  # seconds


@router.post(
    "",
    status_code=201,
    response_model=ConsentRequestedOut,
    openapi_extra=request_body(ConsentIn),
    responses={404: problem_response("404")},
)
async def request_consent(request: Request, runtime: UsingRuntime) -> Response:
    """Ask an enterprise by a link; the same answer whether the enterprise exists or not."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    came = await read_call(request, ConsentIn)
    uscc = _subject(came.parsed)
    await admit(request, runtime, caller, uscc=uscc, key=came.key)
    async with logged(runtime, caller, came.parsed, uscc):
        made = await _made(runtime, caller, came, uscc)
    return json_response(requested(made, runtime), status_code=201)


@router.get("", response_model=ClientConsentsOut)
async def list_consents(
    request: Request,
    runtime: UsingRuntime,
    status: Annotated[Status | None, Query()] = None,
    after: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """List the caller's consents by id, a page at a time; `status` as of now."""
    caller = await authorized_caller(request, runtime, scope=SCOPE)
    async with runtime.engine.connect() as connection:
        found = await consents.of_client(
            connection, caller.client_id, status, now=runtime.now(), after=after, limit=PAGE
        )
    more = found[-1].consent_id if len(found) == PAGE else None
    return json_response({"consents": [shown(each, runtime) for each in found], "after": more})


@router.get("/{consent_id}", response_model=ClientConsentOut)
@get_only(when=waits)
async def get_consent(
    request: Request,
    consent_id: str,
    runtime: UsingRuntime,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> Response:
    """Show one of the caller's consents; `wait` holds a request that is not answered yet."""
    caller = await authorized_caller(request, runtime, scope=SCOPE)
    extend_deadline(request, wait)

    async def read() -> Consent:
        async with runtime.engine.connect() as connection:
            return _own(await consents.by_id(connection, consent_id), caller)

    def is_answered(found: Consent) -> bool:
        return status_at(found, runtime.now()) is not Status.REQUESTED

    found = await poll(read, until=is_answered, wait=wait, every=LOOKS_EVERY)
    return json_response(shown(found, runtime))


@router.get("/{consent_id}/record", response_model=SignedRecordOut)
async def get_consent_record(request: Request, consent_id: str, runtime: UsingRuntime) -> Response:
    """Give the signed record of one of the caller's consents (ISO/IEC TS 27560)."""
    caller = await authorized_caller(request, runtime, scope=SCOPE)
    async with runtime.engine.connect() as connection:
        found = _own(await consents.by_id(connection, consent_id), caller)
        return json_response(await signed_record(connection, runtime, found, reader="client"))


@router.get(
    "/{consent_id}/symbol",
    response_class=Response,
    responses={
        200: {
            "description": "The QR symbol of the request's `capture_url`, with words around it.",
            "content": {"image/svg+xml": {"schema": {"type": "string"}}},
        }
    },
)
async def get_consent_symbol(request: Request, consent_id: str, runtime: UsingRuntime) -> Response:
    """Draw the link of a request that waits for its answer; 404 for any other."""
    caller = await authorized_caller(request, runtime, scope=SCOPE)
    async with runtime.engine.connect() as connection:
        held = _own(await consents.by_id(connection, consent_id), caller)
    if held.channel is Channel.REDIRECT or status_at(held, runtime.now()) is not Status.REQUESTED:
        raise NotFoundError
    address, until = capture_url(held, runtime), format_moment(held.answer_by)
    drawn = await asyncio.to_thread(request_symbol, address, until=until)  # some 14 ms
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@router.delete(
    "/{consent_id}", status_code=204, response_description="It is given up, or was over already."
)
async def give_up_consent(request: Request, consent_id: str, runtime: UsingRuntime) -> Response:
    """Give one of the caller's consents up; what is over already stays as it is."""
    caller = await authorized_caller(request, runtime, scope=SCOPE)
    for _ in range(TURNS):
        async with runtime.engine.begin() as connection:
            held = _own(await consents.by_id(connection, consent_id), caller)
            given_up = consent.give_up(held, client_id=caller.client_id, now=runtime.now())
            if not isinstance(given_up, Transition):
                return Response(status_code=204)
            if await consent_log_writer.save(connection, held, given_up):
                return Response(status_code=204)
    raise TemporarilyUnavailableError(retry_after=1)


async def _made(
    runtime: Runtime, caller: Caller, came: IncomingCall[ConsentIn], uscc: str | None
) -> Consent:
    """The request that this call makes, or made before; the first check that fails is raised."""
    agreement = await require_entitlement(runtime, caller)
    asked = raise_if_refused(came.parsed)
    if uscc is None:
        raise InvalidUsccError
    checked = validated_request(
        asked,
        asked.enterprise,
        client_id=caller.client_id,
        amends=asked.amends,
        agreement=agreement,
        catalogue=runtime.catalogue,
        now=runtime.now(),
    )
    request = raise_if_refused(checked)
    return raise_if_refused(await create_link_request(runtime, request, uscc, came.key))


def _subject(came: ConsentIn | Refusal) -> str | None:
    return None if isinstance(came, Refusal) else parse_subject(came.enterprise.uscc)


def _own(found: Consent | None, caller: Caller) -> Consent:
    if found is None or found.client_id != caller.client_id:
        raise NotFoundError
    return found
