"""Routes `/v1/changes`: a client reads its change feed by cursor, and acknowledges it.

Reading acknowledges nothing.
"""

from typing import Annotated

from fastapi import Query, Request, Response

from gateway.access.authentication import authenticate
from gateway.access.client_entitlement import authorize_call, authorized_caller
from gateway.access.errors import InvalidRequestError, raise_if_refused
from gateway.access.http.body import read_call
from gateway.access.http.deadline import extend_deadline
from gateway.access.http.head_requests import get_only, waits
from gateway.access.http.json_response import json_response
from gateway.access.http.long_poll import poll
from gateway.access.openapi.operations import request_body
from gateway.changes.schemas import CURSOR_PATTERN, AckIn, AckOut, ChangesOut
from gateway.disclosure import change_feed
from gateway.disclosure.change_feed import FeedPage, UnknownCursor
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(prefix="/v1/changes", tags=["changes"])

SCOPE = "changes"
UNKNOWN_CURSOR = "Give a cursor that this feed has given you."
CHANGES_PAGE_SIZE = 100
MAX_WAIT_SECONDS = 30  # seconds
POLL_SECONDS = 1.0  # seconds


@router.get("", response_model=ChangesOut)
@get_only(when=waits)
async def list_changes(
    request: Request,
    runtime: UsingRuntime,
    after: Annotated[str, Query(pattern=CURSOR_PATTERN)] = "0",
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)] = 0,
) -> Response:
    """List the changes after a cursor, from the first if it is left out; at most 100.

    `wait` holds the request for so many seconds while there are none.
    """
    caller = await authorized_caller(request, runtime, scope=SCOPE)
    extend_deadline(request, wait)
    page = ChangesOut.of(await _page(runtime, caller.client_id, int(after), wait))
    return json_response(page.model_dump(exclude_unset=True))


@router.post("/ack", response_model=AckOut, openapi_extra=request_body(AckIn))
async def acknowledge_changes(request: Request, runtime: UsingRuntime) -> Response:
    """Acknowledge every change up to a cursor; idempotent."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    came = await read_call(request, AckIn)
    await authorize_call(request, runtime, caller)
    cursor, now = raise_if_refused(came.parsed).cursor, runtime.now()
    async with runtime.engine.begin() as connection:
        unknown = await change_feed.acknowledge(connection, caller.client_id, int(cursor), now=now)
    if unknown is not None:
        raise InvalidRequestError(UNKNOWN_CURSOR)
    return json_response(AckOut.of(cursor, now))


async def _page(runtime: Runtime, client_id: str, cursor: int, wait: float) -> FeedPage:
    async def read() -> FeedPage | UnknownCursor:
        async with runtime.engine.connect() as connection:
            return await change_feed.read_page(
                connection, client_id, cursor, limit=CHANGES_PAGE_SIZE
            )

    page = await poll(read, until=_has_something, wait=wait, every=POLL_SECONDS)
    if isinstance(page, UnknownCursor):
        raise InvalidRequestError(UNKNOWN_CURSOR)
    return page


def _has_something(page: FeedPage | UnknownCursor) -> bool:
    return isinstance(page, UnknownCursor) or bool(page.notices)
