"""Hottest paths served without FastAPI's routing and dependencies, and described by it as before.

FastAPI looks at every router, opens two exit stacks, wraps the call for errors twice and resolves
dependencies, for handlers that need only the request and the runtime.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.errors import GatewayError
from gateway.runtime import Runtime

Handler = Callable[[Request, Runtime], Awaitable[Response]]
ServePage = Callable[[Request], Awaitable[Response]]
OnRefusal = Callable[[Request, GatewayError], Awaitable[Response]]
Endpoints = Mapping[tuple[str, str], tuple[Handler, BaseRoute]]
"""By method and path: a handler, and the route that describes it."""


class DirectEndpoints:
    """The innermost middleware: calls the handlers of `endpoints` itself; others are routed."""

    def __init__(self, app: ASGIApp, endpoints: Endpoints, on_refusal: OnRefusal) -> None:
        self._app = app
        self._endpoints = endpoints
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = scope["type"] == "http" and self._endpoints.get((scope["method"], scope["path"]))
        if not found:
            await self._app(scope, receive, send)
            return
        handler, scope["route"] = found  # the route: for logs
        request = Request(scope, receive)
        try:
            response = await handler(request, scope["app"].state.runtime)
        except GatewayError as error:
            response = await self._on_refusal(request, error)
        await response(scope, receive, send)


def endpoints_of(app: FastAPI, *handlers: Handler) -> Endpoints:
    """The endpoints of these handlers, which routes of `app` describe."""
    described = {each.endpoint: each for each in _described(app)}
    return {
        (method, str(described[handler].path)): (handler, described[handler].original_route)
        for handler in handlers
        for method in described[handler].methods or ()
    }


class DirectRoute(Route):
    """Serves the methods of `described` at a narrower path; others are left to it."""

    def __init__(self, described: RouteContext, serve: ServePage, path: str) -> None:
        super().__init__(path, serve, methods=described.methods)
        self.methods = described.methods  # Starlette has added HEAD to GET
        self._described = described.original_route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match or none; `route` in the scope is the described one, for logs and checks."""
        match, found = super().matches(scope)
        if match is not Match.FULL:
            return Match.NONE, {}
        return match, {**found, "route": self._described}


def serve_page_directly(app: FastAPI, described: str, path: str) -> None:
    """Put a direct route of the page whose path is `described` before all routers, at a narrower path."""
    found = next(each for each in _described(app) if each.path == described)
    serve = cast("APIRoute", found.original_route).get_route_handler()
    app.router.routes.insert(0, DirectRoute(found, serve, path))


def _described(app: FastAPI) -> list[RouteContext]:
    """FastAPI's own routes."""
    found = iter_route_contexts(app.router.routes)
    return [each for each in found if isinstance(each.original_route, APIRoute)]
