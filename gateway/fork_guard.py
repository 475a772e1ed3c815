"""ASGI middleware that answers 503 while the transparency log is forked or cannot be checked.

`/healthz` and `/metrics` stay available. Once a fork is certain, background work ends too, so that
nothing more is written, sent or deleted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import problems
from gateway.access.errors import TemporarilyUnavailableError
from gateway.oauth.endpoint import unavailable_response
from gateway.pages import page_route
from gateway.runtime import Runtime
from gateway.transparency.publication import LogStatus

OPEN_PATHS: Final = frozenset({"/healthz", "/metrics"})


class ForkGuard:
    """Answers 503 in the application's place while its log is not fit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; its response is replaced if a fork was found meanwhile."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        status = _status(scope)
        if not status.is_fit:
            await _refusal(Request(scope))(scope, receive, send)
            return
        is_refused = False

        async def unless_forked(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start" and status.forked.is_set():
                is_refused = True
                await _refusal(Request(scope))(scope, receive, send)
            elif not is_refused:
                await send(message)

        await self._app(scope, receive, unless_forked)


@asynccontextmanager
async def until_forked(
    status: LogStatus, background: Callable[[], AbstractAsyncContextManager[None]]
) -> AsyncIterator[None]:
    """Run `background` during the block, or until a fork is certain."""
    begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    ending = asyncio.Event()

    async def run() -> None:
        try:
            async with background():
                begun.set_result(None)
                await ending.wait()
        except Exception as error:
            if begun.done():
                raise
            begun.set_exception(error)

    async def end_with_a_fork() -> None:
        await status.forked.wait()
        ending.set()

    running, watching = asyncio.create_task(run()), asyncio.create_task(end_with_a_fork())
    try:
        await begun
        yield
    finally:
        watching.cancel()
        ending.set()
        await running


def _status(scope: Scope) -> LogStatus:
    runtime: Runtime = scope["app"].state.runtime
    return runtime.log_status


def _refusal(request: Request) -> Response:
    path = request.scope["path"]
    if not path.startswith("/v1/"):
        if "text/html" in request.headers.get("accept", ""):
            return page_route.unavailable(request)
        if path.startswith("/oauth/"):
            return unavailable_response()
    return problems.problem(
        TemporarilyUnavailableError.code,
        TemporarilyUnavailableError.__doc__ or "",
        request_id=request.state.request_id,
        headers={"Retry-After": str(page_route.RETRY_SECONDS)},
    )
