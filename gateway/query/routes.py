"""Authorised query over HTTP."""

from fastapi import APIRouter, Request, Response

from gateway.access import body
from gateway.access.admission import admit, idempotency_key
from gateway.access.caller import authenticate
from gateway.access.errors import GatewayError
from gateway.access.openapi import reads
from gateway.query.ask import ask_of
from gateway.query.cursor import Cursors
from gateway.query.gate import answer
from gateway.query.schemas import QueryIn, QueryOut
from gateway.runtime import UsingRuntime

router = APIRouter(prefix="/v1", tags=["query"])


@router.post("/queries", response_model=QueryOut, openapi_extra=reads(QueryIn))
async def query(request: Request, runtime: UsingRuntime) -> Response:
    """Read records of one enterprise under its consent."""
    caller = await authenticate(request, runtime, scope="query")
    raw = await body.read(request)
    parsed = body.parse(request, raw, QueryIn)
    cursors = Cursors(
        key=runtime.digests.key("cursor"),
        client_id=caller.client_id,
        now=runtime.now(),
    )
    held = caller.token.consent_id
    ask = (
        parsed
        if isinstance(parsed, GatewayError)
        else ask_of(parsed, runtime.catalogue, cursors, token_consent=held)
    )
    key = idempotency_key(request, raw)
    uscc = None if isinstance(ask, GatewayError) else ask.uscc
    await admit(request, runtime, caller, uscc=uscc, key=key)
    if isinstance(ask, GatewayError):
        raise ask
    text = await answer(runtime, caller, ask, key, cursors)
    if isinstance(text, GatewayError):
        raise text
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
