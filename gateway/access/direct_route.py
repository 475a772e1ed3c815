"""Routes of the hottest paths, served by Starlette alone and described by FastAPI as before.

FastAPI looks at every router, opens two exit stacks and resolves dependencies, for handlers that need
only the request and the runtime.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import Match, Route
from starlette.types import Scope

from gateway.runtime import Runtime

Handler = Callable[[Request, Runtime], Awaitable[Response]]
Serve = Callable[[Request], Awaitable[Response]]


class DirectRoute(Route):
    """Serves the methods of `described` at its path, or at a narrower one; others are left to it."""

    def __init__(self, described: RouteContext, serve: Serve, path: str = "") -> None:
        super().__init__(path or str(described.path), serve, methods=described.methods)
        self.methods = described.methods  # Starlette has added HEAD to GET
        self._described = described.original_route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match or none; `route` in the scope is the described one, for logs and checks."""
        match, found = super().matches(scope)
        if match is not Match.FULL:
            return Match.NONE, {}
        return match, {**found, "route": self._described}


def serve_directly(app: FastAPI, *handlers: Handler) -> None:
    """Put a direct route of each handler before all routers of `app`, which has them already."""
    described = {each.endpoint: each for each in _described(app)}
    app.router.routes[:0] = [
        DirectRoute(described[handler], _with_runtime(handler)) for handler in handlers
    ]


def serve_page_directly(app: FastAPI, described: str, path: str) -> None:
    """Put a direct route of the page whose path is `described` before all routers, at a narrower path."""
    found = next(each for each in _described(app) if each.path == described)
    serve = cast("APIRoute", found.original_route).get_route_handler()
    app.router.routes.insert(0, DirectRoute(found, serve, path))


def _described(app: FastAPI) -> list[RouteContext]:
    """FastAPI's own routes."""
    found = iter_route_contexts(app.router.routes)
    return [each for each in found if isinstance(each.original_route, APIRoute)]


def _with_runtime(handler: Handler) -> Serve:
    async def serve(request: Request) -> Response:
        return await handler(request, request.app.state.runtime)

    return serve
