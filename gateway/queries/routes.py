"""Authorised query over HTTP."""

from fastapi import APIRouter, Request, Response

from gateway.access.admission_control import admit
from gateway.access.authentication import authenticate
from gateway.access.body import read_call
from gateway.access.errors import GatewayError
from gateway.access.openapi import reads
from gateway.access.refused_request import RefusedRequest
from gateway.disclosure.commit import log_refusal
from gateway.queries.cursor import Cursors
from gateway.queries.request import ask_of
from gateway.queries.schemas import QueryIn, QueryOut
from gateway.queries.service import answer_query
from gateway.runtime import UsingRuntime

router = APIRouter(prefix="/v1", tags=["query"])


@router.post("/queries", response_model=QueryOut, openapi_extra=reads(QueryIn))
async def query(request: Request, runtime: UsingRuntime) -> Response:
    """Read records of one enterprise under its consent."""
    caller = await authenticate(request, runtime, scope="query")
    came = await read_call(request, QueryIn)
    cursors = Cursors(
        key=runtime.digests.key("cursor"),
        client_id=caller.client_id,
        now=runtime.now(),
    )
    held = caller.token.consent_id
    ask = (
        came.parsed
        if isinstance(came.parsed, GatewayError)
        else ask_of(came.parsed, runtime.catalogue, cursors, token_consent=held)
    )
    uscc = None if isinstance(ask, GatewayError) else ask.uscc
    await admit(request, runtime, caller, uscc=uscc, key=came.key)
    if isinstance(ask, GatewayError):
        raise ask
    if isinstance(ask, RefusedRequest):
        await log_refusal(runtime.hot, ask.refusal(caller, runtime.now()))
        raise ask.error
    text = await answer_query(runtime, caller, ask, came.key, cursors)
    if isinstance(text, GatewayError):
        raise text
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
