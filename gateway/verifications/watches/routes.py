"""Routes `/v1/watches`: a client's lists of enterprises whose answers it asks again when they change.

Nothing here depends on any enterprise: one that is unknown is kept, counted and answered like any other.
"""

import asyncio
from typing import Annotated, Final

from fastapi import Path, Request, Response

from gateway.access.authentication import authenticate
from gateway.access.client_entitlement import authorize_call
from gateway.access.errors import NotFoundError, Refusal, raise_if_refused
from gateway.access.http.body import read_call
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import problem_response, request_body
from gateway.creditfile.watches import lists
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime
from gateway.verifications.watches.request import parse_watch
from gateway.verifications.watches.schemas import (
    NAME_PATTERN,
    WatchIn,
    WatchListOut,
    WatchListsOut,
    WholeWatchListOut,
)
from gateway.verifications.watches.service import admit_list, put_watch

router = PrefixRouter(prefix="/v1/watches", tags=["verification"])

SCOPE: Final = "verify"
LARGEST_BODY: Final = 512 * 1024
"""Ten thousand codes, and as much again for white space."""
ListName = Annotated[str, Path(pattern=NAME_PATTERN)]


@router.get("", response_model=WatchListsOut)
async def list_watches(request: Request, runtime: UsingRuntime) -> Response:
    """List the caller's watch lists by name, without their enterprises."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    agreement = await authorize_call(request, runtime, caller)
    async with runtime.engine.connect() as connection:
        found = await lists.lists_of(connection, caller.client_id)
    return json_response(
        WatchListsOut(watches=[WatchListOut.of(each, agreement) for each in found])
    )


@router.put(
    "/{name}",
    response_model=WatchListOut,
    openapi_extra=request_body(WatchIn),
)
async def put_watch_list(name: ListName, request: Request, runtime: UsingRuntime) -> Response:
    """Put a list in the place of the one before; what changes from now on is in the change feed.

    Put the list first, and ask about its enterprises then: nothing that changes in between is missed.
    """
    caller = await authenticate(request, runtime, scope=SCOPE)
    came = await read_call(request, WatchIn, largest=LARGEST_BODY)
    named = 0 if isinstance(came.parsed, Refusal) else len(came.parsed.enterprises)
    agreement = await admit_list(request, runtime, caller, named)
    body = raise_if_refused(came.parsed)
    wanted = raise_if_refused(await asyncio.to_thread(parse_watch, body, agreement))  # some 50 ms
    put = raise_if_refused(await put_watch(runtime, caller, agreement, name, wanted))
    return json_response(WatchListOut.of(put, agreement))


@router.get(
    "/{name}",
    response_model=WholeWatchListOut,
    responses={404: problem_response("404")},
)
async def get_watch_list(name: ListName, request: Request, runtime: UsingRuntime) -> Response:
    """Show one of the caller's lists with its enterprises."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    agreement = await authorize_call(request, runtime, caller)
    async with runtime.engine.connect() as connection:
        found = await lists.find_list(connection, caller.client_id, name)
        usccs = await lists.enterprises_of(connection, caller.client_id, name)
    if found is None:
        raise NotFoundError
    shown = WatchListOut.of(found, agreement)
    return json_response(WholeWatchListOut(**shown.model_dump(), enterprises=usccs))


@router.delete(
    "/{name}",
    status_code=204,
    response_description="It is deleted; nothing of it is told any more.",
    responses={404: problem_response("404")},
)
async def delete_watch_list(name: ListName, request: Request, runtime: UsingRuntime) -> Response:
    """Delete one of the caller's lists."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    await authorize_call(request, runtime, caller)
    async with runtime.engine.begin() as connection:
        deleted = await lists.delete_list(connection, caller.client_id, name)
    if not deleted:
        raise NotFoundError
    return Response(status_code=204)
