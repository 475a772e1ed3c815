"""Route `POST /v1/queries`."""

from functools import partial

from fastapi import Request, Response

from gateway.access.answer_loop import parse_and_admit
from gateway.access.authentication import authenticate
from gateway.access.errors import raise_if_refused
from gateway.access.http.body import read_call
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.prefix_router import PrefixRouter
from gateway.queries.cursor import Cursors
from gateway.queries.request import parse_request
from gateway.queries.schemas import QueryIn, QueryOut
from gateway.queries.service import answer_query
from gateway.runtime import UsingRuntime

router = PrefixRouter(prefix="/v1", tags=["query"])


@router.post("/queries", response_model=QueryOut, openapi_extra=request_body(QueryIn))
async def query(request: Request, runtime: UsingRuntime) -> Response:
    """Read records of one enterprise under its consent."""
    caller = await authenticate(request, runtime, scope="query")
    came = await read_call(request, QueryIn)
    cursors = Cursors(
        key=runtime.digests.key("cursor"), client_id=caller.client_id, now=runtime.now()
    )
    parse = partial(
        parse_request,
        catalogue=runtime.catalogue,
        cursors=cursors,
        token_consent=caller.token.consent_id,
    )
    call = await parse_and_admit(request, runtime, caller, came, parse)
    return json_response(raise_if_refused(await answer_query(call, cursors)))
