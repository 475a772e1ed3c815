"""Routes of the hottest paths, served by Starlette alone and described by FastAPI as before.

FastAPI looks at every router, opens two exit stacks and resolves dependencies, for handlers that need
only the request and the runtime.
"""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import Match, Route
from starlette.types import Scope

from gateway.runtime import Runtime

Handler = Callable[[Request, Runtime], Awaitable[Response]]


class DirectRoute(Route):
    """Serves the path and methods of `described`; other methods are left to it."""

    def __init__(self, described: RouteContext, handler: Handler) -> None:
        async def serve(request: Request) -> Response:
            return await handler(request, request.app.state.runtime)

        super().__init__(str(described.path), serve, methods=described.methods)
        self._described = described.original_route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match or none; `route` in the scope is the described one, for logs and checks."""
        match, found = super().matches(scope)
        if match is not Match.FULL:
            return Match.NONE, {}
        return match, {**found, "route": self._described}


def serve_directly(app: FastAPI, *handlers: Handler) -> None:
    """Put a direct route of each handler before all routers of `app`, which has them already."""
    described = {
        each.endpoint: each
        for each in iter_route_contexts(app.router.routes)
        if isinstance(each.original_route, APIRoute)
    }
    app.router.routes[:0] = [DirectRoute(described[handler], handler) for handler in handlers]
