"""Hottest paths served without FastAPI's routing and dependencies, and described by it as before.

FastAPI looks at every router, opens two exit stacks, wraps the call for errors twice and resolves
dependencies, for handlers that need only the request and the runtime.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.errors import GatewayError
from gateway.runtime import Runtime

Handler = Callable[[Request, Runtime], Awaitable[Response]]
ServePage = Callable[[Request], Awaitable[Response]]
OnRefusal = Callable[[Request, GatewayError], Awaitable[Response]]
Endpoints = Mapping[tuple[str, str], tuple[Handler, BaseRoute]]
"""By method and path: a handler, and the route that describes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectPage:
    """A page's handler for GET at the paths that `pattern` matches, and the route that describes it."""

    pattern: re.Pattern[str]
    serve: ServePage
    route: BaseRoute


class DirectEndpoints:
    """The innermost middleware: serves `page` and calls the handlers of `endpoints`; others are routed."""

    def __init__(
        self, app: ASGIApp, endpoints: Endpoints, page: DirectPage, on_refusal: OnRefusal
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._page = page
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        answering = self._answering(scope, receive) if scope["type"] == "http" else None
        await (self._app if answering is None else await answering)(scope, receive, send)

    def _answering(self, scope: Scope, receive: Receive) -> Awaitable[ASGIApp] | None:
        """The response, to come; `None` for a request that is routed."""
        request = Request(scope, receive)
        found = self._endpoints.get((scope["method"], scope["path"]))
        if found is not None:
            handler, scope["route"] = found  # the route: for logs
            return self._answer(request, handler(request, scope["app"].state.runtime))
        if scope["method"] == "GET" and (at := self._page.pattern.match(scope["path"])):
            scope["route"], scope["path_params"] = self._page.route, at.groupdict()
            return self._answer(request, self._page.serve(request))
        return None

    async def _answer(self, request: Request, answering: Awaitable[Response]) -> Response:
        try:
            return await answering
        except GatewayError as error:
            return await self._on_refusal(request, error)


def endpoints_of(app: FastAPI, *handlers: Handler) -> Endpoints:
    """The endpoints of these handlers, which routes of `app` describe."""
    wanted, described = set(handlers), dict[Handler, RouteContext]()
    for each in _described(app):
        if each.endpoint in wanted:
            described[each.endpoint] = each
        if len(described) == len(wanted):
            break  # the routes of later routers are described when they are first called
    return {
        (method, str(described[handler].path)): (handler, described[handler].original_route)
        for handler in handlers
        for method in described[handler].methods or ()
    }


def page_at(app: FastAPI, path: str, *, described: str) -> DirectPage:
    """The page of `app` whose path is `described`, at a narrower path."""
    found = next(each for each in _described(app) if each.path == described)
    route = cast("APIRoute", found.original_route)
    return DirectPage(pattern=compile_path(path)[0], serve=route.get_route_handler(), route=route)


def _described(app: FastAPI) -> Iterator[RouteContext]:
    """FastAPI's own routes, in order."""
    found = iter_route_contexts(app.router.routes)
    return (each for each in found if isinstance(each.original_route, APIRoute))
