"""A client reads its own feed, in the order of its cursor, and says how far it knows it.

Reading acknowledges nothing: whoever crashes between the two reads the same again.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from gateway.access.authentication import authenticate
from gateway.access.authorize_call import admitted, admitted_caller
from gateway.access.body import read_call
from gateway.access.deadline import allow
from gateway.access.errors import GatewayError, InvalidRequestError
from gateway.access.head_requests import get_only, waits
from gateway.access.openapi import reads
from gateway.changes.schemas import CURSOR, AckIn, AckOut, ChangesOut
from gateway.disclosure import feed
from gateway.disclosure.feed import BeyondTheFeed, FeedPage
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(prefix="/v1/changes", tags=["changes"])

SCOPE = "changes"
PAGE = 100
LONGEST_WAIT = 30  # seconds
LOOKS_EVERY = 1.0  # seconds


@router.get("", response_model=ChangesOut)
@get_only(when=waits)
async def read_changes(
    request: Request,
    runtime: UsingRuntime,
    after: Annotated[str, Query(pattern=CURSOR)] = "0",
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> Response:
    """Give the changes behind `after`, from the first on if it is left out; at most 100.

    `wait` holds the request for so many seconds while there are none.
    """
    caller = await admitted_caller(request, runtime, scope=SCOPE)
    allow(request, wait)
    return _answer(ChangesOut.of(await _page(runtime, caller.client_id, int(after), wait)))


@router.post("/ack", response_model=AckOut, openapi_extra=reads(AckIn))
async def acknowledge(request: Request, runtime: UsingRuntime) -> Response:
    """Note that the caller knows every change up to a cursor; to say it again changes nothing."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    came = await read_call(request, AckIn)
    await admitted(request, runtime, caller)
    if isinstance(came.parsed, GatewayError):
        raise came.parsed
    cursor, now = came.parsed.cursor, runtime.now()
    async with runtime.engine.begin() as connection:
        beyond = await feed.acknowledge(connection, caller.client_id, int(cursor), now=now)
    if beyond is not None:
        raise _unknown_cursor()
    return _answer(AckOut.at(cursor, now))


async def _page(runtime: Runtime, client_id: str, after: int, patience: float) -> FeedPage:
    while True:
        async with runtime.engine.connect() as connection:
            page = await feed.after(connection, client_id, after, limit=PAGE)
        if isinstance(page, BeyondTheFeed):
            raise _unknown_cursor()
        if page.notices or patience <= 0:
            return page
        await asyncio.sleep(min(LOOKS_EVERY, patience))
        patience -= LOOKS_EVERY


def _unknown_cursor() -> InvalidRequestError:
    return InvalidRequestError("Give a cursor that this feed has given you.")


def _answer(told: BaseModel) -> Response:
    return Response(
        told.model_dump_json(),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
